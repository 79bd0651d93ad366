//! A lake: a folder or bucket with tables, opened once for a process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use futures::TryStreamExt as _;
use object_store::{Error, ObjectStoreExt as _, PutMode, PutOptions};
use tokio::runtime::Runtime;

use crate::error::{LakeError, Result};
use crate::kernel::Kernel;
use crate::log::Log;
use crate::store::{self, OWN_FOLDER, Place};
use crate::table::Table;

/// Threads of the engine's runtime: one may block while it reads what another fetches.
const ENGINE_THREADS: usize = 4;

/// A lake. Cheap to clone. Its methods block; call them from threads that may.
#[derive(Clone)]
pub struct Lake {
    shared: Arc<Shared>,
}

/// What the lake and its tables share.
pub(crate) struct Shared {
    pub(crate) kernel: Kernel,
    pub(crate) place: Place,
    runtime: Option<Runtime>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A runtime may not be dropped, and so waited for, on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake").field("url", &self.shared.place.url.as_str()).finish()
    }
}

impl Lake {
    /// Opens a lake at a path, `file://` or `s3://` address, and makes sure that its store
    /// lets only one of two writers create a key.
    ///
    /// # Errors
    /// [`LakeError::Location`], [`LakeError::UnsafeStore`], [`LakeError::Store`].
    pub fn open(location: &str, options: &BTreeMap<String, String>) -> Result<Self> {
        Self::open_place(store::open(location, options)?)
    }

    /// Opens a lake on a store that the caller made, at an address that the store's keys
    /// follow; for tests that put a failing store in between.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_on(
        wrap: impl FnOnce(Arc<object_store::DynObjectStore>) -> Arc<object_store::DynObjectStore>,
        location: &str,
        options: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let Place { store, url } = store::open(location, options)?;
        Self::open_place(Place { store: wrap(store), url })
    }

    fn open_place(place: Place) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(ENGINE_THREADS)
            .thread_name("lake")
            .enable_all()
            .build()
            .map_err(|source| LakeError::Store {
                operation: "start lake threads",
                source: Box::new(source),
            })?;
        let kernel = Kernel::new(Arc::clone(&place.store), runtime.handle().clone());
        let shared = Shared { kernel, place, runtime: Some(runtime) };
        shared.kernel.wait(store::test_conditional_put(shared.place.clone()))?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The lake's address; ends with a slash.
    #[must_use]
    pub fn url(&self) -> &url::Url {
        &self.shared.place.url
    }

    /// The object store under the lake, for readers that open data files themselves. Keys
    /// are the paths of the addresses in [`crate::FileInfo::url`].
    #[must_use]
    pub fn store(&self) -> Arc<object_store::DynObjectStore> {
        Arc::clone(&self.shared.place.store)
    }

    /// Stores the secret's check value when the lake is new, and refuses another later.
    ///
    /// # Errors
    /// [`LakeError::OtherSecret`], [`LakeError::Store`].
    pub fn check_secret(&self, check_value: &str) -> Result<()> {
        let failed = LakeError::store("check secret");
        let key = self.shared.place.key(&format!("{OWN_FOLDER}/secret_check"))?;
        let store = self.store();
        let ours = check_value.to_owned();
        let stored = self.shared.kernel.wait(async move {
            let create = PutOptions::from(PutMode::Create);
            match store.put_opts(&key, ours.into(), create).await {
                // Whatever the answer, what the store holds decides.
                Ok(_) | Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
                Err(error) => return Err(error),
            }
            store.get(&key).await?.bytes().await
        });
        if stored.map_err(failed)?.as_ref() == check_value.as_bytes() {
            Ok(())
        } else {
            Err(LakeError::OtherSecret)
        }
    }

    /// The table of this name; created where it is missing, also while others create it.
    ///
    /// # Errors
    /// [`LakeError::OtherSchema`] where it exists with other columns; [`LakeError::Store`].
    pub fn table(
        &self,
        name: &str,
        schema: SchemaRef,
        partition_columns: &[&str],
    ) -> Result<Table> {
        if let Some(table) = self.existing_table(name)? {
            return table.expect_columns(&schema);
        }
        let url = self.table_url(name)?;
        // The kernel wants the folder to be there where there are folders.
        if let Ok(folder) = url.to_file_path() {
            crate::durable::create_folder(&folder).map_err(|source| LakeError::Store {
                operation: "create table",
                source: Box::new(source),
            })?;
        }
        let created = self.shared.kernel.create(&url, &schema, partition_columns);
        match self.existing_table(name)? {
            Some(table) => table.expect_columns(&schema),
            None => Err(created.err().unwrap_or_else(|| LakeError::Store {
                operation: "create table",
                source: "the table is not there after it was created".into(),
            })),
        }
    }

    /// The table of this name, where it exists.
    ///
    /// # Errors
    /// [`LakeError::Store`], [`LakeError::Data`].
    pub fn existing_table(&self, name: &str) -> Result<Option<Table>> {
        let url = self.table_url(name)?;
        let log = Log::new(self.store(), url.clone())?;
        let probe = log.clone();
        if !self.shared.kernel.wait(async move { probe.is_there().await })? {
            return Ok(None);
        }
        Table::open(Arc::clone(&self.shared), name, url, log).map(Some)
    }

    /// The names of all tables, in order.
    ///
    /// # Errors
    /// [`LakeError::Store`].
    pub fn table_names(&self) -> Result<Vec<String>> {
        let root = store::key_of(&self.shared.place.url)?;
        let store = self.store();
        let folders = self.shared.kernel.wait(async move {
            let listed = store.list_with_delimiter(Some(&root)).await?;
            let mut names = BTreeSet::new();
            for folder in listed.common_prefixes {
                let log = folder.clone().join("_delta_log");
                if store.list(Some(&log)).try_next().await?.is_some() {
                    names.extend(folder.filename().map(str::to_owned));
                }
            }
            Ok(names)
        });
        folders.map(|names| names.into_iter().collect()).map_err(LakeError::store("list tables"))
    }

    /// Deletes a table with all its files; for derived tables, which can be derived again.
    /// The log goes first, so no reader finds a table whose files are going.
    ///
    /// # Errors
    /// [`LakeError::Store`].
    pub fn delete_table(&self, name: &str) -> Result<()> {
        let url = self.table_url(name)?;
        let folder = store::key_of(&url)?;
        let store = self.store();
        let deleted = self.shared.kernel.wait(async move {
            for part in [folder.clone().join("_delta_log"), folder] {
                let files: Vec<_> = store.list(Some(&part)).try_collect().await?;
                for file in files {
                    match store.delete(&file.location).await {
                        Ok(()) | Err(Error::NotFound { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            Ok(())
        });
        deleted.map_err(LakeError::store("delete table"))
    }

    fn table_url(&self, name: &str) -> Result<url::Url> {
        let fine = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with('_');
        if !fine {
            return Err(LakeError::Location { source: "not a table name".into() });
        }
        let joined = self.shared.place.url.join(&format!("{name}/"));
        joined.map_err(|source| LakeError::Location { source: Box::new(source) })
    }
}
