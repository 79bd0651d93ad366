//! What the shape kernel must know of a character, in one 16-bit word found by two loads.
//!
//! The Unicode crates answer by binary search over ranges, some 20 ns a question. The whole
//! answer depends on the code point alone, so it is written down once: 256 characters a block,
//! equal blocks stored once, and an index of blocks by the code point's upper bits. The planes
//! that hold no letter, mark, digit or emoji share the empty block and are never asked about.

use std::collections::HashMap;
use std::sync::LazyLock;

use turnwise_model::Script;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script as UnicodeScript, ScriptExtension, UnicodeScript as _};

/// The classes of every character; built at first use, in some tens of milliseconds.
pub(super) static CLASSES: LazyLock<Classes> = LazyLock::new(Classes::build);

/// What is known of one character: the script's code in the low five bits, then flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Class(u16);

impl Class {
    const SCRIPT: u16 = 0x1f;
    /// `\p{L}`.
    pub(super) const LETTER: Self = Self(1 << 5);
    /// `\p{M}`.
    pub(super) const MARK: Self = Self(1 << 6);
    /// `\p{Nd}`.
    pub(super) const DIGIT: Self = Self(1 << 7);
    /// An upper-case or title-case letter.
    pub(super) const UPPER: Self = Self(1 << 8);
    /// `char::to_lowercase` gives something else than the character.
    pub(super) const CHANGES: Self = Self(1 << 9);
    /// White space.
    pub(super) const SPACE: Self = Self(1 << 10);
    /// An emoji (`Emoji=Yes` and its blocks, beyond ASCII).
    pub(super) const EMOJI: Self = Self(1 << 11);
    /// Glue of emoji: joiner, variation selectors, keycap, tags. Invisible by itself.
    pub(super) const GLUE: Self = Self(1 << 12);
    /// A letter or mark of a bigram script.
    pub(super) const BIGRAM: Self = Self(1 << 13);

    /// Whether any flag of `flags` is set.
    #[inline]
    pub(super) const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// The flags of both; the script codes get mixed, so only flags may be asked afterwards.
    #[inline]
    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Code of the script; 0 for what is neither letter nor mark, and for marks of no script.
    #[inline]
    pub(super) const fn script(self) -> usize {
        (self.0 & Self::SCRIPT) as usize
    }

    /// Whether this is a letter or mark.
    #[inline]
    pub(super) const fn is_lettery(self) -> bool {
        self.has(Self(Self::LETTER.0 | Self::MARK.0))
    }

    fn of(ch: char) -> Self {
        let category = ch.general_category();
        let mut class = 0;
        match ch.general_category_group() {
            GeneralCategoryGroup::Letter => {
                class |= Self::LETTER.0 | script_word(letter_script(ch));
            }
            GeneralCategoryGroup::Mark => {
                class |= Self::MARK.0 | script_word(mark_script(ch));
            }
            _ => {}
        }
        let mut flag = |on: bool, flag: Self| class |= if on { flag.0 } else { 0 };
        flag(category == GeneralCategory::DecimalNumber, Self::DIGIT);
        let upper =
            matches!(category, GeneralCategory::UppercaseLetter | GeneralCategory::TitlecaseLetter);
        flag(upper, Self::UPPER);
        flag(!ch.to_lowercase().eq([ch]), Self::CHANGES);
        flag(ch.is_whitespace(), Self::SPACE);
        flag(is_emoji(ch), Self::EMOJI);
        flag(is_glue(ch), Self::GLUE);
        Self(class)
    }
}

/// Two-level table by code point.
pub(super) struct Classes {
    index: Vec<u16>,
    blocks: Vec<[Class; 256]>,
}

impl Classes {
    /// The class of a character.
    #[inline]
    pub(super) fn get(&self, ch: char) -> Class {
        let code = ch as usize;
        self.blocks[usize::from(self.index[code >> 8])][code & 255]
    }

    fn build() -> Self {
        let mut blocks = vec![[Class::default(); 256]];
        let mut known = HashMap::from([(blocks[0], 0_u16)]);
        let index = (0..0x11_0000_u32 >> 8)
            .map(|high| {
                if !is_inhabited(high) {
                    return 0;
                }
                let block = std::array::from_fn(|low| {
                    char::from_u32(high << 8 | low as u32).map_or(Class::default(), Class::of)
                });
                *known.entry(block).or_insert_with(|| {
                    blocks.push(block);
                    (blocks.len() - 1) as u16
                })
            })
            .collect();
        Self { index, blocks }
    }
}

/// Whether a block of 256 may hold a letter, mark, digit, space or emoji: planes 0 to 3, and the
/// tags and variation selectors of plane 14. (Planes 4 to 13 are unassigned, 15 and 16 private.)
fn is_inhabited(high: u32) -> bool {
    high < 0x400 || matches!(high, 0xe00..=0xe01)
}

fn script_word(script: Script) -> u16 {
    let code = u16::try_from(script.code()).unwrap_or(0) & Class::SCRIPT;
    code | if script.is_bigram() { Class::BIGRAM.0 } else { 0 }
}

/// The script of a letter. A letter of no script of its own takes the one that its script
/// extensions agree on (`ー` is Kana, though its script is Common), else `other`.
fn letter_script(ch: char) -> Script {
    match ch.script() {
        UnicodeScript::Common | UnicodeScript::Inherited | UnicodeScript::Unknown => {
            extension_script(ch).unwrap_or(Script::Other)
        }
        script => fold_script(script),
    }
}

/// The script of a mark; an inherited one has none and belongs to the letter before it.
fn mark_script(ch: char) -> Script {
    match ch.script() {
        UnicodeScript::Common | UnicodeScript::Inherited | UnicodeScript::Unknown => Script::None,
        script => fold_script(script),
    }
}

fn extension_script(ch: char) -> Option<Script> {
    let extension: ScriptExtension = ch.script_extension();
    if extension.is_common() || extension.is_inherited() {
        return None;
    }
    let mut scripts = extension.iter().map(fold_script);
    let first = scripts.next()?;
    scripts.all(|script| script == first).then_some(first)
}

fn fold_script(script: UnicodeScript) -> Script {
    use UnicodeScript as U;
    match script {
        U::Latin => Script::Latin,
        U::Cyrillic => Script::Cyrillic,
        U::Greek => Script::Greek,
        U::Arabic => Script::Arabic,
        U::Hebrew => Script::Hebrew,
        U::Devanagari => Script::Devanagari,
        U::Bengali => Script::Bengali,
        U::Gurmukhi
        | U::Gujarati
        | U::Oriya
        | U::Tamil
        | U::Telugu
        | U::Kannada
        | U::Malayalam
        | U::Sinhala => Script::OtherIndic,
        U::Han => Script::Han,
        U::Hiragana | U::Katakana => Script::Kana,
        U::Hangul => Script::Hangul,
        U::Thai => Script::Thai,
        U::Lao => Script::Lao,
        U::Khmer => Script::Khmer,
        U::Myanmar => Script::Myanmar,
        U::Georgian => Script::Georgian,
        U::Armenian => Script::Armenian,
        U::Ethiopic => Script::Ethiopic,
        _ => Script::Other,
    }
}

/// Emoji beyond ASCII. In the basic plane the property `Emoji` of Unicode 17; above it whole
/// pictograph blocks, so that an emoji newer than this table is one too.
fn is_emoji(ch: char) -> bool {
    let code = ch as u32;
    let at = EMOJI.partition_point(|(_, last)| *last < code);
    EMOJI.get(at).is_some_and(|(first, _)| *first <= code)
}

/// Zero width joiner, variation selectors, the enclosing keycap and the tags of flags.
fn is_glue(ch: char) -> bool {
    matches!(ch, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' | '\u{e0020}'..='\u{e007f}')
}

/// Ascending ranges, both ends in.
const EMOJI: &[(u32, u32)] = &[
    (0xa9, 0xa9),
    (0xae, 0xae),
    (0x203c, 0x203c),
    (0x2049, 0x2049),
    (0x2122, 0x2122),
    (0x2139, 0x2139),
    (0x2194, 0x2199),
    (0x21a9, 0x21aa),
    (0x231a, 0x231b),
    (0x2328, 0x2328),
    (0x23cf, 0x23cf),
    (0x23e9, 0x23f3),
    (0x23f8, 0x23fa),
    (0x24c2, 0x24c2),
    (0x25aa, 0x25ab),
    (0x25b6, 0x25b6),
    (0x25c0, 0x25c0),
    (0x25fb, 0x25fe),
    (0x2600, 0x2604),
    (0x260e, 0x260e),
    (0x2611, 0x2611),
    (0x2614, 0x2615),
    (0x2618, 0x2618),
    (0x261d, 0x261d),
    (0x2620, 0x2620),
    (0x2622, 0x2623),
    (0x2626, 0x2626),
    (0x262a, 0x262a),
    (0x262e, 0x262f),
    (0x2638, 0x263a),
    (0x2640, 0x2640),
    (0x2642, 0x2642),
    (0x2648, 0x2653),
    (0x265f, 0x2660),
    (0x2663, 0x2663),
    (0x2665, 0x2666),
    (0x2668, 0x2668),
    (0x267b, 0x267b),
    (0x267e, 0x267f),
    (0x2692, 0x2697),
    (0x2699, 0x2699),
    (0x269b, 0x269c),
    (0x26a0, 0x26a1),
    (0x26a7, 0x26a7),
    (0x26aa, 0x26ab),
    (0x26b0, 0x26b1),
    (0x26bd, 0x26be),
    (0x26c4, 0x26c5),
    (0x26c8, 0x26c8),
    (0x26ce, 0x26cf),
    (0x26d1, 0x26d1),
    (0x26d3, 0x26d4),
    (0x26e9, 0x26ea),
    (0x26f0, 0x26f5),
    (0x26f7, 0x26fa),
    (0x26fd, 0x26fd),
    (0x2702, 0x2702),
    (0x2705, 0x2705),
    (0x2708, 0x270d),
    (0x270f, 0x270f),
    (0x2712, 0x2712),
    (0x2714, 0x2714),
    (0x2716, 0x2716),
    (0x271d, 0x271d),
    (0x2721, 0x2721),
    (0x2728, 0x2728),
    (0x2733, 0x2734),
    (0x2744, 0x2744),
    (0x2747, 0x2747),
    (0x274c, 0x274c),
    (0x274e, 0x274e),
    (0x2753, 0x2755),
    (0x2757, 0x2757),
    (0x2763, 0x2764),
    (0x2795, 0x2797),
    (0x27a1, 0x27a1),
    (0x27b0, 0x27b0),
    (0x27bf, 0x27bf),
    (0x2934, 0x2935),
    (0x2b05, 0x2b07),
    (0x2b1b, 0x2b1c),
    (0x2b50, 0x2b50),
    (0x2b55, 0x2b55),
    (0x3030, 0x3030),
    (0x303d, 0x303d),
    (0x3297, 0x3297),
    (0x3299, 0x3299),
    (0x1f004, 0x1f004),
    (0x1f0cf, 0x1f0cf),
    (0x1f170, 0x1f171),
    (0x1f17e, 0x1f17f),
    (0x1f18e, 0x1f18e),
    (0x1f191, 0x1f19a),
    (0x1f1e6, 0x1f1ff),
    (0x1f201, 0x1f202),
    (0x1f21a, 0x1f21a),
    (0x1f22f, 0x1f22f),
    (0x1f232, 0x1f23a),
    (0x1f250, 0x1f251),
    (0x1f300, 0x1f64f),
    (0x1f680, 0x1f6ff),
    (0x1f7e0, 0x1f7f0),
    (0x1f90c, 0x1f9ff),
    (0x1fa70, 0x1faff),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn class(ch: char) -> Class {
        CLASSES.get(ch)
    }

    #[test]
    fn table_says_what_the_unicode_crates_say() {
        for ch in (0..=0x10_ffff).filter_map(char::from_u32) {
            let class = class(ch);
            let group = ch.general_category_group();
            assert_eq!(class.has(Class::LETTER), group == GeneralCategoryGroup::Letter, "{ch:?}");
            assert_eq!(class.has(Class::MARK), group == GeneralCategoryGroup::Mark, "{ch:?}");
            assert_eq!(class.has(Class::SPACE), ch.is_whitespace(), "{ch:?}");
            assert_eq!(class.has(Class::CHANGES), !ch.to_lowercase().eq([ch]), "{ch:?}");
        }
    }

    #[test]
    fn bigram_scripts_have_no_case() {
        for ch in (0..=0x10_ffff).filter_map(char::from_u32) {
            assert!(!(class(ch).has(Class::BIGRAM) && class(ch).has(Class::CHANGES)), "{ch:?}");
        }
    }

    #[test]
    fn characters_have_the_script_a_reader_expects() {
        for (ch, script) in [
            ('a', Script::Latin),
            ('ß', Script::Latin),
            ('ж', Script::Cyrillic),
            ('λ', Script::Greek),
            ('ع', Script::Arabic),
            ('ש', Script::Hebrew),
            ('ह', Script::Devanagari),
            ('ি', Script::Bengali),
            ('த', Script::OtherIndic),
            ('中', Script::Han),
            ('々', Script::Han),
            ('ア', Script::Kana),
            ('ー', Script::Kana),
            ('한', Script::Hangul),
            ('ก', Script::Thai),
            ('່', Script::Lao),
            ('ខ', Script::Khmer),
            ('က', Script::Myanmar),
            ('ქ', Script::Georgian),
            ('հ', Script::Armenian),
            ('ሰ', Script::Ethiopic),
            ('ꦏ', Script::Other),
            ('𝐀', Script::Other),
            ('1', Script::None),
            ('\u{301}', Script::None),
        ] {
            assert_eq!(class(ch).script(), script.code() as usize, "{ch:?}");
        }
    }

    #[test]
    fn emoji_are_no_digits_and_no_ascii() {
        for ch in ['😀', '👍', '❤', '🇩', '🏽', '☎', '🧿'] {
            assert!(class(ch).has(Class::EMOJI), "{ch:?}");
        }
        for ch in ['#', '*', '1', '€', '.', '中'] {
            assert!(!class(ch).has(Class::EMOJI), "{ch:?}");
        }
        assert!(EMOJI.windows(2).all(|pair| pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0));
    }
}
