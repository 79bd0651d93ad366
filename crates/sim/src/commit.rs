//! The steps of a commit, each tried once: stage, check, send; the put lands by itself.

use turnwise_ingest::{CommitId, Input};

use crate::canary::Canary;
use crate::event::{Event, Own, Put};
use crate::lake::Entry;
use crate::worker::Task;
use crate::world::World;

impl World {
    fn task(&self, w: usize, id: CommitId, attempt: u32) -> Option<Task> {
        let task = self.workers[w].task.as_ref()?;
        (task.id == id && task.attempt == attempt).then(|| task.clone())
    }

    /// Whether the store does not answer, or refuses this call.
    fn refused(&mut self) -> bool {
        self.store_down() || (self.faults && self.chance.one_in(self.plan.refused))
    }

    /// The reply that is none.
    fn unclear(&mut self, w: usize, (id, attempt): (CommitId, u32)) {
        let latency = self.chance.latency();
        self.after(w, latency, Own::Reply(id, attempt, None));
    }

    pub(crate) fn stage(&mut self, w: usize, id: CommitId, attempt: u32) {
        if self.task(w, id, attempt).is_none() || self.mishap(w) {
            return;
        }
        if self.refused() {
            return self.unclear(w, (id, attempt));
        }
        // The same id is the same content: its file serves again.
        if self.workers[w].staged.is_none_or(|(staged, _)| staged != id) {
            let file = self.lake.stage(self.now_ms);
            self.workers[w].staged = Some((id, file));
        }
        let latency = self.chance.latency();
        self.after(w, latency, Own::Check(id, attempt));
        self.mishap(w);
    }

    pub(crate) fn check(&mut self, w: usize, id: CommitId, attempt: u32) {
        let Some(task) = self.task(w, id, attempt) else { return };
        if self.mishap(w) {
            return;
        }
        if self.refused() {
            return self.unclear(w, (id, attempt));
        }
        let stored = self.lake.stored();
        if task.ranges.iter().any(|(p, from, _)| stored.get(p) != from.as_ref()) {
            self.tally.offsets_refused += 1;
            return self.unclear(w, (id, attempt));
        }
        let clock_ms = self.now_ms + self.workers[w].clock_ms;
        if clock_ms >= task.deadline_ms && self.canary != Some(Canary::DeadlineIgnored) {
            self.tally.deadline_refused += 1;
            return self.unclear(w, (id, attempt));
        }
        let (version, signed_ms) = (self.lake.log.len(), self.now_ms);
        let latency = self.chance.latency();
        self.after(w, latency, Own::Send { id, attempt, version, signed_ms });
        // What stops it here sends a request that was signed long ago.
        self.mishap(w);
    }

    pub(crate) fn send(
        &mut self,
        w: usize,
        (id, attempt): (CommitId, u32),
        version: usize,
        signed_ms: i64,
    ) {
        let (Some(task), Some((_, file))) = (self.task(w, id, attempt), self.workers[w].staged)
        else {
            return;
        };
        if self.refused() {
            return self.unclear(w, (id, attempt));
        }
        self.last_put += 1;
        let put = Put {
            worker: w,
            incarnation: self.workers[w].incarnation,
            attempt: (id, attempt),
            version,
            entry: Entry {
                put: self.last_put,
                file,
                ranges: task.ranges,
                rows: task.rows,
                read_to: task.read_to,
                signed_ms,
            },
        };
        let slow = self.faults && self.chance.one_in(self.plan.slow_put);
        let delay = if slow {
            self.chance.between(1, self.plan.deadline_ms())
        } else {
            self.chance.latency()
        };
        self.at(delay, Event::Land(Box::new(put)));
        self.after(w, self.plan.timeout_ms, Own::Reply(id, attempt, None));
        self.mishap(w);
    }

    /// A put arrives at the store, whatever became of its worker.
    pub(crate) fn land(&mut self, put: Put) {
        let Put { worker: w, incarnation, attempt, mut version, entry } = put;
        if self.store_down() {
            return;
        }
        let number = entry.put;
        let waits = self.workers[w].incarnation == incarnation
            && self.task(w, attempt.0, attempt.1).is_some();
        let end = self.lake.log.len();
        let expired = self.now_ms - entry.signed_ms > self.plan.signature_ms();
        if version < end && !expired && self.canary == Some(Canary::BlindRebase) {
            version = end;
        }
        let overwrites = version < end && self.canary == Some(Canary::PutOverwrites);
        let applied = !expired && (version == end || overwrites);
        if expired {
            self.tally.expired_puts += 1;
        } else if !applied {
            self.tally.conflicts += 1;
        } else {
            if !waits {
                self.tally.late_puts += 1;
            }
            self.apply(version, entry);
        }
        if self.faults && self.chance.one_in(self.plan.lost_reply) {
            if applied {
                self.tally.lost_replies += 1;
            }
            return;
        }
        let reply = Some(applied.then_some((version, number)));
        let latency = self.chance.latency();
        self.to(w, incarnation, latency, Own::Reply(attempt.0, attempt.1, reply));
    }

    fn apply(&mut self, version: usize, entry: Entry) {
        self.note(|| format!("  version {version}: {entry:?}"));
        let deadline_ms = self.plan.deadline_ms();
        if version < self.lake.log.len() {
            // Only a canary replaces; the audit of the whole log shall see what is left.
            self.lake.log[version] = entry;
            return;
        }
        if let Err(why) = self.audit.entry(&self.input, &self.lake, &entry, deadline_ms) {
            self.violation(format!("version {version}: {why}"));
        }
        self.lake.log.push(entry);
    }

    pub(crate) fn reply(
        &mut self,
        w: usize,
        (id, attempt): (CommitId, u32),
        reply: Option<Option<(usize, u64)>>,
    ) {
        if self.task(w, id, attempt).is_none() {
            return;
        }
        self.workers[w].task = None;
        let lied = self.canary == Some(Canary::AmbiguousIsCommitted) && reply.is_none();
        match reply {
            Some(Some(put)) => {
                self.acknowledged.push(put);
                self.input(w, Input::Committed { id });
            }
            _ if lied => self.input(w, Input::Committed { id }),
            _ => self.input(w, Input::Ambiguous { id }),
        }
    }

    pub(crate) fn read_offsets(&mut self, w: usize, id: CommitId, partitions: Vec<usize>) {
        if self.refused() {
            let wait = self.chance.between(20, 200);
            return self.after(w, wait, Own::ReadOffsets(id, partitions));
        }
        let stored = self.lake.stored();
        let answer =
            partitions.iter().filter_map(|p| Some((*p, *stored.get(p)?))).collect::<Vec<_>>();
        let latency = self.chance.latency();
        self.after(w, latency, Own::Offsets(id, answer));
    }
}
