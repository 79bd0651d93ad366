//! JSON, written straight into bytes.

/// Appends a number in decimal digits, two at a time.
pub(crate) fn number(out: &mut Vec<u8>, mut value: u64) {
    const PAIRS: [[u8; 2]; 100] = {
        let mut pairs = [[0; 2]; 100];
        let mut pair = 0;
        while pair < 100 {
            pairs[pair] = [b'0' + (pair / 10) as u8, b'0' + (pair % 10) as u8];
            pair += 1;
        }
        pairs
    };
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    while value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if value > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends the inside of a string: quotes, backslashes and control characters escaped.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    // Whole blocks without anything to escape, nearly all of them, are copied at once.
    for block in text.as_bytes().chunks(32) {
        if block.iter().fold(false, |found, &byte| found | special(byte)) {
            block.iter().for_each(|&byte| escaped_byte(out, byte));
        } else {
            out.extend_from_slice(block);
        }
    }
}

fn special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn escaped_byte(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..0x20 => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
        _ => out.push(byte),
    }
}

/// Appends a string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Appends text as it is: JSON made by us.
pub(crate) fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends sixteen hexadecimal digits.
pub(crate) fn hex(out: &mut Vec<u8>, value: u64) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for shift in (0..16).rev() {
        out.push(HEX[usize::try_from(value >> (shift * 4) & 15).unwrap_or(0)]);
    }
}

/// Appends standard base64 with padding.
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let group = match *chunk {
            [a, b, c] => u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c),
            [a, b] => u32::from(a) << 16 | u32::from(b) << 8,
            [a] => u32::from(a) << 16,
            _ => 0,
        };
        let mut quad = [18, 12, 6, 0].map(|shift| LETTERS[(group >> shift & 63) as usize]);
        quad[chunk.len() + 1..].fill(b'=');
        out.extend_from_slice(&quad);
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::*;

    #[test]
    fn strings_read_back() {
        for text in ["", "a\"b\\c", "line\nnext\ttab\r\u{1}", "नमस्ते 👋", "\u{1f}"] {
            let mut out = Vec::new();
            string(&mut out, text);
            let back: String = serde_json::from_slice(&out).expect("a JSON string");
            assert_eq!(back, text);
        }
    }

    #[test]
    fn base64_is_the_standard_one() {
        for length in 0..20_u8 {
            let bytes: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            let mut out = Vec::new();
            base64(&mut out, &bytes);
            assert_eq!(out, base64::engine::general_purpose::STANDARD.encode(&bytes).into_bytes());
        }
    }

    #[test]
    fn numbers_print_in_full() {
        for value in [0, 7, 10, 99, 100, 101, 999, 1_000, 10_000, 99_999, u64::MAX] {
            let mut out = Vec::new();
            number(&mut out, value);
            assert_eq!(out, value.to_string().into_bytes());
        }
    }
}
