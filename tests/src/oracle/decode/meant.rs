//! What a field means in spite of how it is written: ids and times as strings or numbers,
//! booleans as strings.

use turnwise_model::Day;
use turnwise_model::limits::{ERROR_CODE_MAX, ID_BYTES_MAX};
use turnwise_model::time::{DAY_MS, MILLISECONDS_FROM};

use super::json::{Json, Node};
use super::people;

/// An id: absent, there, or too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// Not there, blank, or of a type that is no id.
    Absent,
    /// There.
    Known(String),
    /// Longer than the limit.
    TooLong,
}

/// A time: absent, there in milliseconds, or something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Not there or blank.
    Absent,
    /// There.
    At(i64),
    /// Something that is no time.
    Unreadable,
}

impl Id {
    /// The id, if it is one.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(id) => Some(id),
            Self::Absent | Self::TooLong => None,
        }
    }

    /// The id of a number of an account: no chat's address and no person's id. Names of apps may
    /// look like such an id, but have no digit in them, or are a short word with a number behind it.
    #[must_use]
    pub fn of_sender(self) -> Self {
        let is_word = |name: &str| {
            let digits = name.chars().rev().take_while(char::is_ascii_digit).count();
            let letters = &name[..name.len() - digits];
            name.len() <= 10
                && letters.chars().all(|ch| ch.is_ascii_alphabetic())
                && letters.contains(|ch: char| ch.is_ascii_lowercase())
        };
        let is_id = |id: &str| {
            let is_written = id.chars().all(|ch| ch.is_ascii_alphanumeric() || ch == '.');
            let has_digit = id.contains(|ch: char| ch.is_ascii_digit());
            is_written && has_digit && people::is_user_id(id) && !is_word(&id[3..])
        };
        let is_persons = |id: &str| id.contains('@') || is_id(id);
        if self.known().is_some_and(is_persons) { Self::Absent } else { self }
    }

    /// The id of an account: no chat's address and no person's id.
    #[must_use]
    pub fn of_owner(self) -> Self {
        let is_persons = |id: &str| id.contains('@') || people::is_user_id(id);
        if self.known().is_some_and(is_persons) { Self::Absent } else { self }
    }

    /// The id of an account, unless it is a number and that of a person.
    #[must_use]
    pub fn unless_number(self, is_persons: impl Fn(&str) -> bool) -> Self {
        let numbers = self.known().map(people::digits_in).unwrap_or_default();
        let is_such = numbers.iter().any(|number| is_persons(number));
        if is_such { Self::Absent } else { self }
    }
}

/// A string without white space around it, or a number as it is written.
fn word_or_number(value: &Json<'_>) -> Option<String> {
    match &value.node {
        Node::Text(text) => Some(text.trim().to_owned()),
        Node::Number => Some(value.raw.to_owned()),
        _ => None,
    }
}

/// An opaque id.
#[must_use]
pub fn id(value: Option<&Json<'_>>) -> Id {
    match value.and_then(word_or_number) {
        None => Id::Absent,
        Some(text) if text.is_empty() => Id::Absent,
        Some(text) if text.len() > ID_BYTES_MAX => Id::TooLong,
        Some(text) => Id::Known(text),
    }
}

/// A time in whole milliseconds.
#[must_use]
pub fn time(value: Option<&Json<'_>>) -> Time {
    let Some(value) = value else { return Time::Absent };
    let Some(text) = word_or_number(value) else { return Time::Unreadable };
    if text.is_empty() {
        return Time::Absent;
    }
    let is_number = text.chars().all(|ch| ch.is_ascii_digit() || "+-.eE".contains(ch));
    if is_number {
        if let Ok(whole) = text.parse::<i64>() {
            let is_millis = whole >= MILLISECONDS_FROM;
            return Time::At(if is_millis { whole } else { whole.saturating_mul(1_000) });
        }
        if let Ok(number) = text.parse::<f64>() {
            let is_millis = number >= MILLISECONDS_FROM as f64;
            return Time::At((if is_millis { number } else { number * 1_000.0 }).floor() as i64);
        }
    }
    match value.node {
        Node::Text(_) => date_time(&text).map_or(Time::Unreadable, Time::At),
        _ => Time::Unreadable,
    }
}

/// `2026-11-08T00:02:27.127Z`, also with `+02:00`, `+0200` or a space for the `T`.
fn date_time(text: &str) -> Option<i64> {
    let day = Day::parse_iso(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix(['T', 't', ' '])?;
    let number = |from: usize| -> Option<i64> {
        let digits = rest.get(from..from + 2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (hour, minute, second) = (number(0)?, number(3)?, number(6)?);
    let is_written = rest.get(2..3) == Some(":") && rest.get(5..6) == Some(":");
    if !is_written || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = rest.get(8..)?;
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let three: String = fraction[..digits].chars().chain("00".chars()).take(3).collect();
        millis = three.parse().ok()?;
        rest = &fraction[digits..];
    }
    let of_day = ((hour * 60 + minute) * 60 + second) * 1_000 + millis;
    Some(i64::from(day.0) * DAY_MS + of_day - offset_minutes(rest)? * 60_000)
}

fn offset_minutes(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.strip_prefix(['+', '-'])?.replace(':', "");
    let all = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| all)?;
    Some(sign * (number / 100 * 60 + number % 100))
}

/// A boolean, also as a string or number.
#[must_use]
pub fn boolean(value: Option<&Json<'_>>) -> Option<bool> {
    let value = value?;
    match &value.node {
        Node::Bool(value) => Some(*value),
        Node::Number => Some(value.raw != "0"),
        Node::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, also as a string.
#[must_use]
pub fn whole(value: Option<&Json<'_>>) -> Option<i64> {
    let text = word_or_number(value?)?;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// The platform's error code of an error.
#[must_use]
pub fn error_code(error: &Json<'_>) -> Option<i64> {
    whole(error.get("code")).filter(|code| code.unsigned_abs() <= ERROR_CODE_MAX)
}

/// A name of a closed list, in lower case.
#[must_use]
pub fn name(value: Option<&Json<'_>>) -> Option<String> {
    let text = value?.text()?.trim();
    (!text.is_empty() && text.len() <= 64).then(|| text.to_ascii_lowercase())
}
