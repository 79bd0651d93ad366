//! Bare messages as a table: their five columns by their own names and, where a column of texts is
//! named, what the shapes of the texts tell in its place.
//!
//! ```text
//! number_id, …, text ─▶ ShapeExec ─▶ number_id, …, chars, words, question, open_ended, …
//! ```
//!
//! Of the shape only the columns that a query names are computed. No statement sees a text.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::expressions::Column as PhysicalColumn;
use datafusion::physical_plan::projection::ProjectionExec;
use turnwise_model::Keys;

use super::{BareNames, BareReader, condition, filtered};
use crate::shape_exec::{BUCKET, ShapeExec, TOLD, Told, is_text};

/// A column of texts.
#[derive(Clone, Debug)]
pub struct BareTexts {
    /// The column's name.
    pub column: String,
    /// The keys of hashes.
    pub keys: Arc<Keys>,
    /// Whether `text_bucket` is a column: it is for our own functions, and analysts see none.
    pub buckets: bool,
}

/// Bare messages without their texts.
#[derive(Debug)]
pub struct BareMessages {
    messages: Arc<dyn TableProvider>,
    texts: Option<BareTexts>,
    /// By column: the one of the messages' table, or what the shape tells.
    told: Vec<Told>,
    schema: SchemaRef,
}

impl BareMessages {
    /// Over a table with these columns.
    ///
    /// # Errors
    /// Columns that are missing or hold other values, texts that are none, names that occur twice.
    pub fn new(
        messages: Arc<dyn TableProvider>,
        names: &BareNames,
        texts: Option<BareTexts>,
    ) -> Result<Self> {
        let found = messages.schema();
        let (mut told, mut fields) = (Vec::new(), Vec::new());
        for name in names.in_order() {
            let at = found.index_of(name)?;
            if told.contains(&Told::Own(at)) {
                return plan_err!("column {name} is named twice");
            }
            told.push(Told::Own(at));
            fields.push(found.field(at).clone());
        }
        // Refuses what is no such column, a column of texts above all.
        BareReader::new(&Schema::new(fields.clone()))?;
        if let Some(texts) = &texts {
            if fields.iter().any(|field| *field.name() == texts.column) {
                return plan_err!("column {} holds texts and is named as another", texts.column);
            }
            let field = found.field_with_name(&texts.column)?;
            if !is_text(field.data_type()) {
                let (name, other) = (field.name(), field.data_type());
                return plan_err!("column {name} must hold texts, it is {other}");
            }
            for (name, of_shape) in TOLD.into_iter().chain(texts.buckets.then_some(BUCKET)) {
                if fields.iter().any(|field| field.name() == name) {
                    return plan_err!("column {name} is called like a column of the shape");
                }
                told.push(of_shape);
                fields.push(of_shape.field(name));
            }
        }
        Ok(Self { messages, texts, told, schema: Arc::new(Schema::new(fields)) })
    }

    /// Whether a condition is on columns of the messages alone.
    fn is_own(&self, filter: &Expr) -> bool {
        filter.column_refs().iter().all(|column| {
            let at = self.schema.index_of(&column.name);
            at.is_ok_and(|at| matches!(self.told[at], Told::Own(_)))
        })
    }
}

#[async_trait]
impl TableProvider for BareMessages {
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
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (told, schema) = match projection {
            Some(projection) => {
                let told = projection.iter().map(|at| self.told[*at]).collect();
                (told, Arc::new(self.schema.project(projection)?))
            }
            None => (self.told.clone(), Arc::clone(&self.schema)),
        };
        let mut wanted: Vec<usize> = told.iter().filter_map(Told::own).collect();
        let is_shaped = wanted.len() < told.len();
        let texts = self.texts.as_ref().filter(|_| is_shaped);
        let text = texts.map(|texts| self.messages.schema().index_of(&texts.column)).transpose()?;
        wanted.extend(text);
        for column in filters.iter().flat_map(Expr::column_refs) {
            wanted.push(self.messages.schema().index_of(&column.name)?);
        }
        wanted.sort_unstable();
        wanted.dedup();
        let place = |column: usize| wanted.partition_point(|other| *other < column);
        let limit = limit.filter(|_| filters.is_empty());
        let scan = self.messages.scan(state, Some(&wanted), filters, limit).await?;
        let (Some(texts), Some(text)) = (texts, text) else {
            let scan = filtered(scan, filters.to_vec(), state)?;
            let columns = told.iter().filter_map(Told::own).zip(schema.fields());
            let columns = columns.map(|(column, field)| {
                let name = field.name().clone();
                (Arc::new(PhysicalColumn::new(&name, place(column))) as _, name)
            });
            return Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), scan)?));
        };
        let told = told.into_iter().map(|told| told.own().map_or(told, |at| Told::Own(place(at))));
        let keys = Arc::clone(&texts.keys);
        let counted = condition(&scan, filters.to_vec(), state)?;
        let shape = ShapeExec::new(scan, place(text), told.collect(), schema, keys);
        Ok(Arc::new(shape.counting(counted)))
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let told = filters.iter().map(|filter| match self.is_own(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        });
        Ok(told.collect())
    }
}
