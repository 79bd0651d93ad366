//! Writes data files that no commit names yet.
//!
//! A staged file is durable before [`Table::stage`] returns: on a local disk it is written
//! under another name, synced, renamed, and its folder synced; an object store answers when
//! it holds the whole object, whether that came in one request or in parts. Staged files that
//! nobody commits are swept by vacuum.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::make_comparator;
use arrow::compute::SortOptions;
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use bytes::Bytes;
use object_store::path::Path;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding as ParquetEncoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;
use turnwise_model::schema::column;

use crate::error::{LakeError, Result};
use crate::file::{EXTENSION, Partition, SORTED_BY};
use crate::kernel::{AddedFile, Folder, Statistics};
use crate::store::key_of;
use crate::table::Table;
use crate::threads::shared_out;
use crate::transfer::put_files;

/// What fails where rows do not become a file.
const WRITE: &str = "write data file";
/// Rows of a row group of a compressed file: what a reader can skip or a thread can take.
const ROW_GROUP_ROWS: usize = 256 * 1024;

/// So many rows are worth the threads that they are written by.
const SHARED_ROWS: usize = 16 * 1024;

/// Bytes that a row takes in a file, about: of messages in a light one, which are the longest.
const ROW_BYTES: usize = 64;

/// How data files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Cheap to write: no heavy compression, dictionaries and statistics only where they pay.
    Light,
    /// Small and quick to read: for files that stay.
    Compressed,
    /// As `Compressed`, but not compressed, and with statistics of senders alone: for states of
    /// aggregates. They are mostly hashes, of which a file is a fifth longer so, and read and
    /// written in two thirds of the time or less.
    States,
    /// As `Compressed`, of rows that are in ascending order of these columns, absent values first.
    /// The file says so in its metadata, and its name says the first of them: a reader that
    /// profits from the order asks [`crate::FileInfo::sorted_by`].
    Sorted(&'static [&'static str]),
}

/// Data files that wait for a commit.
#[derive(Clone, Debug)]
pub struct Staged {
    pub(crate) files: Vec<AddedFile>,
    pub(crate) staged_ms: i64,
    rows: u64,
}

impl Staged {
    /// Nothing to add: for commits that only move offsets or remove files.
    #[must_use]
    pub fn empty(now_ms: i64) -> Self {
        Self { files: Vec::new(), staged_ms: now_ms, rows: 0 }
    }

    /// Rows of all files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Since when files may stand in the store: commits later than the deadline after this are
    /// refused.
    #[must_use]
    pub fn staged_ms(&self) -> i64 {
        self.staged_ms
    }

    /// Names a file that was written, and returns where its bytes go.
    fn add(
        &mut self,
        folder: &Folder,
        order: Option<&InOrder>,
        rows: usize,
        statistics: Statistics,
        bytes: Vec<u8>,
    ) -> Result<(Path, Bytes)> {
        let order = order.map(|order| format!("{SORTED_BY}{}", order.column)).unwrap_or_default();
        let name = format!("{}{order}{EXTENSION}", uuid::Uuid::now_v7().simple());
        let url = folder.url().join(&name).map_err(LakeError::data("name data file"))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.files.push(folder.added(&url, size, self.staged_ms, statistics)?);
        self.rows += u64::try_from(rows).unwrap_or(u64::MAX);
        Ok((key_of(&url)?, bytes.into()))
    }

    /// The paths of the files, as the log will name them.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

impl Table {
    /// Writes one data file for each part: its partition and its rows, without the
    /// partition columns. Parts without rows write nothing.
    ///
    /// # Errors
    /// [`LakeError::Store`] where the store failed: stage again; [`LakeError::Data`] where
    /// the rows do not fit the table, or are not in the order that the encoding says.
    pub fn stage(
        &self,
        parts: Vec<(Partition, RecordBatch)>,
        encoding: Encoding,
        now_ms: i64,
    ) -> Result<Staged> {
        let mut staged = Staged::empty(now_ms);
        let mut puts = Vec::new();
        let mut written = Vec::new();
        for (partition, rows) in parts.into_iter().filter(|(_, rows)| rows.num_rows() > 0) {
            let rows = self.without_partition_columns(&rows)?;
            self.expect_fits(&rows.schema())?;
            written.push((partition, rows));
        }
        let files = encode_all(&written, encoding);
        for ((partition, rows), bytes) in written.iter().zip(files) {
            let folder = self.layout().folder(partition)?;
            let mut order = InOrder::of(&rows.schema(), encoding);
            order.iter_mut().try_for_each(|order| order.expect(rows))?;
            let mut statistics = folder.statistics();
            statistics.add(rows)?;
            let bytes = bytes.map_err(LakeError::data(WRITE))?;
            puts.push(staged.add(&folder, order.as_ref(), rows.num_rows(), statistics, bytes)?);
        }
        self.put(puts)?;
        Ok(staged)
    }

    /// Writes one data file of rows with these columns that come batch after batch, in the order of
    /// some of them; of no rows none. `room` is about how many bytes it will have. It is staged when
    /// all rows are read: until then there is no file that a sweep could take.
    pub(crate) fn stage_in_order(
        &self,
        partition: &Partition,
        (schema, by): (&SchemaRef, &'static [&'static str]),
        batches: impl Iterator<Item = Result<RecordBatch>>,
        room: usize,
        now_ms: i64,
    ) -> Result<Staged> {
        let started = Instant::now();
        self.expect_fits(schema)?;
        let encoding = Encoding::Sorted(by);
        let folder = self.layout().folder(partition)?;
        let mut order = InOrder::of(schema, encoding);
        let mut statistics = folder.statistics();
        let properties = properties(schema, encoding).map_err(LakeError::data(WRITE))?;
        let bytes = Vec::with_capacity(room);
        let mut writer = ArrowWriter::try_new(bytes, Arc::clone(schema), Some(properties))
            .map_err(LakeError::data(WRITE))?;
        let mut rows = 0;
        for batch in batches {
            let batch = batch?;
            order.iter_mut().try_for_each(|order| order.expect(&batch))?;
            statistics.add(&batch)?;
            writer.write(&batch).map_err(LakeError::data(WRITE))?;
            rows += batch.num_rows();
        }
        if rows == 0 {
            return Ok(Staged::empty(now_ms));
        }
        let bytes = writer.into_inner().map_err(LakeError::data(WRITE))?;
        let took = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let mut staged = Staged::empty(now_ms.saturating_add(took));
        self.put(vec![staged.add(&folder, order.as_ref(), rows, statistics, bytes)?])?;
        Ok(staged)
    }

    fn put(&self, files: Vec<(Path, Bytes)>) -> Result<()> {
        let store = Arc::clone(&self.shared().place.store);
        let put = self.shared().kernel.wait(put_files(store, files));
        put.map_err(LakeError::store("store data file"))
    }

    fn without_partition_columns(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let kept: Vec<usize> = (0..rows.num_columns())
            .filter(|index| {
                let name = rows.schema_ref().field(*index).name();
                !self.partition_columns().iter().any(|column| column == name)
            })
            .collect();
        if kept.len() == rows.num_columns() {
            return Ok(rows.clone());
        }
        rows.project(&kept).map_err(LakeError::data(WRITE))
    }

    fn expect_fits(&self, schema: &Schema) -> Result<()> {
        let table = self.schema();
        let unknown = schema.fields().iter().find(|field| {
            table
                .field_with_name(field.name())
                .map_or(true, |known| !same_type(known.data_type(), field.data_type()))
        });
        match unknown {
            None => Ok(()),
            Some(field) => Err(LakeError::data(WRITE)(format!(
                "column {} is not in the table with this type",
                field.name()
            ))),
        }
    }
}

/// Types are the same where only names or nullability of list items differ.
fn same_type(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::List(a), DataType::List(b)) => same_type(a.data_type(), b.data_type()),
        (a, b) => a == b,
    }
}

/// Sees that rows are in the ascending order of a column, absent values first, batch after batch.
struct InOrder {
    column: &'static str,
    last: Option<ArrayRef>,
}

impl InOrder {
    /// Of the first column that rows are sorted by, if they have it.
    fn of(schema: &Schema, encoding: Encoding) -> Option<Self> {
        let Encoding::Sorted([column, ..]) = encoding else { return None };
        schema.field_with_name(column).is_ok().then_some(Self { column, last: None })
    }

    /// # Errors
    /// Rows that are not in the order, or not behind those before.
    fn expect(&mut self, rows: &RecordBatch) -> Result<()> {
        let Some(values) = rows.column_by_name(self.column).filter(|values| !values.is_empty())
        else {
            return Ok(());
        };
        let options = SortOptions { descending: false, nulls_first: true };
        let before = self.last.replace(values.slice(values.len() - 1, 1));
        let first = before.as_ref().unwrap_or(values);
        let from_first = make_comparator(first, values, options).map_err(LakeError::data(WRITE))?;
        let order = make_comparator(values, values, options).map_err(LakeError::data(WRITE))?;
        if from_first(0, 0).is_gt() || (1..values.len()).any(|row| order(row - 1, row).is_gt()) {
            let reason = format!("rows are not in the order of column {}", self.column);
            return Err(LakeError::data(WRITE)(reason));
        }
        Ok(())
    }
}

/// The bytes of a file for each part, in their order. Parts of many rows are shared out to threads.
fn encode_all(
    parts: &[(Partition, RecordBatch)],
    encoding: Encoding,
) -> Vec<parquet::errors::Result<Vec<u8>>> {
    let rows: usize = parts.iter().map(|(_, rows)| rows.num_rows()).sum();
    let is_shared = rows >= SHARED_ROWS && encoding != Encoding::Light;
    let parts = parts.iter().map(|(_, rows)| rows);
    if is_shared {
        shared_out(parts.collect(), |rows| encode(rows, encoding))
    } else {
        parts.map(|rows| encode(rows, encoding)).collect()
    }
}

fn properties(schema: &Schema, encoding: Encoding) -> parquet::errors::Result<WriterProperties> {
    Ok(match encoding {
        Encoding::Light => light(schema),
        Encoding::Compressed => compressed(schema)?.build(),
        Encoding::States => compressed(schema)?
            .set_compression(Compression::UNCOMPRESSED)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_column_statistics_enabled(column::SENDER.into(), EnabledStatistics::Chunk)
            .build(),
        Encoding::Sorted(by) => {
            compressed(schema)?.set_sorting_columns(sorting_columns(schema, by)?).build()
        }
    })
}

fn encode(rows: &RecordBatch, encoding: Encoding) -> parquet::errors::Result<Vec<u8>> {
    let properties = properties(rows.schema_ref(), encoding)?;
    // A list that grows is copied, to memory that nobody used before.
    let room = rows.num_rows().saturating_mul(ROW_BYTES);
    let mut writer =
        ArrowWriter::try_new(Vec::with_capacity(room), rows.schema(), Some(properties))?;
    writer.write(rows)?;
    writer.into_inner()
}

/// Dictionaries only for text and numbers of texts: pseudonyms, times and hashes hardly repeat
/// within a batch, and codes take longer to look up than to compress as they are. Hashes are not
/// compressed: that gains a quarter of the bytes of tokens for a third of the time. Statistics only
/// of columns that readers narrow by and that differ from file to file: pseudonyms do not, before
/// rows are sorted.
fn light(schema: &Schema) -> WriterProperties {
    const NARROWED_BY: [&str; 5] =
        [column::SENDER, column::TIME, column::SOURCE, column::PARTITION, column::OFFSET];
    const OF_TEXTS: [&str; 4] = [column::CHARS, column::BYTES, column::WORDS, column::TEXT_BUCKET];
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_enabled(false);
    for field in schema.fields() {
        let name = field.name().as_str();
        if NARROWED_BY.contains(&name) {
            let chunk = EnabledStatistics::Chunk;
            properties = properties.set_column_statistics_enabled(name.into(), chunk);
        }
        match field.data_type() {
            DataType::Int32 if !OF_TEXTS.contains(&name) => {}
            DataType::Utf8 | DataType::Int32 => {
                properties = properties.set_column_dictionary_enabled(name.into(), true);
            }
            DataType::List(element) => {
                let parts = [name, "list", element.name()].map(str::to_owned);
                let column = ColumnPath::new(parts.to_vec());
                properties = properties.set_column_compression(column, Compression::UNCOMPRESSED);
            }
            _ if name == column::SKELETON => {
                let column = ColumnPath::from(name);
                properties = properties.set_column_compression(column, Compression::UNCOMPRESSED);
            }
            _ => {}
        }
    }
    properties.build()
}

/// Times differ little from row to row in a compacted file, so they are stored as
/// differences.
fn compressed(schema: &Schema) -> parquet::errors::Result<WriterPropertiesBuilder> {
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page);
    for field in schema.fields() {
        if matches!(field.data_type(), DataType::Timestamp(..)) {
            let column = ColumnPath::from(field.name().as_str());
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, ParquetEncoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(properties)
}

/// Those of the columns that the rows have, up to the first that they lack.
fn sorting_columns(
    schema: &Schema,
    by: &[&str],
) -> parquet::errors::Result<Option<Vec<SortingColumn>>> {
    let leaves = ArrowSchemaConverter::new().convert(schema)?;
    let place =
        |name: &&str| leaves.columns().iter().position(|leaf| leaf.path().parts() == [*name]);
    let places = by.iter().map_while(place);
    let column = |place: usize| {
        let column_idx = i32::try_from(place).unwrap_or(i32::MAX);
        SortingColumn { column_idx, descending: false, nulls_first: true }
    };
    let columns: Vec<SortingColumn> = places.map(column).collect();
    Ok((!columns.is_empty()).then_some(columns))
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::{Int32Builder, ListBuilder};
    use arrow_array::{ArrayRef, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use object_store::PutPayload;
    use parquet::file::metadata::ParquetMetaDataReader;

    use super::*;

    #[test]
    fn parts_of_many_rows_are_encoded_in_their_order() {
        let part = |nth: i64| {
            let numbers: ArrayRef = Arc::new(Int64Array::from(vec![nth; SHARED_ROWS / 2]));
            let rows = RecordBatch::try_from_iter([("n", numbers)]).expect("rows");
            (Partition::from([("day".to_owned(), nth.to_string().as_str().into())]), rows)
        };
        let parts: Vec<_> = (0..7).map(part).collect();
        let files = encode_all(&parts, Encoding::Compressed);
        assert_eq!(files.len(), 7);
        for ((_, rows), file) in parts.iter().zip(files) {
            assert_eq!(file.expect("encoded"), encode(rows, Encoding::Compressed).expect("alone"));
        }
    }

    #[test]
    fn states_are_not_compressed_and_have_statistics_of_senders() {
        let senders: ArrayRef = Arc::new(StringArray::from(vec!["100", "101"]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
        let rows = RecordBatch::try_from_iter([(column::SENDER, senders), ("n", numbers)]);
        let bytes = encode(&rows.expect("rows"), Encoding::States).expect("encoded");
        let file = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes));
        let file = file.expect("metadata");
        let told = file.row_group(0).columns().iter();
        let told: Vec<_> =
            told.map(|column| (column.compression(), column.statistics().is_some())).collect();
        let plain = Compression::UNCOMPRESSED;
        assert_eq!(told, [(plain, true), (plain, false)]);
    }

    #[test]
    fn light_files_take_pains_only_where_they_pay() {
        const ROWS: i64 = 500;
        let longs = |by: i64| (0..ROWS).map(move |row| row * by);
        let ints = || Arc::new(longs(1).map(|row| row as i32 % 7).collect::<Int32Array>());
        let mut tokens = ListBuilder::new(Int32Builder::new());
        (0..ROWS as i32).for_each(|row| tokens.append_value([Some(row), Some(3 * row)]));
        let columns: [(&str, ArrayRef); 9] = [
            (
                "sender",
                Arc::new(StringArray::from_iter_values(longs(1).map(|row| (row % 5).to_string()))),
            ),
            ("peer_country", Arc::new(StringArray::from_iter_values(longs(1).map(|_| "DE")))),
            ("time", Arc::new(TimestampMicrosecondArray::from_iter_values(longs(1_000)))),
            ("message", Arc::new(longs(977).collect::<Int64Array>())),
            ("offset", Arc::new(longs(1).collect::<Int64Array>())),
            ("direction", ints()),
            ("chars", ints()),
            ("skeleton", Arc::new(longs(977).collect::<Int64Array>())),
            ("tokens", Arc::new(tokens.finish())),
        ];
        let rows = RecordBatch::try_from_iter(columns).expect("rows");
        let file = PutPayload::from(encode(&rows, Encoding::Light).expect("a file"));
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(file));
        let metadata = metadata.expect("metadata");
        assert_eq!(metadata.num_row_groups(), 1);
        let found = metadata.row_group(0).columns().iter().map(|column| {
            let name = column.column_path().parts()[0].clone();
            let is_compressed = column.compression() != Compression::UNCOMPRESSED;
            let has_dictionary = column.dictionary_page_offset().is_some();
            (name, is_compressed, has_dictionary, column.statistics().is_some())
        });
        let expected = [
            ("sender", true, true, true),
            ("peer_country", true, true, false),
            ("time", true, false, true),
            ("message", true, false, false),
            ("offset", true, false, true),
            ("direction", true, false, false),
            ("chars", true, true, false),
            ("skeleton", false, false, false),
            ("tokens", false, false, false),
        ];
        let expected = expected.map(|(name, a, b, c)| (name.to_owned(), a, b, c));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
