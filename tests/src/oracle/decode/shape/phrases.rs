//! What a text begins with: greetings, and an opener of a question or request behind them.

use std::collections::HashSet;
use std::sync::LazyLock;

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::classes::{bigram, is_digit, is_emoji, is_glue, is_letter, is_letter_or_mark};

static OPENERS: LazyLock<HashSet<String>> =
    LazyLock::new(|| table(include_str!("../../../../../crates/kernels/data/openers.tsv")));
static GREETINGS: LazyLock<HashSet<String>> =
    LazyLock::new(|| table(include_str!("../../../../../crates/kernels/data/greetings.tsv")));
/// Characters of the longest phrase, and some more.
const CHARS_MAX: usize = 80;

/// The second column of a table with a header line, and the same with letters decomposed; of Hangul
/// nobody writes so.
fn table(rows: &str) -> HashSet<String> {
    let nfd = DecomposingNormalizerBorrowed::new_nfd();
    let is_hangul = |ch: char| ('\u{ac00}'..='\u{d7a3}').contains(&ch);
    let phrases = rows.lines().skip(1).filter_map(|row| row.split_once('\t'));
    let phrases = phrases.flat_map(|(_, phrase)| {
        let phrase = phrase.trim();
        let decomposed = (!phrase.contains(is_hangul)).then(|| nfd.normalize(phrase));
        [Some(phrase.into()), decomposed]
    });
    phrases.flatten().map(|phrase| phrase.chars().map(normal).collect()).collect()
}

/// The normal form of one character.
fn normal(ch: char) -> String {
    match ch {
        'I' | 'İ' | 'ı' => "i".to_owned(),
        'ς' => "σ".to_owned(),
        '’' | 'ʼ' => "'".to_owned(),
        ch if ch.is_whitespace() => " ".to_owned(),
        ch => ch.to_lowercase().collect(),
    }
}

/// Whether an opener stands behind greetings and punctuation; whether there is nothing but
/// greetings, emoji and punctuation, and one of the first two at least.
pub(super) fn beginning(text: &str) -> (bool, bool) {
    let (mut rest, mut greeted) = (text, false);
    loop {
        let word = rest.find(|ch| is_letter(ch) || is_digit(ch)).unwrap_or(rest.len());
        greeted |= rest[..word].chars().any(is_emoji);
        rest = &rest[word..];
        if rest.is_empty() {
            return (false, greeted);
        }
        let opener = longest(rest, &OPENERS, false);
        let greeting = longest(rest, &GREETINGS, true);
        if opener > greeting {
            return (true, false);
        }
        if greeting == 0 {
            return (false, false);
        }
        rest = &rest[greeting..];
        greeted = true;
    }
}

/// Bytes of the longest phrase that a text begins with, 0 for none. White space of any length is
/// one space; a sign alone is no greeting where a word goes on behind it.
fn longest(text: &str, phrases: &HashSet<String>, is_greeting: bool) -> usize {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let (mut read, mut found) = (String::new(), 0);
    let mut at = 0;
    while at < chars.len().min(CHARS_MAX) {
        let last = chars[at].1;
        read.push_str(&normal(last));
        at += 1;
        while last.is_whitespace() && chars.get(at).is_some_and(|(_, ch)| ch.is_whitespace()) {
            at += 1;
        }
        let next = chars.get(at).map(|(_, ch)| *ch);
        let is_alone = at == 1 && next.is_some_and(goes_on);
        if phrases.contains(&read) && is_word_end(last, next) && !(is_greeting && is_alone) {
            found = chars.get(at).map_or(text.len(), |(byte, _)| *byte);
        }
    }
    found
}

fn goes_on(ch: char) -> bool {
    is_letter_or_mark(ch) || is_digit(ch)
}

fn is_word_end(last: char, next: Option<char>) -> bool {
    let Some(next) = next else { return true };
    !goes_on(next)
        || !goes_on(last)
        || bigram(last).is_some()
        || bigram(next).is_some()
        || is_glue(next)
}
