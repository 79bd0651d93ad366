//! A batch of `events` as the fold reads it: its columns looked up once.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use turnwise_model::schema::column;
use turnwise_model::{Category, Direction, EventKind, Millis};

use super::rows::{ABSENT, Names, Row, Rows, mark};

/// A batch of one kind of rows. Columns are found by name; absent ones are null.
#[derive(Debug)]
pub struct Input {
    senders: StringArray,
    times: TimestampMicrosecondArray,
    sources: Option<StringArray>,
    reader: Reader,
}

impl Input {
    /// Looks the columns up. `None` where no row can matter: of another kind than messages,
    /// statuses and account rows, or without senders or times.
    #[must_use]
    pub fn new(kind: EventKind, batch: &RecordBatch) -> Option<Self> {
        if !matches!(kind, EventKind::Message | EventKind::Status | EventKind::Account) {
            return None;
        }
        let columns = Columns(batch);
        let times = batch.column_by_name(column::TIME)?;
        Some(Self {
            senders: columns.string(column::SENDER)?,
            times: times.as_primitive_opt::<TimestampMicrosecondType>()?.clone(),
            sources: columns.string(column::SOURCE),
            reader: Reader::new(kind, batch),
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.senders.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sender of a row; `None` where it has none.
    #[must_use]
    pub fn sender(&self, row: usize) -> Option<&str> {
        self.senders.is_valid(row).then(|| self.senders.value(row))
    }

    /// Where the rows end that begin at `row` and have its sender.
    #[must_use]
    pub fn run_end(&self, row: usize) -> usize {
        let sender = self.sender(row);
        (row + 1..self.len()).find(|row| self.sender(*row) != sender).unwrap_or(self.len())
    }

    /// Adds the rows in range that have a time in `within`; `added` learns their numbers.
    pub(super) fn read(
        &self,
        rows: Range<usize>,
        within: &Range<Millis>,
        sources: &mut Names,
        to: &mut Rows,
        added: &mut impl FnMut(u32),
    ) {
        for index in rows {
            let Some(at) = self.time(index).filter(|at| within.contains(at)) else { continue };
            let source = self.sources.as_ref().filter(|names| names.is_valid(index));
            let source = source.map_or(0, |names| sources.code(names.value(index)));
            added(to.add(|tokens| Row {
                time_ms: at.0,
                source,
                ..self.reader.read(index, tokens)
            }));
        }
    }

    fn time(&self, row: usize) -> Option<Millis> {
        self.times.is_valid(row).then(|| Millis::from_micros(self.times.value(row)))
    }
}

/// Columns of a batch by name, absent ones as `None`.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn string(&self, name: &str) -> Option<StringArray> {
        self.0.column_by_name(name)?.as_string_opt::<i32>().cloned()
    }

    fn int(&self, name: &str) -> Int {
        self.0.column_by_name(name)?.as_primitive_opt::<Int32Type>().cloned()
    }

    fn long(&self, name: &str) -> Long {
        self.0.column_by_name(name)?.as_primitive_opt::<Int64Type>().cloned()
    }
}

type Int = Option<Int32Array>;
type Long = Option<Int64Array>;

/// The typed columns of one batch, looked up once.
#[derive(Debug)]
struct Reader {
    kind: u8,
    message: Long,
    peer_phone: Long,
    peer_user: Long,
    skeleton: Long,
    offset: Long,
    narrow: [Int; 8],
    partition: Int,
    item: Int,
    in_group: Int,
    voice: Int,
    referral: Int,
    chars: Int,
    words: Int,
    text_bits: Int,
    conversation_origin: Int,
    tokens: Option<(ListArray, Int32Array)>,
    roles: [Option<StringArray>; 2],
}

impl Reader {
    fn new(kind: EventKind, batch: &RecordBatch) -> Self {
        let columns = Columns(batch);
        let tokens = batch.column_by_name(column::TOKENS).and_then(|array| {
            let list = array.as_list_opt::<i32>()?;
            Some((list.clone(), list.values().as_primitive_opt::<Int32Type>()?.clone()))
        });
        Self {
            kind: u8::try_from(kind.code()).unwrap_or(u8::MAX),
            message: columns.long(column::MESSAGE),
            peer_phone: columns.long(column::PEER_PHONE),
            peer_user: columns.long(column::PEER_USER),
            skeleton: columns.long(column::SKELETON),
            offset: columns.long(column::OFFSET),
            narrow: [
                column::DIRECTION,
                column::ORIGIN,
                column::MESSAGE_KIND,
                column::INTERACTIVE_TYPE,
                column::SCRIPT,
                column::STATUS,
                column::CATEGORY,
                column::PRICING_TYPE,
            ]
            .map(|name| columns.int(name)),
            partition: columns.int(column::PARTITION),
            item: columns.int(column::ITEM),
            in_group: columns.int(column::IN_GROUP),
            voice: columns.int(column::VOICE),
            referral: columns.int(column::HAS_REFERRAL),
            chars: columns.int(column::CHARS),
            words: columns.int(column::WORDS),
            text_bits: columns.int(column::TEXT_BITS),
            conversation_origin: columns.int(column::CONVERSATION_ORIGIN),
            tokens,
            roles: [column::ROLE_PREVIOUS, column::ROLE_NEW].map(|name| columns.string(name)),
        }
    }

    fn read(&self, index: usize, tokens: &mut Vec<i32>) -> Row {
        let (tokens_start, tokens_len) = self.read_tokens(index, tokens);
        let narrow = |at: usize| int(&self.narrow[at], index).map_or(ABSENT, narrow_code);
        Row {
            time_ms: 0,
            message: long(&self.message, index).unwrap_or_default(),
            peer_phone: long(&self.peer_phone, index).unwrap_or_default(),
            peer_user: long(&self.peer_user, index).unwrap_or_default(),
            skeleton: long(&self.skeleton, index).unwrap_or_default(),
            offset: long(&self.offset, index).unwrap_or_default(),
            source: 0,
            partition: int(&self.partition, index).unwrap_or_default(),
            item: int(&self.item, index).unwrap_or_default(),
            chars: int(&self.chars, index).unwrap_or(-1),
            words: int(&self.words, index).unwrap_or(-1),
            piece: 0,
            tokens_start,
            marks: self.marks(index),
            text_bits: u16::try_from(int(&self.text_bits, index).unwrap_or_default())
                .unwrap_or_default(),
            tokens_len,
            kind: self.kind,
            direction: int(&self.narrow[0], index)
                .filter(|code| Direction::from_code(*code).is_some())
                .map_or(ABSENT, narrow_code),
            origin: narrow(1),
            message_kind: narrow(2),
            interactive: narrow(3),
            script: narrow(4),
            status: narrow(5),
            category: narrow(6),
            pricing_type: narrow(7),
        }
    }

    fn marks(&self, index: usize) -> u16 {
        let ai = self
            .roles
            .iter()
            .flatten()
            .any(|role| !role.is_null(index) && role.value(index) == "ai_agent");
        let general_purpose = Category::GeneralPurposeAi.code();
        [
            (mark::IN_GROUP, int(&self.in_group, index) == Some(1)),
            (mark::VOICE, int(&self.voice, index) == Some(1)),
            (mark::REFERRAL, int(&self.referral, index) == Some(1)),
            (mark::HAS_PHONE, long(&self.peer_phone, index).is_some()),
            (mark::HAS_USER, long(&self.peer_user, index).is_some()),
            (mark::HAS_TEXT, int(&self.words, index).is_some()),
            (mark::AI_ORIGIN, int(&self.conversation_origin, index) == Some(general_purpose)),
            (mark::FROM_OR_TO_AI, ai),
        ]
        .into_iter()
        .fold(0, |marks, (mark, set)| if set { marks | mark } else { marks })
    }

    fn read_tokens(&self, index: usize, tokens: &mut Vec<i32>) -> (u32, u8) {
        let start = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let Some((list, values)) = self.tokens.as_ref().filter(|(list, _)| !list.is_null(index))
        else {
            return (start, 0);
        };
        let offsets = list.value_offsets();
        let range = offsets[index] as usize..offsets[index + 1] as usize;
        let kept = range.len().min(turnwise_model::limits::TEXT_TOKENS_MAX);
        tokens.extend_from_slice(&values.values()[range.start..range.start + kept]);
        (start, u8::try_from(kept).unwrap_or_default())
    }
}

fn narrow_code(code: i32) -> i8 {
    i8::try_from(code).unwrap_or(ABSENT)
}

fn int(column: &Int, index: usize) -> Option<i32> {
    column.as_ref().filter(|array| !array.is_null(index)).map(|array| array.value(index))
}

fn long(column: &Long, index: usize) -> Option<i64> {
    column.as_ref().filter(|array| !array.is_null(index)).map(|array| array.value(index))
}
