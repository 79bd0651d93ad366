//! What the functions of SQL do, as statements and answers in `slt/*.slt`: a file a group of
//! functions. Each runs in one partition and in several, with batches of two rows and of many, and
//! must say the same. So must states that were spilled.
//!
//! `TURNWISE_SLT_COMPLETE=1` writes the answers anew; read them before they are believed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use turnwise_lake::Lake;
use turnwise_query::{Engine, EngineSettings};

/// Partitions and batch sizes that must make no difference.
const SHAPES: [(usize, usize); 4] = [(1, 8_192), (1, 2), (4, 8_192), (4, 2)];

struct Session {
    context: SessionContext,
}

#[async_trait]
impl AsyncDB for Session {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let frame = self.context.sql(sql).await?;
        let types = frame.schema().fields().iter().map(|f| letter(f.data_type())).collect();
        let batches = frame.collect().await?;
        let mut rows = Vec::new();
        for batch in &batches {
            rows.extend(texts(batch)?);
        }
        if rows.is_empty() && batches.iter().all(|batch| batch.num_columns() == 0) {
            return Ok(DBOutput::StatementComplete(0));
        }
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &'static str {
        "turnwise"
    }
}

fn letter(of: &DataType) -> DefaultColumnType {
    match of {
        DataType::Int64 | DataType::Int32 => DefaultColumnType::Integer,
        DataType::Float64 => DefaultColumnType::FloatingPoint,
        _ => DefaultColumnType::Text,
    }
}

fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>, DataFusionError> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let row = |at: usize| columns.iter().map(|column| column.value(at).to_string()).collect();
    Ok((0..batch.num_rows()).map(row).collect())
}

fn files() -> Vec<PathBuf> {
    // Tests run in their package's folder, which need not be where they were built.
    let folder = Path::new("tests/slt");
    let entries = std::fs::read_dir(folder).expect("folder of .slt files");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    files
}

/// A fresh engine whose plans have this shape.
async fn session(folder: &Path, (partitions, batch_rows): (usize, usize)) -> Session {
    let lake = Lake::open(folder.to_str().expect("path"), &BTreeMap::new()).expect("lake");
    let settings = EngineSettings { partitions: Some(partitions), ..EngineSettings::default() };
    let context = Engine::new(&settings, &lake).expect("engine").session();
    let statement = format!("SET datafusion.execution.batch_size = {batch_rows}");
    let set = context.sql(&statement).await.expect("set batch size");
    set.collect().await.expect("set batch size");
    Session { context }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_answer_as_their_files_say_in_every_shape_of_plan() {
    let folder = tempfile::tempdir().expect("folder");
    let complete = std::env::var_os("TURNWISE_SLT_COMPLETE").is_some();
    let mut ran = 0;
    for file in files() {
        for shape in SHAPES {
            let mut runner = Runner::new(|| async { Ok(session(folder.path(), shape).await) });
            if complete {
                let normal = sqllogictest::default_normalizer;
                let validator = sqllogictest::default_validator;
                let columns = sqllogictest::default_column_validator;
                let done = runner.update_test_file(&file, " ", validator, normal, columns).await;
                done.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                break;
            }
            let done = runner.run_file_async(&file).await;
            done.unwrap_or_else(|error| panic!("{} in {shape:?}: {error}", file.display()));
            ran += 1;
        }
    }
    assert!(complete || ran >= 4 * 6, "only {ran} runs");
}

/// Rows of groups enough that a few megabytes do not hold their states.
const MANY_GROUPS: &str = "SELECT value % 20000 AS g, \
     histogram(value % 97 * (1 + value % 50)) AS h, peer_count(value % 3000000007 * 7919) AS p, \
     exact_quantiles(value % 311, [0.5, 0.9]) AS q, regression(value % 311, value % 97) AS r \
     FROM generate_series(1, 600000) GROUP BY value % 20000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_that_were_spilled_say_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    let lake = Lake::open(folder.path().to_str().expect("path"), &BTreeMap::new()).expect("lake");
    let mut said = Vec::new();
    for (memory_bytes, is_scarce) in [(1 << 30, false), (24 << 20, true)] {
        let partitions = Some(2);
        let settings = EngineSettings { memory_bytes, partitions, ..EngineSettings::default() };
        let context = Engine::new(&settings, &lake).expect("engine").session();
        let sql = format!(
            "SELECT count(*), sum(hist_total(h)), sum(hist_quantile(h, 1, 2)), \
             sum(peer_estimate(p)), sum(regression_points(r)), \
             sum(CAST(round(1000 * regression_slope(r)) AS BIGINT)), \
             sum(CAST(round(10 * q[1]) AS BIGINT)), sum(CAST(round(10 * q[2]) AS BIGINT)) FROM ({MANY_GROUPS})"
        );
        let frame = context.sql(&sql).await.expect("statement");
        let plan = frame.create_physical_plan().await.expect("plan");
        let batches = datafusion::physical_plan::collect(Arc::clone(&plan), context.task_ctx());
        let batches = batches.await.expect("answer");
        assert_eq!(spills(&plan) > 0, is_scarce, "{memory_bytes} bytes");
        said.push(texts(&batches[0]).expect("texts"));
    }
    assert_eq!(said[0], said[1]);
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let below: usize = plan.children().into_iter().map(spills).sum();
    below + plan.metrics().and_then(|metrics| metrics.spill_count()).unwrap_or_default()
}
