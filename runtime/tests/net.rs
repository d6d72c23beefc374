//! Sockets as a user sees them, on plain threads and on goroutines.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use sigurg::GoStatus;
use sigurg::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};

/// Long enough that only a lost wake-up lasts as long; tests that would block for ever fail with it instead.
const STUCK: Duration = Duration::from_secs(10);

/// A connected pair whose calls give up when they are stuck.
fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_deadline(Some(Instant::now() + STUCK));
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, addr) = listener.accept().unwrap();
    assert_eq!(addr, client.local_addr().unwrap());
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(STUCK)).unwrap();
        stream.set_write_timeout(Some(STUCK)).unwrap();
    }
    (client, server)
}

/// Byte `i` of a stream that is easy to check and whose period fits no buffer.
fn pattern(i: usize) -> u8 {
    (i % 251) as u8
}

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.expect_err("an error was expected").kind()
}

/// Whether the test runs on goroutines.
fn on_goroutine() -> bool {
    sigurg::try_current().is_some()
}

fn on_runtime<T: Send>(procs: u32, f: impl FnOnce() -> T + Send) -> T {
    // SAFETY: nothing taken from a thread_local! lives across a blocking call in these tests.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(procs).stack_size(256 << 10).build() };
    runtime.unwrap().run(f)
}

/// Runs `a` here and `b` beside it: on a thread, or in a goroutine.
fn both<A, B: Send>(a: impl FnOnce() -> A, b: impl FnOnce() -> B + Send) -> (A, B) {
    if on_goroutine() {
        return sigurg::join(a, b);
    }
    thread::scope(|scope| {
        let b = scope.spawn(b);
        (a(), b.join().unwrap())
    })
}

/// Runs `f` on `count` threads or goroutines and `meanwhile` here; what each `f` returned.
fn many<T: Send>(count: usize, f: impl Fn() -> T + Sync, meanwhile: impl FnOnce()) -> Vec<T> {
    let f = &f;
    if on_goroutine() {
        return sigurg::scope(|scope| {
            let handles: Vec<_> = (0..count).map(|_| scope.go(f)).collect();
            meanwhile();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        });
    }
    thread::scope(|scope| {
        let handles: Vec<_> = (0..count).map(|_| scope.spawn(f)).collect();
        meanwhile();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    })
}

/// Waits until `asleep`.
fn until(what: &str, asleep: impl Fn() -> bool) {
    let deadline = Instant::now() + STUCK;
    while !asleep() {
        assert!(Instant::now() < deadline, "{what} never waits");
        if on_goroutine() {
            sigurg::yield_now();
        } else {
            thread::yield_now();
        }
    }
}

/// Whether thread `tid` of this process sleeps in the kernel.
fn is_asleep(tid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")).unwrap();
    stat.rsplit(')').next().unwrap().trim_start().starts_with('S')
}

const IO_WAIT: GoStatus = GoStatus::Waiting("IO wait");

/// Runs `blocked` on a thread or in a goroutine; once it waits calls `wake`, and returns what `blocked` did and how long
/// after `wake`.
fn wake_sleeper<T: Send>(blocked: impl FnOnce() -> T + Send, wake: impl FnOnce()) -> (T, Duration) {
    let mut before = None;
    let (result, after) = if on_goroutine() {
        sigurg::scope(|scope| {
            let sleeper = scope.go(move || (blocked(), Instant::now()));
            // In a system call: another runtime has the socket in its poller.
            until("the goroutine", || matches!(sleeper.status(), IO_WAIT | GoStatus::Syscall));
            before = Some(Instant::now());
            wake();
            sleeper.join().unwrap()
        })
    } else {
        thread::scope(|scope| {
            let (tx, rx) = std::sync::mpsc::channel();
            let sleeper = scope.spawn(move || {
                // SAFETY: takes no arguments and cannot fail.
                tx.send(unsafe { libc::gettid() }).unwrap();
                (blocked(), Instant::now())
            });
            let tid = rx.recv().unwrap();
            until("the thread", || is_asleep(tid));
            before = Some(Instant::now());
            wake();
            sleeper.join().unwrap()
        })
    };
    (result, after.saturating_duration_since(before.unwrap()))
}

/// Runs each test on plain threads and on goroutines, with one P and with several.
macro_rules! everywhere {
    ($($name:ident),+ $(,)?) => {
        mod on_threads {
            $(#[test] fn $name() { super::$name(); })+
        }
        mod on_goroutines {
            $(#[test] fn $name() { super::on_runtime(1, super::$name); super::on_runtime(4, super::$name); })+
        }
    };
}

everywhere! {
    echo_of_many_messages_returns_each,
    timeout_passes_and_the_stream_stays_usable,
    a_deadline_that_has_passed_fails_until_it_is_lifted_even_with_data_there,
    a_deadline_set_by_another_reaches_a_read_that_waits,
    shutdown_wakes_a_blocked_reader_with_the_end_of_the_stream,
    close_wakes_blocked_calls_of_every_kind_of_socket_and_fails_later_ones,
    half_close_ends_one_direction_only,
    connect_to_a_port_where_nobody_listens_is_refused,
    connect_timeout_gives_up_in_time,
    two_accept_from_one_listener_and_each_connection_goes_to_one,
    large_writes_against_a_slow_reader_are_byte_exact,
    udp_datagrams_arrive_whole_and_name_their_sender,
    unix_sockets_connect_by_path_and_wait_for_room,
    unix_datagrams_wait_for_room_and_arrive_in_order,
    handles_share_one_descriptor_and_its_deadlines,
    a_storm_of_signals_changes_nothing_that_is_read,
}

fn echo_of_many_messages_returns_each() {
    let (mut client, server) = tcp_pair();
    client.set_nodelay(true).unwrap();
    let echo = || {
        let mut buf = [0; 64];
        loop {
            let n = (&server).read(&mut buf).unwrap();
            if n == 0 {
                break;
            }
            (&server).write_all(&buf[..n]).unwrap();
        }
    };
    let talk = || {
        for i in 0..5_000u64 {
            client.write_all(&i.to_le_bytes()).unwrap();
            let mut back = [0; 8];
            client.read_exact(&mut back).unwrap();
            assert_eq!(u64::from_le_bytes(back), i);
        }
        client.shutdown(Shutdown::Write).unwrap();
    };
    both(talk, echo);
}

fn timeout_passes_and_the_stream_stays_usable() {
    let (client, mut server) = tcp_pair();
    let timeout = Duration::from_millis(20);
    client.set_read_timeout(Some(timeout)).unwrap();
    assert_eq!(client.read_timeout().unwrap(), Some(timeout));
    let mut buf = [0; 8];
    for _ in 0..2 {
        let start = Instant::now();
        assert_eq!(kind((&client).read(&mut buf)), ErrorKind::TimedOut);
        let took = start.elapsed();
        assert!(took >= timeout && took < STUCK, "{took:?}");
    }
    server.write_all(b"late").unwrap();
    assert_eq!((&client).read(&mut buf).unwrap(), 4);
    assert_eq!(kind(client.set_read_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
}

fn a_deadline_that_has_passed_fails_until_it_is_lifted_even_with_data_there() {
    let (client, mut server) = tcp_pair();
    server.write_all(b"data").unwrap();
    let mut buf = [0; 8];
    assert_eq!(client.peek(&mut buf).unwrap(), 4);
    client.set_read_deadline(Some(Instant::now()));
    assert_eq!(kind((&client).read(&mut buf)), ErrorKind::TimedOut);
    // The other direction has its own.
    (&client).write_all(b"out").unwrap();
    client.set_write_deadline(Some(Instant::now()));
    assert_eq!(kind((&client).write(b"out")), ErrorKind::TimedOut);
    client.set_read_deadline(None);
    assert_eq!((&client).read(&mut buf).unwrap(), 4);
    client.set_read_deadline(Some(Instant::now() + Duration::from_millis(10)));
    assert_eq!(kind((&client).read(&mut buf)), ErrorKind::TimedOut);
}

fn a_deadline_set_by_another_reaches_a_read_that_waits() {
    let (client, _server) = tcp_pair();
    let (result, took) =
        wake_sleeper(|| (&client).read(&mut [0; 8]), || client.set_read_deadline(Some(Instant::now())));
    assert_eq!(kind(result), ErrorKind::TimedOut);
    assert!(took < STUCK / 2, "the deadline took {took:?} to be noticed");
}

fn shutdown_wakes_a_blocked_reader_with_the_end_of_the_stream() {
    let (client, _server) = tcp_pair();
    let (result, took) =
        wake_sleeper(|| (&client).read(&mut [0; 8]), || client.shutdown(Shutdown::Both).unwrap());
    assert_eq!(result.unwrap(), 0);
    assert!(took < STUCK / 2, "{took:?}");
}

fn close_wakes_blocked_calls_of_every_kind_of_socket_and_fails_later_ones() {
    let (client, mut server) = tcp_pair();
    let clone = client.try_clone().unwrap();
    let (result, _) = wake_sleeper(|| (&client).read(&mut [0; 8]), || clone.close());
    assert_eq!(kind(result), ErrorKind::ConnectionAborted);
    assert_eq!(kind((&client).write(b"x")), ErrorKind::ConnectionAborted);
    assert_eq!(server.read(&mut [0; 8]).unwrap(), 0, "the other side sees the end");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (result, _) = wake_sleeper(|| listener.accept(), || listener.close());
    assert_eq!(kind(result), ErrorKind::ConnectionAborted);
    assert_eq!(kind(TcpStream::connect(addr)), ErrorKind::ConnectionRefused);

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (result, _) = wake_sleeper(|| socket.recv(&mut [0; 8]), || socket.close());
    assert_eq!(kind(result), ErrorKind::ConnectionAborted);
}

fn half_close_ends_one_direction_only() {
    let (mut client, mut server) = tcp_pair();
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).unwrap();
    assert_eq!(question, "question");
    server.write_all(b"answer").unwrap();
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "answer");
    assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
}

fn connect_to_a_port_where_nobody_listens_is_refused() {
    // Bound, so that nobody else gets it, but not listening.
    let reserved = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    reserved.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let addr = reserved.local_addr().unwrap().as_socket().unwrap();
    assert_eq!(kind(TcpStream::connect(addr)), ErrorKind::ConnectionRefused);
    assert_eq!(kind(TcpStream::connect_timeout(&addr, STUCK)), ErrorKind::ConnectionRefused);

    // The next address is tried.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let good = listener.local_addr().unwrap();
    assert_eq!(TcpStream::connect(&[addr, good][..]).unwrap().peer_addr().unwrap(), good);
    assert_eq!(kind(TcpStream::connect(&[][..])), ErrorKind::InvalidInput);
}

fn connect_timeout_gives_up_in_time() {
    // A listener whose queue is full answers no SYN.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let addr = full.local_addr().unwrap().as_socket().unwrap();
    let timeout = Duration::from_millis(50);
    let mut queued = Vec::new();
    let error = loop {
        assert!(queued.len() < 16, "the queue of {addr} is never full");
        let start = Instant::now();
        match TcpStream::connect_timeout(&addr, timeout) {
            Ok(stream) => queued.push(stream),
            Err(error) => {
                assert!(start.elapsed() >= timeout, "{:?}", start.elapsed());
                break error;
            }
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(kind(TcpStream::connect_timeout(&addr, Duration::ZERO)), ErrorKind::InvalidInput);
}

fn two_accept_from_one_listener_and_each_connection_goes_to_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_deadline(Some(Instant::now() + STUCK));
    let addr = listener.local_addr().unwrap();
    let total = 200;
    let accept = || {
        let mut ids = Vec::new();
        for stream in listener.incoming() {
            match stream {
                Ok(mut stream) => {
                    let mut id = [0; 4];
                    stream.read_exact(&mut id).unwrap();
                    stream.write_all(&id).unwrap();
                    ids.push(u32::from_le_bytes(id));
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "{error}");
                    break;
                }
            }
        }
        ids
    };
    let connect = || {
        for id in 0..total {
            let mut stream = TcpStream::connect(addr).unwrap();
            stream.set_read_timeout(Some(STUCK)).unwrap();
            stream.write_all(&u32::to_le_bytes(id)).unwrap();
            let mut back = [0; 4];
            stream.read_exact(&mut back).unwrap();
            assert_eq!(u32::from_le_bytes(back), id);
        }
        listener.close();
    };
    let mut ids: Vec<_> = many(2, accept, connect).into_iter().flatten().collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..total).collect::<Vec<_>>());
}

/// Sends `total` bytes from one end to the other, which reads in pieces of `piece`; both must see the same.
fn transfer(
    mut from: impl Write + Send,
    mut to: impl Read,
    end: impl FnOnce() + Send,
    total: usize,
    piece: usize,
) {
    let send = move || {
        let data: Vec<u8> = (0..total).map(pattern).collect();
        let mut sent = 0;
        let mut partial = false;
        while sent < total {
            let n = from.write(&data[sent..]).unwrap();
            partial |= n < total - sent;
            sent += n;
        }
        assert!(partial, "{total} bytes fit the kernel's buffer: no back-pressure was tested");
        end();
    };
    let receive = move || {
        let mut buf = vec![0; piece];
        let mut got = 0;
        loop {
            let n = to.read(&mut buf).unwrap();
            if n == 0 {
                break;
            }
            for (i, &byte) in buf[..n].iter().enumerate() {
                assert_eq!(byte, pattern(got + i), "at {}", got + i);
            }
            got += n;
        }
        assert_eq!(got, total);
    };
    both(receive, send);
}

fn large_writes_against_a_slow_reader_are_byte_exact() {
    let (client, server) = tcp_pair();
    transfer(&client, &server, || client.shutdown(Shutdown::Write).unwrap(), 32 << 20, 65_521);
    let (a, b) = UnixStream::pair().unwrap();
    transfer(&a, &b, || a.shutdown(Shutdown::Write).unwrap(), 4 << 20, 4_093);
}

fn udp_datagrams_arrive_whole_and_name_their_sender() {
    let (a, b) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    b.set_read_timeout(Some(STUCK)).unwrap();
    let mut buf = [0; 64];
    for len in [0, 1, 33] {
        assert_eq!(a.send_to(&[7; 64][..len], b.local_addr().unwrap()).unwrap(), len);
        assert_eq!(b.peek_from(&mut buf).unwrap(), (len, a.local_addr().unwrap()));
        assert_eq!(b.recv_from(&mut buf).unwrap(), (len, a.local_addr().unwrap()));
    }
    a.connect(b.local_addr().unwrap()).unwrap();
    b.connect(a.local_addr().unwrap()).unwrap();
    a.send(b"connected").unwrap();
    assert_eq!(b.recv(&mut buf).unwrap(), 9);
    b.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    assert_eq!(kind(b.recv(&mut buf)), ErrorKind::TimedOut);
}

fn unix_sockets_connect_by_path_and_wait_for_room() {
    let dir = std::env::temp_dir().join(format!("sigurg-net-{}-{}", std::process::id(), on_goroutine()));
    std::fs::create_dir(&dir).unwrap();
    let path = dir.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_deadline(Some(Instant::now() + STUCK));
    let clients = 3_000;
    // More than the queue of the listener holds: connect has to wait.
    let connect = || {
        for i in 0..clients {
            UnixStream::connect(&path).unwrap().write_all(&u32::to_le_bytes(i)).unwrap();
        }
    };
    let accept = || {
        for (i, stream) in listener.incoming().take(clients as usize).enumerate() {
            let mut id = [0; 4];
            stream.unwrap().read_exact(&mut id).unwrap();
            assert_eq!(u32::from_le_bytes(id) as usize, i);
        }
    };
    both(accept, connect);
    assert!(listener.local_addr().unwrap().as_pathname() == Some(&path));
    std::fs::remove_dir_all(&dir).unwrap();
}

fn unix_datagrams_wait_for_room_and_arrive_in_order() {
    let (a, b) = UnixDatagram::pair().unwrap();
    b.set_read_timeout(Some(STUCK)).unwrap();
    a.set_write_timeout(Some(STUCK)).unwrap();
    let send = || (0..2_000u32).for_each(|i| assert_eq!(a.send(&i.to_le_bytes()).unwrap(), 4));
    let receive = || {
        for i in 0..2_000u32 {
            let mut buf = [0; 8];
            assert_eq!(b.recv(&mut buf).unwrap(), 4);
            assert_eq!(buf[..4], i.to_le_bytes());
        }
    };
    both(receive, send);
}

fn handles_share_one_descriptor_and_its_deadlines() {
    let (a, mut b) = UnixStream::pair().unwrap();
    let clone = a.try_clone().unwrap();
    assert_eq!(a.as_raw_fd(), clone.as_raw_fd());
    clone.set_read_deadline(Some(Instant::now()));
    assert_eq!(kind((&a).read(&mut [0; 1])), ErrorKind::TimedOut);
    // Taken out of a shared handle it is a duplicate: the other handle lives on.
    let fd = a.as_raw_fd();
    let taken = OwnedFd::from(a);
    assert_ne!(taken.as_raw_fd(), fd);
    drop(taken);
    (&clone).write_all(b"x").unwrap();
    assert_eq!(b.read(&mut [0; 8]).unwrap(), 1);
    // The last handle gives the descriptor itself.
    let raw = clone.into_raw_fd();
    assert_eq!(raw, fd);
    // SAFETY: `into_raw_fd` handed it to us.
    let again = UnixStream::from(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(raw) });
    (&again).write_all(b"y").unwrap();
    assert_eq!(b.read(&mut [0; 8]).unwrap(), 1);
}

fn a_storm_of_signals_changes_nothing_that_is_read() {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: a handler that does nothing, without SA_RESTART: every call that sleeps is interrupted.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut()), 0);
    }
    /// Ends the storm, also when an assertion fails; how many signals it sent to each thread.
    struct Storm(Arc<AtomicBool>, Option<thread::JoinHandle<u64>>);
    impl Storm {
        fn end(mut self) -> u64 {
            self.0.store(true, Relaxed);
            let storm = self.1.take().unwrap();
            if on_goroutine() { sigurg::blocking(|| storm.join()) } else { storm.join() }.unwrap()
        }
    }
    impl Drop for Storm {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    let over = Arc::new(AtomicBool::new(false));
    let storm = Storm(
        Arc::clone(&over),
        Some(thread::spawn(move || {
            let mut rounds = 0;
            while !over.load(Relaxed) {
                for task in std::fs::read_dir("/proc/self/task").unwrap() {
                    let tid: i32 = task.unwrap().file_name().to_str().unwrap().parse().unwrap();
                    // SAFETY: takes no pointers; a thread that is gone is an error that changes nothing.
                    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGUSR2) };
                }
                rounds += 1;
                thread::yield_now();
            }
            rounds
        })),
    );
    let (client, server) = tcp_pair();
    transfer(&client, &server, || client.shutdown(Shutdown::Write).unwrap(), 8 << 20, 1_021);
    // Nor does a wait end early.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let start = Instant::now();
    listener.set_deadline(Some(start + Duration::from_millis(50)));
    assert_eq!(kind(listener.accept()), ErrorKind::TimedOut);
    assert!(start.elapsed() >= Duration::from_millis(50), "{:?}", start.elapsed());
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    let rounds = storm.end();
    assert!(rounds > 20, "only {rounds} signals to each thread");
}

#[test]
fn a_burst_wakes_as_many_readers_as_it_has_datagrams() {
    for procs in [1, 4] {
        on_runtime(procs, || {
            let (a, b) = UnixDatagram::pair().unwrap();
            b.set_read_timeout(Some(STUCK)).unwrap();
            for round in 0..50 {
                let count = 6;
                let got: Vec<u8> = sigurg::scope(|scope| {
                    let readers: Vec<_> = (0..count)
                        .map(|_| {
                            scope.go(|| {
                                let mut buf = [0; 1];
                                b.recv(&mut buf).map(|_| buf[0])
                            })
                        })
                        .collect();
                    until("a reader", || readers.iter().all(|reader| reader.status() == IO_WAIT));
                    // At once: one edge of the poller may stand for all of them.
                    (0..count).for_each(|i| assert_eq!(a.send(&[i]).unwrap(), 1));
                    readers.into_iter().map(|reader| reader.join().unwrap().unwrap()).collect()
                });
                let mut got = got;
                got.sort_unstable();
                assert_eq!(got, (0..count).collect::<Vec<_>>(), "round {round}, {procs} Ps");
            }
        });
    }
}

#[test]
fn threads_and_goroutines_may_wait_on_one_socket() {
    let (a, b) = UnixDatagram::pair().unwrap();
    let total = 4_000u32;
    let receive = || {
        let (mut sum, mut count) = (0u64, 0);
        let mut buf = [0; 4];
        loop {
            match b.recv(&mut buf) {
                Ok(_) => {
                    sum += u64::from(u32::from_le_bytes(buf));
                    count += 1;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                    return (sum, count);
                }
            }
        }
    };
    let results = thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(receive)).collect();
        let runtime = scope.spawn(|| on_runtime(2, || many(3, receive, || {})));
        // A second runtime finds the socket registered with the first, or the other way round.
        let other = scope.spawn(|| on_runtime(1, || many(1, receive, || {})));
        a.set_write_timeout(Some(STUCK)).unwrap();
        (0..total).for_each(|i| assert_eq!(a.send(&i.to_le_bytes()).unwrap(), 4));
        // Whoever waits is told; what has been sent is received first, for nobody stops before it is all read.
        let empty = || {
            let mut left = 0;
            // SAFETY: writes one int.
            assert_eq!(unsafe { libc::ioctl(b.as_raw_fd(), libc::FIONREAD, &mut left) }, 0);
            left == 0
        };
        until("the last datagram", empty);
        b.set_read_deadline(Some(Instant::now()));
        let mut results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        results.extend(runtime.join().unwrap());
        results.extend(other.join().unwrap());
        results
    });
    let (sum, count) = results.iter().fold((0, 0), |(sum, count), &(s, c)| (sum + s, count + c));
    assert_eq!((sum, count), ((0..u64::from(total)).sum(), total), "{results:?}");
}

#[test]
fn a_socket_moves_from_one_runtime_to_the_next() {
    let (a, b) = UnixStream::pair().unwrap();
    for runtime in 0..3u8 {
        on_runtime(1, || {
            let (byte, _) = wake_sleeper(
                || {
                    let mut buf = [0; 1];
                    (&a).read_exact(&mut buf).map(|()| buf[0])
                },
                || (&b).write_all(&[runtime]).unwrap(),
            );
            assert_eq!(byte.unwrap(), runtime);
        });
    }
}

#[test]
fn names_are_looked_up_on_a_stack_of_the_default_size() {
    // SAFETY: as in `on_runtime`.
    let runtime = unsafe { sigurg::Builder::new().gomaxprocs(1).build() };
    runtime.unwrap().run(|| {
        let listener = TcpListener::bind(("localhost", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("localhost", port)).unwrap();
    });
}

#[test]
fn sockets_work_in_a_blocking_section() {
    on_runtime(1, || {
        let (mut a, b) = UnixStream::pair().unwrap();
        let (got, ()) = sigurg::join(
            || {
                sigurg::blocking(|| {
                    let mut buf = [0; 2];
                    (&b).read_exact(&mut buf).map(|()| buf)
                })
            },
            || {
                sigurg::time::sleep(Duration::from_millis(5));
                a.write_all(b"ok").unwrap();
            },
        );
        assert_eq!(&got.unwrap(), b"ok");
    });
}

#[test]
fn hundreds_of_connections_echo_at_once() {
    let (connections, messages) = (300, 20u32);
    for procs in [1, 4] {
        on_runtime(procs, || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = listener.local_addr().unwrap();
            sigurg::scope(|scope| {
                for _ in 0..connections {
                    scope.go(|| {
                        let (mut stream, _) = listener.accept().unwrap();
                        let mut buf = [0; 4];
                        while stream.read_exact(&mut buf).is_ok() {
                            stream.write_all(&buf).unwrap();
                        }
                    });
                    scope.go(move || {
                        let mut stream = TcpStream::connect(addr).unwrap();
                        stream.set_read_timeout(Some(STUCK)).unwrap();
                        for message in 0..messages {
                            stream.write_all(&message.to_le_bytes()).unwrap();
                            let mut back = [0; 4];
                            stream.read_exact(&mut back).unwrap();
                            assert_eq!(u32::from_le_bytes(back), message);
                        }
                    });
                }
            });
        });
    }
}

#[test]
fn a_runtime_whose_goroutines_wait_for_sockets_uses_no_processor() {
    // By name, for other tests may run in this process.
    let name = "net-idle";
    let cpu = || {
        let mut used = 0;
        for task in std::fs::read_dir("/proc/self/task").unwrap() {
            let path = task.unwrap().path();
            if std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.starts_with(name)) {
                let schedstat = std::fs::read_to_string(path.join("schedstat")).unwrap();
                used += schedstat.split(' ').next().unwrap().parse::<u64>().unwrap();
            }
        }
        assert!(used > 0, "no thread is called {name}");
        Duration::from_nanos(used)
    };
    // SAFETY: as in `on_runtime`.
    let runtime =
        unsafe { sigurg::Builder::new().gomaxprocs(2).thread_name(name).stack_size(256 << 10).build() };
    runtime.unwrap().run(|| {
        let (a, b) = UnixStream::pair().unwrap();
        sigurg::scope(|scope| {
            let reader = scope.go(|| (&a).read(&mut [0; 1]));
            until("the reader", || reader.status() == IO_WAIT);
            let before = cpu();
            sigurg::time::sleep(Duration::from_millis(500));
            let used = cpu() - before;
            (&b).write_all(b"x").unwrap();
            assert_eq!(reader.join().unwrap().unwrap(), 1);
            assert!(used < Duration::from_millis(10), "{used:?} of 500 ms");
        });
    });
}
