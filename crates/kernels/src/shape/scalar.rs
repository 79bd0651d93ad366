//! What the shape of a text means: one pass over its characters.
//!
//! The pass cuts the text into *runs* and single other characters, and every part is handed once
//! to all that count it:
//!
//! ```text
//! "Ships 12 東京タワー!"  →  letters("Ships")  ' '  digits("12")  ' '  han("東京")  kana("タワー")  '!'
//!                            words, tokens, skeleton, script, digits-only, lines …
//! ```
//!
//! A run is a maximal run of letters and combining marks, or of decimal digits; a letter run also
//! ends where a bigram script begins or ends, Han and Kana being two. A mark without a script of
//! its own belongs to the run before it. Every text costs linear time and no allocation once the
//! buffers of [`ShapeScratch`] have grown.

use turnwise_model::Script;
use turnwise_model::codes::text_bits;
use turnwise_model::keys::Keys;
use turnwise_model::limits::TEXT_BYTES_MAX;

use super::bits::{is_code, is_list, is_markdown};
use super::classes::{CLASSES, Class, Classes};
use super::links::{Link, LinkKind, next_link};
use super::phrases::{PHRASES, Phrases};
use super::skeleton::Mask;
use super::tokens::{TOKEN_CHARS_MIN, TextHashes, Tokens};
use super::units::{UNIT_BYTES_MAX, is_unit, is_unit_signs};

/// Words from which a question is an open-ended one.
pub(super) const OPEN_QUESTION_WORDS: i32 = 4;
/// Longest run of letters that, touching a digit, is part of a code.
pub(super) const CODE_LETTERS_MAX: usize = 4;

/// The shape of one text; the columns of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the text as it came.
    pub bytes: i32,
    /// Unicode scalar values.
    pub chars: i32,
    /// Words.
    pub words: i32,
    /// Lines; a line feed at the end begins none.
    pub lines: i32,
    /// Code of the [`Script`] of most letters; of equals the smallest code.
    pub script: i32,
    /// Bits of [`text_bits`].
    pub text_bits: i32,
    /// The smallest hashes of the content tokens.
    pub tokens: Tokens,
    /// Keyed hash of the masked text.
    pub skeleton: i64,
    /// Six bits of a keyed hash of the text.
    pub text_bucket: i32,
}

/// Keys, tables and buffers, reused from text to text.
pub struct ShapeScratch {
    hashes: TextHashes,
    classes: &'static Classes,
    phrases: &'static Phrases,
    repaired: String,
    lowered: String,
    mask: Mask,
}

/// The shape of one text.
#[must_use]
pub fn shape_one(text: &[u8], keys: &Keys) -> Shape {
    ShapeScratch::new(keys).shape(text)
}

impl ShapeScratch {
    /// Takes the keys; builds the tables at the first call in a process.
    #[must_use]
    pub fn new(keys: &Keys) -> Self {
        Self {
            hashes: TextHashes::new(keys),
            classes: &CLASSES,
            phrases: &PHRASES,
            repaired: String::new(),
            lowered: String::new(),
            mask: Mask::default(),
        }
    }

    /// The shape of a text. Of one longer than [`TEXT_BYTES_MAX`] only what lies before the last
    /// character boundary up to there is read, though `bytes` counts all. Invalid UTF-8 is read
    /// as `String::from_utf8_lossy` does.
    pub fn shape(&mut self, text: &[u8]) -> Shape {
        let read = read_part(text);
        let bytes = i32::try_from(text.len()).unwrap_or(i32::MAX);
        if let Ok(valid) = std::str::from_utf8(read) {
            return self.read(valid, read, bytes);
        }
        let mut repaired = std::mem::take(&mut self.repaired);
        repaired.clear();
        for chunk in read.utf8_chunks() {
            repaired.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                repaired.push(char::REPLACEMENT_CHARACTER);
            }
        }
        let shape = self.read(&repaired, read, bytes);
        self.repaired = repaired;
        shape
    }

    fn read(&mut self, text: &str, raw: &[u8], bytes: i32) -> Shape {
        self.mask.clear();
        let mut pass = Pass::new(text, self);
        pass.run();
        let count = pass.count;
        let beginning = self.phrases.beginning(text, self.classes);
        let digits = count.digits && !count.foreign;
        let question_of_size = count.question && count.words >= OPEN_QUESTION_WORDS;
        let open_ended =
            (beginning.opener || question_of_size) && !beginning.greeting_only && !digits;
        let lines = count.feeds > 0;
        let markup = count.saw(b"`*_#");
        let text_bits = bit(count.question, text_bits::QUESTION)
            | bit(beginning.opener, text_bits::OPENER)
            | bit(beginning.greeting_only, text_bits::GREETING)
            | bit(digits, text_bits::DIGITS)
            | bit(open_ended, text_bits::OPEN_ENDED)
            | bit(markup && is_markdown(text), text_bits::MARKDOWN)
            | bit(lines && is_list(text), text_bits::LIST)
            | bit((lines || count.saw(b"`")) && is_code(text), text_bits::CODE)
            | bit(count.url, text_bits::URL);
        Shape {
            bytes,
            chars: count.chars,
            words: count.words,
            lines: count.feeds + i32::from(!text.is_empty() && !text.ends_with('\n')),
            script: count.script(),
            text_bits,
            tokens: count.tokens,
            skeleton: self.hashes.skeleton(self.mask.finish().as_bytes()),
            text_bucket: self.hashes.bucket(raw),
        }
    }
}

/// The bytes that are looked at: all, or those before a character boundary at the limit. Bytes
/// that continue a character are at most three; more of them are no UTF-8 and are cut anywhere.
pub(super) fn read_part(text: &[u8]) -> &[u8] {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let continues = |at: &usize| text[*at] & 0xc0 == 0x80;
    let end = (TEXT_BYTES_MAX - 3..=TEXT_BYTES_MAX).rev().find(|at| !continues(at));
    &text[..end.unwrap_or(TEXT_BYTES_MAX)]
}

pub(super) const fn bit(on: bool, bit: i32) -> i32 {
    if on { bit } else { 0 }
}

/// What one pass counts.
#[derive(Clone, Copy)]
struct Count {
    chars: i32,
    words: i32,
    feeds: i32,
    letters: [u32; Script::ALL.len()],
    tokens: Tokens,
    question: bool,
    url: bool,
    /// Some digits.
    digits: bool,
    /// Something that is no digit, punctuation or unit.
    foreign: bool,
    /// ASCII characters seen outside runs.
    ascii: u128,
}

impl Count {
    fn saw(&self, any: &[u8]) -> bool {
        any.iter().any(|byte| self.ascii >> byte & 1 != 0)
    }

    fn script(&self) -> i32 {
        let most = self.letters.iter().max().copied().unwrap_or(0);
        if most == 0 {
            return Script::None.code();
        }
        let first = self.letters.iter().position(|letters| *letters == most);
        first.and_then(|code| i32::try_from(code).ok()).unwrap_or(Script::None.code())
    }
}

/// An open run.
#[derive(Clone, Copy)]
struct Run {
    kind: RunKind,
    start: usize,
    chars: usize,
    first: Class,
    all: Class,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RunKind {
    Digits,
    Letters,
    /// Code of a bigram script.
    Bigram(usize),
}

struct Pass<'a> {
    text: &'a str,
    hashes: &'a TextHashes,
    classes: &'static Classes,
    lowered: &'a mut String,
    mask: &'a mut Mask,
    count: Count,
    /// The next link, at or after the place of the pass.
    link: Option<Link>,
    /// Script of the last letter.
    last_script: usize,
    /// A `;` or `·` stands behind a Greek letter and no letter has come since.
    greek_mark: bool,
}

impl<'a> Pass<'a> {
    fn new(text: &'a str, scratch: &'a mut ShapeScratch) -> Self {
        let link = next_link(text, 0, scratch.classes);
        Self {
            text,
            hashes: &scratch.hashes,
            classes: scratch.classes,
            lowered: &mut scratch.lowered,
            mask: &mut scratch.mask,
            count: Count {
                chars: 0,
                words: 0,
                feeds: 0,
                letters: [0; Script::ALL.len()],
                tokens: Tokens::EMPTY,
                question: false,
                url: false,
                digits: false,
                foreign: false,
                ascii: 0,
            },
            link,
            last_script: 0,
            greek_mark: false,
        }
    }

    fn run(&mut self) {
        let text = self.text;
        let classes = self.classes;
        let mut open: Option<Run> = None;
        for (at, ch) in text.char_indices() {
            self.count.chars += 1;
            let class = classes.get(ch);
            if let Some(kind) = run_kind(class, open.as_ref()) {
                if class.has(Class::LETTER) {
                    self.letter(class.script());
                }
                match &mut open {
                    Some(run) if run.kind == kind => {
                        run.chars += 1;
                        run.all = run.all.union(class);
                        continue;
                    }
                    Some(run) => {
                        let run = *run;
                        self.close(run, at);
                    }
                    None => {}
                }
                open = Some(Run { kind, start: at, chars: 1, first: class, all: class });
                continue;
            }
            if let Some(run) = open.take() {
                self.close(run, at);
            }
            self.other(at, ch, class);
        }
        if let Some(run) = open {
            self.close(run, text.len());
        }
        self.count.question |= self.greek_mark;
        while let Some(link) = self.link {
            self.pass_link(link);
        }
    }

    /// Counts a letter for the script, and for Greek question marks.
    #[inline]
    fn letter(&mut self, script: usize) {
        self.count.letters[script] += 1;
        self.last_script = script;
        if self.greek_mark {
            self.count.question |= script == Script::Greek.code() as usize;
            self.greek_mark = false;
        }
    }

    fn close(&mut self, run: Run, end: usize) {
        let slice = &self.text[run.start..end];
        match run.kind {
            RunKind::Digits => {
                self.count.words += 1;
                self.count.digits = true;
            }
            RunKind::Letters => {
                self.count.words += 1;
                if run.chars >= TOKEN_CHARS_MIN {
                    self.word_token(slice, run.all);
                }
            }
            RunKind::Bigram(_) => {
                self.count.words += (run.chars as i32 + 1) / 2;
                self.pair_tokens(slice);
            }
        }
        if run.kind != RunKind::Digits && !self.count.foreign {
            self.count.foreign = !self.is_beside_digits(&run, slice, end);
        }
        if self.mask.is_full() || self.is_in_link(run.start) {
            return;
        }
        match run.kind {
            RunKind::Digits => self.mask.digits(),
            _ => self.mask.letters(slice, run.first, run.all, run.chars, self.classes),
        }
    }

    #[inline]
    fn other(&mut self, at: usize, ch: char, class: Class) {
        match ch {
            '\n' => self.count.feeds += 1,
            '?' | '？' | '؟' | '՞' | '፧' | '\u{37e}' => self.count.question = true,
            ';' | '·' | '\u{387}' => {
                self.greek_mark |= self.last_script == Script::Greek.code() as usize;
            }
            _ => {}
        }
        if ch.is_ascii() {
            self.count.ascii |= 1 << ch as u32;
        } else {
            self.count.foreign |= class.has(Class::EMOJI);
        }
        if !self.mask.is_full() && !self.is_in_link(at) {
            self.mask.other(ch, class);
        }
    }

    /// Whether the part that starts at `at` belongs to a link. The link itself is masked when its
    /// first part comes by.
    #[inline]
    fn is_in_link(&mut self, at: usize) -> bool {
        while let Some(link) = self.link {
            if at < link.start {
                return false;
            }
            if at < link.end {
                if at == link.start {
                    self.mask.link(link.kind);
                }
                return true;
            }
            self.pass_link(link);
        }
        false
    }

    fn pass_link(&mut self, link: Link) {
        self.count.url |= link.kind == LinkKind::Url;
        // One URL tells the bit; beyond the skeleton nothing else needs links.
        let done = self.count.url && self.mask.is_full();
        self.link = if done { None } else { next_link(self.text, link.end, self.classes) };
    }

    fn word_token(&mut self, run: &str, all: Class) {
        let hash = if all.has(Class::CHANGES) {
            lower_into(run, self.lowered);
            self.hashes.token(self.lowered.as_bytes())
        } else {
            self.hashes.token(run.as_bytes())
        };
        self.count.tokens.insert(hash);
    }

    fn pair_tokens(&mut self, run: &str) {
        let mut before = None;
        for (at, ch) in run.char_indices() {
            if let Some(start) = before {
                let pair = &run.as_bytes()[start..at + ch.len_utf8()];
                self.count.tokens.insert(self.hashes.token(pair));
            }
            before = Some(at);
        }
    }

    /// Whether a letter run may stand in a text that is only digits, punctuation and units: marks
    /// alone, a unit, or up to four Latin letters of a code that touch a digit.
    fn is_beside_digits(&mut self, run: &Run, slice: &str, end: usize) -> bool {
        if !run.all.has(Class::LETTER) {
            return true;
        }
        if slice.len() > UNIT_BYTES_MAX {
            return false;
        }
        if let RunKind::Bigram(_) = run.kind {
            return is_unit(slice) || is_unit_signs(slice);
        }
        if run.chars <= CODE_LETTERS_MAX && slice.is_ascii() {
            let bytes = self.text.as_bytes();
            if touches_digit(bytes[end..].iter()) || touches_digit(bytes[..run.start].iter().rev())
            {
                return true;
            }
        }
        lower_into(slice, self.lowered);
        is_unit(self.lowered)
    }
}

/// The kind of run a character belongs to; none for what is no letter, mark or digit.
#[inline]
fn run_kind(class: Class, open: Option<&Run>) -> Option<RunKind> {
    if class.is_lettery() {
        if class.has(Class::BIGRAM) {
            return Some(RunKind::Bigram(class.script()));
        }
        if class.script() == 0 {
            // A mark of no script goes on with the letters before it.
            return match open {
                Some(Run { kind: RunKind::Bigram(script), .. }) => Some(RunKind::Bigram(*script)),
                _ => Some(RunKind::Letters),
            };
        }
        return Some(RunKind::Letters);
    }
    class.has(Class::DIGIT).then_some(RunKind::Digits)
}

/// Whether a digit is the first of these bytes, or the second behind a hyphen (`G-482913`).
pub(super) fn touches_digit<'a>(mut bytes: impl Iterator<Item = &'a u8>) -> bool {
    match bytes.next() {
        Some(b'-') => bytes.next().is_some_and(u8::is_ascii_digit),
        first => first.is_some_and(u8::is_ascii_digit),
    }
}

fn lower_into(text: &str, lowered: &mut String) {
    lowered.clear();
    if text.is_ascii() {
        lowered.push_str(text);
        lowered.make_ascii_lowercase();
        return;
    }
    for ch in text.chars() {
        lowered.extend(ch.to_lowercase());
    }
}

/// The masked text of a text, for tests.
#[cfg(test)]
pub(super) fn masked(text: &str, keys: &Keys) -> String {
    let mut scratch = ShapeScratch::new(keys);
    scratch.shape(text.as_bytes());
    scratch.mask.finish().to_owned()
}
