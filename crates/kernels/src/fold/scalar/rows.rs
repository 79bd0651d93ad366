//! The rows of `events` that a fold holds, as compact records: read from Arrow batches once,
//! ordered by (sender, time, inbound first, pseudonym, position), then only looked at.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use turnwise_model::codes::text_bits;
use turnwise_model::schema::column;
use turnwise_model::{Category, Direction, EventKind, MessageKind, Millis, Script, Status};

/// Marks of a [`Row`].
pub(super) mod mark {
    pub const IN_GROUP: u16 = 1;
    pub const VOICE: u16 = 1 << 1;
    pub const REFERRAL: u16 = 1 << 2;
    pub const HAS_PHONE: u16 = 1 << 3;
    pub const HAS_USER: u16 = 1 << 4;
    pub const HAS_TEXT: u16 = 1 << 5;
    pub const AI_ORIGIN: u16 = 1 << 6;
    pub const FROM_OR_TO_AI: u16 = 1 << 7;
}

/// A value of a narrow column that is null.
pub(super) const ABSENT: i8 = -1;

/// One message, status or account row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub time_ms: i64,
    pub message: i64,
    pub peer_phone: i64,
    pub peer_user: i64,
    pub skeleton: i64,
    pub offset: i64,
    pub sender: u32,
    pub source: u32,
    pub partition: i32,
    pub item: i32,
    pub chars: i32,
    pub words: i32,
    pub tokens_start: u32,
    pub marks: u16,
    pub text_bits: u16,
    pub tokens_len: u8,
    pub kind: u8,
    pub direction: i8,
    pub origin: i8,
    pub message_kind: i8,
    pub interactive: i8,
    pub script: i8,
    pub status: i8,
    pub category: i8,
    pub pricing_type: i8,
}

impl Row {
    pub fn has(&self, mark: u16) -> bool {
        self.marks & mark != 0
    }

    pub fn is(&self, kind: EventKind) -> bool {
        i32::from(self.kind) == kind.code()
    }

    pub fn message_kind(&self) -> MessageKind {
        MessageKind::from_code(self.message_kind.into()).unwrap_or(MessageKind::Unknown)
    }

    pub fn is_status(&self, status: Status) -> bool {
        self.is(EventKind::Status) && i32::from(self.status) == status.code()
    }

    pub fn is_outbound(&self) -> bool {
        i32::from(self.direction) == Direction::Outbound.code()
    }

    /// Whether its script is written without spaces; `None` where the script is unknown.
    pub fn is_bigram(&self) -> Option<bool> {
        if self.has(mark::HAS_TEXT) {
            Script::from_code(self.script.into()).map(Script::is_bigram)
        } else {
            None
        }
    }

    pub fn bit(&self, bit: i32) -> bool {
        i32::from(self.text_bits) & bit != 0
    }

    /// The total order of rows: time, inbound first, pseudonym, position.
    pub fn order(&self) -> (i64, i8, i64, u32, i32, i64, i32) {
        (
            self.time_ms,
            self.direction,
            self.message,
            self.source,
            self.partition,
            self.offset,
            self.item,
        )
    }
}

/// All rows of a fold, and the strings and tokens that they point to.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub rows: Vec<Row>,
    pub tokens: Vec<i32>,
    pub senders: Vec<String>,
    sender_codes: HashMap<String, u32>,
    sources: Vec<String>,
    source_codes: HashMap<String, u32>,
}

impl Rows {
    /// Adds the rows of a batch that name a sender and a time in range. Others are no part of any
    /// conversation. Columns that the batch lacks read as null.
    pub fn push(&mut self, kind: EventKind, batch: &RecordBatch, range: &Range<Millis>) {
        let columns = Columns::new(batch);
        let Some(sender) = columns.string(column::SENDER) else { return };
        let sources = columns.string(column::SOURCE);
        let time = batch
            .column_by_name(column::TIME)
            .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        let Some(time) = time else { return };
        let reader = RowReader::new(&columns, kind);
        for index in 0..batch.num_rows() {
            if time.is_null(index) || sender.is_null(index) {
                continue;
            }
            let at = Millis::from_micros(time.value(index));
            if !range.contains(&at) {
                continue;
            }
            let mut row = reader.read(index, &mut self.tokens);
            row.time_ms = at.0;
            row.sender = intern(&mut self.senders, &mut self.sender_codes, sender.value(index));
            if let Some(names) = sources.filter(|names| !names.is_null(index)) {
                row.source = intern(&mut self.sources, &mut self.source_codes, names.value(index));
            }
            self.rows.push(row);
        }
    }

    /// Orders the rows by sender (by name) and within a sender by [`Row::order`].
    pub fn sort(&mut self) {
        let senders = ranks(&mut self.senders);
        let sources = ranks(&mut self.sources);
        self.sender_codes.clear();
        self.source_codes.clear();
        for row in &mut self.rows {
            row.sender = senders[row.sender as usize];
            row.source = sources.get(row.source as usize).copied().unwrap_or_default();
        }
        self.rows.sort_unstable_by(|a, b| {
            a.sender.cmp(&b.sender).then_with(|| a.order().cmp(&b.order()))
        });
    }

    pub fn tokens_of(&self, row: &Row) -> &[i32] {
        let start = row.tokens_start as usize;
        &self.tokens[start..start + usize::from(row.tokens_len)]
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
            + self.tokens.capacity() * size_of::<i32>()
            + (self.senders.capacity() + self.sources.capacity()) * 96
    }
}

fn intern(names: &mut Vec<String>, codes: &mut HashMap<String, u32>, name: &str) -> u32 {
    if let Some(code) = codes.get(name) {
        return *code;
    }
    let code = u32::try_from(names.len()).unwrap_or(u32::MAX);
    names.push(name.to_owned());
    codes.insert(name.to_owned(), code);
    code
}

/// Sorts the names and returns for each old code the new one, its rank.
fn ranks(names: &mut Vec<String>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(names.len()).unwrap_or(u32::MAX)).collect();
    order.sort_unstable_by(|a, b| names[*a as usize].cmp(&names[*b as usize]));
    let mut ranks = vec![0; names.len()];
    for (rank, code) in (0..).zip(&order) {
        ranks[*code as usize] = rank;
    }
    *names = order.iter().map(|code| std::mem::take(&mut names[*code as usize])).collect();
    ranks
}

/// Columns of a batch by name, absent ones as `None`.
struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    fn new(batch: &'a RecordBatch) -> Self {
        Self(batch)
    }

    fn string(&self, name: &str) -> Option<&'a arrow_array::StringArray> {
        self.0.column_by_name(name)?.as_string_opt::<i32>()
    }

    fn int(&self, name: &str) -> Option<&'a arrow_array::Int32Array> {
        self.0.column_by_name(name)?.as_primitive_opt::<Int32Type>()
    }

    fn long(&self, name: &str) -> Option<&'a arrow_array::Int64Array> {
        self.0.column_by_name(name)?.as_primitive_opt::<Int64Type>()
    }
}

type Int<'a> = Option<&'a arrow_array::Int32Array>;
type Long<'a> = Option<&'a arrow_array::Int64Array>;

/// The typed columns of one batch, looked up once.
struct RowReader<'a> {
    kind: u8,
    message: Long<'a>,
    peer_phone: Long<'a>,
    peer_user: Long<'a>,
    skeleton: Long<'a>,
    offset: Long<'a>,
    narrow: [Int<'a>; 8],
    partition: Int<'a>,
    item: Int<'a>,
    in_group: Int<'a>,
    voice: Int<'a>,
    referral: Int<'a>,
    chars: Int<'a>,
    words: Int<'a>,
    text_bits: Int<'a>,
    conversation_origin: Int<'a>,
    tokens: Option<(&'a arrow_array::ListArray, &'a arrow_array::Int32Array)>,
    roles: [Option<&'a arrow_array::StringArray>; 2],
}

impl<'a> RowReader<'a> {
    fn new(columns: &Columns<'a>, kind: EventKind) -> Self {
        let tokens = columns.0.column_by_name(column::TOKENS).and_then(|array| {
            let list = array.as_list_opt::<i32>()?;
            Some((list, list.values().as_primitive_opt::<Int32Type>()?))
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
        let narrow = |at: usize| int(self.narrow[at], index).map_or(ABSENT, narrow_code);
        Row {
            time_ms: 0,
            message: long(self.message, index).unwrap_or_default(),
            peer_phone: long(self.peer_phone, index).unwrap_or_default(),
            peer_user: long(self.peer_user, index).unwrap_or_default(),
            skeleton: long(self.skeleton, index).unwrap_or_default(),
            offset: long(self.offset, index).unwrap_or_default(),
            sender: 0,
            source: 0,
            partition: int(self.partition, index).unwrap_or_default(),
            item: int(self.item, index).unwrap_or_default(),
            chars: int(self.chars, index).unwrap_or(-1),
            words: int(self.words, index).unwrap_or(-1),
            tokens_start,
            marks: self.marks(index),
            text_bits: u16::try_from(int(self.text_bits, index).unwrap_or_default())
                .unwrap_or_default(),
            tokens_len,
            kind: self.kind,
            direction: narrow(0),
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
            (mark::IN_GROUP, int(self.in_group, index) == Some(1)),
            (mark::VOICE, int(self.voice, index) == Some(1)),
            (mark::REFERRAL, int(self.referral, index) == Some(1)),
            (mark::HAS_PHONE, long(self.peer_phone, index).is_some()),
            (mark::HAS_USER, long(self.peer_user, index).is_some()),
            (mark::HAS_TEXT, int(self.words, index).is_some()),
            (mark::AI_ORIGIN, int(self.conversation_origin, index) == Some(general_purpose)),
            (mark::FROM_OR_TO_AI, ai),
        ]
        .into_iter()
        .fold(0, |marks, (mark, set)| if set { marks | mark } else { marks })
    }

    fn read_tokens(&self, index: usize, tokens: &mut Vec<i32>) -> (u32, u8) {
        let start = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        let Some((list, values)) = self.tokens.filter(|(list, _)| !list.is_null(index)) else {
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

fn int(column: Int<'_>, index: usize) -> Option<i32> {
    column.filter(|array| !array.is_null(index)).map(|array| array.value(index))
}

fn long(column: Long<'_>, index: usize) -> Option<i64> {
    column.filter(|array| !array.is_null(index)).map(|array| array.value(index))
}

/// Whether a text has markdown emphasis, heading, code span or a list.
pub(super) fn is_markdown(row: &Row) -> bool {
    row.bit(text_bits::MARKDOWN) || row.bit(text_bits::LIST)
}
