//! Rows of the finished batches as text, for tests.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use turnwise_model::{EventKind, Keys, Millis, Offset, PartitionId, Secret, SourceName};

use crate::record::{Notes, Record};
use crate::rows::Rows;
use crate::straight::Hashing;
use crate::unknown::UnknownFields;
use crate::{Decoder, Format, Headers, RecordContext, RecordCounts};

/// 2026-11-08T12:00:00Z.
pub(crate) const NOW: Millis = Millis(1_794_139_200_000);

pub(crate) fn keys() -> Keys {
    Keys::expand(&Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough"))
}

/// One row: its kind and date, and its columns by name. Null columns are left out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) kind: EventKind,
    pub(crate) date: String,
    pub(crate) columns: std::collections::BTreeMap<String, String>,
}

impl Row {
    /// A column's value as text, `""` where null.
    pub(crate) fn get(&self, column: &str) -> &str {
        self.columns.get(column).map_or("", |text| text)
    }
}

fn cell(rows: &RecordBatch, column: usize, row: usize) -> Option<String> {
    let array = rows.column(column);
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(_, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row).to_string()
        }
        DataType::List(_) => array.as_list::<i32>().value(row).len().to_string(),
        other => panic!("no such column type: {other}"),
    })
}

/// All rows of a decoder.
pub(crate) fn rows(decoder: &mut Decoder) -> Vec<Row> {
    let mut all = Vec::new();
    for batch in decoder.finish() {
        let schema = batch.rows.schema();
        assert_eq!(schema, turnwise_model::schema::file_schema(batch.kind));
        for row in 0..batch.rows.num_rows() {
            let columns = (0..schema.fields().len())
                .filter_map(|at| {
                    Some((schema.field(at).name().clone(), cell(&batch.rows, at, row)?))
                })
                .collect();
            all.push(Row { kind: batch.kind, date: batch.date.iso(), columns });
        }
    }
    all
}

/// Decodes one record at 2026-11-08T12:00 and gives its rows in order of their items.
pub(crate) fn decode(format: Format, record: &str) -> (RecordCounts, Vec<Row>) {
    decode_bytes(format, record.as_bytes())
}

/// The same of bytes.
pub(crate) fn decode_bytes(format: Format, record: &[u8]) -> (RecordCounts, Vec<Row>) {
    decode_with_headers(format, &[], record)
}

/// A record of this source, at a position that no test asks for.
pub(crate) fn context(source: &SourceName) -> RecordContext<'_> {
    RecordContext {
        source,
        partition: PartitionId(0),
        offset: Offset(7),
        record_time: None,
        read_time: NOW,
    }
}

/// The same of a record that came with headers.
pub(crate) fn decode_with_headers(
    format: Format,
    headers: Headers<'_>,
    record: &[u8],
) -> (RecordCounts, Vec<Row>) {
    decode_by(Decoder::new(keys()), format, headers, record)
}

/// The same by the way that says what is meant.
pub(crate) fn decode_by_meaning(format: Format, record: &str) -> (RecordCounts, Vec<Row>) {
    decode_by(Decoder::by_meaning(keys()), format, &[], record.as_bytes())
}

fn decode_by(
    mut decoder: Decoder,
    format: Format,
    headers: Headers<'_>,
    record: &[u8],
) -> (RecordCounts, Vec<Row>) {
    let source = SourceName("test/1".to_owned());
    let context = context(&source);
    let counts = decoder.decode_with_headers(format, &context, headers, Some(record));
    let mut rows = rows(&mut decoder);
    assert_eq!(counts.total(), rows.len() as u64);
    rows.sort_by_key(|row| row.get("item").parse::<i32>().expect("item"));
    (counts, rows)
}

/// The kinds of rows, by name, in order of their items.
pub(crate) fn kinds(rows: &[Row]) -> Vec<&'static str> {
    rows.iter().map(|row| row.kind.name()).collect()
}

/// The only row of a record that both the format by name and its content tell to be of `format`.
pub(crate) fn only(format: Format, record: &str) -> Row {
    let mut rows = told_alike(format, record);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

/// The rows of a record that both the format by name and its content tell to be of `format`.
pub(crate) fn told_alike(format: Format, record: &str) -> Vec<Row> {
    let rows = decode(format, record);
    assert_eq!(rows, decode(Format::Auto, record), "{record}");
    rows.1
}

/// The pseudonym of a person's number at this sender.
pub(crate) fn phone(sender: &str, digits: &str) -> String {
    keys().peer_phone(sender, digits).0.to_string()
}

/// The pseudonym of a person's user id at this sender.
pub(crate) fn user(sender: &str, id: &str) -> String {
    keys().peer_user(sender, id).0.to_string()
}

/// The pseudonym of a message at this sender.
pub(crate) fn message(sender: &str, id: &str) -> String {
    keys().message(sender, id).0.to_string()
}

/// Columns of a row by name, joined by spaces, `-` where null.
pub(crate) fn columns(row: &Row, names: &str) -> String {
    let cells = names.split(' ').map(|name| match row.get(name) {
        "" => "-",
        text => text,
    });
    cells.collect::<Vec<_>>().join(" ")
}

/// Whether a straight way takes each of the texts, one after another.
pub(crate) fn taken(
    texts: &[String],
    mut decode: impl FnMut(&mut Record<'_>, Hashing<'_>, &UnknownFields, &[u8]) -> bool,
) -> Vec<bool> {
    let keys = keys();
    let source = SourceName("test/1".to_owned());
    let context = context(&source);
    let (mut rows, mut notes) = (Rows::new(Some(keys.clone())), Notes::default());
    let unknown = UnknownFields::default();
    let take = |text: &String| {
        let mut record = Record::new(&keys, &mut rows, &mut notes, &context);
        decode(&mut record, Hashing::Keyed(&keys), &unknown, text.as_bytes())
    };
    texts.iter().map(take).collect()
}
