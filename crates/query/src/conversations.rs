//! `conversations` as a table: its plan is scan → scatter by sender → fold.
//!
//! Only the columns are read that decide those that are asked for, of the days that filters let
//! pass.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use turnwise_kernels::fold::needed;
use turnwise_lake::FileInfo;
use turnwise_model::conversation;
use turnwise_model::schema::{column, file_schema};
use turnwise_model::time::range_of_day;
use turnwise_model::{Day, EventKind, Millis, limits};

use crate::fold_exec::{FOLD_KINDS, FoldExec, Go, Rows, Senders, Share};
use crate::lake_table::{LakeTable, date};
use crate::start_days;

/// The conversations that a version of `events` holds.
#[derive(Debug)]
pub struct Conversations {
    /// Files of messages, statuses and account rows, by the day of their rows.
    files_by_day: BTreeMap<Day, Vec<(EventKind, FileInfo)>>,
    /// Later rows are left out.
    last: Option<Millis>,
    /// The senders whose rows count; all if none.
    only: Option<Arc<Senders>>,
    /// Rows that one fold may hold.
    fold_rows: u64,
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
        Self { files_by_day, last: None, only: None, fold_rows: limits::FOLD_ROWS_MAX }
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
    /// Rows of sorted files do not count: of these only one sender's are held.
    #[must_use]
    pub fn fold_rows(mut self, rows: u64) -> Self {
        self.fold_rows = rows.max(1);
        self
    }

    /// The days on which conversations may start.
    pub fn days(&self) -> impl Iterator<Item = Day> + '_ {
        self.files_by_day.keys().copied()
    }

    /// Consecutive days that fit in one fold; a day that does not fit stands alone.
    #[must_use]
    pub fn chunks(&self, days: &BTreeSet<Day>) -> Vec<RangeInclusive<Day>> {
        let mut chunks: Vec<RangeInclusive<Day>> = Vec::new();
        for day in days.iter().filter(|day| self.files_by_day.contains_key(day)) {
            match chunks.last_mut() {
                Some(last)
                    if last.end().0 + 1 == day.0
                        && self.needed(&(*last.start()..=*day)).fit(self.fold_rows) =>
                {
                    *last = *last.start()..=*day;
                }
                _ => chunks.push(*day..=*day),
            }
        }
        chunks
    }

    /// The files that a chunk of days needs: those of its own days, the two before and the one
    /// after.
    fn needed(&self, days: &RangeInclusive<Day>) -> Needed<'_> {
        let all = Day(days.start().0 - 2)..=Day(days.end().0 + 1);
        let files = self.files_by_day.range(all).flat_map(|(_, files)| files);
        let (mut sorted, rest) = files
            .map(|(kind, file)| (*kind, file))
            .partition::<Vec<_>, _>(|(_, file)| file.sorted_by() == Some(column::SENDER));
        sorted.sort_by(|(_, a), (_, b)| {
            b.num_records.cmp(&a.num_records).then_with(|| a.path.cmp(&b.path))
        });
        Needed { sorted, rest }
    }

    /// The goes in which chunks are folded: one, or where that is too much, by shares of senders.
    fn goes(&self, chunks: &[RangeInclusive<Day>]) -> Vec<Go> {
        let shares = |days: &RangeInclusive<Day>| {
            let rows = self.needed(days).held();
            // Senders differ: shares of half the rows on average seldom have more than all.
            let of_share = if rows > self.fold_rows { self.fold_rows.div_ceil(2) } else { rows };
            let shares = rows.div_ceil(of_share.max(1));
            u32::try_from(shares).unwrap_or(u32::MAX).clamp(1, limits::FOLD_SHARES_MAX)
        };
        let goes = chunks.iter().flat_map(|days| {
            let of = shares(days);
            (0..of).map(move |number| Go {
                days: days.clone(),
                share: Share { number, of, only: self.only.clone() },
                inputs: Vec::new(),
            })
        });
        goes.collect()
    }

    /// Plans the inputs of a go: each sorted file by itself, the others together by kind, but those
    /// of the first day apart: of its rows only those of the last half hour decide anything.
    fn plan_inputs(
        &self,
        state: &dyn Session,
        go: &mut Go,
        columns: &[&str],
        senders: &[Expr],
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let needed = self.needed(&go.days);
        let (from, _) = range_of_day(*go.days.start());
        let is_first = |file: &FileInfo| file_day(file) == Some(from.day());
        let since = ScalarValue::TimestampMicrosecond(Some(from.micros()), Some("UTC".into()));
        let of_first = [senders, &[col(column::TIME).gt_eq(lit(since))]].concat();
        let filters = |is_first: bool| if is_first { &of_first[..] } else { senders };
        let (sorted, unsorted) =
            needed.sorted.split_at(needed.sorted.len().min(limits::FOLD_SORTED_FILES_MAX));
        let mut inputs: Vec<(Rows, Vec<FileInfo>, &[Expr])> = Vec::new();
        for (kind, file) in sorted {
            let rows = Rows { kind: *kind, by_sender: true };
            inputs.push((rows, vec![(*file).clone()], filters(is_first(file))));
        }
        for (kind, first) in FOLD_KINDS.into_iter().flat_map(|kind| [(kind, true), (kind, false)]) {
            let files = unsorted.iter().chain(&needed.rest);
            let files = files.filter(|(of, file)| *of == kind && is_first(file) == first);
            let files: Vec<FileInfo> = files.map(|(_, file)| (*file).clone()).collect();
            inputs.push((Rows { kind, by_sender: false }, files, filters(first)));
        }
        let mut plans = Vec::new();
        for (rows, files, filters) in inputs {
            if let Some(plan) = plan_input(state, rows, files, go, columns, filters)? {
                plans.push(plan);
                go.inputs.push(rows);
            }
        }
        Ok(plans)
    }
}

/// The files that some days need.
struct Needed<'a> {
    /// Those in the order of their senders, the largest first.
    sorted: Vec<(EventKind, &'a FileInfo)>,
    rest: Vec<(EventKind, &'a FileInfo)>,
}

impl Needed<'_> {
    /// Whether no more than so many rows are held, all sorted files are read side by side, and one
    /// sender that has most of their rows can be held.
    fn fit(&self, rows: u64) -> bool {
        self.sorted.len() <= limits::FOLD_SORTED_FILES_MAX
            && rows_of(&self.sorted) <= limits::FOLD_SORTED_ROWS_MAX
            && self.held() <= rows
    }

    /// Rows of the files that are not read by sender.
    fn held(&self) -> u64 {
        let beside = self.sorted.len().min(limits::FOLD_SORTED_FILES_MAX);
        rows_of(&self.sorted[beside..]) + rows_of(&self.rest)
    }
}

fn rows_of(files: &[(EventKind, &FileInfo)]) -> u64 {
    files.iter().map(|(_, file)| file.num_records.unwrap_or_default()).sum()
}

/// The plan of some files for a go: of one, if its rows are to come by sender. Rows that do not
/// pass the filters may be left out. `None` where no file may have one that does.
fn plan_input(
    state: &dyn Session,
    rows: Rows,
    files: Vec<FileInfo>,
    go: &Go,
    columns: &[&str],
    filters: &[Expr],
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let table = LakeTable::new(file_schema(rows.kind), vec![date(column::DATE)], files);
    let schema = table.schema();
    let columns: Vec<usize> =
        columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    let scan = match rows.by_sender {
        true => table.plan_in_order(state, Some(&columns), filters)?,
        false => table.plan(state, Some(&columns), filters)?,
    };
    if scan.is::<EmptyExec>() {
        return Ok(None);
    }
    // The fold itself passes by the senders of other shares: a filter would be split up.
    if rows.by_sender || go.share.is_all() {
        return Ok(Some(scan));
    }
    let known = DFSchema::try_from(scan.schema())?;
    let is_in = go.share.filter().call(vec![col(column::SENDER)]);
    let is_in = state.create_physical_expr(is_in, &known)?;
    Ok(Some(Arc::new(FilterExec::try_new(is_in, scan)?)))
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
        let needed = needed(&asked);
        let days = start_days::kept(self.days().collect(), filters, state);
        let mut goes = self.goes(&self.chunks(&days.into_iter().collect()));
        let senders: Vec<Expr> = filters.iter().filter(|f| is_about_sender(f)).cloned().collect();
        let mut inputs = Vec::new();
        for go in &mut goes {
            inputs.extend(self.plan_inputs(state, go, &needed, &senders)?);
        }
        goes.retain(|go| !go.inputs.is_empty());
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
