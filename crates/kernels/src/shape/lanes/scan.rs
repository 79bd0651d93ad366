//! First pass over a chunk: what every character is.
//!
//! A block at a time, the bytes are told apart, the characters beyond ASCII looked up, and what is
//! found is spread over all bytes of a character. On the way the lower-cased text is written,
//! and it is checked that all is UTF-8.

use super::block::{Block, Tally, reach, up};
use super::ops::{BLOCK, Found, Vectors, each_bit};
use super::pages::{Pages, first, second};

/// What the first pass reads and writes. Blocks begin at multiples of [`BLOCK`]; the first and
/// the last are of no text.
pub(super) struct Scan<'a> {
    pub(super) pages: &'a Pages,
    pub(super) raw: &'a [u8],
    pub(super) low: &'a mut [u8],
    /// Codes of scripts, where characters beyond ASCII begin.
    pub(super) scripts: &'a mut [u8],
    pub(super) blocks: &'a mut [Block],
    /// Places of the letters beyond ASCII that have a lower case.
    pub(super) cased: &'a mut Vec<u32>,
    /// Places of those whose lower case has another number of bytes, ascending.
    pub(super) resized: &'a mut Vec<u32>,
}

impl Scan<'_> {
    /// Fills the blocks; whether all is UTF-8. If it is not, the rest means nothing.
    #[inline(always)]
    pub(super) fn run<V: Vectors>(mut self, vectors: V) -> bool {
        let raw = self.raw.as_chunks::<BLOCK>().0;
        let low = self.low.as_chunks_mut::<BLOCK>().0;
        let scripts = self.scripts.as_chunks_mut::<BLOCK>().0;
        let mut before = Block::default();
        let mut open = [0; 3];
        let mut wrong = 0;
        let outputs = low.iter_mut().zip(scripts).zip(self.blocks.iter_mut()).enumerate();
        for ((raw, after), (at, ((low, scripts), block))) in
            raw.iter().zip(&raw[1..]).zip(outputs).skip(1)
        {
            let found = vectors.find(self.pages, raw, after, low, scripts);
            let leads = [found.wide & !found.goes_on, found.three, found.four];
            let expected =
                up(open[0], leads[0], 1) | up(open[1], leads[1], 2) | up(open[2], leads[2], 3);
            wrong |= expected ^ found.goes_on | found.invalid;
            open = leads;
            block.take(vectors, &before, &found);
            each_bit(found.second[second::CASED as usize], |_, bit| {
                self.cased.push(at as u32 * BLOCK as u32 + bit);
            });
            before = *block;
        }
        for at in 0..self.cased.len() {
            self.lower(self.cased[at] as usize);
        }
        wrong == 0
    }

    /// Writes the lower case of the letter that begins at a byte.
    #[inline(always)]
    fn lower(&mut self, from: usize) {
        let (lead, next) = (self.raw[from], self.raw[from + 1]);
        let two = if lead < 0xe0 { self.pages.lower_of_two(lead, next) } else { None };
        if let Some(two) = two {
            self.low[from..from + 2].copy_from_slice(&two);
        } else {
            self.lower_any(from);
        }
    }

    #[cold]
    #[inline(never)]
    fn lower_any(&mut self, from: usize) {
        let Some(ch) = char_at(self.raw, from) else { return };
        let mut bytes = [0; 4];
        let mut lower = ch.to_lowercase();
        if let (Some(only), None) = (lower.next(), lower.next())
            && only.len_utf8() == ch.len_utf8()
        {
            let text = only.encode_utf8(&mut bytes);
            self.low[from..from + text.len()].copy_from_slice(text.as_bytes());
        } else {
            self.resized.push(from as u32);
        }
    }
}

/// Of the tallies that begin like the first plane: those that are of whole characters.
const WHOLE_RUNS: u8 = 0b0001_1111;
/// Of those that begin like the second plane.
const WHOLE_RARE: u8 = 1 << second::SPACE | 1 << second::DROPPED;

impl Block {
    #[inline(always)]
    fn take<V: Vectors>(&mut self, vectors: V, before: &Self, found: &Found) {
        let goes_on = found.goes_on;
        let [runs, rare, rest] = &mut self.bits;
        *runs = vectors.whole(goes_on, WHOLE_RUNS, &found.first, &before.bits[0]);
        *rare = vectors.whole(goes_on, WHOLE_RARE, &found.second, &before.bits[1]);
        *rest = [goes_on, found.feed, found.sign, 0, 0, 0, 0, 0];
        *self.of_mut(Tally::WideLetter) = found.first[first::LETTER as usize] & found.wide;
        *self.of_mut(Tally::Inner) = 0;
        *self.of_mut(Tally::Url) = 0;
        let inherits = found.second[second::INHERITS as usize];
        let glue = found.second[second::DROPPED as usize] & inherits;
        self.glue_marks = glue | reach(goes_on, glue << 1 | before.glue_marks >> 63);
        self.joint = found.joint;
        (self.link, self.address_start) = (0, 0);
        self.find_bigram_starts(before);
        if inherits & up(before.any_bigram(), self.any_bigram(), 1) != 0 {
            inherit(self, before, inherits);
            self.find_bigram_starts(before);
        }
    }
}

/// Marks without a script belong to the bigram run before them, if there is one.
#[cold]
#[inline(never)]
fn inherit(block: &mut Block, before: &Block, inherits: u64) {
    each_bit(inherits, |_, bit| {
        let (here, last) = (block.bigram(), before.bigram());
        let is_behind = |code: usize| up(last[code], here[code], 1) >> bit & 1;
        let behind: [u64; 3] = std::array::from_fn(is_behind);
        if behind == [0; 3] {
            return;
        }
        let whole = 1 << bit | reach(block.of(Tally::GoesOn), 1 << bit << 1);
        *block.of_mut(Tally::Letters) &= !whole;
        for (tally, behind) in
            [Tally::Bigram0, Tally::Bigram1, Tally::Bigram2].into_iter().zip(behind)
        {
            *block.of_mut(tally) |= if behind != 0 { whole } else { 0 };
        }
    });
}

/// The character that begins at a byte of a text; none where no character does.
#[inline(always)]
pub(super) fn char_at(text: &[u8], from: usize) -> Option<char> {
    let byte = |at: usize| text.get(from + at).map_or(0, |byte| u32::from(*byte) & 63);
    let lead = *text.get(from)?;
    char::from_u32(match lead {
        0..0x80 => u32::from(lead),
        0x80..0xe0 => (u32::from(lead) & 31) << 6 | byte(1),
        0xe0..0xf0 => (u32::from(lead) & 15) << 12 | byte(1) << 6 | byte(2),
        _ => (u32::from(lead) & 7) << 18 | byte(1) << 12 | byte(2) << 6 | byte(3),
    })
}
