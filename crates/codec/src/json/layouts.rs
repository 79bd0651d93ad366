//! Layouts of texts that were read before.
//!
//! Writers lay out their records in few ways: the same keys in the same order with the same
//! punctuation, names of closed lists among them, and only other strings and numbers differ. Such a
//! text is not parsed again. What stands between its values is compared with what stood there
//! before, up to 64 bytes at a time, and its values are found where they must be:
//!
//! ```text
//! {"id":" ─▶ string ─▶ ","text":{"body":" ─▶ string ─▶ "}} ─▶ end      the layouts are a tree:
//!                    └▶ ","type":" ────────▶ string …                 where they part, it branches
//! ```
//!
//! Where all of it fits, the text is JSON because the one before was: nothing but strings and
//! numbers differs, and those are checked. What its reader made of it is then true of the text as
//! well, for it names strings and numbers by their place among all ([`super::Nth`]): that is kept
//! with the layout. Where it does not fit, nothing is said of the text.
//!
//! Parts of texts have layouts, too, if they are values: nothing else can stand where one ends.
//!
//! The tree is bounded, and so is the number of branches at one place. When it is full nothing is
//! learned for a while, then it begins anew; so texts that all differ cost a little more time, and
//! never memory. A branch that texts take often comes to stand before those that they do not.

use turnwise_kernels::dispatch::InstructionSet;
use turnwise_kernels::fetch::fetch_behind;
use turnwise_kernels::scan::{Blocks, Eyes, WIDE, Walk, is_utf8, walk};
use turnwise_model::limits::LAYOUT_SIBLINGS_MAX;

use super::cursor::{Mark, Trace};
use super::scan::{self, Expected, Text};
use crate::unknown::Unknown;
use crate::work;

/// Nodes of the tree at most, 512 kB.
const NODES_MAX: usize = 4_096;
/// Items and the like of all that readers made of texts, at most.
const WEIGHT_MAX: usize = 32 << 10;
/// Strings and numbers of a text whose layout is learned, at most.
const VALUES_MAX: usize = 200;
/// Unknown fields of a text whose layout is learned, at most.
const UNKNOWN_MAX: usize = 64;
/// Texts of new layouts that a full tree, or a place with all its branches, lets pass before the tree
/// begins anew.
const PATIENCE: u32 = 50_000;
/// Branches that a text may pass by before those that it takes are moved forward.
const PASSED_BY_MAX: u32 = 32;

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
    /// The end of the text, or of the part.
    End,
}

/// A literal, and what follows it; no line of the processor's cache holds parts of two.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Node {
    bytes: [u8; WIDE],
    /// A bit for each byte of the literal.
    within: u64,
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
struct End<P> {
    /// What its reader made of it.
    read: P,
    /// Fields that nobody knows; mostly there are none.
    unknown: Box<[Unknown]>,
    weight: usize,
}

/// See the module. `P` is what readers make of texts.
pub(crate) struct Layouts<P> {
    set: InstructionSet,
    /// Whether they are of whole texts, not parts.
    are_whole: bool,
    /// The first one is the root, an empty literal.
    nodes: Vec<Node>,
    ends: Vec<End<P>>,
    /// Of all ends.
    weight: usize,
    values: Box<[Text; VALUES_MAX]>,
    /// New layouts that were not learned.
    passed: u32,
}

/// A text of a known layout, or a part of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'l, P> {
    /// What a reader made of one of the layout.
    pub(crate) read: &'l P,
    /// Its strings and numbers.
    pub(crate) values: &'l [Text],
    /// Fields that nobody knows.
    pub(crate) unknown: &'l [Unknown],
    /// Where it ends.
    pub(super) to: usize,
}

impl Then {
    /// Whether what follows a literal that ends there can be this; one literal may begin another.
    #[inline(always)]
    fn fits(self, bytes: &[u8], end: usize, is_whole: bool) -> bool {
        match self {
            Self::String | Self::Literal => true,
            Self::Number => matches!(bytes.get(end), Some(b'-' | b'0'..=b'9')),
            Self::End => !is_whole || bytes.len() == end,
        }
    }
}

impl Node {
    fn of(literal: &[u8], then: Then) -> Self {
        let mut bytes = [0; WIDE];
        bytes[..literal.len()].copy_from_slice(literal);
        let behind = u64::MAX.checked_shl(literal.len() as u32).unwrap_or(0);
        let (within, length) = (!behind, literal.len() as u8);
        Self { bytes, within, child: 0, sibling: 0, expected: Expected::default(), length, then }
    }

    /// Whether it says the same, wherever it leads.
    fn is_like(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.length == other.length && self.then == other.then
    }
}

/// Goes down the tree along a text.
struct Finder<'f> {
    bytes: &'f [u8],
    from: usize,
    is_whole: bool,
    nodes: &'f mut [Node],
    values: &'f mut [Text; VALUES_MAX],
}

/// The way that a text went.
struct Way {
    /// The number of its end.
    end: u32,
    values: usize,
    /// Whether any of them is not ASCII.
    is_rare: bool,
    to: usize,
    /// How many branches it did not take, where it looked at them.
    passed_by: u32,
}

impl Walk for Finder<'_> {
    type Output = Option<Way>;

    #[inline(always)]
    fn walk<E: Eyes>(self, eyes: E) -> Option<Way> {
        let Self { bytes, from, is_whole, nodes, values } = self;
        let blocks = Blocks::of(bytes);
        let mut at = from;
        let mut all = Text::default();
        let mut count = 0;
        let mut place = nodes.first()?.child;
        let mut passed_by = 0;
        loop {
            let block = blocks.at(at)?;
            let (node, end) = loop {
                work::step(1);
                let node = nodes.get_mut(place as usize).filter(|_| place != 0)?;
                let end = at + usize::from(node.length);
                if eyes.is_same(block, &node.bytes, node.within)
                    && node.then.fits(bytes, end, is_whole)
                {
                    break (node, end);
                }
                place = node.sibling;
                passed_by += 1;
            };
            at = end;
            let text = match node.then {
                Then::String => scan::expected_string(eyes, &blocks, &mut at, &mut node.expected)?,
                Then::Number => {
                    let mut rest = bytes.get(at..)?;
                    let number = scan::number(bytes, &mut rest)?;
                    at = bytes.len() - rest.len();
                    number
                }
                Then::Literal => {
                    place = next(place, node.child);
                    continue;
                }
                Then::End => {
                    let (end, to) = (node.child, at);
                    return Some(Way { end, values: count, is_rare: all.is_rare(), to, passed_by });
                }
            };
            all = all.and(text);
            *values.get_mut(count)? = text;
            count += 1;
            place = next(place, node.child);
        }
    }
}

/// Moves a child before its siblings.
#[cold]
#[inline(never)]
fn move_first(nodes: &mut [Node], parent: u32, child: u32) {
    let first = nodes[parent as usize].child;
    let mut before = first;
    while before != child {
        let next = nodes[before as usize].sibling;
        if next == child {
            nodes[before as usize].sibling = nodes[child as usize].sibling;
            nodes[child as usize].sibling = first;
            nodes[parent as usize].child = child;
            return;
        }
        before = next;
    }
}

impl<P> std::fmt::Debug for Layouts<P> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Layouts").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

impl<P> Layouts<P> {
    /// Layouts of whole texts.
    pub(crate) fn of_texts() -> Self {
        Self::new(true)
    }

    /// Layouts of values inside texts.
    pub(crate) fn of_parts() -> Self {
        Self::new(false)
    }

    fn new(are_whole: bool) -> Self {
        let nodes = vec![Node::of(b"", Then::Literal)];
        let (ends, values) = (Vec::new(), Box::new([Text::default(); VALUES_MAX]));
        let set = InstructionSet::best();
        Self { set, are_whole, nodes, ends, weight: 0, values, passed: 0 }
    }

    /// The text as one of a known layout.
    #[inline]
    pub(crate) fn find(&mut self, bytes: &[u8]) -> Option<Found<'_, P>> {
        self.find_at(bytes, 0)
    }

    /// The part of a text that begins at a mark, as one of a known layout. Whether it is UTF-8 is
    /// not looked at: it is for those who read the whole text.
    #[inline]
    pub(crate) fn find_part(&mut self, bytes: &[u8], mark: Mark) -> Option<Found<'_, P>> {
        self.find_at(bytes, mark.at)
    }

    #[inline(always)]
    fn find_at(&mut self, bytes: &[u8], from: usize) -> Option<Found<'_, P>> {
        let Self { set, are_whole, nodes, values, .. } = self;
        if *are_whole {
            // Texts of one fetch stand behind each other, and are about as long.
            fetch_behind(bytes);
        }
        let finder = Finder { bytes, from, is_whole: *are_whole, nodes, values };
        let way = walk(*set, finder)?;
        if way.passed_by > PASSED_BY_MAX {
            self.move_forward(bytes, from, &way);
        }
        let Way { end, values: count, is_rare, to, .. } = way;
        let End { read, unknown, .. } = self.ends.get(end as usize)?;
        let values = self.values.get(..count)?;
        // What stands between the values is as it was in a text that is UTF-8, and begins and ends
        // with ASCII.
        let is_read = |text: &Text| !text.is_rare() || is_utf8(text.span().of(bytes));
        let is_text = !self.are_whole || !is_rare || values.iter().all(is_read);
        is_text.then_some(Found { read, values, unknown, to })
    }

    /// Moves the branches that a text took before their siblings.
    #[cold]
    #[inline(never)]
    fn move_forward(&mut self, bytes: &[u8], from: usize, way: &Way) {
        let values = self.values.get(..way.values).map(<[Text]>::to_vec);
        if let (Some(values), Some(bytes)) = (values, bytes.get(from..way.to)) {
            self.way(bytes, from, &values);
        }
    }

    /// Learns how a text is laid out that was read to its end.
    pub(crate) fn learn(&mut self, bytes: &[u8], trace: &Trace, read: P, weight: usize) {
        self.learn_of(bytes, 0, &trace.values, &trace.unknown, read, weight);
    }

    /// The same of the part between two marks, of a text that was read to its end.
    pub(crate) fn learn_part(
        &mut self,
        bytes: &[u8],
        [from, to]: [Mark; 2],
        trace: &Trace,
        read: P,
        weight: usize,
    ) {
        let (Some(bytes), Some(values), Some(unknown)) = (
            bytes.get(..to.at),
            trace.values.get(from.values..to.values),
            trace.unknown.get(from.unknown..to.unknown),
        ) else {
            return;
        };
        self.learn_of(bytes, from.at, values, unknown, read, weight);
    }

    fn learn_of(
        &mut self,
        bytes: &[u8],
        from: usize,
        values: &[Text],
        unknown: &[Unknown],
        read: P,
        weight: usize,
    ) {
        let literals: usize = (bytes.len() - from).div_ceil(WIDE) + 2 * values.len() + 1;
        let weight = weight + 1;
        if values.len() > VALUES_MAX
            || unknown.len() > UNKNOWN_MAX
            || literals > NODES_MAX / 4
            || weight > WEIGHT_MAX / 4
        {
            return;
        }
        if self.nodes.len() + literals > NODES_MAX || self.weight + weight > WEIGHT_MAX {
            self.passed += 1;
            if self.passed < PATIENCE {
                return;
            }
            *self = Self::new(self.are_whole);
        }
        let made = self.nodes.len();
        let Some(end) = self.way(&bytes[from..], from, values) else {
            // Nothing was made: a place that has all its branches is one that was there.
            self.passed += 1;
            if self.passed >= PATIENCE {
                *self = Self::new(self.are_whole);
            }
            return;
        };
        let end = end as usize;
        self.weight += weight;
        let read = End { read, unknown: unknown.into(), weight };
        let known = self.nodes[end].child as usize;
        match self.ends.get_mut(known).filter(|_| end < made) {
            // It was read in another way since; the last one stands.
            Some(known) => self.weight -= std::mem::replace(known, read).weight,
            None => {
                self.nodes[end].child = self.ends.len() as u32;
                self.ends.push(read);
            }
        }
    }

    /// The end of the way along a text that begins at `from`; made where there is none.
    fn way(&mut self, bytes: &[u8], from: usize, values: &[Text]) -> Option<u32> {
        let mut at = 0;
        let mut place = 0;
        for text in values {
            let range = text.range();
            let then = if text.is_number() { Then::Number } else { Then::String };
            place = self.path(place, &bytes[at..range.start - from], then)?;
            // A string's closing quote is read with it.
            at = range.end - from + usize::from(!text.is_number());
        }
        self.path(place, &bytes[at..], Then::End)
    }

    /// The node behind a literal from a node on; made where there is none.
    fn path(&mut self, from: u32, literal: &[u8], then: Then) -> Option<u32> {
        let mut place = from;
        let mut rest = literal;
        while rest.len() > WIDE {
            let (block, behind) = rest.split_at(WIDE);
            place = self.child(place, Node::of(block, Then::Literal))?;
            rest = behind;
        }
        self.child(place, Node::of(rest, then))
    }

    /// The child that is like this node; it comes to stand first. `None` where it would be one too
    /// many.
    fn child(&mut self, parent: u32, node: Node) -> Option<u32> {
        let first = self.nodes[parent as usize].child;
        let (mut place, mut siblings) = (first, 0);
        while place != 0 && !self.nodes[place as usize].is_like(&node) {
            place = self.nodes[place as usize].sibling;
            siblings += 1;
        }
        if place != 0 {
            move_first(&mut self.nodes, parent, place);
            return Some(place);
        }
        if siblings == LAYOUT_SIBLINGS_MAX {
            return None;
        }
        place = self.nodes.len() as u32;
        self.nodes.push(Node { sibling: first, ..node });
        self.nodes[parent as usize].child = place;
        Some(place)
    }
}

#[cfg(test)]
mod tests;
