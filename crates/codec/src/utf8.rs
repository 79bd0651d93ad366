//! Whether bytes are UTF-8: most are ASCII, which is quickly seen.

/// Whether all bytes are ASCII.
#[inline]
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
    let Some(last) = bytes.last_chunk() else {
        return match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => {
                (u64::from_le_bytes(*first) | u64::from_le_bytes(*last)) & HIGH as u64 == 0
            }
            _ => bytes.iter().fold(0, |all, byte| all | byte) < 0x80,
        };
    };
    // Whole chunks, and the last one again for what is left.
    let chunks = bytes.as_chunks::<16>().0.iter();
    let all =
        chunks.fold(u128::from_le_bytes(*last), |all, chunk| all | u128::from_le_bytes(*chunk));
    all & HIGH == 0
}

/// Whether bytes are UTF-8.
#[inline]
pub(crate) fn is_utf8(bytes: &[u8]) -> bool {
    is_ascii(bytes) || simdutf8::basic::from_utf8(bytes).is_ok()
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
}
