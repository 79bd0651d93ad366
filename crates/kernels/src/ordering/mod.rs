//! Ordering: the keys of many groups, group by group, each group's keys ascending.
//!
//! ```text
//! who ──Grouper──▶ group of each row ─┐
//! keys ───────────────────────────────┴─Orderer─▶ keys of group 0 │ of group 1 │ …
//! ```
//!
//! The plain version sorts all rows by (group, key) with comparisons ([`scalar`]). This one never
//! compares rows of two groups: it counts each group's rows and puts every key in its place, in
//! two passes that are linear in rows. The keys of a group that came in order are then in order;
//! only a group that did not is sorted, by comparison while it is short and by radix when it is
//! long. So order in the input is used wherever it is there, and costs one look where it is not.

mod grouper;
mod radix;
pub mod scalar;
#[cfg(test)]
mod tests;

pub use grouper::{Grouper, spread};
pub use radix::Key;

/// Groups of at least this many keys are sorted by radix.
const RADIX_FROM: usize = 1_024;

/// Keys by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordered<K> {
    keys: Vec<K>,
    /// Where each group begins, and the end.
    starts: Vec<u32>,
}

impl<K> Ordered<K> {
    /// The keys of each group, in the order of groups.
    pub fn groups(&self) -> impl Iterator<Item = &[K]> {
        self.starts.windows(2).map(|ends| &self.keys[ends[0] as usize..ends[1] as usize])
    }

    /// As [`Self::groups`], to be put in another order.
    pub fn groups_mut(&mut self) -> impl Iterator<Item = &mut [K]> {
        let mut rest = self.keys.as_mut_slice();
        self.starts.windows(2).map(move |ends| {
            let (group, others) =
                std::mem::take(&mut rest).split_at_mut((ends[1] - ends[0]) as usize);
            rest = others;
            group
        })
    }

    /// Where each group begins among the keys, and the end; with all keys, group after group.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u32>, Vec<K>) {
        (self.starts, self.keys)
    }

    /// All keys, group after group.
    #[must_use]
    pub fn keys(&self) -> &[K] {
        &self.keys
    }

    /// Heap bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.keys.capacity() * size_of::<K>() + self.starts.capacity() * size_of::<u32>()
    }
}

/// Working memory of the kernel, reused from call to call.
#[derive(Debug, Default)]
pub struct Orderer<K> {
    cursors: Vec<u32>,
    spare: Vec<K>,
}

impl<K: Key> Orderer<K> {
    /// Orders `keys`, of which `groups` names the group of each, below `count`. Equal keys of a
    /// group stay in the order they came in; there is no null and nothing overflows.
    ///
    /// # Panics
    /// Where the slices differ in length, a group is not below `count`, or there are 2³² rows.
    pub fn order(&mut self, groups: &[u32], count: usize, keys: &[K], out: &mut Ordered<K>) {
        self.group(groups, count, keys, out);
        self.sort_groups(out);
    }

    /// Puts the keys of each group in ascending order.
    pub fn sort_groups(&mut self, out: &mut Ordered<K>) {
        for of_group in out.groups_mut() {
            if !is_ascending(of_group) {
                self.sort(of_group);
            }
        }
    }

    /// As [`Self::order`], but leaves the keys of a group in the order they came in.
    ///
    /// # Panics
    /// As it does.
    pub fn group(&mut self, groups: &[u32], count: usize, keys: &[K], out: &mut Ordered<K>) {
        assert_eq!(groups.len(), keys.len(), "a group for each key");
        assert!(u32::try_from(keys.len()).is_ok(), "rows are counted in 32 bits");
        self.count(groups, count, &mut out.starts);
        self.place(groups, keys, &mut out.keys);
    }

    /// Heap bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.cursors.capacity() * size_of::<u32>() + self.spare.capacity() * size_of::<K>()
    }

    /// Where each group begins, and the end of the last.
    fn count(&mut self, groups: &[u32], count: usize, starts: &mut Vec<u32>) {
        starts.clear();
        starts.resize(count + 1, 0);
        let rows = &mut starts[1..];
        for group in groups {
            rows[*group as usize] += 1;
        }
        let mut end = 0;
        for rows in rows {
            end += *rows;
            *rows = end;
        }
        self.cursors.clear();
        self.cursors.extend_from_slice(&starts[..count]);
    }

    fn place(&mut self, groups: &[u32], keys: &[K], out: &mut Vec<K>) {
        out.clear();
        out.resize(keys.len(), K::default());
        for (group, key) in groups.iter().zip(keys) {
            let cursor = &mut self.cursors[*group as usize];
            out[*cursor as usize] = *key;
            *cursor += 1;
        }
    }

    fn sort(&mut self, keys: &mut [K]) {
        if keys.len() < RADIX_FROM {
            // No two keys of rows differ only in their order: equal ones may change places.
            keys.sort_unstable();
        } else {
            radix::sort(keys, &mut self.spare);
        }
    }
}

/// Whether no key is below the one before it. Looks at all of them: a loop that never leaves early
/// is one that compilers turn into vector instructions.
fn is_ascending<K: Key>(keys: &[K]) -> bool {
    keys.windows(2).fold(true, |ascending, pair| ascending & (pair[0] <= pair[1]))
}
