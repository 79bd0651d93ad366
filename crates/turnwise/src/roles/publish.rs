//! Publishes the newest window of the derived tables to the serving edge.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int32Type};
use turnwise_lake::{FileFilter, FileInfo, Lake, LakeError, Snapshot, Table};
use turnwise_model::schema::column;
use turnwise_model::time::WINDOW_DAYS;
use turnwise_model::{Day, Millis};
use turnwise_query::accounts::Accounts;
use turnwise_query::answer::{SenderAnswer, answers_after};
use turnwise_query::derive::Window;
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
    /// What was published last.
    last: Option<Key>,
    accounts: Accounts,
    /// The paths of files of `events` that `accounts` knows of, as far as they are still there.
    known: HashSet<String>,
    /// The last tables of a look that derives.
    last_tables: [Watched; 2],
}

/// A table, and the version that was seen last; nothing while there is no table.
#[derive(Clone, Default)]
struct Watched(Option<(Arc<Table>, u64)>);

/// What a publication is made of: another one has another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    end: Day,
    /// The version of `events` that the features stand on.
    version: u64,
    derived_at: Millis,
    /// When the verdicts were written.
    judged_at: Millis,
    /// When the flags were written.
    flagged_at: Millis,
    read_to: Option<Millis>,
}

/// The newest window as the tables have it.
struct Stored {
    features: Vec<RecordBatch>,
    provisional: bool,
    flags: BTreeMap<String, (bool, Option<Day>)>,
}

impl Watched {
    fn version(&self) -> Option<u64> {
        self.0.as_ref().map(|(_, version)| *version)
    }

    fn looked_at(self, lake: &Lake, name: &str) -> Result<Self, LakeError> {
        let table = match self.0 {
            Some((table, _)) => Some(table),
            None => lake.existing_table(name)?.map(Arc::new),
        };
        let seen = |table: Arc<Table>| table.refresh().map(|version| (table, version));
        table.map(seen).transpose().map(Self)
    }
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
        Ok(Self { shared, events, last: None, accounts, known, last_tables: Default::default() })
    }

    /// Whether verdicts or flags were written since this was asked last. Features are written before.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub(crate) async fn has_news(&mut self) -> anyhow::Result<bool> {
        let (lake, known) = (self.shared.lake.clone(), self.last_tables.clone());
        let found = blocking(move || {
            let [verdicts, flags] = known;
            Ok([verdicts.looked_at(&lake, VERDICTS.name)?, flags.looked_at(&lake, FLAGS.name)?])
        })
        .await
        .context("look at verdicts")?;
        let known = std::mem::replace(&mut self.last_tables, found);
        Ok(known.each_ref().map(Watched::version)
            != self.last_tables.each_ref().map(Watched::version))
    }

    /// Publishes the newest window if it is another than last time.
    ///
    /// # Errors
    /// Tables that cannot be read.
    pub(crate) async fn publish(&mut self, read_to: Option<Millis>) -> anyhow::Result<()> {
        let lake = self.shared.lake.clone();
        let Some(newest) = blocking(move || Newest::find(&lake)).await.context("read verdicts")?
        else {
            return Ok(());
        };
        let key = Key { read_to, ..newest.key };
        let is_other = self.last != Some(key);
        let newest = Arc::new(newest);
        let read = async || {
            let newest = Arc::clone(&newest);
            blocking(move || newest.read()).await.context("read verdicts")
        };
        let stored = async { if is_other { read().await.map(Some) } else { Ok(None) } };
        let (learned, stored) = tokio::join!(self.learn_accounts(key.end), stored);
        let is_new = learned.context("read events")?;
        if is_new {
            self.last = None;
        }
        let stored = match stored? {
            Some(stored) => stored,
            None if is_new => read().await?,
            None => return Ok(()),
        };
        let answers = self.judged(&stored)?;
        let flag = |sender: &str| stored.flags.get(sender).copied().unwrap_or_default();
        let senders = answers.into_iter().map(|answer| {
            let (flag_on, since) = flag(&answer.window.sender);
            PublishedSender { answer, flag_on, flag_since: since.map(Day::start) }
        });
        self.shared.board.publish(Published {
            events_version: key.version,
            window_end: key.end,
            read_to,
            derived_at: key.derived_at,
            flagged_at: key.flagged_at,
            provisional: stored.provisional,
            senders: senders.collect(),
        });
        tracing::info!(version = key.version, end = key.end.iso(), "published");
        self.last = Some(key);
        Ok(())
    }

    /// Answers of the stored features, with tenants and names. Those that say what the last
    /// publication says are shared with it.
    fn judged(&self, stored: &Stored) -> anyhow::Result<Vec<Arc<SenderAnswer>>> {
        let named = match &self.shared.config.senders {
            None => Senders::default(),
            Some(file) => senders::read(file)?,
        };
        let last = self.shared.board.current();
        let last = last.iter().flat_map(|last| &last.senders);
        let before = last
            .map(|sender| (sender.answer.window.sender.as_str(), &sender.answer))
            .collect::<HashMap<_, _>>();
        let label = |window: &Window| named.label(window, &self.accounts);
        Ok(answers_after(&stored.features, &self.shared.scorecard, &label, &before)?)
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

/// Where the newest window stands: snapshots of tables.
struct Newest {
    key: Key,
    features: Snapshot,
    verdicts: Option<Snapshot>,
    /// With the last midnight that has flags, up to the window's end.
    flags: Option<(Snapshot, Day)>,
}

impl Newest {
    fn find(lake: &Lake) -> Result<Option<Self>, LakeError> {
        let Some(table) = lake.existing_table(SENDER_FEATURES.name)? else { return Ok(None) };
        let features = table.snapshot(None)?;
        let files = features.files(&FileFilter::all())?;
        let Some(end) = files.iter().filter_map(end_of).max() else { return Ok(None) };
        let of_end = |files: &[FileInfo], end| {
            let of_end = files.iter().filter(|file| end_of(file) == Some(end));
            Millis(of_end.map(|file| file.modification_time).max().unwrap_or_default())
        };
        let mut key = Key {
            end,
            version: SENDER_FEATURES.version_of_end(&table, end).unwrap_or_default(),
            derived_at: of_end(&files, end),
            judged_at: Millis(0),
            flagged_at: Millis(0),
            read_to: None,
        };
        let snapshot = |name| match lake.existing_table(name)? {
            Some(table) => table.snapshot(None).map(Some),
            None => Ok(None),
        };
        let verdicts = snapshot(VERDICTS.name)?;
        if let Some(verdicts) = &verdicts {
            key.judged_at = of_end(&verdicts.files(&FileFilter::all())?, end);
        }
        let mut flags = None;
        if let Some(snapshot) = snapshot(FLAGS.name)? {
            let filter = FileFilter::all().partition_between("window_end", Day(0), end);
            let files = snapshot.files(&filter)?;
            if let Some(last) = files.iter().filter_map(end_of).max() {
                key.flagged_at = of_end(&files, last);
                flags = Some((snapshot, last));
            }
        }
        Ok(Some(Self { key, features, verdicts, flags }))
    }

    fn read(&self) -> Result<Stored, LakeError> {
        let at = |end| FileFilter::all().partition_in("window_end", [end]);
        let features = self.features.read(None, &at(self.key.end))?;
        let verdicts = match &self.verdicts {
            Some(verdicts) => verdicts.read(Some(&["provisional"]), &at(self.key.end))?,
            None => Vec::new(),
        };
        let is_marked = |batch: &RecordBatch| {
            let marks = batch["provisional"].as_primitive::<Int32Type>();
            marks.values().iter().any(|mark| *mark != 0)
        };
        // The verdicts come after the features: until then nothing says that the window is complete.
        let is_judged = verdicts.iter().any(|batch| batch.num_rows() > 0);
        let provisional = !is_judged || verdicts.iter().any(is_marked);
        let mut flags = BTreeMap::new();
        let rows = match &self.flags {
            Some((snapshot, last)) => snapshot.read(None, &at(*last))?,
            None => Vec::new(),
        };
        for batch in rows {
            let senders = batch["sender"].as_string::<i32>();
            let on = batch["flag_on"].as_primitive::<Int32Type>();
            let since = batch["since"].as_primitive::<Date32Type>();
            for row in 0..batch.num_rows() {
                let since = since.is_valid(row).then(|| Day(since.value(row)));
                flags.insert(senders.value(row).to_owned(), (on.value(row) != 0, since));
            }
        }
        Ok(Stored { features, provisional, flags })
    }
}

/// The midnight that a file's rows are of.
fn end_of(file: &FileInfo) -> Option<Day> {
    Day::parse_iso(file.partition_values.get("window_end")?.as_deref()?)
}
