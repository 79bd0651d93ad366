//! Messages, statuses and contacts as they usually look.
//!
//! Each reader knows every key that could change what a row says. A key that it does not expect
//! there, one that occurs twice, or a value of another type ends the straight way; keys that nobody
//! asks for are skipped.

use turnwise_model::time::MILLISECONDS_FROM;
use turnwise_model::{Category, InteractiveType, MessageKind, Millis, PricingModel, PricingType};
use turnwise_model::{Status, limits};

use crate::json::scan::{Cursor, Key, Span, Text, whole, word};
use crate::straight::{is_digits_or_empty, is_plain, is_plain_or_empty};

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

/// One of `contacts`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contact {
    pub(super) phone: Span,
    pub(super) user: Span,
}

/// Which keys of an object were met, a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met(u32);

impl Met {
    /// Notes a key; `None` if it was there before.
    #[inline]
    pub(super) fn once(&mut self, bit: u32) -> Option<()> {
        let before = self.0;
        self.0 |= 1 << bit;
        (before != self.0).then_some(())
    }
}

/// A string that is a plain id or empty.
#[inline]
pub(super) fn plain_or_empty(cursor: &mut Cursor<'_>) -> Option<Span> {
    let span = cursor.plain()?;
    is_plain_or_empty(span.of(cursor.bytes())).then_some(span)
}

/// A string that is a plain id.
#[inline]
pub(super) fn plain(cursor: &mut Cursor<'_>) -> Option<Span> {
    let span = cursor.plain()?;
    is_plain(span.of(cursor.bytes())).then_some(span)
}

/// A string of digits, or an empty one.
#[inline]
fn digits_or_empty(cursor: &mut Cursor<'_>) -> Option<Span> {
    let span = cursor.plain()?;
    is_digits_or_empty(span.of(cursor.bytes())).then_some(span)
}

/// A time in whole seconds or milliseconds, as a string or number.
#[inline]
fn timestamp(cursor: &mut Cursor<'_>) -> Option<Millis> {
    let number = if cursor.peek() == b'"' {
        whole(cursor.plain()?.of(cursor.bytes()))?
    } else {
        cursor.digits()?
    };
    // Eighteen digits of seconds would not fit, but then they are milliseconds.
    Some(Millis(if number >= MILLISECONDS_FROM { number } else { number * 1_000 }))
}

/// A string without escapes that one of a closed list is named by, exactly.
#[inline]
fn named<T>(cursor: &mut Cursor<'_>, known: impl Fn(&str) -> Option<T>) -> Option<T> {
    let name = cursor.plain()?.of(cursor.bytes());
    known(std::str::from_utf8(name).ok()?)
}

/// An object whose keys nobody asks for.
fn object_of_anything(cursor: &mut Cursor<'_>) -> Option<()> {
    if cursor.peek() == b'{' { cursor.skip() } else { None }
}

/// `contacts[]`.
#[inline]
pub(super) fn contact(cursor: &mut Cursor<'_>) -> Option<Contact> {
    const WA_ID: u64 = word(b"wa_id");
    const USER_ID: u64 = word(b"user_id");
    let (mut contact, mut met) = (Contact::default(), Met::default());
    cursor.object(|cursor, key| match key.word {
        WA_ID if key.is(b"wa_id") => {
            met.once(0)?;
            contact.phone = digits_or_empty(cursor)?;
            Some(())
        }
        USER_ID if key.is(b"user_id") => {
            met.once(1)?;
            contact.user = plain_or_empty(cursor)?;
            Some(())
        }
        _ => cursor.skip(),
    })?;
    Some(contact)
}

/// What the object named as a message's type says.
#[derive(Clone, Copy, Debug)]
struct Body {
    kind: MessageKind,
    interactive: Option<InteractiveType>,
    voice: Option<bool>,
    text: Option<Text>,
}

/// The kind whose body a key names. Voice messages of old and system messages are not usual.
fn body_kind(key: &Key<'_>) -> Option<MessageKind> {
    const TEXT: u64 = word(b"text");
    const IMAGE: u64 = word(b"image");
    const AUDIO: u64 = word(b"audio");
    const VIDEO: u64 = word(b"video");
    const DOCUMENT: u64 = word(b"document");
    const STICKER: u64 = word(b"sticker");
    const INTERACTIVE: u64 = word(b"interactive");
    const BUTTON: u64 = word(b"button");
    const LOCATION: u64 = word(b"location");
    const CONTACTS: u64 = word(b"contacts");
    const ORDER: u64 = word(b"order");
    const TEMPLATE: u64 = word(b"template");
    const REACTION: u64 = word(b"reaction");
    const UNSUPPORTED: u64 = word(b"unsupported");
    Some(match key.word {
        TEXT if key.is(b"text") => MessageKind::Text,
        IMAGE if key.is(b"image") => MessageKind::Image,
        AUDIO if key.is(b"audio") => MessageKind::Audio,
        VIDEO if key.is(b"video") => MessageKind::Video,
        DOCUMENT if key.is(b"document") => MessageKind::Document,
        STICKER if key.is(b"sticker") => MessageKind::Sticker,
        INTERACTIVE if key.is(b"interactive") => MessageKind::Interactive,
        BUTTON if key.is(b"button") => MessageKind::Button,
        LOCATION if key.is(b"location") => MessageKind::Location,
        CONTACTS if key.is(b"contacts") => MessageKind::Contacts,
        ORDER if key.is(b"order") => MessageKind::Order,
        TEMPLATE if key.is(b"template") => MessageKind::Template,
        REACTION if key.is(b"reaction") => MessageKind::Reaction,
        UNSUPPORTED if key.is(b"unsupported") => MessageKind::Unsupported,
        _ => return None,
    })
}

/// Keys of bodies that may hold a text or its length where this reader does not look.
fn is_text_elsewhere(key: &Key<'_>) -> bool {
    key.is(b"chars")
        || key.is(b"body")
        || key.is(b"caption")
        || key.is(b"button_reply")
        || key.is(b"list_reply")
}

#[inline]
fn body(cursor: &mut Cursor<'_>, kind: MessageKind) -> Option<Body> {
    let mut body = Body { kind, interactive: None, voice: None, text: None };
    match kind {
        MessageKind::Text => body.text = Some(only_string(cursor, word(b"body"), b"body")?),
        MessageKind::Button => body.text = Some(only_string(cursor, word(b"text"), b"text")?),
        MessageKind::Image
        | MessageKind::Audio
        | MessageKind::Video
        | MessageKind::Document
        | MessageKind::Sticker => media(cursor, &mut body)?,
        MessageKind::Interactive => interactive(cursor, &mut body)?,
        _ => cursor.skip()?,
    }
    Some(body)
}

/// The string of a key in an object that must have it; `chars` and the like only beside it.
#[inline]
fn only_string<const N: usize>(
    cursor: &mut Cursor<'_>,
    first: u64,
    name: &[u8; N],
) -> Option<Text> {
    let mut text = None;
    cursor.object(|cursor, key| {
        if key.word == first && key.is(name) {
            if text.is_some() {
                return None;
            }
            text = Some(cursor.string()?);
            return Some(());
        }
        cursor.skip()
    })?;
    text
}

fn media(cursor: &mut Cursor<'_>, body: &mut Body) -> Option<()> {
    let mut met = Met::default();
    let is_audio = body.kind == MessageKind::Audio;
    body.voice = is_audio.then_some(false);
    cursor.object(|cursor, key| {
        if key.is(b"caption") {
            met.once(0)?;
            body.text = Some(cursor.string()?);
            Some(())
        } else if key.is(b"voice") && is_audio {
            met.once(1)?;
            let voice = cursor.peek() == b't';
            body.voice = Some(voice);
            if voice { cursor.literal(b"true") } else { cursor.literal(b"false") }
        } else if is_text_elsewhere(&key) {
            None
        } else {
            cursor.skip()
        }
    })
}

fn interactive(cursor: &mut Cursor<'_>, body: &mut Body) -> Option<()> {
    let mut met = Met::default();
    cursor.object(|cursor, key| {
        if key.is(b"type") {
            met.once(0)?;
            body.interactive = Some(named(cursor, InteractiveType::from_name)?);
            Some(())
        } else if key.is(b"button_reply") || key.is(b"list_reply") {
            met.once(1)?;
            body.text = Some(only_string(cursor, word(b"title"), b"title")?);
            Some(())
        } else if is_text_elsewhere(&key) {
            None
        } else {
            cursor.skip()
        }
    })?;
    body.interactive.map(drop)
}

/// Whether `context` names a message that is answered.
fn is_reply(cursor: &mut Cursor<'_>) -> Option<bool> {
    let (mut is_reply, mut met) = (false, Met::default());
    cursor.object(|cursor, key| {
        if key.is(b"id") || key.is(b"message_id") {
            met.once(u32::from(key.is(b"id")))?;
            plain(cursor)?;
            is_reply = true;
            Some(())
        } else {
            cursor.skip()
        }
    })?;
    Some(is_reply)
}

/// One of `messages`, or, `echoed`, of `message_echoes`.
#[inline]
pub(super) fn message(cursor: &mut Cursor<'_>, echoed: bool) -> Option<Message> {
    const FROM: u64 = word(b"from");
    const FROM_USER_ID: u64 = word(b"from_user_id");
    const TO: u64 = word(b"to");
    const TO_USER_ID: u64 = word(b"to_user_id");
    const ID: u64 = word(b"id");
    const TIMESTAMP: u64 = word(b"timestamp");
    const TYPE: u64 = word(b"type");
    const CONTEXT: u64 = word(b"context");
    const REFERRAL: u64 = word(b"referral");
    let mut met = Met::default();
    let [mut id, mut from, mut from_user, mut to, mut to_user, mut name] = [Span::default(); 6];
    let (mut time, mut read_body, mut reply, mut has_referral) = (None, None, false, false);
    cursor.object(|cursor, key| {
        match key.word {
            FROM if key.is(b"from") => {
                met.once(0)?;
                from = digits_or_empty(cursor)?;
            }
            ID if key.is(b"id") => {
                met.once(1)?;
                id = plain(cursor)?;
            }
            TIMESTAMP if key.is(b"timestamp") => {
                met.once(2)?;
                time = Some(timestamp(cursor)?);
            }
            TYPE if key.is(b"type") => {
                met.once(3)?;
                name = cursor.plain()?;
            }
            FROM_USER_ID if key.is(b"from_user_id") => {
                met.once(4)?;
                from_user = plain_or_empty(cursor)?;
            }
            TO if key.is(b"to") && echoed => {
                met.once(5)?;
                to = digits_or_empty(cursor)?;
            }
            TO_USER_ID if key.is(b"to_user_id") && echoed => {
                met.once(6)?;
                to_user = plain_or_empty(cursor)?;
            }
            CONTEXT if key.is(b"context") => {
                met.once(7)?;
                reply = is_reply(cursor)?;
            }
            REFERRAL if key.is(b"referral") => {
                met.once(8)?;
                object_of_anything(cursor)?;
                has_referral = true;
            }
            _ => match body_kind(&key) {
                Some(kind) => {
                    met.once(9)?;
                    read_body = Some(body(cursor, kind)?);
                }
                None if is_unusual_of_message(&key) => return None,
                None => cursor.skip()?,
            },
        }
        Some(())
    })?;
    let name = name.of(cursor.bytes());
    let body = match read_body {
        Some(body) if body.kind.name().as_bytes() == name => body,
        // Nothing but its errors says what an unsupported message was.
        None if name == b"unsupported" => {
            let kind = MessageKind::Unsupported;
            Body { kind, interactive: None, voice: None, text: None }
        }
        _ => return None,
    };
    let (phone, user) = if echoed { (to, to_user) } else { (from, from_user) };
    let Body { kind, interactive, voice, text } = body;
    let time = time?;
    let message = Message {
        id,
        time,
        phone,
        user,
        kind,
        interactive,
        voice,
        text,
        is_reply: reply,
        has_referral,
    };
    (!id.is_empty()).then_some(message)
}

/// Keys of messages that say something this reader does not follow.
fn is_unusual_of_message(key: &Key<'_>) -> bool {
    key.is(b"to")
        || key.is(b"to_user_id")
        || key.is(b"group_id")
        || key.is(b"recipient_type")
        || key.is(b"recipient")
        || key.is(b"message")
        || key.is(b"chars")
        || key.is(b"system")
        || key.is(b"voice")
}

/// One of `statuses`.
#[inline]
pub(super) fn status(cursor: &mut Cursor<'_>) -> Option<StatusItem> {
    const ID: u64 = word(b"id");
    const STATUS: u64 = word(b"status");
    const TIMESTAMP: u64 = word(b"timestamp");
    const RECIPIENT: u64 = word(b"recipient_id");
    const CONVERSATION: u64 = word(b"conversation");
    const PRICING: u64 = word(b"pricing");
    const ERRORS: u64 = word(b"errors");
    const TYPE: u64 = word(b"type");
    const GROUP_ID: u64 = word(b"group_id");
    let mut met = Met::default();
    let [mut id, mut phone, mut user] = [Span::default(); 3];
    let (mut time, mut status, mut conversation_origin, mut error_code) = (None, None, None, None);
    let mut pricing = Pricing::default();
    cursor.object(|cursor, key| {
        match key.word {
            ID if key.is(b"id") => {
                met.once(0)?;
                id = plain(cursor)?;
            }
            STATUS if key.is(b"status") => {
                met.once(1)?;
                status = Some(named(cursor, Status::from_name)?);
            }
            TIMESTAMP if key.is(b"timestamp") => {
                met.once(2)?;
                time = Some(timestamp(cursor)?);
            }
            RECIPIENT if key.is(b"recipient_id") => {
                met.once(3)?;
                phone = digits_or_empty(cursor)?;
            }
            RECIPIENT if key.is(b"recipient_user_id") => {
                met.once(4)?;
                user = plain_or_empty(cursor)?;
            }
            CONVERSATION if key.is(b"conversation") => {
                met.once(5)?;
                conversation_origin = origin_of_conversation(cursor)?;
            }
            PRICING if key.is(b"pricing") => {
                met.once(6)?;
                pricing = self::pricing(cursor)?;
            }
            ERRORS if key.is(b"errors") => {
                met.once(7)?;
                error_code = first_error_code(cursor)?;
            }
            RECIPIENT if key.is(b"recipient_type") => return None,
            TYPE if key.is(b"type") => return None,
            GROUP_ID if key.is(b"group_id") => return None,
            _ => cursor.skip()?,
        }
        Some(())
    })?;
    let Pricing { category, kind: pricing_type, model: pricing_model } = pricing;
    let (time, status) = (time?, status?);
    let item = StatusItem {
        id,
        time,
        phone,
        user,
        status,
        category,
        conversation_origin,
        pricing_type,
        pricing_model,
        error_code,
    };
    (!id.is_empty()).then_some(item)
}

/// `conversation.origin.type`.
fn origin_of_conversation(cursor: &mut Cursor<'_>) -> Option<Option<Category>> {
    const ORIGIN: u64 = word(b"origin");
    let (mut origin, mut met) = (None, Met::default());
    cursor.object(|cursor, key| {
        if key.word != ORIGIN || !key.is(b"origin") {
            return cursor.skip();
        }
        met.once(0)?;
        let mut met = Met::default();
        cursor.object(|cursor, key| {
            if key.is(b"type") {
                met.once(0)?;
                origin = Some(named(cursor, Category::from_name)?);
                Some(())
            } else {
                cursor.skip()
            }
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

fn pricing(cursor: &mut Cursor<'_>) -> Option<Pricing> {
    const CATEGORY: u64 = word(b"category");
    const TYPE: u64 = word(b"type");
    const MODEL: u64 = word(b"pricing_model");
    let (mut pricing, mut met) = (Pricing::default(), Met::default());
    cursor.object(|cursor, key| {
        match key.word {
            CATEGORY if key.is(b"category") => {
                met.once(0)?;
                pricing.category = Some(named(cursor, Category::from_name)?);
            }
            TYPE if key.is(b"type") => {
                met.once(1)?;
                pricing.kind = Some(named(cursor, PricingType::from_name)?);
            }
            MODEL if key.is(b"pricing_model") => {
                met.once(2)?;
                // Names are compared in capitals, which `other` is not.
                let known = |name: &str| {
                    PricingModel::from_name(name).filter(|model| *model != PricingModel::Other)
                };
                pricing.model = Some(named(cursor, known)?);
            }
            _ => cursor.skip()?,
        }
        Some(())
    })?;
    Some(pricing)
}

/// The code of the first of `errors`, which must have one.
fn first_error_code(cursor: &mut Cursor<'_>) -> Option<Option<i64>> {
    let mut first = None;
    cursor.array(|cursor| {
        if first.is_some() {
            return object_of_anything(cursor);
        }
        let mut met = Met::default();
        cursor.object(|cursor, key| {
            if key.is(b"code") {
                met.once(0)?;
                let code = cursor.digits()?;
                first = (code.unsigned_abs() <= limits::ERROR_CODE_MAX).then_some(code);
                Some(())
            } else {
                cursor.skip()
            }
        })?;
        first.map(drop)
    })?;
    Some(first)
}
