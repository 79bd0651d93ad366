//! The fold of bare messages: what one output partition does.
//!
//! Output partitions read and fold by turns, whatever there is to do ([`work`]), round by round
//! ([`rounds`]). A row belongs to the output that the hash of its sender names, by the hash that
//! repartitioning uses too, so that a plan may group by sender without moving conversations.
//! What a run shares belongs to the streams alone once each partition has its own: when the last
//! is dropped, memory and files are given back.

mod output;
mod rounds;
mod spill;
mod work;

use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::stream;

use self::output::Output;
use self::rounds::{Piece, rounds};
use self::work::Work;
use crate::bare::BareReader;

/// The fold of bare messages.
#[derive(Debug)]
pub(super) struct Bare {
    reader: BareReader,
    run: Mutex<Option<Run>>,
}

/// A run of which some partition has not got its stream yet.
struct Run {
    work: Arc<Work>,
    taken: Vec<bool>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// One of how many output partitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub partition: usize,
    pub of: usize,
}

impl Bare {
    pub fn new(reader: BareReader) -> Self {
        Self { reader, run: Mutex::new(None) }
    }

    pub fn reader(&self) -> &BareReader {
        &self.reader
    }

    /// The stream of an output partition.
    pub fn stream(
        &self,
        place: Place,
        input: &Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        context: &Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> SendableRecordBatchStream {
        let batch_rows = context.session_config().batch_size();
        let work = self.join(place, input, batch_rows, context);
        let columns = Arc::clone(&schema);
        let source = output::Source {
            input: Arc::clone(input),
            reader: self.reader.clone(),
            context: Arc::clone(context),
        };
        let output = Output::new(place, source, work, columns, metrics);
        let batches = stream::try_unfold(output, |mut output| async move {
            let next: Result<_> = output.next().await;
            Ok(next?.map(|batch| (batch, output)))
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, batches))
    }

    /// The run that this partition belongs to: the one begun for another partition, or a new one.
    fn join(
        &self,
        place: Place,
        input: &Arc<dyn ExecutionPlan>,
        batch_rows: usize,
        context: &TaskContext,
    ) -> Arc<Work> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let mut begun = run.take().filter(|run| !run.taken[place.partition]).unwrap_or_else(|| {
            let rounds = rounds(&pieces(input, &self.reader), batch_rows);
            let names = MemoryConsumer::new("FoldExec names").register(context.memory_pool());
            Run { work: Arc::new(Work::new(rounds, place.of, names)), taken: vec![false; place.of] }
        });
        begun.taken[place.partition] = true;
        let work = Arc::clone(&begun.work);
        if !begun.taken.iter().all(|taken| *taken) {
            *run = Some(begun);
        }
        work
    }
}

/// The partitions of the input, and what is known of each.
fn pieces(input: &Arc<dyn ExecutionPlan>, reader: &BareReader) -> Vec<Piece> {
    let context = StatisticsContext::new();
    let known = has_own_pieces(input);
    let of = |partition: usize| {
        let args = StatisticsArgs::new().with_partition(Some(partition));
        let found = known.then(|| context.compute(input.as_ref(), &args).ok()).flatten();
        found.map_or(Piece::UNKNOWN, |found| Piece::new(&found, &reader.sender))
    };
    let mut pieces: Vec<Piece> =
        (0..input.output_partitioning().partition_count()).map(of).collect();
    if !known {
        let all = context.compute(input.as_ref(), &StatisticsArgs::new());
        let rows = all.ok().and_then(|found| found.num_rows.get_value().copied()).unwrap_or(0);
        pieces.iter_mut().take(1).for_each(|piece| piece.rows = rows);
    }
    pieces
}

/// Whether partition i of the input is made of what its statistics tell and nothing else. Scans
/// of files are, where the order of files is kept; others hand files to whoever asks first.
pub(super) fn has_own_pieces(input: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(projection) = input.downcast_ref::<ProjectionExec>() {
        return has_own_pieces(projection.input());
    }
    if let Some(filter) = input.downcast_ref::<FilterExec>() {
        return has_own_pieces(filter.input());
    }
    let scan = input.downcast_ref::<DataSourceExec>();
    let files = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
    files.is_some_and(|files| files.preserve_order)
}
