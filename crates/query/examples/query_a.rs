//! Query A over a Parquet file of bare messages: seconds, peak memory and the answers.
//!
//! ```text
//! query_a FILE [--threads N] [--runs N] [--memory BYTES] [--answers FILE.csv] [--explain]
//! ```
//!
//! Prints a line `seconds S peak_bytes B` for each run. The answers are a row a number, ascending:
//! number_id, conversations, turns_mean, turns_p50, turns_p95, peers, messages, outbound,
//! latency_p50, latency_p95, share_template, share_button, share_voice.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, Int64Type, UInt64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use turnwise_query::{BareConversations, BareNames, aggregates, scalars};

const SQL: &str = include_str!("query_a.sql");

struct Arguments {
    file: String,
    threads: usize,
    runs: usize,
    memory: usize,
    answers: Option<String>,
    explain: bool,
}

fn arguments() -> Arguments {
    let mut found = Arguments {
        file: String::new(),
        threads: 2,
        runs: 1,
        memory: 8 << 30,
        answers: None,
        explain: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|n| n.parse().ok()).expect("a number follows");
        match word.as_str() {
            "--threads" => found.threads = number(),
            "--runs" => found.runs = number(),
            "--memory" => found.memory = number(),
            "--answers" => found.answers = words.next(),
            "--explain" => found.explain = true,
            _ => found.file = word,
        }
    }
    found
}

async fn session(arguments: &Arguments) -> Result<SessionContext> {
    let pool = Arc::new(FairSpillPool::new(arguments.memory));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc()?;
    let state = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_target_partitions(arguments.threads))
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    let context = SessionContext::new_with_state(state);
    for function in aggregates::all() {
        context.register_udaf(function.as_ref().clone());
    }
    for function in scalars::all() {
        context.register_udf(function.as_ref().clone());
    }
    context.register_parquet("messages", &arguments.file, ParquetReadOptions::default()).await?;
    let messages = context.table_provider("messages").await?;
    let conversations = BareConversations::new(messages, BareNames::default())?;
    context.register_table("conversations", Arc::new(conversations))?;
    Ok(context)
}

/// The most memory that this process has had, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

/// The answers as lines, by number.
fn lines(batches: &[RecordBatch]) -> Vec<(u64, String)> {
    let mut lines = Vec::new();
    for batch in batches {
        let whole = |name: &str, row: usize| batch[name].as_primitive::<Int64Type>().value(row);
        let pair = |name: &str, row: usize| {
            let lists = batch[name].as_list::<i32>();
            if lists.is_null(row) {
                return ",".to_owned();
            }
            let found = lists.value(row);
            let found = found.as_primitive::<Float64Type>();
            format!("{},{}", found.value(0), found.value(1))
        };
        let numbers = batch["number_id"].as_primitive::<UInt64Type>();
        let means = batch["turns_mean"].as_primitive::<Float64Type>();
        for row in 0..batch.num_rows() {
            let messages = whole("messages", row);
            let share = |name: &str| whole(name, row) as f64 / messages as f64;
            let line = format!(
                "{},{},{},{},{},{messages},{},{},{},{},{}",
                numbers.value(row),
                whole("conversations", row),
                means.value(row),
                pair("turns_quantiles", row),
                whole("peers", row),
                whole("outbound", row),
                pair("latency_quantiles", row),
                share("templates"),
                share("buttons"),
                share("voices"),
            );
            lines.push((numbers.value(row), line));
        }
    }
    lines.sort();
    lines
}

const HEADING: &str = "number_id,conversations,turns_mean,turns_p50,turns_p95,peers,messages,\
                       outbound,latency_p50,latency_p95,share_template,share_button,share_voice";

async fn run(arguments: Arguments) -> Result<()> {
    for _ in 0..arguments.runs {
        let began = Instant::now();
        let context = session(&arguments).await?;
        let batches = context.sql(SQL).await?.collect().await?;
        let seconds = began.elapsed().as_secs_f64();
        println!("seconds {seconds:.3} peak_bytes {}", peak_bytes());
        if let Some(path) = &arguments.answers {
            let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
            writeln!(file, "{HEADING}")?;
            for (_, line) in lines(&batches) {
                writeln!(file, "{line}")?;
            }
        }
    }
    if arguments.explain {
        let context = session(&arguments).await?;
        context.sql(&format!("EXPLAIN ANALYZE {SQL}")).await?.show().await?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments = arguments();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
    runtime.block_on(run(arguments))
}
