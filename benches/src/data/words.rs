//! Made-up words of seven languages in four scripts, the frequent ones short.
//!
//! None of them is a word of a phrase that the shape kernel knows.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::data::openers::{PHRASE_WORDS, usable};
use crate::rng::{Rng, mix2};

/// Words of a language.
const WORDS: usize = 6_000;
/// Draws that the frequencies of words are spread over.
const DRAWS: usize = 1 << 16;

/// A language of the texts.
pub(super) struct Language {
    words: Vec<String>,
    /// Which word each draw gives: word i about in proportion to 1 / (i + 3).
    draws: Vec<u16>,
    /// Phrases that open a question; none in languages that query B does not look at.
    pub(super) openers: Vec<&'static str>,
    /// Its question mark.
    pub(super) question: char,
    /// Its comma with the space behind it.
    pub(super) comma: &'static str,
}

impl Language {
    /// A word by frequency, from 16 bits of chance.
    pub(super) fn word(&self, bits: u64) -> &str {
        &self.words[usize::from(self.draws[(bits as usize) % DRAWS])]
    }
}

/// Name, consonants and vowels: a word takes them in turns. Vowels may be combining marks.
const SOUNDS: [(&str, &str, &str); 7] = [
    ("en", "bcdfghjklmnprstvwyz", "aeiou"),
    ("es", "bcdfgjlmnñprstvz", "aeiouáéó"),
    ("pt", "bcçdfgjlmnprstvz", "aeiouãéê"),
    ("fr", "bcdfgjlmnprstvz", "aeiouéèê"),
    ("ru", "бвгджзклмнпрстфхцчш", "аеиоуыя"),
    ("ar", "بتثجحخدرزسشصضطعغفقكلمنه", "اوي"),
    ("hi", "कखगघचछजटडतथदधनपफबभमयरलवशसह", "ािीुूेैो"),
];

/// The languages, in the order of [`super::rows`].
pub(super) static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let languages = (0..).zip(SOUNDS).map(|(seed, (name, consonants, vowels))| Language {
        words: words(seed, consonants, vowels),
        draws: draws(),
        openers: usable(name),
        question: if name == "ar" { '؟' } else { '?' },
        comma: if name == "ar" { "، " } else { ", " },
    });
    languages.collect()
});

fn words(seed: u64, consonants: &str, vowels: &str) -> Vec<String> {
    let sounds: [Vec<char>; 2] = [consonants.chars().collect(), vowels.chars().collect()];
    let mut seen = BTreeSet::new();
    let mut words = Vec::with_capacity(WORDS);
    let mut rng = Rng::new(mix2(seed, 0x776f_7264));
    let mut failed = 0;
    while words.len() < WORDS {
        // Each doubling of the rank makes words half a character longer.
        let rank_bits = u64::from((words.len() as u32 + 1).ilog2());
        let length = 2 + rank_bits / 2 + rng.below(2) + failed / 20;
        let word: String = (0..length)
            .map(|at| {
                let of = &sounds[(at % 2) as usize];
                of[rng.below(of.len() as u64) as usize]
            })
            .collect();
        if PHRASE_WORDS.contains(&word) || !seen.insert(word.clone()) {
            failed += 1;
            continue;
        }
        failed = 0;
        words.push(word);
    }
    words
}

fn draws() -> Vec<u16> {
    let weight = |word: usize| 1.0 / (word as f64 + 3.0);
    let sum: f64 = (0..WORDS).map(weight).sum();
    let mut draws = Vec::with_capacity(DRAWS);
    let mut passed = 0.0;
    for word in 0..WORDS {
        passed += weight(word) / sum;
        let until = (passed * DRAWS as f64).round() as usize;
        draws.resize(until.clamp(draws.len(), DRAWS), word as u16);
    }
    draws.resize(DRAWS, 0);
    draws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_are_short_and_none_is_of_a_phrase() {
        for language in LANGUAGES.iter() {
            assert_eq!(language.words.len(), WORDS);
            let chars = |words: &[String]| {
                words.iter().map(|word| word.chars().count()).sum::<usize>() / words.len()
            };
            assert!(chars(&language.words[..20]) <= 4);
            assert!(chars(&language.words[WORDS - 1_000..]) >= 8);
            assert!(language.words.iter().all(|word| !PHRASE_WORDS.contains(word)));
        }
    }

    #[test]
    fn frequencies_fall_with_the_rank() {
        let draws = draws();
        let count = |word: u16| draws.iter().filter(|drawn| **drawn == word).count();
        assert!(count(0) > 2_500 && count(0) < 3_500, "{}", count(0));
        assert!(count(0) > count(3) && count(3) > count(30));
    }
}
