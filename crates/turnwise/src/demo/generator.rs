//! Sends the generated records to the mock cluster, a little ahead of the lake's offsets.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use turnwise_kafka::{MockCluster, Producer, TopicPartition};
use turnwise_lake::Table;
use turnwise_model::ids::sender_bucket;
use turnwise_model::{PartitionId, SourcePartition};
use turnwise_traffic::{Plan, Topic, Traffic};

use crate::demo::PARTITIONS;
use crate::roles::Shared;
use crate::writer::{self, EventWriter};

/// Bytes of a partition that the lake may be behind: the mock cluster keeps 5 MiB.
const AHEAD_BYTES_MAX: usize = 2 << 20;
/// How long to wait for the lake.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the last records may take to be acknowledged.
const FLUSH_WITHIN: Duration = Duration::from_secs(60);

/// How far generator and lake are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    sent: Arc<AtomicU64>,
    committed: Arc<AtomicU64>,
    is_committed: Arc<AtomicBool>,
}

impl Progress {
    /// Whether everything that was generated is in the lake.
    pub(crate) fn is_committed(&self) -> bool {
        self.is_committed.load(Ordering::SeqCst)
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (sent, committed) = (load(&self.sent), load(&self.committed));
        format!("{sent} records generated, {committed} in the lake")
    }
}

/// One partition as the generator sees it.
struct Lane {
    partition: i32,
    source: SourcePartition,
    sent: i64,
    committed: i64,
    /// Bytes of each record that the lake does not have yet.
    ahead: VecDeque<usize>,
    ahead_bytes: usize,
}

/// Sends a plan's records.
pub(crate) struct Generator {
    shared: Arc<Shared>,
    table: Arc<Table>,
    writer: EventWriter,
    producer: Producer,
    plan: Plan,
    topics: [String; 2],
    lanes: [Vec<Lane>; 2],
    progress: Progress,
}

impl Generator {
    /// To topics of the cluster, whose records the lake names by its own sources.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        cluster: &MockCluster,
        plan: Plan,
        topics: [String; 2],
        progress: Progress,
    ) -> anyhow::Result<Self> {
        let table = Arc::new(writer::events_table(&shared.lake).context("open events")?);
        let producer = Producer::new(&cluster.bootstrap()).context("start the producer")?;
        let cluster_id = producer.cluster_id().context("ask the mock cluster for its id")?;
        let lanes = [&topics[0], &topics[1]].map(|topic| {
            let lane = |number| {
                let partition = PartitionId(number);
                let known = TopicPartition { topic: topic.clone(), topic_id: None, partition };
                let source = known.source_name(&cluster_id);
                Lane {
                    partition: number,
                    source: SourcePartition { source, partition },
                    sent: 0,
                    committed: 0,
                    ahead: VecDeque::new(),
                    ahead_bytes: 0,
                }
            };
            (0..PARTITIONS).map(lane).collect()
        });
        Ok(Self {
            writer: EventWriter::new(Arc::clone(&table), &shared.config.ingest_name),
            shared: Arc::clone(shared),
            table,
            producer,
            plan,
            topics,
            lanes,
            progress,
        })
    }

    /// Sends everything, then waits until it is in the lake.
    ///
    /// # Errors
    /// A cluster or lake that fails.
    pub(crate) fn run(mut self) -> anyhow::Result<()> {
        for record in Traffic::new(self.plan.clone()) {
            let topic = usize::from(record.topic == Topic::Sends);
            let key = String::from_utf8_lossy(&record.key);
            let lane = usize::try_from(sender_bucket(&key) % PARTITIONS).unwrap_or_default();
            while self.lanes[topic][lane].ahead_bytes > AHEAD_BYTES_MAX {
                if self.shared.stop.is_set() {
                    return Ok(());
                }
                self.look()?;
            }
            let (time, name) = (Some(record.time), &self.topics[topic]);
            let partition = Some(self.lanes[topic][lane].partition);
            self.producer.send(name, partition, &record.key, &record.value, time)?;
            let lane = &mut self.lanes[topic][lane];
            lane.sent += 1;
            lane.ahead.push_back(record.value.len());
            lane.ahead_bytes += record.value.len();
            self.progress.sent.fetch_add(1, Ordering::Relaxed);
        }
        self.producer.flush(FLUSH_WITHIN).context("send the last records")?;
        while !self.shared.stop.is_set() {
            let all = self.lanes.iter().flatten().all(|lane| lane.committed == lane.sent);
            if all {
                self.progress.is_committed.store(true, Ordering::SeqCst);
                break;
            }
            self.look()?;
        }
        Ok(())
    }

    /// Learns how far the lake is.
    fn look(&mut self) -> anyhow::Result<()> {
        std::thread::sleep(PAUSE);
        self.table.refresh().context("read offsets")?;
        let mut committed = 0;
        for lane in self.lanes.iter_mut().flatten() {
            let stored = self.writer.stored(&lane.source).map_or(0, |offset| offset.0);
            while lane.committed < stored {
                lane.committed += 1;
                lane.ahead_bytes -= lane.ahead.pop_front().unwrap_or_default();
            }
            committed += u64::try_from(lane.committed).unwrap_or_default();
        }
        self.progress.committed.store(committed, Ordering::Relaxed);
        Ok(())
    }
}
