//! Rows to Arrow columns, one record batch for each kind and date.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use turnwise_model::{Day, EventBatch, EventKind};

use super::column::{long, long_or_null, micros, numbers};
use super::{AccountRow, Common, LetterRow, Rows, StringId, Strings, kinds};
use crate::shapes::TextShapes;

/// All batches, sorted by kind and date, out of `rows`.
pub(super) fn batches(rows: &mut Rows, shapes: &TextShapes) -> Vec<EventBatch> {
    let mut all = Vec::new();
    let mut put = |kind, schema: &SchemaRef, date: Day, columns: Vec<ArrayRef>| {
        let rows = RecordBatch::try_new(Arc::clone(schema), columns)
            .expect("the columns built here are those of the schema");
        all.push(EventBatch { kind, date, rows });
    };
    let Rows { strings, alike, .. } = rows;
    rows.messages.drain(|schema, date, rows| {
        put(
            EventKind::Message,
            schema,
            date,
            kinds::messages(rows, Some(date), alike, strings, shapes),
        );
    });
    rows.statuses.drain(|schema, date, rows| {
        put(EventKind::Status, schema, date, kinds::statuses(rows, date, alike, strings));
    });
    rows.accounts.drain(|schema, date, rows| {
        put(EventKind::Account, schema, date, account_columns(rows, strings));
    });
    rows.history.drain(|schema, date, rows| {
        put(EventKind::History, schema, date, kinds::messages(rows, None, alike, strings, shapes));
    });
    for (kind, letters) in [
        (EventKind::DeadLetter, &mut rows.dead_letters),
        (EventKind::Ignored, &mut rows.ignored),
        (EventKind::Gap, &mut rows.gaps),
    ] {
        letters.drain(|schema, date, rows| {
            put(kind, schema, date, letter_columns(rows, strings));
        });
    }
    all
}

/// The columns that every row has.
fn common_columns<R>(
    rows: &[R],
    strings: &Strings,
    common: impl Fn(&R) -> &Common + Copy,
) -> Vec<ArrayRef> {
    let shared = |id: fn(&Common) -> Option<StringId>| {
        texts(rows.iter().map(|row| id(common(row)).map(|id| strings.get(id))))
    };
    let all = || rows.iter().map(common);
    vec![
        shared(|row| row.waba_id),
        shared(|row| row.sender),
        long_or_null(all().map(|row| row.peer_phone.map(|pseudonym| pseudonym.0))),
        long_or_null(all().map(|row| row.peer_user.map(|pseudonym| pseudonym.0))),
        micros(all().map(|row| row.time.micros()).collect()),
        long_or_null(all().map(|row| row.message.map(|pseudonym| pseudonym.0))),
        shared(|row| Some(row.source)),
        numbers(all().map(|row| row.partition.0).collect()),
        long(all().map(|row| row.offset.0).collect()),
        numbers(all().map(|row| row.item).collect()),
    ]
}

/// A column of texts, of which some may be missing.
fn texts<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(texts.collect::<StringArray>())
}

fn account_columns(rows: &[AccountRow], strings: &Strings) -> Vec<ArrayRef> {
    let facts = || rows.iter().map(|row| &row.facts);
    let mut columns = common_columns(rows, strings, |row| &row.common);
    columns.extend([
        texts(facts().map(|facts| Some(facts.field))),
        texts(facts().map(|facts| Some(facts.event))),
        long_or_null(facts().map(|facts| facts.error_code)),
        texts(facts().map(|facts| facts.role_previous)),
        texts(facts().map(|facts| facts.role_new)),
        long_or_null(facts().map(|facts| facts.user_previous.map(|pseudonym| pseudonym.0))),
        long_or_null(facts().map(|facts| facts.phone_previous.map(|pseudonym| pseudonym.0))),
    ]);
    columns
}

fn letter_columns(rows: &[LetterRow], strings: &Strings) -> Vec<ArrayRef> {
    let mut columns = common_columns(rows, strings, |row| &row.common);
    columns.extend([
        texts(rows.iter().map(|row| Some(row.reason))),
        texts(rows.iter().map(|row| row.detail.as_deref())),
        long_or_null(rows.iter().map(|row| row.record_bytes)),
        long_or_null(rows.iter().map(|row| row.offset_end.map(|offset| offset.0))),
    ]);
    columns
}
