//! A scan of Parquet files cut into row groups, a partition each, or of very many some together,
//! with what their statistics tell.
//!
//! Row groups come in order of senders or of time, whichever cuts the rows better: of compacted
//! files each row group holds few senders and all times, of messages as they arrived it is the
//! other way. So the fold can complete conversations as early as the files allow, whatever the
//! files' names say.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataBuilder};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::ExecutionPlan;
use turnwise_model::limits::BARE_PIECES_MAX;

/// The scan by row groups, in the order of one of the columns `orders` names; or as it is where it
/// is no plain scan of whole Parquet files.
pub(super) async fn by_row_group(
    scan: Arc<dyn ExecutionPlan>,
    orders: [&str; 2],
    state: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(config) = plain(&scan) else { return Ok(scan) };
    let mut groups = Vec::new();
    for file in config.file_groups.iter().flat_map(FileGroup::iter) {
        groups.extend(row_groups(file, config, state).await?);
    }
    let schema = config.file_source().table_schema().table_schema();
    let orders = orders.into_iter().filter_map(|name| schema.index_of(name).ok());
    let spreads = orders.filter_map(|column| Some((spread(&groups, column)?, column)));
    if let Some((_, column)) = spreads.min_by(|a, b| a.0.total_cmp(&b.0)) {
        groups.sort_by_key(|group| bounds(group, column));
    }
    // A scan that declares its partitions is not dealt anew by the optimizer.
    let partitioning = Partitioning::UnknownPartitioning(groups.len());
    let config = FileScanConfigBuilder::from(config.clone())
        .with_file_groups(groups)
        .with_output_partitioning(Some(partitioning))
        .with_preserve_order(true)
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// The scan's files, where it is one of whole Parquet files.
pub(super) fn plain(scan: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    let exec = scan.downcast_ref::<DataSourceExec>()?;
    exec.data_source().downcast_ref::<FileScanConfig>().filter(|config| is_plain(config))
}

fn is_plain(config: &FileScanConfig) -> bool {
    let mut files = config.file_groups.iter().flat_map(FileGroup::iter);
    config.file_source().downcast_ref::<ParquetSource>().is_some()
        && config.limit.is_none()
        && config.output_partitioning.is_none()
        && files.all(|file| file.range.is_none() && file.extensions.is_empty())
}

/// What the file says of its row groups.
pub(super) async fn metadata(
    file: &PartitionedFile,
    config: &FileScanConfig,
    state: &dyn Session,
) -> Result<Arc<ParquetMetaData>> {
    let runtime = state.runtime_env();
    let store = runtime.object_store(&config.object_store_url)?;
    DFParquetMetadata::new(store.as_ref(), &file.object_meta)
        .with_file_metadata_cache(Some(runtime.cache_manager.get_file_metadata_cache()))
        .fetch_metadata()
        .await
}

/// How many of a file's row groups are one piece: what a piece knows of the file grows with the
/// file's row groups.
pub(super) fn together(count: usize) -> usize {
    count.div_ceil(BARE_PIECES_MAX).max(1)
}

/// Each row group of a file, or some neighbours, as a group of files of its own.
async fn row_groups(
    file: &PartitionedFile,
    config: &FileScanConfig,
    state: &dyn Session,
) -> Result<Vec<FileGroup>> {
    let metadata = metadata(file, config, state).await?;
    let schema = config.file_source().table_schema().file_schema();
    let count = metadata.num_row_groups();
    let together = together(count);
    let mut groups = Vec::with_capacity(count.min(BARE_PIECES_MAX));
    for (nth, neighbours) in metadata.row_groups().chunks(together).enumerate() {
        let alone = ParquetMetaDataBuilder::new(metadata.file_metadata().clone())
            .set_row_groups(neighbours.to_vec())
            .build();
        let told = DFParquetMetadata::statistics_from_parquet_metadata(&alone, schema)?;
        let mut access = ParquetAccessPlan::new_none(count);
        (nth * together..nth * together + neighbours.len()).for_each(|at| access.scan(at));
        let piece = file.clone().with_extension(access).with_statistics(Arc::new(told));
        let statistics = piece.statistics.clone().unwrap_or_default();
        groups.push(FileGroup::new(vec![piece]).with_statistics(statistics));
    }
    Ok(groups)
}

/// How much of a column's range a row group spans on average; none where one does not tell.
fn spread(groups: &[FileGroup], column: usize) -> Option<f64> {
    let all: Vec<(i128, i128)> =
        groups.iter().map(|group| bounds(group, column)).collect::<Option<_>>()?;
    let first = all.iter().map(|bounds| bounds.0).min()?;
    let last = all.iter().map(|bounds| bounds.1).max()?;
    let spans: i128 = all.iter().map(|(first, last)| last - first).sum();
    Some(spans as f64 / (last - first).max(1) as f64 / all.len() as f64)
}

/// The least and the largest value of a column of whole numbers or times.
fn bounds(group: &FileGroup, column: usize) -> Option<(i128, i128)> {
    let of_column = group.file_statistics(None)?.column_statistics.get(column)?;
    Some((whole(&of_column.min_value)?, whole(&of_column.max_value)?))
}

fn whole(value: &Precision<ScalarValue>) -> Option<i128> {
    match value.get_value()? {
        ScalarValue::UInt64(value) => value.map(i128::from),
        ScalarValue::Int64(value)
        | ScalarValue::TimestampSecond(value, _)
        | ScalarValue::TimestampMillisecond(value, _)
        | ScalarValue::TimestampMicrosecond(value, _)
        | ScalarValue::TimestampNanosecond(value, _) => value.map(i128::from),
        _ => None,
    }
}
