//! Under Miri nothing here runs: it has no `madvise`, and slots are made of that.
#![cfg(not(miri))]

use std::collections::HashSet;
use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use super::slab::release_unused;
use super::*;
use crate::config::{Config, Debug, Hooks};
use crate::g::{G, Gs};
use crate::gfree::{BATCH, FULL, GFree};
use crate::sched::Sched;
use crate::status::GStatus;
use crate::sys::map::page_size;

const CLASS: StackClass = StackClass::for_size(64 << 10);

/// A runtime for Gs to belong to; nothing is ever run.
fn sched() -> &'static Sched {
    static SCHED: OnceLock<Sched> = OnceLock::new();
    SCHED.get_or_init(|| {
        let config = Config {
            gomaxprocs: 1,
            stack_size: 64 << 10,
            thread_name: "test".into(),
            hooks: Hooks::default(),
            injectable: false,
            debug: Debug::default(),
            seed: 1,
        };
        Sched::new(config, None).expect("a runtime")
    })
}

fn slab() -> Slab {
    // SAFETY: the tests drop it when they are done with its Gs.
    unsafe { Slab::new(64 << 10) }.expect("address space for a directory")
}

fn alloc(slab: &Slab, size: usize) -> &'static G {
    slab.alloc(sched(), StackClass::for_size(size)).expect("address space for a stack")
}

/// The slot of `gp`, from its guard to the end of its last page.
fn slot(gp: &G) -> (usize, usize) {
    let top = std::ptr::from_ref(gp).addr() + size_of::<G>();
    (gp.stack_lo() - page_size(), top.next_multiple_of(page_size()))
}

/// Writes a byte on every page of the stack of `gp`, and the lowest and highest ones.
fn fill(gp: &G) {
    for address in (gp.stack_lo()..gp.stack_hi()).step_by(page_size()).chain([gp.stack_hi() - 1]) {
        // SAFETY: the stack of `gp` is this test's own.
        unsafe { std::ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(1) };
    }
}

/// Resident pages of `from..to`, as the kernel's page map says.
fn resident(from: usize, to: usize) -> usize {
    use std::os::unix::fs::FileExt;
    const PRESENT: u64 = 1 << 63;
    let page = page_size();
    let mut entries = vec![0u8; (to - from) / page * 8];
    let pagemap = fs::File::open("/proc/self/pagemap").expect("the page map of this process");
    pagemap.read_exact_at(&mut entries, (from / page * 8) as u64).expect("an entry for each page");
    entries.chunks_exact(8).filter(|e| u64::from_ne_bytes((*e).try_into().unwrap()) & PRESENT != 0).count()
}

#[test]
fn sizes_are_rounded_up_to_a_power_of_two_within_limits() {
    let size = |bytes| StackClass::for_size(bytes).size();
    assert_eq!(
        [size(0), size(1), size(16 << 10), size((16 << 10) + 1)],
        [16 << 10, 16 << 10, 16 << 10, 32 << 10]
    );
    assert_eq!(
        [size(64 << 10), size(1 << 30), size((1 << 30) + 1), size(usize::MAX)],
        [64 << 10, 1 << 30, 1 << 30, 1 << 30]
    );
}

#[test]
fn a_number_leads_to_its_g_and_slots_do_not_overlap() {
    let slab = slab();
    let sizes = [64 << 10, 16 << 10, 1 << 20, 64 << 10, 256 << 20, 1 << 30];
    let mut gs: Vec<_> =
        (0..6000).map(|i| alloc(&slab, sizes[if i % 600 == 0 { i / 600 % 6 } else { i % 4 }])).collect();
    let numbers: HashSet<_> = gs.iter().map(|gp| gp.gs()).collect();
    assert_eq!(numbers.len(), gs.len());
    assert!(!numbers.contains(&Gs::NONE));
    for gp in &gs {
        assert!(std::ptr::eq(slab.get(gp.gs()), *gp));
        assert!(gp.gs().0 <= slab.count());
        assert!(gp.status.load().is(GStatus::Idle));
        assert!(gp.stack_hi() <= std::ptr::from_ref(*gp).addr());
    }
    let all: HashSet<_> = slab.all().map(|gp| gp.gs()).collect();
    assert_eq!(all, numbers, "iteration meets every G and nothing else");
    gs.sort_by_key(|gp| gp.stack_lo());
    for pair in gs.windows(2) {
        assert!(slot(pair[0]).1 <= slot(pair[1]).0, "{:?} and {:?}", pair[0].gs(), pair[1].gs());
    }
}

#[test]
fn a_stack_has_its_size_and_all_of_it_may_be_written() {
    let slab = slab();
    for size in [16 << 10, 64 << 10, 1 << 20] {
        let gs: Vec<_> = (0..40).map(|_| alloc(&slab, size)).collect();
        gs.iter().for_each(|gp| fill(gp));
        for gp in gs {
            let usable = gp.stack_hi() - gp.stack_lo();
            assert!(usable <= size && usable + 1024 + size_of::<G>() >= size, "{usable} of {size}");
            assert_eq!(StackClass::of(gp).size(), size);
            assert!(gp.status.load().is(GStatus::Idle), "the G above its stack is untouched");
        }
    }
}

#[test]
fn threads_that_allocate_at_once_get_different_gs() {
    let slab = slab();
    let gs: Vec<_> = std::thread::scope(|scope| {
        let make = || (0..3000).map(|_| alloc(&slab, 64 << 10).gs()).collect::<Vec<_>>();
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(gs.iter().collect::<HashSet<_>>().len(), gs.len());
    assert_eq!(slab.all().count(), gs.len());
}

#[test]
fn an_unused_slot_costs_nothing_and_a_shallow_stack_one_page() {
    let slab = slab();
    let gs: Vec<_> = (0..500).map(|_| alloc(&slab, 64 << 10)).collect();
    for gp in &gs {
        // SAFETY: the stack of `gp` is this test's own.
        unsafe { std::ptr::with_exposed_provenance_mut::<u64>(gp.stack_hi() - 1024).write_volatile(1) };
    }
    for gp in gs {
        let (lo, hi) = slot(gp);
        assert_eq!(resident(lo, hi), 1, "{:?}", gp.gs());
    }
}

#[test]
fn unused_stack_is_given_back_and_what_is_in_use_stays() {
    let slab = slab();
    let gp = alloc(&slab, 64 << 10);
    let (lo, hi) = slot(gp);
    fill(gp);
    assert_eq!(resident(lo, hi), 16);
    let sp = gp.stack_hi() - 3 * page_size();
    // SAFETY: the stack of `gp` is this test's own.
    let word =
        unsafe { &*std::ptr::with_exposed_provenance_mut::<crate::facade::atomic::AtomicU64>(sp & !7) };
    word.store(7, crate::facade::atomic::Ordering::Relaxed);
    release_unused(gp, sp & !7);
    assert_eq!(resident(lo, hi), 4);
    assert_eq!(word.load(crate::facade::atomic::Ordering::Relaxed), 7);
    release_unused(gp, gp.stack_hi());
    assert_eq!(resident(lo, hi), 1, "the page of the G stays");
    assert!(std::ptr::eq(slab.get(gp.gs()), gp));
    fill(gp);
}

#[test]
fn stacks_given_back_are_used_again_by_their_class() {
    let slab = slab();
    let gp = alloc(&slab, 1 << 20);
    fill(gp);
    slab.free(gp);
    assert_eq!(resident(slot(gp).0, slot(gp).1), 1);
    assert_ne!(alloc(&slab, 64 << 10).gs(), gp.gs());
    assert_eq!(alloc(&slab, 1 << 20).gs(), gp.gs());
    assert_ne!(alloc(&slab, 1 << 20).gs(), gp.gs());
}

/// Fields of the mappings of `/proc/self/smaps` that hold a G: (flags, kilobytes of huge pages).
fn smaps_of(gp: &G) -> (String, String) {
    let address = gp.stack_lo();
    let smaps = fs::read_to_string("/proc/self/smaps").expect("the mappings of this process");
    let mut inside = false;
    let mut huge = String::new();
    for line in smaps.lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        if let Some((from, to)) = range
            && let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16))
        {
            inside = (from..to).contains(&address);
        } else if inside && line.starts_with("AnonHugePages:") {
            huge = line.to_owned();
        } else if inside && line.starts_with("VmFlags:") {
            return (line.to_owned(), huge);
        }
    }
    panic!("no mapping holds {address:#x}");
}

#[test]
fn huge_pages_stay_away() {
    let slab = slab();
    let gs: Vec<_> = (0..100).map(|_| alloc(&slab, 64 << 10)).collect();
    gs.iter().for_each(|gp| fill(gp));
    let (flags, huge) = smaps_of(gs[50]);
    assert!(flags.split(' ').any(|flag| flag == "nh"), "{flags}");
    assert!(huge.contains(" 0 kB"), "{huge}");
}

/// The test of this name, run alone in a child process that is to die.
fn die_in_child(name: &str) -> Option<std::process::ExitStatus> {
    const CHILD: &str = "SIGURG_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        return None;
    }
    let exe = std::env::current_exe().expect("the path of the test program");
    let mut child = Command::new(exe);
    child.args(["--exact", &format!("stack::tests::{name}"), "--nocapture"]).env(CHILD, "1");
    Some(child.output().expect("a child process").status)
}

#[test]
fn touching_a_guard_kills() {
    use std::os::unix::process::ExitStatusExt;
    if let Some(status) = die_in_child("touching_a_guard_kills") {
        assert!(matches!(status.signal(), Some(libc::SIGSEGV | libc::SIGABRT)), "{status}");
        return;
    }
    let slab = slab();
    let gp = alloc(&slab, 64 << 10);
    fill(gp);
    // SAFETY: none: the page is to fault.
    unsafe { std::ptr::with_exposed_provenance_mut::<u8>(gp.stack_lo() - 1).write_volatile(1) };
}

#[test]
fn guards_use_up_no_mappings_and_slots_no_memory_but_their_page() {
    let slab = slab();
    let maps =
        || fs::read_to_string("/proc/self/maps").expect("the mappings of this process").lines().count();
    let pages = || -> usize {
        let statm = fs::read_to_string("/proc/self/statm").expect("the size of this process");
        statm.split(' ').nth(1).and_then(|field| field.parse().ok()).expect("its second field")
    };
    let maps_before = maps();
    let probe = 1000;
    for _ in 0..probe {
        alloc(&slab, 64 << 10);
    }
    if maps() - maps_before >= probe {
        eprintln!("skipped: this kernel has no MADV_GUARD_INSTALL");
        return;
    }
    // More than `vm.max_map_count`, 65,530 by default, would allow. (A million was tried: one mapping, 4,096 bytes each.)
    let (slots, pages_before) = (100_000, pages());
    for i in 0..slots {
        assert!(slab.alloc(sched(), CLASS).is_some(), "the kernel refused slot {i}");
    }
    let bytes = (pages() - pages_before) * page_size() / slots;
    let mappings = maps() - maps_before;
    assert!(mappings < 200, "{mappings} mappings");
    // A page, and the slab's own bits.
    assert!((page_size()..page_size() + 100).contains(&bytes), "{bytes} bytes per slot");
}

#[test]
fn a_full_list_gives_the_coldest_and_nothing_is_lost() {
    let slab = slab();
    let gs: Vec<_> = (0..FULL).map(|_| alloc(&slab, 64 << 10)).collect();
    let (local, global) = (GFree::new(), GFree::new());
    for (i, gp) in gs.iter().enumerate() {
        assert!(local.take_overflow(&slab).is_none(), "full at {i}");
        local.push(gp);
    }
    let batch = local.take_overflow(&slab).expect("a full list gives");
    assert_eq!(local.len(), BATCH);
    global.give(batch, &slab);
    let warm: Vec<_> = std::iter::from_fn(|| local.pop(&slab)).map(|gp| gp.gs().0).collect();
    assert_eq!(warm, gs[32..].iter().rev().map(|gp| gp.gs().0).collect::<Vec<_>>());
    assert!(local.take_batch(BATCH, &slab).is_none());
    local.give(global.take_batch(BATCH, &slab).expect("it has as many"), &slab);
    let cold: Vec<_> = std::iter::from_fn(|| local.pop(&slab)).map(|gp| gp.gs().0).collect();
    assert_eq!(cold, gs[..32].iter().rev().map(|gp| gp.gs().0).collect::<Vec<_>>());
}
