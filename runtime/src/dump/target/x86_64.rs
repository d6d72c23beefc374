//! x86_64, System V.

use framehop::x86_64::UnwindRegsX86_64;

use crate::arch::RESUME;
use crate::dump::Registers;

/// Instructions of a loop in which LLVM touches each page of a large frame, from the touch on:
/// `mov qword ptr [rsp], 0`, `cmp rsp, r11`, `jne`.
const PROBE: [u8; 12] = [0x48, 0xc7, 0x04, 0x24, 0, 0, 0, 0, 0x4c, 0x39, 0xdc, 0x75];

/// See [`super`].
pub(crate) fn interrupted(context: &libc::ucontext_t) -> Registers {
    let of = |register: libc::c_int| context.uc_mcontext.gregs[register as usize] as usize;
    let (ip, sp) = (of(libc::REG_RIP), of(libc::REG_RSP));
    let (ip, sp) = if is_probe(ip) {
        // In the loop the frame is found by r11, which the unwinder does not know. It is where rsp is going, and after
        // the loop the frame is found by that.
        (ip + PROBE.len() + 1, of(libc::REG_R11))
    } else {
        (ip, sp)
    };
    Registers { ip, sp, fp: of(libc::REG_RBP), lr: 0, returned: false }
}

/// Whether the thread was touching a page of a large frame.
fn is_probe(ip: usize) -> bool {
    // SAFETY: the first instruction was executing, and the function goes on behind it: all functions end in a longer
    // sequence than the rest of the probe, or the comparison ends before.
    let byte = |at: usize| unsafe { *std::ptr::with_exposed_provenance::<u8>(ip + at) };
    (0..PROBE.len()).all(|at| byte(at) == PROBE[at])
}

/// See [`super`].
pub(crate) fn saved(sp: usize, read: impl Fn(usize) -> Option<usize>) -> Option<Registers> {
    let (ip, fp) = (read(sp + RESUME)?, read(sp + RESUME - 8)?);
    Some(Registers { ip, sp: sp + RESUME + 8, fp, lr: 0, returned: true })
}

/// See [`super`].
pub(crate) fn unwind_registers(registers: Registers) -> UnwindRegsX86_64 {
    UnwindRegsX86_64::new(registers.ip as u64, registers.sp as u64, registers.fp as u64)
}
