//! The one secret of the configuration, expanded into keys by purpose, and the keyed
//! pseudorandom functions whose outputs are stored.
//!
//! ```text
//! secret ──BLAKE3 derive_key──┬─ ids    → SipHash-1-3 → peer and message pseudonyms (64 bit)
//!                             ├─ texts  → SipHash-1-3 → tokens (32), skeletons (64), buckets (6)
//!                             └─ check  → what a lake keeps to refuse another secret
//! ```
//!
//! Domains are separated by the key's purpose and a leading tag byte; the sender is part of the
//! input of every pseudonym, so nobody can be followed from one sender to another.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::ids::Pseudonym;

/// The secret as configured: 32 bytes or more of outside randomness. Never printed.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// Why a secret was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    /// Too short to be a secret.
    #[error("read secret: it has {found} bytes, at least {minimum} are needed", minimum = Secret::MIN_BYTES)]
    TooShort {
        /// Bytes found after trimming white space at the ends.
        found: usize,
    },
}

/// The keys expanded from one secret.
#[derive(Clone)]
pub struct Keys {
    ids: (u64, u64),
    texts: (u64, u64),
    check: String,
}

/// What an id is, for its pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// A peer's phone number.
    PeerPhone,
    /// A peer's business-scoped user id.
    PeerUser,
    /// A message's id.
    Message,
}

impl Secret {
    /// The fewest bytes a secret may have.
    pub const MIN_BYTES: usize = 32;

    /// Takes the content of a secret file, white space at its ends removed.
    ///
    /// # Errors
    /// [`SecretError::TooShort`] below [`Secret::MIN_BYTES`].
    pub fn new(content: &[u8]) -> Result<Self, SecretError> {
        let trimmed = content.trim_ascii();
        if trimmed.len() < Self::MIN_BYTES {
            return Err(SecretError::TooShort { found: trimmed.len() });
        }
        Ok(Self(trimmed.to_vec()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Keys(…)")
    }
}

impl Keys {
    /// Expands the secret. The same secret gives the same keys for ever.
    #[must_use]
    pub fn expand(secret: &Secret) -> Self {
        let pair = |purpose: &str| {
            let key = blake3::derive_key(purpose, &secret.0);
            let word = |at: usize| {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&key[at..at + 8]);
                u64::from_le_bytes(bytes)
            };
            (word(0), word(8))
        };
        let check = blake3::derive_key("turnwise 2026-11 lake check value", &secret.0);
        Self {
            ids: pair("turnwise 2026-11 peer and message pseudonyms"),
            texts: pair("turnwise 2026-11 tokens, skeletons and text buckets"),
            check: check[..16].iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// The value a lake keeps, so that every role can refuse another secret.
    #[must_use]
    pub fn check_value(&self) -> &str {
        &self.check
    }

    /// Pseudonym of a peer known by phone number. `digits` has no leading `+`.
    #[must_use]
    pub fn peer_phone(&self, sender: &str, digits: &str) -> Pseudonym {
        self.id(b'p', sender.as_bytes(), digits.as_bytes())
    }

    /// Pseudonym of a peer known by a business-scoped user id.
    #[must_use]
    pub fn peer_user(&self, sender: &str, user_id: &str) -> Pseudonym {
        self.id(b'u', sender.as_bytes(), user_id.as_bytes())
    }

    /// Pseudonym of a message with a wamid (or another platform's message id).
    #[must_use]
    pub fn message(&self, sender: &str, wamid: &str) -> Pseudonym {
        self.id(b'm', sender.as_bytes(), wamid.as_bytes())
    }

    /// The same three by kind, of bytes.
    #[must_use]
    #[inline]
    pub fn pseudonym(&self, kind: IdKind, sender: &[u8], value: &[u8]) -> Pseudonym {
        let tag = match kind {
            IdKind::PeerPhone => b'p',
            IdKind::PeerUser => b'u',
            IdKind::Message => b'm',
        };
        self.id(tag, sender, value)
    }

    /// Pseudonym of an item without a message id: from its own bytes as they arrived.
    #[must_use]
    pub fn item(&self, sender: &str, bytes: &[u8]) -> Pseudonym {
        self.id(b'i', sender.as_bytes(), bytes)
    }

    /// A new hasher for tokens, skeletons and text buckets. The caller writes a tag byte first:
    /// `t` for a token, `s` for a skeleton, `b` for a text bucket.
    #[must_use]
    pub fn text_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.texts.0, self.texts.1)
    }

    fn id(&self, tag: u8, sender: &[u8], value: &[u8]) -> Pseudonym {
        let mut hasher = SipHasher13::new_with_keys(self.ids.0, self.ids.1);
        // The length of the sender separates it from the value: no two pairs share an input.
        hasher.write(&[tag]);
        hasher.write(&(sender.len() as u64).to_le_bytes());
        hasher.write(sender);
        hasher.write(value);
        Pseudonym(hasher.finish().cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::expand(&Secret::new(secret.as_bytes()).expect("long enough"))
    }

    #[test]
    fn pseudonyms_depend_on_secret_sender_kind_and_value() {
        let one = keys("0123456789abcdef0123456789abcdef");
        let two = keys("0123456789abcdef0123456789abcdeF");
        let base = one.peer_phone("100", "491701234567");
        assert_eq!(base, one.peer_phone("100", "491701234567"));
        assert_ne!(base, two.peer_phone("100", "491701234567"));
        assert_ne!(base, one.peer_phone("101", "491701234567"));
        assert_ne!(base, one.peer_user("100", "491701234567"));
        assert_ne!(one.peer_phone("1", "23"), one.peer_phone("12", "3"));
        let bytes = |kind| one.pseudonym(kind, b"100", b"491701234567");
        assert_eq!(bytes(IdKind::PeerPhone), base);
        assert_eq!(bytes(IdKind::PeerUser), one.peer_user("100", "491701234567"));
        assert_eq!(bytes(IdKind::Message), one.message("100", "491701234567"));
        assert_ne!(one.check_value(), two.check_value());
    }

    #[test]
    fn short_secret_is_refused_and_nothing_is_printed() {
        assert_eq!(Secret::new(b" short \n").unwrap_err(), SecretError::TooShort { found: 5 });
        let secret = Secret::new(b"0123456789abcdef0123456789abcdef\n").expect("long enough");
        assert!(!format!("{secret:?} {:?}", Keys::expand(&secret)).contains("0123"));
    }
}
