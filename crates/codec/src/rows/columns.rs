//! Rows to Arrow columns, one record batch for each kind and date.

use std::sync::Arc;

use arrow_array::TimestampMicrosecondArray;
use arrow_array::builder::{Int32Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use turnwise_model::schema::file_schema;
use turnwise_model::{Day, EventBatch, EventKind, Millis};

use super::store::TextStore;
use super::store::{CommonStore, MessageStore, NO_CODE, NO_NUMBER, PseudonymStore, StatusStore};
use super::{AccountRow, Common, LetterRow, Rows, StringId, Strings};
use crate::shapes::{TextShape, TextShapes};

/// All batches, sorted by kind and date. Messages and statuses are taken out of `rows`.
pub(super) fn batches(rows: &mut Rows, shapes: &TextShapes) -> Vec<EventBatch> {
    let mut all = Vec::new();
    let strings = &rows.strings;
    for (date, messages) in rows.messages.take() {
        all.push(batch(EventKind::Message, date, message_columns(messages, strings, shapes)));
    }
    for (date, statuses) in rows.statuses.take() {
        all.push(batch(EventKind::Status, date, status_columns(statuses, strings)));
    }
    split(
        EventKind::Account,
        &rows.accounts,
        |row| &row.common,
        |rows| account_columns(rows, strings),
        &mut all,
    );
    for (date, history) in rows.history.take() {
        all.push(batch(EventKind::History, date, message_columns(history, strings, shapes)));
    }
    for (kind, letters) in [
        (EventKind::DeadLetter, &rows.dead_letters),
        (EventKind::Ignored, &rows.ignored),
        (EventKind::Gap, &rows.gaps),
    ] {
        split(kind, letters, |row| &row.common, |rows| letter_columns(rows, strings), &mut all);
    }
    all
}

fn batch(kind: EventKind, date: Day, columns: Vec<ArrayRef>) -> EventBatch {
    let rows = RecordBatch::try_new(file_schema(kind), columns)
        .expect("the columns built here are those of the schema");
    EventBatch { kind, date, rows }
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
        all.push(batch(kind, date, columns(part)));
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

fn code_column(codes: &[u8]) -> ArrayRef {
    let values: Vec<i32> = codes.iter().map(|code| i32::from(*code)).collect();
    let nulls = codes.contains(&NO_CODE).then(|| nulls(codes, |code| *code != NO_CODE));
    Arc::new(Int32Array::new(values.into(), nulls))
}

fn nulls<T>(values: &[T], is_there: impl Fn(&T) -> bool) -> NullBuffer {
    NullBuffer::new(BooleanBuffer::collect_bool(values.len(), |row| is_there(&values[row])))
}

fn text_column(texts: TextStore) -> ArrayRef {
    let empty = |pair: &[i32]| pair[0] == pair[1];
    let nulls = texts.offsets.windows(2).any(empty).then(|| {
        let there = |row: usize| texts.offsets[row] != texts.offsets[row + 1];
        NullBuffer::new(BooleanBuffer::collect_bool(texts.offsets.len() - 1, there))
    });
    let offsets = OffsetBuffer::new(texts.offsets.into());
    let strings = StringArray::try_new(offsets, texts.values.into(), nulls);
    Arc::new(strings.expect("whole strings were put behind each other"))
}

fn pseudonym_column(pseudonyms: PseudonymStore) -> ArrayRef {
    let known = &pseudonyms.known;
    let nulls = known.contains(&false).then(|| nulls(known, |known| *known));
    Arc::new(Int64Array::new(pseudonyms.values.into(), nulls))
}

fn source_column(sources: &[StringId], strings: &Strings) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(sources.len(), sources.len() * 16);
    for run in sources.chunk_by(|one, other| one == other) {
        // One source fills whole batches.
        let name = strings.get(run[0]);
        run.iter().for_each(|_| builder.append_value(name));
    }
    Arc::new(builder.finish())
}

fn country_column(countries: &[[u8; 2]]) -> ArrayRef {
    let there = |country: &[u8; 2]| *country != [0; 2];
    let known = countries.iter().filter(|country| there(country));
    let mut texts = TextStore::default();
    texts.values.reserve(countries.len() * 2);
    texts.offsets.reserve(countries.len());
    if known.count() == countries.len() {
        texts.values.extend_from_slice(countries.as_flattened());
        texts.offsets.extend((1_i32..).map(|row| row * 2).take(countries.len()));
    } else {
        for country in countries {
            texts.push(if there(country) { country } else { b"" });
        }
    }
    text_column(texts)
}

fn stored_columns(common: CommonStore, strings: &Strings) -> Vec<ArrayRef> {
    let micros: Vec<i64> = common.time.iter().map(|time| Millis(*time).micros()).collect();
    vec![
        text_column(common.waba_id),
        text_column(common.sender),
        pseudonym_column(common.peer_phone),
        pseudonym_column(common.peer_user),
        Arc::new(TimestampMicrosecondArray::new(micros.into(), None).with_timezone("UTC")),
        pseudonym_column(common.message),
        source_column(&common.source, strings),
        Arc::new(Int32Array::new(common.partition.into(), None)),
        Arc::new(Int64Array::new(common.offset.into(), None)),
        Arc::new(Int32Array::new(common.item.into(), None)),
    ]
}

fn message_columns(
    messages: MessageStore,
    strings: &Strings,
    shapes: &TextShapes,
) -> Vec<ArrayRef> {
    let text: Vec<Option<&TextShape>> =
        messages.text.iter().map(|number| shapes.get(*number)).collect();
    let shape_ints = |value: fn(&TextShape) -> Option<i32>| -> ArrayRef {
        let mut builder = Int32Builder::with_capacity(text.len());
        text.iter().for_each(|shape| builder.append_option(shape.and_then(value)));
        Arc::new(builder.finish())
    };
    let mut chars = Int32Builder::with_capacity(text.len());
    for (row, shape) in text.iter().enumerate() {
        chars.append_option(messages.chars_of(row).or(shape.and_then(|shape| shape.chars)));
    }
    let mut skeletons = Int64Builder::with_capacity(text.len());
    text.iter().for_each(|shape| skeletons.append_option(shape.and_then(|shape| shape.skeleton)));
    let regimes = messages.common.regimes();
    let mut columns = stored_columns(messages.common, strings);
    columns.extend([
        code_column(&messages.origin),
        code_column(&messages.in_group),
        code_column(&messages.direction),
        code_column(&messages.kind),
        code_column(&messages.interactive),
        code_column(&messages.voice),
        country_column(&messages.country),
        code_column(&messages.is_reply),
        code_column(&messages.has_referral),
        Arc::new(Int32Array::new(regimes.into(), None)),
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

fn status_columns(statuses: StatusStore, strings: &Strings) -> Vec<ArrayRef> {
    let regimes = statuses.common.regimes();
    let error_codes = &statuses.error_code;
    let nulls =
        error_codes.contains(&NO_NUMBER).then(|| nulls(error_codes, |code| *code != NO_NUMBER));
    let mut columns = stored_columns(statuses.common, strings);
    columns.extend([
        code_column(&statuses.origin),
        code_column(&statuses.in_group),
        Arc::new(Int32Array::new(regimes.into(), None)),
        code_column(&statuses.status),
        code_column(&statuses.category),
        code_column(&statuses.conversation_origin),
        code_column(&statuses.pricing_type),
        code_column(&statuses.pricing_model),
        Arc::new(Int64Array::new(statuses.error_code.into(), nulls)),
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
