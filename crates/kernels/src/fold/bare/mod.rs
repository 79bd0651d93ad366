//! The fold of bare rows: messages of which nothing is known but who, when, which way and what
//! kind, in any order.
//!
//! ```text
//! batches ─Scatter─▶ buckets by (sender, peer) ─┬─ bucket 0: BareFolder ─▶ BareColumns
//!                                               └─ bucket 1 …
//! ```
//!
//! A bucket holds all rows of its pairs and is small enough for the fastest caches, so that
//! numbering pairs, ordering and counting each stay there. Buckets share nothing: any number of
//! threads may fold them, and one that waits may lie on disk.
//!
//! Rows may come in rounds: where it is known how far the rows to come reach back ([`Frontier`]),
//! the conversations before are complete, and only the rows of the others are kept.
//!
//! What it means: each row is a live message of one to one traffic, from the peer (direction 0,
//! set U whatever its kind) or through the API (direction 1; T where it is a template, else F). No
//! row tells of statuses, handovers or copies by other ways. Rows carry no message id, so a row is
//! a repeat of another where both say the same: one pair, time, direction and kind. Repeats count
//! once. A conversation is a run without a gap over 30 minutes, and is not cut at days: that cut
//! exists so that a day can be derived from a bounded range of time, and here all rows are there.

mod columns;
mod folder;
mod scatter;
#[cfg(test)]
mod tests;

use super::word::{self, KINDS};

pub use columns::BareColumns;
pub use folder::{BareFolder, Frontier, SenderBound};
pub use scatter::{BareBatch, Bucket, Scatter, Scattered};

/// One message: whose, and what it adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BareRow {
    /// The sender's number: its own, or the number that its name was given.
    pub sender: u64,
    /// The peer's pseudonym.
    pub peer: u64,
    /// Time, direction and kind; words of one pair in ascending order are in order.
    pub word: u64,
}

/// Directions and kinds as one number: the kind, and the direction above it.
const KIND_BITS: u32 = 3;
const OUTBOUND: usize = 1 << KIND_BITS;

// Each kind has a number of its own below the direction.
const _: () = assert!(KINDS <= OUTBOUND);

/// The lower bits of words by direction and kind.
fn word_bits() -> [u64; 2 * OUTBOUND] {
    std::array::from_fn(|at| word::bits(at >= OUTBOUND, (at % OUTBOUND).min(word::kind::OTHER)))
}
