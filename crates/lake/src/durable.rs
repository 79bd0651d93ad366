//! The local file system as an object store whose answers survive a power cut.
//!
//! `object_store`'s local store syncs neither files nor folders: an answered commit could be
//! gone after a power cut while the offsets of the log had moved on. Here a put is: write a
//! temporary file, sync it, link it (create) or rename it (overwrite) to its name, sync its
//! folder. An upload in parts is the same, with parts in place of one payload. Temporary files lie
//! in one folder of the lake, on the same file system and out of sight of every reader; vacuum
//! sweeps what a killed process left there.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};

/// A local store that syncs files and folders before it answers.
#[derive(Debug)]
pub(crate) struct DurableLocal {
    inner: Arc<LocalFileSystem>,
    temporary: PathBuf,
}

impl DurableLocal {
    /// A store over the whole file system whose temporary files lie in `temporary`.
    pub(crate) fn new(temporary: PathBuf) -> Self {
        Self { inner: Arc::new(LocalFileSystem::new()), temporary }
    }
}

impl fmt::Display for DurableLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DurableLocal")
    }
}

fn generic(source: io::Error) -> Error {
    Error::Generic { store: "DurableLocal", source: Box::new(source) }
}

/// Makes the folder and every missing folder above it, each made durable in its parent.
pub(crate) fn create_folder(folder: &FsPath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folder(parent)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn sync_parent(path: &FsPath) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn create_temporary(temporary: &FsPath) -> io::Result<(PathBuf, File)> {
    create_folder(temporary)?;
    let path = temporary.join(uuid::Uuid::new_v4().simple().to_string());
    let file = File::options().write(true).create_new(true).open(&path)?;
    Ok((path, file))
}

fn write_temporary(temporary: &FsPath, payload: &PutPayload) -> io::Result<PathBuf> {
    let (path, mut file) = create_temporary(temporary)?;
    let written = payload.iter().try_for_each(|part| file.write_all(part));
    written.and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(&path)))?;
    Ok(path)
}

/// Returns whether the name was free (always true where `create` is false).
fn publish(from: &FsPath, to: &FsPath, create: bool) -> io::Result<bool> {
    if let Some(folder) = to.parent() {
        create_folder(folder)?;
    }
    if !create {
        fs::rename(from, to)?;
    } else {
        let linked = fs::hard_link(from, to);
        drop(fs::remove_file(from));
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            other => other?,
        }
    }
    sync_parent(to)?;
    Ok(true)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

#[async_trait]
impl ObjectStore for DurableLocal {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let create = match opts.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "put with update mode".into(),
                    implementer: self.to_string(),
                });
            }
        };
        let target = self.inner.path_to_filesystem(location)?;
        let temporary = self.temporary.clone();
        blocking(move || {
            let staged = write_temporary(&temporary, &payload).map_err(generic)?;
            let published = publish(&staged, &target, create);
            if published.is_err() {
                drop(fs::remove_file(&staged));
            }
            if published.map_err(generic)? {
                Ok(PutResult { e_tag: None, version: None })
            } else {
                Err(Error::AlreadyExists {
                    path: target.to_string_lossy().into_owned(),
                    source: Box::new(io::Error::from(io::ErrorKind::AlreadyExists)),
                })
            }
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.inner.path_to_filesystem(location)?;
        let temporary = self.temporary.clone();
        let (path, file) = blocking(move || create_temporary(&temporary).map_err(generic)).await?;
        let parts = Arc::new(Mutex::new(Parts { file, written: 0 }));
        Ok(Box::new(Upload { temporary: Some(path), parts, end: 0, target }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// An upload in parts (long data files, checkpoints): each part is written to its place in a
/// temporary file, which is synced and published when all are there.
#[derive(Debug)]
struct Upload {
    /// `None` where it was published or thrown away.
    temporary: Option<PathBuf>,
    parts: Arc<Mutex<Parts>>,
    /// Where the next part begins.
    end: u64,
    target: PathBuf,
}

#[derive(Debug)]
struct Parts {
    file: File,
    /// Bytes of the parts that were written.
    written: u64,
}

fn lock(parts: &Mutex<Parts>) -> MutexGuard<'_, Parts> {
    // Bytes count as written when they are, so a panic in between leaves a hole that is seen.
    parts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Upload {
    fn throw_away(&mut self) {
        if let Some(path) = self.temporary.take() {
            drop(fs::remove_file(path));
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.throw_away();
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (start, bytes) = (self.end, data.content_length() as u64);
        self.end += bytes;
        let parts = Arc::clone(&self.parts);
        Box::pin(blocking(move || {
            let mut parts = lock(&parts);
            parts.file.seek(SeekFrom::Start(start)).map_err(generic)?;
            data.iter().try_for_each(|piece| parts.file.write_all(piece)).map_err(generic)?;
            parts.written += bytes;
            Ok(())
        }))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let gone = || generic(io::Error::other("the upload has ended"));
        let staged = self.temporary.take().ok_or_else(gone)?;
        let (parts, end, target) = (Arc::clone(&self.parts), self.end, self.target.clone());
        blocking(move || {
            let parts = lock(&parts);
            let synced = if parts.written == end {
                parts.file.sync_all()
            } else {
                Err(io::Error::other("a part of the upload was not written"))
            };
            let published = synced.and_then(|()| publish(&staged, &target, false));
            if published.is_err() {
                drop(fs::remove_file(&staged));
            }
            published.map(|_| PutResult { e_tag: None, version: None }).map_err(generic)
        })
        .await
    }

    async fn abort(&mut self) -> Result<()> {
        self.throw_away();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt as _;

    use super::*;

    #[tokio::test]
    async fn create_refuses_a_taken_name_and_keeps_the_first() {
        let folder = tempfile::tempdir().expect("folder");
        let store = DurableLocal::new(folder.path().join("temporary"));
        let key = Path::from_absolute_path(folder.path().join("a/b/key")).expect("key");
        let create = PutOptions::from(PutMode::Create);
        store.put_opts(&key, "first".into(), create.clone()).await.expect("free");
        let second = store.put_opts(&key, "second".into(), create).await;
        assert!(matches!(second, Err(Error::AlreadyExists { .. })), "{second:?}");
        let read = store.get(&key).await.expect("there").bytes().await.expect("bytes");
        assert_eq!(read.as_ref(), b"first");
        store.put(&key, "third".into()).await.expect("overwrites");
        let read = store.get(&key).await.expect("there").bytes().await.expect("bytes");
        assert_eq!(read.as_ref(), b"third");
        assert_eq!(fs::read_dir(folder.path().join("temporary")).expect("folder").count(), 0);
    }

    #[tokio::test]
    async fn upload_is_there_whole_or_not_at_all_whatever_the_order_of_its_parts() {
        let folder = tempfile::tempdir().expect("folder");
        let temporary = folder.path().join("temporary");
        let store = DurableLocal::new(temporary.clone());
        let key = Path::from_absolute_path(folder.path().join("a/b/key")).expect("key");
        let left = || fs::read_dir(&temporary).expect("folder").count();
        // One part was never written; one upload is aborted, one forgotten.
        let mut upload = store.put_multipart(&key).await.expect("begins");
        let parts = [upload.put_part("first".into()), upload.put_part("second".into())];
        let [first, _] = parts;
        first.await.expect("written");
        upload.complete().await.expect_err("a hole");
        let mut upload = store.put_multipart(&key).await.expect("begins");
        upload.put_part("first".into()).await.expect("written");
        upload.abort().await.expect("ends");
        upload.complete().await.expect_err("has ended");
        drop(store.put_multipart(&key).await.expect("begins"));
        assert_eq!(left(), 0);
        assert!(matches!(store.get(&key).await, Err(Error::NotFound { .. })));
        // A second one of the same name replaces the first.
        for _ in 0..2 {
            let mut upload = store.put_multipart(&key).await.expect("begins");
            let first = upload.put_part("first, ".into());
            let second = upload.put_part(PutPayload::from_iter(["sec", "ond"].map(Bytes::from)));
            second.await.expect("written");
            first.await.expect("written");
            upload.complete().await.expect("published");
            let read = store.get(&key).await.expect("there").bytes().await.expect("bytes");
            assert_eq!(read.as_ref(), b"first, second");
        }
        assert_eq!(left(), 0);
    }
}
