//! What a character is: letter, digit, space, emoji; and the script of a letter.

use turnwise_model::Script;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script as U, UnicodeScript};

/// Whether it is a letter or a combining mark.
pub(super) fn is_letter_or_mark(ch: char) -> bool {
    is_letter(ch) || ch.general_category_group() == GeneralCategoryGroup::Mark
}

pub(super) fn is_letter(ch: char) -> bool {
    ch.general_category_group() == GeneralCategoryGroup::Letter
}

pub(super) fn is_digit(ch: char) -> bool {
    ch.general_category() == GeneralCategory::DecimalNumber
}

pub(super) fn is_upper(ch: char) -> bool {
    matches!(
        ch.general_category(),
        GeneralCategory::UppercaseLetter | GeneralCategory::TitlecaseLetter
    )
}

/// A letter, mark or digit of a script that puts spaces between its words.
pub(super) fn is_spaced_word_char(ch: char) -> bool {
    (is_letter_or_mark(ch) || is_digit(ch)) && bigram(ch).is_none()
}

/// The script of a letter or mark; none where it has no script of its own and, being a letter,
/// the scripts that use it differ.
pub(super) fn script(ch: char) -> Option<Script> {
    if !is_letter_or_mark(ch) {
        return None;
    }
    let own = ch.script();
    if !matches!(own, U::Common | U::Inherited | U::Unknown) {
        return Some(folded(own));
    }
    if !is_letter(ch) {
        return None;
    }
    let users = ch.script_extension();
    if users.is_common() || users.is_inherited() {
        return Some(Script::Other);
    }
    let users: Vec<Script> = users.iter().map(folded).collect();
    let agree = users.windows(2).all(|two| two[0] == two[1]);
    Some(users.first().copied().filter(|_| agree).unwrap_or(Script::Other))
}

/// The script of a character, if its words are counted by pairs.
pub(super) fn bigram(ch: char) -> Option<Script> {
    script(ch).filter(|script| script.is_bigram())
}

fn folded(script: U) -> Script {
    match script {
        U::Hiragana | U::Katakana => Script::Kana,
        U::Gurmukhi
        | U::Gujarati
        | U::Oriya
        | U::Tamil
        | U::Telugu
        | U::Kannada
        | U::Malayalam
        | U::Sinhala => Script::OtherIndic,
        other => {
            Script::from_name(&other.full_name().to_ascii_lowercase()).unwrap_or(Script::Other)
        }
    }
}

/// An emoji beyond ASCII. Above the basic plane whole pictograph blocks are.
pub(super) fn is_emoji(ch: char) -> bool {
    const BLOCKS: [std::ops::RangeInclusive<char>; 5] = [
        '\u{1f300}'..='\u{1f64f}',
        '\u{1f680}'..='\u{1f6ff}',
        '\u{1f7e0}'..='\u{1f7f0}',
        '\u{1f90c}'..='\u{1f9ff}',
        '\u{1fa70}'..='\u{1faff}',
    ];
    static EMOJI: std::sync::LazyLock<regex::Regex> = super::pattern!(r"^\p{Emoji}$");
    let mut bytes = [0; 4];
    !ch.is_ascii()
        && (BLOCKS.iter().any(|block| block.contains(&ch))
            || EMOJI.is_match(ch.encode_utf8(&mut bytes)))
}

/// What holds emoji together and shows nothing: joiner, variation selectors, keycap, tags.
pub(super) fn is_glue(ch: char) -> bool {
    matches!(ch, '\u{200d}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// Lower case, character by character.
pub(super) fn lowered(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
