//! The ingest role: drives consumer, decoder and machine on one thread.
//!
//! ```text
//!  poll ─▶ assigned: offsets of the lake ─▶ machine ─▶ Seek ─▶ consumer
//!  read ─▶ decode ─▶ Read ─▶ machine ─▶ Cut, Commit ─▶ lake ─▶ Committed ─▶ StoreOffsets
//! ```
//!
//! Commits run on this thread: while one runs, the client fetches ahead into its bounded queues.
//! So what the decoder says reaches the machine in the order in which it happened. One try at a
//! commit is one turn: a lake that cannot be reached holds up neither the group's events nor the
//! end of the process.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use metrics::{counter, gauge};
use turnwise_codec::{Decoder, Format, RecordContext, RecordCounts};
use turnwise_ingest::{Epoch, Input, Machine, Settings, Wish};
use turnwise_kafka::{Consumer, ConsumerConfig, Event, StartOffset, TopicPartition};
use turnwise_lake::Table;
use turnwise_model::limits::RELEASE_MS;
use turnwise_model::{Keys, Offset, SourceName, SourcePartition};

use crate::clock;
use crate::config::{KafkaConfig, Start};
use crate::roles::Shared;
use crate::writer::{self, EventWriter};

/// Records of one partition that are decoded before others have their turn.
const RECORDS_AT_ONCE: usize = 2_000;
/// How long to wait for records where there are none.
const IDLE: Duration = Duration::from_millis(50);
/// How often lag and the time of the last commit are told.
const TELL_EVERY_MS: i64 = 5_000;
/// Partitions that the budget of bytes is divided by: how many one process may hold within it.
const PARTITIONS_PLANNED: usize = 128;
/// The part's name in probes.
pub(crate) const PART: &str = "ingest";
/// A loop that stood still for so long is dead.
const STUCK_MS: i64 = 120_000;
/// How long partitions that are to be given back, or all of them at the end, are tried to be
/// committed.
const RELEASE: Duration = Duration::from_millis(RELEASE_MS);
/// How long new partitions are tried to be taken on; after that the group hands them to others.
const TAKEN_WITHIN: Duration = Duration::from_secs(120);
/// Pause between two tries.
const TAKE_AGAIN_AFTER: Duration = Duration::from_secs(1);

struct Held {
    source: SourcePartition,
    format: Format,
    epoch: Option<Epoch>,
    position: Offset,
}

/// Partitions with the lake's offsets, and where reading each begins.
type Taken =
    (Vec<(TopicPartition, SourcePartition, Option<Offset>)>, Vec<(TopicPartition, Offset)>);

/// One member of the consumer group.
pub(crate) struct IngestRole {
    shared: Arc<Shared>,
    kafka: KafkaConfig,
    table: Arc<Table>,
    consumer: Consumer,
    machine: Machine,
    decoder: Decoder,
    writer: EventWriter,
    held: BTreeMap<TopicPartition, Held>,
    released: Vec<SourcePartition>,
    /// The machine's wish of the lake that is not carried out yet; it has one at a time.
    waiting: Option<Wish>,
    is_paused: bool,
    is_drained: bool,
    told_ms: i64,
    records: u64,
}

impl IngestRole {
    /// Joins the group.
    ///
    /// # Errors
    /// A configuration without `[kafka]`; a cluster or lake that does not answer.
    pub(crate) fn new(shared: &Arc<Shared>, keys: Keys) -> anyhow::Result<Self> {
        let config = &shared.config;
        let kafka =
            config.kafka.clone().context("start ingest: the configuration has no [kafka]")?;
        let table = Arc::new(writer::events_table(&shared.lake).context("open events")?);
        let consumer = Consumer::new(&ConsumerConfig {
            brokers: kafka.brokers.join(","),
            group: kafka.group.clone(),
            member: kafka.member.clone(),
            topics: kafka.topics(),
            properties: kafka.properties.clone(),
            topic_ids: kafka.topic_ids,
            partition_buffer_bytes: config.buffer_bytes / PARTITIONS_PLANNED,
        })
        .context("join the consumer group")?;
        let settings = Settings {
            commit_age_ms: config.commit_age_ms,
            commit_bytes: config.commit_bytes,
            buffer_bytes_max: config.buffer_bytes,
            ..Settings::default()
        };
        shared.health.set_ready(PART, false);
        Ok(Self {
            shared: Arc::clone(shared),
            kafka,
            writer: EventWriter::new(Arc::clone(&table), &config.ingest_name),
            table,
            consumer,
            machine: Machine::new(settings),
            decoder: Decoder::new(keys),
            held: BTreeMap::new(),
            released: Vec::new(),
            waiting: None,
            is_paused: false,
            is_drained: false,
            told_ms: 0,
            records: 0,
        })
    }

    /// Reads until the process is to end, then commits what was read.
    ///
    /// # Errors
    /// A client that is lost; a machine that refuses what it was told.
    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        self.shared.health.watch(PART, STUCK_MS, clock::now());
        while !self.shared.stop.is_set() {
            for event in self.consumer.poll(Duration::ZERO) {
                self.happened(event)?;
            }
            let read = if self.is_paused { 0 } else { self.read()? };
            self.tell(Input::Tick)?;
            self.report();
            if read == 0 {
                self.consumer.wait(IDLE);
            }
        }
        self.shared.health.set_ready(PART, false);
        self.tell_within(Input::Drain, RELEASE)?;
        if !self.is_drained {
            // What is not committed is read again by the next.
            tracing::warn!("ended before everything read was committed");
        }
        self.shared.health.unwatch(PART);
        tracing::info!(records = self.records, "ingest ended");
        Ok(())
    }

    fn happened(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Assigned(partitions) => self.assigned(&partitions)?,
            Event::Revoked(partitions) => {
                let until = Instant::now() + RELEASE;
                for source in self.sources(&partitions) {
                    let left = until.saturating_duration_since(Instant::now());
                    self.tell_within(Input::Revoked { partition: source.clone() }, left)?;
                    if !self.released.contains(&source) {
                        // The lake does not take it now: the next owner reads it again.
                        self.tell(Input::Lost { partition: source })?;
                    }
                }
                self.give_back(&partitions)?;
            }
            Event::Lost(partitions) => {
                for source in self.sources(&partitions) {
                    self.tell(Input::Lost { partition: source })?;
                }
                self.give_back(&partitions)?;
            }
            Event::OffsetsLost { partition, from, to } => {
                counter!("turnwise_ingest_lost_records_total")
                    .increment(u64::try_from(to.0 - from.0).unwrap_or_default());
                self.stopped();
                tracing::error!(%partition, from = from.0, to = to.0,
                    "retention took records before they were read; the partition has stopped");
            }
            Event::LogTruncated { partition, position, end } => {
                self.stopped();
                tracing::error!(%partition, position = position.0, end = end.0,
                    "the broker's log ends before what the lake holds; the partition has stopped");
            }
            Event::Unreadable { partition, offset, reason } => {
                self.stopped();
                tracing::error!(%partition, offset = offset.0, reason,
                    "the client cannot decode a record; the partition has stopped");
            }
            Event::TopicRecreated { topic, was, now } => {
                self.stopped();
                tracing::error!(
                    topic,
                    was,
                    now,
                    "the topic was deleted and made again; its partitions have stopped"
                );
            }
            Event::TopicMissing { topic } => {
                self.stopped();
                tracing::error!(topic, "the topic is gone");
            }
            Event::PartitionsAdded { topic, partitions } => {
                tracing::info!(topic, partitions, "the topic has more partitions");
            }
            Event::CommitFailed { reason } => {
                tracing::warn!(reason, "offsets for lag tools not stored");
            }
            Event::Error { kind, fatal, reason } => {
                counter!("turnwise_kafka_errors_total", "kind" => kind.name()).increment(1);
                if fatal {
                    bail!("the Kafka client is lost: {reason}");
                }
                tracing::warn!(%kind, reason, "Kafka");
            }
            _ => {}
        }
        Ok(())
    }

    fn stopped(&self) {
        counter!("turnwise_ingest_stopped_partitions_total").increment(1);
    }

    fn sources(&self, partitions: &[TopicPartition]) -> Vec<SourcePartition> {
        let held = partitions.iter().filter_map(|partition| self.held.get(partition));
        held.map(|held| held.source.clone()).collect()
    }

    fn give_back(&mut self, partitions: &[TopicPartition]) -> anyhow::Result<()> {
        for partition in partitions {
            self.held.remove(partition);
        }
        self.shared.tell_held(self.held.keys());
        self.released.clear();
        self.consumer.unassign(partitions).context("give partitions back")
    }

    /// Starts each partition where the lake says, else where the configuration does. Tries again
    /// where lake or cluster do not answer: the next start would not be luckier.
    fn assigned(&mut self, partitions: &[TopicPartition]) -> anyhow::Result<()> {
        let begun = Instant::now();
        let (held, resolved) = loop {
            match self.take_on(partitions) {
                Ok(taken) => break taken,
                Err(error) if begun.elapsed() > TAKEN_WITHIN || self.shared.stop.is_set() => {
                    return Err(error);
                }
                Err(error) => tracing::warn!("partitions not taken on: {error:#}"),
            }
            std::thread::sleep(TAKE_AGAIN_AFTER);
        };
        for ((partition, source, stored), (_, first)) in held.into_iter().zip(resolved) {
            let format = self.kafka.format_of(&partition.topic);
            tracing::info!(%partition, offset = first.0, %format, "reading");
            let state = Held { source: source.clone(), format, epoch: None, position: first };
            self.held.insert(partition, state);
            self.tell(Input::Assigned { partition: source, stored, first })?;
        }
        self.shared.tell_held(self.held.keys());
        Ok(())
    }

    fn take_on(&mut self, partitions: &[TopicPartition]) -> anyhow::Result<Taken> {
        self.table.refresh().context("read offsets")?;
        let (mut starts, mut held) = (Vec::new(), Vec::new());
        for partition in partitions {
            let name: SourceName = partition.source_name(self.consumer.cluster_id());
            let source = SourcePartition { source: name, partition: partition.partition };
            let stored = self.writer.stored(&source);
            let start = match (stored, self.kafka.start) {
                (Some(offset), _) => StartOffset::Offset(offset),
                // Partitions that were added to a topic that is being read hold nothing old.
                (None, _) if self.writer.knows(&source.source) => StartOffset::Earliest,
                (None, Start::Earliest) => StartOffset::Earliest,
                (None, Start::Latest) => StartOffset::Latest,
                (None, Start::At(time)) => StartOffset::Time(time),
            };
            starts.push((partition.clone(), start));
            held.push((partition.clone(), source, stored));
        }
        Ok((held, self.consumer.assign(&starts).context("take partitions on")?))
    }

    /// Gives every partition its turn; returns the records read.
    fn read(&mut self) -> anyhow::Result<usize> {
        let partitions: Vec<TopicPartition> = self.held.keys().cloned().collect();
        let mut records = 0;
        for partition in partitions {
            let Some(held) = self.held.get_mut(&partition) else { continue };
            let Some(epoch) = held.epoch else { continue };
            let from = held.position;
            let (rows, bytes) = (self.decoder.rows(), self.decoder.bytes());
            let (decoder, source, format) = (&mut self.decoder, &held.source, held.format);
            let (mut counts, mut last) = (RecordCounts::default(), None);
            let has_headers = matches!(format, Format::Auto | Format::CloudEvents);
            let read_time = clock::now();
            let (end, event) = self.consumer.read(&partition, RECORDS_AT_ONCE, &mut |record| {
                let context = RecordContext {
                    source: &source.source,
                    partition: source.partition,
                    offset: record.offset,
                    record_time: record.time,
                    read_time,
                };
                let headers = if has_headers { record.headers() } else { Vec::new() };
                counts += decoder.decode_with_headers(format, &context, &headers, record.value);
                last = record.time.max(last);
            })?;
            held.position = end.position;
            records += end.records;
            count(&counts);
            // Shown beside files of a scan; here every one is a row and a count.
            self.decoder.take_dead_letters();
            let source = held.source.clone();
            if end.records > 0 || end.at_end {
                let rows = self.decoder.rows().saturating_sub(rows);
                let bytes = self.decoder.bytes().saturating_sub(bytes);
                self.tell(Input::Read {
                    partition: source,
                    epoch,
                    from,
                    to: end.position,
                    rows,
                    bytes,
                    read_to: if end.at_end { Some(read_time) } else { last },
                })?;
            }
            if let Some(event) = event {
                self.happened(event)?;
            }
            if self.is_paused || self.shared.stop.is_set() {
                break;
            }
        }
        self.records += u64::try_from(records).unwrap_or_default();
        Ok(records)
    }

    /// Tells the machine something and carries out what it wishes, of the lake one try.
    fn tell(&mut self, input: Input) -> anyhow::Result<()> {
        self.tell_within(input, Duration::ZERO)
    }

    /// The same, and goes on trying until the machine has no wish of the lake any more or the time
    /// is up; then the wish waits for the next turn.
    fn tell_within(&mut self, input: Input, within: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut wishes: VecDeque<Wish> = self.machine.handle(input, clock::now().0)?.into();
        loop {
            while let Some(wish) = wishes.pop_front() {
                if let Some(answer) = self.obey(wish)? {
                    wishes.extend(self.machine.handle(answer, clock::now().0)?);
                }
            }
            let Some(wish) = self.waiting.take() else { return Ok(()) };
            let is_commit = matches!(wish, Wish::Commit { .. });
            let answer = self.writer.carry_out(wish);
            if is_commit {
                self.committed(answer.as_ref());
            }
            let is_in = matches!(answer, Some(Input::Committed { .. }));
            if let Some(answer) = answer {
                wishes.extend(self.machine.handle(answer, clock::now().0)?);
            }
            if !is_in && begun.elapsed() >= within {
                break;
            }
        }
        // What is not of the lake is done at once, whatever the lake does.
        while let Some(wish) = wishes.pop_front() {
            if let Some(answer) = self.obey(wish)? {
                wishes.extend(self.machine.handle(answer, clock::now().0)?);
            }
        }
        Ok(())
    }

    /// Carries out a wish, or keeps the one of the lake for its turn; returns the answer.
    fn obey(&mut self, wish: Wish) -> anyhow::Result<Option<Input>> {
        match wish {
            Wish::Cut { cut } => {
                return Ok(Some(Input::Cut { cut, batches: self.decoder.finish() }));
            }
            Wish::Commit { .. } | Wish::ReadOffsets { .. } => self.waiting = Some(wish),
            Wish::Seek { partition, epoch, offset } => self.seek(&partition, epoch, offset)?,
            Wish::StoreOffsets(offsets) => self.store(&offsets),
            Wish::Released { partition } => self.released.push(partition),
            Wish::Pause => self.is_paused = true,
            Wish::Resume => self.is_paused = false,
            Wish::Drained => self.is_drained = true,
        }
        Ok(None)
    }

    fn seek(
        &mut self,
        partition: &SourcePartition,
        epoch: Epoch,
        offset: Offset,
    ) -> anyhow::Result<()> {
        let found = self.held.iter_mut().find(|(_, held)| held.source == *partition);
        if let Some((key, held)) = found {
            self.consumer.seek(key, offset).context("seek")?;
            (held.epoch, held.position) = (Some(epoch), offset);
        }
        Ok(())
    }

    /// Kafka's own offsets are for lag tools: the lake has the truth.
    fn store(&self, offsets: &[(SourcePartition, Offset)]) {
        let offsets: Vec<(TopicPartition, Offset)> = offsets
            .iter()
            .filter_map(|(source, offset)| {
                let found = self.held.iter().find(|(_, held)| held.source == *source);
                found.map(|(key, _)| (key.clone(), *offset))
            })
            .collect();
        if let Err(error) = self.consumer.store_committed(&offsets) {
            tracing::warn!(error = %writer::chain(&error), "offsets for lag tools not stored");
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in a double")]
    fn committed(&self, answer: Option<&Input>) {
        let is_in = matches!(answer, Some(Input::Committed { .. }));
        let outcome = if is_in { "committed" } else { "ambiguous" };
        counter!("turnwise_ingest_commits_total", "outcome" => outcome).increment(1);
        if is_in {
            self.shared.health.set_ready(PART, true);
            let seconds = clock::now().0 as f64 / 1_000.0;
            gauge!("turnwise_ingest_last_commit_timestamp_seconds").set(seconds);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a lag is shown, not computed with")]
    fn report(&mut self) {
        let now = clock::now();
        if now.0 - self.told_ms < TELL_EVERY_MS {
            return;
        }
        self.told_ms = now.0;
        self.shared.health.beat(PART, now);
        if !self.held.is_empty() || self.consumer.has_joined() {
            self.shared.health.set_ready(PART, true);
        }
        let lag: i64 = self.held.keys().filter_map(|key| self.consumer.lag(key)).sum();
        gauge!("turnwise_ingest_lag_records").set(lag as f64);
        gauge!("turnwise_ingest_assigned_partitions").set(self.held.len() as f64);
        gauge!("turnwise_ingest_held_bytes").set(self.machine.held_bytes() as f64);
        counter!("turnwise_ingest_untimed_rows_total").absolute(self.decoder.untimed());
        let long_way = self.decoder.read_the_long_way();
        counter!("turnwise_ingest_long_way_records_total").absolute(long_way);
        for (field, count) in self.decoder.unknown_fields() {
            counter!("turnwise_ingest_unknown_fields_total", "field" => field).absolute(count);
        }
    }
}

fn count(counts: &RecordCounts) {
    for (kind, rows) in [
        ("message", counts.messages),
        ("status", counts.statuses),
        ("history", counts.history),
        ("account", counts.account_events),
        ("ignored", counts.ignored),
        ("dead_letter", counts.dead_letters),
    ] {
        if rows > 0 {
            counter!("turnwise_ingest_rows_total", "kind" => kind).increment(rows);
        }
    }
}
