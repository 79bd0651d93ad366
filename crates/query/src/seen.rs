//! What was derived last, to tell what changed.
//!
//! New rows of a date may decide the days around it, and mostly decide none of them but their own.
//! A part of `sender_days` that comes out as it did last time is not written again, and windows that
//! hold no other days are not derived again.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::ipc::writer::StreamWriter;
use blake3::{Hash, Hasher};
use turnwise_model::Day;
use turnwise_model::limits::SENDER_BUCKETS;

use crate::error::QueryError;

/// A part of `sender_days`: a day and a bucket of senders.
pub(crate) type Part = (Day, i32);

/// The parts that a process derived last: how each was written. Nothing of it is stored.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<Part, Written>);

/// Parts that came out otherwise than they were seen.
#[derive(Debug, Default)]
pub struct Changed(BTreeMap<Part, Written>);

#[derive(Clone, Copy, Debug)]
struct Written {
    /// Of its rows.
    hash: Hash,
    /// Of `events`, when it was written.
    version: u64,
}

impl Changed {
    /// The days of these parts.
    #[must_use]
    pub fn days(&self) -> BTreeSet<Day> {
        self.0.keys().map(|(day, _)| *day).collect()
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(crate) fn has(&self, part: &Part) -> bool {
        self.0.contains_key(part)
    }
}

impl Seen {
    /// Those of `keys` whose rows, or whose lack of rows, at this version were not seen last.
    pub(crate) fn changed(
        &self,
        keys: &BTreeSet<Part>,
        rows: &BTreeMap<Part, RecordBatch>,
        version: u64,
    ) -> Result<Changed, QueryError> {
        let mut changed = Changed::default();
        for key in keys {
            let hash = hash(rows.get(key))?;
            if self.0.get(key).is_none_or(|seen| seen.hash != hash) {
                changed.0.insert(*key, Written { hash, version });
            }
        }
        Ok(changed)
    }

    /// Whether all parts of a day were seen, and are what `stands` says of a part: the version that
    /// it stands on.
    pub(crate) fn is_day(&self, day: Day, stands: impl Fn(&Part) -> Option<u64>) -> bool {
        parts_of(day)
            .all(|part| self.0.get(&part).is_some_and(|seen| stands(&part) == Some(seen.version)))
    }

    /// Forgets parts that are about to be written: what stands then is only known of those that
    /// [`Seen::keep`] remembers.
    pub(crate) fn forget(&mut self, changed: &Changed) {
        self.0.retain(|part, _| !changed.has(part));
    }

    /// Remembers parts, once all that follows from them was derived and stands.
    pub fn keep(&mut self, changed: Changed) {
        self.0.extend(changed.0);
    }

    /// Forgets days before this one.
    pub fn forget_before(&mut self, day: Day) {
        self.0 = self.0.split_off(&(day, i32::MIN));
    }
}

/// The parts of a day.
pub(crate) fn parts_of(day: Day) -> impl Iterator<Item = Part> {
    (0..SENDER_BUCKETS.cast_signed()).map(move |bucket| (day, bucket))
}

/// Of all values, in the format of Arrow's streams, which is written beside the rows for it.
fn hash(rows: Option<&RecordBatch>) -> Result<Hash, QueryError> {
    let mut hasher = Hasher::new();
    if let Some(rows) = rows {
        let arrow = |source| QueryError::from_arrow("tell what changed", source);
        let mut writer = StreamWriter::try_new(&mut hasher, &rows.schema()).map_err(arrow)?;
        writer.write(rows).map_err(arrow)?;
        writer.finish().map_err(arrow)?;
    }
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn rows(numbers: &[Option<i64>]) -> RecordBatch {
        let senders = StringArray::from_iter_values(numbers.iter().map(|_| "100"));
        let numbers: ArrayRef = Arc::new(numbers.iter().copied().collect::<Int64Array>());
        RecordBatch::try_from_iter([("sender", Arc::new(senders) as ArrayRef), ("n", numbers)])
            .expect("rows")
    }

    #[test]
    fn parts_change_with_their_rows_and_when_they_come_and_go() {
        let [one, other, none] = [(Day(7), 0), (Day(7), 1), (Day(8), 0)];
        let keys = BTreeSet::from([one, other, none]);
        let mut seen = Seen::default();
        let mut parts = BTreeMap::from([(one, rows(&[Some(1), None])), (other, rows(&[Some(2)]))]);
        let first = seen.changed(&keys, &parts, 1).expect("changed");
        assert_eq!(first.days(), BTreeSet::from([Day(7), Day(8)]));
        // Nothing is seen before it is kept.
        let changed = |seen: &Seen, parts: &BTreeMap<Part, RecordBatch>| {
            let changed = seen.changed(&keys, parts, 2).expect("changed");
            keys.iter().filter(|key| changed.has(key)).copied().collect::<Vec<_>>()
        };
        assert_eq!(changed(&seen, &parts), [one, other, none]);
        seen.keep(first);
        assert_eq!(changed(&seen, &parts), []);
        parts.insert(one, rows(&[Some(1), None]));
        assert_eq!(changed(&seen, &parts), []);
        parts.insert(one, rows(&[Some(1), Some(0)]));
        parts.insert(none, rows(&[Some(1)]));
        assert_eq!(changed(&seen, &parts), [one, none]);
        parts.remove(&none);
        parts.remove(&other);
        assert_eq!(changed(&seen, &parts), [one, other]);
        // A part that was written and then came to nothing is not known any more.
        let written = seen.changed(&keys, &parts, 1).expect("changed");
        seen.forget(&written);
        parts.insert(one, rows(&[Some(1), None]));
        assert_eq!(changed(&seen, &parts), [one, other]);
        seen.forget_before(Day(8));
        assert_eq!(changed(&seen, &parts), [one, other]);
        assert_eq!(seen.0.len(), 1);
    }
}
