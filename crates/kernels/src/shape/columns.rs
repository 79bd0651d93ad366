//! The columns of a batch while they are filled, row by row.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, Int32Array, Int64Array, ListArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef};
use turnwise_model::limits::TEXT_TOKENS_MAX;
use turnwise_model::schema;

use super::{ShapeColumns, ShapeNumbers};

/// What of a row is a number and no hash, in the order of [`ShapeNumbers`].
pub(super) const NUMBERS: usize = 6;

/// Columns that are filled row by row. Rows that are passed over have zeros and no tokens.
pub(super) struct Rows {
    numbers: [Vec<i32>; NUMBERS],
    buckets: Vec<i32>,
    skeletons: Vec<i64>,
    /// Tokens of the rows so far, then room.
    tokens: Vec<i32>,
    tokens_end: usize,
    /// By row: the number of its tokens.
    token_counts: Vec<i32>,
}

impl Rows {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            numbers: std::array::from_fn(|_| vec![0; rows]),
            buckets: vec![0; rows],
            skeletons: vec![0; rows],
            tokens: Vec::new(),
            tokens_end: 0,
            token_counts: vec![0; rows],
        }
    }

    /// Fills in the numbers of a row.
    #[inline(always)]
    pub(super) fn put(&mut self, row: usize, numbers: [i32; NUMBERS], bucket: i32) {
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column[row] = number;
        }
        self.buckets[row] = bucket;
    }

    /// Fills in the first `count` tokens and the skeleton, in the order of the rows.
    #[inline(always)]
    pub(super) fn put_hashes(
        &mut self,
        row: usize,
        tokens: &[u32; TEXT_TOKENS_MAX],
        count: usize,
        skeleton: i64,
    ) {
        self.skeletons[row] = skeleton;
        self.token_counts[row] = count as i32;
        if self.tokens.len() < self.tokens_end + TEXT_TOKENS_MAX {
            self.make_room();
        }
        // All are written, which is faster than only as many as there are.
        if let Some(room) = self.tokens[self.tokens_end..].first_chunk_mut() {
            *room = tokens.map(u32::cast_signed);
        }
        self.tokens_end += count;
    }

    #[cold]
    fn make_room(&mut self) {
        let rows = self.buckets.len().max(2);
        self.tokens.resize(self.tokens.len() + rows * TEXT_TOKENS_MAX / 2, 0);
    }

    /// The numbers; null where the texts are.
    pub(super) fn finish_numbers(self, texts: &BinaryArray) -> ShapeNumbers {
        let nulls = texts.nulls().cloned();
        let column =
            |numbers: Vec<i32>| Int32Array::new(ScalarBuffer::from(numbers), nulls.clone());
        let [bytes, chars, words, lines, script, text_bits] = self.numbers.map(column);
        let text_bucket = column(self.buckets);
        ShapeNumbers { bytes, chars, words, lines, script, text_bits, text_bucket }
    }

    /// The columns; null where the texts are.
    pub(super) fn finish(mut self, texts: &BinaryArray) -> ShapeColumns {
        let nulls = texts.nulls().cloned();
        let mut offsets = Vec::with_capacity(self.token_counts.len() + 1);
        // A column of 32-bit offsets holds fewer than 2^31 bytes of text, so fewer tokens.
        let mut sum = 0;
        offsets.push(sum);
        for count in &self.token_counts {
            sum += count;
            offsets.push(sum);
        }
        self.tokens.truncate(self.tokens_end);
        let values: ArrayRef = Arc::new(Int32Array::from(std::mem::take(&mut self.tokens)));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let tokens = ListArray::new(tokens_field(), offsets, values, nulls.clone());
        let skeletons = std::mem::take(&mut self.skeletons);
        let skeleton = Int64Array::new(ScalarBuffer::from(skeletons), nulls);
        ShapeColumns { numbers: self.finish_numbers(texts), tokens, skeleton }
    }
}

fn tokens_field() -> FieldRef {
    match schema::tokens_type() {
        DataType::List(field) => field,
        other => Arc::new(Field::new_list_field(other, true)),
    }
}
