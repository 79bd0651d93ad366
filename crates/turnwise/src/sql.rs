//! `sql`: one statement over a lake, as analysts see it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{Array as _, ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use turnwise_lake::{FileFilter, Lake};
use turnwise_query::derived::{DerivedTable, FLAGS, SENDER_FEATURES, VERDICTS};
use turnwise_query::{BareNames, BareTexts, Catalog, CatalogFiles, Engine, EngineSettings};

use crate::args::{Form, SqlArgs};
use crate::exit::{self, Failure, Outcome};
use crate::{runtime, secret, writer};

/// The derived tables that analysts may read.
const DERIVED: [DerivedTable; 3] = [SENDER_FEATURES, VERDICTS, FLAGS];

/// Runs the command.
pub(crate) fn run(args: &SqlArgs) -> Outcome {
    let batches = match &args.messages {
        Some(messages) => of_bare(args, messages)?,
        None => of_lake(args)?,
    };
    exit::print(&rendered(&batches, args.format)?)
}

fn of_lake(args: &SqlArgs) -> Result<Vec<RecordBatch>, Failure> {
    if !args.lake.join(writer::EVENTS).is_dir() {
        let text = format!("there is no lake at {}; name one with --lake", args.lake.display());
        return Err(Failure::usage(text));
    }
    let location = args.lake.to_str().context("open lake: its path is not UTF-8")?;
    let lake = Lake::open(location, &BTreeMap::new()).context("open lake")?;
    let files = catalog_files(&lake).context("read lake")?;
    let engine =
        Engine::new(&EngineSettings::default(), &lake).context("set up the query engine")?;
    let batches = runtime::new()?.block_on(async {
        let catalog = Catalog::new(&engine, &files).await?;
        catalog.answer(&args.statement).await
    });
    Ok(batches.map_err(anyhow::Error::new)?)
}

fn of_bare(args: &SqlArgs, messages: &Path) -> Result<Vec<RecordBatch>, Failure> {
    let [sender, peer, time, direction, kind] = args.columns.as_slice() else {
        let text = format!("--columns takes five names, found {}", args.columns.len());
        return Err(Failure::usage(text));
    };
    if !messages.exists() {
        return Err(Failure::usage(format!("there are no messages at {}", messages.display())));
    }
    let names = BareNames {
        sender: sender.clone(),
        peer: peer.clone(),
        time: time.clone(),
        direction: direction.clone(),
        kind: kind.clone(),
    };
    let texts = match args.text.clone() {
        // What of a shape is a hash is not told.
        Some(column) => {
            Some(BareTexts { column, keys: Arc::new(secret::random()?), buckets: false })
        }
        None => None,
    };
    let engine = Engine::local(&EngineSettings::default()).context("set up the query engine")?;
    let batches = runtime::new()?.block_on(async {
        let catalog = Catalog::of_bare(&engine, messages, names, texts).await?;
        catalog.answer(&args.statement).await
    });
    Ok(batches.map_err(anyhow::Error::new)?)
}

/// The files of `events` and of the derived tables that are there, at their newest versions.
pub(crate) fn catalog_files(lake: &Lake) -> anyhow::Result<CatalogFiles> {
    let mut files = CatalogFiles::default();
    if let Some(table) = lake.existing_table(writer::EVENTS)? {
        files.events = table.snapshot(None)?.files(&FileFilter::all())?;
    }
    for known in DERIVED {
        if let Some(table) = lake.existing_table(known.name)? {
            let snapshot = table.snapshot(None)?;
            let found = snapshot.files(&FileFilter::all())?;
            files.derived.insert(known.name, (snapshot.schema(), known.partitions.to_vec(), found));
        }
    }
    Ok(files)
}

/// Batches in the form asked for.
pub(crate) fn rendered(batches: &[RecordBatch], form: Form) -> anyhow::Result<String> {
    let mut out = Vec::new();
    match form {
        Form::Table => {
            let table = arrow::util::pretty::pretty_format_batches(batches)?;
            return Ok(format!("{table}\n"));
        }
        Form::Csv => {
            let mut csv = arrow::csv::WriterBuilder::new().with_header(true).build(&mut out);
            for batch in batches {
                csv.write(&without_lists(batch)?)?;
            }
        }
        Form::Json => {
            let mut json = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(&mut out);
            json.write_batches(&batches.iter().collect::<Vec<_>>())?;
            json.finish()?;
            drop(json);
            out.push(b'\n');
        }
    }
    String::from_utf8(out).context("write the answer")
}

/// The same with texts in place of lists and structs, which CSV has no form for.
fn without_lists(batch: &RecordBatch) -> anyhow::Result<RecordBatch> {
    let options = FormatOptions::default();
    let mut columns: Vec<(String, ArrayRef)> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let shown: ArrayRef = if column.data_type().is_nested() {
            let texts = ArrayFormatter::try_new(column, &options)?;
            let text = |row| column.is_valid(row).then(|| texts.value(row).try_to_string());
            let texts = (0..column.len()).map(|row| text(row).transpose());
            Arc::new(texts.collect::<Result<StringArray, _>>()?)
        } else {
            Arc::clone(column)
        };
        columns.push((field.name().clone(), shown));
    }
    Ok(RecordBatch::try_from_iter(columns)?)
}
