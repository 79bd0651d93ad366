//! Rows of `verdicts` and `flags`: what the judgements of windows are kept as.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray,
    StringBuilder,
};
use arrow::datatypes::{DataType, Date32Type, Field, Int32Type, Schema, SchemaRef};
use turnwise_lake::FileFilter;
use turnwise_model::time::FLAG_DAYS;
use turnwise_model::{Day, Verdict};
use turnwise_policy::{Judgement, Scorecard, flag};

use crate::answer::judgements;
use crate::derive::Window;
use crate::derived::{Basis, Derived, FLAGS, VERDICTS, blocking};
use crate::error::QueryError;

/// Verdicts by sender and window end; provisional windows are not among them.
type VerdictHistory = BTreeMap<String, BTreeMap<Day, Verdict>>;

/// The flag of one sender at one midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FlagRow {
    sender: String,
    /// The midnight.
    end: Day,
    /// Whether it is shown to people.
    on: bool,
    /// The midnight that turned it so; none where it is as it was before all verdicts kept.
    since: Option<Day>,
}

/// The columns of `verdicts`.
#[must_use]
pub fn verdicts_schema() -> SchemaRef {
    let double = |name| Field::new(name, DataType::Float64, true);
    Arc::new(Schema::new(vec![
        Field::new("sender", DataType::Utf8, false),
        Field::new("window_end", DataType::Date32, false),
        Field::new("verdict", DataType::Utf8, false),
        double("scope"),
        double("generative"),
        double("automation"),
        double("grounding"),
        Field::new("scorecard", DataType::Utf8, false),
        Field::new("provisional", DataType::Int32, false),
    ]))
}

/// The columns of `flags`.
#[must_use]
pub fn flags_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("sender", DataType::Utf8, false),
        Field::new("window_end", DataType::Date32, false),
        Field::new("flag_on", DataType::Int32, false),
        Field::new("since", DataType::Date32, true),
    ]))
}

/// Judges rows of `sender_features`. `provisional` says of a window's end whether more may still
/// come.
///
/// # Errors
/// Columns that are missing: a table of another version.
pub fn verdict_rows(
    features: &[RecordBatch],
    scorecard: &Scorecard,
    provisional: &dyn Fn(Day) -> bool,
) -> Result<Vec<RecordBatch>, QueryError> {
    features
        .iter()
        .map(|batch| {
            let mut rows = VerdictRows::default();
            for (window, judgement) in judgements(batch, scorecard)? {
                rows.push(&window, &judgement, provisional(window.end));
            }
            rows.finish()
        })
        .collect()
}

impl Derived {
    /// Replays flags from the stored verdicts of complete windows, of every midnight from the first
    /// that a verdict may have changed, and replaces them; whether they stand.
    ///
    /// # Errors
    /// A lake that cannot be read or written; tables of another version.
    pub async fn replace_flags(&self, first: Day, basis: Basis) -> Result<bool, QueryError> {
        let from = Day(first.0 - FLAG_DAYS);
        let (far, read) = (Day(i32::MAX / 2), "read verdicts");
        let lake = self.lake().clone();
        let found = blocking(move || {
            let table = lake.existing_table(VERDICTS.name).map_err(QueryError::lake(read))?;
            let Some(table) = table else { return Ok(Vec::new()) };
            table.refresh().map_err(QueryError::lake(read))?;
            let filter = FileFilter::all().partition_between("window_end", from, far);
            let snapshot = table.snapshot(None).map_err(QueryError::lake(read))?;
            snapshot.read(None, &filter).map_err(QueryError::lake(read))
        })
        .await?;
        let mut history = VerdictHistory::new();
        read_verdicts(&found, &mut history)?;
        let last = history.values().filter_map(|verdicts| verdicts.keys().next_back()).max();
        let midnights: BTreeSet<Day> =
            last.map(|last| (first.0..=last.0).map(Day).collect()).unwrap_or_default();
        if midnights.is_empty() {
            return Ok(true);
        }
        let rows: Vec<FlagRow> =
            midnights.iter().flat_map(|end| flags_at(&history, *end)).collect();
        self.replace_windows(FLAGS, &midnights, &[flag_rows(&rows)?], basis).await
    }
}

/// Columns of `verdicts` that grow.
#[derive(Debug, Default)]
struct VerdictRows {
    senders: StringBuilder,
    ends: Vec<i32>,
    verdicts: StringBuilder,
    scores: [Vec<Option<f64>>; 4],
    scorecards: StringBuilder,
    marks: Vec<i32>,
}

impl VerdictRows {
    fn push(&mut self, window: &Window, judgement: &Judgement, provisional: bool) {
        self.senders.append_value(&window.sender);
        self.ends.push(window.end.0);
        self.verdicts.append_value(judgement.verdict.name());
        let score = judgement.score;
        let scores = [score.scope, score.generative, score.automation, score.grounding];
        for (column, score) in self.scores.iter_mut().zip(scores) {
            column.push(score);
        }
        self.scorecards.append_value(&judgement.scorecard);
        self.marks.push(i32::from(provisional));
    }

    fn finish(mut self) -> Result<RecordBatch, QueryError> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.senders.finish()),
            Arc::new(Date32Array::from(self.ends)),
            Arc::new(self.verdicts.finish()),
        ];
        let scores = self.scores.into_iter().map(Float64Array::from);
        columns.extend(scores.map(|scores| Arc::new(scores) as ArrayRef));
        columns.push(Arc::new(self.scorecards.finish()));
        columns.push(Arc::new(Int32Array::from(self.marks)));
        RecordBatch::try_new(verdicts_schema(), columns)
            .map_err(|source| QueryError::from_arrow("list verdicts", source))
    }
}

/// Takes stored verdicts of complete windows into the history.
///
/// # Errors
/// A table of another version.
fn read_verdicts(batches: &[RecordBatch], history: &mut VerdictHistory) -> Result<(), QueryError> {
    for batch in batches {
        let senders = batch["sender"].as_string::<i32>();
        let ends = batch["window_end"].as_primitive::<Date32Type>();
        let verdicts = batch["verdict"].as_string::<i32>();
        let provisional = batch["provisional"].as_primitive::<Int32Type>();
        for row in (0..batch.num_rows()).filter(|row| provisional.value(*row) == 0) {
            let name = verdicts.value(row);
            let verdict = Verdict::from_name(name).ok_or_else(|| QueryError::Unexpected {
                operation: "read verdicts",
                reason: format!("no verdict is named {name}"),
            })?;
            let of_sender = history.entry(senders.value(row).to_owned()).or_default();
            of_sender.insert(Day(ends.value(row)), verdict);
        }
    }
    Ok(())
}

/// The flags of every sender at a midnight: its verdicts of the last 28, replayed from unflagged.
fn flags_at(history: &VerdictHistory, end: Day) -> Vec<FlagRow> {
    let first = end.0 + 1 - FLAG_DAYS;
    let rows = history.iter().filter_map(|(sender, verdicts)| {
        let found: Vec<Option<Verdict>> =
            (first..=end.0).map(|day| verdicts.get(&Day(day)).copied()).collect();
        found.iter().any(Option::is_some).then(|| {
            let state = flag::replay(found);
            let since = state.since_index.and_then(|at| i32::try_from(at).ok());
            FlagRow {
                sender: sender.clone(),
                end,
                on: state.on,
                since: since.map(|at| Day(first + at)),
            }
        })
    });
    rows.collect()
}

/// Flags as rows.
///
/// # Errors
/// None that data can cause.
fn flag_rows(flags: &[FlagRow]) -> Result<RecordBatch, QueryError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(flags.iter().map(|flag| Some(flag.sender.as_str())).collect::<StringArray>()),
        Arc::new(flags.iter().map(|flag| Some(flag.end.0)).collect::<Date32Array>()),
        Arc::new(flags.iter().map(|flag| Some(i32::from(flag.on))).collect::<Int32Array>()),
        Arc::new(flags.iter().map(|flag| flag.since.map(|day| day.0)).collect::<Date32Array>()),
    ];
    RecordBatch::try_new(flags_schema(), columns)
        .map_err(|source| QueryError::from_arrow("list flags", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_is_on_after_two_verdicts_in_a_row_and_says_since_when() {
        let verdicts = [(3, Verdict::Review), (4, Verdict::LikelyGeneralPurpose)];
        let of_sender = verdicts.into_iter().map(|(day, verdict)| (Day(day), verdict)).collect();
        let history = VerdictHistory::from([("100".to_owned(), of_sender)]);
        let at = |day| flags_at(&history, Day(day)).into_iter().map(|f| (f.on, f.since)).next();
        assert_eq!(at(3), Some((false, None)));
        assert_eq!(at(4), Some((true, Some(Day(4)))));
        assert_eq!(at(40), None);
        assert_eq!(flag_rows(&flags_at(&history, Day(4))).expect("rows").num_rows(), 1);
    }
}
