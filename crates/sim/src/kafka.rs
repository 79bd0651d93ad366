//! The input: partitions of records with holes in their offsets, and what a reader must find.

use crate::chance::Chance;

/// One record of data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) offset: i64,
    pub(crate) time_ms: i64,
    /// Rows that the decoder makes of it; at least 1 (law 5).
    pub(crate) items: i32,
}

/// One partition. Times do not fall, as with the broker's own.
#[derive(Debug)]
pub(crate) struct Log {
    /// The oldest offset there is.
    pub(crate) first: i64,
    pub(crate) records: Vec<Record>,
    /// The next offset.
    pub(crate) high_watermark: i64,
}

/// What one fetch brought.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) rows: Vec<(i64, i32)>,
    pub(crate) read_to_ms: Option<i64>,
}

impl Log {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let first = if chance.one_in(2) { 0 } else { chance.between(1, 500) };
        Self { first, records: Vec::new(), high_watermark: first }
    }

    /// Appends a record, and here and there control records or what compaction left of some.
    pub(crate) fn append(&mut self, now_ms: i64, chance: &mut Chance) {
        if chance.one_in(6) {
            self.high_watermark += chance.between(1, 5);
        }
        let items = i32::try_from(chance.between(1, 3)).unwrap_or(1);
        self.records.push(Record { offset: self.high_watermark, time_ms: now_ms, items });
        self.high_watermark += 1;
        if chance.one_in(8) {
            self.high_watermark += 1;
        }
    }

    /// Up to `records_max` records from an offset; at the end also the hole behind the last one.
    pub(crate) fn fetch(&self, from: i64, records_max: usize, now_ms: i64) -> Fetched {
        let begin = self.records.partition_point(|record| record.offset < from);
        let end = self.records.len().min(begin + records_max);
        let taken = &self.records[begin..end];
        let (to, read_to_ms) = if end == self.records.len() {
            (self.high_watermark.max(from), Some(now_ms))
        } else {
            let last = taken.last();
            (last.map_or(from, |record| record.offset + 1), last.map(|record| record.time_ms))
        };
        Fetched { from, to, rows: rows(taken).collect(), read_to_ms }
    }

    /// The rows that lie in `[from, to)`, in order.
    pub(crate) fn rows(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, i32)> {
        let begin = self.records.partition_point(|record| record.offset < from);
        let end = self.records.partition_point(|record| record.offset < to);
        rows(&self.records[begin..end.max(begin)])
    }

    /// One past the last record that is older than a time.
    pub(crate) fn end_before(&self, time_ms: i64) -> i64 {
        let end = self.records.partition_point(|record| record.time_ms < time_ms);
        end.checked_sub(1).map_or(self.first, |last| self.records[last].offset + 1)
    }
}

fn rows(records: &[Record]) -> impl Iterator<Item = (i64, i32)> {
    records.iter().flat_map(|record| (0..record.items).map(|item| (record.offset, item)))
}
