//! The names of a trace, each stored once, so that an event stays plain data.
//!
//! Invariant: [`Sym`]s are handed out as 1, 2, 3, … in order of first use; the empty name is [`Sym::NONE`].

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::event::Sym;

/// A table of names.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    by_name: HashMap<Arc<str>, Sym, RandomState>,
    names: Vec<Arc<str>>,
    bytes: usize,
}

impl Symbols {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The symbol of `name`, made if it is new.
    ///
    /// # Panics
    ///
    /// If there were 2³² names.
    pub fn intern(&mut self, name: &str) -> Sym {
        if let Some(&sym) = self.by_name.get(name) {
            return sym;
        }
        if name.is_empty() {
            return Sym::NONE;
        }
        let stored: Arc<str> = name.into();
        self.names.push(Arc::clone(&stored));
        let sym = Sym(u32::try_from(self.names.len()).expect("fewer than 2^32 names"));
        self.bytes += name.len();
        self.by_name.insert(stored, sym);
        sym
    }

    /// The symbol of `name`, if it was interned before.
    pub fn find(&self, name: &str) -> Option<Sym> {
        self.by_name.get(name).copied()
    }

    /// The name of `sym`: empty for [`Sym::NONE`] and for a symbol of another table.
    pub fn resolve(&self, sym: Sym) -> &str {
        match (sym.0 as usize).checked_sub(1).and_then(|index| self.names.get(index)) {
            Some(name) => name,
            None => "",
        }
    }

    /// How many names there are; the newest is `Sym(len)`.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether the table is larger than any honest trace makes it. Readers stop there, so that their memory
    /// stays bounded whatever they are fed.
    pub(crate) fn is_oversized(&self) -> bool {
        self.names.len() > 1 << 20 || self.bytes > 64 << 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_symbol_and_comes_back() {
        let mut symbols = Symbols::new();
        let names = ["park_m", "chanrecv", "", "park_m", "sélect"];
        let syms = names.map(|name| symbols.intern(name));
        assert_eq!(syms, [Sym(1), Sym(2), Sym::NONE, Sym(1), Sym(3)]);
        assert_eq!(syms.map(|sym| symbols.resolve(sym)), names);
        assert_eq!(symbols.find("chanrecv"), Some(Sym(2)));
        assert_eq!((symbols.find("x"), symbols.resolve(Sym(4)), symbols.len()), (None, "", 3));
    }
}
