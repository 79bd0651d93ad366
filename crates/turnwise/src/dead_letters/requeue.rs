//! `dead-letters requeue`: dead items decoded again, by what the decoder and the configuration know
//! now; those that are rows today are committed.
//!
//! Of a record only what has no row yet is added: its dead items, and items behind its last known
//! one, which a letter about the whole record stood for. Each dead item has a transaction of its
//! own, so whoever comes second finds it taken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arrow::array::{AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int32Type;
use turnwise_codec::{Decoder, RecordContext};
use turnwise_lake::{CommitOutcome, Encoding, Lake, Table, Txn};
use turnwise_model::schema::column;
use turnwise_model::{EventBatch, EventKind};

use super::letters::{self, Filter, Letter};
use super::place::Place;
use super::source::{Found, Source};
use crate::args::RequeueArgs;
use crate::config::{self, KafkaConfig};
use crate::exit::{self, Failure, Outcome};
use crate::{clock, runtime, writer};

/// Records whose rows are committed together.
const RECORDS_AT_ONCE: usize = 256;
/// The version that a requeued item's transaction takes.
const DONE: i64 = 1;

/// What became of the letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// Items whose rows are in the lake now.
    requeued: usize,
    /// Items that were requeued before.
    before: usize,
    /// Items that are still not readable.
    dead: usize,
    /// Items whose record the broker no longer has.
    gone: usize,
}

/// The rows of one record that are to be added, and the dead items they belong to.
struct Revived {
    batches: Vec<EventBatch>,
    txns: Vec<Txn>,
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
    let filter = Filter {
        reason: args.reason,
        places: args.positions.clone(),
        limit: turnwise_model::limits::REQUEUE_ITEMS_MAX,
    };
    let found = super::read(&lake, &filter)?;
    let mut tally = Tally::default();
    if found.iter().any(|letter| !letter.is_requeued) {
        let source = Source::new(kafka)?;
        let table = Arc::new(writer::events_table(&lake).context("open events")?);
        let mut requeue = Requeue { lake, table, source, kafka, decoder: Decoder::new(keys) };
        requeue.all(&found, &mut tally)?;
    } else {
        tally.before = found.len();
    }
    exit::print(&format!(
        "{} requeued, {} requeued before, {} still dead, {} no longer at the broker\n",
        tally.requeued, tally.before, tally.dead, tally.gone
    ))?;
    if found.len() == filter.limit {
        exit::complain(&format!("the first {} were tried; run it again", filter.limit));
    }
    Ok(())
}

struct Requeue<'a> {
    lake: Lake,
    table: Arc<Table>,
    source: Source,
    kafka: &'a KafkaConfig,
    decoder: Decoder,
}

impl Requeue<'_> {
    fn all(&mut self, found: &[Letter], tally: &mut Tally) -> anyhow::Result<()> {
        let mut by_record: BTreeMap<&Place, BTreeSet<i32>> = BTreeMap::new();
        for letter in found {
            if letter.is_requeued {
                tally.before += 1;
            } else {
                by_record.entry(&letter.place).or_default().insert(letter.item);
            }
        }
        let records: Vec<(&Place, BTreeSet<i32>)> = by_record.into_iter().collect();
        for some in records.chunks(RECORDS_AT_ONCE) {
            let places: Vec<Place> = some.iter().map(|(place, _)| (*place).clone()).collect();
            let good = runtime::new()?.block_on(letters::siblings(&self.lake, &places))?;
            let mut revived = Vec::new();
            for (place, dead) in some {
                let none = BTreeSet::new();
                let good = good.get(*place).unwrap_or(&none);
                match self.source.record(place)? {
                    None => tally.gone += dead.len(),
                    Some(record) => {
                        let rows = self.revive(place, &record, dead, good);
                        tally.dead += dead.len() - rows.txns.len();
                        revived.push(rows);
                    }
                }
            }
            self.commit(revived, tally)?;
        }
        Ok(())
    }

    /// Decodes a record again and keeps what has no row yet.
    fn revive(
        &mut self,
        place: &Place,
        record: &Found,
        dead: &BTreeSet<i32>,
        good: &BTreeSet<i32>,
    ) -> Revived {
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
        let last_known = dead.iter().chain(good).max().copied().unwrap_or_default();
        let last_dead = dead.last().copied().unwrap_or_default();
        let mut batches = Vec::new();
        let mut items = BTreeSet::new();
        for batch in self.decoder.finish() {
            if batch.kind == EventKind::DeadLetter {
                continue;
            }
            let numbers = batch.rows[column::ITEM].as_primitive::<Int32Type>();
            let wanted = |item: i32| {
                let is_new = dead.contains(&item) || item > last_known;
                is_new && !good.contains(&item)
            };
            let keep: BooleanArray =
                numbers.values().iter().map(|item| Some(wanted(*item))).collect();
            let kept = numbers.values().iter().filter(|item| wanted(**item));
            // What lies behind the last known item belongs to the last dead one.
            items.extend(kept.map(|item| if dead.contains(item) { *item } else { last_dead }));
            if let Ok(rows) = filter_record_batch(&batch.rows, &keep)
                && rows.num_rows() > 0
            {
                batches.push(EventBatch { rows, ..batch });
            }
        }
        let txn = |item| Txn { app: place.requeue_app(item), expected: None, to: DONE };
        Revived { batches, txns: items.into_iter().map(txn).collect() }
    }

    /// Commits the rows of several records; records of which another took an item meanwhile are
    /// left to it.
    fn commit(&self, mut revived: Vec<Revived>, tally: &mut Tally) -> anyhow::Result<()> {
        revived.retain(|rows| !rows.txns.is_empty());
        while !revived.is_empty() {
            let batches = revived.iter().flat_map(|rows| rows.batches.clone()).collect();
            let parts = writer::parts(batches).context("sort rows")?;
            let staged = self.table.stage(parts, Encoding::Light, clock::now().0)?;
            let txns: Vec<Txn> = revived.iter().flat_map(|rows| rows.txns.clone()).collect();
            let info = writer::requeue_info();
            match self.table.commit(&staged, &txns, &info, clock::now().0)? {
                CommitOutcome::Committed { .. } => {
                    tally.requeued += txns.len();
                    return Ok(());
                }
                CommitOutcome::AlreadyIn => {
                    tally.before += txns.len();
                    return Ok(());
                }
                CommitOutcome::Expired => bail!("commit requeued rows: it took too long"),
                CommitOutcome::Lost { apps } => {
                    let is_lost = |rows: &Revived| rows.txns.iter().any(|t| apps.contains(&t.app));
                    let lost = revived.iter().filter(|rows| is_lost(rows));
                    tally.before += lost.map(|rows| rows.txns.len()).sum::<usize>();
                    revived.retain(|rows| !is_lost(rows));
                }
            }
        }
        Ok(())
    }
}
