//! The report of a run: `report.json`, and what is drawn from it for people and for CI systems.
//!
//! [`data`] is what is kept, `merge` joins it, [`View`](view::View) is everything that can be said of it, and the rest says it: `html`
//! as one page, [`junit`], [`summary`] as Markdown. Invariants:
//! 1. All forms are drawn from one [`View`](view::View): what one says, the others say.
//! 2. A page needs nothing but itself: no network, no other file.
//! 3. Where there is nothing to show, the page says why.

mod bench;
pub mod coverage;
pub mod data;
mod draw;
pub mod explored;
pub mod folder;
pub mod histogram;
pub mod html;
pub mod junit;
pub mod libfuzzer;
mod merge;
pub mod nextest;
mod night;
mod speed;
pub mod summary;
pub mod view;
