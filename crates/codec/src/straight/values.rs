//! Values of JSON as they usually are: plain ids, phone numbers in digits, times, names of closed
//! lists. Anything else ends the straight way.

use turnwise_model::Millis;
use turnwise_model::time::{DAY_MS, HOUR_MS, MILLISECONDS_FROM, MINUTE_MS};

use super::is_plain_ascii;
use crate::json::{Cursor, Field, Nth, Values, whole};
use crate::meant::{self, Time};

/// Whether a value is a string that is a plain id.
#[inline(always)]
pub(crate) fn is_plain(values: Values<'_>, nth: Nth) -> bool {
    let text = values.text(nth);
    !text.is_escaped() && !text.is_rare() && is_plain_ascii(text.span().of(values.bytes))
}

/// Whether a value is a string that is a plain id, or empty, or there is none.
#[inline(always)]
pub(crate) fn is_plain_or_empty(values: Values<'_>, nth: Nth) -> bool {
    values.of(nth).is_empty() || is_plain(values, nth)
}

/// Whether a value is a string of digits, or empty, or there is none.
#[inline(always)]
pub(crate) fn is_digits_or_empty(values: Values<'_>, nth: Nth) -> bool {
    !values.text(nth).is_escaped() && super::is_digits_or_empty(values.of(nth))
}

/// A time in whole seconds or milliseconds, as a string or number.
#[inline(always)]
pub(crate) fn timestamp(values: Values<'_>, nth: Nth) -> Option<Millis> {
    millis(values.of(nth)).filter(|_| !values.text(nth).is_escaped())
}

/// A time in any form that has no escapes; mostly as RFC 3339 in UTC.
#[inline(always)]
pub(crate) fn time(values: Values<'_>, nth: Nth) -> Option<Millis> {
    let text = values.of(nth);
    let time = utc(text).or_else(|| millis(text)).or_else(|| any_time(text));
    time.filter(|_| !values.text(nth).is_escaped())
}

#[inline]
fn millis(digits: &[u8]) -> Option<Millis> {
    let number = whole(digits)?;
    // Eighteen digits of seconds would not fit, but then they are milliseconds.
    Some(Millis(if number >= MILLISECONDS_FROM { number } else { number * 1_000 }))
}

#[inline(never)]
fn any_time(text: &[u8]) -> Option<Millis> {
    match meant::time_of_text(std::str::from_utf8(text).ok()?) {
        Time::Some(time) => Some(time),
        Time::None | Time::Unreadable(_) => None,
    }
}

/// `2026-11-08T00:02:27Z` or `2026-11-08T00:02:27.127Z`; days by the algorithm of Howard Hinnant's
/// `days_from_civil`, in years that begin in March.
#[inline]
fn utc(text: &[u8]) -> Option<Millis> {
    let (text, rest) = text.split_first_chunk::<19>()?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !marks.iter().all(|(at, mark)| text[*at] == *mark) {
        return None;
    }
    let digits = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            (digit < 10).then(|| number * 10 + i64::from(digit))
        })
    };
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute) = (digits(&text[11..13])?, digits(&text[14..16])?);
    let second = digits(&text[17..19])?;
    let millis = match rest {
        [b'Z'] => 0,
        [b'.', millis @ .., b'Z'] if millis.len() == 3 => digits(millis)?,
        _ => return None,
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    // The first of March of the year 0 was 719,468 days before 1970. Its years' leap days are
    // rounded towards the past, the year before it included.
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = 365 * year + leaps + day_of_year - 719_468;
    let within = hour * HOUR_MS + minute * MINUTE_MS + second * 1_000 + millis;
    Some(Millis(days * DAY_MS + within))
}

/// Declares a reader of a string that one of a closed list is named by.
macro_rules! named {
    ($name:ident, $list:ident) => {
        #[inline]
        fn $name(cursor: &mut Cursor<'_, '_>) -> Option<$list> {
            let code = cursor.named(|name| {
                let known = $list::from_name(std::str::from_utf8(name).ok()?)?;
                u8::try_from(known.code()).ok()
            })?;
            $list::from_code(i32::from(code))
        }
    };
}
pub(crate) use named;

/// The string of field 1 in an object that must have it, whatever else it has.
#[inline(always)]
pub(crate) fn only_string(cursor: &mut Cursor<'_, '_>, name: fn(&[u8]) -> Field) -> Option<Nth> {
    let mut text = None;
    cursor.object(name, |cursor, _| {
        text = Some(cursor.string()?);
        Some(())
    })?;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_utc_are_read_as_meant() {
        let check = |text: &str| {
            let meant = meant::time_of_text(text);
            if let Some(time) = utc(text.as_bytes()) {
                assert_eq!(meant, Time::Some(time), "{text}");
                return true;
            }
            false
        };
        // Days of all months and of leap years of all kinds, and one past each end.
        for year in ["0000", "0001", "1582", "1900", "1969", "1970", "2000", "2026", "2028", "9999"]
        {
            for month in 0..14 {
                for day in 0..33 {
                    let text = format!("{year}-{month:02}-{day:02}T23:59:07.009Z");
                    let is_one = matches!(meant::time_of_text(&text), Time::Some(_));
                    assert_eq!(check(&text), is_one, "{text}");
                }
            }
        }
        assert!(check("2026-11-08T00:02:27Z"));
        let text = "2026-11-08T00:02:27.127Z";
        for at in 0..text.len() {
            for byte in [b'0', b'6', b'9', b'-', b'+', b':', b' ', b'z', b'\xC3'] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = byte;
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    check(text);
                }
            }
            assert_eq!(utc(&text.as_bytes()[..at]), None);
        }
    }
}
