//! Turnwise's side of the comparison: the queries by the product's session, operators, kernels
//! and functions, over rows in a file or in memory, or over the shape columns of a lake.
//!
//! ```text
//! rows:   scan ─▶ fold to conversations ─────────────▶ aggregates by number
//! texts:  scan ─▶ shapes of the texts ───────────────▶ aggregates by number
//! lake:   scan of shape columns ─────────────────────▶ aggregates by number
//! ```

mod answers;

mod functions;

mod sources;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tokio::task::JoinSet;
use turnwise_query::{Engine, EngineSettings};

use crate::oracle::Query;

/// Where the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a Parquet file.
    Parquet,
    /// In memory, from an Arrow file that is read before the clock starts.
    Memory,
    /// In a lake.
    Lake,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Work {
    /// The query.
    pub query: Query,
    /// Where the rows are.
    pub source: Source,
    /// The file or the lake's folder.
    pub path: PathBuf,
    /// Partitions of the plan, and threads that run them.
    pub threads: usize,
    /// Only decode the columns that the query reads.
    pub decode_only: bool,
    /// Show the plan with what each part of it took.
    pub explain: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Seconds from the plan to the answer.
    pub seconds: f64,
    /// Seconds before, of loading what lies in memory.
    pub load_seconds: f64,
    /// The answer as tab-separated text; of an explained plan the plan.
    pub answer: String,
}

/// Runs the work.
///
/// # Errors
/// A file that cannot be read; a plan that fails.
pub fn run(work: &Work) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(work.threads)
        .enable_all()
        .build()
        .context("start threads")?;
    let started = Instant::now();
    let context = session(work)?;
    runtime.block_on(sources::register(&context, work))?;
    let loaded = Instant::now();
    let batches = runtime.block_on(answer(&context, work))?;
    let seconds = loaded.elapsed().as_secs_f64();
    let answer = if work.explain {
        arrow::util::pretty::pretty_format_batches(&batches)?.to_string()
    } else if work.decode_only {
        String::new()
    } else {
        answers::table(work.query, &batches)?
    };
    Ok(Outcome { seconds, load_seconds: (loaded - started).as_secs_f64(), answer })
}

/// A session of the product's engine, with the functions that only the comparison needs.
fn session(work: &Work) -> Result<SessionContext> {
    let settings = EngineSettings { partitions: Some(work.threads), ..EngineSettings::default() };
    let engine = match work.source {
        Source::Parquet | Source::Memory => Engine::local(&settings),
        Source::Lake => Engine::new(&settings, &sources::lake(work)?),
    };
    let context = engine.context("start engine")?.session();
    context.register_udf(functions::signed());
    Ok(context)
}

async fn answer(context: &SessionContext, work: &Work) -> Result<Vec<RecordBatch>> {
    let sql = statement(work)?;
    let sql = if work.explain { format!("EXPLAIN ANALYZE {sql}") } else { sql.to_owned() };
    let frame = context.sql(&sql).await.context("plan query")?;
    if !work.decode_only {
        return frame.collect().await.context("run query");
    }
    let mut scans = JoinSet::new();
    for mut stream in frame.execute_stream_partitioned().await.context("run scan")? {
        scans.spawn(async move {
            while let Some(batch) = stream.next().await {
                batch.context("run scan")?;
            }
            Ok::<(), anyhow::Error>(())
        });
    }
    while let Some(done) = scans.join_next().await {
        done.context("join scan")??;
    }
    Ok(Vec::new())
}

fn statement(work: &Work) -> Result<&'static str> {
    Ok(match (work.query, work.source, work.decode_only) {
        (Query::A, Source::Parquet, false) => include_str!("sql/a.sql"),
        (Query::B, Source::Parquet, true) => include_str!("sql/decode_b.sql"),
        (Query::C, Source::Parquet, true) => include_str!("sql/decode_c.sql"),
        (Query::B, Source::Lake, false) => {
            concat!(include_str!("sql/b_lake.sql"), include_str!("sql/b.sql"))
        }
        (Query::C, Source::Lake, false) => include_str!("sql/c_lake.sql"),
        (Query::B, _, false) => concat!(include_str!("sql/b_texts.sql"), include_str!("sql/b.sql")),
        (Query::C, _, false) => include_str!("sql/c_texts.sql"),
        _ => bail!("there is no such query here"),
    })
}
