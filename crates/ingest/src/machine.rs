//! The state: partitions and how far each was read, the open batch, the one commit in flight.
//!
//! What the open batch holds needs no list of its own: of each partition it is everything from
//! the end of the flight (or the stored offset) up to the partition's position.

use std::collections::{BTreeMap, BTreeSet};

use turnwise_model::{EventBatch, Millis, Offset, SourcePartition};

use crate::counters::Counters;
use crate::cut::{CutError, without};
use crate::flight::{Flight, Part, Place, place};
use crate::partition::Partition;
use crate::port::{CommitId, CutId, Epoch, Input, ReadTo, Wish};
use crate::settings::Settings;

#[cfg(test)]
mod tests;

/// The machine.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    now_ms: i64,
    partitions: BTreeMap<SourcePartition, Partition>,
    /// Rows cut from the decoder and not in flight yet.
    open_batches: Vec<EventBatch>,
    /// When the open batch began.
    opened_ms: Option<i64>,
    flight: Option<Flight>,
    /// When the last commit began, for the idle one.
    flown_ms: Option<i64>,
    /// Partitions whose rows the decoder may still hold from an epoch that is over, until this cut.
    dirty: BTreeMap<SourcePartition, CutId>,
    /// The last cut wished and the last answered.
    cut_wished: CutId,
    cut_answered: CutId,
    last_epoch: Epoch,
    last_commit: CommitId,
    paused: bool,
    draining: bool,
    drained: bool,
    counters: Counters,
}

/// The wishes of one input, and the cut among them that later drops can share.
#[derive(Default)]
struct Out {
    wishes: Vec<Wish>,
    cut: Option<CutId>,
}

impl Machine {
    /// A machine that holds no partition.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            now_ms: i64::MIN,
            partitions: BTreeMap::new(),
            open_batches: Vec::new(),
            opened_ms: None,
            flight: None,
            flown_ms: None,
            dirty: BTreeMap::new(),
            cut_wished: CutId(0),
            cut_answered: CutId(0),
            last_epoch: Epoch(0),
            last_commit: CommitId(0),
            paused: false,
            draining: false,
            drained: false,
            counters: Counters::default(),
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Bytes that the decoder, the open batch and the flight hold.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let open: usize = self.partitions.values().map(|partition| partition.open_bytes).sum();
        open + self.flight.as_ref().map_or(0, Flight::bytes)
    }

    /// The partitions that are assigned or not released yet, with the next offset to read.
    pub fn positions(&self) -> impl Iterator<Item = (&SourcePartition, Offset)> {
        self.partitions.iter().map(|(name, partition)| (name, partition.position))
    }

    /// Takes what happened, says what to do. An answer to a question that is over changes nothing.
    ///
    /// # Errors
    /// Where a batch does not say where its rows came from: stop the worker, the lake's offsets stand.
    pub fn handle(&mut self, input: Input, now_ms: i64) -> Result<Vec<Wish>, CutError> {
        self.now_ms = self.now_ms.max(now_ms);
        self.flown_ms.get_or_insert(self.now_ms);
        let mut out = Out::default();
        match input {
            Input::Assigned { partition, stored, first } => {
                self.assign(partition, stored, first, &mut out)?;
            }
            Input::Revoked { partition } => {
                if let Some(known) = self.partitions.get_mut(&partition) {
                    known.revoked = true;
                } else {
                    out.wishes.push(Wish::Released { partition });
                }
            }
            Input::Lost { partition } => {
                self.drop_rows(&partition, &mut out)?;
                self.partitions.remove(&partition);
            }
            Input::Read { partition, epoch, from, to, rows, bytes, read_to } => {
                self.read(&partition, epoch, (from, to), (rows, bytes), read_to, &mut out)?;
            }
            Input::Cut { cut, batches } => self.take_cut(cut, batches)?,
            Input::Committed { id } => self.committed(id, &mut out),
            Input::Ambiguous { id } => self.ambiguous(id, &mut out),
            Input::Offsets { id, stored } => self.decide(id, &stored, &mut out)?,
            Input::Tick => {}
            Input::Drain => self.draining = true,
        }
        self.settle(&mut out);
        Ok(out.wishes)
    }

    fn assign(
        &mut self,
        name: SourcePartition,
        stored: Option<Offset>,
        first: Offset,
        out: &mut Out,
    ) -> Result<(), CutError> {
        if self.partitions.contains_key(&name) {
            self.drop_rows(&name, out)?;
        }
        let (epoch, offset) = (self.next_epoch(), stored.unwrap_or(first));
        let partition = Partition {
            epoch,
            stored,
            first,
            position: offset,
            open: false,
            open_rows: 0,
            open_bytes: 0,
            read_to: None,
            revoked: false,
        };
        self.partitions.insert(name.clone(), partition);
        out.wishes.push(Wish::Seek { partition: name, epoch, offset });
        Ok(())
    }

    fn read(
        &mut self,
        name: &SourcePartition,
        epoch: Epoch,
        (from, to): (Offset, Offset),
        (rows, bytes): (usize, usize),
        read_to: Option<Millis>,
        out: &mut Out,
    ) -> Result<(), CutError> {
        let Some(partition) = self.partitions.get_mut(name).filter(|p| p.epoch == epoch) else {
            self.counters.stale_reads += 1;
            return Ok(());
        };
        // A read that does not go on where the last one ended, or that stands in a batch
        // which also holds rows of an epoch that is over, cannot be told from a repeat or a
        // gap: read the partition again from the lake's offset.
        if from != partition.position || to < from || self.dirty.contains_key(name) {
            self.counters.fenced += 1;
            let stored = partition.stored_or_flown(self.flight.as_ref(), name);
            return self.read_again(name, stored, out);
        }
        if to > from || rows > 0 || partition.stored.is_none() {
            partition.open = true;
            self.opened_ms.get_or_insert(self.now_ms);
        }
        partition.position = to;
        partition.open_rows += rows;
        partition.open_bytes += bytes;
        partition.read_to = partition.read_to.max(read_to);
        Ok(())
    }

    fn take_cut(&mut self, cut: CutId, batches: Vec<EventBatch>) -> Result<(), CutError> {
        if cut <= self.cut_answered || cut > self.cut_wished {
            return Ok(());
        }
        self.cut_answered = cut;
        // Rows of a dropped partition can stand in every batch up to the cut that its drop wished.
        let dropped = self.dirty.keys().cloned().collect();
        self.open_batches.extend(without(batches, &dropped)?);
        self.dirty.retain(|_, until| *until > cut);
        if self.flight.is_none() && self.due() {
            self.take_off();
        }
        Ok(())
    }

    /// Makes the open batch the flight. Only right after a cut, while the decoder is empty, or
    /// with nothing open.
    fn take_off(&mut self) {
        let mut parts = BTreeMap::new();
        for (name, partition) in &mut self.partitions {
            if partition.open {
                parts.insert(
                    name.clone(),
                    Part {
                        epoch: partition.epoch,
                        from: partition.stored,
                        to: partition.position,
                        bytes: partition.open_bytes,
                    },
                );
            }
            (partition.open, partition.open_rows, partition.open_bytes) = (false, 0, 0);
        }
        self.last_commit = CommitId(self.last_commit.0 + 1);
        self.opened_ms = None;
        self.flown_ms = Some(self.now_ms);
        self.flight = Some(Flight {
            id: self.last_commit,
            attempt: 0,
            staged_at_ms: self.now_ms,
            parts,
            batches: std::mem::take(&mut self.open_batches),
            read_to: self.read_to(),
        });
    }

    fn read_to(&self) -> Vec<ReadTo> {
        self.partitions
            .iter()
            .filter_map(|(name, partition)| {
                partition.read_to.map(|time| ReadTo { partition: name.clone(), time })
            })
            .collect()
    }

    fn committed(&mut self, id: CommitId, out: &mut Out) {
        if let Some(flight) = self.flight.take_if(|flight| flight.id == id) {
            let done = flight.parts.into_iter().collect();
            self.land(done, out);
        }
    }

    /// Parts that are in the lake: go on behind them.
    fn land(&mut self, done: Vec<(SourcePartition, Part)>, out: &mut Out) {
        self.counters.commits += 1;
        let mut offsets = Vec::with_capacity(done.len());
        for (name, part) in done {
            if let Some(partition) = self.live(&name, part.epoch) {
                partition.stored = Some(part.to);
                offsets.push((name, part.to));
            }
        }
        if !offsets.is_empty() {
            out.wishes.push(Wish::StoreOffsets(offsets));
        }
    }

    fn ambiguous(&mut self, id: CommitId, out: &mut Out) {
        let Some(flight) = self.flight.as_ref().filter(|flight| flight.id == id) else {
            return;
        };
        self.counters.ambiguous += 1;
        if flight.parts.is_empty() {
            // It said only up to when partitions were read; the next one says it again.
            self.flight = None;
            return;
        }
        let partitions = flight.parts.keys().cloned().collect();
        out.wishes.push(Wish::ReadOffsets { id, partitions });
    }

    /// Law 2: what became of the flight, by offsets alone.
    fn decide(
        &mut self,
        id: CommitId,
        stored: &BTreeMap<SourcePartition, Offset>,
        out: &mut Out,
    ) -> Result<(), CutError> {
        let Some(mut flight) = self.flight.take_if(|flight| flight.id == id) else {
            return Ok(());
        };
        let (mut again, mut done, mut gone) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        for (name, part) in std::mem::take(&mut flight.parts) {
            let lake = stored.get(&name).copied();
            let live = self.live(&name, part.epoch).is_some();
            match place(part.from, part.to, lake) {
                Place::In => done.push((name, part)),
                Place::Before if live => {
                    again.insert(name, part);
                }
                // A bad read made reading go on behind the flight, which is not in after all.
                Place::Before | Place::Elsewhere => {
                    if live || self.goes_on_at(&name, part.to) {
                        self.counters.fenced += 1;
                        self.read_again(&name, lake, out)?;
                    }
                    gone.insert(name);
                }
            }
        }
        let same = done.is_empty() && gone.is_empty();
        gone.extend(done.iter().map(|(name, _)| name.clone()));
        if !done.is_empty() {
            self.land(done, out);
        }
        if again.is_empty() {
            return Ok(());
        }
        let out_of_attempts = flight.attempt >= self.settings.commit_attempts_max;
        if out_of_attempts || (same && self.too_old(&flight)) {
            if out_of_attempts {
                self.counters.attempt_drops += 1;
            } else {
                self.counters.deadline_drops += 1;
            }
            for (name, part) in again {
                self.read_again(&name, part.from, out)?;
            }
            return Ok(());
        }
        if !same {
            // Other content: another id, whose files are staged anew.
            self.last_commit = CommitId(self.last_commit.0 + 1);
            flight.id = self.last_commit;
            flight.staged_at_ms = self.now_ms;
            flight.batches = without(std::mem::take(&mut flight.batches), &gone)?;
            flight.read_to.retain(|read| again.contains_key(&read.partition));
        }
        flight.parts = again;
        self.attempt(flight, out);
        Ok(())
    }

    fn too_old(&self, flight: &Flight) -> bool {
        self.now_ms.saturating_sub(flight.staged_at_ms) >= self.settings.commit_deadline_ms
    }

    fn attempt(&mut self, mut flight: Flight, out: &mut Out) {
        flight.attempt += 1;
        self.counters.attempts += 1;
        out.wishes.push(flight.wish(self.settings.commit_deadline_ms));
        self.flight = Some(flight);
    }

    /// Drops what was read of a partition and reads it again from the lake's offset.
    fn read_again(
        &mut self,
        name: &SourcePartition,
        stored: Option<Offset>,
        out: &mut Out,
    ) -> Result<(), CutError> {
        self.drop_rows(name, out)?;
        let epoch = self.next_epoch();
        let Some(partition) = self.partitions.get_mut(name) else { return Ok(()) };
        partition.epoch = epoch;
        partition.stored = stored;
        partition.position = stored.unwrap_or(partition.first);
        partition.read_to = None;
        if !partition.revoked {
            let offset = partition.position;
            out.wishes.push(Wish::Seek { partition: name.clone(), epoch, offset });
        }
        Ok(())
    }

    /// Drops what the open batch holds of a partition, and what the decoder may hold at its next cut.
    fn drop_rows(&mut self, name: &SourcePartition, out: &mut Out) -> Result<(), CutError> {
        let Some(partition) = self.partitions.get_mut(name) else { return Ok(()) };
        (partition.open, partition.open_rows, partition.open_bytes) = (false, 0, 0);
        self.open_batches =
            without(std::mem::take(&mut self.open_batches), &BTreeSet::from([name.clone()]))?;
        let cut = self.wish_cut(out);
        self.dirty.insert(name.clone(), cut);
        Ok(())
    }

    fn wish_cut(&mut self, out: &mut Out) -> CutId {
        *out.cut.get_or_insert_with(|| {
            self.cut_wished = CutId(self.cut_wished.0 + 1);
            out.wishes.push(Wish::Cut { cut: self.cut_wished });
            self.cut_wished
        })
    }

    /// What follows from the state after any input.
    fn settle(&mut self, out: &mut Out) {
        if !self.partitions.values().any(|partition| partition.open) {
            self.opened_ms = None;
        }
        if self.flight.is_none() {
            if self.due() && self.cut_wished == self.cut_answered {
                self.wish_cut(out);
            } else if self.idle() {
                self.take_off();
            }
        }
        if let Some(flight) = self.flight.take() {
            if flight.attempt == 0 {
                self.attempt(flight, out);
            } else {
                self.flight = Some(flight);
            }
        }
        self.release(out);
        self.throttle(out);
        let open = self.partitions.values().any(|partition| partition.open);
        if self.draining && !self.drained && !open && self.flight.is_none() {
            self.drained = true;
            out.wishes.push(Wish::Drained);
        }
    }

    /// Whether the open batch shall be committed now.
    fn due(&self) -> bool {
        let Some(opened_ms) = self.opened_ms else { return false };
        let open = self.partitions.values().filter(|partition| partition.open);
        let (mut rows, mut bytes, mut revoked) = (0, 0, false);
        for partition in open {
            rows += partition.open_rows;
            bytes += partition.open_bytes;
            revoked |= partition.revoked;
        }
        revoked
            || self.draining
            || self.now_ms.saturating_sub(opened_ms) >= self.settings.commit_age_ms
            || rows >= self.settings.commit_rows
            || bytes >= self.settings.commit_bytes
    }

    fn idle(&self) -> bool {
        self.opened_ms.is_none()
            && !self.draining
            && self.flown_ms.is_some_and(|flown_ms| {
                self.now_ms.saturating_sub(flown_ms) >= self.settings.idle_commit_ms
            })
            && self.partitions.values().any(|partition| partition.read_to.is_some())
    }

    fn release(&mut self, out: &mut Out) {
        let flight = self.flight.as_ref();
        let released: Vec<SourcePartition> = self
            .partitions
            .iter()
            .filter(|(name, partition)| {
                partition.revoked && !partition.open && !partition.flies(flight, name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for partition in released {
            self.partitions.remove(&partition);
            out.wishes.push(Wish::Released { partition });
        }
    }

    fn throttle(&mut self, out: &mut Out) {
        let held = self.held_bytes();
        if !self.paused && held >= self.settings.buffer_bytes_max {
            self.paused = true;
            self.counters.pauses += 1;
            out.wishes.push(Wish::Pause);
        } else if self.paused && held < self.settings.buffer_bytes_max.div_ceil(2) {
            self.paused = false;
            out.wishes.push(Wish::Resume);
        }
    }

    fn live(&mut self, name: &SourcePartition, epoch: Epoch) -> Option<&mut Partition> {
        self.partitions.get_mut(name).filter(|partition| partition.epoch == epoch)
    }

    fn goes_on_at(&self, name: &SourcePartition, offset: Offset) -> bool {
        self.partitions.get(name).is_some_and(|partition| partition.stored == Some(offset))
    }

    fn next_epoch(&mut self) -> Epoch {
        self.last_epoch = Epoch(self.last_epoch.0 + 1);
        self.last_epoch
    }
}
