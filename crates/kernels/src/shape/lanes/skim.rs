//! Numbers of a text that need no look at every character: how many characters and lines, whether
//! there is a question mark, and what the text begins with.
//!
//! No text is laid into a chunk and no character is looked up but at the beginning: the rest is
//! counted by bytes. That takes texts of UTF-8, so a column with one that is none is left to the
//! passes over chunks.
//!
//! A question mark beyond ASCII is told by its last byte and those before it; of bytes that belong
//! to one character only UTF-8 has such pairs and threes.

#[cfg(target_arch = "x86_64")]
pub(in super::super) mod x86;

use arrow_array::{Array, BinaryArray};
use turnwise_model::codes::text_bits;

use super::super::asked::Asked;
use super::super::columns::Rows;
use super::super::phrases::Beginning;
use super::super::scalar::{bit, read_part};
use super::begin::STARTS;
use super::finish::asks_in_greek;
use super::ops::Vectors;
use super::pages::PAGES;
use crate::fetch::fetch_far_behind;

/// What the bytes of a text tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Skimmed {
    /// Bytes that go on with a character.
    pub(in super::super) goes_on: u32,
    /// Line feeds.
    pub(in super::super) feeds: u32,
    /// There is a question mark of any script but `;` and `·`.
    pub(in super::super) question: bool,
    /// There is one of those, which ask between Greek letters only.
    pub(in super::super) greek: bool,
    /// There are bytes beyond ASCII.
    pub(in super::super) wide: bool,
}

/// The marks beyond ASCII that [`Skimmed::question`] is of, by their bytes, the last one first; of
/// those of two bytes the third is any.
pub(in super::super) const QUESTIONS: [[u8; 3]; 5] =
    [[0x9f, 0xbc, 0xef], [0x9f, 0xd8, 0], [0x9e, 0xd5, 0], [0xa7, 0x8d, 0xe1], [0xbe, 0xcd, 0]];
/// The marks beyond ASCII that [`Skimmed::greek`] is of.
pub(in super::super) const GREEK: [[u8; 3]; 2] = [[0xb7, 0xc2, 0], [0x87, 0xce, 0]];

impl Skimmed {
    /// Reads a text byte by byte.
    #[inline(always)]
    pub(in super::super) fn plain(text: &[u8]) -> Self {
        let [mut goes_on, mut feeds, mut question, mut greek] = [0_u32; 4];
        for byte in text {
            goes_on += u32::from(byte.cast_signed() < -64);
            feeds += u32::from(*byte == b'\n');
            question |= u32::from(*byte == b'?');
            greek |= u32::from(*byte == b';');
        }
        let (wide, mut question, mut greek) = (goes_on != 0, question != 0, greek != 0);
        if wide {
            question |= has_any(text, &QUESTIONS);
            greek |= has_any(text, &GREEK);
        }
        Self { goes_on, feeds, question, greek, wide }
    }
}

/// Whether one of the marks is in a text.
#[inline(always)]
fn has_any(text: &[u8], marks: &[[u8; 3]]) -> bool {
    // No mark of three bytes ends before the third byte, and one of two bytes that ends at the
    // second is the beginning.
    let begins_so =
        |[last, next, first]: &[u8; 3]| *first == 0 && text.starts_with(&[*next, *last]);
    let mut any = u8::from(marks.iter().any(begins_so));
    for ((first, next), last) in text.iter().zip(&text[1..]).zip(text.iter().skip(2)) {
        for mark in marks {
            let third = u8::from(mark[2] == 0) | u8::from(*first == mark[2]);
            any |= u8::from(*last == mark[0]) & u8::from(*next == mark[1]) & third;
        }
    }
    any != 0
}

/// Fills the rows of a column whose texts are all UTF-8.
#[inline(always)]
pub(super) fn skim<V: Vectors>(vectors: V, asked: Asked, texts: &BinaryArray, rows: &mut Rows) {
    for row in (0..texts.len()).filter(|row| texts.is_valid(*row)) {
        let whole = texts.value(row);
        let text = read_part(whole);
        fetch_far_behind(text);
        let skimmed = vectors.skim(text);
        let beginning =
            if asked.beginning() { STARTS.beginning(&PAGES, text) } else { Beginning::default() };
        let asks = || skimmed.question || skimmed.greek && skimmed.wide && asks_greek(text);
        let question = asked.question() && asks();
        let chars = text.len() as i32 - skimmed.goes_on as i32;
        let ends_open = text.last().is_some_and(|last| *last != b'\n');
        let lines = skimmed.feeds as i32 + i32::from(ends_open);
        let bits = bit(question, text_bits::QUESTION)
            | bit(beginning.opener, text_bits::OPENER)
            | bit(beginning.greeting_only, text_bits::GREETING);
        let bytes = i32::try_from(whole.len()).unwrap_or(i32::MAX);
        rows.put(row, [bytes, chars, 0, lines, 0, bits & asked.bits], 0);
    }
}

#[cold]
#[inline(never)]
fn asks_greek(text: &[u8]) -> bool {
    asks_in_greek(std::str::from_utf8(text).unwrap_or(""))
}

/// Whether all texts are UTF-8: all bytes together are, and none begins within a character.
pub(super) fn is_utf8(texts: &BinaryArray) -> bool {
    let offsets = texts.value_offsets();
    let (from, to) = (offsets[0] as usize, offsets[offsets.len() - 1] as usize);
    let bytes = texts.value_data();
    let goes_on =
        |offset: &i32| bytes.get(*offset as usize).is_some_and(|byte| byte & 0xc0 == 0x80);
    let begins_within = offsets.iter().take(texts.len()).fold(false, |any, at| any | goes_on(at));
    !begins_within && simdutf8::basic::from_utf8(&bytes[from..to]).is_ok()
}
