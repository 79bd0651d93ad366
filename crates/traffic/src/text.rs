//! Texts: patterns filled with words, as users and businesses write them.

use crate::event::{Event, Say};
use crate::parts::{Context, Person};
use crate::profile::Profile;
use crate::rng::{Rng, mix2};
use crate::words::{Pack, Pattern, Piece, Slot, Task, pack};

/// The body of a text message.
const BODY_CHARS_MAX: usize = 4_096;

/// A text while it is written.
struct Writer<'a> {
    out: String,
    rng: Rng,
    pack: &'a Pack,
    task: &'a Task,
    tongue: usize,
    topic: usize,
    /// The thing a reply is about: the same word all along.
    theme: u64,
}

/// The text of an event; `nth` tells the texts of one event apart.
pub(crate) fn text(context: &Context<'_>, person: &Person, event: &Event, nth: u64) -> String {
    let pack = pack(person.tongue);
    let mut writer = Writer {
        out: String::with_capacity(160),
        rng: Rng::new(mix2(event.seed, nth)),
        pack,
        task: pack.task(business(context.sender.profile)),
        tongue: person.tongue,
        topic: usize::from(event.topic),
        theme: mix2(u64::from(event.peer), event.at_ms.unsigned_abs() / 3_600_000),
    };
    writer.write(event, context.sender.profile);
    let hasty = matches!(event.say, Say::Ask | Say::More | Say::Chat | Say::Task)
        && person.hash.is_multiple_of(4);
    if hasty { hurried(&writer.out, &mut writer.rng) } else { shortened(writer.out) }
}

/// The title of the button that an intent has.
pub(crate) fn title(context: &Context<'_>, person: &Person, intent: usize) -> &'static str {
    let titles = &pack(person.tongue).task(business(context.sender.profile)).titles;
    titles.get(intent % titles.len().max(1)).copied().unwrap_or("OK")
}

/// One filled template parameter.
pub(crate) fn parameter(person: &Person, seed: u64, nth: u64) -> String {
    let pack = pack(person.tongue);
    let mut writer = Writer {
        out: String::new(),
        rng: Rng::new(mix2(seed, nth)),
        pack,
        task: pack.task(Profile::Delivery),
        tongue: person.tongue,
        topic: 0,
        theme: 0,
    };
    writer.slot(
        [Slot::Name, Slot::Code, Slot::Date, Slot::Amount][usize::try_from(nth % 4).unwrap_or(0)],
    );
    writer.out
}

/// The business behind a profile; half and half is half a bank.
fn business(profile: Profile) -> Profile {
    if profile == Profile::Mixed { Profile::Bank } else { profile }
}

impl Writer<'_> {
    fn write(&mut self, event: &Event, profile: Profile) {
        let pack = self.pack;
        let sentences = event.aux.max(1);
        match event.say {
            Say::Nothing => {}
            Say::Ask => {
                self.any(&pack.ask);
                if self.rng.percent(22) {
                    self.out.push(' ');
                    self.any(&pack.more);
                }
            }
            Say::More => self.any(&pack.more),
            Say::Chat => self.any(&pack.chat),
            Say::Paste => self.paste(),
            Say::Answer => self.answer(sentences),
            Say::Sources => self.sources(sentences),
            Say::Transcript => {
                self.any(&pack.transcript);
                self.out.push(' ');
                for _ in 0..sentences {
                    self.any(if self.tongue.is_multiple_of(2) { &pack.more } else { &pack.chat });
                    self.out.push(' ');
                    self.any(&pack.ask);
                    self.out.push(' ');
                }
            }
            Say::Picture => {
                self.any(&pack.picture);
                self.sentences(sentences);
            }
            Say::Chatty => self.several(&pack.chatty, sentences),
            Say::Note => self.any(&pack.note),
            Say::Task => self.asked(profile),
            Say::TaskReply => {
                let lines = &self.task.answers[self.topic % self.task.answers.len()];
                self.any(lines);
            }
            Say::TaskLong => self.domain_answer(sentences),
            Say::Short => self.any(&pack.short),
            Say::Greet => self.any(&pack.greet),
            Say::Code => {
                let code = 100_000 + self.rng.below(900_000);
                self.out.push_str(&code.to_string());
            }
        }
    }

    fn any(&mut self, patterns: &[Pattern]) {
        if let Some(pattern) = patterns.get(self.rng.index(patterns.len())) {
            self.fill(pattern);
        }
    }

    fn several(&mut self, patterns: &[Pattern], count: u8) {
        for nth in 0..count {
            if nth > 0 {
                self.out.push(' ');
            }
            self.any(patterns);
        }
    }

    fn sentences(&mut self, count: u8) {
        for _ in 0..count {
            self.out.push(' ');
            self.any(&self.pack.say);
        }
    }

    fn fill(&mut self, pattern: &Pattern) {
        for piece in pattern {
            match piece {
                Piece::Text(text) => self.out.push_str(text),
                Piece::Slot(slot) => self.slot(*slot),
            }
        }
    }

    fn slot(&mut self, slot: Slot) {
        match slot {
            Slot::Noun => {
                let topic = self.topic % self.pack.topics.len();
                self.noun(topic);
            }
            Slot::AnyNoun => {
                let topic = self.rng.index(self.pack.topics.len());
                self.noun(topic);
            }
            Slot::Adjective => self.word(&self.pack.adjectives),
            Slot::Modifier => self.modifier(),
            Slot::Verb => self.word(&self.pack.verbs),
            Slot::Name => {
                self.word(&self.pack.given);
                self.word(&self.pack.tails);
            }
            Slot::Number => {
                let number = 2 + self.rng.below([20, 90, 900, 3_000][self.rng.clone().index(4)]);
                self.out.push_str(&number.to_string());
            }
            Slot::Amount => {
                let (whole, part) = (5 + self.rng.below(4_000), self.rng.below(100));
                self.out.push_str(&format!("{whole}.{part:02}"));
            }
            Slot::Date => {
                let (day, month) = (1 + self.rng.below(28), 1 + self.rng.below(12));
                self.out.push_str(&format!("{day:02}/{month:02}"));
            }
            Slot::Code => {
                for _ in 0..2 {
                    self.out.push(char::from(b'A' + u8::try_from(self.rng.below(26)).unwrap_or(0)));
                }
                let number = 10_000 + self.rng.below(90_000);
                self.out.push_str(&number.to_string());
            }
            Slot::Business => self.word(&self.task.words),
        }
    }

    fn word(&mut self, words: &[&'static str]) {
        let word = words.get(self.rng.index(words.len())).copied().unwrap_or_default();
        self.out.push_str(word);
    }

    /// An adjective, or a name as an attribute: "ancient", "of Mornova".
    fn modifier(&mut self) {
        if self.rng.percent(45) {
            return self.slot(Slot::Adjective);
        }
        let (before, after) =
            [("", ""), ("de ", ""), ("de ", ""), ("", " वाला"), ("", " wala")][self.tongue % 5];
        self.out.push_str(before);
        self.slot(Slot::Name);
        self.out.push_str(after);
    }

    /// A noun of a subject, sometimes in another form.
    fn noun(&mut self, topic: usize) {
        let words = &self.pack.topics[topic];
        let word = words.get(self.rng.index(words.len())).copied().unwrap_or_default();
        self.out.push_str(word);
        if self.tongue < 3 && self.rng.percent(30) {
            self.out.push_str(plural(word));
        }
    }

    /// A text the user pastes and wants worked on.
    fn paste(&mut self) {
        self.any(&self.pack.ask);
        self.out.push('\n');
        let count = 4 + u8::try_from(self.rng.below(8)).unwrap_or(0);
        self.sentences(count);
    }

    /// An assistant's answer: prose, with lists and headings as it grows.
    fn answer(&mut self, sentences: u8) {
        self.any(&self.pack.say);
        match self.rng.below(10) {
            0..4 if sentences >= 3 => {
                self.out.push('\n');
                for number in 1..sentences {
                    if self.rng.percent(50) {
                        self.out.push_str(&format!("\n{number}. **"));
                    } else {
                        self.out.push_str("\n- **");
                    }
                    self.slot(Slot::Noun);
                    self.out.push_str("**: ");
                    self.any(&self.pack.say);
                }
                self.out.push_str("\n\n");
                self.any(&self.pack.say);
            }
            4 if sentences >= 5 => {
                self.sentences(2);
                self.code();
                self.sentences(2);
            }
            _ => {
                for _ in 1..sentences {
                    self.out.push_str(if self.rng.percent(20) { "\n\n" } else { " " });
                    self.any(&self.pack.say);
                }
            }
        }
    }

    fn code(&mut self) {
        const NAMES: [&str; 8] =
            ["total", "items", "result", "rows", "queue", "index", "paths", "scores"];
        let (first, second) = (NAMES[self.rng.index(8)], NAMES[self.rng.index(8)]);
        let bound = self.rng.below(500);
        self.out.push_str(&format!(
            "\n```python\n{first} = []\nfor {second} in range({bound}):\n    {first}.append({second} * {})\nprint(len({first}))\n```\n",
            bound % 17 + 2,
        ));
    }

    /// An answer with numbered sources.
    fn sources(&mut self, sentences: u8) {
        let count = 1 + u64::from(sentences) / 2;
        for nth in 0..sentences {
            if nth > 0 {
                self.out.push(' ');
            }
            self.any(&self.pack.say);
            let source = 1 + self.rng.below(count);
            self.out.push_str(&format!(" [{source}]"));
        }
        self.out.push('\n');
        for number in 1..=count {
            self.out.push_str(&format!("\n[{number}] https://"));
            let site = self.out.len();
            self.slot(Slot::Name);
            let host = self.out.split_off(site).to_lowercase().replace(' ', "-");
            let host =
                if host.is_ascii() { host } else { format!("site{}", self.rng.below(9_000)) };
            self.out.push_str(&format!(
                "{host}.example/{}/{}",
                self.theme % 97,
                self.rng.below(9_999)
            ));
        }
    }

    /// What a user asks of a business: the intent's words, at times the reason.
    fn asked(&mut self, profile: Profile) {
        let lines = &self.task.asked[self.topic % self.task.asked.len()];
        let wide = match profile {
            Profile::Faq | Profile::LlmSupport => 45,
            Profile::Shop => 17,
            Profile::Travel => 26,
            Profile::Otp => 2,
            Profile::Delivery => 4,
            _ => 25,
        };
        if self.rng.percent(12) {
            self.any(&self.pack.greet);
            self.out.push(' ');
        }
        self.any(lines);
        if self.rng.percent(wide) {
            self.out.push(' ');
            self.any(&self.pack.clause);
        }
    }

    /// A model's answer inside its domain: formatted, with the domain's words.
    fn domain_answer(&mut self, sentences: u8) {
        let answers = &self.task.answers;
        self.any(&answers[self.topic % answers.len()]);
        self.out.push('\n');
        for number in 1..=sentences {
            self.out.push_str(&format!("\n{number}. **"));
            self.slot(Slot::Business);
            self.out.push_str("**: ");
            let other = (self.topic + usize::from(number)) % answers.len();
            let which = if self.rng.percent(60) { self.topic % answers.len() } else { other };
            self.any(&answers[which]);
        }
        if self.rng.percent(40) {
            self.out.push_str("\n\n");
            self.any(&self.pack.chatty);
        }
    }
}

/// The ending that makes a Latin-letter noun plural, well enough.
fn plural(word: &str) -> &'static str {
    match word.as_bytes().last() {
        Some(b's' | b'x' | b'z') => "",
        Some(b'y') => "",
        Some(byte) if byte.is_ascii_alphabetic() => "s",
        _ => "",
    }
}

/// Lower case, no closing mark, now and then a letter lost.
fn hurried(text: &str, rng: &mut Rng) -> String {
    let mut out: String = text.to_lowercase();
    while out.ends_with(['.', '!', '?', '।', '¿']) {
        out.pop();
    }
    if rng.percent(35) {
        let places: Vec<usize> =
            out.char_indices().filter(|(_, c)| c.is_ascii_lowercase()).map(|(at, _)| at).collect();
        if places.len() > 12 {
            out.remove(places[3 + rng.index(places.len() - 3)]);
        }
    }
    out
}

/// Cuts what the platform would refuse.
fn shortened(mut text: String) -> String {
    if text.len() > BODY_CHARS_MAX
        && let Some((at, _)) = text.char_indices().nth(BODY_CHARS_MAX)
    {
        text.truncate(at);
    }
    let kept = text.trim_end().len();
    text.truncate(kept);
    text
}
