//! A table of Parquet files whose scans are even work: row group by row group, each read by whichever
//! partition has nothing to read. By themselves scans deal a file's bytes to partitions once, and a
//! partition that got more rows, or slower ones, is waited for.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use datafusion::physical_plan::ExecutionPlan;

use super::pieces::{metadata, plain, together};

/// So many files a partition are even work as they are: files are shared out too.
const FILES_EACH: usize = 16;

/// A table whose scans of Parquet files are even work; other scans are as they are.
#[derive(Debug)]
pub struct EvenScan(pub Arc<dyn TableProvider>);

#[async_trait]
impl TableProvider for EvenScan {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let scan = self.0.scan(state, projection, filters, limit).await?;
        even(scan, state).await
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.0.supports_filters_pushdown(filters)
    }
}

async fn even(scan: Arc<dyn ExecutionPlan>, state: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(config) = plain(&scan) else { return Ok(scan) };
    let partitions = state.config().target_partitions().max(1);
    let files: Vec<&PartitionedFile> =
        config.file_groups.iter().flat_map(FileGroup::iter).collect();
    if files.len() > FILES_EACH * partitions {
        return Ok(scan);
    }
    let mut pieces = Vec::new();
    for file in files {
        let metadata = metadata(file, config, state).await?;
        pieces.extend(ranges(file, &metadata));
    }
    if pieces.is_empty() {
        return Ok(scan);
    }
    // As many groups as there can be: only who has one may take from the others.
    let count = partitions.min(pieces.len());
    let group = |nth: usize| nth * pieces.len() / count..(nth + 1) * pieces.len() / count;
    let groups = (0..count).map(|nth| FileGroup::new(pieces[group(nth)].to_vec())).collect();
    let config: FileScanConfig =
        FileScanConfigBuilder::from(config.clone()).with_file_groups(groups).build();
    Ok(DataSourceExec::from_data_source(config))
}

/// The file in ranges of one row group each, or of some neighbours. A range holds the row groups
/// that begin in it, and ends right behind the last beginning: so it is too small for the optimizer
/// to cut again, unless it is of very many row groups, whose ranges are cut by bytes as whole files
/// are.
fn ranges(file: &PartitionedFile, metadata: &ParquetMetaData) -> Vec<PartitionedFile> {
    let within = |start: &i64| u64::try_from(*start).is_ok_and(|at| at < file.object_meta.size);
    let starts = metadata.row_groups().iter().map(|group| start(group).filter(within));
    // Row groups that do not follow each other, as in no sound file, are left together.
    let starts: Option<Vec<i64>> = starts.collect();
    let Some(starts) = starts.filter(|starts| starts.is_sorted_by(|a, b| a < b)) else {
        return vec![file.clone()];
    };
    let neighbours = starts.chunks(together(starts.len()));
    let ends = neighbours.map(|starts| (starts[0], starts[starts.len() - 1] + 1));
    ends.map(|(from, to)| file.clone().with_range(from, to)).collect()
}

/// Where a row group begins, as scans of ranges see it.
fn start(row_group: &RowGroupMetaData) -> Option<i64> {
    let first = row_group.columns().first()?;
    Some(first.dictionary_page_offset().unwrap_or_else(|| first.data_page_offset()))
}
