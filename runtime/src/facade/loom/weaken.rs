//! Is every ordering needed? The models are run with one of them, at one place of the sources, made weaker.
//!
//! `SIGURG_LOOM_SITES=1`: a model lists the places whose orderings could be weaker, on stdout, one on a line, as
//! `site FILE:LINE:COLUMN OPERATION ORDERING`. `SIGURG_LOOM_WEAKEN=FILE:LINE:COLUMN OPERATION ORDERING WEAKER`: there, that
//! operation has the weaker one. See `runtime/loom/orderings.rs`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::LazyLock;

use super::atomic::Ordering;
use super::execution::is_active;

/// What is done. The two orderings of a compare-and-swap are two: of the exchange, and of the look that it is if it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Load,
    Store,
    Exchange,
    Failure,
    Fence,
}

static SITES: LazyLock<bool> = LazyLock::new(|| std::env::var_os("SIGURG_LOOM_SITES").is_some());
static WEAKEN: LazyLock<Option<(String, Ordering)>> = LazyLock::new(|| {
    let value = std::env::var("SIGURG_LOOM_WEAKEN").ok()?;
    let (site, weaker) = value.rsplit_once(' ').expect("SIGURG_LOOM_WEAKEN: a site and an ordering");
    let weaker = [Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel]
        .into_iter()
        .find(|order| format!("{order:?}") == weaker)
        .expect("SIGURG_LOOM_WEAKEN: an ordering");
    Some((site.to_owned(), weaker))
});

thread_local! {
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// The ordering that the operation has in this run, if the sources ask for `order`.
#[track_caller]
pub(super) fn asked(operation: Operation, order: Ordering) -> Ordering {
    if order == Ordering::Relaxed || !is_active() || !(*SITES || WEAKEN.is_some()) {
        return order;
    }
    let site = format!("{} {operation:?} {order:?}", Location::caller());
    if let Some((weak, weaker)) = &*WEAKEN
        && *weak == site
    {
        return *weaker;
    }
    if *SITES {
        SEEN.with_borrow_mut(|seen| seen.insert(site));
    }
    order
}

/// Lists the places that were seen.
pub(super) fn list_sites() {
    SEEN.take().iter().for_each(|site| println!("site {site}"));
}
