//! The text sample: the texts of smallest message hash, each with its peer, skeleton and tokens.
//!
//! State, an entry: message hash, peer, skeleton, number of tokens, tokens ascending. Entries
//! ascend by hash. A message is in it once; were two entries to share a hash with different
//! contents, the smaller one stays, so that the order still does not matter.

use turnwise_model::Pseudonym;
use turnwise_model::limits::{SAMPLE_TOKENS_MIN, TEXT_SAMPLE_MAX, TEXT_TOKENS_MAX};

use super::{Cursor, Tokens, token_of};

/// A growing text sample.
#[derive(Clone, Debug)]
pub struct TextSample {
    max: usize,
    /// Ascending by hash, each hash once.
    texts: Vec<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Text {
    hash: u64,
    peer: i64,
    skeleton: i64,
    tokens: Tokens,
}

impl Default for TextSample {
    fn default() -> Self {
        Self::with_max(TEXT_SAMPLE_MAX)
    }
}

impl TextSample {
    /// An empty sample of at most [`TEXT_SAMPLE_MAX`] texts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty sample of at most `max` texts.
    #[must_use]
    pub const fn with_max(max: usize) -> Self {
        Self { max, texts: Vec::new() }
    }

    /// Adds a text by the pseudonyms of its message and peer. Texts of fewer than
    /// [`SAMPLE_TOKENS_MIN`] distinct tokens are left out. Tokens are unsigned 32 bit in the
    /// columns' signed integers.
    pub fn add(&mut self, message: i64, peer: i64, skeleton: i64, tokens: &[i32]) {
        let hash = Pseudonym(message).sample_hash();
        if tokens.len() < SAMPLE_TOKENS_MIN || self.is_beyond(hash) {
            return;
        }
        let mut kept = Tokens::default();
        tokens.iter().for_each(|token| kept.insert(token.cast_unsigned()));
        self.insert(Text { hash, peer, skeleton, tokens: kept });
    }

    /// Adds the texts of a state.
    pub fn merge(&mut self, state: &[i64]) {
        for text in texts(state) {
            if self.is_beyond(text.hash) {
                continue;
            }
            let mut kept = Tokens::default();
            text.tokens.iter().for_each(|token| kept.insert(token_of(*token)));
            self.insert(Text {
                hash: text.hash,
                peer: text.peer,
                skeleton: text.skeleton,
                tokens: kept,
            });
        }
    }

    /// The state.
    #[must_use]
    pub fn to_state(&self) -> Vec<i64> {
        let mut state = Vec::new();
        self.append_state(&mut state);
        state
    }

    /// Puts the state at the end of a list.
    pub fn append_state(&self, state: &mut Vec<i64>) {
        state.reserve(self.texts.len() * 12);
        for text in &self.texts {
            state.extend([text.hash.cast_signed(), text.peer, text.skeleton]);
            text.tokens.push_state(state);
        }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn size(&self) -> usize {
        self.texts.capacity() * size_of::<Text>()
    }

    fn is_beyond(&self, hash: u64) -> bool {
        self.texts.len() >= self.max && self.texts.last().is_none_or(|last| last.hash < hash)
    }

    fn insert(&mut self, text: Text) {
        if usize::from(text.tokens.len) < SAMPLE_TOKENS_MIN {
            return;
        }
        match self.texts.binary_search_by_key(&text.hash, |held| held.hash) {
            Ok(at) => self.texts[at] = self.texts[at].min(text),
            Err(at) => {
                if self.texts.len() >= self.max {
                    self.texts.pop();
                }
                self.texts.insert(at, text);
            }
        }
    }
}

/// One text of a text sample's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextEntry<'a> {
    /// Sample hash of its message.
    pub hash: u64,
    /// Pseudonym of its peer.
    pub peer: i64,
    /// Its skeleton.
    pub skeleton: i64,
    /// Its tokens, ascending, each in 0..2^32.
    pub tokens: &'a [i64],
}

/// The texts of a state, in its order.
pub fn texts(state: &[i64]) -> impl Iterator<Item = TextEntry<'_>> {
    let mut cursor = Cursor { rest: state };
    std::iter::from_fn(move || {
        Some(TextEntry {
            hash: cursor.number()?.cast_unsigned(),
            peer: cursor.number()?,
            skeleton: cursor.number()?,
            tokens: cursor.list(TEXT_TOKENS_MAX)?,
        })
    })
    .fuse()
}
