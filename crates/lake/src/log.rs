//! The table's log as plain files: one JSON file a version, and checkpoints.
//!
//! The kernel finds one application id at a time; here all of them are read at once, the
//! commits in between are read to go on from a version, and cleaned-away entries are noticed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, RecordBatch};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{DynObjectStore, Error, ObjectMeta, ObjectStoreExt as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use serde::Deserialize;
use url::Url;

use crate::error::{LakeError, Result};
use crate::file::FileInfo;
use crate::store::key_of;

/// Log entries read at the same time.
const READS_AT_ONCE: usize = 16;

/// What one commit did.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The version it made.
    pub version: u64,
    /// Files it added.
    pub added: Vec<FileInfo>,
    /// Paths of files it removed, as [`FileInfo::path`].
    pub removed_paths: Vec<String>,
    /// Whether rows came, went or changed; false for compaction.
    pub data_change: bool,
    /// The commit's info, as given to the commit.
    pub info: BTreeMap<String, String>,
    /// The application ids it moved.
    pub transactions: Vec<(String, i64)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    add: Option<Add>,
    remove: Option<Remove>,
    txn: Option<TxnAction>,
    commit_info: Option<CommitInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    path: String,
    partition_values: BTreeMap<String, Option<String>>,
    size: i64,
    modification_time: i64,
    data_change: bool,
    stats: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remove {
    path: String,
    data_change: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TxnAction {
    app_id: String,
    version: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitInfo {
    #[serde(default)]
    operation_parameters: Option<BTreeMap<String, Option<String>>>,
}

/// The files of the log folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) commits: BTreeMap<u64, ObjectMeta>,
    pub(crate) checkpoints: BTreeMap<u64, ObjectMeta>,
}

/// The log of one table.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    store: Arc<DynObjectStore>,
    table: Url,
    folder: Path,
}

impl Log {
    pub(crate) fn new(store: Arc<DynObjectStore>, table: Url) -> Result<Self> {
        let folder = table.join("_delta_log/").map_err(LakeError::data("read log address"))?;
        Ok(Self { store, folder: key_of(&folder)?, table })
    }

    fn key(&self, name: String) -> Path {
        self.folder.clone().join(name)
    }

    fn commit_key(&self, version: u64) -> Path {
        self.key(format!("{version:020}.json"))
    }

    /// The commit of a version; `None` where there is no such file.
    pub(crate) async fn read(&self, version: u64) -> Result<Option<Change>> {
        let bytes = match self.store.get(&self.commit_key(version)).await {
            Ok(found) => found.bytes().await.map_err(LakeError::store("read log"))?,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(LakeError::store("read log")(error)),
        };
        self.parse(version, &bytes).map(Some)
    }

    /// Whether the commit file of a version is in the log.
    pub(crate) async fn exists(&self, version: u64) -> Result<bool> {
        match self.store.head(&self.commit_key(version)).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(LakeError::store("look up log entry")(error)),
        }
    }

    /// Deletes the entry of a version that fell into a hole.
    pub(crate) async fn delete(&self, version: u64) -> Result<()> {
        match self.store.delete(&self.commit_key(version)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(LakeError::store("delete log entry")(error)),
        }
    }

    fn parse(&self, version: u64, bytes: &Bytes) -> Result<Change> {
        let mut change = Change {
            version,
            added: Vec::new(),
            removed_paths: Vec::new(),
            data_change: false,
            info: BTreeMap::new(),
            transactions: Vec::new(),
        };
        let actions = serde_json::Deserializer::from_slice(bytes).into_iter::<Action>();
        for action in actions {
            let action = action.map_err(LakeError::data("parse log entry"))?;
            if let Some(add) = action.add {
                change.data_change |= add.data_change;
                let Add { path, partition_values, size, modification_time, stats, .. } = add;
                change.added.push(
                    FileInfo::new(
                        &self.table,
                        path,
                        size,
                        partition_values,
                        stats,
                        modification_time,
                    )
                    .map_err(LakeError::data("parse log entry"))?,
                );
            }
            if let Some(remove) = action.remove {
                change.data_change |= remove.data_change;
                change.removed_paths.push(remove.path);
            }
            if let Some(txn) = action.txn {
                change.transactions.push((txn.app_id, txn.version));
            }
            if let Some(info) = action.commit_info {
                change.info = info
                    .operation_parameters
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)))
                    .collect();
            }
        }
        Ok(change)
    }

    /// The commits of `(after, up_to]` in order, some at a time.
    pub(crate) async fn between(&self, after: u64, up_to: u64) -> Result<Vec<Change>> {
        futures::stream::iter(after + 1..=up_to)
            .map(|version| async move {
                self.read(version).await?.ok_or(LakeError::LogGone { version })
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Commits and checkpoints by version.
    pub(crate) async fn list(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        let mut files = self.store.list(Some(&self.folder));
        while let Some(meta) = files.try_next().await.map_err(LakeError::store("list log"))? {
            let name = meta.location.filename().unwrap_or_default();
            let Some((digits, kind)) = name.split_once('.') else { continue };
            let Some(version) = version_of(digits) else { continue };
            match kind {
                "json" => drop(listing.commits.insert(version, meta)),
                "checkpoint.parquet" => drop(listing.checkpoints.insert(version, meta)),
                _ => {}
            }
        }
        Ok(listing)
    }

    /// Whether the table has a log.
    pub(crate) async fn is_there(&self) -> Result<bool> {
        let mut files = self.store.list(Some(&self.folder));
        Ok(files.try_next().await.map_err(LakeError::store("list log"))?.is_some())
    }

    /// Every application id and its version as of a table version: from the newest
    /// checkpoint at or before it and the commits after.
    pub(crate) async fn transactions_at(&self, version: u64) -> Result<HashMap<String, i64>> {
        let listing = self.list().await?;
        let checkpoint = listing.checkpoints.range(..=version).next_back();
        let mut transactions = HashMap::new();
        let first = match checkpoint {
            Some((covered, meta)) => {
                self.checkpoint_transactions(meta, &mut transactions).await?;
                covered + 1
            }
            None => 0,
        };
        let mut commits = futures::stream::iter(first..=version)
            .map(|version| async move {
                self.read(version).await?.ok_or(LakeError::LogGone { version })
            })
            .buffered(READS_AT_ONCE);
        while let Some(change) = commits.try_next().await? {
            transactions.extend(change.transactions);
        }
        Ok(transactions)
    }

    async fn checkpoint_transactions(
        &self,
        meta: &ObjectMeta,
        into: &mut HashMap<String, i64>,
    ) -> Result<()> {
        let failed = "read checkpoint";
        let reader = StoredFile {
            store: Arc::clone(&self.store),
            key: meta.location.clone(),
            size: meta.size,
        };
        let builder =
            ParquetRecordBatchStreamBuilder::new(reader).await.map_err(LakeError::data(failed))?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["txn"]);
        let mut batches = builder.with_projection(mask).build().map_err(LakeError::data(failed))?;
        while let Some(batch) = batches.try_next().await.map_err(LakeError::data(failed))? {
            collect_transactions(&batch, into).ok_or_else(|| {
                LakeError::data(failed)("the column txn has another shape than the format says")
            })?;
        }
        Ok(())
    }
}

/// A Parquet file of which only the needed columns are fetched.
struct StoredFile {
    store: Arc<DynObjectStore>,
    key: Path,
    size: u64,
}

impl AsyncFileReader for StoredFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        let read = async move { self.store.get_range(&self.key, range).await };
        read.map_err(|error| ParquetError::External(Box::new(error))).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let size = self.size;
        async move {
            let reader = ParquetMetaDataReader::new();
            reader.load_and_finish(self, size).await.map(Arc::new)
        }
        .boxed()
    }
}

fn version_of(digits: &str) -> Option<u64> {
    let all_digits = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits)
}

fn collect_transactions(batch: &RecordBatch, into: &mut HashMap<String, i64>) -> Option<()> {
    let txn = batch.column_by_name("txn")?.as_struct_opt()?;
    let apps = txn.column_by_name("appId")?.as_string_opt::<i32>()?;
    let versions = txn.column_by_name("version")?.as_primitive_opt::<Int64Type>()?;
    for row in 0..txn.len() {
        if txn.is_valid(row) && apps.is_valid(row) && versions.is_valid(row) {
            into.insert(apps.value(row).to_owned(), versions.value(row));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_of_another_writer_is_read() {
        let table = Url::parse("file:///lake/t/").expect("url");
        let log = Log::new(Arc::new(object_store::memory::InMemory::new()), table).expect("log");
        let lines = concat!(
            "{\"commitInfo\":{\"operation\":\"WRITE\",\"operationParameters\":{\"a\":\"b\"}}}\n",
            "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n",
            "{\"txn\":{\"appId\":\"x\",\"version\":7,\"lastUpdated\":1}}\n",
            "{\"remove\":{\"path\":\"old\",\"dataChange\":false,\"deletionTimestamp\":1}}\n",
        );
        let change = log.parse(3, &Bytes::from(lines)).expect("parses");
        assert_eq!(change.transactions, [("x".to_owned(), 7)]);
        assert_eq!(change.removed_paths, ["old"]);
        assert_eq!(change.info["a"], "b");
        assert!(!change.data_change);
        assert!(log.parse(3, &Bytes::from("{\"add\":")).is_err());
        assert_eq!(version_of("00000000000000000012"), Some(12));
        assert_eq!(version_of("12"), None);
    }
}
