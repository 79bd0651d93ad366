//! What the lake has of a record, and what of the record as it is decoded today may be added.
//!
//! The rule. Items are told apart by their numbers in the record, and numbers are trusted only
//! where they are proven: every row that the lake has of the record (beside its letters) must be
//! decoded today at the same number with the same content. Then
//!
//! * rows at the number of a wanted letter are added;
//! * rows behind the record's last known item go with the last of its letters whose item is not in
//!   yet, which may have stood for all of them, and letters that are new there go along;
//! * rows at the number of another letter are left to that letter;
//! * rows beside what is stored under a number are left.
//!
//! A record is refused, and told, where what is stored is not decoded so (an item before it became
//! none, or more than one), or where a number below the last known one is new: its numbers may
//! have shifted, and then a good item could be added twice or a new one taken for a known one.
//! Where adding nothing twice and adding all conflict, nothing is added.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use arrow::array::{Array as _, AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use turnwise_model::schema::column;
use turnwise_model::{EventBatch, EventKind, Status};

/// The content of a row as far as it stays the same however often its item is decoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// A message, of a history import too.
    Message { sender: Option<String>, message: Option<i64> },
    /// A status of a message.
    Status { sender: Option<String>, message: Option<i64>, status: Option<String> },
    /// An account event; its time in microseconds. Where neither it nor its record has a time, it
    /// bears that of the reading, and is not recognised.
    Account {
        sender: Option<String>,
        peers: [Option<i64>; 2],
        time: Option<i64>,
        event: [Option<String>; 2],
        error_code: Option<i64>,
    },
    /// An ignored item. Its name is none of its content: later versions know more names.
    Ignored { bytes: Option<i64> },
}

impl Identity {
    /// Of a row, decoded or stored; `None` of kinds that stand for no item.
    pub(crate) fn of(kind: EventKind, rows: &RecordBatch, row: usize) -> Option<Self> {
        let text = |name| text(rows, name, row);
        let number = |name| number(rows, name, row);
        let (sender, message) = (text(column::SENDER), number(column::MESSAGE));
        match kind {
            EventKind::Message | EventKind::History => Some(Self::Message { sender, message }),
            EventKind::Status => {
                // By its name in views, by its code in files.
                let code = number(column::STATUS).and_then(|code| i32::try_from(code).ok());
                let name = code.and_then(Status::from_code).map(|status| status.name().to_owned());
                let status = name.or_else(|| text(column::STATUS));
                Some(Self::Status { sender, message, status })
            }
            EventKind::Account => Some(Self::Account {
                sender,
                peers: [number(column::PEER_PHONE), number(column::PEER_USER)],
                time: number(column::TIME),
                event: [text(column::FIELD), text(column::EVENT)],
                error_code: number(column::ERROR_CODE),
            }),
            EventKind::Ignored => Some(Self::Ignored { bytes: number(column::RECORD_BYTES) }),
            EventKind::DeadLetter | EventKind::Gap => None,
        }
    }
}

/// A letter of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dead {
    /// Why.
    pub(crate) reason: String,
    /// Whether its item was requeued.
    pub(crate) is_requeued: bool,
}

/// What the lake has of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its letters by item, of whatever reason.
    pub(crate) letters: BTreeMap<i32, Dead>,
    /// Its other rows.
    pub(crate) rows: BTreeSet<(i32, Identity)>,
}

impl Known {
    /// The items that have rows beside letters.
    pub(crate) fn stored(&self) -> BTreeSet<i32> {
        self.rows.iter().map(|(item, _)| *item).collect()
    }

    fn last(&self) -> i32 {
        let letter = self.letters.last_key_value().map(|(item, _)| *item);
        let row = self.rows.last().map(|(item, _)| *item);
        letter.max(row).unwrap_or(-1)
    }
}

/// What of a decoded record is to be added.
#[derive(Clone, Debug)]
pub(crate) struct Revived {
    /// The rows.
    pub(crate) batches: Vec<EventBatch>,
    /// The wanted letters' items that are among them.
    pub(crate) items: BTreeSet<i32>,
    /// Where there are rows behind the last known item: that item.
    pub(crate) after: Option<i32>,
    /// How many items, letters not counted, lie behind it.
    pub(crate) rest: usize,
}

/// What is done about a record.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// Nothing of what is wanted can be read today.
    Dead,
    /// It cannot be told what would be added twice.
    Refused(&'static str),
    /// This is added.
    Add(Revived),
}

/// The reasons why a record is refused.
pub(crate) const OTHERWISE: &str =
    "good items of the record are decoded otherwise today than they are stored";
pub(crate) const STRANGER: &str =
    "today the record has items, between known ones, that the lake has no row of";

/// Chooses what of a record, decoded today, is added for the sake of these of its letters.
pub(crate) fn choose(
    known: &Known,
    wanted: &BTreeSet<i32>,
    decoded: Vec<EventBatch>,
) -> anyhow::Result<Choice> {
    let (stored, last) = (known.stored(), known.last());
    let is_open = |item: &i32, letter: &Dead| !letter.is_requeued && !stored.contains(item);
    let last_open = known.letters.iter().rfind(|(item, letter)| is_open(item, letter));
    let takes_rest = last_open.is_some_and(|(item, _)| wanted.contains(item));
    let is_rest = |item: i32| takes_rest && item > last;
    let is_added = |item: i32| {
        is_rest(item) || item <= last && wanted.contains(&item) && !stored.contains(&item)
    };
    let mut again = BTreeSet::new();
    let (mut items, mut rest, mut has_stranger) = (BTreeSet::new(), BTreeSet::new(), false);
    for batch in &decoded {
        let numbers = batch.rows[column::ITEM].as_primitive::<Int32Type>();
        for (row, item) in numbers.values().iter().copied().enumerate() {
            let Some(identity) = Identity::of(batch.kind, &batch.rows, row) else { continue };
            if is_rest(item) {
                rest.insert(item);
            } else if is_added(item) {
                items.insert(item);
            } else if stored.contains(&item) {
                again.insert((item, identity));
            } else {
                has_stranger |= item <= last && !known.letters.contains_key(&item);
            }
        }
    }
    if items.is_empty() && rest.is_empty() {
        return Ok(Choice::Dead);
    }
    if !known.rows.is_subset(&again) {
        return Ok(Choice::Refused(OTHERWISE));
    }
    if has_stranger {
        return Ok(Choice::Refused(STRANGER));
    }
    let mut batches = Vec::new();
    let mut after = None;
    for batch in decoded {
        let numbers = batch.rows[column::ITEM].as_primitive::<Int32Type>();
        let is_letter = batch.kind == EventKind::DeadLetter;
        let is_kept = |item: i32| if is_letter { is_rest(item) } else { is_added(item) };
        let kept: BooleanArray = numbers.values().iter().map(|at| Some(is_kept(*at))).collect();
        if kept.true_count() == 0 {
            continue;
        }
        if numbers.values().iter().any(|item| is_rest(*item)) {
            after = Some(last);
        }
        let rows = filter_record_batch(&batch.rows, &kept).context("keep rows to be added")?;
        batches.push(EventBatch { rows, ..batch });
    }
    Ok(Choice::Add(Revived { batches, items, after, rest: rest.len() }))
}

fn text(rows: &RecordBatch, name: &str, row: usize) -> Option<String> {
    let values = rows.column_by_name(name)?.as_string_opt::<i32>()?;
    values.is_valid(row).then(|| values.value(row).to_owned())
}

/// A number; of a time its microseconds.
fn number(rows: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let values = rows.column_by_name(name)?;
    if values.is_null(row) {
        return None;
    }
    match values.data_type() {
        DataType::Int64 => Some(values.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Some(i64::from(values.as_primitive::<Int32Type>().value(row))),
        DataType::Timestamp(..) => {
            Some(values.as_primitive_opt::<TimestampMicrosecondType>()?.value(row))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
