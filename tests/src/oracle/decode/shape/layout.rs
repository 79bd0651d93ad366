//! Markdown, lists and code, as patterns over lines. White space at a line's ends does not count.

use std::sync::LazyLock;

use regex::Regex;

use super::pattern;

/// A backtick; `**x**` or `__x__` within a line, no white space inside the marks; or a heading of
/// one to six `#`, white space and more.
pub(super) fn is_markdown(text: &str) -> bool {
    static HEADING: LazyLock<Regex> = pattern!(r"^#{1,6}\s+\S");
    text.contains('`')
        || text.lines().any(|line| {
            HEADING.is_match(line.trim()) || is_marked(line, "**") || is_marked(line, "__")
        })
}

/// Whether between two neighbouring marks of a line stands something without space at its ends.
fn is_marked(line: &str, mark: &str) -> bool {
    let between: Vec<&str> = line.split(mark).collect();
    let inner = between.get(1..between.len() - 1).unwrap_or_default();
    inner.iter().any(|inner| !inner.is_empty() && inner.trim() == *inner)
}

/// Two lines or more that begin with a bullet or a number.
pub(super) fn is_list(text: &str) -> bool {
    static ITEM: LazyLock<Regex> = pattern!(
        r"(?x)^(?:
            [-*+–—]\s
            | [•‣◦▪▫●○■□◆►▶➤➢➔·⁃∙✓✔✅👉🔹🔸🔟①-⑳]
            | [(（]\p{N}{1,3}[)）]
            | \p{N}{1,3}(?:[\x{fe0f}\x{20e3}、] | [.)）:：．-](?:\P{N}|$))
        )"
    );
    text.lines().filter(|line| ITEM.is_match(line.trim_start())).count() >= 2
}

/// A code fence, or two lines or more that look like code.
pub(super) fn is_code(text: &str) -> bool {
    text.contains("```") || text.lines().filter(|line| is_code_line(line.trim())).count() >= 2
}

fn is_code_line(line: &str) -> bool {
    static LINE: LazyLock<Regex> = pattern!(
        r"(?x)^(?:
            # closing brackets
            []});,]*[]})][]});,]*
            # a block begins, or a statement ends
            | .*\{ | .*(?:[(=]|->).*;
            # definitions and blocks
            | def(?:[^A-Za-z0-9_].*)?: | (?:class|try|else)(?:[^A-Za-z0-9_].*)?\(.*:
            | (?:class|try|else)(?:[^A-Za-z0-9_\ ][^\ ]*)?\ ?:+
            | (?:if|elif|while|for|with|except|switch|case|async)[^A-Za-z0-9_].*(?:[(\[].*|==.*):
            | for\ .*\ in\ .*:
            # imports
            | \#include.* | import\ \s*\S+ | from(?:[^A-Za-z0-9_].*)?\ import\ .*
            # declarations and assignments
            | (?:let|const|var|val|auto|int|float|double|char|bool|boolean|string|String|long|final
                |static|public|private)(?:[^A-Za-z0-9_].*)?\ =\ .*
            # calls, tags
            | [A-Za-z_][A-Za-z0-9_.]*\(.*\) | <.+>
        )$"
    );
    static SQL: LazyLock<Regex> = pattern!(
        r"^(?:SELECT|FROM|WHERE|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|GROUP BY|ORDER BY|LEFT JOIN|INNER JOIN|JOIN) "
    );
    LINE.is_match(line) || SQL.is_match(line)
}
