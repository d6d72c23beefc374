//! Variables that cannot be understood are errors with name, value and reason.

use crate::stage::child_with;

/// In a child whose variable `name` is `value`, a runtime of default settings is an error that says so.
fn is_refused(test: &str, name: &str, value: &str, reason: &str) {
    match child_with(&format!("environment::{test}"), &[(name, value)]) {
        // SAFETY: it does not come to running anything.
        None => match unsafe { sigurg::Builder::new().build() } {
            Ok(_) => println!("it was built"),
            Err(error) => println!("error: {error}"),
        },
        Some((_, text)) => {
            let line = text.lines().find(|line| line.contains("error: ")).unwrap_or_else(|| panic!("{text}"));
            for part in [name, value, reason] {
                assert!(line.contains(part), "{part} in {text}");
            }
        }
    }
}

#[test]
fn a_gomaxprocs_that_is_no_number() {
    is_refused("a_gomaxprocs_that_is_no_number", "GOMAXPROCS", "abc", "not a number from 1 to 1024");
}

#[test]
fn a_gomaxprocs_of_none() {
    is_refused("a_gomaxprocs_of_none", "GOMAXPROCS", "0", "not a number from 1 to 1024");
}

#[test]
fn a_gomaxprocs_of_too_many() {
    is_refused("a_gomaxprocs_of_too_many", "GOMAXPROCS", "1025", "not a number from 1 to 1024");
}

#[test]
fn a_debug_setting_without_a_value() {
    is_refused("a_debug_setting_without_a_value", "SIGURG_DEBUG", "nonsense", "NAME=VALUE");
}

#[test]
fn a_debug_setting_that_does_not_exist() {
    is_refused("a_debug_setting_that_does_not_exist", "SIGURG_DEBUG", "nonsense=1", "no setting");
}

#[test]
fn a_gomaxprocs_that_is_a_number_is_taken() {
    match child_with("environment::a_gomaxprocs_that_is_a_number_is_taken", &[("GOMAXPROCS", "3")]) {
        None => {
            // SAFETY: nothing of a thread lives across a blocking call here.
            let runtime = unsafe { sigurg::Builder::new().build() }.expect("a runtime");
            println!("procs: {}", runtime.run(sigurg::gomaxprocs));
        }
        Some((_, text)) => assert!(text.contains("procs: 3"), "{text}"),
    }
}

#[test]
fn a_number_of_ps_out_of_range_is_refused() {
    for procs in [0, 1025] {
        // SAFETY: it does not come to running anything.
        let error = unsafe { sigurg::Builder::new().gomaxprocs(procs).build() }.expect_err("not possible");
        assert!(error.to_string().contains(&procs.to_string()), "{error}");
    }
}
