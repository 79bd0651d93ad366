//! Which days conversations may have started on that a filter lets pass.
//!
//! A conversation is cut at the end of the day after its first, so a day tells between which
//! times it starts and ends ([ADR 0009](../../../adr/0009-runs-are-cut-at-days.md)).

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, TimestampMicrosecondArray};
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use turnwise_model::conversation::{self, column};
use turnwise_model::{Day, Millis};

use crate::bounds;

/// The days of these on which conversations may start that pass all filters. All where the filters
/// cannot tell.
pub(crate) fn kept(mut days: Vec<Day>, filters: &[Expr], state: &dyn Session) -> Vec<Day> {
    let schema = conversation::schema();
    let Some(filter) = conjunction(filters.to_vec()).filter(|_| !days.is_empty()) else {
        return days;
    };
    let known = DFSchema::try_from(Arc::clone(&schema));
    let predicate = known.and_then(|known| state.create_physical_expr(filter, &known));
    let Ok(predicate) = predicate else { return days };
    let pruning = bounds::pruning(&schema, &predicate);
    if let Some(may_hold) = pruning.and_then(|pruning| pruning.prune(&StartDays(&days)).ok()) {
        let mut may_hold = may_hold.into_iter();
        days.retain(|_| may_hold.next().unwrap_or(true));
    }
    days
}

/// What is known of conversations by the days on which they start.
struct StartDays<'a>(&'a [Day]);

impl StartDays<'_> {
    fn of(&self, column: &Column, time: impl Fn(&str, Day) -> Option<i64>) -> Option<ArrayRef> {
        if column.name == column::START_DAY {
            return Some(Arc::new(Date32Array::from_iter_values(self.0.iter().map(|day| day.0))));
        }
        let times =
            self.0.iter().map(|day| time(&column.name, *day)).collect::<Option<Vec<_>>>()?;
        Some(Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")))
    }
}

impl PruningStatistics for StartDays<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.of(column, |name, day| {
            matches!(name, column::START | column::END).then(|| day.start().micros())
        })
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        // Times are whole milliseconds.
        let before = |end: Millis| Millis(end.0 - 1).micros();
        self.of(column, |name, day| match name {
            column::START => Some(before(day.end())),
            column::END => Some(before(Day(day.0 + 1).end())),
            _ => None,
        })
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        let is_one = |day: &Day| values.contains(&ScalarValue::Date32(Some(day.0)));
        (column.name == column::START_DAY)
            .then(|| self.0.iter().map(|day| Some(is_one(day))).collect())
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, TimeUnit};
    use datafusion::logical_expr::{cast, col, lit};
    use datafusion::prelude::SessionContext;
    use turnwise_model::time::HOUR_MS;

    use super::*;

    fn kept_of(filters: &[Expr]) -> Vec<i32> {
        let state = SessionContext::new().state();
        kept((1..=5).map(Day).collect(), filters, &state).into_iter().map(|day| day.0).collect()
    }

    fn at(ms: i64) -> Expr {
        lit(ScalarValue::TimestampMicrosecond(Some(Millis(ms).micros()), Some("UTC".into())))
    }

    #[test]
    fn filters_on_the_start_day_leave_days_out() {
        let day = |number| lit(ScalarValue::Date32(Some(number)));
        let start = || col(column::START_DAY);
        for (filter, expected) in [
            (start().eq(day(3)), &[3][..]),
            (day(3).lt(start()), &[4, 5]),
            (start().gt_eq(day(2)).and(start().lt(day(4))), &[2, 3]),
            (start().eq(day(1)).or(start().eq(day(5))), &[1, 5]),
            (start().between(day(4), day(9)), &[4, 5]),
            (start().in_list(vec![day(2), day(5)], false), &[2, 5]),
            (start().in_list((4..90).map(day).collect(), false), &[4, 5]),
            (start().not_eq(day(2)), &[1, 3, 4, 5]),
            (start().gt(day(8)), &[]),
            (col("turns").gt(lit(3_i64)), &[1, 2, 3, 4, 5]),
            (col("turns").gt(lit(3_i64)).or(start().eq(day(2))), &[1, 2, 3, 4, 5]),
            (col("turns").gt(lit(3_i64)).and(start().eq(day(2))), &[2]),
        ] {
            assert_eq!(kept_of(std::slice::from_ref(&filter)), expected, "{filter}");
        }
        assert_eq!(kept_of(&[start().gt(day(2)), start().lt(day(4))]), [3]);
        assert_eq!(kept_of(&[]), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn filters_on_times_leave_days_out_to_the_millisecond() {
        let (start, end) = (|| col(column::START), || col(column::END));
        let three = Day(3).start().0;
        for (filter, expected) in [
            (start().gt_eq(at(three)), &[3, 4, 5][..]),
            (start().gt_eq(at(three - 1)), &[2, 3, 4, 5]),
            (start().gt(at(three - 1)), &[3, 4, 5]),
            (start().lt(at(three)), &[1, 2]),
            (start().lt_eq(at(three)), &[1, 2, 3]),
            (start().lt(at(three + 1)), &[1, 2, 3]),
            (start().eq(at(three + HOUR_MS)), &[3]),
            (start().between(at(three), at(three + HOUR_MS)), &[3]),
            // What ends on the third day began on it or on the day before.
            (end().gt_eq(at(three)), &[2, 3, 4, 5]),
            (end().gt(at(three - 1)), &[2, 3, 4, 5]),
            (end().gt_eq(at(three - 1)), &[1, 2, 3, 4, 5]),
            (end().lt(at(three)), &[1, 2]),
            (end().lt_eq(at(three)), &[1, 2, 3]),
            (end().eq(at(three)), &[2, 3]),
            (start().gt_eq(at(three)).and(end().lt(at(Day(4).start().0))), &[3]),
            // As other types.
            (
                cast(start(), DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))).gt_eq(
                    lit(ScalarValue::TimestampNanosecond(
                        Some(Millis(three).micros() * 1_000),
                        Some("UTC".into()),
                    )),
                ),
                &[3, 4, 5],
            ),
            (cast(start(), DataType::Date32).eq(lit(ScalarValue::Date32(Some(4)))), &[4]),
            (
                cast(start(), DataType::Time64(TimeUnit::Microsecond))
                    .gt(lit(ScalarValue::Time64Microsecond(Some(1)))),
                &[1, 2, 3, 4, 5],
            ),
        ] {
            assert_eq!(kept_of(std::slice::from_ref(&filter)), expected, "{filter}");
        }
    }
}
