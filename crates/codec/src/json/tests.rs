use proptest::prelude::*;

use super::*;

/// The tape as a tree of serde_json, to compare the two.
fn tree(value: Value<'_>) -> serde_json::Value {
    use serde_json::Value as Tree;
    match value.kind() {
        Kind::Null => Tree::Null,
        Kind::True => Tree::Bool(true),
        Kind::False => Tree::Bool(false),
        Kind::Number => serde_json::from_str(value.raw()).expect("a number"),
        Kind::String => Tree::String(value.string().expect("a string").into_owned()),
        Kind::Array => Tree::Array(value.items().map(tree).collect()),
        Kind::Object => {
            let mut map = serde_json::Map::new();
            let mut at = value.at + 1;
            while at < value.tape[value.at as usize].next {
                let key = Value { at, ..value }.string().expect("a key").into_owned();
                let inner = Value { at: at + 1, ..value };
                map.insert(key, tree(inner));
                at = inner.tape[inner.at as usize].next;
            }
            Tree::Object(map)
        }
    }
}

/// Both read the same tree, or neither reads it. What serde_json alone refuses: numbers out of
/// a double's range and lone surrogates.
fn check(text: &str) {
    let mut tape = Tape::default();
    match (tape.parse(text), serde_json::from_str::<serde_json::Value>(text)) {
        (Ok(ours), Ok(theirs)) => assert_eq!(tree(ours), theirs),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => {
            let message = error.to_string();
            assert!(
                message.starts_with("number out of range")
                    || message.starts_with("lone leading surrogate")
                    || message.starts_with("unexpected end of hex escape"),
                "only we read it: {message}"
            );
        }
        (Err(error), Ok(_)) => {
            assert_eq!(error.fault, JsonFault::TooDeep, "only they read it: byte {}", error.at);
        }
    }
}

#[test]
fn tape_reads_what_a_full_parser_reads() {
    for text in [
        "",
        " ",
        "null",
        "tru",
        "true",
        "[",
        "[]",
        "[1,]",
        "[1 2]",
        "{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1}}",
        "01",
        "-",
        "-0",
        "1.",
        "1.5e",
        "1.5e+3",
        "\"\\u00e9\\n\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\x\"",
        "\"a\nb\"",
        "{\"a\":1,\"a\":2}",
        "{\"\\u0061\":[{},[],\"\"]}",
        "[1]]",
        "]",
        "}",
        ",",
        "{,}",
        "{1:2}",
        "[{]}",
        "nul",
        "\u{feff}1",
        "\"\u{10ffff}\"",
        " \t\r\n[ 1 , { \"k\" : null } ] ",
    ] {
        check(text);
    }
}

#[test]
fn last_of_two_keys_counts_and_null_is_absent() {
    let mut tape = Tape::default();
    let root = tape.parse(r#"{"a":1,"b":null,"\u0061":{"c":"x"}}"#).expect("JSON");
    assert_eq!(root.at(&["a", "c"]).and_then(Value::string).as_deref(), Some("x"));
    assert!(root.get("b").is_none() && root.get_or_null("b").is_some());
}

#[test]
fn objects_of_one_key_are_told() {
    let has_one = |text: &str| Tape::default().parse(text).expect("JSON").has_one_key();
    for one in [r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":[1,{"b":2,"c":{}}]}"#, r#"{"a":{}}"#] {
        assert!(has_one(one), "{one}");
    }
    for other in ["{}", "[1]", "7", r#"{"a":1,"b":2}"#, r#"{"a":1,"a":1}"#, r#"{"a":{},"b":{}}"#] {
        assert!(!has_one(other), "{other}");
    }
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let mut tape = Tape::default();
    let deep = "[".repeat(1_000_000);
    assert_eq!(tape.parse(&deep).expect_err("too deep").fault, JsonFault::TooDeep);
    let limit = turnwise_model::limits::JSON_DEPTH_MAX;
    let fits = "[".repeat(limit) + &"]".repeat(limit);
    assert!(tape.parse(&fits).is_ok());
}

#[test]
fn value_keeps_its_own_bytes() {
    let mut tape = Tape::default();
    let root = tape.parse(r#"[ {"a" : "\n"} , -1.50 ]"#).expect("JSON");
    let raws: Vec<&str> = root.items().map(Value::raw).collect();
    assert_eq!(raws, [r#"{"a" : "\n"}"#, "-1.50"]);
}

fn any_tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::Bool),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(serde_json::Value::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            prop::collection::vec((".{0,4}", inner), 0..6)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

#[test]
fn a_huge_text_gives_its_memory_back() {
    let text = format!("[{}1]", "1,".repeat(2 * NODES_KEPT_MAX));
    let mut tape = Tape::default();
    tape.parse(&text).expect("JSON");
    tape.clear();
    assert!(tape.nodes.capacity() <= NODES_KEPT_MAX);
}

proptest! {
    #[test]
    fn trees_read_back(tree in any_tree(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) };
        check(&text.expect("writes"));
    }

    #[test]
    fn mutated_trees_read_alike(tree in any_tree(), at in any::<prop::sample::Index>(), with in "[\\[\\]{}:,\"\\\\u0-9a-f .eE+-]{0,3}", cut in any::<bool>()) {
        let text = serde_json::to_string(&tree).expect("writes");
        let mut place = at.index(text.len() + 1);
        while !text.is_char_boundary(place) { place -= 1; }
        let rest = if cut { "" } else { &text[place..] };
        check(&format!("{}{with}{rest}", &text[..place]));
    }

    #[test]
    fn soup_reads_alike(text in "[\\[\\]{}:,\"\\\\ntrufalse0-9 .eE+-]{0,24}") {
        check(&text);
    }
}
