use sigurg::*;
fn main() {
    let procs: u32 = std::env::args().nth(1).map_or(1, |a| a.parse().unwrap());
    let mut b = Builder::new().gomaxprocs(procs);
    if let Some(t) = std::env::args().nth(2) {
        b = b.trace(t);
    }
    let rt = unsafe { b.build().unwrap() };
    let r = rt.run(|| {
        let hs: Vec<_> = (0..100)
            .map(|i| {
                go(move || {
                    yield_now();
                    i
                })
            })
            .collect();
        let s: u64 = hs.into_iter().map(|h| h.join().unwrap()).sum();
        for _ in 0..10 {
            time::sleep(std::time::Duration::from_millis(1));
        }
        let t = std::time::Instant::now();
        for _ in 0..100000 {
            go(|| 1).join().unwrap();
        }
        eprintln!("spawn+join {:?}", t.elapsed() / 100000);
        let x = go(|| {
            blocking(|| std::thread::sleep(std::time::Duration::from_millis(50)));
            3
        })
        .join()
        .unwrap();
        s + x
    });
    println!("{r}");
}
