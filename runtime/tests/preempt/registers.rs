//! Every register, flag and mode of the processor is the same before and after.

use std::arch::{asm, naked_asm};
use std::hint::black_box;
use std::time::Duration;

use crate::kernels::Kernel;
use crate::stage::storm;
use crate::tier::go;

/// Turns of a loop: some ten microseconds.
const SPINS: u64 = 30_000;

/// How many of fourteen registers changed while rcx was counted down.
#[unsafe(naked)]
extern "C" fn registers_changed(spins: u64) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "push rbx",
        ".cfi_adjust_cfa_offset 8",
        "push rbp",
        ".cfi_adjust_cfa_offset 8",
        ".cfi_rel_offset rbp, 0",
        "push r12",
        ".cfi_adjust_cfa_offset 8",
        "push r13",
        ".cfi_adjust_cfa_offset 8",
        "push r14",
        ".cfi_adjust_cfa_offset 8",
        "push r15",
        ".cfi_adjust_cfa_offset 8",
        "mov rcx, rdi",
        "mov rax, 0x0101",
        "mov rbx, 0x0202",
        "mov rdx, 0x0303",
        "mov rsi, 0x0404",
        "mov rdi, 0x0505",
        "mov rbp, 0x0606",
        "mov r8, 0x0808",
        "mov r9, 0x0909",
        "mov r10, 0x1010",
        "mov r11, 0x1111",
        "mov r12, 0x1212",
        "mov r13, 0x1313",
        "mov r14, 0x1414",
        "mov r15, 0x1515",
        "2: dec rcx",
        "jnz 2b",
        "xor rax, 0x0101",
        "xor rbx, 0x0202",
        "xor rdx, 0x0303",
        "xor rsi, 0x0404",
        "xor rdi, 0x0505",
        "xor rbp, 0x0606",
        "xor r8, 0x0808",
        "xor r9, 0x0909",
        "xor r10, 0x1010",
        "xor r11, 0x1111",
        "xor r12, 0x1212",
        "xor r13, 0x1313",
        "xor r14, 0x1414",
        "xor r15, 0x1515",
        "or rax, rbx",
        "or rax, rdx",
        "or rax, rsi",
        "or rax, rdi",
        "or rax, rbp",
        "or rax, r8",
        "or rax, r9",
        "or rax, r10",
        "or rax, r11",
        "or rax, r12",
        "or rax, r13",
        "or rax, r14",
        "or rax, r15",
        "pop r15",
        ".cfi_adjust_cfa_offset -8",
        "pop r14",
        ".cfi_adjust_cfa_offset -8",
        "pop r13",
        ".cfi_adjust_cfa_offset -8",
        "pop r12",
        ".cfi_adjust_cfa_offset -8",
        "pop rbp",
        ".cfi_adjust_cfa_offset -8",
        ".cfi_restore rbp",
        "pop rbx",
        ".cfi_adjust_cfa_offset -8",
        "ret",
        ".cfi_endproc",
    )
}

/// The flags after a loop that changes none.
#[unsafe(naked)]
extern "C" fn flags_after(spins: u64, before: u64) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "mov rcx, rdi",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "popfq",
        ".cfi_adjust_cfa_offset -8",
        "2: lea rcx, [rcx - 1]",
        "jrcxz 3f",
        "jmp 2b",
        "3: pushfq",
        ".cfi_adjust_cfa_offset 8",
        "pop rax",
        ".cfi_adjust_cfa_offset -8",
        "cld",
        "ret",
        ".cfi_endproc",
    )
}

/// Sums up with the carry kept from turn to turn.
#[unsafe(naked)]
extern "C" fn carried_sum(spins: u64, term: u64) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "mov rcx, rdi",
        "xor eax, eax",
        "xor edx, edx",
        "2: adc rax, rsi",
        "adc rdx, 0",
        "lea rcx, [rcx - 1]",
        "jrcxz 3f",
        "jmp 2b",
        "3: adc rax, 0",
        "xor rax, rdx",
        "ret",
        ".cfi_endproc",
    )
}

/// A leaf that keeps `pattern` in all of its red zone. What is not as it was, in bits.
#[unsafe(naked)]
extern "C" fn red_zone_changed(spins: u64, pattern: u64) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "mov rcx, rdi",
        "mov rdx, -128",
        "2: mov [rsp + rdx], rsi",
        "add rdx, 8",
        "jnz 2b",
        "3: dec rcx",
        "jnz 3b",
        "xor eax, eax",
        "mov rdx, -128",
        "4: mov r8, [rsp + rdx]",
        "xor r8, rsi",
        "or rax, r8",
        "add rdx, 8",
        "jnz 4b",
        "ret",
        ".cfi_endproc",
    )
}

fn general_registers(_: u64) {
    assert_eq!(registers_changed(SPINS), 0);
}

fn flags(round: u64) {
    /// Carry, parity, adjust, zero, sign, direction, overflow.
    const MASK: u64 = 1 | 1 << 2 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 11;
    // Interrupts enabled, and the bit that is always set.
    let before = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40 & MASK | 0x202;
    let after = flags_after(SPINS, before);
    assert_eq!(after & MASK, before & MASK);
}

fn carry_chains(round: u64) {
    let term = round.wrapping_mul(0xd134_2543_de82_ef95) | 1 << 63;
    let (mut low, mut high, mut carry) = (0u64, 0u64, false);
    for _ in 0..SPINS {
        let (sum, over) = low.overflowing_add(term);
        let (sum, again) = sum.overflowing_add(u64::from(carry));
        low = sum;
        (high, carry) = high.overflowing_add(u64::from(over | again));
    }
    assert_eq!(carried_sum(SPINS, term), low.wrapping_add(u64::from(carry)) ^ high, "term {term:#x}");
}

fn red_zone(round: u64) {
    assert_eq!(red_zone_changed(SPINS, round.wrapping_mul(0x9e37_79b9_7f4a_7c15)), 0);
}

fn copies_in_both_directions(round: u64) {
    let from: Vec<u8> = (0..200_000u64).map(|i| (i * round % 251) as u8).collect();
    let mut to = vec![0u8; from.len()];
    // SAFETY: two buffers of one length; the flag is cleared again.
    unsafe {
        asm!("rep movsb", inout("rcx") from.len() => _, inout("rsi") from.as_ptr() => _, inout("rdi") to.as_mut_ptr() => _);
    }
    assert!(from == to, "upwards, round {round}");
    to.fill(0);
    let last = from.len() - 1;
    // SAFETY: as above, from the last byte to the first.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") from.len() => _,
            inout("rsi") from.as_ptr().add(last) => _, inout("rdi") to.as_mut_ptr().add(last) => _);
    }
    assert!(from == to, "downwards, round {round}");
}

/// The x87 stack, its control word, and rounding of SSE.
fn x87_and_modes(round: u64) {
    let before: [f64; 8] = std::array::from_fn(|i| (round + i as u64) as f64 / 3.0);
    let mut after = [0.0f64; 8];
    // Round up, single precision; all exceptions masked.
    let (control, mode): (u16, u32) = (0x0b7f & !0x300, 0x1f80 | 2 << 13);
    let (mut control_after, mut mode_after) = (0u16, 0u32);
    let (default_control, default_mode): (u16, u32) = (0x37f, 0x1f80);
    // SAFETY: loads and stores what is declared; modes are as usual again at the end.
    unsafe {
        asm!(
            "fninit",
            "fld qword ptr [{b} + 56]", "fld qword ptr [{b} + 48]", "fld qword ptr [{b} + 40]", "fld qword ptr [{b} + 32]",
            "fld qword ptr [{b} + 24]", "fld qword ptr [{b} + 16]", "fld qword ptr [{b} + 8]", "fld qword ptr [{b}]",
            "fldcw [{c}]", "ldmxcsr [{m}]",
            "2: dec {n}", "jnz 2b",
            "fnstcw [{ca}]", "stmxcsr [{ma}]", "fldcw [{dc}]", "ldmxcsr [{dm}]",
            "fstp qword ptr [{a}]", "fstp qword ptr [{a} + 8]", "fstp qword ptr [{a} + 16]", "fstp qword ptr [{a} + 24]",
            "fstp qword ptr [{a} + 32]", "fstp qword ptr [{a} + 40]", "fstp qword ptr [{a} + 48]", "fstp qword ptr [{a} + 56]",
            b = in(reg) before.as_ptr(), a = in(reg) after.as_mut_ptr(), n = inout(reg) SPINS => _,
            c = in(reg) &raw const control, m = in(reg) &raw const mode,
            ca = in(reg) &raw mut control_after, ma = in(reg) &raw mut mode_after,
            dc = in(reg) &raw const default_control, dm = in(reg) &raw const default_mode,
            out("st(0)") _, out("st(1)") _, out("st(2)") _, out("st(3)") _,
            out("st(4)") _, out("st(5)") _, out("st(6)") _, out("st(7)") _,
        );
    }
    assert_eq!(before.map(f64::to_bits), after.map(f64::to_bits));
    // Rounding and masks: status bits of exceptions may have been raised by the loads.
    assert_eq!((control_after, mode_after & !0x3f), (control, mode));
}

/// Loads sixteen registers, spins, stores them.
macro_rules! vectors {
    ($name:ident, $register:literal, $mov:literal, $bytes:literal) => {
        fn $name(round: u64) {
            let before: [u64; 16 * $bytes / 8] =
                std::array::from_fn(|i| round.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(i as u32) ^ i as u64);
            let mut after = [0u64; 16 * $bytes / 8];
            // SAFETY: the caller has asked for the feature; loads and stores what is declared.
            unsafe {
                asm!(
                    vectors!(@all $mov, $register, $bytes, load),
                    "2: dec {n}", "jnz 2b",
                    vectors!(@all $mov, $register, $bytes, store),
                    b = in(reg) before.as_ptr(), a = in(reg) after.as_mut_ptr(), n = inout(reg) SPINS => _,
                    out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                    out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                    out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                );
            }
            assert!(before == after, concat!(stringify!($name), ", round {}: {:x?}"), round, after);
        }
    };
    (@all $mov:literal, $r:literal, $bytes:literal, load) => {
        vectors!(@each [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] $mov, $r, $bytes, load)
    };
    (@all $mov:literal, $r:literal, $bytes:literal, store) => {
        vectors!(@each [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] $mov, $r, $bytes, store)
    };
    (@each [$($i:literal)*] $mov:literal, $r:literal, $bytes:literal, load) => {
        concat!($($mov, " ", $r, $i, ", [{b} + ", $bytes, " * ", $i, "]\n"),*)
    };
    (@each [$($i:literal)*] $mov:literal, $r:literal, $bytes:literal, store) => {
        concat!($($mov, " [{a} + ", $bytes, " * ", $i, "], ", $r, $i, "\n"),*)
    };
}

vectors!(sse, "xmm", "movdqu", 16);
vectors!(avx, "ymm", "vmovdqu", 32);
vectors!(avx512, "zmm", "vmovdqu64", 64);

/// Masks, and the upper sixteen registers.
fn avx512_more(round: u64) {
    let before: [u64; 8] = std::array::from_fn(|i| round.rotate_left(8 * i as u32) ^ i as u64);
    let mut after = [0u64; 8];
    let (mut mask, mut upper) = (0u64, [0u64; 8]);
    // SAFETY: the caller has asked for the features; loads and stores what is declared.
    unsafe {
        asm!(
            "kmovq k5, {round}", "vmovdqu64 zmm16, [{b}]", "vmovdqu64 zmm31, [{b}]",
            "2: dec {n}", "jnz 2b",
            "kmovq {mask}, k5", "vmovdqu64 [{a}], zmm16", "vmovdqu64 [{u}], zmm31",
            b = in(reg) before.as_ptr(), a = in(reg) after.as_mut_ptr(), u = in(reg) upper.as_mut_ptr(),
            n = inout(reg) SPINS => _, round = in(reg) round, mask = out(reg) mask,
            out("k5") _, out("xmm16") _, out("xmm31") _,
        );
    }
    assert_eq!((mask, after, upper), (round, before, before));
}

#[test]
fn every_register_flag_and_mode_is_as_it_was_under_a_storm() {
    let mut kernels: Vec<Kernel> = vec![
        ("general registers", general_registers),
        ("flags", flags),
        ("carry chains", carry_chains),
        ("the red zone", red_zone),
        ("rep movsb", copies_in_both_directions),
        ("x87 and modes", x87_and_modes),
        ("SSE", sse),
    ];
    if is_x86_feature_detected!("avx") {
        kernels.push(("AVX", avx));
    }
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        kernels.extend([("AVX-512", avx512 as fn(u64)), ("AVX-512 masks", avx512_more)]);
    }
    storm(2, Duration::from_secs(4), 500, |stop| {
        let hogs: Vec<_> = kernels
            .into_iter()
            .map(|(name, kernel)| {
                let stop = stop.clone();
                let hog = go(move || {
                    let mut round = 1;
                    while !stop.is_set() {
                        kernel(black_box(round));
                        round += 1;
                    }
                });
                (name, hog)
            })
            .collect();
        for (name, hog) in hogs {
            hog.join().unwrap_or_else(|_| panic!("{name}: not as before"));
        }
    });
}
