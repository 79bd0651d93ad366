//! Every version of text → shape against the one that says what the columns mean, over texts that
//! meet the rules of every column, laid out in every way that Arrow allows. Wrong versions are
//! planted to show that the comparison finds what is wrong.

use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use turnwise_model::codes::text_bits::QUESTION;
use turnwise_model::keys::Secret;

use super::*;

fn keys() -> Keys {
    Keys::expand(&Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough"))
}

/// Pieces that meet the rules of every column, glued at random.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        "\\PC{0,6}".prop_map(String::into_bytes),
        proptest::sample::select(vec![
            "hello ",
            "How ",
            "https://x.org/a",
            "a@b.org",
            "12,5",
            "\n- ",
            "```",
            "**",
            "漢字かな",
            "สวัสดี",
            "😀❤️",
            "1️⃣",
            "İI",
            "Τι;",
            "· ",
            "www.",
            ". ",
            "؟",
            "e\u{301}",
            "\u{200d}",
            "@",
            "://",
            "def f(x):\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

pub(super) fn text() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

/// A batch's texts, and how they lie in memory.
#[derive(Clone, Debug)]
struct Batch {
    texts: Vec<Option<Vec<u8>>>,
    /// Rows that a slice leaves out at its beginning and end.
    left_out: (usize, usize),
    /// Bytes before the first text and behind the last.
    padding: (usize, usize),
    /// What null rows have for a text.
    under_nulls: Vec<u8>,
}

impl Batch {
    fn array(&self) -> BinaryArray {
        let mut values = vec![b'?'; self.padding.0];
        let mut ends = vec![values.len() as i32];
        for text in &self.texts {
            values.extend_from_slice(text.as_ref().unwrap_or(&self.under_nulls));
            ends.push(values.len() as i32);
        }
        values.extend(std::iter::repeat_n(b'A', self.padding.1));
        let nulls: NullBuffer = self.texts.iter().map(Option::is_some).collect();
        let array =
            BinaryArray::new(OffsetBuffer::new(ends.into()), Buffer::from_vec(values), Some(nulls));
        let from = self.left_out.0.min(array.len());
        let to = array.len() - self.left_out.1.min(array.len() - from);
        array.slice(from, to - from)
    }
}

fn batch() -> impl Strategy<Value = Batch> {
    let texts = prop_oneof![
        4 => proptest::collection::vec(proptest::option::weighted(0.9, text()), 0..12),
        // More than one chunk of the lanes.
        1 => proptest::collection::vec(proptest::option::weighted(0.9, text()), 150..250),
    ];
    let padding = (0..70_usize, 0..70_usize);
    (texts, (0..6_usize, 0..6_usize), padding, text()).prop_map(
        |(texts, left_out, padding, under_nulls)| Batch { texts, left_out, padding, under_nulls },
    )
}

type Version<'a> = &'a dyn Fn(&BinaryArray, &Keys) -> ShapeColumns;

/// Runs a version over `cases` batches; the first difference is an error.
fn compare(cases: u32, version: Version) -> Result<(), String> {
    let keys = keys();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let compared = runner.run(&batch(), |batch| {
        let texts = batch.array();
        let (found, expected) = (version(&texts, &keys), shape_scalar(&texts, &keys));
        prop_assert_eq!(found.bytes, expected.bytes, "bytes");
        prop_assert_eq!(found.chars, expected.chars, "chars");
        prop_assert_eq!(found.words, expected.words, "words");
        prop_assert_eq!(found.lines, expected.lines, "lines");
        prop_assert_eq!(found.script, expected.script, "script");
        prop_assert_eq!(found.text_bits, expected.text_bits, "text_bits");
        prop_assert_eq!(found.tokens, expected.tokens, "tokens");
        prop_assert_eq!(found.skeleton, expected.skeleton, "skeleton");
        prop_assert_eq!(found.text_bucket, expected.text_bucket, "text_bucket");
        Ok(())
    });
    compared.map_err(|difference| difference.to_string())
}

#[test]
fn every_instruction_set_gives_the_bits_of_the_scalar_version() {
    for set in InstructionSet::available() {
        let found = compare(100, &|texts, keys| shape_with(set, texts, keys));
        assert_eq!(found, Ok(()), "{}", set.name());
    }
}

/// The columns with the numbers of one of them changed where a text says so.
fn changed(
    texts: &BinaryArray,
    column: Int32Array,
    change: impl Fn(&[u8], i32) -> i32,
) -> Int32Array {
    let rows = (0..texts.len())
        .map(|row| column.is_valid(row).then(|| change(texts.value(row), column.value(row))));
    rows.collect()
}

#[test]
fn planted_wrong_versions_are_found() {
    let best = |texts: &BinaryArray, keys: &Keys| shape_with(InstructionSet::best(), texts, keys);
    let arabic_question_lost = |texts: &BinaryArray, keys: &Keys| {
        let mut columns = best(texts, keys);
        columns.text_bits = changed(texts, columns.text_bits, |text, bits| {
            if text.ends_with("؟".as_bytes()) { bits & !QUESTION } else { bits }
        });
        columns
    };
    let character_across_blocks_counted_twice = |texts: &BinaryArray, keys: &Keys| {
        let mut columns = best(texts, keys);
        columns.chars = changed(texts, columns.chars, |text, chars| {
            chars + i32::from(text.get(64).is_some_and(|byte| byte & 0xc0 == 0x80))
        });
        columns
    };
    let nulls_of_the_whole_array = |texts: &BinaryArray, keys: &Keys| {
        let mut columns = best(texts, keys);
        if let Some(nulls) = texts.nulls().filter(|nulls| nulls.offset() > 0) {
            let from_the_start = nulls.inner().inner().clone();
            let bits = arrow_buffer::BooleanBuffer::new(from_the_start, 0, texts.len());
            columns.words =
                Int32Array::new(columns.words.values().clone(), Some(NullBuffer::new(bits)));
        }
        columns
    };
    let padding_read = |texts: &BinaryArray, keys: &Keys| {
        let mut columns = best(texts, keys);
        let end = texts.value_offsets()[texts.len()] as usize;
        if texts.value_data().get(end) == Some(&b'A') && texts.len() > 0 {
            let last = texts.len() - 1;
            let rows = columns.bytes.iter().enumerate();
            columns.bytes = rows.map(|(row, n)| n.map(|n| n + i32::from(row == last))).collect();
        }
        columns
    };
    let skeleton_of_last_text_stale = |texts: &BinaryArray, keys: &Keys| {
        let mut columns = best(texts, keys);
        if texts.len() > 200 {
            let mut stale = columns.skeleton.values().to_vec();
            stale[200] = stale[199];
            columns.skeleton = Int64Array::new(stale.into(), columns.skeleton.nulls().cloned());
        }
        columns
    };
    let wrong: [(&str, Version); 5] = [
        ("text_bits", &arabic_question_lost),
        ("chars", &character_across_blocks_counted_twice),
        ("words", &nulls_of_the_whole_array),
        ("bytes", &padding_read),
        ("skeleton", &skeleton_of_last_text_stale),
    ];
    for (column, version) in wrong {
        let found = compare(500, version);
        assert!(found.as_ref().is_err_and(|error| error.contains(column)), "{column}: {found:?}");
    }
}
