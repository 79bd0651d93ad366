//! Marks the links of a chunk in its blocks.
//!
//! `links.rs` says what a link is and finds them. Here only the texts are picked that may have
//! one: every link has `://`, an `@`, or a dot between a byte of a host and a letter (or between
//! a letter and a digit: `www.1`). Most texts have none of these.

use super::super::classes::Classes;
use super::super::links::{LinkKind, next_link};
use super::block::{Block, Tally, down, up};
use super::chunk::Text;
use super::ops::{BLOCK, Vectors};

/// Marks the links of all texts.
#[inline(always)]
pub(super) fn mark_links<V: Vectors>(
    vectors: V,
    classes: &Classes,
    raw: &[u8],
    texts: &[Text],
    blocks: &mut [Block],
) {
    let mut texts = texts.iter();
    // Behind the last text that was looked at.
    let mut done = 0;
    for at in 1..blocks.len() - 1 {
        let (before, block, after) = (&blocks[at - 1], &blocks[at], &blocks[at + 1]);
        let mut found = candidates(before, block, after);
        if block.of(Tally::Sign) != 0
            && let Some(bytes) = raw[at * BLOCK..].first_chunk()
        {
            found |= vectors.equal(bytes, b'@');
        }
        while found != 0 {
            let place = at * BLOCK + found.trailing_zeros() as usize;
            found &= found - 1;
            if place < done {
                continue;
            }
            let Some(text) = texts.find(|text| place < text.end) else { return };
            mark_text(classes, &raw[text.start..text.end], text.start, blocks);
            done = text.end;
        }
    }
}

#[inline(always)]
fn candidates(before: &Block, block: &Block, after: &Block) -> u64 {
    let joint = block.joint;
    let dots = joint & block.of(Tally::Stop);
    let named = |block: &Block| block.of(Tally::Letter) | block.of(Tally::Digits);
    let inner_dots = dots & down(named(block), named(after), 1);
    let slashes = joint & down(joint, after.joint, 1) & down(joint, after.joint, 2) & !dots;
    if inner_dots == 0 {
        return slashes;
    }
    let letter = block.of(Tally::Letter);
    let last = before.of(Tally::Letter);
    let host = |block: &Block| named(block) | block.joint;
    let behind_host = up(host(before), host(block), 1);
    let before_letter = down(letter, after.of(Tally::Letter), 1);
    slashes | inner_dots & behind_host & (before_letter | up(last, letter, 1))
}

#[inline(never)]
fn mark_text(classes: &Classes, text: &[u8], start: usize, blocks: &mut [Block]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut from = 0;
    while let Some(link) = next_link(text, from, classes) {
        let first = start + link.start;
        let block = &mut blocks[first / BLOCK];
        match link.kind {
            LinkKind::Url => *block.of_mut(Tally::Url) |= 1 << (first % BLOCK),
            LinkKind::Address => block.address_start |= 1 << (first % BLOCK),
        }
        mark(blocks, first, start + link.end);
        from = link.end;
    }
}

/// Marks the bytes `first..end`.
fn mark(blocks: &mut [Block], first: usize, end: usize) {
    let last = (end - 1) / BLOCK;
    for (at, block) in blocks.iter_mut().enumerate().take(last + 1).skip(first / BLOCK) {
        let low = first.saturating_sub(at * BLOCK);
        let high = (end - at * BLOCK).min(BLOCK);
        block.link |= u64::MAX << low & u64::MAX >> (BLOCK - high);
    }
}
