//! An executable as its file says: code, symbols, unwind tables, and what its pointers to functions point to.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use object::read::elf::{ElfFile64, FileHeader as _};
use object::{
    Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, ReadCache, RelocationTarget, SectionKind,
    SymbolKind, elf,
};

use super::decline::Unavailable;

/// A section with instructions.
pub(super) struct Text {
    pub(super) start: u64,
    pub(super) bytes: Box<[u8]>,
    /// Its functions are jumps through the linker's table, one for each function of a library.
    pub(super) is_plt: bool,
}

impl Text {
    pub(super) fn range(&self) -> Range<u64> {
        self.start..self.start + self.bytes.len() as u64
    }
}

/// What a word holds that is a pointer to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The address of a function of this executable.
    Inside(u64),
    /// A function of a library.
    Library(Box<str>),
}

/// See the module.
pub(super) struct Image {
    /// In the order of addresses.
    pub(super) texts: Vec<Text>,
    /// Address and name of every symbol of a function, in the order of addresses.
    pub(super) symbols: Vec<(u64, Box<str>)>,
    /// `.eh_frame`, and where it is.
    pub(super) eh_frame: (u64, Box<[u8]>),
    /// By address: the words that the loader fills in.
    slots: HashMap<u64, Slot>,
    /// Initialised data, for words that the linker filled in.
    data: Vec<(u64, Box<[u8]>)>,
}

fn malformed(error: impl ToString) -> Unavailable {
    Unavailable::Malformed(error.to_string())
}

impl Image {
    /// Reads the executable at `path`; of a large one only what is needed.
    pub(super) fn read(path: &Path) -> Result<Self, Unavailable> {
        let file = File::open(path).map_err(Unavailable::Unreadable)?;
        if !file.metadata().map_err(Unavailable::Unreadable)?.is_file() {
            return Err(malformed("not a file"));
        }
        let cache = ReadCache::new(file);
        let elf = ElfFile64::<Endianness, _>::parse(&cache).map_err(malformed)?;
        let header = elf.elf_header();
        if header.e_machine(elf.endian()) != elf::EM_X86_64 || !elf.is_little_endian() {
            return Err(Unavailable::Architecture);
        }
        if !matches!(header.e_type(elf.endian()), elf::ET_EXEC | elf::ET_DYN) {
            return Err(malformed("an object file, not linked"));
        }
        let copy = |section: &object::read::elf::ElfSection64<'_, '_, Endianness, _>| {
            section.data().map(Box::from).map_err(malformed)
        };
        let (mut texts, mut data, mut eh_frame) = (Vec::new(), Vec::new(), None);
        for section in elf.sections() {
            let name = section.name().map_err(malformed)?;
            match section.kind() {
                SectionKind::Text => texts.push(Text {
                    start: section.address(),
                    bytes: copy(&section)?,
                    is_plt: name.starts_with(".plt") || name == ".iplt",
                }),
                _ if name == ".eh_frame" => eh_frame = Some((section.address(), copy(&section)?)),
                SectionKind::Data | SectionKind::ReadOnlyData | SectionKind::ReadOnlyDataWithRel
                    if name.starts_with(".got") || name.starts_with(".data.rel.ro") =>
                {
                    data.push((section.address(), copy(&section)?));
                }
                _ => {}
            }
        }
        texts.retain(|text| !text.bytes.is_empty());
        texts.sort_by_key(|text| text.start);
        if texts.windows(2).any(|pair| pair[0].range().end > pair[1].start) {
            return Err(malformed("sections of code overlap"));
        }
        let (Some(first), Some(last)) = (texts.first(), texts.last()) else {
            return Err(malformed("no code"));
        };
        // Addresses are kept as 32-bit distances.
        if last.range().end - first.start > u64::from(u32::MAX / 2) {
            return Err(malformed("more than 2 GiB of code"));
        }
        let eh_frame = eh_frame.ok_or(Unavailable::NoUnwindTables)?;
        let mut symbols = Vec::new();
        for symbol in elf.symbols().filter(|s| s.kind() == SymbolKind::Text && s.is_definition()) {
            symbols.push((symbol.address(), symbol.name().map_err(malformed)?.into()));
        }
        if symbols.is_empty() {
            return Err(Unavailable::Stripped);
        }
        symbols.sort();
        symbols.dedup();
        let slots = slots(&elf)?;
        Ok(Self { texts, symbols, eh_frame, slots, data })
    }

    /// Where the code begins.
    pub(super) fn start(&self) -> u64 {
        self.texts[0].start
    }

    /// The code at `range`, if all of it is in one section.
    pub(super) fn code(&self, range: &Range<u64>) -> Option<&[u8]> {
        let text = self.text_at(range.start)?;
        let from = (range.start - text.start) as usize;
        text.bytes.get(from..from.checked_add((range.end.checked_sub(range.start)?) as usize)?)
    }

    /// The section of code at `address`.
    pub(super) fn text_at(&self, address: u64) -> Option<&Text> {
        let text = &self.texts[self.texts.partition_point(|text| text.start <= address).checked_sub(1)?];
        text.range().contains(&address).then_some(text)
    }

    /// What the word at `address` holds once the program runs, if that is a function.
    pub(super) fn slot(&self, address: u64) -> Option<Slot> {
        if let Some(slot) = self.slots.get(&address) {
            return Some(slot.clone());
        }
        let filled = self.data.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(address.checked_sub(*start)?).ok()?;
            Some(u64::from_le_bytes(*bytes.get(from..)?.first_chunk()?))
        })?;
        self.text_at(filled).is_some().then_some(Slot::Inside(filled))
    }
}

/// What the loader writes, as the relocations say.
fn slots<'a, R: object::ReadRef<'a>>(
    elf: &ElfFile64<'a, Endianness, R>,
) -> Result<HashMap<u64, Slot>, Unavailable> {
    let mut slots = HashMap::new();
    for (address, relocation) in elf.dynamic_relocations().into_iter().flatten() {
        let slot = match relocation.target() {
            RelocationTarget::Absolute => Slot::Inside(relocation.addend() as u64),
            RelocationTarget::Symbol(index) => {
                let symbol = elf
                    .dynamic_symbol_table()
                    .and_then(|table| object::ObjectSymbolTable::symbol_by_index(&table, index).ok());
                let Some(symbol) = symbol else { continue };
                if symbol.is_definition() {
                    Slot::Inside(symbol.address().wrapping_add_signed(relocation.addend()))
                } else {
                    Slot::Library(symbol.name().map_err(malformed)?.into())
                }
            }
            _ => continue,
        };
        slots.insert(address, slot);
    }
    Ok(slots)
}
