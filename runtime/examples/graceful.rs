//! A server that shuts down gracefully: at SIGTERM it takes no more connections, lets the requests in progress finish,
//! and ends those that take too long. Without arguments it plays the whole story with clients of its own and sends
//! itself the signal; `graceful ADDRESS` serves until somebody else does.

mod common;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use signal_hook::consts::SIGTERM;
use signal_hook::low_level::{pipe, raise};
use sigurg::chan;
use sigurg::chan::{Receiver, Sender};
use sigurg::net::{TcpListener, TcpStream, UnixStream};
use sigurg::sync::WaitGroup;
use sigurg::time::sleep;

/// How long requests may go on after the signal.
const PATIENCE: Duration = Duration::from_millis(500);

/// Tells everybody at once that it is time to end: a channel that is closed.
fn cancellation() -> (Sender<()>, Receiver<()>) {
    chan(0)
}

/// One request per connection: its first byte says how many milliseconds the answer takes, in units of ten.
fn serve_one(conn: &TcpStream, cancelled: &Receiver<()>) -> io::Result<()> {
    let mut conn = conn;
    let mut request = [0];
    conn.read_exact(&mut request)?;
    // The work, in steps that look whether they are still wanted.
    for _ in 0..request[0] {
        if cancelled.is_closed() {
            return conn.write_all(b"late");
        }
        sleep(Duration::from_millis(10));
    }
    conn.write_all(b"done")
}

/// Serves until a byte comes from `signal`.
fn serve(listener: TcpListener, mut signal: UnixStream) -> io::Result<()> {
    let requests = Arc::new(WaitGroup::new());
    let (cancel, cancelled) = cancellation();
    let acceptor = {
        let (listener, requests, cancelled) =
            (listener.try_clone()?, Arc::clone(&requests), cancelled.clone());
        sigurg::go(move || {
            while let Ok((conn, _)) = listener.accept() {
                requests.add(1);
                let (requests, cancelled) = (Arc::clone(&requests), cancelled.clone());
                sigurg::go(move || {
                    if let Err(error) = serve_one(&conn, &cancelled) {
                        eprintln!("a request failed: {error}");
                    }
                    requests.done();
                });
            }
        })
    };
    signal.read_exact(&mut [0])?;
    // From here on nobody is accepted, so the group can only shrink.
    listener.close();
    acceptor.join().expect("the acceptor returns");
    drop(listener);
    let (finished, all_finished) = chan(1);
    let waiter = Arc::clone(&requests);
    sigurg::go(move || {
        waiter.wait();
        finished.send(()).ok();
    });
    if all_finished.recv_timeout(PATIENCE).is_err() {
        cancel.close();
        requests.wait();
    }
    Ok(())
}

/// Asks for an answer that takes `tens` times ten milliseconds.
fn ask(addr: std::net::SocketAddr, tens: u8) -> io::Result<String> {
    let mut conn = TcpStream::connect(addr)?;
    conn.write_all(&[tens])?;
    let mut answer = String::new();
    conn.read_to_string(&mut answer)?;
    Ok(answer)
}

fn main() -> common::Outcome {
    let args = common::args()?;
    let own_story = args.rest.is_empty();
    let addr = args.rest.first().map_or("127.0.0.1:0", String::as_str).to_owned();
    common::run(args.trace, move || {
        let (signal, from_handler) = UnixStream::pair()?;
        pipe::register(SIGTERM, std::os::fd::OwnedFd::from(from_handler))?;
        let listener = TcpListener::bind(addr.as_str())?;
        let addr = listener.local_addr()?;
        println!("serving on {addr}");
        let server = sigurg::go(move || serve(listener, signal));
        if !own_story {
            server.join().map_err(|_| "the server panicked")??;
            return Ok(());
        }
        let begin = Instant::now();
        let quick = sigurg::go(move || ask(addr, 1));
        assert_eq!(quick.join().map_err(|_| "a client panicked")??, "done");
        let [soon, never] = [20, 255].map(|tens| sigurg::go(move || ask(addr, tens)));
        // Both are in the middle of their requests when the signal comes.
        sleep(Duration::from_millis(50));
        raise(SIGTERM)?;
        server.join().map_err(|_| "the server panicked")??;
        assert_eq!(
            soon.join().map_err(|_| "a client panicked")??,
            "done",
            "a request in progress was finished"
        );
        assert_eq!(
            never.join().map_err(|_| "a client panicked")??,
            "late",
            "a request that took too long was ended"
        );
        assert!(begin.elapsed() >= PATIENCE);
        assert!(ask(addr, 1).is_err(), "nobody is accepted any more");
        println!("shut down gracefully after {:?}", begin.elapsed());
        Ok(())
    })
}
