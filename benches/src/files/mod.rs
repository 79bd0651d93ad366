//! The data set as files, each written under another name first, so that a file that is there is
//! whole.

mod batches;

mod columns;

mod records;

mod webhooks;

#[cfg(feature = "queries")]
mod lake;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

pub use batches::{column, schema};
pub use columns::{write_arrow, write_parquet};
#[cfg(feature = "queries")]
pub use lake::{keys, write_lake};
pub use records::protobuf_record;
pub use webhooks::{WebhookWriter, write_webhooks};

/// Whether a file holds texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// In a column of their own.
    Written,
    /// Left out, with their column.
    LeftOut,
}

/// Calls `write` with a file beside `path` and then gives it that name.
fn whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let part = path.with_extension("part");
    let file = File::create(&part).with_context(|| format!("create {}", part.display()))?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    write(&mut file)?;
    file.flush().with_context(|| format!("write {}", part.display()))?;
    fs::rename(&part, path).with_context(|| format!("name {}", path.display()))
}

#[cfg(test)]
mod tests;
