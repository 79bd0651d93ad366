//! Text → shape: the numeric columns that are computed from a message's text before the text is
//! dropped. Nothing of a text leaves this module but counts, bits and keyed hashes.
//!
//! Null rule: a null text has null in every column; an empty text has a shape (zeros, no tokens).
//! Nothing overflows: a text that is read has at most [`TEXT_BYTES_MAX`] bytes; `bytes` itself
//! saturates.
//!
//! [`TEXT_BYTES_MAX`]: turnwise_model::limits::TEXT_BYTES_MAX

mod lanes;
mod scalar;

mod asked;
#[cfg(target_arch = "x86_64")]
mod avx2 {
    mod x86;
}
mod bits;
mod classes;
mod columns;
mod links;
mod phrases;
mod skeleton;
mod tokens;
mod units;
#[cfg(target_arch = "x86_64")]
mod x86;

use arrow_array::{Array, BinaryArray, Int32Array, Int64Array, ListArray, StringArray};
use turnwise_model::keys::Keys;
use turnwise_model::limits::TEXT_TOKENS_MAX;

use self::asked::Asked;
use self::columns::Rows;
use self::lanes::ShapeLanes;
use crate::dispatch::InstructionSet;

pub use scalar::{Shape, ShapeScratch, shape_one};
pub use tokens::Tokens;

/// The shape columns of a batch, a row a text. Names and meaning as in
/// [`turnwise_model::schema::column`].
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeColumns {
    /// Those that are numbers of their own.
    pub numbers: ShapeNumbers,
    /// The smallest keyed hashes of the distinct content tokens, ascending as unsigned.
    pub tokens: ListArray,
    /// Keyed hash of the masked text.
    pub skeleton: Int64Array,
}

/// Numbers of the shape that a query may ask for alone; the rest of the pass is left out. `bytes`
/// come for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShapeFields {
    /// Characters.
    pub chars: bool,
    /// Words.
    pub words: bool,
    /// Lines.
    pub lines: bool,
    /// Script of most letters.
    pub script: bool,
    /// Those of [`turnwise_model::codes::text_bits`] that matter.
    pub text_bits: i32,
    /// Bits of the hash of the text.
    pub text_bucket: bool,
}

/// The shape columns that are numbers of their own. Of some numbers those not asked for mean
/// nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeNumbers {
    /// Bytes of the text.
    pub bytes: Int32Array,
    /// Characters of the text.
    pub chars: Int32Array,
    /// Words of the text.
    pub words: Int32Array,
    /// Lines of the text.
    pub lines: Int32Array,
    /// Code of the [`turnwise_model::Script`] of most letters.
    pub script: Int32Array,
    /// The bits asked for, and no others, of [`turnwise_model::codes::text_bits`].
    pub text_bits: Int32Array,
    /// Six bits of a keyed hash of the text.
    pub text_bucket: Int32Array,
}

/// The shape of every text of a column.
#[must_use]
pub fn shape(texts: &BinaryArray, keys: &Keys) -> ShapeColumns {
    shape_with(InstructionSet::best(), texts, keys)
}

/// The same by a given instruction set.
#[must_use]
pub fn shape_with(set: InstructionSet, texts: &BinaryArray, keys: &Keys) -> ShapeColumns {
    set.run(ShapeLanes { texts, is_utf8: false, keys, asked: Asked::ALL }).finish(texts)
}

/// A column of texts, and whether all of them are known to be UTF-8.
#[derive(Clone, Debug)]
pub struct Texts {
    column: BinaryArray,
    is_utf8: bool,
}

impl From<&BinaryArray> for Texts {
    fn from(column: &BinaryArray) -> Self {
        Self { column: column.clone(), is_utf8: false }
    }
}

impl From<&StringArray> for Texts {
    fn from(column: &StringArray) -> Self {
        Self { column: BinaryArray::from(column.clone()), is_utf8: true }
    }
}

/// Some numbers of the shape of every text: those of [`shape`], at the cost of what is asked for.
#[must_use]
pub fn shape_numbers(texts: impl Into<Texts>, keys: &Keys, fields: ShapeFields) -> ShapeNumbers {
    shape_numbers_with(InstructionSet::best(), texts, keys, fields)
}

/// The same by a given instruction set.
#[must_use]
pub fn shape_numbers_with(
    set: InstructionSet,
    texts: impl Into<Texts>,
    keys: &Keys,
    fields: ShapeFields,
) -> ShapeNumbers {
    let Texts { column, is_utf8 } = texts.into();
    let asked = Asked::numbers(fields);
    set.run(ShapeLanes { texts: &column, is_utf8, keys, asked }).finish_numbers(&column)
}

/// The same one text at a time, by the version that says what the columns mean.
#[must_use]
pub fn shape_scalar(texts: &BinaryArray, keys: &Keys) -> ShapeColumns {
    let mut scratch = ShapeScratch::new(keys);
    let mut rows = Rows::new(texts.len());
    for row in (0..texts.len()).filter(|row| texts.is_valid(*row)) {
        put(&mut rows, row, &scratch.shape(texts.value(row)));
    }
    rows.finish(texts)
}

fn put(rows: &mut Rows, row: usize, shape: &Shape) {
    let Shape { bytes, chars, words, lines, script, text_bits, .. } = *shape;
    let kept = shape.tokens.as_slice();
    let mut tokens = [0; TEXT_TOKENS_MAX];
    tokens[..kept.len()].copy_from_slice(kept);
    rows.put_hashes(row, &tokens, kept.len(), shape.skeleton);
    rows.put(row, [bytes, chars, words, lines, script, text_bits], shape.text_bucket);
}

#[cfg(test)]
mod check;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;
