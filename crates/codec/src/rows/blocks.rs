//! Rows of the two kinds that nearly all rows are, kept column by column as they come.
//!
//! ```text
//! a row ─▶ its place in every column of the last block          a store for each value
//! blocks ── finish: each column, block after block ─▶ an array   copies of many values
//! ```
//!
//! A block has sixty-four rows, a word of bits. A row is written when all of it is known, so nothing
//! of an event that turns out to be bad is ever to be taken back. The first rows of a date are kept
//! as they are: of a date that only a few rows have, a whole block would be too much.

use arrow_array::ArrayRef;
use arrow_array::types::{Int32Type, Int64Type};
use turnwise_model::{Millis, Origin, PricingRegime, Pseudonym};

use super::Common;
use super::column::{self, There, long, micros, numbers, numbers_or_null};
use super::dated::List;
use super::{StringId, Strings};

/// Rows of a block.
pub(super) const BLOCK_ROWS: usize = u64::BITS as usize;
/// Rows of a date that are kept as they are at most.
const FEW_MAX: usize = 32;

/// A value of every row of a block; of those after the last row any.
pub(super) type Values<T> = [T; BLOCK_ROWS];

/// The columns of sixty-four rows.
pub(super) trait Block: Default {
    type Row: Copy;

    /// Writes the row at a place below [`BLOCK_ROWS`].
    fn put(&mut self, at: usize, row: &Self::Row);

    /// The columns that blocks of any kind have.
    fn common(&self) -> &CommonBlock;
}

/// The rows of a date.
#[derive(Debug)]
pub(super) struct Blocks<B: Block> {
    /// The rows while they are few.
    few: Vec<B::Row>,
    blocks: Vec<B>,
    /// Rows in blocks.
    rows: usize,
}

/// What every row has, of a block.
#[derive(Debug)]
pub(super) struct CommonBlock {
    waba_id: Values<Option<StringId>>,
    sender: Values<Option<StringId>>,
    source: Values<Option<StringId>>,
    peer_phone: Values<i64>,
    peer_user: Values<i64>,
    time: Values<i64>,
    message: Values<i64>,
    offset: Values<i64>,
    partition: Values<i32>,
    item: Values<i32>,
    origin: Values<u8>,
    in_group: Values<u8>,
    /// Which values there are, of the kind's own too.
    flags: Values<Flags>,
}

/// Which values a row has: a bit each.
pub(super) type Flags = u8;

pub(super) const PEER_PHONE: Flags = 1;
pub(super) const PEER_USER: Flags = 2;
pub(super) const MESSAGE: Flags = 4;

/// `flag` if there is something.
#[inline(always)]
pub(super) fn flag(there: bool, flag: Flags) -> Flags {
    if there { flag } else { 0 }
}

/// Codes of the closed lists fit in a byte.
#[inline(always)]
pub(super) fn small(code: i32) -> u8 {
    debug_assert!((0..256).contains(&code), "a code");
    code.to_le_bytes()[0]
}

impl<B: Block> Default for Blocks<B> {
    fn default() -> Self {
        Self { few: Vec::new(), blocks: Vec::new(), rows: 0 }
    }
}

impl<B: Block> List for Blocks<B> {
    type Row = B::Row;

    #[inline(always)]
    fn put(&mut self, row: B::Row) {
        // Of no rows in blocks there is no block that may be written.
        match self.blocks.get_mut(self.rows / BLOCK_ROWS) {
            Some(block) if self.rows > 0 => {
                block.put(self.rows % BLOCK_ROWS, &row);
                self.rows += 1;
            }
            _ => self.put_elsewhere(row),
        }
    }

    fn clear(&mut self, bytes_max: usize) {
        self.few.clear();
        self.rows = 0;
        self.blocks.truncate(bytes_max / size_of::<B>());
        self.blocks.shrink_to(bytes_max / size_of::<B>());
    }

    fn bytes_kept(&self) -> usize {
        self.few.capacity() * size_of::<B::Row>() + self.blocks.capacity() * size_of::<B>()
    }
}

impl<B: Block> Blocks<B> {
    /// Keeps one of the first rows, or begins a block.
    #[inline(never)]
    fn put_elsewhere(&mut self, row: B::Row) {
        if self.rows == 0 && self.few.len() < FEW_MAX {
            self.few.push(row);
            return;
        }
        if self.rows == 0 {
            self.write_few();
        }
        let place = self.rows / BLOCK_ROWS;
        if place == self.blocks.len() {
            self.blocks.push(B::default());
        }
        if let Some(block) = self.blocks.get_mut(place) {
            block.put(self.rows % BLOCK_ROWS, &row);
            self.rows += 1;
        }
    }

    /// Writes the first rows into the first block.
    fn write_few(&mut self) {
        if self.blocks.is_empty() {
            self.blocks.push(B::default());
        }
        let Some(block) = self.blocks.first_mut() else { return };
        self.few.iter().enumerate().for_each(|(at, row)| block.put(at, row));
        self.rows = self.few.len();
        self.few.clear();
    }

    /// All rows, in blocks.
    pub(super) fn whole(&mut self) -> Whole<'_, B> {
        if self.rows == 0 {
            self.write_few();
        }
        let blocks = self.rows.div_ceil(BLOCK_ROWS);
        Whole { blocks: self.blocks.get(..blocks).unwrap_or_default(), rows: self.rows }
    }
}

/// All rows of a date, in blocks.
#[derive(Debug)]
pub(super) struct Whole<'a, B> {
    blocks: &'a [B],
    pub(super) rows: usize,
}

impl<B> Clone for Whole<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Whole<'_, B> {}

impl<'a, B: Block> Whole<'a, B> {
    /// The blocks and the rows of each: all but the last one are full.
    pub(super) fn blocks(self) -> impl Iterator<Item = (&'a B, usize)> {
        let rows = move |nth: usize| BLOCK_ROWS.min(self.rows - nth * BLOCK_ROWS);
        self.blocks.iter().enumerate().map(move |(nth, block)| (block, rows(nth)))
    }

    /// One value of each row, as the array has it.
    #[inline(always)]
    pub(super) fn values<T: Copy + 'a, N>(
        self,
        values: impl Fn(&'a B) -> &'a Values<T>,
        value: impl Fn(T) -> N,
    ) -> Vec<N> {
        let mut all = Vec::with_capacity(self.rows);
        for (block, rows) in self.blocks() {
            let values = values(block);
            if rows == BLOCK_ROWS {
                // Of a known number of values the compiler makes vectors.
                all.extend(values.iter().map(|known| value(*known)));
            } else {
                all.extend(values.iter().take(rows).map(|known| value(*known)));
            }
        }
        all
    }

    /// Which rows have a value.
    pub(super) fn there(self, flag: Flags) -> There {
        let mut there = There::with_capacity(self.rows);
        for (block, rows) in self.blocks() {
            there.push(bits(&block.common().flags, flag) & (u64::MAX >> (BLOCK_ROWS - rows)), rows);
        }
        there
    }

    pub(super) fn ints(self, codes: impl Fn(&'a B) -> &'a Values<u8>) -> ArrayRef {
        numbers(self.values(codes, i32::from))
    }

    pub(super) fn ints_or_null(
        self,
        codes: impl Fn(&'a B) -> &'a Values<u8>,
        flag: Flags,
    ) -> ArrayRef {
        numbers_or_null::<Int32Type>(self.values(codes, i32::from), self.there(flag))
    }

    /// The pricing regime of each row.
    pub(super) fn regimes(self) -> ArrayRef {
        let regime = |time| PricingRegime::at(Millis(time)).code();
        numbers(self.values(|block| &block.common().time, regime))
    }

    /// The columns that every row has, but [`Self::regimes`], which stands elsewhere in each kind.
    pub(super) fn common(self, strings: &Strings) -> Vec<ArrayRef> {
        let shared = |ids: fn(&CommonBlock) -> &Values<Option<StringId>>| {
            column::shared(&self.values(|block| ids(block.common()), |id| id), strings)
        };
        let pseudonyms = |values: fn(&CommonBlock) -> &Values<i64>, flag| {
            let values = self.values(|block| values(block.common()), |value| value);
            numbers_or_null::<Int64Type>(values, self.there(flag))
        };
        vec![
            shared(|block| &block.waba_id),
            shared(|block| &block.sender),
            pseudonyms(|block| &block.peer_phone, PEER_PHONE),
            pseudonyms(|block| &block.peer_user, PEER_USER),
            micros(self.values(|block| &block.common().time, |time| Millis(time).micros())),
            pseudonyms(|block| &block.message, MESSAGE),
            shared(|block| &block.source),
            numbers(self.values(|block| &block.common().partition, |number| number)),
            long(self.values(|block| &block.common().offset, |number| number)),
            numbers(self.values(|block| &block.common().item, |number| number)),
            self.ints(|block| &block.common().origin),
            self.ints(|block| &block.common().in_group),
        ]
    }
}

/// A flag of all rows, a bit each. Of eight bytes that are 0 or 1 the product has, in its highest
/// byte, a bit for each: byte `n`, moved up by `56 - 7 n`, and no two sums meet elsewhere.
#[inline]
fn bits(flags: &Values<Flags>, flag: Flags) -> u64 {
    let eights = flags.as_chunks::<8>().0.iter().enumerate();
    eights.fold(0, |bits, (nth, eight)| {
        let ones = u64::from_le_bytes(*eight) >> flag.trailing_zeros() & 0x0101_0101_0101_0101;
        bits | (ones.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * nth)
    })
}

impl Default for CommonBlock {
    fn default() -> Self {
        Self {
            waba_id: [None; BLOCK_ROWS],
            sender: [None; BLOCK_ROWS],
            source: [None; BLOCK_ROWS],
            peer_phone: [0; BLOCK_ROWS],
            peer_user: [0; BLOCK_ROWS],
            time: [0; BLOCK_ROWS],
            message: [0; BLOCK_ROWS],
            offset: [0; BLOCK_ROWS],
            partition: [0; BLOCK_ROWS],
            item: [0; BLOCK_ROWS],
            origin: [0; BLOCK_ROWS],
            in_group: [0; BLOCK_ROWS],
            flags: [0; BLOCK_ROWS],
        }
    }
}

impl CommonBlock {
    /// Which values a row's kind has of its own, and the common ones.
    pub(super) fn flags(&self) -> &Values<Flags> {
        &self.flags
    }

    /// Writes what every row has; `own` are the flags of its kind.
    #[inline(always)]
    pub(super) fn put(
        &mut self,
        at: usize,
        row: &Common,
        (origin, in_group): (Origin, bool),
        own: Flags,
    ) {
        let at = at % BLOCK_ROWS;
        let number = |pseudonym: Option<Pseudonym>| pseudonym.map_or(0, |pseudonym| pseudonym.0);
        self.waba_id[at] = row.waba_id;
        self.sender[at] = row.sender;
        self.source[at] = Some(row.source);
        self.peer_phone[at] = number(row.peer_phone);
        self.peer_user[at] = number(row.peer_user);
        self.time[at] = row.time.0;
        self.message[at] = number(row.message);
        self.offset[at] = row.offset.0;
        self.partition[at] = row.partition.0;
        self.item[at] = row.item;
        self.origin[at] = small(origin.code());
        self.in_group[at] = u8::from(in_group);
        self.flags[at] = flag(row.peer_phone.is_some(), PEER_PHONE)
            | flag(row.peer_user.is_some(), PEER_USER)
            | flag(row.message.is_some(), MESSAGE)
            | own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of numbers.
    #[derive(Debug)]
    struct Numbers(Values<usize>, CommonBlock);

    impl Default for Numbers {
        fn default() -> Self {
            Self([0; BLOCK_ROWS], CommonBlock::default())
        }
    }

    impl Block for Numbers {
        type Row = usize;

        fn put(&mut self, at: usize, row: &usize) {
            self.0[at] = *row;
            self.1.flags[at] = row.to_le_bytes()[0];
        }

        fn common(&self) -> &CommonBlock {
            &self.1
        }
    }

    #[test]
    fn rows_are_those_that_were_put_in_their_order_however_many() {
        let mut list = Blocks::<Numbers>::default();
        for rows in (0..200).rev().chain(0..200) {
            (0..rows).for_each(|row| list.put(7 * row));
            let whole = list.whole();
            let values = whole.values(|block| &block.0, |value| value);
            assert_eq!(values, (0..rows).map(|row| 7 * row).collect::<Vec<_>>());
            for flag in (0..8).map(|bit| 1 << bit) {
                let nulls = whole.there(flag).nulls();
                for row in 0..rows {
                    let there = (7 * row) & usize::from(flag) != 0;
                    let is_valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                    assert_eq!(is_valid, there, "{rows} rows, {row}");
                }
            }
            list.clear(if rows % 2 == 0 { 0 } else { 1 << 20 });
        }
    }

    #[test]
    fn few_rows_take_no_block() {
        let mut list = Blocks::<Numbers>::default();
        (0..FEW_MAX).for_each(|row| list.put(row));
        assert!(list.bytes_kept() <= 2 * FEW_MAX * size_of::<usize>());
    }
}
