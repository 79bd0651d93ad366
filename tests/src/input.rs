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
use turnwise_kafka::{Admin, Producer};
use turnwise_model::Keys;
use turnwise_traffic::{Plan, Rates, Record, Topic, Traffic};

use crate::oracle::decode::{Form, Place, RawRow, decode};

/// How long acknowledgements may take.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(120);

/// What is produced: as many records of a plan as the test wants.
#[derive(Clone, Debug)]
pub struct Input {
    /// Decides contents, keys and partitions.
    pub seed: u64,
    /// Records at least.
    pub records: u64,
    /// The time they take.
    pub within: Duration,
    /// The topics of webhooks and of send records.
    pub topics: [String; 2],
    /// Partitions of each topic.
    pub partitions: i32,
}

/// A record and where it lies.
#[derive(Clone)]
pub struct Placed {
    /// The record.
    pub record: Record,
    /// Partition of its topic.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    key: [u8; 8],
}

/// A topic (webhooks: true) and a partition of it.
pub type Partition = (bool, i32);

impl Input {
    /// Every record and where it lies, without end. The records that are wanted cover all days of
    /// the plan; those of a test that goes on for longer come after them, late.
    pub fn placed(&self) -> impl Iterator<Item = Placed> + use<> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut ends: BTreeMap<Partition, i64> = BTreeMap::new();
        let (seed, partitions) = (self.seed, self.partitions);
        // A message makes about two and a half records, with its statuses.
        let messages = (self.records * 2 / 5).max(1_000);
        let traffic = (0..).flat_map(move |turn| Traffic::new(plan(seed + turn, messages)));
        traffic.map(move |record| {
            let partition = rng.random_range(0..partitions);
            let next = ends.entry((record.topic == Topic::Webhooks, partition)).or_default();
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
        for topic in &self.topics {
            // Generated records are older than what a broker keeps unless told.
            admin.create_lasting_topic(topic, self.partitions).context("create topic")?;
        }
        Ok(())
    }

    /// The topic of a record.
    fn topic(&self, record: &Record) -> &str {
        &self.topics[usize::from(record.topic != Topic::Webhooks)]
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
            let topic = self.topic(record);
            producer.send(topic, Some(*partition), key, &record.value, Some(record.time))?;
            sent += 1;
        }
        producer.flush(ACKNOWLEDGED_WITHIN)?;
        ensure!(producer.delivered() == sent, "{} of {sent} delivered", producer.delivered());
        Ok(sent)
    }

    /// The end of each partition after so many records.
    #[must_use]
    pub fn ends(&self, records: u64) -> BTreeMap<Partition, i64> {
        let mut ends = BTreeMap::new();
        for placed in self.placed().take(usize::try_from(records).unwrap_or(usize::MAX)) {
            let is_webhook = placed.record.topic == Topic::Webhooks;
            ends.insert((is_webhook, placed.partition), placed.offset + 1);
        }
        ends
    }
}

/// Repeats, disorder and late rows more often than they come.
fn plan(seed: u64, messages: u64) -> Plan {
    let rates = Rates {
        duplicates: 0.03,
        disorder: 0.03,
        late: 0.01,
        late_statuses: 0.02,
        malformed: 0.002,
        ..Rates::default()
    };
    Plan { rates, ..Plan::new(seed, messages) }
}

/// Its place: a record's content is never shown.
impl std::fmt::Debug for Placed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = (self.record.topic, self.partition, self.offset);
        f.debug_tuple("Placed").field(&place).finish()
    }
}

impl Placed {
    /// The rows that must come of the record, by the oracle. `sources` names the inputs of
    /// webhooks and of send records.
    #[must_use]
    pub fn rows(&self, keys: &Keys, sources: &[String; 2]) -> Vec<RawRow> {
        let is_send = self.record.topic == Topic::Sends;
        let place = Place {
            source: sources[usize::from(is_send)].clone(),
            partition: self.partition,
            offset: self.offset,
            time: self.record.time.0,
        };
        let form = if is_send { Form::Send } else { Form::Webhook };
        decode(keys, form, &place, &self.record.value)
    }

    /// The numbers that the record names as senders, as far as its bytes show them.
    #[must_use]
    pub fn senders(&self) -> Vec<&str> {
        const KEY: &[u8] = b"\"phone_number_id\":\"";
        let bytes = &self.record.value;
        let starts = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(KEY));
        let named = starts.filter_map(|at| {
            let rest = &bytes[at + KEY.len()..];
            let end = rest.iter().position(|byte| *byte == b'"')?;
            std::str::from_utf8(&rest[..end]).ok()
        });
        named.collect()
    }
}
