//! The conversation fold: rows of `events` to rows of `conversations`.
//!
//! ```text
//! batches in any order ─collect─▶ Collected ─deal─┐
//! batches by sender ───────push───────────────────┴▶ Rows of one sender ─sort─▶ by time
//!                                                                                │
//!   day D:   resolve ─▶ entries by (peer, time)  ◀───────────────────────────────┤
//!            segment ─▶ pieces that start on D                                   │
//!            measure ─▶ Counters, histograms, samples ─output─▶ RecordBatch      │
//!   day D+1 …        ◀───────────────────────────────────────────────────────────┘
//! ```
//!
//! Senders are folded one after the other in the order of their names. Rows that come ordered by
//! sender are only held until their sender is done; others are held until all have come.
//!
//! What must stay true: the conversations that start on a day are a function of the rows of
//! [`turnwise_model::time::range_of_day`] alone, whatever else was pushed and in whatever order or
//! batches. So links, repeats and statuses are resolved anew for each day from that day's rows.

mod collect;
mod input;
mod measure;
mod needed;
mod output;
mod resolve;
mod rows;
mod segment;
#[cfg(test)]
mod tests;

use std::mem;
use std::ops::{Range, RangeInclusive};

use arrow_array::RecordBatch;
use turnwise_model::Millis;
use turnwise_model::conversation::schema;
use turnwise_model::time::{Day, range_of_day};

use super::BATCH_ROWS;
use collect::{BySender, Collected};
pub use input::Input;
use measure::Measurer;
pub use needed::needed;
use output::Output;
use resolve::{Class, Resolver};
use rows::{Names, Ordered, Row, Rows};

/// Rows of many senders in any order, before the first sender is folded.
#[derive(Debug)]
pub struct Collector {
    days: RangeInclusive<Day>,
    range: Range<Millis>,
    collected: Collected,
    sources: Names,
    output: Output,
}

impl Collector {
    /// None yet; for the conversations that start on these days, all columns of them.
    #[must_use]
    pub fn new(days: RangeInclusive<Day>) -> Self {
        let range = range_of_day(*days.start()).0..range_of_day(*days.end()).1;
        let columns: Vec<usize> = (0..schema().fields().len()).collect();
        Self {
            days,
            range,
            collected: Collected::default(),
            sources: Names::default(),
            output: Output::new(&columns),
        }
    }

    /// Tells only these columns of [`schema`], in this order. Columns of rows that [`needed`] does
    /// not name for them may be absent.
    ///
    /// # Panics
    /// A column that is none of the schema.
    #[must_use]
    pub fn columns(mut self, columns: &[usize]) -> Self {
        self.output = Output::new(columns);
        self
    }

    /// Leaves out rows later than this, as if they had not arrived yet.
    #[must_use]
    pub fn until(mut self, last: Millis) -> Self {
        self.range.end = self.range.end.min(Millis(last.0.saturating_add(1)));
        self
    }

    /// Adds rows. Those without a sender or a time are in no conversation; those out of the days'
    /// range decide nothing and are not kept.
    pub fn collect(&mut self, input: &Input) {
        self.collected.push(input, &self.range, &mut self.sources);
    }

    /// Bytes held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.collected.size() + self.sources.size()
    }

    /// Bytes held once the rows are grouped by sender, too.
    #[must_use]
    pub fn size_by_sender(&self) -> usize {
        self.size() + self.collected.len() * size_of::<u32>()
    }

    /// All rows were collected that come in no order.
    #[must_use]
    pub fn into_folder(self) -> Folder {
        let (mut rows, waiting) = self.collected.by_sender();
        let collected = rows.next_piece();
        Folder {
            days: self.days,
            range: self.range,
            rows,
            collected,
            waiting,
            pushed: Vec::new(),
            sources: self.sources,
            ranks: Vec::new(),
            ordered: Ordered::default(),
            resolver: Resolver::default(),
            measurer: Measurer::default(),
            output: self.output,
        }
    }
}

/// Folds the rows of senders into conversations: one sender after the other, in the order of
/// their names.
#[derive(Debug)]
pub struct Folder {
    days: RangeInclusive<Day>,
    range: Range<Millis>,
    /// Collected rows, and in later pieces those of the sender that is folded next.
    rows: Rows,
    /// Pieces of collected rows.
    collected: usize,
    waiting: BySender,
    /// Numbers of the rows of the sender that is folded next, but for collected ones.
    pushed: Vec<u32>,
    sources: Names,
    /// The place of each source's name among all.
    ranks: Vec<u32>,
    ordered: Ordered,
    resolver: Resolver,
    measurer: Measurer,
    output: Output,
}

impl Folder {
    /// The sender whose collected rows come next.
    #[must_use]
    pub fn next_collected(&self) -> Option<&str> {
        self.waiting.next()
    }

    /// Adds some rows of the sender that is folded next.
    pub fn push(&mut self, input: &Input, rows: Range<usize>) {
        let added = &mut |number| self.pushed.push(number);
        input.read(rows, &self.range, &mut self.sources, &mut self.rows, added);
    }

    /// Rows that a sender's fold will look at, as far as they have come.
    #[must_use]
    pub fn rows_of(&self, sender: &str) -> usize {
        self.collected_of(sender).len() + self.pushed.len()
    }

    fn collected_of(&self, sender: &str) -> &[u32] {
        if self.waiting.next() == Some(sender) { self.waiting.next_rows() } else { &[] }
    }

    /// Bytes held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size_of_rows() + self.ordered.size() + self.resolver.size()
    }

    /// Bytes held but for what the next sender's fold uses again: rows, the measures of a
    /// conversation, and conversations that wait.
    fn size_of_rows(&self) -> usize {
        self.rows.size()
            + self.waiting.size()
            + self.pushed.capacity() * size_of::<u32>()
            + self.sources.size()
            + self.measurer.size()
            + self.output.size()
    }

    /// Bytes held at most while a sender is folded: what was pushed and collected, what puts its
    /// rows in order, and what resolves them. What the fold adds to the measures of a conversation,
    /// 48 bytes a message of the longest one at most, and to the conversations that wait, a batch
    /// at most, is in [`Self::size`] only then.
    #[must_use]
    pub fn size_to_fold(&self, sender: &str) -> usize {
        let rows = self.rows_of(sender);
        self.size_of_rows()
            + self.ordered.size().max(rows * Ordered::ROW_BYTES)
            + self.resolver.size().max(rows * Resolver::ROW_BYTES)
    }

    /// Folds a sender, of whose rows all were pushed or collected. Its conversations, ordered by
    /// day, peer and start, come out as batches of the columns asked for as these get full.
    /// Senders have to come in the order of their names, those that were collected too.
    ///
    /// # Errors
    /// Whatever `emit` returns: it may stop the fold.
    pub fn fold<E>(
        &mut self,
        sender: &str,
        emit: &mut dyn FnMut(RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.ranks.len() != self.sources.names.len() {
            self.ranks = self.sources.ranks();
        }
        let ranks = &self.ranks;
        let mut ordered = mem::take(&mut self.ordered);
        let numbers = self.collected_of(sender).iter().chain(&self.pushed).copied();
        ordered.sort(&self.rows, self.rows_of(sender), numbers, ranks);
        self.resolver.sender(ordered.all(&self.rows));
        for day in days(&self.days, ordered.times()).map(Day) {
            if !ordered.has_any(day.start(), day.end()) {
                continue;
            }
            let (from, to) = range_of_day(day);
            let in_range = ordered.window(&self.rows, from, to, ranks);
            self.resolver.resolve(in_range);
            let (resolver, measurer) = (&self.resolver, &mut self.measurer);
            let mut to = Batches { output: &mut self.output, emit: &mut *emit };
            fold_day(&self.rows, in_range, resolver, measurer, sender, day, &mut to)?;
        }
        if self.waiting.next() == Some(sender) {
            self.waiting.advance();
        }
        self.ordered = ordered;
        self.pushed.clear();
        self.rows.truncate(self.collected);
        self.rows.next_piece();
        Ok(())
    }

    /// Folds all senders that were collected, and gives out the last batch.
    ///
    /// # Errors
    /// Whatever `emit` returns.
    pub fn finish<E>(
        mut self,
        emit: &mut dyn FnMut(RecordBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(sender) = self.next_collected().map(str::to_owned) {
            self.fold(&sender, emit)?;
        }
        if self.output.len() > 0 { emit(self.output.finish()) } else { Ok(()) }
    }
}

/// The days of these on which rows may lie, of which the first and the last have these times: on
/// others no conversation starts.
fn days(all: &RangeInclusive<Day>, times: Option<(i64, i64)>) -> Range<i32> {
    let Some((first, last)) = times else { return 0..0 };
    Millis(first).day().0.max(all.start().0)..Millis(last).day().0.min(all.end().0) + 1
}

/// Conversations, which are given out as soon as they fill a batch.
struct Batches<'a, E> {
    output: &'a mut Output,
    emit: &'a mut dyn FnMut(RecordBatch) -> Result<(), E>,
}

impl<E> Batches<'_, E> {
    fn give_full(&mut self) -> Result<(), E> {
        if self.output.len() >= BATCH_ROWS { (self.emit)(self.output.finish()) } else { Ok(()) }
    }
}

/// Folds what starts on a day. A batch is looked at after each peer, who has 48 conversations a day
/// at most, so it has hardly more than its rows.
fn fold_day<E>(
    rows: &Rows,
    in_range: &[Row],
    resolver: &Resolver,
    measurer: &mut Measurer,
    sender: &str,
    day: Day,
    to: &mut Batches<'_, E>,
) -> Result<(), E> {
    for of_peer in resolver.entries.chunk_by(|a, b| a.peer == b.peer) {
        let mut first_with_user = true;
        segment::pieces(of_peer, day, &mut |piece| {
            measurer.conversation(rows, in_range, resolver, of_peer, &of_peer[piece]);
            if measurer.counters.with_user == 1 && mem::take(&mut first_with_user) {
                measurer.counters.peer_day_first = 1;
            }
            to.output.conversation(sender, measurer);
        });
        to.give_full()?;
    }
    for failed in resolver.failed.iter().filter(|entry| entry.time_ms >= day.start().0) {
        if failed.time_ms < day.end().0 {
            to.output.failed_send(sender, failed, resolver.facts(failed).is_some());
            to.give_full()?;
        }
    }
    for of_peer in resolver.standby.chunk_by(|a, b| a.peer == b.peer) {
        segment::pieces(of_peer, day, &mut |piece| {
            to.output.standby_run(sender, &of_peer[piece]);
        });
        to.give_full()?;
    }
    Ok(())
}

/// Whether the class is a free-form message of the API.
const fn is_free(class: Class) -> bool {
    matches!(class, Class::Free)
}
