//! Rows of `events` as compact records, and the order in which one sender's are looked at.

use std::ops::Range;

use turnwise_model::codes::text_bits;
use turnwise_model::{Direction, EventKind, MessageKind, Millis, Script, Status};

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
    pub piece: u32,
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

    /// The row with the place of its source among all instead of the source's number.
    pub fn ranked(&self, ranks: &[u32]) -> Self {
        Self { source: ranks.get(self.source as usize).copied().unwrap_or_default(), ..*self }
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

/// Keys whose memory is kept for the next sender.
const KEYS_KEPT: usize = 1 << 16;
/// Rows of a piece.
const PIECE_ROWS: usize = 1 << 16;
/// Pieces whose memory is kept for the rows of the next sender.
const PIECES_SPARE: usize = 8;

/// Rows in pieces that never move while they grow, and the tokens that they point to. A row's
/// number says its piece and its place there.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pieces: Vec<Piece>,
    /// Pieces that hold rows; those behind are empty.
    used: usize,
}

#[derive(Debug, Default)]
struct Piece {
    rows: Vec<Row>,
    tokens: Vec<i32>,
}

impl Rows {
    /// Adds the row that is read, with its tokens, and returns its number.
    pub fn add(&mut self, read: impl FnOnce(&mut Vec<i32>) -> Row) -> u32 {
        let is_full = |piece: &Piece| piece.rows.len() == PIECE_ROWS;
        if self.used == 0 || self.pieces.get(self.used - 1).is_none_or(is_full) {
            self.next_piece();
        }
        let at = self.used - 1;
        let piece = &mut self.pieces[at];
        let row = read(&mut piece.tokens);
        let number = at * PIECE_ROWS + piece.rows.len();
        piece.rows.push(Row { piece: u32::try_from(at).unwrap_or(u32::MAX), ..row });
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// What is added from here on lies in pieces of its own. Returns how many there are before.
    pub fn next_piece(&mut self) -> usize {
        let before = self.used;
        if self.pieces.len() == before {
            let mut piece = Piece::default();
            if before > 0 {
                piece.rows.reserve_exact(PIECE_ROWS);
            }
            self.pieces.push(piece);
        }
        self.used += 1;
        before
    }

    /// Empties all pieces from one on.
    pub fn truncate(&mut self, pieces: usize) {
        self.pieces.truncate(pieces + PIECES_SPARE);
        for piece in &mut self.pieces[pieces..] {
            piece.rows.clear();
            piece.tokens.clear();
        }
        self.used = pieces;
    }

    pub fn row(&self, number: u32) -> &Row {
        &self.pieces[number as usize / PIECE_ROWS].rows[number as usize % PIECE_ROWS]
    }

    pub fn tokens_of(&self, row: &Row) -> &[i32] {
        let start = row.tokens_start as usize;
        &self.pieces[row.piece as usize].tokens[start..start + usize::from(row.tokens_len)]
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let of = |piece: &Piece| {
            piece.rows.capacity() * size_of::<Row>() + piece.tokens.capacity() * size_of::<i32>()
        };
        self.pieces.iter().map(of).sum()
    }
}

/// One sender's rows in [`Row::order`].
#[derive(Debug, Default)]
pub(super) struct Ordered {
    keys: Vec<Key>,
    /// The rows of these keys, copied beside each other.
    window: Vec<Row>,
    of: Range<usize>,
}

/// What nearly always decides the place of a row: time and direction in one number, and the
/// pseudonym.
#[derive(Clone, Copy, Debug)]
struct Key {
    time_and_direction: i64,
    message: i64,
    row: u32,
}

impl Ordered {
    /// What a row takes at most while it is put in order: its key, and its copy in a list that has
    /// room for twice as many once it has grown.
    pub const ROW_BYTES: usize = size_of::<Key>() + 2 * size_of::<Row>();

    /// Puts so many rows in order; `ranks` are the places of the sources among each other.
    pub fn sort(
        &mut self,
        rows: &Rows,
        count: usize,
        numbers: impl Iterator<Item = u32>,
        ranks: &[u32],
    ) {
        self.keys.clear();
        self.window.clear();
        self.of = 0..0;
        self.keys.reserve_exact(count);
        self.keys.extend(numbers.map(|number| {
            let row = rows.row(number);
            let time_and_direction = row.time_ms * 4 + i64::from(row.direction - ABSENT);
            Key { time_and_direction, message: row.message, row: number }
        }));
        let order = |key: &Key| rows.row(key.row).ranked(ranks).order();
        self.keys.sort_unstable_by(|a, b| {
            (a.time_and_direction, a.message)
                .cmp(&(b.time_and_direction, b.message))
                .then_with(|| order(a).cmp(&order(b)))
        });
        let kept = KEYS_KEPT.max(2 * self.keys.len());
        self.keys.shrink_to(kept);
        self.window.shrink_to(kept);
    }

    /// All rows, where they lie.
    pub fn all<'a>(&'a self, rows: &'a Rows) -> impl ExactSizeIterator<Item = &'a Row> {
        self.keys.iter().map(|key| rows.row(key.row))
    }

    /// Times of the first and the last row, in milliseconds.
    pub fn times(&self) -> Option<(i64, i64)> {
        Some((self.keys.first()?.time_ms(), self.keys.last()?.time_ms()))
    }

    /// Whether there are rows from a time on and before another.
    pub fn has_any(&self, from: Millis, to: Millis) -> bool {
        !self.between(from, to).is_empty()
    }

    /// The rows from a time on and before another; times never go back from call to call.
    pub fn window(&mut self, rows: &Rows, from: Millis, to: Millis, ranks: &[u32]) -> &[Row] {
        let of = self.between(from, to);
        if of.start < self.of.end {
            self.window.drain(..of.start - self.of.start);
        } else {
            self.window.clear();
        }
        let held = of.start + self.window.len();
        let new = &self.keys[held..of.end.max(held)];
        self.window.extend(new.iter().map(|key| rows.row(key.row).ranked(ranks)));
        self.of = of;
        &self.window
    }

    fn between(&self, from: Millis, to: Millis) -> Range<usize> {
        let start = self.keys.partition_point(|key| key.time_ms() < from.0);
        let end = self.keys.partition_point(|key| key.time_ms() < to.0);
        start..end
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.keys.capacity() * size_of::<Key>() + self.window.capacity() * size_of::<Row>()
    }
}

impl Key {
    const fn time_ms(&self) -> i64 {
        self.time_and_direction >> 2
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
