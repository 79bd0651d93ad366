//! First pass over a chunk: what every character is.
//!
//! A block at a time, the bytes are told apart, the characters beyond ASCII looked up, and what is
//! found is spread over all bytes of a character. On the way the lower-cased text is written,
//! and it is checked that all is UTF-8.

use super::block::{Block, reach, up};
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
                    self.take_wide(at, &wide);
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
    fn take_wide(&mut self, at: usize, wide: &Wide) {
        let before = self.blocks[at - 1];
        let block = &mut self.blocks[at];
        let goes_on = block.goes_on;
        // The bits of whole characters, from those of their first bytes.
        let whole = |first: u64, before: u64| first | reach(goes_on, first << 1 | before >> 63);
        let found = |bit: u32| wide.first[bit as usize];
        block.letters |= whole(block.letters | found(first::LETTERS), before.letters);
        for (code, bits) in block.bigram.iter_mut().enumerate() {
            *bits = whole(found(first::BIGRAM + code as u32), before.bigram[code]);
        }
        block.digits |= whole(block.digits | found(first::DIGIT), before.digits);
        block.letter |= found(first::LETTER);
        block.upper |= found(first::UPPER);
        let found = |bit: u32| wide.second[bit as usize];
        block.space |= whole(block.space | found(second::SPACE), before.space);
        block.dropped = whole(found(second::DROPPED), before.dropped);
        let glue_marks = found(second::DROPPED) & found(second::INHERITS);
        block.glue_marks = whole(glue_marks, before.glue_marks);
        block.stop |= found(second::STOP);
        block.question |= found(second::QUESTION);
        block.emoji = found(second::EMOJI);
        block.rare = found(second::RARE);
        let inherits = found(second::INHERITS);
        if inherits & up(before.any_bigram(), block.any_bigram(), 1) != 0 {
            inherit(block, &before, inherits);
        }
        let cased = found(second::CASED);
        if cased != 0 {
            each_bit(cased, |_, bit| {
                let place = at * BLOCK + bit as usize;
                if bit < REACHES {
                    self.lower(place);
                } else {
                    self.reaching.push(place as u32);
                }
            });
        }
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
        *self = Self {
            goes_on: bytes.goes_on,
            letters: bytes.letter,
            digits: bytes.digit,
            letter: bytes.letter,
            ascii_letter: bytes.letter,
            upper: bytes.upper,
            space: bytes.space,
            stop: bytes.stop,
            joint: bytes.joint,
            question: bytes.question,
            feed: bytes.feed,
            sign: bytes.sign,
            outside: self.outside,
            ..Self::default()
        };
    }
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
        let whole = 1 << bit | reach(block.goes_on, 1 << bit << 1);
        block.letters &= !whole;
        for (bits, behind) in block.bigram.iter_mut().zip(behind) {
            *bits |= if behind != 0 { whole } else { 0 };
        }
    });
}

/// The character that begins at a byte; none where no character does.
pub(super) fn char_at(bytes: &[u8], from: usize) -> Option<char> {
    let length = match bytes[from] {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    let text = std::str::from_utf8(bytes.get(from..from + length)?).ok()?;
    text.chars().next()
}
