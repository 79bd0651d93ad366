//! Where a lake lies: a local folder or a bucket, as one object store and a base address.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    BackoffConfig, DynObjectStore, Error, ObjectStoreExt as _, PutMode, PutOptions, RetryConfig,
};
use url::Url;

use crate::durable::DurableLocal;
use crate::error::{LakeError, Result};

/// The lake's own folder: the secret's check value, the self-test, temporary files. A name
/// that begins with an underscore is no table.
pub(crate) const OWN_FOLDER: &str = "_turnwise";
const TEMPORARY_FOLDER: &str = "temporary";

/// Tries of one request inside the store's client, and how long they may take together:
/// short, because a commit decides by offsets anyway and must end before a rebalance does.
const REQUEST_RETRIES_MAX: usize = 3;
const REQUEST_RETRY_TIMEOUT: Duration = Duration::from_secs(15);

/// A store and the address of the lake in it; the address ends with a slash.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) store: Arc<DynObjectStore>,
    pub(crate) url: Url,
}

impl Place {
    /// The key of a file below the lake.
    pub(crate) fn key(&self, below: &str) -> Result<Path> {
        let url = self.url.join(below).map_err(location)?;
        key_of(&url)
    }

    /// Keys that vacuum sweeps of temporary files.
    pub(crate) fn temporary(&self) -> Result<Path> {
        self.key(&format!("{OWN_FOLDER}/{TEMPORARY_FOLDER}/"))
    }
}

/// The store's key for an address: percent-decoded.
pub(crate) fn key_of(url: &Url) -> Result<Path> {
    Path::from_url_path(url.path()).map_err(location)
}

fn location<E: Into<crate::error::Cause>>(source: E) -> LakeError {
    LakeError::Location { source: source.into() }
}

/// Opens the store of a path or `file://` or `s3://` address. A local folder is created.
pub(crate) fn open(at: &str, options: &BTreeMap<String, String>) -> Result<Place> {
    match Url::parse(at) {
        Ok(url) if url.scheme() == "s3" => open_bucket(&url, options),
        Ok(url) if url.scheme() == "file" => {
            let path = url.to_file_path().map_err(|()| location("no local path"))?;
            open_folder(path)
        }
        Ok(url) if at.contains("://") => {
            Err(location(format!("scheme {} is neither file nor s3", url.scheme())))
        }
        _ => open_folder(PathBuf::from(at)),
    }
}

fn open_folder(path: PathBuf) -> Result<Place> {
    std::fs::create_dir_all(&path).map_err(location)?;
    let path = path.canonicalize().map_err(location)?;
    let url = Url::from_directory_path(&path).map_err(|()| location("no absolute path"))?;
    let store = DurableLocal::new(path.join(OWN_FOLDER).join(TEMPORARY_FOLDER));
    Ok(Place { store: Arc::new(store), url })
}

fn open_bucket(url: &Url, options: &BTreeMap<String, String>) -> Result<Place> {
    let mut builder = AmazonS3Builder::from_env().with_url(url.as_str());
    for (name, value) in options {
        let key: AmazonS3ConfigKey = name.parse().map_err(location)?;
        builder = builder.with_config(key, value);
    }
    let store = builder
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: REQUEST_RETRIES_MAX,
            retry_timeout: REQUEST_RETRY_TIMEOUT,
        })
        .build()
        .map_err(location)?;
    let mut url = url.clone();
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(Place { store: Arc::new(store), url })
}

/// Puts one fresh key twice in create mode. A store that lets both through would let two
/// writers commit the same version, so it is refused.
pub(crate) async fn test_conditional_put(place: Place) -> Result<()> {
    let failed = LakeError::store("test conditional put");
    let name = format!("{OWN_FOLDER}/self_test/{}", uuid::Uuid::new_v4().simple());
    let key = place.key(&name)?;
    let create = PutOptions::from(PutMode::Create);
    place.store.put_opts(&key, "1".into(), create.clone()).await.map_err(failed)?;
    let second = place.store.put_opts(&key, "2".into(), create).await;
    place.store.delete(&key).await.map_err(failed)?;
    match second {
        Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(()),
        Ok(_) => Err(LakeError::UnsafeStore),
        Err(other) => Err(failed(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scheme_and_option_are_refused() {
        let none = BTreeMap::new();
        assert!(matches!(open("ftp://host/lake", &none), Err(LakeError::Location { .. })));
        let options = BTreeMap::from([("colour".to_owned(), "blue".to_owned())]);
        assert!(matches!(open("s3://bucket/lake", &options), Err(LakeError::Location { .. })));
    }

    #[test]
    fn folder_with_odd_characters_keeps_its_keys() {
        let folder = tempfile::tempdir().expect("folder");
        let odd = folder.path().join("a lake #1 100%");
        let place = open(odd.to_str().expect("utf-8"), &BTreeMap::new()).expect("opens");
        let key = place.key("events/x").expect("key");
        assert!(key.as_ref().ends_with("a lake #1 100%/events/x"), "{key}");
    }
}
