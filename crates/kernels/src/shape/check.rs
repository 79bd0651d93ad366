//! The check that a fast version passes: the columns that the scalar version gives, of each text by
//! itself. The tests of this crate run it, and a fuzz target.

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use arrow_array::{Array, BinaryArray, Int32Array};
use turnwise_model::Keys;

use super::{
    InstructionSet, Shape, ShapeColumns, ShapeFields, ShapeNumbers, shape_numbers_with, shape_one,
    shape_scalar, shape_with,
};

/// A kernel under test.
pub type Version<'a> = &'a dyn Fn(&BinaryArray, &Keys) -> ShapeColumns;

/// Compares the columns of a version with what the scalar version says of each text.
pub fn compare(version: Version<'_>, texts: &BinaryArray, keys: &Keys) -> Result<(), String> {
    let columns = version(texts, keys);
    for row in 0..texts.len() {
        let arrays: [&dyn Array; 9] = [
            &columns.numbers.bytes,
            &columns.numbers.chars,
            &columns.numbers.words,
            &columns.numbers.lines,
            &columns.numbers.script,
            &columns.numbers.text_bits,
            &columns.numbers.text_bucket,
            &columns.tokens,
            &columns.skeleton,
        ];
        if arrays.iter().any(|array| array.is_null(row) != texts.is_null(row)) {
            return Err(format!("row {row}: nulls differ"));
        }
        if texts.is_null(row) {
            continue;
        }
        let one = shape_one(texts.value(row), keys);
        let found = [
            columns.numbers.bytes.value(row),
            columns.numbers.chars.value(row),
            columns.numbers.words.value(row),
            columns.numbers.lines.value(row),
            columns.numbers.script.value(row),
            columns.numbers.text_bits.value(row),
            columns.numbers.text_bucket.value(row),
        ];
        let Shape { bytes, chars, words, lines, script, text_bits, text_bucket, .. } = one;
        let expected = [bytes, chars, words, lines, script, text_bits, text_bucket];
        let tokens = columns.tokens.value(row);
        let tokens: Vec<u32> =
            tokens.as_primitive::<Int32Type>().values().iter().map(|hash| *hash as u32).collect();
        let skeleton = columns.skeleton.value(row);
        if found != expected || tokens != one.tokens.as_slice() || skeleton != one.skeleton {
            let text = String::from_utf8_lossy(texts.value(row));
            return Err(format!(
                "row {row}, {text:?}: {found:?} {tokens:?} {skeleton}, not {expected:?} {:?} {}",
                one.tokens.as_slice(),
                one.skeleton
            ));
        }
    }
    Ok(())
}

/// A kernel of some numbers under test.
pub type Numbers<'a> = &'a dyn Fn(InstructionSet, &BinaryArray, &Keys, ShapeFields) -> ShapeNumbers;

/// Compares numbers that are asked for alone with those of all columns.
pub fn compare_numbers(
    version: Numbers<'_>,
    texts: &BinaryArray,
    keys: &Keys,
) -> Result<(), String> {
    let all = shape_scalar(texts, keys);
    for (set, fields) in InstructionSet::available()
        .into_iter()
        .flat_map(|set| some_fields().map(move |fields| (set, fields)))
    {
        let found = version(set, texts, keys, fields);
        let bits: Int32Array = all
            .numbers
            .text_bits
            .iter()
            .map(|bits| bits.map(|bits| bits & fields.text_bits))
            .collect();
        let columns = [
            ("bytes", true, &found.bytes, &all.numbers.bytes),
            ("chars", fields.chars, &found.chars, &all.numbers.chars),
            ("words", fields.words, &found.words, &all.numbers.words),
            ("lines", fields.lines, &found.lines, &all.numbers.lines),
            ("script", fields.script, &found.script, &all.numbers.script),
            ("text_bits", true, &found.text_bits, &bits),
            ("text_bucket", fields.text_bucket, &found.text_bucket, &all.numbers.text_bucket),
        ];
        for (name, _, found, expected) in columns.into_iter().filter(|column| column.1) {
            if found != expected {
                return Err(format!("{name} asked with {fields:?}, {}, differs", set.name()));
            }
        }
    }
    Ok(())
}

/// One field each, one bit each, none and some together.
fn some_fields() -> impl Iterator<Item = ShapeFields> {
    let none = ShapeFields::default();
    let bits = (0..9).map(move |bit| ShapeFields { text_bits: 1 << bit, ..none });
    bits.chain([
        none,
        ShapeFields { chars: true, ..none },
        ShapeFields { words: true, ..none },
        ShapeFields { lines: true, ..none },
        ShapeFields { script: true, ..none },
        ShapeFields { text_bucket: true, ..none },
        ShapeFields { chars: true, text_bits: 3, ..none },
        ShapeFields { words: true, text_bits: !0, text_bucket: true, ..none },
    ])
}

/// Checks every instruction set on a column and on a slice of it, and some numbers alone.
pub fn check(texts: &BinaryArray, from: usize, keys: &Keys) -> Result<(), String> {
    let from = from.min(texts.len());
    let slice = texts.slice(from, texts.len() - from);
    for set in InstructionSet::available() {
        let version = |texts: &BinaryArray, keys: &Keys| shape_with(set, texts, keys);
        for texts in [texts, &slice] {
            compare(&version, texts, keys).map_err(|why| format!("{}: {why}", set.name()))?;
        }
    }
    compare_numbers(&numbers_with, texts, keys)
}

/// Some numbers of the shape, of a column that may be no UTF-8.
pub fn numbers_with(
    set: InstructionSet,
    texts: &BinaryArray,
    keys: &Keys,
    fields: ShapeFields,
) -> ShapeNumbers {
    shape_numbers_with(set, texts, keys, fields)
}
