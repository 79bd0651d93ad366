//! Rows to Arrow columns, one record batch for each kind and date.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field};
use turnwise_model::schema::file_schema;
use turnwise_model::{Day, EventBatch, EventKind, PricingRegime};

use super::{AccountRow, Common, LetterRow, MessageRow, Rows, StatusRow, Strings, TextColumns};
use crate::shapes::{TextShape, TextShapes};

/// All batches, sorted by kind and date.
pub(super) fn batches(rows: &Rows, shapes: &TextShapes) -> Vec<EventBatch> {
    let mut all = Vec::new();
    let strings = &rows.strings;
    let messages = |rows: &[&MessageRow]| message_columns(rows, strings, shapes);
    split(EventKind::Message, &rows.messages, |row| &row.common, messages, &mut all);
    split(
        EventKind::Status,
        &rows.statuses,
        |row| &row.common,
        |rows| status_columns(rows, strings),
        &mut all,
    );
    split(
        EventKind::Account,
        &rows.accounts,
        |row| &row.common,
        |rows| account_columns(rows, strings),
        &mut all,
    );
    split(EventKind::History, &rows.history, |row| &row.common, messages, &mut all);
    for (kind, letters) in [
        (EventKind::DeadLetter, &rows.dead_letters),
        (EventKind::Ignored, &rows.ignored),
        (EventKind::Gap, &rows.gaps),
    ] {
        split(kind, letters, |row| &row.common, |rows| letter_columns(rows, strings), &mut all);
    }
    all
}

/// Splits rows by date, keeping their order, and builds the columns of each part.
fn split<R>(
    kind: EventKind,
    rows: &[R],
    common: impl Fn(&R) -> &Common,
    columns: impl Fn(&[&R]) -> Vec<ArrayRef>,
    all: &mut Vec<EventBatch>,
) {
    let mut order: Vec<&R> = rows.iter().collect();
    order.sort_by_key(|row| common(row).date);
    for part in order.chunk_by(|one, other| common(one).date == common(other).date) {
        let date: Day = common(part[0]).date;
        let rows = RecordBatch::try_new(file_schema(kind), columns(part))
            .expect("the columns built here are those of the schema");
        all.push(EventBatch { kind, date, rows });
    }
}

fn ints<R>(rows: &[&R], value: impl Fn(&R) -> Option<i32>) -> ArrayRef {
    let mut builder = Int32Builder::with_capacity(rows.len());
    rows.iter().for_each(|row| builder.append_option(value(row)));
    Arc::new(builder.finish())
}

fn longs<R>(rows: &[&R], value: impl Fn(&R) -> Option<i64>) -> ArrayRef {
    let mut builder = Int64Builder::with_capacity(rows.len());
    rows.iter().for_each(|row| builder.append_option(value(row)));
    Arc::new(builder.finish())
}

fn texts<'a, R>(rows: &[&'a R], value: impl Fn(&'a R) -> Option<&'a str>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 16);
    rows.iter().for_each(|row| builder.append_option(value(row)));
    Arc::new(builder.finish())
}

fn common_columns<'a, R>(
    rows: &[&'a R],
    strings: &'a Strings,
    common: impl Fn(&'a R) -> &'a Common + Copy,
) -> Vec<ArrayRef> {
    let common: Vec<&Common> = rows.iter().map(|row| common(row)).collect();
    let times: TimestampMicrosecondArray =
        common.iter().map(|row| Some(row.time.micros())).collect();
    vec![
        texts(&common, |row| row.waba_id.map(|id| strings.get(id))),
        texts(&common, |row| row.sender.map(|id| strings.get(id))),
        longs(&common, |row| row.peer_phone.map(|pseudonym| pseudonym.0)),
        longs(&common, |row| row.peer_user.map(|pseudonym| pseudonym.0)),
        Arc::new(times.with_timezone("UTC")),
        longs(&common, |row| row.message.map(|pseudonym| pseudonym.0)),
        texts(&common, |row| Some(strings.get(row.source))),
        ints(&common, |row| Some(row.partition.0)),
        longs(&common, |row| Some(row.offset.0)),
        ints(&common, |row| Some(row.item)),
    ]
}

fn regime(common: &Common) -> Option<i32> {
    Some(PricingRegime::at(common.time).code())
}

fn message_columns(rows: &[&MessageRow], strings: &Strings, shapes: &TextShapes) -> Vec<ArrayRef> {
    let text: Vec<Option<&TextShape>> = rows
        .iter()
        .map(|row| match row.text {
            TextColumns::Text(number) => shapes.get(number),
            TextColumns::None | TextColumns::Chars(_) => None,
        })
        .collect();
    let shape_ints = |value: fn(&TextShape) -> Option<i32>| -> ArrayRef {
        let mut builder = Int32Builder::with_capacity(text.len());
        text.iter().for_each(|shape| builder.append_option(shape.and_then(value)));
        Arc::new(builder.finish())
    };
    let mut chars = Int32Builder::with_capacity(rows.len());
    for (row, shape) in rows.iter().zip(&text) {
        chars.append_option(match row.text {
            TextColumns::Chars(count) => Some(count),
            _ => shape.and_then(|shape| shape.chars),
        });
    }
    let mut skeletons = Int64Builder::with_capacity(rows.len());
    text.iter().for_each(|shape| skeletons.append_option(shape.and_then(|shape| shape.skeleton)));
    let mut columns = common_columns(rows, strings, |row| &row.common);
    columns.extend([
        ints(rows, |row| Some(row.origin.code())),
        ints(rows, |row| Some(i32::from(row.in_group))),
        ints(rows, |row| Some(row.direction.code())),
        ints(rows, |row| Some(row.kind.code())),
        ints(rows, |row| row.interactive.map(|kind| kind.code())),
        ints(rows, |row| row.voice.map(i32::from)),
        texts(rows, |row| row.country.as_ref().and_then(|code| std::str::from_utf8(code).ok())),
        ints(rows, |row| Some(i32::from(row.is_reply))),
        ints(rows, |row| Some(i32::from(row.has_referral))),
        ints(rows, |row| regime(&row.common)),
        Arc::new(chars.finish()),
        shape_ints(|shape| shape.bytes),
        shape_ints(|shape| shape.words),
        shape_ints(|shape| shape.lines),
        shape_ints(|shape| shape.script),
        shape_ints(|shape| shape.text_bits),
        token_column(&text, shapes),
        Arc::new(skeletons.finish()),
        shape_ints(|shape| shape.text_bucket),
    ]);
    columns
}

fn token_column(text: &[Option<&TextShape>], shapes: &TextShapes) -> ArrayRef {
    let field = Field::new("element", DataType::Int32, true);
    let mut builder = ListBuilder::new(Int32Builder::new()).with_field(field);
    for shape in text {
        match shape.and_then(|shape| shapes.tokens(shape)) {
            Some(tokens) => {
                builder.values().append_slice(tokens);
                builder.append(true);
            }
            None => builder.append(false),
        }
    }
    Arc::new(builder.finish())
}

fn status_columns(rows: &[&StatusRow], strings: &Strings) -> Vec<ArrayRef> {
    let mut columns = common_columns(rows, strings, |row| &row.common);
    columns.extend([
        ints(rows, |row| Some(row.origin.code())),
        ints(rows, |row| Some(i32::from(row.in_group))),
        ints(rows, |row| regime(&row.common)),
        ints(rows, |row| Some(row.status.code())),
        ints(rows, |row| row.category.map(|category| category.code())),
        ints(rows, |row| row.conversation_origin.map(|category| category.code())),
        ints(rows, |row| row.pricing_type.map(|kind| kind.code())),
        ints(rows, |row| row.pricing_model.map(|model| model.code())),
        longs(rows, |row| row.error_code),
    ]);
    columns
}

fn account_columns(rows: &[&AccountRow], strings: &Strings) -> Vec<ArrayRef> {
    let mut columns = common_columns(rows, strings, |row| &row.common);
    columns.extend([
        texts(rows, |row| Some(row.facts.field)),
        texts(rows, |row| Some(row.facts.event)),
        longs(rows, |row| row.facts.error_code),
        texts(rows, |row| row.facts.role_previous),
        texts(rows, |row| row.facts.role_new),
        longs(rows, |row| row.facts.user_previous.map(|pseudonym| pseudonym.0)),
        longs(rows, |row| row.facts.phone_previous.map(|pseudonym| pseudonym.0)),
    ]);
    columns
}

fn letter_columns(rows: &[&LetterRow], strings: &Strings) -> Vec<ArrayRef> {
    let mut columns = common_columns(rows, strings, |row| &row.common);
    columns.extend([
        texts(rows, |row| Some(row.reason)),
        texts(rows, |row| row.detail.as_deref()),
        longs(rows, |row| row.record_bytes),
        longs(rows, |row| row.offset_end.map(|offset| offset.0)),
    ]);
    columns
}
