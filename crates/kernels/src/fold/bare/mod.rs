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

use turnwise_model::MessageKind;

use super::scalar::Class;
use super::word::{self, Form};

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

/// Kinds of bare rows, by their code.
const KINDS: [(MessageKind, Form); 7] = [
    (MessageKind::Text, Form::Plain),
    (MessageKind::Button, Form::Plain),
    (MessageKind::Audio, Form::Voice),
    (MessageKind::Image, Form::Plain),
    (MessageKind::Template, Form::Plain),
    (MessageKind::Interactive, Form::Plain),
    // Of no kind that has a column of its own.
    (MessageKind::Sticker, Form::Plain),
];

/// Directions and kinds as one byte: the kind, and the direction above it.
const KIND_BITS: u32 = 3;
const OUTBOUND: usize = 1 << KIND_BITS;

/// The lower bits of words by direction and kind.
fn word_bits() -> [u64; 2 * OUTBOUND] {
    let mut bits = [0; 2 * OUTBOUND];
    for (at, bits) in bits.iter_mut().enumerate() {
        let (kind, form) = KINDS[(at % OUTBOUND).min(KINDS.len() - 1)];
        let is_tap = kind == MessageKind::Interactive;
        *bits = match (at >= OUTBOUND, kind) {
            (false, _) if is_tap => word::code(Class::User, kind, Form::Tapped),
            (false, _) => word::code(Class::User, kind, form),
            (true, MessageKind::Template) => word::code(Class::Template, kind, form),
            (true, _) => word::code(Class::Free, kind, form),
        };
    }
    bits
}
