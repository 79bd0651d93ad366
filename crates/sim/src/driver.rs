//! The driver: carries a worker's wishes out and tells its machine what happened.

use std::collections::BTreeMap;

use turnwise_ingest::{Input, Wish, backoff_ms};
use turnwise_model::{Millis, Offset};

use crate::batch::{ROW_BYTES, batches, index, name, rows};
use crate::canary::Canary;
use crate::decoder::Command;
use crate::event::{Event, Own};
use crate::plan::{BUFFER_SLACK, CHANNEL_MS_MAX, DECODE_MS_MIN, TICK_MS};
use crate::worker::{Hold, Task};
use crate::world::World;

impl World {
    /// Something happens inside a worker that is awake.
    pub(crate) fn own(&mut self, w: usize, own: Own) {
        match own {
            Own::Tick => {
                self.after(w, TICK_MS, Own::Tick);
                self.input(w, Input::Tick);
            }
            Own::Decode => self.decode(w),
            Own::Read { partition, epoch, from, to, rows, read_to_ms } => {
                let input = Input::Read {
                    partition: name(partition),
                    epoch,
                    from: Offset(from),
                    to: Offset(to),
                    rows,
                    bytes: rows * ROW_BYTES,
                    read_to: read_to_ms.map(Millis),
                };
                self.input(w, input);
            }
            Own::Cut(cut, rows) => self.input(w, Input::Cut { cut, batches: batches(&rows) }),
            Own::Stopped(p, token) => {
                if self.workers[w].holds.get(&p) == Some(&(token, Hold::Revoking)) {
                    self.input(w, Input::Revoked { partition: name(p) });
                }
            }
            Own::Drain => self.input(w, Input::Drain),
            Own::Assign(p, token) => self.assign(w, p, token),
            Own::Ask(p, token) => self.ask(w, p, token),
            Own::Assigned(p, token, stored) => {
                let worker = &mut self.workers[w];
                if !worker.draining && worker.holds.get(&p) == Some(&(token, Hold::Pending)) {
                    worker.holds.insert(p, (token, Hold::Active));
                    let first = Offset(self.input[p].first);
                    let stored = stored.map(Offset);
                    self.input(w, Input::Assigned { partition: name(p), stored, first });
                }
            }
            Own::Revoke(p, token) => self.revoke(w, p, token),
            Own::RevokeOver(p, token) => {
                if self.workers[w].holds.get(&p) == Some(&(token, Hold::Revoking)) {
                    self.lose(w, p);
                    self.given_back(p, token);
                }
            }
            Own::LostAll => self.lost_all(w),
            Own::Grace => {
                if self.faults {
                    self.crash(w);
                }
            }
            Own::Stage(id, attempt) => self.stage(w, id, attempt),
            Own::Check(id, attempt) => self.check(w, id, attempt),
            Own::Send { id, attempt, version, signed_ms } => {
                self.send(w, (id, attempt), version, signed_ms);
            }
            Own::Reply(id, attempt, reply) => self.reply(w, (id, attempt), reply),
            Own::ReadOffsets(id, partitions) => self.read_offsets(w, id, partitions),
            Own::Offsets(id, stored) => {
                let stored: BTreeMap<_, _> =
                    stored.into_iter().map(|(p, offset)| (name(p), Offset(offset))).collect();
                self.input(w, Input::Offsets { id, stored });
            }
        }
    }

    fn decode(&mut self, w: usize) {
        let slip = self.faults && self.chance.one_in(self.plan.slip);
        let by = self.chance.between(-6, 4);
        let worker = &mut self.workers[w];
        if slip {
            self.tally.slips += 1;
            worker.decoder.slip(by, &self.input, &mut self.chance);
        }
        let (said, busy) =
            worker.decoder.step(&self.input, self.now_ms, &mut self.chance, self.canary);
        for own in said {
            let latency = self.chance.between(0, CHANNEL_MS_MAX);
            let overtakes =
                self.canary == Some(Canary::CutOvertakesReads) && matches!(own, Own::Cut(..));
            let worker = &mut self.workers[w];
            let mut at_ms = self.now_ms;
            if !overtakes {
                worker.channel_ms = worker.channel_ms.max(self.now_ms + latency);
                at_ms = worker.channel_ms;
            }
            self.after(w, at_ms - self.now_ms, own);
        }
        let pause =
            if busy { self.chance.between(DECODE_MS_MIN, 15) } else { self.chance.between(30, 90) };
        self.after(w, pause, Own::Decode);
    }

    /// Tells the machine and carries out what it wishes.
    pub(crate) fn input(&mut self, w: usize, input: Input) {
        let now_ms = self.now_ms + self.workers[w].clock_ms;
        match self.workers[w].machine.handle(input, now_ms) {
            Ok(wishes) => {
                let held = self.workers[w].machine.held_bytes();
                let max = self.plan.settings.buffer_bytes_max + BUFFER_SLACK;
                if held > max {
                    self.violation(format!("worker {w} holds {held} bytes of {max}"));
                }
                for wish in wishes {
                    self.wish(w, wish);
                }
            }
            Err(error) => self.violation(format!("worker {w}: {error}")),
        }
    }

    fn wish(&mut self, w: usize, wish: Wish) {
        self.note(|| format!("  worker {w} wishes {}", summary(&wish)));
        match wish {
            Wish::Cut { cut } => self.workers[w].decoder.commands.push_back(Command::Cut(cut)),
            Wish::Seek { partition, epoch, offset } => {
                let Some(p) = index(&partition) else { return };
                let worker = &mut self.workers[w];
                // A partition that is stopped stays so: what is dropped of it now is for others.
                let stopped = worker.draining
                    || matches!(worker.holds.get(&p), None | Some((_, Hold::Revoking)));
                if !stopped || self.canary == Some(Canary::SeekAfterStop) {
                    worker.decoder.commands.push_back(Command::Seek(p, epoch, offset.0));
                }
            }
            Wish::Commit { id, attempt, ranges, batches, read_to, deadline_ms } => {
                let ranges = ranges
                    .iter()
                    .filter_map(|range| {
                        let from = range.from.map(|from| from.0);
                        Some((index(&range.partition)?, from, range.to.0))
                    })
                    .collect();
                let read_to = read_to
                    .iter()
                    .filter_map(|read| Some((index(&read.partition)?, read.time.0)))
                    .collect();
                let Some(rows) = rows(&batches) else {
                    self.violation(format!("worker {w} commits rows without positions"));
                    return;
                };
                let task = Task { id, attempt, ranges, rows, read_to, deadline_ms };
                self.workers[w].task = Some(task);
                let dice = self.chance.dice();
                let wait = if attempt > 1 { backoff_ms(attempt - 1, dice) } else { 0 };
                self.after(w, wait, Own::Stage(id, attempt));
            }
            Wish::ReadOffsets { id, partitions } => {
                let partitions = partitions.iter().filter_map(index).collect();
                let latency = self.chance.latency();
                self.after(w, latency, Own::ReadOffsets(id, partitions));
            }
            Wish::StoreOffsets(offsets) => {
                let stored = self.lake.stored();
                for (partition, offset) in offsets {
                    let Some(p) = index(&partition) else { continue };
                    if stored.get(&p).is_none_or(|stored| *stored < offset.0) {
                        let offset = offset.0;
                        self.violation(format!(
                            "worker {w} tells kafka {offset} of partition {p}, the lake has {:?}",
                            stored.get(&p)
                        ));
                    }
                }
            }
            Wish::Released { partition } => {
                let Some(p) = index(&partition) else { return };
                if let Some((token, Hold::Revoking)) = self.workers[w].holds.get(&p).copied() {
                    self.workers[w].holds.remove(&p);
                    self.tally.released += 1;
                    self.given_back(p, token);
                }
            }
            Wish::Pause => self.workers[w].decoder.paused = true,
            Wish::Resume => self.workers[w].decoder.paused = false,
            Wish::Drained => self.drained(w),
        }
    }

    fn assign(&mut self, w: usize, p: usize, token: u64) {
        // A member hears of the newest assignment alone: the group's answers come in order.
        if self.workers[w].draining || self.seats[p].token != token {
            return;
        }
        match self.workers[w].holds.get(&p) {
            // The machine may keep what it had until the new assignment, or lose it first.
            Some((_, Hold::Active)) if self.chance.one_in(2) => {}
            Some(_) => self.lose(w, p),
            None => {}
        }
        self.workers[w].holds.insert(p, (token, Hold::Pending));
        let latency = self.chance.latency();
        self.after(w, latency, Own::Ask(p, token));
    }

    fn ask(&mut self, w: usize, p: usize, token: u64) {
        if self.store_down() {
            return self.after(w, 50, Own::Ask(p, token));
        }
        let stored = self.lake.stored().get(&p).copied();
        let latency = self.chance.latency();
        self.after(w, latency, Own::Assigned(p, token, stored));
    }

    fn revoke(&mut self, w: usize, p: usize, token: u64) {
        match self.workers[w].holds.get(&p).copied() {
            Some((held, Hold::Active)) if held == token => {
                self.workers[w].holds.insert(p, (token, Hold::Revoking));
                self.workers[w].decoder.commands.push_back(Command::Stop(p, Some(token)));
                self.after(w, self.plan.revoke_ms, Own::RevokeOver(p, token));
            }
            Some((held, Hold::Pending)) if held == token => {
                self.lose(w, p);
                self.given_back(p, token);
            }
            Some(_) => {}
            None => self.given_back(p, token),
        }
    }

    /// The partition is gone: reading stops before the machine hears of it.
    pub(crate) fn lose(&mut self, w: usize, p: usize) {
        self.tally.lost += 1;
        self.workers[w].holds.remove(&p);
        self.workers[w].decoder.commands.push_back(Command::Stop(p, None));
        self.input(w, Input::Lost { partition: name(p) });
    }

    fn lost_all(&mut self, w: usize) {
        let holds: Vec<(usize, u64)> =
            self.workers[w].holds.iter().map(|(p, (token, _))| (*p, *token)).collect();
        for (p, token) in holds {
            if self.seats[p].token != token || self.seats[p].owner.is_none() {
                self.lose(w, p);
            }
        }
        if !self.workers[w].draining {
            self.workers[w].member = true;
            let latency = self.chance.latency();
            self.at(latency, Event::Rebalance);
        }
    }

    /// Everything read is committed or dropped: the worker leaves.
    fn drained(&mut self, w: usize) {
        self.tally.drained += 1;
        self.stop(w);
        let incarnation = self.workers[w].incarnation;
        self.expel(w, incarnation);
        if self.faults {
            let wait = self.chance.between(50, 1_000);
            self.at(wait, Event::Restart(w));
        }
    }
}

fn summary(wish: &Wish) -> String {
    match wish {
        Wish::Commit { id, attempt, ranges, batches, read_to, deadline_ms } => {
            let ranges: Vec<_> = ranges
                .iter()
                .map(|range| (index(&range.partition), range.from.map(|at| at.0), range.to.0))
                .collect();
            let rows: usize = batches.iter().map(|batch| batch.rows.num_rows()).sum();
            let read_to = read_to.len();
            format!(
                "{id:?} attempt {attempt} {ranges:?} {rows} rows, {read_to} read_to, deadline {deadline_ms}"
            )
        }
        other => format!("{other:?}"),
    }
}
