//! What the log says of the values in each file: files that a filter rules out by it are left out
//! before anything of them is read.
//!
//! The bounds are given to pruning alone. As statistics of a plan they would become answers, and
//! those of texts may be cut.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, TryCastExpr};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use turnwise_lake::{Bound, FileInfo};

/// Largest times are whole milliseconds in the log, whatever is cut off.
const CUT_MICROS: i64 = 999;

/// The files in which a predicate may hold of a row. All where the bounds cannot tell: what is an
/// error of a bound may be none of any row.
pub(crate) fn kept<'a>(
    files: Vec<&'a FileInfo>,
    schema: &SchemaRef,
    predicate: &Arc<dyn PhysicalExpr>,
) -> Vec<&'a FileInfo> {
    let Some(pruning) = pruning(schema, predicate) else { return files };
    let bounds = files.iter().map(|file| file.bounds()).collect();
    let Ok(keeps) = pruning.prune(&FileBounds { schema: Arc::clone(schema), bounds }) else {
        return files;
    };
    files.into_iter().zip(keeps).filter(|(_, keeps)| *keeps).map(|(file, _)| file).collect()
}

/// What says between which bounds of columns a predicate may hold; none where bounds cannot tell.
pub(crate) fn pruning(
    schema: &SchemaRef,
    predicate: &Arc<dyn PhysicalExpr>,
) -> Option<PruningPredicate> {
    if predicate.exists(is_time_of_day).unwrap_or(true) {
        return None;
    }
    let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    builder.try_build(Arc::clone(predicate)).ok().filter(|pruning| !pruning.always_true())
}

/// Whether it makes times of day of times, whose order they do not keep.
fn is_time_of_day(part: &Arc<dyn PhysicalExpr>) -> Result<bool> {
    let cast = part.downcast_ref::<CastExpr>().map(CastExpr::cast_type);
    let cast = cast.or_else(|| part.downcast_ref::<TryCastExpr>().map(TryCastExpr::cast_type));
    Ok(matches!(cast, Some(DataType::Time32(_) | DataType::Time64(_))))
}

/// Bounds of columns, file by file.
struct FileBounds {
    schema: SchemaRef,
    bounds: Vec<BTreeMap<String, (Bound, Bound)>>,
}

impl FileBounds {
    fn column(
        &self,
        column: &Column,
        bound: impl Fn(&DataType, &(Bound, Bound)) -> Option<ScalarValue>,
    ) -> Option<ArrayRef> {
        let of = self.schema.field_with_name(&column.name).ok()?.data_type();
        let unknown = ScalarValue::try_from(of).ok()?;
        let value = |bounds: &BTreeMap<String, (Bound, Bound)>| {
            bounds.get(&column.name).and_then(|bounds| bound(of, bounds))
        };
        let values = self.bounds.iter().map(|bounds| value(bounds).unwrap_or(unknown.clone()));
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for FileBounds {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.column(column, |of, (low, _)| value(of, low, 0))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.column(column, |of, (_, high)| value(of, high, CUT_MICROS))
    }

    fn num_containers(&self) -> usize {
        self.bounds.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// A bound as a value of the column's type, of a time so many microseconds later; none where it is
/// of another type.
fn value(of: &DataType, bound: &Bound, later: i64) -> Option<ScalarValue> {
    Some(match (of, bound) {
        (DataType::Int64, Bound::Int(value)) => ScalarValue::Int64(Some(*value)),
        (DataType::Int32, Bound::Int(value)) => ScalarValue::Int32(i32::try_from(*value).ok()),
        (DataType::Date32, Bound::Int(value)) => ScalarValue::Date32(i32::try_from(*value).ok()),
        (DataType::Timestamp(TimeUnit::Microsecond, zone), Bound::Int(value)) => {
            ScalarValue::TimestampMicrosecond(value.checked_add(later), zone.clone())
        }
        (DataType::Float64, Bound::Float(value)) => ScalarValue::Float64(Some(*value)),
        (DataType::Utf8, Bound::Text(value)) => ScalarValue::Utf8(Some(value.clone())),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{cast, col, lit};
    use datafusion::prelude::SessionContext;

    use super::*;

    fn file(name: &str, stats: &str) -> FileInfo {
        FileInfo {
            path: name.to_owned(),
            url: url::Url::parse("file:///lake/t/1f.parquet").expect("url"),
            size: 1,
            partition_values: BTreeMap::new(),
            num_records: Some(3),
            stats_json: Some(stats.to_owned()),
            modification_time: 0,
        }
    }

    #[test]
    fn files_are_left_out_by_bounds_and_kept_without_them() {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Arc::new(Schema::new(vec![
            Field::new("sender", DataType::Utf8, true),
            Field::new("at", time.clone(), true),
            Field::new("n", DataType::Int32, true),
        ]));
        let files = [
            file(
                "low",
                r#"{"minValues":{"sender":"1","at":"2026-11-24T00:00:00.000Z","n":1},
                    "maxValues":{"sender":"3","at":"2026-11-24T00:00:00.002Z","n":5}}"#,
            ),
            file(
                "high",
                r#"{"minValues":{"sender":"3","at":"2026-11-25T00:00:00.000Z","n":6},
                    "maxValues":{"sender":"9","at":"2026-11-25T00:00:00.000Z","n":1099511627776}}"#,
            ),
            file("none", "{}"),
        ];
        let state = SessionContext::new();
        let at =
            |micros: i64| lit(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
        let midnight = 1_795_478_400_000_000;
        let noon = lit(ScalarValue::Time64Microsecond(Some(43_200_000_000)));
        for (filter, expected) in [
            (col("sender").eq(lit("2")), &["low", "none"][..]),
            (col("sender").eq(lit("3")), &["low", "high", "none"]),
            (col("sender").in_list(vec![lit("0"), lit("7")], false), &["high", "none"]),
            (col("sender").gt(lit("3")).or(col("n").lt(lit(1))), &["high", "none"]),
            // The largest time may have lost its microseconds, a number may not fit its column.
            (col("at").gt(at(midnight + 2_500)), &["low", "high", "none"]),
            (col("at").gt(at(midnight + 3_000)), &["high", "none"]),
            (col("n").gt(lit(100)), &["high", "none"]),
            (col("n").is_null(), &["low", "high", "none"]),
            (cast(col("n"), DataType::Int64).gt(lit(100_i64)), &["high", "none"]),
            // 23:00 is in neither of these days' bounds, and may be in each.
            (
                cast(col("at"), DataType::Time64(TimeUnit::Microsecond)).gt(noon),
                &["low", "high", "none"],
            ),
        ] {
            let known = datafusion::common::DFSchema::try_from(Arc::clone(&schema));
            let known = known.expect("schema");
            let predicate = state.create_physical_expr(filter.clone(), &known).expect("expression");
            let found = kept(files.iter().collect(), &schema, &predicate);
            let found: Vec<&str> = found.iter().map(|file| file.path.as_str()).collect();
            assert_eq!(found, expected, "{filter}");
        }
    }
}
