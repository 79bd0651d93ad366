//! The straight way of sends: accepted messages and marks in their usual shape, whatever the order
//! of their keys.
//!
//! It is that of webhooks ([`crate::webhook::straight`]) with other keys: one pass or a layout that
//! is known, and nothing written before all of the text was read. What it takes it takes as
//! [`super::decode`] does; `tests/ways.rs` compares the two.

use turnwise_model::limits::ID_BYTES_MAX;
use turnwise_model::{Direction, Origin};

use crate::json::{Cursor, Field, Layouts, Nth, Trace, UNUSUAL, Values, whole};
use crate::meant::id_of;
use crate::reason::ignored;
use crate::record::{Record, Scope};
use crate::rows::MessageRow;
use crate::straight::accounts::is_alone;
use crate::straight::body::{self, Answered, Body};
use crate::straight::contact::Contact;
use crate::straight::values::{is_plain, is_plain_or_empty, time};
use crate::straight::{Hashing, PlainIds, UNESCAPED_KEPT_MAX, is_digits_or_empty, may_be_same};
use crate::unknown::UnknownFields;

/// What is kept from text to text: layouts, and memory.
#[derive(Debug)]
pub(crate) struct Scratch {
    layouts: Layouts<Send>,
    trace: Trace,
    unescaped: String,
}

/// A send: where its values stand.
#[derive(Clone, Copy, Debug)]
struct Send {
    waba_id: Nth,
    sender: Nth,
    time: Nth,
    status: Nth,
    request: Request,
    response: Response,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
struct Request {
    to: Nth,
    recipient: Nth,
    answered: Answered,
    kind: RequestKind,
}

/// What kind of thing was asked for.
#[derive(Clone, Copy, Debug)]
enum RequestKind {
    /// A message.
    Message(Body),
    /// A mark, and what it is called.
    Mark(&'static str),
}

/// What the platform answered.
#[derive(Clone, Copy, Debug, Default)]
struct Response {
    contact: Contact,
    /// Whom it was asked to be sent to, as the answer says.
    input: Nth,
    id: Nth,
}

impl Default for Scratch {
    fn default() -> Self {
        let (layouts, trace) = (Layouts::of_texts(), Trace::default());
        Self { layouts, trace, unescaped: String::new() }
    }
}

/// Writes the row of a text and answers `true`, or does nothing.
pub(crate) fn decode(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    scratch: &mut Scratch,
    unknown: &UnknownFields,
    bytes: &[u8],
) -> bool {
    let Scratch { layouts, trace, unescaped } = scratch;
    if let Some(known) = layouts.find(bytes) {
        let values = Values { bytes, texts: known.values };
        let written = row(record, hashing, known.read, values, unescaped).is_some();
        if written {
            unknown.add_all(known.unknown);
        }
        return written;
    }
    let mut cursor = Cursor::new(bytes, trace);
    let send = send(&mut cursor).filter(|_| cursor.end().is_some());
    let values = Values { bytes, texts: &trace.values };
    let read = send.filter(|send| row(record, hashing, send, values, unescaped).is_some());
    if let Some(send) = read {
        unknown.add_all(&trace.unknown);
        layouts.learn(bytes, trace, send, 1);
    }
    trace.clear();
    read.is_some()
}

#[inline(always)]
fn send(cursor: &mut Cursor<'_, '_>) -> Option<Send> {
    const TIME: Field = 1;
    const WABA_ID: Field = 2;
    const SENDER: Field = 3;
    const STATUS: Field = 4;
    const REQUEST: Field = 5;
    const RESPONSE: Field = 6;
    let name = |name: &[u8]| match name {
        b"time" => TIME,
        b"waba_id" => WABA_ID,
        b"phone_number_id" => SENDER,
        b"status" => STATUS,
        b"request" => REQUEST,
        b"response" => RESPONSE,
        // A request without the record around it; what other formats are told by.
        b"messaging_product" | b"gs_app_id" | b"entry" | b"changes" | b"specversion" => UNUSUAL,
        _ => 0,
    };
    let [mut waba_id, mut sender, mut time, mut status] = [Nth::NONE; 4];
    let (mut request, mut response) = (None, None);
    cursor.object(name, |cursor, field| {
        match field {
            TIME => time = cursor.number_or_string()?,
            WABA_ID => waba_id = cursor.string()?,
            SENDER => sender = cursor.string()?,
            STATUS => status = cursor.number_or_string()?,
            REQUEST => request = Some(self::request(cursor)?),
            RESPONSE => response = Some(self::response(cursor)?),
            _ => return None,
        }
        Some(())
    })?;
    let (request, response) = (request?, response.unwrap_or_default());
    Some(Send { waba_id, sender, time, status, request, response })
}

const TO: Field = 1;
const RECIPIENT: Field = 2;
const RECIPIENT_TYPE: Field = 3;
const TYPE: Field = 4;
const CONTEXT: Field = 5;
const MESSAGE_ID: Field = 6;
const STATUS: Field = 7;
const TYPING: Field = 8;
/// The first of [`body::BODIES`].
const BODY: Field = 9;
const _: () = assert!(BODY as usize + body::BODIES.len() <= UNUSUAL as usize);

fn request_field(name: &[u8]) -> Field {
    match name {
        b"to" => TO,
        b"recipient" => RECIPIENT,
        b"recipient_type" => RECIPIENT_TYPE,
        b"type" => TYPE,
        b"context" => CONTEXT,
        b"message_id" => MESSAGE_ID,
        b"status" => STATUS,
        b"typing_indicator" => TYPING,
        b"chars" | b"system" | b"voice" => UNUSUAL,
        // It may be no send; a text of a category is a template.
        b"entry" | b"changes" | b"metadata" | b"category" | b"file" => UNUSUAL,
        name => body::field(name, BODY),
    }
}

#[inline(always)]
fn request(cursor: &mut Cursor<'_, '_>) -> Option<Request> {
    let [mut to, mut recipient] = [Nth::NONE; 2];
    let (mut kind, mut read_body, mut answered) = (None, None, Answered::default());
    let (mut is_of_message, mut has_status, mut is_typing) = (false, false, false);
    cursor.object(request_field, |cursor, field| {
        match field {
            TO => to = cursor.string()?,
            RECIPIENT => recipient = cursor.string()?,
            RECIPIENT_TYPE => {
                return cursor.named(|name| (name == b"individual").then_some(0)).map(drop);
            }
            TYPE => kind = Some(body::kind(cursor)?),
            CONTEXT => answered = Answered::read(cursor)?,
            MESSAGE_ID => is_of_message = cursor.string().map(|_| true)?,
            STATUS => has_status = cursor.string().map(|_| true)?,
            TYPING => is_typing = cursor.skip_object().map(|()| true)?,
            _ if read_body.is_some() => return None,
            field => read_body = Some(body::read(cursor, field, BODY)?),
        }
        Some(())
    })?;
    let kind = if is_typing {
        RequestKind::Mark(ignored::TYPING)
    } else if is_of_message && has_status {
        RequestKind::Mark(ignored::MARK_AS_READ)
    } else {
        RequestKind::Message(body::of_kind(read_body, kind?)?)
    };
    Some(Request { to, recipient, answered, kind })
}

/// A peer as a request names it; both may be empty.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    phone: &'a [u8],
    user: &'a [u8],
}

impl Request {
    /// Whom it names, if all its values are usual.
    #[inline]
    fn peer<'a>(&self, values: Values<'a>) -> Option<Asked<'a>> {
        if !self.answered.is_plain(values) || !is_plain_or_empty(values, self.recipient) {
            return None;
        }
        let phone = digits_behind_plus(values, self.to)?;
        let recipient = values.of(self.recipient);
        match recipient.first() {
            // Whatever begins with a letter is no number in any spelling.
            Some(first) if first.is_ascii_alphabetic() => Some(Asked { phone, user: recipient }),
            _ if !is_digits_or_empty(recipient) => None,
            // The number in `to` goes before this one, wherever it stands.
            _ if phone.is_empty() => Some(Asked { phone: recipient, user: &[] }),
            _ => Some(Asked { phone, user: &[] }),
        }
    }
}

/// A phone number with or without a `+` before its digits, or an empty string.
#[inline]
fn digits_behind_plus<'a>(values: Values<'a>, nth: Nth) -> Option<&'a [u8]> {
    let digits = match values.of(nth) {
        // The `+` counts as well.
        phone if phone.len() > ID_BYTES_MAX || values.text(nth).is_escaped() => return None,
        [b'+', digits @ ..] if !digits.is_empty() => digits,
        digits => digits,
    };
    is_digits_or_empty(digits).then_some(digits)
}

#[inline(always)]
fn response(cursor: &mut Cursor<'_, '_>) -> Option<Response> {
    const CONTACTS: Field = 1;
    const MESSAGES: Field = 2;
    let name = |name: &[u8]| match name {
        b"contacts" => CONTACTS,
        b"messages" => MESSAGES,
        b"error" | b"errors" => UNUSUAL,
        _ => 0,
    };
    let mut response = Response::default();
    cursor.object(name, |cursor, field| match field {
        CONTACTS => first(cursor, |cursor| {
            (response.contact, response.input) = contact(cursor)?;
            Some(())
        }),
        MESSAGES => first(cursor, |cursor| {
            let name = |name: &[u8]| u8::from(name == b"id");
            cursor.object(name, |cursor, _| {
                response.id = cursor.string()?;
                Some(())
            })
        }),
        _ => None,
    })?;
    Some(response)
}

/// The contact of an answer, and what it says was asked for.
#[inline(always)]
fn contact(cursor: &mut Cursor<'_, '_>) -> Option<(Contact, Nth)> {
    const WA_ID: Field = 1;
    const USER_ID: Field = 2;
    const INPUT: Field = 3;
    let name = |name: &[u8]| match name {
        b"wa_id" => WA_ID,
        b"user_id" => USER_ID,
        b"input" => INPUT,
        _ => 0,
    };
    let (mut contact, mut input) = (Contact::default(), Nth::NONE);
    cursor.object(name, |cursor, field| {
        match field {
            WA_ID => contact.phone = cursor.string()?,
            USER_ID => contact.user = cursor.string()?,
            _ => input = cursor.string()?,
        }
        Some(())
    })?;
    Some((contact, input))
}

/// A number as an answer repeats it, empty where it is a user id.
#[inline]
fn repeated<'a>(values: Values<'a>, input: Nth) -> Option<&'a [u8]> {
    match values.of(input).first() {
        Some(first) if first.is_ascii_alphabetic() => Some(&[]),
        _ => digits_behind_plus(values, input),
    }
}

/// Reads the first element of an array, and skips the others.
#[inline(always)]
fn first(
    cursor: &mut Cursor<'_, '_>,
    mut element: impl FnMut(&mut Cursor<'_, '_>) -> Option<()>,
) -> Option<()> {
    let mut is_first = true;
    cursor.array(
        |cursor| {
            if std::mem::take(&mut is_first) { element(cursor) } else { cursor.skip() }
        },
    )
}

/// Writes the row of a send, or does nothing.
#[inline]
fn row(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    send: &Send,
    values: Values<'_>,
    unescaped: &mut String,
) -> Option<()> {
    let is_accepted = if send.status.is_none() {
        None
    } else {
        Some((200..300).contains(&whole(values.of(send.status))?))
    };
    let time = if send.time.is_none() { None } else { Some(time(values, send.time)?) };
    let Response { contact, input, id } = send.response;
    let input = repeated(values, input)?;
    let asked = send.request.peer(values)?;
    let (waba_id, sender) = (values.of(send.waba_id), values.of(send.sender));
    // What may be a person's is told by meaning.
    let is_sender = |phone: &[u8]| may_be_same(phone, sender);
    if values.text(send.waba_id).is_escaped()
        || !is_digits_or_empty(waba_id)
        || !is_digits_or_empty(sender)
        || !is_alone(values, send.waba_id)
        || [asked.phone, input, values.of(contact.phone)].into_iter().any(is_sender)
        || !(send.sender.is_none() || is_plain(values, send.sender))
        || !contact.is_usual(values)
        || !(id.is_none() || is_plain(values, id))
    {
        return None;
    }
    let body = match send.request.kind {
        RequestKind::Message(body) => body,
        RequestKind::Mark(name) => return mark(record, name, [waba_id, sender], values.bytes),
    };
    // Without a status the answer's messages say that it was accepted; here there is one.
    if is_accepted == Some(false) || id.is_none() || !record.place.has_room(1) {
        return None;
    }
    let time = time.filter(|time| record.place.is_in_range(*time))?;
    let owner = record.rows.strings.plain_owner(waba_id, sender)?;
    let ids = PlainIds {
        owner,
        sender,
        phone: either(values.of(contact.phone), asked.phone),
        user: either(values.of(contact.user), asked.user),
        message: values.of(id),
    };
    let item = record.place.begin()?;
    let Body { kind, interactive, voice, text } = body;
    let text = record.plain_text(values, text, unescaped);
    unescaped.clear();
    unescaped.shrink_to(UNESCAPED_KEPT_MAX);
    let row = MessageRow {
        common: record.place.plain_common(hashing, &ids, time, item),
        origin: Origin::Live,
        in_group: false,
        direction: Direction::Outbound,
        kind,
        interactive,
        voice,
        country: ids.country(),
        is_reply: send.request.answered.is_one(),
        has_referral: false,
        text,
    };
    record.plain_message(owner, row);
    Some(())
}

/// The first of two ids that is not empty.
#[inline]
fn either<'a>(one: &'a [u8], other: &'a [u8]) -> &'a [u8] {
    if one.is_empty() { other } else { one }
}

/// The row of a mark, which needs no owner and is ignored whatever became of it.
#[inline(never)]
fn mark(
    record: &mut Record<'_>,
    name: &'static str,
    owner: [&[u8]; 2],
    bytes: &[u8],
) -> Option<()> {
    if !record.place.has_room(1) {
        return None;
    }
    let [waba_id, sender] = owner.map(std::str::from_utf8);
    let scope = Scope { waba_id: id_of(waba_id.ok()?.into()), sender: id_of(sender.ok()?.into()) };
    record.ignored(Some(&scope), name, bytes.trim_ascii().len());
    Some(())
}

#[cfg(test)]
mod tests;
