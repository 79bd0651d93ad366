//! Rows of `events` as compact records, and the order in which one sender's are looked at.

use turnwise_model::codes::text_bits;
use turnwise_model::{Direction, EventKind, MessageKind, Script, Status};

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

/// Some rows and the tokens that they point to.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub rows: Vec<Row>,
    pub tokens: Vec<i32>,
}

impl Rows {
    pub fn tokens_of(&self, row: &Row) -> &[i32] {
        let start = row.tokens_start as usize;
        &self.tokens[start..start + usize::from(row.tokens_len)]
    }

    /// Adds a row of others.
    pub fn copy(&mut self, others: &Self, row: &Row) {
        let tokens_start = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
        self.tokens.extend_from_slice(others.tokens_of(row));
        self.rows.push(Row { tokens_start, ..*row });
    }

    pub fn clear(&mut self) {
        self.rows.clear();
        self.tokens.clear();
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.tokens.capacity() * size_of::<i32>()
    }
}

/// Puts one sender's rows in [`Row::order`]: small keys are sorted, then each row is moved once.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    keys: Vec<Key>,
    moved: Vec<Row>,
}

/// What nearly always decides the place of a row: time and direction in one number, and the
/// pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time_and_direction: i64,
    message: i64,
    row: u32,
}

impl Sorter {
    pub fn sort(&mut self, rows: &mut Vec<Row>) {
        let key = |(at, row): (u32, &Row)| Key {
            time_and_direction: row.time_ms * 4 + i64::from(row.direction - ABSENT),
            message: row.message,
            row: at,
        };
        self.keys.clear();
        self.keys.extend((0..).zip(rows.iter()).map(key));
        self.keys.sort_unstable_by(|a, b| {
            (a.time_and_direction, a.message)
                .cmp(&(b.time_and_direction, b.message))
                .then_with(|| rows[a.row as usize].order().cmp(&rows[b.row as usize].order()))
        });
        self.moved.clear();
        self.moved.extend(self.keys.iter().map(|key| rows[key.row as usize]));
        std::mem::swap(rows, &mut self.moved);
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.keys.capacity() * size_of::<Key>() + self.moved.capacity() * size_of::<Row>()
    }
}

/// Texts by number: each once, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub names: Vec<String>,
    codes: hashbrown::HashMap<String, u32>,
    last: u32,
}

impl Names {
    /// The number of a text. Rows that follow each other mostly have the same one.
    pub fn code(&mut self, name: &str) -> u32 {
        if self.names.get(self.last as usize).is_some_and(|last| last == name) {
            return self.last;
        }
        self.last = match self.codes.get(name) {
            Some(code) => *code,
            None => {
                let code = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.push(name.to_owned());
                self.codes.insert(name.to_owned(), code);
                code
            }
        };
        self.last
    }

    /// The numbers in the order of their texts.
    pub fn in_order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..u32::try_from(self.names.len()).unwrap_or(0)).collect();
        order.sort_unstable_by(|a, b| self.names[*a as usize].cmp(&self.names[*b as usize]));
        order
    }

    /// For each number the place of its text among all.
    pub fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.names.len()];
        for (rank, code) in (0..).zip(self.in_order()) {
            ranks[code as usize] = rank;
        }
        ranks
    }

    /// Bytes held, about.
    pub fn size(&self) -> usize {
        self.names.capacity() * 96
    }
}

/// Whether a text has markdown emphasis, heading, code span or a list.
pub(super) fn is_markdown(row: &Row) -> bool {
    row.bit(text_bits::MARKDOWN) || row.bit(text_bits::LIST)
}
