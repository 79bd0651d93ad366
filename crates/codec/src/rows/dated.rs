//! Rows of one kind, in a list for each date.

use std::collections::BTreeMap;

use turnwise_model::Day;

/// Rows by date. Rows that follow each other are nearly always of one date, or of two by turns.
#[derive(Debug)]
pub(super) struct Dated<R> {
    lists: Vec<(Day, Vec<R>)>,
    places: BTreeMap<Day, usize>,
    /// The list used last, and the one before.
    last: [usize; 2],
    /// Rows of all lists.
    rows: usize,
    /// Emptied lists of the batch before, for their memory.
    spare: Vec<Vec<R>>,
}

/// Rows that spare lists have room for at most.
const SPARE_ROWS_MAX: usize = 1 << 16;

impl<R> Default for Dated<R> {
    fn default() -> Self {
        Self {
            lists: Vec::new(),
            places: BTreeMap::new(),
            last: [0; 2],
            rows: 0,
            spare: Vec::new(),
        }
    }
}

impl<R> Dated<R> {
    /// The list that takes the next row, of this date.
    #[inline]
    pub(super) fn of(&mut self, date: Day) -> &mut Vec<R> {
        self.rows += 1;
        let is = |place: usize| self.lists.get(place).is_some_and(|(known, _)| *known == date);
        let [last, before] = self.last;
        if !is(last) {
            let place = if is(before) { before } else { self.place(date) };
            self.last = [place, last];
        }
        &mut self.lists[self.last[0]].1
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

    /// Hands over the rows of each date, the dates in order; then there are none.
    pub(super) fn drain(&mut self, mut then: impl FnMut(Day, &[R])) {
        self.lists.sort_by_key(|(date, _)| *date);
        let mut room: usize = self.spare.iter().map(Vec::capacity).sum();
        for (date, mut rows) in self.lists.drain(..) {
            then(date, &rows);
            rows.clear();
            room += rows.capacity();
            if room <= SPARE_ROWS_MAX {
                self.spare.push(rows);
            }
        }
        self.places.clear();
        (self.last, self.rows) = ([0; 2], 0);
    }
}
