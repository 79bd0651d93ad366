//! Whether bytes are UTF-8: most are ASCII, which is quickly seen.

use turnwise_kernels::scan::{BLOCK, look};

/// Whether all bytes are ASCII.
#[inline]
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    match bytes.last_chunk() {
        // Whole blocks, and the last one again for what is left.
        Some(last) => {
            let blocks = bytes.as_chunks::<BLOCK>().0.iter();
            blocks.fold(look(last).high, |all, block| all | look(block).high) == 0
        }
        None => is_short_ascii(bytes),
    }
}

/// The same of less than a block: two words that overlap are all of it.
#[inline]
fn is_short_ascii(bytes: &[u8]) -> bool {
    const HIGH: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u128::from_le_bytes(*first) | u128::from_le_bytes(*last)) & HIGH == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_le_bytes(*first) | u64::from_le_bytes(*last)) & HIGH as u64 == 0;
    }
    bytes.iter().fold(0, |all, byte| all | byte) < 0x80
}

/// Bytes from which on the validator looks at many at a time.
const MANY: usize = 64;

/// Whether bytes are UTF-8.
#[inline]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    if bytes.len() < MANY { is_ascii(bytes) || is_short_utf8(bytes) } else { is_long_utf8(bytes) }
}

#[inline(never)]
fn is_long_utf8(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// The same of few bytes, zeros put behind them: those are letters, so a letter that is cut off by
/// the end is still none.
#[inline(never)]
fn is_short_utf8(bytes: &[u8]) -> bool {
    let mut many = [0; MANY];
    let Some(first) = many.get_mut(..bytes.len()) else { return false };
    first.copy_from_slice(bytes);
    is_long_utf8(&many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_that_is_no_ascii_is_seen_wherever_it_stands() {
        for length in 0..70 {
            let mut bytes = vec![b'a'; length];
            assert!(is_ascii(&bytes) && is_utf8(&bytes));
            for at in 0..length {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes) && !is_utf8(&bytes));
                bytes[at] = b'a';
            }
        }
        assert!(is_utf8("é".as_bytes()) && !is_ascii("é".as_bytes()));
    }

    #[test]
    fn letters_are_whole_wherever_they_stand() {
        for letter in ["a", "é", "中", "😀"].map(str::as_bytes) {
            for length in 0..140 {
                let whole = [&vec![b'a'; length][..], letter, letter].concat();
                for end in length..whole.len() + 1 {
                    let cut = &whole[..end];
                    assert_eq!(is_utf8(cut), std::str::from_utf8(cut).is_ok(), "{cut:?}");
                    let more = [cut, b"a"].concat();
                    assert_eq!(is_utf8(&more), std::str::from_utf8(&more).is_ok(), "{more:?}");
                }
            }
        }
    }
}
