//! The shape of many texts at a time: the same columns as `scalar.rs` says, by arithmetic on the
//! bits of 64 bytes instead of a step a character.
//!
//! Texts are laid side by side in a chunk of some kilobytes, and each pass runs over the whole
//! chunk, so that short texts cost no more than long ones:
//!
//! ```text
//! texts ─ chunk ──┬─ scan     what every character is; lower case; is it UTF-8?      ┐ bits of
//!                 ├─ linked   where links are                                        │ blocks of
//!                 ├─ runs     words, token candidates, masked text                   ┘ 64 bytes
//!                 ├─ tokens   which candidates are tokens                            ┐ lists of a
//!                 ├─ sip      hashes of tokens, skeletons and texts, eight in step   ┘ chunk
//!                 └─ finish   the numbers of one text after the other ─► columns
//! ```
//!
//! Where little is asked of texts that are all UTF-8 they are but skimmed (`skim`), each where it
//! lies.
//!
//! What is rare is asked rarely: links, lists, code, Greek question marks, units, and glue of emoji
//! in numbers, only where a bit says that a text may have them. A text that is not UTF-8 is
//! repaired and read like the others.

use arrow_array::{Array, BinaryArray};
use turnwise_model::Keys;
use turnwise_model::limits::{TEXT_BUCKETS, TEXT_TOKENS_MAX};

mod begin;
mod block;
mod chunk;
mod finish;
mod layout;
mod linked;
mod masked;
mod numbers;
pub(super) mod ops;
pub(super) mod pages;
mod runs;
mod scan;
mod sip;
pub(super) mod skim;
pub(super) mod smallest;
mod tokens;

use self::block::Tally;
use self::chunk::{Chunk, Text};
use self::finish::Finish;
use self::linked::mark_links;
use self::masked::{skeleton, skeleton_resized};
use self::ops::{Plain, Vectors};
use self::pages::PAGES;
use self::runs::{Runs, Sums, of};
use self::scan::Scan;
use self::sip::{Input, Sorted, TaggedSip};
use self::skim::{is_utf8, skim};
use self::tokens::lower_resized;
use super::asked::Asked;
use super::classes::CLASSES;
use super::columns::Rows;
use super::scalar::read_part;
use crate::dispatch::Kernel;
#[cfg(target_arch = "x86_64")]
use crate::dispatch::{Avx2, Avx512};

/// The shape of a batch by lanes.
pub(super) struct ShapeLanes<'a> {
    pub(super) texts: &'a BinaryArray,
    /// All texts are known to be UTF-8.
    pub(super) is_utf8: bool,
    pub(super) keys: &'a Keys,
    pub(super) asked: Asked,
}

impl Kernel for ShapeLanes<'_> {
    type Output = Rows;

    #[inline(always)]
    fn lanes(self) -> Rows {
        self.run(Plain)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx2(self, proof: Avx2) -> Rows {
        self.run(proof)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn avx512(self, proof: Avx512) -> Rows {
        self.run(proof)
    }
}

impl ShapeLanes<'_> {
    #[inline(always)]
    fn run<V: Vectors>(self, vectors: V) -> Rows {
        let mut rows = Rows::new(self.texts.len());
        if self.asked.skims() && (self.is_utf8 || is_utf8(self.texts)) {
            skim(vectors, self.asked, self.texts, &mut rows);
            return rows;
        }
        let mut work = Work::new(self.keys, self.asked);
        let mut row = 0;
        while row < self.texts.len() {
            row = work.read(vectors, self.texts, row);
            if !work.chunk.texts.is_empty() {
                work.hash(vectors);
                work.finish(vectors, self.texts, &mut rows);
            }
        }
        rows
    }
}

/// Keyed functions and buffers, reused from chunk to chunk.
struct Work {
    asked: Asked,
    token: TaggedSip,
    skeleton: TaggedSip,
    bucket: TaggedSip,
    chunk: Chunk,
    resized: Vec<u32>,
    cased: Vec<u32>,
    runs: Runs,
    /// By text, and one more: the sums of the tallies of all texts before.
    sums: Vec<Sums>,
    inputs: Vec<Input>,
    sorted: Sorted,
    hashes: Hashes,
}

/// The hashes of a chunk.
#[derive(Default)]
struct Hashes {
    tokens: Vec<u32>,
    skeletons: Vec<u64>,
    buckets: Vec<u64>,
}

impl Work {
    fn new(keys: &Keys, asked: Asked) -> Self {
        let sip = |tag| TaggedSip::new(keys.text_hasher(), tag);
        Self {
            asked,
            token: sip(b't'),
            skeleton: sip(b's'),
            bucket: sip(b'b'),
            chunk: Chunk::default(),
            resized: Vec::new(),
            cased: Vec::new(),
            runs: Runs::default(),
            sums: Vec::new(),
            inputs: Vec::new(),
            sorted: Sorted::default(),
            hashes: Hashes::default(),
        }
    }

    /// Reads texts from `row` on into blocks, runs and tokens; the row behind them.
    #[inline(always)]
    fn read<V: Vectors>(&mut self, vectors: V, texts: &BinaryArray, row: usize) -> usize {
        let mut next = self.chunk.fill(texts, row, false);
        if !self.asked.scan() {
            return next;
        }
        if !self.scan(vectors) {
            next = self.chunk.fill(texts, row, true);
            self.scan(vectors);
        }
        let Chunk { texts, raw, low, blocks, .. } = &mut self.chunk;
        if self.asked.links() {
            mark_links(vectors, &CLASSES, raw, texts, blocks);
        }
        self.runs.find(vectors, self.asked, raw, low, blocks);
        if self.asked.hashes && !self.resized.is_empty() {
            let starts = &mut self.runs.token_starts[..self.runs.tokens];
            lower_resized(raw, low, &self.resized, starts, &mut self.runs.token_ends);
        }
        self.sums.resize(texts.len() + 1, Sums::default());
        for (sums, text) in self.sums[1..].iter_mut().zip(texts) {
            *sums = self.runs.up_to(blocks, text.end + 1);
        }
        next
    }

    #[inline(always)]
    fn scan<V: Vectors>(&mut self, vectors: V) -> bool {
        self.resized.clear();
        let Chunk { raw, low, scripts, blocks, .. } = &mut self.chunk;
        self.cased.clear();
        let (cased, resized) = (&mut self.cased, &mut self.resized);
        Scan { pages: &PAGES, raw, low, scripts, blocks, cased, resized }.run(vectors)
    }

    /// Hashes all tokens, skeletons and texts of the chunk, as far as they are asked for.
    #[inline(always)]
    fn hash<V: Vectors>(&mut self, vectors: V) {
        let Chunk { texts, raw, low, blocks, .. } = &self.chunk;
        let sorted = &mut self.sorted;
        if self.asked.bucket() {
            let whole = |text: &Text| Input {
                at: text.start as u32,
                bytes: (text.end - text.start) as u32,
            };
            self.inputs.clear();
            self.inputs.extend(texts.iter().map(whole));
            self.bucket.all_sorted(vectors, raw, &self.inputs, sorted, &mut self.hashes.buckets);
        }
        if !self.asked.hashes {
            return;
        }
        let starts = &self.runs.token_starts[..self.runs.tokens];
        let ends = &self.runs.token_ends[..self.runs.tokens];
        self.token.halves(vectors, low, starts, ends, &mut self.hashes.tokens);
        self.inputs.clear();
        for (number, text) in texts.iter().enumerate() {
            let kept = of(&self.sums[number], Tally::Kept);
            let bytes = of(&self.sums[number + 1], Tally::Kept) - kept;
            let resized = text.places(&self.resized);
            self.inputs.push(if resized.is_empty() {
                skeleton(vectors, &self.runs.masked, kept, bytes)
            } else {
                skeleton_resized(vectors, &mut self.runs, blocks, raw, resized, [kept, bytes])
            });
        }
        let masked = &self.runs.masked;
        self.skeleton.all_sorted(vectors, masked, &self.inputs, sorted, &mut self.hashes.skeletons);
    }

    /// Fills the rows of the chunk's texts.
    #[inline(always)]
    fn finish<V: Vectors>(&mut self, vectors: V, batch: &BinaryArray, rows: &mut Rows) {
        if self.asked.hashes {
            self.finish_hashes(vectors, rows);
        }
        let asked = self.asked;
        for (number, text) in self.chunk.texts.iter().enumerate() {
            let original = batch.value(text.row);
            let bytes = i32::try_from(original.len()).unwrap_or(i32::MAX);
            let numbers = if asked.scan() {
                let (before, behind) = (&self.sums[number], &self.sums[number + 1]);
                Finish {
                    vectors,
                    asked,
                    chunk: &self.chunk,
                    resized: &self.resized,
                    text: *text,
                    before,
                    behind,
                }
                .numbers(bytes)
            } else {
                [bytes, 0, 0, 0, 0, 0]
            };
            let bucket = match self.hashes.buckets.get(number) {
                _ if !asked.bucket() => 0,
                Some(bucket) if !text.repaired => *bucket,
                _ => self.bucket.one(read_part(original)),
            };
            rows.put(text.row, numbers, (bucket % u64::from(TEXT_BUCKETS)) as i32);
        }
    }

    /// Fills in tokens and skeletons.
    #[inline(always)]
    fn finish_hashes<V: Vectors>(&mut self, vectors: V, rows: &mut Rows) {
        let mut tokens = [0; TEXT_TOKENS_MAX];
        for (number, text) in self.chunk.texts.iter().enumerate() {
            let (before, behind) = (&self.sums[number], &self.sums[number + 1]);
            let from = of(before, Tally::Token) as usize;
            let hashes = &self.hashes.tokens[from..of(behind, Tally::Token) as usize];
            let count = vectors.smallest(hashes, &mut tokens);
            let skeleton = self.hashes.skeletons[number].cast_signed();
            rows.put_hashes(text.row, &tokens, count, skeleton);
        }
    }
}
