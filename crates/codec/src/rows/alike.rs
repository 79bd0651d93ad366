//! Columns of which all rows say the same: made once, and shared by the batches that have them.
//!
//! Of the columns of a batch about half are of this kind: its source and partition, marks that no
//! row has, the price regime of its day, values that are missing throughout.

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
}

impl Default for Alike {
    fn default() -> Self {
        Self { zeros: Buffer::from_vec(Vec::<u64>::new()), numbers: Vec::new(), texts: Vec::new() }
    }
}

/// Rows to make a column of, where so many are needed now.
fn room(rows: usize) -> usize {
    if rows > ROWS_MAX { rows } else { rows.next_power_of_two() }
}

/// Keeps one more, and the oldest no longer if they are too many.
fn keep<T>(kept: &mut Vec<T>, one: T) {
    if kept.len() == KEPT_MAX {
        kept.remove(0);
    }
    kept.push(one);
}

impl Alike {
    /// One number in so many rows.
    pub(super) fn numbers(&mut self, number: i32, rows: usize) -> ArrayRef {
        let is_enough = |values: &ScalarBuffer<i32>| values.len() >= rows;
        let known =
            self.numbers.iter().find(|(known, values)| *known == number && is_enough(values));
        let values = match known {
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
        let is_known = |texts: &&StringArray| texts.len() >= rows && texts.value(0) == text;
        if rows == 0 {
            return Arc::new(StringArray::new_repeated(text, 0));
        }
        let texts = match self.texts.iter().find(is_known) {
            Some(texts) => texts.slice(0, rows),
            None => {
                let texts = StringArray::new_repeated(text, room(rows));
                if rows <= ROWS_MAX && texts.values().len() <= TEXT_BYTES_MAX {
                    self.texts.retain(|texts| texts.value(0) != text);
                    keep(&mut self.texts, texts.clone());
                }
                texts.slice(0, rows)
            }
        };
        Arc::new(texts)
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
