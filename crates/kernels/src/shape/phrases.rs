//! What a text begins with: greetings, and question or request openers.
//!
//! The phrases of `openers.tsv` and `greetings.tsv` lie in one trie over the bytes of their
//! normal form: characters lower-cased one by one (`İ`, `I` and `ı` become `i`, `ς` becomes `σ`), `’` and `ʼ` become
//! `'`, white space becomes one space. A text is walked through it the same way, so a text that
//! begins with none of thousands of phrases is known after a few bytes. Beside each phrase lies the
//! one with its letters decomposed (`é` as `e` and U+0301), as some systems write texts; of Hangul
//! nobody writes so.
//!
//! A phrase matches where a word ends behind it: before something that is no letter, mark or
//! digit, or on a border of a bigram script; these write no spaces, so a phrase that ends in
//! one matches as a prefix. Where an opener and a greeting match, the longer one counts, the
//! greeting of equals.
//!
//! ```text
//! text:  ¡Hola!  buenos días,  ¿cómo puedo …
//!        skip└greeting┘ skip └greeting┘ skip └opener┘
//! ```

use std::collections::HashMap;
use std::sync::LazyLock;

use super::classes::{CLASSES, Class, Classes};

/// The phrases of both tables.
pub(super) static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let mut phrases = Phrases { nodes: vec![Node::default()] };
    let letters: HashMap<&str, &str> = rows(DECOMPOSED).collect();
    for (text, kind) in table(OPENERS, OPENER).chain(table(GREETINGS, GREETING)) {
        phrases.add(text, kind);
        phrases.add(&decomposed(text, &letters), kind);
    }
    phrases
});

const OPENERS: &str = include_str!("../../data/openers.tsv");
const GREETINGS: &str = include_str!("../../data/greetings.tsv");
/// The letters of both, but Hangul, that decompose.
const DECOMPOSED: &str = include_str!("../../data/decomposed.tsv");

pub(super) const OPENER: u8 = 1;
pub(super) const GREETING: u8 = 2;

/// What the beginning of a text shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Beginning {
    /// After greetings and punctuation comes an opener.
    pub(super) opener: bool,
    /// Nothing but greetings, emoji and punctuation, and a greeting or emoji at least.
    pub(super) greeting_only: bool,
}

/// A trie over bytes.
pub(super) struct Phrases {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    /// Byte and node, ascending by byte.
    children: Vec<(u8, u32)>,
    kinds: u8,
}

/// Rows of a table of two columns: the header line and empty lines left out.
fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().skip(1).filter_map(|row| row.split_once('\t'))
}

/// Phrases of a table.
fn table(of: &'static str, kind: u8) -> impl Iterator<Item = (&'static str, u8)> {
    rows(of).map(move |row| (row.1.trim(), kind))
}

fn decomposed(text: &str, letters: &HashMap<&str, &str>) -> String {
    let mut bytes = [0; 4];
    let mut parts = String::new();
    for ch in text.chars() {
        let ch: &str = ch.encode_utf8(&mut bytes);
        parts.push_str(letters.get(ch).unwrap_or(&ch));
    }
    parts
}

impl Phrases {
    /// Reads the beginning of a text, and all of it as long as it is greetings.
    pub(super) fn beginning(&self, text: &str, classes: &Classes) -> Beginning {
        let mut found = Beginning::default();
        let mut seen = false;
        let mut at = 0;
        loop {
            for ch in text[at..].chars() {
                let class = classes.get(ch);
                if class.has(Class::LETTER) || class.has(Class::DIGIT) {
                    break;
                }
                seen |= class.has(Class::EMOJI);
                at += ch.len_utf8();
            }
            if at == text.len() {
                found.greeting_only = seen;
                return found;
            }
            let (opener, greeting) = self.longest(&text[at..], classes);
            // "What's up" is a greeting, though "what's" opens a question.
            if opener > greeting {
                found.opener = true;
                return found;
            }
            if greeting == 0 {
                return found;
            }
            at += greeting;
            seen = true;
        }
    }

    /// The nodes of the trie, the root first: ways by byte to the number of a node, and kinds.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&[(u8, u32)], u8)> {
        self.nodes.iter().map(|node| (node.children.as_slice(), node.kinds))
    }

    /// Bytes of the longest opener and of the longest greeting at the start of `text` (0: none).
    fn longest(&self, text: &str, classes: &Classes) -> (usize, usize) {
        let (mut opener, mut greeting) = (0, 0);
        let mut node = &self.nodes[0];
        let mut chars = text.char_indices().peekable();
        let mut last = Class::default();
        let first_bytes = text.chars().next().map_or(0, char::len_utf8);
        loop {
            if node.kinds != 0 {
                let next = chars.peek().map_or(Class::default(), |(_, ch)| classes.get(*ch));
                let end = chars.peek().map_or(text.len(), |(at, _)| *at);
                if node.kinds & OPENER != 0 && is_word_end(last, next) {
                    opener = end;
                }
                // One sign alone (`好`, `네`) begins too many other words to be a greeting in them.
                let alone = end == first_bytes && goes_on(next);
                if node.kinds & GREETING != 0 && is_word_end(last, next) && !alone {
                    greeting = end;
                }
            }
            let Some((_, ch)) = chars.next() else { break };
            last = classes.get(ch);
            let is_space = last.has(Class::SPACE);
            while is_space && chars.next_if(|(_, ch)| classes.get(*ch).has(Class::SPACE)).is_some()
            {
            }
            match self.step(node, ch, last) {
                Some(next) => node = next,
                None => break,
            }
        }
        (opener, greeting)
    }

    #[inline]
    fn step<'a>(&'a self, node: &'a Node, ch: char, class: Class) -> Option<&'a Node> {
        let mut at = Some(node);
        each_normal(ch, class, |byte| at = at.and_then(|node| self.child(node, byte)));
        at
    }

    fn child(&self, node: &Node, byte: u8) -> Option<&Node> {
        let at = node.children.binary_search_by_key(&byte, |child| child.0).ok()?;
        Some(&self.nodes[node.children[at].1 as usize])
    }

    fn add(&mut self, text: &str, kind: u8) {
        let mut node = 0;
        for ch in text.chars() {
            each_normal(ch, CLASSES.get(ch), |byte| node = self.child_or_new(node, byte));
        }
        self.nodes[node].kinds |= kind;
    }

    fn child_or_new(&mut self, node: usize, byte: u8) -> usize {
        match self.nodes[node].children.binary_search_by_key(&byte, |child| child.0) {
            Ok(at) => self.nodes[node].children[at].1 as usize,
            Err(at) => {
                let new = self.nodes.len();
                self.nodes[node].children.insert(at, (byte, new as u32));
                self.nodes.push(Node::default());
                new
            }
        }
    }
}

/// Whether a word ends between two neighbours.
pub(super) fn is_word_end(last: Class, next: Class) -> bool {
    !goes_on(next)
        || !goes_on(last)
        || last.has(Class::BIGRAM)
        || next.has(Class::BIGRAM)
        || next.has(Class::GLUE)
}

/// Whether a word goes on with this.
pub(super) fn goes_on(next: Class) -> bool {
    next.is_lettery() || next.has(Class::DIGIT)
}

/// The bytes of a character's normal form.
#[inline]
pub(super) fn each_normal(ch: char, class: Class, mut each: impl FnMut(u8)) {
    let mut bytes = [0; 4];
    let mut put = |ch: char| ch.encode_utf8(&mut bytes).bytes().for_each(&mut each);
    match ch {
        'I' | 'İ' | 'ı' => put('i'),
        'ς' => put('σ'),
        '’' | 'ʼ' => put('\''),
        _ if class.has(Class::SPACE) => put(' '),
        _ if class.has(Class::CHANGES) => ch.to_lowercase().for_each(put),
        _ => put(ch),
    }
}

#[cfg(test)]
mod tests;
