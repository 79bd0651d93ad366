//! Publishes the newest window of the derived tables to the serving edge.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int32Type};
use turnwise_lake::{FileFilter, FileInfo, Lake, LakeError, Table};
use turnwise_model::schema::column;
use turnwise_model::time::WINDOW_DAYS;
use turnwise_model::{Day, Millis};
use turnwise_query::accounts::Accounts;
use turnwise_query::answer::{SenderAnswer, answers};
use turnwise_query::derived::{FLAGS, SENDER_FEATURES, VERDICTS};
use turnwise_serve::{Published, PublishedSender};

use crate::roles::derive::blocking;
use crate::roles::senders::Senders;
use crate::roles::{Shared, senders};
use crate::writer;

/// Reads the derived tables and publishes them when they changed.
pub(crate) struct Publisher {
    shared: Arc<Shared>,
    events: Arc<Table>,
    last: Option<(u64, Millis, Option<Millis>)>,
    accounts: Accounts,
    /// The paths of files of `events` that `accounts` knows of, as far as they are still there.
    known: HashSet<String>,
}

/// The newest window as the tables have it.
struct Stored {
    end: Day,
    /// The version of `events` that the features stand on.
    version: u64,
    derived_at: Millis,
    features: Vec<RecordBatch>,
    provisional: bool,
    flags: BTreeMap<String, (bool, Option<Day>)>,
}

impl Publisher {
    /// Over the lake's derived tables.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub(crate) async fn open(shared: Arc<Shared>) -> anyhow::Result<Self> {
        let lake = shared.lake.clone();
        let events = blocking(move || Ok(Arc::new(writer::events_table(&lake)?))).await?;
        let (accounts, known) = (Accounts::default(), HashSet::new());
        Ok(Self { shared, events, last: None, accounts, known })
    }

    /// Publishes the newest window if it is another than last time.
    ///
    /// # Errors
    /// Tables that cannot be read.
    pub(crate) async fn publish(&mut self, read_to: Option<Millis>) -> anyhow::Result<()> {
        let lake = self.shared.lake.clone();
        let Some(stored) = blocking(move || stored(&lake)).await.context("read verdicts")? else {
            return Ok(());
        };
        let is_new = self.learn_accounts(stored.end).await.context("read events")?;
        let key = (stored.version, stored.derived_at, read_to);
        if self.last == Some(key) && !is_new {
            return Ok(());
        }
        let answers = self.judged(&stored)?;
        let flag = |sender: &str| stored.flags.get(sender).copied().unwrap_or_default();
        let senders = answers.into_iter().map(|answer| {
            let (flag_on, since) = flag(&answer.window.sender);
            PublishedSender { answer, flag_on, flag_since: since.map(Day::start) }
        });
        self.shared.board.publish(Published {
            events_version: stored.version,
            window_end: stored.end,
            read_to,
            derived_at: stored.derived_at,
            provisional: stored.provisional,
            senders: senders.collect(),
        });
        self.last = Some(key);
        Ok(())
    }

    /// Answers of the stored features, with tenants and names.
    fn judged(&self, stored: &Stored) -> anyhow::Result<Vec<SenderAnswer>> {
        let mut found = answers(&stored.features, &self.accounts, &self.shared.scorecard)?;
        let named = match &self.shared.config.senders {
            None => Senders::default(),
            Some(file) => senders::read(file)?,
        };
        for answer in &mut found {
            named.name(answer);
        }
        Ok(found)
    }

    /// Learns from files that were not there last time which accounts their rows name; whether it
    /// was anything new.
    async fn learn_accounts(&mut self, end: Day) -> anyhow::Result<bool> {
        let first = Day(end.0 - WINDOW_DAYS);
        let events = Arc::clone(&self.events);
        let files: Vec<FileInfo> = blocking(move || {
            events.refresh()?;
            events.snapshot(None)?.files(&FileFilter::all().partition_between(
                column::DATE,
                first,
                end,
            ))
        })
        .await?;
        let new: Vec<FileInfo> =
            files.iter().filter(|file| !self.known.contains(&file.path)).cloned().collect();
        if new.is_empty() {
            return Ok(false);
        }
        let is_new = self.accounts.add(self.shared.derived.engine(), &new).await?;
        self.accounts.forget_before(first);
        self.known = files.into_iter().map(|file| file.path).collect();
        Ok(is_new)
    }
}

fn stored(lake: &Lake) -> Result<Option<Stored>, LakeError> {
    let Some(table) = lake.existing_table(SENDER_FEATURES.name)? else { return Ok(None) };
    table.refresh()?;
    let snapshot = table.snapshot(None)?;
    let files = snapshot.files(&FileFilter::all())?;
    let end_of =
        |file: &FileInfo| Day::parse_iso(file.partition_values.get("window_end")?.as_deref()?);
    let Some(end) = files.iter().filter_map(end_of).max() else { return Ok(None) };
    let of_end: Vec<&FileInfo> = files.iter().filter(|file| end_of(file) == Some(end)).collect();
    let derived_at = of_end.iter().map(|file| file.modification_time).max().unwrap_or_default();
    let app = format!("derive/{}/{}", SENDER_FEATURES.name, end.iso());
    let version = table.transaction(&app).and_then(|version| u64::try_from(version).ok());
    let filter = FileFilter::all().partition_in("window_end", [end]);
    let features = snapshot.read(None, &filter)?;
    let verdicts = rows_of(lake, VERDICTS.name, &filter)?;
    let provisional = verdicts.iter().any(|batch| {
        let marks = batch["provisional"].as_primitive::<Int32Type>();
        marks.values().iter().any(|mark| *mark != 0)
    });
    let mut flags = BTreeMap::new();
    if let Some(newest) = newest_flags(lake, end)? {
        for batch in newest {
            let senders = batch["sender"].as_string::<i32>();
            let on = batch["flag_on"].as_primitive::<Int32Type>();
            let since = batch["since"].as_primitive::<Date32Type>();
            for row in 0..batch.num_rows() {
                let since = since.is_valid(row).then(|| Day(since.value(row)));
                flags.insert(senders.value(row).to_owned(), (on.value(row) != 0, since));
            }
        }
    }
    Ok(Some(Stored {
        end,
        version: version.unwrap_or_default(),
        derived_at: Millis(derived_at),
        features,
        provisional,
        flags,
    }))
}

/// The flags of the last midnight that has any, up to `end`.
fn newest_flags(lake: &Lake, end: Day) -> Result<Option<Vec<RecordBatch>>, LakeError> {
    let Some(table) = lake.existing_table(FLAGS.name)? else { return Ok(None) };
    table.refresh()?;
    let snapshot = table.snapshot(None)?;
    let filter = FileFilter::all().partition_between("window_end", Day(0), end);
    let ends = snapshot
        .files(&filter)?
        .into_iter()
        .filter_map(|file| Day::parse_iso(file.partition_values.get("window_end")?.as_deref()?));
    let Some(last) = ends.max() else { return Ok(None) };
    snapshot.read(None, &FileFilter::all().partition_in("window_end", [last])).map(Some)
}

fn rows_of(lake: &Lake, name: &str, filter: &FileFilter) -> Result<Vec<RecordBatch>, LakeError> {
    let Some(table) = lake.existing_table(name)? else { return Ok(Vec::new()) };
    table.refresh()?;
    table.snapshot(None)?.read(None, filter)
}
