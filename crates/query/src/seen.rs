//! What was derived last, to tell what changed.
//!
//! New rows of a date may decide the days around it, and mostly decide none of them but their own.
//! A part of `sender_days` that comes out as it did last time is not written again, and windows that
//! hold no other days are not derived again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::datatypes::{ArrowNativeType, DataType};
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

    /// With other parts, which go before the same ones of these.
    pub fn extend(&mut self, others: Self) {
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

/// Of all values. How arrays came about does not matter: what stands where a value is missing, or
/// behind the last, is no part of it.
fn hash(rows: Option<&RecordBatch>) -> Result<Hash, QueryError> {
    let mut hasher = Hasher::new();
    for column in rows.map(RecordBatch::columns).unwrap_or_default() {
        feed(&mut hasher, column)?;
    }
    Ok(hasher.finalize())
}

fn feed(hasher: &mut Hasher, array: &dyn Array) -> Result<(), QueryError> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    hasher.update(&array.len().to_le_bytes());
    hasher.update(&[u8::from(nulls.is_some())]);
    if let Some(nulls) = nulls {
        let bits = BooleanBuffer::collect_bool(nulls.len(), |row| nulls.is_valid(row));
        hasher.update(bits.values());
    }
    match array.data_type() {
        DataType::Utf8 => {
            let strings = array.as_string::<i32>();
            let within = lengths(hasher, strings.offsets());
            hasher.update(&strings.value_data()[within]);
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let within = lengths(hasher, lists.offsets());
            feed(hasher, &lists.values().slice(within.start, within.len()))?;
        }
        kind => {
            let width = kind.primitive_width().ok_or_else(|| QueryError::Unexpected {
                operation: "tell what changed",
                reason: format!("values of the type {kind}"),
            })?;
            let data = array.to_data();
            let values = &data.buffers()[0].as_slice()[data.offset() * width..];
            let values = &values[..data.len() * width];
            let Some(nulls) = nulls else {
                hasher.update(values);
                return Ok(());
            };
            let mut values = values.to_vec();
            for (row, value) in values.chunks_exact_mut(width).enumerate() {
                if nulls.is_null(row) {
                    value.fill(0);
                }
            }
            hasher.update(&values);
        }
    }
    Ok(())
}

/// Feeds how long each value is; where they begin and end.
fn lengths(hasher: &mut Hasher, offsets: &OffsetBuffer<i32>) -> Range<usize> {
    offsets.lengths().for_each(|length| {
        hasher.update(&length.to_le_bytes());
    });
    let at = |offset: Option<&i32>| offset.map_or(0, |offset| offset.as_usize());
    at(offsets.first())..at(offsets.last())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn rows(numbers: &[Option<i64>]) -> RecordBatch {
        let senders = StringArray::from_iter_values(numbers.iter().map(|_| "100"));
        let numbers: ArrayRef = Arc::new(numbers.iter().copied().collect::<Int64Array>());
        RecordBatch::try_from_iter([("sender", Arc::new(senders) as ArrayRef), ("n", numbers)])
            .expect("rows")
    }

    #[test]
    fn hashes_are_of_values_however_their_arrays_came_about() {
        let of = |array: ArrayRef| {
            hash(Some(&RecordBatch::try_from_iter([("n", array)]).expect("rows"))).expect("hash")
        };
        let numbers = |values: Vec<i64>, nulls: Option<Vec<bool>>| -> ArrayRef {
            Arc::new(Int64Array::new(values.into(), nulls.map(Into::into)))
        };
        let one = of(numbers(vec![7, 0, 9], Some(vec![true, false, true])));
        assert_eq!(one, of(numbers(vec![7, 5, 9], Some(vec![true, false, true]))));
        let all = numbers(vec![1, 7, 5, 9], Some(vec![true, true, false, true]));
        assert_eq!(one, of(all.slice(1, 3)));
        assert_ne!(one, of(numbers(vec![7, 0, 9], None)));
        assert_eq!(of(numbers(vec![7], None)), of(numbers(vec![7], Some(vec![true]))));
        let lists = |lists: Vec<Option<Vec<Option<i64>>>>| -> ArrayRef {
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))
        };
        let two = lists(vec![Some(vec![Some(3)]), Some(vec![Some(1), Some(2)]), None]);
        let behind = lists(vec![Some(vec![Some(1), Some(2)]), None]);
        assert_eq!(of(two.slice(1, 2)), of(behind));
        let other = lists(vec![Some(vec![Some(1)]), Some(vec![Some(2)])]);
        assert_ne!(of(two.slice(1, 2)), of(other));
        let strings = |strings: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(strings)) };
        assert_eq!(of(strings(vec!["", "ab", "c"]).slice(1, 2)), of(strings(vec!["ab", "c"])));
        assert_ne!(of(strings(vec!["a", "bc"])), of(strings(vec!["ab", "c"])));
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
