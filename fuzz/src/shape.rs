//! Texts of any bytes through the check of the shape kernel's tests.

use arrow_array::BinaryArray;
use turnwise_kernels::dispatch::InstructionSet;
use turnwise_kernels::shape::{
    Shape, ShapeColumns, ShapeFields, ShapeNumbers, shape_numbers_with, shape_one, shape_scalar,
    shape_with,
};
use turnwise_model::{Keys, Secret};

#[path = "../../crates/kernels/src/shape/check.rs"]
mod check;

/// Between two texts of one input: a character that no rule knows.
const SEPARATOR: u8 = 0x1E;
/// Of so many texts one is null.
const NULLS_EVERY: usize = 5;

/// Lays texts out as a column, some of them null, and compares all versions with the scalar one.
pub fn any_texts(bytes: &[u8]) {
    let texts = bytes.split(|byte| *byte == SEPARATOR).enumerate();
    let texts = texts.map(|(row, text)| (row % NULLS_EVERY != 3).then_some(text));
    let column: BinaryArray = texts.collect();
    let keys = Keys::expand(&Secret::new(&[7; 32]).expect("long enough"));
    assert_eq!(check::check(&column, 1, &keys), Ok(()));
}
