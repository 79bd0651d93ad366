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

    /// A kernel under test.
    type Kernel =
        fn(Vec<u8>, OffsetBuffer<i32>, Option<NullBuffer>) -> Result<StringArray, ArrowError>;

    /// Whether a kernel makes what Arrow makes, or refuses what Arrow refuses.
    fn agrees(kernel: Kernel, values: &[u8], offsets: &[i32], nulls: Option<&[bool]>) -> bool {
        let offsets = OffsetBuffer::new(offsets.to_vec().into());
        let nulls = nulls.map(NullBuffer::from);
        let expected = StringArray::try_new(offsets.clone(), values.to_vec().into(), nulls.clone());
        let found = kernel(values.to_vec(), offsets, nulls);
        let is_array = |strings: &StringArray| strings.to_data().validate_full().is_ok();
        found.as_ref().ok() == expected.as_ref().ok() && found.as_ref().map_or(true, is_array)
    }

    /// Strings with a byte that is no letter alone wherever it may stand, and what does not fit
    /// together.
    fn each_case(mut each: impl FnMut(&[u8], &[i32], Option<&[bool]>)) {
        for length in 1..200 {
            let mut values = vec![b'a'; length];
            let offsets = [0, length as i32 / 2, length as i32];
            each(&values, &offsets, None);
            for at in 0..length {
                values[at] = 0x80;
                each(&values, &offsets, None);
                values[at] = b'a';
            }
        }
        each(b"abc", &[0, 4], None);
        each(b"abc", &[0, 3], Some(&[true, false]));
        each("aé".as_bytes(), &[0, 2, 3], None);
        each("aé".as_bytes(), &[0, 1, 3], Some(&[false, true]));
        each(b"abc", &[1, 1, 2], None);
        each(b"abc", &[0, 1, 3], Some(&[true, false]));
        each(b"", &[0], None);
    }

    #[test]
    fn what_arrow_refuses_is_refused_wherever_it_stands() {
        each_case(|values, offsets, nulls| {
            assert!(agrees(strings, values, offsets, nulls), "{values:?} {offsets:?} {nulls:?}");
        });
    }

    #[test]
    fn wrong_kernels_are_found() {
        let planted: [(&str, Kernel); 3] = [
            ("does not look at the last byte of a block", |mut values, offsets, nulls| {
                values.iter_mut().skip(63).step_by(64).for_each(|byte| *byte &= 0x7F);
                StringArray::try_new(offsets, values.into(), nulls)
            }),
            ("does not look at offsets within letters", |values, offsets, nulls| {
                let is_utf8 = std::str::from_utf8(&values).is_ok();
                let made = StringArray::try_new(offsets, values.into(), nulls);
                made.or_else(
                    |error| if is_utf8 { Ok(Vec::<&str>::new().into()) } else { Err(error) },
                )
            }),
            ("forgets nulls", |values, offsets, _| strings(values, offsets, None)),
        ];
        for (name, kernel) in planted {
            let mut found = 0;
            each_case(|values, offsets, nulls| {
                found += usize::from(!agrees(kernel, values, offsets, nulls));
            });
            assert!(found > 0, "the kernel that {name} passed");
        }
    }

    proptest! {
        #[test]
        fn strings_are_those_of_arrow(
            texts in prop::collection::vec(prop::option::of("[a-z0-9]{0,20}|\\PC{0,5}"), 0..60),
            cut in 0_usize..4,
        ) {
            let values = texts.iter().flatten().flat_map(|text| text.bytes()).collect::<Vec<_>>();
            let lengths = texts.iter().map(|text| text.as_ref().map_or(0, String::len));
            let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
            let nulls: Vec<bool> = texts.iter().map(Option::is_some).collect();
            let values = &values[..values.len().saturating_sub(cut)];
            prop_assert!(agrees(strings, values, &offsets, Some(&nulls)));
        }
    }
}
