//! Moves whole data files to and from the store, long ones in parts.
//!
//! The store's client gives a request half a minute, whatever its bytes. The plain version, one
//! request a file, never ends where a file is longer than the line takes in that time. So few
//! parts are under way at a time, and so short are they, that a line which is too slow for them
//! is too slow for the deadline of a commit as well.
//!
//! A part that failed cannot be sent again to the same upload: that one is aborted and another
//! begun. Names of data files are used once and nobody reads a file before its commit, so a file
//! that is there though the answer was lost is only ever replaced by the same bytes.

use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{DynObjectStore, MultipartUpload, ObjectStoreExt as _, Result};
use turnwise_model::limits::{PART_BYTES, PUT_BYTES_MAX, TRANSFERS_MAX, UPLOADS_MAX};

/// Stores files under names that nobody else uses: short ones side by side, then long ones one
/// after the other, the parts of each side by side.
pub(crate) async fn put_files(store: Arc<DynObjectStore>, files: Vec<(Path, Bytes)>) -> Result<()> {
    let is_long = |(_, bytes): &(Path, Bytes)| bytes.len() > PUT_BYTES_MAX;
    let (long, short): (Vec<_>, Vec<_>) = files.into_iter().partition(is_long);
    futures::stream::iter(short)
        .map(|(key, bytes)| {
            let store = Arc::clone(&store);
            async move { store.put(&key, bytes.into()).await.map(drop) }
        })
        .buffer_unordered(TRANSFERS_MAX)
        .try_collect::<()>()
        .await?;
    for (key, bytes) in long {
        put_long(&store, &key, &bytes).await?;
    }
    Ok(())
}

/// Fetches files, of so many bytes by the log, in their order: each whole, [`TRANSFERS_MAX`] of
/// them side by side.
pub(crate) async fn get_files(
    store: Arc<DynObjectStore>,
    files: Vec<(Path, u64)>,
) -> Result<Vec<Bytes>> {
    futures::stream::iter(files)
        .map(|(key, bytes)| {
            let store = Arc::clone(&store);
            async move { get_file(&store, &key, bytes).await }
        })
        .buffered(TRANSFERS_MAX)
        .try_collect()
        .await
}

async fn put_long(store: &DynObjectStore, key: &Path, bytes: &Bytes) -> Result<()> {
    let mut begun = 1;
    loop {
        match upload(store, key, bytes).await {
            Err(error) if begun < UPLOADS_MAX => {
                metrics::counter!("turnwise_lake_uploads_begun_again_total").increment(1);
                tracing::warn!(%error, begun, "upload of a data file is begun again");
            }
            ended => return ended,
        }
        begun += 1;
    }
}

async fn upload(store: &DynObjectStore, key: &Path, bytes: &Bytes) -> Result<()> {
    let mut upload = store.put_multipart(key).await?;
    let ended = match put_parts(upload.as_mut(), bytes).await {
        Ok(()) => upload.complete().await.map(drop),
        failed => failed,
    };
    if ended.is_err() {
        // Why the upload failed is told. What it leaves where this fails, too, is in no listing.
        drop(upload.abort().await);
    }
    ended
}

/// Parts are numbered in the order of the bytes, and may arrive in any.
async fn put_parts(upload: &mut dyn MultipartUpload, bytes: &Bytes) -> Result<()> {
    let mut rest = bytes.clone();
    let parts = iter::from_fn(move || {
        (!rest.is_empty()).then(|| rest.split_to(rest.len().min(PART_BYTES)))
    });
    futures::stream::iter(parts)
        .map(|part| upload.put_part(part.into()))
        .buffer_unordered(TRANSFERS_MAX)
        .try_collect::<()>()
        .await
}

async fn get_file(store: &DynObjectStore, key: &Path, bytes: u64) -> Result<Bytes> {
    if bytes <= PART_BYTES as u64 {
        return store.get(key).await?.bytes().await;
    }
    let mut whole = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    for start in (0..bytes).step_by(PART_BYTES) {
        let part = start..bytes.min(start + PART_BYTES as u64);
        whole.extend_from_slice(&store.get_range(key, part).await?);
    }
    Ok(whole.into())
}
