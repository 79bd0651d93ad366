//! Spreads bare rows over buckets, so that a pair's rows meet in one.

use super::{BareRow, KIND_BITS, OUTBOUND, word_bits};
use crate::fold::word;
use crate::ordering::spread;

/// Rows of a full chunk: memory comes in pieces of this size, so that none is ever copied to a
/// larger one and all of it is given back bucket by bucket.
const CHUNK_ROWS: usize = 2_048;
/// Rows of a bucket's first chunk.
const CHUNK_ROWS_MIN: usize = 64;

/// Columns of one batch, of one length.
#[derive(Clone, Copy, Debug)]
pub struct BareBatch<'a> {
    /// Which part of the buckets each row belongs to: the same for all rows of a sender. Empty
    /// where there is one part.
    pub parts: &'a [u32],
    /// Numbers of senders.
    pub senders: &'a [u64],
    /// Pseudonyms of peers.
    pub peers: &'a [u64],
    /// Milliseconds since 1970.
    pub times_ms: &'a [i64],
    /// 0 from the peer, 1 to it; rows of another direction are left out.
    pub directions: &'a [u8],
    /// 0 text, 1 button, 2 voice, 3 image, 4 template, 5 interactive; all others are one kind.
    pub kinds: &'a [u8],
}

/// What became of a batch's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scattered {
    /// Rows of no known direction.
    pub undirected: usize,
    /// Rows whose time is thousands of years away.
    pub untimely: usize,
}

/// The rows of some pairs.
#[derive(Debug, Default)]
pub struct Bucket {
    full: Vec<Vec<BareRow>>,
    open: Vec<BareRow>,
}

impl Bucket {
    /// The rows, in pieces, in the order they came.
    pub fn chunks(&self) -> impl Iterator<Item = &[BareRow]> {
        self.full.iter().map(Vec::as_slice).chain(std::iter::once(self.open.as_slice()))
    }

    /// Rows held.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.open.len()
    }

    /// Heap bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let rows: usize = self.full.iter().map(Vec::capacity).sum();
        (rows + self.open.capacity()) * size_of::<BareRow>()
    }

    /// Adds a row; returns the bytes of heap that it took.
    fn push(&mut self, row: BareRow) -> usize {
        let is_full = self.open.len() == self.open.capacity();
        let bytes = if is_full { self.next_chunk() } else { 0 };
        self.open.push(row);
        bytes
    }

    #[cold]
    fn next_chunk(&mut self) -> usize {
        let rows = (2 * self.open.capacity()).clamp(CHUNK_ROWS_MIN, CHUNK_ROWS);
        let full = std::mem::replace(&mut self.open, Vec::with_capacity(rows));
        if !full.is_empty() {
            self.full.push(full);
        }
        rows * size_of::<BareRow>()
    }
}

/// Buckets being filled by one thread, in parts of equally many.
#[derive(Debug)]
pub struct Scatter {
    buckets: Vec<Bucket>,
    /// What of a pair's hash is its bucket's number within a part.
    shift: u32,
    word_bits: [u64; 2 * OUTBOUND],
    bytes: usize,
}

impl Scatter {
    /// Empty buckets: in each of the parts as many or more, a power of two.
    #[must_use]
    pub fn new(parts: usize, buckets: usize) -> Self {
        let count = buckets.max(2).next_power_of_two();
        let shift = u64::BITS - count.trailing_zeros();
        let buckets = std::iter::repeat_with(Bucket::default).take(parts * count).collect();
        Self { buckets, shift, word_bits: word_bits(), bytes: 0 }
    }

    /// Adds the rows of a batch.
    ///
    /// # Panics
    /// Where columns differ in length, or a row is of a part that there is not.
    pub fn push(&mut self, batch: &BareBatch<'_>) -> Scattered {
        let rows = batch.senders.len();
        assert!(
            [batch.peers.len(), batch.times_ms.len(), batch.directions.len(), batch.kinds.len()]
                == [rows; 4],
            "columns of one length"
        );
        assert!(batch.parts.is_empty() || batch.parts.len() == rows, "columns of one length");
        if batch.parts.is_empty() {
            self.push_rows(batch, std::iter::repeat(&0))
        } else {
            self.push_rows(batch, batch.parts.iter())
        }
    }

    fn push_rows<'a>(
        &mut self,
        batch: &BareBatch<'_>,
        parts: impl Iterator<Item = &'a u32>,
    ) -> Scattered {
        let mut scattered = Scattered::default();
        let whose = batch.senders.iter().zip(batch.peers).zip(parts);
        let what = batch.times_ms.iter().zip(batch.directions).zip(batch.kinds);
        for (((sender, peer), part), ((time_ms, direction), kind)) in whose.zip(what) {
            let Some(time) = word::time_bits(*time_ms) else {
                scattered.untimely += 1;
                continue;
            };
            if *direction > 1 {
                scattered.undirected += 1;
                continue;
            }
            let kind = usize::from(*kind).min(word::kind::OTHER);
            let bits = self.word_bits[usize::from(*direction) << KIND_BITS | kind];
            let row = BareRow { sender: *sender, peer: *peer, word: time | bits };
            self.push_row(*part as usize, row);
        }
        scattered
    }

    /// Adds a row that was in a bucket of that part before.
    pub fn push_row(&mut self, part: usize, row: BareRow) {
        let within = (spread([row.sender, row.peer]) >> self.shift) as usize;
        let bucket = (part << (u64::BITS - self.shift)) + within;
        self.bytes += self.buckets[bucket].push(row);
    }

    /// The buckets, part after part.
    #[must_use]
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Takes the buckets out, part after part, and leaves empty ones.
    pub fn take(&mut self) -> Vec<Bucket> {
        self.bytes = 0;
        self.buckets.iter_mut().map(std::mem::take).collect()
    }

    /// Heap bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes + self.buckets.capacity() * size_of::<Bucket>()
    }
}
