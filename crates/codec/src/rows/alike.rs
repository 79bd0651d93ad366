//! Columns of which all rows say the same: made once, and shared by the batches that have them.
//!
//! Of the columns of a batch about half are of this kind: its source and partition, marks that no
//! row has, the price regime of its day, values that are missing throughout.
//!
//! What is kept for that takes at most some 14 MB, most of it texts, and no column of more than
//! 65,536 rows, which is made anew each time. What was not asked for longest goes first.

use std::sync::Arc;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{Array as _, ArrayRef, Int32Array, ListArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::column::element;

/// Rows that a kept column has at most; longer ones are made anew each time.
const ROWS_MAX: usize = 1 << 16;
/// Bytes of texts that a kept column has at most.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Different numbers, and different texts, that columns are kept of at most.
const KEPT_MAX: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Alike {
    /// Zeros: values of what is missing, and the bits that say so.
    zeros: Buffer,
    numbers: Vec<(i32, ScalarBuffer<i32>)>,
    texts: Vec<StringArray>,
    /// Where strings begin that all have so many bytes.
    offsets: Vec<(usize, OffsetBuffer<i32>)>,
}

impl Default for Alike {
    fn default() -> Self {
        Self {
            zeros: Buffer::from_vec(Vec::<u64>::new()),
            numbers: Vec::new(),
            texts: Vec::new(),
            offsets: Vec::new(),
        }
    }
}

/// Rows to make a column of, where so many are needed now.
fn room(rows: usize) -> usize {
    if rows > ROWS_MAX { rows } else { rows.next_power_of_two() }
}

/// One of those that are kept, which then are in the order in which they were asked for.
fn find<T>(kept: &mut Vec<T>, is: impl Fn(&T) -> bool) -> Option<&T> {
    let place = kept.iter().rposition(is)?;
    let one = kept.remove(place);
    kept.push(one);
    kept.last()
}

/// Keeps one more, and of too many no longer the first.
fn keep<T>(kept: &mut Vec<T>, one: T) {
    if kept.len() == KEPT_MAX {
        kept.remove(0);
    }
    kept.push(one);
}

impl Alike {
    /// One number in so many rows.
    pub(super) fn numbers(&mut self, number: i32, rows: usize) -> ArrayRef {
        let is =
            |(known, values): &(i32, ScalarBuffer<i32>)| *known == number && values.len() >= rows;
        let values = match find(&mut self.numbers, is) {
            Some((_, values)) => values.slice(0, rows),
            None => {
                let values = ScalarBuffer::from(vec![number; room(rows)]);
                if rows <= ROWS_MAX {
                    self.numbers.retain(|(known, _)| *known != number);
                    keep(&mut self.numbers, (number, values.clone()));
                }
                values.slice(0, rows)
            }
        };
        Arc::new(Int32Array::new(values, None))
    }

    /// One text in so many rows.
    pub(super) fn texts(&mut self, text: &str, rows: usize) -> ArrayRef {
        if rows == 0 || rows > ROWS_MAX || text.len() * room(rows) > TEXT_BYTES_MAX {
            return Arc::new(StringArray::new_repeated(text, rows));
        }
        let is = |texts: &StringArray| texts.len() >= rows && texts.value(0) == text;
        let texts = match find(&mut self.texts, is) {
            Some(texts) => texts.slice(0, rows),
            None => {
                let texts = StringArray::new_repeated(text, room(rows));
                self.texts.retain(|texts| texts.value(0) != text);
                keep(&mut self.texts, texts.clone());
                texts.slice(0, rows)
            }
        };
        Arc::new(texts)
    }

    /// Where strings of so many bytes begin, and the last one ends.
    pub(super) fn offsets(&mut self, bytes: usize, rows: usize) -> OffsetBuffer<i32> {
        let is =
            |(known, offsets): &(usize, OffsetBuffer<i32>)| *known == bytes && offsets.len() > rows;
        if let Some((_, offsets)) = find(&mut self.offsets, is) {
            return offsets.slice(0, rows);
        }
        let offsets = OffsetBuffer::from_repeated_length(bytes, room(rows));
        if rows <= ROWS_MAX {
            self.offsets.retain(|(known, _)| *known != bytes);
            keep(&mut self.offsets, (bytes, offsets.clone()));
        }
        offsets.slice(0, rows)
    }

    /// Numbers of which all are missing.
    pub(super) fn null_numbers<T: ArrowPrimitiveType>(&mut self, rows: usize) -> ArrayRef {
        let values = ScalarBuffer::new(self.zeros(rows * size_of::<T::Native>()), 0, rows);
        Arc::new(PrimitiveArray::<T>::new(values, Some(self.nulls(rows))))
    }

    /// Lists of numbers of which all are missing.
    pub(super) fn null_lists(&mut self, rows: usize) -> ArrayRef {
        let offsets = ScalarBuffer::new(self.zeros((rows + 1) * size_of::<i32>()), 0, rows + 1);
        let values = Arc::new(Int32Array::new(ScalarBuffer::from(Vec::new()), None));
        let offsets = OffsetBuffer::new(offsets);
        Arc::new(ListArray::new(element(), offsets, values, Some(self.nulls(rows))))
    }

    fn nulls(&mut self, rows: usize) -> NullBuffer {
        let bits = BooleanBuffer::new(self.zeros(rows.div_ceil(8)), 0, rows);
        NullBuffer::new(bits)
    }

    /// So many zeros and more.
    fn zeros(&mut self, bytes: usize) -> Buffer {
        if self.zeros.len() >= bytes {
            return self.zeros.clone();
        }
        // In words, so that numbers of any width begin where they may.
        let words = room(bytes.div_ceil(size_of::<u64>()));
        let zeros = Buffer::from_vec(vec![0_u64; words]);
        if words <= ROWS_MAX {
            self.zeros = zeros.clone();
        }
        zeros
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::types::{Int32Type, Int64Type};

    use super::*;

    #[test]
    fn columns_are_those_that_are_made_anew_whatever_was_asked_for_before() {
        let mut alike = Alike::default();
        let long = "9".repeat(100);
        for rows in [1, 0, 64, 63, 1_000, 20_000, 7, ROWS_MAX, ROWS_MAX + 1, 65] {
            for number in 0..2 * KEPT_MAX as i32 {
                let expected = Int32Array::from(vec![number; rows]);
                assert_eq!(
                    alike.numbers(number, rows).as_ref(),
                    &expected as &dyn arrow_array::Array
                );
                let text = format!("{number}{}", if number % 2 == 0 { &long } else { "" });
                let expected = StringArray::from(vec![text.as_str(); rows]);
                assert_eq!(alike.texts(&text, rows).as_ref(), &expected as &dyn arrow_array::Array);
                let offsets = alike.offsets(number as usize, rows);
                assert!(offsets.iter().enumerate().all(|(row, at)| *at == row as i32 * number));
                assert_eq!(offsets.len(), rows + 1);
            }
            let ints = alike.null_numbers::<Int32Type>(rows);
            let longs = alike.null_numbers::<Int64Type>(rows);
            let lists = alike.null_lists(rows);
            for nulls in [&ints, &longs, &lists] {
                assert_eq!((nulls.len(), nulls.null_count()), (rows, rows));
                nulls.to_data().validate_full().expect("an array");
            }
            assert_eq!(
                lists.as_ref(),
                &ListArray::new_null(element(), rows) as &dyn arrow_array::Array
            );
        }
        assert!(alike.numbers.len() <= KEPT_MAX && alike.texts.len() <= KEPT_MAX);
        assert!(alike.offsets.len() <= KEPT_MAX);
    }
}
