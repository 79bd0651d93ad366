//! The scorecard: weights, ramps and thresholds with their reasons, read from TOML.
//!
//! Reading reports every mistake at once, each with the path of its key.

use toml::{Table, Value};

use crate::axis::{Axis, MEMBERS, Sign};

/// The scorecard that the program carries.
const DEFAULT: &str = include_str!("../scorecards/v1.toml");

/// How one feature counts towards its axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The axis.
    pub axis: Axis,
    /// Which way.
    pub sign: Sign,
    /// The feature's name.
    pub feature: &'static str,
    /// Its weight among the axis's features.
    pub weight: f64,
    /// Lower end of its ramp.
    pub low: f64,
    /// Upper end of its ramp.
    pub high: f64,
    /// Why.
    pub reason: String,
}

impl Entry {
    /// 0 to 1: where on the ramp a value lies, turned round for a − sign.
    #[must_use]
    pub fn clamp(&self, value: f64) -> f64 {
        let up = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        match self.sign {
            Sign::Plus => up,
            Sign::Minus => 1.0 - up,
        }
    }
}

macro_rules! thresholds {
    ($($(#[$doc:meta])* $name:ident $max:literal;)*) => {
        /// Where the verdicts begin.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Thresholds { $($(#[$doc])* pub $name: f64,)* }

        /// Names and largest sensible values of the thresholds.
        const THRESHOLDS: &[(&str, f64)] = &[$((stringify!($name), $max),)*];

        impl Thresholds {
            fn set(&mut self, name: &str, value: f64) {
                match name { $(stringify!($name) => self.$name = value,)* _ => {} }
            }
        }
    };
}

thresholds! {
    /// F46 above it: the platform's own agent answers.
    platform_agent_share 1.0;
    /// Support of F46 from which that holds.
    platform_agent_support 1.0e9;
    /// Fewer active peers are insufficient.
    active_peers_min 1.0e9;
    /// Fewer messages in U are insufficient.
    user_messages_min 1.0e9;
    /// Fewer messages in F are insufficient.
    free_form_messages_min 1.0e9;
    /// `likely_general_purpose`: Scope at least.
    likely_scope 1.0;
    /// `likely_general_purpose`: Grounding at most.
    likely_grounding_max 1.0;
    /// `likely_general_purpose`: Generative at least, or
    likely_generative 1.0;
    /// Automation at least.
    likely_automation 1.0;
    /// `review`: Scope at least.
    review_scope 1.0;
    /// `review`: F11 above.
    review_platform_label 1.0;
    /// `review` without Scope: Generative at least, and
    review_generative 1.0;
    /// Grounding at most.
    review_grounding_max 1.0;
    /// `incidental_ai`: Generative at least.
    incidental_generative 1.0;
    /// F17 from which F40 stands in for F39.
    voice_share 1.0;
}

/// Weights, ramps and thresholds of one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Scorecard {
    /// Its version, shown with every verdict.
    pub version: String,
    /// Where the verdicts begin.
    pub thresholds: Thresholds,
    /// The features, in the order in which points are added.
    pub entries: Vec<Entry>,
}

/// Something wrong in a scorecard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Path of the key, e.g. `scope.F30_user_long.low`.
    pub path: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// When an operation that failed may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never: the same input fails the same way.
    Never,
}

/// A scorecard that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScorecardError {
    /// The text is no TOML.
    #[error("parse scorecard")]
    Syntax {
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// The text is TOML with mistakes.
    #[error("check scorecard: {}", list(mistakes))]
    Mistakes {
        /// All of them, in the order of the file's sections.
        mistakes: Vec<Mistake>,
    },
}

impl ScorecardError {
    /// Whether trying again can help: never, the text must change.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }
}

fn list(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> =
        mistakes.iter().map(|mistake| format!("{}: {}", mistake.path, mistake.problem)).collect();
    lines.join("; ")
}

impl Scorecard {
    /// The scorecard that the program carries.
    ///
    /// # Errors
    /// None in a program whose tests passed: they read this text.
    pub fn built_in() -> Result<Self, ScorecardError> {
        Self::parse(DEFAULT)
    }

    /// Reads a scorecard from TOML.
    ///
    /// # Errors
    /// [`ScorecardError`] with every mistake at once.
    pub fn parse(text: &str) -> Result<Self, ScorecardError> {
        let table: Table = toml::from_str(text)
            .map_err(|source| ScorecardError::Syntax { source: Box::new(source) })?;
        let mut reader = Reader { mistakes: Vec::new() };
        let scorecard = reader.scorecard(&table);
        if reader.mistakes.is_empty() {
            Ok(scorecard)
        } else {
            Err(ScorecardError::Mistakes { mistakes: reader.mistakes })
        }
    }
}

struct Reader {
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn mistake(&mut self, path: &str, problem: &'static str) {
        self.mistakes.push(Mistake { path: path.to_owned(), problem });
    }

    fn scorecard(&mut self, table: &Table) -> Scorecard {
        for key in table.keys() {
            let known = key == "version" || key == "thresholds" || Axis::from_name(key).is_some();
            if !known {
                self.mistake(key, "unknown key");
            }
        }
        let version = self.text(table, "", "version");
        let thresholds = self.thresholds(table);
        for axis in Axis::ALL {
            self.unknown_features(table, axis);
        }
        let entries =
            MEMBERS.iter().map(|member| self.entry(table, member)).collect::<Vec<Entry>>();
        Scorecard { version, thresholds, entries }
    }

    fn thresholds(&mut self, table: &Table) -> Thresholds {
        let mut thresholds = Thresholds::default();
        let Some(section) = self.table(table, "", "thresholds") else { return thresholds };
        for key in section.keys() {
            if !THRESHOLDS.iter().any(|known| known.0 == key) {
                self.mistake(&format!("thresholds.{key}"), "unknown threshold");
            }
        }
        for (name, max) in THRESHOLDS {
            let Some(entry) = self.table(section, "thresholds", name) else { continue };
            let path = format!("thresholds.{name}");
            self.unknown_keys(entry, &path, &["value", "reason"]);
            self.text(entry, &path, "reason");
            if let Some(value) = self.number(entry, &path, "value") {
                if !(0.0..=*max).contains(&value) {
                    self.mistake(&format!("{path}.value"), "out of range");
                }
                thresholds.set(name, value);
            }
        }
        thresholds
    }

    fn unknown_features(&mut self, table: &Table, axis: Axis) {
        let Some(section) = self.table(table, "", axis.name()) else { return };
        for key in section.keys() {
            if !MEMBERS.iter().any(|member| member.0 == axis && member.2 == key) {
                self.mistake(&format!("{}.{key}", axis.name()), "no feature of this axis");
            }
        }
    }

    fn entry(&mut self, table: &Table, member: &(Axis, Sign, &'static str)) -> Entry {
        let (axis, sign, feature) = *member;
        let mut entry =
            Entry { axis, sign, feature, weight: 1.0, low: 0.0, high: 1.0, reason: String::new() };
        // A missing axis was reported once already.
        let Some(section) = table.get(axis.name()).and_then(Value::as_table) else { return entry };
        let Some(found) = self.table(section, axis.name(), feature) else { return entry };
        let path = format!("{}.{feature}", axis.name());
        self.unknown_keys(found, &path, &["sign", "weight", "low", "high", "reason"]);
        let symbol = self.text(found, &path, "sign");
        if !symbol.is_empty() && symbol != sign.symbol() {
            self.mistake(&format!("{path}.sign"), "wrong sign: the program fixes it");
        }
        entry.reason = self.text(found, &path, "reason");
        if let Some(weight) = self.number(found, &path, "weight") {
            if weight <= 0.0 || weight > 1.0e6 {
                self.mistake(&format!("{path}.weight"), "must be above 0 and at most 1000000");
            }
            entry.weight = weight;
        }
        let (low, high) = (self.number(found, &path, "low"), self.number(found, &path, "high"));
        if let (Some(low), Some(high)) = (low, high) {
            if low >= high {
                self.mistake(&format!("{path}.low"), "must be below high");
            }
            (entry.low, entry.high) = (low, high);
        }
        entry
    }

    fn unknown_keys(&mut self, table: &Table, path: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.mistake(&format!("{path}.{key}"), "unknown key");
        }
    }

    fn table<'a>(&mut self, table: &'a Table, path: &str, key: &str) -> Option<&'a Table> {
        let found = table.get(key);
        let inner = found.and_then(Value::as_table);
        if inner.is_none() {
            let problem = if found.is_some() { "must be a table" } else { "missing" };
            self.mistake(&join(path, key), problem);
        }
        inner
    }

    fn text(&mut self, table: &Table, path: &str, key: &str) -> String {
        match table.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => return text.clone(),
            Some(Value::String(_)) => self.mistake(&join(path, key), "must not be empty"),
            Some(_) => self.mistake(&join(path, key), "must be a string"),
            None => self.mistake(&join(path, key), "missing"),
        }
        String::new()
    }

    fn number(&mut self, table: &Table, path: &str, key: &str) -> Option<f64> {
        let value = match table.get(key) {
            Some(Value::Float(value)) => Some(*value),
            Some(Value::Integer(value)) => Some(*value as f64),
            Some(_) => None,
            None => {
                self.mistake(&join(path, key), "missing");
                return None;
            }
        };
        let finite = value.filter(|value| value.is_finite());
        if finite.is_none() {
            self.mistake(&join(path, key), "must be a finite number");
        }
        finite
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<(String, &'static str)> {
        match Scorecard::parse(text) {
            Err(ScorecardError::Mistakes { mistakes }) => {
                mistakes.into_iter().map(|mistake| (mistake.path, mistake.problem)).collect()
            }
            other => panic!("expected mistakes, got {other:?}"),
        }
    }

    #[test]
    fn the_built_in_scorecard_is_sound() {
        let scorecard = Scorecard::built_in().expect("sound");
        assert_eq!(scorecard.version, "v1");
        assert_eq!(scorecard.entries.len(), MEMBERS.len());
        assert!((scorecard.thresholds.likely_scope - 0.7).abs() < 1e-12);
        assert!(scorecard.thresholds.review_scope < scorecard.thresholds.likely_scope);
    }

    #[test]
    fn topic_coincidence_weighs_most_in_scope() {
        let scorecard = Scorecard::built_in().expect("sound");
        let weight = |name| {
            scorecard.entries.iter().find(|entry| entry.feature == name).map(|entry| entry.weight)
        };
        for entry in scorecard.entries.iter().filter(|entry| entry.axis == Axis::Scope) {
            assert!(Some(entry.weight) <= weight("F39_topic_coincidence"), "{}", entry.feature);
        }
    }

    #[test]
    fn every_mistake_is_reported_at_once_with_its_path() {
        let text = DEFAULT
            .replacen("low = 0.012\n", "low = 0.9\nlwo = 1\n", 1)
            .replacen("sign = \"+\"\nweight = 1.5", "sign = \"-\"\nweight = -1.5", 1)
            .replacen("[scope.F30_user_long]", "[scope.F22_fast_replies]", 1)
            .replacen("value = 0.7, reason = \"Clearly", "value = 7, reason = \"Clearly", 1)
            .replacen("version = \"v1\"", "version = \"\"\nextra = 1", 1);
        let found = mistakes(&text);
        let expected = [
            ("extra", "unknown key"),
            ("version", "must not be empty"),
            ("thresholds.likely_scope.value", "out of range"),
            ("scope.F22_fast_replies", "no feature of this axis"),
            ("scope.F30_user_long", "missing"),
            ("scope.F38_user_novelty.sign", "wrong sign: the program fixes it"),
            ("scope.F38_user_novelty.weight", "must be above 0 and at most 1000000"),
            ("scope.F39_topic_coincidence.lwo", "unknown key"),
            ("scope.F39_topic_coincidence.low", "must be below high"),
        ];
        assert_eq!(found, expected.map(|(path, problem)| (path.to_owned(), problem)));
    }

    #[test]
    fn a_missing_reason_is_a_mistake() {
        let at = DEFAULT.find("reason = \"The same for how people begin").expect("in the text");
        let text = format!("{}{}", &DEFAULT[..at], &DEFAULT[at..].replacen("reason", "why", 1));
        let found = mistakes(&text);
        assert!(found.contains(&("scope.F41_first_novelty.reason".to_owned(), "missing")));
        assert!(found.contains(&("scope.F41_first_novelty.why".to_owned(), "unknown key")));
    }

    #[test]
    fn broken_toml_and_an_empty_file_are_errors() {
        let broken = Scorecard::parse("version = ");
        assert!(matches!(broken, Err(ScorecardError::Syntax { .. })));
        let found = mistakes("");
        assert_eq!(found.len(), 6, "{found:?}");
    }
}
