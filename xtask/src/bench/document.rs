//! The parts of PERFORMANCE.md that commands write: what stands between two markers.

use std::fs;

use anyhow::{Context, Result};

use crate::suite::root;

const DOCUMENT: &str = "PERFORMANCE.md";

/// Puts new text between the markers of a part.
pub(super) fn replace_part(part: &str, text: &str) -> Result<()> {
    let path = root().join(DOCUMENT);
    let document = fs::read_to_string(&path).context("read PERFORMANCE.md")?;
    let changed = replaced(&document, part, text)
        .with_context(|| format!("find the markers of `{part}` in PERFORMANCE.md"))?;
    fs::write(&path, changed).context("write PERFORMANCE.md")
}

fn replaced(document: &str, part: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- bench: {part} -->\n");
    let end = format!("<!-- end: {part} -->\n");
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{text}{end}{after}"))
}

/// A table of Markdown.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heading: Vec<String> = headings.iter().map(ToString::to_string).collect();
    let mut text = line(&heading);
    text.push_str(&format!("|{}\n", "---|".repeat(headings.len())));
    rows.iter().for_each(|row| text.push_str(&line(row)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let document = "a\n<!-- bench: x -->\nold\n<!-- end: x -->\nb\n";
        let changed = replaced(document, "x", "new\n").expect("markers");
        assert_eq!(changed, "a\n<!-- bench: x -->\nnew\n<!-- end: x -->\nb\n");
        assert_eq!(replaced(&changed, "y", ""), None);
    }

    #[test]
    fn every_part_has_its_markers_in_the_document() {
        let document = fs::read_to_string(root().join(DOCUMENT)).expect("document");
        for part in ["queries", "kernels", "growth", "kafka"] {
            assert!(replaced(&document, part, "").is_some(), "{part}");
        }
    }
}
