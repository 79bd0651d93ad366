//! Markdown, lists and code, asked line by line only where a line may answer yes.
//!
//! `bits.rs` says what they are. Here lines that cannot be an item or code are passed over by
//! their first and last characters.

use memchr::{memchr, memmem};
use turnwise_model::codes::text_bits;

use super::super::bits::{is_code_line, is_item, is_markdown};
use super::super::scalar::bit;

/// The bits markdown, list and code of a text; `feeds` and `signs` tell whether it has line feeds
/// or one of `` ` * _ # @ ; ``.
#[inline(never)]
pub(super) fn layout_bits(text: &[u8], feeds: bool, signs: bool) -> i32 {
    let ticks = signs && memchr(b'`', text).is_some();
    let markdown = ticks || signs && has_markdown(text);
    let (list, code) = if feeds { list_and_code(text) } else { (false, false) };
    let code = code || ticks && memmem::find(text, b"```").is_some();
    bit(markdown, text_bits::MARKDOWN) | bit(list, text_bits::LIST) | bit(code, text_bits::CODE)
}

/// Whether a text without backticks has markdown. Every kind of it has one of these.
fn has_markdown(text: &[u8]) -> bool {
    (memchr(b'#', text).is_some()
        || memmem::find(text, b"**").is_some()
        || memmem::find(text, b"__").is_some())
        && is_markdown(as_str(text))
}

/// Whether two lines or more are items, and whether two lines or more are code.
fn list_and_code(text: &[u8]) -> (bool, bool) {
    let (mut items, mut code) = (0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        // As `str::lines` does: a carriage return belongs to a line feed behind it.
        let line = line.strip_suffix(b"\n").map_or(line, |line| {
            line.strip_suffix(b"\r").unwrap_or(line)
        });
        let (Some(first), Some(last)) =
            (line.trim_ascii_start().first(), line.trim_ascii_end().last())
        else {
            continue;
        };
        // No item begins with an ASCII letter. Beyond ASCII there is more white space.
        if !first.is_ascii_alphabetic() && is_item(as_str(line).trim_start()) {
            items += 1;
        }
        if may_be_code(line.trim_ascii(), *first, *last) && is_code_line(as_str(line).trim()) {
            code += 1;
        }
    }
    (items >= 2, code >= 2)
}

/// Whether a line of code may begin or end so. Code ends with a bracket or sign, or has an `=`,
/// or begins with `#`, with `import` or `from`, or with a word in capitals.
fn may_be_code(line: &[u8], first: u8, last: u8) -> bool {
    matches!(last, b'{' | b';' | b':' | b')' | b'>' | b'}' | b']' | b',')
        || matches!(first, b'#' | b'i' | b'f')
        || first.is_ascii_uppercase() && line.get(1).is_some_and(u8::is_ascii_uppercase)
        || may_be_space(first, last)
        || memchr(b'=', line).is_some()
}

/// Whether a line that begins or ends so may have white space there that is no ASCII: all such
/// begins with C2, E1, E2 or E3, and ends with one of few bytes.
fn may_be_space(first: u8, last: u8) -> bool {
    matches!(first, 0xc2 | 0xe1..=0xe3)
        || matches!(last, 0x80..=0x8a | 0x9f | 0xa0 | 0xa8 | 0xa9 | 0xaf | 0x85)
        || first == 0x0b
        || last == 0x0b
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
    fn answers_are_those_of_the_whole_text() {
        let lines = [
            "- a", "* b", "+ c", "– d", "1. one", "2) two", "(3) x", "１．東", "• x", "①", "-5", "a", "",
            " ", "\t- t", "5", "1️⃣ k", "\u{a0}- n", "```", "def f(x):", "return x", "int x = 5;", "}",
            "]);", "import os", "from a import b", "#include <x>", "# head", "SELECT a", "JOIN b",
            "<p>", "call(x)", "let a = b", "if (x) {", "else:", "Hello;", "For x:", "a\r", "**b**",
            "__c__", "#5", "`d`", "x_y", "*", "é", "class A:", "FROM", "UPDATE t", "val x = 1",
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
