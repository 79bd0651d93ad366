//! URLs and e-mail addresses, found from left to right.

use super::classes::is_spaced_word_char;

/// A link: bytes `start..end` of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_url: bool,
}

/// Names that make a bare host a URL.
const TOP_LEVEL: [&str; 28] = [
    "ai", "app", "biz", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "id", "in", "info",
    "io", "me", "net", "org", "ru", "shop", "store", "uk", "xyz", "br", "mx", "cn", "jp", "tr",
];

/// The links of a text, none inside another.
pub(super) fn links(text: &str) -> Vec<Link> {
    let mut found: Vec<Link> = Vec::new();
    for (at, ch) in text.char_indices() {
        let from = found.last().map_or(0, |link| link.end);
        if at < from {
            continue;
        }
        found.extend(match ch {
            ':' => with_scheme(text, from, at),
            '.' => bare(text, from, at),
            '@' => address(text, from, at),
            _ => None,
        });
    }
    found
}

/// Where the ASCII characters before `at` that fit begin, at most `most` of them.
fn begin(text: &str, from: usize, at: usize, most: usize, fits: fn(char) -> bool) -> usize {
    at - text[from..at].chars().rev().take(most).take_while(|ch| ch.is_ascii() && fits(*ch)).count()
}

fn is_word_start(text: &str, at: usize) -> bool {
    !text[..at].chars().next_back().is_some_and(is_spaced_word_char)
}

fn is_word_end(text: &str, at: usize) -> bool {
    !text[at..].chars().next().is_some_and(is_spaced_word_char)
}

/// `scheme://rest`.
fn with_scheme(text: &str, from: usize, colon: usize) -> Option<Link> {
    let start = begin(text, from, colon, 16, |ch| ch.is_ascii_alphabetic());
    let rest = text[colon..].strip_prefix("://")?;
    let end = colon + 3 + url_bytes(rest);
    (colon - start >= 2 && end > colon + 3 && is_word_start(text, start)).then_some(Link {
        start,
        end,
        is_url: true,
    })
}

/// `www.rest`, `host.tld`, `host.xx/rest`.
fn bare(text: &str, from: usize, dot: usize) -> Option<Link> {
    let start = begin(text, from, dot, 64, is_host_char);
    let begins = text[dot + 1..].starts_with(|ch: char| ch.is_ascii_alphanumeric());
    if start == dot || !begins || !is_word_start(text, start) {
        return None;
    }
    let url =
        |from: usize| Some(Link { start, end: from + url_bytes(&text[from..]), is_url: true });
    let label = &text[start..dot];
    if label.eq_ignore_ascii_case("www") {
        return url(dot + 1);
    }
    let host_end = dot + 1 + host_bytes(&text[dot + 1..]);
    let (host, rest) = (&text[dot..host_end], &text[host_end..]);
    let last = host.rsplit('.').next().unwrap_or("");
    if rest.starts_with('@') {
        return None;
    }
    let goes_on = rest
        .strip_prefix('/')
        .is_some_and(|path| path.starts_with(|ch: char| ch.is_ascii_graphic()));
    let is_known = TOP_LEVEL.iter().any(|name| name.eq_ignore_ascii_case(last))
        && label.contains(|ch: char| ch.is_ascii_alphanumeric())
        && is_word_end(text, host_end);
    if goes_on && is_top_level(last) || is_known { url(host_end) } else { None }
}

/// `local@host.tld`.
fn address(text: &str, from: usize, at: usize) -> Option<Link> {
    let start = begin(text, from, at, 64, |ch| ch.is_ascii_alphanumeric() || "._%+-".contains(ch));
    let end = at + 1 + host_bytes(&text[at + 1..]);
    let (_, last) = text[at + 1..end].rsplit_once('.')?;
    (start < at && is_top_level(last) && is_word_start(text, start) && is_word_end(text, end))
        .then_some(Link { start, end, is_url: false })
}

fn is_host_char(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || ch == '-'
}

fn is_top_level(label: &str) -> bool {
    label.len() >= 2 && label.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Bytes of the labels and dots at the start of a text, at most 255; a dot stands between labels.
fn host_bytes(text: &str) -> usize {
    let chars: Vec<char> = text.chars().take(256).collect();
    let most = chars.len().min(255);
    let fits = |at: usize| {
        let next = chars.get(at + 1).copied().filter(|_| at + 1 < most);
        is_host_char(chars[at]) || chars[at] == '.' && at > 0 && next.is_some_and(is_host_char)
    };
    (0..most).take_while(|at| fits(*at)).count()
}

/// Bytes of the URL characters at the start of a text, closing punctuation left out.
fn url_bytes(text: &str) -> usize {
    let is_url_char = |ch: char| {
        if ch.is_ascii() {
            ch.is_ascii_graphic() && !"<>\"`{}|\\^".contains(ch)
        } else {
            is_spaced_word_char(ch)
        }
    };
    let end = text.find(|ch| !is_url_char(ch)).unwrap_or(text.len());
    text[..end].trim_end_matches(|ch| ".,;:!?)]'*_".contains(ch)).len()
}
