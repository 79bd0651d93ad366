//! Fields of protobuf in any order, repeated and merged: the same rows as of the record that the
//! generated types make of them.

use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message as _;
use turnwise_codec::events::item;
use turnwise_codec::{Format, encode, events};

use crate::common::{Batch, rows_of};

/// A field as on the wire: its tag, and what stands behind it, of strings without the length.
type Field = (usize, Vec<u8>);

const ITEM: usize = 3 << 3 | 2;
/// The events of an item that have fields worth moving.
const EVENTS: [usize; 3] = [1 << 3 | 2, 2 << 3 | 2, 3 << 3 | 2];

/// Where to move a field of a message from and to, or, `adds`, to put one of its like.
#[derive(Clone, Debug)]
struct Move {
    depth: u8,
    item: Index,
    from: Index,
    to: Index,
    adds: bool,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let places = (any::<Index>(), any::<Index>(), any::<Index>());
    let one = (0_u8..3, places, any::<bool>()).prop_map(|(depth, (item, from, to), adds)| Move {
        depth,
        item,
        from,
        to,
        adds,
    });
    prop::collection::vec(one, 1..12)
}

fn varint(bytes: &mut &[u8]) -> Option<usize> {
    prost::decode_length_delimiter(&mut *bytes).ok()
}

/// The fields of a message that encoders have written: varints and strings.
fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut all = Vec::new();
    while let Some(tag) = (!bytes.is_empty()).then(|| varint(&mut bytes)).flatten() {
        let body = if tag & 7 == 2 {
            let length = varint(&mut bytes).expect("a length");
            bytes.split_off(..length).expect("a string").to_vec()
        } else {
            let end = bytes.iter().position(|byte| *byte < 0x80).expect("an end");
            bytes.split_off(..=end).expect("a number").to_vec()
        };
        all.push((tag, body));
    }
    all
}

fn written(fields: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, body) in fields {
        prost::encode_length_delimiter(*tag, &mut bytes).expect("room");
        if tag & 7 == 2 {
            prost::encode_length_delimiter(body.len(), &mut bytes).expect("room");
        }
        bytes.extend_from_slice(body);
    }
    bytes
}

/// Moves one field of a message, or adds one that stands in it or its like.
fn moved(message: &[u8], likes: &[Field], Move { from, to, adds, .. }: &Move) -> Vec<u8> {
    let mut all = fields(message);
    if *adds && !likes.is_empty() {
        all.insert(to.index(all.len() + 1), from.get(likes).clone());
    } else if !all.is_empty() {
        let field = all.remove(from.index(all.len()));
        all.insert(to.index(all.len() + 1), field);
    }
    written(&all)
}

fn apply(record: &[u8], step: &Move) -> Vec<u8> {
    let mut all = fields(record);
    if step.depth == 0 {
        return moved(record, &all, step);
    }
    let items: Vec<Field> = all.iter().filter(|field| field.0 == ITEM).cloned().collect();
    let parts: Vec<Field> = items.iter().flat_map(|(_, body)| fields(body)).collect();
    let mut places = all.iter_mut().filter(|field| field.0 == ITEM);
    let Some((_, chosen)) = places.nth(step.item.index(items.len().max(1))) else {
        return record.to_vec();
    };
    if step.depth == 1 {
        *chosen = moved(chosen, &parts, step);
    } else {
        let mut inner = fields(chosen);
        if let Some((tag, event)) = inner.iter_mut().find(|field| EVENTS.contains(&field.0)) {
            let likes = parts.iter().filter(|part| part.0 == *tag);
            let likes: Vec<Field> = likes.flat_map(|(_, body)| fields(body)).collect();
            *event = moved(event, &likes, step);
        }
        *chosen = written(&inner);
    }
    written(&all)
}

/// Rows without the lengths of records, which are those of the layout.
fn rows(record: &[u8]) -> Vec<Batch> {
    let (_, mut batches) = rows_of(Format::Protobuf, record);
    for (_, _, rows) in &mut batches {
        if let Ok(at) = rows.schema().index_of("record_bytes") {
            rows.remove_column(at);
        }
    }
    batches
}

/// Whether an event's pseudonym is of its id and not of its bytes.
fn has_id(item: &events::Item) -> bool {
    match &item.event {
        Some(item::Event::Message(message)) => !message.id.is_empty(),
        Some(item::Event::Status(status)) => !status.message_id.is_empty(),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn fields_in_any_layout_give_the_rows_of_what_they_mean(
        events in crate::common::events(),
        moves in moves(),
    ) {
        let usual = encode::protobuf(&events);
        prop_assert_eq!(written(&fields(&usual)), usual.clone());
        let laid_out = moves.iter().fold(usual, |record, step| apply(&record, step));
        let meant = events::Record::decode(&laid_out[..]).expect("a record");
        prop_assume!(meant.items.iter().all(has_id));
        prop_assert_eq!(rows(&laid_out), rows(&meant.encode_to_vec()));
    }
}
