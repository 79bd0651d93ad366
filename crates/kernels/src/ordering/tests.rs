//! The differential harness: whatever orders must give what [`scalar::order`] gives, and a wrong
//! kernel planted on purpose must be found.

use proptest::prelude::*;

use super::*;

/// Rows of a test: the group of each, how many groups there are, and the keys.
#[derive(Clone, Debug)]
struct Case<K> {
    groups: Vec<u32>,
    count: usize,
    keys: Vec<K>,
}

type Kernel<K> = dyn Fn(&[u32], usize, &[K]) -> Ordered<K>;

/// Whether a kernel agrees with the scalar one on a case, and on a part of it that begins and
/// ends in its midst.
fn agrees<K: Key>(kernel: &Kernel<K>, case: &Case<K>) -> bool {
    let rows = case.keys.len();
    [(0, rows), (rows / 3, rows - rows / 4)].into_iter().all(|(from, to)| {
        let (groups, keys) = (&case.groups[from..to], &case.keys[from..to]);
        kernel(groups, case.count, keys) == scalar::order(groups, case.count, keys)
    })
}

fn fast<K: Key>(groups: &[u32], count: usize, keys: &[K]) -> Ordered<K> {
    let mut orderer = Orderer::default();
    let mut out = Ordered::default();
    // Once over other rows first: what is left of a call must not show in the next.
    orderer.order(&[1, 0, 1], 2, &[K::default(); 3], &mut out);
    orderer.order(groups, count, keys, &mut out);
    out
}

/// Orders well but for the keys of long groups, which it leaves as a radix sort without its last
/// pass would.
fn planted(groups: &[u32], count: usize, keys: &[u64]) -> Ordered<u64> {
    let mut ordered = scalar::order(groups, count, keys);
    for ends in ordered.starts.clone().windows(2) {
        let of_group = &mut ordered.keys[ends[0] as usize..ends[1] as usize];
        if of_group.len() >= RADIX_FROM {
            of_group.sort_by_key(|key| key & !(0xff << 56));
        }
    }
    ordered
}

fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// How the keys of a case lie.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Ascending,
    Nearly,
    Random,
    Few,
    Extreme,
}

const SHAPES: [Shape; 5] =
    [Shape::Ascending, Shape::Nearly, Shape::Random, Shape::Few, Shape::Extreme];

fn case(seed: u64, rows: usize, count: usize, shape: Shape) -> Case<u64> {
    let mut next = numbers(seed);
    let keys = (0..rows as u64).map(|row| match shape {
        Shape::Ascending => row * 1_000,
        Shape::Nearly => row * 1_000 + next() % 20_000,
        Shape::Random => next(),
        Shape::Few => next() % 3,
        Shape::Extreme => [0, 1, u64::MAX, u64::MAX - 1, 1 << 63][(next() % 5) as usize],
    });
    let keys = keys.collect();
    let groups = (0..rows).map(|_| (next() % count as u64) as u32).collect();
    Case { groups, count, keys }
}

fn cases() -> impl Iterator<Item = (String, Case<u64>)> {
    let sizes = [(0, 1), (1, 1), (2, 1), (2, 5), (97, 3), (5_000, 1), (5_000, 4), (5_000, 4_000)];
    sizes.into_iter().flat_map(|(rows, count)| {
        SHAPES.into_iter().flat_map(move |shape| {
            (0..3).map(move |seed| {
                let why = format!("seed {seed}, {rows} rows, {count} groups, {shape:?}");
                (why, case(seed, rows, count, shape))
            })
        })
    })
}

fn with_rows(case: &Case<u64>) -> Case<(u64, u32)> {
    let keys = case.keys.iter().copied().zip(0..).collect();
    Case { groups: case.groups.clone(), count: case.count, keys }
}

#[test]
fn keys_are_ordered_as_the_scalar_version_orders_them() {
    for (why, case) in cases() {
        assert!(agrees(&fast, &case), "{why}");
        assert!(agrees(&fast, &with_rows(&case)), "{why}, with rows");
    }
}

#[test]
fn a_wrong_kernel_is_found() {
    let found = cases().filter(|(_, case)| !agrees(&planted, case)).count();
    assert!(found > 0, "the harness lets a wrong kernel pass");
}

#[test]
fn groups_come_in_their_order_and_empty_ones_are_there() {
    let ordered = fast(&[2, 0, 2], 4, &[9, 8, 7]);
    let groups: Vec<&[u64]> = ordered.groups().collect();
    assert_eq!(groups, [&[8][..], &[], &[7, 9], &[]]);
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn a_group_beyond_the_count_is_our_own_mistake() {
    let _ = fast(&[4], 4, &[0_u64]);
}

#[test]
fn pairs_are_numbered_in_the_order_of_their_first_row() {
    let mut grouper = Grouper::default();
    let mut next = numbers(7);
    for round in 0..3 {
        grouper.clear();
        let mut known = std::collections::HashMap::new();
        for _ in 0..20_000 {
            let pair = [next() % 7, next() % (300 << (4 * round))];
            let number = known.len();
            let number = *known.entry(pair).or_insert(number);
            assert_eq!(grouper.number(pair) as usize, number);
            assert_eq!(grouper.pairs()[number], pair);
        }
        assert_eq!(grouper.pairs().len(), known.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_keys_are_ordered_as_the_scalar_version_orders_them(
        rows in prop::collection::vec((0_u32..6, any::<u64>(), 0_u32..60), 0..2_500),
    ) {
        let groups = rows.iter().map(|row| row.0).collect();
        // Some bytes of keys are alike, as those of times are.
        let keys = rows.iter().map(|row| row.1.checked_shr(row.2).unwrap_or(0)).collect();
        let case = Case { groups, count: 6, keys };
        prop_assert!(agrees(&fast, &case));
        prop_assert!(agrees(&fast, &with_rows(&case)));
    }
}
