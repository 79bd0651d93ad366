//! One engine for all queries of a process: memory pool, spill folder, functions, object stores.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use turnwise_lake::Lake;
use turnwise_model::limits;

use crate::error::QueryError;
use crate::numbered::NumberedGroups;
use crate::wanted_texts::WantedTexts;
use crate::{aggregates, scalars};

/// How many of the largest consumers an error about memory names.
const CONSUMERS_NAMED: std::num::NonZeroUsize = std::num::NonZeroUsize::new(5).expect("not zero");

/// What queries may use.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Bytes that all queries together may hold.
    pub memory_bytes: usize,
    /// Where they spill; the system's folder for temporary files if none.
    pub spill_folder: Option<PathBuf>,
    /// Bytes they may spill.
    pub spill_bytes: u64,
    /// Partitions that a plan runs in; the machine's cores if none.
    pub partitions: Option<usize>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            memory_bytes: limits::QUERY_MEMORY_BYTES,
            spill_folder: None,
            spill_bytes: limits::QUERY_SPILL_BYTES,
            partitions: None,
        }
    }
}

/// Makes sessions that share one memory pool and one spill folder.
#[derive(Clone)]
pub struct Engine {
    runtime: Arc<RuntimeEnv>,
    partitions: Option<usize>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over one lake.
    ///
    /// # Errors
    /// A spill folder that cannot be used.
    pub fn new(settings: &EngineSettings, lake: &Lake) -> Result<Self, QueryError> {
        let engine = Self::local(settings)?;
        let store = &lake.url()[..url::Position::BeforePath];
        let store = url::Url::parse(store).map_err(|error| QueryError::Unexpected {
            operation: "register the lake's store",
            reason: error.to_string(),
        })?;
        engine.runtime.register_object_store(&store, lake.store());
        Ok(engine)
    }

    /// An engine over local files.
    ///
    /// # Errors
    /// A spill folder that cannot be used.
    pub fn local(settings: &EngineSettings) -> Result<Self, QueryError> {
        let pool =
            TrackConsumersPool::new(FairSpillPool::new(settings.memory_bytes), CONSUMERS_NAMED);
        let mode =
            settings.spill_folder.clone().map_or(DiskManagerMode::OsTmpDirectory, |folder| {
                DiskManagerMode::Directories(vec![folder])
            });
        let disk = DiskManagerBuilder::default()
            .with_mode(mode)
            .with_max_temp_directory_size(settings.spill_bytes);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_disk_manager_builder(disk)
            .build_arc()
            .map_err(QueryError::engine("set up the query engine"))?;
        Ok(Self { runtime, partitions: settings.partitions })
    }

    /// A session with our functions and no tables.
    #[must_use]
    pub fn session(&self) -> SessionContext {
        let mut config = SessionConfig::new().with_information_schema(true);
        if let Some(partitions) = self.partitions {
            config = config.with_target_partitions(partitions);
        }
        let options = config.options_mut();
        // The kernels read plain string columns; views would be a second form of the same.
        options.execution.parquet.schema_force_view_types = false;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.catalog.create_default_catalog_and_schema = true;
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(Arc::clone(&self.runtime))
            .with_default_features()
            .with_physical_optimizer_rule(Arc::new(WantedTexts))
            .with_physical_optimizer_rule(Arc::new(NumberedGroups))
            .build();
        let context = SessionContext::new_with_state(state);
        for function in aggregates::all() {
            context.register_udaf(function.as_ref().clone());
        }
        for function in scalars::all() {
            context.register_udf(function.as_ref().clone());
        }
        context
    }
}
