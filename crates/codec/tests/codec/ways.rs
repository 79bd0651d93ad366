//! The short ways into the rows lead where the long one does: for webhooks, sends and protobuf of
//! any form, whole and damaged.

use proptest::prelude::*;
use turnwise_codec::{DeadLetterNote, Decoder, Format, RecordCounts, encode};
use turnwise_model::{Keys, Origin, Secret};

use crate::common::wild::{Choices, write};
use crate::common::{Batch, comparable, put};

fn keys() -> Keys {
    Keys::expand(&Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough"))
}

/// What came of records: counts, rows, dead letters, and unknown fields.
type Output = (Vec<RecordCounts>, Vec<Batch>, Vec<DeadLetterNote>, Vec<(&'static str, u64)>);

fn output(mut decoder: Decoder, format: Format, records: &[Vec<u8>]) -> Output {
    let counts = records
        .iter()
        .zip(0..)
        .map(|(record, offset)| put(&mut decoder, offset, format, record))
        .collect();
    let unknown = decoder.unknown_fields().collect();
    (counts, comparable(decoder.finish()), decoder.take_dead_letters(), unknown)
}

/// Both ways give the same rows; a third reader says what is JSON at all.
fn check(format: Format, record: &[u8]) {
    let records = [record.to_vec()];
    let short = output(Decoder::new(keys()), format, &records);
    let long = output(Decoder::by_meaning(keys()), format, &records);
    let shown = String::from_utf8_lossy(record);
    assert_eq!(short, long, "{shown}");
    // Hashing or not, the same rows are counted.
    let measured = output(Decoder::without_hashing(keys()), format, &records);
    assert_eq!(measured.0, long.0, "{shown}");
    let is_json = matches!(format, Format::CloudApi | Format::Send);
    if is_json && serde_json::from_slice::<serde::de::IgnoredAny>(record).is_err() {
        let why = short.2.first().map(|note| note.reason.name());
        let refused =
            ["invalid_json", "invalid_utf8", "empty", "nested_too_deep", "record_too_large"];
        let lone =
            shown.contains("\\u") || shown.starts_with('\u{feff}') || record.first() == Some(&0);
        // Of several lines each is read alone, and the first may be JSON.
        let mut lines = shown.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next().map(serde_json::from_str::<serde::de::IgnoredAny>);
        let lone = lone || matches!(first, Some(Ok(_))) && lines.next().is_some();
        assert!(lone || why.is_some_and(|why| refused.contains(&why)), "{why:?} {shown}");
    }
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(any::<u8>(), 0..60),
        4 => prop::collection::vec(any::<u8>(), 0..600),
    ]
}

/// What is changed in the bytes of a record.
type Edit = (prop::sample::Index, usize, Vec<u8>);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let byte = prop_oneof![
        prop::sample::select(b"\"\\{}[]:, \n0-9eE.u\x00\x1f\x7f\x80\xc3\xff".to_vec()),
        any::<u8>(),
    ];
    prop::collection::vec(
        (any::<prop::sample::Index>(), 0_usize..4, prop::collection::vec(byte, 0..3)),
        1..3,
    )
}

fn edit(bytes: &mut Vec<u8>, edits: Vec<Edit>) {
    for (at, length, with) in edits {
        let from = at.index(bytes.len() + 1);
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, with);
    }
}

/// The bytes of the events that a format can carry.
fn carried(format: Format, events: &[encode::Event]) -> Vec<u8> {
    let encoder = match format {
        Format::Send => encode::send,
        _ => encode::webhook,
    };
    let events: Vec<_> = events
        .iter()
        .filter(|event| encoder(std::slice::from_ref(event)).is_some())
        .cloned()
        .collect();
    encoder(&events).unwrap_or_else(|| b"{}".to_vec())
}

/// The same webhook with its handovers as the platform sends them: each alone, with a time of its
/// own, and its number where `in_recipient` says.
fn with_bare_handovers(record: &[u8], in_recipient: bool) -> Vec<u8> {
    let mut tree: serde_json::Value = serde_json::from_slice(record).expect("JSON");
    for entry in tree["entry"].as_array_mut().into_iter().flatten() {
        let time = entry["time"].to_string();
        for change in entry["changes"].as_array_mut().into_iter().flatten() {
            let Some(value) = change["value"].as_object_mut() else { continue };
            let Some(list) = value.remove("messaging_handovers") else { continue };
            value.extend(
                list[0].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())),
            );
            value.insert("timestamp".to_owned(), time.clone().into());
            if in_recipient && let Some(metadata) = value.remove("metadata") {
                value.insert("recipient".to_owned(), metadata);
            }
        }
    }
    serde_json::to_vec(&tree).expect("JSON")
}

/// What else writers put into a change.
#[derive(Clone, Copy, Debug)]
enum Twist {
    /// The number that wrote its first message is the business's own.
    Own(&'static str, &'static str),
    /// Its echoes are called messages.
    Renamed,
    /// A contact.
    Contact(&'static str, &'static str),
    /// A status beside what it holds.
    Status(&'static str),
    /// Who made its echoes.
    Made(&'static str),
    /// The role of an app.
    Role(&'static str),
    /// Its echoes are for the business's own number.
    ToOwn(&'static str),
    /// Its contacts are of a group.
    Group,
    /// Its first message stands alone.
    Alone,
    /// Its statuses name their people elsewhere.
    Inside,
    /// The account is the number of the person whom it names first, with this behind it.
    Chat(&'static str),
    /// Two contacts, of a number that is like that of its first message, and of that very number.
    Alike,
    /// Groups and referrals are there and empty.
    Empty,
    /// Its echoes name their people as requests do.
    Addressed,
    /// Its first message tells of another number.
    Renumbered,
    /// A list in which others than items name people.
    Listed(&'static str),
}

fn twist() -> impl Strategy<Value = Twist> {
    use Twist as T;
    prop_oneof![
        (
            prop::sample::select(vec!["", "+", "+ (", " -"]),
            prop::sample::select(vec!["display_phone_number", "phone_number_id"]),
        )
            .prop_map(|(before, key)| T::Own(before, key)),
        Just(T::Renamed),
        prop::sample::select(vec![
            ("16505551234", "US.7"),
            ("", "US.7"),
            ("15550783881", ""),
            ("16505551234", "")
        ])
        .prop_map(|(phone, user)| T::Contact(phone, user)),
        prop::sample::select(vec!["", "US.7", "US.8"]).prop_map(T::Status),
        prop::sample::select(vec!["created_by_1p_bot", "created_by_app", "Created"])
            .prop_map(T::Made),
        prop::sample::select(vec!["META_AI", "meta_business_agent", "Utility", "nobody"])
            .prop_map(T::Role),
        prop::sample::select(vec!["display_phone_number", "phone_number_id"]).prop_map(T::ToOwn),
        Just(T::Group),
        Just(T::Alone),
        Just(T::Inside),
        prop::sample::select(vec!["", "@s.whatsapp.net", "@lid"]).prop_map(T::Chat),
        Just(T::Alike),
        Just(T::Empty),
        Just(T::Addressed),
        Just(T::Renumbered),
        prop::sample::select(vec!["user_preferences", "calls", "groups"]).prop_map(T::Listed),
    ]
}

/// The number of the person whom a value names first.
fn person(value: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    let first = |list: &str, key: &str| value.get(list).and_then(|list| list[0][key].as_str());
    let sender = || value.get("sender").and_then(|sender| sender["phone_number"].as_str());
    let named = first("messages", "from").or_else(|| first("statuses", "recipient_id"));
    let system = || value.get("messages").and_then(|list| list[0]["system"]["wa_id"].as_str());
    let named = named.or_else(|| first("message_echoes", "to")).or_else(sender);
    let named = named.or_else(|| first("message_echoes", "recipient")).or_else(system);
    let named = named.or_else(|| first("user_preferences", "wa_id"));
    named.map(str::to_owned)
}

/// The same webhook with twists in all its changes.
fn twisted(record: &[u8], twists: &[Twist]) -> Vec<u8> {
    let mut tree: serde_json::Value = serde_json::from_slice(record).expect("JSON");
    for entry in tree["entry"].as_array_mut().into_iter().flatten() {
        let mut chat = None;
        for change in entry["changes"].as_array_mut().into_iter().flatten() {
            let Some(value) = change["value"].as_object_mut() else { continue };
            for twist in twists {
                if let Twist::Chat(behind) = twist {
                    chat = person(value).map(|number| format!("{number}{behind}")).or(chat);
                }
                apply(*twist, value);
            }
        }
        if let Some(chat) = chat {
            entry["id"] = chat.into();
        }
    }
    serde_json::to_vec(&tree).expect("JSON")
}

fn apply(twist: Twist, value: &mut serde_json::Map<String, serde_json::Value>) {
    let put = |list: Option<&mut serde_json::Value>, key: &str, with: &str| {
        let items = list.and_then(|list| list.as_array_mut()).into_iter().flatten();
        items.filter_map(|item| item.as_object_mut()).for_each(|item| {
            item.insert(key.to_owned(), with.into());
        });
    };
    match twist {
        Twist::Own(before, key) => {
            let from = value.get("messages").and_then(|list| list[0]["from"].as_str());
            let Some(shown) = from.map(|from| format!("{before}{from}")) else { return };
            value["metadata"][key] = shown.into();
        }
        Twist::Renamed => {
            let Some(echoes) = value.remove("message_echoes") else { return };
            value.insert("messages".to_owned(), echoes);
        }
        Twist::Contact(phone, user) => {
            let mut contact = serde_json::Map::new();
            for (key, id) in [("wa_id", phone), ("user_id", user)] {
                if !id.is_empty() {
                    contact.insert(key.to_owned(), id.into());
                }
            }
            value.insert("contacts".to_owned(), serde_json::json!([contact]));
            value.remove("sender");
        }
        Twist::Status(user) => {
            let status = serde_json::json!({
                "id": "w", "status": "read", "timestamp": "1794096147", "recipient_user_id": user
            });
            value.insert("statuses".to_owned(), serde_json::json!([status]));
        }
        Twist::Made(by) => put(value.get_mut("message_echoes"), "message_creation_type", by),
        Twist::Role(role) => {
            let passed = value.get_mut("control_passed").and_then(|passed| passed.as_object_mut());
            passed.map(|passed| passed.insert("previous_owner_app_role".to_owned(), role.into()));
        }
        Twist::ToOwn(key) => {
            let own = value.get("metadata").and_then(|number| number.get(key)?.as_str());
            let own = own.unwrap_or_default().to_owned();
            put(value.get_mut("message_echoes"), "to", &own);
        }
        Twist::Group => put(value.get_mut("contacts"), "group_id", "g"),
        Twist::Alone => {
            let Some(messages) = value.remove("messages") else { return };
            value.insert("message".to_owned(), messages[0].clone());
        }
        Twist::Inside => {
            let statuses = value.get_mut("statuses").and_then(|list| list.as_array_mut());
            for status in statuses.into_iter().flatten().filter_map(|item| item.as_object_mut()) {
                let Some(person) = status.remove("recipient_id") else { continue };
                status.insert("message".to_owned(), serde_json::json!({"recipient_id": person}));
            }
        }
        Twist::Chat(_) => {}
        Twist::Addressed => {
            let echoes = value.get_mut("message_echoes").and_then(|list| list.as_array_mut());
            for echo in echoes.into_iter().flatten().filter_map(|item| item.as_object_mut()) {
                let Some(person) = echo.remove("to") else { continue };
                echo.insert("recipient".to_owned(), person);
            }
        }
        Twist::Renumbered => {
            let first = value.get_mut("messages").and_then(|list| list.get_mut(0));
            let Some(message) = first.and_then(|item| item.as_object_mut()) else { return };
            let Some(person) = message.remove("from") else { return };
            let system = serde_json::json!({"type": "user_changed_number", "wa_id": person});
            message.insert("system".to_owned(), system);
            message.insert("type".to_owned(), "system".into());
        }
        Twist::Listed(list) => {
            let person = serde_json::json!({"wa_id": "16505551234", "from": "16505551234"});
            value.insert(list.to_owned(), serde_json::json!([person]));
        }
        Twist::Alike => {
            let from = value.get("messages").and_then(|list| list[0]["from"].as_str());
            let Some(from) = from.filter(|from| from.len() > 2 && from.is_ascii()) else { return };
            let (country, rest) = from.split_at(2);
            let contacts = serde_json::json!([
                {"wa_id": format!("{country}9{rest}"), "user_id": "US.7"},
                {"wa_id": from, "user_id": "US.8"},
            ]);
            value.insert("contacts".to_owned(), contacts);
        }
        Twist::Empty => {
            put(value.get_mut("statuses"), "group_id", "");
            let messages = value.get_mut("messages").and_then(|list| list.as_array_mut());
            for message in messages.into_iter().flatten().filter_map(|item| item.as_object_mut()) {
                message.insert("referral".to_owned(), serde_json::json!({}));
            }
        }
    }
}

/// Whether an event is one that the short way of webhooks takes where nothing about it is unusual.
fn is_live(event: &encode::Event) -> bool {
    match &event.what {
        encode::What::Message(message) => matches!(message.origin, Origin::Live | Origin::App),
        encode::What::Status(status) => status.origin == Origin::Live,
        encode::What::Account(account) => account.field == "messaging_handovers",
        encode::What::Ignored(_) => false,
    }
}

/// The same webhook with all changes in its first entry.
fn with_one_entry(record: &[u8]) -> Vec<u8> {
    let mut tree: serde_json::Value = serde_json::from_slice(record).expect("JSON");
    let Some(entries) = tree["entry"].as_array_mut() else { return record.to_vec() };
    let changes = entries.iter().filter_map(|entry| entry["changes"].as_array());
    let all: Vec<_> = changes.flatten().cloned().collect();
    entries.truncate(1);
    entries.iter_mut().for_each(|entry| entry["changes"] = all.clone().into());
    serde_json::to_vec(&tree).expect("JSON")
}

/// A known layout, then the same with the account's number in some spelling where nobody asks.
#[test]
fn account_in_any_spelling_is_known_on_both_ways() {
    let record = |entries: usize, spelled: &str| {
        let entry = format!(
            r#"{{"id":"4915112345678","changes":[{{"field":"messages","value":{{
                "metadata":{{"display_phone_number":"15550783881","phone_number_id":"1061"}},
                "contacts":[{{"profile":{{"name":{spelled}}},"wa_id":"16505551234"}}],
                "messages":[{{"from":"16505551234","id":"wamid.A","timestamp":"1780000000",
                    "type":"text","text":{{"body":"hi"}}}}]}}}}]}}"#
        );
        format!(r#"{{"entry":[{}]}}"#, vec![entry; entries].join(",")).into_bytes()
    };
    let spellings = [
        r#""+49 151 1234-5678""#,
        r#""49151123\u00345678""#,
        r#""0049/151/12345678""#,
        r#""4915112345678:12@s.whatsapp.net""#,
        r#""4915112345678-1612345678@g.us""#,
        r#""whatsapp:+4915112345678""#,
        r#""4915112345678:x""#,
        r#""4915112_345678""#,
        r#""(4915112) 345678)""#,
        r#""+49 151 1234‑5678""#,
        r#""4915112345678.0""#,
        "4.915112345678e12",
        "4915112345678.0",
        r#""me@example.org""#,
        r#""Zoë 4915112345678""#,
        r#""नया 4915112345678""#,
    ];
    for entries in [1, 2] {
        let usual = record(entries, r#""Sam""#);
        let records: Vec<_> = spellings.map(|spelled| record(entries, spelled)).to_vec();
        for one in &records {
            check(Format::CloudApi, one);
            let both = [usual.clone(), one.clone()];
            let [short, long] = [Decoder::new(keys()), Decoder::by_meaning(keys())]
                .map(|decoder| output(decoder, Format::CloudApi, &both));
            assert_eq!(short, long, "{}", String::from_utf8_lossy(one));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn json_of_any_form_gives_the_same_rows(
        events in crate::common::events(),
        send in prop::bool::weighted(0.4),
        bare in prop::option::of(any::<bool>()),
        twists in prop::collection::vec(twist(), 0..3),
        choices in choices(),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let format = if send { Format::Send } else { Format::CloudApi };
        let mut record = carried(format, &events);
        if let Some(in_recipient) = bare.filter(|_| !send) {
            record = with_bare_handovers(&record, in_recipient);
        }
        if !send {
            record = twisted(&record, &twists);
        }
        let tree = serde_json::from_slice(&record).expect("JSON");
        let mut text = String::new();
        write(&tree, &mut Choices::new(&choices), &mut text);
        let mut bytes = text.into_bytes();
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() + 1));
        }
        check(format, &bytes);
        check(Format::Auto, &bytes);
    }

    #[test]
    fn damaged_json_gives_the_same_rows(
        events in prop::collection::vec(crate::common::event(), 1..3),
        send in prop::bool::weighted(0.4),
        choices in choices(),
        edits in edits(),
    ) {
        let format = if send { Format::Send } else { Format::CloudApi };
        let tree = serde_json::from_slice(&carried(format, &events)).expect("JSON");
        let mut text = String::new();
        write(&tree, &mut Choices::new(&choices[..choices.len().min(30)]), &mut text);
        let mut bytes = text.into_bytes();
        edit(&mut bytes, edits);
        check(format, &bytes);
        check(Format::Auto, &bytes);
        let body = String::from_utf8_lossy(&bytes);
        let request = serde_json::json!({"headers": {}, "body": body}).to_string();
        check(Format::Auto, request.as_bytes());
        check(Format::Auto, &[&bytes[..], b"\n", &bytes].concat());
    }

    #[test]
    fn records_after_each_other_give_the_same_rows(
        events in prop::collection::vec(crate::common::event(), 2..20),
        edits in edits(),
    ) {
        // Layouts of the first are known when the others come, whole and damaged.
        let mut records = Vec::new();
        for event in events {
            for format in [Format::CloudApi, Format::Send] {
                let mut record = carried(format, std::slice::from_ref(&event));
                if format == Format::CloudApi {
                    record = with_bare_handovers(&record, records.len() % 8 == 0);
                }
                let mut damaged = record.clone();
                edit(&mut damaged, edits.clone());
                records.extend([record, damaged]);
            }
        }
        let shown = || String::from_utf8_lossy(&records.concat()).into_owned();
        for format in [Format::CloudApi, Format::Send, Format::Auto] {
            let short = output(Decoder::new(keys()), format, &records);
            let long = output(Decoder::by_meaning(keys()), format, &records);
            prop_assert!(short == long, "{format} {}", shown());
        }
    }

    #[test]
    fn changes_of_known_layouts_give_the_same_rows(
        events in prop::collection::vec(crate::common::event(), 6..20),
        picks in prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 1..5), any::<bool>()), 2..12),
        twists in prop::collection::vec(prop::option::of(twist()), 12),
        edits in edits(),
    ) {
        // Records of few changes in all orders: most changes were seen before, in other company.
        let usual: Vec<_> = events.into_iter().filter(is_live).collect();
        prop_assume!(!usual.is_empty());
        let mut records = Vec::new();
        for ((picked, in_one_entry), twist) in picks.into_iter().zip(twists) {
            let picked: Vec<_> = picked.iter().map(|index| index.get(&usual).clone()).collect();
            let mut record = with_bare_handovers(&carried(Format::CloudApi, &picked), in_one_entry);
            if in_one_entry {
                record = with_one_entry(&record);
            }
            record = twisted(&record, twist.as_slice());
            let mut damaged = record.clone();
            edit(&mut damaged, edits.clone());
            records.extend([record, damaged]);
        }
        let shown = || String::from_utf8_lossy(&records.concat()).into_owned();
        let short = output(Decoder::new(keys()), Format::CloudApi, &records);
        let long = output(Decoder::by_meaning(keys()), Format::CloudApi, &records);
        prop_assert!(short == long, "{}", shown());
    }

    #[test]
    fn damaged_protobuf_gives_the_same_rows(events in crate::common::events(), edits in edits()) {
        let mut bytes = encode::protobuf(&events);
        check(Format::Protobuf, &bytes);
        edit(&mut bytes, edits);
        check(Format::Protobuf, &bytes);
    }
}
