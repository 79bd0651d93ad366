//! The columns of a date to arrays.

use arrow_array::ArrayRef;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_buffer::NullBuffer;
use turnwise_model::{Day, Millis, PricingRegime};

use super::alike::Alike;
use super::blocks::{CommonColumns, Flags, MESSAGE, PEER_PHONE, PEER_USER};
use super::column::{self, There, long, micros, numbers, numbers_or_null};
use super::{StringId, Strings};

/// Makes the arrays of a date's rows.
pub(super) struct Arrays<'a> {
    pub(super) alike: &'a mut Alike,
    strings: &'a Strings,
    pub(super) flags: &'a [Flags],
    /// Those that some row has, and those that all have.
    any: Flags,
    all: Flags,
}

/// The one value that all have, if there is one.
fn one<T: Copy + PartialEq>(values: &[T]) -> Option<T> {
    let first = *values.first()?;
    // Without a way out within a chunk: the compiler makes vectors.
    let is_first = |chunk: &[T]| chunk.iter().fold(true, |alike, value| alike & (*value == first));
    values.chunks(64).all(is_first).then_some(first)
}

/// Values that go, with not much more memory than they need.
fn taken<T>(values: &mut Vec<T>) -> Vec<T> {
    let mut values = std::mem::take(values);
    if values.capacity() > 2 * values.len() {
        values.shrink_to_fit();
    }
    values
}

impl<'a> Arrays<'a> {
    pub(super) fn new(alike: &'a mut Alike, strings: &'a Strings, flags: &'a [Flags]) -> Self {
        let any = flags.iter().fold(0, |any, flags| any | flags);
        let all = flags.iter().fold(Flags::MAX, |all, flags| all & flags);
        Self { alike, strings, flags, any, all }
    }

    /// Whether no row has a flag.
    pub(super) fn lack(&self, flag: Flags) -> bool {
        self.any & flag == 0
    }

    /// Which rows have a value; `None` if all have.
    pub(super) fn nulls(&self, flag: Flags) -> Option<NullBuffer> {
        if self.all & flag == 0 { There::of(self.flags, flag).nulls() } else { None }
    }

    /// A number of each row.
    pub(super) fn ints(&mut self, codes: &[u8]) -> ArrayRef {
        match one(codes) {
            Some(code) => self.alike.numbers(i32::from(code), codes.len()),
            None => numbers(codes.iter().copied().map(i32::from).collect()),
        }
    }

    /// A number of each row that has this flag.
    pub(super) fn ints_or_null(&mut self, codes: &[u8], flag: Flags) -> ArrayRef {
        if self.lack(flag) {
            return self.alike.null_numbers::<Int32Type>(codes.len());
        }
        let values = codes.iter().copied().map(i32::from).collect();
        numbers_or_null::<Int32Type>(values, self.nulls(flag))
    }

    /// A long number of each row that has this flag.
    pub(super) fn long_or_null(&mut self, values: &mut Vec<i64>, flag: Flags) -> ArrayRef {
        if self.lack(flag) {
            return self.alike.null_numbers::<Int64Type>(values.len());
        }
        numbers_or_null::<Int64Type>(taken(values), self.nulls(flag))
    }

    /// Strings that many rows share.
    fn shared(&mut self, ids: &[Option<StringId>]) -> ArrayRef {
        match one(ids) {
            // Mostly those of one source, and often of one account.
            Some(Some(id)) => self.alike.texts(self.strings.get(id), ids.len()),
            _ => column::shared(ids, self.strings, self.alike),
        }
    }

    fn partitions(&mut self, partitions: &mut Vec<i32>) -> ArrayRef {
        match one(partitions) {
            Some(partition) => self.alike.numbers(partition, partitions.len()),
            None => numbers(taken(partitions)),
        }
    }

    /// The pricing regime of each row, whose times are in microseconds, and all of a day if one is
    /// given: within a day there is mostly but one.
    pub(super) fn regimes(&mut self, times: &[i64], date: Option<Day>) -> ArrayRef {
        let at = |time: Millis| PricingRegime::at(time).code();
        let ends = date.map(|date| (at(date.start()), at(Millis(date.end().0 - 1))));
        if let Some((first, last)) = ends
            && first == last
        {
            return self.alike.numbers(first, times.len());
        }
        numbers(times.iter().map(|micros| at(Millis::from_micros(*micros))).collect())
    }

    /// The columns that every row has, but [`Self::regimes`], which stands elsewhere in each kind.
    pub(super) fn common(&mut self, columns: &mut CommonColumns) -> Vec<ArrayRef> {
        vec![
            self.shared(&columns.waba_id),
            self.shared(&columns.sender),
            self.long_or_null(&mut columns.peer_phone, PEER_PHONE),
            self.long_or_null(&mut columns.peer_user, PEER_USER),
            micros(taken(&mut columns.time)),
            self.long_or_null(&mut columns.message, MESSAGE),
            self.shared(&columns.source),
            self.partitions(&mut columns.partition),
            long(taken(&mut columns.offset)),
            numbers(taken(&mut columns.item)),
            self.ints(&columns.origin),
            self.ints(&columns.in_group),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regimes_of_a_day_are_those_of_its_rows() {
        for day in ["2025-06-30", "2025-07-01", "2026-09-30", "2026-10-01", "2016-01-01"] {
            let date = Day::parse_iso(day).expect("a date");
            let times: Vec<i64> = [date.start().0, date.start().0 + 1, date.end().0 - 1]
                .map(|time| Millis(time).micros())
                .to_vec();
            let (mut alike, strings) = (Alike::default(), Strings::default());
            let mut arrays = Arrays::new(&mut alike, &strings, &[]);
            let by_date = arrays.regimes(&times, Some(date));
            let by_row = arrays.regimes(&times, None);
            assert_eq!(by_date.as_ref(), by_row.as_ref(), "{day}");
        }
    }

    #[test]
    fn one_value_is_seen_only_where_all_have_it() {
        assert_eq!(one::<u8>(&[]), None);
        for rows in [1, 63, 64, 65, 200] {
            let mut values = vec![7; rows];
            assert_eq!(one(&values), Some(7));
            for at in (0..rows).filter(|_| rows > 1) {
                values[at] = 8;
                assert_eq!(one(&values), None, "{at} of {rows}");
                values[at] = 7;
            }
        }
    }
}
