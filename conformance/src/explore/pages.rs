//! Large arrays of zeroes that cost nothing until they are used.
//!
//! Why not `Vec`: a search reaches into gigabytes at random, so the address translation of small pages
//! would cost as much as the memory itself; huge pages must be asked for, and only a mapping can be asked.
//! Also a refused mapping is an error, where a refused `Vec` ends the process.
//!
//! Invariant: a mapping is page-aligned and holds a whole number of the items it is read as.

use std::io;

use memmap2::MmapMut;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Zeroed memory, read as whichever item type its owner chose.
pub(super) struct Pages {
    map: MmapMut,
}

impl Pages {
    /// Maps `len` items of type `T`, all zero.
    ///
    /// # Errors
    /// The operating system refuses the mapping, or the size does not fit the address space.
    pub(super) fn zeroed<T>(len: usize) -> io::Result<Self> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let map = MmapMut::map_anon(bytes)?;
        // Advice only: a kernel without huge pages refuses it and the search is merely slower.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map })
    }

    /// The items, to be read.
    pub(super) fn items<T: FromBytes + Immutable + KnownLayout>(&self) -> &[T] {
        <[T]>::ref_from_bytes(&self.map).expect("a mapping holds whole items")
    }

    /// The items, to be written; shared by threads where `T` is atomic.
    pub(super) fn items_mut<T: FromBytes + IntoBytes + KnownLayout>(&mut self) -> &mut [T] {
        <[T]>::mut_from_bytes(&mut self.map).expect("a mapping holds whole items")
    }
}
