//! Bytes to the decoder of their format.
//!
//! ```text
//! headers ─▶ format ─┬─ form ─▶ JSON text ─┐
//!            bytes ──┼─ JSON ──────────────┴▶ tape ─▶ each element ─▶ its format's decoder
//!                    │   └ usual webhook or send ─▶ rows └ event ─▶ data, once more
//!                    └─ protobuf
//! ```

use std::cell::Cell;

use turnwise_model::Millis;
use turnwise_model::limits::RECORD_BYTES_MAX;

use crate::detect::{self, Attributes, Told};
use crate::json::{JsonFault, Kind, Tape, Value};
use crate::reason::{Reason, ignored};
use crate::record::{Fail, Record};
use crate::unknown::UnknownFields;
use crate::{Format, Headers, cloudevents, envelopes, form, frame, protobuf, send, webhook};

/// Memory for one payload, used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    tape: Tape,
    webhook: webhook::straight::Scratch,
    send: send::straight::Scratch,
    /// A form as JSON, or a text that was inside another.
    text: String,
    bytes: Vec<u8>,
}

/// What is counted beside rows.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Items that had no time of their own.
    pub(crate) untimed: Cell<u64>,
    /// Payloads of JSON that the straight ways did not take.
    pub(crate) long_way: Cell<u64>,
    /// Fields that nobody knew.
    pub(crate) unknown: UnknownFields,
}

/// Bytes that scratch keeps between two payloads; a huge one gives its memory back.
const SCRATCH_KEPT_MAX: usize = 1 << 20;

/// What surrounds a payload and tells of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    /// When the event around it happened.
    time: Option<Millis>,
    /// What the event around it is.
    pub(crate) kind: Option<&'a str>,
    tally: &'a Tally,
}

impl<'a> Around<'a> {
    pub(crate) fn nothing(tally: &'a Tally) -> Self {
        Self { time: None, kind: None, tally }
    }

    /// The same with the attributes of an event.
    pub(crate) fn event(self, attributes: &Attributes<'a>) -> Self {
        let time = match attributes.time {
            crate::meant::Time::Some(time) => Some(time),
            _ => self.time,
        };
        Self { time, kind: attributes.kind, ..self }
    }

    /// A time for what has none of its own: the surrounding event's, else the record's.
    pub(crate) fn time(&self, record: &Record<'_>) -> Result<Millis, Fail> {
        match self.time {
            Some(time) => record.in_range("time", time),
            None => {
                self.tally.untimed.set(self.tally.untimed.get() + 1);
                Ok(record.place.time)
            }
        }
    }
}

/// Decodes a record's value. What a setting tells to be protobuf comes here only if it is empty or too
/// large: see [`crate::Decoder::decode_with_headers`].
#[inline(always)]
pub(crate) fn decode(
    record: &mut Record<'_>,
    tally: &Tally,
    scratch: &mut [Scratch; 2],
    format: Format,
    headers: Headers<'_>,
    bytes: &[u8],
) -> Result<(), Fail> {
    if is_bare(format, bytes)
        && bytes.len() <= RECORD_BYTES_MAX
        && straight(record, &tally.unknown, format, bytes, &mut scratch[0])
    {
        return Ok(());
    }
    of_any_format(record, tally, scratch, format, headers, bytes)
}

/// Whether a record is what a setting says, with nothing around it to look for: most are. Then the
/// straight way is tried at once, and not again. Formats that something else tells than a setting
/// are never these.
#[inline(always)]
fn is_bare(format: Format, bytes: &[u8]) -> bool {
    matches!(format, Format::CloudApi | Format::Send) && bytes.first() == Some(&b'{')
}

#[inline(never)]
fn of_any_format(
    record: &mut Record<'_>,
    tally: &Tally,
    [outer, inner]: &mut [Scratch; 2],
    format: Format,
    headers: Headers<'_>,
    bytes: &[u8],
) -> Result<(), Fail> {
    if bytes.len() > RECORD_BYTES_MAX {
        let expected = format!("at most {RECORD_BYTES_MAX} bytes");
        return Err(told(record, Reason::RecordTooLarge, &expected, &bytes.len().to_string()));
    }
    let around = Around::nothing(tally);
    if format == Format::Protobuf {
        return payload(record, &around, format, bytes, outer, None);
    }
    match detect::by_headers(format, headers) {
        Told::Payload(told) => {
            // A setting wins over all.
            let is_set = told == format;
            let told = if is_set { told } else { detect::of_text_or_json(told, bytes) };
            payload(record, &around, told, bytes, outer, Some(inner))
        }
        Told::Data(attributes) => {
            let told = attributes.format().unwrap_or(Format::Auto);
            let format = detect::of_text_or_json(told, bytes);
            payload(record, &around.event(&attributes), format, bytes, outer, None)
        }
    }
}

/// Decodes one payload. Without `inner` it may hold no event (CloudEvents): those do not nest.
pub(crate) fn payload(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    bytes: &[u8],
    scratch: &mut Scratch,
    inner: Option<&mut Scratch>,
) -> Result<(), Fail> {
    if bytes.is_empty() {
        return Err(told(record, Reason::Empty, "a record", "nothing"));
    }
    if format == Format::Protobuf {
        around.tally.unknown.add_other(protobuf::decode(record, bytes));
        return Ok(());
    }
    let framed = bytes;
    let bytes = framed.get(frame::of_json(framed)..).unwrap_or_default();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let is_json = frame::holds_json(framed);
    if format == Format::Auto && protobuf::looks_like_one(framed) {
        around.tally.unknown.add_other(protobuf::decode(record, framed));
        return Ok(());
    }
    if !is_json && bytes.trim_ascii().is_empty() {
        return Err(told(record, Reason::Empty, "JSON", "nothing"));
    }
    let is_form = match format {
        Format::Twilio => !is_json,
        Format::Auto | Format::GupshupV2 => !is_json && detect::is_form(bytes),
        _ => false,
    };
    if !is_bare(format, framed) && straight(record, &around.tally.unknown, format, bytes, scratch) {
        return Ok(());
    }
    if record.straight.is_some() && is_json {
        around.tally.long_way.set(around.tally.long_way.get() + 1);
    }
    let Scratch { tape, text, bytes: decoded, .. } = scratch;
    let done = if is_form {
        form::to_json(bytes, text, decoded).and_then(|()| {
            let root = parse(record, tape, text)?;
            around.tally.unknown.add_of(root);
            let format = if format == Format::GupshupV2 { format } else { detect::by_form(root) };
            json(record, around, format, root, None);
            Ok(())
        })
    } else {
        std::str::from_utf8(bytes)
            .map_err(|error| {
                let found = format!("other bytes at byte {}", error.valid_up_to());
                told(record, Reason::InvalidUtf8, "UTF-8", &found)
            })
            .and_then(|text| {
                let root = parse(record, tape, text)?;
                around.tally.unknown.add_of(root);
                json(record, around, format, root, inner);
                Ok(())
            })
    };
    tape.clear();
    text.clear();
    text.shrink_to(SCRATCH_KEPT_MAX);
    decoded.clear();
    decoded.shrink_to(SCRATCH_KEPT_MAX);
    done
}

/// Decodes JSON that is in a usual shape of a usual format, or does nothing and answers `false`.
#[inline]
fn straight(
    record: &mut Record<'_>,
    unknown: &UnknownFields,
    format: Format,
    bytes: &[u8],
    scratch: &mut Scratch,
) -> bool {
    let Some(hashing) = record.straight else { return false };
    let Scratch { webhook, send, .. } = scratch;
    // Where content tells, neither takes what is told to be of the other.
    matches!(format, Format::Auto | Format::CloudApi)
        && webhook::straight::decode(record, hashing, webhook, unknown, bytes)
        || matches!(format, Format::Auto | Format::Send)
            && send::straight::decode(record, hashing, send, unknown, bytes)
}

impl Scratch {
    /// Its buffer of bytes, lent while a payload in it is decoded.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Takes the buffer back.
    pub(crate) fn give_bytes(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        bytes.shrink_to(SCRATCH_KEPT_MAX);
        self.bytes = bytes;
    }
}

/// A failure of the bytes at the place where the record is looked at.
fn told(record: &Record<'_>, reason: Reason, expected: &str, found: &str) -> Fail {
    Fail { reason, detail: record.path.detail("", expected, found) }
}

fn parse<'a>(record: &Record<'_>, tape: &'a mut Tape, text: &'a str) -> Result<Value<'a>, Fail> {
    tape.parse(text).map_err(|error| match error.fault {
        JsonFault::Invalid => {
            told(record, Reason::InvalidJson, "JSON", &format!("an error at byte {}", error.at))
        }
        JsonFault::TooDeep => {
            let found = format!("more at byte {}", error.at);
            told(record, Reason::NestedTooDeep, "less nesting", &found)
        }
    })
}

/// Every element of a list, or the one value, by the decoder of its format.
pub(crate) fn json(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    root: Value<'_>,
    mut inner: Option<&mut Scratch>,
) {
    let listed = root.kind() == Kind::Array;
    for (at, element) in root.items().enumerate() {
        if listed {
            record.path.index(at);
        }
        let before = record.counts.total();
        let format = if format == Format::Auto { detect::by_content(element) } else { format };
        match format {
            Format::Auto | Format::CloudApi => webhook::decode(record, element),
            Format::Send => send::decode(record, element),
            Format::CloudEvents => {
                cloudevents::decode(record, around, element, inner.as_deref_mut());
            }
            Format::TwilioEvents if element.get("specversion").is_some() => {
                cloudevents::decode(record, around, element, inner.as_deref_mut());
            }
            format => envelopes::decode(record, around, format, element),
        }
        if listed {
            if record.counts.total() == before {
                record.ignored(None, ignored::EMPTY, element.raw().len());
            }
            record.path.pop();
        }
    }
}
