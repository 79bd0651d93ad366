//! Whether the accounts that a text names stand in it as accounts alone.
//!
//! What stands anywhere else as well may be a person's number, which meaning tells
//! ([`crate::numbers`]): the last eight digits are enough to ask it. All strings and numbers of the
//! text are looked at, those that nobody asks for, too, and so are addresses. A number that has
//! something between those digits or behind them, or escapes, only meaning would find.

use memchr::memmem;

use crate::json::{Nth, Values};
use crate::numbers::may_be_dialled;

/// Whether an account, digits or missing, stands in its own place alone.
#[inline(always)]
pub(crate) fn is_alone(values: Values<'_>, account: Nth) -> bool {
    let digits = values.of(account);
    if !may_be_dialled(digits) {
        return true;
    }
    let Some(last) = digits.last_chunk() else { return false };
    let end = u64::from_le_bytes(*last);
    values.count_ending(|other| other == end) == 1 && !has_address(values, last)
}

/// Whether there is an address that may be of a number with this end: few texts have an `@`.
#[inline(always)]
fn has_address(values: Values<'_>, last: &[u8]) -> bool {
    memchr::memchr(b'@', values.bytes).is_some() && stands_twice(values.bytes, last)
}

#[inline(never)]
fn stands_twice(bytes: &[u8], digits: &[u8]) -> bool {
    memmem::find_iter(bytes, digits).nth(1).is_some()
}

/// Like [`is_alone`], of the accounts of changes, in their order, each in the place of its entry;
/// `ends` is lent. Where there are addresses, too, meaning tells.
#[inline(never)]
pub(crate) fn are_alone(
    values: Values<'_>,
    accounts: impl Iterator<Item = Nth>,
    ends: &mut Vec<u64>,
) -> bool {
    ends.clear();
    let mut last = Nth::NONE;
    for account in accounts {
        let digits = values.of(account);
        if std::mem::replace(&mut last, account) == account || !may_be_dialled(digits) {
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
    let has_address = places > 0 && memchr::memchr(b'@', values.bytes).is_some();
    !has_address && values.count_ending(|end| ends.binary_search(&end).is_ok()) == places
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
            r#"[{"id":"","a":""}]"#,
        ] {
            assert_eq!(are(alone), [true; 2], "{alone}");
        }
        for not in [
            r#"[{"id":"4915112345678","a":"4915112345678"}]"#,
            r#"[{"id":"4915112345678","a":4915112345678}]"#,
            r#"[{"a":{"b":["+1 12345678"]},"id":"4915112345678"}]"#,
            r#"[{"id":"4915112345678","a":"4915112345678:1@s.whatsapp.net"}]"#,
            r#"[{"id":"6834001"}]"#,
        ] {
            assert_eq!(are(not), [false; 2], "{not}");
        }
        let two = |one: &str, other: &str| {
            are(&format!(r#"[{{"id":"4915112345678","a":"{one}"}},{{"id":"{other}"}}]"#))
        };
        assert_eq!(two("x", "900000000000038"), [true]);
        assert_eq!(two("x", "4915112345678"), [true]);
        assert_eq!(two("900000000000038", "900000000000038"), [false]);
        assert_eq!(two("4915112345678", "900000000000038"), [false]);
    }
}
