//! Runs one query of the comparison on Turnwise, once, in this process, and prints what it took.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use turnwise_benches::oracle::{self, Query};
use turnwise_benches::queries::{Source, Work, run};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Runs a query of the comparison.
#[derive(Parser)]
struct Arguments {
    /// A, B or C.
    #[arg(long, value_parser = query)]
    query: Query,
    /// Where the rows are.
    #[arg(long, value_enum)]
    source: SourceName,
    /// The file, or the lake's folder.
    #[arg(long)]
    file: PathBuf,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where to write the answer.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Only decode the columns that the query reads.
    #[arg(long)]
    decode_only: bool,
    /// Print the plan with what each part of it took.
    #[arg(long)]
    explain: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum SourceName {
    Parquet,
    Memory,
    Lake,
}

fn query(name: &str) -> Result<Query, String> {
    Query::from_name(name).ok_or_else(|| "there is no such query".to_owned())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let source = match arguments.source {
        SourceName::Parquet => Source::Parquet,
        SourceName::Memory => Source::Memory,
        SourceName::Lake => Source::Lake,
    };
    let outcome = run(&Work {
        query: arguments.query,
        source,
        path: arguments.file,
        threads: arguments.threads,
        decode_only: arguments.decode_only,
        explain: arguments.explain,
    })?;
    if arguments.explain {
        eprintln!("{}", outcome.answer);
    } else if let Some(path) = arguments.out {
        oracle::write(&outcome.answer, &path).context("write answer")?;
    }
    let (seconds, load_seconds) = (outcome.seconds, outcome.load_seconds);
    println!("{}", serde_json::json!({ "seconds": seconds, "load_seconds": load_seconds }));
    Ok(())
}
