//! The conversation fold: rows of `events` to rows of `conversations`.
//!
//! ```text
//! batches ─push─▶ Rows ─sort─▶ by sender, time ─┬─ day D:  resolve ─▶ entries by (peer, time)
//!                                               │          segment ─▶ pieces that start on D
//!                                               │          measure ─▶ Counters, histograms, samples
//!                                               └─ day D+1 …                    │
//!                                                                     output ─▶ RecordBatch
//! ```
//!
//! What must stay true: the conversations that start on a day are a function of the rows of
//! [`turnwise_model::time::range_of_day`] alone, whatever else was pushed and in whatever order or
//! batches. So links, repeats and statuses are resolved anew for each day from that day's rows.

mod measure;
mod output;
mod resolve;
mod rows;
mod segment;
#[cfg(test)]
mod tests;

use std::ops::{Range, RangeInclusive};

use arrow_array::RecordBatch;
use turnwise_model::time::{Day, range_of_day};
use turnwise_model::{EventKind, Millis};

use super::BATCH_ROWS;
use measure::Measurer;
use output::Output;
use resolve::Class;
use resolve::Resolver;
use rows::{Row, Rows};

/// Collects the rows of some senders, then folds them into conversations.
#[derive(Debug)]
pub struct Folder {
    rows: Rows,
    days: RangeInclusive<Day>,
    range: Range<Millis>,
}

impl Folder {
    /// An empty folder of the conversations that start on these days.
    #[must_use]
    pub fn new(days: RangeInclusive<Day>) -> Self {
        let range = range_of_day(*days.start()).0..range_of_day(*days.end()).1;
        Self { rows: Rows::default(), days, range }
    }

    /// Leaves out rows later than this, as if they had not arrived yet.
    #[must_use]
    pub fn until(mut self, last: Millis) -> Self {
        self.range.end = self.range.end.min(Millis(last.0.saturating_add(1)));
        self
    }

    /// Adds rows of one kind. Only messages, statuses and account rows matter; rows without a
    /// sender or a time are in no conversation; those out of the days' range decide nothing and
    /// are not kept. Columns are found by name; absent ones are null.
    pub fn push(&mut self, kind: EventKind, batch: &RecordBatch) {
        if matches!(kind, EventKind::Message | EventKind::Status | EventKind::Account) {
            self.rows.push(kind, batch, &self.range);
        }
    }

    /// Rows held.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.rows.len()
    }

    /// Bytes held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.rows.size()
    }

    /// Emits the conversations that start on the days, ordered by sender, day, peer and start, in batches of [`turnwise_model::conversation::schema`]. `emit` may stop the fold by an error.
    ///
    /// # Errors
    /// Whatever `emit` returns.
    pub fn fold<E>(mut self, emit: &mut dyn FnMut(RecordBatch) -> Result<(), E>) -> Result<(), E> {
        self.rows.sort();
        let mut output = Output::default();
        let mut resolver = Resolver::default();
        let mut measurer = Measurer::default();
        let rows = &self.rows;
        for of_sender in rows.rows.chunk_by(|a, b| a.sender == b.sender) {
            let sender = rows.senders[of_sender[0].sender as usize].as_str();
            for day in self.days.start().0..=self.days.end().0 {
                let day = Day(day);
                let in_range = range(of_sender, day);
                if in_range.is_empty() {
                    continue;
                }
                resolver.resolve(rows, in_range);
                fold_day(rows, in_range, &resolver, &mut measurer, sender, day, &mut output);
                if output.len() >= BATCH_ROWS {
                    emit(output.finish())?;
                }
            }
        }
        if output.len() > 0 {
            emit(output.finish())?;
        }
        Ok(())
    }
}

/// The rows, ordered by time, that decide a day.
fn range(rows: &[Row], day: Day) -> &[Row] {
    let (from, to) = range_of_day(day);
    let start = rows.partition_point(|row| row.time_ms < from.0);
    let end = rows.partition_point(|row| row.time_ms < to.0);
    &rows[start..end]
}

fn fold_day(
    rows: &Rows,
    in_range: &[Row],
    resolver: &Resolver,
    measurer: &mut Measurer,
    sender: &str,
    day: Day,
    output: &mut Output,
) {
    for of_peer in resolver.entries.chunk_by(|a, b| a.peer == b.peer) {
        let mut first_with_user = true;
        segment::pieces(of_peer, day, &mut |piece| {
            measurer.conversation(rows, in_range, resolver, of_peer, &of_peer[piece]);
            if measurer.counters.with_user == 1 && std::mem::take(&mut first_with_user) {
                measurer.counters.peer_day_first = 1;
            }
            output.conversation(sender, measurer);
        });
    }
    for failed in resolver.failed.iter().filter(|entry| entry.time_ms >= day.start().0) {
        if failed.time_ms < day.end().0 {
            output.failed_send(sender, failed, resolver.facts(failed).is_some());
        }
    }
    for of_peer in resolver.standby.chunk_by(|a, b| a.peer == b.peer) {
        segment::pieces(of_peer, day, &mut |piece| output.standby_run(sender, &of_peer[piece]));
    }
}

/// Whether the class is a free-form message of the API.
const fn is_free(class: Class) -> bool {
    matches!(class, Class::Free)
}
