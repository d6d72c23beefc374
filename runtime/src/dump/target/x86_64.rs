//! x86_64, System V.

use framehop::x86_64::UnwindRegsX86_64;

use crate::arch::RESUME;
use crate::dump::Registers;

/// How LLVM touches each page of a large frame, from the touch to the end of its loop: `mov qword ptr [rsp], 0`,
/// `cmp rsp, r11`, `jne`.
const PROBE: [u8; 12] = [0x48, 0xc7, 0x04, 0x24, 0, 0, 0, 0, 0x4c, 0x39, 0xdc, 0x75];
/// `sub rsp` by four bytes, and by one: what follows for the last, partial page.
const SUB_LONG: [u8; 3] = [0x48, 0x81, 0xec];
const SUB_SHORT: [u8; 3] = [0x48, 0x83, 0xec];

/// See [`super`].
pub(crate) fn interrupted(context: &libc::ucontext_t) -> Registers {
    let of = |register: libc::c_int| context.uc_mcontext.gregs[register as usize] as usize;
    let (ip, sp) =
        after_probe(of(libc::REG_RIP), of(libc::REG_R11)).unwrap_or((of(libc::REG_RIP), of(libc::REG_RSP)));
    Registers { ip, sp, fp: of(libc::REG_RBP), lr: 0, returned: false }
}

/// If the thread was touching a page of a large frame: where it would be afterwards, and its stack pointer there. Until
/// then the frame is found by r11, where rsp is going, and the unwinder knows only rsp.
fn after_probe(ip: usize, r11: usize) -> Option<(usize, usize)> {
    // SAFETY: code that was executing. Each byte is looked at only if those before it are of an instruction after which
    // the function goes on.
    let byte = |at: usize| unsafe { *std::ptr::with_exposed_provenance::<u8>(at) };
    let is = |at: usize, code: &[u8]| code.iter().enumerate().all(|(i, &expected)| byte(at + i) == expected);
    if !is(ip, &PROBE) {
        return None;
    }
    let after = ip + PROBE.len() + 1;
    let by = after + SUB_LONG.len();
    Some(if is(after, &SUB_LONG) {
        let size = u32::from_le_bytes(std::array::from_fn(|i| byte(by + i)));
        (by + 4, r11 - size as usize)
    } else if is(after, &SUB_SHORT) {
        (by + 1, r11 - usize::from(byte(by)))
    } else {
        (after, r11)
    })
}

/// See [`super`].
pub(crate) fn saved(sp: usize, read: impl Fn(usize) -> Option<usize>) -> Option<Registers> {
    let (ip, fp) = (read(sp + RESUME)?, read(sp + RESUME - 8)?);
    Some(Registers { ip, sp: sp + RESUME + 8, fp, lr: 0, returned: true })
}

/// See [`super`].
pub(crate) fn unwind_registers(registers: Registers) -> UnwindRegsX86_64 {
    debug_assert_eq!(registers.lr, 0, "there is no link register");
    UnwindRegsX86_64::new(registers.ip as u64, registers.sp as u64, registers.fp as u64)
}
