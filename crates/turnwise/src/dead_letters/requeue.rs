//! `dead-letters requeue`: dead items decoded again, by what the decoder and the configuration know
//! now; those that are rows today are committed.
//!
//! ```text
//!  partition by partition ─▶ pages of records ─▶ groups that may be held ─▶ what the lake has
//!                                                    │ record by record           │
//!                                          Kafka ────▼──▶ decoder ──▶ choose ─▶ one commit
//! ```
//!
//! One run goes through all letters that were there when it began, in the order of their
//! positions, and holds one group of records at a time. Which rows of a record are added is said in
//! [`super::known`]. Each dead item has a transaction of its own, and so has what lies behind a
//! record's last known item, so whoever comes second finds them taken.
//!
//! What cannot be read now, or not be told apart, stops nothing: it is counted, its reason told
//! once, and the exit status says that something was left. Only a lake that holds as many
//! transactions of requeued items as it may stops a run: they stay for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use turnwise_codec::{Decoder, Reason, RecordContext};
use turnwise_lake::{CommitOutcome, Encoding, Lake, Table, Txn};
use turnwise_model::limits::{
    COMMIT_BYTES, COMMIT_ROWS, REQUEUE_RECORDS_AT_ONCE, REQUEUE_TXNS_MAX,
};
use turnwise_model::{EventBatch, Offset, SourcePartition};

use super::known::{self, Choice, Known, Revived};
use super::lookup::{Listed, Look, Stretch};
use super::place::Place;
use super::source::{Answer, Found, Records, Source};
use super::tally::Tally;
use crate::args::RequeueArgs;
use crate::config::{self, KafkaConfig};
use crate::exit::{self, Failure, Outcome};
use crate::{clock, writer};

/// The version that a requeued item's transaction takes.
const DONE: i64 = 1;
/// How long one look at the lake is used: less than compacted files stay.
const LOOK_FOR_MS: i64 = 60_000;
/// Why a record is left of which another run took an item at the same time.
const CONTENDED: &str = "another run added items of the record meanwhile: run it again";

/// Which letters are wanted.
#[derive(Clone, Debug)]
struct Wish {
    /// Those with this reason, else all.
    reason: Option<Reason>,
    /// Those of these records, else all.
    places: Vec<Place>,
}

/// Runs the command.
pub(crate) fn run(args: &RequeueArgs) -> Outcome {
    if args.positions.is_empty() && args.reason.is_none() && !args.all {
        return Err(Failure::usage("name positions, a --reason, or --all"));
    }
    let config = config::read(&args.config)?;
    let kafka = config.kafka.as_ref();
    let kafka = kafka.ok_or_else(|| Failure::usage("the configuration has no [kafka]"))?;
    let lake = super::open(&config)?;
    let keys = super::keys(&config)?;
    let wish = Wish { reason: args.reason, places: args.positions.clone() };
    let mut requeue = Requeue::new(lake, Source::new(kafka)?, kafka, Decoder::new(keys))?;
    let done = requeue.all(&wish);
    // Also of a run that failed: what was added until then is in.
    let tally = &requeue.tally;
    exit::print(&(tally.line() + "\n"))?;
    for reason in tally.reasons() {
        exit::complain(&reason);
    }
    done?;
    if tally.is_complete() { Ok(()) } else { Err(Failure::Partly) }
}

/// What a run keeps to; tests have narrower ones.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Records that are listed at a time.
    records: usize,
    /// Rows that wait for a commit before it is made.
    rows: usize,
    /// Bytes of them.
    bytes: usize,
    /// Transactions of requeued items that the lake may hold.
    txns: usize,
}

impl Bounds {
    const USUAL: Self = Self {
        records: REQUEUE_RECORDS_AT_ONCE,
        rows: COMMIT_ROWS,
        bytes: COMMIT_BYTES,
        txns: REQUEUE_TXNS_MAX,
    };
}

/// A run.
struct Requeue<'a, R> {
    lake: Lake,
    table: Arc<Table>,
    records: R,
    kafka: &'a KafkaConfig,
    decoder: Decoder,
    bounds: Bounds,
    look: Option<(i64, Arc<Look>)>,
    /// Transactions of requeued items in the lake: those of the look, and the run's own since.
    txns: usize,
    /// Partitions that did not answer, with the reason: they are not waited for again.
    unreached: BTreeMap<SourcePartition, String>,
    tally: Tally,
}

/// Rows of one record that wait for a commit.
struct Waiting {
    place: Place,
    revived: Revived,
}

impl Waiting {
    fn txns(&self) -> Vec<Txn> {
        let items = self.revived.items.iter().map(|item| self.place.requeue_app(*item));
        let rest = self.revived.after.map(|last| self.place.rest_app(last));
        let txn = |app| Txn { app, expected: None, to: DONE };
        items.chain(rest).map(txn).collect()
    }

    fn txns_len(&self) -> usize {
        self.revived.items.len() + usize::from(self.revived.after.is_some())
    }

    fn rows(&self) -> usize {
        self.revived.batches.iter().map(|batch| batch.rows.num_rows()).sum()
    }

    fn bytes(&self) -> usize {
        self.revived.batches.iter().map(|batch| batch.rows.get_array_memory_size()).sum()
    }
}

/// What waits for one commit.
#[derive(Default)]
struct Pile {
    records: Vec<Waiting>,
    rows: usize,
    bytes: usize,
    txns: usize,
}

impl Pile {
    fn push(&mut self, record: Waiting) {
        self.rows += record.rows();
        self.bytes += record.bytes();
        self.txns += record.txns_len();
        self.records.push(record);
    }

    fn is_full(&self, bounds: &Bounds) -> bool {
        self.rows >= bounds.rows || self.bytes >= bounds.bytes
    }
}

impl<'a, R: Records> Requeue<'a, R> {
    fn new(
        lake: Lake,
        records: R,
        kafka: &'a KafkaConfig,
        decoder: Decoder,
    ) -> anyhow::Result<Self> {
        let table = Arc::new(writer::events_table(&lake).context("open events")?);
        let (look, unreached, tally) = (None, BTreeMap::new(), Tally::default());
        let (bounds, txns) = (Bounds::USUAL, 0);
        Ok(Self { lake, table, records, kafka, decoder, bounds, look, txns, unreached, tally })
    }

    /// Tries all letters that are wanted.
    fn all(&mut self, wish: &Wish) -> anyhow::Result<()> {
        if wish.places.is_empty() {
            for stretch in self.look()?.partitions(wish.reason)? {
                self.stretch(&stretch, wish.reason)?;
                if self.tally.is_stopped() {
                    break;
                }
            }
            return Ok(());
        }
        let mut named: BTreeMap<SourcePartition, BTreeSet<Offset>> = BTreeMap::new();
        for place in &wish.places {
            named.entry(place.source_partition()).or_default().insert(place.offset);
        }
        for (partition, offsets) in named {
            let offsets: Vec<Offset> = offsets.into_iter().collect();
            for some in offsets.chunks(self.bounds.records) {
                self.records(&partition, some, wish.reason)?;
                if self.tally.is_stopped() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The lake as it is, or was a moment ago.
    fn look(&mut self) -> anyhow::Result<Arc<Look>> {
        let now = clock::now().0;
        if let Some((since, look)) = &self.look
            && now - since < LOOK_FOR_MS
        {
            return Ok(Arc::clone(look));
        }
        let look = Arc::new(Look::new(&self.lake).context("read dead letters")?);
        self.txns = look.requeue_txns();
        self.look = Some((now, Arc::clone(&look)));
        Ok(look)
    }

    /// Why nothing of a partition can be read, if so.
    fn why_unreached(&self, partition: &SourcePartition) -> Option<String> {
        let of_partition = self.unreached.get(partition).cloned();
        of_partition.or_else(|| self.records.serves(&partition.source).err())
    }

    /// All letters of a partition, page by page.
    fn stretch(&mut self, stretch: &Stretch, reason: Option<Reason>) -> anyhow::Result<()> {
        let records_max = self.bounds.records;
        let source = &stretch.partition.source;
        if let Some(why) = self.why_unreached(&stretch.partition)
            && !self.look()?.any_requeued_of(source)
        {
            self.tally.unreached(source, &why, stretch.letters);
            return Ok(());
        }
        let mut after = None;
        loop {
            let look = self.look()?;
            let page = look.page(stretch, reason, after, records_max)?;
            self.page(&look, &stretch.partition, &page, reason)?;
            if self.tally.is_stopped() {
                return Ok(());
            }
            match page.last() {
                Some(last) if page.len() >= records_max => after = Some(last.offset),
                _ => return Ok(()),
            }
        }
    }

    /// The records of a page: those that are wholly requeued are not looked into.
    fn page(
        &mut self,
        look: &Look,
        partition: &SourcePartition,
        page: &[Listed],
        reason: Option<Reason>,
    ) -> anyhow::Result<()> {
        let mut open = Vec::new();
        for listed in page {
            let place = Place::of(partition, listed.offset);
            if look.requeued_of(&place) >= listed.letters {
                self.tally.before += listed.wanted;
            } else {
                open.push(listed.offset);
            }
        }
        self.records(partition, &open, reason)
    }

    /// Some records of a partition.
    fn records(
        &mut self,
        partition: &SourcePartition,
        offsets: &[Offset],
        reason: Option<Reason>,
    ) -> anyhow::Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        for group in self.look()?.groups(partition, offsets)? {
            let known = self.look()?.known(partition, &group)?;
            let mut pile = Pile::default();
            for (offset, known) in &known {
                let place = Place::of(partition, *offset);
                if let Some(revived) = self.record(&place, known, reason)? {
                    let next = Waiting { place, revived };
                    if self.txns + pile.txns + next.txns_len() > self.bounds.txns {
                        self.tally.stop(&next.place, self.bounds.txns);
                        return self.commit(pile);
                    }
                    pile.push(next);
                }
                if pile.is_full(&self.bounds) {
                    self.commit(std::mem::take(&mut pile))?;
                }
            }
            self.commit(pile)?;
        }
        Ok(())
    }

    /// One record: what of it is to be added, if anything is.
    fn record(
        &mut self,
        place: &Place,
        known: &Known,
        reason: Option<Reason>,
    ) -> anyhow::Result<Option<Revived>> {
        let stored = known.stored();
        let mut wanted = BTreeSet::new();
        for (item, letter) in &known.letters {
            if reason.is_some_and(|reason| reason.name() != letter.reason) {
                continue;
            }
            if letter.is_requeued || stored.contains(item) {
                self.tally.before += 1;
            } else {
                wanted.insert(*item);
            }
        }
        if wanted.is_empty() {
            return Ok(None);
        }
        let letters = wanted.len() as u64;
        let partition = place.source_partition();
        if let Some(why) = self.why_unreached(&partition) {
            self.tally.unreached(&place.source, &why, letters);
            return Ok(None);
        }
        let found = match self.records.record(place) {
            Answer::Record(found) => found,
            Answer::Gone => {
                self.tally.gone += letters;
                return Ok(None);
            }
            Answer::Unreadable(why) => {
                self.tally.unreached(&place.source, &why, letters);
                return Ok(None);
            }
            Answer::Unreached(why) => {
                self.tally.unreached(&place.source, &why, letters);
                self.unreached.insert(partition, why);
                return Ok(None);
            }
        };
        let decoded = self.decode(place, &found);
        match known::choose(known, &wanted, decoded)? {
            Choice::Dead => self.tally.dead += letters,
            Choice::Refused(why) => self.tally.refused(place, why, letters),
            Choice::Add(revived) => {
                self.tally.dead += letters - revived.items.len() as u64;
                return Ok(Some(revived));
            }
        }
        Ok(None)
    }

    fn decode(&mut self, place: &Place, record: &Found) -> Vec<EventBatch> {
        let context = RecordContext {
            source: &place.source,
            partition: place.partition,
            offset: place.offset,
            record_time: record.time,
            read_time: clock::now(),
        };
        let format = self.kafka.format_of(&record.topic);
        let headers: Vec<(&[u8], Option<&[u8]>)> = record
            .headers
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_deref()))
            .collect();
        self.decoder.decode_with_headers(format, &context, &headers, record.value.as_deref());
        self.decoder.take_dead_letters();
        self.decoder.finish()
    }

    /// Commits the rows of several records; records of which another took an item meanwhile are
    /// left to it.
    fn commit(&mut self, pile: Pile) -> anyhow::Result<()> {
        let mut waiting = pile.records;
        let items = |of: &[Waiting]| -> u64 {
            of.iter().map(|record| record.revived.items.len() as u64).sum()
        };
        while !waiting.is_empty() {
            let batches =
                waiting.iter().flat_map(|record| record.revived.batches.clone()).collect();
            let parts = writer::parts(batches).context("sort rows")?;
            let staged = self.table.stage(parts, Encoding::Light, clock::now().0)?;
            let txns: Vec<Txn> = waiting.iter().flat_map(Waiting::txns).collect();
            let info = writer::requeue_info();
            match self.table.commit(&staged, &txns, &info, clock::now().0)? {
                CommitOutcome::Committed { .. } => {
                    self.txns += txns.len();
                    self.tally.requeued += items(&waiting);
                    self.tally.rest +=
                        waiting.iter().map(|record| record.revived.rest as u64).sum::<u64>();
                    return Ok(());
                }
                CommitOutcome::AlreadyIn => {
                    self.tally.before += items(&waiting);
                    return Ok(());
                }
                CommitOutcome::Expired => bail!("commit requeued rows: it took too long"),
                CommitOutcome::Lost { apps } => {
                    let lost: BTreeSet<String> = apps.into_iter().collect();
                    waiting.retain(|record| {
                        let txns = record.txns();
                        if txns.iter().all(|txn| !lost.contains(&txn.app)) {
                            return true;
                        }
                        let is_taken =
                            |item: &&i32| lost.contains(&record.place.requeue_app(**item));
                        let taken = record.revived.items.iter().filter(is_taken).count() as u64;
                        self.tally.before += taken;
                        let left = record.revived.items.len() as u64 - taken;
                        if left > 0 {
                            self.tally.refused(&record.place, CONTENDED, left);
                        }
                        false
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
