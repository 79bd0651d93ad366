//! The two ends of the way from Kafka to the lake: fills a topic, reads it into an empty loop, and
//! waits until a lake holds it.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};
use turnwise_benches::data::{Order, Plan, rows};
use turnwise_benches::files::{WebhookWriter, protobuf_record};
use turnwise_kafka::{
    Admin, Consumer, ConsumerConfig, Event, Producer, StartOffset, TopicPartition,
};
use turnwise_lake::{CompactOutcome, CompactPlan, FileFilter, FileInfo, Lake, TIERS, in_order};
use turnwise_model::Millis;
use turnwise_model::schema::{SORTED_BY, column};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long a step may take.
const WITHIN: Duration = Duration::from_secs(900);
/// Records of one partition that are read before others have their turn, as ingest does.
const RECORDS_AT_ONCE: usize = 2_000;
/// Bytes that the client fetches ahead for a partition, as ingest's default settings have it.
const PARTITION_BUFFER_BYTES: usize = 2 << 20;
/// Time between two looks at the lake.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// The ends of the way from Kafka to the lake.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a topic and fill it with the data set, in order of time, its newest message now.
    Fill {
        #[command(flatten)]
        topic: Topic,
        /// Partitions of the topic.
        #[arg(long, default_value_t = 4)]
        partitions: u32,
        /// Messages of the data set.
        #[arg(long)]
        messages: u64,
        /// How records are written.
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
    },
    /// Read the topic to its end and do nothing with it.
    Loop {
        #[command(flatten)]
        topic: Topic,
        /// Records of the topic.
        #[arg(long)]
        records: u64,
    },
    /// Wait until a lake holds that many records of an ingest; print its rows by kind.
    Wait {
        /// The lake's folder.
        #[arg(long)]
        lake: PathBuf,
        /// Name of the ingest.
        #[arg(long)]
        ingest: String,
        /// Records of the topic.
        #[arg(long)]
        records: u64,
    },
    /// Make the files of a lake that are worth a rewrite few, as maintenance does where nothing comes
    /// any more; print how many there were and are.
    Compact {
        /// The lake's folder.
        #[arg(long)]
        lake: PathBuf,
    },
}

#[derive(Args)]
struct Topic {
    /// Bootstrap address.
    #[arg(long)]
    brokers: String,
    /// Name of the topic.
    #[arg(long)]
    topic: String,
}

/// A wire format.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Webhooks of the platform.
    Json,
    /// Turnwise's own record.
    Protobuf,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Fill { topic, partitions, messages, format } => {
            fill(&topic, partitions, messages, format)
        }
        Command::Loop { topic, records } => read(&topic, records),
        Command::Wait { lake, ingest, records } => wait(&lake, &ingest, records),
        Command::Compact { lake } => compact(&lake),
    }
}

fn fill(topic: &Topic, partitions: u32, messages: u64, format: Format) -> Result<()> {
    let partitions = i32::try_from(partitions).context("count partitions")?;
    let mut rows = rows(&Plan::new(messages, Plan::NUMBERS));
    Order::Time.sort(&mut rows);
    // Old messages would be dropped by retentions, and those of the future by the decoder.
    let late_ms = now_ms()? - rows.last().map_or(0, |row| row.ts_ms);
    Admin::new(&topic.brokers)?.create_topic(&topic.topic, partitions)?;
    let producer = Producer::new(&topic.brokers)?;
    let mut writer = WebhookWriter::default();
    let mut record;
    let mut bytes = 0;
    for (row, nth) in rows.iter_mut().zip(0..) {
        row.ts_ms += late_ms;
        let value = match format {
            Format::Json => writer.record(row),
            Format::Protobuf => {
                record = protobuf_record(row);
                &record
            }
        };
        bytes += value.len();
        let key = row.number.to_string();
        let time = Some(Millis(row.ts_ms));
        producer.send(&topic.topic, Some(nth % partitions), key.as_bytes(), value, time)?;
    }
    producer.flush(WITHIN)?;
    println!("{}", serde_json::json!({ "records": rows.len(), "bytes": bytes }));
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place of the benches that reads the clock")]
fn now_ms() -> Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("read clock")?;
    i64::try_from(now.as_millis()).context("read clock")
}

fn read(topic: &Topic, records: u64) -> Result<()> {
    let mut consumer = Consumer::new(&ConsumerConfig {
        brokers: topic.brokers.clone(),
        group: format!("{}-loop-{}", topic.topic, std::process::id()),
        topics: vec![topic.topic.clone()],
        topic_ids: true,
        partition_buffer_bytes: PARTITION_BUFFER_BYTES,
        ..ConsumerConfig::default()
    })?;
    let started = Instant::now();
    let mut held: Vec<TopicPartition> = Vec::new();
    let (mut found, mut bytes) = (0, 0);
    while found < records {
        if started.elapsed() > WITHIN {
            bail!("{found} of {records} records came in time");
        }
        for event in consumer.poll(Duration::ZERO) {
            match event {
                Event::Assigned(partitions) => {
                    let start = |one: &TopicPartition| (one.clone(), StartOffset::Earliest);
                    consumer.assign(&partitions.iter().map(start).collect::<Vec<_>>())?;
                    held.extend(partitions);
                }
                Event::Error { fatal: true, reason, .. } => bail!("the client is lost: {reason}"),
                _ => {}
            }
        }
        let mut read = 0;
        for partition in &held {
            let (end, _) = consumer.read(partition, RECORDS_AT_ONCE, &mut |record| {
                bytes += record.value.map_or(0, <[u8]>::len);
            })?;
            read += end.records;
        }
        found += read as u64;
        if read == 0 {
            consumer.wait(Duration::from_millis(50));
        }
    }
    println!("{}", serde_json::json!({ "records": found, "bytes": bytes }));
    Ok(())
}

fn wait(lake: &std::path::Path, ingest: &str, records: u64) -> Result<()> {
    let started = Instant::now();
    let location = lake.to_str().context("name the lake")?;
    let lake = Lake::open(location, &BTreeMap::new())?;
    let prefix = format!("{ingest}/");
    let table = loop {
        if started.elapsed() > WITHIN {
            bail!("the lake did not take {records} records in time");
        }
        let Some(table) = lake.existing_table("events")? else {
            std::thread::sleep(LOOK_PAUSE);
            continue;
        };
        table.refresh()?;
        let offsets = table.transactions();
        let own = offsets.iter().filter(|(app, _)| app.starts_with(&prefix));
        if own.map(|(_, offset)| offset.cast_unsigned()).sum::<u64>() >= records {
            break table;
        }
        std::thread::sleep(LOOK_PAUSE);
    };
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    for file in table.snapshot(None)?.files(&FileFilter::all())? {
        let kind = file.partition_values.get(column::KIND).cloned().flatten();
        *rows.entry(kind.unwrap_or_default()).or_default() += file.num_records.unwrap_or_default();
    }
    println!("{}", serde_json::json!({ "rows": rows }));
    Ok(())
}

fn compact(lake: &std::path::Path) -> Result<()> {
    let location = lake.to_str().context("name the lake")?;
    let lake = Lake::open(location, &BTreeMap::new())?;
    let table = lake.existing_table("events")?.context("find events")?;
    let mut before = None;
    loop {
        let files = table.snapshot(None)?.files(&FileFilter::all())?;
        before = before.or(Some(files.len()));
        let mut by_partition: BTreeMap<_, Vec<FileInfo>> = BTreeMap::new();
        for file in &files {
            by_partition.entry(&file.partition_values).or_default().push(file.clone());
        }
        let mut chosen = by_partition.values().map(|files| TIERS.to_rewrite(files, i64::MAX));
        let Some(inputs) = chosen.find(|inputs| !inputs.is_empty()) else {
            println!("{}", serde_json::json!({ "before": before, "after": files.len() }));
            return Ok(());
        };
        let plan = CompactPlan { inputs, sorted_by: &SORTED_BY, clears: &[] };
        let done = table.compact(&plan, &mut in_order, &BTreeMap::new(), now_ms()?)?;
        if !matches!(done, CompactOutcome::Done { .. }) {
            bail!("compaction ended with {done:?}");
        }
    }
}
