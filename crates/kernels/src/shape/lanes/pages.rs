//! What the lanes must know of a character, found by the bytes of its UTF-8 form.
//!
//! The same facts as in `classes.rs`, laid out for lookups from bytes instead of code points: a
//! *page* holds 128 neighbours, which is what the last byte and the lowest bit of the one before
//! it tell apart; the bytes before those name the page. A page has three planes of one byte a
//! character, so that a page of a plane is two registers of AVX-512. Equal pages are stored once.
//! A byte sequence that is no character, though its continuation bytes are where they should be,
//! has [`INVALID`] as its script.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::classes::{CLASSES, Class};

/// The pages of all characters; built at first use.
pub(in super::super) static PAGES: LazyLock<Pages> = LazyLock::new(Pages::build);

/// Characters of a page.
pub(in super::super) const PAGE: usize = 128;

/// In the plane of scripts: no character has these bytes.
pub(in super::super) const INVALID: u8 = 0xff;

/// Bits of the first plane: to which run a character belongs, and what it counts as.
pub(in super::super) mod first {
    /// Letter or mark of a run of letters.
    pub(in super::super::super) const LETTERS: u32 = 0;
    /// Three bits: which bigram script the run is of.
    pub(in super::super::super) const BIGRAM: u32 = 1;
    /// Digit.
    pub(in super::super::super) const DIGIT: u32 = 4;
    /// Letter, not a mark.
    pub(in super::super::super) const LETTER: u32 = 5;
    /// Upper-case or title-case letter.
    pub(in super::super::super) const UPPER: u32 = 6;
    /// The second plane has a bit.
    pub(in super::super::super) const MORE: u32 = 7;
}

/// Bits of the second plane: what few characters are.
pub(in super::super) mod second {
    /// White space.
    pub(in super::super::super) const SPACE: u32 = 0;
    /// Ends a sentence.
    pub(in super::super::super) const STOP: u32 = 1;
    /// Question mark.
    pub(in super::super::super) const QUESTION: u32 = 2;
    /// Emoji or glue of emoji, which a skeleton drops.
    pub(in super::super::super) const DROPPED: u32 = 3;
    /// Emoji.
    pub(in super::super::super) const EMOJI: u32 = 4;
    /// Mark without a script of its own.
    pub(in super::super::super) const INHERITS: u32 = 5;
    /// Letter or mark with a lower case.
    pub(in super::super::super) const CASED: u32 = 6;
    /// `’`, which may stand within numbers, and `·` and U+0387, which may be Greek question marks.
    pub(in super::super::super) const RARE: u32 = 7;
}

/// 128 neighbours.
#[derive(Clone, PartialEq, Eq, Hash)]
#[repr(C, align(64))]
pub(in super::super) struct Page {
    /// Bits of [`first`].
    pub(in super::super) first: [u8; PAGE],
    /// Bits of [`second`].
    pub(in super::super) second: [u8; PAGE],
    /// Code of the script, or [`INVALID`].
    pub(in super::super) script: [u8; PAGE],
}

/// All pages and where they are.
pub(in super::super) struct Pages {
    pages: Vec<Page>,
    /// By [`near_key`].
    near: [u16; NEAR_KEYS],
    /// By [`far_key`].
    far: Vec<u16>,
    /// By code point: the lower case of those whose lower case has as many bytes, else 0.
    lower: [u16; LOWER_CODES],
}

/// Latin, Greek, Cyrillic and Armenian: characters of two bytes.
const LOWER_CODES: usize = 0x590;

const NEAR_KEYS: usize = 16 + 512;
const FAR_KEYS: usize = 1 << 14;

/// Names the page of a character of two or three bytes.
#[inline(always)]
const fn near_key(lead: u8, next: u8) -> usize {
    let (lead, next) = (lead as usize, next as usize);
    if lead >= 0xe0 { 16 + ((lead & 15) << 5 | next >> 1 & 31) } else { lead >> 1 & 15 }
}

/// Names the page of a character of four bytes.
#[inline(always)]
const fn far_key(bytes: [u8; 4]) -> usize {
    let [lead, next, third, _] = bytes;
    (lead as usize & 7) << 11 | (next as usize & 63) << 5 | third as usize >> 1 & 31
}

/// Place in its page of a character with these two last bytes.
#[inline(always)]
pub(in super::super) const fn place(last_but_one: u8, last: u8) -> usize {
    (last_but_one as usize & 1) << 6 | last as usize & 63
}

impl Pages {
    /// The page of a character of two or three bytes that begins so.
    #[inline(always)]
    pub(in super::super) fn near(&self, lead: u8, next: u8) -> &Page {
        &self.pages[usize::from(self.near[near_key(lead, next)])]
    }

    /// The page of a character of four bytes.
    #[inline(always)]
    pub(in super::super) fn far(&self, bytes: [u8; 4]) -> &Page {
        // Leads beyond F7 have a bit that the key leaves out; none of them begins a character.
        let key = if bytes[0] < 0xf8 { far_key(bytes) } else { 0 };
        &self.pages[usize::from(self.far[key])]
    }

    /// The lower case of a character of two bytes, of two bytes as well; none for the few where
    /// it is not, and beyond Armenian.
    #[inline(always)]
    pub(in super::super) fn lower_of_two(&self, lead: u8, next: u8) -> Option<[u8; 2]> {
        let code = (usize::from(lead) & 31) << 6 | usize::from(next) & 63;
        let lower = self.lower.get(code).copied().unwrap_or(0);
        (lower != 0).then_some([0xc0 | (lower >> 6) as u8, 0x80 | (lower & 63) as u8])
    }

    fn build() -> Self {
        let mut pages = Vec::new();
        let mut known = HashMap::new();
        let mut page = |first_code: u32| {
            let page = Page::of(first_code);
            *known.entry(page).or_insert_with_key(|page| {
                pages.push(page.clone());
                (pages.len() - 1) as u16
            })
        };
        let none = page(u32::MAX);
        let mut near = [none; NEAR_KEYS];
        // Shorter forms than these bytes would be those of their code points: no characters.
        for (key, near) in near.iter_mut().enumerate().take(16).skip(1) {
            *near = page(key as u32 * PAGE as u32);
        }
        for key in 16..512 {
            near[16 + key] = page(key as u32 * PAGE as u32);
        }
        let far = (0..FAR_KEYS as u32)
            .map(|key| if key < 512 { none } else { page(key * PAGE as u32) })
            .collect();
        let lower = std::array::from_fn(|code| lower_of_two(code as u32));
        Self { pages, near, far, lower }
    }
}

fn lower_of_two(code: u32) -> u16 {
    let Some(ch) = char::from_u32(code) else { return 0 };
    let mut lower = ch.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) if ch.len_utf8() == 2 && only.len_utf8() == 2 => only as u16,
        _ => 0,
    }
}

impl Page {
    fn of(first_code: u32) -> Self {
        let mut page = Self { first: [0; PAGE], second: [0; PAGE], script: [INVALID; PAGE] };
        for place in 0..PAGE {
            let code = first_code.checked_add(place as u32);
            if let Some(ch) = code.and_then(char::from_u32) {
                let class = CLASSES.get(ch);
                page.second[place] = second_of(ch, class);
                page.first[place] = first_of(class, page.second[place] != 0);
                page.script[place] = class.script() as u8;
            }
        }
        page
    }
}

/// Code of the first bigram script in [`turnwise_model::Script`], less one: seven of them lie
/// side by side, so three bits tell them apart.
const BIGRAM_BASE: usize = turnwise_model::Script::Han.code() as usize - 1;
const _: () = assert!(turnwise_model::Script::Myanmar.code() as usize - BIGRAM_BASE == 7);

fn first_of(class: Class, more: bool) -> u8 {
    let run = if class.has(Class::BIGRAM) {
        (class.script() - BIGRAM_BASE) << first::BIGRAM
    } else {
        usize::from(class.is_lettery()) << first::LETTERS
    };
    run as u8
        | u8::from(class.has(Class::DIGIT)) << first::DIGIT
        | u8::from(class.has(Class::LETTER)) << first::LETTER
        | u8::from(class.is_lettery() && class.has(Class::UPPER)) << first::UPPER
        | u8::from(more) << first::MORE
}

fn second_of(ch: char, class: Class) -> u8 {
    let in_run = class.is_lettery() || class.has(Class::DIGIT);
    let stop = matches!(ch, '…' | '。' | '！' | '？' | '؟' | '۔' | '।' | '॥' | '։' | '።');
    let question = matches!(ch, '？' | '؟' | '՞' | '፧' | '\u{37e}');
    let emoji = class.has(Class::EMOJI) && !in_run;
    let inherits = class.has(Class::MARK) && !class.has(Class::BIGRAM) && class.script() == 0;
    u8::from(class.has(Class::SPACE)) << second::SPACE
        | u8::from(stop) << second::STOP
        | u8::from(question) << second::QUESTION
        | u8::from(emoji || class.has(Class::GLUE)) << second::DROPPED
        | u8::from(emoji) << second::EMOJI
        | u8::from(inherits) << second::INHERITS
        | u8::from(class.is_lettery() && class.has(Class::CHANGES)) << second::CASED
        | u8::from(matches!(ch, '’' | '·' | '\u{387}')) << second::RARE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the planes say of the character with these bytes.
    fn find(bytes: &[u8]) -> (u8, u8, u8) {
        let page = match *bytes {
            [lead, next] => PAGES.near(lead, next),
            [lead, next, _] => PAGES.near(lead, next),
            [a, b, c, d] => PAGES.far([a, b, c, d]),
            _ => panic!("two to four bytes"),
        };
        let at = place(bytes[bytes.len() - 2], bytes[bytes.len() - 1]);
        (page.first[at], page.second[at], page.script[at])
    }

    #[test]
    fn every_character_beyond_ascii_is_found_by_its_bytes() {
        for ch in (0x80..=0x10_ffff).filter_map(char::from_u32) {
            let mut bytes = [0; 4];
            let (first, second, script) = find(ch.encode_utf8(&mut bytes).as_bytes());
            let class = CLASSES.get(ch);
            assert_eq!(usize::from(script), class.script(), "{ch:?}");
            assert_eq!(first >> first::LETTER & 1 != 0, class.has(Class::LETTER), "{ch:?}");
            assert_eq!(first >> first::DIGIT & 1 != 0, class.has(Class::DIGIT), "{ch:?}");
            assert_eq!(first >> first::MORE & 1 != 0, second != 0, "{ch:?}");
            assert_eq!(second >> second::SPACE & 1 != 0, class.has(Class::SPACE), "{ch:?}");
            let bigram = first >> first::BIGRAM & 7 != 0;
            assert_eq!(bigram, class.has(Class::BIGRAM), "{ch:?}");
            assert_eq!(bigram || first & 1 != 0, class.is_lettery(), "{ch:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_character_are_told_like_the_standard_library_does() {
        let ends = [0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf];
        for lead in 0xc0..=0xff_u8 {
            for next in 0x80..=0xbf_u8 {
                for last in ends {
                    let bytes = match lead {
                        0..0xe0 => vec![lead, next],
                        0xe0..0xf0 => vec![lead, next, last],
                        _ => vec![lead, next, last, last],
                    };
                    let is_valid = std::str::from_utf8(&bytes).is_ok();
                    assert_eq!(find(&bytes).2 != INVALID, is_valid, "{bytes:x?}");
                }
            }
        }
    }

    #[test]
    fn han_and_hangul_fill_their_blocks() {
        let same = |first: char, last: char| {
            let mut bytes = [0; 4];
            let expected = find(first.encode_utf8(&mut bytes).as_bytes());
            for ch in first..=last {
                assert_eq!(find(ch.encode_utf8(&mut bytes).as_bytes()), expected, "{ch:?}");
            }
        };
        same('\u{4e00}', '\u{9fbf}');
        same('\u{ac00}', '\u{d77f}');
    }
}
