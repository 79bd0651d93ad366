//! Decoding takes memory in proportion to the record, whatever the record claims, and batches of the
//! usual kind take what the batch before showed that they need. One test: the counter is the
//! process's.

#[path = "codec/common/decoding.rs"]
mod decoding;

use std::alloc::System;
use std::collections::BTreeMap;

use arrow_array::Array as _;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use turnwise_codec::{Decoder, Format, encode};
use turnwise_model::EventBatch;
use turnwise_model::limits::RECORD_ITEMS_MAX;

use decoding::{decoder, put};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rows of a batch: more than an eighth of what a commit has, and of two kinds.
const ROWS: usize = 70_000;

/// Bytes that any record may take: dead letters, and tables that are built when first used.
const FIXED_BYTES: usize = 512 << 10;

/// Bytes asked for while one record is decoded, given back or not.
fn asked(decoder: &mut Decoder, format: Format, record: &[u8]) -> usize {
    let region = Region::new(COUNTED);
    put(decoder, 1, format, record);
    region.change().bytes_allocated
}

/// Bytes that a decoder holds after one record of protobuf.
fn held(record: &[u8]) -> usize {
    let mut decoder = decoder();
    let region = Region::new(COUNTED);
    put(&mut decoder, 1, Format::Protobuf, record);
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

/// Bytes that columns hold: memory that several of them share is there once.
fn held_by(batches: &[EventBatch]) -> usize {
    let mut held = BTreeMap::new();
    for column in batches.iter().flat_map(|batch| batch.rows.columns()) {
        let column = column.to_data();
        for part in std::iter::once(&column).chain(column.child_data()) {
            let nulls = part.nulls().map(|nulls| nulls.buffer());
            for buffer in part.buffers().iter().chain(nulls) {
                held.insert(buffer.data_ptr().addr(), buffer.capacity());
            }
        }
    }
    held.values().sum()
}

/// A record of events that say nothing, each of another number.
fn owners(count: usize) -> Vec<u8> {
    let item =
        |nth: usize| [&b"\x1a\x0c\x0a\x00\x32\x08"[..], format!("{nth:08}").as_bytes()].concat();
    (0..count).flat_map(item).collect()
}

/// A webhook of so many contacts, each of another number and user.
fn numbered_contacts(count: usize) -> Vec<u8> {
    let contact = |nth: usize| format!(r#"{{"wa_id":"{:010}","user_id":"{nth}"}}"#, nth);
    let contacts = (0..count).map(contact).collect::<Vec<_>>().join(",");
    format!(r#"{{"metadata":{{"phone_number_id":"1"}},"contacts":[{contacts}],"messages":[{{}}]}}"#)
        .into_bytes()
}

/// Records that claim or hold more than they should, of some megabytes.
fn hostile() -> Vec<(&'static str, Format, Vec<u8>)> {
    const PARTS: usize = 200_000;
    let repeated = |before: &str, part: &str, after: &str| {
        [before, &part.repeat(PARTS), after].concat().into_bytes()
    };
    let message = concat!(
        r#"{"metadata":{"phone_number_id":"1"},"messages":[{"id":"1","from":"1","#,
        r#""timestamp":"1794096147","type":"text","text":{"body":""#
    );
    vec![
        ("brackets", Format::Auto, repeated("", "[", "")),
        ("an open string", Format::Auto, repeated("{\"a\":\"", "abcdefgh", "")),
        ("keys", Format::CloudApi, repeated("{", "\"abcdefgh\":\"abcdefgh\",", "\"a\":1}")),
        ("numbers", Format::CloudApi, repeated("{\"a\":[", "1,", "1]}")),
        ("escapes", Format::CloudApi, repeated(message, "\\u00e9", "\"}}]}")),
        ("letters", Format::CloudApi, repeated(message, "abcdefgh", "\"}}]}")),
        (
            "contacts",
            Format::CloudApi,
            repeated(
                "{\"metadata\":{\"phone_number_id\":\"1\"},\"contacts\":[",
                "{\"wa_id\":\"1\"},",
                "{}],\"messages\":[{}]}",
            ),
        ),
        ("contacts of all numbers", Format::CloudApi, numbered_contacts(PARTS)),
        ("changes", Format::CloudApi, repeated("{\"entry\":[{\"changes\":[", "{},", "{}]}]}")),
        ("entries of numbers", Format::Auto, repeated("{\"entry\":[", "7,", "7]}")),
        ("changes of texts", Format::CloudApi, repeated("{\"changes\":[", "\"\",", "{}]}")),
        ("messages of no keys", Format::Auto, repeated("{\"messages\":[", "{},", "{}]}")),
        (
            "errors of no keys",
            Format::Auto,
            repeated("{\"metadata\":{\"phone_number_id\":\"1\"},\"errors\":[", "{},", "{}]}"),
        ),
        ("Turn's messages", Format::Turn, repeated("{\"messages\":[", "7,", "{}]}")),
        ("Infobip's results", Format::Infobip, repeated("{\"results\":[{},", "7,", "{}]}")),
        ("Kapso's batch", Format::Kapso, repeated("{\"data\":[", "{},", "7]}")),
        ("texts in a list", Format::Auto, repeated("[", "\"\",", "{}]")),
        ("objects of no keys", Format::Auto, repeated("[", "{},", "{}]")),
        ("a form", Format::Twilio, repeated("MessageSid=1", "&Body=%20%20", "")),
        ("a length of a gigabyte", Format::Protobuf, b"\x1a\x80\x80\x80\x80\x04".to_vec()),
        ("zeros", Format::Protobuf, vec![0; PARTS]),
        (
            "numbers in a text",
            Format::Auto,
            repeated("{\"headers\":{},\"body\":\"[", "1,", "1]\"}"),
        ),
        (
            "texts of a queue",
            Format::Auto,
            repeated("{\"Records\":[", "{\"receiptHandle\":1,\"body\":\"{\\\"a\\\":1}\"},", "{}]}"),
        ),
        (
            "lines",
            Format::Auto,
            repeated("", "{\"abcdefgh\":\"abcdefgh\",\"a\":\"abcdefgh\"}\n", "{}"),
        ),
        (
            "base64",
            Format::CloudEvents,
            repeated("{\"specversion\":\"1.0\",\"data_base64\":\"", "AAAA", "\"}"),
        ),
    ]
}

/// Events of one day that are as nearly all are.
fn usual() -> Vec<Vec<u8>> {
    let record = |nth: usize| {
        let (list, item) = if nth.is_multiple_of(2) {
            (
                "messages",
                format!(
                    r#"{{"from":"1650555{:04}","id":"wamid.{nth:08}","timestamp":"{}","type":"location","location":{{}}}}"#,
                    nth % 1_000,
                    1_794_096_147 + nth / 2
                ),
            )
        } else {
            (
                "statuses",
                format!(
                    r#"{{"id":"wamid.{nth:08}","status":"read","timestamp":"{}","recipient_id":"1650555{:04}"}}"#,
                    1_794_096_147 + nth / 2,
                    nth % 1_000
                ),
            )
        };
        format!(r#"{{"object":"whatsapp_business_account","entry":[{{"id":"9","changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"100"}},"{list}":[{item}]}}}}]}}]}}"#).into_bytes()
    };
    (0..ROWS).map(record).collect()
}

#[test]
fn memory_is_in_proportion_to_records_and_asked_for_a_few_times_a_batch() {
    for (name, format, record) in hostile() {
        let asked = asked(&mut decoder(), format, &record);
        let per_byte = asked as f64 / record.len() as f64;
        println!("{name}: {} bytes, {asked} asked for, {per_byte:.1} a byte", record.len());
        assert!(asked <= FIXED_BYTES + 24 * record.len(), "{name}: {asked} of {}", record.len());
    }
    // Of items past the maximum nothing is held, whoever they are of.
    let [full, more] = [0, 60_000].map(|past| held(&owners(RECORD_ITEMS_MAX + past)));
    println!("{full} bytes held of a full record, {more} of one with more items");
    assert!(more <= full + FIXED_BYTES, "{full} and {more}");
    let (mut usually, records) = (decoder(), usual());
    let bytes: usize = records.iter().map(Vec::len).sum();
    let mut batch = |round: usize| {
        let region = Region::new(COUNTED);
        for record in &records {
            put(&mut usually, 1, Format::CloudApi, record);
        }
        let decoded = region.change();
        let told = usually.bytes();
        let batches = usually.finish();
        let taken = region.change();
        assert_eq!(batches.iter().map(|batch| batch.rows.num_rows()).sum::<usize>(), records.len());
        // What stands at once is told of: rows, kept or new, and columns beside them.
        let columns = held_by(&batches);
        println!("batch {round}: {told} bytes told, columns {columns}, taken {taken:?}");
        assert!(columns <= told, "{columns} bytes of columns, {told} told");
        assert!(taken.bytes_allocated <= 3 * told, "{taken:?}, {told} told");
        // `put` makes a name for each record.
        let calls = decoded.allocations + decoded.reallocations - records.len();
        println!("batch {round}: {bytes} bytes, {decoded:?}");
        (calls, decoded.bytes_allocated)
    };
    let first = batch(0);
    let second = batch(1);
    assert!(second.0 <= 100, "{} allocations for {} records", second.0, records.len());
    assert!(second.1 <= first.1, "{} and then {} bytes", first.1, second.1);
    assert!(second.1 <= 2 * bytes, "{} bytes for {bytes}", second.1);
    let protobuf = encode::protobuf(&[]);
    assert!(asked(&mut decoder(), Format::Protobuf, &protobuf) <= FIXED_BYTES);
}
