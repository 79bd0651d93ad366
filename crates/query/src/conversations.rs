//! `conversations` as a table: its plan is scan → scatter by sender → fold.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{
    BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType, col,
};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use turnwise_lake::FileInfo;
use turnwise_model::conversation;
use turnwise_model::schema::{column, file_schema};
use turnwise_model::{Day, EventKind, Millis, limits};

use crate::fold_exec::{FOLD_KINDS, FoldExec, Go, Rows, Senders, Share};
use crate::lake_table::{LakeTable, date};

/// The columns of `events` that the fold looks at; those of a kind that has them.
const FOLD_COLUMNS: [&str; 28] = [
    column::SENDER,
    column::PEER_PHONE,
    column::PEER_USER,
    column::TIME,
    column::MESSAGE,
    column::SOURCE,
    column::PARTITION,
    column::OFFSET,
    column::ITEM,
    column::ORIGIN,
    column::IN_GROUP,
    column::DIRECTION,
    column::MESSAGE_KIND,
    column::INTERACTIVE_TYPE,
    column::VOICE,
    column::HAS_REFERRAL,
    column::CHARS,
    column::WORDS,
    column::SCRIPT,
    column::TEXT_BITS,
    column::TOKENS,
    column::SKELETON,
    column::STATUS,
    column::CATEGORY,
    column::CONVERSATION_ORIGIN,
    column::PRICING_TYPE,
    column::ROLE_PREVIOUS,
    column::ROLE_NEW,
];

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

    /// Plans the inputs of a go: each sorted file by itself, the others together by kind.
    fn plan_inputs(
        &self,
        state: &dyn Session,
        go: &mut Go,
        senders: &[Expr],
    ) -> Result<Vec<Arc<dyn ExecutionPlan>>> {
        let needed = self.needed(&go.days);
        let mut plans = Vec::new();
        let (sorted, unsorted) =
            needed.sorted.split_at(needed.sorted.len().min(limits::FOLD_SORTED_FILES_MAX));
        for (kind, file) in sorted {
            let rows = Rows { kind: *kind, by_sender: true };
            plans.push(plan_input(state, rows, vec![(*file).clone()], go, senders)?);
            go.inputs.push(rows);
        }
        for kind in FOLD_KINDS {
            let files = unsorted.iter().chain(&needed.rest).filter(|(of, _)| *of == kind);
            let files: Vec<FileInfo> = files.map(|(_, file)| (*file).clone()).collect();
            if !files.is_empty() {
                let rows = Rows { kind, by_sender: false };
                plans.push(plan_input(state, rows, files, go, senders)?);
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

/// The plan of some files for a go: of one, if its rows are to come by sender.
fn plan_input(
    state: &dyn Session,
    rows: Rows,
    files: Vec<FileInfo>,
    go: &Go,
    senders: &[Expr],
) -> Result<Arc<dyn ExecutionPlan>> {
    let table = LakeTable::new(file_schema(rows.kind), vec![date(column::DATE)], files);
    let schema = table.schema();
    let columns: Vec<usize> =
        FOLD_COLUMNS.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    if rows.by_sender {
        // The fold itself passes by the senders of other shares: a filter would be split up.
        return table.plan_in_order(state, Some(&columns), senders);
    }
    let scan = table.plan(state, Some(&columns), senders)?;
    if go.share.is_all() {
        return Ok(scan);
    }
    let known = DFSchema::try_from(scan.schema())?;
    let is_in = go.share.filter().call(vec![col(column::SENDER)]);
    let is_in = state.create_physical_expr(is_in, &known)?;
    Ok(Arc::new(FilterExec::try_new(is_in, scan)?))
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
        let schema = conversation::schema();
        let days = self.days().filter(|day| filters.iter().all(|f| may_hold(f, *day))).collect();
        let mut goes = self.goes(&self.chunks(&days));
        let senders: Vec<Expr> = filters.iter().filter(|f| is_about_sender(f)).cloned().collect();
        let mut inputs = Vec::new();
        for go in &mut goes {
            inputs.extend(self.plan_inputs(state, go, &senders)?);
        }
        let plan: Arc<dyn ExecutionPlan> = if goes.is_empty() {
            Arc::new(EmptyExec::new(Arc::clone(&schema)))
        } else {
            let partitions = state.config().target_partitions();
            Arc::new(FoldExec::new(goes, inputs, partitions)?.until(self.last))
        };
        let Some(projection) = projection else { return Ok(plan) };
        let columns = projection.iter().map(|at| {
            let name = schema.field(*at).name();
            (Arc::new(Column::new(name, *at)) as _, name.clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), plan)?))
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

/// Whether conversations that start on the day may pass the filter: false only where a comparison
/// of `start_day` with a date rules the day out.
fn may_hold(filter: &Expr, day: Day) -> bool {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            may_hold(left, day) && may_hold(right, day)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            may_hold(left, day) || may_hold(right, day)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let compared = match (&**left, &**right) {
                (Expr::Column(column), Expr::Literal(value, _)) => Some((column, *op, value)),
                (Expr::Literal(value, _), Expr::Column(column)) => {
                    op.swap().map(|op| (column, op, value))
                }
                _ => None,
            };
            compared.is_none_or(|(column, op, value)| {
                let is_day = column.name == conversation::column::START_DAY;
                let Some(bound) = date_value(value).filter(|_| is_day) else { return true };
                match op {
                    Operator::Eq => day.0 == bound,
                    Operator::Lt => day.0 < bound,
                    Operator::LtEq => day.0 <= bound,
                    Operator::Gt => day.0 > bound,
                    Operator::GtEq => day.0 >= bound,
                    _ => true,
                }
            })
        }
        Expr::Between(between) if !between.negated => {
            let at_least = (*between.expr.clone()).gt_eq(*between.low.clone());
            let at_most = (*between.expr.clone()).lt_eq(*between.high.clone());
            may_hold(&at_least, day) && may_hold(&at_most, day)
        }
        Expr::InList(list) if !list.negated => {
            list.list.iter().any(|item| may_hold(&(*list.expr.clone()).eq(item.clone()), day))
        }
        _ => true,
    }
}

fn date_value(value: &ScalarValue) -> Option<i32> {
    let array = value.cast_to(&arrow::datatypes::DataType::Date32).ok()?.to_array().ok()?;
    array.as_primitive_opt::<Date32Type>()?.iter().next()?
}

/// Whether a filter looks at nothing but the sender, which rows and conversations share.
fn is_about_sender(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty() && columns.iter().all(|c| c.name == conversation::column::SENDER)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::lit;

    use super::*;

    #[test]
    fn filters_on_the_start_day_leave_days_out() {
        let day = |number| lit(ScalarValue::Date32(Some(number)));
        let start = || col(conversation::column::START_DAY);
        let kept =
            |filter: &Expr| (1..=5).filter(|n| may_hold(filter, Day(*n))).collect::<Vec<_>>();
        assert_eq!(kept(&start().eq(day(3))), [3]);
        assert_eq!(kept(&day(3).lt(start())), [4, 5]);
        assert_eq!(kept(&start().gt_eq(day(2)).and(start().lt(day(4)))), [2, 3]);
        assert_eq!(kept(&start().eq(day(1)).or(start().eq(day(5)))), [1, 5]);
        assert_eq!(kept(&start().between(day(4), day(9))), [4, 5]);
        assert_eq!(kept(&start().in_list(vec![day(2), day(5)], false)), [2, 5]);
        assert_eq!(kept(&start().not_eq(day(2))), [1, 2, 3, 4, 5]);
        assert_eq!(kept(&col("turns").gt(lit(3))), [1, 2, 3, 4, 5]);
    }
}
