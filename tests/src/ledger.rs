//! A lake against the records that were produced: offsets, every row in every column,
//! conversations and features.
//!
//! ```text
//!  lake ──▶ place → fingerprint ──┐ each meant row takes its own out; nothing may be left
//!  records ─ oracle ─▶ rows ──────┴─▶ rows of some senders ─▶ conversations, features ─ equal? ─ engine
//! ```
//!
//! Rows are decoded some senders at a time, so that memory stays small whatever the input's size.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use turnwise_model::ids::sender_bucket;
use turnwise_model::schema::column as c;
use turnwise_model::{Day, EventKind, Keys, Millis, limits};
use turnwise_query::derive::Window;

use crate::compare::Real;
use crate::input::Input;
use crate::lake::{Events, Stand, stand};
use crate::oracle::Row;
use crate::oracle::decode::RawRow;

/// Records whose rows are held at once, about.
const RECORDS_AT_ONCE: u64 = 200_000;
/// Differences that are shown.
const SHOWN: usize = 20;

/// What the comparison went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Rows of all kinds.
    pub rows: usize,
    /// Senders with conversations.
    pub senders: usize,
    /// Windows with features.
    pub windows: usize,
}

/// A lake in a folder holds what so many records of an input hold, and what is derived of it is
/// what the oracle means.
///
/// # Errors
/// The first differences.
pub fn compare(lake: &Path, input: &Input, records: u64, keys: &Keys) -> Result<Compared> {
    let events = Events::open(lake)?;
    let sources = events.sources()?;
    check_offsets(input, records, &events, &sources)?;
    let mut ledger = Ledger { found: BTreeMap::new(), wrong: Vec::new() };
    let mut days: BTreeMap<String, BTreeSet<Day>> = BTreeMap::new();
    events.each_row(&mut |row| {
        let at = stand(&row, &sources).with_context(|| format!("place {row:?}"))?;
        ensure!(ledger.found.insert(at, row.fingerprint()).is_none(), "two rows at {at:?}");
        if let Some((sender, day)) = decides(&row) {
            days.entry(sender.to_owned()).or_default().insert(day);
        }
        Ok(())
    })?;
    let mut compared = Compared { rows: ledger.found.len(), ..Compared::default() };
    let real = derived(&events, &days)?;
    let parts = i32::try_from(records / RECORDS_AT_ONCE).unwrap_or(i32::MAX).clamp(0, 15) + 1;
    for part in 0..parts {
        let senders = ledger.take(input, records, keys, &sources, |sender| match sender {
            None => part == 0,
            Some(sender) => sender_bucket(sender) % parts == part,
        });
        ledger.explain(&events, &sources)?;
        for (sender, rows) in senders {
            let (days, windows) = windows_of(&sender, &rows);
            let mut wrong = real.other_conversations(&sender, &rows, &days);
            for window in &windows {
                let end = window.end.iso();
                let other = real.other_features(&rows, window);
                wrong.extend(other.into_iter().map(|one| format!("{sender} to {end}: {one}")));
            }
            compared.senders += 1;
            compared.windows += windows.len();
            ensure!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(SHOWN)]);
        }
    }
    if let Some((at, _)) = ledger.found.first_key_value() {
        bail!("{} rows that are not meant, the first at {at:?}", ledger.found.len());
    }
    let derived: BTreeSet<&String> = real.senders().collect();
    ensure!(derived.len() <= compared.senders, "{} senders derived", derived.len());
    Ok(compared)
}

/// Every partition was read to its end.
fn check_offsets(
    input: &Input,
    records: u64,
    events: &Events,
    sources: &[String; 2],
) -> Result<()> {
    let name = |is_webhook: bool| &sources[usize::from(!is_webhook)];
    let ends: BTreeMap<String, i64> = input
        .ends(records)
        .into_iter()
        .map(|((is_webhook, at), end)| (format!("ingest/{}/{at}", name(is_webhook)), end))
        .collect();
    // Partitions without a record may have been looked at.
    let read = events.offsets.iter().filter(|(_, end)| **end > 0);
    let read: BTreeMap<String, i64> = read.map(|(app, end)| (app.clone(), *end)).collect();
    ensure!(read == ends, "offsets {read:?}, the input's ends {ends:?}");
    Ok(())
}

/// Rows of the lake that no record has explained so far.
struct Ledger {
    found: BTreeMap<Stand, u64>,
    wrong: Vec<(Stand, RawRow)>,
}

impl Ledger {
    /// Decodes the records of the senders that are wanted, takes their rows out, and returns the
    /// rows that conversations are made of.
    fn take(
        &mut self,
        input: &Input,
        records: u64,
        keys: &Keys,
        sources: &[String; 2],
        wanted: impl Fn(Option<&str>) -> bool,
    ) -> BTreeMap<String, Vec<Row>> {
        let mut senders: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for placed in input.placed().take(usize::try_from(records).unwrap_or(usize::MAX)) {
            let named = placed.senders();
            let first = named.first().copied();
            if !wanted(first) && !named.iter().any(|sender| wanted(Some(sender))) {
                continue;
            }
            for row in placed.rows(keys, sources) {
                // A row without a sender goes with the first that its record names.
                if !wanted(row.text(c::SENDER).or(first)) {
                    continue;
                }
                let at = stand(&row, sources).expect("the oracle says where its rows stand");
                let found = self.found.remove(&at);
                if found != Some(row.fingerprint()) && self.wrong.len() < SHOWN {
                    self.wrong.push((at, row.clone()));
                }
                if let Some((sender, _)) = decides(&row) {
                    senders.entry(sender.to_owned()).or_default().push(Row::from(&row));
                }
            }
        }
        senders
    }

    /// Looks at the rows that differ again, to say how.
    fn explain(&self, events: &Events, sources: &[String; 2]) -> Result<()> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        let wanted: BTreeSet<Stand> = self.wrong.iter().map(|(at, _)| *at).collect();
        let mut found: BTreeMap<Stand, RawRow> = BTreeMap::new();
        events.each_row(&mut |row| {
            if let Some(at) = stand(&row, sources).filter(|at| wanted.contains(at)) {
                found.insert(at, row);
            }
            Ok(())
        })?;
        let tell = |(at, meant): &(Stand, RawRow)| match found.get(at) {
            None => format!("no row at {at:?}: {meant:?}"),
            Some(found) => format!("{at:?}: {:?}", found.difference(meant)),
        };
        bail!("{:#?}", self.wrong.iter().map(tell).collect::<Vec<_>>())
    }
}

/// The sender and day of a row that conversations are made of.
fn decides(row: &RawRow) -> Option<(&str, Day)> {
    let kinds = [EventKind::Message, EventKind::Status, EventKind::Account];
    let sender = row.text(c::SENDER).filter(|_| kinds.contains(&row.kind))?;
    Some((sender, Millis(row.int(c::TIME)?.div_euclid(1_000)).day()))
}

/// What the engine makes of the lake, over the windows of every sender.
fn derived(events: &Events, days: &BTreeMap<String, BTreeSet<Day>>) -> Result<Real> {
    let (_, files) = events.files()?;
    let ends = |senders: &BTreeSet<String>| {
        let all = senders.iter().filter_map(|sender| Some((sender, days.get(sender)?)));
        all.flat_map(|(sender, days)| windows(sender, days)).collect()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(Real::derive(&events.lake, &files, limits::FOLD_ROWS_MAX, ends))
}

/// The window that ends behind the last day, and one in the middle.
fn windows(sender: &str, days: &BTreeSet<Day>) -> Vec<Window> {
    let Some((first, last)) = days.first().zip(days.last()) else { return Vec::new() };
    let ends = BTreeSet::from([Day(last.0 + 1), Day(first.0 + (last.0 - first.0) / 2 + 1)]);
    ends.into_iter().map(|end| Window { sender: sender.to_owned(), end }).collect()
}

/// The days on which a sender's conversations may start, and its windows.
fn windows_of(sender: &str, rows: &[Row]) -> (Vec<Day>, Vec<Window>) {
    let days: BTreeSet<Day> = rows.iter().map(|row| Millis(row.time).day()).collect();
    let windows = windows(sender, &days);
    let around =
        days.first().zip(days.last()).map_or(0..0, |(first, last)| first.0 - 1..last.0 + 2);
    (around.map(Day).collect(), windows)
}
