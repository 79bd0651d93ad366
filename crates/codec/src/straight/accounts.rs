//! Whether the accounts that a text names stand in it as accounts alone.
//!
//! What stands anywhere else as well may be a person's number, which meaning tells
//! ([`crate::numbers`]): the last eight digits are enough to ask it. All strings and numbers of the
//! text are looked at, those that nobody asks for, too. Nearly all of them end in digits alone or
//! have a letter there; others, those with escapes and addresses may be a number in another spelling,
//! and are read as meaning reads them.

use crate::country::PHONE_DIGITS_MIN;
use crate::json::{Nth, Text, Values};
use crate::numbers::{self, are_dialled};
use crate::straight::are_digits;

/// Whether an account, digits or missing, stands in its own place alone.
#[inline(always)]
pub(crate) fn is_alone(values: Values<'_>, account: Nth) -> bool {
    let digits = values.of(account);
    if !are_dialled(digits) {
        return true;
    }
    let Some(last) = digits.last_chunk() else { return false };
    let end = u64::from_le_bytes(*last);
    stand(values, |other| other == end, std::iter::once(account)) == Some(1)
}

/// Like [`is_alone`], of the accounts of changes, in their order, each in the place of its entry;
/// `ends` is lent.
#[inline(never)]
pub(crate) fn are_alone(
    values: Values<'_>,
    accounts: impl Iterator<Item = Nth> + Clone,
    ends: &mut Vec<u64>,
) -> bool {
    ends.clear();
    let mut last = Nth::NONE;
    for account in accounts.clone() {
        let digits = values.of(account);
        if std::mem::replace(&mut last, account) == account || !are_dialled(digits) {
            continue;
        }
        match digits.last_chunk() {
            Some(last) => ends.push(u64::from_le_bytes(*last)),
            None => return false,
        }
    }
    let places = ends.len();
    ends.sort_unstable();
    ends.dedup();
    places == 0 || stand(values, |end| ends.binary_search(&end).is_ok(), accounts) == Some(places)
}

/// In how many places there is a string or number that ends in eight digits of which this is so;
/// none where one of the accounts is there in another spelling.
#[inline(always)]
fn stand(
    values: Values<'_>,
    is_so: impl Fn(u64) -> bool,
    accounts: impl Iterator<Item = Nth> + Clone,
) -> Option<usize> {
    let mut places = 0;
    for text in values.texts {
        let end = text.last_eight(values.bytes);
        // Of bytes of ASCII the second bit tells letters; of others both are set, or the first alone.
        let letters = end & !(end >> 1) & 0x4040_4040_4040_4040;
        if letters != 0 && text.is_simple() {
            continue;
        }
        if are_digits(end) && !text.is_escaped() {
            places += usize::from(is_so(end));
        } else {
            // A number of few digits may have an exponent.
            let may_be = text.is_number() || text.length() >= PHONE_DIGITS_MIN;
            if may_be && is_spelled(values, *text, accounts.clone()) {
                return None;
            }
        }
    }
    Some(places)
}

/// Whether a string or number spells one of the accounts.
#[inline(never)]
fn is_spelled(values: Values<'_>, text: Text, accounts: impl Iterator<Item = Nth> + Clone) -> bool {
    let raw = text.span().of(values.bytes);
    let is_one = |digits: &[u8], key| numbers::keys(as_text(digits)).any(|own| own == key);
    let mut is_any = false;
    let mut ask = |key| is_any |= accounts.clone().any(|account| is_one(values.of(account), key));
    if text.is_number() {
        numbers::of_number(as_text(raw)).into_iter().for_each(&mut ask);
    } else if numbers::may_spell(raw) {
        numbers::for_each_in_string(as_text(raw), &mut ask);
    }
    is_any
}

/// What was read was UTF-8.
fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Cursor, Trace};

    /// Whether the accounts of a list of entries are alone, asked as one and as of two changes each.
    fn are(text: &str) -> Vec<bool> {
        let mut trace = Trace::default();
        let mut accounts = Vec::new();
        let mut cursor = Cursor::new(text.as_bytes(), &mut trace);
        let read = cursor.array(|cursor| {
            cursor.object(
                |name| u8::from(name == b"id"),
                |cursor, _| {
                    accounts.push(cursor.string()?);
                    Some(())
                },
            )
        });
        assert!(read.is_some());
        let values = Values { bytes: text.as_bytes(), texts: &trace.values };
        let changes = accounts.iter().flat_map(|account| [*account; 2]);
        let mut all = vec![are_alone(values, changes, &mut Vec::new())];
        if let [account] = accounts[..] {
            all.push(is_alone(values, account));
        }
        all
    }

    #[test]
    fn accounts_are_alone_unless_something_ends_like_them() {
        for alone in [
            r#"[{"id":"4915112345678","a":"4915112345679"}]"#,
            r#"[{"a":[1,"4915112345677"],"id":"4915112345678"}]"#,
            r#"[{"id":"491511","a":"491511"}]"#,
            r#"[{"id":"","a":"me@example.org"}]"#,
            r#"[{"id":"1000000000000001","a":"1000000000000001"}]"#,
            r#"[{"id":"106540352242922","a":"106540352242922"}]"#,
            r#"[{"id":"","a":""}]"#,
            r#"[{"id":"4915112345678","a":"me@example.org, 1234567"}]"#,
            r#"[{"id":"4915112345678","a":["4915112345678:x",49.151,"12-34"]}]"#,
            r#"[{"id":"4915112345678","a":"é call\n49 151 1234 5678"}]"#,
        ] {
            assert_eq!(are(alone), [true; 2], "{alone}");
        }
        for not in [
            r#"[{"id":"4915112345678","a":"4915112345678"}]"#,
            r#"[{"id":"4915112345678","a":4915112345678}]"#,
            r#"[{"a":{"b":["+1 12345678"]},"id":"4915112345678"}]"#,
            r#"[{"id":"4915112345678","a":"4915112345678:1@s.whatsapp.net"}]"#,
            r#"[{"id":"6834001"}]"#,
            r#"[{"id":"4915112345678","a":"+49 151 1234-5678"}]"#,
            r#"[{"id":"4915112345678","a":"4915112345678.0"}]"#,
            r#"[{"id":"4915112345678","a":4.915112345678e12}]"#,
            r#"[{"id":"4915112345678","a":"4915112345678:12"}]"#,
            r#"[{"id":"4915112345678","a":"4915112345\u00367\u0038"}]"#,
            r#"[{"id":"4915112345678","a":"49151123456\u00378"}]"#,
            r#"[{"id":"4915112345678","a":"+49 151 1234‑5678"}]"#,
            r#"[{"id":"4915112345678","a":"4915112345678-1612345678@g.us"}]"#,
            r#"[{"id":"001234567","a":"1234567"}]"#,
            r#"[{"id":"4900000000000","a":49e11}]"#,
        ] {
            assert_eq!(are(not), [false; 2], "{not}");
        }
        let two = |one: &str, other: &str| {
            are(&format!(r#"[{{"id":"4915112345678","a":"{one}"}},{{"id":"{other}"}}]"#))
        };
        assert_eq!(two("x", "830000000000038"), [true]);
        assert_eq!(two("x", "4915112345678"), [true]);
        assert_eq!(two("830000000000038", "830000000000038"), [false]);
        assert_eq!(two("4915112345678", "830000000000038"), [false]);
    }
}
