//! Rewrites files of one partition as one file.
//!
//! ```text
//!  files in no order ─ all in memory ─▶ ordered ─┐
//!  files in order ─────── a batch of each ───────┴▶ merged ─▶ one file in order
//! ```
//!
//! What was staged stays good while its inputs stand: a writer in between costs another
//! commit, not another rewrite, nor another look at all files: the inputs are found among
//! them once, then only what the commits in between did is looked at. Where one of them
//! removed an input or added it anew, another compaction or a replacement was faster and the
//! staged file is left to vacuum.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{RecordBatch, RecordBatchReader as _, new_null_array};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::error::{Cause, LakeError, Result};
use crate::file::{FileInfo, Partition};
use crate::kernel::{Removes, Write};
use crate::layout::POSITION;
use crate::merge::{Batches, Merge};
use crate::read::{in_columns, open_files};
use crate::stage::Staged;
use crate::table::{End, Step, Table, View};

/// Rows of each input in order that are in memory.
const BATCH_ROWS: usize = 8 * 1024;

/// What to compact.
#[derive(Clone, Debug)]
pub struct CompactPlan {
    /// The files that become one, all of one partition. Those whose names say that they are in the
    /// order are read side by side, the others are all in memory.
    pub inputs: Vec<FileInfo>,
    /// The columns in whose ascending order rows are put, absent values first; none if in no order.
    pub sorted_by: &'static [&'static str],
    /// Columns whose values are dropped on the way, which changes the table's data; plain
    /// compaction changes none.
    pub clears: &'static [&'static str],
}

/// How a compaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompactOutcome {
    /// There was nothing to do.
    Nothing,
    /// The inputs are now one file.
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

/// Puts the rows of inputs that are in no order in order; changes none.
pub type Reorder<'a> = dyn FnMut(Vec<RecordBatch>) -> Result<Vec<RecordBatch>, Cause> + 'a;

impl Table {
    /// Makes one file of the inputs.
    ///
    /// # Errors
    /// As [`Table::commit`]; [`LakeError::Data`] where the inputs are not of one partition, or
    /// `reorder` failed or changed the number of rows.
    pub fn compact(
        &self,
        plan: &CompactPlan,
        reorder: &mut Reorder<'_>,
        info: &BTreeMap<String, String>,
        now_ms: i64,
    ) -> Result<CompactOutcome> {
        let Some(first) = plan.inputs.first() else { return Ok(CompactOutcome::Nothing) };
        let partition = first.partition(&self.schema());
        let is_of_it = |file: &FileInfo| file.partition_values == first.partition_values;
        let Some(partition) = partition.filter(|_| plan.inputs.iter().all(is_of_it)) else {
            return Err(LakeError::data("compact")("the files are not of one known partition"));
        };
        let started = Instant::now();
        let staged = self.rewrite(&partition, plan, reorder, now_ms)?;
        let took = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.swap(plan, &staged, info, now_ms.saturating_add(took))
    }

    fn rewrite(
        &self,
        partition: &Partition,
        plan: &CompactPlan,
        reorder: &mut Reorder<'_>,
        now_ms: i64,
    ) -> Result<Staged> {
        let is_in_order = |file: &&FileInfo| {
            plan.sorted_by.first().is_some_and(|first| file.sorted_by() == Some(*first))
        };
        let (ordered, others): (Vec<&FileInfo>, Vec<&FileInfo>) =
            plan.inputs.iter().partition(is_in_order);
        let open = |files: Vec<&FileInfo>| {
            let files: Vec<FileInfo> = files.into_iter().cloned().collect();
            open_files(self.shared(), &files, BATCH_ROWS)
        };
        let (ordered, others) = (open(ordered)?, open(others)?);
        let schema = self.columns_of(ordered.iter().chain(&others), plan.clears);
        let rows_read = Cell::new(0);
        let arranged = |batch: Result<RecordBatch, arrow_schema::ArrowError>| {
            let batch = batch.map_err(LakeError::data("read data file"))?;
            rows_read.set(rows_read.get() + batch.num_rows());
            cleared(&in_columns(&batch, &schema)?, plan.clears)
        };
        let mut inputs: Vec<Batches<'_>> = Vec::new();
        for file in ordered {
            inputs.push(Box::new(file.map(arranged)));
        }
        if !others.is_empty() {
            let read = others.into_iter().flatten().map(arranged).collect::<Result<_>>()?;
            let batches = reorder(read).map_err(LakeError::data("order rows"))?;
            inputs.push(Box::new(batches.into_iter().flat_map(in_pieces).map(Ok)));
        }
        let room: u64 = plan.inputs.iter().map(|file| file.size).sum();
        let batches: Batches<'_> = match <[_; 1]>::try_from(inputs) {
            Ok([only]) => only,
            Err(inputs) => {
                let by: Vec<&str> = plan.sorted_by.iter().chain(&POSITION).copied().collect();
                Box::new(Merge::new(&schema, &by, inputs)?)
            }
        };
        let room = usize::try_from(room).unwrap_or_default();
        let columns = (&schema, plan.sorted_by);
        let staged = self.stage_in_order(partition, columns, batches, room, now_ms)?;
        if u64::try_from(rows_read.get()).ok() != Some(staged.rows()) {
            return Err(LakeError::data("order rows")("rows came or went in a compaction"));
        }
        Ok(staged)
    }

    /// The table's columns that any of the files has or that are to be cleared, in the table's
    /// order. A cleared column is written though it is empty: statistics then say that it is.
    fn columns_of<'a>(
        &self,
        files: impl Iterator<Item = &'a ParquetRecordBatchReader> + Clone,
        clears: &[&str],
    ) -> SchemaRef {
        let has = |field: &Field| {
            let name = field.name().as_str();
            clears.contains(&name)
                || files.clone().any(|file| file.schema().field_with_name(name).is_ok())
        };
        let table = self.schema();
        let fields = table.fields().iter().filter(|field| has(field));
        Arc::new(Schema::new(fields.map(|field| field.as_ref().clone()).collect::<Vec<_>>()))
    }

    fn swap(
        &self,
        plan: &CompactPlan,
        staged: &Staged,
        info: &BTreeMap<String, String>,
        now_ms: i64,
    ) -> Result<CompactOutcome> {
        let paths: HashSet<&str> = plan.inputs.iter().map(|file| file.path.as_str()).collect();
        // The inputs' removal, where all of them stood in the view before.
        let mut found: Option<Removes> = None;
        let end = self.drive(staged, true, now_ms, &mut |view| {
            let removes = match (found.take(), &view.touched) {
                (Some(removes), Some(touched)) => {
                    let stand = !paths.iter().any(|path| touched.contains(*path));
                    stand.then_some(removes)
                }
                _ => self.removes(&paths, view)?,
            };
            let Some(removes) = removes else {
                let gone = CompactOutcome::GaveUp;
                return Ok(if view.fresh { Step::Done(gone) } else { Step::Refresh });
            };
            found = Some(removes.clone());
            Ok(Step::Try(Write {
                adds: &staged.files,
                removes,
                transactions: Vec::new(),
                info,
                data_change: !plan.clears.is_empty(),
            }))
        })?;
        let (removed, added) = (paths.len(), staged.files.len());
        Ok(match end {
            End::Done(outcome) => outcome,
            End::Committed(version) => {
                CompactOutcome::Done { version: Some(version), removed, added }
            }
            End::Found => CompactOutcome::Done { version: None, removed, added },
            End::Expired => CompactOutcome::GaveUp,
        })
    }

    /// The removal of files, found among all of a view; `None` where one is not among them.
    fn removes(&self, paths: &HashSet<&str>, view: &View) -> Result<Option<Removes>> {
        let mut standing = 0;
        let removes = self.shared().kernel.scan(&view.held, &mut |file| {
            let chosen = paths.contains(file.path.as_str());
            standing += usize::from(chosen);
            chosen
        })?;
        Ok((standing == paths.len()).then_some(removes))
    }
}

/// The rows with no values in some columns.
fn cleared(batch: &RecordBatch, columns: &[&str]) -> Result<RecordBatch> {
    let schema = batch.schema();
    let arrays = schema.fields().iter().zip(batch.columns()).map(|(field, values)| {
        if columns.contains(&field.name().as_str()) {
            new_null_array(field.data_type(), batch.num_rows())
        } else {
            Arc::clone(values)
        }
    });
    let arrays = arrays.collect();
    RecordBatch::try_new(schema, arrays).map_err(LakeError::data("drop values"))
}

/// A large batch as those that a merge compares the keys of at a time.
fn in_pieces(batch: RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(BATCH_ROWS);
    starts.map(move |start| batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start)))
}
