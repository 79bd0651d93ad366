//! What a lake holds, as tests compare it: rows by position, offsets, files that no log names.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use turnwise_lake::{FileFilter, Lake};
use turnwise_model::EventKind;
use turnwise_model::schema::{column, events, file_schema};

/// Source, partition, offset, item and kind: an item gives at most one row of a kind.
pub type Place = (String, i32, i64, i32, &'static str);

/// Each row's place and a hash of all its columns.
pub type Rows = BTreeMap<Place, u64>;

/// Adds the rows of a batch of one kind.
///
/// # Errors
/// A place that has a row already; columns that are not the kind's.
pub fn add_rows(rows: &mut Rows, kind: EventKind, batch: &RecordBatch) -> Result<()> {
    let options = FormatOptions::default().with_null("null");
    let schema = file_schema(kind);
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name()).context("find column")?;
        Ok(ArrayFormatter::try_new(column.as_ref(), &options)?)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let named = |name| batch.column_by_name(name).context("find column");
    let source = named(column::SOURCE)?.as_string::<i32>();
    let partition = named(column::PARTITION)?.as_primitive::<Int32Type>();
    let offset = named(column::OFFSET)?.as_primitive::<Int64Type>();
    let item = named(column::ITEM)?.as_primitive::<Int32Type>();
    for at in 0..batch.num_rows() {
        let mut hasher = DefaultHasher::new();
        for column in &columns {
            column.value(at).try_to_string()?.hash(&mut hasher);
        }
        let place = (
            source.value(at).to_owned(),
            partition.value(at),
            offset.value(at),
            item.value(at),
            kind.name(),
        );
        let text = format!("{place:?}");
        ensure!(rows.insert(place, hasher.finish()).is_none(), "two rows at {text}");
    }
    Ok(())
}

/// What `events` of a lake in a folder holds: rows, and the stored offset of each partition.
///
/// # Errors
/// A lake that cannot be read; a place with two rows.
pub fn events_of(folder: &Path) -> Result<(Rows, BTreeMap<String, i64>)> {
    let location = folder.to_str().context("name the folder")?;
    let lake = Lake::open(location, &BTreeMap::new())?;
    let table = lake.table("events", events(), &[column::KIND, column::DATE])?;
    let snapshot = table.snapshot(None)?;
    let mut rows = Rows::new();
    for kind in EventKind::ALL {
        let filter = FileFilter::all().partition_in(column::KIND, [kind.name()]);
        for batch in snapshot.read(None, &filter)? {
            add_rows(&mut rows, *kind, &batch)?;
        }
    }
    Ok((rows, table.transactions().into_iter().collect()))
}

/// The data files of a table's folder, by their path in it.
///
/// # Errors
/// A folder that cannot be read.
pub fn data_files(table: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut folders = vec![table.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "parquet") {
                files.insert(path.strip_prefix(table)?.to_owned());
            } else if path.is_dir() && !path.ends_with("_delta_log") {
                folders.push(path);
            }
        }
    }
    Ok(files)
}

/// The text of every log entry of a table's folder, one after the other.
///
/// # Errors
/// A log that cannot be read.
pub fn log_text(table: &Path) -> Result<String> {
    let mut text = String::new();
    let Ok(entries) = std::fs::read_dir(table.join("_delta_log")) else { return Ok(text) };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            text.push_str(&std::fs::read_to_string(path)?);
        }
    }
    Ok(text)
}

/// Those of the files that no log entry names. A file's name is unique, whatever its folder.
///
/// # Errors
/// A log that cannot be read.
pub fn not_in_log(table: &Path, files: &BTreeSet<PathBuf>) -> Result<BTreeSet<PathBuf>> {
    let log = log_text(table)?;
    let named: BTreeSet<&str> =
        log.split(['/', '"']).filter(|part| part.ends_with(".parquet")).collect();
    let is_named = |file: &Path| {
        file.file_name().and_then(|name| name.to_str()).is_some_and(|name| named.contains(name))
    };
    Ok(files.iter().filter(|file| !is_named(file)).cloned().collect())
}
