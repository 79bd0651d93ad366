//! What the bytes of a text tell, by intrinsics of AVX-512.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::ops::BLOCK;
use super::{GREEK, QUESTIONS, Skimmed};

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
