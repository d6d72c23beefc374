//! Timers, the network, and waiting itself: B8, B9, B10.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::Args;
use crate::kernels::delay;
use crate::report::{Pass, Watch, memory, micros};
use crate::spawn::Countdown;

pub(crate) async fn timers(args: Args) -> Pass {
    let late: Arc<[AtomicU64]> = (0..args.n).map(|_| AtomicU64::new(0)).collect();
    let watch = Watch::start();
    let all = Countdown::new(args.n);
    for i in 0..args.n {
        let (all, late) = (Arc::clone(&all), Arc::clone(&late));
        tokio::spawn(async move {
            let d = delay(i);
            let begin = Instant::now();
            sleep(d).await;
            late[i as usize].store((begin.elapsed() - d).as_nanos() as u64, Relaxed);
            all.done();
        });
    }
    all.wait().await;
    let mut pass = Pass { measured: Some(watch.stop()), ..Pass::of(args.n) };
    pass.samples("late_us", late.iter().map(|late| Duration::from_nanos(late.load(Relaxed))).collect());
    pass
}

async fn serve(mut conn: TcpStream) {
    let mut message = [0; 64];
    while conn.read_exact(&mut message).await.is_ok() && conn.write_all(&message).await.is_ok() {}
}

pub(crate) async fn echo(args: Args) -> Pass {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let server = tokio::spawn(async move {
        let mut conns = Vec::new();
        for _ in 0..args.k {
            let (conn, _) = listener.accept().await.expect("a client comes");
            conn.set_nodelay(true).expect("a TCP socket");
            conns.push(tokio::spawn(serve(conn)));
        }
        for conn in conns {
            conn.await.expect("the server lives");
        }
    });
    let (open, gate) = watch::channel(false);
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..args.k {
        let mut conn = TcpStream::connect(addr).await.expect("the server listens");
        conn.set_nodelay(true).expect("a TCP socket");
        let (stop, mut gate) = (Arc::clone(&stop), gate.clone());
        clients.push(tokio::spawn(async move {
            let (mut message, mut trips) = ([7; 64], Vec::new());
            gate.wait_for(|open| *open).await.expect("it opens");
            while !stop.load(Relaxed) {
                let begin = Instant::now();
                conn.write_all(&message).await.expect("the server lives");
                conn.read_exact(&mut message).await.expect("the server answers");
                trips.push(begin.elapsed());
            }
            trips
        }));
    }
    let watch = Watch::start();
    open.send(true).expect("they wait");
    sleep(args.d).await;
    stop.store(true, Relaxed);
    let mut trips = Vec::new();
    for client in clients {
        trips.push(client.await.expect("every answer came"));
    }
    let span = watch.stop();
    server.await.expect("every client has gone");
    let trips = trips.concat();
    let ops = trips.len() as u64;
    let mut pass = Pass { measured: Some(span), ..Pass::of(ops) };
    pass.set("cpu_us_per_op", micros(span.cpu) / ops as f64);
    pass.samples("rtt_us", trips);
    pass
}

pub(crate) async fn idle_memory(args: Args) -> Pass {
    let all = Countdown::new(args.n);
    let (open, gate) = watch::channel(false);
    let parked = Arc::new((AtomicU64::new(0), Notify::new()));
    let (before, begin) = (memory("VmRSS"), Instant::now());
    for _ in 0..args.n {
        let (all, mut gate, parked) = (Arc::clone(&all), gate.clone(), Arc::clone(&parked));
        tokio::spawn(async move {
            if parked.0.fetch_add(1, Relaxed) + 1 == args.n {
                parked.1.notify_one();
            }
            gate.wait_for(|open| *open).await.expect("it opens");
            all.done();
        });
    }
    parked.1.notified().await;
    let park = begin.elapsed();
    sleep(Duration::from_millis(100)).await;
    let after = memory("VmRSS");
    let begin = Instant::now();
    open.send(true).expect("they wait");
    all.wait().await;
    let wake = begin.elapsed();
    let per_task = |total: f64| total / args.n as f64;
    let mut pass = Pass::of(args.n);
    pass.set("bytes_per_task", per_task((after as f64 - before as f64) * 1024.0));
    pass.set("park_ns_per_task", per_task(park.as_nanos() as f64));
    pass.set("wake_all_ns_per_task", per_task(wake.as_nanos() as f64));
    pass
}
