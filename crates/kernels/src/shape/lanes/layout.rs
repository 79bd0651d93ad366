//! Markdown, lists and code, asked line by line only where a line may answer yes.
//!
//! `bits.rs` says what they are. Here lines that cannot be an item or code are passed over by
//! their first and last characters.

use memchr::{memchr, memmem};

use super::super::bits::{is_code_line, is_item, is_markdown};

/// Whether the text has markdown. Every kind of it has one of these.
pub(super) fn has_markdown(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr(b'`', bytes).is_some()
        || (memchr(b'#', bytes).is_some()
            || memmem::find(bytes, b"**").is_some()
            || memmem::find(bytes, b"__").is_some())
            && is_markdown(text)
}

/// Whether two lines or more are items, and whether the text has a code fence or two lines or
/// more of code.
pub(super) fn list_and_code(text: &str) -> (bool, bool) {
    let (mut items, mut code) = (0, 0);
    for line in text.lines() {
        let line = line.trim_start();
        let Some(first) = line.bytes().next() else { continue };
        // No item begins with an ASCII letter.
        items += u32::from(!first.is_ascii_alphabetic() && is_item(line));
        let line = line.trim_end();
        code += u32::from(may_be_code(line) && is_code_line(line));
    }
    (items >= 2, code >= 2 || has_fence(text))
}

/// Whether the text has a code fence.
pub(super) fn has_fence(text: &str) -> bool {
    memchr(b'`', text.as_bytes()).is_some() && text.contains("```")
}

/// Whether a line of code may begin or end so. Code ends with a bracket or sign, or has an `=`,
/// or begins with `#`, with `import` or `from`, or with a word in capitals.
fn may_be_code(line: &str) -> bool {
    let bytes = line.as_bytes();
    let (first, last) = (bytes[0], bytes[bytes.len() - 1]);
    matches!(last, b'{' | b';' | b':' | b')' | b'>' | b'}' | b']' | b',')
        || matches!(first, b'#' | b'i' | b'f')
        || first.is_ascii_uppercase() && bytes.get(1).is_some_and(u8::is_ascii_uppercase)
        || memchr(b'=', bytes).is_some()
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
            assert_eq!(list_and_code(&text), (is_list(&text), is_code(&text)), "{text:?}");
            assert_eq!(has_markdown(&text), is_markdown(&text), "{text:?}");
        }
    }
}
