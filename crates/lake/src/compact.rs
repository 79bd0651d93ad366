//! Rewrites many small files of one partition as few.
//!
//! What was staged stays good while its inputs stand: a writer in between costs another
//! commit, not another rewrite. Where an input is gone, another compaction or a replacement
//! was faster and the staged files are left to vacuum.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Field, Schema, SchemaRef};

use crate::error::{Cause, LakeError, Result};
use crate::file::{FileFilter, FileInfo, Partition};
use crate::kernel::Write;
use crate::read::{in_columns, read_files};
use crate::snapshot::Snapshot;
use crate::stage::{Encoding, Staged};
use crate::table::{End, Step, Table};

/// What to compact.
#[derive(Clone, Debug)]
pub struct CompactPlan {
    /// The partition.
    pub partition: Partition,
    /// Files of this many bytes or more are left alone.
    pub small_bytes: u64,
    /// Fewer files than this are left alone.
    pub files_min: usize,
    /// Inputs of one compaction, together; the rest waits for the next.
    pub input_bytes_max: u64,
    /// Rows of one file that is written.
    pub file_rows_max: usize,
    /// The columns in whose ascending order rows are put, absent values first; none if in no order.
    pub sorted_by: &'static [&'static str],
    /// Whether rows change on the way (dropping tokens); plain compaction changes none.
    pub data_change: bool,
}

/// How a compaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompactOutcome {
    /// There was too little to do.
    Nothing,
    /// The partition's small files are now fewer.
    Done {
        /// The version that holds them; `None` where an unclear attempt had succeeded.
        version: Option<u64>,
        /// Files before.
        removed: usize,
        /// Files after.
        added: usize,
    },
    /// Others changed the inputs, or it took too long.
    GaveUp,
}

/// Puts the rows of all inputs in order; may change them where the plan says so.
pub type Reorder<'a> = dyn FnMut(Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> + 'a;

impl Table {
    /// Compacts one partition.
    ///
    /// # Errors
    /// As [`Table::commit`]; [`LakeError::Data`] where `reorder` failed, or changed the
    /// number of rows without the plan saying so.
    pub fn compact(
        &self,
        plan: &CompactPlan,
        reorder: &mut Reorder<'_>,
        info: &BTreeMap<String, String>,
        now_ms: i64,
    ) -> Result<CompactOutcome> {
        self.refresh()?;
        let snapshot = self.snapshot(None)?;
        let inputs = choose(plan, &snapshot)?;
        if inputs.len() < plan.files_min.max(1) {
            return Ok(CompactOutcome::Nothing);
        }
        let parts = self.rewrite(plan, &inputs, reorder)?;
        let staged = self.stage(parts, Encoding::Sorted(plan.sorted_by), now_ms)?;
        self.swap(plan, &inputs, &staged, info, now_ms)
    }

    fn rewrite(
        &self,
        plan: &CompactPlan,
        inputs: &[FileInfo],
        reorder: &mut Reorder<'_>,
    ) -> Result<Vec<(Partition, RecordBatch)>> {
        let read: Vec<RecordBatch> =
            read_files(self.shared(), inputs)?.into_iter().flatten().collect();
        let schema = union(&self.schema(), &read);
        let read: Vec<RecordBatch> =
            read.iter().map(|batch| in_columns(batch, &schema)).collect::<Result<_>>()?;
        let rows_before: usize = read.iter().map(RecordBatch::num_rows).sum();
        let ordered = reorder(read).map_err(LakeError::data("order rows"))?;
        let rows_after: usize = ordered.iter().map(RecordBatch::num_rows).sum();
        if rows_before != rows_after && !plan.data_change {
            return Err(LakeError::data("order rows")("rows came or went in a compaction"));
        }
        let Some(first) = ordered.first() else { return Ok(Vec::new()) };
        let all = arrow::compute::concat_batches(first.schema_ref(), &ordered)
            .map_err(LakeError::data("join rows"))?;
        let step = plan.file_rows_max.max(1);
        let starts = (0..all.num_rows()).step_by(step);
        Ok(starts
            .map(|start| {
                let rows = all.slice(start, step.min(all.num_rows() - start));
                (plan.partition.clone(), rows)
            })
            .collect())
    }

    fn swap(
        &self,
        plan: &CompactPlan,
        inputs: &[FileInfo],
        staged: &Staged,
        info: &BTreeMap<String, String>,
        now_ms: i64,
    ) -> Result<CompactOutcome> {
        let paths: HashSet<&str> = inputs.iter().map(|file| file.path.as_str()).collect();
        let end = self.drive(staged, true, now_ms, &mut |view| {
            let mut standing = 0;
            let removes = self.shared().kernel.scan(&view.held, &mut |file| {
                let chosen = paths.contains(file.path.as_str());
                standing += usize::from(chosen);
                chosen
            })?;
            if standing < paths.len() {
                let gone = CompactOutcome::GaveUp;
                return Ok(if view.fresh { Step::Done(gone) } else { Step::Refresh });
            }
            Ok(Step::Try(Write {
                adds: &staged.files,
                removes,
                transactions: Vec::new(),
                info,
                data_change: plan.data_change,
            }))
        })?;
        let (removed, added) = (inputs.len(), staged.files.len());
        Ok(match end {
            End::Done(outcome) => outcome,
            End::Committed(version) => {
                CompactOutcome::Done { version: Some(version), removed, added }
            }
            End::Found => CompactOutcome::Done { version: None, removed, added },
            End::Expired => CompactOutcome::GaveUp,
        })
    }
}

/// The smallest files first, so that one compaction does away with the most.
fn choose(plan: &CompactPlan, snapshot: &Snapshot) -> Result<Vec<FileInfo>> {
    let mut files = snapshot.files(&FileFilter::all().partition(&plan.partition))?;
    files.retain(|file| file.size < plan.small_bytes);
    files.sort_by(|a, b| (a.size, &a.path).cmp(&(b.size, &b.path)));
    let mut bytes = 0;
    let fitting = files.iter().take_while(|file| {
        bytes += file.size;
        bytes <= plan.input_bytes_max
    });
    let fitting = fitting.count();
    files.truncate(fitting);
    Ok(files)
}

/// The table's columns that any of the batches has, in the table's order.
fn union(table: &Schema, batches: &[RecordBatch]) -> SchemaRef {
    let has =
        |field: &Field| batches.iter().any(|batch| batch.column_by_name(field.name()).is_some());
    let fields: Vec<Field> = table
        .fields()
        .iter()
        .filter(|field| has(field))
        .map(|field| field.as_ref().clone())
        .collect();
    Arc::new(Schema::new(fields))
}
