//! Derived tables: `events` → `sender_days` → `sender_features` → `verdicts` → `flags`.
//!
//! Every step is a plan over a version of `events` (or over the step before), so a derived table
//! can be deleted and derived again to the same rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, RecordBatch, StringArray};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Date32Type, Field, Int32Type, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use turnwise_lake::{FileInfo, shared_out};
use turnwise_model::schema::{column, file_schema};
use turnwise_model::time::WINDOW_DAYS;
use turnwise_model::{Day, EventKind};

use crate::conversations::{Conversations, is_kind};
use crate::engine::Engine;
use crate::error::QueryError;
use crate::lake_table::{LakeTable, date};

/// A sender and the end of its window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The sender.
    pub sender: String,
    /// The midnight that begins this day ends the window.
    pub end: Day,
}

impl Window {
    /// The days whose conversations the window holds.
    #[must_use]
    pub fn days(&self) -> std::ops::Range<i32> {
        self.end.0 - WINDOW_DAYS..self.end.0
    }
}

/// Rows of `sender_days` of these days, a row a sender and day.
///
/// # Errors
/// A plan that cannot be run.
pub async fn sender_days(
    engine: &Engine,
    conversations: Arc<Conversations>,
    days: &BTreeSet<Day>,
) -> Result<Vec<RecordBatch>, QueryError> {
    let operation = "derive days of senders";
    let Some((first, last)) = days.first().zip(days.last()) else { return Ok(Vec::new()) };
    let context = engine.session();
    register(&context, "conversations", conversations)?;
    let sql = format!(
        "SELECT * FROM ({}) WHERE day BETWEEN DATE '{}' AND DATE '{}'",
        without_comments(include_str!("sql/sender_days.sql")),
        first.iso(),
        last.iso()
    );
    collect(&context, &sql, operation).await
}

/// The columns of `sender_days`.
///
/// # Errors
/// A plan that cannot be made.
pub async fn sender_days_schema(engine: &Engine) -> Result<SchemaRef, QueryError> {
    let context = engine.session();
    register(&context, "conversations", Arc::new(Conversations::new(&[])))?;
    let sql = without_comments(include_str!("sql/sender_days.sql"));
    let frame = context.sql(&sql).await.map_err(QueryError::engine("plan days of senders"))?;
    Ok(as_stored(frame.schema().as_arrow()))
}

/// The columns of `sender_features`.
///
/// # Errors
/// A plan that cannot be made.
pub async fn sender_features_schema(engine: &Engine) -> Result<SchemaRef, QueryError> {
    let days = LakeTable::new(sender_days_schema(engine).await?, Vec::new(), Vec::new());
    let context = features_session(engine, Arc::new(days), &[])?;
    let sql = without_comments(include_str!("sql/sender_features.sql"));
    let frame = context.sql(&sql).await.map_err(QueryError::engine("plan features"))?;
    Ok(as_stored(frame.schema().as_arrow()))
}

/// Features of windows from rows of `sender_days`: one row a window that has conversations.
///
/// # Errors
/// A plan that cannot be run.
pub async fn sender_features(
    engine: &Engine,
    sender_days: Arc<dyn TableProvider>,
    windows: &[Window],
) -> Result<Vec<RecordBatch>, QueryError> {
    let context = features_session(engine, sender_days, windows)?;
    let sql = without_comments(include_str!("sql/sender_features.sql"));
    let found = collect(&context, &sql, "derive features").await?;
    found.into_iter().map(|batch| stored(&batch)).collect()
}

/// A session with the tables that features are derived from.
fn features_session(
    engine: &Engine,
    sender_days: Arc<dyn TableProvider>,
    windows: &[Window],
) -> Result<SessionContext, QueryError> {
    let context = engine.session();
    register(&context, "sender_days", sender_days)?;
    register(&context, "windows", windows_table(windows)?)?;
    Ok(context)
}

/// The newest message of U, B or E of each sender, in milliseconds.
///
/// # Errors
/// A plan that cannot be run.
pub async fn newest_messages(
    engine: &Engine,
    sender_days: Arc<dyn TableProvider>,
) -> Result<BTreeMap<String, turnwise_model::Millis>, QueryError> {
    let operation = "find the newest message of each sender";
    let context = engine.session();
    register(&context, "sender_days", sender_days)?;
    let sql = "SELECT sender, CAST(max(last_time) AS BIGINT) AS last FROM sender_days \
               WHERE last_time IS NOT NULL GROUP BY sender";
    let mut newest = BTreeMap::new();
    for batch in collect(&context, sql, operation).await? {
        let senders = batch["sender"].as_string::<i32>();
        let last = batch["last"].as_primitive::<arrow::datatypes::Int64Type>();
        for row in 0..batch.num_rows() {
            let at = turnwise_model::Millis::from_micros(last.value(row));
            newest.insert(senders.value(row).to_owned(), at);
        }
    }
    Ok(newest)
}

/// Splits rows by the values of a `Date32` and maybe an `Int32` column, each part in the order of
/// its senders: what a derived table's partitions hold.
///
/// # Errors
/// Columns that are missing or of another type.
pub fn split(
    batches: &[RecordBatch],
    day: &str,
    bucket: Option<&str>,
) -> Result<BTreeMap<(Day, i32), RecordBatch>, QueryError> {
    let mut rows: BTreeMap<(Day, i32), Vec<(usize, usize)>> = BTreeMap::new();
    for (nth, batch) in batches.iter().enumerate() {
        let days = batch[day].as_primitive::<Date32Type>();
        let buckets = bucket.map(|name| batch[name].as_primitive::<Int32Type>());
        for row in 0..batch.num_rows() {
            let bucket = buckets.map_or(0, |buckets| buckets.value(row));
            rows.entry((Day(days.value(row)), bucket)).or_default().push((nth, row));
        }
    }
    let senders: Vec<&StringArray> =
        batches.iter().map(|batch| batch["sender"].as_string::<i32>()).collect();
    let batches: Vec<&RecordBatch> = batches.iter().collect();
    let part = |(key, mut rows): ((Day, i32), Vec<(usize, usize)>)| {
        rows.sort_by_key(|(nth, row)| senders[*nth].value(*row));
        // Rows with their states are wide: they are copied once.
        let part = interleave_record_batch(&batches, &rows)
            .map_err(|source| QueryError::from_arrow("split rows by partition", source))?;
        Ok((key, part))
    };
    let parts = shared_out(rows.into_iter().collect(), part);
    parts.into_iter().collect()
}

/// The columns of a schema, whatever their order in the batch.
pub(crate) fn with_columns(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, QueryError> {
    let operation = "read stored rows";
    let column = |name: &String| {
        batch.column_by_name(name).cloned().ok_or_else(|| QueryError::Unexpected {
            operation,
            reason: format!("there is no column {name}"),
        })
    };
    let columns =
        schema.fields().iter().map(|field| column(field.name())).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|source| QueryError::from_arrow(operation, source))
}

/// Runs a statement of ours to its end.
pub(crate) async fn collect(
    context: &SessionContext,
    sql: &str,
    operation: &'static str,
) -> Result<Vec<RecordBatch>, QueryError> {
    let frame = context.sql(sql).await.map_err(QueryError::engine(operation))?;
    frame.collect().await.map_err(QueryError::engine(operation))
}

pub(crate) fn register(
    context: &SessionContext,
    name: &str,
    table: Arc<dyn TableProvider>,
) -> Result<(), QueryError> {
    let registered = context.register_table(name, table);
    registered.map(drop).map_err(QueryError::engine("register table"))
}

/// Registers the rows of files of `events` that name a sender, each kind as a table of its name.
pub(crate) fn register_events(
    context: &SessionContext,
    files: &[FileInfo],
) -> Result<(), QueryError> {
    for kind in [EventKind::Message, EventKind::Status, EventKind::Account] {
        let of_kind = files.iter().filter(|file| is_kind(file, kind)).cloned().collect();
        let table = LakeTable::new(file_schema(kind), vec![date(column::DATE)], of_kind);
        register(context, kind.name(), Arc::new(table))?;
    }
    Ok(())
}

/// The text of a statement without its `--` comments: what stands inside another must not end it.
pub(crate) fn without_comments(sql: &str) -> String {
    let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}

fn windows_table(windows: &[Window]) -> Result<Arc<MemTable>, QueryError> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("sender", DataType::Utf8, false),
        Field::new("window_end", DataType::Date32, false),
    ]));
    let senders = windows.iter().map(|window| Some(window.sender.as_str()));
    let ends = windows.iter().map(|window| Some(window.end.0));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(senders.collect::<StringArray>()), Arc::new(ends.collect::<Date32Array>())];
    let operation = "list windows";
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)
        .map_err(|source| QueryError::from_arrow(operation, source))?;
    let table = MemTable::try_new(schema, vec![vec![batch]]);
    table.map(Arc::new).map_err(QueryError::engine(operation))
}

/// The types that a stored table has: signed integers, no booleans.
fn as_stored(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Boolean => Field::new(field.name(), DataType::Int32, true),
        other => Field::new(field.name(), other.clone(), field.is_nullable()),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn stored(batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
    let arrow = |source| QueryError::from_arrow("shape features for their table", source);
    let schema = as_stored(&batch.schema());
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns
        .map(|(column, field)| arrow::compute::cast(column, field.data_type()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(arrow)?;
    RecordBatch::try_new(schema, columns).map_err(arrow)
}
