//! Which sender each row is of, of rows that come in any order, and then the rows of each sender.

use std::ops::Range;

use turnwise_model::Millis;

use super::input::Input;
use super::rows::{Names, Rows};

/// Rows of many senders, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub rows: Rows,
    /// The sender of each row.
    senders: Vec<u32>,
    names: Names,
}

/// The numbers of collected rows by sender, in the order of the senders' names.
#[derive(Debug, Default)]
pub(super) struct BySender {
    names: Vec<String>,
    /// Numbers of rows, those of one sender beside each other.
    numbers: Vec<u32>,
    /// Senders whose turn has not come: number of the name, and where its rows end in `numbers`;
    /// the next one last.
    waiting: Vec<(u32, usize)>,
    start: usize,
}

impl Collected {
    pub fn push(&mut self, input: &Input, within: &Range<Millis>, sources: &mut Names) {
        for row in 0..input.len() {
            let Some(sender) = input.sender(row) else { continue };
            input.read(row..row + 1, within, sources, &mut self.rows, &mut |_| {
                self.senders.push(self.names.code(sender));
            });
        }
    }

    pub fn by_sender(self) -> (Rows, BySender) {
        let mut ends = vec![0_usize; self.names.names.len()];
        for sender in &self.senders {
            ends[*sender as usize] += 1;
        }
        let order = self.names.in_order();
        let (mut start, mut waiting) = (0, Vec::with_capacity(order.len()));
        for sender in &order {
            let end = start + ends[*sender as usize];
            ends[*sender as usize] = start;
            waiting.push((*sender, end));
            start = end;
        }
        waiting.reverse();
        let mut rows = vec![0; self.senders.len()];
        for (row, sender) in (0..).zip(&self.senders) {
            let place = &mut ends[*sender as usize];
            rows[*place] = row;
            *place += 1;
        }
        let by_sender = BySender { names: self.names.names, numbers: rows, waiting, start: 0 };
        (self.rows, by_sender)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.senders.len()
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.rows.size() + self.senders.capacity() * size_of::<u32>() + self.names.size()
    }
}

impl BySender {
    /// The sender whose turn is next.
    pub fn next(&self) -> Option<&str> {
        self.waiting.last().map(|(sender, _)| self.names[*sender as usize].as_str())
    }

    /// The next sender's rows.
    pub fn next_rows(&self) -> &[u32] {
        self.waiting.last().map_or(&[], |(_, end)| &self.numbers[self.start..*end])
    }

    /// The next sender has had its turn.
    pub fn advance(&mut self) {
        if let Some((_, end)) = self.waiting.pop() {
            self.start = end;
        }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.numbers.capacity() * size_of::<u32>()
            + self.names.len() * 96
            + self.waiting.capacity() * size_of::<(u32, usize)>()
    }
}
