//! The Arrow schemas of the tables in the lake.
//!
//! Signed integers, strings, lists and timestamps only: the table format has no unsigned
//! types, and its statistics, which cover the first 32 columns, skip wrong files on them.
//! What readers filter by comes first. One table `events` holds every kind of row; a data
//! file holds one kind and one date, and only that kind's columns (the rest read as null).

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::codes::EventKind;

/// Column names of `events`, used by every crate that builds or reads its rows.
pub mod column {
    /// Partition column: the name of the row's [`crate::EventKind`].
    pub const KIND: &str = "kind";
    /// Partition column: UTC date of the event, or of ingest (see [`super::dated_by_event`]).
    pub const DATE: &str = "date";
    /// WhatsApp Business Account id, where known.
    pub const WABA_ID: &str = "waba_id";
    /// The business phone number's id.
    pub const SENDER: &str = "sender";
    /// Pseudonym of the peer's phone number.
    pub const PEER_PHONE: &str = "peer_phone";
    /// Pseudonym of the peer's user id.
    pub const PEER_USER: &str = "peer_user";
    /// Time of the event; of dead letters, ignored items and gaps the record's time, else when reading began.
    pub const TIME: &str = "time";
    /// Pseudonym of the message.
    pub const MESSAGE: &str = "message";
    /// Position: the input.
    pub const SOURCE: &str = "source";
    /// Position: the partition.
    pub const PARTITION: &str = "partition";
    /// Position: the record.
    pub const OFFSET: &str = "offset";
    /// Position: the item within the record.
    pub const ITEM: &str = "item";
    /// [`crate::Origin`] code.
    pub const ORIGIN: &str = "origin";
    /// 1 in a group, 0 one to one.
    pub const IN_GROUP: &str = "in_group";
    /// [`crate::Direction`] code.
    pub const DIRECTION: &str = "direction";
    /// [`crate::MessageKind`] code.
    pub const MESSAGE_KIND: &str = "message_kind";
    /// [`crate::InteractiveType`] code; null where not interactive.
    pub const INTERACTIVE_TYPE: &str = "interactive_type";
    /// 1 voice note, 0 other audio; null where no audio.
    pub const VOICE: &str = "voice";
    /// ISO 3166 alpha-2 country of the peer; null where unknown.
    pub const PEER_COUNTRY: &str = "peer_country";
    /// 1 where the message answers another.
    pub const IS_REPLY: &str = "is_reply";
    /// 1 where the message carries an advertisement's referral.
    pub const HAS_REFERRAL: &str = "has_referral";
    /// [`crate::PricingRegime`] code at the row's time.
    pub const PRICING_REGIME: &str = "pricing_regime";
    /// Characters of the text; may be known without the text.
    pub const CHARS: &str = "chars";
    /// Bytes of the text.
    pub const BYTES: &str = "bytes";
    /// Words of the text.
    pub const WORDS: &str = "words";
    /// Lines of the text.
    pub const LINES: &str = "lines";
    /// [`crate::Script`] code of the text.
    pub const SCRIPT: &str = "script";
    /// Bits of [`crate::codes::text_bits`].
    pub const TEXT_BITS: &str = "text_bits";
    /// The smallest keyed hashes of the text's distinct content tokens, ascending.
    pub const TOKENS: &str = "tokens";
    /// Keyed hash of the masked text.
    pub const SKELETON: &str = "skeleton";
    /// Six bits of a keyed hash of the text.
    pub const TEXT_BUCKET: &str = "text_bucket";
    /// [`crate::Status`] code.
    pub const STATUS: &str = "status";
    /// [`crate::Category`] code of the price.
    pub const CATEGORY: &str = "category";
    /// [`crate::Category`] code of the conversation's origin.
    pub const CONVERSATION_ORIGIN: &str = "conversation_origin";
    /// [`crate::PricingType`] code.
    pub const PRICING_TYPE: &str = "pricing_type";
    /// [`crate::PricingModel`] code.
    pub const PRICING_MODEL: &str = "pricing_model";
    /// The platform's error code.
    pub const ERROR_CODE: &str = "error_code";
    /// Webhook field an account row came from.
    pub const FIELD: &str = "field";
    /// What happened, by the built-in dictionary, else `other`.
    pub const EVENT: &str = "event";
    /// Role that held the thread before a handover.
    pub const ROLE_PREVIOUS: &str = "role_previous";
    /// Role that holds the thread after a handover.
    pub const ROLE_NEW: &str = "role_new";
    /// Pseudonym of the user id before a change.
    pub const PEER_USER_PREVIOUS: &str = "peer_user_previous";
    /// Pseudonym of the phone number before a change.
    pub const PEER_PHONE_PREVIOUS: &str = "peer_phone_previous";
    /// Reason of a dead letter or gap; name of what was ignored.
    pub const REASON: &str = "reason";
    /// Path, expected and found type; never a value.
    pub const DETAIL: &str = "detail";
    /// Bytes of the record or item.
    pub const RECORD_BYTES: &str = "record_bytes";
    /// One past the last offset of a gap.
    pub const OFFSET_END: &str = "offset_end";
}

use column as c;

/// The type of every timestamp column: microseconds, UTC.
#[must_use]
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type of `tokens`.
#[must_use]
pub fn tokens_type() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Int32, true)))
}

/// Whether the date of a row of this kind is its event's (else the day it was ingested).
#[must_use]
pub fn dated_by_event(kind: EventKind) -> bool {
    matches!(kind, EventKind::Message | EventKind::Status | EventKind::Account)
}

fn positions() -> Vec<Field> {
    vec![
        Field::new(c::SOURCE, DataType::Utf8, false),
        Field::new(c::PARTITION, DataType::Int32, false),
        Field::new(c::OFFSET, DataType::Int64, false),
        Field::new(c::ITEM, DataType::Int32, false),
    ]
}

fn identity() -> Vec<Field> {
    vec![
        Field::new(c::WABA_ID, DataType::Utf8, true),
        Field::new(c::SENDER, DataType::Utf8, true),
        Field::new(c::PEER_PHONE, DataType::Int64, true),
        Field::new(c::PEER_USER, DataType::Int64, true),
        Field::new(c::TIME, timestamp(), true),
        Field::new(c::MESSAGE, DataType::Int64, true),
    ]
}

fn ints(names: &[&str]) -> Vec<Field> {
    names.iter().map(|name| Field::new(*name, DataType::Int32, true)).collect()
}

fn message_fields() -> Vec<Field> {
    let mut fields = ints(&[
        c::ORIGIN,
        c::IN_GROUP,
        c::DIRECTION,
        c::MESSAGE_KIND,
        c::INTERACTIVE_TYPE,
        c::VOICE,
    ]);
    fields.push(Field::new(c::PEER_COUNTRY, DataType::Utf8, true));
    fields.extend(ints(&[
        c::IS_REPLY,
        c::HAS_REFERRAL,
        c::PRICING_REGIME,
        c::CHARS,
        c::BYTES,
        c::WORDS,
        c::LINES,
        c::SCRIPT,
        c::TEXT_BITS,
    ]));
    fields.push(Field::new(c::TOKENS, tokens_type(), true));
    fields.push(Field::new(c::SKELETON, DataType::Int64, true));
    fields.push(Field::new(c::TEXT_BUCKET, DataType::Int32, true));
    fields
}

fn status_fields() -> Vec<Field> {
    let mut fields = ints(&[
        c::ORIGIN,
        c::IN_GROUP,
        c::PRICING_REGIME,
        c::STATUS,
        c::CATEGORY,
        c::CONVERSATION_ORIGIN,
        c::PRICING_TYPE,
        c::PRICING_MODEL,
    ]);
    fields.push(Field::new(c::ERROR_CODE, DataType::Int64, true));
    fields
}

fn account_fields() -> Vec<Field> {
    vec![
        Field::new(c::FIELD, DataType::Utf8, true),
        Field::new(c::EVENT, DataType::Utf8, true),
        Field::new(c::ERROR_CODE, DataType::Int64, true),
        Field::new(c::ROLE_PREVIOUS, DataType::Utf8, true),
        Field::new(c::ROLE_NEW, DataType::Utf8, true),
        Field::new(c::PEER_USER_PREVIOUS, DataType::Int64, true),
        Field::new(c::PEER_PHONE_PREVIOUS, DataType::Int64, true),
    ]
}

fn letter_fields() -> Vec<Field> {
    vec![
        Field::new(c::REASON, DataType::Utf8, true),
        Field::new(c::DETAIL, DataType::Utf8, true),
        Field::new(c::RECORD_BYTES, DataType::Int64, true),
        Field::new(c::OFFSET_END, DataType::Int64, true),
    ]
}

/// The columns whose order rows of `events` have in files that stay: absent values first.
pub const SORTED_BY: [&str; 4] =
    [column::SENDER, column::PEER_PHONE, column::PEER_USER, column::TIME];

/// The columns that a data file of this kind holds, in order, without the partition columns.
#[must_use]
pub fn file_schema(kind: EventKind) -> SchemaRef {
    let mut fields = identity();
    fields.extend(positions());
    fields.extend(match kind {
        EventKind::Message | EventKind::History => message_fields(),
        EventKind::Status => status_fields(),
        EventKind::Account => account_fields(),
        EventKind::DeadLetter | EventKind::Ignored | EventKind::Gap => letter_fields(),
    });
    Arc::new(Schema::new(fields))
}

/// The table `events`: partition columns `kind` and `date`, then the columns of every kind.
#[must_use]
pub fn events() -> SchemaRef {
    let mut fields = identity();
    fields.extend(positions());
    for group in [message_fields(), status_fields(), account_fields(), letter_fields()] {
        for field in group {
            if !fields.iter().any(|known| known.name() == field.name()) {
                fields.push(field);
            }
        }
    }
    fields.push(Field::new(c::KIND, DataType::Utf8, false));
    fields.push(Field::new(c::DATE, DataType::Date32, false));
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_column_is_a_column_of_the_table() {
        let table = events();
        for kind in EventKind::ALL {
            for field in file_schema(*kind).fields() {
                assert_eq!(table.field_with_name(field.name()).expect("in table"), field.as_ref());
            }
        }
    }

    #[test]
    fn what_readers_filter_by_has_statistics() {
        let table = events();
        for name in [
            c::SENDER,
            c::PEER_PHONE,
            c::PEER_USER,
            c::TIME,
            c::MESSAGE,
            c::SOURCE,
            c::PARTITION,
            c::OFFSET,
        ] {
            assert!(table.index_of(name).expect("in table") < 32);
        }
    }
}
