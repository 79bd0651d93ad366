//! The world of a seed, and the loop that runs it to its end or the first violation.

use crate::audit::Audit;
use crate::canary::Canary;
use crate::chance::Chance;
use crate::event::{Event, Own, Queue};
use crate::group::Seat;
use crate::kafka::Log;
use crate::lake::Lake;
use crate::plan::Plan;
use crate::tally::Tally;
use crate::worker::Worker;

/// Milliseconds after healing within which everything is committed, and then drained.
const LIVENESS_MS: i64 = 90_000;
/// Events of a run, at most: more is a loop without progress.
const EVENTS_MAX: u64 = 400_000;

/// What a run showed.
#[derive(Debug)]
pub struct Outcome {
    /// The first violation.
    pub violation: Option<String>,
    /// Every event and wish, where asked for.
    pub trace: Vec<String>,
    /// What happened.
    pub tally: Tally,
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now_ms: i64,
    pub(crate) queue: Queue,
    pub(crate) chance: Chance,
    pub(crate) plan: Plan,
    pub(crate) canary: Option<Canary>,
    pub(crate) input: Vec<Log>,
    pub(crate) lake: Lake,
    pub(crate) seats: Vec<Seat>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) audit: Audit,
    /// Versions and puts that workers were told to be in.
    pub(crate) acknowledged: Vec<(usize, u64)>,
    pub(crate) last_put: u64,
    pub(crate) last_pause: u64,
    /// Until the world heals.
    pub(crate) faults: bool,
    pub(crate) tally: Tally,
    violation: Option<String>,
    trace: Option<Vec<String>>,
    /// When the last phase began: catching up, then draining.
    phase_ms: i64,
    draining: bool,
}

/// Runs one seed, with a mistake planted or none.
#[must_use]
pub fn run(seed: u64, canary: Option<Canary>, trace: bool) -> Outcome {
    let mut world = World::new(seed, canary, trace);
    world.go();
    if world.violation.is_none() {
        let deadline_ms = world.plan.deadline_ms();
        world.violation =
            Audit::whole(&world.input, &world.lake, deadline_ms, &world.acknowledged).err();
    }
    for worker in world.workers.iter().filter(|worker| worker.alive) {
        world.tally.machine(worker.machine.counters());
    }
    world.tally.entries = world.lake.log.len() as u64;
    world.tally.rows = world.lake.log.iter().map(|entry| entry.rows.len() as u64).sum();
    Outcome {
        violation: world.violation,
        trace: world.trace.unwrap_or_default(),
        tally: world.tally,
    }
}

impl World {
    fn new(seed: u64, canary: Option<Canary>, trace: bool) -> Self {
        let mut chance = Chance::new(seed);
        let plan = Plan::new(&mut chance);
        let input = (0..plan.partitions).map(|_| Log::new(&mut chance)).collect();
        let mut workers = Vec::with_capacity(plan.workers);
        for _ in 0..plan.workers {
            let mut worker = Worker::new(0, plan.settings.clone(), 0);
            worker.alive = false;
            workers.push(worker);
        }
        let mut world = Self {
            now_ms: 0,
            queue: Queue::default(),
            chance,
            canary,
            input,
            lake: Lake::default(),
            seats: vec![Seat::default(); plan.partitions],
            workers,
            audit: Audit::default(),
            acknowledged: Vec::new(),
            last_put: 0,
            last_pause: 0,
            faults: true,
            tally: Tally::default(),
            violation: None,
            trace: trace.then(Vec::new),
            phase_ms: plan.heal_ms,
            draining: false,
            plan,
        };
        world.note(|| format!("seed {seed}, canary {canary:?}"));
        world.begin();
        world
    }

    fn begin(&mut self) {
        let plan = format!("{:?}", self.plan);
        self.note(|| plan);
        for w in 0..self.workers.len() {
            let wait = self.chance.between(0, 500);
            self.at(wait, Event::Restart(w));
        }
        for p in 0..self.input.len() {
            // Some partitions have a past, some are empty for ever.
            for _ in 0..self.chance.between(0, 20) {
                self.input[p].append(0, &mut self.chance);
            }
            if !self.chance.one_in(8) {
                let wait = self.chance.between(1, 500);
                self.at(wait, Event::Append(p));
            }
        }
        self.at(600, Event::Fault);
        self.at(1_000, Event::Vacuum);
        self.at(self.plan.heal_ms, Event::Heal);
    }

    fn go(&mut self) {
        while self.violation.is_none() {
            let Some((at_ms, sequence, event)) = self.queue.pop() else { return };
            self.now_ms = at_ms;
            self.tally.events += 1;
            if self.tally.events > EVENTS_MAX {
                self.violation("no end".to_owned());
            }
            if let Event::Own(w, incarnation, _) = &event {
                let worker = &mut self.workers[*w];
                if worker.incarnation != *incarnation || !worker.alive {
                    continue;
                }
                if worker.pause.is_some() {
                    worker.backlog.push((sequence, event));
                    continue;
                }
            }
            self.note(|| format!("{at_ms} {event:?}"));
            self.happen(event);
            if self.draining && self.workers.iter().all(|worker| !worker.alive) {
                return;
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Append(p) => {
                if self.faults {
                    self.input[p].append(self.now_ms, &mut self.chance);
                    let wait = self.chance.between(1, self.plan.append_ms_max);
                    self.at(wait, Event::Append(p));
                }
            }
            Event::Fault => self.fault(),
            Event::Rebalance => self.rebalance(),
            Event::Vacuum => {
                self.tally.vacuumed += self.lake.vacuum(self.now_ms - self.plan.orphan_ms());
                self.at(1_000, Event::Vacuum);
            }
            Event::Heal => self.heal(),
            Event::Look => self.look(),
            Event::Restart(w) => {
                if !self.draining {
                    self.restart(w);
                }
            }
            Event::Wake(w, pause) => self.wake(w, pause),
            Event::Session(w, incarnation, pause) => self.session(w, incarnation, pause),
            Event::Land(put) => self.land(*put),
            Event::Own(w, _, own) => self.own(w, own),
        }
    }

    /// After healing: is everything committed? Then everybody drains.
    fn look(&mut self) {
        if self.now_ms - self.phase_ms > LIVENESS_MS {
            let stored = self.lake.stored();
            let ends: Vec<i64> = self.input.iter().map(|log| log.high_watermark).collect();
            let drain = self.draining;
            self.violation(format!("no rest: stored {stored:?} of {ends:?}, draining {drain}"));
        }
        self.at(200, Event::Look);
        if self.draining {
            return;
        }
        let stored = self.lake.stored();
        let mut ends = self.input.iter().map(|log| log.high_watermark).enumerate();
        if ends.all(|(p, end)| stored.get(&p) == Some(&end)) {
            self.phase_ms = self.now_ms;
            self.draining = true;
            for w in 0..self.workers.len() {
                self.drain(w);
            }
        }
    }

    /// Puts an event off by some milliseconds.
    pub(crate) fn at(&mut self, wait_ms: i64, event: Event) {
        self.queue.push(self.now_ms + wait_ms, event);
    }

    /// Something that happens inside a worker later.
    pub(crate) fn after(&mut self, w: usize, wait_ms: i64, own: Own) {
        let incarnation = self.workers[w].incarnation;
        self.to(w, incarnation, wait_ms, own);
    }

    /// Something that this incarnation of a worker hears later, if it still lives.
    pub(crate) fn to(&mut self, w: usize, incarnation: u32, wait_ms: i64, own: Own) {
        self.at(wait_ms, Event::Own(w, incarnation, own));
    }

    /// A line of the trace.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }

    /// The first one ends the run.
    pub(crate) fn violation(&mut self, why: String) {
        self.note(|| format!("VIOLATION {why}"));
        self.violation.get_or_insert(why);
    }
}
