//! How often each of a group's small values came.
//!
//! Counts have 32 bits. Their low bytes stand alone until one overflows, which in most groups none
//! does: what is counted at random is a quarter as far apart then, and a quarter as much memory is
//! touched for the first time. A group with one that did has the bits above of all its values.

/// Values from 0 up to here are small.
pub(super) const SMALL: usize = 1_024;
/// A group has places for as many small values as it needs, by so many.
const STEP: usize = 64;

/// A count for each small value, as far as they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    low: Vec<u8>,
    /// The bits above, of all places, once one has any.
    high: Option<Box<[u32; SMALL]>>,
}

impl Places {
    /// Whether the group has none, which is not the same as counts of zero.
    pub(super) fn is_empty(&self) -> bool {
        self.low.is_empty()
    }

    /// The low bytes, to be fetched.
    pub(super) fn low(&self) -> &[u8] {
        &self.low
    }

    /// Counts a value once more, if it has a place; tells how many heap bytes that took.
    #[inline]
    pub(super) fn count(&mut self, value: usize) -> Option<usize> {
        let low = self.low.get_mut(value)?;
        let (sum, is_carried) = low.overflowing_add(1);
        *low = sum;
        Some(if is_carried { self.carry(value, 1) } else { 0 })
    }

    /// Counts a value below [`SMALL`] so often more, at a place that is made if it is missing.
    /// Counts are modulo 2³².
    pub(super) fn add(&mut self, value: usize, count: u32) {
        if self.low.len() <= value {
            let places = (value + 1).next_multiple_of(STEP);
            self.low.reserve_exact(places - self.low.len());
            self.low.resize(places, 0);
        }
        let [low, ..] = count.to_le_bytes();
        let (sum, is_carried) = self.low[value].overflowing_add(low);
        self.low[value] = sum;
        let high = (count >> u8::BITS) + u32::from(is_carried);
        if high > 0 {
            self.carry(value, high);
        }
    }

    /// Adds to the bits above; tells how many heap bytes that took.
    #[cold]
    fn carry(&mut self, value: usize, high: u32) -> usize {
        let before = self.size();
        let all = self.high.get_or_insert_with(|| Box::new([0; SMALL]));
        all[value] = all[value].wrapping_add(high);
        self.size() - before
    }

    /// The counts, of ascending values from 0 on.
    pub(super) fn counts(&self) -> impl Iterator<Item = u32> + '_ {
        let high = |value: usize| self.high.as_ref().map_or(0, |all| all[value]);
        self.low.iter().enumerate().map(move |(value, low)| whole(*low, high(value)))
    }

    /// The sum of all counts.
    pub(super) fn total(&self) -> u64 {
        self.counts().map(u64::from).sum()
    }

    /// The low bytes up to the last count that is not zero, and, of a group that has any, the bits
    /// above of as many values.
    pub(super) fn used(&self) -> (&[u8], &[u32]) {
        let high = self.high.as_deref();
        let is_used =
            |value: &usize| self.low[*value] > 0 || high.is_some_and(|high| high[*value] > 0);
        let used = (0..self.low.len()).rev().find(is_used).map_or(0, |last| last + 1);
        (&self.low[..used], high.map_or(&[], |high| &high[..used]))
    }

    /// Heap bytes.
    pub(super) fn size(&self) -> usize {
        let high = self.high.as_ref().map_or(0, |high| size_of_val(&**high));
        self.low.capacity() + high
    }
}

/// A count of its low byte and the bits above.
pub(super) fn whole(low: u8, high: u32) -> u32 {
    high << u8::BITS | u32::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_however_they_are_added() {
        let mut places = Places::default();
        assert!(places.is_empty() && places.count(0).is_none());
        let mut expected = vec![0_u32; SMALL];
        for (value, count) in
            [(3, 255), (3, 1), (3, 7), (70, 1 << 20), (70, 65_535), (70, 1), (1_023, 2), (0, 0)]
        {
            places.add(value, count);
            expected[value] += count;
            assert_eq!(places.total(), expected.iter().map(|n| u64::from(*n)).sum::<u64>());
        }
        for _ in 0..70_000 {
            assert_eq!(places.count(5), Some(0));
            expected[5] += 1;
        }
        let counts: Vec<u32> = places.counts().collect();
        assert_eq!(counts, expected[..counts.len()]);
        let (low, high) = places.used();
        let again: Vec<u32> = low.iter().zip(high).map(|(low, high)| whole(*low, *high)).collect();
        assert_eq!(again, expected);
        assert_eq!(places.size(), 5 * SMALL);
    }

    #[test]
    fn a_group_of_small_counts_has_low_bytes_alone() {
        let mut places = Places::default();
        places.add(9, 255);
        places.add(100, 0);
        let (low, high) = places.used();
        assert_eq!((low.len(), low[9], high), (10, 255, &[][..]));
        assert_eq!((places.low().len(), places.size()), (128, 128));
    }
}
