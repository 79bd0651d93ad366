//! A cluster's input: generated records in two topics, and the rows that must come of them.
//!
//! Partition and key of a record are drawn, so that they say nothing of its sender. One producer
//! that keeps order gives each record the next offset of its partition: the same plan tells
//! later which record lies where.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_kafka::{Admin, Producer};
use turnwise_model::{EventKind, Keys, Offset, PartitionId, SourceName};
use turnwise_traffic::{Plan, Record, Topic, Traffic};

use crate::lake::{Rows, add_rows};

/// Partitions of each topic.
pub const PARTITIONS: i32 = 8;
/// The topic of webhooks.
pub const WEBHOOKS: &str = "whatsapp.webhooks";
/// The topic of send records.
pub const SENDS: &str = "whatsapp.sends";
/// How long acknowledgements may take.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(60);
/// Records decoded at once.
const DECODED_AT_ONCE: usize = 20_000;

/// What is produced: as many records of a plan as the test wants.
#[derive(Clone, Debug)]
pub struct Input {
    /// Decides contents, keys and partitions.
    pub seed: u64,
    /// Records at least.
    pub records: u64,
    /// The time they take.
    pub within: Duration,
}

struct Placed {
    record: Record,
    partition: i32,
    offset: i64,
    key: [u8; 8],
}

/// Rows of each kind by record: topic, partition, offset, kind.
pub type Counts = BTreeMap<(bool, i32, i64, &'static str), u64>;

impl Input {
    fn placed(&self) -> impl Iterator<Item = Placed> + use<> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut ends: BTreeMap<(Topic, i32), i64> = BTreeMap::new();
        // More than are taken, since a test may go on for longer.
        Traffic::new(Plan::new(self.seed, self.records.saturating_mul(8))).map(move |record| {
            let partition = rng.random_range(0..PARTITIONS);
            let next = ends.entry((record.topic, partition)).or_default();
            let offset = *next;
            *next += 1;
            Placed { record, partition, offset, key: rng.random() }
        })
    }

    /// Makes both topics.
    ///
    /// # Errors
    /// The cluster refuses.
    pub fn create_topics(&self, brokers: &str) -> Result<()> {
        let admin = Admin::new(brokers)?;
        for topic in [WEBHOOKS, SENDS] {
            admin.create_topic(topic, PARTITIONS).context("create topic")?;
        }
        Ok(())
    }

    /// Produces at an even pace, and goes on after the last record until `enough`; returns how
    /// many records were acknowledged.
    ///
    /// # Errors
    /// Records that the cluster did not take.
    pub fn produce(&self, brokers: &str, enough: &AtomicBool) -> Result<u64> {
        let producer = Producer::new(brokers)?;
        let begun = Instant::now();
        let mut sent = 0_u64;
        for placed in self.placed() {
            if sent >= self.records && enough.load(Ordering::Acquire) {
                break;
            }
            let share = (sent as f64) / (self.records.max(1) as f64);
            let due = self.within.mul_f64(share);
            while let Some(wait) = due.checked_sub(begun.elapsed()).filter(|wait| !wait.is_zero()) {
                std::thread::sleep(wait);
            }
            let Placed { record, partition, key, .. } = &placed;
            let topic = if record.topic == Topic::Webhooks { WEBHOOKS } else { SENDS };
            producer.send(topic, Some(*partition), key, &record.value, Some(record.time))?;
            sent += 1;
        }
        producer.flush(ACKNOWLEDGED_WITHIN)?;
        ensure!(producer.delivered() == sent, "{} of {sent} delivered", producer.delivered());
        Ok(sent)
    }

    /// The end of each partition after so many records: webhooks or not, partition, end.
    #[must_use]
    pub fn ends(&self, records: u64) -> BTreeMap<(bool, i32), i64> {
        let mut ends = BTreeMap::new();
        for placed in self.placed().take(usize::try_from(records).unwrap_or(usize::MAX)) {
            let is_webhook = placed.record.topic == Topic::Webhooks;
            ends.insert((is_webhook, placed.partition), placed.offset + 1);
        }
        ends
    }

    /// The rows of each kind that must come of each record, by counting what its JSON holds.
    #[must_use]
    pub fn counts(&self, records: u64) -> Counts {
        let mut counts = Counts::new();
        for placed in self.placed().take(usize::try_from(records).unwrap_or(usize::MAX)) {
            let is_webhook = placed.record.topic == Topic::Webhooks;
            for kind in kinds(&placed.record) {
                let place = (is_webhook, placed.partition, placed.offset, kind.name());
                *counts.entry(place).or_default() += 1;
            }
        }
        counts
    }

    /// The rows of the records with all their columns, decoded once from the first to the last.
    ///
    /// # Errors
    /// Rows that cannot be read.
    pub fn rows(&self, records: u64, keys: &Keys, webhooks: &str, sends: &str) -> Result<Rows> {
        let (webhooks, sends) = (SourceName(webhooks.to_owned()), SourceName(sends.to_owned()));
        let mut decoder = Decoder::new(keys.clone());
        let mut rows = Rows::new();
        for placed in self.placed().take(usize::try_from(records)?) {
            let is_webhook = placed.record.topic == Topic::Webhooks;
            let context = RecordContext {
                source: if is_webhook { &webhooks } else { &sends },
                partition: PartitionId(placed.partition),
                offset: Offset(placed.offset),
                record_time: Some(placed.record.time),
                read_time: placed.record.time,
            };
            let format = if is_webhook { Format::CloudApi } else { Format::Send };
            decoder.decode(format, &context, Some(&placed.record.value));
            decoder.take_dead_letters();
            if decoder.rows() >= DECODED_AT_ONCE {
                take_rows(&mut decoder, &mut rows)?;
            }
        }
        take_rows(&mut decoder, &mut rows)?;
        Ok(rows)
    }
}

fn take_rows(decoder: &mut Decoder, rows: &mut Rows) -> Result<()> {
    for batch in decoder.finish() {
        add_rows(rows, batch.kind, &batch.rows)?;
    }
    Ok(())
}

/// The kind of each row of a record.
fn kinds(record: &Record) -> Vec<EventKind> {
    let kinds = kinds_of_items(record);
    // A record in which nothing is says so.
    if kinds.is_empty() { vec![EventKind::Ignored] } else { kinds }
}

fn kinds_of_items(record: &Record) -> Vec<EventKind> {
    let Ok(root) = serde_json::from_slice::<Value>(&record.value) else {
        return vec![EventKind::DeadLetter];
    };
    if record.malformed {
        // Each item of an array is taken for itself; an envelope around nothing is ignored.
        let items = root.as_array().map_or(std::slice::from_ref(&root), Vec::as_slice);
        let is_empty = |item: &Value| record.topic == Topic::Webhooks && item.is_object();
        let kind = |item| if is_empty(item) { EventKind::Ignored } else { EventKind::DeadLetter };
        return items.iter().map(kind).collect();
    }
    if record.topic == Topic::Sends {
        let is_message = root["request"]["type"].is_string();
        return vec![if is_message { EventKind::Message } else { EventKind::Ignored }];
    }
    let mut kinds = Vec::new();
    for entry in root["entry"].as_array().into_iter().flatten() {
        for change in entry["changes"].as_array().into_iter().flatten() {
            kinds_of_change(change, &mut kinds);
        }
    }
    kinds
}

fn kinds_of_change(change: &Value, kinds: &mut Vec<EventKind>) {
    let value = &change["value"];
    let mut add = |kind, items: &Value| {
        kinds.extend(std::iter::repeat_n(kind, items.as_array().map_or(0, Vec::len)));
    };
    match change["field"].as_str() {
        Some("messages") => {
            add(EventKind::Message, &value["messages"]);
            add(EventKind::Status, &value["statuses"]);
            add(EventKind::Account, &value["errors"]);
        }
        Some("smb_message_echoes") => add(EventKind::Message, &value["message_echoes"]),
        Some("standby") => {
            add(EventKind::Message, &value["standby"]["messages"]);
            add(EventKind::Message, &value["standby"]["message_echoes"]);
            add(EventKind::Status, &value["standby"]["statuses"]);
        }
        Some("history") => {
            for chunk in value["history"].as_array().into_iter().flatten() {
                for thread in chunk["threads"].as_array().into_iter().flatten() {
                    add(EventKind::History, &thread["messages"]);
                }
            }
        }
        Some(
            "messaging_handovers"
            | "account_update"
            | "account_alerts"
            | "phone_number_quality_update",
        ) => kinds.push(EventKind::Account),
        _ => kinds.push(EventKind::Ignored),
    }
}
