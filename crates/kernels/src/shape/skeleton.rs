//! The masked text behind a skeleton: what remains of a template when its fillings are gone.
//!
//! Rules, in the order in which they take a part of the text:
//! 1. a URL is `u`, an e-mail address is `e` (`links.rs`);
//! 2. emoji and their glue (joiners, variation selectors, keycaps, tags) are dropped;
//! 3. a number run is `0`: digits, and single `. , : / - ' ’` between two digits, where variation
//!    selectors and keycaps are as if they were not there (`1️⃣2️⃣` and `1️⃣.5` are one each);
//! 4. a letter run that begins with an upper-case letter and stands not at a sentence's start is
//!    `n`, each by itself. A sentence starts at the text's start, after a line break, and after
//!    `. ! ? … 。 ！ ？ ؟ ۔ । ॥ ։ ።`; quotes, brackets, bullets, white space and emoji between
//!    that and the word change nothing, a number or a link does;
//! 5. other letters are lower-cased one by one (`char::to_lowercase`);
//! 6. white space is folded to one space, none at the ends;
//! 7. all else stands as it is; and after 200 characters it ends.

use turnwise_model::limits::SKELETON_CHARS_MAX;

use super::classes::{Class, Classes};
use super::links::LinkKind;

/// Builds one masked text at a time from the parts of a text, in order.
#[derive(Default)]
pub(super) struct Mask {
    masked: String,
    chars: usize,
    space: bool,
    number: Number,
    mid_sentence: bool,
}

/// Where a number run stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Number {
    /// Not in one.
    #[default]
    Outside,
    /// Right after a digit.
    Open,
    /// After a digit and one separator, which is part of the number if a digit comes next.
    Held(char),
}

impl Mask {
    /// Begins another text.
    pub(super) fn clear(&mut self) {
        self.masked.clear();
        *self = Self { masked: std::mem::take(&mut self.masked), ..Self::default() };
    }

    /// Whether nothing more can change the result.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.chars >= SKELETON_CHARS_MAX
    }

    /// A run of letters and marks. `first` is the class of its first character, `all` the flags
    /// of all of them.
    pub(super) fn letters(
        &mut self,
        run: &str,
        first: Class,
        all: Class,
        chars: usize,
        classes: &Classes,
    ) {
        let is_glue = |ch| classes.get(ch).has(Class::GLUE);
        if !all.has(Class::LETTER) && all.has(Class::GLUE) && run.chars().all(is_glue) {
            // Glue after an emoji or a digit: nothing of it shows, and it ends nothing.
            return;
        }
        self.end_number();
        if first.has(Class::UPPER) && self.mid_sentence {
            return self.push('n');
        }
        self.mid_sentence = true;
        self.start_part();
        if !all.has(Class::CHANGES)
            && !all.has(Class::GLUE)
            && self.chars + chars <= SKELETON_CHARS_MAX
        {
            self.masked.push_str(run);
            self.chars += chars;
            return;
        }
        if run.is_ascii() && self.chars + chars <= SKELETON_CHARS_MAX {
            self.masked.extend(run.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
            self.chars += chars;
            return;
        }
        for ch in run.chars() {
            self.letter(ch, classes);
        }
    }

    /// A run of digits.
    pub(super) fn digits(&mut self) {
        if self.number == Number::Outside {
            self.push('0');
        }
        self.number = Number::Open;
        self.mid_sentence = true;
    }

    /// A URL or address.
    pub(super) fn link(&mut self, kind: LinkKind) {
        self.end_number();
        self.push(if kind == LinkKind::Url { 'u' } else { 'e' });
        self.mid_sentence = true;
    }

    /// A character that is no letter, mark or digit.
    #[inline]
    pub(super) fn other(&mut self, ch: char, class: Class) {
        if self.number == Number::Open && matches!(ch, '.' | ',' | ':' | '/' | '-' | '\'' | '’') {
            self.number = Number::Held(ch);
            return;
        }
        self.end_number();
        if class.has(Class::SPACE) {
            self.space = true;
            self.mid_sentence &= ch != '\n';
        } else if !class.has(Class::EMOJI) && !class.has(Class::GLUE) {
            self.punctuation(ch);
        }
    }

    /// The masked text.
    pub(super) fn finish(&mut self) -> &str {
        self.end_number();
        &self.masked
    }

    fn letter(&mut self, ch: char, classes: &Classes) {
        let class = classes.get(ch);
        if class.has(Class::GLUE) {
            return;
        }
        if class.has(Class::CHANGES) {
            ch.to_lowercase().for_each(|lower| self.push(lower));
        } else {
            self.push(ch);
        }
    }

    fn punctuation(&mut self, ch: char) {
        self.push(ch);
        if is_sentence_end(ch) {
            self.mid_sentence = false;
        }
    }

    #[inline]
    fn end_number(&mut self) {
        if let Number::Held(ch) = std::mem::take(&mut self.number) {
            self.punctuation(ch);
        }
    }

    /// Pays the space that is due before something visible.
    #[inline]
    fn start_part(&mut self) {
        if std::mem::take(&mut self.space) && !self.masked.is_empty() && !self.is_full() {
            self.masked.push(' ');
            self.chars += 1;
        }
    }

    #[inline]
    fn push(&mut self, ch: char) {
        self.start_part();
        if !self.is_full() {
            self.masked.push(ch);
            self.chars += 1;
        }
    }
}

fn is_sentence_end(ch: char) -> bool {
    matches!(ch, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '۔' | '।' | '॥' | '։' | '።')
}
