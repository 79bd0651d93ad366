//! Texts are read where they come out of a file: nothing that might write them to disk, or hold
//! them beyond what the pool has, stands between.

mod common;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::datasource::MemTable;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use turnwise_query::{BareMessages, BareNames, BareTexts, Engine, EngineSettings, EvenScan};

use common::{ask, forms, keys};

/// More than one batch.
const ROWS: i64 = 20_000;

fn columns(rows: i64, texts: ArrayRef) -> RecordBatch {
    let longs = |of: fn(i64) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows).map(of)))
    };
    let columns = [
        ("number_id", longs(|row| row % 13)),
        ("peer_id", longs(|row| row % 101)),
        ("ts_ms", longs(|row| 1_790_000_000_000 + row)),
        ("direction", longs(|row| row % 2)),
        ("kind", longs(|row| row % 5)),
        ("body", texts),
    ];
    RecordBatch::try_from_iter(columns).expect("columns")
}

/// A file with one row group.
fn write(path: &Path) {
    let texts = StringArray::from_iter_values((0..ROWS).map(|row| format!("how many of {row}?")));
    let batch = columns(ROWS, Arc::new(texts));
    let file = File::create(path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("writer");
    writer.write(&batch).expect("written");
    let written = writer.close().expect("closed");
    assert_eq!(written.num_row_groups(), 1);
}

fn register(context: &SessionContext, messages: Arc<dyn datafusion::catalog::TableProvider>) {
    let texts = BareTexts { column: "body".to_owned(), keys: keys(), buckets: false };
    let messages = BareMessages::new(messages, &BareNames::default(), Some(texts));
    context.register_table("messages", Arc::new(messages.expect("messages"))).expect("registered");
}

/// A plan's operators and those beneath them; of each whether it gives texts.
fn operators(plan: &Arc<dyn ExecutionPlan>) -> Vec<(String, bool)> {
    let own = (plan.name().to_owned(), plan.schema().index_of("body").is_ok());
    let beneath = plan.children().into_iter().flat_map(operators);
    std::iter::once(own).chain(beneath).collect()
}

#[tokio::test]
async fn only_the_scan_gives_texts() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("m.parquet");
    write(&path);
    let path = path.to_str().expect("UTF-8");
    let mut dealt = 0;
    for is_even in [false, true] {
        let settings = EngineSettings { partitions: Some(4), ..EngineSettings::default() };
        let context = Engine::local(&settings).expect("engine").session();
        context.register_parquet("file", path, ParquetReadOptions::default()).await.expect("open");
        let file = context.table_provider("file").await.expect("registered");
        register(&context, if is_even { Arc::new(EvenScan(file)) } else { file });
        for sql in [
            "SELECT chars, number_id FROM messages",
            "SELECT words FROM messages WHERE direction = 0 AND chars > 3",
            "SELECT direction, sum(words) FROM messages GROUP BY direction",
            "SELECT direction, sum(words) FROM messages WHERE kind < 3 GROUP BY direction",
            "SELECT sum(words) FROM messages WHERE peer_id > 7",
            "SELECT number_id, lines FROM messages WHERE direction = 1 ORDER BY lines LIMIT 10",
            "SELECT words FROM messages WHERE kind = 1 ORDER BY ts_ms",
            "SELECT DISTINCT script FROM messages WHERE number_id = 4",
            "SELECT one.chars FROM messages AS one JOIN messages AS other \
             ON one.ts_ms = other.ts_ms WHERE other.direction = 0",
            "SELECT max(chars) OVER (PARTITION BY peer_id ORDER BY ts_ms) FROM messages \
             WHERE kind = 0",
            "SELECT chars FROM messages UNION ALL SELECT words FROM messages WHERE direction = 0",
        ] {
            let frame = context.sql(sql).await.expect("planned");
            let plan = frame.create_physical_plan().await.expect("planned");
            let shown = displayable(plan.as_ref()).indent(false).to_string();
            let found = operators(&plan);
            let giving: Vec<&str> =
                found.iter().filter(|(_, gives)| *gives).map(|(name, _)| name.as_str()).collect();
            assert!(giving.iter().all(|name| *name == "DataSourceExec"), "{sql}: {shown}");
            assert!(!giving.is_empty() && shown.contains("ShapeExec"), "{sql}: {shown}");
            dealt += found.iter().filter(|(name, _)| name == "RepartitionExec").count();
        }
    }
    // The planner would deal out such a file's rows: it does so above.
    assert!(dealt > 10, "{dealt} times rows were dealt out");
}

#[tokio::test]
async fn rows_that_do_not_count_are_left_out_and_texts_read_only_where_wanted() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("m.parquet");
    write(&path);
    let settings = EngineSettings { partitions: Some(4), ..EngineSettings::default() };
    let context = Engine::local(&settings).expect("engine").session();
    let name = path.to_str().expect("UTF-8");
    context.register_parquet("file", name, ParquetReadOptions::default()).await.expect("open");
    register(&context, context.table_provider("file").await.expect("registered"));
    let sql = "SELECT kind, sum(words) FILTER (WHERE direction = 0) AS words, count(*) AS n \
               FROM messages WHERE kind < 2 GROUP BY kind ORDER BY kind";
    let plan = context.sql(sql).await.expect("planned").create_physical_plan().await;
    let shown = displayable(plan.expect("planned").as_ref()).indent(false).to_string();
    assert!(shown.contains("RoundRobinBatch"), "{shown}");
    assert!(shown.contains("rows where kind@"), "{shown}");
    assert!(shown.contains("read where direction@"), "{shown}");
    let found = ask(&context, sql).await;
    let longs = |at: usize| found.column(at).as_primitive::<Int64Type>().values().to_vec();
    // Four words each, of the half that is inbound.
    assert_eq!((longs(1), longs(2)), (vec![8_000, 8_000], vec![4_000, 4_000]));
}

#[tokio::test]
async fn texts_that_the_pool_has_no_room_for_are_the_pools_error() {
    let text = "a text ".repeat(100);
    let rows = 8_000;
    let (texts, bytes) = (vec![Some(text.as_str()); rows], vec![Some(text.as_bytes()); rows]);
    for texts in forms(&texts, &bytes) {
        // Texts that are in the form that the kernel reads are not copied.
        let is_copied = !matches!(texts.data_type(), DataType::Utf8 | DataType::Binary);
        let batch = columns(8_000, texts);
        let settings = |memory_bytes| EngineSettings {
            memory_bytes,
            partitions: Some(1),
            ..EngineSettings::default()
        };
        // 5.6 MB are copied at a time.
        for (memory_bytes, fits) in [(5 << 20, !is_copied), (8 << 20, true)] {
            let context = Engine::local(&settings(memory_bytes)).expect("engine").session();
            let table = MemTable::try_new(batch.schema(), vec![vec![batch.clone()]]);
            register(&context, Arc::new(table.expect("a table")));
            let frame = context.sql("SELECT sum(chars) FROM messages").await.expect("planned");
            match frame.collect().await {
                Ok(_) => assert!(fits, "{memory_bytes}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!fits && error.contains("ShapeExec[0]"), "{memory_bytes}: {error}");
                }
            }
        }
    }
}
