//! Rows of one kind, in a list for each date.

use std::collections::BTreeMap;

use arrow_schema::SchemaRef;
use turnwise_model::schema::file_schema;
use turnwise_model::time::DAY_MS;
use turnwise_model::{Day, EventKind, Millis};

/// A list of rows whose memory is used again.
pub(super) trait List: Default {
    type Row;

    fn put(&mut self, row: Self::Row);

    /// Removes all rows, and keeps memory of at most so many bytes.
    fn clear(&mut self, bytes_max: usize);

    /// Bytes that there is memory for after [`List::clear`].
    fn bytes_kept(&self) -> usize;
}

impl<R> List for Vec<R> {
    type Row = R;

    fn put(&mut self, row: R) {
        self.push(row);
    }

    fn clear(&mut self, bytes_max: usize) {
        self.clear();
        self.shrink_to(bytes_max / size_of::<R>());
    }

    fn bytes_kept(&self) -> usize {
        self.capacity() * size_of::<R>()
    }
}

/// Rows by date. Rows that follow each other are nearly always of one date, or of two by turns.
#[derive(Debug)]
pub(super) struct Dated<L> {
    schema: SchemaRef,
    lists: Vec<(Day, Box<L>)>,
    places: BTreeMap<Day, usize>,
    /// Two lists used lately, and when their days begin; of no list an instant before all days.
    last: [usize; 2],
    starts: [i64; 2],
    /// Which of them the next one takes the place of.
    next: usize,
    /// Rows of all lists.
    rows: usize,
    /// Bytes of a row and of its part of the columns to come, strings and lists left out.
    row_bytes: usize,
    /// Emptied lists of the batch before, for their memory; the largest is the last.
    spare: Vec<Box<L>>,
}

/// Spare lists at most.
const SPARE_LISTS_MAX: usize = 8;
/// Bytes that the spare lists of a kind have room for at most.
const SPARE_BYTES_MAX: usize = 8 << 20;

impl<L: List> Dated<L> {
    /// For rows of a kind.
    pub(super) fn of_kind(kind: EventKind) -> Self {
        let schema = file_schema(kind);
        let widths = schema.fields().iter().map(|field| field.data_type().primitive_width());
        // Strings and lists have an offset each.
        let column_bytes: usize = widths.map(|width| width.unwrap_or(size_of::<i32>())).sum();
        Self {
            row_bytes: size_of::<L::Row>() + column_bytes,
            schema,
            lists: Vec::new(),
            places: BTreeMap::new(),
            last: [0; 2],
            starts: [i64::MIN; 2],
            next: 0,
            rows: 0,
            spare: Vec::new(),
        }
    }

    /// The list that takes the next row, of the date of this time.
    #[inline(always)]
    pub(super) fn of_time(&mut self, time: Millis) -> &mut L {
        let is_in =
            |start: i64| time.0.wrapping_sub(start).cast_unsigned() < DAY_MS.cast_unsigned();
        // Without a question which one it is: dates take turns as they like.
        let nth = usize::from(!is_in(self.starts[0]));
        if is_in(self.starts[nth]) {
            self.rows += 1;
            return &mut self.lists[self.last[nth]].1;
        }
        self.of(time.day())
    }

    /// The list that takes the next row, of this date.
    #[inline(never)]
    pub(super) fn of(&mut self, date: Day) -> &mut L {
        self.rows += 1;
        let start = date.start().0;
        let known = self.starts.iter().position(|known| *known == start);
        let nth = known.unwrap_or_else(|| {
            let nth = self.next;
            (self.last[nth], self.starts[nth]) = (self.place(date), start);
            self.next = 1 - nth;
            nth
        });
        &mut self.lists[self.last[nth]].1
    }

    #[cold]
    fn place(&mut self, date: Day) -> usize {
        let next = self.lists.len();
        let place = *self.places.entry(date).or_insert(next);
        if place == next {
            self.lists.push((date, self.spare.pop().unwrap_or_default()));
        }
        place
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of the rows, and of the columns that stand beside them before they go.
    pub(super) fn bytes(&self) -> usize {
        self.rows * self.row_bytes
    }

    /// Hands over the rows of each date, the dates in order, and the schema of their columns; then
    /// there are none.
    pub(super) fn drain(&mut self, mut then: impl FnMut(&SchemaRef, Day, &mut L)) {
        self.lists.sort_by_key(|(date, _)| *date);
        for (date, mut rows) in self.lists.drain(..) {
            then(&self.schema, date, &mut rows);
            rows.clear(SPARE_BYTES_MAX);
            self.spare.push(rows);
            self.spare.sort_unstable_by_key(|list| list.bytes_kept());
            let kept = |spare: &[Box<L>]| spare.iter().map(|list| list.bytes_kept()).sum::<usize>();
            while self.spare.len() > SPARE_LISTS_MAX || kept(&self.spare) > SPARE_BYTES_MAX {
                self.spare.remove(0);
            }
        }
        self.places.clear();
        (self.starts, self.rows) = ([i64::MIN; 2], 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_with_those_of_their_date_however_dates_take_turns() {
        let mut dated = Dated::<Vec<i64>>::of_kind(EventKind::Message);
        dated.of_time(Millis(i64::MAX)).push(-1);
        dated.drain(|_, date, rows| {
            assert_eq!((date, &**rows), (Millis(i64::MAX).day(), &[-1][..]));
        });
        for round in 0..3 {
            let mut expected = BTreeMap::<Day, Vec<i64>>::new();
            for nth in 0..3_000_i64 {
                // One date, two by turns, many; the first and the last instant of each.
                let day = match nth / 1_000 {
                    0 => 20_000,
                    1 => 20_000 + nth % 2,
                    _ => 20_000 - nth * nth % 17,
                } - round;
                let time = Millis(day * DAY_MS + [0, DAY_MS - 1][nth as usize / 2 % 2]);
                if nth % 5 == 0 {
                    dated.of(time.day()).push(nth);
                } else {
                    dated.of_time(time).push(nth);
                }
                expected.entry(time.day()).or_default().push(nth);
            }
            // As late as a row can be, by a broker's clock gone wrong.
            let last = Millis(i64::MAX);
            dated.of_time(last).push(-1);
            expected.entry(last.day()).or_default().push(-1);
            assert_eq!(dated.rows(), 3_001);
            let mut drained = Vec::new();
            dated.drain(|_, date, rows| drained.push((date, rows.clone())));
            assert_eq!(drained, expected.into_iter().collect::<Vec<_>>());
            assert_eq!(dated.rows(), 0);
        }
    }
}
