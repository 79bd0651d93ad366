use proptest::prelude::*;

use super::*;
use crate::testing::is_found;

fn of(points: &[(i64, i64)]) -> Regression {
    let mut sums = Regression::new();
    points.iter().for_each(|(x, y)| sums.add(*x, *y));
    sums
}

fn state(points: &[(i64, i64)]) -> Vec<i64> {
    of(points).to_state()
}

/// All measures of a state.
fn measures(state: &[i64]) -> [Option<f64>; 7] {
    [slope, intercept, correlation, mean_x, mean_y, sigma_x, sigma_y].map(|of| of(state))
}

#[test]
fn a_line_by_hand() {
    // Means 2 and 4, σ² 2/3 and 26/3, covariance 7/3.
    let state = state(&[(1, 1), (2, 3), (3, 8)]);
    assert_eq!(state, [3, 0, 6, 0, 12, 0, 14, 0, 74, 0, 31]);
    assert_eq!(points(&state), 3);
    let found = measures(&state).map(|found| found.expect("three points"));
    let r = 7.0 / 52.0_f64.sqrt();
    let expected = [3.5, -3.0, r, 2.0, 4.0, (2.0_f64 / 3.0).sqrt(), (26.0_f64 / 3.0).sqrt()];
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn points_that_tell_no_line_have_none() {
    assert!(state(&[]).is_empty());
    assert_eq!((points(&[]), measures(&[])), (0, [None; 7]));
    // One point; all x alike; all y alike.
    let (one, zero) = (Some(1.0), Some(0.0));
    assert_eq!(measures(&state(&[(1, 7)])), [None, None, None, one, Some(7.0), zero, zero]);
    let upright = state(&[(1, 0), (1, 2)]);
    assert_eq!(measures(&upright), [None, None, None, one, one, zero, one]);
    let level = state(&[(0, 1), (2, 1)]);
    assert_eq!(measures(&level), [zero, one, None, one, one, one, zero]);
}

#[test]
fn far_points_are_exact() {
    // Sums of squares have 126 bits, of which only the last few tell the points apart.
    let far = i64::MAX / 2;
    let state = state(&[(far, far - 1), (far - 1, far - 2), (far - 2, far - 3)]);
    assert_eq!((slope(&state), intercept(&state)), (Some(1.0), Some(-1.0)));
    assert_eq!((correlation(&state), sigma_x(&state)), (Some(1.0), sigma_y(&state)));
    assert_eq!(sigma_x(&state), Some(6.0_f64.sqrt() / 3.0));
}

#[test]
fn sums_of_squares_that_stop_tell_the_number_of_points_alone() {
    let two = [(i64::MIN, 1), (i64::MIN, -1)];
    assert_eq!(of(&two).xx, i128::MAX);
    let state = state(&two);
    assert_eq!((points(&state), measures(&state)), (2, [None; 7]));
    let mut sums = of(&[(3, 4)]);
    sums.merge(&state);
    assert_eq!((points(&sums.to_state()), slope(&sums.to_state())), (3, None));
}

#[test]
fn a_state_that_cannot_be_counts_as_absent() {
    let mut sums = of(&[(1, 2), (2, 2)]);
    let whole = sums.to_state();
    let changed = |at: usize, value: i64| {
        let mut state = whole.clone();
        state[at] = value;
        state
    };
    let broken = [
        whole[..10].to_vec(),
        [&whole[..], &[0]].concat(),
        changed(0, 0),
        changed(0, -1),
        changed(5, -1),
        changed(7, i64::MIN),
    ];
    for state in broken {
        sums.merge(&state);
        assert_eq!((points(&state), measures(&state)), (0, [None; 7]), "{state:?}");
    }
    assert_eq!(sums.to_state(), whole);
}

#[test]
fn products_are_exact_in_256_bits() {
    let large = i128::MAX;
    assert_eq!(cross([large, large], [large, large]), 0.0);
    assert_eq!(cross([large, large], [large, large - 1]), large as f64);
    assert_eq!(cross([large, large - 1], [large, large]), -(large as f64));
    assert_eq!(cross([i128::MIN, 1], [1, -1]), i128::MIN as f64);
    assert_eq!(cross([3, -5], [-7, 2]), -1.0);
    assert_eq!(cross([i128::MIN, i128::MIN], [0, 0]), 2.0_f64.powi(254));
}

/// Coordinates near each other, small, and of all sizes.
fn coordinate() -> impl Strategy<Value = i64> {
    prop_oneof![
        -9_i64..9,
        (1_i64 << 40)..(1 << 40) + 50,
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX)
    ]
}

fn some_points(most: usize) -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((coordinate(), coordinate()), 0..most)
}

/// Numbers of which some are a state.
fn numbers() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(prop_oneof![any::<i64>(), 0_i64..5], 9..13)
}

/// A wrong version that lets sums of squares wrap around.
fn planted(points: &[(i64, i64)]) -> Vec<i64> {
    let mut sums = of(points);
    let squares = |pick: fn(&(i64, i64)) -> i64| {
        let squares = points.iter().map(|point| i128::from(pick(point)).pow(2));
        squares.fold(0_i128, i128::wrapping_add)
    };
    (sums.xx, sums.yy) = (squares(|point| point.0), squares(|point| point.1));
    sums.to_state()
}

type Point = (i64, i64);

/// Whether a state is the one of a plain version, which looks at each sum for overflow and adds
/// products up in two halves.
fn is_plain(made: impl Fn(&[Point]) -> Vec<i64>, points: &[Point]) -> bool {
    let state = made(points);
    let sum = |of: &dyn Fn(i128, i128) -> i128| {
        points
            .iter()
            .try_fold(0_i128, |sum, (x, y)| sum.checked_add(of(i128::from(*x), i128::from(*y))))
    };
    let squares = [sum(&|x, _| x * x), sum(&|_, y| y * y)];
    let Some(read) = Regression::of(&state) else { return points.is_empty() };
    if squares.iter().any(Option::is_none) {
        let stopped = squares.map(|sum| sum.unwrap_or(i128::MAX));
        return [read.xx, read.yy] == stopped && measures(&state) == [None; 7];
    }
    // In any order the sum of products may be beyond on the way, and is not at the end.
    let halves = |upper: bool| {
        points.iter().fold(0_i128, |sum, (x, y)| {
            let product = i128::from(*x) * i128::from(*y);
            sum + if upper { product >> 64 } else { product & i128::from(u64::MAX) }
        })
    };
    let (upper, lower) = (halves(true), halves(false));
    let xy = (upper + (lower >> 64)) << 64 | lower & i128::from(u64::MAX);
    let n = points.len() as i64;
    let expected = [sum(&|x, _| x), sum(&|_, y| y), squares[0], squares[1], Some(xy)];
    read.n == n && [read.x, read.y, read.xx, read.yy, read.xy].map(Some) == expected
}

#[test]
fn a_wrong_version_is_found() {
    assert!(is_found(&some_points(12), |points| is_plain(planted, points)));
}

proptest! {
    #[test]
    fn sums_are_those_of_a_plain_version(points in some_points(12)) {
        prop_assert!(is_plain(state, &points));
    }

    #[test]
    fn measures_agree_with_deviations_from_the_mean(
        points in prop::collection::vec((-1_000_i64..1_000, -100_000_i64..100_000), 2..60),
    ) {
        let n = points.len() as f64;
        let mean = |sum: i64| sum as f64 / n;
        let x = mean(points.iter().map(|point| point.0).sum());
        let y = mean(points.iter().map(|point| point.1).sum());
        let sum = |of: &dyn Fn(f64, f64) -> f64| {
            points.iter().map(|point| of(point.0 as f64 - x, point.1 as f64 - y)).sum::<f64>()
        };
        let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
        prop_assume!(xx > 0.5 && yy > 0.5);
        let slope = xy / xx;
        let line = [slope, y - slope * x, xy / (xx * yy).sqrt()];
        let each = [x, y, (xx / n).sqrt(), (yy / n).sqrt()];
        let expected = [&line[..], &each].concat();
        for (found, expected) in measures(&state(&points)).into_iter().zip(expected) {
            let found = found.expect("a line");
            let near = 1e-9 * (1.0 + expected.abs());
            prop_assert!((found - expected).abs() <= near, "{found} {expected}");
        }
    }

    #[test]
    fn any_split_order_and_tree_gives_the_same_state(
        points in some_points(40),
        cuts in [0_usize..40, 0..40],
    ) {
        let whole = state(&points);
        let [from, to] = cuts.map(|cut| cut.min(points.len()));
        let (from, to) = (from.min(to), from.max(to));
        let parts = [&points[..from], &points[from..to], &points[to..]].map(state);
        let merged = |order: &[usize]| {
            let mut merged = Regression::new();
            order.iter().for_each(|at| merged.merge(&parts[*at]));
            merged.to_state()
        };
        prop_assert_eq!(&merged(&[0, 1, 2]), &whole);
        prop_assert_eq!(&merged(&[2, 0, 1]), &whole);
        let mut tree = of(&points[..from]);
        tree.merge(&merged(&[2, 1]));
        prop_assert_eq!(tree.to_state(), whole);
    }

    #[test]
    fn any_numbers_merge_in_any_order_and_do_not_panic(
        lists in prop::collection::vec(numbers(), 3),
    ) {
        let merged = |order: [usize; 3]| {
            let mut merged = Regression::new();
            order.iter().for_each(|at| merged.merge(&lists[*at]));
            merged.to_state()
        };
        prop_assert_eq!(merged([0, 1, 2]), merged([2, 1, 0]));
        for list in lists.iter().chain([&merged([1, 0, 2])]) {
            let _ = (points(list), measures(list));
        }
    }
}
