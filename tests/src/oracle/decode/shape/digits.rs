//! Whether a text is only digits, punctuation and units: codes, amounts, dates.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::classes::{is_emoji, is_letter, lowered};
use super::{Kind, Part};

/// The kernel's list of units is data; only its words are read.
const LIST: &str = include_str!("../../../../../crates/kernels/src/shape/units.rs");

static UNITS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let list =
        LIST.split_once("const UNITS: &[&str] = &[").and_then(|(_, rest)| rest.split_once(']'));
    let words = list.map(|(list, _)| list).unwrap_or_default();
    words.split('"').skip(1).step_by(2).collect()
});

static SIGNS: LazyLock<&str> = LazyLock::new(|| {
    let rest = LIST.split_once("const UNIT_SIGNS: &str =").map_or("", |(_, rest)| rest);
    rest.split('"').nth(1).unwrap_or("")
});

/// Some digits, and beside them no emoji and no word but units and short codes at digits.
pub(super) fn is_only_digits(text: &str, parts: &[Part<'_>]) -> bool {
    parts.iter().any(|part| part.kind == Kind::Digits)
        && parts.iter().all(|part| match part.kind {
            Kind::Digits => true,
            Kind::Other => !part.text.contains(is_emoji),
            Kind::Letters(script) => fits(text, part, script.is_some()),
        })
}

fn fits(text: &str, part: &Part<'_>, is_bigram: bool) -> bool {
    let run = part.text;
    if !run.contains(is_letter) {
        return true;
    }
    if is_bigram {
        return UNITS.contains(run) || run.len() <= 24 && run.chars().all(|ch| SIGNS.contains(ch));
    }
    let before = text[..part.at].strip_suffix('-').unwrap_or(&text[..part.at]);
    let after = &text[part.at + run.len()..];
    let after = after.strip_prefix('-').unwrap_or(after);
    let touches = before.ends_with(|ch: char| ch.is_ascii_digit())
        || after.starts_with(|ch: char| ch.is_ascii_digit());
    let is_code = run.is_ascii() && run.len() <= 4 && touches;
    is_code || UNITS.contains(lowered(run).as_str())
}
