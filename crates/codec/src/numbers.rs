//! The phone numbers in a record, so that none of a person is stored as an account.
//!
//! Some gateways write the chat, and so the person, where the account should be. An address is told
//! by its form ([`crate::meant::Id::of_owner`]). A bare number is an account's unless it stands
//! somewhere else in the webhook, send or event, in whatever spelling and at whatever place: lists of
//! places where people are named would never be whole. Only what stands under keys of businesses
//! and their accounts is passed over, and what was typed; the number that a business shows is its
//! own.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::country::{PHONE_DIGITS_MAX, PHONE_DIGITS_MIN, is_beyond_plan};
use crate::json::{Kind, Value, unescape_into};
use crate::peer::{ends_of_long, is_number};
use crate::work;

/// Bytes of the longest spelling of a number that is looked at, with an address around it and
/// escapes in it.
const SPELLING_BYTES_MAX: usize = 160;

/// A number of a person as it is compared: the ends of a long one, all of a short one.
pub(crate) type Key = [u8; 10];

/// Whether a number of so many digits may be a person's.
#[inline]
pub(crate) fn may_be_persons(digits: usize) -> bool {
    (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits)
}

/// Whether a number that stands for an account may be a person's. Most accounts have fifteen digits
/// and more, and most calling codes no numbers of as many.
#[inline]
pub(crate) fn may_be_dialled(number: &[u8]) -> bool {
    may_be_persons(number.len()) && !is_beyond_plan(number)
}

/// The same of digits, perhaps with two zeros before the number as others dial abroad.
#[inline]
pub(crate) fn are_dialled(digits: &[u8]) -> bool {
    may_be_dialled(digits.strip_prefix(b"00").unwrap_or(digits))
}

/// Whom a value names by their numbers; see the module. Nobody is looked for before the first
/// question.
pub(crate) struct People<'a> {
    root: Value<'a>,
    numbers: OnceCell<Numbers>,
}

impl<'a> People<'a> {
    /// Of the changes of a webhook, or all that is in another value but its own id, which may be an
    /// account's.
    pub(crate) fn of(root: Value<'a>) -> Self {
        Self { root, numbers: OnceCell::new() }
    }

    /// Whether a number in its one spelling is that of somebody, and not of a business.
    pub(crate) fn have(&self, number: &str) -> bool {
        let is_one = |key: Key| {
            let Numbers { named, own } = self.numbers.get_or_init(|| Numbers::of(self.root));
            named.binary_search(&key).is_ok() && own.binary_search(&key).is_err()
        };
        key(number).is_some_and(is_one)
    }
}

#[derive(Default)]
struct Numbers {
    /// Wherever they stand. In order, when all were added, as are the others.
    named: Vec<Key>,
    /// That businesses show as theirs.
    own: Vec<Key>,
}

impl Numbers {
    fn of(root: Value<'_>) -> Self {
        let mut numbers = Self::default();
        match root.get("entry") {
            // What is beside the entries and their changes is the gateway's own.
            Some(entries) => entries.items().for_each(|entry| numbers.add_changes(entry)),
            None if root.get("changes").is_some() => numbers.add_changes(root),
            None => without_id(root).for_each(|(name, inner)| numbers.add_member(name, inner)),
        }
        numbers.named.sort_unstable();
        numbers.own.sort_unstable();
        numbers
    }

    fn add_changes(&mut self, entry: Value<'_>) {
        entry.get("changes").into_iter().for_each(|changes| self.add(changes));
    }

    /// Most values have no number; of those that have the name is asked.
    fn add_member(&mut self, name: Value<'_>, value: Value<'_>) {
        let before = self.named.len();
        if value.is_object() {
            let of_business = value.get("id").is_some() && is_of_business(name);
            let members = value.members();
            members
                .filter(|(name, _)| !(of_business && name.is_key("id")))
                .for_each(|(name, inner)| self.add_member(name, inner));
            return;
        }
        self.add(value);
        if self.named.len() > before && !value.items().any(Value::is_object) {
            if name.is_key("display_phone_number") {
                self.own.extend(self.named.drain(before..));
            } else if is_of_business(name) || names_nobody(name) {
                self.named.truncate(before);
            }
        }
    }

    fn add(&mut self, value: Value<'_>) {
        work::step(1);
        match value.kind() {
            Kind::Object => value.members().for_each(|(name, inner)| self.add_member(name, inner)),
            Kind::Array => value.items().for_each(|inner| self.add(inner)),
            Kind::String => for_each_in_string(value.raw(), |key| self.named.push(key)),
            Kind::Number => self.named.extend(of_number(value.raw())),
            Kind::Null | Kind::True | Kind::False => {}
        }
    }
}

/// Whether there are digits enough for a number of a person, and not too much else.
pub(crate) fn may_spell(raw: &[u8]) -> bool {
    (PHONE_DIGITS_MIN..=SPELLING_BYTES_MAX).contains(&raw.len())
        && raw.iter().filter(|byte| byte.is_ascii_digit()).count() >= PHONE_DIGITS_MIN
}

/// Calls with each number of a person that a string may be, by what stands between its quotes.
pub(crate) fn for_each_in_string(raw: &str, then: impl FnMut(Key)) {
    if !may_spell(raw.as_bytes()) {
        return;
    }
    if raw.contains('\\') {
        let mut text = String::with_capacity(raw.len());
        unescape_into(raw, &mut text);
        keys(&text).for_each(then);
    } else {
        keys(raw).for_each(then);
    }
}

/// The same of a number of JSON, as it stands.
pub(crate) fn of_number(raw: &str) -> Option<Key> {
    key(&whole(raw))
}

/// The numbers of people that a text may be.
pub(crate) fn keys(text: &str) -> impl Iterator<Item = Key> {
    spelled(text).filter_map(|number| key(&number))
}

/// The numbers in a text, digits alone: it may be one in any spelling (`+49 151/1234-5678`,
/// `0049…`, as others wrote a number with a fraction: `4915….0`), with a word before it
/// (`whatsapp:+4915…`), or an address of one (`4915…:12@s.whatsapp.net`, `4915…-1612345678@g.us`).
pub(crate) fn spelled(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let address = text.split_once('@');
    let is_address = address.is_some();
    let is_end = move |ch| ch == ':' || is_address && matches!(ch, '-' | '_' | '.');
    let parts = address.map_or(text, |(local, _)| local).rsplit(is_end);
    // Behind a number there are no words but an address's.
    let mut goes_on = true;
    parts.filter_map(move |part| {
        let is_number = goes_on && !has_letter(part);
        goes_on = is_number || is_address;
        if is_number { digits(part) } else { None }
    })
}

/// Whether a text has a letter or a sign of the rows of ASCII that letters stand in: then it is no
/// number in any spelling.
fn has_letter(text: &str) -> bool {
    text.chars().any(|ch| ch.is_alphabetic() || matches!(ch, '@'..='\u{7f}'))
}

/// The digits of a text without letters, if it has any.
fn digits(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    if is_number(text) {
        return Some(Cow::Borrowed(text.strip_prefix("00").unwrap_or(text)));
    }
    let text = text.strip_suffix(".0").unwrap_or(text);
    let mut digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.starts_with("00") {
        digits.drain(..2);
    }
    (!digits.is_empty()).then_some(Cow::Owned(digits))
}

/// A number of JSON without a fraction or exponent, if it has none that counts.
fn whole(raw: &str) -> Cow<'_, str> {
    if is_number(raw) {
        return Cow::Borrowed(raw);
    }
    match raw.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Cow::Owned(format!("{:.0}", number.abs()))
        }
        _ => Cow::Borrowed(raw),
    }
}

/// Whether two texts mean one number of a person.
pub(crate) fn mean_one(one: &str, other: &str) -> bool {
    // Of nearly all the last digit tells.
    let end = |text: &str| text.bytes().last();
    if end(one) != end(other) && is_number(one) && is_number(other) {
        return false;
    }
    keys(one).any(|of_one| keys(other).any(|of_other| of_other == of_one))
}

/// Parts of keys of accounts, businesses and their numbers' ids, in small letters. An object under
/// such a key has an id of that kind.
const OF_BUSINESS: [&str; 5] = ["waba", "business", "account", "phone_number_id", "phonenumberid"];

fn without_id<'a>(object: Value<'a>) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
    object.members().filter(|(name, _)| !name.is_key("id"))
}

/// Whether what stands under a key names nobody: what was typed, and what the business wrote down
/// for itself.
fn names_nobody(name: Value<'_>) -> bool {
    const KEYS: [&str; 11] = [
        "body",
        "text",
        "caption",
        "title",
        "payload",
        "biz_opaque_callback_data",
        "client_ref",
        "externalId",
        "flow_token",
        "catalog_id",
        "entity_id",
    ];
    KEYS.into_iter().any(|key| name.is_key(key))
}

/// Whether a key is one of [`OF_BUSINESS`]. Asked of the names around each number: nearly all have
/// few letters that a part begins with.
fn is_of_business(name: Value<'_>) -> bool {
    let name = name.string().unwrap_or_default();
    let mut rests = (0..name.len()).filter_map(|at| name.as_bytes().get(at..));
    let begins_with = |rest: &[u8], part: &str| {
        rest.get(..part.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(part.as_bytes()))
    };
    rests.any(|rest| {
        matches!(rest[0], b'w' | b'b' | b'a' | b'p' | b'W' | b'B' | b'A' | b'P')
            && OF_BUSINESS.iter().any(|part| begins_with(rest, part))
    })
}

/// Of a number in its one spelling: two have the same where [`crate::peer::same_phone`] holds.
fn key(number: &str) -> Option<Key> {
    if !may_be_persons(number.len()) || !is_number(number) {
        return None;
    }
    let mut key = Key::default();
    match ends_of_long(number) {
        Some((first, last)) => {
            key[..2].copy_from_slice(&first);
            key[2..].copy_from_slice(&last);
        }
        None => key[..number.len()].copy_from_slice(number.as_bytes()),
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;
    use crate::peer::same_phone;

    fn is_of_person(json: &str, number: &str) -> bool {
        People::of(Tape::default().parse(json).expect("JSON")).have(number)
    }

    #[test]
    fn numbers_are_found_wherever_they_stand_and_however_they_are_written() {
        for json in [
            r#"{"from":"4915112345678"}"#,
            r#"{"a":[[{"b":{"new":4915112345678}}]]}"#,
            r#"{"a":"+49 151 12345678"}"#,
            r#"{"a":"0049/151/12345678"}"#,
            r#"{"a":["\u202a+49 151 1234\u20115678\u202c"]}"#,
            r#"{"a":"4915112345678.0"}"#,
            r#"{"a":4.915112345678e12}"#,
            r#"{"accounts":[{"wa_id":"4915112345678"}]}"#,
            r#"{"a":"4915112345678:12@s.whatsapp.net"}"#,
            r#"{"a":"whatsapp:+4915112345678"}"#,
            r#"{"a":"\u0034915112345678"}"#,
            r#"{"entry":[{"id":"1","changes":[{"value":{"x":["4915112345678"]}}]}]}"#,
            r#"{"entry":{"id":"1","changes":{"x":"4915112345678"}}}"#,
            r#"{"changes":[{"x":"4915112345678"}]}"#,
            r#"{"messages":[{"id":"4915112345678"}]}"#,
        ] {
            assert!(is_of_person(json, "4915112345678"), "{json}");
            assert!(!is_of_person(json, "4915112345679"), "{json}");
        }
        assert!(is_of_person(r#"{"to":"5511912345678"}"#, "551112345678"));
    }

    #[test]
    fn numbers_of_businesses_are_of_nobody() {
        for json in [
            r#"{"entry":[{"id":"4915112345678","changes":[]}]}"#,
            r#"{"id":"4915112345678"}"#,
            r#"{"tenant":"4915112345678","entry":[{"uid":"4915112345678"}]}"#,
            r#"{"metadata":{"phone_number_id":"4915112345678"}}"#,
            r#"{"metadata":{"display_phone_number":"4915112345678"},"to":"+4915112345678"}"#,
            r#"{"phoneNumberId":"4915112345678","wabaIds":["4915112345678"]}"#,
            r#"{"entity_id":"4915112345678","x":{"body":"4915112345678"}}"#,
            r#"{"biz_opaque_callback_data":"4915112345678:7"}"#,
            r#"{"whatsapp_business_account":{"id":"4915112345678"}}"#,
            r#"{"text":{"body":"call 4915112345678"}}"#,
            r#"{"timestamp":"491511"}"#,
            "[]",
            "7",
        ] {
            assert!(!is_of_person(json, "4915112345678"), "{json}");
        }
        // Fewer digits are nobody's, nor are more.
        for number in ["491511", "4915112345678901"] {
            assert!(!is_of_person(&format!(r#"{{"from":"{number}"}}"#), number));
        }
    }

    #[test]
    fn accounts_beyond_a_numbering_plan_are_nobodys() {
        // Some with the zero or the code of a carrier that they are dialled with at home.
        for persons in [
            "4915112345678",
            "491511234567890",
            "911234567890123",
            "23408031234567",
            "55011912345678",
            "520455512345678",
            "549111512345678",
            "0012345",
        ] {
            assert!(may_be_dialled(persons.as_bytes()), "{persons}");
            assert!(are_dialled(format!("00{persons}").as_bytes()), "{persons}");
        }
        for account in ["106540352242922", "524126980791429", "900000000000038", "12345"] {
            assert!(!may_be_dialled(account.as_bytes()), "{account}");
            assert!(!are_dialled(format!("00{account}").as_bytes()), "{account}");
        }
    }

    #[test]
    fn keys_are_the_same_where_numbers_are() {
        let numbers = [
            "4915112345678",
            "5511912345678",
            "551112345678",
            "491234567",
            "4912345678",
            "49012345678",
            "0000000",
            "00000000",
        ];
        for one in numbers {
            for other in numbers {
                assert_eq!(key(one) == key(other), same_phone(one, other), "{one} {other}");
            }
        }
    }
}
