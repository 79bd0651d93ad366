//! The straight way into the rows, for what needs no second thought.
//!
//! Nearly every event has ids that are plain (ASCII, printable at both ends, not too long), phone
//! numbers in digits and a time in range. Those go from the wire to the columns without a stop.
//! Everything else takes the way that says what is meant; where both can go they give the same
//! rows, and tests compare them.

pub(crate) mod accounts;
pub(crate) mod body;
pub(crate) mod contact;
pub(crate) mod values;

use turnwise_kernels::scan::is_ascii;
use turnwise_model::keys::IdKind;
use turnwise_model::limits::ID_BYTES_MAX;
use turnwise_model::{Keys, Millis, Pseudonym};

use crate::country;
use crate::json::{Nth, Values, unescape_into};
use crate::numbers::spelled;
use crate::peer::is_of_person;
use crate::record::{Place, Record};
use crate::rows::{Common, MessageRow, PlainOwner, StatusRow, TextColumns};

/// Memory for unescaped texts that is kept between records.
pub(crate) const UNESCAPED_KEPT_MAX: usize = 64 << 10;

/// What makes pseudonyms of ids.
#[derive(Clone, Copy)]
pub(crate) enum Hashing<'d> {
    /// The keys of the secret.
    Keyed(&'d Keys),
    /// Nothing worth its name: a few bytes of the id, to measure what all the rest costs.
    StandIn,
}

/// The ids of one event, each plain or empty.
#[derive(Clone, Copy)]
pub(crate) struct PlainIds<'a> {
    pub(crate) owner: PlainOwner,
    /// The owner's number, as it stands in the record.
    pub(crate) sender: &'a [u8],
    /// Digits or empty.
    pub(crate) phone: &'a [u8],
    pub(crate) user: &'a [u8],
    /// Empty of what is no message's.
    pub(crate) message: &'a [u8],
}

impl PlainIds<'_> {
    /// The country of the peer.
    #[inline]
    pub(crate) fn country(&self) -> Option<[u8; 2]> {
        country::of_digits(self.phone).or_else(|| country::of_plain_user_id(self.user))
    }
}

impl Hashing<'_> {
    #[inline]
    fn of(self, kind: IdKind, sender: &[u8], id: &[u8]) -> Pseudonym {
        match self {
            Self::Keyed(keys) => keys.pseudonym(kind, sender, id),
            Self::StandIn => fold(id),
        }
    }
}

/// The length counts, and of ids of eight bytes and more both ends.
#[inline(always)]
fn fold(bytes: &[u8]) -> Pseudonym {
    let word = |chunk: Option<&[u8; 8]>| chunk.map_or(0, |chunk| i64::from_le_bytes(*chunk));
    let ends = word(bytes.first_chunk()) ^ word(bytes.last_chunk()).rotate_left(23);
    Pseudonym(ends ^ bytes.len().cast_signed() as i64)
}

/// Whether an id is itself as it stands: nothing to trim, not too long, not empty.
#[inline]
pub(crate) fn is_plain(id: &[u8]) -> bool {
    is_plain_ascii(id) && is_ascii(id)
}

/// The same of an id that is known to be ASCII.
#[inline]
pub(crate) fn is_plain_ascii(id: &[u8]) -> bool {
    let printable = |byte: Option<&u8>| byte.is_some_and(|byte| (0x21..0x7F).contains(byte));
    printable(id.first()) && printable(id.last()) && id.len() <= ID_BYTES_MAX
}

/// Whether an id is plain or missing.
#[inline]
pub(crate) fn is_plain_or_empty(id: &[u8]) -> bool {
    id.is_empty() || is_plain(id)
}

/// Whether a plain id may be an owner's: of nearly all the digits tell, and a number in another
/// spelling is left to meaning. That takes a few more for senders, too, see
/// [`crate::meant::Id::of_sender`].
#[inline]
pub(crate) fn may_be_owners(id: &[u8]) -> bool {
    let may_be = |id| !is_of_person(id) && spelled(id).next().is_none();
    is_digits_or_empty(id) || std::str::from_utf8(id).is_ok_and(may_be)
}

/// Whether a phone number may stand for the id of an account or of a business's number as well: then
/// that may be a person's. The last eight digits tell, of fewer all.
#[inline(always)]
pub(crate) fn may_be_same(phone: &[u8], id: &[u8]) -> bool {
    match (phone.last_chunk::<8>(), id.last_chunk()) {
        (Some(last), Some(of_id)) => last == of_id,
        _ => !phone.is_empty() && phone == id,
    }
}

/// Whether a phone number is in its one spelling, digits alone, or missing.
#[inline]
pub(crate) fn is_digits_or_empty(phone: &[u8]) -> bool {
    let digits = |word: &[u8; 8]| are_digits(u64::from_le_bytes(*word));
    match (phone.first_chunk(), phone.last_chunk()) {
        // Two words that overlap are all of it.
        (Some(first), Some(last)) if phone.len() <= 16 => digits(first) & digits(last),
        _ => phone.iter().all(u8::is_ascii_digit) && phone.len() <= ID_BYTES_MAX,
    }
}

/// Whether the eight bytes of a word are digits: from 0x30 on, and below 0x40 with six more.
#[inline]
pub(crate) fn are_digits(word: u64) -> bool {
    const HIGH_HALVES: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const THREES: u64 = 0x3030_3030_3030_3030;
    let with_six = word.wrapping_add(0x0606_0606_0606_0606);
    word & HIGH_HALVES == THREES && with_six & HIGH_HALVES == THREES
}

impl Place {
    /// The columns that every row has.
    #[inline(always)]
    pub(crate) fn plain_common(
        &self,
        hashing: Hashing<'_>,
        ids: &PlainIds<'_>,
        time: Millis,
        item: i32,
    ) -> Common {
        let PlainIds { owner, sender, phone, user, message } = *ids;
        Common {
            waba_id: owner.waba_id,
            sender: Some(owner.sender),
            peer_phone: (!phone.is_empty()).then(|| hashing.of(IdKind::PeerPhone, sender, phone)),
            peer_user: (!user.is_empty()).then(|| hashing.of(IdKind::PeerUser, sender, user)),
            time,
            message: (!message.is_empty()).then(|| hashing.of(IdKind::Message, sender, message)),
            source: self.source,
            partition: self.partition,
            offset: self.offset,
            item,
        }
    }
}

impl Record<'_> {
    /// Hands a text of a JSON record that is UTF-8 over to the kernel; `unescaped` is lent.
    #[inline]
    pub(crate) fn plain_text(
        &mut self,
        values: Values<'_>,
        text: Nth,
        unescaped: &mut String,
    ) -> TextColumns {
        if text.is_none() {
            return TextColumns::None;
        }
        let text = values.text(text);
        let raw = text.span().of(values.bytes);
        TextColumns::Text(if text.is_escaped() {
            unescaped.clear();
            unescape_into(std::str::from_utf8(raw).unwrap_or_default(), unescaped);
            self.rows.shapes.push(unescaped)
        } else {
            self.rows.shapes.push_bytes(raw)
        })
    }

    /// Writes the row of a message that is no history.
    #[inline(always)]
    pub(crate) fn plain_message(&mut self, owner: PlainOwner, row: MessageRow) {
        self.counts.messages += 1;
        self.rows.live_message(row, owner.bytes + self.place.source_bytes);
    }

    /// Writes the row of a status.
    #[inline(always)]
    pub(crate) fn plain_status(&mut self, owner: PlainOwner, row: StatusRow) {
        self.counts.statuses += 1;
        self.rows.live_status(row, owner.bytes + self.place.source_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meant::{Id, id_of};

    #[test]
    fn plain_ids_are_ids_as_they_stand() {
        for id in ["1", "wamid.A=", "US.7", "<PHONE>"] {
            assert!(is_plain(id.as_bytes()));
            assert_eq!(id_of(id.into()), Id::Some(id.into()));
        }
        let long = "9".repeat(ID_BYTES_MAX + 1);
        for id in ["", " 1", "1\n", "é1", "1é1", "1\u{a0}", "\u{7f}", &long] {
            assert!(!is_plain(id.as_bytes()), "{id}");
        }
        assert!(may_be_owners(b"") && may_be_owners(b"106540352242922") && may_be_owners(b"of 1"));
        assert!(!may_be_owners(b"+1 650-555-1234") && !may_be_owners(b"+1650"));
        assert!(!may_be_owners(b"77@lid") && !may_be_owners(b"US.7") && !may_be_owners(b"\xff"));
        for (phone, other) in [("4912", "4912"), ("551112345678", "5511912345678")] {
            assert!(may_be_same(phone.as_bytes(), other.as_bytes()), "{phone} {other}");
        }
        assert!(!may_be_same(b"", b"") && !may_be_same(b"4912", b"") && !may_be_same(b"1", b"11"));
        assert!(is_digits_or_empty(b"") && is_digits_or_empty(b"0123456789"));
        assert!(!is_digits_or_empty(b"+1") && !is_digits_or_empty(b"12345678x"));
    }
}
