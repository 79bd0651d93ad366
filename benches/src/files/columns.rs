//! Parquet as the peers read it, and Arrow's file format for comparisons in memory.

use std::path::Path;

use anyhow::{Context, Result};
use arrow::ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::batches::{each_batch, schema};
use super::{Texts, whole};
use crate::data::Row;

/// Rows of a row group.
const ROW_GROUP_ROWS: usize = 1_000_000;
/// The level of zstd.
const ZSTD_LEVEL: i32 = 3;

/// Writes the rows, in the order they are in, as one Parquet file.
///
/// # Errors
/// A disk that is full or cannot be written.
pub fn write_parquet(rows: &[Row], texts: Texts, path: &Path) -> Result<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    whole(path, |file| {
        let mut writer = ArrowWriter::try_new(file, schema(texts), Some(properties))
            .context("begin Parquet file")?;
        each_batch(rows, texts, |batch| writer.write(&batch).context("write Parquet file"))?;
        writer.close().context("end Parquet file").map(drop)
    })
}

/// Writes the rows, in the order they are in, as one Arrow file without compression.
///
/// # Errors
/// A disk that is full or cannot be written.
pub fn write_arrow(rows: &[Row], path: &Path) -> Result<()> {
    let texts = Texts::Written;
    whole(path, |file| {
        let mut writer = FileWriter::try_new(file, &schema(texts)).context("begin Arrow file")?;
        each_batch(rows, texts, |batch| writer.write(&batch).context("write Arrow file"))?;
        writer.finish().context("end Arrow file")
    })
}
