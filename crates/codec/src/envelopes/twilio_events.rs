//! Twilio's event streams: CloudEvents whose data is one message or one status. The data alone is
//! taken too.
//!
//! Sender: the digits of `to` in what is received, of `from` in a status. The kind of event tells
//! which; its status counts, not `messageStatus`, which may be another in the same event. Around
//! the data may be an event of somebody else, whose kind tells nothing: `eventName` does. From
//! version 4 on statuses hold the text that was sent: it is a message row beside the status, of
//! which the earliest counts.
//!
//! It cannot carry: the business account, prices, kinds of media (a message with media is
//! `unknown`), interactive types and templates (their text is a text's), replies, echoes of the
//! phone app, history, standby and account events. What is of another channel is ignored.

use turnwise_model::{Direction, MessageKind, Millis, Origin, Status};

use super::{Delivery, Message, Price, address, code, number, person, twilio};
use crate::body::Body;
use crate::json::{Kind, Value};
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::reason::ignored;
use crate::record::{Fail, Record, Scope};

/// How the kinds of Twilio's events begin.
pub(crate) const TWILIO: &str = "com.twilio.";
const RECEIVED: &str = "com.twilio.messaging.inbound-message.received";
const SENT: &str = "com.twilio.messaging.message.";

/// Decodes the data of one event.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>) {
    let get = |key: &str| value.get(key);
    let of_twilio = around.kind.filter(|kind| kind.starts_with(TWILIO)).map(str::to_owned);
    let kind = of_twilio.or_else(|| meant::word(get("eventName")));
    let kind = kind.as_deref().unwrap_or_default();
    let sent = kind.strip_prefix(SENT);
    if !value.is_object() || kind.is_empty() {
        return super::unknown(record, &super::nobody(), value, "data of an event of Twilio");
    }
    let (from, to) = (get("from"), get("to"));
    if sent.is_none() && kind != RECEIVED {
        return record.ignored(None, ignored::OTHER, value.raw().len());
    }
    let of_whatsapp = twilio::has_channel(from)
        || twilio::has_channel(to)
        || get("externalUserId").is_some()
        || has_referral(value);
    if !of_whatsapp {
        return record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
    }
    let Some(sent) = sent else {
        return message(record, around, value, Direction::Inbound);
    };
    let status = twilio::status(sent);
    let text = value.get("body").filter(|body| body.kind() == Kind::String);
    if status != Status::Failed && text.is_some_and(|text| !text.raw().is_empty()) {
        message(record, around, value, Direction::Outbound);
    }
    super::status(record, &scope(from), value, |record| {
        Ok(Delivery {
            id: meant::id(get("messageSid")),
            time: time(record, around, value)?,
            peer: person(to).with_user(address(get("externalUserId"))),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price::default(),
            error_code: code(get("errorCode")),
        })
    });
}

fn scope(business: Option<Value<'_>>) -> Scope<'_> {
    Scope { waba_id: Id::None, sender: number(business) }
}

fn time(record: &Record<'_>, around: &Around<'_>, value: Value<'_>) -> Result<Millis, Fail> {
    match value.get("timestamp") {
        Some(time) => record.time_at("timestamp", Some(time)),
        None => around.time(record),
    }
}

fn message(record: &mut Record<'_>, around: &Around<'_>, value: Value<'_>, direction: Direction) {
    let (business, peer) = match direction {
        Direction::Inbound => (value.get("to"), value.get("from")),
        Direction::Outbound => (value.get("from"), value.get("to")),
    };
    super::message(record, &scope(business), value, |record| {
        Ok(Message {
            id: meant::id(value.get("messageSid")),
            time: time(record, around, value)?,
            peer: person(peer).with_user(address(value.get("externalUserId"))),
            direction,
            origin: Origin::Live,
            in_group: false,
            has_referral: has_referral(value),
            body: body(value),
            change: None,
        })
    });
}

/// Whether an advertisement led here; no other channel has this mark.
fn has_referral(value: Value<'_>) -> bool {
    twilio::has_text(value.get("referralCtwaClid"))
}

fn body(value: Value<'_>) -> Body<'_> {
    let has_media = meant::integer(value.get("numMedia")).is_some_and(|media| media > 0);
    let kind = if has_media { MessageKind::Unknown } else { MessageKind::Text };
    Body::new(kind).text(value.get("body"))
}

#[cfg(test)]
mod tests;
