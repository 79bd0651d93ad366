//! The operations on a block by intrinsics of AVX-512.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use turnwise_model::limits::TEXT_TOKENS_MAX;

use super::lanes::ops::{BLOCK, Edit, Found, LANES, Vectors, ascii_first, ascii_second};
use super::lanes::pages::{INVALID, Page, Pages, first, place};
use super::lanes::skim::{Skimmed, x86::skim};
use super::lanes::smallest::x86::smallest;
use crate::dispatch::Avx512;

impl Vectors for Avx512 {
    #[inline(always)]
    fn find(
        self,
        pages: &Pages,
        raw: &[u8; BLOCK],
        after: &[u8; BLOCK],
        low: &mut [u8; BLOCK],
        scripts: &mut [u8; BLOCK],
    ) -> Found {
        // SAFETY: `self` proves the features; the pointers are to 64 bytes each.
        unsafe {
            let here = _mm512_loadu_epi8(raw.as_ptr().cast());
            let wide = _mm512_movepi8_mask(here);
            let from_c0 = _mm512_cmpge_epu8_mask(here, splat(0xc0));
            let mut planes = Planes::of_ascii(here, !wide);
            // The bit of upper-case letters, moved down, is what makes them lower case.
            let upper = _mm512_and_si512(planes.first, splat(1 << first::UPPER));
            let lower = _mm512_or_si512(here, _mm512_srli_epi16(upper, first::UPPER - 5));
            _mm512_storeu_epi8(low.as_mut_ptr().cast(), lower);
            let kinds = ascii(&KINDS, here, !wide);
            let mut found = Found {
                first: [0; 8],
                second: [0; 8],
                wide,
                goes_on: wide & !from_c0,
                three: _mm512_cmpge_epu8_mask(here, splat(0xe0)),
                four: _mm512_cmpge_epu8_mask(here, splat(0xf0)),
                joint: _mm512_test_epi8_mask(kinds, splat(JOINT)),
                feed: _mm512_test_epi8_mask(kinds, splat(FEED)),
                sign: _mm512_test_epi8_mask(kinds, splat(SIGN)),
                invalid: 0,
            };
            if wide != 0 {
                planes.look_up_all(pages, [raw, after], here, &found);
                _mm512_storeu_epi8(scripts.as_mut_ptr().cast(), planes.script);
                found.invalid = _mm512_cmpeq_epi8_mask(planes.script, splat(INVALID));
            }
            found.first = bits(planes.first);
            found.second = bits(planes.second);
            found
        }
    }

    #[inline(always)]
    fn skim(self, text: &[u8]) -> Skimmed {
        // SAFETY: `self` proves the features.
        unsafe { skim(text) }
    }

    #[inline(always)]
    fn whole(self, goes_on: u64, which: u8, first: &[u64; 8], before: &[u64; 8]) -> [u64; 8] {
        let mut whole = [0; 8];
        // SAFETY: `self` proves the features; the pointers are to eight numbers each.
        unsafe {
            let goes_on = _mm512_maskz_set1_epi64(which, goes_on.cast_signed());
            let first = _mm512_loadu_epi64(first.as_ptr().cast());
            let before = _mm512_loadu_epi64(before.as_ptr().cast());
            let seeds = _mm512_and_si512(_mm512_shldi_epi64::<1>(first, before), goes_on);
            let reached = _mm512_andnot_si512(_mm512_add_epi64(goes_on, seeds), goes_on);
            _mm512_storeu_epi64(whole.as_mut_ptr().cast(), _mm512_or_si512(first, reached));
        }
        whole
    }

    #[inline(always)]
    fn packed(self, bits: u64, mask: u64) -> u64 {
        self.avx2().packed(bits, mask)
    }

    #[inline(always)]
    fn spread(self, bits: u64, mask: u64) -> u64 {
        self.avx2().spread(bits, mask)
    }

    #[inline(always)]
    fn equal(self, bytes: &[u8; BLOCK], byte: u8) -> u64 {
        // SAFETY: `self` proves the features; the pointer is to 64 bytes.
        unsafe {
            let bytes = _mm512_loadu_epi8(bytes.as_ptr().cast());
            _mm512_cmpeq_epi8_mask(bytes, splat(byte))
        }
    }

    #[inline(always)]
    fn goes_on(self, bytes: &[u8; BLOCK]) -> u64 {
        // SAFETY: `self` proves the features; the pointer is to 64 bytes.
        unsafe {
            let bytes = _mm512_loadu_epi8(bytes.as_ptr().cast());
            _mm512_cmplt_epi8_mask(bytes, splat(0xc0))
        }
    }

    #[inline(always)]
    fn places(self, bits: u64, base: u32, places: &mut [u32; BLOCK]) {
        // SAFETY: `self` proves the features; sixteen places are written four times at most.
        unsafe {
            let numbers = _mm512_loadu_epi8(NUMBERS.as_ptr().cast());
            let packed = _mm512_maskz_compress_epi8(bits, numbers);
            let base = _mm512_set1_epi32(base.cast_signed());
            let out = places.as_mut_ptr();
            let sixteen = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed));
            _mm512_storeu_epi32(out.cast(), _mm512_add_epi32(sixteen, base));
            if bits.count_ones() > 16 {
                let sixteen = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 1));
                _mm512_storeu_epi32(out.add(16).cast(), _mm512_add_epi32(sixteen, base));
                let sixteen = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 2));
                _mm512_storeu_epi32(out.add(32).cast(), _mm512_add_epi32(sixteen, base));
                let sixteen = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 3));
                _mm512_storeu_epi32(out.add(48).cast(), _mm512_add_epi32(sixteen, base));
            }
        }
    }

    #[inline(always)]
    fn mask(self, low: &[u8; BLOCK], edit: &Edit, masked: &mut [u8; BLOCK]) {
        // SAFETY: `self` proves the features; the pointers are to 64 bytes each.
        unsafe {
            let mut bytes = _mm512_loadu_epi8(low.as_ptr().cast());
            bytes = _mm512_mask_mov_epi8(bytes, edit.number, splat(b'0'));
            bytes = _mm512_mask_mov_epi8(bytes, edit.name, splat(b'n'));
            bytes = _mm512_mask_mov_epi8(bytes, edit.space, splat(b' '));
            bytes = _mm512_mask_mov_epi8(bytes, edit.url, splat(b'u'));
            bytes = _mm512_mask_mov_epi8(bytes, edit.address, splat(b'e'));
            let packed = _mm512_maskz_compress_epi8(edit.kept, bytes);
            _mm512_storeu_epi8(masked.as_mut_ptr().cast(), packed);
        }
    }

    #[inline(always)]
    fn smallest(self, list: &[u32], kept: &mut [u32; TEXT_TOKENS_MAX]) -> usize {
        // SAFETY: `self` proves the features; see there for the pointers.
        unsafe { smallest(list, kept) }
    }

    type Lanes = __m512i;

    #[inline(always)]
    fn all(self, number: u64) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_set1_epi64(number.cast_signed()) }
    }

    #[inline(always)]
    fn lanes(self, numbers: &[u64; LANES]) -> __m512i {
        // SAFETY: `self` proves the features; the pointer is to eight numbers.
        unsafe { _mm512_loadu_epi64(numbers.as_ptr().cast()) }
    }

    #[inline(always)]
    fn numbers(self, lanes: __m512i) -> [u64; LANES] {
        let mut numbers = [0; LANES];
        // SAFETY: `self` proves the features; the pointer is to eight numbers.
        unsafe { _mm512_storeu_epi64(numbers.as_mut_ptr().cast(), lanes) };
        numbers
    }

    #[inline(always)]
    fn words(self, buffer: &[u8], places: &[u32; LANES]) -> __m512i {
        // SAFETY: `self` proves the features; gathered are eight bytes each from places that have
        // as many behind them, and no place is beyond what a signed number holds.
        unsafe {
            let places = _mm256_loadu_epi32(places.as_ptr().cast());
            let bound = buffer.len().saturating_sub(8).min(i32::MAX as usize) as i32;
            let bound = _mm256_set1_epi32(bound);
            let inside = _mm256_cmple_epu32_mask(places, bound);
            let zero = _mm512_setzero_si512();
            _mm512_mask_i32gather_epi64::<1>(zero, inside, places, buffer.as_ptr().cast())
        }
    }

    #[inline(always)]
    fn add(self, one: __m512i, other: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_add_epi64(one, other) }
    }

    #[inline(always)]
    fn xor(self, one: __m512i, other: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_xor_si512(one, other) }
    }

    #[inline(always)]
    fn and(self, one: __m512i, other: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_and_si512(one, other) }
    }

    #[inline(always)]
    fn rotate<const BITS: i32>(self, lanes: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_rol_epi64::<BITS>(lanes) }
    }

    #[inline(always)]
    fn unless_negative(self, sign: __m512i, one: __m512i, other: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_mask_mov_epi64(one, _mm512_movepi64_mask(sign), other) }
    }

    #[inline(always)]
    fn any_from_eight(self, lanes: __m512i) -> bool {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_cmpgt_epi64_mask(lanes, _mm512_set1_epi64(7)) != 0 }
    }

    #[inline(always)]
    fn sip_word(self, word: __m512i, left: __m512i, length: __m512i) -> __m512i {
        // SAFETY: `self` proves the features.
        unsafe {
            // A shift by 64 and more gives zero, so a word of eight bytes and more stays whole.
            let one = _mm512_set1_epi64(1);
            let bits = _mm512_slli_epi64::<3>(left);
            let within = _mm512_sub_epi64(_mm512_sllv_epi64(one, bits), one);
            let ends = _mm512_cmplt_epi64_mask(left, _mm512_set1_epi64(8));
            let word = _mm512_and_si512(word, within);
            _mm512_mask_or_epi64(word, ends, word, _mm512_slli_epi64::<56>(length))
        }
    }
}

const JOINT: u8 = 1;
const FEED: u8 = 2;
const SIGN: u8 = 4;

/// Tables of ASCII.
static FIRST: [u8; 128] = tables()[0];
static SECOND: [u8; 128] = tables()[1];
static KINDS: [u8; 128] = tables()[2];

const fn tables() -> [[u8; 128]; 3] {
    let mut tables = [[0; 128]; 3];
    let mut at = 0;
    while at < 128 {
        tables[0][at] = ascii_first(at as u8);
        tables[1][at] = ascii_second(at as u8);
        tables[2][at] = match at as u8 {
            b'\n' => FEED,
            b'.' | b',' | b':' | b'/' | b'-' | b'\'' => JOINT,
            b'`' | b'*' | b'_' | b'#' | b'@' | b';' => SIGN,
            _ => 0,
        };
        at += 1;
    }
    tables
}

/// 0 to 63.
static NUMBERS: [u8; BLOCK] = {
    let mut numbers = [0; BLOCK];
    let mut at = 0;
    while at < BLOCK {
        numbers[at] = at as u8;
        at += 1;
    }
    numbers
};

/// # Safety
/// The processor has AVX-512 F and BW.
#[inline(always)]
unsafe fn splat(byte: u8) -> __m512i {
    // SAFETY: as the caller says.
    unsafe { _mm512_set1_epi8(byte.cast_signed()) }
}

/// What a table says of the bytes that are ASCII.
///
/// # Safety
/// The processor has AVX-512 VBMI.
#[inline(always)]
unsafe fn ascii(table: &[u8; 128], bytes: __m512i, which: u64) -> __m512i {
    // SAFETY: as the caller says; the loads are of the two halves of the table.
    unsafe {
        let low = _mm512_loadu_epi8(table.as_ptr().cast());
        let high = _mm512_loadu_epi8(table.as_ptr().add(64).cast());
        _mm512_maskz_permutex2var_epi8(which, low, bytes, high)
    }
}

/// By bits: the bytes that have it.
///
/// # Safety
/// The processor has AVX-512 BW.
#[inline(always)]
unsafe fn bits(plane: __m512i) -> [u64; 8] {
    // SAFETY: as the caller says.
    unsafe { std::array::from_fn(|bit| _mm512_test_epi8_mask(plane, splat(1 << bit))) }
}

/// Places in their pages of characters with these two last bytes.
///
/// # Safety
/// The processor has AVX-512 F and BW.
#[inline(always)]
unsafe fn place_in_page(last_but_one: __m512i, last: __m512i) -> __m512i {
    // SAFETY: as the caller says.
    unsafe {
        let high = _mm512_slli_epi16(_mm512_and_si512(last_but_one, splat(1)), 6);
        _mm512_or_si512(high, _mm512_and_si512(last, splat(63)))
    }
}

/// Where two bytes are from `first` to `last`, the one before being the higher.
///
/// # Safety
/// The processor has AVX-512 F and BW.
#[inline(always)]
unsafe fn between(high: __m512i, low: __m512i, first: [u8; 2], last: [u8; 2]) -> u64 {
    // SAFETY: as the caller says.
    unsafe {
        let above = _mm512_cmpgt_epu8_mask(high, splat(first[0]))
            & _mm512_cmplt_epu8_mask(high, splat(last[0]));
        let at_first = _mm512_cmpeq_epi8_mask(high, splat(first[0]))
            & _mm512_cmpge_epu8_mask(low, splat(first[1]));
        let at_last = _mm512_cmpeq_epi8_mask(high, splat(last[0]))
            & _mm512_cmple_epu8_mask(low, splat(last[1]));
        above | at_first | at_last
    }
}

/// The planes of a block's characters, at their first bytes.
struct Planes {
    first: __m512i,
    second: __m512i,
    script: __m512i,
}

impl Planes {
    /// # Safety
    /// The processor has AVX-512 VBMI.
    #[inline(always)]
    unsafe fn of_ascii(bytes: __m512i, which: u64) -> Self {
        // SAFETY: as the caller says.
        unsafe {
            Self {
                first: ascii(&FIRST, bytes, which),
                second: ascii(&SECOND, bytes, which),
                script: _mm512_setzero_si512(),
            }
        }
    }

    /// Looks up the characters beyond ASCII that begin in a block, all of a page at once.
    ///
    /// # Safety
    /// The processor has AVX-512 VBMI.
    #[inline(always)]
    unsafe fn look_up_all(
        &mut self,
        pages: &Pages,
        [raw, after]: [&[u8; BLOCK]; 2],
        here: __m512i,
        found: &Found,
    ) {
        // SAFETY: as the caller says; the loads are of 64 bytes each.
        unsafe {
            let (three, four) = (found.three, found.four);
            let behind = _mm512_loadu_epi8(after.as_ptr().cast());
            let numbers = _mm512_loadu_epi8(NUMBERS.as_ptr().cast());
            let next = _mm512_add_epi8(numbers, splat(1));
            let next = _mm512_permutex2var_epi8(here, next, behind);
            let last = _mm512_add_epi8(numbers, splat(2));
            let last = _mm512_permutex2var_epi8(here, last, behind);
            let two = place_in_page(here, next);
            let places = _mm512_mask_mov_epi8(two, three, place_in_page(next, last));
            // What names the page: of two bytes the first but its lowest bit, of three the
            // first and the second but its lowest bit.
            let even = splat(0xfe);
            let lead_key = _mm512_mask_mov_epi8(_mm512_and_si512(here, even), three, here);
            let next_key = _mm512_maskz_mov_epi8(three, _mm512_and_si512(next, even));
            let byte = |at: usize| if at < BLOCK { raw[at] } else { after[at - BLOCK] };
            let leads = found.wide & !found.goes_on;
            let mut left = leads & !four;
            if left & _mm512_cmpge_epu8_mask(here, splat(0xe4)) != 0 {
                // Han and Hangul are so many pages of one content each that they are told by
                // their range: U+4E00 to 9FBF and U+AC00 to D77F.
                let han = left & between(here, next, [0xe4, 0xb8], [0xe9, 0xbe]);
                let hangul = left & between(here, next, [0xea, 0xb0], [0xed, 0x9d]);
                self.fill(han, pages.near(0xe4, 0xb8));
                self.fill(hangul, pages.near(0xea, 0xb0));
                left &= !(han | hangul);
            }
            while left != 0 {
                let at = left.trailing_zeros() as usize;
                let (lead, second) = (raw[at], byte(at + 1));
                let is_three = lead >= 0xe0;
                let (first_key, second_key) =
                    if is_three { (lead, second & 0xfe) } else { (lead & 0xfe, 0) };
                let same = _mm512_mask_cmpeq_epi8_mask(left, lead_key, splat(first_key));
                let same = _mm512_mask_cmpeq_epi8_mask(same, next_key, splat(second_key));
                self.look_up(same, pages.near(lead, second), places);
                left &= !same;
            }
            let mut left = leads & four;
            while left != 0 {
                let at = left.trailing_zeros() as usize;
                let bytes = [raw[at], byte(at + 1), byte(at + 2), byte(at + 3)];
                self.put(at as u32, pages.far(bytes), place(bytes[2], bytes[3]));
                left &= left - 1;
            }
        }
    }

    /// Takes those of the characters `which` from their page.
    ///
    /// # Safety
    /// The processor has AVX-512 VBMI.
    #[inline(always)]
    unsafe fn look_up(&mut self, which: u64, page: &Page, places: __m512i) {
        // SAFETY: as the caller says; a plane of a page has 128 bytes.
        unsafe {
            let take = |plane: &[u8; 128], before| {
                let low = _mm512_loadu_epi8(plane.as_ptr().cast());
                let high = _mm512_loadu_epi8(plane.as_ptr().add(64).cast());
                let found = _mm512_permutex2var_epi8(low, places, high);
                _mm512_mask_mov_epi8(before, which, found)
            };
            self.first = take(&page.first, self.first);
            self.second = take(&page.second, self.second);
            self.script = take(&page.script, self.script);
        }
    }

    /// Takes those of the characters `which` from a page that has one content.
    ///
    /// # Safety
    /// The processor has AVX-512 BW.
    #[inline(always)]
    unsafe fn fill(&mut self, which: u64, page: &Page) {
        // SAFETY: as the caller says.
        unsafe {
            self.first = _mm512_mask_mov_epi8(self.first, which, splat(page.first[0]));
            self.second = _mm512_mask_mov_epi8(self.second, which, splat(page.second[0]));
            self.script = _mm512_mask_mov_epi8(self.script, which, splat(page.script[0]));
        }
    }

    /// Takes those of one character.
    ///
    /// # Safety
    /// The processor has AVX-512 BW.
    #[inline(always)]
    unsafe fn put(&mut self, bit: u32, page: &Page, place: usize) {
        // SAFETY: as the caller says.
        unsafe {
            let take = |plane: &[u8; 128], before| {
                _mm512_mask_mov_epi8(before, 1 << bit, splat(plane[place]))
            };
            self.first = take(&page.first, self.first);
            self.second = take(&page.second, self.second);
            self.script = take(&page.script, self.script);
        }
    }
}
