//! From Kafka to committed rows of the lake, as a share of what the client alone takes.
//!
//! A topic is filled once. Then it is read into an empty loop, and by `turnwise ingest` into a new
//! lake, in turns; processor time of the whole process counts, so other load hardly matters. What
//! ingest wrote is compacted afterwards, by a process of its own: within the seconds that reading
//! takes, maintenance does not begin.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;

use super::Options;
use super::document::table;
use super::figures::{median, thousands};
use super::machine::Machine;
use super::process::{Measured, Usage};
use super::programs::Programs;
use crate::kafka::{Broker, BrokerOptions};

/// Messages of the topic; fewer where the data set has fewer.
const MESSAGES_MAX: u64 = 4_000_000;
/// Name of the ingest in the lake.
const INGEST: &str = "bench";
/// What ingest tells; its client closes a queue once more than there is one, which it calls an error.
const LOG_LEVEL: &str = "warn,rdkafka::consumer::base_consumer=off";
/// Threads of a profile that are shown.
const THREADS_SHOWN: usize = 6;

/// A wire format of records.
struct Wire {
    name: &'static str,
    /// What the program calls it.
    format: &'static str,
    /// Share of the client's own rate that is wanted.
    goal: f64,
}

const WIRES: [Wire; 2] = [
    Wire { name: "json", format: "cloud_api", goal: 0.45 },
    Wire { name: "protobuf", format: "protobuf", goal: 0.55 },
];

/// What a format's records took.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    format: &'static str,
    records: u64,
    bytes: u64,
    /// Processor seconds of the empty loop: median.
    loop_seconds: f64,
    /// Processor seconds of ingest: median.
    ingest_seconds: f64,
    /// The first over the second.
    share: f64,
    goal: f64,
    ingest_peak_memory_bytes: u64,
    /// Processor seconds that making few files of ingest's took: median.
    compaction_seconds: f64,
    compaction_peak_memory_bytes: u64,
    /// Files before and after it, in the last run.
    compacted_files: [u64; 2],
    /// Processor seconds of ingest's threads by name, in the last run.
    threads: Vec<(String, f64)>,
}

/// Measures every format.
pub(super) fn measure(options: &Options, programs: &Programs) -> Result<Vec<Figure>> {
    let messages = options.messages.min(MESSAGES_MAX);
    // Topics keep what is as old as the data set, and take what was written a moment ahead.
    let properties = [
        ("log.retention.ms", "-1"),
        ("log.message.timestamp.before.max.ms", "9223372036854775807"),
        ("log.message.timestamp.after.max.ms", "9223372036854775807"),
    ];
    let properties =
        properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
    let broker = Broker::start(BrokerOptions { properties, ..BrokerOptions::default() })?;
    let place = Place { programs, broker: &broker, messages };
    let figures =
        WIRES.iter().map(|wire| place.figure(wire, options.runs)).collect::<Result<Vec<_>>>();
    broker.stop();
    figures
}

struct Place<'a> {
    programs: &'a Programs,
    broker: &'a Broker,
    messages: u64,
}

/// What one run of ingest took, and compacting what it wrote.
struct Ingested {
    ingest: Usage,
    compaction: Usage,
    /// Before and after.
    files: [u64; 2],
}

impl Place<'_> {
    fn figure(&self, wire: &Wire, runs: u32) -> Result<Figure> {
        eprintln!("filling a topic with {} records of {}", thousands(self.messages), wire.name);
        let filled = self.ask(&[
            "fill",
            "--brokers",
            &self.broker.bootstrap(),
            "--topic",
            wire.name,
            "--messages",
            &self.messages.to_string(),
            "--format",
            wire.name,
        ])?;
        let number = |name: &str| filled[name].as_u64().with_context(|| format!("read {name}"));
        let (records, bytes) = (number("records")?, number("bytes")?);
        let (mut loops, mut ingests, mut peak) = (Vec::new(), Vec::new(), 0);
        let (mut compactions, mut compaction_peak) = (Vec::new(), 0);
        let (mut threads, mut compacted_files) = (Vec::new(), [0; 2]);
        for _ in 0..runs {
            let empty = self.empty_loop(wire, records)?;
            loops.push(empty.processor_seconds);
            let Ingested { ingest, compaction, files } = self.ingest(wire, records)?;
            ingests.push(ingest.processor_seconds);
            peak = peak.max(ingest.peak_memory_bytes);
            compactions.push(compaction.processor_seconds);
            compaction_peak = compaction_peak.max(compaction.peak_memory_bytes);
            eprintln!(
                "{}: empty loop {:.2} s, ingest {:.2} s, compaction {:.2} s of processor time",
                wire.name,
                empty.processor_seconds,
                ingest.processor_seconds,
                compaction.processor_seconds
            );
            (threads, compacted_files) = (ingest.busiest_threads(), files);
        }
        let loop_seconds = median(&loops).context("find a run")?;
        let ingest_seconds = median(&ingests).context("find a run")?;
        Ok(Figure {
            format: wire.name,
            records,
            bytes,
            loop_seconds,
            ingest_seconds,
            share: loop_seconds / ingest_seconds,
            goal: wire.goal,
            ingest_peak_memory_bytes: peak,
            compaction_seconds: median(&compactions).context("find a run")?,
            compaction_peak_memory_bytes: compaction_peak,
            compacted_files,
            threads,
        })
    }

    fn empty_loop(&self, wire: &Wire, records: u64) -> Result<Usage> {
        let measured = Measured::new(self.programs.get("bench-stream")?)
            .arg("loop")
            .arg("--brokers")
            .arg(self.broker.bootstrap())
            .arg("--topic")
            .arg(wire.name)
            .arg("--records")
            .arg(records.to_string());
        Ok(measured.run()?.0)
    }

    /// Starts ingest on a new lake, waits until that holds all records, and tells it to end. Then
    /// compacts the lake.
    fn ingest(&self, wire: &Wire, records: u64) -> Result<Ingested> {
        let folder = tempfile::tempdir().context("create folder for the lake")?;
        let lake = folder.path().join("lake");
        let config = folder.path().join("turnwise.toml");
        secret(&folder.path().join("secret")).context("write secret")?;
        fs::write(&config, self.config(wire, folder.path())).context("write configuration")?;
        let mut ingest = Measured::new(self.programs.get("turnwise")?)
            .arg("ingest")
            .arg("--config")
            .arg(&config)
            .arg("--log-level")
            .arg(LOG_LEVEL)
            .start()?;
        let mut waiting = Command::new(self.programs.get("bench-stream")?)
            .arg("wait")
            .arg("--lake")
            .arg(&lake)
            .args(["--ingest", INGEST, "--records", &records.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("run bench-stream")?;
        while waiting.try_wait().context("wait for the lake")?.is_none() {
            if ingest.has_ended()? {
                let _ = waiting.kill();
                let _ = waiting.wait();
                bail!("turnwise ingest ended before it had read everything");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let output = waiting.wait_with_output().context("wait for the lake")?;
        let usage = ingest.stop()?;
        let found = said(&output)?;
        if found["rows"]["message"].as_u64() != Some(records) {
            bail!("the lake has {} instead of {records} messages", found["rows"]);
        }
        let compact = Measured::new(self.programs.get("bench-stream")?);
        let (compaction, output) = compact.arg("compact").arg("--lake").arg(&lake).run()?;
        let told: Value =
            serde_json::from_str(&output).context("read what bench-stream printed")?;
        let count = |name: &str| told[name].as_u64().with_context(|| format!("read {name}"));
        Ok(Ingested { ingest: usage, compaction, files: [count("before")?, count("after")?] })
    }

    fn config(&self, wire: &Wire, folder: &Path) -> String {
        format!(
            "[kafka]\nbrokers = [\"{}\"]\ngroup = \"{}\"\nwebhook_topics = [\"{}\"]\n\
             send_topics = []\n[kafka.formats]\n\"{}\" = \"{}\"\n[lake]\nlocation = \"{}\"\n[secret]\nfile = \"{}\"\n\
             [ingest]\nname = \"{INGEST}\"\n\
             [serve]\ngrpc_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n",
            self.broker.bootstrap(),
            // A group that has just gone is not waited for.
            folder.file_name().unwrap_or_default().to_string_lossy(),
            wire.name,
            wire.name,
            wire.format,
            folder.join("lake").display(),
            folder.join("secret").display(),
        )
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let started = Instant::now();
        let output = Command::new(self.programs.get("bench-stream")?)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("run bench-stream")?;
        eprintln!("  took {:.0} s", started.elapsed().as_secs_f64());
        said(&output)
    }
}

/// A secret file that its owner alone may read.
fn secret(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(b"a secret for nothing but benches")
}

fn said(output: &std::process::Output) -> Result<Value> {
    if !output.status.success() {
        bail!("bench-stream: {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("read what bench-stream printed")
}

/// The part of the document.
pub(super) fn text(options: &Options, machine: &Machine, figures: &[Figure]) -> String {
    let headings = [
        "format",
        "records",
        "bytes a record",
        "empty loop, µs a record",
        "ingest, µs a record",
        "share",
        "wanted",
        "peak memory",
        "compaction beside it, µs a record",
        "its peak memory",
        "files",
    ];
    let row = |figure: &Figure| {
        let each = |seconds: f64| format!("{:.2}", seconds * 1e6 / figure.records as f64);
        vec![
            figure.format.to_owned(),
            thousands(figure.records),
            (figure.bytes / figure.records.max(1)).to_string(),
            each(figure.loop_seconds),
            each(figure.ingest_seconds),
            format!("{:.0} %", figure.share * 100.0),
            format!("≥ {:.0} %", figure.goal * 100.0),
            format!("{} MiB", figure.ingest_peak_memory_bytes >> 20),
            each(figure.compaction_seconds),
            format!("{} MiB", figure.compaction_peak_memory_bytes >> 20),
            format!("{} → {}", figure.compacted_files[0], figure.compacted_files[1]),
        ]
    };
    let rows: Vec<Vec<String>> = figures.iter().map(row).collect();
    let mut text = format!(
        "{}\n\nProcessor time of the whole process, median of {} runs. The empty loop is our own \
         batch reader with nothing behind it; records are compressed with lz4 in four partitions. \
         Reading takes a few seconds, in which no compaction is due: what it takes to make large, \
         sorted files of what was written is measured afterwards and stands beside it.\n\n{}",
        machine.line(),
        options.runs,
        table(&headings, &rows)
    );
    for figure in figures {
        let shown = figure.threads.iter().take(THREADS_SHOWN);
        let threads: Vec<String> =
            shown.map(|(name, seconds)| format!("{name} {seconds:.2} s")).collect();
        text.push_str(&format!(
            "\nThreads of ingest, {}: {}.\n",
            figure.format,
            threads.join(", ")
        ));
    }
    text
}
