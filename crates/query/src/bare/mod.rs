//! Conversations of bare messages: a table over any table that says who, when, which way and of
//! what kind, such as a Parquet file of another program. Its plan is a scan of five columns and
//! the operator behind `conversations`; what rows mean is told at
//! [`turnwise_kernels::fold::bare`].
//!
//! ```text
//! number_id, peer_id, ts_ms, direction, kind ─▶ FoldExec ─▶ sender, peer, start_time, turns, …
//! ```

mod even;
mod pieces;
mod read;
mod texts;

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::expressions::Column as PhysicalColumn;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use turnwise_kernels::fold::bare::BareColumns;
use turnwise_model::conversation::{self, column};

use crate::fold_exec::FoldExec;
pub use even::EvenScan;
pub(crate) use read::{BareReader, UNTIMELY, Words};
pub use texts::{BareMessages, BareTexts};

/// How a table calls its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BareNames {
    /// The business number: a whole number or a text.
    pub sender: String,
    /// The peer: a whole number.
    pub peer: String,
    /// Milliseconds since 1970, or a timestamp.
    pub time: String,
    /// 0 from the peer, 1 to it.
    pub direction: String,
    /// 0 text, 1 button, 2 voice, 3 image, 4 template, 5 interactive, 6 and above other.
    pub kind: String,
}

impl Default for BareNames {
    fn default() -> Self {
        Self {
            sender: "number_id".to_owned(),
            peer: "peer_id".to_owned(),
            time: "ts_ms".to_owned(),
            direction: "direction".to_owned(),
            kind: "kind".to_owned(),
        }
    }
}

impl BareNames {
    fn in_order(&self) -> [&str; 5] {
        [&self.sender, &self.peer, &self.time, &self.direction, &self.kind]
    }
}

/// The conversations of a table of bare messages.
#[derive(Debug)]
pub struct BareConversations {
    messages: Arc<dyn TableProvider>,
    names: BareNames,
    reader: BareReader,
    schema: SchemaRef,
}

impl BareConversations {
    /// Over a table with these columns.
    ///
    /// # Errors
    /// Columns that are missing, or hold other values.
    pub fn new(messages: Arc<dyn TableProvider>, names: BareNames) -> Result<Self> {
        let found = messages.schema();
        let fields = names.in_order().map(|name| found.field_with_name(name).cloned());
        let fields = fields.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
        let reader = BareReader::new(&Schema::new(fields))?;
        let schema = bare_schema(&reader);
        Ok(Self { messages, names, reader, schema })
    }

    /// Conditions on nothing but sender and peer hold for all rows of a conversation or none.
    fn on_messages(&self, filter: &Expr) -> Result<Option<Expr>> {
        let shared = [(column::SENDER, &self.names.sender), (column::PEER, &self.names.peer)];
        let columns = filter.column_refs();
        let found = self.messages.schema();
        let is_alike = |told: &str, name: &str| {
            let types = [self.schema.field_with_name(told), found.field_with_name(name)];
            matches!(types, [Ok(a), Ok(b)] if a.data_type() == b.data_type())
        };
        let is_shared = |column: &&Column| {
            shared.iter().any(|(told, name)| *told == column.name && is_alike(told, name))
        };
        if columns.is_empty() || !columns.iter().all(is_shared) {
            return Ok(None);
        }
        let renamed = filter.clone().transform(|part| {
            let Expr::Column(found) = &part else { return Ok(Transformed::no(part)) };
            let name = shared.iter().find(|(name, _)| *name == found.name);
            Ok(match name {
                Some((_, name)) => Transformed::yes(Expr::Column(Column::from_name(*name))),
                None => Transformed::no(part),
            })
        })?;
        Ok(Some(renamed.data))
    }
}

/// What a scan does not filter itself; its source is told of the condition by the optimizer.
fn filtered(
    scan: Arc<dyn ExecutionPlan>,
    filters: Vec<Expr>,
    state: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    Ok(match condition(&scan, filters, state)? {
        Some(condition) => Arc::new(FilterExec::try_new(condition, scan)?),
        None => scan,
    })
}

/// That all of the filters hold of what a scan gives; none where there are none.
fn condition(
    scan: &Arc<dyn ExecutionPlan>,
    filters: Vec<Expr>,
    state: &dyn Session,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let Some(filter) = conjunction(filters) else { return Ok(None) };
    let known = DFSchema::try_from(scan.schema())?;
    state.create_physical_expr(filter, &known).map(Some)
}

/// The columns of `conversations` that bare messages can tell; sender and peer as they come.
fn bare_schema(reader: &BareReader) -> SchemaRef {
    let all = conversation::schema();
    let told = all.fields().iter().filter(|field| BareColumns::has(field.name()));
    let fields = told.map(|field| match field.name().as_str() {
        column::SENDER => Field::new(column::SENDER, reader.sender.data_type(), false),
        column::PEER => Field::new(column::PEER, reader.peer.data_type(), false),
        _ => field.as_ref().clone(),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

#[async_trait]
impl TableProvider for BareConversations {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let found = self.messages.schema();
        let mut columns = Vec::new();
        for name in self.names.in_order() {
            columns.push(found.index_of(name)?);
        }
        let mut wanted = columns.clone();
        wanted.sort_unstable();
        wanted.dedup();
        let filters = filters.iter().filter_map(|filter| self.on_messages(filter).transpose());
        let filters = filters.collect::<Result<Vec<Expr>>>()?;
        let scan = self.messages.scan(state, Some(&wanted), &filters, None).await?;
        let scan =
            pieces::by_row_group(scan, [&self.names.time, &self.names.sender], state).await?;
        let schema = scan.schema();
        let scan = filtered(scan, filters, state)?;
        let in_order = self.names.in_order().map(|name| {
            let at = schema.index_of(name)?;
            Ok((Arc::new(PhysicalColumn::new(name, at)) as _, name.to_owned()))
        });
        let in_order = in_order.into_iter().collect::<Result<Vec<_>>>()?;
        let messages: Arc<dyn ExecutionPlan> = if wanted == columns {
            scan
        } else {
            Arc::new(ProjectionExec::try_new(in_order, scan)?)
        };
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => Arc::clone(&self.schema),
        };
        let partitions = state.config().target_partitions();
        Ok(Arc::new(FoldExec::bare(messages, self.reader.clone(), schema, partitions)))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}
