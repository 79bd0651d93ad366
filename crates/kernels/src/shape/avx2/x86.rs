//! The operations on a block by intrinsics of AVX2: the two halves of a block side by side. They gain
//! that the shape of a text takes 0.4 of the time that lanes take with AVX2 on, and skimming half
//! (`benches/shape.rs`; PERFORMANCE.md).
//!
//! Helpers are functions and macros, no closures: an intrinsic becomes a part only of what is
//! compiled for its instruction set.
#![allow(unsafe_code)]

use std::arch::{asm, x86_64::*};

use turnwise_model::limits::TEXT_TOKENS_MAX;

use super::super::lanes::ops::{BLOCK, Edit, Found, LANES, Plain, Planes, Vectors};
use super::super::lanes::pages::{INVALID, Pages, first, second};
use super::super::lanes::skim::{Skimmed, x86::skim_by_halves};
use crate::dispatch::Avx2;

/// 64 bytes, or eight numbers of 64 bits.
type Halves = [__m256i; 2];

/// Does the same with each half, and with those of other values.
macro_rules! each_half {
    ($operation:path, $($value:expr),+) => {
        [$operation($($value[0]),+), $operation($($value[1]),+)]
    };
}

/// Bytes of a half.
const HALF: usize = BLOCK / 2;

impl Vectors for Avx2 {
    #[inline(always)]
    fn find(
        self,
        pages: &Pages,
        raw: &[u8; BLOCK],
        after: &[u8; BLOCK],
        low: &mut [u8; BLOCK],
        scripts: &mut [u8; BLOCK],
    ) -> Found {
        // SAFETY: `self` proves the features; loads and stores are of 64 bytes each.
        unsafe {
            let here = load(raw);
            let wide = mask(here);
            let case = [splat(0x20); 2];
            let letter = between(each_half!(_mm256_or_si256, here, case), b'a', b'z');
            let upper = between(here, b'A', b'Z');
            let lower = each_half!(_mm256_and_si256, upper, case);
            store(low, each_half!(_mm256_or_si256, here, lower));
            let feed = equal(here, b'\n');
            let space = or(equal(here, b' '), between(here, b'\t', b'\r'));
            let question = equal(here, b'?');
            let point = equal(here, b'.');
            let stop = or(or(point, equal(here, b'!')), or(question, feed));
            // A comma, a hyphen, a point and a slash follow each other.
            let joint = or(between(here, b',', b'/'), or(equal(here, b':'), equal(here, b'\'')));
            let at_or_tick = or(equal(here, b'@'), equal(here, b'`'));
            let star_or_hash = or(equal(here, b'*'), equal(here, b'#'));
            let sign = or(or(at_or_tick, star_or_hash), or(equal(here, b'_'), equal(here, b';')));
            let goes_on = mask(each_half!(_mm256_cmpgt_epi8, [splat(0xc0); 2], here));
            let mut found = Found {
                first: [0; 8],
                second: [0; 8],
                wide,
                goes_on,
                three: wide & mask(each_half!(_mm256_cmpgt_epi8, here, [splat(0xdf); 2])),
                four: wide & mask(each_half!(_mm256_cmpgt_epi8, here, [splat(0xef); 2])),
                joint: mask(joint),
                feed: mask(feed),
                sign: mask(sign),
                invalid: 0,
            };
            let letter = mask(letter);
            found.first[first::LETTERS as usize] = letter;
            found.first[first::LETTER as usize] = letter;
            found.first[first::UPPER as usize] = mask(upper);
            found.first[first::DIGIT as usize] = mask(between(here, b'0', b'9'));
            found.second[second::SPACE as usize] = mask(space);
            found.second[second::STOP as usize] = mask(stop);
            found.second[second::QUESTION as usize] = mask(question);
            if wide != 0 {
                let mut planes = Planes { first: [0; BLOCK], second: [0; BLOCK] };
                planes.look_up(pages, raw, after, wide & !goes_on, scripts);
                add_bits(&mut found.first, load(&planes.first));
                add_bits(&mut found.second, load(&planes.second));
                found.invalid = mask(equal(load(scripts), INVALID));
            }
            found
        }
    }

    #[inline(always)]
    fn skim(self, text: &[u8]) -> Skimmed {
        // SAFETY: `self` proves the features.
        unsafe { skim_by_halves(text) }
    }

    #[inline(always)]
    fn whole(self, goes_on: u64, which: u8, first: &[u64; 8], before: &[u64; 8]) -> [u64; 8] {
        Plain.whole(goes_on, which, first, before)
    }

    #[inline(always)]
    fn packed(self, bits: u64, mask: u64) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { _pext_u64(bits, mask) }
    }

    #[inline(always)]
    fn spread(self, bits: u64, mask: u64) -> u64 {
        // SAFETY: `self` proves the features.
        unsafe { _pdep_u64(bits, mask) }
    }

    #[inline(always)]
    fn equal(self, bytes: &[u8; BLOCK], byte: u8) -> u64 {
        // SAFETY: `self` proves the features; the load is of 64 bytes.
        unsafe { mask(equal(load(bytes), byte)) }
    }

    #[inline(always)]
    fn goes_on(self, bytes: &[u8; BLOCK]) -> u64 {
        // SAFETY: `self` proves the features; the load is of 64 bytes.
        unsafe { mask(each_half!(_mm256_cmpgt_epi8, [splat(0xc0); 2], load(bytes))) }
    }

    #[inline(always)]
    fn places(self, bits: u64, base: u32, places: &mut [u32; BLOCK]) {
        Plain.places(bits, base, places);
    }

    #[inline(always)]
    fn mask(self, low: &[u8; BLOCK], edit: &Edit, masked: &mut [u8; BLOCK]) {
        let Edit { kept, number, name, space, url, address } = *edit;
        // SAFETY: `self` proves the features; loads and stores are of 64 bytes, or of eight that
        // begin at most eight behind each eight before them.
        unsafe {
            let mut edited = [0; BLOCK];
            let mut bytes = load(low);
            if number | name | space | url | address != 0 {
                bytes = put(bytes, number, b'0');
                bytes = put(bytes, name, b'n');
                bytes = put(bytes, space, b' ');
                if url | address != 0 {
                    bytes = put(bytes, url, b'u');
                    bytes = put(bytes, address, b'e');
                }
            }
            if kept == u64::MAX {
                store(masked, bytes);
                return;
            }
            store(&mut edited, bytes);
            let mut to = masked.as_mut_ptr();
            for (nth, eight) in edited.as_chunks::<8>().0.iter().enumerate() {
                let kept = kept >> (8 * nth) & 0xff;
                let whole = _pdep_u64(kept, 0x0101_0101_0101_0101) * 0xff;
                let packed = _pext_u64(u64::from_le_bytes(*eight), whole);
                to.cast::<u64>().write_unaligned(packed.to_le());
                to = to.add(kept.count_ones() as usize);
            }
        }
    }

    #[inline(always)]
    fn smallest(self, list: &[u32], kept: &mut [u32; TEXT_TOKENS_MAX]) -> usize {
        Plain.smallest(list, kept)
    }

    type Lanes = Halves;

    #[inline(always)]
    fn all(self, number: u64) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe { [_mm256_set1_epi64x(number.cast_signed()); 2] }
    }

    #[inline(always)]
    fn lanes(self, numbers: &[u64; LANES]) -> Halves {
        let [a, b, c, d, e, f, g, h] = numbers.map(u64::cast_signed);
        // SAFETY: `self` proves the features.
        unsafe { [_mm256_set_epi64x(d, c, b, a), _mm256_set_epi64x(h, g, f, e)] }
    }

    #[inline(always)]
    fn numbers(self, lanes: Halves) -> [u64; LANES] {
        let mut numbers = [0_u64; LANES];
        // SAFETY: `self` proves the features; the stores are of eight numbers.
        unsafe {
            _mm256_storeu_si256(numbers.as_mut_ptr().cast(), lanes[0]);
            _mm256_storeu_si256(numbers.as_mut_ptr().add(LANES / 2).cast(), lanes[1]);
        }
        numbers
    }

    #[inline(always)]
    fn words(self, buffer: &[u8], places: &[u32; LANES]) -> Halves {
        // Gathering takes longer on many processors, and far longer on some.
        self.lanes(&Plain.words(buffer, places))
    }

    #[inline(always)]
    fn add(self, one: Halves, other: Halves) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe { each_half!(_mm256_add_epi64, one, other) }
    }

    #[inline(always)]
    fn xor(self, one: Halves, other: Halves) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe { each_half!(_mm256_xor_si256, one, other) }
    }

    #[inline(always)]
    fn and(self, one: Halves, other: Halves) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe { each_half!(_mm256_and_si256, one, other) }
    }

    #[inline(always)]
    fn rotate<const BITS: i32>(self, lanes: Halves) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe {
            if BITS == 32 {
                return each_half!(_mm256_shuffle_epi32::<0b10_11_00_01>, lanes);
            }
            let [left, right] = [BITS, 64 - BITS].map(i64::from);
            let (left, right) = (_mm_set_epi64x(0, left), _mm_set_epi64x(0, right));
            let up = each_half!(_mm256_sll_epi64, lanes, [left; 2]);
            or(up, each_half!(_mm256_srl_epi64, lanes, [right; 2]))
        }
    }

    #[inline(always)]
    fn unless_negative(self, sign: Halves, one: Halves, other: Halves) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe {
            let sign = each_half!(_mm256_castsi256_pd, sign);
            let one = each_half!(_mm256_castsi256_pd, one);
            let other = each_half!(_mm256_castsi256_pd, other);
            let chosen = each_half!(_mm256_blendv_pd, one, other, sign);
            each_half!(_mm256_castpd_si256, chosen)
        }
    }

    #[inline(always)]
    fn any_from_eight(self, lanes: Halves) -> bool {
        // SAFETY: `self` proves the features.
        unsafe {
            let [low, high] = each_half!(_mm256_cmpgt_epi64, lanes, [_mm256_set1_epi64x(7); 2]);
            _mm256_movemask_epi8(_mm256_or_si256(low, high)) != 0
        }
    }

    #[inline(always)]
    fn sip_word(self, word: Halves, left: Halves, length: Halves) -> Halves {
        // SAFETY: `self` proves the features.
        unsafe {
            // A shift by 64 and more gives zero, so a word of eight bytes and more stays whole.
            let one = [_mm256_set1_epi64x(1); 2];
            let bits = each_half!(_mm256_slli_epi64::<3>, left);
            let above = each_half!(_mm256_sllv_epi64, one, bits);
            let within = each_half!(_mm256_sub_epi64, above, one);
            let ends = each_half!(_mm256_cmpgt_epi64, [_mm256_set1_epi64x(8); 2], left);
            let length = each_half!(_mm256_slli_epi64::<56>, length);
            let length = each_half!(_mm256_and_si256, length, ends);
            or(each_half!(_mm256_and_si256, word, within), length)
        }
    }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn splat(byte: u8) -> __m256i {
    // SAFETY: as the caller says.
    unsafe { _mm256_set1_epi8(byte.cast_signed()) }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn load(bytes: &[u8; BLOCK]) -> Halves {
    let from = bytes.as_ptr();
    // SAFETY: as the caller says; the loads are of the block's two halves.
    unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(HALF).cast())] }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn store(bytes: &mut [u8; BLOCK], halves: Halves) {
    let to = bytes.as_mut_ptr();
    // SAFETY: as the caller says; the stores are of the block's two halves.
    unsafe {
        _mm256_storeu_si256(to.cast(), halves[0]);
        _mm256_storeu_si256(to.add(HALF).cast(), halves[1]);
    }
}

/// The highest bits of all bytes.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn mask(halves: Halves) -> u64 {
    // SAFETY: as the caller says; there is no instruction in the assembly. It gains that the compiler
    // does not see one mask of 64 bytes in the two, which it would make a byte at a time: all of the
    // shape took twice as long.
    unsafe {
        let low = _mm256_movemask_epi8(halves[0]).cast_unsigned();
        let mut high = _mm256_movemask_epi8(halves[1]).cast_unsigned();
        asm!("/* {0:e} */", inout(reg) high, options(pure, nomem, nostack, preserves_flags));
        u64::from(low) | u64::from(high) << HALF
    }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn or(one: Halves, other: Halves) -> Halves {
    // SAFETY: as the caller says.
    unsafe { each_half!(_mm256_or_si256, one, other) }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn equal(halves: Halves, byte: u8) -> Halves {
    // SAFETY: as the caller says.
    unsafe { each_half!(_mm256_cmpeq_epi8, halves, [splat(byte); 2]) }
}

/// Where bytes are from one of ASCII to another.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn between(halves: Halves, from: u8, to: u8) -> Halves {
    // SAFETY: as the caller says. As signed numbers bytes beyond ASCII are below all others.
    unsafe {
        let above = each_half!(_mm256_cmpgt_epi8, halves, [splat(from - 1); 2]);
        let below = each_half!(_mm256_cmpgt_epi8, [splat(to + 1); 2], halves);
        each_half!(_mm256_and_si256, above, below)
    }
}

/// The bytes of a half, 32 bits as they are.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn whole_bytes(bits: u32) -> __m256i {
    // SAFETY: as the caller says.
    unsafe {
        // Byte `n` of 32 has the eight bits that bit `n` is of.
        let of = _mm256_set_epi64x(
            0x0303_0303_0303_0303,
            0x0202_0202_0202_0202,
            0x0101_0101_0101_0101,
            0,
        );
        let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
        let eights = _mm256_shuffle_epi8(_mm256_set1_epi32(bits.cast_signed()), of);
        _mm256_cmpeq_epi8(_mm256_and_si256(eights, bit), bit)
    }
}

/// A block with a byte where bits are set.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn put(halves: Halves, bits: u64, byte: u8) -> Halves {
    // SAFETY: as the caller says.
    unsafe {
        let which = [whole_bytes(bits as u32), whole_bytes((bits >> HALF) as u32)];
        each_half!(_mm256_blendv_epi8, halves, [splat(byte); 2], which)
    }
}

/// Adds the bytes that have a bit, by bits.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn add_bits(bits: &mut [u64; 8], plane: Halves) {
    // SAFETY: as the caller says.
    unsafe {
        let mut plane = plane;
        // Each bit becomes the highest one, from the highest on.
        for bits in bits.iter_mut().rev() {
            *bits |= mask(plane);
            plane = each_half!(_mm256_add_epi8, plane, plane);
        }
    }
}
