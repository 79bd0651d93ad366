//! The envelopes of single providers, one module each. Each says what it cannot carry.
//!
//! ```text
//! value ─▶ provider's module ─▶ Message | Status | account facts ─▶ rows
//! ```
//!
//! Where there is no `phone_number_id`, a provider's own id of the number, or else the digits of
//! the business's number, stand for the sender: an opaque id, and never the peer's. Which of two
//! numbers is the business's is told by the kind of event alone. Nor is an account the number of a
//! person that the same event names. A provider's message ids take the wamid's place. Error codes
//! are as the provider numbers them.

mod bird;
mod dialog360;
mod eight_x_eight;
mod gupshup_v2;
mod gupshup_v3;
mod infobip;
mod kapso;
mod messagebird;
mod salesforce;
mod turn;
mod twilio;
mod twilio_events;
mod vonage;
mod ycloud;

pub(crate) use bird::is_message as is_message_of_bird;
pub(crate) use dialog360::is_event as is_event_of_dialog360;
pub(crate) use gupshup_v2::is_of_gateway as is_of_gateway_of_gupshup;
pub(crate) use gupshup_v2::lone_reports as lone_reports_of_gupshup;
pub(crate) use gupshup_v2::posted_reports as posted_reports_of_gupshup;
pub(crate) use gupshup_v2::reports as reports_of_gupshup;
pub(crate) use infobip::is_event as is_event_of_infobip;
pub(crate) use infobip::is_result as is_result_of_infobip;
pub(crate) use kapso::LISTS;
pub(crate) use messagebird::is_message as is_message_of_messagebird;
pub(crate) use twilio_events::TWILIO as EVENTS_OF_TWILIO;
pub(crate) use ycloud::is_message as is_message_of_ycloud;

use std::borrow::Cow;

use turnwise_model::{
    Category, Direction, InteractiveType, MessageKind, Millis, Origin, PricingModel, PricingType,
    Status,
};

use crate::Format;
use crate::body::{Body, Text};
use crate::json::{Kind, Value};
use crate::meant::{self, Id, Time};
use crate::payload::Around;
use crate::peer::{Peer, normal_phone};
use crate::reason::Reason;
use crate::record::{Fail, Record, Scope};
use crate::rows::{AccountFacts, MessageRow, StatusRow};
use crate::webhook::account::{changed, pseudonyms};

/// What an envelope says of a message.
pub(crate) struct Message<'a> {
    pub(crate) id: Id<'a>,
    pub(crate) time: Millis,
    pub(crate) peer: Peer<'a>,
    pub(crate) direction: Direction,
    pub(crate) origin: Origin,
    pub(crate) in_group: bool,
    pub(crate) has_referral: bool,
    pub(crate) body: Body<'a>,
    /// What a system message tells of the person.
    pub(crate) change: Option<Change<'a>>,
}

/// Another number, user id or identity of a person.
pub(crate) struct Change<'a> {
    pub(crate) event: Option<String>,
    pub(crate) now: Peer<'a>,
    pub(crate) before: Peer<'a>,
}

/// What an envelope says of a delivery.
pub(crate) struct Delivery<'a> {
    pub(crate) id: Id<'a>,
    pub(crate) time: Millis,
    pub(crate) peer: Peer<'a>,
    pub(crate) origin: Origin,
    pub(crate) in_group: bool,
    pub(crate) status: Status,
    pub(crate) price: Price,
    pub(crate) error_code: Option<i64>,
}

/// What an envelope says of a price.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Price {
    pub(crate) category: Option<Category>,
    pub(crate) conversation: Option<Category>,
    pub(crate) kind: Option<PricingType>,
    pub(crate) model: Option<PricingModel>,
}

/// Decodes one value in the envelope of a provider.
pub(crate) fn decode(
    record: &mut Record<'_>,
    around: &Around<'_>,
    format: Format,
    value: Value<'_>,
) {
    match format {
        Format::Dialog360 => dialog360::decode(record, around, value),
        Format::Twilio => twilio::decode(record, around, value),
        Format::TwilioEvents => twilio_events::decode(record, around, value),
        Format::GupshupV2 => gupshup_v2::decode(record, around, value),
        Format::GupshupV3 => gupshup_v3::decode(record, around, value),
        Format::Infobip => infobip::decode(record, around, value),
        Format::Vonage => vonage::decode(record, value),
        Format::Bird => bird::decode(record, value),
        Format::MessageBird => messagebird::decode(record, value),
        Format::YCloud => ycloud::decode(record, around, value),
        Format::EightXEight => eight_x_eight::decode(record, around, value),
        Format::Kapso => kapso::decode(record, around, value),
        Format::Turn => turn::decode(record, around, value),
        Format::Salesforce => salesforce::decode(record, value),
        Format::Auto | Format::CloudApi | Format::Send | Format::Protobuf | Format::CloudEvents => {
            unknown(record, &nobody(), value, "a provider's envelope");
        }
    }
}

/// Nobody's scope.
pub(crate) fn nobody() -> Scope<'static> {
    Scope { waba_id: Id::None, sender: Id::None }
}

/// A dead letter for a value that is none of this format's.
pub(crate) fn unknown(
    record: &mut Record<'_>,
    scope: &Scope<'_>,
    value: Value<'_>,
    expected: &str,
) {
    let fail = record.fail(Reason::UnknownShape, "", expected, Some(value.kind()));
    record.dead(Some(scope), fail, value.raw().len());
}

/// Numbers the item and writes its row, or its dead letter.
pub(crate) fn message<'a>(
    record: &mut Record<'_>,
    scope: &Scope<'a>,
    value: Value<'_>,
    read: impl FnOnce(&Record<'_>) -> Result<Message<'a>, Fail>,
) {
    let Some(item) = record.begin() else { return };
    let built = record.known_owner(scope).and_then(|owner| {
        let message = read(record)?;
        record.check_peer(&message.peer)?;
        let pseudonym = record.pseudonym(&owner, message.id, value)?;
        let peer = message.peer.columns(record.keys, &owner.name);
        let mut common = record.common(&owner, item, message.time).with_peer(peer);
        common.message = Some(pseudonym);
        let Body { kind, interactive, voice, text, is_reply } = message.body;
        let row = MessageRow {
            common,
            origin: message.origin,
            in_group: message.in_group,
            direction: message.direction,
            kind,
            interactive,
            voice,
            country: peer.country,
            is_reply,
            has_referral: message.has_referral,
            text: record.text(text),
        };
        let change = match message.change {
            Some(Change { event, now, before }) => {
                let renamed = !now.has_none();
                let both = [now, before];
                let event = event.as_deref();
                changed(record, &owner, &row, "messages", event, renamed, both)?
            }
            None => None,
        };
        Ok((row, change))
    });
    match built {
        Ok((row, change)) => {
            record.message(row);
            if let Some((common, facts)) = change {
                record.account(common, facts);
            }
        }
        Err(fail) => record.dead_at(item, scope, fail, value),
    }
}

/// Numbers the item and writes its row, or its dead letter.
pub(crate) fn status<'a>(
    record: &mut Record<'_>,
    scope: &Scope<'a>,
    value: Value<'_>,
    read: impl FnOnce(&Record<'_>) -> Result<Delivery<'a>, Fail>,
) {
    let Some(item) = record.begin() else { return };
    let built = record.known_owner(scope).and_then(|owner| {
        let delivery = read(record)?;
        record.check_peer(&delivery.peer)?;
        let pseudonym = record.pseudonym(&owner, delivery.id, value)?;
        let peer = delivery.peer.columns(record.keys, &owner.name);
        let mut common = record.common(&owner, item, delivery.time).with_peer(peer);
        common.message = Some(pseudonym);
        Ok(StatusRow {
            common,
            origin: delivery.origin,
            in_group: delivery.in_group,
            status: delivery.status,
            category: delivery.price.category,
            conversation_origin: delivery.price.conversation,
            pricing_type: delivery.price.kind,
            pricing_model: delivery.price.model,
            error_code: delivery.error_code,
        })
    });
    match built {
        Ok(row) => record.status(row),
        Err(fail) => record.dead_at(item, scope, fail, value),
    }
}

/// Numbers the item and writes its row, or its dead letter. Where no time is told, it is the
/// record's: see [`Around::time_or`].
pub(crate) fn account(
    record: &mut Record<'_>,
    scope: &Scope<'_>,
    value: Value<'_>,
    time: Time,
    peer: &Peer<'_>,
    facts: AccountFacts,
) {
    renamed(record, scope, value, time, [peer, &Peer::default()], facts);
}

/// The same of somebody who had another number or user id before. What stayed as it was has no
/// previous one.
pub(crate) fn renamed(
    record: &mut Record<'_>,
    scope: &Scope<'_>,
    value: Value<'_>,
    time: Time,
    [peer, previous]: [&Peer<'_>; 2],
    facts: AccountFacts,
) {
    let Some(item) = record.begin() else { return };
    let built = record.owner(scope).and_then(|owner| {
        let time = match time {
            Time::Some(time) => record.in_range("time", time)?,
            Time::None | Time::Unreadable(_) => record.place.time,
        };
        record.check_peer(peer)?;
        record.check_peer(previous)?;
        let columns = pseudonyms(record, &owner, peer);
        let before = pseudonyms(record, &owner, previous);
        let facts = AccountFacts {
            user_previous: before.user.filter(|id| Some(*id) != columns.user),
            phone_previous: before.phone.filter(|id| Some(*id) != columns.phone),
            ..facts
        };
        Ok((record.common(&owner, item, time).with_peer(columns), facts))
    });
    match built {
        Ok((common, facts)) => record.account(common, facts),
        Err(fail) => record.dead_at(item, scope, fail, value),
    }
}

impl<'a> Body<'a> {
    /// A body of this kind and nothing else.
    pub(crate) fn new(kind: MessageKind) -> Self {
        Self { kind, interactive: None, voice: None, text: Text::None, is_reply: false }
    }

    /// A tapped reply, or an interactive message.
    pub(crate) fn interactive(kind: InteractiveType) -> Self {
        Self { interactive: Some(kind), ..Self::new(MessageKind::Interactive) }
    }

    /// The same with the text at this place, if there is one.
    pub(crate) fn text(self, value: Option<Value<'a>>) -> Self {
        match value.and_then(Value::string) {
            Some(text) => Self { text: Text::Body(text), ..self },
            None => self,
        }
    }

    /// The same as an answer to another message, where there is an id of one.
    pub(crate) fn reply_to(self, value: Option<Value<'_>>) -> Self {
        Self { is_reply: self.is_reply || meant::id(value) != Id::None, ..self }
    }
}

/// What a file's media type says it is.
pub(crate) fn kind_of_media(value: Option<Value<'_>>) -> Option<MessageKind> {
    let name = meant::word(value)?;
    let kind = name.split(';').next().unwrap_or_default().trim();
    Some(match kind.split('/').next().unwrap_or_default() {
        _ if kind == "image/webp" => MessageKind::Sticker,
        _ if kind == "text/vcard" || kind == "text/x-vcard" => MessageKind::Contacts,
        "image" => MessageKind::Image,
        "audio" => MessageKind::Audio,
        "video" => MessageKind::Video,
        _ => MessageKind::Document,
    })
}

/// An address without the channel in front of it: `whatsapp:+1650` is `+1650`.
pub(crate) fn address(value: Option<Value<'_>>) -> Id<'_> {
    const CHANNEL: &str = "whatsapp:";
    match meant::id(value) {
        Id::Some(text) => match text.get(..CHANNEL.len()) {
            Some(begin) if begin.eq_ignore_ascii_case(CHANNEL) => meant::id_of(match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[CHANNEL.len()..]),
                Cow::Owned(text) => Cow::Owned(text[CHANNEL.len()..].to_owned()),
            }),
            _ => Id::Some(text),
        },
        other => other,
    }
}

/// The business's number as a sender: its digits.
pub(crate) fn number(value: Option<Value<'_>>) -> Id<'_> {
    match address(value) {
        Id::Some(Cow::Borrowed(text)) => meant::id_of(normal_phone(text)),
        Id::Some(Cow::Owned(text)) => meant::id_of(Cow::Owned(normal_phone(&text).into_owned())),
        other => other,
    }
}

/// A person's address.
pub(crate) fn person<'a>(value: Option<Value<'a>>) -> Peer<'a> {
    Peer::default().with_phone_or_user(address(value))
}

/// A word of the categories, else `other`.
pub(crate) fn category(value: Option<Value<'_>>) -> Option<Category> {
    meant::word(value).map(|name| Category::from_name(&name).unwrap_or(Category::Other))
}

/// A word of the types of prices, else `other`.
pub(crate) fn pricing_type(value: Option<Value<'_>>) -> Option<PricingType> {
    meant::word(value).map(|name| PricingType::from_name(&name).unwrap_or(PricingType::Other))
}

/// A word of the models of prices, else `other`.
pub(crate) fn pricing_model(value: Option<Value<'_>>) -> Option<PricingModel> {
    meant::word(value).map(|name| {
        PricingModel::from_name(&name.to_ascii_uppercase()).unwrap_or(PricingModel::Other)
    })
}

/// An error's code, unless it is none or zero, as some write where nothing failed.
pub(crate) fn code(value: Option<Value<'_>>) -> Option<i64> {
    meant::integer(value).filter(|code| is_code(*code))
}

/// The same of a number that was read already.
pub(crate) fn is_code(code: i64) -> bool {
    code != 0 && meant::is_error_code(code)
}

/// Whether a word says that a message is of WhatsApp; where none is there, nothing else is meant.
pub(crate) fn is_whatsapp(value: Option<Value<'_>>) -> bool {
    meant::word(value).is_none_or(|channel| channel == "whatsapp")
}

/// The time at the first of these places that holds one.
pub(crate) fn time_at_first(
    record: &Record<'_>,
    places: &[(&'static str, Option<Value<'_>>)],
) -> Result<Millis, Fail> {
    let mut places = places.iter().filter(|(_, value)| {
        value.is_some_and(|value| value.kind() != Kind::String || !value.raw().trim().is_empty())
    });
    match places.next() {
        Some((key, value)) => record.time_at(key, *value),
        None => Err(record.fail(Reason::NoTime, "", "time", None)),
    }
}
