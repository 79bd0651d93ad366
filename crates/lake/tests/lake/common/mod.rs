//! What the lake's tests share: a store that fails on demand, and small tables.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, DynObjectStore, Error, GetOptions, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result, UploadPart,
};
use turnwise_lake::{FileFilter, Lake, Partition, PartitionValue, Table, Txn};

/// A time that is not far from when the tests' files are written.
#[allow(clippy::disallowed_methods, reason = "files are dated by the real clock")]
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_millis()).expect("fits")
}

/// What happens to one put of a log entry, or to one upload in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// It is stored, and the answer is lost.
    LoseReply,
    /// It is stored, and the store's client tries again: a conflict with itself.
    ConflictWithItself,
    /// It is not stored; the store answers with an error, to the second of several parts.
    Refuse,
    /// It is not stored; the store answers 409 or 412 though nobody has the name.
    FalseConflict,
    /// It is not stored: another writer was faster, and its entry with these lines is.
    Overtaken(&'static str),
}

/// What went to and from the store.
#[derive(Clone, Debug, Default)]
pub struct Transfers {
    /// Bytes of the longest put in one request.
    pub put_bytes_max: usize,
    /// Bytes of the longest answer.
    pub get_bytes_max: u64,
    /// Bytes of each part of the uploads in parts.
    pub parts: Vec<usize>,
    under_way: usize,
    /// Parts that were under way at the same time.
    pub under_way_max: usize,
    /// Uploads that were aborted.
    pub aborted: usize,
}

/// A store between the lake and the disk that fails on demand.
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<DynObjectStore>,
    faults: Mutex<VecDeque<Fault>>,
    upload_faults: Mutex<VecDeque<Fault>>,
    reads: Mutex<Vec<Path>>,
    transfers: Arc<Mutex<Transfers>>,
    ignores_create: bool,
}

impl FaultyStore {
    pub fn script(&self, faults: &[Fault]) {
        *self.faults.lock().expect("lock") = faults.iter().copied().collect();
    }

    /// What happens to the next uploads in parts.
    pub fn script_uploads(&self, faults: &[Fault]) {
        *self.upload_faults.lock().expect("lock") = faults.iter().copied().collect();
    }

    pub fn transfers(&self) -> Transfers {
        self.transfers.lock().expect("lock").clone()
    }

    /// How often a file of this name was read.
    pub fn reads(&self, name: &str) -> usize {
        let reads = self.reads.lock().expect("lock");
        reads.iter().filter(|key| key.filename() == Some(name)).count()
    }

    fn fault(&self, key: &Path) -> Fault {
        let is_entry = key.as_ref().contains("_delta_log/") && key.as_ref().ends_with(".json");
        let mut faults = self.faults.lock().expect("lock");
        if is_entry { faults.pop_front().unwrap_or(Fault::Pass) } else { Fault::Pass }
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

fn lost() -> Error {
    Error::Generic { store: "FaultyStore", source: "the connection was reset".into() }
}

fn taken(key: &Path) -> Error {
    Error::AlreadyExists { path: key.to_string(), source: "taken".into() }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        mut opts: PutOptions,
    ) -> Result<PutResult> {
        if self.ignores_create {
            opts.mode = PutMode::Overwrite;
        }
        {
            let mut seen = self.transfers.lock().expect("lock");
            seen.put_bytes_max = seen.put_bytes_max.max(payload.content_length());
        }
        match self.fault(key) {
            Fault::Pass => self.inner.put_opts(key, payload, opts).await,
            Fault::LoseReply => {
                self.inner.put_opts(key, payload, opts).await?;
                Err(lost())
            }
            Fault::ConflictWithItself => {
                self.inner.put_opts(key, payload, opts).await?;
                Err(taken(key))
            }
            Fault::Refuse => Err(lost()),
            Fault::FalseConflict => Err(taken(key)),
            Fault::Overtaken(entry) => {
                self.inner.put_opts(key, entry.into(), opts).await?;
                Err(taken(key))
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        key: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.inner.put_multipart_opts(key, opts).await?;
        let fault = self.upload_faults.lock().expect("lock").pop_front().unwrap_or(Fault::Pass);
        let transfers = Arc::clone(&self.transfers);
        Ok(Box::new(FaultyUpload { inner, fault, transfers, parts: 0 }))
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        if !options.head {
            self.reads.lock().expect("lock").push(key.clone());
        }
        let is_head = options.head;
        let found = self.inner.get_opts(key, options).await?;
        if !is_head {
            let mut seen = self.transfers.lock().expect("lock");
            seen.get_bytes_max = seen.get_bytes_max.max(found.range.end - found.range.start);
        }
        Ok(found)
    }

    async fn get_ranges(&self, key: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(key, ranges).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// An upload in parts that fails on demand.
#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    fault: Fault,
    transfers: Arc<Mutex<Transfers>>,
    parts: usize,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts += 1;
        if self.fault == Fault::Refuse && self.parts == 2 {
            return Box::pin(async { Err(lost()) });
        }
        let (bytes, transfers) = (data.content_length(), Arc::clone(&self.transfers));
        let part = self.inner.put_part(data);
        Box::pin(async move {
            {
                let mut seen = transfers.lock().expect("lock");
                seen.parts.push(bytes);
                seen.under_way += 1;
                seen.under_way_max = seen.under_way_max.max(seen.under_way);
            }
            let written = part.await;
            transfers.lock().expect("lock").under_way -= 1;
            written
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let completed = self.inner.complete().await?;
        if self.fault == Fault::LoseReply { Err(lost()) } else { Ok(completed) }
    }

    async fn abort(&mut self) -> Result<()> {
        self.transfers.lock().expect("lock").aborted += 1;
        self.inner.abort().await
    }
}

/// A lake in a folder that lives as long as this.
pub struct Fixture {
    pub folder: tempfile::TempDir,
    pub lake: Lake,
    pub store: Arc<FaultyStore>,
}

pub fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("folder");
    let (lake, store) = open(folder.path(), false).expect("opens");
    Fixture { folder, lake, store }
}

/// Opens a lake over a failing store; `ignores_create` is the store to be refused.
pub fn open(
    folder: &std::path::Path,
    ignores_create: bool,
) -> turnwise_lake::Result<(Lake, Arc<FaultyStore>)> {
    let mut made = None;
    let wrap = |inner| {
        let store = Arc::new(FaultyStore {
            inner,
            faults: Mutex::default(),
            upload_faults: Mutex::default(),
            reads: Mutex::default(),
            transfers: Arc::default(),
            ignores_create,
        });
        made = Some(Arc::clone(&store));
        store as Arc<DynObjectStore>
    };
    let lake = Lake::open_on(wrap, folder.to_str().expect("utf-8"), &BTreeMap::new())?;
    Ok((lake, made.expect("wrapped")))
}

/// `app`: who wrote the row; `number`: its offset; partitioned by `part`.
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("app", DataType::Utf8, false),
        Field::new("number", DataType::Int64, true),
        Field::new("part", DataType::Utf8, false),
    ]))
}

pub fn table(lake: &Lake) -> Table {
    lake.table("events", schema(), &["part"]).expect("table")
}

pub fn partition(part: &str) -> Partition {
    Partition::from([("part".to_owned(), PartitionValue::from(part))])
}

/// Rows `[from, to)` of an application.
pub fn rows(app: &str, from: i64, to: i64) -> RecordBatch {
    let fields = schema().fields()[..2].to_vec();
    let numbers: Int64Array = (from..to).collect();
    let apps = StringArray::from(vec![app; usize::try_from(to - from).expect("fits")]);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![Arc::new(apps), Arc::new(numbers)])
        .expect("rows")
}

pub fn txn(app: &str, expected: Option<i64>, to: i64) -> Txn {
    Txn { app: app.to_owned(), expected, to }
}

pub fn info() -> BTreeMap<String, String> {
    BTreeMap::from([("reason".to_owned(), "test".to_owned())])
}

/// Every row of a table at its newest version, in order.
pub fn all_rows(table: &Table) -> Vec<(String, i64)> {
    table.refresh().expect("refreshes");
    let snapshot = table.snapshot(None).expect("snapshot");
    let mut all = Vec::new();
    for batch in snapshot.read(None, &FileFilter::all()).expect("reads") {
        let apps = batch.column_by_name("app").expect("app").as_string::<i32>();
        let numbers = batch.column_by_name("number").expect("number").as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            all.push((apps.value(row).to_owned(), numbers.value(row)));
        }
    }
    all.sort();
    all
}

/// `[0, to)` of each application, each once.
pub fn tiles(ends: &[(&str, i64)]) -> Vec<(String, i64)> {
    let mut all: Vec<(String, i64)> = ends
        .iter()
        .flat_map(|(app, to)| (0..*to).map(|number| ((*app).to_owned(), number)))
        .collect();
    all.sort();
    all
}
