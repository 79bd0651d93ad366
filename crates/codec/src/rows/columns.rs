//! Rows to Arrow columns, one record batch for each kind and date.

use arrow_array::{ArrayRef, RecordBatch};
use turnwise_model::schema::file_schema;
use turnwise_model::{Day, EventBatch, EventKind, PricingRegime};

use super::column::{
    AnyColumn, arrays, countries, int, int_or_null, list, long, long_or_null, micros, shared, text,
};
use super::{AccountRow, Common, LetterRow, MessageRow, Rows, StatusRow, Strings, TextColumns};
use crate::shapes::{TextShape, TextShapes};

/// Bytes of one of our own names, or of a dead letter's detail, about.
const NAME_BYTES: usize = 24;

/// All batches, sorted by kind and date, out of `rows`.
pub(super) fn batches(rows: &mut Rows, shapes: &TextShapes) -> Vec<EventBatch> {
    let mut all = Vec::new();
    let mut put = |kind, date: Day, columns: Vec<ArrayRef>| {
        let rows = RecordBatch::try_new(file_schema(kind), columns)
            .expect("the columns built here are those of the schema");
        all.push(EventBatch { kind, date, rows });
    };
    let strings = &rows.strings;
    rows.messages.drain(|date, rows| {
        put(EventKind::Message, date, arrays(rows, message_columns(rows.len(), strings, shapes)));
    });
    rows.statuses.drain(|date, rows| {
        put(EventKind::Status, date, arrays(rows, status_columns(rows.len(), strings)));
    });
    rows.accounts.drain(|date, rows| {
        put(EventKind::Account, date, arrays(rows, account_columns(rows.len(), strings)));
    });
    rows.history.drain(|date, rows| {
        put(EventKind::History, date, arrays(rows, message_columns(rows.len(), strings, shapes)));
    });
    for (kind, letters) in [
        (EventKind::DeadLetter, &mut rows.dead_letters),
        (EventKind::Ignored, &mut rows.ignored),
        (EventKind::Gap, &mut rows.gaps),
    ] {
        letters.drain(|date, rows| {
            put(kind, date, arrays(rows, letter_columns(rows.len(), strings)));
        });
    }
    all
}

fn common_columns<'a, R: 'a>(
    rows: usize,
    strings: &'a Strings,
    common: impl Fn(&R) -> &Common + Copy + 'a,
) -> Vec<AnyColumn<'a, R>> {
    vec![
        shared(rows, strings, move |row: &R| common(row).waba_id),
        shared(rows, strings, move |row: &R| common(row).sender),
        long_or_null(rows, move |row: &R| common(row).peer_phone.map(|pseudonym| pseudonym.0)),
        long_or_null(rows, move |row: &R| common(row).peer_user.map(|pseudonym| pseudonym.0)),
        micros(rows, move |row: &R| common(row).time.micros()),
        long_or_null(rows, move |row: &R| common(row).message.map(|pseudonym| pseudonym.0)),
        shared(rows, strings, move |row: &R| Some(common(row).source)),
        int(rows, move |row: &R| common(row).partition.0),
        long(rows, move |row: &R| common(row).offset.0),
        int(rows, move |row: &R| common(row).item),
    ]
}

fn message_columns<'a>(
    rows: usize,
    strings: &'a Strings,
    shapes: &'a TextShapes,
) -> Vec<AnyColumn<'a, MessageRow>> {
    type Row = MessageRow;
    let shape = move |row: &Row| match row.text {
        TextColumns::Text(number) => shapes.get(number),
        _ => None,
    };
    let shape_int = |value: fn(&TextShape) -> Option<i32>| {
        int_or_null(rows, move |row: &Row| shape(row).and_then(value))
    };
    let mut columns = common_columns(rows, strings, |row: &Row| &row.common);
    columns.extend([
        int(rows, |row: &Row| row.origin.code()),
        int(rows, |row: &Row| i32::from(row.in_group)),
        int(rows, |row: &Row| row.direction.code()),
        int(rows, |row: &Row| row.kind.code()),
        int_or_null(rows, |row: &Row| row.interactive.map(|kind| kind.code())),
        int_or_null(rows, |row: &Row| row.voice.map(i32::from)),
        countries(rows, |row: &Row| row.country),
        int(rows, |row: &Row| i32::from(row.is_reply)),
        int(rows, |row: &Row| i32::from(row.has_referral)),
        int(rows, |row: &Row| PricingRegime::at(row.common.time).code()),
        int_or_null(rows, move |row: &Row| match row.text {
            TextColumns::Chars(chars) => Some(chars),
            _ => shape(row).and_then(|shape| shape.chars),
        }),
        shape_int(|shape| shape.bytes),
        shape_int(|shape| shape.words),
        shape_int(|shape| shape.lines),
        shape_int(|shape| shape.script),
        shape_int(|shape| shape.text_bits),
        list(rows, move |row: &Row| shape(row).and_then(|shape| shapes.tokens(shape))),
        long_or_null(rows, move |row: &Row| shape(row).and_then(|shape| shape.skeleton)),
        shape_int(|shape| shape.text_bucket),
    ]);
    columns
}

fn status_columns(rows: usize, strings: &Strings) -> Vec<AnyColumn<'_, StatusRow>> {
    type Row = StatusRow;
    let mut columns = common_columns(rows, strings, |row: &Row| &row.common);
    columns.extend([
        int(rows, |row: &Row| row.origin.code()),
        int(rows, |row: &Row| i32::from(row.in_group)),
        int(rows, |row: &Row| PricingRegime::at(row.common.time).code()),
        int(rows, |row: &Row| row.status.code()),
        int_or_null(rows, |row: &Row| row.category.map(|category| category.code())),
        int_or_null(rows, |row: &Row| row.conversation_origin.map(|category| category.code())),
        int_or_null(rows, |row: &Row| row.pricing_type.map(|kind| kind.code())),
        int_or_null(rows, |row: &Row| row.pricing_model.map(|model| model.code())),
        long_or_null(rows, |row: &Row| row.error_code),
    ]);
    columns
}

fn account_columns(rows: usize, strings: &Strings) -> Vec<AnyColumn<'_, AccountRow>> {
    type Row = AccountRow;
    let mut columns = common_columns(rows, strings, |row: &Row| &row.common);
    columns.extend([
        text(rows, NAME_BYTES, |row: &Row| Some(row.facts.field)),
        text(rows, NAME_BYTES, |row: &Row| Some(row.facts.event)),
        long_or_null(rows, |row: &Row| row.facts.error_code),
        text(rows, NAME_BYTES, |row: &Row| row.facts.role_previous),
        text(rows, NAME_BYTES, |row: &Row| row.facts.role_new),
        long_or_null(rows, |row: &Row| row.facts.user_previous.map(|pseudonym| pseudonym.0)),
        long_or_null(rows, |row: &Row| row.facts.phone_previous.map(|pseudonym| pseudonym.0)),
    ]);
    columns
}

fn letter_columns(rows: usize, strings: &Strings) -> Vec<AnyColumn<'_, LetterRow>> {
    type Row = LetterRow;
    let mut columns = common_columns(rows, strings, |row: &Row| &row.common);
    columns.extend([
        text(rows, NAME_BYTES, |row: &Row| Some(row.reason)),
        text(rows, NAME_BYTES, |row: &Row| row.detail.as_deref()),
        long_or_null(rows, |row: &Row| row.record_bytes),
        long_or_null(rows, |row: &Row| row.offset_end.map(|offset| offset.0)),
    ]);
    columns
}
