//! Every model of the library is a test.

use libtest_mimic::{Arguments, Trial};
use sigurg_loom::MODELS;

fn main() {
    let trials = MODELS.iter().map(|&(name, check)| {
        Trial::test(name, move || {
            check();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
