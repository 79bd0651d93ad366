//! Columns of Arrow, made of their values.

use std::sync::{Arc, LazyLock};

use arrow_array::types::{ArrowPrimitiveType, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int32Array, ListArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, FieldRef};
use turnwise_kernels::strings;

use super::alike::Alike;
use super::blocks::Flags;
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
pub(super) fn shared(ids: &[Option<StringId>], strings: &Strings, alike: &mut Alike) -> ArrayRef {
    short_strings(ids, strings, alike).unwrap_or_else(|| {
        let texts = ids.iter().map(|id| id.map(|id| strings.get(id)));
        Arc::new(texts.collect::<StringArray>())
    })
}

/// The same if all are short.
fn short_strings(
    ids: &[Option<StringId>],
    strings: &Strings,
    alike: &mut Alike,
) -> Option<ArrayRef> {
    // The ids of accounts and numbers, which mostly all have as many digits as the first one has.
    let length = ids.first().map_or(0, |id| strings.short_or_empty(*id).length);
    let values = match length {
        14 => of_length::<14>(ids, strings),
        15 => of_length::<15>(ids, strings),
        16 => of_length::<16>(ids, strings),
        _ => None,
    };
    if let Some(values) = values {
        let offsets = alike.offsets(length, ids.len());
        return Some(strings_of(values, offsets, None));
    }
    let lengths = ids.iter().map(|id| strings.short_or_empty(*id).length);
    if lengths.clone().any(|length| length > ShortText::BYTES) {
        return None;
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = ids.contains(&None).then(|| ids.iter().map(Option::is_some).collect());
    Some(strings_of(of_lengths(ids, strings, &offsets), offsets, nulls))
}

/// Texts of so many bytes behind each other, if all have so many.
fn of_length<const N: usize>(ids: &[Option<StringId>], strings: &Strings) -> Option<Vec<u8>> {
    let mut others = 0;
    let values = ids.iter().map(|id| {
        let short = strings.short_or_empty(*id);
        others |= short.length ^ N;
        *short.bytes.first_chunk::<N>().unwrap_or(&[0; N])
    });
    let values = values.collect::<Vec<_>>().into_flattened();
    (others == 0).then_some(values)
}

/// Short texts behind each other: all sixteen bytes of each are written, and the next one goes over
/// what is too many.
fn of_lengths(ids: &[Option<StringId>], strings: &Strings, offsets: &OffsetBuffer<i32>) -> Vec<u8> {
    let end = offsets.last().map_or(0, |end| *end as usize);
    let mut values = vec![0; end + ShortText::BYTES];
    for (id, from) in ids.iter().zip(offsets.iter()) {
        let from = values.get_mut(*from as usize..);
        if let Some(bytes) = from.and_then(<[u8]>::first_chunk_mut) {
            *bytes = strings.short_or_empty(*id).bytes;
        }
    }
    values.truncate(end);
    values
}

/// A flag of all rows, a bit each. Of eight bytes that are 0 or 1 the product has, in its highest
/// byte, a bit for each: byte `n`, moved up by `56 - 7 n`, and no two sums meet elsewhere.
#[inline]
fn bits(flags: &[Flags; WORD_ROWS], flag: Flags) -> u64 {
    let eights = flags.as_chunks::<8>().0.iter().enumerate();
    eights.fold(0, |bits, (nth, eight)| {
        let ones = u64::from_le_bytes(*eight) >> flag.trailing_zeros() & 0x0101_0101_0101_0101;
        bits | (ones.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * nth)
    })
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
    static UTC: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from("UTC"));
    let times = PrimitiveArray::<TimestampMicrosecondType>::new(values.into(), None);
    Arc::new(times.with_timezone(Arc::clone(&UTC)))
}

/// Numbers of which some may be missing.
pub(super) fn numbers_or_null<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
}

/// Numbers of 64 bits, of which some may be missing.
pub(super) fn long_or_null(values: impl ExactSizeIterator<Item = Option<i64>>) -> ArrayRef {
    let mut there = There::with_capacity(values.len());
    let values = values.map(|value| {
        there.push_one(value.is_some());
        value.unwrap_or_default()
    });
    let values = values.collect();
    numbers_or_null::<Int64Type>(values, there.nulls())
}

/// Countries, as two letters, of which some may be missing; those have two bytes, too.
pub(super) fn countries(
    countries: &[[u8; 2]],
    nulls: Option<NullBuffer>,
    alike: &mut Alike,
) -> ArrayRef {
    let offsets = alike.offsets(2, countries.len());
    strings_of(countries.as_flattened().to_vec(), offsets, nulls)
}

/// The offset of the first row, and room for more.
fn offsets(rows: usize) -> Vec<i32> {
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    offsets
}

/// Strings from their bytes, which are looked at once more.
fn strings_of(values: Vec<u8>, offsets: OffsetBuffer<i32>, nulls: Option<NullBuffer>) -> ArrayRef {
    let texts = strings::strings(values, offsets, nulls);
    Arc::new(texts.expect("whole strings were put behind each other"))
}

/// One array's values are far fewer bytes than 2³¹: see the bounds of a batch.
fn offset(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

impl There {
    /// The rows that have a flag.
    pub(super) fn of(flags: &[Flags], flag: Flags) -> Self {
        let mut there = Self::with_capacity(flags.len());
        let (words, rest) = flags.as_chunks();
        words.iter().for_each(|word| there.push(bits(word, flag), WORD_ROWS));
        if !rest.is_empty() {
            let mut word = [0; WORD_ROWS];
            word[..rest.len()].copy_from_slice(rest);
            there.push(bits(&word, flag), rest.len());
        }
        there
    }

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

/// What lists have in them.
pub(super) fn element() -> FieldRef {
    static ELEMENT: LazyLock<FieldRef> =
        LazyLock::new(|| Arc::new(Field::new("element", DataType::Int32, true)));
    Arc::clone(&ELEMENT)
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
        let offsets = OffsetBuffer::new(self.offsets.into());
        let values = Arc::new(Int32Array::new(self.values.into(), None));
        Arc::new(ListArray::new(element(), offsets, values, there.nulls()))
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
        let mut alike = Alike::default();
        assert_eq!(&shared(&ids, &strings, &mut alike), &expected, "{texts:?}");
        // And with what is kept now.
        assert_eq!(&shared(&ids, &strings, &mut alike), &expected, "{texts:?}");
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
                [Some("12345678901234"), Some("22345678901234"), Some("32345678901234")],
                [Some("12345678901234"), Some("123456789012345"), Some("1234567890123456")],
                [Some("123456789012345"), Some("223456789012345"), Some("12345678901éé")],
                [Some("123456789012345"), None, Some("223456789012345")],
                [Some("123456789012345"), Some("123456789012345"), Some(too_long)],
                [None, Some("123456789012345"), Some("123456789012345")],
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
