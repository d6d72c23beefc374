//! Walking a stack that does not run, or not any more.
//!
//! The unwind tables are read where the loader mapped them: no files, and stripped programs work too.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::slice;

use framehop::{
    CacheNative, ExplicitModuleSectionInfo, FrameAddress, MayAllocateDuringUnwind, Module, Unwinder as _,
    UnwinderNative,
};

use super::target;

type Tables = UnwinderNative<&'static [u8], MayAllocateDuringUnwind>;

/// Where a walk begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub(crate) ip: usize,
    pub(crate) sp: usize,
    /// The frame pointer, if the function uses it as that.
    pub(crate) fp: usize,
    /// The link register, where there is one.
    pub(crate) lr: usize,
    /// `ip` is where a call returns to, not an instruction that was interrupted.
    pub(crate) returned: bool,
}

/// One frame of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// An address inside the instruction that was executing: for a caller its call.
    pub(crate) address: usize,
}

/// The unwind tables of all that is loaded.
pub(crate) struct Unwinder {
    tables: Tables,
    cache: CacheNative<MayAllocateDuringUnwind>,
}

impl Unwinder {
    /// Reads what is loaded now. What is unloaded later must not be on a stack that is walked, as on any stack.
    pub(crate) fn new() -> Self {
        let mut tables = Tables::new();
        // SAFETY: the callback gets the pointer to `tables`, which outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(add_module), (&raw mut tables).cast()) };
        Self { tables, cache: CacheNative::new() }
    }

    /// The frames from `from` outwards, the innermost first, as far as they can be found. The walk sees nothing of
    /// memory but what `read` gives of the words of the stack, and ends where that gives none.
    pub(crate) fn walk(&mut self, from: Registers, read: impl Fn(usize) -> Option<usize>) -> Vec<Frame> {
        let mut read = |address: u64| read(address as usize).map(|word| word as u64).ok_or(());
        let registers = target::unwind_registers(from);
        let mut frames = self.tables.iter_frames(from.ip as u64, registers, &mut self.cache, &mut read);
        let mut found = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let address = match frame {
                FrameAddress::InstructionPointer(ip) if !from.returned => ip,
                FrameAddress::InstructionPointer(address) => address - 1,
                FrameAddress::ReturnAddress(address) => address.get() - 1,
            };
            found.push(Frame { address: address as usize });
        }
        found
    }
}

/// Where the code of the program, or library, is that this is part of.
pub(crate) fn loaded_code() -> Range<usize> {
    unsafe extern "C" fn find(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
        // SAFETY: the loader's description of a module, valid for this call, and the pointer given below.
        let (info, found) = unsafe { (&*info, &mut *found.cast::<Range<usize>>()) };
        if info.dlpi_phnum == 0 {
            return 0;
        }
        // SAFETY: the loader's table of the module's segments.
        let segments = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
        let code = |s: &&libc::Elf64_Phdr| s.p_type == libc::PT_LOAD && s.p_flags & libc::PF_X != 0;
        for segment in segments.iter().filter(code) {
            let start = (info.dlpi_addr + segment.p_vaddr) as usize;
            let range = start..start + segment.p_memsz as usize;
            if range.contains(&(loaded_code as *const () as usize)) {
                *found = range;
                return 1;
            }
        }
        0
    }
    let mut found = 0..0;
    // SAFETY: the callback gets the pointer to `found`, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(find), (&raw mut found).cast()) };
    found
}

/// Reads the words of a stack.
///
/// # Safety
///
/// `stack` is mapped, and its words above the stack pointer are not written meanwhile.
pub(crate) unsafe fn words_of(stack: Range<usize>) -> impl Fn(usize) -> Option<usize> {
    move |address| {
        let inside = stack.contains(&address) && stack.end - address >= 8 && address.is_multiple_of(8);
        // SAFETY: an aligned word of `stack`: the caller's promise.
        inside.then(|| unsafe { *std::ptr::with_exposed_provenance::<usize>(address) })
    }
}

/// Adds one loaded module to the `Tables` behind `tables`.
unsafe extern "C" fn add_module(info: *mut libc::dl_phdr_info, _: usize, tables: *mut c_void) -> c_int {
    // SAFETY: the loader's description of a module, valid for this call, and the pointer given to `dl_iterate_phdr`.
    let (info, tables) = unsafe { (&*info, &mut *tables.cast::<Tables>()) };
    if info.dlpi_phnum == 0 {
        return 0;
    }
    // SAFETY: the loader's table of the module's segments.
    let segments = unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let loaded =
        || segments.iter().filter(|s| s.p_type == libc::PT_LOAD).map(|s| s.p_vaddr..s.p_vaddr + s.p_memsz);
    let (Some(start), Some(end)) = (loaded().map(|s| s.start).min(), loaded().map(|s| s.end).max()) else {
        return 0;
    };
    let base = info.dlpi_addr;
    // SAFETY: only ranges inside loaded segments are asked for, and those are mapped and do not change.
    let bytes = |range: &Range<u64>| unsafe {
        let begin = std::ptr::with_exposed_provenance::<u8>((base + range.start) as usize);
        slice::from_raw_parts(begin, (range.end - range.start) as usize)
    };
    let mut sections = ExplicitModuleSectionInfo::default();
    let header =
        segments.iter().find(|s| s.p_type == libc::PT_GNU_EH_FRAME).map(|s| s.p_vaddr..s.p_vaddr + s.p_memsz);
    if let Some(header) = header
        && let Some(table) = eh_frame_start(bytes(&header), header.start)
        && let Some(segment) = loaded().find(|segment| segment.contains(&table))
    {
        // Its end is not written anywhere; the entries say where they end.
        let table = table..segment.end;
        sections.eh_frame = Some(bytes(&table));
        sections.eh_frame_svma = Some(table);
        sections.eh_frame_hdr = Some(bytes(&header));
        sections.eh_frame_hdr_svma = Some(header);
    }
    tables.add_module(Module::new(String::new(), base + start..base + end, base, sections));
    0
}

/// Where `.eh_frame` begins, as its header, which is at `at`, says; in the one encoding that linkers use.
fn eh_frame_start(header: &[u8], at: u64) -> Option<u64> {
    /// `DW_EH_PE_pcrel | DW_EH_PE_sdata4`.
    const PCREL_SDATA4: u8 = 0x1b;
    let (&[1, PCREL_SDATA4, _, _], rest) = header.split_first_chunk()? else {
        return None;
    };
    let offset = i32::from_le_bytes(*rest.first_chunk()?);
    Some((at + 4).wrapping_add_signed(i64::from(offset)))
}
