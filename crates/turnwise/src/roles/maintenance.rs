//! Keeps the lake fit: compaction, checkpoints, vacuum, log cleaning, and the end of what is made
//! of texts once it is too old. Every step is safe if two processes do it at once; what failed is
//! tried again at a later turn.
//!
//! ```text
//! events           checkpoint, compaction │ now and then: vacuum, log cleaning, old tokens
//! derived tables   now and then: checkpoint, vacuum, log cleaning
//! ```
//!
//! Derived tables replace files at each look of derive, so what was replaced goes sooner.
//!
//! It is the work of the process that holds the first partition. Others do it, too, but seldom: a
//! first topic that is missing must not leave the lake to itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use turnwise_kafka::TopicPartition;
use turnwise_lake::{
    CompactOutcome, CompactPlan, FileFilter, FileInfo, Lake, LakeError, TIERS, Table, Tiers,
    in_order,
};
use turnwise_model::limits::{DERIVED_RETENTION_MS, LIVE_FILES_MAX, ORPHAN_RETENTION_MS};
use turnwise_model::schema::{SORTED_BY, column};
use turnwise_model::time::TOKEN_RETENTION_DAYS;
use turnwise_model::{Day, EventKind, PartitionId};

use crate::clock;
use crate::roles::Shared;
use crate::stop::Stop;
use crate::writer::{self, EVENTS};

/// Columns that may be kept for the retention of tokens and no longer (law 1).
const SHORT_LIVED: [&str; 3] = [column::TOKENS, column::SKELETON, column::TEXT_BUCKET];
/// How often the log is looked at.
const TURN: Duration = Duration::from_secs(30);
/// Every so many turns derived tables are looked at, and a process looks, too, that does not hold
/// the first partition.
const SELDOM_TURNS: u64 = 10;
/// How often what is too old is dropped, and files and log entries that nothing needs.
const SWEEP: Duration = Duration::from_secs(900);
/// When that is done first after a start.
const FIRST_SWEEP: Duration = Duration::from_secs(300);
/// Rewrites of one turn, at most: then logs are cared for, and others have theirs.
const REWRITES_PER_TURN: usize = 64;
/// No rewrite is begun so long after the first of a turn.
const REWRITES_TIME: Duration = Duration::from_secs(300);

/// Runs until the process is to end.
///
/// # Errors
/// None: what fails is told and tried again.
pub(crate) fn run(shared: &Shared) -> anyhow::Result<()> {
    let mut keeper = Keeper::new(&shared.lake, &shared.stop);
    let mut turn = 0_u64;
    while !shared.stop.is_set() {
        if is_due(shared.holds_first(), turn) {
            keeper.turn(turn, &TIERS);
        }
        turn += 1;
        rest(TURN, &shared.stop);
    }
    Ok(())
}

/// What is remembered from turn to turn.
struct Keeper<'a> {
    lake: &'a Lake,
    stop: &'a Stop,
    events: Option<Table>,
    /// When the next sweep is due.
    sweep: Instant,
    /// Files that cannot be read, as of the last sweep: their neighbours are rewritten without them.
    damaged: BTreeSet<String>,
}

impl<'a> Keeper<'a> {
    fn new(lake: &'a Lake, stop: &'a Stop) -> Self {
        let sweep = Instant::now() + FIRST_SWEEP;
        Self { lake, stop, events: None, sweep, damaged: BTreeSet::new() }
    }

    fn turn(&mut self, turn: u64, tiers: &Tiers) {
        let sweeps = self.sweep <= Instant::now();
        if sweeps {
            self.sweep = Instant::now() + SWEEP;
            self.damaged.clear();
        }
        if sweeps || is_seldom(turn) {
            self.keep_derived();
        }
        if self.events.is_none() {
            self.events = told("open events", writer::events_table(self.lake));
        }
        let Some(events) = &self.events else { return };
        keep(events, ORPHAN_RETENTION_MS, sweeps);
        if sweeps {
            let oldest = Day(clock::now().day().0 - TOKEN_RETENTION_DAYS);
            drop_tokens(events, tiers, oldest, &mut self.damaged, self.stop);
        }
        compact(events, tiers, &mut self.damaged, self.stop);
        tell_live_files(events);
    }

    /// Cares for the other tables. They are opened anew each time: a derived table may be deleted
    /// and made again while this process runs, and what was known of the first is wrong of the other.
    fn keep_derived(&self) {
        for name in told("list tables", self.lake.table_names()).unwrap_or_default() {
            if name != EVENTS
                && let Some(table) = told("open table", self.lake.existing_table(&name)).flatten()
            {
                keep(&table, DERIVED_RETENTION_MS, true);
            }
        }
    }
}

/// Whether a process looks at the log in this turn.
fn is_due(holds_first: bool, turn: u64) -> bool {
    holds_first || is_seldom(turn)
}

fn is_seldom(turn: u64) -> bool {
    turn % SELDOM_TURNS == SELDOM_TURNS - 1
}

/// Whether this is the partition whose holder maintains the lake.
pub(crate) fn is_first(topics: &[String], partition: &TopicPartition) -> bool {
    topics.first() == Some(&partition.topic) && partition.partition == PartitionId(0)
}

/// Waits, but not for longer than the process is to run.
fn rest(time: Duration, stop: &Stop) {
    let started = Instant::now();
    while !stop.is_set() {
        let left = time.saturating_sub(started.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(200)));
    }
}

/// Cares for a table's log, and in a sweep for what nothing needs any more.
fn keep(table: &Table, replaced_ms: i64, sweeps: bool) {
    if told("refresh", table.refresh()).is_none() {
        return;
    }
    told("checkpoint", table.checkpoint());
    if sweeps {
        told("vacuum", table.vacuum(replaced_ms, clock::now().0));
        told("clean log", table.clean_log(clock::now().0));
    }
}

/// Makes large files of small ones, as far as that is worth it.
fn compact(table: &Table, tiers: &Tiers, damaged: &mut BTreeSet<String>, stop: &Stop) {
    let work = Work {
        operation: "compact",
        counter: "turnwise_lake_compacted_files_total",
        filter: FileFilter::all(),
        clears: &[],
        choose: &|files| tiers.to_rewrite(files, clock::now().0),
    };
    work.go_on(table, damaged, stop);
}

/// Rewrites files of messages that are older than the retention of tokens without what is made of
/// their texts.
fn drop_tokens(
    table: &Table,
    tiers: &Tiers,
    oldest: Day,
    damaged: &mut BTreeSet<String>,
    stop: &Stop,
) {
    let work = Work {
        operation: "drop tokens",
        counter: "turnwise_lake_token_files_dropped_total",
        filter: FileFilter::all()
            .partition_in(column::KIND, [EventKind::Message.name(), EventKind::History.name()])
            .partition_between(column::DATE, Day(0), Day(oldest.0 - 1)),
        clears: &SHORT_LIVED,
        choose: &|files| tiers.to_clear(&SHORT_LIVED, files),
    };
    work.go_on(table, damaged, stop);
}

/// Rewrites of one purpose.
struct Work<'a> {
    operation: &'static str,
    counter: &'static str,
    /// The files that are looked at.
    filter: FileFilter,
    clears: &'static [&'static str],
    /// Of one kind and date, those that are to become one; none if there is nothing to do.
    choose: &'a dyn Fn(&[FileInfo]) -> Vec<FileInfo>,
}

impl Work<'_> {
    /// Rewrites until there is nothing to do, a turn's work is done or the process is to end. After
    /// each rewrite ingest is left a quarter of its time.
    fn go_on(&self, table: &Table, damaged: &mut BTreeSet<String>, stop: &Stop) {
        let began = Instant::now();
        let mut passed_by = BTreeSet::new();
        for _ in 0..REWRITES_PER_TURN {
            if stop.is_set() || began.elapsed() > REWRITES_TIME {
                return;
            }
            let next = self.next(table, &passed_by, damaged);
            let Some((partition, inputs)) = told("list files", next).flatten() else { return };
            let started = Instant::now();
            match self.rewrite(table, inputs.clone()) {
                Some(CompactOutcome::Done { .. }) => {}
                Some(_) => drop(passed_by.insert(partition)),
                None => {
                    let found = self.damaged_of(table, inputs, stop);
                    if found.is_empty() {
                        passed_by.insert(partition);
                    }
                    damaged.extend(found);
                }
            }
            told("checkpoint", table.checkpoint());
            rest(started.elapsed() / 4, stop);
        }
    }

    /// Rewrites files as one; none where it failed.
    fn rewrite(&self, table: &Table, inputs: Vec<FileInfo>) -> Option<CompactOutcome> {
        let plan = CompactPlan { inputs, sorted_by: &SORTED_BY, clears: self.clears };
        let done = table.compact(&plan, &mut in_order, &BTreeMap::new(), clock::now().0);
        let done = told(self.operation, done)?;
        if let CompactOutcome::Done { removed, added, .. } = done {
            tracing::debug!(removed, added, operation = self.operation, "rewritten");
            counter!(self.counter).increment(u64::try_from(removed).unwrap_or_default());
        }
        Some(done)
    }

    /// Those of files that could not be rewritten together that cannot be rewritten alone either:
    /// they must not keep the others as they are. None where it is all, for then it is the store.
    fn damaged_of(&self, table: &Table, inputs: Vec<FileInfo>, stop: &Stop) -> Vec<String> {
        let all = inputs.len();
        let mut damaged = Vec::new();
        for input in inputs {
            if stop.is_set() {
                return Vec::new();
            }
            let path = input.path.clone();
            if all == 1 || self.rewrite(table, vec![input]).is_none() {
                tracing::error!(path, "file left alone: it cannot be rewritten");
                damaged.push(path);
            }
        }
        if all > 1 && damaged.len() == all { Vec::new() } else { damaged }
    }

    /// What is rewritten next: of the kind and date that has most files.
    fn next(
        &self,
        table: &Table,
        passed_by: &BTreeSet<KindAndDate>,
        damaged: &BTreeSet<String>,
    ) -> Result<Option<(KindAndDate, Vec<FileInfo>)>, LakeError> {
        let mut by_partition: Vec<_> = by_partition(table, &self.filter)?.into_iter().collect();
        by_partition.retain(|(partition, _)| !passed_by.contains(partition));
        for (_, files) in &mut by_partition {
            files.retain(|file| !damaged.contains(&file.path));
        }
        by_partition.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));
        let mut chosen = by_partition.into_iter().map(|(of, files)| (of, (self.choose)(&files)));
        Ok(chosen.find(|(_, inputs)| !inputs.is_empty()))
    }
}

/// Tells how many files the kind and date with most has.
#[expect(clippy::cast_precision_loss, reason = "a number of files is exact in a double")]
fn tell_live_files(table: &Table) {
    let files = told("list files", by_partition(table, &FileFilter::all())).unwrap_or_default();
    let Some((partition, files)) = files.iter().max_by_key(|(_, files)| files.len()) else {
        return;
    };
    gauge!("turnwise_lake_live_files").set(files.len() as f64);
    if files.len() > LIVE_FILES_MAX {
        tracing::warn!(files = files.len(), ?partition, "more files than compaction keeps up with");
    }
}

/// The values of a file's partition columns.
type KindAndDate = BTreeMap<String, Option<String>>;

/// The newest files, by kind and date.
fn by_partition(
    table: &Table,
    filter: &FileFilter,
) -> Result<BTreeMap<KindAndDate, Vec<FileInfo>>, LakeError> {
    table.refresh()?;
    let mut by_partition: BTreeMap<KindAndDate, Vec<FileInfo>> = BTreeMap::new();
    for file in table.snapshot(None)?.files(filter)? {
        by_partition.entry(file.partition_values.clone()).or_default().push(file);
    }
    Ok(by_partition)
}

/// The value, or nothing where it failed and was told.
fn told<T>(operation: &'static str, result: Result<T, LakeError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            counter!("turnwise_lake_maintenance_failures_total").increment(1);
            tracing::warn!(operation, error = %writer::chain(&error), "maintenance");
            None
        }
    }
}

#[cfg(test)]
mod tests;
