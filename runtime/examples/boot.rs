use sigurg::*;
use std::time::{Duration, Instant};
fn main() {
    let procs: u32 = std::env::args().nth(1).map_or(1, |a| a.parse().unwrap());
    let mut b = Builder::new().gomaxprocs(procs);
    if let Some(t) = std::env::args().nth(2) {
        b = b.trace(t);
    }
    let rt = unsafe { b.build().unwrap() };
    let r = rt.run(move || {
        let t = Instant::now();
        let n = 200_000;
        for _ in 0..n {
            go(|| 1).join().unwrap();
        }
        eprintln!("spawn+join {:?}", t.elapsed() / n);
        let hs: Vec<_> = (0..2)
            .map(|_| {
                go(move || {
                    for _ in 0..n * 2 {
                        yield_now();
                    }
                })
            })
            .collect();
        let t = Instant::now();
        for h in hs {
            h.join().unwrap();
        }
        eprintln!("yield {:?}", t.elapsed() / n / 4);
        let (atx, arx) = chan::<u64>(0);
        let (btx, brx) = chan::<u64>(0);
        let h = go(move || {
            for i in arx.iter() {
                btx.send(i).unwrap();
            }
        });
        let t = Instant::now();
        for i in 0..n as u64 {
            atx.send(i).unwrap();
            assert_eq!(brx.recv().unwrap(), i);
        }
        eprintln!("pingpong {:?}", t.elapsed() / n);
        drop(atx);
        h.join().unwrap();
        let (tx, rx) = chan::<u64>(128);
        let hs: Vec<_> = (0..8)
            .map(|_| {
                let tx = tx.clone();
                go(move || {
                    for i in 0..100_000 {
                        tx.send(i).unwrap();
                    }
                })
            })
            .collect();
        drop(tx);
        let cs: Vec<_> = (0..8)
            .map(|_| {
                let rx = rx.clone();
                go(move || {
                    let mut c = 0u64;
                    while rx.recv().is_ok() {
                        c += 1;
                    }
                    c
                })
            })
            .collect();
        let t = Instant::now();
        for h in hs {
            h.join().unwrap();
        }
        let c: u64 = cs.into_iter().map(|h| h.join().unwrap()).sum();
        assert_eq!(c, 800_000);
        eprintln!("8:8 {:?}", t.elapsed() / 800_000);
        // stress
        let end = Instant::now() + Duration::from_secs(3);
        let hs: Vec<_> = (0..200u64)
            .map(|i| {
                go(move || {
                    let mut k = 0u64;
                    while Instant::now() < end {
                        match (i + k) % 5 {
                            0 => yield_now(),
                            1 => time::sleep(Duration::from_micros(50 * (i % 17))),
                            2 => blocking(|| std::thread::sleep(Duration::from_micros(i % 90))),
                            3 => {
                                go(move || k).join().unwrap();
                            }
                            _ => {
                                let (a, b) = join(
                                    || 1,
                                    || {
                                        yield_now();
                                        2
                                    },
                                );
                                assert_eq!(a + b, 3);
                            }
                        }
                        k += 1;
                    }
                    k
                })
            })
            .collect();
        let s: u64 = hs.into_iter().map(|h| h.join().unwrap()).sum();
        eprintln!("stress ops {s}");
        s
    });
    println!("{r}");
}
