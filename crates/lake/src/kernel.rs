//! The only module that touches the Delta kernel's interface, which changes with each
//! release: snapshots, transactions, file lists, statistics and checkpoints.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;

use arrow::compute::filter_record_batch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_conversion::{TryIntoArrow as _, TryIntoKernel as _};
use delta_kernel::engine::arrow_data::{ArrowEngineData, EngineDataArrowExt as _};
use delta_kernel::engine_data::FilteredEngineData;
use delta_kernel::expressions::Scalar;
use delta_kernel::schema::StructType;
use delta_kernel::snapshot::{IncrementalReplay, Snapshot, SnapshotRef};
use delta_kernel::transaction::create_table::create_table;
use delta_kernel::transaction::data_layout::DataLayout;
use delta_kernel::transaction::{
    BoundWriteContext, CommitResult, UpdateTableOperation, WriteState,
};
use delta_kernel::{FileMeta, KernelError};
use delta_kernel_default_engine::executor::TaskExecutor as _;
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::parquet::DataFileMetadata;
use delta_kernel_default_engine::stats::FileStatsAccumulator;
use delta_kernel_default_engine::{DefaultEngine, DefaultEngineBuilder, build_add_file_metadata};
use object_store::DynObjectStore;
use url::Url;

use crate::error::{LakeError, Result};
use crate::file::{FileInfo, Partition, PartitionValue};

const ENGINE_INFO: &str = concat!("turnwise/", env!("CARGO_PKG_VERSION"));

/// How long checkpoints remember removed files. Vacuum goes by the log entries, which are
/// kept for a day, so nothing here needs the format's default of a week.
const TOMBSTONE_RETENTION: &str = "interval 1 day";

/// The kernel's engine over one store, on its own threads.
pub(crate) struct Kernel {
    engine: DefaultEngine<TokioMultiThreadExecutor>,
    executor: Arc<TokioMultiThreadExecutor>,
}

/// A table at a version.
#[derive(Clone)]
pub(crate) struct Held(SnapshotRef);

/// What a transaction writes.
pub(crate) struct Write<'a> {
    pub(crate) adds: &'a [AddedFile],
    pub(crate) removes: Removes,
    pub(crate) transactions: Vec<(String, i64)>,
    pub(crate) info: &'a BTreeMap<String, String>,
    pub(crate) data_change: bool,
}

/// Files to remove, in the kernel's form. Good on every later version of the table that still has
/// them. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Removes(Vec<RecordBatch>);

/// How a commit ended. Only the first is certain (law 2).
pub(crate) enum Attempt {
    Committed { held: Option<Held>, version: u64 },
    Conflicted,
    Unclear(LakeError),
}

/// A written data file in the kernel's form.
#[derive(Clone, Debug)]
pub(crate) struct AddedFile {
    metadata: RecordBatch,
    pub(crate) path: String,
}

/// Where a partition's files go, and how they become part of a transaction.
pub(crate) struct Folder {
    context: BoundWriteContext,
}

/// Statistics of a file's rows, taken while they are written.
pub(crate) struct Statistics(FileStatsAccumulator);

/// What writers need to know of a table; does not change with its version.
pub(crate) struct Layout {
    state: Arc<WriteState>,
}

fn failed(operation: &'static str) -> impl FnOnce(KernelError) -> LakeError + Copy {
    move |error| match error {
        KernelError::ObjectStore(_)
        | KernelError::IOError(_)
        | KernelError::Reqwest(_)
        | KernelError::FileNotFound(_)
        | KernelError::JoinFailure(_) => LakeError::Store { operation, source: Box::new(error) },
        _ => LakeError::Data { operation, source: Box::new(error) },
    }
}

impl Kernel {
    /// `runtime` must have several threads: the engine blocks on one while others read.
    pub(crate) fn new(store: Arc<DynObjectStore>, runtime: tokio::runtime::Handle) -> Self {
        let executor = Arc::new(TokioMultiThreadExecutor::new(runtime));
        let engine =
            DefaultEngineBuilder::new(store).with_task_executor(Arc::clone(&executor)).build();
        Self { engine, executor }
    }

    /// Runs a future on the engine's threads and waits for it.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.executor.block_on(task)
    }

    /// The newest version, or the one asked for, from the log's files alone.
    pub(crate) fn load(&self, table: &Url, version: Option<u64>) -> Result<Held> {
        let mut builder = Snapshot::builder_for(table);
        if let Some(version) = version {
            builder = builder.at_version(version);
        }
        builder.build(&self.engine).map(Held).map_err(failed("read table"))
    }

    /// Goes on to a later version, taking up checkpoints of others on the way.
    pub(crate) fn advance(&self, held: &Held, version: u64) -> Result<Held> {
        Snapshot::builder_from(Arc::clone(&held.0))
            .with_incremental_crc_replay(IncrementalReplay::Disabled)
            .at_version(version)
            .build(&self.engine)
            .map(Held)
            .map_err(failed("refresh table"))
    }

    /// Creates the table; `Ok` also where another was faster.
    pub(crate) fn create(&self, table: &Url, schema: &Schema, partitions: &[&str]) -> Result<()> {
        let operation = "create table";
        let schema: StructType =
            schema.try_into_kernel().map_err(LakeError::data("read schema"))?;
        let mut builder = create_table(table, Arc::new(schema), ENGINE_INFO, true)
            .with_table_properties([("delta.deletedFileRetentionDuration", TOMBSTONE_RETENTION)]);
        if !partitions.is_empty() {
            builder = builder.with_data_layout(DataLayout::partitioned(partitions.to_vec()));
        }
        let transaction = builder
            .build(&self.engine, Box::new(FileSystemCommitter::new()))
            .map_err(failed(operation))?;
        match transaction.commit(&self.engine).map_err(failed(operation))? {
            CommitResult::Committed(_) | CommitResult::Conflicted(_) => Ok(()),
            CommitResult::Retryable(retryable) => Err(failed(operation)(retryable.error)),
        }
    }

    /// Whether the table was created with these columns.
    pub(crate) fn has_columns(&self, held: &Held, schema: &Schema) -> Result<bool> {
        let wanted: StructType =
            schema.try_into_kernel().map_err(LakeError::data("read schema"))?;
        Ok(held.0.schema().as_ref() == &wanted)
    }

    pub(crate) fn layout(&self, held: &Held) -> Result<(Layout, Vec<String>)> {
        let transaction = Arc::clone(&held.0)
            .update_table(UpdateTableOperation::Write, ENGINE_INFO, true)
            .build(&self.engine, Box::new(FileSystemCommitter::new()))
            .map_err(failed("prepare writing"))?;
        let columns = transaction.logical_partition_columns().to_vec();
        let state = transaction.write_state().map_err(failed("prepare writing"))?;
        Ok((Layout { state }, columns))
    }

    /// One try at one transaction on top of `held`.
    pub(crate) fn commit(&self, held: &Held, write: Write<'_>) -> Attempt {
        let operation = if write.data_change {
            UpdateTableOperation::Write
        } else {
            UpdateTableOperation::Optimize
        };
        let parameters = write.info.iter().map(|(name, value)| (name, Some(value)));
        let transaction = Arc::clone(&held.0)
            .update_table(operation, ENGINE_INFO, write.data_change)
            .with_operation_parameters(parameters)
            .build(&self.engine, Box::new(FileSystemCommitter::new()));
        let mut transaction = match transaction {
            Ok(transaction) => transaction,
            Err(error) => return Attempt::Unclear(failed("prepare commit")(error)),
        };
        for (app, version) in write.transactions {
            transaction = transaction.with_transaction_id(app, version);
        }
        for file in write.adds {
            transaction.add_files(Box::new(ArrowEngineData::new(file.metadata.clone())));
        }
        for files in write.removes.0 {
            let files = Box::new(ArrowEngineData::new(files));
            transaction.remove_files(FilteredEngineData::with_all_rows_selected(files));
        }
        match transaction.commit(&self.engine) {
            Ok(CommitResult::Committed(committed)) => Attempt::Committed {
                held: committed.post_commit_snapshot().cloned().map(Held),
                version: committed.commit_version(),
            },
            Ok(CommitResult::Conflicted(_)) => Attempt::Conflicted,
            Ok(CommitResult::Retryable(retryable)) => {
                Attempt::Unclear(failed("commit")(retryable.error))
            }
            Err(error) => Attempt::Unclear(failed("commit")(error)),
        }
    }

    /// Shows every file of a version to `chosen`; those it accepts come back in the form
    /// that [`Write::removes`] takes.
    pub(crate) fn scan(
        &self,
        held: &Held,
        chosen: &mut dyn FnMut(FileInfo) -> bool,
    ) -> Result<Removes> {
        let operation = "list files";
        let scan = Arc::clone(&held.0)
            .scan_builder()
            .without_row_transforms()
            .build()
            .map_err(failed(operation))?;
        let mut removes = Vec::new();
        for part in scan.scan_metadata(&self.engine).map_err(failed(operation))? {
            let (data, mut selected) = part.map_err(failed(operation))?.scan_files.into_parts();
            let batch = data.try_into_record_batch().map_err(failed(operation))?;
            selected.resize(batch.num_rows(), true);
            let rows = ScanRows::new(&batch).ok_or_else(|| {
                LakeError::data(operation)("the kernel's rows have another shape")
            })?;
            for (row, selected) in selected.iter_mut().enumerate() {
                if *selected {
                    let file = rows.file(held.0.table_root(), row);
                    *selected = chosen(file.map_err(LakeError::data(operation))?);
                }
            }
            if selected.contains(&true) {
                let files = filter_record_batch(&batch, &BooleanArray::from(selected));
                removes.push(files.map_err(LakeError::data(operation))?);
            }
        }
        Ok(Removes(removes))
    }

    /// Writes a checkpoint of this version; the result goes on from it.
    pub(crate) fn checkpoint(&self, held: &Held) -> Result<Held> {
        let (_, held) =
            held.0.checkpoint(&self.engine, None).map_err(failed("write checkpoint"))?;
        Ok(Held(held))
    }
}

impl Held {
    pub(crate) fn version(&self) -> u64 {
        self.0.version()
    }

    pub(crate) fn schema(&self) -> Result<SchemaRef> {
        let schema: Schema =
            self.0.schema().as_ref().try_into_arrow().map_err(LakeError::data("read schema"))?;
        Ok(Arc::new(schema))
    }
}

impl Layout {
    pub(crate) fn folder(&self, partition: &Partition) -> Result<Folder> {
        let values: HashMap<String, Scalar> = partition
            .iter()
            .map(|(column, value)| {
                let scalar = match value {
                    PartitionValue::Text(text) => Scalar::String(text.clone()),
                    PartitionValue::Date(day) => Scalar::Date(day.0),
                    PartitionValue::Int(number) => Scalar::Integer(*number),
                };
                (column.clone(), scalar)
            })
            .collect();
        let context = self
            .state
            .write_context_builder()
            .with_partition_values(values)
            .build()
            .map_err(failed("read partition values"))?;
        Ok(Folder { context })
    }
}

impl Folder {
    /// The address of the folder; ends with a slash.
    pub(crate) fn url(&self) -> Url {
        self.context.write_dir()
    }

    /// Statistics of no rows yet.
    pub(crate) fn statistics(&self) -> Statistics {
        let columns = self.context.stats_columns();
        Statistics(FileStatsAccumulator::new(columns, self.context.physical_data_schema()))
    }

    /// Metadata of a file that was written with the rows of these statistics.
    pub(crate) fn added(
        &self,
        url: &Url,
        size: u64,
        written_ms: i64,
        statistics: Statistics,
    ) -> Result<AddedFile> {
        let operation = "collect statistics";
        let statistics = statistics
            .0
            .finish()
            .map_err(failed(operation))?
            .ok_or_else(|| LakeError::data(operation)("no rows were looked at"))?;
        let meta = FileMeta { location: url.clone(), last_modified: written_ms, size };
        let path = self.context.resolve_file_path(url).map_err(failed(operation))?;
        let metadata =
            build_add_file_metadata(DataFileMetadata::new(meta, statistics), &self.context)
                .try_into_record_batch()
                .map_err(failed(operation))?;
        Ok(AddedFile { metadata, path })
    }
}

impl Statistics {
    /// Takes rows in; those of one file have the same columns.
    pub(crate) fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        self.0.merge(rows).map_err(failed("collect statistics"))
    }
}

/// The kernel's rows of live files, by column.
struct ScanRows<'a> {
    path: &'a arrow_array::StringArray,
    size: &'a arrow_array::Int64Array,
    time: &'a arrow_array::Int64Array,
    stats: &'a arrow_array::StringArray,
    partitions: &'a arrow_array::MapArray,
}

impl<'a> ScanRows<'a> {
    fn new(batch: &'a RecordBatch) -> Option<Self> {
        let constants = batch.column_by_name("fileConstantValues")?.as_struct_opt()?;
        Some(Self {
            path: batch.column_by_name("path")?.as_string_opt()?,
            size: batch.column_by_name("size")?.as_primitive_opt::<Int64Type>()?,
            time: batch.column_by_name("modificationTime")?.as_primitive_opt::<Int64Type>()?,
            stats: batch.column_by_name("stats")?.as_string_opt()?,
            partitions: constants.column_by_name("partitionValues")?.as_map_opt()?,
        })
    }

    fn file(&self, table: &Url, row: usize) -> std::result::Result<FileInfo, url::ParseError> {
        let entries = self.partitions.value(row);
        let names = entries.column(0).as_string_opt::<i32>();
        let values = entries.column(1).as_string_opt::<i32>();
        let mut partitions = BTreeMap::new();
        if let (Some(names), Some(values)) = (names, values) {
            for entry in 0..entries.len() {
                let value = values.is_valid(entry).then(|| values.value(entry).to_owned());
                partitions.insert(names.value(entry).to_owned(), value);
            }
        }
        let stats = self.stats.is_valid(row).then(|| self.stats.value(row).to_owned());
        FileInfo::new(
            table,
            self.path.value(row).to_owned(),
            self.size.value(row),
            partitions,
            stats,
            self.time.value(row),
        )
    }
}
