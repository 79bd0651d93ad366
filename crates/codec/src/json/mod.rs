//! One pass over a JSON text into a tape of nodes with byte spans.
//!
//! ```text
//! {"a":[1,"x"],"b":null}
//! node   0 object  span of all        next = 6
//!        1 key a   2 array [1,"x"]    next = 5
//!                  3 number 1         4 string x
//!        5 key b   6 null  …
//! ```
//!
//! Why not a tree: an item without an id takes its pseudonym from its own bytes as they
//! arrived, which a tree no longer has; and a tape is one vector, used again for every record.
//! Grammar: RFC 8259, strictly, but a lone surrogate escape reads as U+FFFD. Of keys that occur
//! twice the last counts. Nesting is counted, not recursed, so depth costs no stack.

mod cursor;
mod layouts;
mod noted;
mod parse;
mod scan;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use cursor::{Cursor, Field, Mark, Trace, UNUSUAL};
pub(crate) use layouts::Layouts;
pub(crate) use noted::{Nth, Values};
pub use parse::{JsonError, JsonFault};
pub(crate) use scan::{Text, whole};
pub(crate) use value::unescape_into;
pub use value::{Kind, Value};

/// One node: what it is, its bytes in the text, and the node after its subtree.
#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    /// Whether a string holds escapes.
    escaped: bool,
    /// First byte; of a string the byte after the quote.
    start: u32,
    /// One past the last byte; of a string the closing quote.
    end: u32,
    /// Index of the node after this one and all that it contains.
    next: u32,
}

/// The nodes of one text. Reused: parsing clears it first.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    open: Vec<u32>,
}

/// Nodes kept allocated between two records; a huge record gives its memory back.
const NODES_KEPT_MAX: usize = 1 << 20;

impl Tape {
    /// Forgets a text, and gives the memory of a huge one back.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.nodes.shrink_to(NODES_KEPT_MAX);
        self.open.clear();
    }

    /// Parses `text` and returns its root.
    ///
    /// # Errors
    /// [`JsonError`] with the byte where the text stops being JSON, or is nested too deep.
    pub fn parse<'a>(&'a mut self, text: &'a str) -> Result<Value<'a>, JsonError> {
        self.clear();
        parse::parse(text.as_bytes(), &mut self.nodes, &mut self.open)?;
        Ok(Value { tape: &self.nodes, text, at: 0 })
    }
}
