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

use super::{StringId, Strings};

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

/// Strings that many rows share, of which some may be missing.
struct Shared<'a, V> {
    strings: &'a Strings,
    /// How many rows, up to here all, have the same string.
    same: Option<(StringId, usize)>,
    values: Vec<u8>,
    offsets: Vec<i32>,
    there: There,
    /// Rows of the column.
    rows: usize,
    value: V,
}

/// Countries of which some may be missing.
struct Countries<V> {
    values: Vec<u8>,
    offsets: Vec<i32>,
    there: There,
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

/// Strings that many rows share; mostly those of one source, of few accounts.
pub(super) fn shared<'a, R>(
    rows: usize,
    strings: &'a Strings,
    value: impl Fn(&R) -> Option<StringId> + 'a,
) -> AnyColumn<'a, R> {
    let (values, offsets, there) = (Vec::new(), Vec::new(), There::default());
    Box::new(Shared { strings, same: None, values, offsets, there, rows, value })
}

/// Countries, as two letters.
pub(super) fn countries<'a, R>(
    rows: usize,
    value: impl Fn(&R) -> Option<[u8; 2]> + 'a,
) -> AnyColumn<'a, R> {
    let values = Vec::with_capacity(2 * rows);
    Box::new(Countries { values, offsets: offsets(rows), there: There::default(), value })
}

pub(super) fn list<'a, R>(
    rows: usize,
    value: impl Fn(&R) -> Option<&'a [i32]> + 'a,
) -> AnyColumn<'a, R> {
    Box::new(Lists { values: Vec::new(), offsets: offsets(rows), there: There::default(), value })
}

/// The offset of the first row, and room for more.
fn offsets(rows: usize) -> Vec<i32> {
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    offsets
}

/// Strings from their bytes, which are looked at once more.
fn strings(values: Vec<u8>, offsets: Vec<i32>, nulls: Option<NullBuffer>) -> ArrayRef {
    let texts = StringArray::try_new(OffsetBuffer::new(offsets.into()), values.into(), nulls);
    Arc::new(texts.expect("whole strings were put behind each other"))
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

impl<V> Shared<'_, V> {
    /// Bytes of a string, about, and of a few long ones.
    const BYTES: usize = 16;

    /// Writes what was only counted: whole blocks, for there are more.
    #[cold]
    fn write_same(&mut self) {
        self.offsets = offsets(self.rows);
        self.values.reserve(self.rows * Self::BYTES);
        let Some((id, rows)) = self.same.take() else { return };
        let mut rest = rows;
        while rest > 0 {
            let rows = rest.min(WORD_ROWS);
            (0..rows).for_each(|_| self.write(Some(id)));
            self.there.push(u64::MAX >> (WORD_ROWS - rows), rows);
            rest -= rows;
        }
    }

    #[inline(always)]
    fn write(&mut self, id: Option<StringId>) {
        if let Some(id) = id {
            let (before, short) = (self.values.len(), self.strings.short(id));
            if short.is_whole() {
                self.values.extend_from_slice(&short.bytes);
                self.values.truncate(before + usize::from(short.length));
            } else {
                self.values.extend_from_slice(self.strings.get(id).as_bytes());
            }
        }
        self.offsets.push(offset(self.values.len()));
    }
}

impl<'a, R, V: Fn(&R) -> Option<StringId>> Column<'a, R> for Shared<'a, V> {
    fn fill(&mut self, rows: &'a [R]) {
        if self.offsets.is_empty() {
            let first = rows.first().and_then(&self.value);
            let (same, before) = self.same.map_or((first, 0), |(same, rows)| (Some(same), rows));
            if let Some(same) = same
                && rows.iter().all(|row| (self.value)(row) == Some(same))
            {
                self.same = Some((same, before + rows.len()));
                return;
            }
            self.write_same();
        }
        for rows in rows.chunks(WORD_ROWS) {
            let mut word = 0;
            for (at, row) in rows.iter().enumerate() {
                let id = (self.value)(row);
                word |= u64::from(id.is_some()) << at;
                self.write(id);
            }
            self.there.push(word, rows.len());
        }
    }

    fn finish(self: Box<Self>) -> ArrayRef {
        match self.same {
            Some((id, rows)) => Arc::new(StringArray::new_repeated(self.strings.get(id), rows)),
            None if self.offsets.is_empty() => Arc::new(StringArray::new_null(0)),
            None => strings(self.values, self.offsets, self.there.nulls()),
        }
    }
}

impl<'a, R, V: Fn(&R) -> Option<[u8; 2]>> Column<'a, R> for Countries<V> {
    fn fill(&mut self, rows: &'a [R]) {
        let Self { values, offsets, there, value } = self;
        for rows in rows.chunks(WORD_ROWS) {
            let mut word = 0;
            offsets.extend(rows.iter().enumerate().map(|(at, row)| {
                if let Some(country) = value(row) {
                    word |= 1 << at;
                    values.extend_from_slice(&country);
                }
                offset(values.len())
            }));
            there.push(word, rows.len());
        }
    }

    fn finish(self: Box<Self>) -> ArrayRef {
        strings(self.values, self.offsets, self.there.nulls())
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
