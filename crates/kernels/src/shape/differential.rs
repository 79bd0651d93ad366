//! The harness that every fast version passes: the same bits as one text at a time by the scalar
//! version, for each instruction set of the processor.
//!
//! Texts are random ones of every script, of pieces that meet the rules, of any bytes, and
//! adversarial ones at every place of a block of 64 bytes; columns of them are taken whole, in
//! slices and with several patterns of nulls. Wrong kernels, planted on purpose, must fail.

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use proptest::prelude::*;

use turnwise_model::limits::{TEXT_BYTES_MAX, TEXT_TOKENS_MAX};

use super::check::{Numbers, Version, check, compare, compare_numbers, numbers_with};
use super::tests::{keys, text};
use super::*;

/// Texts in which the rules of a column, or the ends of a block, meet.
const ADVERSARIAL: &[&[u8]] = &[
    b"",
    b"x",
    b"hello wonderful people everywhere, what is the tallest mountain?",
    b"Meet Anna at https://x.org/a?b=c. Or mail anna@b.org, +49 170 1234567!",
    b"- one\n- two\n* three\n1) four\n```rust\nlet x = 1;\n```\n**bold** __it__ `code`",
    b"def f(x):\n    return x;\nfoo(bar)\nSELECT a FROM b;",
    "1️⃣.5 e\u{301}\u{fe0f}1\u{20e3}2 İI ßẞ ﬀ ΣΑΣ".as_bytes(),
    "2️⃣0️⃣2️⃣6️⃣. 1.️5 1️’️5 1️⃣,.5 ٣️٤".as_bytes(),
    "1️a 2️\u{301}3 4\u{301}️5 ❤️\u{301} x.org/1️5️6".as_bytes(),
    "Τι κάνεις; α;β ναι· όχι".as_bytes(),
    "漢字かなカナ한국어สวัสดีครับສະບາຍດី សួស្តី မင်္ဂလာပါ".as_bytes(),
    "👩‍👩‍👧‍👦👍🏽❤️🇩🇪 \u{e0067}\u{10ffff}\u{feff}\u{2028}\u{85}\u{a0}".as_bytes(),
    b"\xff\xfe\x80 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82 \xf0\x9f\x98",
    b"\xe2\x82",
    b"\x00\x01\x7f\r\n\r\n\t",
    b"1,200.50 12:30 24/11/2026 1.2.3. 4,, 5--6 a1b2 ''' it's",
    b"www. http:// :// @ a@ @b a@b a@b.c. mailto:a@b.org",
    "¿Co\u{301}mo pagar? Adio\u{301}s, BUENOS DI\u{301}AS".as_bytes(),
    b"what what what what what hello hello hello Hello HELLO",
];

/// First and last characters of scripts and of what is told by ranges.
const RANGES: &[(u32, u32)] = &[
    (0x20, 0x7e),
    (0x00, 0xff),
    (0x100, 0x24f),
    (0x300, 0x36f),
    (0x370, 0x3ff),
    (0x400, 0x52f),
    (0x530, 0x5ff),
    (0x600, 0x6ff),
    (0x900, 0x97f),
    (0x980, 0xdff),
    (0xe00, 0xeff),
    (0x1000, 0x109f),
    (0x10a0, 0x13ff),
    (0x1780, 0x17ff),
    (0x1e00, 0x1fff),
    (0x2000, 0x2bff),
    (0x3000, 0x30ff),
    (0x4e00, 0x9fff),
    (0xa640, 0xabff),
    (0xac00, 0xd7ff),
    (0xf900, 0xffff),
    (0xfe0e, 0xfe0f),
    (0x1_0000, 0x1_12ff),
    (0x1_f000, 0x1_fbff),
    (0x2_0000, 0x3_134f),
    (0xe_0000, 0xe_01ff),
    (0, 0x10_ffff),
];

/// A stream of numbers from a seed: SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }

    /// Words of a script, some with characters of another, some with a byte gone wrong.
    fn text(&mut self, range: usize) -> Vec<u8> {
        let mut text = String::new();
        for _ in 0..self.below(60) {
            let (first, last) = match self.below(12) {
                0 => RANGES[self.below(RANGES.len() as u64) as usize],
                _ => RANGES[range],
            };
            let scalar = u64::from(first) + self.below(u64::from(last - first) + 1);
            text.extend(char::from_u32(scalar as u32));
            if self.below(5) == 0 {
                text.push([' ', '.', '\n', '1', '-', '?'][self.below(6) as usize]);
            }
        }
        let mut text = text.into_bytes();
        if !text.is_empty() && self.below(4) == 0 {
            let at = self.below(text.len() as u64) as usize;
            text[at] = self.below(256) as u8;
        }
        text
    }
}

/// Every mark that may ask, at every place of a block, behind characters of one to four bytes; and
/// what shares bytes with one.
fn marked_texts() -> impl Iterator<Item = String> {
    let marks = [
        "?",
        "？",
        "؟",
        "՞",
        "፧",
        "\u{37e}",
        "α;",
        "α·β",
        "α\u{387}",
        ";",
        "·",
        "՝",
        "。",
        "ោ",
        "\n",
    ];
    marks.into_iter().flat_map(|mark| {
        ["a", "é", "漢", "😀"].into_iter().flat_map(move |filler| {
            (0..70).map(move |padding| format!("{}{mark}b", filler.repeat(padding)))
        })
    })
}

/// Compares a column of these texts under patterns of nulls and in slices.
fn compare_all(version: Version<'_>, texts: &[Vec<u8>], keys: &Keys) -> Result<(), String> {
    let patterns: [fn(usize) -> bool; 3] = [|_| false, |row| row % 3 == 1, |row| row % 7 != 2];
    for is_null in patterns {
        let column: BinaryArray = texts
            .iter()
            .enumerate()
            .map(|(row, text)| (!is_null(row)).then_some(text.as_slice()))
            .collect();
        compare(version, &column, keys)?;
        for from in [1, 5, column.len() / 2] {
            let from = from.min(column.len());
            compare(version, &column.slice(from, (column.len() - from).min(9)), keys)?;
        }
    }
    Ok(())
}

/// The whole harness but its random part.
fn harness(version: Version<'_>) -> Result<(), String> {
    let keys = keys();
    for seed in 0..3 {
        let mut chance = Chance(seed);
        let texts: Vec<Vec<u8>> =
            (0..20 * RANGES.len()).map(|number| chance.text(number % RANGES.len())).collect();
        compare_all(version, &texts, &keys).map_err(|error| format!("seed {seed}: {error}"))?;
    }
    for adversarial in ADVERSARIAL {
        for filler in [&b"a"[..], b" ", b"7", b"\n", "é".as_bytes(), "漢".as_bytes()] {
            let texts: Vec<Vec<u8>> = (0..70)
                .map(|padding| [&filler.repeat(padding), *adversarial, b" tail"].concat())
                .collect();
            let column = BinaryArray::from_iter_values(&texts);
            compare(version, &column, &keys)?;
        }
    }
    let long: Vec<Vec<u8>> = [TEXT_BYTES_MAX - 1, TEXT_BYTES_MAX, TEXT_BYTES_MAX + 70]
        .iter()
        .flat_map(|bytes| ["word ", "漢字", "x", "😀"].map(|part| (bytes, part)))
        .map(|(bytes, part)| part.bytes().cycle().take(*bytes).collect())
        .collect();
    compare(version, &BinaryArray::from_iter_values(&long), &keys)
}

#[test]
fn every_instruction_set_gives_the_bits_of_the_scalar_version() {
    for set in InstructionSet::available() {
        let version = |texts: &BinaryArray, keys: &Keys| shape_with(set, texts, keys);
        assert_eq!(harness(&version), Ok(()), "{}", set.name());
    }
}

#[test]
fn numbers_asked_alone_are_those_of_the_whole_shape() {
    let keys = keys();
    let mut chance = Chance(9);
    let random = (0..12 * RANGES.len()).map(|number| chance.text(number % RANGES.len()));
    let moved = ADVERSARIAL.iter().flat_map(|adversarial| {
        ["", "a", "é 1", "漢字 "].map(|filler| [filler.repeat(16).as_bytes(), adversarial].concat())
    });
    let texts: Vec<Vec<u8>> = random.chain(moved).collect();
    let some = texts.iter().enumerate().map(|(row, text)| (row % 5 != 1).then_some(text));
    let some = BinaryArray::from_iter(some);
    let all = BinaryArray::from_iter_values(&texts);
    // A column of UTF-8 alone is read another way.
    let valid = texts.iter().filter(|text| std::str::from_utf8(text).is_ok());
    let valid = valid.enumerate().map(|(row, text)| (row % 9 != 2).then_some(text));
    let valid = BinaryArray::from_iter(valid);
    for texts in [&some, &all.slice(3, texts.len() - 7), &valid, &valid.slice(5, 200)] {
        assert_eq!(compare_numbers(&numbers_with, texts, &keys), Ok(()));
    }
    // Of UTF-8 alone, too: ends before the second block, and takes one mark for another.
    let change = |texts: &BinaryArray, change: &dyn Fn(&str) -> String| -> BinaryArray {
        let changed = |text: &[u8]| change(std::str::from_utf8(text).expect("UTF-8"));
        texts.iter().map(|text| text.map(changed)).collect()
    };
    let planted: [Numbers<'_>; 2] = [
        &|set, texts, keys, fields| {
            let ends = |text: &str| text[..text.floor_char_boundary(64)].to_owned();
            let mut numbers = shape_numbers_with(set, &change(texts, &ends), keys, fields);
            numbers.bytes = shape_numbers_with(set, texts, keys, fields).bytes;
            numbers
        },
        &|set, texts, keys, fields| {
            let other = |text: &str| text.replace('՞', "՝");
            shape_numbers_with(set, &change(texts, &other), keys, fields)
        },
    ];
    let marks = BinaryArray::from_iter_values(marked_texts().collect::<Vec<_>>());
    assert_eq!(compare_numbers(&numbers_with, &marks, &keys), Ok(()));
    for wrong in planted {
        assert!(compare_numbers(wrong, &marks, &keys).is_err());
    }
    let planted: [Numbers<'_>; 3] = [
        &|set, texts, keys, fields| {
            let filled: BinaryArray = texts.iter().map(|text| text.or(Some(b""))).collect();
            shape_numbers_with(set, &filled, keys, fields)
        },
        &|set, texts, keys, fields| {
            let fields = ShapeFields { words: false, ..fields };
            shape_numbers_with(set, texts, keys, fields)
        },
        &|set, texts, keys, fields| {
            let fields = ShapeFields { text_bits: fields.text_bits | 1, ..fields };
            shape_numbers_with(set, texts, keys, fields)
        },
    ];
    for wrong in planted {
        assert!(compare_numbers(wrong, &some, &keys).is_err());
    }
}

#[test]
fn scalar_columns_pass_the_harness() {
    assert_eq!(harness(&shape_scalar), Ok(()));
}

/// A version that reads other texts than those it is given.
fn misread(texts: &BinaryArray, keys: &Keys, change: impl Fn(&[u8]) -> Vec<u8>) -> ShapeColumns {
    let changed: BinaryArray = texts.iter().map(|text| text.map(&change)).collect();
    let mut columns = shape(&changed, keys);
    columns.numbers.bytes = shape(texts, keys).numbers.bytes;
    columns
}

#[test]
fn planted_wrong_kernels_fail_the_harness() {
    let planted: [(&str, Version<'_>); 6] = [
        ("lets glue end a number", &|texts, keys| {
            let joined = |text: &[u8]| match std::str::from_utf8(text) {
                Ok(text) => text.replace(['\u{fe0f}', '\u{20e3}'], "\u{200d}").into_bytes(),
                Err(_) => text.to_vec(),
            };
            let changed: BinaryArray = texts.iter().map(|text| text.map(joined)).collect();
            ShapeColumns { skeleton: shape(&changed, keys).skeleton, ..shape(texts, keys) }
        }),
        ("ends at the second block", &|texts, keys| {
            misread(texts, keys, |text| text[..text.len().min(128)].to_vec())
        }),
        ("drops invalid bytes", &|texts, keys| {
            let valid = |text: &[u8]| {
                text.utf8_chunks().map(|chunk| chunk.valid()).collect::<String>().into_bytes()
            };
            misread(texts, keys, valid)
        }),
        ("takes one space for another", &|texts, keys| {
            let plain = |text: &[u8]| match std::str::from_utf8(text) {
                Ok(text) => text.replace('\u{2028}', "\u{2003}").into_bytes(),
                Err(_) => text.to_vec(),
            };
            misread(texts, keys, plain)
        }),
        ("forgets nulls", &|texts, keys| {
            let filled: BinaryArray = texts.iter().map(|text| text.or(Some(b""))).collect();
            shape(&filled, keys)
        }),
        ("loses the last token", &|texts, keys| {
            let mut columns = shape(texts, keys);
            let lists = columns.tokens.iter().map(|list| {
                let list = list?;
                let tokens = list.as_primitive::<Int32Type>().values().to_vec();
                let kept = tokens.len().min(TEXT_TOKENS_MAX - 1);
                Some(tokens.into_iter().take(kept).map(Some).collect::<Vec<_>>())
            });
            columns.tokens = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
            columns
        }),
    ];
    for (name, version) in planted {
        assert!(harness(version).is_err(), "the kernel that {name} passed");
    }
}

proptest! {
    #[test]
    fn random_columns_and_their_slices_agree(
        texts in proptest::collection::vec(proptest::option::of(text()), 0..12),
        from in 0_usize..6,
    ) {
        let column: BinaryArray = texts.iter().map(|text| text.as_deref()).collect();
        prop_assert_eq!(check(&column, from, &keys()), Ok(()));
    }

    #[test]
    fn numbers_alone_of_random_columns_of_utf8_agree(
        texts in proptest::collection::vec(proptest::option::of(any::<String>()), 0..12),
    ) {
        let column: BinaryArray = texts.iter().map(|text| text.as_deref()).collect();
        prop_assert_eq!(compare_numbers(&numbers_with, &column, &keys()), Ok(()));
        let known = StringArray::from(texts);
        let known: Numbers<'_> = &|set, column, keys, fields| {
            assert_eq!(column.len(), known.len());
            shape_numbers_with(set, &known, keys, fields)
        };
        prop_assert_eq!(compare_numbers(known, &column, &keys()), Ok(()));
    }
}
