//! The smallest distinct keyed hashes of a text's content tokens.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use turnwise_model::keys::Keys;
use turnwise_model::limits::TEXT_TOKENS_MAX;

/// Fewest characters of a letter run that is a content token.
pub(super) const TOKEN_CHARS_MIN: usize = 5;

/// A text's content tokens: the smallest distinct hashes, ascending as unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    kept: [u32; TEXT_TOKENS_MAX],
    len: usize,
}

impl Tokens {
    /// None yet.
    pub(super) const EMPTY: Self = Self { kept: [0; TEXT_TOKENS_MAX], len: 0 };

    /// The hashes, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.kept[..self.len]
    }

    /// Keeps the hash if it is among the smallest and not there yet.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32) {
        let kept = &self.kept[..self.len];
        if self.len == TEXT_TOKENS_MAX && hash >= self.kept[TEXT_TOKENS_MAX - 1] {
            return;
        }
        let at = kept.iter().take_while(|one| **one < hash).count();
        if kept.get(at) == Some(&hash) {
            return;
        }
        self.len = (self.len + 1).min(TEXT_TOKENS_MAX);
        self.kept.copy_within(at..self.len - 1, at + 1);
        self.kept[at] = hash;
    }
}

/// The keyed functions of a text with their tag bytes already taken in.
#[derive(Clone)]
pub(super) struct TextHashes {
    token: SipHasher13,
    skeleton: SipHasher13,
    bucket: SipHasher13,
}

impl TextHashes {
    pub(super) fn new(keys: &Keys) -> Self {
        let tagged = |tag: u8| {
            let mut hasher = keys.text_hasher();
            hasher.write(&[tag]);
            hasher
        };
        Self { token: tagged(b't'), skeleton: tagged(b's'), bucket: tagged(b'b') }
    }

    /// The low 32 bits of the keyed hash of a token.
    #[inline]
    pub(super) fn token(&self, token: &[u8]) -> u32 {
        finish(&self.token, token) as u32
    }

    /// The keyed hash of a masked text.
    pub(super) fn skeleton(&self, masked: &[u8]) -> i64 {
        finish(&self.skeleton, masked).cast_signed()
    }

    /// The low six bits of the keyed hash of a text.
    pub(super) fn bucket(&self, text: &[u8]) -> i32 {
        const MASK: u64 = turnwise_model::limits::TEXT_BUCKETS as u64 - 1;
        (finish(&self.bucket, text) & MASK) as i32
    }
}

#[inline]
fn finish(tagged: &SipHasher13, bytes: &[u8]) -> u64 {
    let mut hasher = *tagged;
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_distinct_hashes_stay_in_order() {
        let mut tokens = Tokens::EMPTY;
        for hash in (0..40_u32).map(|one| one.wrapping_mul(2_654_435_761)).chain([7, 7, 0]) {
            tokens.insert(hash);
        }
        let mut all: Vec<u32> = (0..40_u32).map(|one| one.wrapping_mul(2_654_435_761)).collect();
        all.push(7);
        all.sort_unstable();
        all.dedup();
        assert_eq!(tokens.as_slice(), &all[..TEXT_TOKENS_MAX]);
    }

    #[test]
    fn order_of_arrival_does_not_matter() {
        let (mut up, mut down) = (Tokens::EMPTY, Tokens::EMPTY);
        for hash in 0..100 {
            up.insert(hash * 3);
            down.insert((99 - hash) * 3);
        }
        assert_eq!(up, down);
    }
}
