//! The decoder of a worker: obeys commands in order, fetches ahead, holds rows until they are cut.

use std::collections::{BTreeMap, VecDeque};

use turnwise_ingest::{CutId, Epoch};

use crate::batch::Row;
use crate::canary::Canary;
use crate::chance::Chance;
use crate::event::Own;
use crate::kafka::{Fetched, Log};
use crate::plan::{FETCH_RECORDS_MAX, FETCHED_MAX};

/// What the driver tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    Cut(CutId),
    Seek(usize, Epoch, i64),
    /// Stop reading a partition; with the token of its assignment, say so in order.
    Stop(usize, Option<u64>),
    /// Stop reading, say so in order.
    StopAll,
}

#[derive(Debug)]
struct Reading {
    epoch: Epoch,
    /// Where the next fetch begins.
    next: i64,
}

/// Its state. What it says goes over one channel, in order.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pub(crate) commands: VecDeque<Command>,
    /// The buffer is full.
    pub(crate) paused: bool,
    reading: BTreeMap<usize, Reading>,
    fetched: VecDeque<(usize, Epoch, Fetched)>,
    rows: Vec<Row>,
    /// Cuts that the canary holds back.
    late: Vec<CutId>,
}

impl Decoder {
    /// One step: a command, else something fetched, else a fetch. Says whether there was work.
    pub(crate) fn step(
        &mut self,
        input: &[Log],
        now_ms: i64,
        chance: &mut Chance,
        canary: Option<Canary>,
    ) -> (Vec<Own>, bool) {
        if let Some(command) = self.commands.pop_front() {
            (self.obey(command, canary), true)
        } else if let Some((partition, epoch, fetched)) = self.fetched.pop_front() {
            (self.decode(partition, epoch, fetched), true)
        } else {
            (Vec::new(), !self.paused && self.fetch(input, now_ms, chance))
        }
    }

    /// The next fetch repeats or skips some offsets.
    pub(crate) fn slip(&mut self, by: i64, input: &[Log], chance: &mut Chance) {
        if !self.reading.is_empty() {
            let index = chance.index(self.reading.len());
            if let Some((partition, reading)) = self.reading.iter_mut().nth(index) {
                reading.next = (reading.next + by).max(input[*partition].first);
            }
        }
    }

    fn obey(&mut self, command: Command, canary: Option<Canary>) -> Vec<Own> {
        match command {
            Command::Cut(cut) => {
                let seek = self.commands.iter().any(|next| matches!(next, Command::Seek(..)));
                if canary == Some(Canary::CutAfterSeek) && seek {
                    self.late.push(cut);
                    return Vec::new();
                }
                vec![Own::Cut(cut, std::mem::take(&mut self.rows))]
            }
            Command::Seek(partition, epoch, offset) => {
                self.reading.insert(partition, Reading { epoch, next: offset });
                Vec::new()
            }
            Command::Stop(partition, token) => {
                self.reading.remove(&partition);
                token.map(|token| Own::Stopped(partition, token)).into_iter().collect()
            }
            Command::StopAll => {
                self.reading.clear();
                vec![Own::Drain]
            }
        }
    }

    fn decode(&mut self, partition: usize, epoch: Epoch, fetched: Fetched) -> Vec<Own> {
        // Fetched under an epoch that is over: not decoded.
        if self.reading.get(&partition).is_none_or(|reading| reading.epoch != epoch) {
            return Vec::new();
        }
        let Fetched { from, to, rows, read_to_ms } = fetched;
        self.rows.extend(rows.iter().map(|(offset, item)| (partition, *offset, *item)));
        let mut said = vec![Own::Read { partition, epoch, from, to, rows: rows.len(), read_to_ms }];
        for cut in std::mem::take(&mut self.late) {
            said.push(Own::Cut(cut, std::mem::take(&mut self.rows)));
        }
        said
    }

    /// Fetches of one to three partitions; says whether any had records.
    fn fetch(&mut self, input: &[Log], now_ms: i64, chance: &mut Chance) -> bool {
        let mut found = false;
        if self.reading.is_empty() {
            return false;
        }
        for _ in 0..chance.between(1, 3) {
            let index = chance.index(self.reading.len());
            let Some((partition, reading)) = self.reading.iter_mut().nth(index) else { break };
            let records = chance.index(FETCH_RECORDS_MAX) + 1;
            let fetched = input[*partition].fetch(reading.next, records, now_ms);
            reading.next = fetched.to;
            found |= fetched.to > fetched.from;
            self.fetched.push_back((*partition, reading.epoch, fetched));
            if self.fetched.len() >= FETCHED_MAX {
                break;
            }
        }
        found
    }
}
