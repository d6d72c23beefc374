//! Words that only one thread and the signal handlers on it write.

use core::sync::atomic::AtomicU64;
#[cfg(any(not(target_arch = "x86_64"), miri))]
use core::sync::atomic::Ordering::Relaxed;

/// Adds to a word that only this thread writes, and its signal handlers; the value before.
///
/// One instruction: a handler comes before or after it. Other threads may look at the word at any time. Without the
/// bus lock of `fetch_add`, which is most of its cost.
#[inline]
pub(crate) fn add_local(word: &AtomicU64, add: u64) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        let mut before = add;
        // SAFETY: `word` is valid and its bytes may change at any time; the instruction does what it says to them. An
        // aligned word is written as a whole.
        unsafe {
            core::arch::asm!(
                "xadd qword ptr [{word}], {before}",
                word = in(reg) word.as_ptr(),
                before = inout(reg) before,
                options(nostack),
            );
        }
        before
    }
    // Relaxed: other threads take nothing from this word.
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    word.fetch_add(add, Relaxed)
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn adding_gives_the_value_before() {
        let word = AtomicU64::new(7 << 32);
        assert_eq!((add_local(&word, 1), add_local(&word, 2)), (7 << 32, 7 << 32 | 1));
        assert_eq!(word.load(Relaxed), 7 << 32 | 3);
    }
}
