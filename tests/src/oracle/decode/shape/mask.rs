//! The masked text behind a skeleton, piece by piece, then its white space folded and cut.

use turnwise_model::limits::SKELETON_CHARS_MAX;

use super::classes::{is_emoji, is_glue, is_upper, lowered};
use super::links::Link;
use super::{Kind, Part};

/// URLs → u, addresses → e, emoji dropped, number runs → 0, capitalised words not at a sentence's
/// start → n, lower case, white space folded, the first characters.
pub(super) fn masked(text: &str, parts: &[Part<'_>], links: &[Link]) -> String {
    let mut out = String::new();
    let mut is_start = true;
    let mut at = 0;
    while at < parts.len() {
        let part = parts[at];
        if let Some(link) = links.iter().find(|link| (link.start..link.end).contains(&part.at)) {
            out.push(if link.is_url { 'u' } else { 'e' });
            is_start = false;
            at = parts.partition_point(|part| part.at < link.end);
            continue;
        }
        at = match part.kind {
            Kind::Digits => {
                out.push('0');
                is_start = false;
                after_number(parts, links, at)
            }
            Kind::Letters(_) => {
                letters(part.text, &mut is_start, &mut out);
                at + 1
            }
            Kind::Other => {
                other(part.text, &mut is_start, &mut out);
                at + 1
            }
        };
    }
    debug_assert!(text.is_empty() || !parts.is_empty());
    let words: Vec<&str> = out.split_whitespace().collect();
    words.join(" ").chars().take(SKELETON_CHARS_MAX).collect()
}

/// The part behind a number: digits, and single separators between two of them. Glue is dropped
/// before numbers are looked for, so it ends none.
fn after_number(parts: &[Part<'_>], links: &[Link], first: usize) -> usize {
    let is_link = |part: &Part<'_>| links.iter().any(|link| link.start == part.at);
    let is_glue = |part: &Part<'_>| part.kind != Kind::Other && part.text.chars().all(is_glue);
    let (mut end, mut is_held) = (first + 1, false);
    for (at, part) in parts.iter().enumerate().skip(first + 1) {
        if is_link(part) {
            break;
        } else if part.kind == Kind::Digits {
            (end, is_held) = (at + 1, false);
        } else if !is_held && ".,:/-'’".contains(part.text) {
            is_held = true;
        } else if !is_glue(part) {
            break;
        }
    }
    end
}

fn letters(run: &str, is_start: &mut bool, out: &mut String) {
    if run.chars().all(is_glue) {
        return;
    }
    if run.starts_with(is_upper) && !*is_start {
        out.push('n');
        return;
    }
    *is_start = false;
    let visible: String = run.chars().filter(|ch| !is_glue(*ch)).collect();
    out.push_str(&lowered(&visible));
}

fn other(text: &str, is_start: &mut bool, out: &mut String) {
    let invisible = |ch: char| is_emoji(ch) || is_glue(ch);
    if text.contains(invisible) {
        return;
    }
    if text == "\n" || ".!?…。！？؟۔।॥։።".contains(text) {
        *is_start = true;
    }
    out.push_str(text);
}
