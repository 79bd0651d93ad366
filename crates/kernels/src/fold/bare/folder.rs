//! Folds one bucket of bare rows: numbers its pairs, orders each one's words, counts its runs.

use turnwise_model::time::CONVERSATION_GAP_MS;

use super::{BareColumns, BareRow};
use crate::fold::BATCH_ROWS;
use crate::fold::lanes::Run;
use crate::fold::word;
use crate::ordering::{Grouper, Ordered, Orderer};

/// Working memory of the fold, reused from bucket to bucket.
#[derive(Debug, Default)]
pub struct BareFolder {
    grouper: Grouper,
    orderer: Orderer<u64>,
    groups: Vec<u32>,
    words: Vec<u64>,
    ordered: Ordered<u64>,
    distinct: Vec<u64>,
    columns: BareColumns,
}

impl BareFolder {
    /// Emits the conversations of a bucket's rows, which come in pieces: pair by pair, each in
    /// order of time, about 8,192 at a time. Those that rows beyond `frontier` may still join are
    /// not emitted: their rows are added to `kept`, without their repeats. Returns the repeats
    /// that were dropped.
    ///
    /// # Errors
    /// Whatever `emit` returns.
    pub fn fold<'a, E>(
        &mut self,
        chunks: impl Iterator<Item = &'a [BareRow]>,
        frontier: &Frontier,
        kept: &mut Vec<BareRow>,
        emit: &mut dyn FnMut(&BareColumns) -> Result<(), E>,
    ) -> Result<usize, E> {
        self.columns.clear();
        self.number(chunks, frontier, kept);
        let pairs = self.grouper.pairs();
        self.orderer.order(&self.groups, pairs.len(), &self.words, &mut self.ordered);
        let mut repeats = 0;
        for (pair, words) in pairs.iter().zip(self.ordered.groups()) {
            let words = if has_repeats(words) {
                self.distinct.clear();
                self.distinct.extend_from_slice(words);
                self.distinct.dedup();
                repeats += words.len() - self.distinct.len();
                &self.distinct
            } else {
                words
            };
            let mut rest = words;
            while !rest.is_empty() {
                let run = Run::of(rest, self.columns.replies());
                if !frontier.closes(&run, pair[0]) {
                    // Later runs are later still.
                    self.columns.replies().drop_last(run.replies);
                    let [sender, peer] = *pair;
                    kept.extend(rest.iter().map(|word| BareRow { sender, peer, word: *word }));
                    break;
                }
                rest = &rest[run.messages as usize..];
                self.columns.push(*pair, run);
                if self.columns.len() >= BATCH_ROWS {
                    emit(&self.columns)?;
                    self.columns.clear();
                }
            }
        }
        if !self.columns.is_empty() {
            emit(&self.columns)?;
            self.columns.clear();
        }
        Ok(repeats)
    }

    /// Heap bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.grouper.size()
            + self.orderer.size()
            + self.ordered.size()
            + self.columns.size()
            + self.groups.capacity() * size_of::<u32>()
            + (self.words.capacity() + self.distinct.capacity()) * size_of::<u64>()
    }

    /// Numbers the pairs of all rows but those of senders that are to be kept anyway.
    fn number<'a>(
        &mut self,
        chunks: impl Iterator<Item = &'a [BareRow]>,
        frontier: &Frontier,
        kept: &mut Vec<BareRow>,
    ) {
        self.grouper.clear();
        self.groups.clear();
        self.words.clear();
        let (mut before, mut number) = ([0; 2], None);
        for row in chunks.flatten() {
            let pair = [row.sender, row.peer];
            // Rows that are in order of pairs already ask for each pair once.
            if pair != before || number.is_none() {
                if !frontier.may_close(row.sender) {
                    kept.push(*row);
                    continue;
                }
                (before, number) = (pair, Some(self.grouper.number(pair)));
            }
            self.groups.push(number.unwrap_or_default());
            self.words.push(row.word);
        }
    }
}

/// Where the rows that are still to come begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// None of them is earlier.
    pub time_ms: i64,
    /// None of them is of a sender below this, in the order of numbers with a sign or without.
    pub sender: SenderBound,
}

/// A bound of senders' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderBound {
    /// Any sender may come.
    None,
    /// Numbers without a sign.
    Unsigned(u64),
    /// Numbers with a sign.
    Signed(i64),
}

impl Frontier {
    /// No rows are to come.
    pub const END: Self = Self { time_ms: i64::MAX, sender: SenderBound::None };

    /// Whether the sender's rows are all there.
    fn is_complete(&self, sender: u64) -> bool {
        match self.sender {
            SenderBound::None => false,
            SenderBound::Unsigned(bound) => sender < bound,
            SenderBound::Signed(bound) => sender.cast_signed() < bound,
        }
    }

    /// Whether a conversation of the sender may be complete at all.
    fn may_close(&self, sender: u64) -> bool {
        self.time_ms > i64::MIN || self.is_complete(sender)
    }

    /// Whether no row to come can join the run.
    fn closes(&self, run: &Run, sender: u64) -> bool {
        let joins_from = self.time_ms.saturating_sub(CONVERSATION_GAP_MS);
        word::time_ms(run.last) < joins_from || self.is_complete(sender)
    }
}

fn has_repeats(words: &[u64]) -> bool {
    words.windows(2).fold(false, |found, pair| found | (pair[0] == pair[1]))
}
