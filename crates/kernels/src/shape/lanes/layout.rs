//! Markdown, lists and code, asked line by line only where a line may answer yes.
//!
//! `bits.rs` says what they are. Here lines that cannot be an item or code are passed over by
//! their first and last characters.

use memchr::{memchr, memchr_iter};
use turnwise_model::codes::text_bits;

use super::super::bits::{is_code_line, is_item, is_markdown};
use super::super::scalar::bit;

/// Bytes at the beginning of a line that are enough to tell an item: three digits, what is behind
/// them and one character more.
const ITEM_BYTES: usize = 5 * 4;

/// The bits markdown, list and code of a text; `feeds` and `signs` tell whether it has line feeds
/// or one of `` ` * _ # @ ; ``.
#[inline(never)]
pub(super) fn layout_bits(text: &[u8], feeds: bool, signs: bool) -> i32 {
    let ticks = signs && memchr(b'`', text).is_some();
    let markdown = ticks || signs && has_markdown(text);
    let (list, code) = if feeds { list_and_code(text) } else { (false, false) };
    let code = code || ticks && text.windows(3).any(|three| three == b"```");
    bit(markdown, text_bits::MARKDOWN) | bit(list, text_bits::LIST) | bit(code, text_bits::CODE)
}

/// Whether a text without backticks has markdown: two stars or two low lines side by side, or a
/// line that begins with `#`.
fn has_markdown(text: &[u8]) -> bool {
    let doubled = |sign: u8| memchr_iter(sign, text).any(|at| text.get(at + 1) == Some(&sign));
    let may_be = doubled(b'*')
        || doubled(b'_')
        || memchr(b'#', text).is_some()
            && text.split(|byte| *byte == b'\n').any(|line| {
                let first = line.trim_ascii_start().first();
                first.is_some_and(|first| *first == b'#' || begins_space(*first))
            });
    may_be && is_markdown(as_str(text))
}

/// Whether two lines or more are items, and whether two lines or more are code.
fn list_and_code(text: &[u8]) -> (bool, bool) {
    let (mut items, mut code) = (0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        // As `str::lines` does: a carriage return belongs to a line feed behind it.
        let line =
            line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        let start = line.trim_ascii_start();
        let (Some(first), Some(last)) = (start.first(), line.trim_ascii_end().last()) else {
            continue;
        };
        items += u32::from(begins_item(start, *first));
        if may_be_code(start, *first, *last) && is_code_line(as_str(line).trim()) {
            code += 1;
        }
    }
    (items >= 2, code >= 2)
}

/// Whether a line without ASCII white space at its beginning is an item.
fn begins_item(line: &[u8], first: u8) -> bool {
    match (first, line.get(1)) {
        (b'-' | b'*' | b'+', Some(next)) if next.is_ascii() => {
            return next.is_ascii_whitespace() || *next == 0x0b;
        }
        // Nothing else of ASCII begins one, nor white space before one.
        (b'-' | b'*' | b'+' | b'(' | b'0'..=b'9' | 0x0b | 0x80.., _) => {}
        _ => return false,
    }
    if begins_space(first) {
        return is_item(as_str(line).trim_start());
    }
    let mut end = line.len().min(ITEM_BYTES);
    while end < line.len() && line[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    is_item(as_str(&line[..end]))
}

/// Whether a line of code may begin or end so. Code ends with a bracket or sign, or has an `=`,
/// or begins with `#`, with `import` or `from`, or with a word in capitals.
fn may_be_code(line: &[u8], first: u8, last: u8) -> bool {
    let ends_so = match last {
        b'{' | b';' | b')' | b'>' | b'}' | b']' | b',' => true,
        // Words that open a block are in small letters.
        b':' => !first.is_ascii_uppercase(),
        _ => false,
    };
    ends_so
        || first == b'#'
        || line.starts_with(b"import")
        || line.starts_with(b"from")
        || first.is_ascii_uppercase() && line.get(1).is_some_and(u8::is_ascii_uppercase)
        || begins_space(first)
        || ends_space(last)
        || memchr(b'=', line).is_some()
}

/// Whether white space that ASCII does not know of may begin so.
fn begins_space(first: u8) -> bool {
    matches!(first, 0x0b | 0xc2 | 0xe1..=0xe3)
}

/// Whether white space that ASCII does not know of may end so.
fn ends_space(last: u8) -> bool {
    matches!(last, 0x0b | 0x80..=0x8a | 0x9f | 0xa0 | 0xa8 | 0xa9 | 0xaf)
}

/// Lines of a text are text as well.
fn as_str(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::{is_code, is_list};
    use super::*;

    #[test]
    fn white_space_beyond_ascii_begins_and_ends_as_said() {
        for ch in (0..=0x10_ffff).filter_map(char::from_u32).filter(|ch| ch.is_whitespace()) {
            let mut bytes = [0; 4];
            let bytes = ch.encode_utf8(&mut bytes).as_bytes();
            let ascii = bytes[0].is_ascii_whitespace();
            assert!(
                ascii || begins_space(bytes[0]) && ends_space(bytes[bytes.len() - 1]),
                "{ch:?}"
            );
        }
    }

    #[test]
    fn answers_are_those_of_the_whole_text() {
        let lines = [
            "- a",
            "* b",
            "+ c",
            "– d",
            "1. one",
            "2) two",
            "(3) x",
            "１．東",
            "• x",
            "①",
            "-5",
            "a",
            "",
            " ",
            "\t- t",
            "5",
            "1️⃣ k",
            "\u{a0}- n",
            "```",
            "def f(x):",
            "return x",
            "int x = 5;",
            "}",
            "]);",
            "import os",
            "from a import b",
            "#include <x>",
            "# head",
            "SELECT a",
            "JOIN b",
            "<p>",
            "call(x)",
            "let a = b",
            "if (x) {",
            "else:",
            "Hello;",
            "For x:",
            "a\r",
            "**b**",
            "__c__",
            "#5",
            "`d`",
            "x_y",
            "*",
            "é",
            "class A:",
            "FROM",
            "* ",
            "-\u{b}x",
            "\u{b}- v",
            "+\u{2003}x",
            "-é",
            "Else:",
            "import",
            "from x import y",
            "UPDATE t",
            "val x = 1",
        ];
        let mut state = 1_usize;
        for _ in 0..20_000 {
            let mut text = String::new();
            for at in 0..state % 5 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
                text.push_str(lines[(state >> 33) % lines.len()]);
                text.push_str(if at % 3 == 2 { "\r\n" } else { "\n" });
            }
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            text.push_str(lines[(state >> 33) % lines.len()]);
            state >>= 1;
            let feeds = text.contains('\n');
            let signs = text.contains(['`', '*', '_', '#', '@', ';']);
            let expected = bit(is_markdown(&text), text_bits::MARKDOWN)
                | bit(is_list(&text), text_bits::LIST)
                | bit(is_code(&text), text_bits::CODE);
            assert_eq!(layout_bits(text.as_bytes(), feeds, signs), expected, "{text:?}");
        }
    }
}
