//! The openers of query B, from the product's own table.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The product's table: a header, then language and text, tab-separated.
pub const OPENERS: &str = include_str!("../../../crates/kernels/data/openers.tsv");
/// The product's greetings, of the same form.
const GREETINGS: &str = include_str!("../../../crates/kernels/data/greetings.tsv");
/// The languages whose openers query B looks for.
pub const LANGUAGES: [&str; 5] = ["en", "es", "pt", "fr", "de"];

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opener {
    /// Its language.
    pub language: &'static str,
    /// Its text, in lower case.
    pub text: &'static str,
}

/// The openers that query B looks for, in the order of the table.
pub fn openers() -> impl Iterator<Item = Opener> {
    table(OPENERS).filter(|opener| LANGUAGES.contains(&opener.language))
}

/// Openers of a language that a text may begin with: the shape kernel takes them for openers too,
/// whatever follows. A greeting of the same words would win over them.
pub(super) fn usable(language: &str) -> Vec<&'static str> {
    let greetings: BTreeSet<&str> = table(GREETINGS).map(|greeting| greeting.text).collect();
    let plain = |text: &str| text.chars().all(|ch| ch.is_alphabetic() || matches!(ch, ' ' | '\''));
    openers()
        .filter(|opener| opener.language == language)
        .map(|opener| opener.text)
        .filter(|text| plain(text) && !greetings.contains(text))
        .collect()
}

/// Every word of every opener and greeting of any language. No other word of a text is one of
/// them, so no text goes on as a phrase would.
pub(super) static PHRASE_WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let words = table(OPENERS)
        .chain(table(GREETINGS))
        .flat_map(|row| row.text.split(|ch: char| !ch.is_alphabetic()).map(str::to_lowercase));
    words.filter(|word| !word.is_empty()).collect()
});

fn table(rows: &'static str) -> impl Iterator<Item = Opener> {
    rows.lines().skip(1).filter_map(|row| {
        let (language, text) = row.split_once('\t')?;
        Some(Opener { language, text: text.trim() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_languages_have_openers() {
        for language in LANGUAGES {
            assert!(openers().filter(|opener| opener.language == language).count() > 20);
        }
        assert!(usable("en").contains(&"what"));
        assert!(PHRASE_WORDS.contains("what") && PHRASE_WORDS.contains("hola"));
    }
}
