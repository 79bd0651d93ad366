//! The text of a row, from its identity alone: whatever order the rows are in, it is the same.

use crate::data::Row;
use crate::data::words::{LANGUAGES, Language};
use crate::rng::{Rng, mix};

/// Of a thousand texts of each direction, how many are of which length in characters.
const LENGTHS: [[(u64, u64, u64); 4]; 2] = [
    [(400, 2, 18), (440, 18, 70), (145, 70, 250), (15, 250, 800)],
    [(220, 8, 38), (460, 38, 140), (260, 140, 410), (60, 410, 1_250)],
];
const EMOJI: [&str; 6] = [" 😀", " 👍", " 🙏", " ❤️", " 🎉", " 🤔"];

/// Appends the text of a row.
pub fn write_text(row: &Row, out: &mut String) {
    let language = &LANGUAGES[usize::from(row.language) % LANGUAGES.len()];
    let mut rng = Rng::new(mix(row.identity() ^ 0x7465_7874));
    let is_out = row.direction != 0;
    let chars = length(&LENGTHS[usize::from(is_out)], &mut rng);
    let opens = if is_out { 60 } else { 260 };
    let asks = if is_out { 120 } else { 230 };
    let mut text = Writer { language, out, chars: 0, capital: rng.per_mille(700), opened: false };
    if !language.openers.is_empty() && rng.per_mille(opens) {
        text.opener(&mut rng);
    } else {
        text.word(&mut rng);
    }
    let is_list = is_out && chars > 300 && rng.per_mille(300);
    while text.chars < chars {
        text.more(is_list, &mut rng);
    }
    if rng.per_mille(asks) {
        text.out.push(language.question);
    } else {
        text.end(&mut rng);
    }
}

fn length(lengths: &[(u64, u64, u64); 4], rng: &mut Rng) -> u64 {
    let mut left = rng.below(1_000);
    for (share, low, high) in lengths {
        if left < *share {
            return rng.between(*low, *high);
        }
        left -= share;
    }
    lengths[0].1
}

struct Writer<'a> {
    language: &'a Language,
    out: &'a mut String,
    /// Characters so far, about.
    chars: u64,
    /// The next word begins with a capital letter.
    capital: bool,
    /// What was written last is an opener: a space, a question mark or nothing may follow.
    opened: bool,
}

impl Writer<'_> {
    fn opener(&mut self, rng: &mut Rng) {
        let openers = &self.language.openers;
        self.push(openers[rng.below(openers.len() as u64) as usize]);
        self.opened = true;
    }

    fn word(&mut self, rng: &mut Rng) {
        self.push(self.language.word(rng.bits()));
    }

    fn push(&mut self, word: &str) {
        let first = word.as_bytes().first().copied().unwrap_or_default();
        // Letters beyond ASCII keep their case: engines differ in how they fold it.
        if self.capital && first.is_ascii() {
            self.out.push(char::from(first.to_ascii_uppercase()));
            self.out.push_str(&word[1..]);
        } else {
            self.out.push_str(word);
        }
        self.capital = false;
        self.chars += word.chars().count() as u64;
    }

    /// A space or more and the next word, number or line.
    fn more(&mut self, is_list: bool, rng: &mut Rng) {
        let drawn = rng.below(1_000);
        let before = self.out.len();
        match drawn {
            _ if std::mem::take(&mut self.opened) => self.out.push(' '),
            0..60 if is_list => self.out.push_str("\n- "),
            60..75 if is_list => {
                self.out.push_str(" **");
                self.word(rng);
                self.out.push_str("** ");
            }
            75..150 => self.out.push_str(self.language.comma),
            150..210 => {
                self.out.push_str(". ");
                self.capital = true;
            }
            _ => self.out.push(' '),
        }
        self.chars += (self.out.len() - before) as u64;
        if drawn >= 970 {
            self.digits(rng);
        } else {
            self.word(rng);
        }
    }

    fn digits(&mut self, rng: &mut Rng) {
        let length = rng.between(1, 7);
        for _ in 0..length {
            self.out.push(char::from(b'0' + rng.below(10) as u8));
        }
        self.chars += length;
    }

    fn end(&mut self, rng: &mut Rng) {
        match rng.below(100) {
            _ if self.opened => {}
            0..35 => self.out.push('.'),
            35..42 => self.out.push('!'),
            42..50 => self.out.push_str(EMOJI[rng.below(6) as usize]),
            _ => {}
        }
    }
}
