//! `conversations` as a table: its plan is scan → scatter by sender → fold.
//!
//! Only the columns are read that decide those that are asked for, of the days that filters let
//! pass.

mod needed;
mod shares;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use turnwise_kernels::fold::needed as columns_needed;
use turnwise_lake::FileInfo;
use turnwise_model::conversation;
use turnwise_model::schema::{column, file_schema};
use turnwise_model::time::range_of_day;
use turnwise_model::{Day, EventKind, Millis, limits};

use crate::fold_exec::{FOLD_KINDS, FoldExec, Go, Senders};
use crate::lake_table::{LakeTable, date};
use crate::start_days;
use needed::{Input, Most, Needed, NeededFile};

/// The conversations that a version of `events` holds.
#[derive(Debug)]
pub struct Conversations {
    /// Files of messages, statuses and account rows, by the day of their rows.
    files_by_day: BTreeMap<Day, Vec<(EventKind, FileInfo)>>,
    /// Later rows are left out.
    last: Option<Millis>,
    /// The senders whose rows count; all if none.
    only: Option<Arc<Senders>>,
    /// What one fold may hold.
    most: Most,
}

impl Conversations {
    /// Over the files of `events` at one version.
    #[must_use]
    pub fn new(files: &[FileInfo]) -> Self {
        let mut files_by_day: BTreeMap<Day, Vec<(EventKind, FileInfo)>> = BTreeMap::new();
        for kind in FOLD_KINDS {
            for file in files.iter().filter(|file| is_kind(file, kind)) {
                if let Some(day) = file_day(file) {
                    files_by_day.entry(day).or_default().push((kind, file.clone()));
                }
            }
        }
        let most = Most {
            rows: limits::FOLD_ROWS_MAX,
            files: limits::FOLD_SORTED_FILES_MAX,
            bytes: limits::FOLD_SORTED_BYTES_MAX,
        };
        Self { files_by_day, last: None, only: None, most }
    }

    /// Leaves out rows later than this, as if they had not arrived yet.
    #[must_use]
    pub fn until(mut self, last: Millis) -> Self {
        self.last = Some(last);
        self
    }

    /// Leaves out what is not of these senders.
    #[must_use]
    pub fn only(mut self, senders: Arc<Senders>) -> Self {
        self.only = Some(senders);
        self
    }

    /// Holds no more rows at a time than these, if it can; [`limits::FOLD_ROWS_MAX`] unless told.
    /// Rows of sorted files that are merged do not count: of these only one sender's are held.
    #[must_use]
    pub fn fold_rows(mut self, rows: u64) -> Self {
        self.most.rows = rows.max(1);
        self
    }

    /// Merges no more sorted files by sender at a time than these, which are
    /// [`limits::FOLD_SORTED_FILES_MAX`] unless told. The rows of others are held.
    #[must_use]
    pub fn sorted_files(mut self, files: usize) -> Self {
        self.most.files = files;
        self
    }

    /// The days on which conversations may start.
    pub fn days(&self) -> impl Iterator<Item = Day> + '_ {
        self.files_by_day.keys().copied()
    }

    /// Consecutive days that fit in one fold; a day that does not fit stands alone.
    #[must_use]
    pub fn chunks(&self, days: &BTreeSet<Day>) -> Vec<RangeInclusive<Day>> {
        let fit = |days: &RangeInclusive<Day>| {
            self.needed(days, self.most).fit(self.most.rows, limits::FOLD_SORTED_ROWS_MAX)
        };
        let mut chunks: Vec<RangeInclusive<Day>> = Vec::new();
        for day in days.iter().filter(|day| self.files_by_day.contains_key(day)) {
            match chunks.last_mut() {
                Some(last) if last.end().0 + 1 == day.0 && fit(&(*last.start()..=*day)) => {
                    *last = *last.start()..=*day;
                }
                _ => chunks.push(*day..=*day),
            }
        }
        chunks
    }

    /// The files that a chunk of days needs: those of its own days, the two before and the one
    /// after.
    fn needed(&self, days: &RangeInclusive<Day>, most: Most) -> Needed<'_> {
        let all = Day(days.start().0 - 2)..=Day(days.end().0 + 1);
        let (from, _) = range_of_day(*days.start());
        let files = self.files_by_day.range(all).flat_map(|(day, files)| {
            let since = (*day == from.day()).then_some(from);
            files.iter().map(move |(kind, file)| NeededFile::new(*kind, file, since))
        });
        Needed::new(files, most)
    }

    /// What one fold may hold in a pool: merged files that are open three eighths of it at most.
    fn most_in(&self, pool: &dyn MemoryPool) -> Most {
        let bytes = match pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes as u64 / 8 * 3,
            _ => u64::MAX,
        };
        Most { bytes: self.most.bytes.min(bytes), ..self.most }
    }
}

/// The plan of an input of a go. Rows that do not pass the filters may be left out. `None` where no
/// file may have one that does.
fn plan_input(
    state: &dyn Session,
    input: &Input,
    go: &Go,
    columns: &[&str],
    filters: &[Expr],
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let files = input.files.clone();
    let table = LakeTable::new(file_schema(input.rows.kind), vec![date(column::DATE)], files);
    let schema = table.schema();
    let columns: Vec<usize> =
        columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    let (from, _) = range_of_day(*go.days.start());
    let from = ScalarValue::TimestampMicrosecond(Some(from.micros()), Some("UTC".into()));
    let since = input.is_first.then(|| col(column::TIME).gt_eq(lit(from)));
    let by_name = go.share.conditions();
    let filters: Vec<Expr> = filters.iter().cloned().chain(by_name).chain(since.clone()).collect();
    let scan = match input.rows.by_sender {
        true => table.plan_in_order(state, Some(&columns), &filters)?,
        false => table.plan(state, Some(&columns), &filters)?,
    };
    if scan.is::<EmptyExec>() {
        return Ok(None);
    }
    // The fold itself passes by the senders of other shares: a filter would be split up.
    let in_share = (!go.share.is_all()).then(|| go.share.filter().call(vec![col(column::SENDER)]));
    let exact = conjunction(in_share.into_iter().chain(since)).filter(|_| !input.rows.by_sender);
    let Some(exact) = exact else { return Ok(Some(scan)) };
    let known = DFSchema::try_from(scan.schema())?;
    let exact = state.create_physical_expr(exact, &known)?;
    Ok(Some(Arc::new(FilterExec::try_new(exact, scan)?)))
}

#[async_trait]
impl TableProvider for Conversations {
    fn schema(&self) -> SchemaRef {
        conversation::schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = conversation::schema();
        let columns = projection.cloned().unwrap_or_else(|| (0..all.fields().len()).collect());
        let schema = Arc::new(all.project(&columns)?);
        let asked: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let needed = columns_needed(&asked);
        let days = start_days::kept(self.days().collect(), filters, state);
        let senders: Vec<Expr> = filters.iter().filter(|f| is_about_sender(f)).cloned().collect();
        let most = self.most_in(state.runtime_env().memory_pool.as_ref());
        let (mut goes, mut inputs) = (Vec::new(), Vec::new());
        for days in self.chunks(&days.into_iter().collect()) {
            let files = self.needed(&days, most);
            let of_days = files.inputs();
            for share in shares::shares(state, &files, self.only.as_ref(), most.rows).await? {
                let mut go = Go { days: days.clone(), share, inputs: Vec::new() };
                for input in &of_days {
                    if let Some(plan) = plan_input(state, input, &go, &needed, &senders)? {
                        inputs.push(plan);
                        go.inputs.push(input.rows);
                    }
                }
                if !go.inputs.is_empty() {
                    goes.push(go);
                }
            }
        }
        if goes.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        Ok(Arc::new(FoldExec::new(goes, inputs, &columns)?.until(self.last)))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

/// The rows of `events` of one kind.
pub(crate) fn is_kind(file: &FileInfo, kind: EventKind) -> bool {
    file.partition_values.get(column::KIND).and_then(Option::as_deref) == Some(kind.name())
}

fn file_day(file: &FileInfo) -> Option<Day> {
    Day::parse_iso(file.partition_values.get(column::DATE)?.as_deref()?)
}

/// Whether a filter looks at nothing but the sender, which rows and conversations share.
fn is_about_sender(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty() && columns.iter().all(|c| c.name == conversation::column::SENDER)
}
