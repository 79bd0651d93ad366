//! Order-free, bounded, mergeable samples: "the smallest by a keyed hash".
//!
//! Whatever the order of additions, the split into parts or the tree of merges, a sample of the
//! same things is the same state, bit for bit: each is a function of the *set* that went in.
//! Every state is a flattened `List<Int64>`; hashes are unsigned 64 bit, stored as the bits of
//! a signed integer, and ordered unsigned. A state that ends inside an entry, or whose lengths
//! cannot be, is read up to there: the broken tail counts as absent, and nothing panics.

mod peer_count;
mod peers;
mod texts;

pub use peer_count::{PeerCount, peer_estimate};
pub use peers::{PeerEntry, PeerSample, members, peers, returning};
pub use texts::{TextEntry, TextSample, texts};

use turnwise_model::limits::TEXT_TOKENS_MAX;

/// The smallest distinct tokens of a union, at most [`TEXT_TOKENS_MAX`], ascending, inline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Tokens {
    values: [u32; TEXT_TOKENS_MAX],
    len: u8,
}

impl Tokens {
    fn as_slice(&self) -> &[u32] {
        &self.values[..usize::from(self.len)]
    }

    fn insert(&mut self, token: u32) {
        let len = usize::from(self.len);
        if len == TEXT_TOKENS_MAX && self.values[len - 1] <= token {
            return;
        }
        if let Err(at) = self.as_slice().binary_search(&token) {
            let end = if len == TEXT_TOKENS_MAX { len - 1 } else { len };
            self.values.copy_within(at..end, at + 1);
            self.values[at] = token;
            self.len = self.len.max(u8::try_from(end + 1).unwrap_or(self.len));
        }
    }

    fn push_state(&self, state: &mut Vec<i64>) {
        state.push(i64::from(self.len));
        state.extend(self.as_slice().iter().map(|token| i64::from(*token)));
    }
}

/// A token in a state; only the low 32 bits can be set in a state of ours.
fn token_of(number: i64) -> u32 {
    (number.cast_unsigned() & u64::from(u32::MAX)) as u32
}

/// Reads a flattened state from the front.
#[derive(Clone, Debug)]
struct Cursor<'a> {
    rest: &'a [i64],
}

impl<'a> Cursor<'a> {
    fn number(&mut self) -> Option<i64> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// A length of at most `max`, and that many numbers.
    fn list(&mut self, max: usize) -> Option<&'a [i64]> {
        let len = usize::try_from(self.number()?).ok().filter(|len| *len <= max)?;
        let (list, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(list)
    }
}

#[cfg(test)]
mod tests;
