//! aarch64, AAPCS64.

use framehop::aarch64::UnwindRegsAarch64;

use crate::arch::RESUME;
use crate::dump::Registers;

/// See [`super`].
pub(crate) fn interrupted(context: &libc::ucontext_t) -> Registers {
    let registers = &context.uc_mcontext;
    let of = |number: usize| registers.regs[number] as usize;
    Registers {
        ip: registers.pc as usize,
        sp: registers.sp as usize,
        fp: of(29),
        lr: of(30),
        returned: false,
    }
}

/// See [`super`].
pub(crate) fn saved(sp: usize, read: impl Fn(usize) -> Option<usize>) -> Option<Registers> {
    let (ip, fp) = (read(sp + RESUME)?, read(sp + RESUME - 8)?);
    // The link register of the caller lies in its frame.
    Some(Registers { ip, sp: sp + RESUME + 8, fp, lr: ip, returned: true })
}

/// See [`super`].
pub(crate) fn unwind_registers(registers: Registers) -> UnwindRegsAarch64 {
    UnwindRegsAarch64::new(registers.lr as u64, registers.sp as u64, registers.fp as u64)
}
