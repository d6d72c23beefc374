//! UDP.

use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use super::handle::{forward, handle, time_limits};
use super::sys;
use crate::netpoll::Dir;

handle! {
    /// A UDP socket. As `std::net::UdpSocket`; see the [module](crate::net) for what differs. Go: `UDPConn`.
    ///
    /// ```
    /// use sigurg::net::UdpSocket;
    ///
    /// let (a, b) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    /// a.send_to(b"hello", b.local_addr()?)?;
    /// let mut hello = [0; 16];
    /// assert_eq!(b.recv_from(&mut hello)?, (5, a.local_addr()?));
    /// # std::io::Result::Ok(())
    /// ```
    UdpSocket(net::UdpSocket)
}
time_limits!(UdpSocket);

impl UdpSocket {
    /// Binds to the first of the addresses that can be had.
    ///
    /// # Errors
    ///
    /// That of the last address tried: `AddrInUse`, say.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        sys::each_addr(addr, net::UdpSocket::bind).map(Self::from)
    }

    /// From now on sends to, and receives from, that address only: the first that can be had.
    ///
    /// # Errors
    ///
    /// That of the last address tried.
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        // Waits for nobody: it only notes the address.
        sys::each_addr(addr, |addr| self.0.socket().connect(addr))
    }

    /// Sends a datagram to the first of the addresses; how many bytes it had.
    ///
    /// # Errors
    ///
    /// Those of sendto(2).
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let Some(addr) = sys::resolve(addr)?.next() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to"));
        };
        self.0.io(Dir::Write, |socket| socket.send_to(buf, addr))
    }

    /// Receives a datagram: its length, without what did not fit, and who sent it.
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.io(Dir::Read, |socket| socket.recv_from(buf))
    }

    /// As [`Self::recv_from`], but leaves the datagram to be received again.
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.io(Dir::Read, |socket| socket.peek_from(buf))
    }

    /// Sends a datagram to the address it is connected to; how many bytes it had.
    ///
    /// # Errors
    ///
    /// Those of send(2).
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.io(Dir::Write, |socket| socket.send(buf))
    }

    /// Receives a datagram from the address it is connected to: its length, without what did not fit.
    ///
    /// # Errors
    ///
    /// Those of recv(2).
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.io(Dir::Read, |socket| socket.recv(buf))
    }

    /// As [`Self::recv`], but leaves the datagram to be received again.
    ///
    /// # Errors
    ///
    /// Those of recv(2).
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.io(Dir::Read, |socket| socket.peek(buf))
    }
}

forward!(UdpSocket {
    /// The address that it is bound to.
    fn local_addr() -> SocketAddr;
    /// The address that it is connected to.
    fn peer_addr() -> SocketAddr;
    /// How many hops a packet may take. `IP_TTL`.
    fn set_ttl(ttl: u32) -> ();
    /// What [`Self::set_ttl`] has set.
    fn ttl() -> u32;
    /// Whether datagrams may go to a broadcast address. `SO_BROADCAST`.
    fn set_broadcast(broadcast: bool) -> ();
    /// What [`Self::set_broadcast`] has set.
    fn broadcast() -> bool;
    /// Whether multicast packets come back to this machine. `IP_MULTICAST_LOOP`.
    fn set_multicast_loop_v4(multicast_loop: bool) -> ();
    /// What [`Self::set_multicast_loop_v4`] has set.
    fn multicast_loop_v4() -> bool;
    /// How many hops a multicast packet may take. `IP_MULTICAST_TTL`.
    fn set_multicast_ttl_v4(ttl: u32) -> ();
    /// What [`Self::set_multicast_ttl_v4`] has set.
    fn multicast_ttl_v4() -> u32;
    /// Whether multicast packets come back to this machine. `IPV6_MULTICAST_LOOP`.
    fn set_multicast_loop_v6(multicast_loop: bool) -> ();
    /// What [`Self::set_multicast_loop_v6`] has set.
    fn multicast_loop_v6() -> bool;
    /// Joins a multicast group on the interface with that address. `IP_ADD_MEMBERSHIP`.
    fn join_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> ();
    /// Leaves a multicast group. `IP_DROP_MEMBERSHIP`.
    fn leave_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> ();
    /// Joins a multicast group on the interface with that number. `IPV6_ADD_MEMBERSHIP`.
    fn join_multicast_v6(group: &Ipv6Addr, interface: u32) -> ();
    /// Leaves a multicast group. `IPV6_DROP_MEMBERSHIP`.
    fn leave_multicast_v6(group: &Ipv6Addr, interface: u32) -> ();
});
