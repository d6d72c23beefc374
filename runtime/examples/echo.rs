//! A TCP echo server under load. Started without arguments it serves on a free port, starts itself once more as the load
//! (1,000 connections), and ends when that has ended. `echo serve ADDRESS` serves until it is killed; `echo load
//! ADDRESS [CONNECTIONS]` is the load alone.

mod common;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use sigurg::net::{TcpListener, TcpStream};

const CONNECTIONS: u64 = 1000;
const MESSAGES: u64 = 20;

/// Sends back what comes until the client has no more; how many bytes.
fn serve_one(mut conn: TcpStream) -> io::Result<u64> {
    conn.set_nodelay(true)?;
    let (mut buffer, mut total) = ([0; 4096], 0);
    loop {
        match conn.read(&mut buffer)? {
            0 => return Ok(total),
            n => {
                conn.write_all(&buffer[..n])?;
                total += n as u64;
            }
        }
    }
}

/// Accepts until the listener is closed, and waits until every client has gone; how many bytes were sent back.
fn serve(listener: &TcpListener) -> u64 {
    let echoed = AtomicU64::new(0);
    sigurg::scope(|s| {
        while let Ok((conn, peer)) = listener.accept() {
            let echoed = &echoed;
            s.go(move || match serve_one(conn) {
                // Relaxed: a count; the end of the scope orders it.
                Ok(bytes) => _ = echoed.fetch_add(bytes, Relaxed),
                Err(error) => eprintln!("{peer}: {error}"),
            });
        }
    });
    echoed.into_inner()
}

/// One client: messages of growing length, each of which must come back as it was.
fn client(addr: SocketAddr, id: u64) -> io::Result<u64> {
    let mut conn = TcpStream::connect(addr)?;
    conn.set_nodelay(true)?;
    let mut total = 0;
    for i in 0..MESSAGES {
        let message = vec![(id + i) as u8; 1 + (id * MESSAGES + i) as usize % 1000];
        conn.write_all(&message)?;
        let mut answer = vec![0; message.len()];
        conn.read_exact(&mut answer)?;
        assert_eq!(answer, message, "client {id}, message {i}");
        total += message.len() as u64;
    }
    Ok(total)
}

fn load(addr: SocketAddr, connections: u64) -> common::Outcome {
    let begin = Instant::now();
    let clients: Vec<_> = (0..connections).map(|id| sigurg::go(move || client(addr, id))).collect();
    let mut bytes = 0;
    for client in clients {
        bytes += client.join().map_err(|_| "a client panicked")??;
    }
    println!("{connections} connections, {MESSAGES} messages each, {bytes} bytes in {:?}", begin.elapsed());
    Ok(())
}

fn main() -> common::Outcome {
    let common::Args { trace, rest } = common::args()?;
    let mut rest = rest.iter().map(String::as_str);
    match (rest.next(), rest.next(), rest.next()) {
        (Some("load"), Some(addr), connections) => {
            let addr = addr.parse()?;
            let connections = connections.map_or(Ok(CONNECTIONS), str::parse)?;
            common::run(trace, move || load(addr, connections))
        }
        (Some("serve"), Some(addr), None) => common::run(trace, move || {
            let listener = TcpListener::bind(addr)?;
            println!("echo on {}", listener.local_addr()?);
            serve(&listener);
            Ok(())
        }),
        (None, ..) => common::run(trace, demonstrate),
        _ => Err("usage: echo [serve ADDRESS | load ADDRESS [CONNECTIONS]]".into()),
    }
}

fn demonstrate() -> common::Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?.to_string();
    let server = {
        let listener = listener.try_clone()?;
        sigurg::go(move || serve(&listener))
    };
    // A second process is not this runtime's business: waiting for it is a blocking call.
    let load = sigurg::blocking(|| {
        let program = std::env::current_exe()?;
        Command::new(program).args(["load", &addr]).env_remove("SIGURG_TRACE").status()
    })?;
    assert!(load.success(), "the load: {load}");
    listener.close();
    let echoed = server.join().map_err(|_| "the server panicked")?;
    let expected: u64 = (0..CONNECTIONS * MESSAGES).map(|i| 1 + i % 1000).sum();
    assert_eq!(echoed, expected);
    println!("echoed {echoed} bytes");
    Ok(())
}
