//! The features of windows: of every sender that has messages in the seven days before a midnight.
//!
//! ```text
//! sender_days ─▶ senders of the window ─┬─ touched by new rows ─▶ derived ──┬─▶ features
//!                                       └─ others ─▶ as the lake has them ──┘
//! ```
//!
//! What is derived of a sender depends on its own rows alone, so what stands of a sender without new
//! rows is what would come out again.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use turnwise_lake::{FileFilter, FileInfo, Table};
use turnwise_model::{Day, EventKind};

use crate::derive::{self, Window, collect, newest_messages, register_events};
use crate::derived::{Derived, SENDER_FEATURES, blocking};
use crate::engine::Engine;
use crate::error::QueryError;
use crate::fold_exec::{Senders, named};

/// What new rows did to a window since its features were written.
#[derive(Clone, Copy, Debug)]
pub struct Since<'a> {
    /// The version of `events` that the features stand on.
    pub version: u64,
    /// The senders of new rows.
    pub touched: &'a Senders,
}

/// The senders that rows of these files of `events` name.
///
/// # Errors
/// A plan that cannot be run.
pub async fn senders_of(engine: &Engine, files: &[FileInfo]) -> Result<Senders, QueryError> {
    let context = engine.session();
    register_events(&context, files)?;
    let of_kind = |kind: EventKind| format!("SELECT sender FROM {}", kind.name());
    let kinds = [EventKind::Message, EventKind::Status, EventKind::Account].map(of_kind);
    let mut senders = Senders::new();
    for batch in collect(&context, &kinds.join(" UNION "), "find senders of new rows").await? {
        let names = batch["sender"].as_string::<i32>();
        senders.extend(names.iter().flatten().map(str::to_owned));
    }
    Ok(senders)
}

impl Derived {
    /// The features of every sender that has messages in the window that ends there. `since` says
    /// which version of them was written, by this program, and what is new; they are read only
    /// where they still stand on that version.
    ///
    /// # Errors
    /// A plan that cannot be run; a lake that cannot be read.
    pub async fn features_of_end(
        &self,
        end: Day,
        since: Option<Since<'_>>,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let stands = match since {
            Some(since) => self.if_stands(end, since.version).await?.map(|table| (since, table)),
            None => None,
        };
        let Some((since, table)) = stands else {
            return self.features(&self.windows(end).await?).await;
        };
        let derived = async {
            let mut windows = self.windows(end).await?;
            windows.retain(|window| since.touched.contains(&window.sender));
            self.features(&windows).await
        };
        let (mut features, stored) = tokio::try_join!(derived, stored(table, end))?;
        let schema = derive::sender_features_schema(self.engine()).await?;
        for batch in stored {
            features.push(without(&batch, since.touched, &schema)?);
        }
        Ok(features)
    }

    /// The windows that end there, one a sender that has messages in it.
    async fn windows(&self, end: Day) -> Result<Vec<Window>, QueryError> {
        let days = self.sender_days(Window { sender: String::new(), end }.days()).await?;
        let newest = newest_messages(self.engine(), Arc::new(days)).await?;
        Ok(newest.into_keys().map(|sender| Window { sender, end }).collect())
    }

    /// The table of features, if those of a window stand on that version.
    async fn if_stands(&self, end: Day, version: u64) -> Result<Option<Table>, QueryError> {
        let lake = self.lake().clone();
        blocking(move || {
            let table = lake.existing_table(SENDER_FEATURES.name);
            let table = table.map_err(QueryError::lake("read features"))?;
            let stands =
                |table: &Table| SENDER_FEATURES.version_of_end(table, end) == Some(version);
            Ok(table.filter(stands))
        })
        .await
    }
}

/// The stored features of a window.
async fn stored(table: Table, end: Day) -> Result<Vec<RecordBatch>, QueryError> {
    blocking(move || {
        let lake_error = || QueryError::lake("read features");
        let filter = FileFilter::all().partition_in("window_end", [end]);
        let snapshot = table.snapshot(None).map_err(lake_error())?;
        snapshot.read(None, &filter).map_err(lake_error())
    })
    .await
}

/// The rows of other senders, with the columns of `schema`.
fn without(
    batch: &RecordBatch,
    senders: &Senders,
    schema: &SchemaRef,
) -> Result<RecordBatch, QueryError> {
    let arrow = |source| QueryError::from_arrow("keep features", source);
    let kept = BooleanArray::new(!&named(senders, &batch["sender"]), None);
    let kept = filter_record_batch(batch, &kept).map_err(arrow)?;
    derive::with_columns(&kept, schema)
}
