//! Making sockets: non-blocking from birth.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, FromRawFd};

use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::fd::Fd;
use crate::netpoll::Dir;
use crate::proc;

/// A new socket, not yet bound or connected.
pub(super) fn socket(domain: Domain, kind: Type) -> io::Result<Socket> {
    Socket::new(domain, kind.nonblocking(), None)
}

/// The addresses that `addr` stands for. Looking a name up blocks the thread, not the scheduler.
pub(super) fn resolve<A: ToSocketAddrs>(addr: A) -> io::Result<A::Iter> {
    proc::blocking(|| addr.to_socket_addrs())
}

/// Does `f` with each address until it succeeds; the last error, if it never does.
pub(super) fn each_addr<A: ToSocketAddrs, T>(
    addr: A,
    f: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut f = f;
    let mut last = None;
    for addr in resolve(addr)? {
        match f(addr) {
            Ok(value) => return Ok(value),
            Err(error) => last = Some(error),
        }
    }
    Err(last
        .unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any addresses")))
}

/// Connects `socket`, waiting as long as its write timeout and deadline allow.
pub(super) fn connect<S: AsFd>(socket: &Fd<S>, addr: &SockAddr) -> io::Result<()> {
    let mut begun = false;
    socket.io(Dir::Write, |socket| {
        let socket = SockRef::from(socket);
        if !begun {
            begun = true;
            return match socket.connect(addr) {
                // Interrupted: it goes on, as if it were in progress.
                Err(error) if matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => {
                    Err(io::ErrorKind::WouldBlock.into())
                }
                done => done,
            };
        }
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        match socket.peer_addr() {
            // Woken too early: no error, and no peer yet.
            Err(error) if error.raw_os_error() == Some(libc::ENOTCONN) => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    })
}

/// Takes a TCP connection that has come in. One that is gone again before it was taken is not reported, as in Go.
pub(super) fn accept(listener: &Fd<TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        match listener.io(Dir::Read, accept4) {
            Err(error) if error.raw_os_error() == Some(libc::ECONNABORTED) => {}
            done => return done,
        }
    }
}

/// std's accept, but the connection is non-blocking without another system call.
fn accept4(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: accept4 writes a whole address and its length, to storage that has room for any.
    let (stream, addr) = unsafe {
        SockAddr::try_init(|storage, len| {
            let fd = libc::accept4(listener.as_raw_fd(), storage.cast(), len, flags);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // Just made, owned by nobody else.
            Ok(TcpStream::from_raw_fd(fd))
        })
    }?;
    Ok((stream, addr.as_socket().ok_or(io::ErrorKind::InvalidData)?))
}
