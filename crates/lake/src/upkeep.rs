//! Keeps the log and the folder small: checkpoints, vacuum, log cleaning. Each step is safe
//! if two do it at once, and may be left out: the table stays right, only slower.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::{Path, PathPart};
use object_store::{Error, ObjectMeta, ObjectStoreExt as _};
use turnwise_model::limits::{CHECKPOINT_EVERY, LOG_RETENTION_MS, ORPHAN_RETENTION_MS};

use crate::error::{LakeError, Result};
use crate::file::EXTENSION;
use crate::kernel::Held;
use crate::log::Change;
use crate::store::{OWN_FOLDER, key_of};
use crate::table::Table;

/// Deletions under way at the same time.
const DELETES_AT_ONCE: usize = 16;

impl Table {
    /// Writes a checkpoint where the held version is [`CHECKPOINT_EVERY`] commits ahead of
    /// the newest one. Returns its version where one was written.
    ///
    /// # Errors
    /// [`LakeError::Store`], [`LakeError::Data`]; the next call tries again.
    pub fn checkpoint(&self) -> Result<Option<u64>> {
        // Most calls end here, without a look at the store.
        if self.version() < self.checkpoint_known() + CHECKPOINT_EVERY {
            return Ok(None);
        }
        let log = self.log().clone();
        let listing = self.shared().kernel.wait(async move { log.list().await })?;
        let newest = listing.checkpoints.last_key_value().map_or(0, |(version, _)| *version);
        self.know_checkpoint(newest);
        if self.version() < newest + CHECKPOINT_EVERY {
            return Ok(None);
        }
        self.checkpoint_now().map(Some)
    }

    /// Writes a checkpoint of the newest version, due or not, and returns its version.
    ///
    /// # Errors
    /// As [`Self::checkpoint`].
    pub fn checkpoint_now(&self) -> Result<u64> {
        self.refresh()?;
        let held = self.held();
        let held: Held = self.shared().kernel.checkpoint(&held)?;
        let version = held.version();
        self.stand_on(held);
        self.know_checkpoint(version);
        Ok(version)
    }

    /// Deletes data files that nothing needs any more: those that no commit names and that are older
    /// than [`ORPHAN_RETENTION_MS`], which killed writers left, and those that were replaced or
    /// compacted away at least `replaced_ms` ago, time enough for every reader to be done. Returns how
    /// many.
    ///
    /// A file is listed before the version is read that decides: whoever commits it in
    /// between is seen, and nobody may commit it later (law 8).
    ///
    /// # Errors
    /// [`LakeError::Store`], [`LakeError::Data`].
    pub fn vacuum(&self, replaced_ms: i64, now_ms: i64) -> Result<usize> {
        let old = now_ms - ORPHAN_RETENTION_MS;
        let folder = key_of(self.url())?;
        let mut found = self.list(folder.clone())?;
        found.retain(|meta| is_data(&folder, &meta.location));
        self.refresh()?;
        let mut live: HashSet<Path> = HashSet::new();
        let mut broken = None;
        self.shared().kernel.scan(&self.held(), &mut |file| {
            match key_of(&file.url) {
                Ok(key) => drop(live.insert(key)),
                Err(error) => broken = Some(error),
            }
            false
        })?;
        if let Some(error) = broken {
            return Err(error);
        }
        // By whether readers may still need them.
        let (mut needed, mut replaced) = (HashSet::new(), HashSet::new());
        for (time_ms, change) in self.changes_since(old)? {
            let of_commit =
                if time_ms < now_ms - replaced_ms { &mut replaced } else { &mut needed };
            for path in change.removed_paths {
                let url = self.url().join(&path).map_err(LakeError::data("vacuum"))?;
                of_commit.insert(key_of(&url)?);
            }
        }
        let is_waste = |meta: &ObjectMeta| {
            let key = &meta.location;
            let is_old = meta.last_modified.timestamp_millis() < old;
            !live.contains(key) && !needed.contains(key) && (is_old || replaced.contains(key))
        };
        found.retain(is_waste);
        let mut keys: Vec<Path> = found.into_iter().map(|meta| meta.location).collect();
        let left = self.list(self.shared().place.temporary()?)?;
        let left = left.into_iter().filter(|meta| meta.last_modified.timestamp_millis() < old);
        keys.extend(left.map(|meta| meta.location));
        self.delete(keys, DELETES_AT_ONCE)
    }

    /// Deletes log entries and checkpoints that are older than [`LOG_RETENTION_MS`] and
    /// covered by a checkpoint that is older too, so that every version the log still names
    /// can be read. In ascending order: an entry is never gone while an older one is there
    /// (`table.rs` says why). Returns how many.
    ///
    /// # Errors
    /// [`LakeError::Store`].
    pub fn clean_log(&self, now_ms: i64) -> Result<usize> {
        let old =
            |meta: &ObjectMeta| meta.last_modified.timestamp_millis() < now_ms - LOG_RETENTION_MS;
        let log = self.log().clone();
        let listing = self.shared().kernel.wait(async move { log.list().await })?;
        let covering = listing.checkpoints.iter().rev().find(|(_, meta)| old(meta));
        let Some((covered, _)) = covering else { return Ok(0) };
        let commits = listing.commits.range(..covered).map(|(_, meta)| meta);
        let mut keys: Vec<Path> =
            commits.take_while(|meta| old(meta)).map(|meta| meta.location.clone()).collect();
        let checkpoints = listing.checkpoints.range(..covered).map(|(_, meta)| meta);
        // A checkpoint goes when no entry needs it: all entries up to it are gone before.
        if keys.len() == listing.commits.range(..covered).count() {
            keys.extend(checkpoints.map(|meta| meta.location.clone()));
        }
        self.delete(keys, 1)
    }

    /// The commits that were made at or after a time, by the store's clock, each with its own.
    fn changes_since(&self, time_ms: i64) -> Result<Vec<(i64, Change)>> {
        let log = self.log().clone();
        self.shared().kernel.wait(async move {
            let listing = log.list().await?;
            let made = |meta: &ObjectMeta| meta.last_modified.timestamp_millis();
            let first = listing.commits.iter().find(|(_, meta)| made(meta) >= time_ms);
            let (Some((first, _)), Some((last, _))) = (first, listing.commits.last_key_value())
            else {
                return Ok(Vec::new());
            };
            let mut changes = Vec::new();
            if let Some(before) = first.checked_sub(1) {
                changes = log.between(before, *last).await?;
            } else {
                changes.extend(log.read(0).await?);
                changes.extend(log.between(0, *last).await?);
            }
            let made = |change: &Change| listing.commits.get(&change.version).map(made);
            // One that the listing lacks was made after it.
            let timed =
                changes.into_iter().map(|change| (made(&change).unwrap_or(i64::MAX), change));
            Ok(timed.collect())
        })
    }

    fn list(&self, folder: Path) -> Result<Vec<ObjectMeta>> {
        let store = Arc::clone(&self.shared().place.store);
        let listed = self
            .shared()
            .kernel
            .wait(async move { store.list(Some(&folder)).try_collect::<Vec<_>>().await });
        listed.map_err(LakeError::store("list files"))
    }

    fn delete(&self, keys: Vec<Path>, at_once: usize) -> Result<usize> {
        let store = Arc::clone(&self.shared().place.store);
        let deleted = self.shared().kernel.wait(async move {
            futures::stream::iter(keys)
                .map(|key| {
                    let store = Arc::clone(&store);
                    async move {
                        match store.delete(&key).await {
                            Ok(()) => Ok(1),
                            Err(Error::NotFound { .. }) => Ok(0),
                            Err(error) => Err(error),
                        }
                    }
                })
                .buffered(at_once)
                .try_fold(0, |sum, one| async move { Ok(sum + one) })
                .await
        });
        deleted.map_err(LakeError::store("delete files"))
    }
}

/// Whether a file is a data file of the table in that folder: below it, not of the log, not our
/// own. What the folders above the table's are called says nothing.
fn is_data(folder: &Path, file: &Path) -> bool {
    let is_parquet = file.filename().is_some_and(|name| name.ends_with(EXTENSION));
    let is_apart = |part: PathPart<'_>| matches!(part.as_ref(), "_delta_log" | OWN_FOLDER);
    is_parquet && file.prefix_match(folder).is_some_and(|mut below| !below.any(is_apart))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_by_the_folders_below_the_table_alone() {
        for lake in ["lake", "_turnwise/lake", "srv/_delta_log/_turnwise"] {
            let folder = Path::from(format!("{lake}/events"));
            let is_data = |below: &str| is_data(&folder, &Path::from(format!("{folder}/{below}")));
            assert!(is_data("kind=message/date=2026-11-24/1f.parquet"), "{lake}");
            assert!(is_data("1f.parquet"), "{lake}");
            assert!(!is_data("_delta_log/00000000000000000010.checkpoint.parquet"), "{lake}");
            assert!(!is_data("_turnwise/1f.parquet"), "{lake}");
            assert!(!is_data("kind=message/1f.txt"), "{lake}");
        }
        assert!(!is_data(&Path::from("lake/events"), &Path::from("lake/events_2/1f.parquet")));
    }
}
