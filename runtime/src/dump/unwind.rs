//! Walking a stack that does not run, or not any more.
//!
//! The unwind tables are read where the loader mapped them: no files, and stripped programs work too.

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::slice;

use framehop::x86_64::{CacheX86_64, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{ExplicitModuleSectionInfo, FrameAddress, Module, Unwinder as _};

/// Where a walk begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub(crate) ip: usize,
    pub(crate) sp: usize,
    pub(crate) bp: usize,
}

/// One frame of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// An address inside the instruction that was executing: for a caller its call.
    pub(crate) address: usize,
}

/// The unwind tables of all that is loaded.
pub(crate) struct Unwinder {
    tables: UnwinderX86_64<&'static [u8]>,
    cache: CacheX86_64,
}

impl Unwinder {
    /// Reads what is loaded now. What is unloaded later must not be on a stack that is walked, as on any stack.
    pub(crate) fn new() -> Self {
        let mut tables = UnwinderX86_64::new();
        // SAFETY: the callback gets the pointer to `tables`, which outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(add_module), (&raw mut tables).cast()) };
        Self { tables, cache: CacheX86_64::new() }
    }

    /// The frames from `from` outwards, the innermost first, as far as they can be found. The walk reads the words of
    /// `stack` and nothing else, and ends when it leaves it.
    ///
    /// # Safety
    ///
    /// `stack` is readable, and nobody writes there above `from.sp` meanwhile.
    pub(crate) unsafe fn walk(&mut self, from: Registers, stack: Range<usize>) -> Vec<Frame> {
        let mut read = |address: u64| {
            let address = address as usize;
            let inside = address.is_multiple_of(8) && stack.contains(&address) && stack.end - address >= 8;
            // SAFETY: an aligned word of `stack`: the caller's promise.
            if inside { Ok(unsafe { *std::ptr::with_exposed_provenance::<u64>(address) }) } else { Err(()) }
        };
        let registers = UnwindRegsX86_64::new(from.ip as u64, from.sp as u64, from.bp as u64);
        let mut frames = self.tables.iter_frames(from.ip as u64, registers, &mut self.cache, &mut read);
        let mut found = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            let address = match frame {
                FrameAddress::InstructionPointer(ip) => ip,
                FrameAddress::ReturnAddress(address) => address.get() - 1,
            };
            found.push(Frame { address: address as usize });
        }
        found
    }
}

/// Adds one loaded module to the `UnwinderX86_64` behind `tables`.
unsafe extern "C" fn add_module(info: *mut libc::dl_phdr_info, _: usize, tables: *mut c_void) -> c_int {
    // SAFETY: the loader's description of a module, valid for this call, and the pointer given to `dl_iterate_phdr`.
    let (info, tables) = unsafe { (&*info, &mut *tables.cast::<UnwinderX86_64<&'static [u8]>>()) };
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
