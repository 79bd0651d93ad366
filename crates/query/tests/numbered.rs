//! Groups of a column that files are sorted by are numbered, and the answers are those of rows that
//! are not sorted.

#[expect(dead_code, reason = "others look at texts, too")]
mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::{SortColumn, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::prelude::SessionContext;
use turnwise_lake::{Encoding, FileFilter, Lake, Partition};
use turnwise_model::Day;
use turnwise_query::{Engine, EngineSettings, LakeTable};

use common::ask;

const SORTED_BY: [&str; 1] = ["sender"];

const DATE: &str = "date";

fn date() -> Field {
    Field::new(DATE, DataType::Date32, false)
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("sender", DataType::Utf8, true),
        Field::new("peer", DataType::Int64, true),
        Field::new("n", DataType::Int64, true),
    ]))
}

/// Rows of many senders, some longer than a view holds, some null and some empty.
fn rows(from: i64, to: i64) -> RecordBatch {
    let sender = |row: i64| match row * 7_919 % 61 {
        0 => None,
        1 => Some(String::new()),
        sender if sender % 2 == 0 => Some(format!("{sender}")),
        sender => Some(format!("a sender of a long name {sender}")),
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new((from..to).map(sender).collect::<StringArray>()),
        Arc::new((from..to).map(|row| (row % 9 > 0).then_some(row % 211)).collect::<Int64Array>()),
        Arc::new(
            (from..to).map(|row| (row % 5 > 0).then_some(row % 1_500)).collect::<Int64Array>(),
        ),
    ];
    RecordBatch::try_new(schema(), columns).expect("columns")
}

fn sorted(rows: &RecordBatch) -> RecordBatch {
    let by = SortColumn { values: Arc::clone(rows.column(0)), options: None };
    take_record_batch(rows, &lexsort_to_indices(&[by], None).expect("ordered")).expect("taken")
}

struct Fixture {
    _folder: tempfile::TempDir,
    lake: Lake,
}

impl Fixture {
    /// A table of as many files, each of its own rows.
    fn new(files: &[(RecordBatch, Encoding)]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let location = folder.path().to_str().expect("a path");
        let lake = Lake::open(location, &BTreeMap::new()).expect("lake");
        let of_files = schema();
        let fields = of_files.fields().iter().cloned().chain([Arc::new(date())]);
        let all = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let table = lake.table("t", all, &[DATE]).expect("table");
        let partition = Partition::from([(DATE.to_owned(), Day(20_000).into())]);
        for (rows, encoding) in files {
            let parts = vec![(partition.clone(), rows.clone())];
            let staged = table.stage(parts, *encoding, 1).expect("staged");
            table.commit(&staged, &[], &BTreeMap::new(), 1).expect("committed");
        }
        Self { _folder: folder, lake }
    }

    fn session(&self, settings: &EngineSettings) -> SessionContext {
        let table = self.lake.existing_table("t").expect("read").expect("table");
        let files = table.snapshot(None).expect("snapshot").files(&FileFilter::all());
        let table = LakeTable::new(schema(), vec![date()], files.expect("files"));
        let context = Engine::new(settings, &self.lake).expect("engine").session();
        context.register_table("t", Arc::new(table)).expect("registered");
        context
    }
}

fn settings(partitions: usize) -> EngineSettings {
    EngineSettings { partitions: Some(partitions), ..EngineSettings::default() }
}

async fn plan(context: &SessionContext, sql: &str) -> String {
    let batch = ask(context, &format!("EXPLAIN {sql}")).await;
    let plans = batch.column(1).as_string::<i32>();
    plans.value(plans.len() - 1).to_owned()
}

const NUMBERED: [&str; 5] = [
    "SELECT sender, count(*) AS n FROM t GROUP BY sender ORDER BY 1",
    "SELECT sender AS s, sum(n) AS n, histogram(n) FILTER (WHERE peer > 40) AS h, peer_count(peer)
       FILTER (WHERE n > 3) AS p, histogram(peer) AS all FROM t GROUP BY sender ORDER BY 1",
    "WITH some AS (SELECT sender AS s, n + 1 AS more FROM t WHERE n % 3 = 1)
       SELECT s, exact_quantiles(more, [0.5, 0.9]) AS q FROM some GROUP BY s ORDER BY 1",
    "SELECT sum(n) AS n FROM t GROUP BY sender ORDER BY 1",
    "SELECT one.sender, one.n + other.n AS n
       FROM (SELECT sender, max(n) AS n FROM t GROUP BY sender) one
       JOIN (SELECT sender, min(n) AS n FROM t WHERE peer < 90 GROUP BY sender) other
         ON one.sender = other.sender ORDER BY 1",
];

/// Somebody else looks at the column, or groups are of more.
const AS_THEY_ARE: [&str; 8] = [
    "SELECT sender, count(DISTINCT peer) AS p FROM t GROUP BY sender HAVING sum(n) > 9 ORDER BY 1",
    "SELECT sender, max(sender) AS m FROM t GROUP BY sender ORDER BY 1",
    "SELECT sender, count(*) FILTER (WHERE sender > '3') AS n FROM t GROUP BY sender ORDER BY 1",
    "SELECT sender, count(*) AS n FROM t WHERE sender <> '7' GROUP BY sender ORDER BY 1",
    "SELECT upper(sender) AS u, count(*) AS n FROM t GROUP BY upper(sender) ORDER BY 1",
    "SELECT sender, peer, count(*) AS n FROM t GROUP BY sender, peer ORDER BY 1, 2",
    "SELECT sender, count(*) AS n FROM t GROUP BY ROLLUP(sender) ORDER BY 1, 2",
    "SELECT peer, count(*) AS n FROM t GROUP BY peer ORDER BY 1",
];

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_rows_that_are_not_sorted() {
    let (many, few) = (rows(0, 30_000), rows(30_000, 33_000));
    let plain =
        Fixture::new(&[(many.clone(), Encoding::Compressed), (few.clone(), Encoding::Light)]);
    let other = rows(0, 30_000);
    let sorted = Fixture::new(&[
        (sorted(&other.slice(0, 19_000)), Encoding::Sorted(&SORTED_BY)),
        (sorted(&other.slice(19_000, 11_000)), Encoding::Sorted(&SORTED_BY)),
        (few, Encoding::Light),
    ]);
    for partitions in [1, 4] {
        let (plain, sorted) =
            (plain.session(&settings(partitions)), sorted.session(&settings(partitions)));
        let all = NUMBERED.iter().map(|sql| (sql, true));
        for (sql, is_numbered) in all.chain(AS_THEY_ARE.iter().map(|sql| (sql, false))) {
            let known = plan(&sorted, sql).await;
            assert_eq!(known.contains("NumbersExec: sender"), is_numbered, "{sql}\n{known}");
            assert!(!plan(&plain, sql).await.contains("NumbersExec"), "{sql}");
            let (found, expected) = (ask(&sorted, sql).await, ask(&plain, sql).await);
            assert_eq!(found, expected, "{sql}");
            // A plan that runs again has the numbers of the first time, or its own.
            assert_eq!(ask(&sorted, sql).await, expected, "{sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_held_within_the_pool() {
    let names = (0..40_000).map(|nth| Some(format!("a sender of a long name {nth:06}")));
    let ones: ArrayRef = Arc::new(Int64Array::from(vec![1; 40_000]));
    let columns =
        vec![Arc::new(names.collect::<StringArray>()) as ArrayRef, Arc::clone(&ones), ones];
    let rows = RecordBatch::try_new(schema(), columns).expect("columns");
    let lake = Fixture::new(&[(rows, Encoding::Sorted(&SORTED_BY))]);
    let small = EngineSettings { memory_bytes: 2 << 20, ..settings(1) };
    let frame = lake.session(&small).sql(NUMBERED[0]).await.expect("planned");
    let error = frame.collect().await.expect_err("too many").to_string();
    assert!(error.contains("NumbersExec"), "{error}");
}
