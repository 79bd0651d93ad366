//! What a text begins with, as `phrases.rs` says, by one look into a table for each byte.
//!
//! The trie of phrases becomes an automaton over the bytes of lower-cased text. Letters are
//! lower-cased as they are read, and only those: most texts are told after a word. Where the
//! normal form of a character is not what stands there (`ı`, `ς`, `’`, white space …), the automaton has
//! a second way for what stands there, and more white space leads from behind a space back to
//! behind it.
//!
//! All states lie in one table: the way of a state by a byte is at the state's base plus the byte,
//! if the cell there names the state as its owner.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::classes::{CLASSES, Class};
use super::super::phrases::{
    Beginning, GREETING, OPENER, PHRASES, each_normal, goes_on, is_word_end,
};
use super::block::Block;
use super::ops::BLOCK;
use super::pages::Pages;
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
    /// Reads the beginning of a text of UTF-8, and all of it as long as it is greetings.
    #[inline(always)]
    pub(super) fn beginning(&self, pages: &Pages, text: &[u8]) -> Beginning {
        let mut found = Beginning::default();
        let mut seen = false;
        let mut at = 0;
        loop {
            while let Some(byte) = text.get(at)
                && !byte.is_ascii_alphanumeric()
            {
                at += 1;
                if !byte.is_ascii() {
                    let class = class_at(text, at - 1);
                    if class.has(Class::LETTER.union(Class::DIGIT)) {
                        at -= 1;
                        break;
                    }
                    seen |= class.has(Class::EMOJI);
                    at += bytes_behind(*byte);
                }
            }
            if at >= text.len() {
                found.greeting_only = seen;
                return found;
            }
            let (opener, greeting) = self.longest(pages, text, at);
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
    fn longest(&self, pages: &Pages, text: &[u8], from: usize) -> (usize, usize) {
        let (mut opener, mut greeting) = (0, 0);
        let (mut base, mut at) = (self.root, from);
        while let Some(byte) = text.get(at) {
            let kinds = if byte.is_ascii() {
                at += 1;
                self.step(&mut base, byte.to_ascii_lowercase())
            } else {
                let (bytes, count) = lower(pages, text, at);
                at += count;
                let mut kinds = Some(0);
                for byte in &bytes[..count] {
                    kinds = kinds.and_then(|_| self.step(&mut base, *byte));
                }
                kinds
            };
            let Some(kinds) = kinds else { break };
            if kinds != 0 {
                let (ends, alone) = ends_word(text, from, at);
                if ends && kinds & u32::from(OPENER) != 0 {
                    opener = at;
                }
                if ends && !alone && kinds & u32::from(GREETING) != 0 {
                    greeting = at;
                }
            }
        }
        (opener, greeting)
    }

    /// Goes on by a byte; the kinds of the phrases that end behind it, none where no way leads on.
    #[inline(always)]
    fn step(&self, base: &mut u32, byte: u8) -> Option<u32> {
        let cell = self.cells[*base as usize + usize::from(byte)];
        if cell.owner != *base {
            return None;
        }
        *base = cell.next & BASE;
        Some(cell.next >> KINDS_SHIFT)
    }
}

/// Bytes of a character behind its first one.
#[inline(always)]
const fn bytes_behind(lead: u8) -> usize {
    match lead {
        0..0xc0 => 0,
        0xc0..0xe0 => 1,
        0xe0..0xf0 => 2,
        _ => 3,
    }
}

#[inline(always)]
fn class_at(text: &[u8], at: usize) -> Class {
    char_at(text, at).map_or(Class::default(), |ch| CLASSES.get(ch))
}

/// A character beyond ASCII in lower case where that has as many bytes, else as it is.
#[inline(always)]
fn lower(pages: &Pages, text: &[u8], at: usize) -> ([u8; 4], usize) {
    let bytes = text[at..].first_chunk::<2>();
    match bytes.and_then(|[lead, next]| (*lead < 0xe0).then(|| pages.lower_of_two(*lead, *next))) {
        Some(Some([lead, next])) => ([lead, next, 0, 0], 2),
        _ => {
            let ch = char_at(text, at).unwrap_or_default();
            let mut bytes = [0; 4];
            let count = standing(ch, CLASSES.get(ch)).encode_utf8(&mut bytes).len();
            (bytes, count)
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
fn ends_word(text: &[u8], from: usize, at: usize) -> (bool, bool) {
    match text.get(at) {
        None => (true, false),
        Some(next) if next.is_ascii() && !next.is_ascii_alphanumeric() => (true, false),
        Some(_) => ends_in_word(text, from, at),
    }
}

#[inline(never)]
fn ends_in_word(text: &[u8], from: usize, at: usize) -> (bool, bool) {
    let next = class_at(text, at);
    let mut last = at - 1;
    while text[last] & 0xc0 == 0x80 {
        last -= 1;
    }
    (is_word_end(class_at(text, last), next), last == from && goes_on(next))
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
        // By base: whether it is some state's.
        let mut taken = vec![false; 512];
        let mut from = LEAF as usize + 1;
        for (state, (ways, _)) in grown.states.iter().enumerate().filter(|(_, s)| !s.0.is_empty()) {
            let mut base = from;
            loop {
                if cells.len() < base + 512 {
                    cells.resize(cells.len() * 2, Cell::default());
                    taken.resize(cells.len(), false);
                }
                let is_free = |way: &(u8, u32)| cells[base + usize::from(way.0)].owner == 0;
                if !taken[base] && ways.iter().all(is_free) {
                    break;
                }
                base += 1;
            }
            // Where it is this full, only luck would find room for others.
            from = from.max(base.saturating_sub(TRIES));
            taken[base] = true;
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
        let normalised = class.has(Class::SPACE.union(Class::CHANGES));
        if !normalised && !matches!(ch, 'ı' | 'ς' | '’' | 'ʼ') {
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
    if !class.has(Class::CHANGES) {
        return ch;
    }
    let mut lower = ch.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) if class.is_lettery() && only.len_utf8() == ch.len_utf8() => only,
        _ => ch,
    }
}
