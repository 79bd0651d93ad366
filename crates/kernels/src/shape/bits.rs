//! The bits that tell how a text is laid out: markdown, lists and code.
//!
//! A *line* is what lies between line feeds; white space at its ends is not looked at.

/// Whether the text has markdown: a backtick, `**x**` or `__x__` within a line (x not empty and
/// no white space at its ends), or a line that begins with one to six `#`, white space and more.
pub(super) fn is_markdown(text: &str) -> bool {
    text.contains('`')
        || text.lines().any(|line| {
            is_heading(line.trim()) || has_emphasis(line, "**") || has_emphasis(line, "__")
        })
}

/// Whether two lines or more begin with a bullet or number.
pub(super) fn is_list(text: &str) -> bool {
    text.lines().filter(|line| is_item(line.trim_start())).nth(1).is_some()
}

/// Whether the text has a code fence, or two lines or more look like code.
pub(super) fn is_code(text: &str) -> bool {
    text.contains("```") || text.lines().filter(|line| is_code_line(line.trim())).nth(1).is_some()
}

fn is_heading(line: &str) -> bool {
    let rest = line.trim_start_matches('#');
    let marks = line.len() - rest.len();
    (1..=6).contains(&marks)
        && rest.starts_with(char::is_whitespace)
        && !rest.trim_start().is_empty()
}

fn has_emphasis(line: &str, mark: &str) -> bool {
    let Some((_, after)) = line.split_once(mark) else { return false };
    // The opening mark stands before something, the closing one after something.
    let mut parts = after.split(mark);
    let last = after.matches(mark).count();
    parts.by_ref().take(last).any(|inner| {
        let is_edge = |ch: Option<char>| ch.is_none_or(char::is_whitespace);
        !is_edge(inner.chars().next()) && !is_edge(inner.chars().next_back())
    })
}

/// A bullet is one of `- * + – —` with white space behind it, or a bullet sign; a number has up to three
/// digits and `.`, `)`, `:`, `、`, `．` or `-` behind it and no digit after that, or stands in
/// brackets, or is a keycap.
pub(super) fn is_item(line: &str) -> bool {
    let mut chars = line.chars();
    match chars.next() {
        Some('-' | '*' | '+' | '–' | '—') => chars.next().is_some_and(char::is_whitespace),
        Some(
            '•' | '‣' | '◦' | '▪' | '▫' | '●' | '○' | '■' | '□' | '◆' | '►' | '▶' | '➤' | '➢' | '➔'
            | '·' | '⁃' | '∙' | '✓' | '✔' | '✅' | '👉' | '🔹' | '🔸' | '🔟',
        ) => true,
        Some('①'..='⑳') => true,
        Some('(' | '（') => {
            let (digits, rest) = split_digits(chars.as_str());
            digits && rest.starts_with([')', '）'])
        }
        _ => {
            let (digits, rest) = split_digits(line);
            let mut rest = rest.chars();
            digits
                && match rest.next() {
                    Some('\u{fe0f}' | '\u{20e3}' | '、') => true,
                    Some('.' | ')' | '）' | ':' | '：' | '．' | '-') => {
                        !rest.next().is_some_and(char::is_numeric)
                    }
                    _ => false,
                }
        }
    }
}

/// Whether the text begins with one to three digits, and what follows them.
fn split_digits(text: &str) -> (bool, &str) {
    let rest = text.trim_start_matches(char::is_numeric);
    let digits = text[..text.len() - rest.len()].chars().count();
    ((1..=3).contains(&digits), rest)
}

/// A line looks like code if it
/// * is made of closing brackets with `;` or `,`;
/// * ends with `{`, or with `;` and has `(`, `=` or `->` before it;
/// * begins with a word that opens a definition or block, has `(` or is a `class`, and ends with
///   `:` or `{`;
/// * is an `#include`, `from … import …`, or `import` of one name;
/// * declares or assigns: `let`, `const`, `var`, `val` or a type word, then ` = `;
/// * calls: a name directly followed by `(`, and `)` at the end;
/// * is one HTML or XML tag, or begins and ends with tags;
/// * begins with an SQL clause in upper case.
pub(super) fn is_code_line(line: &str) -> bool {
    let Some(first) = line.chars().next() else { return false };
    if line.chars().all(|ch| matches!(ch, '}' | ']' | ')' | ';' | ',')) {
        return line.contains(['}', ']', ')']);
    }
    let word = line.split(|ch: char| !ch.is_ascii_alphanumeric() && ch != '_').next().unwrap_or("");
    let rest = &line[word.len()..];
    line.ends_with('{')
        || line.ends_with(';') && (line.contains(['(', '=']) || line.contains("->"))
        || line.ends_with(':') && opens_block(word, line)
        || line.starts_with("#include")
        || word == "import" && rest.split_whitespace().count() == 1 && rest.starts_with(' ')
        || word == "from" && line.contains(" import ")
        || line.contains(" = ") && declares(word)
        || line.ends_with(')') && is_call(first, line)
        || first == '<' && line.ends_with('>') && line.len() > 2
        || SQL.iter().any(|clause| line.starts_with(clause))
}

const SQL: &[&str] = &[
    "SELECT ",
    "FROM ",
    "WHERE ",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "GROUP BY ",
    "ORDER BY ",
    "LEFT JOIN ",
    "INNER JOIN ",
    "JOIN ",
];

fn opens_block(word: &str, line: &str) -> bool {
    match word {
        "def" | "class" | "try" | "else" => {
            word == "def" || !line.trim_end_matches(':').trim().contains(' ') || line.contains('(')
        }
        "if" | "elif" | "while" | "for" | "with" | "except" | "switch" | "case" | "async" => {
            line.contains(['(', '['])
                || line.contains("==")
                || line.starts_with("for ") && line.contains(" in ")
        }
        _ => false,
    }
}

fn declares(word: &str) -> bool {
    matches!(
        word,
        "let"
            | "const"
            | "var"
            | "val"
            | "auto"
            | "int"
            | "float"
            | "double"
            | "char"
            | "bool"
            | "boolean"
            | "string"
            | "String"
            | "long"
            | "final"
            | "static"
            | "public"
            | "private"
    )
}

/// `name(…)` or `name.name(…)`: ASCII names, and the bracket directly behind them.
fn is_call(first: char, line: &str) -> bool {
    let Some((name, _)) = line.split_once('(') else { return false };
    (first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_emphasis_heading_or_backtick() {
        for text in
            ["a **b** c", "__x y__", "# Title", "text\n### Part", "use `ls`", "**a** and **b**"]
        {
            assert!(is_markdown(text), "{text}");
        }
        for text in [
            "a * b",
            "2 ** 3",
            "#1",
            "#tag",
            "a_b_c",
            "** **",
            "snake__case",
            "*bold*",
            "**open",
            "#",
        ] {
            assert!(!is_markdown(text), "{text}");
        }
    }

    #[test]
    fn list_needs_two_items() {
        for text in [
            "- a\n- b",
            "Menu:\n1. one\n2. two",
            "1) a\n\n2) b",
            "• a\n• b",
            "1️⃣ a\n2️⃣ b",
            "(1) a\n(2) b",
            "  * a\n  * b",
            "１．东\n２．西",
            "一\n1、甲\n2、乙",
        ] {
            assert!(is_list(text), "{text}");
        }
        for text in
            ["- a", "1. one", "-5\n-6", "1.5 kg\n2.5 kg", "a\nb", "10:30\n11:30", "2026\n2027"]
        {
            assert!(!is_list(text), "{text}");
        }
    }

    #[test]
    fn code_is_a_fence_or_two_lines_that_look_like_it() {
        for text in [
            "```\nx\n```",
            "def f(x):\n    return x\nprint(f(1))",
            "int x = 5;\nint y = 6;",
            "#include <stdio.h>\nint main() {",
            "SELECT a\nFROM b",
            "<div>\n</div>",
            "import os\nfrom sys import argv",
            "const a = 1\nlet b = 2",
            "if (x) {\n}",
        ] {
            assert!(is_code(text), "{text}");
        }
        for text in [
            "Hello;\nthere;",
            "For example:\nThis:",
            "print(1)",
            "let me know\nlet us see",
            "Τι κάνεις;\nΠού είσαι;",
            "If you like:\nask me",
            ":)\n:)",
            "Problem 1)\nProblem 2)",
        ] {
            assert!(!is_code(text), "{text}");
        }
    }
}
