//! Timers, the network, and waiting itself: B8, B9, B10.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use sigurg::net::{TcpListener, TcpStream};
use sigurg::sync::WaitGroup;
use sigurg::time::sleep;

use crate::Args;
use crate::kernels::delay;
use crate::report::{Pass, Watch, memory, micros};
use crate::work::{Gate, shared};

/// B8: many sleeping goroutines, and how late they wake.
pub(crate) fn timers(args: Args) -> Pass {
    let late: &'static [AtomicU64] = Vec::leak((0..args.n).map(|_| AtomicU64::new(0)).collect());
    let all = shared(WaitGroup::new());
    let watch = Watch::start();
    all.add(i32::try_from(args.n).expect("a count of goroutines"));
    for (i, late) in late.iter().enumerate() {
        sigurg::go(move || {
            let d = delay(i as u64);
            let begin = Instant::now();
            sleep(d);
            let nanos = (begin.elapsed() - d).as_nanos();
            // Relaxed: `done` hands it over.
            late.store(u64::try_from(nanos).expect("not centuries"), Relaxed);
            all.done();
        });
    }
    all.wait();
    let span = watch.stop();
    let mut pass = Pass { measured: Some(span), ..Pass::of(args.n) };
    pass.samples("late_us", late.iter().map(|late| Duration::from_nanos(late.load(Relaxed))).collect());
    pass
}

/// Sends every message back until the other side closes.
fn serve(mut conn: TcpStream) {
    let mut message = [0; 64];
    while conn.read_exact(&mut message).is_ok() && conn.write_all(&message).is_ok() {}
}

/// B9: clients and server in one process.
pub(crate) fn echo(args: Args) -> Pass {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let server = sigurg::go(move || {
        let accept = |_| {
            let (conn, _) = listener.accept().expect("a client comes");
            conn.set_nodelay(true).expect("a TCP socket");
            sigurg::go(move || serve(conn))
        };
        let conns: Vec<_> = (0..args.k).map(accept).collect();
        conns.into_iter().for_each(|conn| conn.join().expect("the server lives"));
    });
    let (gate, stop) = (shared(Gate::new()), Arc::new(AtomicBool::new(false)));
    let connect = |_| {
        let mut conn = TcpStream::connect(addr).expect("the server listens");
        conn.set_nodelay(true).expect("a TCP socket");
        let stop = Arc::clone(&stop);
        sigurg::go(move || {
            let (mut message, mut trips) = ([7; 64], Vec::new());
            gate.wait();
            // Relaxed: when it stops does not matter.
            while !stop.load(Relaxed) {
                let begin = Instant::now();
                conn.write_all(&message).expect("the server lives");
                conn.read_exact(&mut message).expect("the server answers");
                trips.push(begin.elapsed());
            }
            trips
        })
    };
    let clients: Vec<_> = (0..args.k).map(connect).collect();
    let watch = Watch::start();
    gate.open();
    sleep(args.d);
    stop.store(true, Relaxed);
    let trips: Vec<_> = clients.into_iter().map(|client| client.join().expect("every answer came")).collect();
    let span = watch.stop();
    let trips = trips.concat();
    server.join().expect("every client has gone");
    let ops = trips.len() as u64;
    let mut pass = Pass { measured: Some(span), ..Pass::of(ops) };
    pass.set("cpu_us_per_op", micros(span.cpu) / ops as f64);
    pass.samples("rtt_us", trips);
    pass
}

/// B10: what a parked goroutine costs.
pub(crate) fn idle_memory(args: Args) -> Pass {
    let (all, gate) = (shared(WaitGroup::new()), shared(Gate::new()));
    let (parked, all_parked) = (shared(AtomicU64::new(0)), shared(Gate::new()));
    all.add(i32::try_from(args.n).expect("a count of goroutines"));
    let (before, begin) = (memory("VmRSS"), Instant::now());
    for _ in 0..args.n {
        sigurg::go(move || {
            // Relaxed: only counts.
            if parked.fetch_add(1, Relaxed) + 1 == args.n {
                all_parked.open();
            }
            gate.wait();
            all.done();
        });
    }
    all_parked.wait();
    let park = begin.elapsed();
    sleep(Duration::from_millis(100));
    let after = memory("VmRSS");
    let begin = Instant::now();
    gate.open();
    all.wait();
    let wake = begin.elapsed();
    let per_task = |total: f64| total / args.n as f64;
    let mut pass = Pass::of(args.n);
    pass.set("bytes_per_task", per_task((after as f64 - before as f64) * 1024.0));
    pass.set("park_ns_per_task", per_task(park.as_nanos() as f64));
    pass.set("wake_all_ns_per_task", per_task(wake.as_nanos() as f64));
    pass
}
