//! An input whose rows come in the order of their senders.

use std::mem;

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use futures::stream::Fuse;
use turnwise_kernels::fold::{Folder, Input};
use turnwise_model::EventKind;
use turnwise_model::schema::column;

use super::share::Share;

/// A stream of rows of one kind, at a row that has a sender of the share, or at its end.
pub(super) struct BySender {
    kind: EventKind,
    share: Share,
    stream: Fuse<SendableRecordBatchStream>,
    batch: Option<Batch>,
    row: usize,
}

struct Batch {
    input: Input,
    /// Rows whose senders are of the share; none where all are.
    in_share: Option<BooleanBuffer>,
}

impl BySender {
    pub fn new(kind: EventKind, share: Share, stream: SendableRecordBatchStream) -> Self {
        Self { kind, share, stream: stream.fuse(), batch: None, row: 0 }
    }

    /// Goes to the next row that has a sender of the share, if it is not at one.
    pub async fn next_sender(&mut self) -> Result<()> {
        loop {
            if let Some(batch) = &self.batch {
                while self.row < batch.input.len() && !batch.counts(self.row) {
                    self.row += 1;
                }
                if self.row < batch.input.len() {
                    return Ok(());
                }
            }
            self.row = 0;
            let Some(rows) = self.stream.next().await else {
                self.batch = None;
                return Ok(());
            };
            self.batch = self.read(&rows?)?;
        }
    }

    fn read(&self, rows: &RecordBatch) -> Result<Option<Batch>> {
        let Some(input) = Input::new(self.kind, rows) else { return Ok(None) };
        let in_share =
            if self.share.is_all() { None } else { Some(self.share.holds(&rows[column::SENDER])?) };
        Ok(Some(Batch { input, in_share }))
    }

    /// The sender of the row it is at; `None` at the end.
    pub fn sender(&self) -> Option<&str> {
        self.batch.as_ref()?.input.sender(self.row)
    }

    /// Pushes the rows of that sender, as far as they are here. Returns how many.
    pub fn push(&mut self, folder: &mut Folder) -> usize {
        let Some(Batch { input, .. }) = &self.batch else { return 0 };
        let end = input.run_end(self.row);
        folder.push(input, self.row..end);
        end - mem::replace(&mut self.row, end)
    }
}

impl Batch {
    fn counts(&self, row: usize) -> bool {
        self.input.sender(row).is_some()
            && self.in_share.as_ref().is_none_or(|in_share| in_share.value(row))
    }
}
