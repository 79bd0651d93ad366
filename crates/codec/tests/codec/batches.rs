//! Batches of many records have the rows of their records, in their order: whatever blocks, shared
//! columns and memory of batches before they are made with.

use proptest::prelude::*;
use turnwise_codec::{Decoder, Format, encode};
use turnwise_model::{Day, EventBatch, EventKind, Millis};

use crate::common::{NOW, comparable, decoder, event, put};

const DAY_MS: i64 = 86_400_000;

type Record = (Format, Vec<u8>);

/// Records of events of two days, nearly all, and of any time.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let time = prop_oneof![
        12 => Just(NOW - 3 * DAY_MS),
        4 => Just(NOW - 2 * DAY_MS),
        1 => (1..3_000_i64).prop_map(|days| NOW - days * DAY_MS),
    ];
    let owner = prop_oneof![
        6 => prop::sample::select(vec!["123456789012345", "223456789012345"]).prop_map(str::to_owned),
        1 => "[1-9][0-9]{7,16}",
    ];
    let one = (event(), time, owner.clone(), owner, any::<bool>(), any::<bool>());
    let one = one.prop_map(|(mut event, time, waba_id, number, keeps_time, is_json)| {
        if !keeps_time {
            event.time = Some(Millis(time));
        }
        (event.waba_id, event.phone_number_id) = (waba_id, number);
        let webhook = is_json.then(|| encode::webhook(std::slice::from_ref(&event))).flatten();
        match webhook {
            Some(webhook) => (Format::CloudApi, webhook),
            None => (Format::Protobuf, encode::protobuf(&[event])),
        }
    });
    prop::collection::vec(one, 150..700)
}

fn decode(decoder: &mut Decoder, offset: i64, (format, record): &Record) {
    put(decoder, offset, *format, record);
}

type Rows = Vec<(EventKind, Day, Vec<arrow_array::RecordBatch>)>;

/// The rows of records that are each a batch of their own.
fn one_by_one(records: &[Record], from: i64) -> Rows {
    let mut rows = Rows::new();
    for (record, offset) in records.iter().zip(from..) {
        let mut decoder = decoder();
        decode(&mut decoder, offset, record);
        for (kind, date, batch) in comparable(decoder.finish()) {
            match rows.iter_mut().find(|known| (known.0, known.1) == (kind, date)) {
                Some((.., batches)) => batches.push(batch),
                None => rows.push((kind, date, vec![batch])),
            }
        }
    }
    rows
}

fn compare(batches: Vec<EventBatch>, expected: &Rows) {
    assert_eq!(batches.len(), expected.len());
    for (kind, date, batch) in comparable(batches) {
        let same = expected.iter().find(|known| (known.0, known.1) == (kind, date));
        let (.., singles) = same.expect("a kind and date of the records");
        let mut at = 0;
        for single in singles {
            let rows = batch.slice(at, single.num_rows());
            assert_eq!(&rows, single, "rows from {at} on of {kind:?} {}", date.iso());
            at += single.num_rows();
        }
        assert_eq!(at, batch.num_rows());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn batches_have_the_rows_of_their_records(
        records in records(),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut many = decoder();
        let mut ends: Vec<_> = ends.iter().map(|end| end.index(records.len())).collect();
        ends.sort_unstable();
        ends.push(records.len());
        let mut from = 0;
        for to in ends {
            let part = &records[from..to];
            for (record, offset) in part.iter().zip(from as i64..) {
                decode(&mut many, offset, record);
            }
            compare(many.finish(), &one_by_one(part, from as i64));
            from = to;
        }
    }
}
