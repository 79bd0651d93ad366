//! The operations on a block by intrinsics of AVX-512.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::lanes::ops::{BLOCK, Bytes, Edit, Leads, Vectors, Wide, each_bit};
use super::lanes::pages::{INVALID, Page, Pages, place};
use crate::dispatch::Avx512;

impl Vectors for Avx512 {
    #[inline(always)]
    fn bytes(self, raw: &[u8; BLOCK], low: &mut [u8; BLOCK]) -> Bytes {
        // SAFETY: `self` proves the features; the pointers are to 64 bytes each.
        unsafe {
            let raw = _mm512_loadu_epi8(raw.as_ptr().cast());
            let is = |byte: u8| _mm512_cmpeq_epi8_mask(raw, splat(byte));
            let from = |byte: u8| _mm512_cmpge_epu8_mask(raw, splat(byte));
            let within = |first: u8, last: u8, raw| {
                let offset = _mm512_sub_epi8(raw, splat(first));
                _mm512_cmple_epu8_mask(offset, splat(last - first))
            };
            let upper = within(b'A', b'Z', raw);
            let folded = _mm512_or_si512(raw, splat(0x20));
            let lower = _mm512_mask_mov_epi8(raw, upper, folded);
            _mm512_storeu_epi8(low.as_mut_ptr().cast(), lower);
            let wide = _mm512_movepi8_mask(raw);
            let lead = from(0xc0);
            // The punctuation that is told apart has its kinds in these tables by its low bits.
            let kinds = _mm512_permutex2var_epi8(table(0), raw, table(64));
            let kind = |kind: u8| _mm512_mask_test_epi8_mask(!wide, kinds, splat(kind));
            Bytes {
                wide,
                goes_on: wide & !lead,
                three: from(0xe0),
                four: from(0xf0),
                letter: within(b'a', b'z', folded),
                upper,
                digit: within(b'0', b'9', raw),
                space: kind(SPACE),
                feed: is(b'\n'),
                question: is(b'?'),
                stop: kind(STOP),
                joint: kind(JOINT),
                sign: kind(SIGN),
            }
        }
    }

    #[inline(always)]
    fn wide(
        self,
        pages: &Pages,
        raw: &[u8; BLOCK + 4],
        leads: Leads,
        scripts: &mut [u8; BLOCK],
    ) -> Wide {
        // SAFETY: `self` proves the features; the loads end three bytes behind the block at most.
        unsafe {
            let mut planes = Planes::none();
            let here = _mm512_loadu_epi8(raw.as_ptr().cast());
            let next = _mm512_loadu_epi8(raw.as_ptr().add(1).cast());
            let last = _mm512_loadu_epi8(raw.as_ptr().add(2).cast());
            let two = place_in_page(here, next);
            let places = _mm512_mask_mov_epi8(two, leads.three, place_in_page(next, last));
            // What names the page: of two bytes the first but its lowest bit, of three the
            // first and the second but its lowest bit.
            let even = splat(0xfe);
            let lead_key = _mm512_mask_mov_epi8(_mm512_and_si512(here, even), leads.three, here);
            let next_key = _mm512_maskz_mov_epi8(leads.three, _mm512_and_si512(next, even));
            let mut left = leads.all & !leads.four;
            while left != 0 {
                let at = left.trailing_zeros() as usize;
                let (lead, second) = (raw[at], raw[at + 1]);
                let page = pages.near(lead, second);
                let three = lead >= 0xe0;
                let (first_key, second_key) =
                    if three { (lead, second & 0xfe) } else { (lead & 0xfe, 0) };
                let same = _mm512_mask_cmpeq_epi8_mask(left, lead_key, splat(first_key));
                let same = _mm512_mask_cmpeq_epi8_mask(same, next_key, splat(second_key));
                planes.look_up(same, page, places);
                left &= !same;
            }
            if leads.four & leads.all != 0 {
                each_bit(leads.four & leads.all, |_, bit| {
                    let at = bit as usize;
                    let bytes = [raw[at], raw[at + 1], raw[at + 2], raw[at + 3]];
                    planes.put(bit, pages.far(bytes), place(bytes[2], bytes[3]));
                });
            }
            _mm512_storeu_epi8(scripts.as_mut_ptr().cast(), planes.script);
            planes.masks()
        }
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
}

const SPACE: u8 = 1;
const STOP: u8 = 2;
const JOINT: u8 = 4;
const SIGN: u8 = 8;

/// The kinds of ASCII punctuation and white space.
static KINDS: [u8; 128] = kinds();

const fn kinds() -> [u8; 128] {
    let mut kinds = [0; 128];
    let mut at = 0;
    while at < 128 {
        kinds[at] = match at as u8 {
            b'\n' => SPACE | STOP,
            b' ' | 9..=13 => SPACE,
            b'.' => STOP | JOINT,
            b'!' | b'?' => STOP,
            b',' | b':' | b'/' | b'-' | b'\'' => JOINT,
            b'`' | b'*' | b'_' | b'#' | b'@' | b';' => SIGN,
            _ => 0,
        };
        at += 1;
    }
    kinds
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

/// Half of the table of kinds.
///
/// # Safety
/// The processor has AVX-512 F and BW; `from` is 0 or 64.
#[inline(always)]
unsafe fn table(from: usize) -> __m512i {
    // SAFETY: as the caller says.
    unsafe { _mm512_loadu_epi8(KINDS.as_ptr().add(from).cast()) }
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

/// The planes of a block's characters, at their first bytes.
struct Planes {
    first: __m512i,
    second: __m512i,
    script: __m512i,
}

impl Planes {
    /// # Safety
    /// The processor has AVX-512 F and BW.
    #[inline(always)]
    unsafe fn none() -> Self {
        // SAFETY: as the caller says.
        let zero = unsafe { _mm512_setzero_si512() };
        Self { first: zero, second: zero, script: zero }
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

    /// # Safety
    /// The processor has AVX-512 BW.
    #[inline(always)]
    unsafe fn masks(&self) -> Wide {
        // SAFETY: as the caller says.
        unsafe {
            let with = |plane, bit: usize| _mm512_test_epi8_mask(plane, splat(1 << bit));
            Wide {
                first: std::array::from_fn(|bit| with(self.first, bit)),
                second: std::array::from_fn(|bit| with(self.second, bit)),
                invalid: _mm512_cmpeq_epi8_mask(self.script, splat(INVALID)),
            }
        }
    }
}
