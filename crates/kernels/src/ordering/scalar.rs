//! What ordering means: one comparison sort of all rows by (group, key).

use super::{Key, Ordered};

/// Orders `keys` as [`super::Orderer::order`] does.
///
/// # Panics
/// As it does.
#[must_use]
pub fn order<K: Key>(groups: &[u32], count: usize, keys: &[K]) -> Ordered<K> {
    assert_eq!(groups.len(), keys.len(), "a group for each key");
    assert!(groups.iter().all(|group| (*group as usize) < count), "a group below the count");
    let mut rows: Vec<(u32, K)> = groups.iter().copied().zip(keys.iter().copied()).collect();
    rows.sort();
    let rows_below = |group: usize| rows.partition_point(|row| (row.0 as usize) < group);
    Ordered {
        keys: rows.iter().map(|row| row.1).collect(),
        starts: (0..=count)
            .map(|group| u32::try_from(rows_below(group)).expect("rows in 32 bits"))
            .collect(),
    }
}
