//! What each column of compacted messages takes in bytes and in time to read, under each encoding
//! that fits it: the measurement behind the encodings of files that stay.
//!
//! The rows of one lake's messages are put in the order of compacted files (sender, peer, time);
//! then each column is written alone, with zstd 3, once an encoding, and read back several times.
//! A column's own cost does not depend on its neighbours, so one file a column tells all.
//!
//! Arguments: folder of the lake.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use arrow_array::RecordBatch;
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use turnwise_lake::{FileFilter, Lake};
use turnwise_model::EventKind;
use turnwise_model::schema::column as c;

/// Reads of each file; the fastest counts.
const READS: usize = 5;
const ROW_GROUP_ROWS: usize = 256 * 1024;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let location = std::env::args().nth(1).ok_or("name the folder of a lake")?;
    let lake = Lake::open(&location, &BTreeMap::new())?;
    let table = lake.existing_table("events")?.ok_or("no table of events")?;
    let messages = FileFilter::all().partition_in(c::KIND, [EventKind::Message.name()]);
    let rows = ordered(&table.snapshot(None)?.read(None, &messages)?)?;
    println!("{} rows", rows.num_rows());
    println!("{:20} {:24} {:>10} {:>10}", "column", "encoding", "bytes/row", "ns/row");
    for at in 0..rows.num_columns() {
        let column = rows.project(&[at])?;
        let schema = column.schema();
        let field = schema.field(0);
        for (name, encoding) in encodings(field.data_type()) {
            let file = write(&column, encoding)?;
            let per_row = |value: f64| value / rows.num_rows() as f64;
            let bytes = per_row(file.len() as f64);
            let nanos = per_row(read(&file)? * 1e9);
            println!("{:20} {name:24} {bytes:10.2} {nanos:10.2}", field.name());
        }
    }
    Ok(())
}

fn ordered(batches: &[RecordBatch]) -> Result<RecordBatch, Failure> {
    let first = batches.first().ok_or("no messages")?;
    let all = concat_batches(&first.schema(), batches)?;
    let keys = [c::SENDER, c::PEER_PHONE, c::PEER_USER, c::TIME, c::OFFSET]
        .map(|name| SortColumn { values: all[name].clone(), options: None });
    Ok(take_record_batch(&all, &lexsort_to_indices(&keys, None)?)?)
}

/// A dictionary, or one of the encodings without one.
fn encodings(of: &DataType) -> Vec<(&'static str, Option<Encoding>)> {
    let mut all = vec![("dictionary", None), ("plain", Some(Encoding::PLAIN))];
    match of {
        DataType::Utf8 => {
            all.push(("delta length", Some(Encoding::DELTA_LENGTH_BYTE_ARRAY)));
            all.push(("delta bytes", Some(Encoding::DELTA_BYTE_ARRAY)));
        }
        _ => {
            all.push(("delta", Some(Encoding::DELTA_BINARY_PACKED)));
            all.push(("byte stream split", Some(Encoding::BYTE_STREAM_SPLIT)));
        }
    }
    all
}

fn write(column: &RecordBatch, encoding: Option<Encoding>) -> Result<Bytes, Failure> {
    let schema = column.schema();
    let name = schema.field(0).name();
    let path = match schema.field(0).data_type() {
        DataType::List(item) => {
            ColumnPath::from(vec![name.clone(), "list".to_owned(), item.name().clone()])
        }
        _ => ColumnPath::from(name.as_str()),
    };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    if let Some(encoding) = encoding {
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding);
    }
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties.build()))?;
    writer.write(column)?;
    Ok(writer.into_inner()?.into())
}

/// Seconds of the fastest read.
fn read(file: &Bytes) -> Result<f64, Failure> {
    let mut fastest = f64::MAX;
    for _ in 0..READS {
        let started = Instant::now();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone())?;
        for batch in reader.with_batch_size(8_192).build()? {
            std::hint::black_box(batch?);
        }
        fastest = fastest.min(started.elapsed().as_secs_f64());
    }
    Ok(fastest)
}
