//! Strings that many rows share, kept once while a batch is built.

use std::num::NonZeroU32;

use crate::straight::{is_digits_or_empty, is_plain, may_be_owners};

/// A string that many rows share; see [`Strings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StringId(NonZeroU32);

/// An account and a number of it, both plain ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainOwner {
    pub(crate) waba_id: Option<StringId>,
    pub(crate) sender: StringId,
    /// Bytes of both.
    pub(crate) bytes: usize,
}

/// Strings kept once while a batch is built.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    ids: hashbrown::HashMap<Box<str>, StringId>,
    texts: Vec<Box<str>>,
    /// The same by their numbers, as far as they are short; the first one stands for none.
    short: Vec<ShortText>,
    bytes: usize,
    /// The last source; records of one follow each other.
    source: Option<(Option<ShortId>, StringId)>,
    owners: Owners,
}

/// A text of at most sixteen bytes, zeros behind it: copied at once where a longer one is copied by
/// a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortText {
    pub(super) bytes: [u8; Self::BYTES],
    /// How many it has; more than there is room for of a longer text.
    pub(super) length: usize,
}

/// Owners met lately: some hundred own most records, and looking each of their ids up by its hash,
/// and again whether it is plain, would take as long as reading a record does.
#[derive(Debug)]
struct Owners(Box<[Option<(OwnerKey, PlainOwner)>; OWNERS]>);

const OWNERS: usize = 1 << OWNER_BITS;
const OWNER_BITS: u32 = 9;

/// Strings that memory is kept for between two batches.
const STRINGS_KEPT_MAX: usize = 1 << 16;

/// The bytes of an account's and a number's id, if both are short.
type OwnerKey = [ShortId; 2];

/// An id of none or of 8 to 16 bytes: its length, its first and its last eight. No two are alike.
type ShortId = (usize, u64, u64);

impl StringId {
    /// The string that was added so many strings after the first.
    fn of(place: usize) -> Self {
        let number = u32::try_from(place + 1).unwrap_or(u32::MAX);
        Self(NonZeroU32::new(number).unwrap_or(NonZeroU32::MAX))
    }

    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl ShortText {
    /// Bytes of a short text at most.
    pub(super) const BYTES: usize = 16;

    const EMPTY: Self = Self { bytes: [0; Self::BYTES], length: 0 };

    fn of(text: &str) -> Self {
        let mut short = Self { length: text.len(), ..Self::EMPTY };
        if let Some(bytes) = short.bytes.get_mut(..text.len()) {
            bytes.copy_from_slice(text.as_bytes());
        }
        short
    }
}

impl Default for Owners {
    fn default() -> Self {
        Self(Box::new([None; OWNERS]))
    }
}

#[inline]
fn short(id: &[u8]) -> Option<ShortId> {
    match (id.first_chunk(), id.last_chunk()) {
        (Some(first), Some(last)) if id.len() <= 16 => {
            Some((id.len(), u64::from_le_bytes(*first), u64::from_le_bytes(*last)))
        }
        _ => id.is_empty().then_some((0, 0, 0)),
    }
}

/// Whether all six numbers are equal: one question, for nearly always they are.
#[inline(always)]
fn same([one, other]: &OwnerKey, [like_one, like_other]: &OwnerKey) -> bool {
    let differ = |a: &ShortId, b: &ShortId| (a.0 ^ b.0) as u64 | (a.1 ^ b.1) | (a.2 ^ b.2);
    differ(one, like_one) | differ(other, like_other) == 0
}

impl Owners {
    /// The place of an owner; others have the same.
    #[inline]
    fn place(
        &mut self,
        [waba_id, sender]: &OwnerKey,
    ) -> Option<&mut Option<(OwnerKey, PlainOwner)>> {
        // Ids differ in their last digits, wherever they do: those end up above.
        let mixed = (waba_id.2 ^ sender.2.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0.get_mut((mixed >> (u64::BITS - OWNER_BITS)) as usize)
    }
}

impl Strings {
    /// The id of a text; the same for the same text until [`Strings::clear`].
    pub(crate) fn intern(&mut self, text: &str) -> StringId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = StringId::of(self.texts.len());
        self.ids.insert(text.into(), id);
        self.texts.push(text.into());
        if self.short.is_empty() {
            self.short.push(ShortText::EMPTY);
        }
        self.short.push(ShortText::of(text));
        self.bytes += 2 * text.len() + 64 + size_of::<ShortText>();
        id
    }

    /// The same of the name of a record's source.
    #[inline]
    pub(crate) fn intern_source(&mut self, name: &str) -> StringId {
        match self.source {
            // Names of a few letters are compared at once.
            Some((key, id)) if key.is_some() && key == short(name.as_bytes()) => id,
            Some((None, id)) if self.get(id) == name => id,
            _ => self.new_source(name),
        }
    }

    #[inline(never)]
    fn new_source(&mut self, name: &str) -> StringId {
        let id = self.intern(name);
        self.source = Some((short(name.as_bytes()), id));
        id
    }

    /// Whether an account, which may be missing, is of digits, and a number plain and no person.
    pub(crate) fn may_own([waba_id, sender]: [&[u8]; 2]) -> bool {
        is_digits_or_empty(waba_id) && is_plain(sender) && may_be_owners(sender)
    }

    /// The ids of an account and a number, if [they may own](Self::may_own) rows.
    #[inline]
    pub(crate) fn plain_owner(&mut self, waba_id: &[u8], sender: &[u8]) -> Option<PlainOwner> {
        self.known_owner(waba_id, sender).or_else(|| self.new_owner(waba_id, sender))
    }

    /// The same of those that were met lately.
    #[inline(always)]
    pub(crate) fn known_owner(&mut self, waba_id: &[u8], sender: &[u8]) -> Option<PlainOwner> {
        let key = [short(waba_id)?, short(sender)?];
        let (known, owner) = self.owners.place(&key)?.as_ref()?;
        same(known, &key).then_some(*owner)
    }

    #[inline(never)]
    fn new_owner(&mut self, waba_id: &[u8], sender: &[u8]) -> Option<PlainOwner> {
        let key = short(waba_id).zip(short(sender)).map(|(waba_id, sender)| [waba_id, sender]);
        if !Self::may_own([waba_id, sender]) {
            return None;
        }
        let bytes = waba_id.len() + sender.len();
        let waba_id = std::str::from_utf8(waba_id).ok()?;
        let sender = self.intern(std::str::from_utf8(sender).ok()?);
        let waba_id = (!waba_id.is_empty()).then(|| self.intern(waba_id));
        let owner = PlainOwner { waba_id, sender, bytes };
        if let Some(key) = key
            && let Some(place) = self.owners.place(&key)
        {
            *place = Some((key, owner));
        }
        Some(owner)
    }

    #[inline]
    pub(crate) fn get(&self, id: StringId) -> &str {
        self.texts.get(id.place()).map_or("", |text| text)
    }

    /// A text as far as it is short; of none the empty one.
    #[inline(always)]
    pub(super) fn short_or_empty(&self, id: Option<StringId>) -> &ShortText {
        let number = id.map_or(0, |id| id.0.get() as usize);
        self.short.get(number).unwrap_or(&ShortText::EMPTY)
    }

    /// Bytes held, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
        self.ids.shrink_to(STRINGS_KEPT_MAX);
        self.texts.clear();
        self.texts.shrink_to(STRINGS_KEPT_MAX);
        self.short.clear();
        self.short.shrink_to(STRINGS_KEPT_MAX);
        self.bytes = 0;
        self.source = None;
        self.owners.0.fill(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_the_ids_that_they_are_made_of() {
        let mut strings = Strings::default();
        let ids: [&[u8]; 9] = [
            b"",
            b"1",
            b"12345678",
            b"123456789",
            b"123456780",
            b"1234567890123456",
            b"12345678901234567",
            b" 12345678",
            b"12345678\xff",
        ];
        for round in 0..4 {
            // The second batch numbers its strings anew, beginning with another.
            if round == 2 {
                strings.clear();
                strings.intern("another");
            }
            for waba_id in ids {
                for sender in ids {
                    let found = strings.plain_owner(waba_id, sender).map(|owner| {
                        let waba_id = owner.waba_id.map_or("", |id| strings.get(id));
                        [waba_id.as_bytes(), strings.get(owner.sender).as_bytes()]
                    });
                    let plain = is_digits_or_empty(waba_id) && is_plain(sender);
                    assert_eq!(found, plain.then_some([waba_id, sender]));
                }
            }
        }
    }
}
