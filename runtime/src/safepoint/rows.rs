//! The unwind tables in a form that a signal handler can use: twelve bytes for each range of instructions, no expressions.

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, EhFrame, LittleEndian, RegisterRule, UnwindContext, UnwindSection as _,
};

use super::decline::Unavailable;

/// System V's numbers, which the tables use.
const RBP: gimli::Register = gimli::Register(6);
const RSP: gimli::Register = gimli::Register(7);
const RETURN: gimli::Register = gimli::Register(16);

/// From which register a frame is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Rsp,
    Rbp,
    /// The tables say something that a row cannot: no walk from here.
    None,
}

/// From `from` on, the frame of a function begins `cfa` bytes above `base`, below the return address; rbp was saved at `rbp`
/// from there, if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    /// Bytes from the beginning of the function.
    pub(super) from: u32,
    /// The distance in the upper thirty bits, the base in the lowest two.
    cfa: u32,
    rbp: i32,
}

impl Row {
    /// `rbp` of a row: it was not saved.
    const LIVE: i32 = 0;

    pub(super) fn base(self) -> Base {
        match self.cfa & 3 {
            0 => Base::Rsp,
            1 => Base::Rbp,
            _ => Base::None,
        }
    }

    pub(super) fn cfa(self) -> usize {
        (self.cfa >> 2) as usize
    }

    /// Where rbp was saved, from the frame's beginning: below the return address, so never 0.
    pub(super) fn rbp(self) -> Option<i32> {
        (self.rbp != Self::LIVE).then_some(self.rbp)
    }
}

/// One entry of the tables.
pub(super) struct Entry {
    pub(super) start: u64,
    pub(super) end: u64,
    /// In the order of addresses.
    pub(super) rows: Vec<Row>,
}

impl Entry {
    /// Whether there is more on the stack at `address` than the return address.
    pub(super) fn has_frame_at(&self, address: u64) -> bool {
        let i = self.rows.partition_point(|row| u64::from(row.from) <= address - self.start);
        let row = i.checked_sub(1).map(|i| self.rows[i]);
        row.is_some_and(|row| row.base() == Base::Rbp || (row.base() == Base::Rsp && row.cfa() > 8))
    }
}

/// Every entry of `.eh_frame`, which is at `address`, in the order of addresses. Entries of code that the linker left out
/// (they say address 0) are left out.
pub(super) fn read(address: u64, eh_frame: &[u8], text: u64) -> Result<Vec<Entry>, Unavailable> {
    let malformed = |error: gimli::Error| Unavailable::Malformed(format!("unwind tables: {error}"));
    let mut section = EhFrame::new(eh_frame, LittleEndian);
    section.set_address_size(8);
    let bases = BaseAddresses::default().set_eh_frame(address).set_text(text);
    let mut entries = section.entries(&bases);
    let mut context = UnwindContext::new();
    let mut found = Vec::new();
    while let Some(entry) = entries.next().map_err(malformed)? {
        let CieOrFde::Fde(partial) = entry else { continue };
        let fde =
            partial.parse(|section, bases, at| section.cie_from_offset(bases, at)).map_err(malformed)?;
        if fde.len() == 0 || fde.initial_address() < text {
            continue;
        }
        let plain = !fde.is_signal_trampoline() && fde.cie().return_address_register() == RETURN;
        let mut rows = Vec::new();
        let mut table = fde.rows(&section, &bases, &mut context).map_err(malformed)?;
        while let Some(row) = table.next_row().map_err(malformed)? {
            let from = row.start_address().saturating_sub(fde.initial_address()) as u32;
            let known = Some(row).filter(|_| plain).and_then(|row| compact(from, row));
            rows.push(known.unwrap_or(Row { from, cfa: 2, rbp: Row::LIVE }));
        }
        found.push(Entry { start: fde.initial_address(), end: fde.end_address(), rows });
    }
    if found.is_empty() {
        return Err(Unavailable::NoUnwindTables);
    }
    found.sort_by_key(|entry| (entry.start, entry.end));
    found.dedup_by_key(|entry| (entry.start, entry.end));
    if found.windows(2).any(|pair| pair[0].end > pair[1].start) {
        return Err(Unavailable::Malformed("entries of the unwind tables overlap".into()));
    }
    Ok(found)
}

fn compact(from: u32, row: &gimli::UnwindTableRow<usize>) -> Option<Row> {
    let CfaRule::RegisterAndOffset { register, offset } = *row.cfa() else { return None };
    let base = match register {
        RSP => 0,
        RBP => 1,
        _ => return None,
    };
    if row.register(RETURN) != Some(RegisterRule::Offset(-8)) {
        return None;
    }
    let rbp = match row.register(RBP) {
        None | Some(RegisterRule::SameValue | RegisterRule::Undefined) => Row::LIVE,
        Some(RegisterRule::Offset(at)) if at < 0 => i32::try_from(at).ok()?,
        Some(_) => return None,
    };
    let distance = u32::try_from(offset).ok().filter(|distance| *distance < 1 << 30)?;
    Some(Row { from, cfa: distance << 2 | base, rbp })
}
