//! The columns against one text at a time, and the rules of every column.

use std::hash::Hasher as _;

use proptest::prelude::*;
use turnwise_model::Script;
use turnwise_model::codes::text_bits as bits;
use turnwise_model::keys::Secret;
use turnwise_model::limits::{SKELETON_CHARS_MAX, TEXT_BYTES_MAX, TEXT_TOKENS_MAX};
use turnwise_model::schema;

use super::*;

pub(super) fn keys() -> Keys {
    Keys::expand(&Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough"))
}

fn one(text: &str) -> Shape {
    shape_one(text.as_bytes(), &keys())
}

fn has(text: &str, bit: i32) -> bool {
    one(text).text_bits & bit != 0
}

fn hash(tag: u8, text: &str) -> u64 {
    let mut hasher = keys().text_hasher();
    hasher.write(&[tag]);
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// The tokens of a text are the hashes of exactly these.
fn check_tokens(text: &str, tokens: &[&str]) {
    let mut expected: Vec<u32> = tokens.iter().map(|token| hash(b't', token) as u32).collect();
    expected.sort_unstable();
    expected.dedup();
    expected.truncate(TEXT_TOKENS_MAX);
    assert_eq!(one(text).tokens.as_slice(), expected, "{text}");
}

fn check_mask(text: &str, masked: &str) {
    let expected = hash(b's', masked).cast_signed();
    assert_eq!(one(text).skeleton, expected, "{text} → {}", scalar::masked(text, &keys()));
}

#[test]
fn words_are_letter_runs_digit_runs_and_half_of_bigram_runs() {
    for (text, words) in [
        ("", 0),
        ("one two  three", 3),
        ("it's 24 hours", 4),
        ("a1b", 3),
        ("cafe\u{301} नमस्ते मित्र", 3),
        ("日本語", 2),
        ("東京タワー", 3),
        ("我爱Rust语言", 3),
        ("한국어 공부", 3),
        ("สวัสดีครับ", 5),
        ("...", 0),
        ("!?", 0),
    ] {
        assert_eq!(one(text).words, words, "{text}");
    }
}

#[test]
fn characters_bytes_and_lines_are_counted() {
    for (text, chars, lines) in
        [("", 0, 0), ("a", 1, 1), ("a\n", 2, 1), ("a\nb", 3, 2), ("\n\n", 2, 2), ("é😀", 2, 1)]
    {
        let shape = one(text);
        assert_eq!((shape.chars, shape.lines), (chars, lines), "{text:?}");
        assert_eq!(shape.bytes as usize, text.len());
    }
}

#[test]
fn script_is_that_of_most_letters_and_the_smallest_of_equals() {
    for (text, script) in [
        ("", Script::None),
        ("123 !", Script::None),
        ("hello мир", Script::Latin),
        ("ok приветик", Script::Cyrillic),
        ("ab яю", Script::Latin),
        ("漢字かな", Script::Han),
        ("コーヒー", Script::Kana),
        ("안녕", Script::Hangul),
        ("வணக்கம்", Script::OtherIndic),
        ("ሰላም", Script::Ethiopic),
    ] {
        assert_eq!(one(text).script, script.code(), "{text}");
    }
}

#[test]
fn question_marks_of_every_script_count() {
    for text in ["why?", "吗？", "لماذا؟", "ինչու՞", "ለምን፧", "Τι κάνεις;", "α;β", "ναι· όχι"]
    {
        assert!(has(text, bits::QUESTION), "{text}");
    }
    for text in ["a; b", "why", "α; b", "; α", "·", "x·y", "да; нет"] {
        assert!(!has(text, bits::QUESTION), "{text}");
    }
}

#[test]
fn digits_only_are_codes_amounts_and_dates() {
    for text in [
        "482913",
        "$45.00",
        "12 kg",
        "24/11/2026",
        "10:30 am",
        "€ 1.200,50",
        "+49 170 1234567",
        "12 Jan 2026",
        "2026年11月24日",
        "500円",
        "١٢٣",
        "3rd",
        "AB12",
        "G-482913 B7",
        "R$ 50,00",
        "5 кг",
        "100 บาท",
    ] {
        assert!(has(text, bits::DIGITS), "{text}");
    }
    for text in ["", "...", "kg", "room 12", "5 👍", "12 apples", "买3个苹果", "one"] {
        assert!(!has(text, bits::DIGITS), "{text}");
    }
}

#[test]
fn open_ended_is_an_opener_or_a_long_question_and_no_greeting() {
    for text in ["write a poem", "is my room on a high floor?", "Hi, what is love", "请问几点开门"]
    {
        assert!(has(text, bits::OPEN_ENDED), "{text}");
    }
    for text in ["on Monday?", "how are you?", "12:30?", "my order is late", "ok thanks"] {
        assert!(!has(text, bits::OPEN_ENDED), "{text}");
    }
}

#[test]
fn url_markdown_list_and_code_bits_are_set() {
    assert!(has("see www.example.org", bits::URL));
    assert!(has("a@b.org and https://x.org", bits::URL));
    assert!(!has("mail a@b.org", bits::URL));
    assert!(has(&format!("{} https://x.org", "word ".repeat(100)), bits::URL));
    assert!(has("**bold**", bits::MARKDOWN));
    assert!(has("- a\n- b", bits::LIST));
    assert!(has("```rust\nx\n```", bits::CODE));
    assert_eq!(one("plain words").text_bits, 0);
}

#[test]
fn tokens_are_long_words_and_pairs_in_bigram_scripts() {
    check_tokens("The QUICK brown fox quick", &["quick", "brown"]);
    check_tokens("cafe\u{301}", &["cafe\u{301}"]);
    check_tokens("ПРИВЕТ мир", &["привет"]);
    check_tokens("今天天气", &["今天", "天天", "天气"]);
    check_tokens("漢字です。中", &["漢字", "です"]);
    check_tokens("ที่", &["ที", "ี่"]);
    check_tokens("four 12345 ab", &[]);
    check_tokens("我love爱你", &["爱你"]);
    check_tokens("İstanbul", &["i\u{307}stanbul"]);
}

#[test]
fn at_most_sixteen_tokens_are_kept() {
    let words: Vec<String> =
        (0..40_u8).map(|at| format!("word{}", char::from(b'a' + at % 26)).repeat(2)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    check_tokens(&words.join(" "), &words);
    assert_eq!(one(&words.join(" ")).tokens.as_slice().len(), TEXT_TOKENS_MAX);
}

#[test]
fn mask_takes_fillings_out() {
    for (text, masked) in [
        ("Your order 12345 ships.", "your order 0 ships."),
        ("Total: $1,234.50 on 24/11/2026 at 10:30", "total: $0 on 0 at 0"),
        ("Hello John Smith, welcome", "hello n n, welcome"),
        ("Thanks. See Anna soon", "thanks. see n soon"),
        ("first line\nSecond line", "first line second line"),
        ("see https://x.org/a?b=1 or mail me@x.org.", "see u or mail e."),
        ("Great 😀👍🏽 work ❤️ today", "great work today"),
        ("  a \t\n b  ", "a b"),
        ("😀 Hello", "hello"),
        ("room 12.", "room 0."),
        ("room 12. Next", "room 0. next"),
        ("«Привет» сказал Иван", "«привет» сказал n"),
        ("订单123已发货，见https://x.cn/1谢谢", "订单0已发货，见u谢谢"),
        ("1️⃣ one", "0 one"),
        ("2️⃣0️⃣2️⃣6️⃣ 1️⃣.5 1.️5 1️’️5 1️⃣, 2️⃣.", "0 0 0 0 0, 0."),
        ("1️⃣.,5 1️a 1️⃣\u{200d}5", "0.,0 0a 00"),
        // A mark beside glue shows, and ends a number.
        ("1\u{301}\u{fe0f}2 ❤️\u{301} 1\u{fe0f}\u{301}.5", "0\u{301}0 \u{301} 0\u{301}.0"),
        ("", ""),
    ] {
        check_mask(text, masked);
    }
}

#[test]
fn mask_ends_after_two_hundred_characters() {
    let long = "ab ".repeat(200);
    check_mask(&long, &long[..SKELETON_CHARS_MAX]);
    assert_eq!(one(&long).skeleton, one(&format!("{long} other end 5")).skeleton);
    check_mask(&"é".repeat(300), &"é".repeat(SKELETON_CHARS_MAX));
}

#[test]
fn bucket_is_of_the_bytes_as_they_came() {
    assert_eq!(one("abc").text_bucket, (hash(b'b', "abc") & 63) as i32);
    assert_ne!(one("Abc").text_bucket, one("abc").text_bucket);
}

#[test]
fn invalid_utf8_is_read_as_lossy() {
    let keys = keys();
    for bytes in [&b"ab\xffcd"[..], b"\xf0\x9f\x98", b"\xe4\xb8 word\xc3(", b"\xed\xa0\x80"] {
        let lossy = String::from_utf8_lossy(bytes);
        let (raw, repaired) = (shape_one(bytes, &keys), one(&lossy));
        assert_eq!(raw.bytes as usize, bytes.len());
        let Shape { bytes, text_bucket, .. } = raw;
        assert_eq!(raw, Shape { bytes, text_bucket, ..repaired });
    }
}

#[test]
fn of_a_text_beyond_the_limit_only_the_first_bytes_are_read() {
    let long = "é".repeat(TEXT_BYTES_MAX);
    let shape = one(&long);
    assert_eq!(shape.bytes as usize, long.len());
    assert_eq!(shape.chars as usize, TEXT_BYTES_MAX / 2);
    let shifted = one(&format!("a{long}"));
    assert_eq!(shifted.chars as usize, TEXT_BYTES_MAX / 2);
    assert_eq!(shape_one(&vec![0x80; TEXT_BYTES_MAX + 9], &keys()).chars as usize, TEXT_BYTES_MAX);
}

#[test]
fn null_text_is_null_everywhere_and_empty_text_is_not() {
    let texts = BinaryArray::from_opt_vec(vec![Some(b"hello"), None, Some(b"")]);
    let columns = shape(&texts, &keys());
    for nulls in [
        columns.numbers.bytes.nulls(),
        columns.numbers.chars.nulls(),
        columns.numbers.words.nulls(),
        columns.numbers.lines.nulls(),
        columns.numbers.script.nulls(),
        columns.numbers.text_bits.nulls(),
        columns.tokens.nulls(),
        columns.skeleton.nulls(),
        columns.numbers.text_bucket.nulls(),
    ] {
        let nulls = nulls.expect("has nulls");
        assert_eq!((nulls.is_null(0), nulls.is_null(1), nulls.is_null(2)), (false, true, false));
    }
    assert_eq!(columns.tokens.data_type(), &schema::tokens_type());
    assert_eq!(columns.tokens.value_length(2), 0);
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
            "\u{fe0f}",
            "\u{20e3}",
            "\u{301}",
            "7",
            "’",
            "-",
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

proptest! {
    #[test]
    fn any_bytes_have_a_shape_within_its_bounds(text in text()) {
        let shape = shape_one(&text, &keys());
        let tokens = shape.tokens.as_slice();
        prop_assert!(tokens.len() <= TEXT_TOKENS_MAX);
        prop_assert!(tokens.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert_eq!(shape.chars as usize, String::from_utf8_lossy(&text).chars().count());
        prop_assert!(shape.words <= shape.chars && shape.lines <= shape.chars);
        prop_assert!(Script::from_code(shape.script).is_some());
        prop_assert!((0..64).contains(&shape.text_bucket));
        let masked = scalar::masked(&String::from_utf8_lossy(&text), &keys());
        prop_assert!(masked.chars().count() <= SKELETON_CHARS_MAX);
        prop_assert!(!masked.starts_with(' ') && !masked.contains("  "));
    }
}
