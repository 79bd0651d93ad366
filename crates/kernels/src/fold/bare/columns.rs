//! Conversations of bare rows as columns of `conversations`: those that bare rows can tell.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Int64Array, ListArray, StringArray, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use turnwise_model::Millis;
use turnwise_model::conversation::{Counters, RunKind, column};

use crate::fold::lanes::{Replies, Run};
use crate::fold::word;

/// Conversations, and their columns by name.
#[derive(Debug, Default)]
pub struct BareColumns {
    pairs: Vec<[u64; 2]>,
    runs: Vec<Run>,
    replies: Replies,
}

impl BareColumns {
    /// Whether bare rows can tell a column of `conversations`.
    #[must_use]
    pub fn has(name: &str) -> bool {
        [
            column::SENDER,
            column::PEER,
            column::RUN_KIND,
            column::START,
            column::END,
            column::START_DAY,
            column::REPLY_LATENCIES_MS,
        ]
        .contains(&name)
            || Counters::NAMES.contains(&name) && Run::counter(name).is_some()
    }

    /// Conversations held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.pairs.clear();
        self.runs.clear();
        self.replies.clear();
    }

    /// Heap bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.pairs.capacity() * size_of::<[u64; 2]>()
            + self.runs.capacity() * size_of::<Run>()
            + self.replies.size()
    }

    /// A column, of the type that `conversations` has; but the sender as its number and the peer
    /// as its pseudonym, both unsigned. `None` where bare rows cannot tell it.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<ArrayRef> {
        let pairs = self.pairs.iter();
        let runs = self.runs.iter();
        Some(match name {
            column::SENDER => Arc::new(UInt64Array::from_iter_values(pairs.map(|pair| pair[0]))),
            column::PEER => Arc::new(UInt64Array::from_iter_values(pairs.map(|pair| pair[1]))),
            column::RUN_KIND => {
                let name = RunKind::Conversation.name();
                Arc::new(StringArray::from_iter_values(runs.map(|_| name)))
            }
            column::START => timestamps(runs.map(|run| word::time_ms(run.first))),
            column::END => timestamps(runs.map(|run| word::time_ms(run.last))),
            column::START_DAY => Arc::new(Date32Array::from_iter_values(
                runs.map(|run| Millis(word::time_ms(run.first)).day().0),
            )),
            column::REPLY_LATENCIES_MS => self.reply_latencies(),
            name => Arc::new(Int64Array::from_iter_values(runs.map(Run::counter(name)?))),
        })
    }

    pub(super) fn push(&mut self, pair: [u64; 2], run: Run) {
        self.pairs.push(pair);
        self.runs.push(run);
    }

    pub(super) fn replies(&mut self) -> &mut Replies {
        &mut self.replies
    }

    fn reply_latencies(&self) -> ArrayRef {
        let element = Arc::new(Field::new("element", DataType::Int64, false));
        let lengths = self.runs.iter().map(|run| run.replies as usize);
        let values = Int64Array::from(self.replies.kept().to_vec());
        let offsets = OffsetBuffer::from_lengths(lengths);
        Arc::new(ListArray::new(element, offsets, Arc::new(values), None))
    }
}

fn timestamps(millis: impl Iterator<Item = i64>) -> ArrayRef {
    let micros = millis.map(|ms| Millis(ms).micros());
    Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
}
