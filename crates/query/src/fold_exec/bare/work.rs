//! What output partitions share while they fold bare messages: which pieces of the input are still
//! to be read, and rows that were read and wait to be folded.
//!
//! ```text
//!            pieces of round r                    parts of round r, by output
//! waiting ─read by any output─▶ its open buckets ─commit─▶ folded by the output they belong to
//! ```
//!
//! Whoever has nothing to fold reads. So the outputs' work is even although their senders' is not,
//! and one output alone would do all of it: none depends on another being polled. An output reads
//! at most one round ahead of what it folds, which bounds the rows that wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::execution::SpillFile;
use datafusion::execution::memory_pool::MemoryReservation;
use tokio::sync::Notify;
use turnwise_kernels::fold::bare::Bucket;

use super::rounds::Round;

/// Rounds that an output may read ahead of the one that it folds.
const AHEAD: usize = 1;

/// The shared state of one run.
pub(super) struct Work {
    rounds: Vec<Round>,
    state: Mutex<Vec<State>>,
    /// Of the names of senders, which all outputs share.
    pub names: MemoryReservation,
    /// Told of every change that somebody may wait for.
    pub changed: Notify,
}

/// Of one round.
struct State {
    waiting: VecDeque<usize>,
    /// Outputs that have rows of it which they have not committed.
    reading: usize,
    /// Whether its rows go to disk: all of them then do.
    spills: bool,
    /// By output.
    parts: Vec<Vec<Part>>,
}

/// Rows of one output in one round.
pub(super) enum Part {
    Held(Held),
    /// Files, each with the number of its group of buckets.
    Spilled(Vec<(usize, Arc<dyn SpillFile>)>),
}

/// Rows in memory.
pub(super) struct Held {
    pub buckets: Vec<Bucket>,
    /// What they are reserved by.
    pub reservation: Arc<MemoryReservation>,
}

impl Held {
    /// Gives a bucket and its memory back.
    pub fn release(&mut self, bucket: usize) {
        let bucket = std::mem::take(&mut self.buckets[bucket]);
        self.reservation.shrink(bucket.size().min(self.reservation.size()));
    }
}

/// What an output is to do.
pub(super) enum Next {
    /// Fold these rows: all of its in its round.
    Fold(Vec<Part>),
    /// Read a piece of a round.
    Read { round: usize, piece: usize },
    /// Commit what it has read.
    Commit,
    /// Wait for a change.
    Wait,
    /// There is no more.
    End,
}

impl Work {
    pub fn new(rounds: Vec<Round>, outputs: usize, names: MemoryReservation) -> Self {
        let state = rounds.iter().map(|round| State {
            waiting: round.pieces.clone().collect(),
            reading: 0,
            spills: false,
            parts: std::iter::repeat_with(Vec::new).take(outputs).collect(),
        });
        Self { state: Mutex::new(state.collect()), names, rounds, changed: Notify::new() }
    }

    pub fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// What `output`, which is to fold round `fold` and has uncommitted rows of round `open`, is
    /// to do.
    pub fn next(&self, output: usize, fold: usize, open: Option<usize>) -> Next {
        let mut rounds = self.lock();
        let Some(state) = rounds.get_mut(fold) else { return Next::End };
        if state.waiting.is_empty() && state.reading == 0 {
            return Next::Fold(std::mem::take(&mut state.parts[output]));
        }
        if let Some(round) = open {
            let piece = rounds[round].waiting.pop_front();
            return piece.map_or(Next::Commit, |piece| Next::Read { round, piece });
        }
        for (round, state) in rounds.iter_mut().enumerate().skip(fold).take(1 + AHEAD) {
            if let Some(piece) = state.waiting.pop_front() {
                state.reading += 1;
                return Next::Read { round, piece };
            }
        }
        Next::Wait
    }

    /// Takes in what an output has read of a round, by output.
    pub fn commit(&self, round: usize, parts: Vec<Part>) {
        let mut rounds = self.lock();
        let state = &mut rounds[round];
        for (of_output, part) in state.parts.iter_mut().zip(parts) {
            of_output.push(part);
        }
        state.reading -= 1;
        drop(rounds);
        self.changed.notify_waiters();
    }

    /// Lets others read these pieces again: whoever read them has ended.
    pub fn give_back(&self, round: usize, pieces: &[usize]) {
        let mut rounds = self.lock();
        let state = &mut rounds[round];
        state.waiting.extend(pieces);
        state.reading -= 1;
        drop(rounds);
        self.changed.notify_waiters();
    }

    /// From now on the rows of a round go to disk. Returns those that are in memory, each with its
    /// output, for the caller, who is reading that round, to write and [`Self::add`].
    pub fn spill(&self, round: usize) -> Vec<(usize, Held)> {
        let mut rounds = self.lock();
        let state = &mut rounds[round];
        state.spills = true;
        let mut found = Vec::new();
        for (output, parts) in state.parts.iter_mut().enumerate() {
            for part in std::mem::take(parts) {
                match part {
                    Part::Held(held) => found.push((output, held)),
                    spilled @ Part::Spilled(_) => parts.push(spilled),
                }
            }
        }
        found
    }

    /// Whether the rows of a round go to disk.
    pub fn spills(&self, round: usize) -> bool {
        self.lock()[round].spills
    }

    /// Adds a part that [`Self::spill`] returned.
    pub fn add(&self, round: usize, output: usize, part: Part) {
        self.lock()[round].parts[output].push(part);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, UnboundedMemoryPool};
    use turnwise_kernels::fold::bare::Frontier;

    use super::*;

    fn work(pieces: &[usize], outputs: usize) -> Work {
        let mut first = 0;
        let rounds = pieces.iter().map(|count| {
            first += count;
            Round { pieces: first - count..first, frontier: Frontier::END, rows: 0 }
        });
        let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
        Work::new(rounds.collect(), outputs, MemoryConsumer::new("names").register(&pool))
    }

    fn parts(outputs: usize) -> Vec<Part> {
        (0..outputs).map(|_| Part::Spilled(Vec::new())).collect()
    }

    /// Does all that one output is told to do until it must wait or is at its end.
    fn drain(work: &Work, output: usize, fold: &mut usize) -> Vec<String> {
        let (mut open, mut done) = (None, Vec::new());
        loop {
            match work.next(output, *fold, open) {
                Next::Fold(parts) => {
                    done.push(format!("fold {fold} of {}", parts.len()));
                    *fold += 1;
                }
                Next::Read { round, piece } => {
                    done.push(format!("read {piece}"));
                    open = Some(round);
                }
                Next::Commit => work.commit(open.take().expect("open"), parts(2)),
                Next::Wait => return done,
                Next::End => {
                    done.push("end".to_owned());
                    return done;
                }
            }
        }
    }

    #[test]
    fn one_output_alone_does_all_of_the_work() {
        let work = work(&[2, 1], 2);
        let did = drain(&work, 0, &mut 0);
        assert_eq!(did, ["read 0", "read 1", "fold 0 of 1", "read 2", "fold 1 of 1", "end"]);
        assert_eq!(drain(&work, 1, &mut 0), ["fold 0 of 1", "fold 1 of 1", "end"]);
    }

    #[test]
    fn a_round_is_folded_when_all_its_pieces_are_committed() {
        let work = work(&[1, 1, 1], 2);
        assert!(matches!(work.next(1, 0, None), Next::Read { round: 0, piece: 0 }));
        // The other reads one round ahead and no further.
        assert_eq!(drain(&work, 0, &mut 0), ["read 1"]);
        assert!(matches!(work.next(1, 0, Some(0)), Next::Commit));
        work.commit(0, parts(2));
        let did = drain(&work, 0, &mut 0);
        assert_eq!(did, ["fold 0 of 1", "fold 1 of 1", "read 2", "fold 2 of 1", "end"]);
    }

    #[test]
    fn pieces_of_an_output_that_ended_are_read_by_another() {
        let work = work(&[2], 2);
        assert!(matches!(work.next(1, 0, None), Next::Read { piece: 0, .. }));
        assert!(matches!(work.next(1, 0, Some(0)), Next::Read { piece: 1, .. }));
        assert!(matches!(work.next(0, 0, None), Next::Wait));
        work.give_back(0, &[0, 1]);
        assert_eq!(drain(&work, 0, &mut 0), ["read 0", "read 1", "fold 0 of 1", "end"]);
    }
}
