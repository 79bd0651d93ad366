//! The orders that the rows are written in.

use crate::data::Row;
use crate::rng::mix;

/// How far behind others a row may come in [`Order::Near`].
const NEAR_MS: u64 = 10 * 60_000;

/// An order of the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By time, as messages come off a topic.
    Time,
    /// By time, each row up to ten minutes late.
    Near,
    /// By chance.
    Random,
    /// By number, peer and time, as compaction leaves them.
    Compacted,
}

impl Order {
    /// All orders.
    pub const ALL: [Self; 4] = [Self::Time, Self::Near, Self::Random, Self::Compacted];

    /// Its name, as in files and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Near => "near",
            Self::Random => "random",
            Self::Compacted => "compacted",
        }
    }

    /// The order of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.name() == name)
    }

    /// Puts the rows in this order, whatever order they are in.
    pub fn sort(self, rows: &mut [Row]) {
        match self {
            Self::Time => rows.sort_unstable_by_key(|row| (row.ts_ms, row.number, row.peer)),
            Self::Near => rows.sort_unstable_by_key(|row| {
                let identity = row.identity();
                (row.ts_ms + (mix(identity) % NEAR_MS).cast_signed(), identity)
            }),
            Self::Random => rows.sort_unstable_by_key(Row::identity),
            Self::Compacted => rows.sort_unstable(),
        }
    }
}
