//! Folds one bucket of bare rows: numbers its pairs, orders each one's words, counts its runs.

use super::{BareColumns, BareRow};
use crate::fold::BATCH_ROWS;
use crate::fold::lanes::{Run, Table};
use crate::ordering::{Grouper, Ordered, Orderer};

/// Working memory of the fold, reused from bucket to bucket.
#[derive(Debug)]
pub struct BareFolder {
    table: Table,
    grouper: Grouper,
    orderer: Orderer<u64>,
    groups: Vec<u32>,
    words: Vec<u64>,
    ordered: Ordered<u64>,
    distinct: Vec<u64>,
    columns: BareColumns,
}

impl Default for BareFolder {
    fn default() -> Self {
        Self {
            table: Table::new(),
            grouper: Grouper::default(),
            orderer: Orderer::default(),
            groups: Vec::new(),
            words: Vec::new(),
            ordered: Ordered::default(),
            distinct: Vec::new(),
            columns: BareColumns::default(),
        }
    }
}

impl BareFolder {
    /// Emits the conversations of a bucket's rows, which come in pieces: pair by pair, each in
    /// order of time, about [`BATCH_ROWS`] at a time. Returns the repeats that were dropped.
    ///
    /// # Errors
    /// Whatever `emit` returns.
    pub fn fold<'a, E>(
        &mut self,
        chunks: impl Iterator<Item = &'a [BareRow]>,
        emit: &mut dyn FnMut(&BareColumns) -> Result<(), E>,
    ) -> Result<usize, E> {
        self.columns.clear();
        self.number(chunks);
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
                let run = Run::of(rest, &self.table, self.columns.replies());
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

    fn number<'a>(&mut self, chunks: impl Iterator<Item = &'a [BareRow]>) {
        self.grouper.clear();
        self.groups.clear();
        self.words.clear();
        let mut known = ([0; 2], None);
        for rows in chunks {
            self.words.extend(rows.iter().map(|row| row.word));
            self.groups.extend(rows.iter().map(|row| {
                let pair = [row.sender, row.peer];
                // Rows that are in order of pairs already ask for each pair once.
                match known {
                    (before, Some(number)) if before == pair => number,
                    _ => {
                        let number = self.grouper.number(pair);
                        known = (pair, Some(number));
                        number
                    }
                }
            }));
        }
    }
}

fn has_repeats(words: &[u64]) -> bool {
    words.windows(2).fold(false, |found, pair| found | (pair[0] == pair[1]))
}
