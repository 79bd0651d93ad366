//! A data file as the log describes it, and filters that skip files without opening them.

use std::collections::BTreeMap;

use arrow_schema::{DataType, Schema};
use serde_json::Value;
use turnwise_model::{Day, Millis};
use url::Url;

/// How the names of data files end.
pub(crate) const EXTENSION: &str = ".parquet";
/// In the name of a file of sorted rows, before the column that they are sorted by.
pub(crate) const SORTED_BY: &str = ".sorted-by-";

/// The value of a partition column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartitionValue {
    /// A `Utf8` column.
    Text(String),
    /// A `Date32` column.
    Date(Day),
    /// An `Int32` column.
    Int(i32),
}

impl PartitionValue {
    /// The value as the log writes it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Date(day) => day.iso(),
            Self::Int(number) => number.to_string(),
        }
    }

    /// Reads a value of the log as the same type as `self`.
    fn same_type(&self, text: &str) -> Option<Self> {
        match self {
            Self::Text(_) => Some(Self::Text(text.to_owned())),
            Self::Date(_) => Day::parse_iso(text).map(Self::Date),
            Self::Int(_) => text.parse().ok().map(Self::Int),
        }
    }
}

impl From<&str> for PartitionValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Day> for PartitionValue {
    fn from(day: Day) -> Self {
        Self::Date(day)
    }
}

impl From<i32> for PartitionValue {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

/// The values of all partition columns of a file.
pub type Partition = BTreeMap<String, PartitionValue>;

/// A bound of a column's values in one file. Dates are days, timestamps microseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// Of integer, date and timestamp columns.
    Int(i64),
    /// Of float columns.
    Float(f64),
    /// Of text columns; upper bounds may be longer than any value, lower ones a prefix.
    Text(String),
}

/// A data file of a table at a version.
#[derive(Clone, Debug, PartialEq)]
pub struct FileInfo {
    /// The path as the log names it: relative to the table, URL-encoded.
    pub path: String,
    /// The absolute address.
    pub url: Url,
    /// Bytes.
    pub size: u64,
    /// Partition values as the log writes them (`None` is null).
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Rows, where the log says so.
    pub num_records: Option<u64>,
    /// The statistics as the log holds them (JSON).
    pub stats_json: Option<String>,
    /// Milliseconds since 1970 when the file was written.
    pub modification_time: i64,
}

impl FileInfo {
    pub(crate) fn new(
        table: &Url,
        path: String,
        size: i64,
        partition_values: BTreeMap<String, Option<String>>,
        stats_json: Option<String>,
        modification_time: i64,
    ) -> Result<Self, url::ParseError> {
        let url = table.join(&path)?;
        let num_records = stats_json
            .as_deref()
            .and_then(|json| serde_json::from_str::<Records>(json).ok())
            .and_then(|stats| stats.num_records);
        let size = u64::try_from(size).unwrap_or_default();
        Ok(Self { path, url, size, partition_values, num_records, stats_json, modification_time })
    }

    /// The partition, by the types of the table's columns; none where a value is null or not of its
    /// column's type.
    pub(crate) fn partition(&self, table: &Schema) -> Option<Partition> {
        let typed = |(column, text): (&String, &Option<String>)| {
            let text = text.as_deref()?;
            let value = match table.field_with_name(column).ok()?.data_type() {
                DataType::Utf8 => PartitionValue::from(text),
                DataType::Date32 => PartitionValue::Date(Day::parse_iso(text)?),
                DataType::Int32 => PartitionValue::Int(text.parse().ok()?),
                _ => return None,
            };
            Some((column.clone(), value))
        };
        self.partition_values.iter().map(typed).collect()
    }

    /// The column in whose ascending order the rows are, absent values first, where the file was
    /// written so.
    #[must_use]
    pub fn sorted_by(&self) -> Option<&str> {
        sorted_by(&self.path)
    }

    /// Smallest and largest value of each column that has both.
    #[must_use]
    pub fn bounds(&self) -> BTreeMap<String, (Bound, Bound)> {
        let parsed: Option<Value> =
            self.stats_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let Some(Value::Object(stats)) = parsed else { return BTreeMap::new() };
        let (Some(Value::Object(low)), Some(Value::Object(high))) =
            (stats.get("minValues"), stats.get("maxValues"))
        else {
            return BTreeMap::new();
        };
        low.iter()
            .filter_map(|(column, low)| {
                let high = bound(high.get(column)?)?;
                Some((column.clone(), (bound(low)?, high)))
            })
            .collect()
    }

    /// Whether a row may have a value in that column: false only where the log says that none has.
    #[must_use]
    pub fn may_hold(&self, column: &str) -> bool {
        let rows = self.num_records.and_then(|rows| i64::try_from(rows).ok());
        rows.is_none() || self.null_counts().get(column).copied() != rows
    }

    /// Number of nulls of each column that has it.
    #[must_use]
    pub fn null_counts(&self) -> BTreeMap<String, i64> {
        let parsed: Option<Value> =
            self.stats_json.as_deref().and_then(|json| serde_json::from_str(json).ok());
        parsed
            .as_ref()
            .and_then(|stats| stats.get("nullCount"))
            .and_then(Value::as_object)
            .map(|counts| {
                counts.iter().filter_map(|(name, n)| Some((name.clone(), n.as_i64()?))).collect()
            })
            .unwrap_or_default()
    }
}

/// What [`FileInfo::sorted_by`] says of a file at this path.
#[must_use]
pub fn sorted_by(path: &str) -> Option<&str> {
    let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
    name.strip_suffix(EXTENSION)?.split_once(SORTED_BY).map(|(_, column)| column)
}

#[derive(serde::Deserialize)]
struct Records {
    #[serde(rename = "numRecords")]
    num_records: Option<u64>,
}

fn bound(value: &Value) -> Option<Bound> {
    match value {
        Value::Number(number) => {
            number.as_i64().map(Bound::Int).or_else(|| number.as_f64().map(Bound::Float))
        }
        Value::String(text) => {
            Some(time(text).map_or_else(|| Bound::Text(text.clone()), Bound::Int))
        }
        _ => None,
    }
}

/// A date as days, an RFC 3339 instant as microseconds. Numbers and ids of senders never
/// have these forms, so no text column is mistaken for a time.
fn time(text: &str) -> Option<i64> {
    if let Some(day) = Day::parse_iso(text) {
        return Some(i64::from(day.0));
    }
    let (day, rest) = text.split_once('T')?;
    let day = Day::parse_iso(day)?;
    let instant = chrono::DateTime::parse_from_rfc3339(&format!("{}T{rest}", day.iso())).ok()?;
    Some(instant.timestamp_micros())
}

/// Which files a reader needs: every term must hold. A term that the log cannot decide
/// keeps the file, so a filter never hides a row that matches.
#[derive(Clone, Debug, Default)]
pub struct FileFilter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
enum Term {
    In { column: String, values: Vec<PartitionValue> },
    Between { column: String, low: PartitionValue, high: PartitionValue },
    Overlaps { column: String, low: i64, high: i64 },
}

impl FileFilter {
    /// Keeps every file.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Keeps files whose partition column has one of the values.
    #[must_use]
    pub fn partition_in<V: Into<PartitionValue>>(
        mut self,
        column: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.terms.push(Term::In { column: column.to_owned(), values });
        self
    }

    /// Keeps files whose partition column lies in `[low, high]`.
    #[must_use]
    pub fn partition_between<V: Into<PartitionValue>>(
        mut self,
        column: &str,
        low: V,
        high: V,
    ) -> Self {
        let (low, high) = (low.into(), high.into());
        self.terms.push(Term::Between { column: column.to_owned(), low, high });
        self
    }

    /// Keeps files of exactly this partition.
    #[must_use]
    pub fn partition(mut self, partition: &Partition) -> Self {
        for (column, value) in partition {
            self.terms.push(Term::In { column: column.clone(), values: vec![value.clone()] });
        }
        self
    }

    /// Keeps files whose integer, date (days) or timestamp (microseconds) column may hold a
    /// value in `[low, high]`, by statistics.
    #[must_use]
    pub fn overlaps(mut self, column: &str, low: i64, high: i64) -> Self {
        self.terms.push(Term::Overlaps { column: column.to_owned(), low, high });
        self
    }

    /// [`Self::overlaps`] for a timestamp column and instants.
    #[must_use]
    pub fn time_between(self, column: &str, low: Millis, high: Millis) -> Self {
        self.overlaps(column, low.micros(), high.micros())
    }

    /// Whether the file may hold rows that the reader needs.
    #[must_use]
    pub fn keeps(&self, file: &FileInfo) -> bool {
        let by_partition = self.terms.iter().all(|term| match term {
            Term::In { column, values } => {
                let value = file.partition_values.get(column).and_then(Option::as_ref);
                value.is_some_and(|value| values.iter().any(|known| known.text() == *value))
            }
            Term::Between { column, low, high } => {
                let value = file.partition_values.get(column).and_then(Option::as_ref);
                value
                    .and_then(|value| low.same_type(value))
                    .is_some_and(|value| *low <= value && value <= *high)
            }
            Term::Overlaps { .. } => true,
        });
        by_partition && self.keeps_by_statistics(file)
    }

    fn keeps_by_statistics(&self, file: &FileInfo) -> bool {
        if !self.terms.iter().any(|term| matches!(term, Term::Overlaps { .. })) {
            return true;
        }
        let bounds = file.bounds();
        self.terms.iter().all(|term| match term {
            Term::Overlaps { column, low, high } => match bounds.get(column) {
                Some((Bound::Int(smallest), Bound::Int(largest))) => {
                    smallest <= high && low <= largest
                }
                _ => true,
            },
            Term::In { .. } | Term::Between { .. } => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> FileInfo {
        let stats = r#"{"numRecords":3,"minValues":{"n":-5,"at":"2026-11-24T00:00:00.001Z"},
            "maxValues":{"n":9007199254740993,"at":"2026-11-24T00:00:00.002Z"},"nullCount":{"n":1}}"#;
        let values = BTreeMap::from([("date".to_owned(), Some("2026-11-24".to_owned()))]);
        let table = Url::parse("file:///lake/events/").expect("url");
        FileInfo::new(&table, "date=2026-11-24/x.parquet".into(), 7, values, Some(stats.into()), 1)
            .expect("path")
    }

    #[test]
    fn bounds_keep_every_bit_of_an_integer() {
        let bounds = file().bounds();
        assert_eq!(bounds["n"], (Bound::Int(-5), Bound::Int(9_007_199_254_740_993)));
        let midnight = Day::parse_iso("2026-11-24").expect("day").start();
        assert_eq!(bounds["at"].0, Bound::Int(Millis(midnight.0 + 1).micros()));
        assert_eq!(file().null_counts()["n"], 1);
        assert_eq!(file().num_records, Some(3));
    }

    #[test]
    fn column_is_empty_only_where_the_log_counts_as_many_nulls_as_rows() {
        let counted = |stats: &str| FileInfo {
            num_records: Some(3),
            stats_json: Some(stats.to_owned()),
            ..file()
        };
        assert!(!counted(r#"{"numRecords":3,"nullCount":{"n":3}}"#).may_hold("n"));
        assert!(counted(r#"{"numRecords":3,"nullCount":{"n":2}}"#).may_hold("n"));
        assert!(counted(r#"{"numRecords":3,"nullCount":{"m":3}}"#).may_hold("n"));
        assert!(FileInfo { num_records: None, stats_json: None, ..file() }.may_hold("n"));
    }

    #[test]
    fn name_of_a_file_says_what_it_is_sorted_by() {
        let named = |path: &str| FileInfo { path: path.to_owned(), ..file() };
        assert_eq!(file().sorted_by(), None);
        let sorted = named("kind=message/date=2026-11-24/1f.sorted-by-sender.parquet");
        assert_eq!(sorted.sorted_by(), Some("sender"));
        assert_eq!(named("at=x.sorted-by-y/1f.parquet").sorted_by(), None);
    }

    #[test]
    fn filter_skips_only_what_cannot_match() {
        let day = |text| Day::parse_iso(text).expect("day");
        let all = FileFilter::all();
        assert!(all.clone().partition_in("date", [day("2026-11-24")]).keeps(&file()));
        assert!(!all.clone().partition_in("date", [day("2026-11-25")]).keeps(&file()));
        let between = |low, high| all.clone().partition_between("date", day(low), day(high));
        assert!(between("2026-11-01", "2026-11-24").keeps(&file()));
        assert!(!between("2026-11-25", "2026-11-30").keeps(&file()));
        assert!(all.clone().overlaps("n", -100, -5).keeps(&file()));
        assert!(!all.clone().overlaps("n", -100, -6).keeps(&file()));
        assert!(all.overlaps("unknown", 0, 0).keeps(&file()));
    }
}
