//! Misfortunes: planned ones by the clock, and those that strike between steps of a commit.

use crate::decoder::Command;
use crate::event::{Event, Own};
use crate::worker::Worker;
use crate::world::World;

impl World {
    pub(crate) fn store_down(&self) -> bool {
        self.faults
            && self.plan.outages.iter().any(|(from, to)| (*from..*to).contains(&self.now_ms))
    }

    /// One planned misfortune, and the next one's time.
    pub(crate) fn fault(&mut self) {
        if !self.faults {
            return;
        }
        let next = self.chance.between(50, self.plan.fault_ms_max);
        self.at(next, Event::Fault);
        let w = self.chance.index(self.workers.len());
        if !self.workers[w].alive {
            return;
        }
        match self.chance.between(0, 9) {
            0 => self.crash(w),
            1 => self.pause(w),
            2 | 3 => {
                self.tally.expelled += 1;
                let incarnation = self.workers[w].incarnation;
                self.expel(w, incarnation);
                let wait = self.chance.between(0, 2_000);
                self.after(w, wait, Own::LostAll);
            }
            4 => self.drain(w),
            // Timers see a jump; no deadline is missed by it, some come early.
            5 => self.workers[w].clock_ms += self.chance.between(1, 2 * self.plan.deadline_ms()),
            _ => self.rebalance(),
        }
    }

    /// Between two steps of a commit. Says whether the worker is dead.
    pub(crate) fn mishap(&mut self, w: usize) -> bool {
        if self.faults && self.chance.one_in(self.plan.crash) {
            self.crash(w);
            return true;
        }
        if self.faults && self.chance.one_in(self.plan.pause) {
            self.pause(w);
        }
        false
    }

    pub(crate) fn crash(&mut self, w: usize) {
        self.tally.crashes += 1;
        self.stop(w);
        let (incarnation, session_ms) = (self.workers[w].incarnation, self.plan.session_ms);
        self.at(session_ms, Event::Session(w, incarnation, None));
        let wait = self.chance.between(50, 3_000);
        self.at(wait, Event::Restart(w));
    }

    /// The process is gone; what waits for it will not be heard.
    pub(crate) fn stop(&mut self, w: usize) {
        self.tally.machine(self.workers[w].machine.counters());
        let worker = &mut self.workers[w];
        (worker.alive, worker.member, worker.pause) = (false, false, None);
        worker.backlog.clear();
    }

    pub(crate) fn restart(&mut self, w: usize) {
        if self.workers[w].alive {
            return;
        }
        let clock_ms = self.chance.between(-100_000, 100_000);
        let incarnation = self.workers[w].incarnation + 1;
        self.workers[w] = Worker::new(incarnation, self.plan.settings.clone(), clock_ms);
        self.after(w, 0, Own::Tick);
        self.after(w, 1, Own::Decode);
        self.at(5, Event::Rebalance);
    }

    /// The process stands still, mostly not for long, at times for longer than files are kept.
    fn pause(&mut self, w: usize) {
        if self.workers[w].pause.is_some() {
            return;
        }
        self.tally.pauses += 1;
        self.last_pause += 1;
        let pause = self.last_pause;
        self.workers[w].pause = Some(pause);
        let max = match self.chance.between(0, 3) {
            0 => 5 * self.plan.deadline_ms(),
            1 => 3 * self.plan.session_ms,
            _ => self.plan.session_ms,
        };
        let length = self.chance.between(10, max);
        self.at(length, Event::Wake(w, pause));
        let incarnation = self.workers[w].incarnation;
        self.at(self.plan.session_ms, Event::Session(w, incarnation, Some(pause)));
    }

    pub(crate) fn wake(&mut self, w: usize, pause: u64) {
        if self.workers[w].pause == Some(pause) {
            self.workers[w].pause = None;
            for (sequence, event) in std::mem::take(&mut self.workers[w].backlog) {
                self.queue.push_again(self.now_ms, sequence, event);
            }
        }
    }

    /// A worker shall commit what it has read and leave.
    pub(crate) fn drain(&mut self, w: usize) {
        let worker = &mut self.workers[w];
        if worker.alive && !worker.draining {
            worker.draining = true;
            worker.decoder.commands.push_back(Command::StopAll);
            if self.faults {
                let grace = self.chance.between(500, 5_000);
                self.after(w, grace, Own::Grace);
            }
        }
    }

    /// Faults end: everybody wakes, the store answers, the input stands.
    pub(crate) fn heal(&mut self) {
        self.faults = false;
        for w in 0..self.workers.len() {
            if let Some(pause) = self.workers[w].pause {
                self.wake(w, pause);
            }
            self.at(4_000, Event::Restart(w));
        }
        self.at(5_000, Event::Rebalance);
        self.at(10_000, Event::Rebalance);
        self.at(500, Event::Look);
    }
}
