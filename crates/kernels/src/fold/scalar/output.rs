//! Rows of `conversations` as columns.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field};
use turnwise_model::Millis;
use turnwise_model::conversation::{Counters, RunKind, schema};

use super::measure::Measurer;
use super::resolve::Entry;

/// Columns of histograms, counts and samples.
const LISTS: usize = 10;

/// Column builders of one output batch.
#[derive(Debug)]
pub(super) struct Output {
    sender: StringBuilder,
    peer: Vec<i64>,
    run_kind: StringBuilder,
    start: Vec<i64>,
    end: Vec<i64>,
    counters: Vec<Vec<i64>>,
    lists: [ListBuilder<Int64Builder>; LISTS],
}

impl Default for Output {
    fn default() -> Self {
        let element = Arc::new(Field::new("element", DataType::Int64, false));
        Self {
            sender: StringBuilder::new(),
            peer: Vec::new(),
            run_kind: StringBuilder::new(),
            start: Vec::new(),
            end: Vec::new(),
            counters: vec![Vec::new(); Counters::NAMES.len()],
            lists: std::array::from_fn(|_| {
                ListBuilder::new(Int64Builder::new()).with_field(Arc::clone(&element))
            }),
        }
    }
}

impl Output {
    /// Rows held.
    pub fn len(&self) -> usize {
        self.peer.len()
    }

    /// Adds the conversation that was measured last.
    pub fn conversation(&mut self, sender: &str, measured: &mut Measurer) {
        let Measurer { peer, start_ms, end_ms, counters, .. } = *measured;
        self.row(sender, RunKind::Conversation, peer, (start_ms, end_ms), &counters);
        let counted = [
            &mut measured.latencies,
            &mut measured.reply_chars,
            &mut measured.hours,
            &mut measured.scripts,
        ];
        for (list, values) in self.lists.iter_mut().zip(counted) {
            values.sort_unstable();
            for equal in values.chunk_by(|a, b| a == b) {
                list.values().append_value(equal[0]);
                list.values().append_value(i64::try_from(equal.len()).unwrap_or(i64::MAX));
            }
            list.append(true);
        }
        let as_is = [
            &measured.reply_latencies,
            &measured.user_tokens,
            &measured.reply_tokens,
            &measured.user_texts,
            &measured.reply_texts,
            &measured.first_text,
        ];
        for (list, values) in self.lists[4..].iter_mut().zip(as_is) {
            list.values().append_slice(values);
            list.append(true);
        }
    }

    /// Adds the marked row of a send that failed.
    pub fn failed_send(&mut self, sender: &str, failed: &Entry, has_status: bool) {
        let counters = Counters {
            messages: 1,
            sends_recorded: 1,
            sends_with_status: i64::from(has_status),
            ..Counters::default()
        };
        let times = (failed.time_ms, failed.time_ms);
        self.row(sender, RunKind::FailedSend, failed.peer, times, &counters);
        self.empty_lists();
    }

    /// Adds the marked row of a run on standby.
    pub fn standby_run(&mut self, sender: &str, run: &[Entry]) {
        let counters = Counters {
            messages: i64::try_from(run.len()).unwrap_or(i64::MAX),
            ..Counters::default()
        };
        let times = (run[0].time_ms, run[run.len() - 1].time_ms);
        self.row(sender, RunKind::StandbyRun, run[0].peer, times, &counters);
        self.empty_lists();
    }

    /// The batch, in the columns of [`schema`]; the builders are empty again.
    pub fn finish(&mut self) -> RecordBatch {
        let start = std::mem::take(&mut self.start);
        let days = start.iter().map(|ms| Millis(*ms).day().0).collect::<Vec<_>>();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.sender.finish()),
            Arc::new(Int64Array::from(std::mem::take(&mut self.peer))),
            Arc::new(self.run_kind.finish()),
            timestamps(&start),
            timestamps(&std::mem::take(&mut self.end)),
            Arc::new(Date32Array::from(days)),
        ];
        for counter in &mut self.counters {
            columns.push(Arc::new(Int64Array::from(std::mem::take(counter))));
        }
        for list in &mut self.lists {
            columns.push(Arc::new(list.finish()));
        }
        RecordBatch::try_new(schema(), columns).expect("the columns above are the schema's")
    }

    fn row(
        &mut self,
        sender: &str,
        kind: RunKind,
        peer: i64,
        (start_ms, end_ms): (i64, i64),
        counters: &Counters,
    ) {
        self.sender.append_value(sender);
        self.run_kind.append_value(kind.name());
        self.peer.push(peer);
        self.start.push(start_ms);
        self.end.push(end_ms);
        for (column, value) in self.counters.iter_mut().zip(counters.values()) {
            column.push(value);
        }
    }

    fn empty_lists(&mut self) {
        for list in &mut self.lists {
            list.append(true);
        }
    }
}

fn timestamps(millis: &[i64]) -> ArrayRef {
    let micros: Vec<i64> = millis.iter().map(|ms| Millis(*ms).micros()).collect();
    Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
}
