//! CloudEvents 1.0 in structured mode: attributes and data in one JSON object, alone or in a list.
//! In binary mode the attributes are headers, and the record's value is the data.
//!
//! The attributes `type`, `dataschema` and `datacontenttype` tell the format of the data, where
//! they can; else its content does. Repeats are told by the messages inside, not by source and id.
//! `time` stands for the time of what has none of its own.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::Format;
use crate::detect::{self, Attributes};
use crate::json::{Kind, Value};
use crate::meant;
use crate::payload::{self, Around, Scratch};
use crate::reason::Reason;
use crate::record::{Fail, Record};

const TOLERANT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, TOLERANT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, TOLERANT);

/// Decodes one event, which may not lie in another.
pub(crate) fn decode(
    record: &mut Record<'_>,
    around: &Around<'_>,
    root: Value<'_>,
    inner: &mut [Scratch],
) {
    let bytes = root.raw().len();
    if around.is_in_event || root.get("specversion").is_none() {
        let fail = record.fail(Reason::UnknownShape, "", "an event", Some(root.kind()));
        return record.dead(None, fail, bytes);
    }
    let text = |key: &str| root.get(key).and_then(Value::string);
    let (kind, schema, content) = (text("type"), text("dataschema"), text("datacontenttype"));
    let attributes = Attributes {
        kind: kind.as_deref(),
        schema: schema.as_deref(),
        content: content.as_deref(),
        time: meant::time(root.get("time")),
    };
    let format = attributes.format().unwrap_or(Format::Auto);
    let around = Around::event(*around, &attributes);
    let before = record.counts.total();
    let (key, data) = match root.get("data_base64") {
        Some(data) => ("data_base64", Some(data)),
        None => ("data", root.get("data")),
    };
    record.path.key(key);
    let done = match data {
        None => Ok(()),
        Some(data) if key == "data_base64" => encoded(record, &around, format, data, inner),
        Some(data) if matches!(data.kind(), Kind::Object | Kind::Array) => {
            // Data that is JSON is so whatever its content type says.
            let format = detect::of_text_or_json(format, data.raw().as_bytes());
            payload::json(record, &around, format, data, inner);
            Ok(())
        }
        Some(data) => payload::text(record, &around, format, data, inner),
    };
    record.path.pop();
    payload::end(record, before, bytes, done);
}

/// Data in base64, with or without padding, of either alphabet.
pub(crate) fn encoded(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    data: Value<'_>,
    scratches: &mut [Scratch],
) -> Result<(), Fail> {
    let (text, scratch, inner) = payload::opened(record, data, "base64", scratches)?;
    let mut bytes = scratch.take_bytes();
    // Some break it into lines.
    let text: Cow<'_, str> = if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        Cow::Owned(text.split_ascii_whitespace().collect())
    } else {
        text
    };
    let done = STANDARD.decode_vec(text.as_bytes(), &mut bytes).or_else(|_| {
        bytes.clear();
        URL_SAFE.decode_vec(text.as_bytes(), &mut bytes)
    });
    let done = match done {
        Ok(()) => {
            let format = detect::of_text_or_json(format, &bytes);
            payload::payload(record, around, format, &bytes, scratch, inner)
        }
        Err(_) => Err(record.fail(Reason::InvalidBase64, "", "base64", Some(Kind::String))),
    };
    scratch.give_bytes(bytes);
    done
}

#[cfg(test)]
mod tests;
