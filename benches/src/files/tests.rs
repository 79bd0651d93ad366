use std::fs::File;
use std::io::{BufRead, BufReader};

use arrow::array::{Array, AsArray, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_model::keys::{Keys, Secret};
use turnwise_model::{EventKind, Millis, Offset, PartitionId, SourceName};

use super::*;
use crate::data::{Order, Plan, Row, kind, rows, write_text};

fn by_time(messages: u64) -> Vec<Row> {
    let mut rows = rows(&Plan::new(messages, 50));
    Order::Time.sort(&mut rows);
    rows
}

fn read(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).expect("file");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("footer").build();
    reader.expect("reader").collect::<Result<_, _>>().expect("batches")
}

#[test]
fn parquet_and_arrow_files_hold_the_rows_in_their_order() {
    let folder = tempfile::tempdir().expect("folder");
    let rows = by_time(70_000);
    let path = folder.path().join("time.parquet");
    write_parquet(&rows, Texts::Written, &path).expect("written");
    let arrow = folder.path().join("memory.arrow");
    write_arrow(&rows, &arrow).expect("written");
    let file = File::open(&arrow).expect("file");
    let in_memory = arrow::ipc::reader::FileReader::try_new(file, None).expect("footer");
    let in_memory: Vec<RecordBatch> = in_memory.collect::<Result<_, _>>().expect("batches");
    let schema = schema(Texts::Written);
    let join = |batches: &[RecordBatch]| {
        arrow::compute::concat_batches(&schema, batches).expect("one schema")
    };
    let all = join(&read(&path));
    assert_eq!(all, join(&in_memory));
    assert_eq!(all.num_rows(), rows.len());
    let texts = all.column_by_name(column::TEXT).expect("texts").as_string::<i32>();
    for (row, at) in rows.iter().zip(0..) {
        assert_eq!(texts.is_null(at), row.kind != kind::TEXT);
    }
    let mut text = String::new();
    let last = rows.iter().rposition(|row| row.kind == kind::TEXT).expect("a text");
    write_text(&rows[last], &mut text);
    assert_eq!(texts.value(last), text);
}

#[test]
fn texts_may_be_left_out_with_their_column() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("growth.parquet");
    write_parquet(&by_time(1_000), Texts::LeftOut, &path).expect("written");
    let batches = read(&path);
    assert!(batches[0].column_by_name(column::TEXT).is_none());
    assert_eq!(batches[0].num_columns(), 6);
}

#[test]
fn a_file_that_could_not_be_written_whole_is_not_there() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("x.parquet");
    let failed = whole(&path, |_| anyhow::bail!("disk full"));
    assert!(failed.is_err() && !path.exists());
}

#[test]
fn every_webhook_is_one_message_to_the_decoder_and_610_bytes_on_average() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("webhooks.jsonl");
    let rows = by_time(5_000);
    write_webhooks(&rows, &path).expect("written");
    let lines = BufReader::new(File::open(&path).expect("file")).split(b'\n');
    let mean = decoded(Format::CloudApi, lines.map(|line| line.expect("line")), rows.len());
    assert!((595..625).contains(&mean), "{mean}");
}

#[test]
fn every_protobuf_record_is_one_message_to_the_decoder_and_235_bytes_on_average() {
    let rows = by_time(5_000);
    let mean = decoded(Format::Protobuf, rows.iter().map(protobuf_record), rows.len());
    assert!((220..250).contains(&mean), "{mean}");
}

/// Decodes records of one message each; their bytes on average.
fn decoded(format: Format, records: impl Iterator<Item = Vec<u8>>, count: usize) -> usize {
    let secret = Secret::new(b"a secret of the benches, 32 bytes").expect("long enough");
    let mut decoder = Decoder::new(Keys::expand(&secret));
    let source = SourceName("file".to_owned());
    let mut bytes = 0;
    for (offset, record) in (0..).zip(records) {
        bytes += record.len();
        let context = RecordContext {
            source: &source,
            partition: PartitionId(0),
            offset: Offset(offset),
            record_time: None,
            read_time: Millis(1_800_000_000_000),
        };
        let counts = decoder.decode(format, &context, Some(&record));
        assert_eq!((counts.messages, counts.dead_letters), (1, 0));
    }
    let messages = decoder.finish();
    assert!(messages.iter().all(|batch| batch.kind == EventKind::Message));
    assert_eq!(messages.iter().map(|batch| batch.rows.num_rows()).sum::<usize>(), count);
    bytes / count
}
