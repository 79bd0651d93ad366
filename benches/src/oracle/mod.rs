//! The answers to queries A, B and C, by the plainest means: one thread, all values of a number
//! in a list, sorted. It shares no code with any engine, nor with our kernels.
//!
//! Answers are tables of tab-separated text, a line a number, in order of number. Where a query
//! is approximate the oracle gives bounds instead of a value: `…_low` and `…_high`.

mod conversations;

mod texts;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt8Type, UInt64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::files::column;

/// A query of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Conversations: turns, latencies, shares of kinds.
    A,
    /// Texts: open-ended ratio and lengths.
    B,
    /// Distinct peers, quantiles of bytes, entropy of texts.
    C,
}

impl Query {
    /// The query of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "A" => Self::A,
            "B" => Self::B,
            "C" => Self::C,
            _ => return None,
        })
    }

    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::A => {
                &[column::NUMBER, column::PEER, column::TIME, column::DIRECTION, column::KIND]
            }
            Self::B => &[column::NUMBER, column::DIRECTION, column::KIND, column::TEXT],
            Self::C => {
                &[column::NUMBER, column::PEER, column::DIRECTION, column::KIND, column::TEXT]
            }
        }
    }
}

/// Answers a query over a Parquet file of the data set.
///
/// # Errors
/// A file that cannot be read or has other columns.
pub fn answer(query: Query, path: &Path) -> Result<String> {
    match query {
        Query::A => conversations::answer(path),
        Query::B => texts::answer_b(path),
        Query::C => texts::answer_c(path),
    }
}

/// Writes an answer, whole or not at all.
///
/// # Errors
/// A disk that is full or cannot be written.
pub fn write(answer: &str, path: &Path) -> Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, answer).with_context(|| format!("write {}", part.display()))?;
    fs::rename(&part, path).with_context(|| format!("name {}", path.display()))
}

/// The columns of a batch that a query looks at.
struct Columns<'a> {
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    fn longs(&self, name: &str) -> Result<&'a [u64]> {
        let array = self.array(name)?.as_primitive_opt::<UInt64Type>();
        Ok(array.with_context(|| format!("read {name} as u64"))?.values())
    }

    fn times(&self) -> Result<&'a [i64]> {
        let array = self.array(column::TIME)?.as_primitive_opt::<Int64Type>();
        Ok(array.context("read times as i64")?.values())
    }

    fn bytes(&self, name: &str) -> Result<&'a [u8]> {
        let array = self.array(name)?.as_primitive_opt::<UInt8Type>();
        Ok(array.with_context(|| format!("read {name} as u8"))?.values())
    }

    fn texts(&self) -> Result<&'a arrow::array::StringArray> {
        self.array(column::TEXT)?.as_string_opt::<i32>().context("read texts")
    }

    fn array(&self, name: &str) -> Result<&'a dyn Array> {
        let found = self.batch.column_by_name(name).with_context(|| format!("find {name}"))?;
        if found.null_count() > 0 && name != column::TEXT {
            bail!("{name} has nulls");
        }
        Ok(found.as_ref())
    }
}

fn each_batch(
    query: Query,
    path: &Path,
    mut take: impl FnMut(Columns<'_>) -> Result<()>,
) -> Result<()> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).context("read Parquet footer")?;
    let columns = query.columns().iter().copied();
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
    for batch in builder.with_projection(mask).build().context("read Parquet file")? {
        take(Columns { batch: &batch.context("read Parquet file")? })?;
    }
    Ok(())
}

/// The q-quantile of sorted values, between ranks by a straight line; none of no values.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let at = q * (sorted.len().checked_sub(1)? as f64);
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

/// The values whose ranks surround the q-quantile.
fn around(sorted: &[f64], q: f64) -> Option<(f64, f64)> {
    let at = q * (sorted.len().checked_sub(1)? as f64);
    Some((sorted[at.floor() as usize], sorted[at.ceil() as usize]))
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A table with a header, a line a number.
fn table(names: &[&str], rows: &BTreeMap<u64, Vec<Option<f64>>>) -> String {
    let mut text = format!("{}\t{}\n", column::NUMBER, names.join("\t"));
    for (number, values) in rows {
        let _ = write!(text, "{number}");
        for value in values {
            match value {
                Some(value) => {
                    let _ = write!(text, "\t{value}");
                }
                None => text.push('\t'),
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests;
