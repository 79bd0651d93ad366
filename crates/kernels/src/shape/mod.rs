//! Text → shape: the numeric columns that are computed from a message's text before the text is
//! dropped. Nothing of a text leaves this module but counts, bits and keyed hashes.
//!
//! Null rule: a null text has null in every column; an empty text has a shape (zeros, no tokens).
//! Nothing overflows: a text that is read has at most [`TEXT_BYTES_MAX`] bytes; `bytes` itself
//! saturates.
//!
//! [`TEXT_BYTES_MAX`]: turnwise_model::limits::TEXT_BYTES_MAX

mod scalar;

mod bits;
mod classes;
mod links;
mod phrases;
mod skeleton;
mod tokens;
mod units;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, Int32Array, Int64Array, ListArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use turnwise_model::keys::Keys;
use turnwise_model::limits::TEXT_TOKENS_MAX;
use turnwise_model::schema;

pub use scalar::{Shape, ShapeScratch, shape_one};
pub use tokens::Tokens;

/// The shape columns of a batch, a row a text. Names and meaning as in
/// [`turnwise_model::schema::column`].
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeColumns {
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
    /// Bits of [`turnwise_model::codes::text_bits`].
    pub text_bits: Int32Array,
    /// The smallest keyed hashes of the distinct content tokens, ascending as unsigned.
    pub tokens: ListArray,
    /// Keyed hash of the masked text.
    pub skeleton: Int64Array,
    /// Six bits of a keyed hash of the text.
    pub text_bucket: Int32Array,
}

/// The shape of every text of a column.
#[must_use]
pub fn shape(texts: &BinaryArray, keys: &Keys) -> ShapeColumns {
    let rows = texts.len();
    let mut scratch = ShapeScratch::new(keys);
    let mut numbers: [Vec<i32>; 7] = std::array::from_fn(|_| Vec::with_capacity(rows));
    let mut skeletons = Vec::with_capacity(rows);
    let mut tokens = Vec::with_capacity(rows * TEXT_TOKENS_MAX / 2);
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    for row in 0..rows {
        let (row_numbers, skeleton) = if texts.is_null(row) {
            ([0; 7], 0)
        } else {
            let one = scratch.shape(texts.value(row));
            tokens.extend(one.tokens.as_slice().iter().map(|hash| hash.cast_signed()));
            let Shape { bytes, chars, words, lines, script, text_bits, text_bucket, .. } = one;
            ([bytes, chars, words, lines, script, text_bits, text_bucket], one.skeleton)
        };
        for (column, number) in numbers.iter_mut().zip(row_numbers) {
            column.push(number);
        }
        skeletons.push(skeleton);
        // A column of 32-bit offsets holds fewer than 2^31 bytes of text, so fewer tokens.
        offsets.push(tokens.len() as i32);
    }
    let nulls = texts.nulls().cloned();
    let [bytes, chars, words, lines, script, text_bits, text_bucket] =
        numbers.map(|column| Int32Array::new(ScalarBuffer::from(column), nulls.clone()));
    let values: ArrayRef = Arc::new(Int32Array::from(tokens));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let tokens = ListArray::new(tokens_field(), offsets, values, nulls.clone());
    let skeleton = Int64Array::new(ScalarBuffer::from(skeletons), nulls);
    ShapeColumns { bytes, chars, words, lines, script, text_bits, tokens, skeleton, text_bucket }
}

fn tokens_field() -> arrow_schema::FieldRef {
    match schema::tokens_type() {
        DataType::List(field) => field,
        other => Arc::new(arrow_schema::Field::new_list_field(other, true)),
    }
}

#[cfg(test)]
mod tests;
