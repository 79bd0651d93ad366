//! The table `messages` of a session, from a file, from memory or from a lake.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use arrow::ipc::reader::FileReader;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use turnwise_lake::{FileFilter, Lake};
use turnwise_model::EventKind;
use turnwise_model::schema::{column, file_schema};
use turnwise_query::{BareConversations, BareMessages, BareNames, BareTexts, EvenScan, LakeTable};

use super::{Source, Work};
use crate::files::keys;

/// What analysts ask.
const MESSAGES: &str = "messages";
const CONVERSATIONS: &str = "conversations";
/// The file or the memory as it is.
const TEXTS: &str = "texts";
/// Its column of texts.
const TEXT: &str = "text";

pub(super) fn lake(work: &Work) -> Result<Lake> {
    let location = work.path.to_str().context("name the lake")?;
    Lake::open(location, &BTreeMap::new()).context("open lake")
}

pub(super) async fn register(context: &SessionContext, work: &Work) -> Result<()> {
    match work.source {
        Source::Parquet => {
            let path = work.path.to_str().context("name the file")?;
            let options = ParquetReadOptions::default();
            context.register_parquet(MESSAGES, path, options).await.context("open Parquet file")?;
            let file = context.table_provider(MESSAGES).await.context("find messages")?;
            bare(context, file)
        }
        Source::Memory => bare(context, Arc::new(memory(work).context("load Arrow file")?)),
        Source::Lake => {
            let table = messages(&lake(work)?).context("open the lake's messages")?;
            context.register_table(MESSAGES, Arc::new(table)).context("add table")?;
            Ok(())
        }
    }
}

/// The product's tables over messages of a file or in memory; their own are the table `texts`.
fn bare(context: &SessionContext, messages: Arc<dyn TableProvider>) -> Result<()> {
    let names = BareNames::default();
    // Layouts for query A alone have no texts.
    let texts = match messages.schema().column_with_name(TEXT) {
        Some(_) => {
            let keys = Arc::new(keys().context("make keys")?);
            Some(BareTexts { column: TEXT.to_owned(), keys, buckets: true })
        }
        None => None,
    };
    let even: Arc<dyn TableProvider> = Arc::new(EvenScan(Arc::clone(&messages)));
    let shaped = BareMessages::new(Arc::clone(&even), &names, texts)?;
    let conversations = BareConversations::new(messages, names)?;
    context.deregister_table(MESSAGES)?;
    let tables: [(&str, Arc<dyn TableProvider>); 3] =
        [(TEXTS, even), (MESSAGES, Arc::new(shaped)), (CONVERSATIONS, Arc::new(conversations))];
    for (name, table) in tables {
        context.register_table(name, table).context("add table")?;
    }
    Ok(())
}

/// The batches of an Arrow file, dealt to as many partitions as there are threads.
fn memory(work: &Work) -> Result<MemTable> {
    let file = File::open(&work.path).with_context(|| format!("open {}", work.path.display()))?;
    let reader = FileReader::try_new_buffered(file, None)?;
    let schema = reader.schema();
    let mut partitions: Vec<Vec<RecordBatch>> = vec![Vec::new(); work.threads];
    for (nth, batch) in reader.enumerate() {
        partitions[nth % work.threads].push(batch?);
    }
    Ok(MemTable::try_new(schema, partitions)?)
}

fn messages(lake: &Lake) -> Result<LakeTable> {
    let kind = EventKind::Message;
    let table = lake.existing_table("events")?.context("find events")?;
    let filter = FileFilter::all().partition_in(column::KIND, [kind.name()]);
    let files = table.snapshot(None)?.files(&filter)?;
    let date = Field::new(column::DATE, DataType::Date32, false);
    Ok(LakeTable::new(file_schema(kind), vec![date], files))
}
