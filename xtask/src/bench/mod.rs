//! `cargo xtask bench`: the kernels' benches, and queries A, B and C beside other engines.
//!
//! ```text
//! programs (release) ─┐
//! data set (cached) ──┼─▶ one process a run, measured ─▶ answers compared ─▶ PERFORMANCE.md, JSON
//! peers (cached) ─────┘       engines take turns             with the oracle
//! ```
//!
//! What was generated, installed or built stays, so a run that was cut off goes on where it was.

mod programs;

mod dataset;

mod peers;

mod process;

mod layouts;

mod engines;

mod compare;

mod figures;

mod queries;

mod machine;

mod document;

mod kernels;

mod growth;

mod chart;

mod streaming;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value};

use machine::Machine;
use programs::Programs;

/// What to measure, and how.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Measure only these.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Messages of the data set.
    #[arg(long, default_value_t = 20_000_000)]
    messages: u64,
    /// Business numbers of the data set.
    #[arg(long, default_value_t = 10_000)]
    numbers: u64,
    /// Runs of each query on each engine; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Threads of each engine.
    #[arg(long, default_value_t = 2)]
    threads: u32,
    /// Only these engines, by name: turnwise, duckdb, chdb, polars, datafusion.
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// Messages of the largest data set of growth.
    #[arg(long, default_value_t = 100_000_000)]
    growth_max: u64,
    /// Write all figures for machines here.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave PERFORMANCE.md as it is.
    #[arg(long)]
    keep: bool,
}

/// A part of the benches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Query A.
    #[value(name = "A")]
    A,
    /// Query B.
    #[value(name = "B")]
    B,
    /// Query C.
    #[value(name = "C")]
    C,
    /// The criterion benches.
    Kernels,
    /// Query A over more messages and numbers.
    Growth,
    /// From Kafka to the lake.
    Kafka,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn wants_engine(&self, name: &str) -> bool {
        self.engines.is_empty() || self.engines.iter().any(|engine| engine == name)
    }
}

/// Measures, shows the figures and writes them down.
///
/// # Errors
/// When something cannot be built, installed, generated or written. A run of one engine that
/// fails is a figure of its own, and no error.
pub fn run(options: &Options) -> Result<ExitCode> {
    let machine = Machine::here();
    let mut json = Map::new();
    json.insert("machine".to_owned(), value(&machine)?);
    if options.wants(Part::Kernels) {
        let figures = kernels::measure()?;
        finish(options, "kernels", &kernels::text(&machine, &figures))?;
        json.insert("kernels".to_owned(), value(&figures)?);
    }
    let parts = [Part::A, Part::B, Part::C, Part::Kafka, Part::Growth];
    let good = !parts.into_iter().any(|part| options.wants(part))
        || run_programs(options, &machine, &mut json)?;
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&Value::Object(json)).context("write figures")?;
        fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))?;
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the parts that need the programs; whether all answers agree.
fn run_programs(
    options: &Options,
    machine: &Machine,
    json: &mut Map<String, Value>,
) -> Result<bool> {
    let programs = Programs::build()?;
    let mut good = true;
    if [Part::A, Part::B, Part::C].into_iter().any(|part| options.wants(part)) {
        let figures = queries::measure(options, &programs)?;
        good = figures::are_equal(&figures);
        finish(options, "queries", &figures::text(options, machine, &figures))?;
        json.insert("queries".to_owned(), value(&figures)?);
    }
    if options.wants(Part::Kafka) {
        let figures = streaming::measure(options, &programs)?;
        finish(options, "kafka", &streaming::text(options, machine, &figures))?;
        json.insert("kafka".to_owned(), value(&figures)?);
    }
    if options.wants(Part::Growth) {
        let figures = growth::measure(options, &programs)?;
        finish(options, "growth", &growth::text(options, machine, &figures)?)?;
        json.insert("growth".to_owned(), value(&figures)?);
    }
    Ok(good)
}

fn value(figures: &impl Serialize) -> Result<Value> {
    serde_json::to_value(figures).context("write figures")
}

/// Shows a part and puts it into the document.
fn finish(options: &Options, part: &str, text: &str) -> Result<()> {
    println!("{text}");
    if options.keep { Ok(()) } else { document::replace_part(part, text) }
}
