//! The `senders` file: what a provider knows of its numbers. Tab-separated with a header:
//! `phone_number_id`, and any of `tenant`, `display_name`, `registered`, `profile`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use turnwise_model::limits::SENDERS_FILE_ROWS_MAX;
use turnwise_query::accounts::Accounts;
use turnwise_query::answer::Label;
use turnwise_query::derive::Window;

/// Columns that are known; the last two serve features that are not built yet.
const COLUMNS: [&str; 5] = ["phone_number_id", "tenant", "display_name", "registered", "profile"];

/// Tenants and names by number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Senders {
    by_number: BTreeMap<String, (Option<String>, Option<String>)>,
}

impl Senders {
    /// What a sender is called: as the file says, else as rows of `events` do.
    pub(crate) fn label(&self, window: &Window, accounts: &Accounts) -> Label {
        let known = self.by_number.get(&window.sender);
        let tenant = known.and_then(|(tenant, _)| tenant.clone());
        Label {
            display_name: known.and_then(|(_, name)| name.clone()),
            ..match tenant {
                Some(tenant) => Label { tenant, display_name: None },
                None => Label::of(window, accounts),
            }
        }
    }
}

/// Reads the file.
///
/// # Errors
/// A file that cannot be read or is no such table; the line is named.
pub(crate) fn read(file: &Path) -> anyhow::Result<Senders> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("read senders file {}", file.display()))?;
    parse(&text).with_context(|| format!("read senders file {}", file.display()))
}

fn parse(text: &str) -> anyhow::Result<Senders> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    if let Some(unknown) = header.iter().find(|name| !COLUMNS.contains(name)) {
        bail!("line 1: no column is named {unknown}; known are {}", COLUMNS.join(", "));
    }
    let at = |name: &str| header.iter().position(|column| *column == name);
    let number = at("phone_number_id").context("line 1: column phone_number_id is missing")?;
    let mut by_number = BTreeMap::new();
    for (line, row) in (2..).zip(lines).filter(|(_, row)| !row.trim().is_empty()) {
        let cells: Vec<&str> = row.split('\t').collect();
        if cells.len() != header.len() {
            bail!("line {line}: expected {} columns, found {}", header.len(), cells.len());
        }
        let cell = |name: &str| {
            let text = at(name).map(|at| cells[at].trim()).filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        by_number.insert(cells[number].to_owned(), (cell("tenant"), cell("display_name")));
        if by_number.len() > SENDERS_FILE_ROWS_MAX {
            bail!("line {line}: more than {SENDERS_FILE_ROWS_MAX} senders");
        }
    }
    Ok(Senders { by_number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_tenants_and_senders() {
        let found = parse("phone_number_id\tdisplay_name\ttenant\n1\tShop\tacme\n\n2\t\tacme\n");
        let found = found.expect("a table").by_number;
        assert_eq!(found["1"], (Some("acme".to_owned()), Some("Shop".to_owned())));
        assert_eq!(found["2"], (Some("acme".to_owned()), None));
    }

    #[test]
    fn mistakes_name_the_line() {
        let error = |text| format!("{:#}", parse(text).expect_err("wrong"));
        assert!(error("number\n1").contains("line 1"));
        assert!(error("tenant\nacme").contains("phone_number_id is missing"));
        assert!(
            error("phone_number_id\ttenant\n1").contains("line 2: expected 2 columns, found 1")
        );
    }
}
