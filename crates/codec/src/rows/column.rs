//! Columns of Arrow that are filled from rows, a block of rows at a time.
//!
//! ```text
//! rows ── a block ─▶ first column, second column, …      the block stays in the nearest cache
//!      ── the next ─▶ first column, …                    while each column takes its part of it
//! ```
//!
//! All rows of a batch are far more than the nearest cache holds: column by column over all of them
//! each would come from farther away once for every column.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int32Array, ListArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};

/// Rows of a block; a multiple of the bits of a word.
const BLOCK_ROWS: usize = 128;
const WORD_ROWS: usize = u64::BITS as usize;
const _: () = assert!(BLOCK_ROWS.is_multiple_of(WORD_ROWS));

/// A column that is being filled from rows.
pub(super) trait Column<'a, R> {
    fn fill(&mut self, rows: &'a [R]);
    fn finish(self: Box<Self>) -> ArrayRef;
}

pub(super) type AnyColumn<'a, R> = Box<dyn Column<'a, R> + 'a>;

/// Fills columns from all rows.
pub(super) fn arrays<'a, R>(rows: &'a [R], mut columns: Vec<AnyColumn<'a, R>>) -> Vec<ArrayRef> {
    for block in rows.chunks(BLOCK_ROWS) {
        columns.iter_mut().for_each(|column| column.fill(block));
    }
    columns.into_iter().map(Column::finish).collect()
}

/// Numbers, one for each row.
struct Numbers<T: ArrowPrimitiveType, V> {
    values: Vec<T::Native>,
    value: V,
}

/// Numbers of which some may be missing.
struct NumbersOrNull<T: ArrowPrimitiveType, V> {
    values: Vec<T::Native>,
    there: There,
    value: V,
}

/// Strings of which some may be missing.
struct Texts<V> {
    builder: StringBuilder,
    value: V,
}

/// Strings that many rows in a row share, such as the name of a source.
struct Runs<'a, V> {
    runs: Vec<(&'a str, usize)>,
    value: V,
}

/// Lists of numbers of which some may be missing.
struct Lists<V> {
    values: Vec<i32>,
    offsets: Vec<i32>,
    there: There,
    value: V,
}

/// Which rows have a value, a bit each.
#[derive(Default)]
struct There {
    words: Vec<u64>,
    rows: usize,
}

/// A column of these numbers, for so many rows.
fn numbers<'a, T, R>(rows: usize, value: impl Fn(&R) -> T::Native + 'a) -> AnyColumn<'a, R>
where
    T: ArrowPrimitiveType,
{
    Box::new(Numbers::<T, _> { values: Vec::with_capacity(rows), value })
}

fn numbers_or_null<'a, T, R>(
    rows: usize,
    value: impl Fn(&R) -> Option<T::Native> + 'a,
) -> AnyColumn<'a, R>
where
    T: ArrowPrimitiveType,
{
    let (values, there) = (Vec::with_capacity(rows), There::default());
    Box::new(NumbersOrNull::<T, _> { values, there, value })
}

pub(super) fn int<'a, R>(rows: usize, value: impl Fn(&R) -> i32 + 'a) -> AnyColumn<'a, R> {
    numbers::<Int32Type, R>(rows, value)
}

pub(super) fn int_or_null<'a, R>(
    rows: usize,
    value: impl Fn(&R) -> Option<i32> + 'a,
) -> AnyColumn<'a, R> {
    numbers_or_null::<Int32Type, R>(rows, value)
}

pub(super) fn long<'a, R>(rows: usize, value: impl Fn(&R) -> i64 + 'a) -> AnyColumn<'a, R> {
    numbers::<Int64Type, R>(rows, value)
}

pub(super) fn long_or_null<'a, R>(
    rows: usize,
    value: impl Fn(&R) -> Option<i64> + 'a,
) -> AnyColumn<'a, R> {
    numbers_or_null::<Int64Type, R>(rows, value)
}

/// Times in microseconds, UTC.
pub(super) fn micros<'a, R>(rows: usize, value: impl Fn(&R) -> i64 + 'a) -> AnyColumn<'a, R> {
    numbers::<TimestampMicrosecondType, R>(rows, value)
}

/// Texts of so many bytes each, about.
pub(super) fn text<'a, R: 'a>(
    rows: usize,
    text_bytes: usize,
    value: impl Fn(&'a R) -> Option<&'a str> + 'a,
) -> AnyColumn<'a, R> {
    Box::new(Texts { builder: StringBuilder::with_capacity(rows, rows * text_bytes), value })
}

/// Texts that are mostly the same as the row's before.
pub(super) fn runs<'a, R: 'a>(value: impl Fn(&'a R) -> &'a str + 'a) -> AnyColumn<'a, R> {
    Box::new(Runs { runs: Vec::new(), value })
}

pub(super) fn list<'a, R>(
    rows: usize,
    value: impl Fn(&R) -> Option<&'a [i32]> + 'a,
) -> AnyColumn<'a, R> {
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    Box::new(Lists { values: Vec::new(), offsets, there: There::default(), value })
}

impl There {
    /// A word of bits, for so many rows.
    #[inline]
    fn push(&mut self, word: u64, rows: usize) {
        self.words.push(word);
        self.rows += rows;
    }

    /// `None` if all have a value.
    fn nulls(self) -> Option<NullBuffer> {
        let bits = BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.rows);
        Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
    }
}

/// One array's values are far fewer bytes than 2³¹: see the bounds of a batch.
fn offset(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

impl<'a, T: ArrowPrimitiveType, R, V: Fn(&R) -> T::Native> Column<'a, R> for Numbers<T, V> {
    fn fill(&mut self, rows: &'a [R]) {
        self.values.extend(rows.iter().map(&self.value));
    }

    fn finish(self: Box<Self>) -> ArrayRef {
        let array = PrimitiveArray::<T>::new(self.values.into(), None);
        // Of all types here only that of times has a parameter.
        match T::DATA_TYPE {
            DataType::Timestamp(..) => Arc::new(array.with_data_type(utc())),
            _ => Arc::new(array),
        }
    }
}

fn utc() -> DataType {
    DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, Some("UTC".into()))
}

impl<'a, T: ArrowPrimitiveType, R, V> Column<'a, R> for NumbersOrNull<T, V>
where
    V: Fn(&R) -> Option<T::Native>,
{
    fn fill(&mut self, rows: &'a [R]) {
        let Self { values, there, value } = self;
        for rows in rows.chunks(WORD_ROWS) {
            let mut word = 0;
            values.extend(rows.iter().enumerate().map(|(at, row)| {
                let value = value(row);
                word |= u64::from(value.is_some()) << at;
                value.unwrap_or_default()
            }));
            there.push(word, rows.len());
        }
    }

    fn finish(self: Box<Self>) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(self.values.into(), self.there.nulls()))
    }
}

impl<'a, R: 'a, V: Fn(&'a R) -> Option<&'a str>> Column<'a, R> for Texts<V> {
    fn fill(&mut self, rows: &'a [R]) {
        // Unlike an array made of bytes, a builder need not look again whether they are UTF-8.
        rows.iter().for_each(|row| self.builder.append_option((self.value)(row)));
    }

    fn finish(mut self: Box<Self>) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

impl<'a, R: 'a, V: Fn(&'a R) -> &'a str> Column<'a, R> for Runs<'a, V> {
    fn fill(&mut self, rows: &'a [R]) {
        for row in rows {
            let text = (self.value)(row);
            match self.runs.last_mut() {
                // Equal texts are kept once, so that a look at where they are is enough.
                Some((last, rows)) if std::ptr::eq(*last, text) => *rows += 1,
                _ => self.runs.push((text, 1)),
            }
        }
    }

    fn finish(self: Box<Self>) -> ArrayRef {
        let bytes = self.runs.iter().map(|(text, rows)| text.len() * rows).sum();
        let rows = self.runs.iter().map(|(_, rows)| rows).sum::<usize>();
        let (mut values, mut offsets) = (Vec::with_capacity(bytes), Vec::with_capacity(rows + 1));
        offsets.push(0);
        for (text, rows) in self.runs {
            let before = values.len();
            values.extend_from_slice(text.repeat(rows).as_bytes());
            offsets.extend((1..=rows).map(|row| offset(before + row * text.len())));
        }
        let texts = StringArray::try_new(OffsetBuffer::new(offsets.into()), values.into(), None);
        Arc::new(texts.expect("whole strings were put behind each other"))
    }
}

impl<'a, R, V: Fn(&R) -> Option<&'a [i32]>> Column<'a, R> for Lists<V> {
    fn fill(&mut self, rows: &'a [R]) {
        let Self { values, offsets, there, value } = self;
        for rows in rows.chunks(WORD_ROWS) {
            let mut word = 0;
            offsets.extend(rows.iter().enumerate().map(|(at, row)| {
                if let Some(numbers) = value(row) {
                    word |= 1 << at;
                    values.extend_from_slice(numbers);
                }
                offset(values.len())
            }));
            there.push(word, rows.len());
        }
    }

    fn finish(self: Box<Self>) -> ArrayRef {
        let field = Arc::new(Field::new("element", DataType::Int32, true));
        let offsets = OffsetBuffer::new(self.offsets.into());
        let values = Arc::new(Int32Array::new(self.values.into(), None));
        Arc::new(ListArray::new(field, offsets, values, self.there.nulls()))
    }
}
