//! A table of the lake at a version, as DataFusion reads it: its own Parquet source over the files
//! of one snapshot, pruned by partition values and by what the log says of the values in each file.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics, exec_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use datafusion::physical_expr::expressions as physical_expr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{Partitioning, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::{ObjectMeta, path::Path};
use turnwise_lake::FileInfo;

use crate::bounds;
use crate::error::QueryError;
use crate::merge_exec::{MERGED_BATCH_ROWS, MergeExec, ascending, open_bytes};

/// Some files of a table, all of one schema.
#[derive(Debug)]
pub struct LakeTable {
    schema: TableSchema,
    files: Vec<FileInfo>,
}

impl LakeTable {
    /// The files with these columns in them and these partition columns in their paths.
    #[must_use]
    pub fn new(
        file_schema: SchemaRef,
        partition_columns: Vec<Field>,
        files: Vec<FileInfo>,
    ) -> Self {
        let partitions: Vec<FieldRef> = partition_columns.into_iter().map(Arc::new).collect();
        let schema =
            TableSchema::builder(file_schema).with_table_partition_cols(partitions).build();
        Self { schema, files }
    }

    /// A table of the lake whose `schema` includes its partition columns.
    ///
    /// # Errors
    /// A partition column that the schema does not have.
    pub fn of_table(
        schema: &Schema,
        partition_columns: &[&str],
        files: Vec<FileInfo>,
    ) -> Result<Self, QueryError> {
        let is_partition = |field: &Field| partition_columns.contains(&field.name().as_str());
        let columns: Vec<FieldRef> =
            schema.fields().iter().filter(|field| !is_partition(field)).cloned().collect();
        let partitions = partition_columns
            .iter()
            .map(|name| schema.field_with_name(name).cloned())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| QueryError::from_arrow("read table schema", source))?;
        Ok(Self::new(Arc::new(Schema::new(columns)), partitions, files))
    }

    /// Rows of the files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.num_records.unwrap_or_default()).sum()
    }

    /// The plan that reads `projection` (indices of the schema, all if none) of the files that
    /// `filters` do not rule out. Rows are not filtered exactly.
    ///
    /// # Errors
    /// A filter that does not fit the schema; a file whose partition values cannot be read.
    pub fn plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = self.predicate(state, filters)?;
        let kept = self.kept(state, filters, predicate.as_ref())?;
        if kept.is_empty() {
            return self.nothing(projection);
        }
        let groups = groups(self.partitioned_files(&kept)?, state.config().target_partitions());
        let scan = self.scan_of(state, &kept, predicate)?.with_file_groups(groups);
        let scan = scan.with_projection_indices(projection.cloned())?.build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    /// As [`Self::plan`], of files that are sorted by the same column: in one partition, in their
    /// order.
    ///
    /// # Errors
    /// As [`Self::plan`]; files that are not sorted by one column, or not by one that is read.
    pub(crate) fn plan_in_order(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let predicate = self.predicate(state, filters)?;
        let kept = self.kept(state, filters, predicate.as_ref())?;
        let Some(first) = kept.first() else { return self.nothing(projection) };
        let by = first.sorted_by().filter(|by| kept.iter().all(|f| f.sorted_by() == Some(*by)));
        let Some(by) = by else { return exec_err!("files are not sorted by one column") };
        let alone = |file| FileGroup::new(vec![file]);
        let groups: Vec<FileGroup> =
            self.partitioned_files(&kept)?.into_iter().map(alone).collect();
        // Told to be so many, the partitions are not split: two halves would lose their order where
        // they meet again.
        let partitioning = Partitioning::UnknownPartitioning(groups.len());
        let batch_rows = (groups.len() > 1).then_some(MERGED_BATCH_ROWS);
        let scan = self
            .scan_of(state, &kept, predicate)?
            .with_file_groups(groups)
            .with_output_ordering(vec![ascending(by, self.schema.table_schema())?])
            .with_output_partitioning(Some(partitioning))
            .with_batch_size(batch_rows)
            .with_projection_indices(projection.cloned())?
            .build();
        let bytes = kept.iter().map(|file| open_bytes(file)).sum::<u64>();
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(Arc::new(MergeExec::new(DataSourceExec::from_data_source(scan), by, bytes)?))
    }

    /// All filters as one condition.
    fn predicate(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Some(filter) = conjunction(filters.to_vec()) else { return Ok(None) };
        let known = DFSchema::try_from(Arc::clone(self.schema.table_schema()))?;
        state.create_physical_expr(filter, &known).map(Some)
    }

    /// The files in which a row may pass.
    fn kept(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        predicate: Option<&Arc<dyn PhysicalExpr>>,
    ) -> Result<Vec<&FileInfo>> {
        let kept = self.prune(state, filters)?;
        Ok(match predicate {
            Some(predicate) => bounds::kept(kept, self.schema.table_schema(), predicate),
            None => kept,
        })
    }

    /// The plan of no file.
    fn nothing(&self, projection: Option<&Vec<usize>>) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.schema.table_schema();
        Ok(Arc::new(EmptyExec::new(match projection {
            Some(columns) => Arc::new(schema.project(columns)?),
            None => Arc::clone(schema),
        })))
    }

    /// A scan of some files, but for how they are grouped and which columns are read.
    fn scan_of(
        &self,
        state: &dyn Session,
        files: &[&FileInfo],
        predicate: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<FileScanConfigBuilder> {
        let Some(first) = files.first() else { return exec_err!("a scan of no file") };
        let mut source = ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(state.table_options().parquet.clone());
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        let mut statistics = Statistics::new_unknown(self.schema.table_schema());
        statistics.num_rows = rows_of(files);
        let scan = FileScanConfigBuilder::new(store_url(&first.url)?, Arc::new(source));
        Ok(scan.with_statistics(statistics))
    }

    fn partitioned_files(&self, files: &[&FileInfo]) -> Result<Vec<PartitionedFile>> {
        files.iter().map(|file| self.partitioned_file(file)).collect()
    }

    fn partitioned_file(&self, file: &FileInfo) -> Result<PartitionedFile> {
        let values = self.partition_values(file)?;
        Ok(PartitionedFile::new_from_meta(object_meta(file)?).with_partition_values(values))
    }

    fn partition_values(&self, file: &FileInfo) -> Result<Vec<ScalarValue>> {
        let value = |field: &FieldRef| match file.partition_values.get(field.name()) {
            Some(Some(text)) => ScalarValue::try_from_string(text.clone(), field.data_type()),
            Some(None) => ScalarValue::try_from(field.data_type()),
            None => exec_err!("file {} has no value of column {}", file.path, field.name()),
        };
        self.schema.table_partition_cols().iter().map(value).collect()
    }

    /// Leaves out files whose partition values make a filter false.
    fn prune(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&FileInfo>> {
        let partitions = self.schema.table_partition_cols();
        let is_known = |filter: &&Expr| {
            let columns = filter.column_refs();
            columns.iter().all(|c| partitions.iter().any(|field| field.name() == &c.name))
        };
        let usable: Vec<Expr> = filters.iter().filter(is_known).cloned().collect();
        let all = || self.files.iter().collect();
        let Some(filter) = conjunction(usable) else { return Ok(all()) };
        if self.files.is_empty() || partitions.is_empty() {
            return Ok(all());
        }
        let rows = self
            .files
            .iter()
            .map(|file| self.partition_values(file))
            .collect::<Result<Vec<Vec<ScalarValue>>>>()?;
        let columns = (0..partitions.len())
            .map(|at| ScalarValue::iter_to_array(rows.iter().map(|row| row[at].clone())))
            .collect::<Result<Vec<ArrayRef>>>()?;
        let schema = Arc::new(Schema::new(partitions.clone()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let known = DFSchema::try_from(schema)?;
        let keeps = state.create_physical_expr(filter, &known)?.evaluate(&batch)?;
        let keeps = keeps.into_array(batch.num_rows())?;
        let keeps = keeps.as_boolean();
        let kept = self
            .files
            .iter()
            .enumerate()
            .filter(|(row, _)| keeps.is_valid(*row) && keeps.value(*row));
        Ok(kept.map(|(_, file)| file).collect())
    }
}

/// The rows of files, which planners may know; bounds of values are for pruning alone. Where a
/// filter is pushed down to a plan it takes them for an estimate.
fn rows_of(files: &[&FileInfo]) -> Precision<usize> {
    let rows: Option<u64> = files.iter().map(|file| file.num_records).sum();
    let rows = rows.and_then(|rows| usize::try_from(rows).ok());
    rows.map_or(Precision::Absent, Precision::Exact)
}

fn object_meta(file: &FileInfo) -> Result<ObjectMeta> {
    Ok(ObjectMeta {
        location: Path::from_url_path(file.url.path())?,
        last_modified: std::time::UNIX_EPOCH.into(),
        size: file.size,
        e_tag: None,
        version: None,
    })
}

/// What a file says of its pages.
pub(crate) async fn metadata(state: &dyn Session, file: &FileInfo) -> Result<Arc<ParquetMetaData>> {
    let store = state.runtime_env().object_store(&store_url(&file.url)?)?;
    DFParquetMetadata::new(store.as_ref(), &object_meta(file)?)
        .with_page_index_policy(Some(PageIndexPolicy::Optional))
        .fetch_metadata()
        .await
}

/// Spreads files over at most `partitions` groups of about the same bytes.
fn groups(mut files: Vec<PartitionedFile>, partitions: usize) -> Vec<FileGroup> {
    let count = partitions.min(files.len()).max(1);
    files.sort_by(|a, b| {
        b.object_meta.size.cmp(&a.object_meta.size).then_with(|| a.path().cmp(b.path()))
    });
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); count];
    for file in files {
        let smallest = groups.iter_mut().min_by_key(|(bytes, _)| *bytes);
        if let Some((bytes, group)) = smallest {
            *bytes += file.object_meta.size;
            group.push(file);
        }
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

/// A scan with an output column of texts read as views, where most bytes of its files are sorted by
/// that column and it looks at the column for nothing else; none of other scans.
pub(crate) fn sorted_as_views(
    scan: &Arc<dyn ExecutionPlan>,
    at: usize,
) -> Option<Arc<dyn ExecutionPlan>> {
    let data = scan.downcast_ref::<DataSourceExec>()?.data_source();
    let config = data.downcast_ref::<FileScanConfig>()?;
    let source = config.file_source().downcast_ref::<ParquetSource>()?;
    let (table, told) = (source.table_schema(), source.projection()?);
    let column = told.as_ref().get(at)?.expr.downcast_ref::<physical_expr::Column>()?.index();
    let field = table.file_schema().fields().get(column)?;
    let reads = |expr: &Arc<dyn PhysicalExpr>| {
        collect_columns(expr).iter().any(|found| found.index() == column)
    };
    let filter = source.filter();
    let is_only_told = field.data_type() == &DataType::Utf8
        && told.iter().filter(|told| reads(&told.expr)).count() == 1
        && !filter.as_ref().is_some_and(reads);
    if !is_only_told || !mostly_sorted(config, field.name()) {
        return None;
    }
    let schema = with_type(table.file_schema(), column, DataType::Utf8View);
    let partitions: Vec<_> = table.table_partition_cols().iter().cloned().collect();
    let schema = TableSchema::builder(schema).with_table_partition_cols(partitions).build();
    let mut views = ParquetSource::new(schema)
        .with_table_parquet_options(source.table_parquet_options().clone());
    if let Some(filter) = filter {
        views = views.with_predicate(filter);
    }
    let views = views.try_pushdown_projection(told).ok()??;
    let config = FileScanConfigBuilder::from(config.clone()).with_source(views).build();
    Some(DataSourceExec::from_data_source(config))
}

fn mostly_sorted(config: &FileScanConfig, column: &str) -> bool {
    let (mut sorted, mut all) = (0_u64, 0_u64);
    for file in config.file_groups.iter().flat_map(FileGroup::iter) {
        all += file.object_meta.size;
        if turnwise_lake::sorted_by(file.path().as_ref()) == Some(column) {
            sorted += file.object_meta.size;
        }
    }
    all > 0 && 2 * sorted >= all
}

/// A schema with another type for one of its columns.
pub(crate) fn with_type(schema: &Schema, at: usize, data_type: DataType) -> SchemaRef {
    let mut fields = schema.fields().to_vec();
    let field = fields[at].as_ref().clone().with_data_type(data_type);
    fields[at] = Arc::new(field);
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The store that a file's URL is in: scheme and host.
fn store_url(url: &url::Url) -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(&url[..url::Position::BeforePath])
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.plan(state, projection, filters)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

/// The type of a partition column that holds a UTC day.
pub(crate) fn date(name: &str) -> Field {
    Field::new(name, DataType::Date32, false)
}
