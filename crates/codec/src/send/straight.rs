//! The straight way of sends: accepted messages and marks in their usual shape, whatever the order
//! of their keys.
//!
//! It is that of webhooks ([`crate::webhook::straight`]) with other keys: one pass or a layout that
//! is known, and nothing written before all of the text was read. What it takes it takes as
//! [`super::decode`] does; `tests/ways.rs` compares the two.

use turnwise_model::limits::ID_BYTES_MAX;
use turnwise_model::{Direction, Millis, Origin};

use crate::json::{Cursor, Field, Layouts, Reader, Span, Trace, UNUSUAL, whole};
use crate::meant::id_of;
use crate::reason::ignored;
use crate::record::{Record, Scope};
use crate::rows::MessageRow;
use crate::straight::body::{self, Body};
use crate::straight::contact::{Contact, contact};
use crate::straight::values::{plain, plain_or_empty, time};
use crate::straight::{Hashing, PlainIds, UNESCAPED_KEPT_MAX, is_digits_or_empty};
use crate::unknown::UnknownFields;

/// What is kept from text to text: layouts, and memory.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    layouts: Layouts,
    trace: Trace,
    unescaped: String,
}

/// A send.
#[derive(Clone, Copy, Debug)]
struct Send {
    waba_id: Span,
    sender: Span,
    time: Option<Millis>,
    accepted: Option<bool>,
    request: Request,
    response: Response,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
enum Request {
    /// A message.
    Message(Message),
    /// A mark, and what it is called.
    Mark(&'static str),
}

/// A message that was asked to be sent.
#[derive(Clone, Copy, Debug)]
struct Message {
    phone: Span,
    user: Span,
    body: Body,
    is_reply: bool,
}

/// What the platform answered.
#[derive(Clone, Copy, Debug, Default)]
struct Response {
    contact: Contact,
    id: Span,
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
    if let Some(mut replay) = layouts.find(bytes) {
        let written = send(&mut replay)
            .and_then(|send| row(record, hashing, &send, bytes, unescaped))
            .is_some();
        if written {
            unknown.add_all(replay.unknown);
        }
        return written;
    }
    let mut cursor = Cursor::new(bytes, trace);
    let read = send(&mut cursor).filter(|_| cursor.end().is_some());
    if read.and_then(|send| row(record, hashing, &send, bytes, unescaped)).is_none() {
        return false;
    }
    unknown.add_all(&trace.unknown);
    layouts.learn(bytes, trace);
    true
}

#[inline(always)]
fn send<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Send> {
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
    let [mut waba_id, mut sender] = [Span::default(); 2];
    let (mut sent, mut accepted, mut request, mut response) = (None, None, None, None);
    cursor.object(name, |cursor, field| {
        match field {
            TIME => sent = Some(time(cursor)?),
            WABA_ID => waba_id = plain_or_empty(cursor)?,
            SENDER => sender = plain(cursor)?,
            STATUS => {
                let status = cursor.number_or_string()?.span().of(cursor.bytes());
                accepted = Some((200..300).contains(&whole(status)?));
            }
            REQUEST => request = Some(self::request(cursor)?),
            RESPONSE => response = Some(self::response(cursor)?),
            _ => return None,
        }
        Some(())
    })?;
    let (request, response) = (request?, response.unwrap_or_default());
    Some(Send { waba_id, sender, time: sent, accepted, request, response })
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
        name => body::field(name, BODY),
    }
}

#[inline(always)]
fn request<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Request> {
    let [mut phone, mut user] = [Span::default(); 2];
    let (mut kind, mut read_body, mut is_reply) = (None, None, false);
    let (mut is_of_message, mut has_status, mut is_typing) = (false, false, false);
    cursor.object(request_field, |cursor, field| {
        match field {
            TO => {
                let to = digits_behind_plus(cursor)?;
                phone = if to.is_empty() { phone } else { to };
            }
            RECIPIENT => match recipient(cursor)? {
                Recipient::User(id) => user = id,
                // The number in `to` goes before this one, wherever it stands.
                Recipient::Phone(number) if phone.is_empty() => phone = number,
                Recipient::Phone(_) => {}
            },
            RECIPIENT_TYPE => {
                return cursor.named(|name| (name == b"individual").then_some(0)).map(drop);
            }
            TYPE => kind = Some(body::kind(cursor)?),
            CONTEXT => is_reply = body::is_reply(cursor)?,
            MESSAGE_ID => is_of_message = cursor.string().map(|_| true)?,
            STATUS => has_status = cursor.string().map(|_| true)?,
            TYPING => is_typing = cursor.skip_object().map(|()| true)?,
            _ if read_body.is_some() => return None,
            field => read_body = Some(body::read(cursor, field, BODY)?),
        }
        Some(())
    })?;
    if is_typing {
        return Some(Request::Mark(ignored::TYPING));
    }
    if is_of_message && has_status {
        return Some(Request::Mark(ignored::MARK_AS_READ));
    }
    let body = body::of_kind(read_body, kind?)?;
    Some(Request::Message(Message { phone, user, body, is_reply }))
}

/// Whom `recipient` names.
enum Recipient {
    User(Span),
    /// Digits, or nothing.
    Phone(Span),
}

#[inline]
fn recipient<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Recipient> {
    let span = plain_or_empty(cursor)?;
    let id = span.of(cursor.bytes());
    match id.first() {
        // Whatever begins with a letter is no number in any spelling.
        Some(first) if first.is_ascii_alphabetic() => Some(Recipient::User(span)),
        _ => is_digits_or_empty(id).then_some(Recipient::Phone(span)),
    }
}

/// A phone number with or without a `+` before its digits, or an empty string.
#[inline]
fn digits_behind_plus<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Span> {
    let span = cursor.plain()?.span();
    let span = match span.of(cursor.bytes()) {
        // The `+` counts as well.
        phone if phone.len() > ID_BYTES_MAX => return None,
        [b'+', _, ..] => span.behind_first(),
        _ => span,
    };
    is_digits_or_empty(span.of(cursor.bytes())).then_some(span)
}

#[inline(always)]
fn response<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Response> {
    const CONTACTS: Field = 1;
    const MESSAGES: Field = 2;
    let name = |name: &[u8]| match name {
        b"contacts" => CONTACTS,
        b"messages" => MESSAGES,
        b"error" => UNUSUAL,
        _ => 0,
    };
    let mut response = Response::default();
    cursor.object(name, |cursor, field| match field {
        CONTACTS => first(cursor, |cursor| {
            response.contact = contact(cursor)?;
            Some(())
        }),
        MESSAGES => first(cursor, |cursor| {
            let name = |name: &[u8]| u8::from(name == b"id");
            cursor.object(name, |cursor, _| {
                response.id = plain(cursor)?;
                Some(())
            })
        }),
        _ => None,
    })?;
    Some(response)
}

/// Reads the first element of an array, and skips the others.
#[inline(always)]
fn first<'a, R: Reader<'a>>(
    cursor: &mut R,
    mut element: impl FnMut(&mut R) -> Option<()>,
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
    bytes: &[u8],
    unescaped: &mut String,
) -> Option<()> {
    let (waba_id, sender) = (send.waba_id.of(bytes), send.sender.of(bytes));
    let Response { contact: Contact { phone, user }, id } = send.response;
    let message = match send.request {
        Request::Message(message) => message,
        Request::Mark(name) => return mark(record, name, [waba_id, sender], bytes),
    };
    // Without a status the answer's messages say that it was accepted; here there is one.
    if send.accepted == Some(false) || id.is_empty() || !record.has_room(1) {
        return None;
    }
    let time = send.time.filter(|time| record.is_in_range(*time))?;
    let owner = record.rows.strings.plain_owner(waba_id, sender)?;
    let or = |own: Span, asked: Span| if own.is_empty() { asked } else { own };
    let ids = PlainIds {
        owner,
        sender,
        phone: or(phone, message.phone).of(bytes),
        user: or(user, message.user).of(bytes),
        message: id.of(bytes),
    };
    let item = record.begin_known()?;
    let Message { body: Body { kind, interactive, voice, text }, is_reply, .. } = message;
    let text = record.plain_text(text, bytes, unescaped);
    unescaped.clear();
    unescaped.shrink_to(UNESCAPED_KEPT_MAX);
    let row = MessageRow {
        common: record.plain_common(hashing, &ids, time, item),
        origin: Origin::Live,
        in_group: false,
        direction: Direction::Outbound,
        kind,
        interactive,
        voice,
        country: ids.country(),
        is_reply,
        has_referral: false,
        text,
    };
    record.plain_message(owner, row);
    Some(())
}

/// The row of a mark, which needs no owner and is ignored whatever became of it.
#[inline(never)]
fn mark(
    record: &mut Record<'_>,
    name: &'static str,
    owner: [&[u8]; 2],
    bytes: &[u8],
) -> Option<()> {
    if !record.has_room(1) {
        return None;
    }
    let [waba_id, sender] = owner.map(std::str::from_utf8);
    let scope = Scope { waba_id: id_of(waba_id.ok()?.into()), sender: id_of(sender.ok()?.into()) };
    record.ignored(Some(&scope), name, bytes.trim_ascii().len());
    Some(())
}

#[cfg(test)]
mod tests;
