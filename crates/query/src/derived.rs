//! Keeps the derived tables: replaces what new rows touched, and says which version of `events`
//! an answer stands on.
//!
//! ```text
//! events @ version ─▶ sender_days (day, bucket) ─▶ sender_features, verdicts, flags (window end)
//!                        txn derive/<table>/<partition> = version of events: must not fall
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{col, not};
use turnwise_lake::{
    Encoding, FileFilter, FileInfo, FloorTxn, Lake, Partition, ReplaceOutcome, Table,
};
use turnwise_model::Day;

use crate::aggregates::empty_states;
use crate::conversations::Conversations;
use crate::derive::{self, Window};
use crate::engine::Engine;
use crate::error::QueryError;
use crate::fold_exec::{Senders, is_named};
use crate::lake_table::LakeTable;
use crate::seen::{Changed, Part, Seen, parts_of};

/// A derived table and the columns that partition it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivedTable {
    /// Its name.
    pub name: &'static str,
    /// Its partition columns: a day, and for `sender_days` a bucket of senders.
    pub partitions: &'static [&'static str],
    /// How its files are written.
    encoding: Encoding,
}

impl DerivedTable {
    const fn of_window_ends(name: &'static str) -> Self {
        Self { name, partitions: &["window_end"], encoding: Encoding::Compressed }
    }

    /// The version of `events` that the rows of a window's end stand on; none where there are none.
    #[must_use]
    pub fn version_of_end(self, table: &Table, end: Day) -> Option<u64> {
        self.version_of(table, (end, 0))
    }

    fn version_of(self, table: &Table, part: Part) -> Option<u64> {
        u64::try_from(table.transaction(&app(self, part))?).ok()
    }
}

/// The mergeable state of every sender and day.
pub const SENDER_DAYS: DerivedTable = DerivedTable {
    name: "sender_days",
    partitions: &["day", "bucket"],
    encoding: Encoding::States,
};
/// Features of every sender and window.
pub const SENDER_FEATURES: DerivedTable = DerivedTable::of_window_ends("sender_features");
/// The verdict of every sender and window.
pub const VERDICTS: DerivedTable = DerivedTable::of_window_ends("verdicts");
/// The flag of every sender and window.
pub const FLAGS: DerivedTable = DerivedTable::of_window_ends("flags");

/// What a replacement stands on.
#[derive(Clone, Copy, Debug)]
pub struct Basis {
    /// The version of `events`.
    pub version: u64,
    /// Whether a result of the same version is written again: another scorecard or `senders`
    /// file made it.
    pub force_equal: bool,
    /// The clock, for file names and deadlines.
    pub now_ms: i64,
}

/// Writes and reads derived tables of one lake.
#[derive(Clone, Debug)]
pub struct Derived {
    lake: Lake,
    engine: Engine,
}

impl Derived {
    /// Over a lake, with an engine of that lake.
    #[must_use]
    pub fn new(lake: Lake, engine: Engine) -> Self {
        Self { lake, engine }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn lake(&self) -> &Lake {
        &self.lake
    }

    /// Derives these days of `events` again and replaces in `sender_days` what was not seen last.
    /// Returns that, for [`Seen::keep`], and whether it stands: not where another process wrote
    /// newer results. `touched` are the senders of rows that are new since what is seen was kept, if
    /// that is known: of days that stand as they were seen, the others' rows are taken from the table.
    ///
    /// # Errors
    /// A plan that cannot be run; a lake that cannot be written.
    pub async fn replace_days(
        &self,
        events: &[FileInfo],
        days: &BTreeSet<Day>,
        basis: Basis,
        seen: &mut Seen,
        touched: Option<&Arc<Senders>>,
    ) -> Result<(Changed, bool), QueryError> {
        let (mut changed, mut stands) = (Changed::default(), true);
        let schema = derive::sender_days_schema(&self.engine).await?;
        let standing = match touched {
            Some(_) => self.days_that_stand(days, seen).await?,
            None => BTreeSet::new(),
        };
        let others = days.difference(&standing).copied().collect();
        for (days, touched) in [(&others, None), (&standing, touched)] {
            let conversations = Conversations::new(events);
            let conversations = Arc::new(match touched {
                Some(touched) => conversations.only(Arc::clone(touched)),
                None => conversations,
            });
            for chunk in conversations.chunks(days) {
                let of_chunk = (chunk.start().0..=chunk.end().0).map(Day).collect();
                let fold = Arc::clone(&conversations);
                let others = async {
                    match touched {
                        Some(touched) => self.days_of_others(&of_chunk, touched).await,
                        None => Ok(Vec::new()),
                    }
                };
                let found = derive::sender_days(&self.engine, fold, &of_chunk);
                let (found, others) = tokio::try_join!(found, others)?;
                let found =
                    found.iter().chain(&others).map(|batch| derive::with_columns(batch, &schema));
                let found = found.collect::<Result<Vec<_>, _>>()?;
                let mut parts = derive::split(&found, "day", Some("bucket"))?;
                let mut keys: BTreeSet<Part> =
                    of_chunk.iter().flat_map(|day| parts_of(*day)).collect();
                let of_chunk = seen.changed(&keys, &parts, basis.version)?;
                keys.retain(|key| of_chunk.has(key));
                parts.retain(|key, _| of_chunk.has(key));
                seen.forget(&of_chunk);
                changed.extend(of_chunk);
                if !keys.is_empty() {
                    stands &=
                        self.replace(SENDER_DAYS, Arc::clone(&schema), keys, parts, basis).await?;
                }
            }
        }
        Ok((changed, stands))
    }

    /// Those of the days that stand in `sender_days` as they were seen.
    async fn days_that_stand(
        &self,
        days: &BTreeSet<Day>,
        seen: &Seen,
    ) -> Result<BTreeSet<Day>, QueryError> {
        let lake = self.lake.clone();
        let table = blocking(move || {
            lake.existing_table(SENDER_DAYS.name).map_err(QueryError::lake("read derived table"))
        });
        let Some(table) = table.await? else { return Ok(BTreeSet::new()) };
        let stands = |part: &Part| SENDER_DAYS.version_of(&table, *part);
        // Tokens are dropped at the same version.
        let is_whole = |day: Day| table.transaction(&dropped_app(day)) != Some(DROPPED);
        let standing = days.iter().filter(|day| is_whole(**day) && seen.is_day(**day, stands));
        Ok(standing.copied().collect())
    }

    /// The rows of `sender_days` of these consecutive days that are not of these senders.
    async fn days_of_others(
        &self,
        days: &BTreeSet<Day>,
        senders: &Arc<Senders>,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let Some((first, last)) = days.first().zip(days.last()) else { return Ok(Vec::new()) };
        let stored = self.sender_days(first.0..last.0 + 1).await?;
        let of_others = not(is_named(Arc::clone(senders)).call(vec![col("sender")]));
        let rows = self.engine.session().read_table(Arc::new(stored));
        let rows = rows.and_then(|rows| rows.filter(of_others));
        let operation = QueryError::engine("read days of other senders");
        match rows {
            Ok(rows) => rows.collect().await.map_err(operation),
            Err(error) => Err(operation(error)),
        }
    }

    /// Takes what is made of texts out of `sender_days` of days before `oldest` (law 1), once a
    /// day. Returns the days that were rewritten.
    ///
    /// # Errors
    /// A lake that cannot be read or written.
    pub async fn drop_tokens(&self, oldest: Day, now_ms: i64) -> Result<usize, QueryError> {
        let lake = self.lake.clone();
        blocking(move || {
            let lake_error = || QueryError::lake("drop tokens of derived days");
            let Some(table) = lake.existing_table(SENDER_DAYS.name).map_err(lake_error())? else {
                return Ok(0);
            };
            table.refresh().map_err(lake_error())?;
            let snapshot = table.snapshot(None).map_err(lake_error())?;
            let filter = FileFilter::all().partition_between("day", Day(0), Day(oldest.0 - 1));
            let files = snapshot.files(&filter).map_err(lake_error())?;
            let mut days: BTreeSet<Day> = files.iter().filter_map(day_of).collect();
            days.retain(|day| table.transaction(&dropped_app(*day)) != Some(DROPPED));
            for day in &days {
                let rows = snapshot.read(None, &FileFilter::all().partition_in("day", [*day]));
                let rows = rows.map_err(lake_error())?;
                let cleared =
                    rows.iter().map(without_samples).collect::<Result<Vec<_>, QueryError>>()?;
                let parts = derive::split(&cleared, "day", Some("bucket"))?;
                let parts =
                    parts.into_iter().map(|(key, rows)| (partition(SENDER_DAYS, key), rows));
                let began = Instant::now();
                let staged = table
                    .stage(parts.collect(), SENDER_DAYS.encoding, now_ms)
                    .map_err(lake_error())?;
                // What another process wrote since the rows were read is left as it is.
                let stands = parts_of(*day).filter_map(|part| {
                    let app = app(SENDER_DAYS, part);
                    let to = table.transaction(&app)?;
                    Some(FloorTxn { app, to, force_equal: true })
                });
                let dropped = FloorTxn { app: dropped_app(*day), to: DROPPED, force_equal: false };
                let txns: Vec<FloorTxn> = stands.chain([dropped]).collect();
                let of_day = |file: &FileInfo| day_of(file) == Some(*day);
                table
                    .replace(&of_day, &staged, &txns, &BTreeMap::new(), after(now_ms, began))
                    .map_err(lake_error())?;
            }
            Ok(days.len())
        })
        .await
    }

    /// Replaces whole windows of a table that is partitioned by `window_end`; whether they stand:
    /// not where another process wrote newer results.
    ///
    /// # Errors
    /// A lake that cannot be written.
    pub async fn replace_windows(
        &self,
        table: DerivedTable,
        ends: &BTreeSet<Day>,
        batches: &[RecordBatch],
        basis: Basis,
    ) -> Result<bool, QueryError> {
        let Some(first) = batches.first() else { return Ok(true) };
        let parts = derive::split(batches, "window_end", None)?;
        let keys = ends.iter().map(|end| (*end, 0)).collect();
        self.replace(table, first.schema(), keys, parts, basis).await
    }

    /// The files of a derived table that a filter keeps; none where there is no such table yet.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub async fn files(
        &self,
        table: DerivedTable,
        filter: FileFilter,
    ) -> Result<Option<(SchemaRef, Vec<FileInfo>)>, QueryError> {
        let lake = self.lake.clone();
        blocking(move || {
            let lake_error = || QueryError::lake("read derived table");
            let Some(table) = lake.existing_table(table.name).map_err(lake_error())? else {
                return Ok(None);
            };
            table.refresh().map_err(lake_error())?;
            let snapshot = table.snapshot(None).map_err(lake_error())?;
            let files = snapshot.files(&filter).map_err(lake_error())?;
            Ok(Some((snapshot.schema(), files)))
        })
        .await
    }

    /// `sender_days` of a range of days, to be read by a plan.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub async fn sender_days(&self, days: std::ops::Range<i32>) -> Result<LakeTable, QueryError> {
        let filter = FileFilter::all().partition_between("day", Day(days.start), Day(days.end - 1));
        let (schema, files) = match self.files(SENDER_DAYS, filter).await? {
            Some(found) => found,
            None => (derive::sender_days_schema(&self.engine).await?, Vec::new()),
        };
        LakeTable::of_table(&schema, SENDER_DAYS.partitions, files)
    }

    /// The features of windows, from `sender_days`.
    ///
    /// # Errors
    /// A plan that cannot be run; a lake that cannot be read.
    pub async fn features(&self, windows: &[Window]) -> Result<Vec<RecordBatch>, QueryError> {
        let first = windows.iter().map(|window| window.days().start).min();
        let last = windows.iter().map(|window| window.days().end).max();
        let Some((first, last)) = first.zip(last) else { return Ok(Vec::new()) };
        let days = self.sender_days(first..last).await?;
        derive::sender_features(&self.engine, Arc::new(days), windows).await
    }

    async fn replace(
        &self,
        table: DerivedTable,
        schema: SchemaRef,
        keys: BTreeSet<Part>,
        parts: BTreeMap<Part, RecordBatch>,
        basis: Basis,
    ) -> Result<bool, QueryError> {
        let lake = self.lake.clone();
        blocking(move || {
            let lake_error = || QueryError::lake("replace derived rows");
            let stored = lake.table(table.name, schema, table.partitions).map_err(lake_error())?;
            let marks = marks(table, &keys, &stored);
            let rows = parts.into_iter().map(|(key, rows)| {
                let rows = match marks.get(&key.0) {
                    Some(&DROPPED) => without_samples(&rows)?,
                    _ => rows,
                };
                Ok((partition(table, key), rows))
            });
            let rows = rows.collect::<Result<Vec<_>, QueryError>>()?;
            let began = Instant::now();
            let staged = stored.stage(rows, table.encoding, basis.now_ms).map_err(lake_error())?;
            let version = i64::try_from(basis.version).unwrap_or(i64::MAX);
            let marks = marks.into_iter().map(|(day, to)| FloorTxn {
                app: dropped_app(day),
                to,
                force_equal: true,
            });
            let txns: Vec<FloorTxn> = keys
                .iter()
                .map(|key| FloorTxn {
                    app: app(table, *key),
                    to: version,
                    force_equal: basis.force_equal,
                })
                .chain(marks)
                .collect();
            let replaced = |file: &FileInfo| {
                let value = |name: &str| file.partition_values.get(name).cloned().flatten();
                keys.iter().any(|(day, bucket)| {
                    value(table.partitions[0]).as_deref() == Some(day.iso().as_str())
                        && table.partitions.get(1).is_none_or(|name| {
                            value(name).as_deref() == Some(bucket.to_string().as_str())
                        })
                })
            };
            let info = BTreeMap::from([("basis".to_owned(), basis.version.to_string())]);
            let outcome = stored
                .replace(&replaced, &staged, &txns, &info, after(basis.now_ms, began))
                .map_err(lake_error())?;
            match outcome {
                ReplaceOutcome::Committed { .. } | ReplaceOutcome::AlreadyIn => Ok(true),
                // A newer result stands: exactly what must not be overwritten.
                ReplaceOutcome::Stale { apps } => {
                    tracing::debug!(table = table.name, parts = apps.len(), "newer result stands");
                    Ok(false)
                }
                ReplaceOutcome::Expired => Err(QueryError::Unexpected {
                    operation: "replace derived rows",
                    reason: "writing took longer than the commit deadline".to_owned(),
                }),
            }
        })
        .await
    }
}

/// The columns of `sender_days` that are made of texts.
const SAMPLES: [&str; 4] = ["peers", "user_texts", "reply_texts", "first_texts"];

fn partition(table: DerivedTable, (day, bucket): (Day, i32)) -> Partition {
    let columns = table.partitions.iter().map(|name| (*name).to_owned());
    columns.zip([day.into(), bucket.into()]).collect()
}

fn day_of(file: &FileInfo) -> Option<Day> {
    Day::parse_iso(file.partition_values.get("day")?.as_deref()?)
}

/// Tells of a day whether its samples were dropped.
fn dropped_app(day: Day) -> String {
    format!("derive/{}/{}/tokens-dropped", SENDER_DAYS.name, day.iso())
}

/// That they were; before, it is 0 or not there.
const DROPPED: i64 = 1;

/// Of each day of `sender_days` whether its samples were dropped. Whoever writes a day says so again,
/// and a mark does not fall: samples that were dropped meanwhile do not come back.
fn marks(table: DerivedTable, keys: &BTreeSet<Part>, stored: &Table) -> BTreeMap<Day, i64> {
    let days = keys.iter().filter(|_| table == SENDER_DAYS).map(|(day, _)| *day);
    days.map(|day| (day, stored.transaction(&dropped_app(day)).unwrap_or_default())).collect()
}

/// The rows with empty samples.
fn without_samples(batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, values)| {
        if SAMPLES.contains(&field.name().as_str()) {
            Arc::new(empty_states(batch.num_rows()))
        } else {
            Arc::clone(values)
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect())
        .map_err(|source| QueryError::from_arrow("drop tokens of derived days", source))
}

/// The time that it is by now, if it was `now_ms` at an instant: what writing took counts towards the
/// commit deadline.
fn after(now_ms: i64, began: Instant) -> i64 {
    now_ms.saturating_add(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX))
}

/// The application id that a partition's version is kept under.
fn app(table: DerivedTable, (day, bucket): (Day, i32)) -> String {
    if table.partitions.len() > 1 {
        format!("derive/{}/{}/{bucket}", table.name, day.iso())
    } else {
        format!("derive/{}/{}", table.name, day.iso())
    }
}

/// Runs blocking lake calls off the query threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| {
        Err(QueryError::Unexpected { operation: "call the lake", reason: error.to_string() })
    })
}
