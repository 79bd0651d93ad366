//! What a text begins with, as `phrases.rs` says, by one look into a table for each byte.
//!
//! The trie of phrases becomes an automaton over the bytes of a chunk's lower-cased text. Where the
//! normal form of a character is not what stands there (`ı`, `ς`, `’`, white space …), the automaton has
//! a second way for what stands there, and more white space leads from behind a space back to
//! behind it.
//!
//! All states lie in one table: the way of a state by a byte is at the state's base plus the byte,
//! if the cell there names the state as its owner.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::super::classes::{CLASSES, Class};
use super::super::phrases::{
    Beginning, GREETING, OPENER, PHRASES, each_normal, goes_on, is_word_end,
};
use super::block::{Block, Tally};
use super::chunk::Text;
use super::ops::BLOCK;
use super::scan::char_at;

/// The automaton of all phrases; built at first use.
pub(super) static STARTS: LazyLock<Starts> = LazyLock::new(Starts::build);

/// The automaton.
pub(super) struct Starts {
    cells: Vec<Cell>,
    root: u32,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    /// Base of the state that the cell belongs to; 0 is none.
    owner: u32,
    /// Base of the state that the way leads to, and its kinds in the two highest bits.
    next: u32,
}

const KINDS_SHIFT: u32 = 30;
const BASE: u32 = (1 << KINDS_SHIFT) - 1;

/// Bases that are tried behind each other before those in front are given up.
const TRIES: usize = 256;

/// The base of states without ways: no cell has it as owner.
const LEAF: u32 = 1;

impl Starts {
    /// Reads the beginning of a text, and all of it as long as it is greetings.
    #[inline(always)]
    pub(super) fn beginning(
        &self,
        raw: &[u8],
        low: &[u8],
        blocks: &[Block],
        text: &Text,
    ) -> Beginning {
        let mut found = Beginning::default();
        let mut seen = false;
        let mut at = text.start;
        loop {
            let word = next_set(blocks, at, text.end, |block| {
                block.of(Tally::Letter) | block.of(Tally::Digits)
            });
            seen = seen || next_set(blocks, at, word, |block| block.of(Tally::Emoji)) < word;
            if word == text.end {
                found.greeting_only = seen;
                return found;
            }
            let (opener, greeting) = self.longest(raw, low, word, text.end);
            if opener > greeting {
                found.opener = true;
                return found;
            }
            if greeting == 0 {
                return found;
            }
            at = greeting;
            seen = true;
        }
    }

    /// Ends of the longest opener and of the longest greeting from `from` on (0: none).
    #[inline(always)]
    fn longest(&self, raw: &[u8], low: &[u8], from: usize, end: usize) -> (usize, usize) {
        let (mut opener, mut greeting) = (0, 0);
        let (mut base, mut at) = (self.root, from);
        loop {
            let cell = self.cells[base as usize + usize::from(low[at])];
            if cell.owner != base {
                return (opener, greeting);
            }
            at += 1;
            base = cell.next & BASE;
            let kinds = cell.next >> KINDS_SHIFT;
            if kinds != 0 {
                let (ends, alone) = ends_word(raw, from, at, end);
                if ends && kinds & u32::from(OPENER) != 0 {
                    opener = at;
                }
                if ends && !alone && kinds & u32::from(GREETING) != 0 {
                    greeting = at;
                }
            }
        }
    }
}

/// The first place from `from` on where the bits are set, `end` if there is none before it.
#[inline(always)]
pub(super) fn next_set(
    blocks: &[Block],
    from: usize,
    end: usize,
    bits: impl Fn(&Block) -> u64,
) -> usize {
    let mut at = from / BLOCK;
    let mut found = bits(&blocks[at]) & u64::MAX << (from % BLOCK);
    while found == 0 && (at + 1) * BLOCK < end {
        at += 1;
        found = bits(&blocks[at]);
    }
    (at * BLOCK + found.trailing_zeros() as usize).min(end)
}

/// Whether a word ends at `at`, and whether what ends there is a first sign alone in a word that
/// goes on.
#[inline(always)]
fn ends_word(raw: &[u8], from: usize, at: usize, end: usize) -> (bool, bool) {
    if raw[at].is_ascii() && !raw[at].is_ascii_alphanumeric() {
        return (true, false);
    }
    ends_in_word(raw, from, at, end)
}

#[inline(never)]
fn ends_in_word(raw: &[u8], from: usize, at: usize, end: usize) -> (bool, bool) {
    let class = |place: usize| char_at(raw, place).map_or(Class::default(), |ch| CLASSES.get(ch));
    let next = if at == end { Class::default() } else { class(at) };
    let mut last = at - 1;
    while raw[last] & 0xc0 == 0x80 {
        last -= 1;
    }
    (is_word_end(class(last), next), last == from && goes_on(next))
}

/// A trie that grows into the automaton.
struct Grown {
    /// Ways and kinds by state; the first states are those of the trie.
    states: Vec<(Vec<(u8, u32)>, u8)>,
}

impl Grown {
    fn child(&self, state: u32, byte: u8) -> Option<u32> {
        let ways = &self.states[state as usize].0;
        ways.iter().find(|way| way.0 == byte).map(|way| way.1)
    }

    /// Adds a way by `bytes` from one state to another.
    fn add(&mut self, from: u32, bytes: &[u8], to: u32) {
        let [between @ .., last] = bytes else { return };
        let mut state = from;
        for byte in between {
            state = self.child(state, *byte).unwrap_or_else(|| {
                let new = self.states.len() as u32;
                self.states.push((Vec::new(), 0));
                self.states[state as usize].0.push((*byte, new));
                new
            });
        }
        if self.child(state, *last).is_none() {
            self.states[state as usize].0.push((*last, to));
        }
    }
}

impl Starts {
    fn build() -> Self {
        let states = PHRASES.nodes().map(|(ways, kinds)| (ways.to_vec(), kinds)).collect();
        let mut grown = Grown { states };
        let trie = grown.states.len() as u32;
        let others = other_forms();
        for state in 0..trie {
            for at in 0..grown.states[state as usize].0.len() {
                let (byte, behind) = grown.states[state as usize].0[at];
                for (form, rest) in others.get(&byte).into_iter().flatten() {
                    let to = rest.iter().try_fold(behind, |to, byte| grown.child(to, *byte));
                    let Some(to) = to else { continue };
                    grown.add(state, form, to);
                    if byte == b' ' {
                        grown.add(to, form, to);
                    }
                }
                if byte == b' ' {
                    grown.add(behind, b" ", behind);
                }
            }
        }
        Self::lay_out(&grown)
    }

    /// Finds a base for every state, so that no two ways share a cell.
    fn lay_out(grown: &Grown) -> Self {
        let mut cells = vec![Cell::default(); 512];
        let mut bases = vec![LEAF; grown.states.len()];
        let mut taken = HashSet::from([0, LEAF]);
        let mut from = 2;
        for (state, (ways, _)) in grown.states.iter().enumerate().filter(|(_, s)| !s.0.is_empty()) {
            let mut base = from;
            loop {
                if cells.len() < base + 512 {
                    cells.resize(cells.len() * 2, Cell::default());
                }
                let is_free = |way: &(u8, u32)| cells[base + usize::from(way.0)].owner == 0;
                if !taken.contains(&(base as u32)) && ways.iter().all(is_free) {
                    break;
                }
                base += 1;
            }
            // Where it is this full, only luck would find room for others.
            from = from.max(base.saturating_sub(TRIES));
            taken.insert(base as u32);
            bases[state] = base as u32;
            for (byte, _) in ways {
                cells[base + usize::from(*byte)].owner = base as u32;
            }
        }
        for (state, (ways, _)) in grown.states.iter().enumerate() {
            for (byte, to) in ways {
                let kinds = u32::from(grown.states[*to as usize].1) << KINDS_SHIFT;
                cells[(bases[state] + u32::from(*byte)) as usize].next =
                    bases[*to as usize] | kinds;
            }
        }
        Self { cells, root: bases[0] }
    }
}

/// By the first byte of normal forms: what stands for them, and the rest of them.
type OtherForms = HashMap<u8, Vec<(Vec<u8>, Vec<u8>)>>;

/// The characters that do not stand in the lower-cased text as in their normal form: what stands
/// there and the normal form, by the normal form's first byte, which the latter lacks.
fn other_forms() -> OtherForms {
    let mut others = OtherForms::new();
    for ch in (0..=0x10_ffff).filter_map(char::from_u32) {
        let class = CLASSES.get(ch);
        if !(class.has(Class::SPACE) || class.has(Class::CHANGES) || "ıς’ʼ".contains(ch)) {
            continue;
        }
        let form = standing(ch, class).to_string().into_bytes();
        let mut normal = Vec::new();
        each_normal(ch, class, |byte| normal.push(byte));
        if form != normal {
            others.entry(normal.remove(0)).or_default().push((form, normal));
        }
    }
    others
}

/// The character that the lower-cased text of a chunk has for one.
fn standing(ch: char, class: Class) -> char {
    let mut lower = ch.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) if class.is_lettery() && only.len_utf8() == ch.len_utf8() => only,
        _ => ch,
    }
}
