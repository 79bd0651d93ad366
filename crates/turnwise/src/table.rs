//! Rows of text as aligned columns or comma-separated values.

/// Aligned columns under a header. Cells are cleaned of control characters: they may hold names
/// from records.
pub(crate) fn columns(header: &[String], rows: &[Vec<String>]) -> String {
    let cell = |text: &String| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let lines: Vec<Vec<String>> = std::iter::once(header)
        .chain(rows.iter().map(Vec::as_slice))
        .map(|row| row.iter().map(cell).collect())
        .collect();
    let mut widths = vec![0; header.len()];
    for line in &lines {
        for (width, text) in widths.iter_mut().zip(line) {
            *width = (*width).max(text.chars().count());
        }
    }
    let mut out = String::new();
    for line in &lines {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        out.push_str(padded.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// One line of RFC 4180.
pub(crate) fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [texts(&["é", "1"]), texts(&["longer\u{1b}", "2"])];
        assert_eq!(columns(&texts(&["name", "n"]), &rows), "name    n\né       1\nlonger  2\n");
    }

    #[test]
    fn cells_with_commas_and_quotes_are_quoted() {
        assert_eq!(csv_line(&texts(&["a,b", "say \"x\"", ""])), "\"a,b\",\"say \"\"x\"\"\",\r\n");
    }
}
