//! Salesforce's event notification service: flat objects whose `eventCategoryType` (in receipts
//! `EventType`) tells what they are; the body of a message is the Cloud API's.
//!
//! Sender: `channelId`, in receipts `SenderID`. A message goes by its wamid, a receipt by the key
//! of the send, so the two never meet.
//!
//! It cannot carry: the business account (the business unit is none), user ids, prices, who a
//! receipt is about, texts of a business, referrals, echoes of the phone app, history, standby and
//! account events. Events of other channels are ignored.

use turnwise_model::{Direction, Origin, Status};

use super::{Delivery, Message, Price, code, is_whatsapp, person, time_at_first};
use crate::body::body_named;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::peer::Peer;
use crate::reason::ignored;
use crate::record::{Record, Scope};

/// Decodes one event.
pub(super) fn decode(record: &mut Record<'_>, value: Value<'_>) {
    let either = |one: &str, other: &str| value.get(one).or_else(|| value.get(other));
    let Some(kind) = meant::word(either("eventCategoryType", "EventType")) else {
        return super::unknown(record, &super::nobody(), value, "an event of Salesforce");
    };
    let of_messages = kind.split_once('.').and_then(|(_, kind)| kind.strip_prefix("ott"));
    let Some(kind) = of_messages.filter(|_| is_whatsapp(either("senderType", "SenderType"))) else {
        return record.ignored(None, ignored::OTHER_CHANNEL, value.raw().len());
    };
    let sender = meant::id(either("channelId", "SenderID"));
    let scope =
        Scope { waba_id: Id::None, sender: sender.or_else(|| meant::id(value.get("senderId"))) };
    let time = [
        ("timestampUTC", value.get("timestampUTC")),
        ("TimeStamp", value.get("TimeStamp")),
        ("timeStamp", value.get("timeStamp")),
    ];
    if kind == "mobileoriginated" {
        return super::message(record, &scope, value, |record| {
            let name = meant::word(value.get("messageType")).unwrap_or_default();
            let holder = value.get("messageBody").filter(|body| body.is_object()).unwrap_or(value);
            Ok(Message {
                id: meant::id(value.get("messageId")),
                time: time_at_first(record, &time)?,
                peer: person(value.get("mobileNumber")),
                direction: Direction::Inbound,
                origin: Origin::Live,
                in_group: false,
                has_referral: meant::has_keys(holder.get("referral")),
                body: body_named(&name, holder),
                change: None,
            })
        });
    }
    let status = match kind {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        "read" => Status::Read,
        "failed" | "notsent" => Status::Failed,
        _ => return record.ignored(Some(&scope), ignored::OTHER, value.raw().len()),
    };
    super::status(record, &scope, value, |record| {
        Ok(Delivery {
            id: meant::id(either("messageKey", "MessageKey")),
            time: time_at_first(record, &time)?,
            peer: Peer::default().phone_or_user(value.get("mobileNumber")),
            origin: Origin::Live,
            in_group: false,
            status,
            price: Price::default(),
            error_code: code(either("reason", "Reason")),
        })
    });
}

#[cfg(test)]
mod tests;
