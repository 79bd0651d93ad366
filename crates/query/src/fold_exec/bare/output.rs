//! One output partition of the fold of bare messages: reads pieces, folds its rows, emits.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, RecordOutput, Time,
};
use futures::StreamExt;
use turnwise_kernels::fold::bare::{
    BareBatch, BareColumns, BareFolder, BareRow, Bucket, Frontier, Scatter,
};
use turnwise_model::conversation::column;

use super::Place;
use super::spill::Spill;
use super::work::{Held, Next, Part, Work};
use crate::bare::{BareReader, UNTIMELY};

/// Rows that a bucket should have, so that folding it stays in the caches of a core.
const BUCKET_ROWS: usize = 64 << 10;
/// Fewest and most buckets of one output.
const BUCKETS: (usize, usize) = (16, 512);
/// Heap bytes that folding takes for each row of a bucket, its own left out: its number, its word
/// as it came and in order, and the table of pairs.
const SCRATCH_BYTES: usize = 48;

/// Where messages come from.
pub(super) struct Source {
    pub input: Arc<dyn ExecutionPlan>,
    pub reader: BareReader,
    pub context: Arc<TaskContext>,
}

/// One output partition.
pub(super) struct Output {
    place: Place,
    source: Source,
    work: Arc<Work>,
    schema: SchemaRef,
    spill: Spill,
    buckets: usize,
    /// The round that is to be folded.
    round: usize,
    open: Option<Open>,
    folding: Option<Folding>,
    folder: BareFolder,
    /// By bucket the rows of conversations that are not complete.
    kept: Vec<Vec<BareRow>>,
    ready: VecDeque<RecordBatch>,
    /// Of rows that were read and are not folded.
    rows: Arc<MemoryReservation>,
    /// Of rows that were read back from disk.
    restored: MemoryReservation,
    /// Of all else.
    working: MemoryReservation,
    figures: Figures,
}

/// What this output has read of a round and not committed.
struct Open {
    work: Arc<Work>,
    round: usize,
    pieces: Vec<usize>,
    scatter: Scatter,
    /// By output, what is on disk already.
    spilled: Vec<Vec<Part>>,
    reserved: usize,
    committed: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.committed {
            self.work.give_back(self.round, &self.pieces);
        }
    }
}

/// The rows of a round that this output folds, bucket by bucket, or group by group from disk.
struct Folding {
    parts: Vec<Part>,
    frontier: Frontier,
    is_last: bool,
    next: usize,
}

/// What an output tells of its work.
struct Figures {
    read_time: Time,
    rows: Count,
    ignored: Count,
    repeats: Count,
    rounds: Count,
    baseline: BaselineMetrics,
}

impl Output {
    pub fn new(
        place: Place,
        source: Source,
        work: Arc<Work>,
        schema: SchemaRef,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Self {
        let rows = work.rounds().iter().map(|round| round.rows).max().unwrap_or(0);
        let buckets = (rows / place.of / BUCKET_ROWS).next_power_of_two();
        let buckets = buckets.clamp(BUCKETS.0, BUCKETS.1);
        let consumer =
            |what: &str| MemoryConsumer::new(format!("FoldExec[{}] {what}", place.partition));
        let pool = source.context.memory_pool();
        let counter = |name| MetricBuilder::new(metrics).counter(name, place.partition);
        Self {
            spill: Spill::new(&source.context, metrics, place.partition, buckets),
            rows: Arc::new(consumer("rows").with_can_spill(true).register(pool)),
            restored: consumer("from disk").register(pool),
            working: consumer("working").register(pool),
            figures: Figures {
                read_time: MetricBuilder::new(metrics).subset_time("read_time", place.partition),
                rows: counter("rows_folded"),
                ignored: counter("rows_ignored"),
                repeats: counter("repeats_dropped"),
                rounds: counter("rounds_folded"),
                baseline: BaselineMetrics::new(metrics, place.partition),
            },
            place,
            source,
            work,
            schema,
            buckets,
            round: 0,
            open: None,
            folding: None,
            folder: BareFolder::default(),
            kept: vec![Vec::new(); buckets],
            ready: VecDeque::new(),
        }
    }

    /// The next batch of conversations.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch.record_output(&self.figures.baseline)));
            }
            if self.folding.is_some() {
                self.fold_next().await?;
                continue;
            }
            let work = Arc::clone(&self.work);
            let mut changed = std::pin::pin!(work.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            let open = self.open.as_ref().map(|open| open.round);
            match work.next(self.place.partition, self.round, open) {
                Next::Fold(parts) => self.begin(parts)?,
                Next::Read { round, piece } => self.read(round, piece).await?,
                Next::Commit => self.commit()?,
                Next::Wait => changed.await,
                Next::End => {
                    self.figures.baseline.done();
                    return Ok(None);
                }
            }
        }
    }

    /// Reads a piece into the buckets of its round.
    async fn read(&mut self, round: usize, piece: usize) -> Result<()> {
        let open = self.open.get_or_insert_with(|| Open {
            work: Arc::clone(&self.work),
            round,
            pieces: Vec::new(),
            scatter: Scatter::new(self.place.of, self.buckets),
            spilled: (0..self.place.of).map(|_| Vec::new()).collect(),
            reserved: 0,
            committed: false,
        });
        open.pieces.push(piece);
        let mut batches = self.source.input.execute(piece, Arc::clone(&self.source.context))?;
        while let Some(batch) = batches.next().await {
            self.take_in(&batch?)?;
        }
        Ok(())
    }

    fn take_in(&mut self, batch: &RecordBatch) -> Result<()> {
        let Some(open) = &mut self.open else { return internal_err!("no round is open") };
        let timer = self.figures.read_time.timer();
        let read = self.source.reader.read(batch, self.place.of)?;
        let scattered = open.scatter.push(&BareBatch {
            parts: &read.parts,
            senders: &read.senders,
            peers: &read.peers,
            times_ms: &read.times_ms,
            directions: &read.directions,
            kinds: &read.kinds,
        });
        timer.done();
        if scattered.untimely > 0 {
            return exec_err!("{UNTIMELY}");
        }
        let ignored = read.incomplete + scattered.undirected;
        self.figures.ignored.add(ignored);
        self.figures.rows.add(batch.num_rows() - ignored);
        self.work.names.try_resize(self.source.reader.sender.size())?;
        let size = open.scatter.size();
        if size > open.reserved {
            if self.rows.try_grow(size - open.reserved).is_err() {
                return self.spill_round();
            }
            open.reserved = size;
        }
        Ok(())
    }

    /// Writes the rows of the open round to disk: this output's, and what others have committed.
    fn spill_round(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return internal_err!("no round is open") };
        for (output, mut held) in self.work.spill(open.round) {
            let bytes: usize = held.buckets.iter().map(Bucket::size).sum();
            let files = self.spill.write(&mut held.buckets)?;
            held.reservation.shrink(bytes.min(held.reservation.size()));
            self.work.add(open.round, output, Part::Spilled(files));
        }
        let mut buckets = open.scatter.take();
        for (of_output, spilled) in buckets.chunks_mut(self.buckets).zip(&mut open.spilled) {
            spilled.push(Part::Spilled(self.spill.write(of_output)?));
        }
        self.rows.shrink(open.reserved.min(self.rows.size()));
        open.reserved = 0;
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| self.work.spills(open.round)) {
            self.spill_round()?;
        }
        let Some(mut open) = self.open.take() else { return internal_err!("no round is open") };
        let spilled = std::mem::take(&mut open.spilled);
        let mut buckets = open.scatter.take();
        let bytes: usize = buckets.iter().map(Bucket::size).sum();
        // The buckets themselves are few, and gone.
        self.rows.shrink(open.reserved.saturating_sub(bytes).min(self.rows.size()));
        let mut parts = Vec::new();
        for spilled in spilled {
            let rest = buckets.split_off(self.buckets.min(buckets.len()));
            let held = Held {
                buckets: std::mem::replace(&mut buckets, rest),
                reservation: Arc::clone(&self.rows),
            };
            parts.push(if spilled.is_empty() { Part::Held(held) } else { joined(spilled) });
        }
        open.committed = true;
        self.work.commit(open.round, parts);
        Ok(())
    }

    /// Begins to fold the rows of a round.
    fn begin(&mut self, mut parts: Vec<Part>) -> Result<()> {
        let held = |parts: &[Part], bucket: usize| -> usize {
            parts.iter().map(|part| part.rows(bucket)).sum()
        };
        let largest = (0..self.buckets).map(|b| held(&parts, b) + self.kept[b].len()).max();
        let scratch = largest.unwrap_or(0) * SCRATCH_BYTES;
        if self.working.try_resize(self.size().max(scratch)).is_err() {
            // What waits to be folded makes room for what is being folded.
            for part in &mut parts {
                if let Part::Held(held) = part {
                    let bytes: usize = held.buckets.iter().map(Bucket::size).sum();
                    let files = self.spill.write(&mut held.buckets)?;
                    held.reservation.shrink(bytes.min(held.reservation.size()));
                    *part = Part::Spilled(files);
                }
            }
        }
        let rounds = self.work.rounds();
        self.figures.rounds.add(1);
        self.folding = Some(Folding {
            parts,
            frontier: rounds[self.round].frontier,
            is_last: self.round + 1 == rounds.len(),
            next: 0,
        });
        Ok(())
    }

    /// Folds the next bucket of the round, or the next group of buckets from disk.
    async fn fold_next(&mut self) -> Result<()> {
        let Some(mut folding) = self.folding.take() else { return Ok(()) };
        let spilled = folding.parts.iter().any(|part| matches!(part, Part::Spilled(_)));
        let units = if spilled { self.spill.groups() } else { self.buckets };
        if folding.next == units {
            self.round += 1;
            return Ok(());
        }
        let unit = folding.next;
        folding.next += 1;
        if spilled {
            let mut files = Vec::new();
            for part in &mut folding.parts {
                if let Part::Spilled(of_part) = part {
                    files.extend(of_part.extract_if(.., |(group, _)| *group == unit));
                }
            }
            let files = files.into_iter().map(|(_, file)| file);
            let buckets = self.spill.read(files, &self.restored).await?;
            for bucket in self.spill.of_group(unit) {
                let mut rows: Vec<&Bucket> = vec![&buckets[bucket]];
                rows.extend(folding.parts.iter().filter_map(|part| part.bucket(bucket)));
                self.fold(bucket, &rows, &folding)?;
            }
            for part in &mut folding.parts {
                if let Part::Held(held) = part {
                    self.spill.of_group(unit).for_each(|bucket| held.release(bucket));
                }
            }
            self.restored.free();
        } else {
            let rows: Vec<&Bucket> =
                folding.parts.iter().filter_map(|part| part.bucket(unit)).collect();
            self.fold(unit, &rows, &folding)?;
            for part in &mut folding.parts {
                if let Part::Held(held) = part {
                    held.release(unit);
                }
            }
        }
        self.folding = Some(folding);
        Ok(())
    }

    fn fold(&mut self, at: usize, buckets: &[&Bucket], folding: &Folding) -> Result<()> {
        let timer = self.figures.baseline.elapsed_compute().timer();
        let rows: usize = buckets.iter().map(|bucket| bucket.rows()).sum();
        let mut kept = std::mem::take(&mut self.kept[at]);
        if !folding.is_last && rows < kept.len() {
            // Rows wait until as many have come, so that none is looked at again and again.
            kept.extend(buckets.iter().flat_map(|bucket| bucket.chunks()).flatten());
            self.kept[at] = kept;
        } else {
            let Self { source, schema, folder, ready, .. } = self;
            let chunks = buckets.iter().flat_map(|bucket| bucket.chunks());
            let chunks = std::iter::once(kept.as_slice()).chain(chunks);
            let mut open = Vec::new();
            let mut emit = |columns: &BareColumns| {
                ready.push_back(batch(columns, schema, &source.reader)?);
                Ok::<_, DataFusionError>(())
            };
            let repeats = folder.fold(chunks, &folding.frontier, &mut open, &mut emit)?;
            self.figures.repeats.add(repeats);
            self.kept[at] = open;
        }
        timer.done();
        let size = self.size();
        if size > self.working.size() { self.working.try_resize(size) } else { Ok(()) }
    }

    /// Heap bytes of all but rows that wait.
    fn size(&self) -> usize {
        let kept: usize = self.kept.iter().map(Vec::capacity).sum();
        let ready: usize = self.ready.iter().map(RecordBatch::get_array_memory_size).sum();
        kept * size_of::<BareRow>() + ready + self.folder.size()
    }
}

impl Part {
    fn bucket(&self, at: usize) -> Option<&Bucket> {
        match self {
            Self::Held(held) => held.buckets.get(at),
            Self::Spilled(_) => None,
        }
    }

    fn rows(&self, bucket: usize) -> usize {
        self.bucket(bucket).map_or(0, Bucket::rows)
    }
}

fn joined(parts: Vec<Part>) -> Part {
    let mut files = Vec::new();
    for part in parts {
        if let Part::Spilled(of_part) = part {
            files.extend(of_part);
        }
    }
    Part::Spilled(files)
}

fn batch(columns: &BareColumns, schema: &SchemaRef, reader: &BareReader) -> Result<RecordBatch> {
    let column = |name: &str| -> Result<ArrayRef> {
        let Some(values) = columns.column(name) else {
            return internal_err!("bare messages do not tell {name}");
        };
        let words = || values.as_primitive::<UInt64Type>();
        match name {
            column::SENDER => reader.sender.values(words()),
            column::PEER => reader.peer.values(words()),
            _ => Ok(values),
        }
    };
    let arrays = schema.fields().iter().map(|field| column(field.name()));
    let arrays = arrays.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(columns.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}
