//! Markdown, lists and code, asked line by line only where a line may answer yes.
//!
//! `bits.rs` says what they are. Here lines that cannot be an item or code are passed over by
//! their first and last characters.

use memchr::memchr;
use turnwise_model::codes::text_bits;

use super::super::bits::{is_code_line, is_item, is_markdown};
use super::super::classes::{CLASSES, Class};
use super::super::scalar::bit;
use super::scan::char_at;

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

/// Whether a text without backticks has markdown.
fn has_markdown(text: &[u8]) -> bool {
    let may_head = || {
        memchr(b'#', text).is_some()
            && text.split(|byte| *byte == b'\n').any(|line| {
                let line = line.trim_ascii_start();
                line.first() == Some(&b'#') || begins_space(line)
            })
    };
    has_emphasis(text, b'*') || has_emphasis(text, b'_') || may_head() && is_markdown(as_str(text))
}

/// Whether there is something within a line between two marks of two such signs each, and no white
/// space beside the marks.
fn has_emphasis(text: &[u8], sign: u8) -> bool {
    let mut inner = None;
    let mut from = 0;
    while let Some(found) = memchr(sign, &text[from..]) {
        let mark = from + found;
        from = mark + 1;
        if text.get(from) != Some(&sign) {
            continue;
        }
        from += 1;
        let part = &text[inner.unwrap_or(mark)..mark];
        let is_full = !part.is_empty() && memchr(b'\n', part).is_none();
        if is_full && !begins_space(part) && !ends_space(part) {
            return true;
        }
        inner = Some(from);
    }
    false
}

/// Whether two lines or more are items, and whether two lines or more are code.
fn list_and_code(text: &[u8]) -> (bool, bool) {
    let (mut items, mut code) = (0, 0);
    let mut from = 0;
    while from < text.len() {
        let feed = memchr(b'\n', &text[from..]).map(|feed| from + feed);
        let line = &text[from..feed.unwrap_or(text.len())];
        // As `str::lines` does: a carriage return belongs to a line feed behind it.
        let line = feed.and_then(|_| line.strip_suffix(b"\r")).unwrap_or(line).trim_ascii_start();
        from = feed.map_or(text.len(), |feed| feed + 1);
        if line.is_empty() {
            continue;
        }
        items += u32::from(begins_item(line));
        let line = line.trim_ascii_end();
        code += u32::from(may_be_code(line) && is_code_line(as_str(line).trim()));
    }
    (items >= 2, code >= 2)
}

/// Whether a line without ASCII white space at its beginning is an item.
fn begins_item(line: &[u8]) -> bool {
    let digits = |line: &[u8]| line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let told = match line[0] {
        b'-' | b'*' | b'+' => line.get(1).map_or(Some(false), |next| {
            next.is_ascii().then_some(next.is_ascii_whitespace() || *next == 0x0b)
        }),
        b'(' => {
            let count = digits(&line[1..]);
            let next = line.get(1 + count).copied().unwrap_or(0);
            next.is_ascii().then_some((1..=3).contains(&count) && next == b')')
        }
        b'0'..=b'9' => {
            let count = digits(line);
            match [0, 1].map(|at| line.get(count + at).copied().unwrap_or(0)) {
                [sign, next] if !(sign.is_ascii() && next.is_ascii()) => None,
                [b'.' | b')' | b':' | b'-', next] => Some(count <= 3 && !next.is_ascii_digit()),
                _ => Some(false),
            }
        }
        0x0b => None,
        0x80.. => first_class(line).has(Class::LETTER).then_some(false),
        _ => Some(false),
    };
    told.unwrap_or_else(|| begins_wide_item(line))
}

#[inline(never)]
fn begins_wide_item(line: &[u8]) -> bool {
    if begins_space(line) {
        return is_item(as_str(line).trim_start());
    }
    let mut end = line.len().min(ITEM_BYTES);
    while end < line.len() && line[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    is_item(as_str(&line[..end]))
}

/// Whether a line without ASCII white space at its ends may be code, going by how it begins and
/// ends; of assignments by a sign within.
fn may_be_code(line: &[u8]) -> bool {
    let first = line[0];
    let is_closing = |byte: u8| matches!(byte, b'}' | b']' | b')' | b';' | b',');
    let ends_so = match line[line.len() - 1] {
        b'{' | b';' => true,
        b')' => is_closing(first) || first.is_ascii_alphabetic() || first == b'_',
        b'}' | b']' | b',' => is_closing(first),
        b'>' => first == b'<',
        // Words that open a block are in small letters.
        b':' => first.is_ascii_lowercase(),
        _ => ends_space(line),
    };
    ends_so
        || match first {
            b'#' => line.starts_with(b"#include"),
            // A word that declares and an equals sign, or clauses of a query and imports.
            b'A'..=b'Z' => line[1..].first().is_some_and(u8::is_ascii_uppercase) || assigns(line),
            b'a'..=b'z' => {
                assigns(line) || line.starts_with(b"import") || line.starts_with(b"from")
            }
            _ => begins_space(line),
        }
}

fn assigns(line: &[u8]) -> bool {
    memchr(b'=', line).is_some()
}

/// Whether white space begins a text that is not empty.
fn begins_space(text: &[u8]) -> bool {
    first_class(text).has(Class::SPACE)
}

/// Whether white space ends a text that is not empty.
fn ends_space(text: &[u8]) -> bool {
    let leads = text.iter().rev().take_while(|byte| **byte & 0xc0 == 0x80).count();
    first_class(&text[text.len().saturating_sub(leads + 1)..]).has(Class::SPACE)
}

/// What the first character is.
fn first_class(text: &[u8]) -> Class {
    char_at(text, 0).map_or(Class::default(), |ch| CLASSES.get(ch))
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
    fn white_space_at_the_ends_is_that_of_characters() {
        for ch in (0..=0x10_ffff).filter_map(char::from_u32) {
            let (begins, ends) = (format!("{ch}é"), format!("é{ch}"));
            let found = (begins_space(begins.as_bytes()), ends_space(ends.as_bytes()));
            assert_eq!(found, (ch.is_whitespace(), ch.is_whitespace()), "{ch:?}");
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
            "String s = 1",
            "Ab = c",
            "**",
            "** x**",
            "**x **",
            "**x\u{2003}**y**",
            "a***b***",
            "__\u{a0}x__ **é**",
            "(12",
            "(1234)",
            "(5）",
            "123. z",
            "1234. z",
            "7:8",
            "7:é",
            "7-",
            "9:٣",
            "3、",
            "٣. a",
            "漢.",
            "- ",
            "-\r",
            "1.",
            "])",
            "a]",
            "_f(x)",
            "<p",
            "a->b;",
            "(x);",
            "case x(y):",
            "x,",
            "},",
            "y\u{2003}",
            "}\u{2003}",
            "\u{2003}}",
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
