//! What all kinds of sockets have in common, as macros: methods that rustdoc shows at each type.

/// Defines `$name` as a handle of a `$std` socket, with its conversions.
macro_rules! handle {
    ($(#[$meta:meta])* $name:ident($std:ty)) => {
        $(#[$meta])*
        pub struct $name(std::sync::Arc<crate::net::fd::Fd<$std>>);

        impl $name {
            /// Of a socket in non-blocking mode.
            fn new(socket: $std) -> Self {
                Self(std::sync::Arc::new(crate::net::fd::Fd::new(socket)))
            }

            /// Another handle of this socket.
            ///
            /// It has the same descriptor, timeouts and deadlines. The socket is closed with its last handle.
            ///
            /// # Errors
            ///
            /// None; the signature is std's.
            pub fn try_clone(&self) -> std::io::Result<Self> {
                Ok(Self(std::sync::Arc::clone(&self.0)))
            }

            /// The error that the socket has kept since the last call, if there is one; it is forgotten. `SO_ERROR`.
            ///
            /// # Errors
            ///
            /// Those of getsockopt(2).
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.0.socket().take_error()
            }

            /// Ends all use of the socket, through any handle: calls that wait, on goroutines or threads, and all later
            /// ones fail with [`ConnectionAborted`](std::io::ErrorKind::ConnectionAborted), and the kernel is told that
            /// nothing will be sent or received any more.
            ///
            /// The descriptor is closed when the last handle is dropped. Go: `Close`.
            pub fn close(&self) {
                self.0.close();
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.0.socket(), f)
            }
        }

        impl std::os::fd::AsFd for $name {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl std::os::fd::AsRawFd for $name {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                self.0.socket().as_raw_fd()
            }
        }

        /// The descriptor stays in non-blocking mode.
        ///
        /// # Panics
        ///
        /// If there are other handles, and no descriptor is left to duplicate it.
        impl From<$name> for std::os::fd::OwnedFd {
            fn from(socket: $name) -> Self {
                crate::net::fd::Fd::into_owned(socket.0)
            }
        }

        /// As the conversion into `OwnedFd`.
        impl std::os::fd::IntoRawFd for $name {
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                std::os::fd::OwnedFd::from(self).into_raw_fd()
            }
        }

        /// Takes over std's socket and puts it in non-blocking mode. Its timeouts do not come along.
        ///
        /// # Panics
        ///
        /// If the kernel refuses that mode, which it does for no socket.
        impl From<$std> for $name {
            fn from(socket: $std) -> Self {
                socket.set_nonblocking(true).expect("a socket has a non-blocking mode");
                Self::new(socket)
            }
        }

        /// As the conversion from std's socket.
        impl From<std::os::fd::OwnedFd> for $name {
            fn from(fd: std::os::fd::OwnedFd) -> Self {
                <$std>::from(fd).into()
            }
        }
    };
}

/// Timeouts and deadlines of what is read from and written to.
macro_rules! time_limits {
    ($name:ident) => {
        impl $name {
            /// How long a call may wait to read; `None`, as at first: for ever.
            ///
            /// # Errors
            ///
            /// `InvalidInput` for a duration of zero.
            pub fn set_read_timeout(&self, timeout: Option<std::time::Duration>) -> std::io::Result<()> {
                self.0.set_timeout(crate::netpoll::Dir::Read, timeout)
            }

            /// How long a call may wait to write; `None`, as at first: for ever.
            ///
            /// # Errors
            ///
            /// `InvalidInput` for a duration of zero.
            pub fn set_write_timeout(&self, timeout: Option<std::time::Duration>) -> std::io::Result<()> {
                self.0.set_timeout(crate::netpoll::Dir::Write, timeout)
            }

            /// What [`Self::set_read_timeout`] has set.
            ///
            /// # Errors
            ///
            /// None; the signature is std's.
            pub fn read_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
                Ok(self.0.timeout(crate::netpoll::Dir::Read))
            }

            /// What [`Self::set_write_timeout`] has set.
            ///
            /// # Errors
            ///
            /// None; the signature is std's.
            pub fn write_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
                Ok(self.0.timeout(crate::netpoll::Dir::Write))
            }

            /// When reads begin to fail, those that wait by then included; `None`: never. Go: `SetReadDeadline`.
            pub fn set_read_deadline(&self, deadline: Option<std::time::Instant>) {
                self.0.set_deadline(crate::netpoll::Dir::Read, deadline);
            }

            /// When writes begin to fail, those that wait by then included; `None`: never. Go: `SetWriteDeadline`.
            pub fn set_write_deadline(&self, deadline: Option<std::time::Instant>) {
                self.0.set_deadline(crate::netpoll::Dir::Write, deadline);
            }
        }
    };
}

/// `Read` and `Write` of a stream, and of a shared reference to one.
macro_rules! stream_io {
    ($name:ident) => {
        impl $name {
            /// Ends one direction of the connection, or both. Whoever waits to read or write that way wakes up: reads
            /// return 0, writes fail with `BrokenPipe`.
            ///
            /// # Errors
            ///
            /// Those of shutdown(2).
            pub fn shutdown(&self, how: std::net::Shutdown) -> std::io::Result<()> {
                self.0.socket().shutdown(how)
            }
        }

        impl std::io::Read for &$name {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.0.io(crate::netpoll::Dir::Read, |mut socket| socket.read(buf))
            }

            fn read_vectored(&mut self, bufs: &mut [std::io::IoSliceMut<'_>]) -> std::io::Result<usize> {
                self.0.io(crate::netpoll::Dir::Read, |mut socket| socket.read_vectored(bufs))
            }
        }

        impl std::io::Write for &$name {
            fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
                self.0.io(crate::netpoll::Dir::Write, |mut socket| socket.write(buf))
            }

            fn write_vectored(&mut self, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                self.0.io(crate::netpoll::Dir::Write, |mut socket| socket.write_vectored(bufs))
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        impl std::io::Read for $name {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                (&*self).read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [std::io::IoSliceMut<'_>]) -> std::io::Result<usize> {
                (&*self).read_vectored(bufs)
            }
        }

        impl std::io::Write for $name {
            fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
                (&*self).write(buf)
            }

            fn write_vectored(&mut self, bufs: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> {
                (&*self).write_vectored(bufs)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
    };
}

/// Methods that std's socket has and that never wait.
macro_rules! forward {
    ($name:ident { $($(#[$meta:meta])* fn $method:ident($($arg:ident: $type:ty),*) -> $result:ty;)+ }) => {
        impl $name {
            $(
                $(#[$meta])*
                ///
                /// # Errors
                ///
                /// Those of std's method.
                pub fn $method(&self, $($arg: $type),*) -> std::io::Result<$result> {
                    self.0.socket().$method($($arg),*)
                }
            )+
        }
    };
}

pub(super) use {forward, handle, stream_io, time_limits};
