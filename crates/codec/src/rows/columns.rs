//! Rows to Arrow columns, one record batch for each kind and date.

use std::sync::Arc;

use arrow_array::TimestampMicrosecondArray;
use arrow_array::builder::{Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use turnwise_model::schema::file_schema;
use turnwise_model::{Day, EventBatch, EventKind, Millis, PricingRegime};

use super::store::{Fixed, NO_CODE, NO_ERROR, Store, TextStore, code, known};
use super::{AccountRow, Common, LetterRow, Rows, Strings, TextColumns};
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

/// Rows that are turned into columns at a time: few enough for the nearest cache.
const BLOCK_ROWS: usize = 256;

/// The columns of a store that grow block by block.
#[derive(Default)]
struct Grown {
    times: Vec<i64>,
    peer_phones: Vec<i64>,
    peer_users: Vec<i64>,
    messages: Vec<i64>,
    offsets: Vec<i64>,
    items: Vec<i32>,
    partitions: Vec<i32>,
    regimes: Vec<i32>,
    codes: [Vec<i32>; 12],
}

impl Grown {
    /// Of these rows, of the codes only those with these numbers.
    fn of(rows: &[Fixed], codes: &[usize]) -> Self {
        let mut grown = Self::default();
        let Self { times, peer_phones, peer_users, messages, offsets, .. } = &mut grown;
        for longs in [times, peer_phones, peer_users, messages, offsets] {
            longs.reserve_exact(rows.len());
        }
        for ints in [&mut grown.items, &mut grown.partitions, &mut grown.regimes] {
            ints.reserve_exact(rows.len());
        }
        codes.iter().for_each(|code| grown.codes[*code].reserve_exact(rows.len()));
        for block in rows.chunks(BLOCK_ROWS) {
            grown.times.extend(block.iter().map(|row| Millis(row.time).micros()));
            grown.peer_phones.extend(block.iter().map(|row| row.peer_phone));
            grown.peer_users.extend(block.iter().map(|row| row.peer_user));
            grown.messages.extend(block.iter().map(|row| row.message));
            grown.offsets.extend(block.iter().map(|row| row.offset));
            grown.items.extend(block.iter().map(|row| row.item));
            grown.partitions.extend(block.iter().map(|row| row.partition));
            let regime = |row: &Fixed| PricingRegime::at(Millis(row.time)).code();
            grown.regimes.extend(block.iter().map(regime));
            for code in codes {
                grown.codes[*code].extend(block.iter().map(|row| i32::from(row.codes[*code])));
            }
        }
        grown
    }

    fn code(&mut self, code: usize) -> ArrayRef {
        let values = std::mem::take(&mut self.codes[code]);
        let null = i32::from(NO_CODE);
        let nulls = nulls(&values, |code| *code != null);
        Arc::new(Int32Array::new(values.into(), nulls))
    }

    /// The columns that every row has.
    fn common(&mut self, store: &mut Store, strings: &Strings) -> Vec<ArrayRef> {
        let rows = &store.rows;
        let pseudonyms = |values: &mut Vec<i64>, bit: u8| -> ArrayRef {
            let nulls = nulls(rows, |row| row.codes[code::KNOWN] & bit != 0);
            Arc::new(Int64Array::new(std::mem::take(values).into(), nulls))
        };
        let times = std::mem::take(&mut self.times);
        vec![
            text_column(std::mem::take(&mut store.waba_id)),
            text_column(std::mem::take(&mut store.sender)),
            pseudonyms(&mut self.peer_phones, known::PEER_PHONE),
            pseudonyms(&mut self.peer_users, known::PEER_USER),
            Arc::new(TimestampMicrosecondArray::new(times.into(), None).with_timezone("UTC")),
            pseudonyms(&mut self.messages, known::MESSAGE),
            source_column(rows, strings),
            Arc::new(Int32Array::new(std::mem::take(&mut self.partitions).into(), None)),
            Arc::new(Int64Array::new(std::mem::take(&mut self.offsets).into(), None)),
            Arc::new(Int32Array::new(std::mem::take(&mut self.items).into(), None)),
        ]
    }

    fn regimes(&mut self) -> ArrayRef {
        Arc::new(Int32Array::new(std::mem::take(&mut self.regimes).into(), None))
    }
}

/// Where values are there; `None` if all are.
fn nulls<T>(values: &[T], is_there: impl Fn(&T) -> bool) -> Option<NullBuffer> {
    let all = values.iter().fold(true, |all, value| all & is_there(value));
    (!all).then(|| {
        let there = BooleanBuffer::collect_bool(values.len(), |row| is_there(&values[row]));
        NullBuffer::new(there)
    })
}

fn text_column(texts: TextStore) -> ArrayRef {
    let rows = texts.offsets.len() - 1;
    let there = |row: usize| texts.offsets[row] != texts.offsets[row + 1];
    let pairs = texts.offsets.iter().zip(texts.offsets.iter().skip(1));
    let all = pairs.fold(true, |all, (from, to)| all & (from != to));
    let nulls = (!all).then(|| NullBuffer::new(BooleanBuffer::collect_bool(rows, there)));
    let offsets = OffsetBuffer::new(texts.offsets.into());
    let strings = StringArray::try_new(offsets, texts.values.into(), nulls);
    Arc::new(strings.expect("whole strings were put behind each other"))
}

fn source_column(rows: &[Fixed], strings: &Strings) -> ArrayRef {
    let mut texts = TextStore::default();
    texts.offsets.reserve_exact(rows.len());
    // One source fills whole batches.
    for run in rows.chunk_by(|one, other| one.source == other.source) {
        let name = strings.get(run[0].source).as_bytes();
        let before = texts.values.len();
        texts.values.extend_from_slice(&name.repeat(run.len()));
        let end = |row: usize| i32::try_from(before + row * name.len()).unwrap_or(i32::MAX);
        texts.offsets.extend((1..=run.len()).map(end));
    }
    // Unlike an id, a source's name may be empty without being null.
    let offsets = OffsetBuffer::new(texts.offsets.into());
    let strings = StringArray::try_new(offsets, texts.values.into(), None);
    Arc::new(strings.expect("whole strings were put behind each other"))
}

fn country_column(rows: &[Fixed]) -> ArrayRef {
    let country = |row: &Fixed| [row.codes[code::COUNTRY], row.codes[code::COUNTRY + 1]];
    let mut texts = TextStore::default();
    texts.values.reserve_exact(rows.len() * 2);
    texts.offsets.reserve_exact(rows.len());
    let mut end = 0;
    for row in rows {
        let country = country(row);
        if country != [0; 2] {
            texts.values.extend_from_slice(&country);
            end += 2;
        }
        texts.offsets.push(end);
    }
    text_column(texts)
}

fn message_columns(mut store: Store, strings: &Strings, shapes: &TextShapes) -> Vec<ArrayRef> {
    let codes = [
        code::ORIGIN,
        code::IN_GROUP,
        code::DIRECTION,
        code::KIND,
        code::INTERACTIVE,
        code::VOICE,
        code::IS_REPLY,
        code::HAS_REFERRAL,
    ];
    let mut grown = Grown::of(&store.rows, &codes);
    let mut columns = grown.common(&mut store, strings);
    let [origin, in_group, direction, kind, interactive, voice, is_reply, has_referral] =
        codes.map(|code| grown.code(code));
    columns.extend([origin, in_group, direction, kind, interactive, voice]);
    columns.extend([country_column(&store.rows), is_reply, has_referral, grown.regimes()]);
    columns.extend(shape_columns(&store.rows, shapes));
    columns
}

/// `chars` and all columns behind it.
fn shape_columns(rows: &[Fixed], shapes: &TextShapes) -> Vec<ArrayRef> {
    let text: Vec<Option<&TextShape>> = rows
        .iter()
        .map(|row| match row.text {
            TextColumns::Text(number) => shapes.get(number),
            TextColumns::None | TextColumns::Chars(_) => None,
        })
        .collect();
    let ints = |value: fn(&TextShape) -> Option<i32>| -> ArrayRef {
        int_column(text.iter().map(|shape| shape.and_then(value)))
    };
    let chars = rows.iter().zip(&text).map(|(row, shape)| match row.text {
        TextColumns::Chars(chars) => Some(chars),
        _ => shape.and_then(|shape| shape.chars),
    });
    let skeletons: Vec<i64> =
        text.iter().map(|shape| shape.and_then(|shape| shape.skeleton).unwrap_or(0)).collect();
    let nulls = nulls(&text, |shape| shape.is_some_and(|shape| shape.skeleton.is_some()));
    vec![
        int_column(chars),
        ints(|shape| shape.bytes),
        ints(|shape| shape.words),
        ints(|shape| shape.lines),
        ints(|shape| shape.script),
        ints(|shape| shape.text_bits),
        token_column(&text, shapes),
        Arc::new(Int64Array::new(skeletons.into(), nulls)),
        ints(|shape| shape.text_bucket),
    ]
}

/// A column of numbers that are never the smallest one.
fn int_column(values: impl Iterator<Item = Option<i32>>) -> ArrayRef {
    let values: Vec<i32> = values.map(|value| value.unwrap_or(i32::MIN)).collect();
    let nulls = nulls(&values, |value| *value != i32::MIN);
    Arc::new(Int32Array::new(values.into(), nulls))
}

fn token_column(text: &[Option<&TextShape>], shapes: &TextShapes) -> ArrayRef {
    let field = Arc::new(Field::new("element", DataType::Int32, true));
    let tokens = |shape: &Option<&TextShape>| shape.and_then(|shape| shapes.tokens(shape));
    let mut values = Vec::new();
    let mut offsets = Vec::with_capacity(text.len() + 1);
    offsets.push(0);
    for shape in text {
        values.extend_from_slice(tokens(shape).unwrap_or_default());
        offsets.push(i32::try_from(values.len()).unwrap_or(i32::MAX));
    }
    let nulls = nulls(text, |shape| tokens(shape).is_some());
    let values = Arc::new(Int32Array::new(values.into(), None));
    Arc::new(ListArray::new(field, OffsetBuffer::new(offsets.into()), values, nulls))
}

fn status_columns(mut store: Store, strings: &Strings) -> Vec<ArrayRef> {
    let codes = [
        code::ORIGIN,
        code::IN_GROUP,
        code::STATUS,
        code::CATEGORY,
        code::CONVERSATION_ORIGIN,
        code::PRICING_TYPE,
        code::PRICING_MODEL,
    ];
    let mut grown = Grown::of(&store.rows, &codes);
    let mut columns = grown.common(&mut store, strings);
    let [origin, in_group, others @ ..] = codes.map(|code| grown.code(code));
    columns.extend([origin, in_group, grown.regimes()]);
    columns.extend(others);
    let error_codes: Vec<i64> = store.rows.iter().map(|row| row.error_code).collect();
    let nulls = nulls(&error_codes, |code| *code != NO_ERROR);
    columns.push(Arc::new(Int64Array::new(error_codes.into(), nulls)));
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
