//! Skeletons of a chunk's texts: which bytes of the masked text each one is.

use turnwise_model::limits::SKELETON_CHARS_MAX;

use super::block::{Block, Tally};
use super::ops::BLOCK;
use super::runs::{Runs, of};
use super::scan::char_at;
use super::sip::Input;

/// The bytes of a text's masked text, of which `kept` bytes came before it in the chunk.
#[inline(always)]
pub(super) fn skeleton(masked: &[u8], kept: u64, bytes: u64) -> Input {
    let at = BLOCK + kept as usize;
    let text = &masked[at..at + bytes as usize];
    // White space at the end of a text, folded to one space, is no part of it.
    let end = text.len() - usize::from(text.last() == Some(&b' '));
    let end = if end <= SKELETON_CHARS_MAX { end } else { cut(&text[..end]) };
    Input { at: at as u32, bytes: end as u32 }
}

/// Bytes of the first characters of a masked text, as many as a skeleton reads.
#[inline(always)]
fn cut(text: &[u8]) -> usize {
    let begins = |byte: &u8| byte & 0xc0 != 0x80;
    let (mut chars, mut at) = (0, 0);
    // Whole blocks are counted, the last one is searched.
    for block in text.as_chunks::<BLOCK>().0 {
        let here = block.iter().filter(|byte| begins(byte)).count();
        if chars + here > SKELETON_CHARS_MAX {
            break;
        }
        chars += here;
        at += BLOCK;
    }
    for (place, byte) in text[at..].iter().enumerate() {
        if begins(byte) {
            if chars == SKELETON_CHARS_MAX {
                return at + place;
            }
            chars += 1;
        }
    }
    text.len()
}

/// Writes behind the chunk's masked text the one of a text that has letters, at these places,
/// whose lower case has another number of bytes.
#[cold]
pub(super) fn skeleton_resized(
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
    let Input { bytes, .. } = skeleton(&runs.masked, (from - BLOCK) as u64, bytes as u64);
    runs.masked.extend_from_slice(&[0; BLOCK]);
    Input { at: from as u32, bytes }
}
