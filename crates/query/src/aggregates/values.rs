//! The values of all groups of an aggregate that needs every value.
//!
//! Values are kept in one list for all groups, each beside its group's number, so that taking them
//! in is an append. Where equal values need not be told apart by anything, small ones of a group
//! that has many are counted instead: lengths, turns and counts are few different numbers.
//!
//! ```text
//! (group, value) ─┬─ the group counts its small ones ──▶ counts by value
//!                 └─ else ──▶ list ── now and then ──▶ counts of groups with many small ones
//! ```

use datafusion::common::{Result, resources_err};
use datafusion::logical_expr::EmitTo;
use turnwise_kernels::fetch::fetch_value;
use turnwise_kernels::ordering::{Ordered, Orderer};

use super::places::{Places, SMALL};

/// A group with so many small values in the list counts them: the counts take no more than a few
/// times the bytes.
const COUNTED_FROM: u32 = 64;
/// The list is not looked through before it is this long.
const LIST_MIN: usize = 64 << 10;

/// The values of all groups.
#[derive(Debug, Default)]
pub(super) struct Values {
    list: List,
    /// By group: how often each small value came, as far as they came; empty where they are in the
    /// list.
    counted: Vec<Places>,
    /// Heap bytes of all places.
    place_bytes: usize,
    /// Values that were taken in.
    taken: u64,
    /// Length of the list at which it is looked through.
    look_at: usize,
}

/// Values beside the numbers of their groups.
#[derive(Debug, Default)]
struct List {
    groups: Vec<u32>,
    values: Vec<i64>,
}

impl List {
    fn push(&mut self, group: usize, value: i64) {
        self.groups.push(group as u32);
        self.values.push(value);
    }
}

/// The values of some groups, brought together.
pub(super) struct Grouped {
    /// Those that are not counted.
    pub(super) values: Ordered<i64>,
    /// By group: how often each small value came; none of them is in `values` then.
    pub(super) counted: Vec<Places>,
}

impl Values {
    /// Takes in a value of which every repeat matters.
    #[inline]
    pub(super) fn push(&mut self, group: usize, value: i64) {
        self.taken = self.taken.saturating_add(1);
        // A negative value is beyond all places. What is taken in is counted in 32 bits.
        let places = self.counted.get_mut(group);
        if let Some(more) = places.and_then(|places| places.count(value as usize)) {
            self.place_bytes += more;
            return;
        }
        if is_small(value) && self.counted.get(group).is_some_and(|n| !n.is_empty()) {
            self.place(group, value as usize, 1);
        } else {
            self.list.push(group, value);
        }
    }

    /// Has the processor fetch what taking in a value will change, where that is a count.
    #[inline]
    pub(super) fn fetch(&self, group: usize, value: i64) {
        if let Some(counts) = self.counted.get(group)
            && (value as usize) < counts.low().len()
        {
            fetch_value(counts.low(), value as usize);
        }
    }

    /// Counts a small value of a group, which counts from now on.
    fn place(&mut self, group: usize, value: usize, count: u32) {
        let places = &mut self.counted[group];
        let before = places.size();
        places.add(value, count);
        self.place_bytes += places.size() - before;
    }

    /// Takes in a value of which repeats do not matter.
    #[inline]
    pub(super) fn push_distinct(&mut self, group: usize, value: i64) {
        let again = self.list.values.last() == Some(&value)
            && self.list.groups.last() == Some(&(group as u32));
        if !again {
            self.taken = self.taken.saturating_add(1);
            self.list.push(group, value);
        }
    }

    /// Takes in `count` small values that are the same.
    pub(super) fn add_counted(&mut self, group: usize, value: usize, count: u32) {
        if value < SMALL {
            self.taken = self.taken.saturating_add(u64::from(count));
            self.place(group, value, count);
        } else {
            // Nobody counts it; the next check tells.
            self.taken = u64::MAX;
        }
    }

    /// Makes room for so many groups.
    pub(super) fn set_groups(&mut self, count: usize) {
        self.counted.resize_with(count, Places::default);
    }

    /// Values and groups are counted in 32 bits: an error of `name` where there are more.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        if u32::try_from(self.taken.max(self.counted.len() as u64)).is_err() {
            return resources_err!("{name} holds more values than it can count");
        }
        Ok(())
    }

    /// Counts the small values of groups that have many in the list, if it is long by now.
    pub(super) fn settle(&mut self) {
        if self.list.values.len() < self.look_at.max(LIST_MIN) {
            return;
        }
        let mut small = vec![0_u32; self.counted.len()];
        for (group, value) in self.list.groups.iter().zip(&self.list.values) {
            small[*group as usize] += u32::from(is_small(*value));
        }
        for (group, small) in small.into_iter().enumerate() {
            if self.counted[group].is_empty() && small >= COUNTED_FROM {
                self.place(group, 0, 0);
            }
        }
        self.move_counted();
        // So the looks cost a few steps a value, however little they find.
        self.look_at = 2 * self.list.values.len().max(self.counted.len());
    }

    /// Moves small values out of the list whose groups count them.
    fn move_counted(&mut self) {
        let List { mut groups, mut values } = std::mem::take(&mut self.list);
        let mut kept = 0;
        for at in 0..groups.len() {
            let (group, value) = (groups[at], values[at]);
            if is_small(value) && !self.counted[group as usize].is_empty() {
                self.place(group as usize, value as usize, 1);
            } else {
                (groups[kept], values[kept]) = (group, value);
                kept += 1;
            }
        }
        groups.truncate(kept);
        values.truncate(kept);
        self.list = List { groups, values };
    }

    /// The values of the first groups, which are forgotten; others move down.
    pub(super) fn take(&mut self, emit_to: EmitTo) -> Grouped {
        // A group may have begun to count by what was merged while it had values in the list.
        if self.place_bytes > 0 {
            self.move_counted();
        }
        let List { mut groups, mut values } = std::mem::take(&mut self.list);
        if let EmitTo::First(first) = emit_to {
            let mut kept = 0;
            for at in 0..groups.len() {
                if groups[at] as usize >= first {
                    self.list.push(groups[at] as usize - first, values[at]);
                } else {
                    (groups[kept], values[kept]) = (groups[at], values[at]);
                    kept += 1;
                }
            }
            groups.truncate(kept);
            values.truncate(kept);
        }
        let counted = emit_to.take_needed(&mut self.counted);
        self.place_bytes = place_bytes(&self.counted);
        self.look_at = 0;
        let left = self.counted.iter().map(Places::total).sum::<u64>();
        self.taken = left + self.list.values.len() as u64;
        let mut ordered = Ordered::default();
        Orderer::default().group(&groups, counted.len(), &values, &mut ordered);
        Grouped { values: ordered, counted }
    }

    /// Puts the values of a single group back.
    pub(super) fn put_back(&mut self, one: Grouped) {
        let (_, values) = one.values.into_parts();
        let counted = one.counted.iter().map(Places::total).sum::<u64>();
        self.taken = counted + values.len() as u64;
        self.list = List { groups: vec![0; values.len()], values };
        self.place_bytes = place_bytes(&one.counted);
        self.counted = one.counted;
    }

    /// Heap bytes, and those that bringing the values together will take.
    pub(super) fn size(&self) -> usize {
        self.list.groups.capacity() * size_of::<u32>()
            + (self.list.values.capacity() + self.list.values.len()) * size_of::<i64>()
            + self.place_bytes
            + self.counted.capacity() * (size_of::<Places>() + 2 * size_of::<u32>())
    }
}

const fn is_small(value: i64) -> bool {
    0 <= value && value < SMALL as i64
}

fn place_bytes(counted: &[Places]) -> usize {
    counted.iter().map(Places::size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All values of each group, ascending.
    fn all(grouped: &Grouped) -> Vec<Vec<i64>> {
        let groups = grouped.values.groups().zip(&grouped.counted);
        groups
            .map(|(values, counted)| {
                let times = |(value, count): (i64, u32)| std::iter::repeat_n(value, count as usize);
                let counted = (0..).zip(counted.counts()).flat_map(times);
                let mut all: Vec<i64> = values.iter().copied().chain(counted).collect();
                all.sort_unstable();
                all
            })
            .collect()
    }

    #[test]
    fn many_small_values_are_counted_and_none_is_lost() {
        let mut values = Values::default();
        values.set_groups(4);
        let mut expected = vec![Vec::new(); 4];
        for step in 0..200_000_i64 {
            let group = if step % 4_000 == 7 { 3 } else { step as usize % 3 };
            let value = match group {
                1 => step * 1_000,
                2 if step % 5 == 0 => -step,
                _ => step * step % 1_500,
            };
            values.push(group, value);
            expected[group].push(value);
            if step % 8_192 == 0 {
                values.settle();
            }
        }
        expected.iter_mut().for_each(|values| values.sort_unstable());
        let counts: Vec<bool> = values.counted.iter().map(|counts| !counts.is_empty()).collect();
        assert_eq!(counts, [true, false, true, false]);
        assert!(values.check("all").is_ok());
        let full = values.size();

        let first = values.take(EmitTo::First(1));
        assert_eq!(all(&first), expected[..1]);
        let rest = values.take(EmitTo::All);
        assert_eq!(all(&rest), expected[1..]);
        assert!(values.size() < full / 2);
    }

    #[test]
    fn values_in_the_list_of_a_group_that_counts_by_a_merge_are_counted() {
        for listed_first in [true, false] {
            let mut values = Values::default();
            values.set_groups(2);
            let list = |values: &mut Values| {
                values.push(1, 3);
                values.push(1, -4);
                values.push(0, 3);
            };
            if listed_first {
                list(&mut values);
            }
            values.add_counted(1, 700, 2);
            if !listed_first {
                list(&mut values);
            }
            let grouped = values.take(EmitTo::All);
            assert_eq!(all(&grouped), [vec![3], vec![-4, 3, 700, 700]]);
            assert_eq!(grouped.values.groups().nth(1), Some(&[-4][..]), "{listed_first}");
            assert!(grouped.counted[0].is_empty());
        }
    }

    #[test]
    fn size_is_that_of_what_is_held_after_a_count_is_carried() {
        let mut values = Values::default();
        values.set_groups(2);
        values.add_counted(1, 7, 1);
        let before = values.size();
        (0..70_000).for_each(|_| values.push(1, 7));
        assert_eq!(values.size(), before + 4 * SMALL);
        assert_eq!(values.place_bytes, place_bytes(&values.counted));
        assert_eq!(all(&values.take(EmitTo::All))[1].len(), 70_001);
    }

    #[test]
    fn more_values_than_can_be_counted_are_an_error() {
        let mut values = Values::default();
        values.set_groups(1);
        values.add_counted(0, 3, u32::MAX);
        assert!(values.check("all").is_ok());
        values.push(0, 4);
        assert!(values.check("all").is_err());
        values.add_counted(0, SMALL, 1);
        values.push(0, 4);
        assert!(values.check("all").is_err());
    }
}
