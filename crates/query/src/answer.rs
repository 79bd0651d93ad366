//! What is said of a sender: its features, the verdict on them, and what the verdict stands on.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, AsArray, Date32Array, Float64Array, Int32Array, Int64Array, PrimitiveArray, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::ArrowPrimitiveType;
use turnwise_kernels::intervals;
use turnwise_model::features::{FEATURES, Feature, Interval};
use turnwise_model::{Day, Millis};
use turnwise_policy::{FeatureVector, Judgement, Scorecard, judge};

use crate::accounts::Accounts;
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

/// What a sender is called: nothing that its features tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// As [`SenderAnswer::tenant`].
    pub tenant: String,
    /// As [`SenderAnswer::display_name`].
    pub display_name: Option<String>,
}

impl Label {
    /// What rows of `events` say.
    #[must_use]
    pub fn of(window: &Window, accounts: &Accounts) -> Self {
        let tenant = accounts.of(window).unwrap_or(UNKNOWN_TENANT).to_owned();
        Self { tenant, display_name: None }
    }
}

/// Judges rows of `sender_features`; ordered by sender and window end.
///
/// # Errors
/// Columns that are missing: a table of another version.
pub fn answers(
    batches: &[RecordBatch],
    accounts: &Accounts,
    scorecard: &Scorecard,
) -> Result<Vec<SenderAnswer>, QueryError> {
    let mut answers = Vec::new();
    for batch in batches {
        let columns = Columns::of(batch)?;
        answers.extend((0..batch.num_rows()).map(|row| {
            let window = columns.window(row);
            let label = Label::of(&window, accounts);
            columns.answer(row, window, label, scorecard)
        }));
    }
    answers.sort_by(|a, b| a.window.cmp(&b.window));
    Ok(answers)
}

/// As [`answers`], with labels of the caller's. An answer of `before`, by the same scorecard, that
/// says what its row says is taken as it is.
///
/// # Errors
/// As [`answers`].
pub fn answers_after(
    batches: &[RecordBatch],
    scorecard: &Scorecard,
    label: &dyn Fn(&Window) -> Label,
    before: &HashMap<&str, &Arc<SenderAnswer>>,
) -> Result<Vec<Arc<SenderAnswer>>, QueryError> {
    let mut answers = Vec::new();
    for batch in batches {
        let columns = Columns::of(batch)?;
        for row in 0..batch.num_rows() {
            let window = columns.window(row);
            let label = label(&window);
            let known = before.get(window.sender.as_str()).copied();
            answers.push(match known.filter(|known| columns.says(row, &window, &label, known)) {
                Some(known) => Arc::clone(known),
                None => Arc::new(columns.answer(row, window, label, scorecard)),
            });
        }
    }
    answers.sort_by(|a, b| a.window.cmp(&b.window));
    Ok(answers)
}

/// What the scorecard says of each row of `sender_features`, without what it says it of.
///
/// # Errors
/// As [`answers`].
pub fn judgements<'a>(
    batch: &'a RecordBatch,
    scorecard: &'a Scorecard,
) -> Result<impl Iterator<Item = (Window, Judgement)> + 'a, QueryError> {
    let columns = Columns::of(batch)?;
    let rows = 0..batch.num_rows();
    Ok(rows.map(move |row| (columns.window(row), judge(&columns.vector(row), scorecard))))
}

/// Typed columns of `sender_features`, found once for all rows.
struct Columns<'a> {
    sender: &'a StringArray,
    window_end: &'a Date32Array,
    last_time: &'a TimestampMicrosecondArray,
    conversations: &'a Int64Array,
    sends_with_status: &'a Float64Array,
    statuses_with_send: &'a Float64Array,
    active_peers: &'a Int64Array,
    u_messages: &'a Int64Array,
    f_messages: &'a Int64Array,
    has_send_log: &'a Int32Array,
    /// In the order of [`FEATURES`].
    features: Vec<FeatureColumns<'a>>,
}

/// The columns of a feature.
struct FeatureColumns<'a> {
    value: &'a Float64Array,
    support: &'a Int64Array,
    interval: Ends<'a>,
}

/// Where a feature's interval comes from.
enum Ends<'a> {
    None,
    Wilson,
    Stored(&'a Float64Array, &'a Float64Array),
}

/// A column of numbers.
fn column<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a PrimitiveArray<T>, QueryError> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
    column.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> QueryError {
    QueryError::Unexpected {
        operation: "read features",
        reason: format!("column {name} is missing or of another type"),
    }
}

fn value<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, QueryError> {
        let sender = batch.column_by_name("sender").and_then(|c| c.as_string_opt::<i32>());
        Ok(Self {
            sender: sender.ok_or_else(|| missing("sender"))?,
            window_end: column(batch, "window_end")?,
            last_time: column(batch, "last_time")?,
            conversations: column(batch, "conversations")?,
            sends_with_status: column(batch, "coverage_sends_with_status")?,
            statuses_with_send: column(batch, "coverage_statuses_with_send")?,
            active_peers: column(batch, "n_f01_active_peers")?,
            u_messages: column(batch, "u_messages")?,
            f_messages: column(batch, "f_messages")?,
            has_send_log: column(batch, "has_send_log")?,
            features: FEATURES
                .iter()
                .map(|feature| FeatureColumns::of(batch, feature))
                .collect::<Result<_, _>>()?,
        })
    }

    fn answer(
        &self,
        row: usize,
        window: Window,
        label: Label,
        scorecard: &Scorecard,
    ) -> SenderAnswer {
        let features = self.vector(row);
        SenderAnswer {
            window,
            tenant: label.tenant,
            display_name: label.display_name,
            last_time: self.last_time(row),
            conversations: value(self.conversations, row).unwrap_or(0),
            coverage: self.coverage(row),
            judgement: judge(&features, scorecard),
            features,
        }
    }

    /// Whether an answer says what a row and a label say. What is computed of the row is not
    /// computed again.
    fn says(&self, row: usize, window: &Window, label: &Label, answer: &SenderAnswer) -> bool {
        let count = |column| value(column, row).unwrap_or(0);
        let told = &answer.features;
        answer.window == *window
            && answer.tenant == label.tenant
            && answer.display_name == label.display_name
            && answer.last_time == self.last_time(row)
            && answer.conversations == count(self.conversations)
            && answer.coverage == self.coverage(row)
            && told.active_peers == count(self.active_peers)
            && told.u_messages == count(self.u_messages)
            && told.f_messages == count(self.f_messages)
            && told.has_send_log == self.has_send_log(row)
            && self.features.iter().enumerate().all(|(at, feature)| {
                told.values.get(at) == Some(&value(feature.value, row))
                    && told.support.get(at) == Some(&count(feature.support))
                    && (matches!(feature.interval, Ends::None | Ends::Wilson)
                        || told.intervals.get(at) == Some(&feature.interval(row)))
            })
    }

    fn last_time(&self, row: usize) -> Option<Millis> {
        value(self.last_time, row).map(Millis::from_micros)
    }

    fn coverage(&self, row: usize) -> Coverage {
        Coverage {
            sends_with_status: value(self.sends_with_status, row),
            statuses_with_send: value(self.statuses_with_send, row),
        }
    }

    fn has_send_log(&self, row: usize) -> bool {
        value(self.has_send_log, row).is_some_and(|flag| flag != 0)
    }

    fn window(&self, row: usize) -> Window {
        Window { sender: self.sender.value(row).to_owned(), end: Day(self.window_end.value(row)) }
    }

    /// A count that is null is none.
    fn vector(&self, row: usize) -> FeatureVector {
        let count = |column| value(column, row).unwrap_or(0);
        let all = || self.features.iter();
        FeatureVector {
            values: all().map(|feature| value(feature.value, row)).collect(),
            support: all().map(|feature| count(feature.support)).collect(),
            intervals: all().map(|feature| feature.interval(row)).collect(),
            active_peers: count(self.active_peers),
            u_messages: count(self.u_messages),
            f_messages: count(self.f_messages),
            has_send_log: self.has_send_log(row),
        }
    }
}

impl<'a> FeatureColumns<'a> {
    fn of(batch: &'a RecordBatch, feature: &Feature) -> Result<Self, QueryError> {
        let end = |side: &str| column(batch, &format!("{side}_{}", feature.column));
        Ok(Self {
            value: column(batch, feature.column)?,
            support: column(batch, &feature.support_column())?,
            interval: match feature.interval {
                Interval::None => Ends::None,
                Interval::Wilson => Ends::Wilson,
                Interval::Jackknife => Ends::Stored(end("low")?, end("high")?),
            },
        })
    }

    /// Of a value that is null there is none.
    fn interval(&self, row: usize) -> Option<(f64, f64)> {
        let share = value(self.value, row)?;
        match self.interval {
            Ends::None => None,
            Ends::Wilson => intervals::wilson_share(share, value(self.support, row).unwrap_or(0)),
            Ends::Stored(low, high) => value(low, row).zip(value(high, row)),
        }
    }
}
