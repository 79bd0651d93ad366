//! Messages, statuses and contacts as they usually look.
//!
//! Each reader knows every key that could change what a row says. A key that it does not expect
//! there, one that occurs twice, or a value of another type ends the straight way; keys that nobody
//! asks for are skipped.

use turnwise_model::{Category, InteractiveType, MessageKind, Millis, PricingModel, PricingType};
use turnwise_model::{Status, limits};

use crate::json::{Field, Reader, Span, Text, UNUSUAL, whole};
use crate::straight::body::{self, Body};
use crate::straight::values::{digits_or_empty, named, plain, plain_or_empty, timestamp};

/// A message of `messages` or `message_echoes`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) id: Span,
    pub(super) time: Millis,
    /// `from` of a message, `to` of an echo.
    pub(super) phone: Span,
    pub(super) user: Span,
    pub(super) kind: MessageKind,
    pub(super) interactive: Option<InteractiveType>,
    pub(super) voice: Option<bool>,
    pub(super) text: Option<Text>,
    pub(super) is_reply: bool,
    pub(super) has_referral: bool,
}

/// One of `statuses`.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusItem {
    pub(super) id: Span,
    pub(super) time: Millis,
    pub(super) phone: Span,
    pub(super) user: Span,
    pub(super) status: Status,
    pub(super) category: Option<Category>,
    pub(super) conversation_origin: Option<Category>,
    pub(super) pricing_type: Option<PricingType>,
    pub(super) pricing_model: Option<PricingModel>,
    pub(super) error_code: Option<i64>,
}

named!(status_name, Status);
named!(category, Category);
named!(pricing_type, PricingType);

/// Names are compared in capitals, which `other` is not.
#[inline]
fn pricing_model<'a, R: Reader<'a>>(cursor: &mut R) -> Option<PricingModel> {
    let code = cursor.named(|name| {
        let known = match name {
            b"PMP" => PricingModel::Pmp,
            b"CBP" => PricingModel::Cbp,
            _ => return None,
        };
        u8::try_from(known.code()).ok()
    })?;
    PricingModel::from_code(i32::from(code))
}

const FROM: Field = 1;
const FROM_USER_ID: Field = 2;
const TO: Field = 3;
const TO_USER_ID: Field = 4;
const MESSAGE_ID: Field = 5;
const TIMESTAMP: Field = 6;
const TYPE: Field = 7;
const CONTEXT: Field = 8;
const REFERRAL: Field = 9;
/// The first of [`body::BODIES`].
const BODY: Field = 10;
const _: () = assert!(BODY as usize + body::BODIES.len() <= UNUSUAL as usize);

fn message_field(name: &[u8]) -> Field {
    match name {
        b"from" => FROM,
        b"from_user_id" => FROM_USER_ID,
        b"id" => MESSAGE_ID,
        b"timestamp" => TIMESTAMP,
        b"type" => TYPE,
        b"context" => CONTEXT,
        b"referral" => REFERRAL,
        b"to" | b"to_user_id" | b"group_id" | b"recipient_type" | b"recipient" | b"message"
        | b"chars" | b"system" | b"voice" => UNUSUAL,
        name => body::field(name, BODY),
    }
}

fn echo_field(name: &[u8]) -> Field {
    match name {
        b"to" => TO,
        b"to_user_id" => TO_USER_ID,
        name => message_field(name),
    }
}

/// One of `messages`, or, `echoed`, of `message_echoes`.
#[inline(always)]
pub(super) fn message<'a, R: Reader<'a>>(cursor: &mut R, echoed: bool) -> Option<Message> {
    let name = if echoed { echo_field } else { message_field };
    let [mut id, mut from, mut from_user, mut to, mut to_user] = [Span::default(); 5];
    let (mut time, mut kind, mut read_body) = (None, None, None);
    let (mut reply, mut has_referral) = (false, false);
    cursor.object(name, |cursor, field| {
        match field {
            FROM => from = digits_or_empty(cursor)?,
            FROM_USER_ID => from_user = plain_or_empty(cursor)?,
            TO => to = digits_or_empty(cursor)?,
            TO_USER_ID => to_user = plain_or_empty(cursor)?,
            MESSAGE_ID => id = plain(cursor)?,
            TIMESTAMP => time = Some(timestamp(cursor)?),
            TYPE => kind = Some(body::kind(cursor)?),
            CONTEXT => reply = body::is_reply(cursor)?,
            REFERRAL => {
                cursor.skip_object()?;
                has_referral = true;
            }
            _ if read_body.is_some() => return None,
            field => read_body = Some(body::read(cursor, field, BODY)?),
        }
        Some(())
    })?;
    let (phone, user) = if echoed { (to, to_user) } else { (from, from_user) };
    let Body { kind, interactive, voice, text } = body::of_kind(read_body, kind?)?;
    let (time, is_reply) = (time?, reply);
    let message =
        Message { id, time, phone, user, kind, interactive, voice, text, is_reply, has_referral };
    (!id.is_empty()).then_some(message)
}

/// One of `statuses`.
#[inline(always)]
pub(super) fn status<'a, R: Reader<'a>>(cursor: &mut R) -> Option<StatusItem> {
    const ID: Field = 1;
    const STATUS: Field = 2;
    const TIMESTAMP: Field = 3;
    const RECIPIENT_ID: Field = 4;
    const RECIPIENT_USER_ID: Field = 5;
    const CONVERSATION: Field = 6;
    const PRICING: Field = 7;
    const ERRORS: Field = 8;
    let name = |name: &[u8]| match name {
        b"id" => ID,
        b"status" => STATUS,
        b"timestamp" => TIMESTAMP,
        b"recipient_id" => RECIPIENT_ID,
        b"recipient_user_id" => RECIPIENT_USER_ID,
        b"conversation" => CONVERSATION,
        b"pricing" => PRICING,
        b"errors" => ERRORS,
        b"recipient_type" | b"type" | b"group_id" | b"code" => UNUSUAL,
        _ => 0,
    };
    let [mut id, mut phone, mut user] = [Span::default(); 3];
    let (mut time, mut status, mut conversation_origin, mut error_code) = (None, None, None, None);
    let mut price = Pricing::default();
    cursor.object(name, |cursor, field| {
        match field {
            ID => id = plain(cursor)?,
            STATUS => status = Some(status_name(cursor)?),
            TIMESTAMP => time = Some(timestamp(cursor)?),
            RECIPIENT_ID => phone = digits_or_empty(cursor)?,
            RECIPIENT_USER_ID => user = plain_or_empty(cursor)?,
            CONVERSATION => conversation_origin = origin_of_conversation(cursor)?,
            PRICING => price = pricing(cursor)?,
            ERRORS => error_code = first_error_code(cursor)?,
            _ => return None,
        }
        Some(())
    })?;
    let (time, status) = (time?, status?);
    let item = StatusItem {
        id,
        time,
        phone,
        user,
        status,
        category: price.category,
        conversation_origin,
        pricing_type: price.kind,
        pricing_model: price.model,
        error_code,
    };
    (!id.is_empty()).then_some(item)
}

/// `conversation.origin.type`.
#[inline]
fn origin_of_conversation<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Option<Category>> {
    let mut origin = None;
    let name = |name: &[u8]| u8::from(name == b"origin");
    cursor.object(name, |cursor, _| {
        let name = |name: &[u8]| u8::from(name == b"type");
        cursor.object(name, |cursor, _| {
            origin = Some(category(cursor)?);
            Some(())
        })
    })?;
    Some(origin)
}

/// `pricing`.
#[derive(Clone, Copy, Debug, Default)]
struct Pricing {
    category: Option<Category>,
    kind: Option<PricingType>,
    model: Option<PricingModel>,
}

#[inline]
fn pricing<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Pricing> {
    const CATEGORY: Field = 1;
    const TYPE: Field = 2;
    const MODEL: Field = 3;
    let name = |name: &[u8]| match name {
        b"category" => CATEGORY,
        b"type" => TYPE,
        b"pricing_model" => MODEL,
        _ => 0,
    };
    let mut pricing = Pricing::default();
    cursor.object(name, |cursor, field| {
        match field {
            CATEGORY => pricing.category = Some(category(cursor)?),
            TYPE => pricing.kind = Some(pricing_type(cursor)?),
            MODEL => pricing.model = Some(pricing_model(cursor)?),
            _ => return None,
        }
        Some(())
    })?;
    Some(pricing)
}

/// The code of the first of `errors`, which must have one.
fn first_error_code<'a, R: Reader<'a>>(cursor: &mut R) -> Option<Option<i64>> {
    let mut first = None;
    cursor.array(|cursor| {
        if first.is_some() {
            return cursor.skip_object();
        }
        let name = |name: &[u8]| u8::from(name == b"code");
        cursor.object(name, |cursor, _| {
            let code = whole(cursor.number()?.of(cursor.bytes()))?;
            first = (code.unsigned_abs() <= limits::ERROR_CODE_MAX).then_some(code);
            Some(())
        })?;
        first.map(drop)
    })?;
    Some(first)
}
