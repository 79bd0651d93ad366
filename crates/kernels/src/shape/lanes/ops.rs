//! The few operations on a block that instruction sets do in their own ways, and the plain way.
//!
//! Plain loops over 64 bytes have no branches and no carried state, so the compiler makes vectors
//! of whatever width it may use. `shape/x86.rs` and `shape/avx2/x86.rs` have the same operations by
//! intrinsics.

use turnwise_model::limits::TEXT_TOKENS_MAX;

use super::block::reach;
use super::pages::{INVALID, Pages, first, place, second};
use super::skim::Skimmed;
use super::smallest::smallest;

/// Bytes of a block.
pub(in super::super) const BLOCK: usize = 64;

/// What the characters of a block are, a bit a byte.
#[derive(Clone, Copy)]
pub(in super::super) struct Found {
    /// By bits of the first plane: first bytes of the characters that have it.
    pub(in super::super) first: [u64; 8],
    /// By bits of the second plane: first bytes of the characters that have it.
    pub(in super::super) second: [u64; 8],
    /// Bytes beyond ASCII.
    pub(in super::super) wide: u64,
    /// Bytes 80 to BF: they go on with a character.
    pub(in super::super) goes_on: u64,
    /// Bytes E0 and more: they begin a character of three bytes or more.
    pub(in super::super) three: u64,
    /// Bytes F0 and more.
    pub(in super::super) four: u64,
    /// `. , : / - '`.
    pub(in super::super) joint: u64,
    /// Line feeds.
    pub(in super::super) feed: u64,
    /// `` ` * _ # @ ; ``.
    pub(in super::super) sign: u64,
    /// Bytes that are no character.
    pub(in super::super) invalid: u64,
}

/// How a block of lower-cased text becomes masked text.
#[derive(Clone, Copy)]
pub(in super::super) struct Edit {
    /// Bytes that stay; those below at least.
    pub(in super::super) kept: u64,
    /// Become `0`.
    pub(in super::super) number: u64,
    /// Become `n`.
    pub(in super::super) name: u64,
    /// Become a space.
    pub(in super::super) space: u64,
    /// Become `u`.
    pub(in super::super) url: u64,
    /// Become `e`.
    pub(in super::super) address: u64,
}

/// Operations on a block.
pub(in super::super) trait Vectors: Copy {
    /// Tells the characters of a block apart, of those beyond ASCII which begin in it. Writes the
    /// block with ASCII letters in lower case, and the codes of the scripts where characters beyond
    /// ASCII begin. `after` is the block behind it.
    fn find(
        self,
        pages: &Pages,
        raw: &[u8; BLOCK],
        after: &[u8; BLOCK],
        low: &mut [u8; BLOCK],
        scripts: &mut [u8; BLOCK],
    ) -> Found;

    /// What the bytes of a text of UTF-8 tell.
    fn skim(self, text: &[u8]) -> Skimmed;

    /// The bits of whole characters from those of their first bytes, and from what the bits of
    /// the block before are. Those that are not among `which` are left as they are.
    fn whole(self, goes_on: u64, which: u8, first: &[u64; 8], before: &[u64; 8]) -> [u64; 8];

    /// The bits of `bits` where `mask` has ones, side by side.
    fn packed(self, bits: u64, mask: u64) -> u64;

    /// The lowest bits of `bits`, in their order, where `mask` has ones.
    fn spread(self, bits: u64, mask: u64) -> u64;

    /// Where a byte stands.
    fn equal(self, bytes: &[u8; BLOCK], byte: u8) -> u64;

    /// Where bytes stand that go on with a character.
    fn goes_on(self, bytes: &[u8; BLOCK]) -> u64;

    /// Writes the numbers of the set bits, `base` added, to the beginning of `places`, the rest of
    /// which it may overwrite with anything.
    fn places(self, bits: u64, base: u32, places: &mut [u32; BLOCK]);

    /// Writes the kept bytes of a block side by side to the beginning of `masked`, the rest of
    /// which it may overwrite with anything.
    fn mask(self, low: &[u8; BLOCK], edit: &Edit, masked: &mut [u8; BLOCK]);

    /// Writes the smallest distinct numbers of a list, ascending, to the beginning of `kept`,
    /// the rest of which it may overwrite with anything; tells how many.
    fn smallest(self, list: &[u32], kept: &mut [u32; TEXT_TOKENS_MAX]) -> usize;

    /// Eight numbers of 64 bits.
    type Lanes: Copy;

    /// Eight times the same.
    fn all(self, number: u64) -> Self::Lanes;

    /// Eight given ones.
    fn lanes(self, numbers: &[u64; LANES]) -> Self::Lanes;

    /// The eight of a vector.
    fn numbers(self, lanes: Self::Lanes) -> [u64; LANES];

    /// Eight bytes each from eight places of a buffer, little endian. From places that have fewer
    /// behind them comes anything.
    fn words(self, buffer: &[u8], places: &[u32; LANES]) -> Self::Lanes;

    /// Wrapping sums.
    fn add(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;

    /// Exclusive ors.
    fn xor(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;

    /// Ands.
    fn and(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes;

    /// Rotates to the left.
    fn rotate<const BITS: i32>(self, lanes: Self::Lanes) -> Self::Lanes;

    /// The lanes of `one`, but of `other` where `sign` as a signed number is negative.
    fn unless_negative(
        self,
        sign: Self::Lanes,
        one: Self::Lanes,
        other: Self::Lanes,
    ) -> Self::Lanes;

    /// Whether a lane, as a signed number, is 8 or more.
    fn any_from_eight(self, lanes: Self::Lanes) -> bool;

    /// What SipHash takes in of a word of an input of which `left` bytes are left: where these
    /// are fewer than eight, no others, and the length of it all in the highest byte. Where
    /// `left` is negative, anything.
    fn sip_word(self, word: Self::Lanes, left: Self::Lanes, length: Self::Lanes) -> Self::Lanes;
}

/// Numbers side by side.
pub(in super::super) const LANES: usize = 8;

/// Plain loops.
#[derive(Clone, Copy)]
pub(in super::super) struct Plain;

impl Vectors for Plain {
    #[inline(always)]
    fn find(
        self,
        pages: &Pages,
        raw: &[u8; BLOCK],
        after: &[u8; BLOCK],
        low: &mut [u8; BLOCK],
        scripts: &mut [u8; BLOCK],
    ) -> Found {
        let mut planes = Planes { first: [0; BLOCK], second: [0; BLOCK] };
        for at in 0..BLOCK {
            low[at] = raw[at] | u8::from(raw[at].is_ascii_uppercase()) << 5;
            planes.first[at] = ascii_first(raw[at]);
            planes.second[at] = ascii_second(raw[at]);
        }
        let wide = bits(raw, |byte| byte >= 0x80);
        let goes_on = self.goes_on(raw);
        let mut invalid = 0;
        if wide != 0 {
            planes.look_up(pages, raw, after, wide & !goes_on, scripts);
            invalid = bits(scripts, |byte| byte == INVALID);
        }
        Found {
            first: std::array::from_fn(|bit| bits(&planes.first, |byte| byte >> bit & 1 != 0)),
            second: std::array::from_fn(|bit| bits(&planes.second, |byte| byte >> bit & 1 != 0)),
            wide,
            goes_on,
            three: bits(raw, |byte| byte >= 0xe0),
            four: bits(raw, |byte| byte >= 0xf0),
            joint: bits(raw, |byte| matches!(byte, b'.' | b',' | b':' | b'/' | b'-' | b'\'')),
            feed: bits(raw, |byte| byte == b'\n'),
            sign: bits(raw, |byte| matches!(byte, b'`' | b'*' | b'_' | b'#' | b'@' | b';')),
            invalid,
        }
    }

    #[inline(always)]
    fn skim(self, text: &[u8]) -> Skimmed {
        Skimmed::plain(text)
    }

    #[inline(always)]
    fn whole(self, goes_on: u64, which: u8, first: &[u64; 8], before: &[u64; 8]) -> [u64; 8] {
        std::array::from_fn(|bit| {
            let goes_on = if which >> bit & 1 == 0 { 0 } else { goes_on };
            first[bit] | reach(goes_on, first[bit] << 1 | before[bit] >> 63)
        })
    }

    #[inline(always)]
    fn packed(self, bits: u64, mask: u64) -> u64 {
        if mask == u64::MAX || bits == 0 {
            return bits;
        }
        let mut packed = 0;
        each_bit(mask, |count, bit| packed |= (bits >> bit & 1) << count);
        packed
    }

    #[inline(always)]
    fn spread(self, bits: u64, mask: u64) -> u64 {
        if mask == u64::MAX || bits == 0 {
            return bits;
        }
        let mut spread = 0;
        each_bit(mask, |count, bit| spread |= (bits >> count & 1) << bit);
        spread
    }

    #[inline(always)]
    fn equal(self, bytes: &[u8; BLOCK], byte: u8) -> u64 {
        bits(bytes, |one| one == byte)
    }

    #[inline(always)]
    fn goes_on(self, bytes: &[u8; BLOCK]) -> u64 {
        bits(bytes, |byte| byte & 0xc0 == 0x80)
    }

    #[inline(always)]
    fn places(self, bits: u64, base: u32, places: &mut [u32; BLOCK]) {
        each_bit(bits, |count, bit| places[count] = base + bit);
    }

    #[inline(always)]
    fn mask(self, low: &[u8; BLOCK], edit: &Edit, masked: &mut [u8; BLOCK]) {
        let edited = edited(low, edit);
        each_bit(edit.kept, |count, bit| masked[count] = edited[bit as usize]);
    }

    #[inline(always)]
    fn smallest(self, list: &[u32], kept: &mut [u32; TEXT_TOKENS_MAX]) -> usize {
        smallest(list, kept)
    }

    type Lanes = [u64; LANES];

    #[inline(always)]
    fn all(self, number: u64) -> Self::Lanes {
        [number; LANES]
    }

    #[inline(always)]
    fn lanes(self, numbers: &[u64; LANES]) -> Self::Lanes {
        *numbers
    }

    #[inline(always)]
    fn numbers(self, lanes: Self::Lanes) -> [u64; LANES] {
        lanes
    }

    #[inline(always)]
    fn words(self, buffer: &[u8], places: &[u32; LANES]) -> Self::Lanes {
        places.map(|place| {
            let word = buffer.get(place as usize..).and_then(|rest| rest.first_chunk());
            word.map_or(0, |word| u64::from_le_bytes(*word))
        })
    }

    #[inline(always)]
    fn add(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes {
        each(|lane| one[lane].wrapping_add(other[lane]))
    }

    #[inline(always)]
    fn xor(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes {
        each(|lane| one[lane] ^ other[lane])
    }

    #[inline(always)]
    fn and(self, one: Self::Lanes, other: Self::Lanes) -> Self::Lanes {
        each(|lane| one[lane] & other[lane])
    }

    #[inline(always)]
    fn rotate<const BITS: i32>(self, lanes: Self::Lanes) -> Self::Lanes {
        each(|lane| lanes[lane].rotate_left(BITS.cast_unsigned()))
    }

    #[inline(always)]
    fn unless_negative(
        self,
        sign: Self::Lanes,
        one: Self::Lanes,
        other: Self::Lanes,
    ) -> Self::Lanes {
        each(|lane| if sign[lane].cast_signed() < 0 { other[lane] } else { one[lane] })
    }

    #[inline(always)]
    fn any_from_eight(self, lanes: Self::Lanes) -> bool {
        lanes.iter().fold(false, |any, lane| any | (lane.cast_signed() >= 8))
    }

    #[inline(always)]
    fn sip_word(self, word: Self::Lanes, left: Self::Lanes, length: Self::Lanes) -> Self::Lanes {
        each(|lane| {
            let last = word[lane] & !(u64::MAX << (left[lane] << 3 & 63)) | length[lane] << 56;
            if left[lane] < 8 { last } else { word[lane] }
        })
    }
}

#[inline(always)]
fn each(lane: impl FnMut(usize) -> u64) -> [u64; LANES] {
    std::array::from_fn(lane)
}

/// The bits of the first plane of a byte that is ASCII, else none.
pub(in super::super) const fn ascii_first(byte: u8) -> u8 {
    let (letter, upper) = (byte.is_ascii_alphabetic() as u8, byte.is_ascii_uppercase() as u8);
    letter << first::LETTERS
        | letter << first::LETTER
        | upper << first::UPPER
        | (byte.is_ascii_digit() as u8) << first::DIGIT
}

/// The bits of the second plane of a byte that is ASCII, else none.
pub(in super::super) const fn ascii_second(byte: u8) -> u8 {
    let space = matches!(byte, b' ' | 9..=13) as u8;
    let stop = matches!(byte, b'.' | b'!' | b'?' | b'\n') as u8;
    space << second::SPACE | stop << second::STOP | ((byte == b'?') as u8) << second::QUESTION
}

/// The planes of a block's characters, at their first bytes.
pub(in super::super) struct Planes {
    pub(in super::super) first: [u8; BLOCK],
    pub(in super::super) second: [u8; BLOCK],
}

impl Planes {
    /// Looks up one character beyond ASCII after the other: those that begin at `leads`.
    #[inline(always)]
    pub(in super::super) fn look_up(
        &mut self,
        pages: &Pages,
        raw: &[u8; BLOCK],
        after: &[u8; BLOCK],
        leads: u64,
        scripts: &mut [u8; BLOCK],
    ) {
        let mut all = [0; 2 * BLOCK];
        all[..BLOCK].copy_from_slice(raw);
        all[BLOCK..].copy_from_slice(after);
        *scripts = [0; BLOCK];
        each_bit(leads, |_, bit| {
            let at = bit as usize % BLOCK;
            let bytes = [all[at], all[at + 1], all[at + 2], all[at + 3]];
            let (page, place) = match bytes[0] {
                0..0xe0 => (pages.near(bytes[0], bytes[1]), place(bytes[0], bytes[1])),
                0xe0..0xf0 => (pages.near(bytes[0], bytes[1]), place(bytes[1], bytes[2])),
                _ => (pages.far(bytes), place(bytes[2], bytes[3])),
            };
            self.first[at] = page.first[place];
            self.second[at] = page.second[place];
            scripts[at] = page.script[place];
        });
    }
}

/// The bytes of a block with what an edit puts in their place.
#[inline(always)]
pub(in super::super) fn edited(low: &[u8; BLOCK], edit: &Edit) -> [u8; BLOCK] {
    let mut edited = *low;
    let mut put = |bits: u64, byte: u8| each_bit(bits, |_, bit| edited[bit as usize] = byte);
    put(edit.number, b'0');
    put(edit.name, b'n');
    put(edit.space, b' ');
    put(edit.url, b'u');
    put(edit.address, b'e');
    edited
}

/// Calls with the count of set bits before and the number of each set bit, ascending.
#[inline(always)]
pub(in super::super) fn each_bit(bits: u64, mut each: impl FnMut(usize, u32)) {
    let mut left = bits;
    let mut count = 0;
    while left != 0 {
        each(count, left.trailing_zeros());
        left &= left - 1;
        count += 1;
    }
}

/// Where a condition holds.
#[inline(always)]
fn bits(bytes: &[u8; BLOCK], holds: impl Fn(u8) -> bool) -> u64 {
    let mut ones = [0_u8; BLOCK];
    for at in 0..BLOCK {
        ones[at] = u8::from(holds(bytes[at]));
    }
    let mut bits = 0;
    for (at, eight) in ones.as_chunks::<8>().0.iter().enumerate() {
        // The lowest bits of eight bytes meet in the highest byte of the product.
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (at * 8);
    }
    bits
}
