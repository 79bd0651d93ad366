//! The natural logarithm in fixed point, by integers alone: the same bits on every machine, which a
//! library's `ln` does not promise (F24).

/// Bits behind the point.
pub const POINT_BITS: u32 = 16;

/// Bits of the binary logarithm's fraction that are worked out.
const FRACTION_BITS: u32 = 40;
/// ⌊ln 2 · 2⁶⁴⌋.
const LN_2: u128 = 0xB172_17F7_D1CF_79AB;

/// ln(1 + `value`) in parts of 2⁻¹⁶, rounded; at most 2,861,844. `None` of a negative value.
///
/// It is off by less than (½ + 2⁻²³) · 2⁻¹⁶. The binary logarithm of f in [1, 2) comes bit by bit:
/// squaring f doubles its logarithm, so the next bit is 1 exactly if f² is at least 2 (and f goes
/// on as f² ÷ 2). Stopping after 40 bits takes off less than 2⁻⁴⁰. A square cut to 63 bits behind
/// the point takes off less than 2⁻⁶¹ of its logarithm, a square further on half as much, together
/// less than 2⁻⁶⁰; the cut of ln 2 takes off less than 2⁻⁵⁸. Times ln 2 all of it is less than
/// 2⁻⁴⁰, or 2⁻²⁴ of a part, and rounding adds half a part.
#[must_use]
pub fn ln_1p(value: i64) -> Option<i64> {
    let number = u64::try_from(value).ok()? + 1;
    let whole = number.ilog2();
    // f, 63 bits behind the point.
    let mut f = number << (u64::BITS - 1 - whole);
    let mut binary = u128::from(whole);
    for _ in 0..FRACTION_BITS {
        let square = (u128::from(f) * u128::from(f)) >> (u64::BITS - 1);
        let bit = square >> u64::BITS;
        binary = binary << 1 | bit;
        f = (square >> bit) as u64;
    }
    // 40 bits and 64 behind the point; below 2^6 · 2^104.
    let product = binary * LN_2;
    let cut = FRACTION_BITS + u64::BITS - POINT_BITS;
    i64::try_from((product + (1 << (cut - 1))) >> cut).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn logarithms_are_the_nearest_parts() {
        // By fifty decimal digits: 45426.094, 71998.655, 150902.217, 558195.879, 1408208.902 and
        // 2861843.898.
        for (value, expected) in [
            (0, Some(0)),
            (1, Some(45_426)),
            (2, Some(71_999)),
            (9, Some(150_902)),
            (5_000, Some(558_196)),
            ((1 << 31) - 1, Some(1_408_209)),
            (i64::MAX, Some(2_861_844)),
            (-1, None),
            (i64::MIN, None),
        ] {
            assert_eq!(ln_1p(value), expected, "{value}");
        }
    }

    #[test]
    fn logarithms_do_not_fall() {
        let all = (0..200_000).map(ln_1p);
        assert!(all.is_sorted());
    }

    /// The bits of many results, mixed, as forty decimal digits round: they may never change.
    #[test]
    fn bits_are_the_same_everywhere() {
        let powers = (0..63).flat_map(|power| [(1_i64 << power) - 1, 1 << power]);
        let mixed = (0..100_000).chain(powers).fold(0_u64, |mixed, value| {
            let bits = ln_1p(value).expect("not negative").cast_unsigned();
            (mixed ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        });
        assert_eq!(mixed, 0x9010_cc52_000c_99ac);
    }

    proptest! {
        #[test]
        fn the_error_is_within_its_bound(value in 0..i64::MAX, shift in 0..60) {
            let value = value >> shift;
            let found = ln_1p(value).expect("not negative") as f64;
            // A double's own error here is far below 2⁻²⁴.
            let exact = (value as f64).ln_1p() * f64::from(1_u32 << POINT_BITS);
            prop_assert!((found - exact).abs() <= 0.5 + 2.0_f64.powi(-22), "{found} {exact}");
        }
    }
}
