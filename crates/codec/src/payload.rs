//! Bytes to the decoder of their format.
//!
//! ```text
//! headers ─▶ format ─┬─ form ─▶ JSON text ─┐
//!            bytes ──┼─ JSON ──────────────┴▶ tape ─▶ each element ─▶ its format's decoder
//!                    │   │                               └ event, wrapper ─▶ the same again
//!                    │   ├ usual webhook or send ─▶ rows
//!                    │   └ a line each ─▶ the same again
//!                    └─ protobuf
//! ```

use std::borrow::Cow;
use std::cell::Cell;

use turnwise_model::Millis;
use turnwise_model::limits::{RECORD_BYTES_MAX, WRAPPERS_MAX};

use crate::detect::{self, Attributes, Told};
use crate::json::{JsonFault, Kind, Tape, Value};
use crate::meant::{self, Time};
use crate::reason::{Reason, ignored};
use crate::record::{Fail, Record};
use crate::unknown::UnknownFields;
use crate::{
    Format, Headers, cloudevents, elements, envelopes, form, frame, protobuf, send, webhook,
    wrapped,
};

/// Payloads that lie in each other at most: the record's, and those of an event, of wrappers and of
/// a form.
pub(crate) const SCRATCHES: usize = 3 + WRAPPERS_MAX;

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
    /// Whether there is an event around it: those do not nest.
    pub(crate) is_in_event: bool,
    /// How many wrappers there are around it.
    pub(crate) wrappers: usize,
    tally: &'a Tally,
}

impl<'a> Around<'a> {
    pub(crate) fn nothing(tally: &'a Tally) -> Self {
        Self { time: None, kind: None, is_in_event: false, wrappers: 0, tally }
    }

    /// The same with the attributes of an event.
    pub(crate) fn event(self, attributes: &Attributes<'a>) -> Self {
        let time = match attributes.time {
            Time::Some(time) => Some(time),
            _ => self.time,
        };
        Self { time, kind: attributes.kind, is_in_event: true, ..self }
    }

    /// The same in one more wrapper, which may tell a time.
    pub(crate) fn wrapped(self, time: Option<Millis>) -> Self {
        Self { time: time.or(self.time), wrappers: self.wrappers + 1, ..self }
    }

    /// The time of an account event: its own, else the surrounding event's, if either is told.
    pub(crate) fn time_or(&self, own: Option<Value<'_>>) -> Time {
        match meant::time(own) {
            Time::Some(time) => Time::Some(time),
            Time::None | Time::Unreadable(_) => self.time.map_or(Time::None, Time::Some),
        }
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
    scratch: &mut [Scratch; SCRATCHES],
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
    [outer, inner @ ..]: &mut [Scratch; SCRATCHES],
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
        return payload(record, &around, format, bytes, outer, inner);
    }
    match detect::by_headers(format, headers) {
        Told::Payload(told) => {
            // A setting wins over all.
            let is_set = told == format;
            let told = if is_set { told } else { detect::of_text_or_json(told, bytes) };
            payload(record, &around, told, bytes, outer, inner)
        }
        Told::Data(attributes) => {
            let told = attributes.format().unwrap_or(Format::Auto);
            let format = detect::of_text_or_json(told, bytes);
            payload(record, &around.event(&attributes), format, bytes, outer, inner)
        }
    }
}

/// Decodes one payload; `inner` is for those that are written in it.
pub(crate) fn payload(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    bytes: &[u8],
    scratch: &mut Scratch,
    inner: &mut [Scratch],
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
    let done = match is_form {
        true => of_form(record, around, format, bytes, scratch, inner),
        false => of_json(record, around, format, bytes, &mut scratch.tape, inner),
    };
    let is_broken = |fail: &Fail| fail.reason == Reason::InvalidJson;
    let lines = match &done {
        Err(fail) if is_json && is_broken(fail) => lines(bytes, &mut scratch.tape),
        _ => None,
    };
    scratch.clear();
    let Some(lines) = lines else { return done };
    for (at, line) in lines.enumerate() {
        record.path.index(at);
        let before = record.counts.total();
        let done = payload(record, around, format, line, scratch, inner);
        end(record, before, line.len(), done);
        record.path.pop();
    }
    Ok(())
}

/// Decodes a form: as an object, or what it holds as a text.
fn of_form(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    bytes: &[u8],
    scratch: &mut Scratch,
    inner: &mut [Scratch],
) -> Result<(), Fail> {
    let Scratch { tape, text: as_json, bytes: decoded, .. } = scratch;
    form::to_json(bytes, as_json, decoded)?;
    let root = parse(record, around, tape, as_json)?;
    let format = if format == Format::GupshupV2 { format } else { detect::by_form(root) };
    let reports = envelopes::reports_of_gupshup(root).filter(|_| format == Format::GupshupV2);
    match reports {
        Some(reports) => of_reports(record, around, reports, inner),
        None => {
            json(record, around, format, root, inner);
            Ok(())
        }
    }
}

/// Decodes the reports of Gupshup's gateway in a form, which are a text or, where somebody parsed
/// that, a list.
pub(crate) fn of_reports(
    record: &mut Record<'_>,
    around: &Around<'_>,
    reports: Value<'_>,
    inner: &mut [Scratch],
) -> Result<(), Fail> {
    record.path.key("response");
    let done = if reports.kind() == Kind::String {
        text(record, around, Format::GupshupV2, reports, inner)
    } else {
        json(record, around, Format::GupshupV2, reports, inner);
        Ok(())
    };
    record.path.pop();
    done
}

fn of_json(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    bytes: &[u8],
    tape: &mut Tape,
    inner: &mut [Scratch],
) -> Result<(), Fail> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let found = format!("other bytes at byte {}", error.valid_up_to());
        told(record, Reason::InvalidUtf8, "UTF-8", &found)
    })?;
    let root = parse(record, around, tape, text)?;
    json(record, around, format, root, inner);
    Ok(())
}

/// The lines of a text that holds a JSON object in each, as files do, and not in the first alone.
fn lines<'a>(text: &'a [u8], tape: &mut Tape) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut lines = lines.filter(|line| !line.is_empty()).peekable();
    let all = lines.clone();
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let are_objects = lines.peek().is_some() && all.clone().all(|line| line.starts_with(b"{"));
    (are_objects && tape.parse(first).is_ok()).then_some(all)
}

/// Decodes a payload that is written as a text of another.
pub(crate) fn text(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    held: Value<'_>,
    scratches: &mut [Scratch],
) -> Result<(), Fail> {
    let (text, scratch, inner) = opened(record, held, "a payload", scratches)?;
    let format = detect::of_text_or_json(format, text.as_bytes());
    payload(record, around, format, text.as_bytes(), scratch, inner)
}

/// Parses a text of another payload.
pub(crate) fn parsed(
    record: &mut Record<'_>,
    around: &Around<'_>,
    held: Value<'_>,
    scratches: &mut [Scratch],
    then: impl FnOnce(&mut Record<'_>, Value<'_>),
) -> Result<(), Fail> {
    let (text, scratch, _) = opened(record, held, "a payload", scratches)?;
    let done = parse(record, around, &mut scratch.tape, &text).map(|root| then(record, root));
    scratch.clear();
    done
}

/// A text, and memory for what is in it and for what is in that.
pub(crate) type Opened<'a, 's> = (Cow<'a, str>, &'s mut Scratch, &'s mut [Scratch]);

/// A value that should be a text of what is expected.
pub(crate) fn opened<'a, 's>(
    record: &Record<'_>,
    held: Value<'a>,
    expected: &str,
    scratches: &'s mut [Scratch],
) -> Result<Opened<'a, 's>, Fail> {
    let fail = |reason, expected| record.fail(reason, "", expected, Some(held.kind()));
    let text = held.string().ok_or_else(|| fail(Reason::WrongType, expected))?;
    let (scratch, inner) =
        scratches.split_first_mut().ok_or_else(|| fail(Reason::UnknownShape, "a payload"))?;
    Ok((text, scratch, inner))
}

/// What becomes of a part of a record, of so many bytes, that was read as a payload: nothing of it
/// disappears.
pub(crate) fn end(record: &mut Record<'_>, before: u64, bytes: usize, done: Result<(), Fail>) {
    match done {
        Err(fail) => record.dead(None, fail, bytes),
        Ok(()) if record.counts.total() == before => record.ignored(None, ignored::EMPTY, bytes),
        Ok(()) => {}
    }
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
    /// Forgets a payload, and gives the memory of a huge one back.
    fn clear(&mut self) {
        let Self { tape, text, bytes, .. } = self;
        tape.clear();
        text.clear();
        text.shrink_to(SCRATCH_KEPT_MAX);
        bytes.clear();
        bytes.shrink_to(SCRATCH_KEPT_MAX);
    }

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

/// Reads JSON, whose fields that nobody knows are counted.
fn parse<'a>(
    record: &Record<'_>,
    around: &Around<'_>,
    tape: &'a mut Tape,
    text: &'a str,
) -> Result<Value<'a>, Fail> {
    let root = tape.parse(text).map_err(|error| match error.fault {
        JsonFault::Invalid => {
            told(record, Reason::InvalidJson, "JSON", &format!("an error at byte {}", error.at))
        }
        JsonFault::TooDeep => {
            let found = format!("more at byte {}", error.at);
            told(record, Reason::NestedTooDeep, "less nesting", &found)
        }
    })?;
    around.tally.unknown.add_of(root);
    Ok(root)
}

/// Every element of a list, or the one value, by the decoder of its format.
pub(crate) fn json(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    root: Value<'_>,
    inner: &mut [Scratch],
) {
    if format == Format::Auto && wrapped::is_json(root) && around.wrappers < WRAPPERS_MAX {
        let before = record.counts.total();
        let done = text(record, &around.wrapped(None), format, root, inner);
        return end(record, before, root.raw().len(), done);
    }
    let listed = root.kind() == Kind::Array;
    elements::each(record, root, |record, element| {
        let before = record.counts.total();
        one(record, around, format, element, inner);
        if listed {
            end(record, before, element.raw().len(), Ok(()));
        }
    });
}

/// One value. What a setting, a header or keys of its own tell goes before what it may hold.
fn one(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    value: Value<'_>,
    inner: &mut [Scratch],
) {
    let told = if format == Format::Auto { detect::by_own_keys(value) } else { Some(format) };
    if told.is_none() && wrapped::is_one(value, around.wrappers) {
        return wrapped::decode(record, around, value, inner);
    }
    match told.unwrap_or_else(|| detect::by_common_keys(value)) {
        Format::Auto | Format::CloudApi => webhook::decode(record, around, value),
        Format::Send => send::decode(record, value),
        Format::CloudEvents => cloudevents::decode(record, around, value, inner),
        Format::TwilioEvents if value.get("specversion").is_some() => {
            cloudevents::decode(record, around, value, inner);
        }
        Format::GupshupV2 => match envelopes::lone_reports_of_gupshup(value) {
            Some(reports) => {
                let before = record.counts.total();
                let done = of_reports(record, around, reports, inner);
                end(record, before, value.raw().len(), done);
            }
            None => envelopes::decode(record, around, Format::GupshupV2, value),
        },
        format => envelopes::decode(record, around, format, value),
    }
}
