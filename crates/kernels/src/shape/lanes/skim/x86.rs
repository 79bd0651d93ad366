//! What the bytes of a text tell, by intrinsics of AVX-512 and of AVX2.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::ops::BLOCK;
use super::{GREEK, QUESTIONS, Skimmed};

/// Bytes of a register of AVX2.
const HALF: usize = BLOCK / 2;

/// Reads a text, 64 bytes at a time.
///
/// # Safety
/// The processor has AVX-512 F and BW.
#[inline(always)]
pub(in super::super::super) unsafe fn skim(text: &[u8]) -> Skimmed {
    let mut skimmed = Skimmed::default();
    let mut at = 0;
    while at < text.len() {
        let left = text.len() - at;
        let within = if left < BLOCK { !(u64::MAX << left) } else { u64::MAX };
        // Of the byte `by` places before each; none before the first one.
        let before = |by: usize| if at == 0 { within & u64::MAX << by } else { within };
        // SAFETY: as the caller says; loaded are the bytes of the masks alone, which are of the
        // text.
        unsafe {
            let text = text.as_ptr().wrapping_add(at);
            let here = _mm512_maskz_loadu_epi8(within, text.cast());
            let is = |bytes, byte: u8| {
                _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()))
            };
            skimmed.feeds += is(here, b'\n').count_ones();
            skimmed.question |= is(here, b'?') != 0;
            skimmed.greek |= is(here, b';') != 0;
            if _mm512_movepi8_mask(here) != 0 {
                skimmed.wide = true;
                let goes_on = _mm512_cmplt_epi8_mask(here, _mm512_set1_epi8(-64));
                skimmed.goes_on += goes_on.count_ones();
                let one = _mm512_maskz_loadu_epi8(before(1), text.wrapping_sub(1).cast());
                let two = _mm512_maskz_loadu_epi8(before(2), text.wrapping_sub(2).cast());
                let marks = |marks: &[[u8; 3]]| {
                    marks.iter().fold(0, |any, [last, next, first]| {
                        let third = if *first == 0 { u64::MAX } else { is(two, *first) };
                        any | is(here, *last) & is(one, *next) & third
                    })
                };
                skimmed.question |= marks(&QUESTIONS) != 0;
                skimmed.greek |= marks(&GREEK) != 0;
            }
        }
        at += BLOCK;
    }
    skimmed
}

/// Reads a text, 32 bytes at a time.
///
/// # Safety
/// The processor has AVX2 and POPCNT.
#[inline(always)]
pub(in super::super::super) unsafe fn skim_by_halves(text: &[u8]) -> Skimmed {
    let mut skimmed = Skimmed::default();
    // SAFETY: as the caller says; the loads are of 32 bytes of the text or of a copy.
    unsafe {
        let mut before = _mm256_setzero_si256();
        let (blocks, rest) = text.as_chunks::<HALF>();
        for block in blocks {
            before = skim_half(&mut skimmed, before, block);
        }
        if !rest.is_empty() {
            // Zeros are nothing that is looked for.
            let mut last = [0; HALF];
            last[..rest.len()].copy_from_slice(rest);
            skim_half(&mut skimmed, before, &last);
        }
    }
    skimmed
}

/// Reads 32 bytes behind others, and gives them.
///
/// # Safety
/// The processor has AVX2 and POPCNT.
#[inline(always)]
unsafe fn skim_half(skimmed: &mut Skimmed, before: __m256i, block: &[u8; HALF]) -> __m256i {
    // SAFETY: as the caller says; the load is of 32 bytes.
    unsafe {
        let here = _mm256_loadu_si256(block.as_ptr().cast());
        skimmed.feeds += _mm256_movemask_epi8(is(here, b'\n')).count_ones();
        skimmed.question |= _mm256_movemask_epi8(is(here, b'?')) != 0;
        skimmed.greek |= _mm256_movemask_epi8(is(here, b';')) != 0;
        if _mm256_movemask_epi8(here) != 0 {
            skimmed.wide = true;
            let goes_on = _mm256_cmpgt_epi8(_mm256_set1_epi8(-64), here);
            skimmed.goes_on += _mm256_movemask_epi8(goes_on).count_ones();
            // Of the byte one place before each, and two.
            let between = _mm256_permute2x128_si256::<0x21>(before, here);
            let one = _mm256_alignr_epi8::<15>(here, between);
            let two = _mm256_alignr_epi8::<14>(here, between);
            for mark in QUESTIONS {
                skimmed.question |= has(mark, [here, one, two]);
            }
            for mark in GREEK {
                skimmed.greek |= has(mark, [here, one, two]);
            }
        }
        here
    }
}

/// Whether a mark ends at a byte, by the bytes there, one before and two before.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn has([last, next, first]: [u8; 3], [here, one, two]: [__m256i; 3]) -> bool {
    // SAFETY: as the caller says.
    unsafe {
        let mut any = _mm256_and_si256(is(here, last), is(one, next));
        if first != 0 {
            any = _mm256_and_si256(any, is(two, first));
        }
        _mm256_movemask_epi8(any) != 0
    }
}

/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn is(bytes: __m256i, byte: u8) -> __m256i {
    // SAFETY: as the caller says.
    unsafe { _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed())) }
}
