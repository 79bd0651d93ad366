//! Messages and statuses as they usually look.
//!
//! Each reader knows every key that could change what a row says. A key that it does not expect
//! there, one that occurs twice, or a value of another type ends the straight way; keys that nobody
//! asks for are skipped. Of values they say where they stand; those are looked at before rows are
//! written.

use turnwise_model::{Category, Millis, PricingModel, PricingType, Status, limits};

use crate::json::{Cursor, Field, Nth, UNUSUAL, Values, whole};
use crate::straight::body::{self, Answered, Body};
use crate::straight::values::{is_digits_or_empty, is_plain, is_plain_or_empty, named, timestamp};
use crate::webhook::message;

/// A message of `messages` or `message_echoes`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) id: Nth,
    time: Nth,
    from: [Nth; 2],
    to: [Nth; 2],
    answered: Answered,
    pub(super) body: Body,
    pub(super) has_referral: bool,
    /// Of echoes: Meta's own agent wrote it.
    pub(super) by_agent: bool,
}

/// One of `statuses`.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusItem {
    pub(super) id: Nth,
    time: Nth,
    pub(super) phone: Nth,
    pub(super) user: Nth,
    error_code: Nth,
    pub(super) status: Status,
    pub(super) category: Option<Category>,
    pub(super) conversation_origin: Option<Category>,
    pub(super) pricing_type: Option<PricingType>,
    pub(super) pricing_model: Option<PricingModel>,
}

impl Message {
    /// Its time, if all its values are usual.
    #[inline(always)]
    pub(super) fn check(&self, values: Values<'_>) -> Option<Millis> {
        let is_usual = |[phone, user]: [Nth; 2]| {
            is_digits_or_empty(values, phone) && is_plain_or_empty(values, user)
        };
        let are_usual = is_plain(values, self.id)
            && is_usual(self.from)
            && is_usual(self.to)
            && self.answered.is_plain(values);
        timestamp(values, self.time).filter(|_| are_usual)
    }

    /// The peer's number and user id.
    #[inline(always)]
    pub(super) fn peer(&self, echoed: bool) -> [Nth; 2] {
        if echoed { self.to } else { self.from }
    }

    #[inline(always)]
    pub(super) fn is_reply(&self) -> bool {
        self.answered.is_one()
    }

    /// See [`Nth::moved`].
    pub(super) fn moved(&self, by: isize) -> Self {
        Self {
            id: self.id.moved(by),
            time: self.time.moved(by),
            from: self.from.map(|nth| nth.moved(by)),
            to: self.to.map(|nth| nth.moved(by)),
            answered: self.answered.moved(by),
            body: Body { text: self.body.text.moved(by), ..self.body },
            ..*self
        }
    }
}

impl StatusItem {
    /// Its time, if all its values are usual.
    #[inline(always)]
    pub(super) fn check(&self, values: Values<'_>) -> Option<Millis> {
        let are_usual = is_plain(values, self.id)
            && is_digits_or_empty(values, self.phone)
            && is_plain_or_empty(values, self.user)
            && (self.error_code.is_none() || self.error_code(values).is_some());
        timestamp(values, self.time).filter(|_| are_usual)
    }

    /// The code of its first error.
    #[inline(always)]
    pub(super) fn error_code(&self, values: Values<'_>) -> Option<i64> {
        let code = whole(values.of(self.error_code))?;
        (code.unsigned_abs() <= limits::ERROR_CODE_MAX).then_some(code)
    }

    /// See [`Nth::moved`].
    pub(super) fn moved(&self, by: isize) -> Self {
        Self {
            id: self.id.moved(by),
            time: self.time.moved(by),
            phone: self.phone.moved(by),
            user: self.user.moved(by),
            error_code: self.error_code.moved(by),
            ..*self
        }
    }
}

named!(status_name, Status);
named!(category, Category);
named!(pricing_type, PricingType);

/// Names are compared in capitals, which `other` is not.
#[inline]
fn pricing_model(cursor: &mut Cursor<'_, '_>) -> Option<PricingModel> {
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
const CREATION: Field = 10;
/// The first of [`body::BODIES`].
const BODY: Field = 11;
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
        b"message_creation_type" => CREATION,
        name => message_field(name),
    }
}

const BY_OTHERS: u8 = 0;
const BY_AGENT: u8 = 1;

/// How an echo says that it was made. Names are parts of a layout, so they must be few.
fn creation(name: &[u8]) -> Option<u8> {
    let is_name = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    match name {
        name if name == message::BY_AGENT.as_bytes() => Some(BY_AGENT),
        name => (name.len() <= CREATION_BYTES_MAX && name.iter().all(is_name)).then_some(BY_OTHERS),
    }
}

/// The longest name that [`creation`] knows nothing of and takes.
const CREATION_BYTES_MAX: usize = 32;

/// One of `messages`, or, `echoed`, of `message_echoes`.
#[inline(always)]
pub(super) fn message(cursor: &mut Cursor<'_, '_>, echoed: bool) -> Option<Message> {
    let name = if echoed { echo_field } else { message_field };
    let (mut id, mut time, mut from, mut to) = (None, None, [Nth::NONE; 2], [Nth::NONE; 2]);
    let (mut kind, mut read_body) = (None, None);
    let (mut answered, mut has_referral, mut by_agent) = (Answered::default(), false, false);
    cursor.object(name, |cursor, field| {
        match field {
            FROM => from[0] = cursor.string()?,
            FROM_USER_ID => from[1] = cursor.string()?,
            TO => to[0] = cursor.string()?,
            TO_USER_ID => to[1] = cursor.string()?,
            MESSAGE_ID => id = Some(cursor.string()?),
            TIMESTAMP => time = Some(cursor.number_or_string()?),
            TYPE => kind = Some(body::kind(cursor)?),
            CONTEXT => answered = Answered::read(cursor)?,
            REFERRAL => {
                cursor.skip_filled_object()?;
                has_referral = true;
            }
            CREATION => by_agent = cursor.named(creation)? == BY_AGENT,
            _ if read_body.is_some() => return None,
            field => read_body = Some(body::read(cursor, field, BODY)?),
        }
        Some(())
    })?;
    let body = body::of_kind(read_body, kind?)?;
    Some(Message { id: id?, time: time?, from, to, answered, body, has_referral, by_agent })
}

/// One of `statuses`.
#[inline(always)]
pub(super) fn status(cursor: &mut Cursor<'_, '_>) -> Option<StatusItem> {
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
        b"recipient_type" | b"type" | b"group_id" | b"code" | b"message" => UNUSUAL,
        // They may name people, too.
        b"recipient_participant_id" | b"participant_recipient_id" | b"from" => UNUSUAL,
        _ => 0,
    };
    let [mut phone, mut user, mut error_code] = [Nth::NONE; 3];
    let (mut id, mut time, mut status, mut conversation_origin) = (None, None, None, None);
    let mut price = Pricing::default();
    cursor.object(name, |cursor, field| {
        match field {
            ID => id = Some(cursor.string()?),
            STATUS => status = Some(status_name(cursor)?),
            TIMESTAMP => time = Some(cursor.number_or_string()?),
            RECIPIENT_ID => phone = cursor.string()?,
            RECIPIENT_USER_ID => user = cursor.string()?,
            CONVERSATION => conversation_origin = origin_of_conversation(cursor)?,
            PRICING => price = pricing(cursor)?,
            ERRORS => error_code = first_error_code(cursor)?,
            _ => return None,
        }
        Some(())
    })?;
    Some(StatusItem {
        id: id?,
        time: time?,
        phone,
        user,
        error_code,
        status: status?,
        category: price.category,
        conversation_origin,
        pricing_type: price.kind,
        pricing_model: price.model,
    })
}

/// `conversation.origin.type`.
#[inline]
fn origin_of_conversation(cursor: &mut Cursor<'_, '_>) -> Option<Option<Category>> {
    let mut origin = None;
    let name = |name: &[u8]| match name {
        b"origin" => 1,
        b"pricing" => UNUSUAL,
        _ => 0,
    };
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
fn pricing(cursor: &mut Cursor<'_, '_>) -> Option<Pricing> {
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
fn first_error_code(cursor: &mut Cursor<'_, '_>) -> Option<Nth> {
    let mut first = Nth::NONE;
    cursor.array(|cursor| {
        if !first.is_none() {
            return cursor.skip_object();
        }
        let name = |name: &[u8]| u8::from(name == b"code");
        cursor.object(name, |cursor, _| {
            first = cursor.number()?;
            Some(())
        })?;
        (!first.is_none()).then_some(())
    })?;
    Some(first)
}
