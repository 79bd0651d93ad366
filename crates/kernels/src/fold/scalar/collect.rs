//! Rows in any order, until all have come: kept in pieces that never move, then dealt out sender by
//! sender.

use std::ops::Range;

use turnwise_model::Millis;

use super::input::Input;
use super::rows::{Names, Rows};

/// Rows of a piece.
const PIECE_ROWS: usize = 1 << 16;

/// Rows of many senders.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pieces: Vec<Rows>,
    /// The sender of each row, in the order of the rows.
    senders: Vec<u32>,
    names: Names,
}

/// [`Collected`] rows by sender, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct BySender {
    pieces: Vec<Rows>,
    names: Vec<String>,
    /// Numbers of rows, those of one sender beside each other.
    rows: Vec<u32>,
    /// Senders that are not dealt out yet: number of the name, and where its rows end in `rows`;
    /// the next one last.
    waiting: Vec<(u32, usize)>,
    dealt: usize,
    bytes: usize,
}

impl Collected {
    pub fn push(&mut self, input: &Input, within: &Range<Millis>, sources: &mut Names) {
        for row in 0..input.len() {
            let Some(sender) = input.sender(row) else { continue };
            if self.pieces.last().is_none_or(|piece| piece.rows.len() == PIECE_ROWS) {
                let mut piece = Rows::default();
                if !self.pieces.is_empty() {
                    piece.rows.reserve_exact(PIECE_ROWS);
                }
                self.pieces.push(piece);
            }
            let Some(piece) = self.pieces.last_mut() else { return };
            let before = piece.rows.len();
            input.read(row..row + 1, within, sources, piece);
            if piece.rows.len() > before {
                self.senders.push(self.names.code(sender));
            }
        }
    }

    pub fn by_sender(self) -> BySender {
        let mut ends = vec![0_usize; self.names.names.len()];
        for sender in &self.senders {
            ends[*sender as usize] += 1;
        }
        let order = self.names.in_order();
        let (mut start, mut waiting) = (0, Vec::with_capacity(order.len()));
        for sender in &order {
            let end = start + ends[*sender as usize];
            ends[*sender as usize] = start;
            waiting.push((*sender, end));
            start = end;
        }
        waiting.reverse();
        let mut rows = vec![0; self.senders.len()];
        for (row, sender) in (0..).zip(&self.senders) {
            let place = &mut ends[*sender as usize];
            rows[*place] = row;
            *place += 1;
        }
        let bytes = self.pieces.iter().map(Rows::size).sum::<usize>()
            + self.names.size()
            + rows.capacity() * size_of::<u32>()
            + waiting.capacity() * size_of::<(u32, usize)>();
        BySender { pieces: self.pieces, names: self.names.names, rows, waiting, dealt: 0, bytes }
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.pieces.iter().map(Rows::size).sum::<usize>()
            + self.senders.capacity() * size_of::<u32>()
            + self.names.size()
    }
}

impl BySender {
    /// The sender whose rows come next.
    pub fn next(&self) -> Option<&str> {
        self.waiting.last().map(|(sender, _)| self.names[*sender as usize].as_str())
    }

    /// Adds the next sender's rows to others.
    pub fn deal(&mut self, to: &mut Rows) {
        let Some((_, end)) = self.waiting.pop() else { return };
        for row in &self.rows[self.dealt..end] {
            let (piece, at) = (*row as usize / PIECE_ROWS, *row as usize % PIECE_ROWS);
            let from = &self.pieces[piece];
            to.copy(from, &from.rows[at]);
        }
        self.dealt = end;
    }

    /// Rows of the next sender.
    pub fn next_rows(&self) -> usize {
        self.waiting.last().map_or(0, |(_, end)| end - self.dealt)
    }

    /// Bytes held.
    pub const fn size(&self) -> usize {
        self.bytes
    }
}
