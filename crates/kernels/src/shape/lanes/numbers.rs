//! Marks what stands within numbers and is neither a digit nor an ASCII joint between two of them:
//! `’` between digits, glue of emoji that is a mark (`1️⃣2️⃣`), and a joint that has glue beside it
//! (`1️⃣.5`). For a number glue is as if it were not there, so behind digits it goes on with
//! digits, or with one joint and digits.
//!
//! Bytes that are marked are masked with their number; of all others bits alone tell whether they
//! are.

use super::block::{Block, Tally, down, up};
use super::ops::{BLOCK, each_bit};

/// A joint beyond ASCII.
const QUOTE: &[u8] = "’".as_bytes();

/// Marks what is within numbers from a byte of this block on. Links are marked.
#[inline(always)]
pub(super) fn mark_inner(raw: &[u8], blocks: &mut [Block], at: usize) {
    let (before, block, after) = (&blocks[at - 1], &blocks[at], &blocks[at + 1]);
    let behind_digit = up(before.of(Tally::Digits), block.of(Tally::Digits), 1);
    let before_glue = down(block.glue_marks, after.glue_marks, 1);
    let inner = block.of(Tally::Rare) | block.glue_marks | block.joint & before_glue;
    if behind_digit & inner != 0 {
        mark_each(raw, blocks, at, behind_digit & inner);
    }
}

/// Marks from each of these places on, which are behind digits, if a number goes on there.
#[cold]
#[inline(never)]
fn mark_each(raw: &[u8], blocks: &mut [Block], at: usize, places: u64) {
    each_bit(places, |_, bit| {
        let from = at * BLOCK + bit as usize;
        let mut to = glue_end(blocks, from);
        if let Some(end) = joint_end(raw, blocks, to) {
            to = glue_end(blocks, end);
        }
        if is_digit(blocks, from - 1) && is_digit(blocks, to) {
            for place in from..to {
                *blocks[place / BLOCK].of_mut(Tally::Inner) |= 1 << (place % BLOCK);
            }
        }
    });
}

/// Where the glue ends that may stand at a byte.
fn glue_end(blocks: &[Block], mut place: usize) -> usize {
    while has(blocks, place, |block| block.glue_marks) {
        place += 1;
    }
    place
}

/// Where a joint ends that begins at a byte.
fn joint_end(raw: &[u8], blocks: &[Block], place: usize) -> Option<usize> {
    if has(blocks, place, |block| block.joint & !block.link) {
        return Some(place + 1);
    }
    let is_quote = has(blocks, place, |block| block.of(Tally::Rare) & !block.link)
        && raw[place..].starts_with(QUOTE);
    is_quote.then_some(place + QUOTE.len())
}

/// Whether a byte is of a digit that is in no link.
fn is_digit(blocks: &[Block], place: usize) -> bool {
    has(blocks, place, |block| block.of(Tally::Digits) & !block.link)
}

fn has(blocks: &[Block], place: usize, bits: fn(&Block) -> u64) -> bool {
    bits(&blocks[place / BLOCK]) >> (place % BLOCK) & 1 != 0
}
