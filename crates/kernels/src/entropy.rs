//! Entropy of a count map ([`crate::counts`]), summed in the order of its state, which is the
//! order of its keys, so that the same counts give the same bits.

use crate::counts::pairs;

/// Entropy in bits: −Σ p log2 p. `None` of an empty map.
#[must_use]
pub fn entropy_bits(counts_state: &[i64]) -> Option<f64> {
    let n = pairs(counts_state).map(|pair| i128::from(pair.1)).sum::<i128>();
    if n == 0 {
        return None;
    }
    let bits = pairs(counts_state).fold(0.0, |sum, (_, count)| {
        let share = count as f64 / n as f64;
        sum - share * share.log2()
    });
    // One key alone gives −0.0.
    Some(bits.max(0.0))
}

/// Entropy ÷ log2 `cells`: 1 where all cells are equally full. `None` of an empty map and
/// where `cells` < 2.
#[must_use]
pub fn relative_entropy(counts_state: &[i64], cells: i64) -> Option<f64> {
    if cells < 2 {
        return None;
    }
    Some(entropy_bits(counts_state)? / (cells as f64).log2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_of_known_counts() {
        assert_eq!(entropy_bits(&[1, 4, 2, 4]), Some(1.0));
        assert_eq!(entropy_bits(&[1, 1, 2, 1, 3, 1, 4, 1]), Some(2.0));
        assert_eq!(entropy_bits(&[9, 7]), Some(0.0));
        assert_eq!(entropy_bits(&[]), None);
        assert_eq!(entropy_bits(&[1, 0, 2, -3, 4]), None);
    }

    #[test]
    fn relative_entropy_is_one_where_all_is_even() {
        let hours: Vec<i64> = (0..24).flat_map(|hour| [hour, 3]).collect();
        assert!((relative_entropy(&hours, 24).expect("not empty") - 1.0).abs() < 1e-12);
        assert_eq!(relative_entropy(&hours, 1), None);
    }
}
