//! Third pass: the numbers of one text after the other, from what the passes over the chunk found.

use turnwise_model::Script;
use turnwise_model::codes::text_bits;

use super::super::asked::Asked;
use super::super::classes::{CLASSES, Class};
use super::super::columns::NUMBERS;
use super::super::phrases::Beginning;
use super::super::scalar::{CODE_LETTERS_MAX, OPEN_QUESTION_WORDS, bit, touches_digit};
use super::super::units::{UNIT_BYTES_MAX, is_unit, is_unit_bytes, is_unit_signs};
use super::begin::{STARTS, next_set};
use super::block::Tally;
use super::chunk::{Chunk, Text};
use super::layout::layout_bits;
use super::ops::{BLOCK, Vectors};
use super::pages::PAGES;
use super::runs::Sums;

/// What is known of a text before it is finished.
pub(super) struct Finish<'a, V> {
    pub(super) vectors: V,
    pub(super) asked: Asked,
    pub(super) chunk: &'a Chunk,
    /// Places in the chunk of letters whose lower case has another number of bytes.
    pub(super) resized: &'a [u32],
    pub(super) text: Text,
    /// The sums of the tallies before and behind the text.
    pub(super) before: &'a Sums,
    pub(super) behind: &'a Sums,
}

impl<V: Vectors> Finish<'_, V> {
    #[inline(always)]
    fn count(&self, tally: Tally) -> u64 {
        let (eight, one) = (tally as usize / 8, tally as usize % 8);
        self.behind[eight][one] - self.before[eight][one]
    }

    #[inline(always)]
    fn has(&self, tally: Tally) -> bool {
        self.count(tally) != 0
    }

    fn bytes(&self) -> &[u8] {
        &self.chunk.raw[self.text.start..self.text.end]
    }

    fn str(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or("")
    }

    /// The numbers of the text, `bytes` of which came.
    #[inline(always)]
    pub(super) fn numbers(&self, bytes: i32) -> [i32; NUMBERS] {
        let Text { start, end, .. } = self.text;
        let raw = &self.chunk.raw;
        let bigram_words = (self.count(Tally::Bigram) + self.count(Tally::OddRun)) / 2;
        let words = (self.count(Tally::Word) + bigram_words) as i32;
        let feeds = self.count(Tally::Feed) as i32;
        let ends_open = end > start && raw[end - 1] != b'\n';
        let beginning = if self.asked.beginning() {
            STARTS.beginning(&PAGES, self.bytes())
        } else {
            Beginning::default()
        };
        let chars = (end - start) as i32 - self.count(Tally::GoesOn) as i32;
        let lines = feeds + i32::from(ends_open);
        let text_bits = self.kind_bits(words, beginning)
            | self.layout_bits()
            | bit(self.has(Tally::Url), text_bits::URL);
        let script = if self.asked.script() { self.script() } else { 0 };
        [bytes, chars, words, lines, script, text_bits & self.asked.bits]
    }

    #[inline(always)]
    fn kind_bits(&self, words: i32, beginning: Beginning) -> i32 {
        let question = self.asked.question() && (self.has(Tally::Question) || self.asks_in_greek());
        let digits = self.asked.digits()
            && self.has(Tally::Digits)
            && !self.has(Tally::Emoji)
            && self.is_digits();
        let question_of_size = question && words >= OPEN_QUESTION_WORDS;
        let open_ended =
            (beginning.opener || question_of_size) && !beginning.greeting_only && !digits;
        bit(question, text_bits::QUESTION)
            | bit(beginning.opener, text_bits::OPENER)
            | bit(beginning.greeting_only, text_bits::GREETING)
            | bit(digits, text_bits::DIGITS)
            | bit(open_ended, text_bits::OPEN_ENDED)
    }

    #[inline(always)]
    fn layout_bits(&self) -> i32 {
        let (feeds, signs) = (self.has(Tally::Feed), self.has(Tally::Sign));
        let may_be = self.asked.layout() && (feeds || signs);
        if may_be { layout_bits(self.bytes(), feeds, signs) } else { 0 }
    }

    /// Code of the script of most letters, of equals the smallest.
    #[inline(always)]
    fn script(&self) -> i32 {
        let wide = self.count(Tally::WideLetter);
        let ascii = self.count(Tally::Letter) - wide;
        if ascii >= wide {
            let none = ascii == 0;
            return if none { Script::None.code() } else { Script::Latin.code() };
        }
        let mut letters = [0_u32; Script::ALL.len()];
        letters[Script::Latin.code() as usize] = ascii as u32;
        self.each_wide_script(|script, many| letters[script] += many);
        let mut most = 0;
        for script in 1..letters.len() {
            most = if letters[script] > letters[most] { script } else { most };
        }
        most as i32
    }

    /// Calls for the scripts of letters beyond ASCII, with how many come together.
    #[inline(always)]
    fn each_wide_script(&self, mut each: impl FnMut(usize, u32)) {
        let Text { start, end, .. } = self.text;
        for at in start / BLOCK..=end / BLOCK {
            let block = &self.chunk.blocks[at];
            let mut letters = block.of(Tally::WideLetter);
            letters &= u64::MAX << start.saturating_sub(at * BLOCK).min(BLOCK - 1);
            let behind = end - at * BLOCK;
            letters &= if behind >= BLOCK { u64::MAX } else { !(u64::MAX << behind) };
            let Some(scripts) = self.chunk.scripts[at * BLOCK..].first_chunk() else { return };
            while letters != 0 {
                let script = scripts[letters.trailing_zeros() as usize];
                let same = self.vectors.equal(scripts, script) & letters;
                each(usize::from(script), same.count_ones());
                letters &= !same;
            }
        }
    }

    /// Whether a `;` or `·` stands between Greek letters, or behind the last one of the text.
    #[inline(always)]
    fn asks_in_greek(&self) -> bool {
        const GREEK: usize = Script::Greek.code() as usize;
        if !(self.has(Tally::Rare) || self.has(Tally::Sign)) || !self.has(Tally::WideLetter) {
            return false;
        }
        let mut letters = 0;
        self.each_wide_script(|script, many| letters += if script == GREEK { many } else { 0 });
        letters > 0 && asks_in_greek(self.str())
    }

    /// Whether all runs of letters may stand in a text of digits, punctuation and units.
    #[inline(always)]
    fn is_digits(&self) -> bool {
        let blocks = &self.chunk.blocks;
        let end = self.text.end;
        let mut at = self.text.start;
        loop {
            let start =
                next_set(blocks, at, end, |block| block.of(Tally::Letters) | block.any_bigram());
            if start == end {
                return true;
            }
            let is_bigram = blocks[start / BLOCK].any_bigram() >> (start % BLOCK) & 1 != 0;
            at = if is_bigram {
                next_set(blocks, start + 1, end, |block| !block.any_bigram() | block.bigram_starts)
            } else {
                next_set(blocks, start, end, |block| !block.of(Tally::Letters))
            };
            if !self.is_beside_digits(start, at, is_bigram) {
                return false;
            }
        }
    }

    fn is_beside_digits(&self, start: usize, end: usize, is_bigram: bool) -> bool {
        if next_set(&self.chunk.blocks, start, end, |block| block.of(Tally::Letter)) == end {
            return true;
        }
        if end - start > UNIT_BYTES_MAX {
            return false;
        }
        let (raw, low) = (&self.chunk.raw, &self.chunk.low);
        let run = &raw[start..end];
        if !is_bigram && run.len() <= CODE_LETTERS_MAX && run.is_ascii() {
            // Behind a text comes a zero, and before it, so no digit of another is touched.
            if touches_digit(raw[end..].iter()) || touches_digit(raw[..start].iter().rev()) {
                return true;
            }
        }
        let as_str = |bytes| std::str::from_utf8(bytes).unwrap_or("");
        if is_bigram {
            return is_unit_bytes(run) || is_unit_signs(as_str(run));
        }
        if !self.text.places(self.resized).is_empty() {
            let lower: String = as_str(run).chars().flat_map(char::to_lowercase).collect();
            return is_unit(&lower);
        }
        is_unit_bytes(&low[start..end])
    }
}

#[inline(never)]
pub(super) fn asks_in_greek(text: &str) -> bool {
    let greek = Script::Greek.code() as usize;
    let (mut last_script, mut marked) = (0, false);
    for ch in text.chars() {
        let class = CLASSES.get(ch);
        if class.has(Class::LETTER) {
            last_script = class.script();
            if marked && last_script == greek {
                return true;
            }
            marked = false;
        } else if matches!(ch, ';' | '·' | '\u{387}') {
            marked |= last_script == greek;
        }
    }
    marked
}
