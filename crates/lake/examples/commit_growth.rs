//! How the time of a commit and the memory of a process grow with the number of commits.
//!
//! Two writers on two threads, each with a table handle of its own, commit four files at a
//! time into one table, with checkpoints as the role that keeps the lake would write them.
//! Prints milliseconds a commit and resident memory at intervals, and at the end the slope
//! of each over the last three quarters.
//!
//! Arguments: commits of both together (2000), folder (a temporary one).

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use turnwise_lake::{CommitOutcome, Encoding, Lake, Partition, Table, Txn};

const WRITERS: u64 = 2;
const FILES: i64 = 4;
const ROWS: i64 = 100;
const INTERVALS: u64 = 20;

type Failure = Box<dyn Error + Send + Sync>;

struct Sample {
    commits: f64,
    commit_ms: f64,
    memory_mib: f64,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let commits: u64 = arguments.next().map_or(Ok(2_000), |text| text.parse())?;
    let folder = std::env::temp_dir().join(format!("commit-growth-{}", std::process::id()));
    let location = arguments.next().unwrap_or_else(|| folder.to_string_lossy().into_owned());
    let lake = Lake::open(&location, &BTreeMap::new())?;
    table(&lake)?;
    let (done, spent) = (AtomicU64::new(0), AtomicU64::new(0));
    let samples = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (lake, done, spent) = (&lake, &done, &spent);
                scope.spawn(move || write(lake, writer, commits / WRITERS, done, spent))
            })
            .collect();
        let samples = watch(commits, &done, &spent, || writers.iter().any(|w| !w.is_finished()));
        for writer in writers {
            writer.join().map_err(|_| "a writer panicked")??;
        }
        Ok::<_, Failure>(samples)
    })?;
    let tail = &samples[samples.len() / 4..];
    println!(
        "slope: {:.6} ms and {:.6} MiB a commit",
        slope(tail, |s| s.commit_ms),
        slope(tail, |s| s.memory_mib)
    );
    println!("version {}", table(&lake)?.version());
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn columns() -> SchemaRef {
    let number = Field::new("number", DataType::Int64, true);
    let sender = Field::new("sender", DataType::Utf8, true);
    Arc::new(Schema::new(vec![sender, number, Field::new("part", DataType::Int32, false)]))
}

fn table(lake: &Lake) -> Result<Table, turnwise_lake::LakeError> {
    lake.table("growth", columns(), &["part"])
}

fn rows(from: i64) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let numbers: Int64Array = (from..from + ROWS).collect();
    let senders: StringArray = (from..from + ROWS).map(|n| Some((n % 50).to_string())).collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(columns().fields()[..2].to_vec())),
        vec![Arc::new(senders) as ArrayRef, Arc::new(numbers)],
    )
}

fn write(
    lake: &Lake,
    writer: u64,
    commits: u64,
    done: &AtomicU64,
    spent: &AtomicU64,
) -> Result<(), Failure> {
    let table = table(lake)?;
    let app = format!("writer/{writer}");
    let clock = Instant::now();
    for _ in 0..commits {
        let expected = table.transaction(&app);
        let from = expected.unwrap_or(0);
        let parts = (0..FILES).map(|part| {
            let partition = Partition::from([("part".to_owned(), i32::try_from(part)?.into())]);
            Ok::<_, Failure>((partition, rows(from + part * ROWS)?))
        });
        let now_ms = i64::try_from(clock.elapsed().as_millis())?;
        let staged = table.stage(parts.collect::<Result<_, _>>()?, Encoding::Light, now_ms)?;
        let txn = Txn { app: app.clone(), expected, to: from + FILES * ROWS };
        let started = Instant::now();
        match table.commit(&staged, &[txn], &BTreeMap::new(), now_ms)? {
            CommitOutcome::Committed { .. } | CommitOutcome::AlreadyIn => {}
            other => return Err(format!("{other:?}").into()),
        }
        spent.fetch_add(u64::try_from(started.elapsed().as_micros())?, Ordering::Relaxed);
        done.fetch_add(1, Ordering::Relaxed);
        if writer == 0 {
            table.checkpoint()?;
        }
    }
    Ok(())
}

fn watch(
    commits: u64,
    done: &AtomicU64,
    spent: &AtomicU64,
    going: impl Fn() -> bool,
) -> Vec<Sample> {
    let every = (commits / INTERVALS).max(1);
    let (mut samples, mut last, mut last_spent) = (Vec::new(), 0, 0);
    println!("{:>8} {:>10} {:>10}", "commits", "ms/commit", "MiB");
    while going() {
        std::thread::sleep(Duration::from_millis(20));
        let now = done.load(Ordering::Relaxed);
        if now < last + every {
            continue;
        }
        let now_spent = spent.load(Ordering::Relaxed);
        let commit_ms = (now_spent - last_spent) as f64 / 1_000.0 / (now - last) as f64;
        let sample = Sample { commits: now as f64, commit_ms, memory_mib: memory_mib() };
        println!("{now:>8} {commit_ms:>10.2} {:>10.1}", sample.memory_mib);
        samples.push(sample);
        (last, last_spent) = (now, now_spent);
    }
    samples
}

/// Resident memory, where the system tells.
fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1_024.0
}

/// Least squares over the samples, a commit.
fn slope(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    let n = samples.len() as f64;
    let mean_x = samples.iter().map(|s| s.commits).sum::<f64>() / n;
    let mean_y = samples.iter().map(&value).sum::<f64>() / n;
    let above: f64 = samples.iter().map(|s| (s.commits - mean_x) * (value(s) - mean_y)).sum();
    above / samples.iter().map(|s| (s.commits - mean_x).powi(2)).sum::<f64>()
}
