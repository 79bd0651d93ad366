//! Skeletons of a chunk's texts: which bytes of the masked text each one is.

use turnwise_model::limits::SKELETON_CHARS_MAX;

use super::block::{Block, Tally};
use super::ops::{BLOCK, Vectors};
use super::runs::{Runs, of};
use super::scan::char_at;
use super::sip::Input;

/// The bytes of a text's masked text, of which `kept` bytes came before it in the chunk.
#[inline(always)]
pub(super) fn skeleton<V: Vectors>(vectors: V, masked: &[u8], kept: u64, bytes: u64) -> Input {
    let at = BLOCK + kept as usize;
    let text = &masked[at..at + bytes as usize];
    // White space at the end of a text, folded to one space, is no part of it.
    let end = text.len() - usize::from(text.last() == Some(&b' '));
    let end = if end <= SKELETON_CHARS_MAX { end } else { cut(vectors, masked, at, end) };
    Input { at: at as u32, bytes: end as u32 }
}

/// Bytes of the first characters of `bytes` of masked text from a place on, as many as a skeleton
/// reads.
#[inline(always)]
fn cut<V: Vectors>(vectors: V, masked: &[u8], from: usize, bytes: usize) -> usize {
    let mut left = SKELETON_CHARS_MAX;
    let mut at = 0;
    while let (true, Some(block)) = (at < bytes, masked[from + at..].first_chunk()) {
        let begins = !vectors.goes_on(block);
        let here = begins.count_ones() as usize;
        if left < here {
            let place = at + vectors.spread(1 << left, begins).trailing_zeros() as usize;
            return place.min(bytes);
        }
        left -= here;
        at += BLOCK;
    }
    bytes
}

/// Writes behind the chunk's masked text the one of a text that has letters, at these places,
/// whose lower case has another number of bytes.
#[cold]
pub(super) fn skeleton_resized<V: Vectors>(
    vectors: V,
    runs: &mut Runs,
    blocks: &[Block],
    raw: &[u8],
    resized: &[u32],
    [kept, bytes]: [u64; 2],
) -> Input {
    let from = runs.masked.len();
    let at = BLOCK + kept as usize;
    let end = at + bytes as usize;
    let mut done = at;
    for place in resized {
        let place = *place as usize;
        let is_kept = blocks[place / BLOCK].of(Tally::Kept) >> (place % BLOCK) & 1 != 0;
        let Some(ch) = char_at(raw, place).filter(|_| is_kept) else { continue };
        // Where the letter begins in the masked text. One that became `n` is that and no more.
        let here = BLOCK + of(&runs.up_to(blocks, place), Tally::Kept) as usize;
        if char_at(&runs.masked, here) != Some(ch) {
            continue;
        }
        runs.masked.extend_from_within(done..here);
        let mut bytes = [0; 4];
        for lower in ch.to_lowercase() {
            runs.masked.extend_from_slice(lower.encode_utf8(&mut bytes).as_bytes());
        }
        done = here + ch.len_utf8();
    }
    runs.masked.extend_from_within(done..end);
    let bytes = runs.masked.len() - from;
    runs.masked.extend_from_slice(&[0; BLOCK]);
    let Input { bytes, .. } = skeleton(vectors, &runs.masked, (from - BLOCK) as u64, bytes as u64);
    Input { at: from as u32, bytes }
}
