//! Whether an answer is the oracle's, number by number.
//!
//! Answers are tables of text separated by tabs or commas: a header, then a line a number. A number that an
//! answer leaves out counts as nulls, so that it may be left out where all is null anyway.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Relative error of exact values: engines sum and divide in different orders.
const EXACT_ERROR: f64 = 1e-9;

/// A query of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Query {
    A,
    B,
    C,
}

impl Query {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Numbers compared.
    pub(super) numbers: usize,
    /// Columns that differ: how often, and where first.
    pub(super) wrong: BTreeMap<String, (usize, String)>,
}

impl Verdict {
    pub(super) fn is_equal(&self) -> bool {
        self.wrong.is_empty()
    }

    fn note(&mut self, column: &str, what: impl FnOnce() -> String) {
        let (count, _) = self.wrong.entry(column.to_owned()).or_insert_with(|| (0, what()));
        *count += 1;
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_equal() {
            return write!(f, "all {} numbers equal", self.numbers);
        }
        for (nth, (column, (count, first))) in self.wrong.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "; " };
            write!(f, "{comma}{column} differs at {count} of {} numbers: {first}", self.numbers)?;
        }
        Ok(())
    }
}

/// Compares the answer in one file with the oracle's in another.
pub(super) fn compare_files(query: Query, oracle: &Path, answer: &Path) -> Result<Verdict> {
    let read = |path: &Path| {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        Table::parse(&text).with_context(|| format!("read {}", path.display()))
    };
    compare(query, &read(oracle)?, &read(answer)?)
}

fn compare(query: Query, oracle: &Table, answer: &Table) -> Result<Verdict> {
    let mut verdict = Verdict { numbers: oracle.rows.len(), wrong: BTreeMap::new() };
    for (at, column) in answer.columns.iter().enumerate() {
        let expected = Expected::find(query, oracle, column)?;
        for (number, row) in &oracle.rows {
            let value = answer.rows.get(number).and_then(|row| row[at]);
            if !expected.holds(row, value) {
                verdict
                    .note(column, || format!("{number} has {value:?}, not {}", expected.show(row)));
            }
        }
    }
    if let Some(number) = answer.rows.keys().find(|number| !oracle.rows.contains_key(number)) {
        verdict.note("number_id", || format!("{number} is no number of the data set"));
    }
    // A column that is missing is compared with nothing, so it must not be missing.
    let of_oracle = oracle.columns.len() / if query == Query::C { 2 } else { 1 };
    if answer.columns.len() != of_oracle {
        bail!("the answer has {} columns, not {of_oracle}", answer.columns.len());
    }
    Ok(verdict)
}

/// The oracle's columns of a column of an answer.
enum Expected {
    Exact(usize),
    Between(usize, usize),
}

impl Expected {
    fn find(query: Query, oracle: &Table, column: &str) -> Result<Self> {
        let find = |name: &str| {
            let found = oracle.columns.iter().position(|known| known == name);
            found.with_context(|| format!("find {name} in the oracle's answer"))
        };
        Ok(match query {
            Query::A | Query::B => Self::Exact(find(column)?),
            Query::C => {
                Self::Between(find(&format!("{column}_low"))?, find(&format!("{column}_high"))?)
            }
        })
    }

    fn holds(&self, row: &[Option<f64>], value: Option<f64>) -> bool {
        let near = |one: f64, other: f64| EXACT_ERROR * one.abs().max(other.abs()).max(1.0);
        match (self, value) {
            (Self::Exact(at) | Self::Between(at, _), None) => row[*at].is_none(),
            (Self::Exact(at), Some(value)) => {
                row[*at].is_some_and(|exact| (exact - value).abs() <= near(exact, value))
            }
            (Self::Between(low, high), Some(value)) => {
                let above = row[*low].is_some_and(|low| value >= low - near(low, value));
                above && row[*high].is_some_and(|high| value <= high + near(high, value))
            }
        }
    }

    fn show(&self, row: &[Option<f64>]) -> String {
        match self {
            Self::Exact(at) => format!("{:?}", row[*at]),
            Self::Between(low, high) => format!("between {:?} and {:?}", row[*low], row[*high]),
        }
    }
}

struct Table {
    /// Without the number.
    columns: Vec<String>,
    rows: BTreeMap<u64, Vec<Option<f64>>>,
}

impl Table {
    fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let header = lines.next().context("find the header")?;
        let mark = if header.contains('\t') { '\t' } else { ',' };
        let columns: Vec<String> = header.split(mark).skip(1).map(str::to_owned).collect();
        let mut rows = BTreeMap::new();
        for line in lines {
            let (number, cells) = line.split_once(mark).context("find the number")?;
            let number: u64 = number.parse().with_context(|| format!("read number {number}"))?;
            let cells = cells.split(mark).map(|cell| match cell {
                "" => Ok(None),
                cell => cell.parse().map(Some).with_context(|| format!("read {cell}")),
            });
            let cells: Vec<Option<f64>> = cells.collect::<Result<_>>()?;
            if cells.len() != columns.len() {
                bail!("number {number} has {} values, not {}", cells.len(), columns.len());
            }
            if rows.insert(number, cells).is_some() {
                bail!("number {number} is there twice");
            }
        }
        Ok(Self { columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORACLE: &str = "number_id\tcount\tmean\n7\t3\t1.5\n8\t4\t\n9\t\t\n";
    const BOUNDS: &str = "number_id\tpeers_low\tpeers_high\n7\t93\t107\n8\t\t\n";

    fn verdict(query: Query, oracle: &str, answer: &str) -> Verdict {
        let parse = |text| Table::parse(text).expect("a table");
        compare(query, &parse(oracle), &parse(answer)).expect("compared")
    }

    #[test]
    fn equal_answers_are_equal_in_any_order_of_numbers_and_columns() {
        for answer in [
            ORACLE,
            "number_id\tcount\tmean\n9\t\t\n8\t4\t\n7\t3.0\t1.5000000000000002\n",
            // A number of which all is null may be left out.
            "number_id\tmean\tcount\n8\t\t4\n7\t1.5\t3\n",
            "number_id,mean,count\n8,,4\n7,1.5,3\n",
        ] {
            assert!(verdict(Query::A, ORACLE, answer).is_equal(), "{answer}");
        }
        for peers in ["93", "100.5", "107"] {
            let answer = format!("number_id\tpeers\n7\t{peers}\n8\t\n");
            assert!(verdict(Query::C, BOUNDS, &answer).is_equal(), "{peers}");
        }
    }

    #[test]
    fn planted_wrong_answers_are_found() {
        for (answer, column) in [
            ("number_id\tcount\tmean\n7\t4\t1.5\n8\t4\t\n", "count"),
            ("number_id\tcount\tmean\n7\t3\t1.500001\n8\t4\t\n", "mean"),
            ("number_id\tcount\tmean\n7\t3\t\n8\t4\t\n", "mean"),
            ("number_id\tcount\tmean\n7\t3\t1.5\n8\t4\t0\n", "mean"),
            ("number_id\tcount\tmean\n7\t3\t1.5\n", "count"),
            ("number_id\tcount\tmean\n7\t3\t1.5\n8\t4\t\n10\t1\t1\n", "number_id"),
        ] {
            let found = verdict(Query::A, ORACLE, answer);
            assert_eq!(found.wrong.keys().collect::<Vec<_>>(), [column], "{answer}");
            assert!(found.to_string().contains(column));
        }
        for peers in ["92.9", "107.1", ""] {
            let answer = format!("number_id\tpeers\n7\t{peers}\n");
            assert!(!verdict(Query::C, BOUNDS, &answer).is_equal(), "{peers}");
        }
    }

    #[test]
    fn answers_that_cannot_be_compared_are_errors() {
        let parse = |text| Table::parse(text).map(|_| ());
        assert!(parse("number_id\tcount\n7\t1\n7\t1\n").is_err());
        assert!(parse("number_id\tcount\n7\t1\t2\n").is_err());
        assert!(parse("number_id\tcount\n7\tmany\n").is_err());
        let table = |text| Table::parse(text).expect("a table");
        assert!(compare(Query::A, &table(ORACLE), &table("number_id\tcount\n7\t3\n")).is_err());
        assert!(compare(Query::A, &table(ORACLE), &table("number_id\tother\n7\t3\n")).is_err());
    }
}
