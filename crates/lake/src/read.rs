//! Reads data files: for compaction, tools and tests. Queries read them by their own means over
//! [`Snapshot::files`].

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int32Array, RecordBatch, StringArray, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use turnwise_model::Day;

use crate::error::{LakeError, Result};
use crate::file::{FileFilter, FileInfo};
use crate::lake::Shared;
use crate::snapshot::Snapshot;
use crate::store::key_of;
use crate::transfer::get_files;

/// Rows of a batch that comes out.
const BATCH_ROWS: usize = 64 * 1024;

impl Snapshot {
    /// Reads the named columns (all: `None`) of the files that a filter keeps, in order of
    /// path; columns that a file lacks are null. The filter skips files, not rows.
    ///
    /// # Errors
    /// [`LakeError::Store`]; [`LakeError::Data`] where a file cannot be read.
    pub fn read(&self, columns: Option<&[&str]>, filter: &FileFilter) -> Result<Vec<RecordBatch>> {
        let schema = self.schema();
        let wanted: Vec<Field> = match columns {
            None => schema.fields().iter().map(|field| field.as_ref().clone()).collect(),
            Some(names) => names
                .iter()
                .map(|name| schema.field_with_name(name).cloned())
                .collect::<std::result::Result<_, _>>()
                .map_err(LakeError::data("read table"))?,
        };
        // A column that a file lacks reads as null, whatever the table says.
        let wanted: Vec<Field> =
            wanted.into_iter().map(|field| field.with_nullable(true)).collect();
        let wanted = Arc::new(Schema::new(wanted));
        let files = self.files(filter)?;
        let mut batches = Vec::new();
        for (file, rows) in files.iter().zip(open_files(&self.shared, &files, BATCH_ROWS)?) {
            for batch in rows {
                let batch = batch.map_err(LakeError::data("read data file"))?;
                let partitioned = with_partition(&batch, file, &schema)?;
                batches.push(in_columns(&partitioned, &wanted)?);
            }
        }
        Ok(batches)
    }
}

/// Fetches files, whose rows come out as they were written: so many in a batch, without partition
/// columns.
pub(crate) fn open_files(
    shared: &Shared,
    files: &[FileInfo],
    batch_rows: usize,
) -> Result<Vec<ParquetRecordBatchReader>> {
    let known = files.iter().map(|file| Ok((key_of(&file.url)?, file.size)));
    let known = known.collect::<Result<Vec<_>>>()?;
    let store = Arc::clone(&shared.place.store);
    let failed = "read data file";
    let fetched = shared.kernel.wait(get_files(store, known)).map_err(LakeError::store(failed))?;
    let open = |bytes: bytes::Bytes| {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
        builder.with_batch_size(batch_rows).build()
    };
    fetched.into_iter().map(|bytes| open(bytes).map_err(LakeError::data(failed))).collect()
}

fn with_partition(batch: &RecordBatch, file: &FileInfo, table: &Schema) -> Result<RecordBatch> {
    let mut fields: Vec<Field> =
        batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    let mut arrays = batch.columns().to_vec();
    for (column, value) in &file.partition_values {
        let known = table.field_with_name(column).map_err(LakeError::data("read table"))?;
        fields.push(known.clone().with_nullable(true));
        arrays.push(constant(known.data_type(), value.as_deref(), batch.num_rows())?);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(LakeError::data("read table"))
}

fn constant(kind: &DataType, value: Option<&str>, rows: usize) -> Result<ArrayRef> {
    let Some(value) = value else { return Ok(new_null_array(kind, rows)) };
    let wrong = || LakeError::data("read partition value")("it is not of its column's type");
    Ok(match kind {
        DataType::Utf8 => Arc::new(StringArray::from(vec![value; rows])),
        DataType::Int32 => {
            let number: i32 = value.parse().map_err(|_| wrong())?;
            Arc::new(Int32Array::from(vec![number; rows]))
        }
        DataType::Date32 => {
            let day = Day::parse_iso(value).ok_or_else(wrong)?;
            Arc::new(Date32Array::from(vec![day.0; rows]))
        }
        _ => return Err(wrong()),
    })
}

/// The batch in exactly these columns, null where it lacks one.
pub(crate) fn in_columns(batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch> {
    let failed = "arrange columns";
    let arrays = wanted.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(array) if array.data_type() == field.data_type() => Ok(Arc::clone(array)),
        Some(array) => {
            arrow::compute::cast(array, field.data_type()).map_err(LakeError::data(failed))
        }
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(Arc::clone(wanted), arrays).map_err(LakeError::data(failed))
}
