//! TCP.

use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Type};

use super::fd::Fd;
use super::handle::{forward, handle, stream_io, time_limits};
use super::sys;
use crate::netpoll::Dir;

handle! {
    /// A TCP connection. As `std::net::TcpStream`; see the [module](crate::net) for what differs. Go: `TCPConn`.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use sigurg::net::{TcpListener, TcpStream};
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let mut client = TcpStream::connect(listener.local_addr()?)?;
    /// let (mut server, _) = listener.accept()?;
    /// client.write_all(b"hello")?;
    /// let mut hello = [0; 5];
    /// server.read_exact(&mut hello)?;
    /// assert_eq!(&hello, b"hello");
    /// # std::io::Result::Ok(())
    /// ```
    TcpStream(net::TcpStream)
}
time_limits!(TcpStream);
stream_io!(TcpStream);

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    ///
    /// That of the last address tried, as connect(2) reports it: `ConnectionRefused`, say.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        sys::each_addr(addr, |addr| Self::connect_to(&addr, None))
    }

    /// Connects to `addr`, waiting for at most `timeout`.
    ///
    /// # Errors
    ///
    /// `TimedOut` if the time is up, `InvalidInput` for a timeout of zero, and those of connect(2).
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<Self> {
        Self::connect_to(addr, Some(timeout))
    }

    fn connect_to(addr: &SocketAddr, timeout: Option<Duration>) -> io::Result<Self> {
        let socket = sys::socket(Domain::for_address(*addr), Type::STREAM)?;
        let stream = Fd::new(net::TcpStream::from(socket));
        stream.set_timeout(Dir::Write, timeout)?;
        sys::connect(&stream, &SockAddr::from(*addr))?;
        stream.set_timeout(Dir::Write, None)?;
        Ok(Self(stream.into()))
    }

    /// As `read`, but leaves what it has read to be read again.
    ///
    /// # Errors
    ///
    /// As `read`.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.io(Dir::Read, |socket| socket.peek(buf))
    }
}

forward!(TcpStream {
    /// The address of this end.
    fn local_addr() -> SocketAddr;
    /// The address of the other end.
    fn peer_addr() -> SocketAddr;
    /// Sends small pieces at once (`true`) or collects them. `TCP_NODELAY`.
    fn set_nodelay(nodelay: bool) -> ();
    /// What [`Self::set_nodelay`] has set.
    fn nodelay() -> bool;
    /// How many hops a packet may take. `IP_TTL`.
    fn set_ttl(ttl: u32) -> ();
    /// What [`Self::set_ttl`] has set.
    fn ttl() -> u32;
});

handle! {
    /// A TCP socket that waits for connections. As `std::net::TcpListener`; see the [module](crate::net) for what
    /// differs. Go: `TCPListener`.
    ///
    /// ```no_run
    /// # fn serve(stream: sigurg::net::TcpStream) {}
    /// for stream in sigurg::net::TcpListener::bind("127.0.0.1:8080")?.incoming() {
    ///     serve(stream?);
    /// }
    /// # std::io::Result::Ok(())
    /// ```
    TcpListener(net::TcpListener)
}

impl TcpListener {
    /// Binds to the first of the addresses that can be had, and listens.
    ///
    /// # Errors
    ///
    /// That of the last address tried: `AddrInUse`, say.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        // Of std, for its backlog and reuse of the address; looking the name up is ours.
        sys::each_addr(addr, net::TcpListener::bind).map(Self::from)
    }

    /// Waits for a connection. Any number of goroutines and threads may wait.
    ///
    /// # Errors
    ///
    /// Those of accept(2), but a connection that was given up by the client before it was taken is passed over.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, addr) = sys::accept(&self.0)?;
        Ok((TcpStream::new(stream), addr))
    }

    /// The connections that come in, without end.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// When `accept` begins to fail, calls that wait by then included; `None`: never. Go: `SetDeadline`.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.0.set_deadline(Dir::Read, deadline);
    }
}

forward!(TcpListener {
    /// The address that it listens at.
    fn local_addr() -> SocketAddr;
    /// How many hops a packet may take. `IP_TTL`.
    fn set_ttl(ttl: u32) -> ();
    /// What [`Self::set_ttl`] has set.
    fn ttl() -> u32;
});

/// Connections as they come in: [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl std::iter::FusedIterator for Incoming<'_> {}
