//! A decoder with a secret of its own, and records put into it.

use turnwise_codec::{Decoder, Format, Headers, RecordContext, RecordCounts};
use turnwise_model::{Keys, Millis, Offset, PartitionId, Secret, SourceName};

/// 2026-11-08T12:00:00Z.
pub const NOW: i64 = 1_794_139_200_000;

pub fn decoder() -> Decoder {
    let secret = Secret::new(b"0123456789abcdef0123456789abcdef").expect("long enough");
    Decoder::new(Keys::expand(&secret))
}

pub fn put(decoder: &mut Decoder, offset: i64, format: Format, record: &[u8]) -> RecordCounts {
    put_with(decoder, offset, format, &[], record)
}

pub fn put_with(
    decoder: &mut Decoder,
    offset: i64,
    format: Format,
    headers: Headers<'_>,
    record: &[u8],
) -> RecordCounts {
    let source = SourceName("random/1".to_owned());
    let context = RecordContext {
        source: &source,
        partition: PartitionId(0),
        offset: Offset(offset),
        record_time: None,
        read_time: Millis(NOW),
    };
    decoder.decode_with_headers(format, &context, headers, Some(record))
}
