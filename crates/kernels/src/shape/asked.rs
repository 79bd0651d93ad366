//! What is asked of a text, and what of the passes over it that takes.

use turnwise_model::codes::text_bits;

use super::ShapeFields;

/// The bits that look at lines and signs.
const LAYOUT: i32 = text_bits::MARKDOWN | text_bits::LIST | text_bits::CODE;
/// The bits that an open-ended question is made of.
const OF_OPEN_ENDED: i32 =
    text_bits::QUESTION | text_bits::OPENER | text_bits::GREETING | text_bits::DIGITS;

/// The question mark.
const QUESTION: i32 = text_bits::QUESTION;
/// The bits that look at the beginning.
const OF_BEGINNING: i32 = text_bits::OPENER | text_bits::GREETING;

/// What is asked, with what that is made of.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    fields: ShapeFields,
    /// The bits that are told.
    pub(super) bits: i32,
    /// Tokens and skeletons, too.
    pub(super) hashes: bool,
}

impl Asked {
    /// All columns.
    pub(super) const ALL: Self = {
        let (chars, words, lines, script, text_bucket) = (true, true, true, true, true);
        let fields = ShapeFields { chars, words, lines, script, text_bits: !0, text_bucket };
        Self { fields, bits: !0, hashes: true }
    };

    /// These numbers alone.
    pub(super) const fn numbers(mut fields: ShapeFields) -> Self {
        let bits = fields.text_bits;
        if fields.text_bits & text_bits::OPEN_ENDED != 0 {
            fields.text_bits |= OF_OPEN_ENDED;
            fields.words = true;
        }
        Self { fields, bits, hashes: false }
    }

    /// Whether one of these bits is.
    #[inline(always)]
    const fn any(&self, bits: i32) -> bool {
        self.fields.text_bits & bits != 0
    }

    /// Whether the characters of a text matter.
    #[inline(always)]
    pub(super) const fn scan(&self) -> bool {
        let ShapeFields { chars, words, lines, script, text_bits, .. } = self.fields;
        self.hashes || chars || words || lines || script || text_bits != 0
    }

    /// Whether nothing is that a skimmed text does not tell.
    #[inline(always)]
    pub(super) const fn skims(&self) -> bool {
        let ShapeFields { words, script, text_bits, text_bucket, .. } = self.fields;
        self.scan()
            && !(self.hashes || words || script || text_bucket)
            && text_bits & !(OF_BEGINNING | QUESTION) == 0
    }

    /// Whether links are to be found.
    #[inline(always)]
    pub(super) const fn links(&self) -> bool {
        self.hashes || self.any(text_bits::URL)
    }

    /// Whether runs of letters and digits are to be counted.
    #[inline(always)]
    pub(super) const fn words(&self) -> bool {
        self.hashes || self.fields.words
    }

    /// Whether the script is to be told.
    #[inline(always)]
    pub(super) const fn script(&self) -> bool {
        self.fields.script
    }

    /// Whether question marks are to be found.
    #[inline(always)]
    pub(super) const fn question(&self) -> bool {
        self.any(text_bits::QUESTION)
    }

    /// Whether the beginning is to be read.
    #[inline(always)]
    pub(super) const fn beginning(&self) -> bool {
        self.any(OF_BEGINNING)
    }

    /// Whether it matters that a text is nothing but digits.
    #[inline(always)]
    pub(super) const fn digits(&self) -> bool {
        self.any(text_bits::DIGITS)
    }

    /// Whether lines and signs are to be looked at.
    #[inline(always)]
    pub(super) const fn layout(&self) -> bool {
        self.any(LAYOUT)
    }

    /// Whether the text's own hash is.
    #[inline(always)]
    pub(super) const fn bucket(&self) -> bool {
        self.fields.text_bucket
    }
}
