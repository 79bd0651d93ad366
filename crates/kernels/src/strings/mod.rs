//! Columns of strings, made of their bytes.

use arrow_array::{BinaryArray, StringArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::ArrowError;

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86;

/// The strings that stand behind each other in `values`, each from its offset to the next: what
/// [`StringArray::try_new`] makes, without a look at each string where all bytes are ASCII.
///
/// # Errors
/// Bytes that are no UTF-8, offsets beyond them or within a letter, nulls of another number of
/// rows.
pub fn strings(
    values: Vec<u8>,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
) -> Result<StringArray, ArrowError> {
    let bytes = BinaryArray::try_new(offsets, values.into(), nulls)?;
    #[cfg(target_arch = "x86_64")]
    let bytes = match x86::ascii_strings(bytes) {
        Ok(strings) => return Ok(strings),
        Err(bytes) => bytes,
    };
    StringArray::try_from_binary(bytes)
}

#[cfg(test)]
mod tests {
    use arrow_array::Array as _;
    use proptest::prelude::*;

    use super::*;

    fn check(values: &[u8], offsets: &[i32], nulls: Option<Vec<bool>>) {
        let offsets = OffsetBuffer::new(offsets.to_vec().into());
        let nulls = nulls.map(NullBuffer::from);
        let expected = StringArray::try_new(offsets.clone(), values.to_vec().into(), nulls.clone());
        let found = strings(values.to_vec(), offsets, nulls);
        assert_eq!(found.as_ref().ok(), expected.as_ref().ok(), "{values:?}");
        if let Ok(strings) = found {
            strings.to_data().validate_full().expect("an array");
        }
    }

    #[test]
    fn one_byte_that_is_no_letter_alone_is_refused_wherever_it_stands() {
        for length in 1..200 {
            let mut values = vec![b'a'; length];
            let offsets = [0, length as i32 / 2, length as i32];
            check(&values, &offsets, None);
            for at in 0..length {
                values[at] = 0x80;
                check(&values, &offsets, None);
                values[at] = b'a';
            }
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        check(b"abc", &[0, 4], None);
        check(b"abc", &[0, 3], Some(vec![true, false]));
        check("aé".as_bytes(), &[0, 2, 3], None);
        check("aé".as_bytes(), &[0, 1, 3], Some(vec![false, true]));
        check(b"abc", &[1, 1, 2], None);
        check(b"", &[0], None);
    }

    proptest! {
        #[test]
        fn strings_are_those_of_arrow(
            texts in prop::collection::vec(prop::option::of("[a-z0-9]{0,20}|\\PC{0,5}"), 0..60),
            cut in 0_usize..4,
        ) {
            let values = texts.iter().flatten().flat_map(|text| text.bytes()).collect::<Vec<_>>();
            let lengths = texts.iter().map(|text| text.as_ref().map_or(0, String::len));
            let offsets = OffsetBuffer::from_lengths(lengths);
            let nulls = texts.iter().map(Option::is_some).collect();
            check(&values[..values.len().saturating_sub(cut)], &offsets, Some(nulls));
        }
    }
}
