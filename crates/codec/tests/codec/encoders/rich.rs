//! Providers that tell of what is sent, too.

use serde_json::{Value, json};
use turnwise_codec::encode::{Event, Message};
use turnwise_model::{Direction, InteractiveType as I, MessageKind as K, Origin, Status as S};

use super::{bytes, iso, media_type, party, reply, status, text, user};

pub fn bird(event: &Event) -> Option<Vec<u8>> {
    let contact = json!({
        "identifierKey": if event.peer.phone.is_empty() { "whatsappbsuid" } else { "phonenumber" },
        "identifierValue": party(event),
        "identifiers": user(event).map(|user| json!([{"identifierKey": "whatsappbsuid", "identifierValue": user}])),
    });
    if let Some(status) = status(event) {
        // A status of a message that failed comes without the message; `read` is an interaction.
        let mut payload = match status.status {
            S::Failed => json!({
                "id": status.message_id, "status": "delivery_failed", "lastStatusAt": iso(event),
                "receiver": {"contacts": [contact]}, "failure": {"code": status.error_code},
            }),
            S::Read if status.error_code.is_none() => json!({
                "id": "i1", "type": "read", "messageId": status.message_id, "createdAt": iso(event),
                "receiver": {"contact": contact},
            }),
            _ => return None,
        };
        payload["channelId"] = json!(event.phone_number_id);
        let kind = if status.status == S::Read { "interaction" } else { "outbound" };
        return bytes(
            json!({"service": "channels", "event": format!("whatsapp.{kind}"), "payload": payload}),
        );
    }
    let message = event.message()?;
    let outbound = message.direction == Direction::Outbound;
    let mut payload = json!({
        "id": message.id, "channelId": event.phone_number_id, "createdAt": iso(event),
        "body": body_of_bird(message, text(message)?)?, "replyTo": reply(message, "id"),
    });
    if outbound {
        payload["receiver"] = json!({"contacts": [contact]});
    } else {
        payload["sender"] = json!({ "contact": contact });
        payload["referral"] = if message.has_referral { json!({"x": 1}) } else { Value::Null };
    }
    let kind = if outbound { "outbound" } else { "inbound" };
    bytes(json!({"service": "channels", "event": format!("whatsapp.{kind}"), "payload": payload}))
}

fn body_of_bird(message: &Message, body: Option<&str>) -> Option<Value> {
    let outbound = message.direction == Direction::Outbound;
    let file = |kind| json!([{ "contentType": media_type(kind) }]);
    Some(match (message.kind, message.interactive) {
        (K::Text, _) => json!({"type": "text", "text": {"text": body}}),
        (K::Image | K::Sticker, _) => {
            json!({"type": "image", "image": {"text": body, "images": file(message.kind)}})
        }
        (K::Audio | K::Video | K::Document, _) => {
            json!({"type": "file", "file": {"text": body, "files": file(message.kind)}})
        }
        (K::Interactive, Some(I::ButtonReply)) if !outbound => {
            json!({"type": "text", "text": {"text": body, "actions": [{"type": "postback"}]}})
        }
        (K::Interactive, Some(I::Button)) if outbound => {
            json!({"type": "text", "text": {"text": body, "actions": [{"type": "reply"}]}})
        }
        (K::Interactive, Some(I::List)) if outbound => {
            json!({"type": "list", "list": {"text": body}})
        }
        (K::Location | K::Reaction | K::Unknown, _) => json!({"type": message.kind.name()}),
        (K::Contacts, _) => json!({"type": "contact"}),
        _ => return None,
    })
}

pub fn messagebird(event: &Event) -> Option<Vec<u8>> {
    let (kind, mut inner) = if let Some(status) = status(event) {
        // Other statuses come with their message.
        if status.status != S::Failed {
            return None;
        }
        let inner = json!({
            "id": status.message_id, "direction": "sent", "status": "failed", "type": "text",
            "updatedDatetime": iso(event), "error": {"code": status.error_code},
        });
        ("message.updated", inner)
    } else {
        let message = event.message()?;
        let body = text(message)?;
        let context = reply(message, "id");
        let (name, content) = match (message.kind, message.interactive) {
            (K::Text, _) if message.is_reply => (
                "whatsappText",
                json!({"whatsappText": {"text": {"body": body}, "context": context}}),
            ),
            (K::Order, _) => ("whatsappOrder", json!({"whatsappOrder": {"context": context}})),
            (K::Text, _) => ("text", json!({"text": body})),
            (K::Image | K::Audio | K::Video | K::Sticker, _) => {
                let name = message.kind.name();
                (name, json!({ name: {"caption": body} }))
            }
            (K::Document, _) => ("file", json!({"file": {"caption": body}})),
            (K::Template, _) => ("hsm", json!({"hsm": {}})),
            (K::Interactive, Some(kind @ (I::ButtonReply | I::ListReply)))
                if message.direction == Direction::Inbound =>
            {
                (
                    "interactive",
                    json!({"interactive": {"type": kind.name(), "reply": {"text": body}}}),
                )
            }
            (K::Location | K::Unknown, _) => (message.kind.name(), json!({})),
            _ => return None,
        };
        let way = if message.direction == Direction::Inbound { "received" } else { "sent" };
        let inner = json!({
            "id": message.id, "direction": way, "type": name, "content": content,
            "createdDatetime": iso(event), "replyTo": reply(message, "id"),
            "referral": message.has_referral.then(|| json!({"whatsapp": {"headline": "x"}})),
        });
        ("message.created", inner)
    };
    inner["channelId"] = json!(event.phone_number_id);
    inner["platform"] = json!("whatsapp");
    bytes(json!({"type": kind, "contact": {"msisdn": party(event)}, "message": inner}))
}

pub fn ycloud(event: &Event) -> Option<Vec<u8>> {
    if let Some(status) = status(event) {
        // Other statuses come with their message.
        if status.status != S::Failed {
            return None;
        }
        let message = json!({
            "wamid": status.message_id, "wabaId": event.waba_id, "from": format!("+{}", event.phone_number_id),
            "to": party(event), "toUserId": user(event), "status": "failed", "updateTime": iso(event), "errorCode": status.error_code,
            "pricingCategory": status.category.map(|it| it.name()),
            "pricingType": status.pricing_type.map(|it| it.name()),
            "pricingModel": status.pricing_model.map(|it| it.name()),
            "conversation": status.conversation_origin.map(|it| json!({"originType": it.name()})),
        });
        return bytes(
            json!({"type": "whatsapp.message.updated", "apiVersion": "v2", "whatsappMessage": message}),
        );
    }
    let message = event.message()?;
    let body = text(message)?;
    let name = if message.kind == K::Unknown { "x" } else { message.kind.name() };
    let inner = match (message.kind, message.interactive) {
        (K::Text, _) => json!({"body": body}),
        (K::Audio, _) => json!({"voice": message.voice, "caption": body}),
        (kind, _) if media_type(kind).is_some() => json!({"caption": body}),
        (K::Button, _) => json!({"text": body}),
        (K::Interactive, Some(kind @ (I::ButtonReply | I::ListReply))) => {
            json!({"type": kind.name(), kind.name(): {"title": body}})
        }
        (K::Interactive, Some(kind)) => json!({"type": kind.name(), "body": {"text": body}}),
        _ => json!({}),
    };
    let inbound = message.direction == Direction::Inbound;
    let mut value = json!({
        "wamid": message.id, "wabaId": event.waba_id, "type": name, name: inner, "context": reply(message, "id"),
        "referral": message.has_referral.then(|| json!({"x": 1})),
    });
    let business = json!(format!("+{}", event.phone_number_id));
    let (own, other, of_user, time) = if inbound {
        ("to", "from", "fromUserId", "sendTime")
    } else if message.origin == Origin::Live {
        ("from", "to", "toUserId", "createTime")
    } else {
        ("from", "to", "toUserId", "sendTime")
    };
    value[own] = business;
    value[other] = json!(party(event));
    value[of_user] = json!(user(event));
    value[time] = json!(iso(event));
    let kind = match (message.origin, inbound) {
        (Origin::App, _) => "smb.message.echoes",
        (Origin::History, _) => "smb.history",
        (_, true) => "inbound_message.received",
        _ => "message.updated",
    };
    let key = if inbound { "whatsappInboundMessage" } else { "whatsappMessage" };
    bytes(
        json!({"id": "evt_1", "type": format!("whatsapp.{kind}"), "apiVersion": "v2", key: value}),
    )
}
