//! A table at one version, for readers.

use std::sync::Arc;

use arrow_schema::SchemaRef;

use crate::error::Result;
use crate::file::{FileFilter, FileInfo};
use crate::kernel::Held;
use crate::lake::Shared;

/// A table at one version. Cheap to clone; never changes.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) shared: Arc<Shared>,
    schema: SchemaRef,
    held: Held,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("version", &self.version()).finish()
    }
}

impl Snapshot {
    pub(crate) fn new(shared: Arc<Shared>, schema: SchemaRef, held: Held) -> Self {
        Self { shared, schema, held }
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.held.version()
    }

    /// The columns, partition columns included.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The data files that a filter keeps, by path.
    ///
    /// # Errors
    /// [`crate::LakeError::Store`], [`crate::LakeError::Data`].
    pub fn files(&self, filter: &FileFilter) -> Result<Vec<FileInfo>> {
        let mut files = Vec::new();
        self.shared.kernel.scan(&self.held, &mut |file| {
            if filter.keeps(&file) {
                files.push(file);
            }
            false
        })?;
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}
