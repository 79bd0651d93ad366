//! What analysts see: `conversations`, views over `events`, and the derived tables, in a session
//! that can only read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::exec_err;
use datafusion::datasource::file_format::options::ReadOptions;
use datafusion::datasource::listing::{ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{ParquetReadOptions, SQLOptions, SessionContext};
use futures::StreamExt;
use turnwise_lake::FileInfo;
use turnwise_model::schema::{column, file_schema};
use turnwise_model::{EventKind, limits};

use crate::bare::{BareConversations, BareMessages, BareNames, BareTexts, EvenScan};
use crate::conversations::{Conversations, is_kind};
use crate::derive::{register, without_comments};
use crate::engine::Engine;
use crate::error::QueryError;
use crate::guard;
use crate::lake_table::{LakeTable, date};

/// The views over `events`: name and statement.
const VIEWS: [(&str, &str); 8] = [
    ("messages_raw", include_str!("sql/messages_raw.sql")),
    (MESSAGES, include_str!("sql/messages.sql")),
    ("statuses_raw", include_str!("sql/statuses_raw.sql")),
    ("statuses", include_str!("sql/statuses.sql")),
    ("account_events", include_str!("sql/account_events.sql")),
    ("dead_letters", include_str!("sql/dead_letters.sql")),
    ("ignored", include_str!("sql/ignored.sql")),
    ("gaps", include_str!("sql/gaps.sql")),
];

/// The table of conversations, a lake's or bare messages'.
const CONVERSATIONS: &str = "conversations";
/// The table of messages; a lake's is one of [`VIEWS`].
const MESSAGES: &str = "messages";

/// The files of the tables at the versions that an answer stands on.
#[derive(Clone, Debug, Default)]
pub struct CatalogFiles {
    /// Files of `events`.
    pub events: Vec<FileInfo>,
    /// Derived tables that analysts may read: name, schema, partition columns, files.
    pub derived: BTreeMap<&'static str, (SchemaRef, Vec<&'static str>, Vec<FileInfo>)>,
}

/// A session for analysts.
pub struct Catalog {
    context: SessionContext,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Catalog")
    }
}

/// A Parquet file, whatever its name, or the files of a folder that are called `.parquet`.
async fn parquet(engine: &Engine, path: &Path) -> datafusion::common::Result<ListingTable> {
    let path = path.canonicalize()?;
    let (url, extension) = match path.is_dir() {
        true => (url::Url::from_directory_path(&path), ".parquet"),
        false => (url::Url::from_file_path(&path), ""),
    };
    let Ok(url) = url else { return exec_err!("{} is no absolute path", path.display()) };
    let session = engine.session();
    let options = ParquetReadOptions::default().file_extension(extension);
    let options =
        options.to_listing_options(&session.copied_config(), session.copied_table_options());
    let config = ListingTableConfig::new(ListingTableUrl::try_new(url, None)?)
        .with_listing_options(options)
        .infer_schema(&session.state())
        .await?;
    ListingTable::try_new(config)
}

impl Catalog {
    /// Makes the tables and views over these files.
    ///
    /// # Errors
    /// A view that cannot be planned.
    pub async fn new(engine: &Engine, files: &CatalogFiles) -> Result<Self, QueryError> {
        let context = engine.session();
        let hidden = engine.session();
        for kind in EventKind::ALL {
            let of_kind = files.events.iter().filter(|file| is_kind(file, *kind));
            let table = LakeTable::new(
                file_schema(*kind),
                vec![date(column::DATE)],
                of_kind.cloned().collect(),
            );
            register(&hidden, &format!("event_{}", kind.name()), Arc::new(table))?;
        }
        for (name, sql) in VIEWS {
            let frame = hidden.sql(&without_comments(sql)).await;
            let view = frame.map_err(QueryError::engine("plan view"))?.into_view();
            register(&hidden, name, Arc::clone(&view))?;
            register(&context, name, view)?;
        }
        register(&context, CONVERSATIONS, Arc::new(Conversations::new(&files.events)))?;
        for (name, (schema, partitions, of_table)) in &files.derived {
            let table = LakeTable::of_table(schema, partitions, of_table.clone())?;
            register(&context, name, Arc::new(table))?;
        }
        Ok(Self { context })
    }

    /// Makes `conversations` and `messages` over a Parquet file of bare messages, or a folder of
    /// such files, in place of a lake's tables.
    ///
    /// # Errors
    /// Files that cannot be read; columns that are missing, or hold other values.
    pub async fn of_bare(
        engine: &Engine,
        path: &Path,
        names: BareNames,
        texts: Option<BareTexts>,
    ) -> Result<Self, QueryError> {
        let tables = parquet(engine, path).await.and_then(|messages| {
            let messages: Arc<dyn TableProvider> = Arc::new(messages);
            let even = Arc::new(EvenScan(Arc::clone(&messages)));
            let bare = BareMessages::new(even, &names, texts)?;
            Ok((bare, BareConversations::new(messages, names)?))
        });
        let (bare, conversations) = tables.map_err(QueryError::engine("open the messages"))?;
        let context = engine.session();
        register(&context, MESSAGES, Arc::new(bare))?;
        register(&context, CONVERSATIONS, Arc::new(conversations))?;
        Ok(Self { context })
    }

    /// Plans a statement: one that only reads, and shows no samples.
    ///
    /// # Errors
    /// Statements that are too long, wrong or refused.
    pub async fn plan(&self, sql: &str) -> Result<LogicalPlan, QueryError> {
        if sql.len() > limits::SQL_TEXT_BYTES_MAX {
            let max = limits::SQL_TEXT_BYTES_MAX;
            return Err(QueryError::Refused {
                reason: format!("the statement has more than {max} bytes"),
            });
        }
        let operation = "plan the statement";
        let state = self.context.state();
        let plan = state.create_logical_plan(sql).await.map_err(QueryError::engine(operation))?;
        let reads_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        reads_only.verify_plan(&plan).map_err(QueryError::engine(operation))?;
        guard::check(&plan)?;
        Ok(plan)
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// As [`Self::plan`]; a plan that cannot be started.
    pub async fn stream(&self, sql: &str) -> Result<SendableRecordBatchStream, QueryError> {
        let plan = self.plan(sql).await?;
        let operation = "run the statement";
        let frame = self.context.execute_logical_plan(plan).await;
        let frame = frame.map_err(QueryError::engine(operation))?;
        frame.execute_stream().await.map_err(QueryError::engine(operation))
    }

    /// Runs a statement to its end; at least one batch, so that there is a schema.
    ///
    /// # Errors
    /// As [`Self::stream`]; answers of more than [`limits::SQL_ROWS_MAX`] rows.
    pub async fn answer(&self, sql: &str) -> Result<Vec<RecordBatch>, QueryError> {
        let mut stream = self.stream(sql).await?;
        let mut batches = vec![RecordBatch::new_empty(stream.schema())];
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(QueryError::engine("run the statement"))?;
            rows += batch.num_rows();
            if rows > limits::SQL_ROWS_MAX {
                return Err(QueryError::TooManyRows { max: limits::SQL_ROWS_MAX });
            }
            batches.push(batch);
        }
        Ok(batches)
    }
}
