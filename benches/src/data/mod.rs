//! The data set of queries A, B and C: messages of numbers with their peers, and their texts.
//!
//! What it promises, and the tests hold it to:
//! * number i of n has a share of messages proportional to 1 / i, and at least one;
//! * no row is there twice: times differ within a number and peer, so that engines which drop
//!   repeats and engines which do not give one answer, and order has no ties;
//! * of conversations some end exactly at the gap and some begin a millisecond behind it;
//! * a text's beginning and question marks say the same to a regular expression over the openers
//!   of five languages and to the shape kernel, which knows more languages, greetings and signs.

mod plan;

mod rows;

mod order;

mod openers;

mod words;

mod text;

/// Other rows or texts of the same plan are another version.
pub const VERSION: u32 = 2;

pub use openers::{OPENERS, Opener, openers};
pub use order::Order;
pub use plan::Plan;
pub use rows::{GAP_MS, Row, kind, rows, time_spread_ms};
pub use text::write_text;

#[cfg(test)]
mod tests;
