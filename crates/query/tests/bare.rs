//! Query A over Parquet files of bare messages, against a plain count over the rows: the same bits
//! from any number of partitions, order of rows, files and batches, and with rows on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt8Array, UInt64Array,
};
use arrow::datatypes::{Float64Type, Int64Type, UInt64Type};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use turnwise_lake::Lake;
use turnwise_query::{BareConversations, BareNames, Engine, EngineSettings};

const SQL: &str = include_str!("bare.sql");
const GAP_MS: i64 = 1_800_000;

/// Number, peer, time, direction, kind.
type Row = (u64, u64, i64, u8, u8);

fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Rows of some numbers and many peers over a few days, in order of time; one in fifty is a repeat,
/// and gaps of exactly a conversation's gap are among them.
fn rows(count: usize) -> Vec<Row> {
    let mut next = numbers(5);
    let mut rows = Vec::new();
    while rows.len() < count {
        let number = (next() % 40) * (next() % 3) + 7;
        let peer = next() % 200;
        let mut time_ms = 1_767_225_600_000 + (next() % (5 * 86_400_000)).cast_signed();
        for _ in 0..next() % 20 + 1 {
            let row = (number, peer, time_ms, (next() % 2) as u8, (next() % 8) as u8);
            rows.push(row);
            if next().is_multiple_of(50) {
                rows.push(row);
            }
            time_ms += [1_000, 60_000, GAP_MS, GAP_MS + 1][(next() % 4) as usize];
        }
    }
    rows.truncate(count);
    rows.sort_by_key(|row| row.2);
    rows
}

fn shuffled(rows: &[Row]) -> Vec<Row> {
    let mut next = numbers(6);
    let mut keyed: Vec<(u64, Row)> = rows.iter().map(|row| (next(), *row)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn batch(rows: &[Row]) -> RecordBatch {
    let longs = |pick: fn(&Row) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(pick)))
    };
    let bytes = |pick: fn(&Row) -> u8| -> ArrayRef {
        Arc::new(UInt8Array::from_iter_values(rows.iter().map(pick)))
    };
    let times = Int64Array::from_iter_values(rows.iter().map(|row| row.2));
    let texts = StringArray::from_iter_values(rows.iter().map(|_| "never read"));
    RecordBatch::try_from_iter(vec![
        ("number_id", longs(|row| row.0)),
        ("peer_id", longs(|row| row.1)),
        ("ts_ms", Arc::new(times) as ArrayRef),
        ("direction", bytes(|row| row.3)),
        ("kind", bytes(|row| row.4)),
        ("text", Arc::new(texts) as ArrayRef),
    ])
    .expect("columns of one length")
}

/// Writes rows as a file with small row groups.
fn write_file(path: &Path, rows: &[Row]) {
    let batch = batch(rows);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(5_000));
    let file = File::create(path).expect("file");
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).expect("writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("end of file");
}

/// Writes rows as so many files; their names are in the opposite order.
fn write(folder: &Path, rows: &[Row], files: usize) {
    for (at, rows) in rows.chunks(rows.len().div_ceil(files)).enumerate() {
        write_file(&folder.join(format!("{}.parquet", files - at)), rows);
    }
}

struct Shape {
    partitions: usize,
    memory_bytes: usize,
    batch_rows: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { partitions: 1, memory_bytes: 1 << 30, batch_rows: 8_192 }
    }
}

async fn session(folder: &Path, shape: &Shape) -> SessionContext {
    let lake = Lake::open(folder.to_str().expect("path"), &BTreeMap::new()).expect("lake");
    let settings = EngineSettings {
        partitions: Some(shape.partitions),
        memory_bytes: shape.memory_bytes,
        ..EngineSettings::default()
    };
    let context = Engine::new(&settings, &lake).expect("engine").session();
    let set = format!("SET datafusion.execution.batch_size = {}", shape.batch_rows);
    context.sql(&set).await.expect("set").collect().await.expect("set");
    let path = folder.to_str().expect("path");
    context
        .register_parquet("messages", path, ParquetReadOptions::default())
        .await
        .expect("a table of files");
    let messages = context.table_provider("messages").await.expect("a table");
    let conversations = BareConversations::new(messages, BareNames::default()).expect("columns");
    context.register_table("conversations", Arc::new(conversations)).expect("a table");
    context
}

/// Plans and runs a statement; its rows, and its plan with metrics.
async fn run(context: &SessionContext, sql: &str) -> (Vec<RecordBatch>, Arc<dyn ExecutionPlan>) {
    let frame = context.sql(sql).await.expect("a statement");
    let plan = frame.create_physical_plan().await.expect("a plan");
    let batches = collect(Arc::clone(&plan), context.task_ctx()).await.expect("answers");
    (batches, plan)
}

/// What the fold operator of a plan measured.
fn metrics(plan: &Arc<dyn ExecutionPlan>) -> Option<MetricsSet> {
    let below = || plan.children().into_iter().find_map(metrics);
    (plan.name() == "FoldExec").then(|| plan.metrics()).flatten().or_else(below)
}

/// The sum of a metric over the fold operator of a plan.
fn of_fold(plan: &Arc<dyn ExecutionPlan>, name: &str) -> usize {
    let sum = metrics(plan).and_then(|all| all.sum(|metric| metric.value().name() == name));
    sum.map_or(0, |sum| sum.as_usize())
}

/// An answer of query A: number, then counts, then what is interpolated, as bits.
type Answer = (u64, Vec<i64>, Vec<Option<u64>>);

fn answers(batches: &[RecordBatch]) -> Vec<Answer> {
    let mut found = Vec::new();
    for batch in batches {
        let whole = |name: &str, row: usize| batch[name].as_primitive::<Int64Type>().value(row);
        for row in 0..batch.num_rows() {
            let counts = [
                "conversations",
                "peers",
                "messages",
                "outbound",
                "templates",
                "buttons",
                "voices",
            ];
            let mut parts =
                vec![Some(batch["turns_mean"].as_primitive::<Float64Type>().value(row).to_bits())];
            for name in ["turns_quantiles", "latency_quantiles"] {
                let lists = batch[name].as_list::<i32>();
                if lists.is_null(row) {
                    parts.extend([None, None]);
                } else {
                    let values = lists.value(row);
                    let values = values.as_primitive::<Float64Type>().values().to_vec();
                    parts.extend(values.into_iter().map(|value| Some(value.to_bits())));
                }
            }
            let number = batch["number_id"].as_primitive::<UInt64Type>().value(row);
            found.push((number, counts.map(|name| whole(name, row)).to_vec(), parts));
        }
    }
    found.sort();
    found
}

/// The quantile by its definition.
fn quantile(values: &mut [i64], fraction: f64) -> Option<u64> {
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    let place = fraction * last as f64;
    let (low, high) = (values[place as usize], values[(place as usize + 1).min(last)]);
    Some((low as f64 + (high - low) as f64 * (place - place.floor())).to_bits())
}

#[derive(Default)]
struct OfNumber {
    peers: BTreeSet<u64>,
    turns: Vec<i64>,
    latencies: Vec<i64>,
    messages: i64,
    outbound: i64,
    kinds: [i64; 8],
}

/// What query A means: a plain count over ordered rows.
fn meant(rows: &[Row]) -> Vec<Answer> {
    let distinct: BTreeSet<Row> =
        rows.iter().map(|(n, p, t, d, k)| (*n, *p, *t, *d, (*k).min(6))).collect();
    let mut by_number: BTreeMap<u64, OfNumber> = BTreeMap::new();
    let mut before: Option<Row> = None;
    for row in distinct {
        let (number, peer, time_ms, direction, kind) = row;
        let of = by_number.entry(number).or_default();
        let goes_on = before.filter(|b| (b.0, b.1) == (number, peer) && time_ms - b.2 <= GAP_MS);
        match (goes_on, of.turns.last_mut()) {
            (Some(before), Some(turns)) => {
                *turns += i64::from(before.3 != direction);
                if before.3 < direction {
                    of.latencies.push(time_ms - before.2);
                }
            }
            _ => of.turns.push(1),
        }
        of.peers.insert(peer);
        of.messages += 1;
        of.outbound += i64::from(direction);
        of.kinds[usize::from(kind)] += 1;
        before = Some(row);
    }
    let answer = |(number, mut of): (u64, OfNumber)| {
        let sum: i64 = of.turns.iter().sum();
        let counts = vec![
            of.turns.len() as i64,
            of.peers.len() as i64,
            of.messages,
            of.outbound,
            of.kinds[4],
            of.kinds[1],
            of.kinds[2],
        ];
        let parts = vec![
            Some((sum as f64 / of.turns.len() as f64).to_bits()),
            quantile(&mut of.turns, 0.5),
            quantile(&mut of.turns, 0.95),
            quantile(&mut of.latencies, 0.5),
            quantile(&mut of.latencies, 0.95),
        ];
        (number, counts, parts)
    };
    by_number.into_iter().map(answer).collect()
}

/// Writes the rows, runs query A in this shape and compares. Returns the plan.
async fn check(rows: &[Row], files: usize, shape: &Shape) -> Arc<dyn ExecutionPlan> {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path(), rows, files);
    let context = session(folder.path(), shape).await;
    let (batches, plan) = run(&context, SQL).await;
    let what = format!("{} partitions, {files} files", shape.partitions);
    assert_eq!(answers(&batches), meant(rows), "{what}");
    assert_eq!(of_fold(&plan, "rows_folded"), rows.len(), "{what}");
    plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_partitions_and_order_give_the_bits_of_a_plain_count() {
    let rows = rows(40_000);
    let mut in_order = rows.clone();
    in_order.sort_unstable();
    let orders = [rows.clone(), shuffled(&rows), in_order];
    for partitions in [1, 4, 16] {
        for (order, files) in orders.iter().zip([1, 5, 3]) {
            for batch_rows in [8_192, 100] {
                let shape = Shape { partitions, batch_rows, ..Shape::default() };
                check(order, files, &shape).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conversations_themselves_are_the_same_bits() {
    let rows = rows(20_000);
    let mut found: Vec<RecordBatch> = Vec::new();
    for (partitions, rows, files) in [(1, rows.clone(), 1), (4, shuffled(&rows), 7)] {
        let folder = tempfile::tempdir().expect("folder");
        write(folder.path(), &rows, files);
        let context = session(folder.path(), &Shape { partitions, ..Shape::default() }).await;
        let sql = "SELECT * FROM conversations ORDER BY sender, peer, start_time";
        let (batches, _) = run(&context, sql).await;
        let schema = batches[0].schema();
        found.push(arrow::compute::concat_batches(&schema, &batches).expect("one batch"));
    }
    assert!(found[0].num_rows() > 1_000);
    assert_eq!(found[0], found[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_lack_a_column_are_counted_and_left_out() {
    let folder = tempfile::tempdir().expect("folder");
    let context = session_over(
        folder.path(),
        "SELECT * FROM (VALUES ('a', 1, 1000, 0, 0), ('a', 1, 2000, 1, 4), (NULL, 1, 1, 0, 0), \
         ('a', NULL, 1, 0, 0), ('a', 1, NULL, 0, 0), ('a', 1, 5, 2, 0), ('b', 1, 1, 1, NULL)) \
         AS t(number_id, peer_id, ts_ms, direction, kind)",
    )
    .await;
    let sql = "SELECT sender, messages, turns, templates FROM conversations ORDER BY sender";
    let (batches, plan) = run(&context, sql).await;
    let shown = arrow::util::pretty::pretty_format_batches(&batches).expect("text").to_string();
    insta::assert_snapshot!(shown, @r"
    +--------+----------+-------+-----------+
    | sender | messages | turns | templates |
    +--------+----------+-------+-----------+
    | a      | 2        | 2     | 1         |
    | b      | 1        | 1     | 0         |
    +--------+----------+-------+-----------+
    ");
    assert_eq!((of_fold(&plan, "rows_folded"), of_fold(&plan, "rows_ignored")), (3, 4));
}

async fn session_over(folder: &Path, sql: &str) -> SessionContext {
    let lake = Lake::open(folder.to_str().expect("path"), &BTreeMap::new()).expect("lake");
    let context = Engine::new(&EngineSettings::default(), &lake).expect("engine").session();
    let messages = context.sql(sql).await.expect("rows").into_view();
    let conversations = BareConversations::new(messages, BareNames::default()).expect("columns");
    context.register_table("conversations", Arc::new(conversations)).expect("a table");
    context
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scan_reads_five_columns_and_conditions_on_who_reach_it() {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path(), &rows(5_000), 1);
    let context = session(folder.path(), &Shape { partitions: 2, ..Shape::default() }).await;
    let sql = "SELECT sender, count(*) FROM conversations WHERE sender = 7 GROUP BY sender";
    let (_, plan) = run(&context, sql).await;
    let shown = datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string();
    let scan = shown.lines().find(|line| line.contains("DataSourceExec")).expect("a scan");
    let columns = "projection=[number_id, peer_id, ts_ms, direction, kind]";
    assert!(scan.contains(columns) && scan.contains("predicate=number_id"), "{shown}");
    assert!(shown.contains("FoldExec: bare"), "{shown}");
    // The fold's outputs are by sender already: nothing is moved between it and the grouping.
    assert!(!shown.contains("RepartitionExec: partitioning=Hash"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_beyond_the_pool_go_to_disk_and_come_back() {
    let rows = shuffled(&rows(400_000));
    for partitions in [1, 4] {
        // The rows alone are 9.6 MB, and an output may hold its share of the pool.
        let shape = Shape { partitions, memory_bytes: 12 << 20, ..Shape::default() };
        let plan = check(&rows, 4, &shape).await;
        assert!(of_fold(&plan, "spilled_rows") > 0, "{partitions} partitions");
        let metrics = metrics(&plan).expect("metrics");
        let spills = metrics.iter().filter(|metric| metric.value().name() == "spilled_rows");
        let of: BTreeSet<_> = spills.map(|metric| metric.partition()).collect();
        assert_eq!(of, (0..partitions).map(Some).collect());
    }
}
