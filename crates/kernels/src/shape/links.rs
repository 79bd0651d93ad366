//! URLs and e-mail addresses in a text, found from left to right.
//!
//! A link is one of
//! * `scheme://rest`: a scheme of 2 to 16 ASCII letters, then at least one URL character;
//! * `www.rest`, case ignored;
//! * `host.tld` or `host.xx/rest` without a scheme: labels of ASCII letters, digits and hyphens,
//!   the last one of the well-known top-level names below, or any two or more letters when a
//!   slash with something behind it follows;
//! * `local@host.tld`, which is an address.
//!
//! A URL goes on over URL characters: ASCII ones that no text puts round a URL, and letters,
//! marks and digits of scripts other than the bigram ones (a Chinese sentence goes on right
//! after a URL). Closing punctuation at its end is not part of it.
//!
//! Only `:`, `.` and `@` can lie in a link, so the search jumps from one to the next. What is
//! looked at around each has a fixed maximum, so no text takes more than linear time.

use memchr::memchr3;

use super::classes::{Class, Classes};

/// Longest local part of an address, and longest label of a host.
const LABEL_BYTES_MAX: usize = 64;
/// Longest host.
const HOST_BYTES_MAX: usize = 255;
/// Longest scheme.
const SCHEME_BYTES_MAX: usize = 16;

/// Top-level names that make a bare host a URL without a path.
const TOP_LEVEL: &[&str] = &[
    "ai", "app", "biz", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "id", "in", "info",
    "io", "me", "net", "org", "ru", "shop", "store", "uk", "xyz", "br", "mx", "cn", "jp", "tr",
];

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkKind {
    Url,
    Address,
}

/// Where a link lies: bytes `start..end` of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: LinkKind,
}

/// The first link that starts at `from` or later.
pub(super) fn next_link(text: &str, from: usize, classes: &Classes) -> Option<Link> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += memchr3(b':', b'.', b'@', bytes.get(at..)?)?;
        let found = match bytes[at] {
            b':' => with_scheme(text, from, at, classes),
            b'@' => address(text, from, at, classes),
            _ => bare(text, from, at, classes),
        };
        if found.is_some() {
            return found;
        }
        at += 1;
    }
}

/// Start of the run of `accepted` bytes before `at`, at most `most` long and not before `from`.
fn back(bytes: &[u8], from: usize, at: usize, most: usize, accepted: fn(u8) -> bool) -> usize {
    let floor = from.max(at.saturating_sub(most));
    let run = bytes[floor..at].iter().rev().take_while(|byte| accepted(**byte)).count();
    at - run
}

/// Whether a word could begin at `start`: no letter, mark or digit of an alphabet before it.
fn is_word_start(text: &str, start: usize, classes: &Classes) -> bool {
    text[..start].chars().next_back().is_none_or(|before| !continues_word(before, classes))
}

fn continues_word(ch: char, classes: &Classes) -> bool {
    let class = classes.get(ch);
    (class.is_lettery() || class.has(Class::DIGIT)) && !class.has(Class::BIGRAM)
}

fn with_scheme(text: &str, from: usize, colon: usize, classes: &Classes) -> Option<Link> {
    let bytes = text.as_bytes();
    if !bytes[colon..].starts_with(b"://") {
        return None;
    }
    let start = back(bytes, from, colon, SCHEME_BYTES_MAX, |byte| byte.is_ascii_alphabetic());
    let end = url_end(text, colon + 3, classes);
    let fits = colon - start >= 2 && end > colon + 3 && is_word_start(text, start, classes);
    fits.then_some(Link { start, end, kind: LinkKind::Url })
}

fn bare(text: &str, from: usize, dot: usize, classes: &Classes) -> Option<Link> {
    let bytes = text.as_bytes();
    if !bytes.get(dot + 1).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let start = back(bytes, from, dot, LABEL_BYTES_MAX, is_host_byte);
    if start == dot || !is_word_start(text, start, classes) {
        return None;
    }
    let link = |end| Some(Link { start, end, kind: LinkKind::Url });
    if bytes[start..dot].eq_ignore_ascii_case(b"www") {
        return link(url_end(text, dot + 1, classes));
    }
    let host = host_end(bytes, dot + 1);
    let last = last_label(&text[dot..host]);
    match bytes.get(host) {
        Some(b'@') => None,
        Some(b'/') if is_name(last) && bytes.get(host + 1).is_some_and(u8::is_ascii_graphic) => {
            link(url_end(text, host, classes))
        }
        _ if TOP_LEVEL.iter().any(|name| name.eq_ignore_ascii_case(last))
            && bytes[start..dot].iter().any(u8::is_ascii_alphanumeric)
            && ends_word(text, host, classes) =>
        {
            link(url_end(text, host, classes))
        }
        _ => None,
    }
}

fn address(text: &str, from: usize, at: usize, classes: &Classes) -> Option<Link> {
    let bytes = text.as_bytes();
    let local = |byte: u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte);
    let start = back(bytes, from, at, LABEL_BYTES_MAX, local);
    let end = host_end(bytes, at + 1);
    let host = &text[at + 1..end];
    let fits = start < at
        && host.contains('.')
        && is_name(last_label(host))
        && is_word_start(text, start, classes)
        && ends_word(text, end, classes);
    fits.then_some(Link { start, end, kind: LinkKind::Address })
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn is_name(label: &str) -> bool {
    label.len() >= 2 && label.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn last_label(host: &str) -> &str {
    host.rsplit('.').next().unwrap_or("")
}

fn ends_word(text: &str, end: usize, classes: &Classes) -> bool {
    text[end..].chars().next().is_none_or(|after| !continues_word(after, classes))
}

/// End of the labels and dots that begin at `from`; a dot counts only before another label.
fn host_end(bytes: &[u8], from: usize) -> usize {
    let window = &bytes[from..bytes.len().min(from + HOST_BYTES_MAX)];
    let mut end = 0;
    while end < window.len() {
        let dot =
            window[end] == b'.' && window.get(end + 1).is_some_and(|next| is_host_byte(*next));
        if !(is_host_byte(window[end]) || dot && end > 0) {
            break;
        }
        end += 1;
    }
    from + end
}

/// End of the URL characters from `from` on, closing punctuation taken off.
fn url_end(text: &str, from: usize, classes: &Classes) -> usize {
    let rest = &text[from..];
    let outside = |ch: char| !is_url_char(ch, classes);
    let end = rest.find(outside).unwrap_or(rest.len());
    let closing =
        |ch: char| matches!(ch, '.' | ',' | ';' | ':' | '!' | '?' | ')' | ']' | '\'' | '*' | '_');
    from + rest[..end].trim_end_matches(closing).len()
}

fn is_url_char(ch: char, classes: &Classes) -> bool {
    if ch.is_ascii() {
        return ch.is_ascii_graphic()
            && !matches!(ch, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^');
    }
    continues_word(ch, classes)
}

#[cfg(test)]
mod tests {
    use super::super::classes::CLASSES;
    use super::*;

    fn links(text: &str) -> Vec<(&str, LinkKind)> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(link) = next_link(text, from, &CLASSES) {
            assert!(link.start >= from && link.end > link.start);
            found.push((&text[link.start..link.end], link.kind));
            from = link.end;
        }
        found
    }

    #[test]
    fn urls_are_found_with_and_without_scheme() {
        for (text, url) in [
            ("see https://example.com/a?b=c#d.", "https://example.com/a?b=c#d"),
            ("HTTP://X.ORG", "HTTP://X.ORG"),
            ("(www.example.org/path)", "www.example.org/path"),
            ("go to example.com, please", "example.com"),
            ("wa.me/491701234567", "wa.me/491701234567"),
            ("请看https://x.cn/abc谢谢", "https://x.cn/abc"),
            ("https://de.wikipedia.org/wiki/Köln heute", "https://de.wikipedia.org/wiki/Köln"),
            ("*https://pay.example/1*", "https://pay.example/1"),
        ] {
            assert_eq!(links(text), [(url, LinkKind::Url)], "{text}");
        }
    }

    #[test]
    fn addresses_are_found() {
        for (text, address) in [
            ("mail john.doe@mail.example.com!", "john.doe@mail.example.com"),
            ("a@b.org", "a@b.org"),
            ("me.com@x.org", "me.com@x.org"),
        ] {
            assert_eq!(links(text), [(address, LinkKind::Address)], "{text}");
        }
    }

    #[test]
    fn sentences_numbers_and_times_are_no_links() {
        for text in [
            "Fine.Thanks",
            "12.30",
            "at 10:30",
            "e.g. this",
            "a/b",
            "...",
            "@me",
            "http://",
            "1.5/2",
            "café.Now",
        ] {
            assert_eq!(links(text), [], "{text}");
        }
    }

    #[test]
    fn several_links_are_found_in_order() {
        let found = links("https://a.org and b@c.org and www.d.com");
        assert_eq!(found.len(), 3);
    }
}
