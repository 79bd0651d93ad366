//! Content tokens of a chunk: which bytes are hashed, and which hashes belong to which text.
//!
//! Candidates are the runs of letters of five bytes and more, and the characters of bigram runs.
//! One pass over either list keeps those that are tokens, without a branch: each is written, and
//! only those that are kept move the end. How many were kept before each candidate turns a text's
//! range of candidates, known from tallies, into its range of tokens.

use super::super::tokens::TOKEN_CHARS_MIN;
use super::ops::BLOCK;
use super::runs::{Runs, Tallies, Tally};
use super::scan::char_at;
use super::sip::{Input, NO_INPUT};

/// The tokens of a kind.
#[derive(Default)]
pub(super) struct Found {
    pub(super) inputs: Vec<Input>,
    /// By candidate, and one more: tokens among the candidates before it.
    kept: Vec<u32>,
}

impl Found {
    fn begin(&mut self, candidates: usize) {
        self.inputs.clear();
        self.inputs.resize(candidates + 1, NO_INPUT);
        self.kept.clear();
        self.kept.resize(candidates + 1, 0);
    }

    fn end(&mut self, candidates: usize, kept: usize) {
        self.inputs.truncate(kept);
        self.kept[candidates] = kept as u32;
    }

    /// Tokens among a range of candidates.
    #[inline(always)]
    pub(super) fn range(&self, from: u64, to: u64) -> std::ops::Range<usize> {
        self.kept[from as usize] as usize..self.kept[to as usize] as usize
    }

    /// Keeps the runs that have enough characters.
    #[inline(always)]
    pub(super) fn words(&mut self, runs: &Runs) {
        self.begin(runs.longs);
        let ends = &runs.long_ends[..runs.longs];
        let mut kept = 0;
        for (at, (start, end)) in runs.long_starts.iter().zip(ends).enumerate() {
            let bytes = end - start;
            let more = goes_on(&runs.tallies, *end) - goes_on(&runs.tallies, *start);
            self.inputs[kept] = Input { at: *start, bytes };
            self.kept[at] = kept as u32;
            kept += usize::from(bytes - more >= TOKEN_CHARS_MIN as u32);
        }
        self.end(runs.longs, kept);
    }

    /// Pairs each character with the one before it in its run.
    #[inline(always)]
    pub(super) fn pairs(&mut self, runs: &Runs, raw: &[u8], starts: impl Fn(usize) -> u64) {
        self.begin(runs.bigram_count);
        let mut kept = 0;
        let mut before = BLOCK as u32;
        for (at, place) in runs.bigrams[..runs.bigram_count].iter().enumerate() {
            let byte = *place as usize;
            let bytes = place - before + 2 + u32::from(raw[byte] >= 0xe0) + u32::from(raw[byte] >= 0xf0);
            self.inputs[kept] = Input { at: before, bytes };
            self.kept[at] = kept as u32;
            kept += usize::from(starts(byte / BLOCK) >> (byte % BLOCK) & 1 == 0);
            before = *place;
        }
        self.end(runs.bigram_count, kept);
    }

    /// Tokens with letters whose lower case has another number of bytes are lower-cased behind
    /// the chunk.
    pub(super) fn lower_resized(&mut self, raw: &[u8], low: &mut Vec<u8>, resized: &[u32]) {
        // From the last to the first: what has moved behind the chunk is not searched again.
        let mut searched = self.inputs.len();
        for place in resized.iter().rev() {
            let behind = self.inputs[..searched].partition_point(|input| input.at <= *place);
            let Some(at) = behind.checked_sub(1) else { continue };
            let Input { at: start, bytes } = self.inputs[at];
            if start + bytes <= *place {
                continue;
            }
            searched = at;
            let end = (start + bytes) as usize;
            let from = low.len();
            let mut next = start as usize;
            while let Some(ch) = (next < end).then(|| char_at(raw, next)).flatten() {
                next += ch.len_utf8();
                let mut bytes = [0; 4];
                for lower in ch.to_lowercase() {
                    low.extend_from_slice(lower.encode_utf8(&mut bytes).as_bytes());
                }
            }
            let bytes = (low.len() - from) as u32;
            self.inputs[at] = Input { at: from as u32, bytes };
            low.extend_from_slice(&[0; BLOCK]);
        }
    }
}

/// Bytes up to `place` that go on with a character.
#[inline(always)]
fn goes_on(tallies: &[Tallies], place: u32) -> u32 {
    let tally = Tally::GoesOn as usize;
    let block = &tallies[place as usize / BLOCK];
    let below = !(u64::MAX << (place as usize % BLOCK));
    block.before[tally] as u32 + (block.bits[tally] & below).count_ones()
}
