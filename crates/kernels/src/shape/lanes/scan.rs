//! First pass over a chunk: what every character is.
//!
//! A block at a time, the bytes are told apart, the characters beyond ASCII looked up, and what is
//! found is spread over all bytes of a character. On the way the lower-cased text is written,
//! and it is checked that all is UTF-8.

use super::block::{Block, Tally, reach, up};
use super::ops::{BLOCK, Bytes, Leads, Vectors, Wide, each_bit};
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
    /// Places of the letters whose lower case has another number of bytes, ascending.
    pub(super) resized: &'a mut Vec<u32>,
    /// Places of letters that reach into the block behind theirs.
    pub(super) reaching: &'a mut Vec<u32>,
}

/// Bytes of a block from which on a letter may reach into the block behind.
const REACHES: u32 = BLOCK as u32 - 3;

impl Scan<'_> {
    /// Fills the blocks; whether all is UTF-8. If it is not, the rest means nothing.
    #[inline(always)]
    pub(super) fn run<V: Vectors>(mut self, vectors: V) -> bool {
        let mut before = Leads { all: 0, three: 0, four: 0 };
        let mut wrong = 0;
        for at in 1..self.blocks.len() {
            let from = at * BLOCK;
            let (Some(raw), Some(low)) =
                (self.raw[from..].first_chunk(), self.low[from..].first_chunk_mut())
            else {
                break;
            };
            let bytes = vectors.bytes(raw, low);
            let leads = Leads {
                all: bytes.wide & !bytes.goes_on,
                three: bytes.three,
                four: bytes.four,
            };
            let expected = up(before.all, leads.all, 1)
                | up(before.three, leads.three, 2)
                | up(before.four, leads.four, 3);
            wrong |= expected ^ bytes.goes_on;
            before = leads;
            self.blocks[at].take_ascii(&bytes);
            if bytes.wide != 0 {
                let raw = self.raw[from..].first_chunk();
                let scripts = self.scripts[from..].first_chunk_mut();
                if let (Some(raw), Some(scripts)) = (raw, scripts) {
                    let wide = vectors.wide(self.pages, raw, leads, scripts);
                    wrong |= wide.invalid;
                    self.take_wide(vectors, at, &wide);
                }
            }
        }
        // The block behind wrote its own bytes over what these letters had there.
        for at in 0..self.reaching.len() {
            self.lower(self.reaching[at] as usize);
        }
        self.resized.sort_unstable();
        wrong == 0
    }

    #[inline(always)]
    fn take_wide<V: Vectors>(&mut self, vectors: V, at: usize, wide: &Wide<V::Rare>) {
        let (earlier, later) = self.blocks.split_at_mut(at);
        let (Some(before), Some(block)) = (earlier.last(), later.first_mut()) else { return };
        block.take_runs(before, &wide.first);
        block.find_bigram_starts(before);
        let open = (before.dropped | before.space) >> 63 & block.of(Tally::GoesOn);
        if wide.first[first::MORE as usize] | open == 0 {
            return;
        }
        let found = vectors.rare(wide.rare);
        block.take_rare(before, &found);
        let cased = found[second::CASED as usize];
        each_bit(cased, |_, bit| {
            let place = at * BLOCK + bit as usize;
            if bit < REACHES {
                self.lower(place);
            } else {
                self.reaching.push(place as u32);
            }
        });
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

impl Block {
    #[inline(always)]
    fn take_ascii(&mut self, bytes: &Bytes) {
        let outside = self.outside;
        *self = Self {
            letters: bytes.letter,
            upper: bytes.upper,
            space: bytes.space,
            stop: bytes.stop,
            joint: bytes.joint,
            outside,
            ..Self::default()
        };
        *self.of_mut(Tally::GoesOn) = bytes.goes_on;
        *self.of_mut(Tally::Digits) = bytes.digit;
        *self.of_mut(Tally::Feeds) = bytes.feed;
        *self.of_mut(Tally::Questions) = bytes.question;
        *self.of_mut(Tally::Signs) = bytes.sign;
        *self.of_mut(Tally::AsciiLetters) = bytes.letter;
    }

    /// Takes the bits of the first plane.
    #[inline(always)]
    fn take_runs(&mut self, before: &Self, found: &[u64; 8]) {
        let goes_on = self.of(Tally::GoesOn);
        self.letters |= whole(goes_on, found[first::LETTERS as usize], before.letters);
        for (code, bits) in self.bigram.iter_mut().enumerate() {
            let found = found[first::BIGRAM as usize + code];
            *bits = whole(goes_on, found, before.bigram[code]);
        }
        let before = before.of(Tally::Digits);
        *self.of_mut(Tally::Digits) |= whole(goes_on, found[first::DIGIT as usize], before);
        *self.of_mut(Tally::WideLetters) = found[first::LETTER as usize];
        self.upper |= found[first::UPPER as usize];
    }

    /// Takes the bits of the second plane.
    #[inline(always)]
    fn take_rare(&mut self, before: &Self, found: &[u64; 8]) {
        let goes_on = self.of(Tally::GoesOn);
        let [space, stop, question, dropped, emoji, inherits, _, rare] = *found;
        self.space |= whole(goes_on, space, before.space);
        self.dropped = whole(goes_on, dropped, before.dropped);
        self.glue_marks = whole(goes_on, dropped & inherits, before.glue_marks);
        self.stop |= stop;
        *self.of_mut(Tally::Questions) |= question;
        *self.of_mut(Tally::Emoji) = emoji;
        *self.of_mut(Tally::Rare) = rare;
        if inherits & up(before.any_bigram(), self.any_bigram(), 1) != 0 {
            inherit(self, before, inherits);
            self.find_bigram_starts(before);
        }
    }
}

/// The bits of whole characters, from those of their first bytes and of the block before.
#[inline(always)]
const fn whole(goes_on: u64, first: u64, before: u64) -> u64 {
    first | reach(goes_on, first << 1 | before >> 63)
}

/// Marks without a script belong to the bigram run before them, if there is one.
#[cold]
#[inline(never)]
fn inherit(block: &mut Block, before: &Block, inherits: u64) {
    each_bit(inherits, |_, bit| {
        let is_behind = |code: usize| up(before.bigram[code], block.bigram[code], 1) >> bit & 1;
        let behind: [u64; 3] = std::array::from_fn(is_behind);
        if behind == [0; 3] {
            return;
        }
        let whole = 1 << bit | reach(block.of(Tally::GoesOn), 1 << bit << 1);
        block.letters &= !whole;
        for (bits, behind) in block.bigram.iter_mut().zip(behind) {
            *bits |= if behind != 0 { whole } else { 0 };
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
