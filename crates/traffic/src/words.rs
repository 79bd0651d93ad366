//! Words and sentence patterns of five tongues, read once from the data files.
//!
//! A line of a file is `key TAB text`. Keys: `topic` (a subject's nouns), `adj`, `verb`, `given`
//! and `tail` (halves of names); patterns by use (`ask`, `more`, `say`…); `bank.3` (what users of
//! a bank ask as intent 3), `bank.3.b` (what it answers), `bank.k` (button titles by intent),
//! `bank.s` (words for its slots). Patterns hold slots in braces, see [`Slot`].

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::profile::Profile;

/// Subjects of a tongue.
pub(crate) const TOPICS: u64 = 24;
/// Intents of a business.
pub(crate) const TASK_INTENTS: u64 = 7;

/// English, Spanish, Portuguese, Hindi in Devanagari, Hindi in Latin letters.
pub(crate) const TONGUES: usize = 5;

const FILES: [&str; TONGUES] = [
    include_str!("../data/en.tsv"),
    include_str!("../data/es.tsv"),
    include_str!("../data/pt.tsv"),
    include_str!("../data/hi.tsv"),
    include_str!("../data/hi_latin.tsv"),
];

static PACKS: LazyLock<[Pack; TONGUES]> = LazyLock::new(|| FILES.map(Pack::read));

/// What a slot is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// `{n}` a noun of the subject.
    Noun,
    /// `{x}` a noun of any subject.
    AnyNoun,
    /// `{a}` an adjective.
    Adjective,
    /// `{m}` what stands beside a noun: an adjective, or where it comes from.
    Modifier,
    /// `{v}` a verb.
    Verb,
    /// `{N}` a name.
    Name,
    /// `{0}` a number of two to four digits.
    Number,
    /// `{$}` an amount.
    Amount,
    /// `{d}` a date.
    Date,
    /// `{c}` a reference such as `KD48213`.
    Code,
    /// `{s}` a word of the business.
    Business,
}

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(&'static str),
    Slot(Slot),
}

/// A sentence with slots.
pub(crate) type Pattern = Vec<Piece>;

/// What a business is asked and says.
#[derive(Debug, Default)]
pub(crate) struct Task {
    pub(crate) asked: Vec<Vec<Pattern>>,
    pub(crate) answers: Vec<Vec<Pattern>>,
    pub(crate) titles: Vec<&'static str>,
    pub(crate) words: Vec<&'static str>,
}

/// The words of a tongue.
#[derive(Debug, Default)]
pub(crate) struct Pack {
    pub(crate) topics: Vec<Vec<&'static str>>,
    pub(crate) adjectives: Vec<&'static str>,
    pub(crate) verbs: Vec<&'static str>,
    pub(crate) given: Vec<&'static str>,
    pub(crate) tails: Vec<&'static str>,
    pub(crate) ask: Vec<Pattern>,
    pub(crate) more: Vec<Pattern>,
    pub(crate) chat: Vec<Pattern>,
    pub(crate) say: Vec<Pattern>,
    pub(crate) chatty: Vec<Pattern>,
    pub(crate) note: Vec<Pattern>,
    pub(crate) transcript: Vec<Pattern>,
    pub(crate) picture: Vec<Pattern>,
    pub(crate) clause: Vec<Pattern>,
    pub(crate) short: Vec<Pattern>,
    pub(crate) greet: Vec<Pattern>,
    tasks: Vec<Task>,
}

/// The words of a tongue.
pub(crate) fn pack(tongue: usize) -> &'static Pack {
    &PACKS[tongue % TONGUES]
}

impl Pack {
    pub(crate) fn task(&self, profile: Profile) -> &Task {
        &self.tasks[profile.number()]
    }

    fn read(file: &'static str) -> Self {
        let mut lines: HashMap<&str, Vec<&'static str>> = HashMap::new();
        for (key, text) in file.lines().filter_map(|line| line.split_once('\t')) {
            lines.entry(key).or_default().push(text);
        }
        let lists = |key: &str| lines.get(key).cloned().unwrap_or_default();
        let words = |key: &str| -> Vec<&'static str> {
            lists(key).into_iter().flat_map(str::split_whitespace).collect()
        };
        let patterns = |key: &str| lists(key).into_iter().map(pattern).collect::<Vec<_>>();
        let task = |profile: Profile| {
            let name = profile.name();
            let by_intent = |end: &str| {
                (0..TASK_INTENTS).map(|n| patterns(&format!("{name}.{n}{end}"))).collect()
            };
            Task {
                asked: by_intent(""),
                answers: by_intent(".b"),
                titles: lists(&format!("{name}.k")),
                words: words(&format!("{name}.s")),
            }
        };
        Self {
            topics: lists("topic").into_iter().map(|l| l.split_whitespace().collect()).collect(),
            adjectives: words("adj"),
            verbs: words("verb"),
            given: words("given"),
            tails: words("tail"),
            ask: patterns("ask"),
            more: patterns("more"),
            chat: patterns("chat"),
            say: patterns("say"),
            chatty: patterns("chatty"),
            note: patterns("note"),
            transcript: patterns("transcript"),
            picture: patterns("picture"),
            clause: patterns("clause"),
            short: patterns("short"),
            greet: patterns("greet"),
            tasks: Profile::ALL.into_iter().map(task).collect(),
        }
    }
}

/// Cuts a sentence at its slots.
fn pattern(text: &'static str) -> Pattern {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, next)) = after.split_once('}') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.extend(slot(name).map(Piece::Slot));
        rest = next;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn slot(name: &str) -> Option<Slot> {
    Some(match name {
        "n" => Slot::Noun,
        "x" => Slot::AnyNoun,
        "a" => Slot::Adjective,
        "m" => Slot::Modifier,
        "v" => Slot::Verb,
        "N" => Slot::Name,
        "0" => Slot::Number,
        "$" => Slot::Amount,
        "d" => Slot::Date,
        "c" => Slot::Code,
        "s" => Slot::Business,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASKS: [Profile; 7] = [
        Profile::Travel,
        Profile::Bank,
        Profile::Shop,
        Profile::Otp,
        Profile::Delivery,
        Profile::Faq,
        Profile::LlmSupport,
    ];

    #[test]
    fn every_tongue_has_words_for_every_use() {
        for tongue in 0..TONGUES {
            let pack = pack(tongue);
            assert_eq!(pack.topics.len() as u64, TOPICS, "topics of tongue {tongue}");
            assert!(pack.topics.iter().all(|words| words.len() >= 10));
            let uses = [
                &pack.ask,
                &pack.more,
                &pack.chat,
                &pack.say,
                &pack.chatty,
                &pack.note,
                &pack.transcript,
                &pack.picture,
                &pack.clause,
                &pack.short,
                &pack.greet,
            ];
            for (number, patterns) in uses.iter().enumerate() {
                assert!(patterns.len() >= 4, "use {number} of tongue {tongue}");
            }
            for profile in TASKS {
                let task = pack.task(profile);
                let name = profile.name();
                assert!(task.asked.iter().all(|lines| lines.len() >= 2), "{name} {tongue}");
                assert!(task.answers.iter().all(|lines| !lines.is_empty()), "{name} {tongue}");
                assert_eq!(task.titles.len() as u64, TASK_INTENTS, "{name} {tongue}");
                assert!(task.words.len() >= 8, "{name} {tongue}");
                // A button's title holds at most twenty characters.
                assert!(task.titles.iter().all(|title| title.chars().count() <= 20));
            }
        }
    }

    #[test]
    fn no_pattern_has_an_unknown_slot() {
        for (tongue, file) in FILES.iter().enumerate() {
            for line in file.lines() {
                let (_, text) = line.split_once('\t').unwrap_or_else(|| panic!("{tongue}: {line}"));
                for part in text.split('{').skip(1) {
                    let name = part.split_once('}').map(|(name, _)| name).unwrap_or_default();
                    assert!(slot(name).is_some(), "slot {name:?} in tongue {tongue}: {line}");
                }
            }
        }
    }
}
