//! The smallest numbers by intrinsics of AVX-512: sorting networks over sixteen at a time.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use turnwise_model::limits::TEXT_TOKENS_MAX;

/// The smallest distinct numbers of a list. Sixteen at a time that may be among them are
/// sorted and merged into those found so far; places without a number hold the largest.
///
/// # Safety
/// The processor has AVX-512 F, BW and DQ.
#[inline(always)]
pub(in super::super::super) unsafe fn smallest(
    list: &[u32],
    kept: &mut [u32; TEXT_TOKENS_MAX],
) -> usize {
    // SAFETY: as the caller says; loads are masked to what is left of a list, stores go to
    // `kept` and to an array of 32.
    unsafe {
        let largest = _mm512_set1_epi32(-1);
        let mut found = largest;
        let mut bound = largest;
        let mut is_first = true;
        // Whether the largest number is one of the list's.
        let mut has_largest = 0;
        for sixteen in list.chunks(16) {
            let mask = u16::MAX >> (16 - sixteen.len());
            let new = _mm512_mask_loadu_epi32(largest, mask, sixteen.as_ptr().cast());
            has_largest |= mask & _mm512_cmpeq_epi32_mask(new, largest);
            if _mm512_cmplt_epu32_mask(new, bound) == 0 {
                continue;
            }
            let new = sort(new);
            if is_first {
                found = distinct(new);
                is_first = false;
            } else {
                found = merge(found, new);
            }
            bound = _mm512_permutexvar_epi32(_mm512_set1_epi32(15), found);
        }
        _mm512_storeu_epi32(kept.as_mut_ptr().cast(), found);
        let real = _mm512_cmpneq_epi32_mask(found, largest).count_ones() as usize;
        if has_largest != 0 && real < TEXT_TOKENS_MAX {
            kept[real] = u32::MAX;
            return real + 1;
        }
        real
    }
}

/// Sorted numbers without repeats, filled up with the largest.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn distinct(sorted: __m512i) -> __m512i {
    // SAFETY: as the caller says.
    unsafe {
        let largest = _mm512_set1_epi32(-1);
        let before = _mm512_alignr_epi32::<15>(sorted, largest);
        let new = _mm512_cmpneq_epi32_mask(sorted, before) | 1;
        _mm512_mask_compress_epi32(largest, new, sorted)
    }
}

/// The sixteen smallest distinct numbers of two sorted sixteens, the first without repeats.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn merge(found: __m512i, new: __m512i) -> __m512i {
    // SAFETY: as the caller says; the second store ends at 32 numbers at most.
    unsafe {
        let largest = _mm512_set1_epi32(-1);
        let backwards = _mm512_permutexvar_epi32(order(|lane| 15 - lane), new);
        let low = settle(_mm512_min_epu32(found, backwards));
        let high = settle(_mm512_max_epu32(found, backwards));
        let low_before = _mm512_alignr_epi32::<15>(low, largest);
        let low_new = _mm512_cmpneq_epi32_mask(low, low_before) | 1;
        let high_before = _mm512_alignr_epi32::<15>(high, low);
        let high_new = _mm512_cmpneq_epi32_mask(high, high_before);
        let low = _mm512_mask_compress_epi32(largest, low_new, low);
        if low_new == u16::MAX {
            return low;
        }
        let high = _mm512_mask_compress_epi32(largest, high_new, high);
        let mut both = [0_u32; 32];
        _mm512_storeu_epi32(both.as_mut_ptr().cast(), low);
        let behind = low_new.count_ones() as usize;
        _mm512_storeu_epi32(both.as_mut_ptr().add(behind).cast(), high);
        _mm512_loadu_epi32(both.as_ptr().cast())
    }
}

/// Sorts sixteen numbers by a bitonic network.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn sort(numbers: __m512i) -> __m512i {
    // SAFETY: as the caller says.
    unsafe {
        let mut sorted = numbers;
        sorted = exchange(sorted, order(|lane| lane ^ 1), 0b0110_0110_0110_0110);
        sorted = exchange(sorted, order(|lane| lane ^ 2), 0b0011_1100_0011_1100);
        sorted = exchange(sorted, order(|lane| lane ^ 1), 0b0101_1010_0101_1010);
        sorted = exchange(sorted, order(|lane| lane ^ 4), 0b0000_1111_1111_0000);
        sorted = exchange(sorted, order(|lane| lane ^ 2), 0b0011_0011_1100_1100);
        sorted = exchange(sorted, order(|lane| lane ^ 1), 0b0101_0101_1010_1010);
        settle(sorted)
    }
}

/// Sorts a bitonic sequence: one that rises and then falls.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn settle(bitonic: __m512i) -> __m512i {
    // SAFETY: as the caller says.
    unsafe {
        let mut sorted = bitonic;
        sorted = exchange(sorted, order(|lane| lane ^ 8), 0b1111_1111_0000_0000);
        sorted = exchange(sorted, order(|lane| lane ^ 4), 0b1111_0000_1111_0000);
        sorted = exchange(sorted, order(|lane| lane ^ 2), 0b1100_1100_1100_1100);
        exchange(sorted, order(|lane| lane ^ 1), 0b1010_1010_1010_1010)
    }
}

/// Compares every lane with its partner and keeps the greater where `greater` says, else the
/// smaller.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn exchange(numbers: __m512i, partners: __m512i, greater: u16) -> __m512i {
    // SAFETY: as the caller says.
    unsafe {
        let other = _mm512_permutexvar_epi32(partners, numbers);
        let smaller = _mm512_min_epu32(numbers, other);
        _mm512_mask_max_epu32(smaller, greater, numbers, other)
    }
}

/// An order of lanes.
///
/// # Safety
/// The processor has AVX-512 F.
#[inline(always)]
unsafe fn order(partner: impl Fn(i32) -> i32) -> __m512i {
    let lanes: [i32; 16] = std::array::from_fn(|lane| partner(lane as i32));
    // SAFETY: as the caller says; the pointer is to sixteen numbers.
    unsafe { _mm512_loadu_epi32(lanes.as_ptr()) }
}
