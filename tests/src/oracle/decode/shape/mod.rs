//! The shape of a text, as FEATURES and the kernel's documents say it: cut the text into runs and
//! single characters, then count each thing for itself.

mod classes;
mod digits;
mod layout;
mod links;
mod mask;
mod phrases;

/// A pattern that is built at its first use.
macro_rules! pattern {
    ($text:expr) => {
        std::sync::LazyLock::new(|| regex::Regex::new($text).expect("a pattern"))
    };
}
pub(crate) use pattern;

use std::collections::BTreeSet;
use std::hash::Hasher;

use turnwise_model::codes::text_bits;
use turnwise_model::limits::{TEXT_BUCKETS, TEXT_BYTES_MAX, TEXT_TOKENS_MAX};
use turnwise_model::{Keys, Script};

use classes::{bigram, is_digit, is_letter, is_letter_or_mark, lowered, script};

/// The shape of a text; columns of the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Characters.
    pub chars: i32,
    /// Bytes.
    pub bytes: i32,
    /// Words.
    pub words: i32,
    /// Lines.
    pub lines: i32,
    /// Script of most letters.
    pub script: Script,
    /// Bits of `text_bits`.
    pub bits: i32,
    /// The smallest hashes of its content tokens, ascending.
    pub tokens: Vec<u32>,
    /// Hash of the masked text.
    pub skeleton: i64,
    /// Six bits of the text's hash.
    pub bucket: i32,
}

/// A run of letters and marks or of digits, or a character that is neither.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    kind: Kind,
    at: usize,
    text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Letters and marks, of a bigram script or of all others.
    Letters(Option<Script>),
    Digits,
    Other,
}

/// Runs end where a bigram script begins or ends; a mark of no script belongs to the run before.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut found: Vec<Part<'_>> = Vec::new();
    for (at, ch) in text.char_indices() {
        let before = found.last().map(|part| part.kind);
        let kind = if is_letter_or_mark(ch) {
            match (script(ch), before) {
                (None, Some(Kind::Letters(of))) => Kind::Letters(of),
                _ => Kind::Letters(bigram(ch)),
            }
        } else if is_digit(ch) {
            Kind::Digits
        } else {
            Kind::Other
        };
        match found.last_mut() {
            Some(run) if run.kind == kind && kind != Kind::Other => {
                run.text = &text[run.at..at + ch.len_utf8()];
            }
            _ => found.push(Part { kind, at, text: &text[at..at + ch.len_utf8()] }),
        }
    }
    found
}

/// The shape of a text.
#[must_use]
pub fn shape(whole: &str, keys: &Keys) -> Shape {
    let text = &whole[..whole.floor_char_boundary(TEXT_BYTES_MAX)];
    let parts = parts(text);
    let links = links::links(text);
    let (opener, greeting) = phrases::beginning(text);
    let (question, words) = (asks(text), words(&parts));
    let digits = digits::is_only_digits(text, &parts);
    let open_ended = (opener || question && words >= 4) && !greeting && !digits;
    let bits = [
        (question, text_bits::QUESTION),
        (opener, text_bits::OPENER),
        (greeting, text_bits::GREETING),
        (digits, text_bits::DIGITS),
        (open_ended, text_bits::OPEN_ENDED),
        (layout::is_markdown(text), text_bits::MARKDOWN),
        (layout::is_list(text), text_bits::LIST),
        (layout::is_code(text), text_bits::CODE),
        (links.iter().any(|link| link.is_url), text_bits::URL),
    ];
    let masked = mask::masked(text, &parts, &links);
    let bucket = hash(keys, b'b', text.as_bytes()) % u64::from(TEXT_BUCKETS);
    Shape {
        chars: count(text.chars()),
        bytes: i32::try_from(whole.len()).unwrap_or(i32::MAX),
        words,
        lines: count(text.split_inclusive('\n')),
        script: most_letters(text),
        bits: bits.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum(),
        tokens: tokens(&parts, keys),
        skeleton: hash(keys, b's', masked.as_bytes()).cast_signed(),
        bucket: i32::try_from(bucket).unwrap_or(0),
    }
}

fn hash(keys: &Keys, tag: u8, bytes: &[u8]) -> u64 {
    let mut hasher = keys.text_hasher();
    hasher.write(&[tag]);
    hasher.write(bytes);
    hasher.finish()
}

fn count(items: impl Iterator) -> i32 {
    i32::try_from(items.count()).unwrap_or(i32::MAX)
}

/// A run is a word; of a bigram script two characters are.
fn words(parts: &[Part<'_>]) -> i32 {
    let words = parts.iter().map(|part| match part.kind {
        Kind::Letters(Some(_)) => (count(part.text.chars()) + 1) / 2,
        Kind::Letters(None) | Kind::Digits => 1,
        Kind::Other => 0,
    });
    words.sum()
}

/// The script of most letters, the one of the smallest code where two have as many.
fn most_letters(text: &str) -> Script {
    let mut letters = [0_u32; Script::ALL.len()];
    for script in text.chars().filter(|ch| is_letter(*ch)).filter_map(script) {
        letters[script as usize] += 1;
    }
    let most = letters.iter().copied().max().unwrap_or(0);
    let first = Script::ALL.iter().find(|script| letters[**script as usize] == most);
    first.copied().filter(|_| most > 0).unwrap_or(Script::None)
}

/// A question mark of any script; a semicolon or a middle dot between Greek letters is one too,
/// also where no letter comes after it.
fn asks(text: &str) -> bool {
    let greek = |ch: char| script(ch) == Some(Script::Greek);
    text.char_indices().any(|(at, ch)| match ch {
        '?' | '？' | '؟' | '՞' | '፧' | '\u{37e}' => true,
        ';' | '·' | '\u{387}' => {
            let before = text[..at].chars().rev().find(|ch| is_letter(*ch));
            let after = text[at..].chars().find(|ch| is_letter(*ch));
            before.is_some_and(greek) && after.is_none_or(greek)
        }
        _ => false,
    })
}

/// Lower-cased runs of five letters or more; in bigram scripts each pair of neighbours.
fn tokens(parts: &[Part<'_>], keys: &Keys) -> Vec<u32> {
    let mut hashes = BTreeSet::new();
    let mut add = |token: &str| {
        hashes.insert(hash(keys, b't', token.as_bytes()) as u32);
    };
    for part in parts {
        let chars: Vec<char> = part.text.chars().collect();
        match part.kind {
            Kind::Letters(None) if chars.len() >= 5 => add(&lowered(part.text)),
            Kind::Letters(Some(_)) => {
                chars.windows(2).for_each(|two| add(&String::from_iter(two)));
            }
            _ => {}
        }
    }
    hashes.into_iter().take(TEXT_TOKENS_MAX).collect()
}
