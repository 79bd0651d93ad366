//! A row of `events` with all its columns, from the oracle's decoder or from a batch, in a form
//! that compares column by column.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use turnwise_model::EventKind;
use turnwise_model::schema::{column as c, file_schema};

/// A value that is not null.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// An integer, or a time in microseconds.
    Int(i64),
    /// A text.
    Text(String),
    /// Tokens, in order.
    List(Vec<i32>),
}

/// A row: its kind, and the cells that are not null by column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RawRow {
    /// Its kind.
    pub kind: EventKind,
    /// Its cells.
    pub cells: BTreeMap<&'static str, Cell>,
}

impl RawRow {
    /// A row of nulls.
    #[must_use]
    pub fn new(kind: EventKind) -> Self {
        Self { kind, cells: BTreeMap::new() }
    }

    /// Sets an integer, or leaves null.
    pub fn set(&mut self, column: &'static str, value: Option<impl Into<i64>>) {
        if let Some(value) = value {
            self.cells.insert(column, Cell::Int(value.into()));
        }
    }

    /// Sets a text, or leaves null.
    pub fn set_text(&mut self, column: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.cells.insert(column, Cell::Text(value.to_owned()));
        }
    }

    /// Sets a list.
    pub fn set_list(&mut self, column: &'static str, values: Vec<i32>) {
        self.cells.insert(column, Cell::List(values));
    }

    /// An integer.
    #[must_use]
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.cells.get(column) {
            Some(Cell::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// A text.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.cells.get(column) {
            Some(Cell::Text(value)) => Some(value),
            _ => None,
        }
    }

    /// A hash of what must be equal: all but the byte at which a text stops being JSON, which
    /// parsers see differently.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.kind.hash(&mut hasher);
        for (name, cell) in &self.cells {
            let about = match cell {
                Cell::Text(text) if *name == c::DETAIL => text.split_once("error at byte "),
                _ => None,
            };
            match about {
                Some((before, _)) => (name, before).hash(&mut hasher),
                None => (name, cell).hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    /// The first column in which two rows differ, with both values.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.kind != other.kind {
            return Some(format!("kind: {:?}, not {:?}", self.kind, other.kind));
        }
        let columns = self.cells.keys().chain(other.cells.keys());
        columns.into_iter().find(|name| self.cells.get(*name) != other.cells.get(*name)).map(
            |name| format!("{name}: {:?}, not {:?}", self.cells.get(name), other.cells.get(name)),
        )
    }
}

/// The rows of a batch of one kind, each with its date where the batch has one.
///
/// # Panics
/// On a column that no table has, of another type than the table's, or missing: the columns of a
/// kind are all there.
#[must_use]
pub fn raw_rows(kind: EventKind, batch: &RecordBatch) -> Vec<RawRow> {
    let mut rows = vec![RawRow::new(kind); batch.num_rows()];
    for field in file_schema(kind).fields() {
        let column = batch.column_by_name(field.name()).expect("every column of the kind");
        assert_eq!(column.data_type(), field.data_type(), "type of {}", field.name());
        let name = known(field.name());
        for (at, row) in rows.iter_mut().enumerate().filter(|(at, _)| column.is_valid(*at)) {
            row.cells.insert(name, cell(name, column.as_ref(), at));
        }
    }
    rows
}

fn cell(name: &str, column: &dyn Array, at: usize) -> Cell {
    match column.data_type() {
        DataType::Int32 => Cell::Int(column.as_primitive::<Int32Type>().value(at).into()),
        DataType::Int64 => Cell::Int(column.as_primitive::<Int64Type>().value(at)),
        DataType::Timestamp(..) => {
            Cell::Int(column.as_primitive::<TimestampMicrosecondType>().value(at))
        }
        DataType::Utf8 if name == c::DETAIL => {
            Cell::Text(without_wording(column.as_string::<i32>().value(at)))
        }
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(at).to_owned()),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(at);
            Cell::List(list.as_primitive::<Int32Type>().values().to_vec())
        }
        other => panic!("a column of type {other}"),
    }
}

/// `path: expected …, found …` without what was expected.
fn without_wording(detail: &str) -> String {
    let found = detail.rsplit_once(", found ").map_or("", |(_, found)| found);
    let path = detail.split_once(": expected ").map_or(detail, |(path, _)| path);
    format!("{path}: found {found}")
}

/// The table's own name of a column.
fn known(name: &str) -> &'static str {
    const NAMES: [&str; 44] = [
        c::WABA_ID,
        c::SENDER,
        c::PEER_PHONE,
        c::PEER_USER,
        c::TIME,
        c::MESSAGE,
        c::SOURCE,
        c::PARTITION,
        c::OFFSET,
        c::ITEM,
        c::ORIGIN,
        c::IN_GROUP,
        c::DIRECTION,
        c::MESSAGE_KIND,
        c::INTERACTIVE_TYPE,
        c::VOICE,
        c::PEER_COUNTRY,
        c::IS_REPLY,
        c::HAS_REFERRAL,
        c::PRICING_REGIME,
        c::CHARS,
        c::BYTES,
        c::WORDS,
        c::LINES,
        c::SCRIPT,
        c::TEXT_BITS,
        c::TOKENS,
        c::SKELETON,
        c::TEXT_BUCKET,
        c::STATUS,
        c::CATEGORY,
        c::CONVERSATION_ORIGIN,
        c::PRICING_TYPE,
        c::PRICING_MODEL,
        c::ERROR_CODE,
        c::FIELD,
        c::EVENT,
        c::ROLE_PREVIOUS,
        c::ROLE_NEW,
        c::PEER_USER_PREVIOUS,
        c::PEER_PHONE_PREVIOUS,
        c::REASON,
        c::DETAIL,
        c::RECORD_BYTES,
    ];
    let all = NAMES.iter().chain(&[c::OFFSET_END]);
    all.copied().find(|known| *known == name).expect("a column of the table")
}
