//! Providers that tell of what is received and of statuses.

use serde_json::{Value, json};
use turnwise_codec::encode::{Event, Message};
use turnwise_model::{Direction, InteractiveType as I, MessageKind as K, Origin, Status as S};

use super::{bytes, iso, media_type, party, reply, status, text, time, user, word};

/// Percent-escapes all but letters and digits.
fn escape(text: &str) -> String {
    let escaped = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(escaped).collect()
}

fn whatsapp(party: Option<String>) -> String {
    party.map_or(String::new(), |party| format!("whatsapp:{party}"))
}

pub fn twilio(event: &Event) -> Option<Vec<u8>> {
    let business = format!("whatsapp:+{}", event.phone_number_id);
    let peer = whatsapp(party(event));
    let mut fields = vec![("AccountSid", "AC1".to_owned())];
    if let Some(user) = user(event) {
        fields.push(("ExternalUserId", format!("whatsapp:{user}")));
    }
    if let Some(status) = status(event) {
        fields.extend([
            ("MessageSid", status.message_id.clone()),
            ("MessageStatus", word(status.status)?.to_owned()),
            ("From", business),
            ("To", peer),
        ]);
        if let Some(code) = status.error_code {
            fields.push(("ErrorCode", code.to_string()));
        }
    } else {
        let message = event.message()?;
        fields.extend([
            ("MessageSid", message.id.clone()),
            ("SmsStatus", "received".to_owned()),
            ("From", peer),
            ("To", business),
        ]);
        let body = text(message)?;
        // A caption that is empty is none.
        if body == Some("") && message.kind != K::Text || message.kind == K::Text && body.is_none()
        {
            return None;
        }
        let name = match (message.kind, message.interactive) {
            (K::Text, _) => "Body",
            (kind, _) if media_type(kind).is_some() => {
                fields.push(("NumMedia", "1".to_owned()));
                fields.push(("MediaContentType0", media_type(kind)?.to_owned()));
                "Body"
            }
            (K::Button, _) => "ButtonText",
            (K::Interactive, Some(I::ButtonReply)) => "ButtonText",
            (K::Interactive, Some(I::ListReply)) => "ListTitle",
            (
                K::Location | K::Contacts | K::Order | K::Reaction | K::Unsupported | K::Unknown,
                _,
            ) => "Body",
            _ => return None,
        };
        fields.push(match message.kind {
            K::Interactive if message.interactive == Some(I::ListReply) => {
                ("ListId", "1".to_owned())
            }
            _ => ("ButtonPayload", if name == "ButtonText" { "1" } else { "" }.to_owned()),
        });
        fields.push((
            "MessageType",
            if message.kind == K::Unknown { "x" } else { message.kind.name() }.to_owned(),
        ));
        fields.push((name, body.unwrap_or_default().to_owned()));
        if message.is_reply {
            fields.push(("OriginalRepliedMessageSid", "MM1".to_owned()));
        }
        if message.has_referral {
            fields.push(("ReferralSourceId", "1".to_owned()));
        }
    }
    let written = fields.iter().map(|(key, value)| format!("{key}={}", escape(value)));
    Some(written.collect::<Vec<_>>().join("&").into_bytes())
}

pub fn twilio_events(event: &Event) -> Option<Vec<u8>> {
    let business = format!("whatsapp:+{}", event.phone_number_id);
    let peer = whatsapp(party(event));
    let (kind, mut data) = if let Some(status) = status(event) {
        let kind = format!("message.{}", word(status.status)?);
        (
            kind,
            json!({"messageSid": status.message_id, "from": business, "to": peer, "errorCode": status.error_code}),
        )
    } else {
        let message = event.message().filter(|message| message.kind == K::Text)?;
        // What a business wrote comes with a status, for which there is no event here.
        if message.direction == Direction::Outbound {
            return None;
        }
        let clid = message.has_referral.then_some("x");
        (
            "inbound-message.received".to_owned(),
            json!({"messageSid": message.id, "from": peer, "to": business, "numMedia": 0, "body": text(message)?, "referralCtwaClid": clid}),
        )
    };
    data["timestamp"] = json!(iso(event));
    data["accountSid"] = json!("AC1");
    data["externalUserId"] = json!(user(event));
    bytes(json!([{
        "specversion": "1.0", "type": format!("com.twilio.messaging.{kind}"), "source": "AB1", "id": "NO1",
        "datacontenttype": "2025-10-08T07:17:02.363Z", "data": data,
    }]))
}

pub fn gupshup_v2(event: &Event) -> Option<Vec<u8>> {
    let (kind, payload) = if let Some(status) = status(event) {
        let payload = json!({
            "id": "wamid.A", "gsId": status.message_id,
            "type": if status.status == S::Other { "enqueued" } else { status.status.name() },
            "destination": party(event), "userId": user(event),
            "payload": {"code": status.error_code},
            "conversation": status.conversation_origin.map(|it| json!({"type": it.name()})),
            "pricing": {
                "category": status.category.map(|it| it.name()),
                "type": status.pricing_type.map(|it| it.name()),
                "policy": status.pricing_model.map(|it| it.name()),
            },
        });
        ("message-event", payload)
    } else {
        let message = event.message()?;
        let body = text(message)?;
        let (name, inner) = match (message.kind, message.interactive) {
            (K::Text, _) => ("text", json!({"text": body})),
            (K::Document, _) => ("file", json!({"caption": body})),
            (K::Image | K::Audio | K::Video | K::Sticker, _) => {
                (message.kind.name(), json!({"caption": body}))
            }
            (K::Button, _) => ("quick_reply", json!({"text": body})),
            (K::Interactive, Some(I::ButtonReply)) => ("button_reply", json!({"title": body})),
            (K::Interactive, Some(I::ListReply)) => ("list_reply", json!({"title": body})),
            (K::Contacts, _) => ("contact", json!({})),
            (K::Location | K::Order | K::Reaction | K::Unknown, _) => {
                (message.kind.name(), json!({}))
            }
            _ => return None,
        };
        let payload = json!({
            "id": message.id, "source": party(event), "type": name, "payload": inner,
            "sender": {"userId": user(event)}, "context": reply(message, "gsId"),
            "referral": message.has_referral.then(|| json!({"x": 1})),
        });
        ("message", payload)
    };
    bytes(
        json!({"app": event.phone_number_id, "timestamp": time(event).0, "version": 2, "type": kind, "payload": payload}),
    )
}

pub fn infobip(event: &Event) -> Option<Vec<u8>> {
    let stamp = iso(event).replace('Z', "+0000");
    let result = if let Some(status) = status(event) {
        let (group, name) = match status.status {
            S::Sent => ("PENDING", "PENDING_ENROUTE"),
            S::Delivered => ("DELIVERED", "DELIVERED_TO_HANDSET"),
            S::Failed => ("REJECTED", "REJECTED_X"),
            S::Other => ("PENDING", "PENDING_X"),
            S::Read => ("SEEN", "SEEN"),
            S::Played => return None,
        };
        let of_status =
            |is_read: bool| (is_read == (status.status == S::Read)).then(|| json!(stamp));
        json!({
            "messageId": status.message_id, "from": event.phone_number_id,
            "to": party(event).or(user(event).map(str::to_owned)),
            "doneAt": of_status(false), "seenAt": of_status(true),
            "status": {"groupName": group, "name": name}, "error": {"id": status.error_code.unwrap_or(0)},
        })
    } else {
        let message = event.message()?;
        let body = text(message)?;
        let name = match (message.kind, message.interactive) {
            (K::Audio, _) if message.voice => "VOICE".to_owned(),
            (K::Contacts, _) => "CONTACT".to_owned(),
            (K::Interactive, Some(I::ButtonReply)) => "INTERACTIVE_BUTTON_REPLY".to_owned(),
            (K::Interactive, Some(I::ListReply)) => "INTERACTIVE_LIST_REPLY".to_owned(),
            (
                K::Interactive | K::Template | K::MediaPlaceholder | K::RequestWelcome | K::System,
                _,
            ) => return None,
            (kind, _) => kind.name().to_uppercase(),
        };
        let key = match message.kind {
            K::Text | K::Button => "text",
            K::Interactive => "title",
            _ => "caption",
        };
        if message.voice && body.is_some() {
            return None;
        }
        let mut inner = json!({"type": name, "context": reply(message, "id"), key: body});
        if message.kind == K::Audio && body.is_some() {
            return None;
        }
        if message.has_referral {
            inner["referral"] = json!({"x": 1});
        }
        json!({
            "from": party(event), "to": event.phone_number_id, "integrationType": "WHATSAPP", "receivedAt": stamp,
            "messageId": message.id, "message": inner, "contact": {"userId": user(event)},
        })
    };
    // Reports have no field of their own for a user id.
    if status(event).is_some() && user(event).is_some() {
        return None;
    }
    bytes(json!({"results": [result], "messageCount": 1}))
}

pub fn vonage(event: &Event) -> Option<Vec<u8>> {
    let mut value = if let Some(status) = status(event) {
        let name = match status.status {
            S::Sent => "submitted",
            S::Failed => "rejected",
            S::Other => "x",
            S::Delivered | S::Read => status.status.name(),
            S::Played => return None,
        };
        json!({
            "message_uuid": status.message_id, "from": event.phone_number_id, "to": party(event), "status": name,
            "error": {"title": status.error_code},
            "whatsapp": {
                "conversation": status.conversation_origin.map(|it| json!({"origin": {"type": it.name()}})),
                "pricing": {
                    "category": status.category.map(|it| it.name()),
                    "type": status.pricing_type.map(|it| it.name()),
                    "pricing_model": status.pricing_model.map(|it| it.name()),
                },
            },
        })
    } else {
        let message = event.message()?;
        let body = text(message)?;
        let (name, inner): (&str, Value) = match (message.kind, message.interactive) {
            (K::Text, _) => ("text", json!(body)),
            (K::Document, _) => ("file", json!({"caption": body})),
            (K::Image | K::Audio | K::Video | K::Sticker, _) => {
                (message.kind.name(), json!({"caption": body}))
            }
            (K::Button, _) => ("button", json!({"text": body})),
            (K::Interactive, Some(I::ButtonReply)) => ("reply", json!({"title": body})),
            (K::Interactive, Some(I::ListReply)) => {
                ("reply", json!({"title": body, "description": "d"}))
            }
            (K::Contacts, _) => ("vcard", json!({})),
            (K::Location | K::Order | K::Reaction | K::Unsupported | K::Unknown, _) => {
                (message.kind.name(), json!({}))
            }
            _ => return None,
        };
        let referral = message.has_referral.then(|| json!({"x": 1}));
        json!({
            "message_uuid": message.id, "from": party(event), "to": event.phone_number_id, "message_type": name, name: inner,
            "context": reply(message, "message_uuid"), "context_status": "none", "whatsapp": {"referral": referral},
        })
    };
    value["whatsapp"]["user_id"] = json!(user(event));
    value["whatsapp"]["waba_id"] = json!(event.waba_id);
    value["channel"] = json!("whatsapp");
    value["timestamp"] = json!(iso(event));
    bytes(value)
}

pub fn eight_x_eight(event: &Event) -> Option<Vec<u8>> {
    let person = json!({"msisdn": party(event), "channelUserId": user(event)});
    let (kind, payload) = if let Some(status) = status(event) {
        let told = json!({"state": word(status.status)?, "timestamp": iso(event), "errorCode": status.error_code});
        (
            "outbound_message_status_changed",
            json!({"umid": status.message_id, "channel": "whatsapp", "status": told}),
        )
    } else {
        let message = event.message()?;
        let body = text(message)?;
        let (name, content) = content_of_8x8(message, body)?;
        let referral = message.has_referral.then(|| json!({"x": 1}));
        let mut payload = json!({
            "umid": message.id, "timestamp": iso(event),
            "type": name, "content": content, "referral": referral,
            "replyToUmid": message.is_reply.then_some("another"),
        });
        let kind = match (message.direction, message.origin) {
            (Direction::Inbound, _) => {
                payload["recipient"] = json!({"channel": "whatsapp", "channelId": "c"});
                "inbound_message_received"
            }
            (_, Origin::App) => {
                payload["channel"] = json!("whatsapp");
                "external_app_message"
            }
            // What is sent otherwise comes with a status, for which there is no event here.
            _ => return None,
        };
        (kind, payload)
    };
    let mut payload = payload;
    payload["subAccountId"] = json!(event.phone_number_id);
    payload["user"] = person;
    bytes(json!({"namespace": "ChatApps", "eventType": kind, "payload": payload}))
}

fn content_of_8x8(message: &Message, body: Option<&str>) -> Option<(&'static str, Value)> {
    let tap = |name: &str| json!({"interactive": {"type": name, name: {"title": body}}});
    Some(match (message.kind, message.interactive) {
        (K::Text, _) => ("Text", json!({"text": body})),
        (K::Image, _) => ("Image", json!({"text": body})),
        (K::Audio, _) => ("Audio", json!({"text": body})),
        (K::Video, _) => ("Video", json!({"text": body})),
        (K::Document, _) => ("Document", json!({"text": body})),
        (K::Button, _) => ("Button", json!({"text": body})),
        (K::Interactive, Some(I::ButtonReply)) => ("Interactive", tap("button_reply")),
        (K::Interactive, Some(I::ListReply)) => ("Interactive", tap("list_reply")),
        (K::Location, _) => ("Location", json!({})),
        (K::Unknown, _) => ("Something", json!({})),
        _ => return None,
    })
}
