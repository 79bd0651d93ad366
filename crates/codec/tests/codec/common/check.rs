//! What must hold of any bytes: the checks of the fuzz targets, of their seeds and of what they
//! found. Nothing of this folder is used here, so that `fuzz` can include this file alone.
//!
//! Bytes become rows or dead letters. The straight way says what the full one says, also the second
//! time, when the layout of a webhook is known. Neighbours are as they are alone: records before and
//! after, and items of the same record.

use arrow_array::RecordBatch;
use turnwise_codec::RecordCounts;
use turnwise_codec::encode::{self, Event, Message, Person, Text, What};
use turnwise_codec::{DeadLetterNote, Decoder, FORMATS, Format, Headers, RecordContext};
use turnwise_model::{Day, Direction, EventKind, Keys, MessageKind, Millis, Offset, Origin};
use turnwise_model::{PartitionId, Secret, SourceName, schema::column};

/// 2026-11-08T12:00:00Z.
const NOW: Millis = Millis(1_794_139_200_000);

/// A check of any bytes.
pub type Check = fn(&[u8]);

/// The checks by the names of their targets.
pub const CHECKS: &[(&str, Check)] = &[
    ("webhook", webhook),
    ("send", send),
    ("protobuf", protobuf),
    ("form", form),
    ("cloudevents", cloudevents),
    ("envelope", envelope),
];

const HEAD: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"9","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"100"},"messages":["#;
const TAIL: &str = "]}}]}]}";
const ONE: &str = r#"{"from":"16505551234","id":"wamid.ONE","timestamp":"1794096147","type":"text","text":{"body":"One"}}"#;
const TWO: &str = r#"{"from":"16505551235","id":"wamid.TWO","timestamp":"1794096148","type":"text","text":{"body":"Two"}}"#;
const SEND: &str = r#"{"time":"2026-11-08T00:02:27.127Z","waba_id":"9","phone_number_id":"100","status":200,"request":{"to":"16505551234","type":"text","text":{"body":"Three"}},"response":{"messages":[{"id":"wamid.THREE"}]}}"#;

/// Webhooks of the Cloud API, and single messages of one.
pub fn webhook(bytes: &[u8]) {
    ways(Format::CloudApi, &[], bytes);
    among(
        Format::CloudApi,
        [HEAD.as_bytes(), ONE.as_bytes()],
        bytes,
        [TWO.as_bytes(), TAIL.as_bytes()],
    );
}

/// Records of sends.
pub fn send(bytes: &[u8]) {
    ways(Format::Send, &[], bytes);
    among(Format::Send, [b"[", SEND.as_bytes()], bytes, [SEND.as_bytes(), b"]"]);
}

/// Protobuf, and single items of it.
pub fn protobuf(bytes: &[u8]) {
    ways(Format::Protobuf, &[], bytes);
    let [one, two] =
        [event("wamid.ONE"), event("wamid.TWO")].map(|event| encode::protobuf(&[event]));
    let mut record = one.clone();
    // The item's field, a length, and the item.
    record.push(3 << 3 | 2);
    let mut length = bytes.len();
    while length >= 0x80 {
        record.push(length as u8 | 0x80);
        length >>= 7;
    }
    record.push(length as u8);
    record.extend_from_slice(bytes);
    record.extend_from_slice(&two);
    stand(Format::Protobuf, &[one, two].concat(), &record);
}

/// Forms.
pub fn form(bytes: &[u8]) {
    ways(Format::Twilio, &[], bytes);
    ways(Format::Auto, &[], bytes);
}

/// Events: with an even first byte in one JSON text, else with attributes in headers.
pub fn cloudevents(bytes: &[u8]) {
    let Some((mode, bytes)) = bytes.split_first() else { return };
    let kind: &[u8] =
        if mode & 2 == 0 { b"com.example.x" } else { b"com.twilio.messaging.message.sent" };
    let content: &[u8] = match mode >> 2 & 3 {
        0 => b"application/json",
        1 => b"application/x-www-form-urlencoded",
        2 => b"application/x-protobuf",
        _ => b"application/cloudevents+json",
    };
    let headers: Headers<'_> = &[
        (b"ce_specversion", Some(b"1.0")),
        (b"ce_type", Some(kind)),
        (b"ce_time", Some(b"2026-11-08T00:02:27.127Z")),
        (b"content-type", Some(content)),
    ];
    ways(Format::CloudEvents, if mode & 1 == 0 { &[] } else { headers }, bytes);
    listed(bytes);
}

/// Any format, the first byte's, and elements of a list that tell their formats themselves.
pub fn envelope(bytes: &[u8]) {
    let Some((format, bytes)) = bytes.split_first() else { return };
    ways(FORMATS[usize::from(*format) % FORMATS.len()].format, &[], bytes);
    listed(bytes);
}

fn listed(bytes: &[u8]) {
    let whole = |message: &str| format!("{HEAD}{message}{TAIL}").into_bytes();
    among(Format::Auto, [b"[", &whole(ONE)], bytes, [&whole(TWO), b"]"]);
}

fn event(id: &str) -> Event {
    let message = Message {
        id: id.to_owned(),
        origin: Origin::Live,
        direction: Direction::Inbound,
        kind: MessageKind::Text,
        interactive: None,
        text: Text::Body("One".to_owned()),
        voice: false,
        in_group: false,
        is_reply: false,
        has_referral: false,
        change: None,
    };
    Event {
        waba_id: "9".to_owned(),
        phone_number_id: "100".to_owned(),
        time: Some(Millis(1_794_096_147_000)),
        peer: Person { phone: "16505551234".to_owned(), user_id: String::new() },
        what: What::Message(message),
    }
}

/// What came of some records.
#[derive(Debug, PartialEq)]
struct Output {
    counts: Vec<RecordCounts>,
    batches: Vec<(EventKind, Day, RecordBatch)>,
    notes: Vec<DeadLetterNote>,
    unknown: Vec<(&'static str, u64)>,
}

fn decoded(way: fn(Keys) -> Decoder, records: &[(Format, Headers<'_>, &[u8])]) -> Output {
    let secret = Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough");
    let mut decoder = way(Keys::expand(&secret));
    let source = SourceName("fuzz".to_owned());
    let mut counts = Vec::new();
    for (nth, (format, headers, bytes)) in records.iter().enumerate() {
        let context = RecordContext {
            source: &source,
            partition: PartitionId(0),
            offset: Offset(nth as i64),
            record_time: None,
            read_time: NOW,
        };
        counts.push(decoder.decode_with_headers(*format, &context, headers, Some(bytes)));
    }
    let total: u64 = counts.iter().map(RecordCounts::total).sum();
    assert_eq!(decoder.rows() as u64, total, "rows are counted");
    let batches: Vec<_> =
        decoder.finish().into_iter().map(|batch| (batch.kind, batch.date, batch.rows)).collect();
    assert_eq!(batches.iter().map(|(_, _, rows)| rows.num_rows() as u64).sum::<u64>(), total);
    let unknown = decoder.unknown_fields().collect();
    Output { counts, batches, notes: decoder.take_dead_letters(), unknown }
}

/// A record between two others, and once more: the same by each way, and never nothing.
fn ways(format: Format, headers: Headers<'_>, bytes: &[u8]) {
    let neighbour = format!("{HEAD}{ONE},{TWO}{TAIL}");
    let beside = (Format::CloudApi, &[][..], neighbour.as_bytes());
    let records = [beside, (format, headers, bytes), (format, headers, bytes), beside];
    let straight = decoded(Decoder::new, &records);
    assert_eq!(straight, decoded(Decoder::by_meaning, &records));
    assert!(straight.counts.iter().all(|counts| counts.total() > 0), "something came of it");
    assert_eq!(straight.counts[1], straight.counts[2]);
    let two = RecordCounts { messages: 2, ..RecordCounts::default() };
    assert_eq!([straight.counts[0], straight.counts[3]], [two; 2], "records beside it");
}

/// Bytes that are JSON between two elements of a list are nothing to these.
fn among(format: Format, before: [&[u8]; 2], bytes: &[u8], after: [&[u8]; 2]) {
    if is_json(bytes) {
        let (before, after) = (before.concat(), after.concat());
        let alone = [&before[..], b",", &after].concat();
        stand(format, &alone, &[&before[..], b",", bytes, b",", &after].concat());
    }
}

/// Whether bytes are JSON that another text may hold.
fn is_json(bytes: &[u8]) -> bool {
    /// The envelope around it is nested, too.
    const DEPTH_MAX: usize = 40;
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    std::str::from_utf8(bytes).is_ok()
        && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// Every row of the record without the bytes in question is one of the record with them.
fn stand(format: Format, alone: &[u8], record: &[u8]) {
    let rows = |record| decoded(Decoder::new, &[(format, &[], record)]);
    let expected = rows(alone);
    assert_eq!(expected.counts[0].total(), 2, "two neighbours");
    assert_eq!(expected.counts[0].dead_letters, 0);
    let found = rows(record);
    assert!(found.counts[0].total() > 2 || format == Format::Protobuf, "something came of it");
    for row in single(&expected) {
        assert!(single(&found).any(|one| one == row), "a neighbour is not as alone");
    }
}

/// The rows one by one, without the columns that neighbours may change.
fn single(output: &Output) -> impl Iterator<Item = (EventKind, Day, RecordBatch)> {
    output.batches.iter().flat_map(|(kind, date, rows)| {
        let mut rows = rows.clone();
        if let Ok(at) = rows.schema().index_of(column::ITEM) {
            rows.remove_column(at);
        }
        (0..rows.num_rows()).map(move |row| (*kind, *date, rows.slice(row, 1)))
    })
}
