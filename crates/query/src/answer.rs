//! What is said of a sender: its features, the verdict on them, and what the verdict stands on.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use turnwise_kernels::intervals;
use turnwise_model::features::{FEATURES, Interval};
use turnwise_model::{Day, Millis};
use turnwise_policy::{FeatureVector, Judgement, Scorecard, judge};

use crate::derive::Window;
use crate::error::QueryError;

/// Shares of what the verdict could see.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Of the records of sends those with a status; null where there are none.
    pub sends_with_status: Option<f64>,
    /// Of the messages with a status those with a record of the send; null where there are none.
    pub statuses_with_send: Option<f64>,
}

/// One sender in one window.
#[derive(Clone, Debug, PartialEq)]
pub struct SenderAnswer {
    /// The sender and the window's end.
    pub window: Window,
    /// Its tenant: from the `senders` file, else its account's id, else `unknown`.
    pub tenant: String,
    /// Its name from the `senders` file.
    pub display_name: Option<String>,
    /// Its newest message of U, B or E in the window.
    pub last_time: Option<Millis>,
    /// Conversations that start in the window.
    pub conversations: i64,
    /// What the verdict could see.
    pub coverage: Coverage,
    /// Features with support and intervals.
    pub features: FeatureVector,
    /// What the scorecard says of them.
    pub judgement: Judgement,
}

/// The tenant of a sender that no row and no file names one for.
pub const UNKNOWN_TENANT: &str = "unknown";

/// Judges rows of `sender_features`; ordered by sender and window end.
///
/// # Errors
/// Columns that are missing: a table of another version.
pub fn answers(
    batches: &[RecordBatch],
    tenants: &BTreeMap<Window, String>,
    scorecard: &Scorecard,
) -> Result<Vec<SenderAnswer>, QueryError> {
    let mut answers = Vec::new();
    for batch in batches {
        let columns = Columns { batch };
        for row in 0..batch.num_rows() {
            let window = Window {
                sender: columns.text("sender", row)?,
                end: columns.day("window_end", row)?,
            };
            let features = columns.vector(row)?;
            let judgement = judge(&features, scorecard);
            let coverage = Coverage {
                sends_with_status: columns.double("coverage_sends_with_status", row)?,
                statuses_with_send: columns.double("coverage_statuses_with_send", row)?,
            };
            answers.push(SenderAnswer {
                tenant: tenants.get(&window).map_or_else(|| UNKNOWN_TENANT.into(), Clone::clone),
                window,
                display_name: None,
                last_time: columns.time("last_time", row)?,
                conversations: columns.long("conversations", row)?,
                coverage,
                features,
                judgement,
            });
        }
    }
    answers.sort_by(|a, b| a.window.cmp(&b.window));
    Ok(answers)
}

/// Typed columns of `sender_features` by name.
struct Columns<'a> {
    batch: &'a RecordBatch,
}

impl Columns<'_> {
    fn missing(name: &str) -> QueryError {
        QueryError::Unexpected {
            operation: "read features",
            reason: format!("column {name} is missing or of another type"),
        }
    }

    fn text(&self, name: &str, row: usize) -> Result<String, QueryError> {
        let column = self.batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        Ok(column.ok_or_else(|| Self::missing(name))?.value(row).to_owned())
    }

    fn day(&self, name: &str, row: usize) -> Result<Day, QueryError> {
        let column =
            self.batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Date32Type>());
        Ok(Day(column.ok_or_else(|| Self::missing(name))?.value(row)))
    }

    fn time(&self, name: &str, row: usize) -> Result<Option<Millis>, QueryError> {
        let column = self.batch.column_by_name(name);
        let column = column.and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        let column = column.ok_or_else(|| Self::missing(name))?;
        Ok(column.is_valid(row).then(|| Millis::from_micros(column.value(row))))
    }

    fn longs(&self, name: &str) -> Result<&Int64Array, QueryError> {
        let column = self.batch.column_by_name(name);
        column.and_then(|c| c.as_primitive_opt::<Int64Type>()).ok_or_else(|| Self::missing(name))
    }

    /// A count; a null is none.
    fn long(&self, name: &str, row: usize) -> Result<i64, QueryError> {
        let column = self.longs(name)?;
        Ok(if column.is_valid(row) { column.value(row) } else { 0 })
    }

    fn double(&self, name: &str, row: usize) -> Result<Option<f64>, QueryError> {
        let column: Option<&Float64Array> =
            self.batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Float64Type>());
        let column = column.ok_or_else(|| Self::missing(name))?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }

    fn flag(&self, name: &str, row: usize) -> Result<bool, QueryError> {
        let column =
            self.batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int32Type>());
        let column = column.ok_or_else(|| Self::missing(name))?;
        Ok(column.is_valid(row) && column.value(row) != 0)
    }

    fn vector(&self, row: usize) -> Result<FeatureVector, QueryError> {
        let mut vector = FeatureVector {
            active_peers: self.long("n_f01_active_peers", row)?,
            u_messages: self.long("u_messages", row)?,
            f_messages: self.long("f_messages", row)?,
            has_send_log: self.flag("has_send_log", row)?,
            ..FeatureVector::new()
        };
        for feature in FEATURES {
            let value = self.double(feature.column, row)?;
            let n = self.long(&feature.support_column(), row)?;
            let interval = match (feature.interval, value) {
                (Interval::None, _) | (_, None) => None,
                (Interval::Wilson, Some(share)) => intervals::wilson_share(share, n),
                (Interval::Jackknife, Some(_)) => {
                    let end = |side: &str| self.double(&format!("{side}_{}", feature.column), row);
                    end("low")?.zip(end("high")?)
                }
            };
            vector.set(feature.name, value, n, interval);
        }
        Ok(vector)
    }
}
