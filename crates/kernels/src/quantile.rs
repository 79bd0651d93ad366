//! Exact quantiles of whole numbers, by selection.
//!
//! The q-quantile of n values in ascending order v₀ … is v at the place q (n − 1), and between two
//! places in proportion: the definition 7 of Hyndman and Fan, "Sample quantiles in statistical
//! packages" (1996), that most engines call continuous. Selection puts the one value needed in its
//! place and does not order the rest, so it takes time linear in n.

/// Writes the quantile of each fraction to `found`, in the order of `fractions`; leaves `values`
/// in another order. Nothing is written where there is no value; a fraction below 0 counts as 0,
/// above 1 as 1, and one that is no number as 0.
///
/// Besides `values` there are small ones that were counted: `counted[v]` of the value v each. None
/// of `values` may be one of those.
pub fn quantiles(counted: &[u32], values: &mut [i64], fractions: &[f64], found: &mut Vec<f64>) {
    let small: usize = counted.iter().map(|count| *count as usize).sum();
    let Some(last) = (small + values.len()).checked_sub(1) else { return };
    let base = found.len();
    found.resize(base + fractions.len(), 0.0);
    let place = |fraction: f64| fraction.clamp(0.0, 1.0).max(0.0) * last as f64;
    // From the largest down: what a selection leaves on the left holds all that are left to find.
    let mut order: Vec<usize> = (0..fractions.len()).collect();
    order.sort_by(|a, b| place(fractions[*b]).total_cmp(&place(fractions[*a])));
    let negative = if counted.is_empty() { 0 } else { negative_first(values) };
    let (below, above) = values.split_at_mut(negative);
    let (mut below, mut above) = (Selection::of(below), Selection::of(above));
    for at in order {
        let place = place(fractions[at]);
        let rank = (place as usize).min(last);
        let (low, high) = if rank < negative {
            let (low, high) = below.select(rank);
            (low, high.or_else(|| ranked(counted, 0)).or_else(|| above.least()))
        } else if let Some(low) = ranked(counted, rank - negative) {
            (low, ranked(counted, rank - negative + 1).or_else(|| above.least()))
        } else {
            above.select(rank - negative - small)
        };
        let share = place - rank as f64;
        let step = (i128::from(high.unwrap_or(low)) - i128::from(low)) as f64;
        found[base + at] = if share > 0.0 { low as f64 + step * share } else { low as f64 };
    }
}

/// Brings the negative values to the front; how many there are.
fn negative_first(values: &mut [i64]) -> usize {
    let mut negative = 0;
    for at in 0..values.len() {
        if values[at] < 0 {
            values.swap(negative, at);
            negative += 1;
        }
    }
    negative
}

/// Values of which some ranks are asked for, the highest first.
struct Selection<'a> {
    values: &'a mut [i64],
    /// Values from here on were found to be in their places, or above those that are.
    end: usize,
    /// The least of those.
    next: Option<i64>,
}

impl<'a> Selection<'a> {
    fn of(values: &'a mut [i64]) -> Self {
        Self { end: values.len(), next: None, values }
    }

    /// The value of a rank and that of the next.
    fn select(&mut self, rank: usize) -> (i64, Option<i64>) {
        let (_, low, higher) = self.values[..self.end].select_nth_unstable(rank);
        self.next = higher.iter().min().copied().or(self.next);
        self.end = rank + 1;
        (*low, self.next)
    }

    fn least(&self) -> Option<i64> {
        self.values[..self.end].iter().min().copied()
    }
}

/// The counted value of a rank, none beyond the last.
fn ranked(counted: &[u32], rank: usize) -> Option<i64> {
    let mut before = 0;
    let value = counted.iter().position(|count| {
        before += *count as usize;
        before > rank
    });
    value.map(|value| value as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::is_found;

    /// A kernel under test.
    type Kernel = fn(&[u32], &mut [i64], &[f64], &mut Vec<f64>);

    /// Values below this may be counted.
    const SMALL: usize = 8;

    /// Values and fractions.
    type Case = (Vec<i64>, Vec<f64>);

    fn cases() -> impl Strategy<Value = Case> {
        let value = prop_oneof![0_i64..9, -9_i64..40, 8_i64..i64::MAX, any::<i64>()];
        let fractions = prop::collection::vec(-0.1..=1.1_f64, 0..6);
        (prop::collection::vec(value, 0..80), fractions)
    }

    /// What quantiles mean: places among sorted values.
    fn sorted(values: &[i64], fractions: &[f64]) -> Vec<f64> {
        let mut values = values.to_vec();
        values.sort_unstable();
        let Some(last) = values.len().checked_sub(1) else { return Vec::new() };
        let meant = fractions.iter().map(|fraction| {
            let place = fraction.clamp(0.0, 1.0) * last as f64;
            let low = values[place as usize];
            let high = values[(place as usize + 1).min(last)];
            let step = (i128::from(high) - i128::from(low)) as f64;
            let share = place - place.floor();
            if share > 0.0 { low as f64 + step * share } else { low as f64 }
        });
        meant.collect()
    }

    /// Whether a kernel agrees on a case, with small values counted and without, behind what it is
    /// to leave alone.
    fn agrees(kernel: Kernel, (values, fractions): &Case) -> bool {
        let mut counted = [0; SMALL];
        let mut others = Vec::new();
        for value in values {
            match usize::try_from(*value).ok().and_then(|at| counted.get_mut(at)) {
                Some(count) => *count += 1,
                None => others.push(*value),
            }
        }
        let expected = [vec![-1.5], sorted(values, fractions)].concat();
        [(&[][..], values.clone()), (&counted[..], others)].into_iter().all(
            |(counted, mut values)| {
                let mut found = vec![-1.5];
                kernel(counted, &mut values, fractions, &mut found);
                found == expected
            },
        )
    }

    fn found(values: &[i64], fractions: &[f64]) -> Vec<f64> {
        let mut found = Vec::new();
        quantiles(&[], &mut values.to_vec(), fractions, &mut found);
        found
    }

    #[test]
    fn places_between_two_values_are_shared_in_proportion() {
        assert_eq!(found(&[4, 1, 3, 2], &[0.0, 0.5, 1.0]), [1.0, 2.5, 4.0]);
        assert_eq!(found(&[10, 20], &[0.95, 0.05, 0.95]), [19.5, 10.5, 19.5]);
        assert_eq!(found(&[7], &[0.3]), [7.0]);
        assert_eq!(found(&[], &[0.3]), [0.0; 0]);
        assert_eq!(found(&[1, 2], &[f64::NAN, -1.0, 2.0]), [1.0, 1.0, 2.0]);
        // The distance of the two is beyond 64 bits.
        assert_eq!(found(&[i64::MIN, i64::MAX], &[0.5]), [0.0]);
    }

    #[test]
    fn wrong_kernels_are_found() {
        let planted: [(&str, Kernel); 4] = [
            ("gives the lower of two values", |counted, values, fractions, found| {
                let last = counted.iter().sum::<u32>() as usize + values.len();
                let last = last.saturating_sub(1) as f64;
                let lower = |fraction: &f64| (fraction.clamp(0.0, 1.0) * last).floor() / last;
                let lower: Vec<f64> = fractions.iter().map(lower).collect();
                quantiles(counted, values, &lower, found);
            }),
            ("forgets counted values", |_, values, fractions, found| {
                quantiles(&[], values, fractions, found);
            }),
            ("takes counted values for the smallest", |counted, values, fractions, found| {
                let mut values: Vec<i64> = values.iter().map(|value| (*value).max(0)).collect();
                quantiles(counted, &mut values, fractions, found);
            }),
            ("gives quantiles in their own order", |counted, values, fractions, found| {
                let mut ascending = fractions.to_vec();
                ascending.sort_by(f64::total_cmp);
                quantiles(counted, values, &ascending, found);
            }),
        ];
        for (name, kernel) in planted {
            assert!(is_found(&cases(), |case| agrees(kernel, case)), "the one that {name} passed");
        }
    }

    proptest! {
        #[test]
        fn selection_agrees_with_sorting(case in cases()) {
            prop_assert!(agrees(quantiles, &case));
        }
    }
}
