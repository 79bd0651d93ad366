//! The one commit in flight, and the judgement of what became of it: by offsets alone.

use std::collections::BTreeMap;

use turnwise_model::{EventBatch, Offset, OffsetRange, SourcePartition};

use crate::port::{CommitId, Epoch, ReadTo, Wish};

/// Where the lake stands, seen from a range that was to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At `from`: the range is not in.
    Before,
    /// At `to`: the range is in, whoever put it there.
    In,
    /// Anywhere else: another worker read on, and what we read of the partition is worthless.
    Elsewhere,
}

/// Judges one range by the offset that the lake shows for its partition.
#[must_use]
pub fn place(from: Option<Offset>, to: Offset, stored: Option<Offset>) -> Place {
    if stored == Some(to) {
        Place::In
    } else if stored == from {
        Place::Before
    } else {
        Place::Elsewhere
    }
}

/// What a commit adds of one partition.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) epoch: Epoch,
    pub(crate) from: Option<Offset>,
    pub(crate) to: Offset,
    pub(crate) bytes: usize,
}

/// A commit from its first wish until the lake's offsets say what became of it.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) id: CommitId,
    pub(crate) attempt: u32,
    /// Before any file of this id was staged, so no file is older than it seems.
    pub(crate) staged_at_ms: i64,
    pub(crate) parts: BTreeMap<SourcePartition, Part>,
    pub(crate) batches: Vec<EventBatch>,
    pub(crate) read_to: Vec<ReadTo>,
}

impl Flight {
    pub(crate) fn bytes(&self) -> usize {
        self.parts.values().map(|part| part.bytes).sum()
    }

    pub(crate) fn wish(&self, commit_deadline_ms: i64) -> Wish {
        Wish::Commit {
            id: self.id,
            attempt: self.attempt,
            ranges: self
                .parts
                .iter()
                .map(|(partition, part)| OffsetRange {
                    partition: partition.clone(),
                    from: part.from,
                    to: part.to,
                })
                .collect(),
            batches: self.batches.clone(),
            read_to: self.read_to.clone(),
            deadline_ms: self.staged_at_ms.saturating_add(commit_deadline_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_offset_is_before_in_or_elsewhere(
            from in prop::option::of(0_i64..20),
            length in 1_i64..20,
            stored in prop::option::of(0_i64..40),
        ) {
            let to = from.unwrap_or(0) + length;
            let judged = place(from.map(Offset), Offset(to), stored.map(Offset));
            let expected = match stored {
                Some(offset) if offset == to => Place::In,
                other if other == from => Place::Before,
                _ => Place::Elsewhere,
            };
            prop_assert_eq!(judged, expected);
        }
    }
}
