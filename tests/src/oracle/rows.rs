//! Rows of `events` as plain Rust values, from the oracle's decoder and to Arrow.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int32Builder, Int64Array, ListBuilder, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Field;
use turnwise_model::schema::{column as c, file_schema};
use turnwise_model::{Day, EventKind, Millis};

use super::decode::{Cell, RawRow};

/// One row, with the columns that conversations and features read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Message, status or account.
    pub kind: EventKind,
    /// The business phone number's id.
    pub sender: String,
    /// Pseudonym of the peer's phone number.
    pub peer_phone: Option<i64>,
    /// Pseudonym of the peer's user id.
    pub peer_user: Option<i64>,
    /// Milliseconds.
    pub time: i64,
    /// Pseudonym of the message.
    pub message: Option<i64>,
    /// Source, partition, offset, item.
    pub position: (String, i32, i64, i32),
    /// The columns of 32-bit integers by name; absent ones are null.
    pub ints: BTreeMap<&'static str, i32>,
    /// Tokens, as unsigned numbers.
    pub tokens: Option<Vec<u32>>,
    /// Keyed hash of the masked text.
    pub skeleton: Option<i64>,
    /// Field, event, role before and after of an account row.
    pub words: BTreeMap<&'static str, String>,
}

const INTS: [&str; 21] = [
    c::ORIGIN,
    c::IN_GROUP,
    c::DIRECTION,
    c::MESSAGE_KIND,
    c::INTERACTIVE_TYPE,
    c::VOICE,
    c::IS_REPLY,
    c::HAS_REFERRAL,
    c::PRICING_REGIME,
    c::CHARS,
    c::BYTES,
    c::WORDS,
    c::LINES,
    c::SCRIPT,
    c::TEXT_BITS,
    c::TEXT_BUCKET,
    c::STATUS,
    c::CATEGORY,
    c::CONVERSATION_ORIGIN,
    c::PRICING_TYPE,
    c::PRICING_MODEL,
];

const WORDS: [&str; 4] = [c::FIELD, c::EVENT, c::ROLE_PREVIOUS, c::ROLE_NEW];

impl Row {
    /// A row with nothing but its kind, sender and time.
    #[must_use]
    pub fn new(kind: EventKind, sender: &str, time: i64) -> Self {
        Self {
            kind,
            sender: sender.to_owned(),
            peer_phone: None,
            peer_user: None,
            time,
            message: None,
            position: ("test".to_owned(), 0, 0, 0),
            ints: BTreeMap::new(),
            tokens: None,
            skeleton: None,
            words: BTreeMap::new(),
        }
    }

    /// The value of an integer column.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i32> {
        self.ints.get(name).copied()
    }

    /// Whether an integer column has this value.
    #[must_use]
    pub fn is(&self, name: &str, value: i32) -> bool {
        self.int(name) == Some(value)
    }
}

impl From<&RawRow> for Row {
    /// The columns that conversations and features read.
    fn from(raw: &RawRow) -> Self {
        let time = raw.int(c::TIME).unwrap_or(0).div_euclid(1_000);
        let mut row = Self::new(raw.kind, raw.text(c::SENDER).unwrap_or_default(), time);
        let small = |name: &str| raw.int(name).and_then(|value| i32::try_from(value).ok());
        (row.peer_phone, row.peer_user) = (raw.int(c::PEER_PHONE), raw.int(c::PEER_USER));
        (row.message, row.skeleton) = (raw.int(c::MESSAGE), raw.int(c::SKELETON));
        row.position = (
            raw.text(c::SOURCE).unwrap_or_default().to_owned(),
            small(c::PARTITION).unwrap_or(0),
            raw.int(c::OFFSET).unwrap_or(0),
            small(c::ITEM).unwrap_or(0),
        );
        row.ints = INTS.iter().filter_map(|name| Some((*name, small(name)?))).collect();
        let word = |name: &&'static str| Some((*name, raw.text(name)?.to_owned()));
        row.words = WORDS.iter().filter_map(word).collect();
        if let Some(Cell::List(tokens)) = raw.cells.get(c::TOKENS) {
            row.tokens = Some(tokens.iter().map(|token| token.cast_unsigned()).collect());
        }
        row
    }
}

/// Rows as one batch for each kind and UTC day among them, with all the columns of a data file.
///
/// # Panics
/// Where the columns do not fit the table's schema.
#[must_use]
pub fn batches(rows: &[Row]) -> Vec<(EventKind, Day, RecordBatch)> {
    let mut parts: BTreeMap<(EventKind, Day), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        parts.entry((row.kind, Millis(row.time).day())).or_default().push(row);
    }
    parts.into_iter().map(|((kind, day), rows)| (kind, day, batch_of(kind, &rows))).collect()
}

fn batch_of(kind: EventKind, rows: &[&Row]) -> RecordBatch {
    let schema = file_schema(kind);
    let columns = schema.fields().iter().map(|field| column_of(field, rows)).collect();
    RecordBatch::try_new(schema, columns).expect("columns of the schema")
}

fn column_of(field: &Field, rows: &[&Row]) -> ArrayRef {
    let longs = |pick: &dyn Fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| pick(row)).collect::<Int64Array>())
    };
    match field.name().as_str() {
        c::SENDER => Arc::new(rows.iter().map(|row| Some(&row.sender)).collect::<StringArray>()),
        c::SOURCE => {
            Arc::new(rows.iter().map(|row| Some(&row.position.0)).collect::<StringArray>())
        }
        c::PARTITION => {
            Arc::new(rows.iter().map(|row| Some(row.position.1)).collect::<Int32Array>())
        }
        c::ITEM => Arc::new(rows.iter().map(|row| Some(row.position.3)).collect::<Int32Array>()),
        c::OFFSET => longs(&|row| Some(row.position.2)),
        c::PEER_PHONE => longs(&|row| row.peer_phone),
        c::PEER_USER => longs(&|row| row.peer_user),
        c::MESSAGE => longs(&|row| row.message),
        c::SKELETON => longs(&|row| row.skeleton),
        c::TIME => Arc::new(
            rows.iter()
                .map(|row| Some(row.time * 1_000))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        c::TOKENS => tokens_of(rows),
        name => match INTS.iter().find(|known| **known == name) {
            Some(name) => Arc::new(rows.iter().map(|row| row.int(name)).collect::<Int32Array>()),
            None if WORDS.contains(&name) => {
                Arc::new(rows.iter().map(|row| row.words.get(name)).collect::<StringArray>())
            }
            None => arrow::array::new_null_array(field.data_type(), rows.len()),
        },
    }
}

fn tokens_of(rows: &[&Row]) -> ArrayRef {
    let mut builder = ListBuilder::new(Int32Builder::new());
    for row in rows {
        let tokens = row.tokens.as_deref();
        builder.append_option(
            tokens.map(|tokens| tokens.iter().map(|token| Some(token.cast_signed()))),
        );
    }
    let (_, offsets, values, nulls) = builder.finish().into_parts();
    let element = Arc::new(Field::new("element", arrow::datatypes::DataType::Int32, true));
    Arc::new(arrow::array::ListArray::new(element, offsets, values, nulls))
}
