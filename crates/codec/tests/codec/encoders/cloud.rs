//! Wrappers around what the Cloud API sends, made of its own encoder's output.

use serde_json::{Value, json};
use turnwise_codec::encode::{self, Event};
use turnwise_model::{Direction, InteractiveType, MessageKind, Origin, Status as S};

use super::{bytes, compact, party, status, text, time};

/// The webhook of an event, as a tree.
fn webhook(event: &Event) -> Option<Value> {
    let bytes = encode::webhook(std::slice::from_ref(event))?;
    serde_json::from_slice(&bytes).ok()
}

/// The value of its one change, and the field's name.
fn value(event: &Event) -> Option<(Value, String)> {
    let mut tree = webhook(event)?;
    let change = tree.pointer_mut("/entry/0/changes/0")?.take();
    Some((change["value"].clone(), change["field"].as_str()?.to_owned()))
}

pub fn dialog360(event: &Event) -> Option<Vec<u8>> {
    if event.message().is_none_or(|message| message.origin != Origin::History) {
        return bytes(webhook(event)?);
    }
    let (mut value, field) = value(event)?;
    value["id"] = json!(event.waba_id);
    bytes(json!({"id": "e1", "event": field, "data": value}))
}

pub fn gupshup_v3(event: &Event) -> Option<Vec<u8>> {
    let mut tree = webhook(event)?;
    tree["gs_app_id"] = json!("app-1");
    bytes(tree)
}

pub fn kapso(event: &Event) -> Option<Vec<u8>> {
    let mut event = event.clone();
    let outbound = event.message().is_some_and(|message| message.direction == Direction::Outbound);
    let (message, origin) = match &mut event.what {
        encode::What::Message(message) => {
            let origin = match message.origin {
                Origin::App => "business_app",
                Origin::History => "history_sync",
                _ => "cloud_api",
            };
            // Written as an echo or as received, whichever way it came.
            message.origin = if outbound { Origin::App } else { Origin::Live };
            let (value, _) = value(&event)?;
            let list = if outbound { "message_echoes" } else { "messages" };
            let message = value.get(list).and_then(|list| list.get(0)).cloned()?;
            (message, origin)
        }
        _ => return None,
    };
    let mut message = message;
    message["kapso"] =
        json!({"direction": if outbound { "outbound" } else { "inbound" }, "origin": origin});
    let person = &event.peer;
    let conversation = json!({
        "id": "c1",
        "phone_number": (!person.phone.is_empty()).then_some(&person.phone),
        "business_scoped_user_id": (!person.user_id.is_empty()).then_some(&person.user_id),
    });
    bytes(
        json!({"message": message, "conversation": conversation, "phone_number_id": event.phone_number_id}),
    )
}

pub fn turn(event: &Event) -> Option<Vec<u8>> {
    let mut event = event.clone();
    let outbound = event.message().is_some_and(|message| message.direction == Direction::Outbound);
    if outbound && let encode::What::Message(message) = &mut event.what {
        message.origin = Origin::App;
    }
    let (value, _) = value(&event)?;
    let mut lists = json!({"metadata": value["metadata"], "contacts": value["contacts"], "statuses": value["statuses"]});
    let list = if outbound { "message_echoes" } else { "messages" };
    if let Some(message) = value.get(list).and_then(|list| list.get(0)) {
        let mut message = message.clone();
        let direction = if outbound { "outbound" } else { "inbound" };
        message["_vnd"] = json!({"v1": {"direction": direction}});
        lists["messages"] = json!([message]);
    } else {
        lists["statuses"][0]["_vnd"] = json!({"v1": {}});
    }
    bytes(compact(lists))
}

pub fn salesforce(event: &Event) -> Option<Vec<u8>> {
    if let Some(status) = status(event) {
        let kind = match status.status {
            S::Sent => "OttSent",
            S::Delivered => "OttDelivered",
            S::Read => "OttRead",
            S::Failed => "OttFailed",
            _ => return None,
        };
        // A receipt names nobody.
        if !event.peer.phone.is_empty() || !event.peer.user_id.is_empty() {
            return None;
        }
        return bytes(json!({
            "EventType": format!("EngagementEvents.{kind}"), "EID": "1", "SenderType": "WhatsApp",
            "SenderID": event.phone_number_id, "MessageKey": status.message_id, "TimeStamp": time(event).0,
            "Reason": status.error_code.map(|code| code.to_string()),
        }));
    }
    let message = event.message()?;
    let body = text(message)?;
    let name = if message.kind == MessageKind::Unknown { "x" } else { message.kind.name() };
    let inner = match (message.kind, message.interactive) {
        (MessageKind::Text, _) => json!({"body": body}),
        (MessageKind::Audio, _) => json!({"caption": body, "voice": message.voice}),
        (MessageKind::Button, _) => json!({"text": body}),
        (MessageKind::Interactive, Some(kind @ InteractiveType::ButtonReply)) => {
            json!({"type": kind.name(), kind.name(): {"title": body}})
        }
        (MessageKind::Interactive, _) => return None,
        _ => json!({"caption": body}),
    };
    bytes(json!({
        "eventCategoryType": "EngagementEvents.OttMobileOriginated", "senderType": "WhatsApp",
        "messageType": name, "channelId": event.phone_number_id, "messageId": message.id,
        "timestampUTC": time(event).0, "mobileNumber": party(event),
        "messageBody": {name: inner, "context": super::reply(message, "id")},
    }))
}
