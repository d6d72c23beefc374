//! A consumer, a producer that sleeps, and a goroutine that never lets go of its processor: nobody starves. The README shows
//! this program.

use sigurg::{chan, go, time};
use std::time::Duration;

fn main() -> Result<(), sigurg::BuildError> {
    // SAFETY: nothing taken from a thread_local! lives across a blocking call in this program.
    let rt = unsafe { sigurg::Builder::new().gomaxprocs(2).build()? };
    rt.run(|| {
        let (tx, rx) = chan::<u64>(0);
        let hog = go(|| {
            let mut x = 1u64;
            loop {
                x = x.wrapping_mul(3);
                std::hint::black_box(x);
            }
        });
        go(move || {
            for i in 0.. {
                if tx.send(i).is_err() {
                    break;
                }
                time::sleep(Duration::from_millis(1));
            }
        });
        for i in rx.iter().take(100) {
            println!("{i} at {:?}", hog.status());
        }
    }); // run returns when its closure does, as Go's main; other goroutines end with it
    Ok(())
}
