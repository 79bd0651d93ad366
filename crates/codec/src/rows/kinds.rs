//! Blocks of messages and of statuses, and their columns.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Int32Type, Int64Type};

use super::blocks::{
    BLOCK_ROWS, Block, CommonBlock, Flags, MESSAGE, PEER_PHONE, PEER_USER, Values, Whole, flag,
    small,
};
use super::column::{Lists, There, countries, null_lists, null_numbers, numbers_or_null};
use super::{MessageRow, StatusRow, Strings, TextColumns};
use crate::shapes::{TextShape, TextShapes};

/// Sixty-four messages.
#[derive(Debug)]
pub(super) struct MessageBlock {
    common: CommonBlock,
    direction: Values<u8>,
    kind: Values<u8>,
    interactive: Values<u8>,
    voice: Values<u8>,
    country: Values<[u8; 2]>,
    is_reply: Values<u8>,
    has_referral: Values<u8>,
    /// The number of a text, or characters.
    text: Values<u32>,
}

/// Sixty-four statuses.
#[derive(Debug)]
pub(super) struct StatusBlock {
    common: CommonBlock,
    status: Values<u8>,
    category: Values<u8>,
    conversation_origin: Values<u8>,
    pricing_type: Values<u8>,
    pricing_model: Values<u8>,
    error_code: Values<i64>,
}

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

impl Default for MessageBlock {
    fn default() -> Self {
        let codes = [0; BLOCK_ROWS];
        Self {
            common: CommonBlock::default(),
            direction: codes,
            kind: codes,
            interactive: codes,
            voice: codes,
            country: [[0; 2]; BLOCK_ROWS],
            is_reply: codes,
            has_referral: codes,
            text: [0; BLOCK_ROWS],
        }
    }
}

impl Default for StatusBlock {
    fn default() -> Self {
        let codes = [0; BLOCK_ROWS];
        Self {
            common: CommonBlock::default(),
            status: codes,
            category: codes,
            conversation_origin: codes,
            pricing_type: codes,
            pricing_model: codes,
            error_code: [0; BLOCK_ROWS],
        }
    }
}

impl Block for MessageBlock {
    type Row = MessageRow;

    #[inline(always)]
    fn put(&mut self, at: usize, row: &MessageRow) {
        let at = at % BLOCK_ROWS;
        let (text, text_flag) = match row.text {
            TextColumns::None => (0, 0),
            TextColumns::Chars(chars) => (chars.cast_unsigned(), CHARS),
            TextColumns::Text(number) => (number, TEXT),
        };
        let flags = flag(row.interactive.is_some(), INTERACTIVE)
            | flag(row.voice.is_some(), VOICE)
            | flag(row.country.is_some(), COUNTRY)
            | text_flag;
        self.common.put(at, &row.common, (row.origin, row.in_group), flags);
        self.direction[at] = small(row.direction.code());
        self.kind[at] = small(row.kind.code());
        self.interactive[at] = row.interactive.map_or(0, |kind| small(kind.code()));
        self.voice[at] = u8::from(row.voice == Some(true));
        self.country[at] = row.country.unwrap_or_default();
        self.is_reply[at] = u8::from(row.is_reply);
        self.has_referral[at] = u8::from(row.has_referral);
        self.text[at] = text;
    }

    fn common(&self) -> &CommonBlock {
        &self.common
    }
}

impl Block for StatusBlock {
    type Row = StatusRow;

    #[inline(always)]
    fn put(&mut self, at: usize, row: &StatusRow) {
        let at = at % BLOCK_ROWS;
        let flags = flag(row.category.is_some(), CATEGORY)
            | flag(row.conversation_origin.is_some(), CONVERSATION_ORIGIN)
            | flag(row.pricing_type.is_some(), PRICING_TYPE)
            | flag(row.pricing_model.is_some(), PRICING_MODEL)
            | flag(row.error_code.is_some(), ERROR_CODE);
        self.common.put(at, &row.common, (row.origin, row.in_group), flags);
        self.status[at] = small(row.status.code());
        self.category[at] = row.category.map_or(0, |category| small(category.code()));
        self.conversation_origin[at] =
            row.conversation_origin.map_or(0, |category| small(category.code()));
        self.pricing_type[at] = row.pricing_type.map_or(0, |kind| small(kind.code()));
        self.pricing_model[at] = row.pricing_model.map_or(0, |model| small(model.code()));
        self.error_code[at] = row.error_code.unwrap_or_default();
    }

    fn common(&self) -> &CommonBlock {
        &self.common
    }
}

/// Values of each row of messages, of the flags and of the number of its text.
#[inline(always)]
fn of_texts<'a, T>(
    all: Whole<'a, MessageBlock>,
    value: impl Fn(Flags, u32) -> Option<T> + Copy,
    mut then: impl FnMut(Option<T>),
) -> There {
    let mut there = There::with_capacity(all.rows);
    for (block, rows) in all.blocks() {
        let mut word = 0;
        let texts = block.common.flags().iter().zip(&block.text).take(rows);
        for (at, (flags, number)) in texts.enumerate() {
            let value = value(*flags, *number);
            word |= u64::from(value.is_some()) << at;
            then(value);
        }
        there.push(word, rows);
    }
    there
}

/// Numbers of each row of messages, as [`of_texts`].
#[inline(always)]
fn ints(
    all: Whole<'_, MessageBlock>,
    value: impl Fn(Flags, u32) -> Option<i32> + Copy,
) -> ArrayRef {
    let mut values = Vec::with_capacity(all.rows);
    let there = of_texts(all, value, |value| values.push(value.unwrap_or_default()));
    numbers_or_null::<Int32Type>(values, there)
}

/// The columns of messages.
pub(super) fn messages(
    all: Whole<'_, MessageBlock>,
    strings: &Strings,
    shapes: &TextShapes,
) -> Vec<ArrayRef> {
    let mut columns = all.common(strings);
    columns.extend([
        all.ints(|block| &block.direction),
        all.ints(|block| &block.kind),
        all.ints_or_null(|block| &block.interactive, INTERACTIVE),
        all.ints_or_null(|block| &block.voice, VOICE),
        countries(&all.values(|block| &block.country, |country| country), all.there(COUNTRY)),
        all.ints(|block| &block.is_reply),
        all.ints(|block| &block.has_referral),
        all.regimes(),
    ]);
    columns.extend(texts(all, shapes));
    columns
}

/// The columns of messages' texts.
fn texts(all: Whole<'_, MessageBlock>, shapes: &TextShapes) -> [ArrayRef; 9] {
    let chars = |flags, number: u32| (flags & CHARS != 0).then(|| number.cast_signed());
    if shapes.is_empty() {
        let chars = ints(all, chars);
        // All others are one and the same.
        let nulls = null_numbers::<Int32Type>(all.rows);
        let null = || Arc::clone(&nulls);
        let (tokens, skeletons) = (null_lists(all.rows), null_numbers::<Int64Type>(all.rows));
        return [chars, null(), null(), null(), null(), null(), tokens, skeletons, null()];
    }
    let shape = |flags: Flags, number| {
        if flags & TEXT == 0 { None } else { shapes.get(number) }
    };
    let shape_int = |value: fn(&TextShape) -> Option<i32>| {
        ints(all, |flags, number| shape(flags, number).and_then(value))
    };
    let mut tokens = Lists::with_capacity(all.rows);
    let list = |flags, number| shape(flags, number).and_then(|shape| shapes.tokens(shape));
    let there_tokens = of_texts(all, list, |list| tokens.push(list));
    let mut skeletons = Vec::with_capacity(all.rows);
    let skeleton = |flags, number| shape(flags, number).and_then(|shape| shape.skeleton);
    let there = of_texts(all, skeleton, |value| skeletons.push(value.unwrap_or_default()));
    [
        ints(all, |flags, number| {
            chars(flags, number).or_else(|| shape(flags, number).and_then(|shape| shape.chars))
        }),
        shape_int(|shape| shape.bytes),
        shape_int(|shape| shape.words),
        shape_int(|shape| shape.lines),
        shape_int(|shape| shape.script),
        shape_int(|shape| shape.text_bits),
        tokens.finish(there_tokens),
        numbers_or_null::<Int64Type>(skeletons, there),
        shape_int(|shape| shape.text_bucket),
    ]
}

/// The columns of statuses.
pub(super) fn statuses(all: Whole<'_, StatusBlock>, strings: &Strings) -> Vec<ArrayRef> {
    let mut columns = all.common(strings);
    columns.extend([
        all.regimes(),
        all.ints(|block| &block.status),
        all.ints_or_null(|block| &block.category, CATEGORY),
        all.ints_or_null(|block| &block.conversation_origin, CONVERSATION_ORIGIN),
        all.ints_or_null(|block| &block.pricing_type, PRICING_TYPE),
        all.ints_or_null(|block| &block.pricing_model, PRICING_MODEL),
        numbers_or_null::<Int64Type>(
            all.values(|block| &block.error_code, |code| code),
            all.there(ERROR_CODE),
        ),
    ]);
    columns
}
