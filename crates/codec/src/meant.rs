//! Meant types: what a field is in spite of how it is written.
//!
//! Ids come as strings or integers, times as strings or numbers of seconds or milliseconds or
//! as RFC 3339, booleans as strings.

use std::borrow::Cow;

use turnwise_model::Millis;
use turnwise_model::limits::{ERROR_CODE_MAX, ID_BYTES_MAX};
use turnwise_model::time::MILLISECONDS_FROM;

use crate::json::{Kind, Value};
use crate::numbers;
use crate::peer::{is_no_sender, is_of_person};

/// An id, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id<'a> {
    /// Not there, null or blank, or of a type that no id has.
    None,
    /// There.
    Some(Cow<'a, str>),
    /// Longer than `limits::ID_BYTES_MAX`.
    TooLong,
}

/// A time, or why it is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Time {
    /// Not there, null or blank.
    #[default]
    None,
    /// There; perhaps out of range.
    Some(Millis),
    /// Something that is no time.
    Unreadable(Kind),
}

impl<'a> Id<'a> {
    pub(crate) fn some(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Some(id) => Some(id),
            Self::None | Self::TooLong => None,
        }
    }

    /// The same of an account. What is of a person or a chat whatever is said of it is none: some
    /// write the chat there.
    pub(crate) fn of_owner(self) -> Self {
        match self {
            Self::Some(id) if is_of_person(&id) => Self::None,
            id => id,
        }
    }

    /// The same of a number of an account, by [`is_no_sender`].
    pub(crate) fn of_sender(self) -> Self {
        match self {
            Self::Some(id) if is_no_sender(&id) => Self::None,
            id => id,
        }
    }

    /// The same unless it is a number, in whatever spelling, of which this is so: digits alone are
    /// asked.
    pub(crate) fn unless_number(self, is_so: impl Fn(&str) -> bool) -> Self {
        let is_such = |id: &str| numbers::spelled(id).any(|number| is_so(&number));
        match self {
            Self::Some(id) if is_such(&id) => Self::None,
            id => id,
        }
    }

    /// The same unless it is an account's with the number of a person, of which this is so.
    pub(crate) fn unless_dialled(self, is_so: impl Fn(&str) -> bool) -> Self {
        self.unless_number(|number| numbers::may_be_dialled(number.as_bytes()) && is_so(number))
    }

    pub(crate) fn or_else(self, next: impl FnOnce() -> Self) -> Self {
        if self == Self::None { next() } else { self }
    }
}

/// An opaque id.
pub(crate) fn id(value: Option<Value<'_>>) -> Id<'_> {
    let Some(value) = value else { return Id::None };
    let text = match value.kind() {
        Kind::String => value.string().unwrap_or_default(),
        Kind::Number => Cow::Borrowed(value.raw()),
        _ => return Id::None,
    };
    id_of(text)
}

/// An opaque id that is known to be a text or number.
pub(crate) fn id_of(text: Cow<'_, str>) -> Id<'_> {
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    match text.len() {
        0 => Id::None,
        bytes if bytes > ID_BYTES_MAX => Id::TooLong,
        _ => Id::Some(text),
    }
}

/// A time in whole milliseconds; parts of one are cut off.
pub(crate) fn time(value: Option<Value<'_>>) -> Time {
    let Some(value) = value else { return Time::None };
    match value.kind() {
        Kind::Number => number_time(value.raw()),
        Kind::String => time_of_text(&value.string().unwrap_or_default()),
        kind => Time::Unreadable(kind),
    }
}

/// The same of a text.
pub(crate) fn time_of_text(text: &str) -> Time {
    let text = text.trim();
    if text.is_empty() {
        return Time::None;
    }
    match number_time(text) {
        Time::Unreadable(_) => date_time(text),
        read => read,
    }
}

/// A number of 10¹¹ or more is milliseconds, a smaller one seconds.
fn number_time(text: &str) -> Time {
    if let Ok(whole) = text.parse::<i64>() {
        let millis = if whole >= MILLISECONDS_FROM { whole } else { whole.saturating_mul(1_000) };
        return Time::Some(Millis(millis));
    }
    let numeric = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    match text.parse::<f64>() {
        Ok(number) if text.bytes().all(numeric) => {
            #[expect(clippy::cast_precision_loss, reason = "10^11 is exact")]
            let millis = number >= MILLISECONDS_FROM as f64;
            let scaled = if millis { number } else { number * 1_000.0 };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and is tested for range"
            )]
            Time::Some(Millis(scaled.floor() as i64))
        }
        _ => Time::Unreadable(Kind::String),
    }
}

/// RFC 3339, also with an offset without colon or a space for the `T`.
fn date_time(text: &str) -> Time {
    use chrono::DateTime;
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%z"))
        .map_or(Time::Unreadable(Kind::String), |time| Time::Some(Millis(time.timestamp_millis())))
}

/// A boolean, also as a string or number.
pub(crate) fn boolean(value: Option<Value<'_>>) -> Option<bool> {
    let value = value?;
    match value.kind() {
        Kind::True => Some(true),
        Kind::False => Some(false),
        Kind::Number => Some(value.raw() != "0"),
        Kind::String => {
            let text = value.string()?;
            let text = text.trim();
            if text.eq_ignore_ascii_case("true") || text == "1" {
                Some(true)
            } else if text.eq_ignore_ascii_case("false") || text == "0" {
                Some(false)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// A whole number, also as a string.
pub(crate) fn integer(value: Option<Value<'_>>) -> Option<i64> {
    let value = value?;
    let text = match value.kind() {
        Kind::Number => Cow::Borrowed(value.raw()),
        Kind::String => value.string()?,
        _ => return None,
    };
    let text = text.trim();
    text.parse::<i64>().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    })
}

/// The code of an error. What is longer than any is none: digits of a person may stand there.
pub(crate) fn error_code(error: Value<'_>) -> Option<i64> {
    integer(error.get("code")).filter(|code| is_error_code(*code))
}

/// Whether a number may be the code of an error.
pub(crate) fn is_error_code(code: i64) -> bool {
    code.unsigned_abs() <= ERROR_CODE_MAX
}

/// Whether a value is an object with at least one key: some write empty ones for what is not there.
pub(crate) fn has_keys(value: Option<Value<'_>>) -> bool {
    value.is_some_and(|value| value.is_object() && !value.is_hollow())
}

/// A word of a closed list, in lower case: what names of types and statuses are.
pub(crate) fn word(value: Option<Value<'_>>) -> Option<String> {
    let text = value?.string()?;
    let text = text.trim();
    (!text.is_empty() && text.len() <= 64).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tape;

    fn read_time(json: &str) -> Time {
        time(Some(Tape::default().parse(json).expect("JSON")))
    }

    #[test]
    fn codes_of_errors_are_never_numbers_of_people() {
        let read = |json: &str| error_code(Tape::default().parse(json).expect("JSON"));
        assert_eq!(read("{\"code\":131047}"), Some(131_047));
        assert_eq!(read("{\"code\":\"2593109\"}"), Some(2_593_109));
        for none in ["49170555", "\"4917055512345\"", "-49170555", "-9223372036854775808", "1.5"] {
            assert_eq!(read(&format!("{{\"code\":{none}}}")), None, "{none}");
        }
    }

    #[test]
    fn empty_objects_have_no_keys() {
        let read = |json: &str| has_keys(Some(Tape::default().parse(json).expect("JSON")));
        assert!(read("{\"a\":null}"));
        for none in ["{}", "[]", "[1]", "\"a\"", "null", "1"] {
            assert!(!read(none), "{none}");
        }
        assert!(!has_keys(None));
    }

    #[test]
    fn times_are_read_as_meant() {
        for (json, millis) in [
            ("1750030073", 1_750_030_073_000),
            ("\"1750030073\"", 1_750_030_073_000),
            ("\" 1750030073 \"", 1_750_030_073_000),
            ("1750030073999", 1_750_030_073_999),
            ("\"1750030073999\"", 1_750_030_073_999),
            ("1750030073.5", 1_750_030_073_500),
            ("1.750030073e9", 1_750_030_073_000),
            ("99999999999", 99_999_999_999_000),
            ("100000000000", 100_000_000_000),
            ("\"2026-11-08T00:02:27.127Z\"", 1_794_096_147_127),
            ("\"2026-11-08T02:02:27.127999+02:00\"", 1_794_096_147_127),
            ("\"2026-11-08T02:02:27.127+0200\"", 1_794_096_147_127),
        ] {
            assert_eq!(read_time(json), Time::Some(Millis(millis)), "{json}");
        }
        assert_eq!(read_time("\"\""), Time::None);
        assert_eq!(read_time("true"), Time::Unreadable(Kind::True));
        assert_eq!(read_time("\"soon\""), Time::Unreadable(Kind::String));
        assert_eq!(read_time("\"nan\""), Time::Unreadable(Kind::String));
        assert_eq!(read_time("1e999"), Time::Some(Millis(i64::MAX)));
    }

    #[test]
    fn owners_are_no_chats_and_no_people() {
        let of_owner = |text: &'static str| id_of(text.into()).of_owner();
        for id in ["9", "106540352242922", "<WABA_ID>", "+1 555-078-3881"] {
            assert_eq!(of_owner(id), Id::Some(id.into()));
        }
        for id in ["4915112345678@s.whatsapp.net", "77@lid", "1-2@g.us", "DE.4711", "", " "] {
            assert_eq!(of_owner(id), Id::None, "{id}");
        }
        let of_sender = |text: &'static str| id_of(text.into()).of_sender();
        for id in ["9", "<PHONE>", "UK.support", "DE.shop1", "DE.my shop 1", "us.1"] {
            assert_eq!(of_sender(id), Id::Some(id.into()));
        }
        for id in ["1650@s.whatsapp.net", "me@shop", "US.1349", "US.ENT.A1", "1-2@g.us", ""] {
            assert_eq!(of_sender(id), Id::None, "{id}");
        }
        let long: &'static str = "9@".repeat(ID_BYTES_MAX).leak();
        assert_eq!(of_owner(long), Id::TooLong);
    }

    #[test]
    fn ids_and_booleans_are_read_as_meant() {
        let mut tape = Tape::default();
        let long =
            format!("[1555, \" x \", \"\", true, \"{}\", \"TRUE\", \"no\", 0]", "9".repeat(2_000));
        let root = tape.parse(&long).expect("JSON");
        let values: Vec<Value<'_>> = root.items().collect();
        let of = |at: usize| id(values.get(at).copied());
        assert_eq!(of(0), Id::Some("1555".into()));
        assert_eq!(of(1), Id::Some("x".into()));
        assert_eq!((of(2), of(3), of(4)), (Id::None, Id::None, Id::TooLong));
        assert_eq!(boolean(values.get(5).copied()), Some(true));
        assert_eq!(boolean(values.get(6).copied()), None);
        assert_eq!(boolean(values.get(7).copied()), Some(false));
        assert_eq!(integer(values.first().copied()), Some(1_555));
    }
}
