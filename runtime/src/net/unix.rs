//! Sockets of the Unix domain.

use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::time::Instant;

use socket2::{Domain, SockAddr, Type};

use super::fd::retry;
use super::handle::{forward, handle, stream_io, time_limits};
use super::sys;
use crate::netpoll::Dir;
use crate::proc;

handle! {
    /// A connection within this machine. As `std::os::unix::net::UnixStream`; see the [module](crate::net) for what
    /// differs. Go: `UnixConn`.
    ///
    /// ```
    /// use std::io::{Read, Write};
    ///
    /// let (mut a, mut b) = sigurg::net::UnixStream::pair()?;
    /// a.write_all(b"hello")?;
    /// drop(a);
    /// let mut hello = String::new();
    /// b.read_to_string(&mut hello)?;
    /// assert_eq!(hello, "hello");
    /// # std::io::Result::Ok(())
    /// ```
    UnixStream(net::UnixStream)
}
time_limits!(UnixStream);
stream_io!(UnixStream);

impl UnixStream {
    /// Two connected sockets.
    ///
    /// # Errors
    ///
    /// Those of socketpair(2).
    pub fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = net::UnixStream::pair()?;
        Ok((a.into(), b.into()))
    }

    /// Connects to the socket at `path`; waits if its queue of connections is full.
    ///
    /// # Errors
    ///
    /// Those of connect(2).
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let addr = SockAddr::unix(path)?;
        let socket = sys::socket(Domain::UNIX, Type::STREAM)?;
        match retry(|| socket.connect(&addr)) {
            // There is no event for room in the queue of a socket that is not connected.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.set_nonblocking(false)?;
                proc::blocking(|| retry(|| socket.connect(&addr)))?;
                socket.set_nonblocking(true)?;
            }
            done => done?,
        }
        Ok(Self::new(socket.into()))
    }
}

forward!(UnixStream {
    /// The address of this end.
    fn local_addr() -> SocketAddr;
    /// The address of the other end.
    fn peer_addr() -> SocketAddr;
});

handle! {
    /// A Unix socket that waits for connections. As `std::os::unix::net::UnixListener`; see the [module](crate::net) for
    /// what differs. Go: `UnixListener`.
    UnixListener(net::UnixListener)
}

impl UnixListener {
    /// Makes a socket at `path`, where nothing may be yet, and listens. Nobody removes it from there.
    ///
    /// # Errors
    ///
    /// Those of bind(2).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        net::UnixListener::bind(path).map(Self::from)
    }

    /// Waits for a connection. Any number of goroutines and threads may wait.
    ///
    /// # Errors
    ///
    /// Those of accept(2).
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, addr) = self.0.io(Dir::Read, |listener| listener.accept())?;
        Ok((stream.into(), addr))
    }

    /// The connections that come in, without end.
    pub fn incoming(&self) -> UnixIncoming<'_> {
        UnixIncoming { listener: self }
    }

    /// When `accept` begins to fail, calls that wait by then included; `None`: never. Go: `SetDeadline`.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.0.set_deadline(Dir::Read, deadline);
    }
}

forward!(UnixListener {
    /// The address that it listens at.
    fn local_addr() -> SocketAddr;
});

/// Connections as they come in: [`UnixListener::incoming`].
#[derive(Debug)]
pub struct UnixIncoming<'a> {
    listener: &'a UnixListener,
}

impl Iterator for UnixIncoming<'_> {
    type Item = io::Result<UnixStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl std::iter::FusedIterator for UnixIncoming<'_> {}

handle! {
    /// A socket for datagrams within this machine. As `std::os::unix::net::UnixDatagram`; see the [module](crate::net)
    /// for what differs. Go: `UnixConn`.
    UnixDatagram(net::UnixDatagram)
}
time_limits!(UnixDatagram);

impl UnixDatagram {
    /// Two connected sockets.
    ///
    /// # Errors
    ///
    /// Those of socketpair(2).
    pub fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = net::UnixDatagram::pair()?;
        Ok((a.into(), b.into()))
    }

    /// Makes a socket at `path`, where nothing may be yet. Nobody removes it from there.
    ///
    /// # Errors
    ///
    /// Those of bind(2).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        net::UnixDatagram::bind(path).map(Self::from)
    }

    /// A socket without an address.
    ///
    /// # Errors
    ///
    /// Those of socket(2).
    pub fn unbound() -> io::Result<Self> {
        net::UnixDatagram::unbound().map(Self::from)
    }

    /// From now on sends to, and receives from, that socket only.
    ///
    /// # Errors
    ///
    /// Those of connect(2).
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.0.socket().connect(path)
    }

    /// Sends a datagram to the socket it is connected to, and waits if that one's queue is full.
    ///
    /// # Errors
    ///
    /// Those of send(2).
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.io(Dir::Write, |socket| socket.send(buf))
    }

    /// Receives a datagram: its length, without what did not fit.
    ///
    /// # Errors
    ///
    /// Those of recv(2).
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.io(Dir::Read, |socket| socket.recv(buf))
    }

    /// Receives a datagram: its length, without what did not fit, and who sent it.
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.io(Dir::Read, |socket| socket.recv_from(buf))
    }

    /// Ends one direction, or both. Whoever waits to receive or send that way wakes up.
    ///
    /// # Errors
    ///
    /// Those of shutdown(2).
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        self.0.socket().shutdown(how)
    }
}

forward!(UnixDatagram {
    /// The address that it is bound to.
    fn local_addr() -> SocketAddr;
    /// The address of the socket that it is connected to.
    fn peer_addr() -> SocketAddr;
});
