//! Texts of a batch laid side by side, so that a pass runs over many short texts as over one long.
//!
//! ```text
//! raw     ┃ 64 × 0 ┃ text 0 text 1 0 text 2 … 0 ┃ 0 … to the block's end ┃ 64 × 0 ┃
//! ```
//!
//! A zero byte behind each text ends what a text leaves open: no run, character or phrase goes
//! over it. One block before and two behind all are of no text, so every block has neighbours.

use arrow_array::{Array, BinaryArray};

use super::super::scalar::read_part;
use super::block::Block;
use super::ops::BLOCK;
use crate::fetch::fetch_text;

/// A chunk takes texts until it has this many bytes: its buffers stay in the nearest caches, and
/// the last lanes of each loop over a chunk's texts are a small share of all.
const CHUNK_BYTES: usize = 12 << 10;

/// Bytes of a buffer from the beginning: enough but for chunks that end with a very long text. Buffers
/// that grow leave memory behind that the system clears for nothing.
const ROOM_BYTES: usize = 16 << 10;
const _: () = assert!(ROOM_BYTES > CHUNK_BYTES);

/// Texts between asking for the memory of one and reading it: where few rows have one, the next is
/// far.
const TEXTS_AHEAD: usize = 8;

/// Where a text lies in a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    /// Its row in the batch.
    pub(super) row: usize,
    /// First byte.
    pub(super) start: usize,
    /// Byte behind the last.
    pub(super) end: usize,
    /// The text as it came is no UTF-8; here it is repaired.
    pub(super) repaired: bool,
}

impl Text {
    /// Those of ascending places that lie in the text.
    #[inline(always)]
    pub(super) fn places<'a>(&self, places: &'a [u32]) -> &'a [u32] {
        if places.is_empty() {
            return places;
        }
        let from = places.partition_point(|place| (*place as usize) < self.start);
        let to = places.partition_point(|place| (*place as usize) < self.end);
        &places[from..to]
    }
}

/// The texts of a chunk and the buffers that go with them.
pub(super) struct Chunk {
    pub(super) texts: Vec<Text>,
    pub(super) raw: Vec<u8>,
    /// The same with letters in lower case where that has as many bytes.
    pub(super) low: Vec<u8>,
    /// Codes of scripts where characters beyond ASCII begin; else whatever was there.
    pub(super) scripts: Vec<u8>,
    pub(super) blocks: Vec<Block>,
}

impl Default for Chunk {
    fn default() -> Self {
        let room = || Vec::with_capacity(ROOM_BYTES);
        let (texts, blocks) = (Vec::new(), Vec::new());
        Self { texts, raw: room(), low: room(), scripts: room(), blocks }
    }
}

impl Chunk {
    /// Takes texts from `row` on, and tells the row to go on from. With `repair`,
    /// texts that are no UTF-8 are taken as `String::from_utf8_lossy` reads them.
    pub(super) fn fill(&mut self, batch: &BinaryArray, row: usize, repair: bool) -> usize {
        self.texts.clear();
        self.raw.clear();
        self.raw.resize(BLOCK, 0);
        let next = match batch.nulls() {
            None => {
                let rows = row..batch.len();
                self.take(batch, rows.clone(), rows, repair)
            }
            Some(nulls) => {
                let valid = nulls.inner().slice(row, batch.len() - row);
                let rows = || valid.set_indices().map(|nth| row + nth);
                self.take(batch, rows(), rows(), repair)
            }
        };
        let used = self.raw.len();
        let blocks = used.div_ceil(BLOCK) + 2;
        self.raw.resize((blocks + 1) * BLOCK, 0);
        self.low.resize((blocks + 1) * BLOCK, 0);
        self.scripts.resize((blocks + 1) * BLOCK, 0);
        self.mark_outside(blocks, used);
        next
    }

    /// Takes texts of ascending rows, which are given twice, until there is enough; tells the row
    /// from which on none was taken.
    #[inline(always)]
    fn take(
        &mut self,
        batch: &BinaryArray,
        rows: impl Iterator<Item = usize>,
        again: impl Iterator<Item = usize>,
        repair: bool,
    ) -> usize {
        let mut ahead = again.skip(TEXTS_AHEAD);
        for row in rows {
            if self.raw.len() >= BLOCK + CHUNK_BYTES {
                return row;
            }
            if let Some(ahead) = ahead.next() {
                fetch_text(batch.value(ahead));
            }
            let start = self.raw.len();
            let read = read_part(batch.value(row));
            let repaired = repair && self.push_repaired(read);
            if !repaired {
                self.raw.extend_from_slice(read);
            }
            self.texts.push(Text { row, start, end: self.raw.len(), repaired });
            self.raw.push(0);
        }
        batch.len()
    }

    /// Takes a text that is no UTF-8; whether it was one.
    #[cold]
    fn push_repaired(&mut self, text: &[u8]) -> bool {
        if std::str::from_utf8(text).is_ok() {
            return false;
        }
        for chunk in text.utf8_chunks() {
            self.raw.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                self.raw.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        true
    }

    fn mark_outside(&mut self, blocks: usize, used: usize) {
        self.blocks.resize(blocks, Block::default());
        for block in &mut self.blocks {
            block.outside = 0;
        }
        for text in &self.texts {
            self.blocks[text.end / BLOCK].outside |= 1 << (text.end % BLOCK);
        }
        let last = used / BLOCK;
        self.blocks[last].outside |= u64::MAX << (used % BLOCK);
        self.blocks[0] = Block { outside: u64::MAX, ..Block::default() };
        for block in &mut self.blocks[last + 1..] {
            block.outside = u64::MAX;
        }
    }
}
