//! What the log says of the values in a file, as DataFusion's statistics.

use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use turnwise_lake::{Bound, FileInfo};

/// Statistics of a file's columns. Rows are counted exactly. Smallest and largest values only bound
/// what is there: those of texts may be cut, and an answer is never made of them.
pub(crate) fn file_statistics(schema: &Schema, file: &FileInfo) -> Statistics {
    let (bounds, nulls) = (file.bounds(), file.null_counts());
    let column = |name: &String, of: &DataType| {
        let mut column = ColumnStatistics::new_unknown();
        if let Some((low, high)) = bounds.get(name) {
            column.min_value = bound(of, low, 0);
            column.max_value = bound(of, high, CUT_MICROS);
        }
        if let Some(count) = nulls.get(name).and_then(|count| usize::try_from(*count).ok()) {
            column.null_count = Precision::Inexact(count);
        }
        column
    };
    let rows = file.num_records.and_then(|rows| usize::try_from(rows).ok());
    Statistics {
        num_rows: rows.map_or(Precision::Absent, Precision::Exact),
        total_byte_size: Precision::Absent,
        column_statistics: schema
            .fields()
            .iter()
            .map(|field| column(field.name(), field.data_type()))
            .collect(),
    }
}

/// Largest times are whole milliseconds in the log, whatever is cut off.
const CUT_MICROS: i64 = 999;

/// A bound as a value of the column's type, of a time so many microseconds later; unknown where it
/// is of another type.
fn bound(of: &DataType, bound: &Bound, later: i64) -> Precision<ScalarValue> {
    let value = match (of, bound) {
        (DataType::Int64, Bound::Int(value)) => ScalarValue::Int64(Some(*value)),
        (DataType::Int32, Bound::Int(value)) => ScalarValue::Int32(i32::try_from(*value).ok()),
        (DataType::Date32, Bound::Int(value)) => ScalarValue::Date32(i32::try_from(*value).ok()),
        (DataType::Timestamp(TimeUnit::Microsecond, zone), Bound::Int(value)) => {
            ScalarValue::TimestampMicrosecond(value.checked_add(later), zone.clone())
        }
        (DataType::Float64, Bound::Float(value)) => ScalarValue::Float64(Some(*value)),
        (DataType::Utf8, Bound::Text(value)) => ScalarValue::Utf8(Some(value.clone())),
        _ => return Precision::Absent,
    };
    if value.is_null() { Precision::Absent } else { Precision::Inexact(value) }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;

    use super::*;

    #[test]
    fn bounds_have_the_type_of_their_column_and_are_never_exact() {
        let zone = Some("UTC".into());
        let time = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
        let known = |value| Precision::Inexact(value);
        for (of, from, expected) in [
            (DataType::Int64, Bound::Int(7), known(ScalarValue::Int64(Some(7)))),
            (DataType::Int32, Bound::Int(7), known(ScalarValue::Int32(Some(7)))),
            (DataType::Int32, Bound::Int(1 << 40), Precision::Absent),
            (DataType::Date32, Bound::Int(7), known(ScalarValue::Date32(Some(7)))),
            (time, Bound::Int(7), known(ScalarValue::TimestampMicrosecond(Some(9), zone))),
            (DataType::Float64, Bound::Float(0.5), known(ScalarValue::Float64(Some(0.5)))),
            (DataType::Utf8, Bound::Text("a".into()), known(ScalarValue::from("a"))),
            // A text that looks like a date is read as one.
            (DataType::Utf8, Bound::Int(7), Precision::Absent),
        ] {
            assert_eq!(bound(&of, &from, 2), expected, "{of}");
        }
    }

    #[test]
    fn a_file_without_statistics_says_nothing() {
        let file = FileInfo {
            path: "1f.parquet".to_owned(),
            url: url::Url::parse("file:///lake/t/1f.parquet").expect("url"),
            size: 1,
            partition_values: std::collections::BTreeMap::new(),
            num_records: Some(3),
            stats_json: None,
            modification_time: 0,
        };
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
        let found = file_statistics(&schema, &file);
        assert_eq!(found.num_rows, Precision::Exact(3));
        assert_eq!(found.column_statistics, [ColumnStatistics::new_unknown()]);
    }
}
