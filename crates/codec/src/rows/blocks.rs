//! Rows of the two kinds that nearly all rows are, kept column by column as they come.
//!
//! ```text
//! a row ─▶ its place in every column of a block         a store for each value
//! a full block ─▶ the ends of all columns               copies of many values, still in the cache
//! columns ── finish ─▶ arrays                           long numbers as they are, codes widened
//! ```
//!
//! A block has sixty-four rows, a word of bits. A row is written when all of it is known, so nothing
//! of an event that turns out to be bad is ever to be taken back. The first rows of a date are kept
//! as they are: of a date that only a few rows have, a whole block would be too much.

use turnwise_model::{Origin, Pseudonym};

use super::dated::List;
use super::{Common, StringId};

/// Rows of a block.
pub(super) const BLOCK_ROWS: usize = u64::BITS as usize;
/// Rows of a date that are kept as they are at most.
const FEW_MAX: usize = 32;

/// The columns that a kind has of its own, of sixty-four rows.
pub(super) trait Block: Default {
    type Row: Copy;
    type Columns: Columns;

    /// What every row has.
    fn common(row: &Self::Row) -> (&Common, Origin, bool);

    /// Writes the row at a place below [`BLOCK_ROWS`], and says which of its values there are.
    fn put(&mut self, at: usize, row: &Self::Row) -> Flags;

    /// Puts the first rows at the ends of columns.
    fn append(&self, rows: usize, columns: &mut Self::Columns);
}

/// Columns of any number of rows.
pub(super) trait Columns: Default + std::fmt::Debug {
    /// Bytes of a row.
    const ROW_BYTES: usize;

    /// Makes room for so many rows more.
    fn reserve(&mut self, rows: usize);

    /// Removes all rows.
    fn clear(&mut self);

    /// Keeps memory of at most so many rows, of which there are none.
    fn shrink_to(&mut self, rows: usize);

    /// Bytes that there is memory for.
    fn bytes_kept(&self) -> usize;
}

/// Declares a block and its columns, of the same names and types.
macro_rules! columns {
    ($about:literal, $block:ident, $columns:ident {
        $($(#[$doc:meta])* $name:ident: $kind:ty),* $(,)?
    }) => {
        #[doc = concat!("Sixty-four rows of ", $about, ".")]
        #[derive(Debug)]
        pub(super) struct $block {
            $($(#[$doc])* $name: [$kind; BLOCK_ROWS],)*
        }

        #[doc = concat!("Any number of rows of ", $about, ".")]
        #[derive(Debug, Default)]
        pub(super) struct $columns {
            $($(#[$doc])* pub(super) $name: Vec<$kind>,)*
        }

        impl Default for $block {
            fn default() -> Self {
                Self { $($name: [Default::default(); BLOCK_ROWS],)* }
            }
        }

        impl $block {
            fn append_to(&self, rows: usize, columns: &mut $columns) {
                // Of a known number of values the compiler makes vectors.
                if rows == BLOCK_ROWS {
                    $(columns.$name.extend_from_slice(&self.$name);)*
                } else {
                    $(columns.$name.extend_from_slice(&self.$name[..rows]);)*
                }
            }
        }

        impl Columns for $columns {
            const ROW_BYTES: usize = 0 $(+ size_of::<$kind>())*;

            fn reserve(&mut self, rows: usize) {
                $(self.$name.reserve(rows);)*
            }

            fn clear(&mut self) {
                $(self.$name.clear();)*
            }

            fn shrink_to(&mut self, rows: usize) {
                $(self.$name.shrink_to(rows);)*
            }

            fn bytes_kept(&self) -> usize {
                0 $(+ self.$name.capacity() * size_of::<$kind>())*
            }
        }
    };
}
pub(super) use columns;

columns!("what every row has", CommonBlock, CommonColumns {
    waba_id: Option<StringId>,
    sender: Option<StringId>,
    source: Option<StringId>,
    peer_phone: i64,
    peer_user: i64,
    /// In microseconds.
    time: i64,
    message: i64,
    offset: i64,
    partition: i32,
    item: i32,
    origin: u8,
    in_group: u8,
    /// Which values there are, of the kind's own too.
    flags: Flags,
});

/// The rows of a date.
#[derive(Debug)]
pub(super) struct Blocks<B: Block> {
    /// The rows while they are few.
    few: Vec<B::Row>,
    /// Those before and in the block that is written, once there are more.
    many: Option<Box<Many<B>>>,
    is_begun: bool,
    /// Where the next row goes: within the block, if it may be written.
    at: usize,
}

/// Many rows of a date.
#[derive(Debug)]
struct Many<B: Block> {
    block: (CommonBlock, B),
    columns: (CommonColumns, B::Columns),
    /// Rows that the columns had when they were last taken: about as many as they will have.
    expected: usize,
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
        Self { few: Vec::new(), many: None, is_begun: false, at: BLOCK_ROWS }
    }
}

impl<B: Block> Default for Many<B> {
    fn default() -> Self {
        Self { block: Default::default(), columns: Default::default(), expected: 0 }
    }
}

#[inline(always)]
fn put<B: Block>((common, own): &mut (CommonBlock, B), at: usize, row: &B::Row) {
    let flags = own.put(at, row);
    let (row, origin, in_group) = B::common(row);
    common.put(at, row, (origin, in_group), flags);
}

impl<B: Block> List for Blocks<B> {
    type Row = B::Row;

    #[inline(always)]
    fn put(&mut self, row: B::Row) {
        match &mut self.many {
            Some(many) if self.at < BLOCK_ROWS => {
                put(&mut many.block, self.at, &row);
                self.at += 1;
            }
            _ => self.put_elsewhere(row),
        }
    }

    fn clear(&mut self, bytes_max: usize) {
        self.few.clear();
        (self.is_begun, self.at) = (false, BLOCK_ROWS);
        if let Some(many) = &mut self.many {
            many.columns.0.clear();
            many.columns.1.clear();
            if many.bytes_kept() > bytes_max {
                let rows = bytes_max / Many::<B>::ROW_BYTES;
                many.columns.0.shrink_to(rows);
                many.columns.1.shrink_to(rows);
                many.expected = many.expected.min(rows);
            }
        }
    }

    fn bytes_kept(&self) -> usize {
        self.many.as_ref().map_or(0, |many| many.bytes_kept())
    }
}

impl<B: Block> Blocks<B> {
    /// Keeps one of the first rows, or empties the block.
    #[inline(never)]
    fn put_elsewhere(&mut self, row: B::Row) {
        if !self.is_begun && self.few.len() < FEW_MAX {
            self.few.push(row);
            return;
        }
        let many = self.many.get_or_insert_default();
        if self.is_begun {
            many.append(self.at);
            self.at = 0;
        } else {
            many.columns.0.reserve(many.expected);
            many.columns.1.reserve(many.expected);
            self.at = many.begin(&mut self.few);
            self.is_begun = true;
        }
        put(&mut many.block, self.at, &row);
        self.at += 1;
    }

    /// The columns of all rows.
    pub(super) fn whole(&mut self) -> (&mut CommonColumns, &mut B::Columns) {
        let many = self.many.get_or_insert_default();
        if !self.is_begun {
            self.at = many.begin(&mut self.few);
        }
        many.append(self.at);
        self.at = BLOCK_ROWS;
        let (common, own) = &mut many.columns;
        many.expected = common.flags.len();
        (common, own)
    }
}

impl<B: Block> Many<B> {
    /// Bytes of a row in columns.
    const ROW_BYTES: usize = CommonColumns::ROW_BYTES + B::Columns::ROW_BYTES;

    /// Writes the first rows, which are few, into the block; gives their number.
    fn begin(&mut self, few: &mut Vec<B::Row>) -> usize {
        few.iter().enumerate().for_each(|(at, row)| put(&mut self.block, at, row));
        let rows = few.len();
        few.clear();
        rows
    }

    /// Puts so many rows of the block at the ends of the columns.
    fn append(&mut self, rows: usize) {
        self.block.0.append_to(rows, &mut self.columns.0);
        self.block.1.append(rows, &mut self.columns.1);
    }

    fn bytes_kept(&self) -> usize {
        self.columns.0.bytes_kept() + self.columns.1.bytes_kept()
    }
}

impl CommonBlock {
    /// Writes what every row has; `own` are the flags of its kind.
    #[inline(always)]
    fn put(&mut self, at: usize, row: &Common, (origin, in_group): (Origin, bool), own: Flags) {
        let at = at % BLOCK_ROWS;
        let number = |pseudonym: Option<Pseudonym>| pseudonym.map_or(0, |pseudonym| pseudonym.0);
        self.waba_id[at] = row.waba_id;
        self.sender[at] = row.sender;
        self.source[at] = Some(row.source);
        self.peer_phone[at] = number(row.peer_phone);
        self.peer_user[at] = number(row.peer_user);
        self.time[at] = row.time.micros();
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
    use turnwise_model::{Millis, Offset, PartitionId};

    use super::*;
    use crate::rows::Strings;
    use crate::rows::column::There;

    columns!("numbers", NumberBlock, Numbers { number: usize });

    impl Block for NumberBlock {
        type Row = (usize, Common);
        type Columns = Numbers;

        fn common(row: &Self::Row) -> (&Common, Origin, bool) {
            (&row.1, Origin::Live, false)
        }

        fn put(&mut self, at: usize, row: &Self::Row) -> Flags {
            self.number[at] = row.0;
            row.0.to_le_bytes()[0] & !(PEER_PHONE | PEER_USER | MESSAGE)
        }

        fn append(&self, rows: usize, columns: &mut Numbers) {
            self.append_to(rows, columns);
        }
    }

    fn row(number: usize) -> (usize, Common) {
        let time = Millis(number as i64);
        let common = Common {
            waba_id: None,
            sender: None,
            peer_phone: number.is_multiple_of(3).then_some(Pseudonym(7)),
            peer_user: None,
            time,
            message: None,
            source: Strings::default().intern("a source"),
            partition: PartitionId(0),
            offset: Offset(0),
            item: 0,
        };
        (number, common)
    }

    #[test]
    fn rows_are_those_that_were_put_in_their_order_however_many() {
        let mut list = Blocks::<NumberBlock>::default();
        for rows in (0..200).rev().chain(0..200) {
            (0..rows).for_each(|number| list.put(row(7 * number)));
            let (common, own) = list.whole();
            assert_eq!(own.number, (0..rows).map(|number| 7 * number).collect::<Vec<_>>());
            let times: Vec<_> = (0..rows as i64).map(|number| 7_000 * number).collect();
            assert_eq!(common.time, times);
            for flag in (0..8).map(|bit| 1 << bit) {
                let nulls = There::of(&common.flags, flag).nulls();
                for row in 0..rows {
                    let number = 7 * row;
                    let there = match flag {
                        PEER_PHONE => number.is_multiple_of(3),
                        PEER_USER | MESSAGE => false,
                        flag => number & usize::from(flag) != 0,
                    };
                    let is_valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                    assert_eq!(is_valid, there, "{rows} rows, {row}");
                }
            }
            list.clear(if rows % 2 == 0 { 0 } else { 1 << 20 });
        }
    }

    #[test]
    fn few_rows_take_no_block() {
        let mut list = Blocks::<NumberBlock>::default();
        (0..FEW_MAX).for_each(|number| list.put(row(number)));
        assert!(list.many.is_none());
        assert!(size_of::<Blocks<NumberBlock>>() <= 64);
    }
}
