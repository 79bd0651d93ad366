//! Layouts of texts that were read before.
//!
//! Writers lay out their records in few ways: the same keys in the same order with the same
//! punctuation, names of closed lists among them, and only other strings and numbers differ. Such a
//! text is not parsed again. What stands
//! between its values is compared with what stood there before, up to 32 bytes at a time, and its
//! values are found where they must be:
//!
//! ```text
//! {"id":" ─▶ string ─▶ ","text":{"body":" ─▶ string ─▶ "}} ─▶ end      the layouts are a tree:
//!                    └▶ ","type":" ────────▶ string …                 where they part, it branches
//! ```
//!
//! Where all of it fits, the text is JSON because the one before was: nothing but strings and
//! numbers differs, and those are checked. What its reader did is then done again with the new
//! values ([`Replay`]). Where it does not fit, nothing is said of the text.
//!
//! The tree is bounded. When it is full nothing is learned for a while, then it begins anew; so
//! texts that all differ cost a little more time, and never memory.

use turnwise_kernels::scan::{BLOCK, same};

use super::cursor::Trace;
use super::replay::Replay;
use super::scan::{self, Expected, Text};
use crate::unknown::Unknown;
use crate::utf8;

/// Nodes of the tree at most, about 400 kB.
const NODES_MAX: usize = 4_096;
/// Bytes of all that readers did, at most.
const OPS_MAX: usize = 64 << 10;
/// Strings and numbers of a text whose layout is learned, at most.
pub(super) const VALUES_MAX: usize = 200;
const _: () = assert!(VALUES_MAX < u8::MAX as usize);
/// Unknown fields of a text whose layout is learned, at most.
const UNKNOWN_MAX: usize = 64;
/// Texts of new layouts that a full tree lets pass before it begins anew.
const PATIENCE: u32 = 50_000;

/// The node behind another: mostly the one that was made next, which is known without a look at it.
/// As with the length of a string, the processor need not wait.
#[inline(always)]
fn next(place: u32, child: u32) -> u32 {
    if child == place + 1 { std::hint::black_box(place + 1) } else { child }
}

/// What follows a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    String,
    Number,
    /// More of the literal.
    Literal,
    /// The end of the text.
    End,
}

/// A literal, and what follows it.
#[derive(Clone, Debug)]
struct Node {
    bytes: [u8; BLOCK],
    /// A bit for each byte of the block behind the literal.
    behind: u32,
    /// The first node behind; 0 for none. At the end the number in [`Layouts::ends`].
    child: u32,
    /// The next node that may stand in its place; 0 for none.
    sibling: u32,
    /// How long the string that follows may be.
    expected: Expected,
    length: u8,
    then: Then,
}

/// What belongs to a layout.
#[derive(Debug)]
struct End {
    /// Which part of [`Layouts::ops`].
    from: u32,
    to: u32,
    /// Fields that nobody knows; mostly there are none.
    unknown: Box<[Unknown]>,
}

/// See the module.
pub(crate) struct Layouts {
    /// The first one is the root, an empty literal.
    nodes: Vec<Node>,
    ops: Vec<u8>,
    ends: Vec<End>,
    values: Vec<Text>,
    /// New layouts since the tree was full.
    passed: u32,
}

impl Then {
    /// Whether what follows a literal of this length can be this; one literal may begin another.
    #[inline(always)]
    fn fits(self, rest: &[u8], length: usize) -> bool {
        match self {
            Self::String | Self::Literal => true,
            Self::Number => matches!(rest.get(length), Some(b'-' | b'0'..=b'9')),
            Self::End => rest.len() == length,
        }
    }
}

impl Node {
    #[inline(always)]
    fn is_at(&self, block: &[u8; BLOCK]) -> bool {
        same(&self.bytes, block) | self.behind == u32::MAX
    }

    fn of(literal: &[u8], then: Then) -> Self {
        let mut bytes = [0; BLOCK];
        bytes[..literal.len()].copy_from_slice(literal);
        let behind = u32::MAX.checked_shl(literal.len() as u32).unwrap_or(0);
        let length = literal.len() as u8;
        Self { bytes, behind, child: 0, sibling: 0, expected: Expected::default(), length, then }
    }

    /// Whether it says the same, wherever it leads.
    fn is_like(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.length == other.length && self.then == other.then
    }
}

impl std::fmt::Debug for Layouts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Layouts").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

impl Default for Layouts {
    fn default() -> Self {
        let nodes = vec![Node::of(b"", Then::Literal)];
        Self { nodes, ops: Vec::new(), ends: Vec::new(), values: Vec::new(), passed: 0 }
    }
}

impl Layouts {
    /// The text as one of a known layout.
    #[inline]
    pub(crate) fn find<'a, 'l>(&'l mut self, bytes: &'a [u8]) -> Option<Replay<'a, 'l>> {
        let Self { nodes, ops, ends, values, .. } = self;
        values.clear();
        let mut rest = bytes;
        let mut all_values = Text::default();
        let mut place = nodes.first()?.child;
        loop {
            let last;
            let block = match rest.first_chunk::<BLOCK>() {
                Some(block) => block,
                None => {
                    last = scan::last_block(bytes, rest);
                    &last
                }
            };
            let node = loop {
                let node = nodes.get_mut(place as usize).filter(|_| place != 0)?;
                if node.is_at(block) && node.then.fits(rest, usize::from(node.length)) {
                    break node;
                }
                place = node.sibling;
            };
            rest = rest.get(usize::from(node.length)..)?;
            let text = match node.then {
                Then::String => scan::string(bytes, &mut rest, &mut node.expected)?,
                Then::Number => scan::number(bytes, &mut rest)?,
                Then::Literal => {
                    place = next(place, node.child);
                    continue;
                }
                Then::End => {
                    let is_text = !all_values.is_high() || utf8::is_utf8(bytes);
                    let end = ends.get(node.child as usize).filter(|_| is_text)?;
                    let ops = ops.get(end.from as usize..end.to as usize)?;
                    return Some(Replay { bytes, ops, values, unknown: &end.unknown });
                }
            };
            all_values = all_values.and(text);
            values.push(text);
            place = next(place, node.child);
        }
    }

    /// Learns how a text is laid out that was read to its end.
    pub(crate) fn learn(&mut self, bytes: &[u8], trace: &Trace) {
        let literals: usize = bytes.len().div_ceil(BLOCK) + 2 * trace.values.len() + 1;
        if trace.values.len() > VALUES_MAX
            || trace.unknown.len() > UNKNOWN_MAX
            || literals > NODES_MAX / 4
        {
            return;
        }
        if self.nodes.len() + literals > NODES_MAX || self.ops.len() + trace.ops.len() > OPS_MAX {
            self.passed += 1;
            if self.passed < PATIENCE {
                return;
            }
            *self = Self::default();
        }
        let mut at = 0;
        let mut place = 0;
        for (text, is_number) in &trace.values {
            let range = text.range();
            let then = if *is_number { Then::Number } else { Then::String };
            place = self.path(place, &bytes[at..range.start], then);
            // A string's closing quote is read with it.
            at = range.end + usize::from(!is_number);
        }
        let end = self.path(place, &bytes[at..], Then::End);
        let from = self.ops.len() as u32;
        self.ops.extend_from_slice(&trace.ops);
        // A layout that was known was read in another way since; the last one stands.
        self.nodes[end].child = self.ends.len() as u32;
        let (to, unknown) = (self.ops.len() as u32, trace.unknown.as_slice().into());
        self.ends.push(End { from, to, unknown });
    }

    /// The node behind a literal from a node on; made where there is none.
    fn path(&mut self, from: usize, literal: &[u8], then: Then) -> usize {
        let mut place = from;
        let mut rest = literal;
        while rest.len() > BLOCK {
            let (block, behind) = rest.split_at(BLOCK);
            place = self.child(place, Node::of(block, Then::Literal));
            rest = behind;
        }
        self.child(place, Node::of(rest, then))
    }

    /// The child that is like this node; it comes to stand first.
    fn child(&mut self, parent: usize, node: Node) -> usize {
        let mut before = None;
        let mut place = self.nodes[parent].child as usize;
        while place != 0 && !self.nodes[place].is_like(&node) {
            before = Some(place);
            place = self.nodes[place].sibling as usize;
        }
        if place == 0 {
            place = self.nodes.len();
            self.nodes.push(Node { sibling: self.nodes[parent].child, ..node });
            self.nodes[parent].child = place as u32;
        } else if let Some(before) = before {
            self.nodes[before].sibling = self.nodes[place].sibling;
            self.nodes[place].sibling = self.nodes[parent].child;
            self.nodes[parent].child = place as u32;
        }
        place
    }
}
