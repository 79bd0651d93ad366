//! Messages and statuses: their blocks, and their columns.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Int32Type, Int64Type};
use turnwise_model::{Day, Origin};

use super::alike::Alike;
use super::arrays::Arrays;
use super::blocks::{
    BLOCK_ROWS, Block, Blocks, Columns, Flags, MESSAGE, PEER_PHONE, PEER_USER, columns, flag, small,
};
use super::column::{Lists, There, countries, numbers_or_null};
use super::{Common, MessageRow, StatusRow, Strings, TextColumns};
use crate::shapes::{TextShape, TextShapes};

columns!(
    "what messages have of their own",
    MessageBlock,
    MessageColumns {
        direction: u8,
        kind: u8,
        interactive: u8,
        voice: u8,
        country: [u8; 2],
        is_reply: u8,
        has_referral: u8,
        /// The number of a text, or characters.
        text: u32,
    }
);

columns!(
    "what statuses have of their own",
    StatusBlock,
    StatusColumns {
        status: u8,
        category: u8,
        conversation_origin: u8,
        pricing_type: u8,
        pricing_model: u8,
        error_code: i64,
    }
);

const INTERACTIVE: Flags = 8;
const VOICE: Flags = 16;
const COUNTRY: Flags = 32;
/// Of the text the characters alone are known.
const CHARS: Flags = 64;
const TEXT: Flags = 128;

const CATEGORY: Flags = 8;
const CONVERSATION_ORIGIN: Flags = 16;
const PRICING_TYPE: Flags = 32;
const PRICING_MODEL: Flags = 64;
const ERROR_CODE: Flags = 128;

// The common flags are others.
const _: () = assert!(PEER_PHONE + PEER_USER + MESSAGE < INTERACTIVE);

impl Block for MessageBlock {
    type Row = MessageRow;
    type Columns = MessageColumns;

    #[inline(always)]
    fn common(row: &MessageRow) -> (&Common, Origin, bool) {
        (&row.common, row.origin, row.in_group)
    }

    #[inline(always)]
    fn put(&mut self, at: usize, row: &MessageRow) -> Flags {
        let at = at % BLOCK_ROWS;
        let (text, text_flag) = match row.text {
            TextColumns::None => (0, 0),
            TextColumns::Chars(chars) => (chars.cast_unsigned(), CHARS),
            TextColumns::Text(number) => (number, TEXT),
        };
        self.direction[at] = small(row.direction.code());
        self.kind[at] = small(row.kind.code());
        self.interactive[at] = row.interactive.map_or(0, |kind| small(kind.code()));
        self.voice[at] = u8::from(row.voice == Some(true));
        self.country[at] = row.country.unwrap_or_default();
        self.is_reply[at] = u8::from(row.is_reply);
        self.has_referral[at] = u8::from(row.has_referral);
        self.text[at] = text;
        flag(row.interactive.is_some(), INTERACTIVE)
            | flag(row.voice.is_some(), VOICE)
            | flag(row.country.is_some(), COUNTRY)
            | text_flag
    }

    fn append(&self, rows: usize, columns: &mut MessageColumns) {
        self.append_to(rows, columns);
    }
}

impl Block for StatusBlock {
    type Row = StatusRow;
    type Columns = StatusColumns;

    #[inline(always)]
    fn common(row: &StatusRow) -> (&Common, Origin, bool) {
        (&row.common, row.origin, row.in_group)
    }

    #[inline(always)]
    fn put(&mut self, at: usize, row: &StatusRow) -> Flags {
        let at = at % BLOCK_ROWS;
        self.status[at] = small(row.status.code());
        self.category[at] = row.category.map_or(0, |category| small(category.code()));
        self.conversation_origin[at] =
            row.conversation_origin.map_or(0, |category| small(category.code()));
        self.pricing_type[at] = row.pricing_type.map_or(0, |kind| small(kind.code()));
        self.pricing_model[at] = row.pricing_model.map_or(0, |model| small(model.code()));
        self.error_code[at] = row.error_code.unwrap_or_default();
        flag(row.category.is_some(), CATEGORY)
            | flag(row.conversation_origin.is_some(), CONVERSATION_ORIGIN)
            | flag(row.pricing_type.is_some(), PRICING_TYPE)
            | flag(row.pricing_model.is_some(), PRICING_MODEL)
            | flag(row.error_code.is_some(), ERROR_CODE)
    }

    fn append(&self, rows: usize, columns: &mut StatusColumns) {
        self.append_to(rows, columns);
    }
}

/// Values of each row of messages, of its flags and of the number of its text.
#[inline(always)]
fn of_texts<T>(
    (flags, texts): (&[Flags], &[u32]),
    value: impl Fn(Flags, u32) -> Option<T> + Copy,
    mut then: impl FnMut(Option<T>),
) -> There {
    let mut there = There::with_capacity(flags.len());
    for (flags, texts) in flags.chunks(BLOCK_ROWS).zip(texts.chunks(BLOCK_ROWS)) {
        let mut word = 0;
        for (at, (flags, number)) in flags.iter().zip(texts).enumerate() {
            let value = value(*flags, *number);
            word |= u64::from(value.is_some()) << at;
            then(value);
        }
        there.push(word, flags.len());
    }
    there
}

/// Numbers of each row of messages, as [`of_texts`].
#[inline(always)]
fn ints(rows: (&[Flags], &[u32]), value: impl Fn(Flags, u32) -> Option<i32> + Copy) -> ArrayRef {
    let mut values = Vec::with_capacity(rows.0.len());
    let there = of_texts(rows, value, |value| values.push(value.unwrap_or_default()));
    numbers_or_null::<Int32Type>(values, there.nulls())
}

/// The arrays of messages, whose times are all of a day if one is given.
pub(super) fn messages(
    rows: &mut Blocks<MessageBlock>,
    date: Option<Day>,
    alike: &mut Alike,
    strings: &Strings,
    shapes: &TextShapes,
) -> Vec<ArrayRef> {
    let (common, own) = rows.whole();
    let flags = std::mem::take(&mut common.flags);
    let mut arrays = Arrays::new(alike, strings, &flags);
    let regimes = arrays.regimes(&common.time, date);
    let mut columns = arrays.common(common);
    columns.extend([
        arrays.ints(&own.direction),
        arrays.ints(&own.kind),
        arrays.ints_or_null(&own.interactive, INTERACTIVE),
        arrays.ints_or_null(&own.voice, VOICE),
        countries(&own.country, arrays.nulls(COUNTRY), arrays.alike),
        arrays.ints(&own.is_reply),
        arrays.ints(&own.has_referral),
        regimes,
    ]);
    columns.extend(texts(&mut arrays, &own.text, shapes));
    common.flags = flags;
    columns
}

/// The arrays of messages' texts.
fn texts(arrays: &mut Arrays<'_>, texts: &[u32], shapes: &TextShapes) -> [ArrayRef; 9] {
    let rows = (arrays.flags, texts);
    let chars = |flags, number: u32| (flags & CHARS != 0).then(|| number.cast_signed());
    if shapes.is_empty() {
        // All but the characters are missing.
        let nulls = arrays.alike.null_numbers::<Int32Type>(texts.len());
        let null = || Arc::clone(&nulls);
        let chars = if arrays.lack(CHARS) { null() } else { ints(rows, chars) };
        let tokens = arrays.alike.null_lists(texts.len());
        let skeletons = arrays.alike.null_numbers::<Int64Type>(texts.len());
        return [chars, null(), null(), null(), null(), null(), tokens, skeletons, null()];
    }
    let shape = |flags: Flags, number| {
        if flags & TEXT == 0 { None } else { shapes.get(number) }
    };
    let shape_int = |value: fn(&TextShape) -> Option<i32>| {
        ints(rows, |flags, number| shape(flags, number).and_then(value))
    };
    let mut tokens = Lists::with_capacity(texts.len());
    let list = |flags, number| shape(flags, number).and_then(|shape| shapes.tokens(shape));
    let there_tokens = of_texts(rows, list, |list| tokens.push(list));
    let mut skeletons = Vec::with_capacity(texts.len());
    let skeleton = |flags, number| shape(flags, number).and_then(|shape| shape.skeleton);
    let there = of_texts(rows, skeleton, |value| skeletons.push(value.unwrap_or_default()));
    [
        ints(rows, |flags, number| {
            chars(flags, number).or_else(|| shape(flags, number).and_then(|shape| shape.chars))
        }),
        shape_int(|shape| shape.bytes),
        shape_int(|shape| shape.words),
        shape_int(|shape| shape.lines),
        shape_int(|shape| shape.script),
        shape_int(|shape| shape.text_bits),
        tokens.finish(there_tokens),
        numbers_or_null::<Int64Type>(skeletons, there.nulls()),
        shape_int(|shape| shape.text_bucket),
    ]
}

/// The arrays of statuses, whose times are all of a day.
pub(super) fn statuses(
    rows: &mut Blocks<StatusBlock>,
    date: Day,
    alike: &mut Alike,
    strings: &Strings,
) -> Vec<ArrayRef> {
    let (common, own) = rows.whole();
    let flags = std::mem::take(&mut common.flags);
    let mut arrays = Arrays::new(alike, strings, &flags);
    let regimes = arrays.regimes(&common.time, Some(date));
    let mut columns = arrays.common(common);
    columns.extend([
        regimes,
        arrays.ints(&own.status),
        arrays.ints_or_null(&own.category, CATEGORY),
        arrays.ints_or_null(&own.conversation_origin, CONVERSATION_ORIGIN),
        arrays.ints_or_null(&own.pricing_type, PRICING_TYPE),
        arrays.ints_or_null(&own.pricing_model, PRICING_MODEL),
        arrays.long_or_null(&mut own.error_code, ERROR_CODE),
    ]);
    common.flags = flags;
    columns
}
