//! What a lake holds, as tests compare it: rows by place, offsets, and what its log names while
//! processes write to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use turnwise_lake::{FileFilter, FileInfo, Lake, Snapshot};
use turnwise_model::schema::{column, dated_by_event, events};
use turnwise_model::{Day, EventKind, Millis};

use crate::oracle::decode::{RawRow, raw_rows};

/// Where a row stands: webhooks or sends, partition, offset, item; an item gives at most one row
/// of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stand {
    /// Of the input of webhooks.
    pub is_webhook: bool,
    /// Partition of the input.
    pub partition: i32,
    /// The record.
    pub offset: i64,
    /// The item in it.
    pub item: i32,
    /// The row's kind.
    pub kind: EventKind,
}

/// The table `events` of a lake in a folder, as it is now.
#[derive(Debug)]
pub struct Events {
    snapshot: Snapshot,
    /// The lake.
    pub lake: Lake,
    /// The stored offset of each partition, by application id.
    pub offsets: BTreeMap<String, i64>,
}

impl Events {
    /// Opens it.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub fn open(folder: &Path) -> Result<Self> {
        let location = folder.to_str().context("name the folder")?;
        let lake = Lake::open(location, &BTreeMap::new())?;
        let table = lake.table("events", events(), &[column::KIND, column::DATE])?;
        let offsets = table.transactions().into_iter().collect();
        Ok(Self { snapshot: table.snapshot(None)?, lake, offsets })
    }

    /// The version, and the data files.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub fn files(&self) -> Result<(u64, Vec<FileInfo>)> {
        Ok((self.snapshot.version(), self.snapshot.files(&FileFilter::all())?))
    }

    /// The names of the inputs in the table: of webhooks, of sends. Only webhooks have statuses.
    ///
    /// # Errors
    /// Not two inputs, one of which has statuses.
    pub fn sources(&self) -> Result<[String; 2]> {
        let of_app = |app: &String| {
            let (_, rest) = app.split_once('/')?;
            Some(rest.rsplit_once('/')?.0.to_owned())
        };
        let all: BTreeSet<String> = self.offsets.keys().filter_map(of_app).collect();
        let filter = FileFilter::all().partition_in(column::KIND, [EventKind::Status.name()]);
        let statuses = self.snapshot.read(Some(&[column::SOURCE]), &filter)?;
        let batch = statuses.first().context("find statuses")?;
        let webhooks = arrow::array::AsArray::as_string::<i32>(&batch[column::SOURCE]);
        let webhooks = webhooks.value(0).to_owned();
        let sends = all.iter().find(|source| **source != webhooks).context("find sends")?;
        ensure!(all.len() == 2, "{} inputs", all.len());
        Ok([webhooks, sends.clone()])
    }

    /// Gives every row to `each`, a kind and date at a time.
    ///
    /// # Errors
    /// Files that cannot be read; a row in the files of another date than its event's.
    pub fn each_row(&self, each: &mut dyn FnMut(RawRow) -> Result<()>) -> Result<()> {
        let (_, files) = self.files()?;
        let dates: BTreeSet<Day> = files.iter().filter_map(date).collect();
        for kind in EventKind::ALL {
            for date in &dates {
                let filter = FileFilter::all()
                    .partition_in(column::KIND, [kind.name()])
                    .partition_in(column::DATE, [*date]);
                for batch in self.snapshot.read(None, &filter)? {
                    for row in raw_rows(*kind, &batch) {
                        let time = row.int(column::TIME).context("find time")?;
                        let day = Millis(time.div_euclid(1_000)).day();
                        ensure!(!dated_by_event(*kind) || day == *date, "{row:?} on {date:?}");
                        each(row)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A file's date.
fn date(file: &FileInfo) -> Option<Day> {
    Day::parse_iso(file.partition_values.get(column::DATE)?.as_deref()?)
}

/// Where a row stands, if it is of one of the two inputs.
#[must_use]
pub fn stand(row: &RawRow, sources: &[String; 2]) -> Option<Stand> {
    let source = row.text(column::SOURCE)?;
    let small = |name| row.int(name).and_then(|value| i32::try_from(value).ok());
    Some(Stand {
        is_webhook: sources.iter().position(|known| known == source)? == 0,
        partition: small(column::PARTITION)?,
        offset: row.int(column::OFFSET)?,
        item: small(column::ITEM)?,
        kind: row.kind,
    })
}

/// The log of a table's folder while others write to it: every entry is read once.
#[derive(Debug, Default)]
pub struct LogWatch {
    log: PathBuf,
    next: u64,
    /// The names of data files that entries have added.
    pub named: BTreeSet<String>,
    /// Entries that added files.
    pub adding: u64,
    /// Each move of an application's offset, in order.
    pub moves: BTreeMap<String, Vec<i64>>,
}

impl LogWatch {
    /// Of a table's folder.
    #[must_use]
    pub fn new(table: &Path) -> Self {
        Self { log: table.join("_delta_log"), ..Self::default() }
    }

    /// Reads the entries that are new.
    ///
    /// # Errors
    /// An entry that is none.
    pub fn look(&mut self) -> Result<()> {
        while let Ok(text) =
            std::fs::read_to_string(self.log.join(format!("{:020}.json", self.next)))
        {
            self.next += 1;
            let mut adds = false;
            for line in text.lines() {
                let action: Value = serde_json::from_str(line).context("read log entry")?;
                if let Some(path) = action["add"]["path"].as_str() {
                    self.named.insert(path.rsplit('/').next().unwrap_or(path).to_owned());
                    adds = true;
                }
                let txn = &action["txn"];
                if let (Some(app), Some(to)) = (txn["appId"].as_str(), txn["version"].as_i64()) {
                    self.moves.entry(app.to_owned()).or_default().push(to);
                }
            }
            self.adding += u64::from(adds);
        }
        Ok(())
    }

    /// The sum of all offsets reached.
    #[must_use]
    pub fn reached(&self) -> i64 {
        self.moves.values().filter_map(|moves| moves.last()).sum()
    }

    /// The first application whose offset did not climb from entry to entry.
    #[must_use]
    pub fn falls(&self) -> Option<&String> {
        let falls = |moves: &&Vec<i64>| moves.windows(2).any(|two| two[1] < two[0]);
        self.moves.iter().find(|(_, moves)| falls(moves)).map(|(app, _)| app)
    }
}

/// The data files under a table's folder: of folders that have not changed nothing is listed again.
#[derive(Debug, Default)]
pub struct FolderWatch {
    folders: BTreeMap<PathBuf, Option<SystemTime>>,
    /// The names of all files seen.
    pub files: BTreeSet<String>,
}

/// A folder that changed a moment ago may change again without another time.
const SETTLED_AFTER: Duration = Duration::from_millis(50);

impl FolderWatch {
    /// Of a table's folder.
    #[must_use]
    pub fn new(table: &Path) -> Self {
        Self { folders: BTreeMap::from([(table.to_owned(), None)]), files: BTreeSet::new() }
    }

    /// The files that are new since the last look.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn look(&mut self) -> Result<Vec<String>> {
        let mut new = Vec::new();
        let mut folders: Vec<PathBuf> = self.folders.keys().cloned().collect();
        while let Some(folder) = folders.pop() {
            let Ok(changed) = std::fs::metadata(&folder).and_then(|data| data.modified()) else {
                continue;
            };
            if self.folders.get(&folder).copied().flatten() == Some(changed) {
                continue;
            }
            let is_settled = changed.elapsed().is_ok_and(|age| age > SETTLED_AFTER);
            self.folders.insert(folder.clone(), is_settled.then_some(changed));
            for entry in std::fs::read_dir(&folder).context("list folder")? {
                let path = entry?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if name.ends_with(".parquet") {
                    if self.files.insert(name.to_owned()) {
                        new.push(name.to_owned());
                    }
                } else if !name.starts_with('_')
                    && path.is_dir()
                    && !self.folders.contains_key(&path)
                {
                    self.folders.insert(path.clone(), None);
                    folders.push(path);
                }
            }
        }
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_tell_what_is_new_once() {
        let table = tempfile::tempdir().expect("folder");
        let part = table.path().join("kind=message").join("date=2026-11-08");
        std::fs::create_dir_all(&part).expect("folder");
        std::fs::create_dir_all(table.path().join("_delta_log")).expect("folder");
        let (mut folders, mut log) = (FolderWatch::new(table.path()), LogWatch::new(table.path()));
        assert!(folders.look().expect("listed").is_empty());
        std::fs::write(part.join("a.parquet"), "").expect("written");
        assert_eq!(folders.look().expect("listed"), ["a.parquet"]);
        assert!(folders.look().expect("listed").is_empty());
        let entry = table.path().join("_delta_log").join(format!("{:020}.json", 0));
        let actions = "{\"txn\":{\"appId\":\"x\",\"version\":7}}\n\
                       {\"add\":{\"path\":\"kind=message/date=2026-11-08/a.parquet\"}}\n";
        std::fs::write(entry, actions).expect("written");
        log.look().expect("read");
        assert_eq!((log.reached(), log.adding, log.falls()), (7, 1, None));
        assert!(log.named.contains("a.parquet"));
        log.moves.insert("y".to_owned(), vec![3, 5, 4]);
        assert_eq!(log.falls().map(String::as_str), Some("y"));
    }
}
