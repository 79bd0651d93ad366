//! Rows of `conversations` as columns: those that are asked for.

use std::mem;
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, SchemaRef};
use turnwise_model::Millis;
use turnwise_model::conversation::{Counters, RunKind, schema};

use super::measure::Measurer;
use super::resolve::Entry;

/// Columns before the counters.
const PLAIN: usize = 6;
/// Of the lists the first so many are of values and how often each occurs.
const COUNTED: usize = 4;

/// Column builders of one output batch.
#[derive(Debug)]
pub(super) struct Output {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    /// Of their values.
    bytes: usize,
}

#[derive(Debug)]
enum Column {
    Sender(StringBuilder),
    Peer(Vec<i64>),
    RunKind(StringBuilder),
    Start(Vec<i64>),
    End(Vec<i64>),
    StartDay(Vec<i32>),
    /// By its place among [`Counters::NAMES`].
    Counter(usize, Vec<i64>),
    /// A histogram, counts or a sample, by its place behind the counters.
    List(usize, ListBuilder<Int64Builder>),
}

/// What the columns of a row are.
struct Told<'a> {
    sender: &'a str,
    kind: RunKind,
    peer: i64,
    start_ms: i64,
    end_ms: i64,
    counters: [i64; Counters::NAMES.len()],
    /// None of marked rows, whose lists are empty.
    measured: Option<&'a mut Measurer>,
}

impl Output {
    /// Of these columns of [`schema`], in this order.
    ///
    /// # Panics
    /// A column that is none of the schema.
    pub fn new(columns: &[usize]) -> Self {
        let schema = schema().project(columns).expect("columns of the schema");
        let columns = columns.iter().copied().map(Column::new).collect();
        Self { schema: Arc::new(schema), columns, rows: 0, bytes: 0 }
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Bytes held at most: lists that have grown have room for twice their values.
    pub fn size(&self) -> usize {
        2 * self.bytes
    }

    /// Adds the conversation that was measured last.
    pub fn conversation(&mut self, sender: &str, measured: &mut Measurer) {
        self.add(Told {
            sender,
            kind: RunKind::Conversation,
            peer: measured.peer,
            start_ms: measured.start_ms,
            end_ms: measured.end_ms,
            counters: measured.counters.values(),
            measured: Some(measured),
        });
    }

    /// Adds the marked row of a send that failed.
    pub fn failed_send(&mut self, sender: &str, failed: &Entry, has_status: bool) {
        let counters = Counters {
            messages: 1,
            sends_recorded: 1,
            sends_with_status: i64::from(has_status),
            ..Counters::default()
        };
        self.add(Told {
            sender,
            kind: RunKind::FailedSend,
            peer: failed.peer,
            start_ms: failed.time_ms,
            end_ms: failed.time_ms,
            counters: counters.values(),
            measured: None,
        });
    }

    /// Adds the marked row of a run on standby.
    pub fn standby_run(&mut self, sender: &str, run: &[Entry]) {
        let counters = Counters {
            messages: i64::try_from(run.len()).unwrap_or(i64::MAX),
            ..Counters::default()
        };
        self.add(Told {
            sender,
            kind: RunKind::StandbyRun,
            peer: run[0].peer,
            start_ms: run[0].time_ms,
            end_ms: run[run.len() - 1].time_ms,
            counters: counters.values(),
            measured: None,
        });
    }

    /// The batch; the builders are empty again.
    pub fn finish(&mut self) -> RecordBatch {
        self.bytes = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        let rows = RecordBatchOptions::new().with_row_count(Some(mem::take(&mut self.rows)));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows)
            .expect("the columns above are the schema's")
    }

    fn add(&mut self, mut told: Told) {
        self.rows += 1;
        for column in &mut self.columns {
            self.bytes += column.add(&mut told);
        }
    }
}

impl Column {
    /// By its place in [`schema`].
    fn new(at: usize) -> Self {
        let lists = PLAIN + Counters::NAMES.len();
        match at {
            0 => Self::Sender(StringBuilder::new()),
            1 => Self::Peer(Vec::new()),
            2 => Self::RunKind(StringBuilder::new()),
            3 => Self::Start(Vec::new()),
            4 => Self::End(Vec::new()),
            5 => Self::StartDay(Vec::new()),
            counter if counter < lists => Self::Counter(counter - PLAIN, Vec::new()),
            list => {
                let element = Arc::new(Field::new("element", DataType::Int64, false));
                let values = ListBuilder::new(Int64Builder::new()).with_field(element);
                Self::List(list - lists, values)
            }
        }
    }

    /// Adds a row. Returns how many bytes its value has, with its place where it is a text or list.
    fn add(&mut self, told: &mut Told) -> usize {
        match self {
            Self::Sender(senders) => return add_text(told.sender, senders),
            Self::Peer(peers) => peers.push(told.peer),
            Self::RunKind(kinds) => return add_text(told.kind.name(), kinds),
            Self::Start(starts) => starts.push(Millis(told.start_ms).micros()),
            Self::End(ends) => ends.push(Millis(told.end_ms).micros()),
            Self::StartDay(days) => days.push(Millis(told.start_ms).day().0),
            Self::Counter(at, counts) => counts.push(told.counters[*at]),
            Self::List(at, lists) => {
                let before = lists.values().len();
                if let Some(measured) = &mut told.measured {
                    add_list(*at, measured, lists.values());
                }
                let added = lists.values().len() - before;
                lists.append(true);
                return size_of::<i32>() + added * size_of::<i64>();
            }
        }
        size_of::<i64>()
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Sender(texts) | Self::RunKind(texts) => Arc::new(texts.finish()),
            Self::Peer(numbers) | Self::Counter(_, numbers) => {
                Arc::new(Int64Array::from(mem::take(numbers)))
            }
            Self::Start(times) | Self::End(times) => {
                let times = TimestampMicrosecondArray::from(mem::take(times));
                Arc::new(times.with_timezone("UTC"))
            }
            Self::StartDay(days) => Arc::new(Date32Array::from(mem::take(days))),
            Self::List(_, lists) => Arc::new(lists.finish()),
        }
    }
}

fn add_text(text: &str, to: &mut StringBuilder) -> usize {
    to.append_value(text);
    size_of::<i32>() + text.len()
}

/// Adds what a conversation has of a list.
fn add_list(at: usize, measured: &mut Measurer, to: &mut Int64Builder) {
    let values = match at {
        0 => &mut measured.latencies,
        1 => &mut measured.reply_chars,
        2 => &mut measured.hours,
        3 => &mut measured.scripts,
        4 => &mut measured.reply_latencies,
        5 => &mut measured.user_tokens,
        6 => &mut measured.reply_tokens,
        7 => &mut measured.user_texts,
        8 => &mut measured.reply_texts,
        _ => &mut measured.first_text,
    };
    if at >= COUNTED {
        to.append_slice(values);
        return;
    }
    values.sort_unstable();
    for equal in values.chunk_by(|a, b| a == b) {
        to.append_value(equal[0]);
        to.append_value(i64::try_from(equal.len()).unwrap_or(i64::MAX));
    }
}
