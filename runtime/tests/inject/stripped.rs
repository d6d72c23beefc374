//! A program without a symbol table: there is no map, and everything is as without injected calls.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use sigurg::safepoint::{Decline, SafePoints, Unavailable};
use sigurg::time;

use crate::stage::{Stop, is_child, parked, run};
use crate::tier::{compute, go, stopped};

/// Has the section header table of an ELF file tell of no symbol table, as `strip` would leave it.
fn hide_symbols(elf: &mut [u8]) {
    const SHT_SYMTAB: u32 = 2;
    let word =
        |elf: &[u8], at: usize| u64::from_le_bytes(*elf[at..].first_chunk().expect("a whole file")) as usize;
    let half = |elf: &[u8], at: usize| {
        usize::from(u16::from_le_bytes(*elf[at..].first_chunk().expect("a whole file")))
    };
    let (table, size, count) = (word(elf, 40), half(elf, 58), half(elf, 60));
    let mut hidden = 0;
    for header in (0..count).map(|i| table + i * size) {
        let kind = elf[header + 4..].first_chunk_mut().expect("a whole file");
        if u32::from_le_bytes(*kind) == SHT_SYMTAB {
            *kind = [0; 4];
            hidden += 1;
        }
    }
    assert_eq!(hidden, 1);
}

#[test]
fn a_stripped_program_is_stopped_in_its_handlers() {
    const NAME: &str = "stripped::a_stripped_program_is_stopped_in_its_handlers";
    if is_child() {
        return run(1, || {
            let stop = Stop::default();
            let hog = go({
                let stop = stop.clone();
                move || {
                    while !stop.is_set() {
                        compute(1_000);
                    }
                }
            });
            let no_map = || sigurg::metrics().preemptions.not_injected.get(Decline::NoMap);
            while parked() < 5 || no_map() < 5 {
                time::sleep(Duration::from_millis(1));
            }
            stop.set();
            hog.join().expect("no panic");
            assert_eq!(stopped(), 0);
            println!("as usual");
        });
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("stripped");
    let mut elf = std::fs::read("/proc/self/exe").expect("this program");
    hide_symbols(&mut elf);
    std::fs::write(&path, elf).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("an executable");
    assert!(matches!(SafePoints::of_file(&path), Err(Unavailable::Stripped)));
    let child = Command::new(&path)
        .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
        .env("SIGURG_TEST_CHILD", "1")
        .output()
        .expect("a child process");
    let (out, err) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && out.contains("as usual"), "{out}{err}");
    assert!(err.contains("no symbol table"), "it says why: {err}");
}
