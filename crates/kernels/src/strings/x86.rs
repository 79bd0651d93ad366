//! Strings that are told by their bytes alone, which SSE2 looks at 32 at a time.

use arrow_array::{BinaryArray, StringArray};

use crate::scan::is_ascii;

/// The same as strings, if all bytes are ASCII; else what was given.
pub(super) fn ascii_strings(bytes: BinaryArray) -> Result<StringArray, BinaryArray> {
    if !is_ascii(bytes.value_data()) {
        return Err(bytes);
    }
    let (offsets, values, nulls) = bytes.into_parts();
    // SAFETY: a binary array's offsets do not fall and are within its values, and its nulls are as
    // many as its rows. Of bytes that are all ASCII each is a letter, so whatever stands between
    // two offsets is UTF-8. It gains a look at each of the offsets.
    Ok(unsafe { StringArray::new_unchecked(offsets, values, nulls) })
}
