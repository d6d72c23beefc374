//! Sockets whose blocking calls park the goroutine: [`TcpStream`], [`UdpSocket`], [`UnixStream`] and their like.
//!
//! Names and signatures are those of `std::net` and `std::os::unix::net`, so that porting is a change of imports. A call
//! that has to wait lets other goroutines run on the thread; the runtime's network poller wakes the goroutine. On a plain
//! thread, which needs no runtime, it blocks the thread.
//!
//! What differs from std:
//!
//! - **Deadlines.** Besides timeouts, which count from the start of each call, there are deadlines, points in time: as
//!   in Go, once one has passed all calls of that direction fail, even those that would not have to wait, until it is
//!   set again. Setting one acts on calls that already wait. Either way the error is
//!   [`TimedOut`](std::io::ErrorKind::TimedOut), on std's sockets it is `WouldBlock`. The socket is as good as before.
//! - **Cancellation.** `shutdown` wakes whoever reads or writes, as the kernel does. `close` does so for every
//!   kind of socket, with the error [`ConnectionAborted`](std::io::ErrorKind::ConnectionAborted); a deadline
//!   that has passed does so in a way that can be undone.
//! - **Closing.** A socket is closed when its last handle is dropped. No call can be in progress then, because calls
//!   borrow the handle.
//! - **`try_clone`** makes another handle of the same descriptor, not a duplicate. Timeouts and deadlines belong to
//!   all handles.
//! - The descriptor is in non-blocking mode and stays so when it is taken out (`IntoRawFd`, `OwnedFd`).
//! - No call fails with [`Interrupted`](std::io::ErrorKind::Interrupted).
//!
//! A socket belongs to the poller of the runtime whose goroutine first had to wait for it. Goroutines of another
//! runtime can use it too, but each wait takes a thread, as a blocking system call does.
//!
//! Names are looked up ([`ToSocketAddrs`]) with std's blocking call, which takes the thread out of the scheduler
//! meanwhile.
//!
//! Go: package net, internal/poll.

mod fd;
mod handle;
mod sys;
mod tcp;
mod udp;
mod unix;

pub use std::net::{Shutdown, SocketAddr, ToSocketAddrs};

pub use tcp::{Incoming, TcpListener, TcpStream};
pub use udp::UdpSocket;
pub use unix::{UnixDatagram, UnixIncoming, UnixListener, UnixStream};
