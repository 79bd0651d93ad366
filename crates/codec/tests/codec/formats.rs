//! The same events in each format become the same rows.

use proptest::prelude::*;
use prost::Message as _;
use turnwise_codec::encode::{self, Event};
use turnwise_codec::{Format, events};
use turnwise_model::EventKind;

use crate::common::{Batch, rows_of};

/// An encoder, and the format that its bytes are decoded as.
type Encoder = (Format, fn(&[Event]) -> Option<Vec<u8>>);

/// Encoders beside protobuf, which carries everything.
const ENCODERS: &[Encoder] = &[(Format::CloudApi, encode::webhook), (Format::Send, encode::send)];

/// Rows without the bytes of ignored items and dead letters, which differ by format.
fn rows(format: Format, record: &[u8]) -> Vec<Batch> {
    let (counts, mut batches) = rows_of(format, record);
    assert_eq!(counts.dead_letters, 0);
    for (kind, _, rows) in &mut batches {
        if *kind == EventKind::Ignored {
            let at = rows.schema().index_of("record_bytes").expect("a column");
            rows.remove_column(at);
        }
    }
    batches
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn events_of_each_format_become_the_same_rows(events in crate::common::events()) {
        for (format, encoder) in ENCODERS {
            let carried: Vec<Event> = events
                .iter()
                .filter(|event| encoder(std::slice::from_ref(event)).is_some())
                .cloned()
                .collect();
            if carried.is_empty() {
                continue;
            }
            let bytes = encoder(&carried).expect("each alone is carried");
            let expected = rows(Format::Protobuf, &encode::protobuf(&carried));
            prop_assert_eq!(rows(*format, &bytes), expected.clone(), "{:?}", String::from_utf8_lossy(&bytes));
            prop_assert_eq!(rows(Format::Auto, &bytes), expected);
        }
    }

    #[test]
    fn protobuf_is_told_by_its_content_and_read_in_any_frame(events in crate::common::events()) {
        let bytes = encode::protobuf(&events);
        let expected = rows(Format::Protobuf, &bytes);
        prop_assert_eq!(expected.iter().filter(|(kind, _, _)| *kind != EventKind::Account).map(|(_, _, rows)| rows.num_rows()).sum::<usize>() <= events.len(), true);
        prop_assert_eq!(&rows(Format::Auto, &bytes), &expected);
        let framed = [b"\0\0\0\0\x2a\0", &bytes[..]].concat();
        prop_assert_eq!(&rows(Format::Auto, &framed), &expected);
    }

    #[test]
    fn what_the_generated_types_refuse_is_a_dead_letter_and_what_they_read_is_none(
        events in crate::common::events(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..4),
    ) {
        let mut bytes = encode::protobuf(&events);
        for (at, byte, insert) in edits {
            let at = at.index(bytes.len());
            if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
        }
        let (counts, batches) = rows_of(Format::Protobuf, &bytes);
        prop_assert!(counts.total() > 0);
        let structural = ["invalid_protobuf", "invalid_utf8"];
        let mut refused = false;
        for (kind, _, rows) in &batches {
            if *kind == EventKind::DeadLetter {
                let details = rows.column_by_name("detail").expect("a column");
                let reasons = rows.column_by_name("reason").expect("a column");
                for row in 0..rows.num_rows() {
                    let text = |array: &arrow_array::ArrayRef| {
                        arrow_array::cast::AsArray::as_string::<i32>(array).value(row).to_owned()
                    };
                    let (reason, detail) = (text(reasons), text(details));
                    refused |= structural.contains(&&*reason) && !detail.contains("a group") && !detail.contains("a broken frame")
                        || reason == "wrong_type" && detail.contains("wire type");
                }
            }
        }
        let framed = bytes[0] == 0;
        let grouped = batches.iter().any(|(kind, _, rows)| *kind == EventKind::DeadLetter && format!("{rows:?}").contains("a group"));
        if !framed && !grouped {
            let meant = events::Record::decode(&bytes[..]);
            // Of a field that comes twice we read the last; those types check the one before, too.
            let overwritten = meant.as_ref().is_err_and(|error| error.to_string().contains("UTF-8"));
            prop_assert!(refused == meant.is_err() || !refused && overwritten, "{:?}", meant.err());
        }
    }
}
