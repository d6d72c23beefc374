//! Every register, flag and mode of the processor is the same before and after.

use std::arch::{asm, naked_asm};
use std::time::Duration;

use crate::kernels::{Kernel, hammer};
use crate::stage::storm;

/// Turns of a loop: some ten microseconds.
const SPINS: u64 = 30_000;
/// Turns of a loop that does more.
const TURNS: usize = 3_000;

/// Fourteen registers count up from rsi by steps of their own while rcx is counted down from rdi. What is not as it
/// should be, in bits. What was put back from an earlier time shows, too.
#[unsafe(naked)]
extern "C" fn registers_changed(spins: u64, from: u64) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        ".macro sigurg_test_count register, step",
        "sub \\register, [rsp + 8]",
        "imul rcx, [rsp], \\step",
        "xor \\register, rcx",
        ".endm",
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
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "mov rcx, rdi",
        "mov rax, rsi",
        "mov rbx, rsi",
        "mov rdx, rsi",
        "mov rdi, rsi",
        "mov rbp, rsi",
        "mov r8, rsi",
        "mov r9, rsi",
        "mov r10, rsi",
        "mov r11, rsi",
        "mov r12, rsi",
        "mov r13, rsi",
        "mov r14, rsi",
        "mov r15, rsi",
        "2: lea rax, [rax + 1]",
        "lea rbx, [rbx + 3]",
        "lea rdx, [rdx + 5]",
        "lea rdi, [rdi + 7]",
        "lea rbp, [rbp + 9]",
        "lea r8, [r8 + 11]",
        "lea r9, [r9 + 13]",
        "lea r10, [r10 + 15]",
        "lea r11, [r11 + 17]",
        "lea r12, [r12 + 19]",
        "lea r13, [r13 + 21]",
        "lea r14, [r14 + 23]",
        "lea r15, [r15 + 25]",
        "lea rsi, [rsi + 27]",
        "dec rcx",
        "jnz 2b",
        "sigurg_test_count rax, 1",
        "sigurg_test_count rbx, 3",
        "sigurg_test_count rdx, 5",
        "sigurg_test_count rdi, 7",
        "sigurg_test_count rbp, 9",
        "sigurg_test_count r8, 11",
        "sigurg_test_count r9, 13",
        "sigurg_test_count r10, 15",
        "sigurg_test_count r11, 17",
        "sigurg_test_count r12, 19",
        "sigurg_test_count r13, 21",
        "sigurg_test_count r14, 23",
        "sigurg_test_count r15, 25",
        "sigurg_test_count rsi, 27",
        "or rax, rbx",
        "or rax, rdx",
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
        "or rax, rsi",
        "add rsp, 16",
        ".cfi_adjust_cfa_offset -16",
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

/// What the sixteen conditions say of a comparison that was a while ago, a byte each. rdi: how far, rsi, rdx: what.
#[unsafe(naked)]
extern "C" fn conditions_after(spins: u64, a: u64, b: u64) -> u128 {
    naked_asm!(
        ".cfi_startproc",
        "mov rcx, rdi",
        "cmp rsi, rdx",
        "2: lea rcx, [rcx - 1]",
        "jrcxz 3f",
        "jmp 2b",
        "3:",
        "seto [rsp - 16]",
        "setno [rsp - 15]",
        "setb [rsp - 14]",
        "setae [rsp - 13]",
        "sete [rsp - 12]",
        "setne [rsp - 11]",
        "setbe [rsp - 10]",
        "seta [rsp - 9]",
        "sets [rsp - 8]",
        "setns [rsp - 7]",
        "setp [rsp - 6]",
        "setnp [rsp - 5]",
        "setl [rsp - 4]",
        "setge [rsp - 3]",
        "setle [rsp - 2]",
        "setg [rsp - 1]",
        "mov rax, [rsp - 16]",
        "mov rdx, [rsp - 8]",
        "ret",
        ".cfi_endproc",
    )
}

/// The flags after a loop that changes none. rdi: how far, rsi: the flags before.
#[unsafe(naked)]
extern "C" fn flags_after(spins: u64, flags: u64) -> u64 {
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

/// Sums up with the carry kept from turn to turn. rdi: how far, rsi: what.
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

/// A leaf that keeps rsi in all of its red zone. What is not as it was, in bits.
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

fn general_registers(round: u64) {
    assert_eq!(registers_changed(SPINS / 5, round.wrapping_mul(0x9e37_79b9_7f4a_7c15)), 0);
}

/// Branches that depend on flags from long before.
fn conditions(round: u64) {
    // Neighbours as often as numbers far apart.
    let a = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let b = if round % 2 == 0 { a.wrapping_add(round / 2 % 3).wrapping_sub(1) } else { a.rotate_left(29) };
    let (difference, borrow) = a.overflowing_sub(b);
    let (_, overflow) = a.cast_signed().overflowing_sub(b.cast_signed());
    let (zero, negative) = (difference == 0, difference.cast_signed() < 0);
    let even = (difference as u8).count_ones().is_multiple_of(2);
    let less = a.cast_signed() < b.cast_signed();
    // In pairs, as the processor numbers them: a condition and its contrary.
    let pairs = [overflow, borrow, zero, borrow | zero, negative, even, less, less | zero];
    let expected = pairs.iter().flat_map(|&is| [u8::from(is), u8::from(!is)]);
    assert!(expected.eq(conditions_after(SPINS, a, b).to_le_bytes()), "{a:#x} and {b:#x}");
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
    let from: Vec<u8> = (0..200_000u64).map(|i| (i.wrapping_mul(round) % 251) as u8).collect();
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

/// Adds sixteen registers up, each to the one before, again and again.
macro_rules! vectors {
    ($name:ident, $register:literal, $mov:literal, $add:tt, $bytes:literal) => {
        fn $name(round: u64) {
            const LANES: usize = $bytes / 8;
            let mut expected: [[u64; LANES]; 16] = std::array::from_fn(|i| {
                let seed = round.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(i as u32);
                std::array::from_fn(|lane| seed ^ lane as u64)
            });
            let before = expected;
            let mut after = [[0u64; LANES]; 16];
            // SAFETY: the caller has asked for the feature; loads and stores what is declared.
            unsafe {
                asm!(
                    vectors!(@each [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] $mov, $register, $bytes, load),
                    "2:",
                    vectors!(@add [0 1] [1 2] [2 3] [3 4] [4 5] [5 6] [6 7] [7 8] [8 9] [9 10] [10 11] [11 12] [12 13]
                        [13 14] [14 15] [15 0] $add, $register),
                    "dec {n}", "jnz 2b",
                    vectors!(@each [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15] $mov, $register, $bytes, store),
                    b = in(reg) before.as_ptr(), a = in(reg) after.as_mut_ptr(), n = inout(reg) TURNS => _,
                    out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                    out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                    out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                );
            }
            for _ in 0..TURNS {
                for i in 0..16 {
                    let other = expected[(i + 1) % 16];
                    expected[i].iter_mut().zip(other).for_each(|(sum, term)| *sum = sum.wrapping_add(term));
                }
            }
            assert!(expected == after, concat!(stringify!($name), ", round {}: {:x?}"), round, after);
        }
    };
    (@each [$($i:literal)*] $mov:literal, $r:literal, $bytes:literal, load) => {
        concat!($($mov, " ", $r, $i, ", [{b} + ", $bytes, " * ", $i, "]\n"),*)
    };
    (@each [$($i:literal)*] $mov:literal, $r:literal, $bytes:literal, store) => {
        concat!($($mov, " [{a} + ", $bytes, " * ", $i, "], ", $r, $i, "\n"),*)
    };
    // Of two operands, and of three.
    (@add $([$i:literal $j:literal])* "paddq", $r:literal) => {
        concat!($("paddq ", $r, $i, ", ", $r, $j, "\n"),*)
    };
    (@add $([$i:literal $j:literal])* "vpaddq", $r:literal) => {
        concat!($("vpaddq ", $r, $i, ", ", $r, $i, ", ", $r, $j, "\n"),*)
    };
}

vectors!(sse, "xmm", "movdqu", "paddq", 16);
vectors!(avx2, "ymm", "vmovdqu", "vpaddq", 32);
vectors!(avx512, "zmm", "vmovdqu64", "vpaddq", 64);

/// One instruction for each of the upper sixteen registers; their slots are counted from 0.
macro_rules! upper {
    ($what:ident) => { upper!($what 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31) };
    (load $($i:literal)+) => { concat!($("vmovdqu64 zmm", $i, ", [{b} + 64 * (", $i, " - 16)]\n"),*) };
    (store $($i:literal)+) => { concat!($("vmovdqu64 [{a} + 64 * (", $i, " - 16)], zmm", $i, "\n"),*) };
}

/// Masks, and the upper sixteen registers.
fn avx512_more(round: u64) {
    let before: [[u64; 8]; 16] = std::array::from_fn(|i| {
        std::array::from_fn(|lane| round.rotate_left((4 * i + lane) as u32) ^ i as u64)
    });
    let mut after = [[0u64; 8]; 16];
    let masks: [u64; 7] =
        std::array::from_fn(|i| round.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(9 * i as u32));
    let mut masks_after = [0u64; 7];
    // SAFETY: the caller has asked for the features; loads and stores what is declared.
    unsafe {
        asm!(
            "kmovq k1, [{m}]", "kmovq k2, [{m} + 8]", "kmovq k3, [{m} + 16]", "kmovq k4, [{m} + 24]",
            "kmovq k5, [{m} + 32]", "kmovq k6, [{m} + 40]", "kmovq k7, [{m} + 48]",
            upper!(load),
            "2: dec {n}", "jnz 2b",
            upper!(store),
            "kmovq [{ma}], k1", "kmovq [{ma} + 8], k2", "kmovq [{ma} + 16], k3", "kmovq [{ma} + 24], k4",
            "kmovq [{ma} + 32], k5", "kmovq [{ma} + 40], k6", "kmovq [{ma} + 48], k7",
            b = in(reg) before.as_ptr(), a = in(reg) after.as_mut_ptr(), n = inout(reg) SPINS => _,
            m = in(reg) masks.as_ptr(), ma = in(reg) masks_after.as_mut_ptr(),
            out("k1") _, out("k2") _, out("k3") _, out("k4") _, out("k5") _, out("k6") _, out("k7") _,
            out("xmm16") _, out("xmm17") _, out("xmm18") _, out("xmm19") _, out("xmm20") _, out("xmm21") _,
            out("xmm22") _, out("xmm23") _, out("xmm24") _, out("xmm25") _, out("xmm26") _, out("xmm27") _,
            out("xmm28") _, out("xmm29") _, out("xmm30") _, out("xmm31") _,
        );
    }
    assert_eq!((masks_after, after), (masks, before));
}

/// All that this processor has.
pub(crate) fn kernels() -> Vec<Kernel> {
    let mut kernels = vec![
        Kernel::new("general registers", general_registers),
        Kernel::new("flags", flags),
        Kernel::new("conditions", conditions),
        Kernel::new("carry chains", carry_chains),
        Kernel::new("the red zone", red_zone),
        Kernel::new("rep movsb", copies_in_both_directions),
        Kernel::new("x87 and modes", x87_and_modes),
        Kernel::new("SSE", sse),
    ];
    if is_x86_feature_detected!("avx2") {
        kernels.push(Kernel::new("AVX", avx2));
    }
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        kernels.extend([Kernel::new("AVX-512", avx512), Kernel::new("AVX-512 masks", avx512_more)]);
    }
    kernels
}

#[test]
fn every_register_flag_and_mode_is_as_it_was_under_a_storm() {
    storm(2, Duration::from_secs(4), 500, |stop| hammer(&kernels(), stop));
}
