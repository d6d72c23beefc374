//! What is refused as an executable.

use std::path::Path;

use super::{SafePoints, Unavailable};

/// Where the code of this processor is read.
#[cfg(target_arch = "x86_64")]
mod stepped;

#[test]
fn what_is_no_executable_is_an_error_with_a_reason() {
    let why = |path: &Path| SafePoints::of_file(path).expect_err("an error").to_string();
    assert!(why(Path::new("/no/such/file")).starts_with("cannot read the executable"));
    assert!(why(Path::new("/proc")).contains("not a file"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    std::fs::write(&path, "#!/bin/sh\n").expect("a file");
    assert!(matches!(SafePoints::of_file(&path), Err(Unavailable::Malformed(_))));
    // The header of an executable, and nothing more.
    let whole = std::fs::read("/proc/self/exe").expect("an executable");
    for length in [0, 16, 64, 1000, whole.len() / 2] {
        std::fs::write(&path, &whole[..length]).expect("a file");
        assert!(matches!(SafePoints::of_file(&path), Err(Unavailable::Malformed(_))), "{length} bytes");
    }
    let mut other = whole.clone();
    other[18] = 0xb7;
    std::fs::write(&path, &other).expect("a file");
    assert!(matches!(SafePoints::of_file(&path), Err(Unavailable::Architecture)));
}
