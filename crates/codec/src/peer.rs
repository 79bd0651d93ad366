//! Who the peer is: phone numbers, business-scoped user ids, and neither.
//!
//! Ids are opaque (samples hold placeholders), so what does not look like a number is still a
//! phone where a phone is due. Only a *masked* number (`9191****873`) is none: it stands for many
//! people, so it gives no pseudonym, but its first digits still tell the country.

use std::borrow::Cow;

use turnwise_model::{Keys, Pseudonym};

use crate::country;
use crate::json::Value;
use crate::meant::{self, Id, id};
use crate::webhook::contacts::Contact;

/// A peer as a record names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peer<'a> {
    phone: Option<Cow<'a, str>>,
    user: Option<Cow<'a, str>>,
    too_long: bool,
}

/// A peer as rows hold it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeerColumns {
    pub(crate) phone: Option<Pseudonym>,
    pub(crate) user: Option<Pseudonym>,
    pub(crate) country: Option<[u8; 2]>,
}

impl<'a> Peer<'a> {
    /// Takes a field of a phone number, or of a user id where it has the form `CC.…`. What was
    /// known before stays.
    pub(crate) fn phone_or_user(self, value: Option<Value<'a>>) -> Self {
        self.with_phone_or_user(id(value))
    }

    /// The same of an id that was read already.
    pub(crate) fn with_phone_or_user(mut self, id: Id<'a>) -> Self {
        match id {
            Id::Some(text) if is_group_id(&text) => {}
            Id::Some(text) if is_user_id(&text) => self.user = self.user.or(Some(text)),
            Id::Some(text) => self.phone = self.phone.or(Some(text)),
            Id::TooLong => self.too_long = true,
            Id::None => {}
        }
        self
    }

    /// Takes a field of a user id.
    pub(crate) fn user(self, value: Option<Value<'a>>) -> Self {
        self.with_user(id(value))
    }

    /// The same of an id that was read already.
    pub(crate) fn with_user(mut self, id: Id<'a>) -> Self {
        match id {
            Id::Some(text) => self.user = self.user.or(Some(text)),
            Id::TooLong => self.too_long = true,
            Id::None => {}
        }
        self
    }

    /// Takes a request's `recipient`: a user id, unless it is a number.
    pub(crate) fn recipient(self, value: Option<Value<'a>>) -> Self {
        let number = id(value)
            .some()
            .is_some_and(|text| normal_phone(&text).bytes().all(|byte| byte.is_ascii_digit()));
        if number { self.phone_or_user(value) } else { self.user(value) }
    }

    /// Takes the fields of a contact that are still missing.
    pub(crate) fn contact(self, contact: Option<&Contact<'a>>) -> Self {
        let Some(Contact { wa_id, user_id, .. }) = contact else { return self };
        self.with_phone_or_user(wa_id.clone()).with_user(user_id.clone())
    }

    /// The same, but a masked number gives way to the contact's.
    pub(crate) fn unmasked_by(mut self, contact: Option<&Contact<'a>>) -> Self {
        if self.phone.as_deref().is_some_and(is_masked)
            && let Some(Contact { wa_id: Id::Some(whole), .. }) = contact
            && !is_masked(whole)
        {
            self.phone = None;
        }
        self.contact(contact)
    }

    /// The same without a number of this kind.
    pub(crate) fn without_phone(mut self, is_such: impl FnOnce(&str) -> bool) -> Self {
        self.phone = self.phone.filter(|phone| !is_such(phone));
        self
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            phone: self.phone.or(other.phone),
            user: self.user.or(other.user),
            too_long: self.too_long || other.too_long,
        }
    }

    pub(crate) fn is_too_long(&self) -> bool {
        self.too_long
    }

    pub(crate) fn has_none(&self) -> bool {
        self.phone.is_none() && self.user.is_none()
    }

    pub(crate) fn phone_text(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    pub(crate) fn user_text(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Keyed pseudonyms and the country; the text ends here.
    pub(crate) fn columns(&self, keys: &Keys, sender: &str) -> PeerColumns {
        let digits = self.phone.as_deref().map(normal_phone);
        let by_phone = digits.as_deref().and_then(country::of_phone);
        PeerColumns {
            phone: digits
                .filter(|digits| !is_masked(digits))
                .map(|digits| keys.peer_phone(sender, &digits)),
            user: self.user.as_deref().map(|user| keys.peer_user(sender, user)),
            country: by_phone.or_else(|| self.user.as_deref().and_then(country::of_user_id)),
        }
    }
}

/// A phone number in one spelling: without a leading `+`, and where it is digits and
/// separators only, the digits alone.
pub(crate) fn normal_phone(text: &str) -> Cow<'_, str> {
    if is_number(text) {
        return Cow::Borrowed(text);
    }
    let text = text.trim().trim_start_matches('+');
    let separator = |ch: char| matches!(ch, ' ' | '-' | '.' | '(' | ')' | '\u{a0}');
    if !text.contains(separator)
        || !text.chars().all(|ch| ch.is_ascii_digit() || separator(ch))
        || !text.contains(|ch: char| ch.is_ascii_digit())
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(char::is_ascii_digit).collect())
}

/// The same of a text that may be borrowed.
pub(crate) fn normal_phone_of<'a>(text: &Cow<'a, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => normal_phone(text),
        Cow::Owned(text) => Cow::Owned(normal_phone(text).into_owned()),
    }
}

/// Digits at both ends by which long numbers are the same.
pub(crate) type Ends = ([u8; 2], [u8; 8]);

/// Whether two spellings mean one number: equal, or long numbers with equal ends, the first two and
/// the last eight digits (some countries' mobile numbers, as those of Mexico, Brazil and Argentina,
/// are written with and without a digit after the country's).
pub(crate) fn same_phone(one: &str, other: &str) -> bool {
    let (one, other) = (normal_phone(one), normal_phone(other));
    one == other || ends_of_long(&one).is_some_and(|ends| Some(ends) == ends_of_long(&other))
}

/// The ends of a long number in its one spelling.
pub(crate) fn ends_of_long(phone: &str) -> Option<Ends> {
    if is_number(phone) { ends_of_digits(phone.as_bytes()) } else { None }
}

/// The ends of digits, if they are as many as a long number has.
fn ends_of_digits(digits: &[u8]) -> Option<Ends> {
    let is_long = digits.len() >= 10;
    digits.first_chunk().copied().zip(digits.last_chunk().copied()).filter(|_| is_long)
}

/// Whether two numbers, digits alone, have the same ends.
pub(crate) fn are_alike(one: &[u8], other: &[u8]) -> bool {
    ends_of_digits(one).is_some_and(|ends| Some(ends) == ends_of_digits(other))
}

/// Whether a number in its one spelling is one: digits, no placeholder of a sample.
pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether an id is of a person or a chat whatever is said of it: an address, or a user id.
pub(crate) fn is_of_person(id: &str) -> bool {
    id.contains('@') || is_user_id(id)
}

/// Whether an id that stands for a number of a business is of a person or a chat: an address, or a
/// user id of letters and digits. The name of an app or a channel that stands there for the number
/// may begin like a user id (`UK.support`), but those have a digit behind it, and are no words.
pub(crate) fn is_no_sender(id: &str) -> bool {
    let may_be_in_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    let is_one = || id.bytes().all(may_be_in_one) && id.bytes().any(|byte| byte.is_ascii_digit());
    let rest = id.get(3..).unwrap_or_default();
    id.contains('@') || is_user_id(id) && is_one() && !is_numbered_word(rest)
}

/// Letters and digits behind `CC.` that write 64 bits: 62¹⁰ < 2⁶⁴ < 62¹¹.
const USER_ID_BYTES_MIN: usize = 11;

/// Whether what is behind `CC.` is a word with a number at its end (`DE.shop1`). A user id may have
/// letters of both cases, too: but it tells all people apart, so one of letters and digits is longer
/// than this. Those of samples are short, and have no small letters.
fn is_numbered_word(rest: &str) -> bool {
    let word = rest.trim_end_matches(|ch: char| ch.is_ascii_digit());
    rest.len() < USER_ID_BYTES_MIN
        && word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && word.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// `CC.` and something.
pub(crate) fn is_user_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 3 && bytes[..2].iter().all(u8::is_ascii_uppercase) && bytes[2] == b'.'
}

/// A group's address.
pub(crate) fn is_group_id(text: &str) -> bool {
    text.ends_with("@g.us")
}

/// Whether something says that it is of a group, or names one as a party.
pub(crate) fn says_group(value: Value<'_>, parties: &[&str]) -> bool {
    let is_group = |key: &&str| id(value.get(key)).some().is_some_and(|id| is_group_id(&id));
    meant::word(value.get("recipient_type")).as_deref() == Some("group")
        || parties.iter().any(is_group)
}

/// Digits of which some are hidden: with asterisks, or with two or more `x`.
pub(crate) fn is_masked(text: &str) -> bool {
    let hidden = text.bytes().filter(|byte| matches!(byte, b'*' | b'x' | b'X')).count();
    let rest = text.bytes().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b'*' | b'x' | b'X' | b'+' | b'-' | b' ')
    });
    rest && (text.contains('*') || hidden >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_have_one_spelling() {
        for (text, normal) in [
            ("+16315558151", "16315558151"),
            ("+1 (631) 555-8151", "16315558151"),
            ("<PHONE>", "<PHONE>"),
            ("WHATSAPP ID", "WHATSAPP ID"),
        ] {
            assert_eq!(normal_phone(text), normal);
        }
        assert!(same_phone("5215512345678", "525512345678"));
        assert!(same_phone("+55 11 91234-5678", "551112345678"));
        assert!(same_phone("5491112345678", "541112345678"));
        // People of two countries may have the same last digits.
        assert!(!same_phone("4915112345678", "5511912345678"));
        assert!(!same_phone("111", "1111"));
        for (one, other) in [
            ("5215512345678", "525512345678"),
            ("4915112345678", "5511912345678"),
            ("4912345678", "49012345678"),
            ("491234567", "491234567"),
            ("", ""),
        ] {
            let alike = are_alike(one.as_bytes(), other.as_bytes());
            assert_eq!(one == other || alike, same_phone(one, other), "{one} {other}");
        }
    }

    #[test]
    fn forms_are_told_apart() {
        assert!(is_user_id("US.1349") && is_user_id("CO.ENT.1"));
        assert!(!is_user_id("US.") && !is_user_id("us.1") && !is_user_id("491701"));
        for name in ["UK.support", "DE.shop1", "DE.myShop24", "DE.my shop 1", "shop1", "us.1"] {
            assert!(!is_no_sender(name), "{name}");
        }
        for id in [
            "US.1349",
            "US.A1",
            "US.ENT.A1",
            "US.ENT.a1",
            "US.shop123456789",
            "US.1a",
            "US.a1b2",
            "DE.83b1d00077q0259c",
            "DE.shop@1",
        ] {
            assert!(is_no_sender(id), "{id}");
        }
        assert!(is_masked("9191****873") && is_masked("49xxxx12") && !is_masked("BSUID_123"));
        assert!(!is_masked("<WHATSAPP_USER>") && !is_masked("491701234567"));
    }
}
