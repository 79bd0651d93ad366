//! Twilio's webhooks: one urlencoded form (or the same fields as a JSON object) for each message
//! received and each status of a message sent.
//!
//! Sender: the digits of `To` in what is received, of `From` in a status. Peer: the other, and
//! `WaId` and `ExternalUserId`. A message's own `SM…` or `MM…` id takes the wamid's place.
//!
//! It cannot carry: any time (that of the event around it stands for it, else the record's), the
//! business account, prices, whether audio is a voice note, texts of a business, echoes of the
//! phone app, history, standby and account events. `queued` and the like are status `other`.
//! What is of another channel (SMS) is ignored, and so are the events of Twilio's conversations,
//! which name only one party. What names no party at all is a dead letter, and so is a request to
//! send or the message that answers it: only what has an id of the webhook's was received.

use turnwise_model::{Direction, InteractiveType, MessageKind, Origin, Status};

use super::{Delivery, Message, Price, address, code, kind_of_media, number, person};
use crate::body::{Body, Text};
use crate::json::{Kind, Value};
use crate::meant::{self, Id};
use crate::payload::Around;
use crate::reason::{ignored, ignored_name};
use crate::record::{Record, Scope};

/// What Twilio says of a message that is sent.
const STATUSES: [&str; 12] = [
    "accepted",
    "scheduled",
    "queued",
    "sending",
    "sent",
    "delivered",
    "partially_delivered",
    "read",
    "failed",
    "undelivered",
    "canceled",
    "deleted",
];

/// Decodes one form.
pub(super) fn decode<'a>(record: &mut Record<'_>, around: &Around<'_>, value: Value<'a>) {
    let get = |key: &str| value.get(key);
    let (from, to) = (get("From"), get("To"));
    let scope = |number: Id<'a>| Scope { waba_id: Id::None, sender: number };
    let word = ["MessageStatus", "SmsStatus", "EventType"]
        .into_iter()
        .find_map(|key| meant::word(get(key)));
    let id = ["MessageSid", "SmsMessageSid", "SmsSid"]
        .into_iter()
        .fold(Id::None, |id, key| id.or_else(|| meant::id(get(key))));
    // What a business sends has the same fields, but its `To` is the person.
    let is_sent =
        meant::word(get("Direction")).is_some_and(|direction| direction.starts_with("outbound"));
    let is_told = id != Id::None || meant::id(get("WaId")) != Id::None;
    let received = match word.as_deref() {
        Some(word) => matches!(word, "received" | "receiving"),
        None => is_told && ["Body", "NumMedia", "MessageType"].iter().any(|key| get(key).is_some()),
    };
    if !value.is_object() || received && is_sent || !received && word.is_none() {
        return super::unknown(record, &super::nobody(), value, "a form of Twilio");
    }
    if get("ConversationSid").is_some() {
        let of_sms = meant::word(get("Source")).as_deref() == Some("sms");
        let name = if of_sms { ignored::OTHER_CHANNEL } else { ignored_name("conversation") };
        return record.ignored(None, name, value.raw().len());
    }
    let marked =
        get("WaId").is_some() || meant::word(get("ChannelPrefix")).is_some_and(of_whatsapp);
    let names_any = [from, to, get("ChannelPrefix")].into_iter().any(has_text);
    if names_any && !marked && !has_channel(from) && !has_channel(to) {
        return record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
    }
    if received {
        super::message(record, &scope(number(to)), value, |record| {
            let referral = ["SourceId", "SourceUrl", "Body", "Headline", "CtwaClid"];
            Ok(Message {
                id,
                time: around.time(record)?,
                peer: person(from)
                    .with_phone_or_user(address(get("WaId")))
                    .with_user(address(get("ExternalUserId"))),
                direction: Direction::Inbound,
                origin: Origin::Live,
                in_group: false,
                has_referral: referral
                    .into_iter()
                    .any(|key| has_text(get(&format!("Referral{key}")))),
                body: body(value),
                change: None,
            })
        });
    } else if !word.as_deref().is_some_and(|word| STATUSES.contains(&word)) {
        // Cut off or damaged it may be what was received, whose `From` is a person.
        super::unknown(record, &super::nobody(), value, "a status of Twilio");
    } else {
        super::status(record, &scope(number(from)), value, |record| {
            Ok(Delivery {
                id,
                time: around.time(record)?,
                peer: person(to).with_user(address(get("ExternalUserId"))),
                origin: Origin::Live,
                in_group: false,
                status: status(word.as_deref().unwrap_or_default()),
                price: Price::default(),
                error_code: code(get("ErrorCode")),
            })
        });
    }
}

fn of_whatsapp(word: String) -> bool {
    word.starts_with("whatsapp")
}

/// Whether an address says that it is one of WhatsApp.
pub(super) fn has_channel(value: Option<Value<'_>>) -> bool {
    meant::word(value).is_some_and(of_whatsapp)
}

/// Whether there is a text that is not empty.
pub(super) fn has_text(value: Option<Value<'_>>) -> bool {
    value.is_some_and(|value| value.kind() == Kind::String && !value.raw().is_empty())
}

/// A status by Twilio's word for it.
pub(super) fn status(word: &str) -> Status {
    match word {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "failed" | "undelivered" => Status::Failed,
        _ => Status::Other,
    }
}

fn body(value: Value<'_>) -> Body<'_> {
    let get = |key: &str| value.get(key);
    let named = meant::word(get("MessageType"));
    let kind = match named.as_deref() {
        Some("interactive") => None,
        Some("button") => Some(MessageKind::Button),
        Some("contact") => Some(MessageKind::Contacts),
        Some("voice") => Some(MessageKind::Audio),
        Some(name) => Some(MessageKind::from_name(name).unwrap_or(MessageKind::Unknown)),
        None if has_text(get("ListId")) || has_text(get("InteractiveData")) => None,
        None if has_text(get("ButtonText")) || has_text(get("ButtonPayload")) => {
            Some(MessageKind::Button)
        }
        None if has_text(get("Latitude")) => Some(MessageKind::Location),
        None if meant::integer(get("NumMedia")).is_some_and(|media| media > 0) => {
            Some(kind_of_media(get("MediaContentType0")).unwrap_or(MessageKind::Unknown))
        }
        None => Some(MessageKind::Text),
    };
    let first = |keys: &[&str]| {
        keys.iter().map(|key| get(key)).find(|value| has_text(*value)).unwrap_or_default()
    };
    let body = match kind {
        None if has_text(get("ListId")) || has_text(get("ListTitle")) => {
            Body::interactive(InteractiveType::ListReply).text(first(&["ListTitle", "Body"]))
        }
        None if has_text(get("InteractiveData")) || has_text(get("FlowData")) => {
            Body::interactive(InteractiveType::NfmReply)
        }
        None if is_call_permission(value) => {
            Body::interactive(InteractiveType::CallPermissionReply)
        }
        None if has_text(get("ButtonText")) || has_text(get("ButtonPayload")) => {
            Body::interactive(InteractiveType::ButtonReply).text(first(&["ButtonText", "Body"]))
        }
        None => Body::interactive(InteractiveType::Other),
        Some(MessageKind::Button) => {
            Body::new(MessageKind::Button).text(first(&["ButtonText", "Body"]))
        }
        Some(MessageKind::Text) => Body::new(MessageKind::Text).text(get("Body")),
        // A caption; without one the body is there and empty.
        Some(kind) if is_media(kind) => Body::new(kind).text(first(&["Body"])),
        Some(kind) => Body { text: Text::None, ..Body::new(kind) },
    };
    let voice = (named.as_deref() == Some("voice")).then_some(true);
    Body { voice, ..body }.reply_to(get("OriginalRepliedMessageSid"))
}

/// Whether a person let the business call, or did not. The text is Twilio's own.
fn is_call_permission(value: Value<'_>) -> bool {
    let payload = meant::word(value.get("ButtonPayload"));
    meant::word(value.get("ButtonText")).as_deref() == Some("voice_call_request")
        && payload.is_none_or(|word| matches!(word.as_str(), "accepted" | "rejected"))
}

/// Whether messages of this kind may have a caption.
pub(super) fn is_media(kind: MessageKind) -> bool {
    matches!(
        kind,
        MessageKind::Image
            | MessageKind::Audio
            | MessageKind::Video
            | MessageKind::Document
            | MessageKind::Sticker
    )
}

#[cfg(test)]
mod tests;
