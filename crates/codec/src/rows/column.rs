//! Columns of Arrow, made of their values.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int32Array, ListArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};

use super::strings::ShortText;
use super::{StringId, Strings};

const WORD_ROWS: usize = u64::BITS as usize;

/// Which rows have a value, a bit each.
#[derive(Default)]
pub(super) struct There {
    words: Vec<u64>,
    rows: usize,
}

/// Strings that many rows share, of which some may be missing.
pub(super) fn shared(ids: &[Option<StringId>], strings: &Strings) -> ArrayRef {
    // Mostly those of one source, and often of one account.
    if let Some(Some(first)) = ids.first()
        && ids.iter().all(|id| *id == Some(*first))
    {
        return Arc::new(StringArray::new_repeated(strings.get(*first), ids.len()));
    }
    short_strings(ids, strings).unwrap_or_else(|| {
        let texts = ids.iter().map(|id| id.map(|id| strings.get(id)));
        Arc::new(texts.collect::<StringArray>())
    })
}

/// The same if all are short: all sixteen bytes of each are written, and the next one goes over
/// what is too many.
fn short_strings(ids: &[Option<StringId>], strings: &Strings) -> Option<ArrayRef> {
    let mut values = vec![0; (ids.len() + 1) * ShortText::BYTES];
    let mut offsets = vec![0; ids.len() + 1];
    let (mut end, mut longest) = (0, 0);
    for (id, offset) in ids.iter().zip(offsets.iter_mut().skip(1)) {
        let short = strings.short_or_empty(*id);
        if let Some(bytes) = values.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
            *bytes = short.bytes;
        }
        longest = longest.max(short.length);
        end += usize::from(short.length);
        *offset = self::offset(end);
    }
    if usize::from(longest) > ShortText::BYTES {
        return None;
    }
    values.truncate(end);
    let nulls = ids.contains(&None).then(|| ids.iter().map(Option::is_some).collect());
    Some(strings_of(values, offsets, nulls))
}

/// Lists of numbers of which some may be missing.
pub(super) struct Lists {
    values: Vec<i32>,
    offsets: Vec<i32>,
}

/// Numbers of 32 bits, one for each row.
pub(super) fn numbers(values: Vec<i32>) -> ArrayRef {
    Arc::new(Int32Array::new(values.into(), None))
}

/// Numbers of 64 bits, one for each row.
pub(super) fn long(values: Vec<i64>) -> ArrayRef {
    Arc::new(PrimitiveArray::<Int64Type>::new(values.into(), None))
}

/// Times in microseconds, UTC.
pub(super) fn micros(values: Vec<i64>) -> ArrayRef {
    let times = PrimitiveArray::<TimestampMicrosecondType>::new(values.into(), None);
    Arc::new(times.with_timezone("UTC"))
}

/// Numbers of which some may be missing.
pub(super) fn numbers_or_null<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    there: There,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values.into(), there.nulls()))
}

/// Numbers of which all are missing.
pub(super) fn null_numbers<T: ArrowPrimitiveType>(rows: usize) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new_null(rows))
}

/// Numbers of 64 bits, of which some may be missing.
pub(super) fn long_or_null(values: impl ExactSizeIterator<Item = Option<i64>>) -> ArrayRef {
    let mut there = There::with_capacity(values.len());
    let values = values.map(|value| {
        there.push_one(value.is_some());
        value.unwrap_or_default()
    });
    let values = values.collect();
    numbers_or_null::<Int64Type>(values, there)
}

/// Countries, as two letters, of which some may be missing.
pub(super) fn countries(countries: &[[u8; 2]], there: There) -> ArrayRef {
    let mut offsets = offsets(countries.len());
    let mut values = Vec::with_capacity(2 * countries.len());
    for (countries, word) in countries.chunks(WORD_ROWS).zip(&there.words) {
        offsets.extend(countries.iter().enumerate().map(|(at, country)| {
            if word >> at & 1 != 0 {
                values.extend_from_slice(country);
            }
            offset(values.len())
        }));
    }
    strings_of(values, offsets, there.nulls())
}

/// The offset of the first row, and room for more.
fn offsets(rows: usize) -> Vec<i32> {
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    offsets
}

/// Strings from their bytes, which are looked at once more.
fn strings_of(values: Vec<u8>, offsets: Vec<i32>, nulls: Option<NullBuffer>) -> ArrayRef {
    let texts = StringArray::try_new(OffsetBuffer::new(offsets.into()), values.into(), nulls);
    Arc::new(texts.expect("whole strings were put behind each other"))
}

/// One array's values are far fewer bytes than 2³¹: see the bounds of a batch.
fn offset(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

impl There {
    /// With room for so many rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { words: Vec::with_capacity(rows.div_ceil(WORD_ROWS)), rows: 0 }
    }

    /// A word of bits, for so many rows; those before it fill their words.
    #[inline]
    pub(super) fn push(&mut self, word: u64, rows: usize) {
        self.words.push(word);
        self.rows += rows;
    }

    /// One row.
    #[inline]
    fn push_one(&mut self, there: bool) {
        let at = self.rows % WORD_ROWS;
        if at == 0 {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(there) << at;
        }
        self.rows += 1;
    }

    /// `None` if all have a value.
    pub(super) fn nulls(self) -> Option<NullBuffer> {
        let bits = BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.rows);
        Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
    }
}

/// Lists of numbers of which all are missing.
pub(super) fn null_lists(rows: usize) -> ArrayRef {
    let field = Arc::new(Field::new("element", DataType::Int32, true));
    Arc::new(ListArray::new_null(field, rows))
}

impl Lists {
    /// With room for so many rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::new(), offsets: offsets(rows) }
    }

    /// The numbers of a row.
    #[inline]
    pub(super) fn push(&mut self, numbers: Option<&[i32]>) {
        self.values.extend_from_slice(numbers.unwrap_or_default());
        self.offsets.push(offset(self.values.len()));
    }

    pub(super) fn finish(self, there: There) -> ArrayRef {
        let field = Arc::new(Field::new("element", DataType::Int32, true));
        let offsets = OffsetBuffer::new(self.offsets.into());
        let values = Arc::new(Int32Array::new(self.values.into(), None));
        Arc::new(ListArray::new(field, offsets, values, there.nulls()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The column of texts that many rows share.
    fn check(texts: &[Option<&str>]) {
        let mut strings = Strings::default();
        let ids: Vec<_> = texts.iter().map(|text| text.map(|text| strings.intern(text))).collect();
        let expected: ArrayRef = Arc::new(texts.iter().copied().collect::<StringArray>());
        assert_eq!(&shared(&ids, &strings), &expected, "{texts:?}");
    }

    #[test]
    fn shared_strings_are_those_of_the_rows_however_long() {
        let long = "9".repeat(1_024);
        let [fits, too_long] = ["1234567890123456", "12345678901234567"];
        check(&[]);
        for rows in [1, 63, 64, 65, 200] {
            check(&vec![None; rows]);
            check(&vec![Some(fits); rows]);
            for texts in [
                [Some("1"), Some(fits), Some("é")],
                [Some("1"), None, Some("")],
                [Some("1"), Some(too_long), None],
                [Some(&*long), Some("2"), Some(fits)],
            ] {
                check(&texts.iter().copied().cycle().take(rows).collect::<Vec<_>>());
            }
        }
    }
}
