//! Records full of canaries: good ones, and the same damaged in every place.

use serde_json::{Value, json};

/// Makes canaries and keeps them.
#[derive(Debug, Default)]
pub struct Canaries {
    made: Vec<String>,
}

impl Canaries {
    fn keep(&mut self, canary: String) -> String {
        self.made.push(canary.clone());
        canary
    }

    /// Thirteen digits.
    pub fn phone(&mut self) -> String {
        let number = self.made.len() as u64;
        self.keep(format!("49{:011}", 17_055_501_237 + number * 7_919_003))
    }

    pub fn user(&mut self) -> String {
        let number = self.made.len();
        let id = self.keep(format!("83b1d{number:03}77q0259c"));
        format!("DE.{id}")
    }

    /// Words with letters, quotes and signs that are written differently in every form.
    pub fn text(&mut self) -> String {
        let number = self.made.len();
        let word = self.keep(format!("zqxv{number:03}kwyjibo"));
        let odd = self.keep(format!("q\u{e9}\"\\\u{4f60}\u{1f98a}v{number:03}"));
        format!("{word} how do I {odd} cook rice {number}?")
    }

    /// A wamid: the peer's number is inside, in base64.
    pub fn wamid(&mut self) -> String {
        let number = self.made.len();
        let id = self.keep(format!("HBgNNDkxNzA1NTVVAgAR{number:03}Qk9VTQA"));
        format!("wamid.{id}")
    }

    /// A word without spaces: names of kinds, keys, credentials.
    pub fn word(&mut self) -> String {
        let number = self.made.len();
        self.keep(format!("xq{number:03}vocanary"))
    }

    pub fn all(&self) -> &[String] {
        &self.made
    }
}

fn webhook(field: &str, value: &Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "900", "time": 1_794_000_000,
        "changes": [{"field": field, "value": value}]}]})
}

fn value(items: &Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001", "phone_number_id": "100"}});
    for (key, item) in items.as_object().expect("members") {
        value[key] = item.clone();
    }
    value
}

fn bodies(c: &mut Canaries) -> Vec<(&'static str, Value)> {
    let media = |c: &mut Canaries| {
        json!({"id": c.word(), "mime_type": "image/jpeg", "sha256": c.word(),
            "caption": c.text(), "filename": c.word(), "url": format!("https://{}", c.word())})
    };
    let kinds = ["image", "video", "document", "audio", "sticker"];
    let mut bodies: Vec<(&'static str, Value)> =
        kinds.into_iter().map(|kind| (kind, media(c))).collect();
    bodies.extend([
        ("text", json!({"body": c.text()})),
        ("location", json!({"latitude": 1.5, "longitude": 2.5, "name": c.text(),
            "address": c.text()})),
        ("contacts", json!([{"name": {"formatted_name": c.text()}, "emails": [{"email": c.word()}],
            "phones": [{"phone": c.phone(), "wa_id": c.phone()}]}])),
        ("interactive", json!({"type": "button_reply",
            "button_reply": {"id": c.word(), "title": c.text()}})),
        ("interactive", json!({"type": "list_reply", "list_reply":
            {"id": c.word(), "title": c.text(), "description": c.text()}})),
        ("interactive", json!({"type": "nfm_reply", "nfm_reply":
            {"name": "flow", "body": c.text(), "response_json": json!({"a": c.text()}).to_string()}})),
        ("button", json!({"text": c.text(), "payload": c.word()})),
        ("reaction", json!({"message_id": c.wamid(), "emoji": c.word()})),
        ("order", json!({"catalog_id": c.word(), "text": c.text(), "product_items":
            [{"product_retailer_id": c.word(), "quantity": 1, "item_price": 2, "currency": "EUR"}]})),
        ("system", json!({"body": c.text(), "type": "user_changed_number", "wa_id": c.phone(),
            "identity": c.word(), "customer": c.phone()})),
        ("unsupported", json!({"type": c.word()})),
        ("edit", json!({"original_message_id": c.wamid(), "message":
            {"type": "text", "text": {"body": c.text()}}})),
        ("revoke", json!({"original_message_id": c.wamid()})),
    ]);
    bodies
}

/// Readable records of every kind, each with canaries wherever people's data stand.
pub fn good(c: &mut Canaries) -> Vec<Value> {
    let mut records = Vec::new();
    for (kind, body) in bodies(c) {
        let (phone, user) = (c.phone(), c.user());
        let message = json!({"from": phone, "from_user_id": user, "id": c.wamid(),
            "timestamp": "1794000000", "type": kind, kind: body, "group_id": c.word(),
            "context": {"from": c.phone(), "id": c.wamid()},
            "referral": {"source_url": format!("https://{}", c.word()), "source_id": c.word(),
                "headline": c.text(), "body": c.text(), "ctwa_clid": c.word()},
            "errors": [{"code": 131_051, "title": c.text(), "message": c.text(),
                "error_data": {"details": c.text()}}]});
        records.push(webhook(
            "messages",
            &value(&json!({"messages": [message], "contacts":
            [{"profile": {"name": c.text(), "username": c.word(), "country_code": "DE"},
            "wa_id": phone, "user_id": user, "identity_key_hash": c.word()}]})),
        ));
    }
    records.extend(about_sends(c));
    records.extend(of_others(c));
    records.extend(sends(c));
    records.extend(unknown_names(c));
    records
}

fn about_sends(c: &mut Canaries) -> Vec<Value> {
    let status = |c: &mut Canaries, status: &str| {
        json!({"id": c.wamid(), "status": status, "timestamp": "1794000100",
            "recipient_id": c.phone(), "recipient_user_id": c.user(), "conversation":
            {"id": c.word(), "origin": {"type": c.word()}}, "biz_opaque_callback_data": c.text(),
            "recipient_participant_id": c.phone(),
            "pricing": {"billable": true, "pricing_model": c.word(), "category": c.word()},
            "errors": [{"code": 131_047, "title": c.text(), "error_data": {"details": c.text()}}]})
    };
    let live = |c: &mut Canaries| {
        json!({"from": c.phone(), "to": c.phone(), "id": c.wamid(), "timestamp": "1794000000",
            "type": "text", "text": {"body": c.text()}})
    };
    let user = |c: &mut Canaries| {
        json!({"to_user_id": c.user(), "id": c.wamid(), "timestamp": "1794000000",
            "type": "text", "text": {"body": c.text()}})
    };
    let states = ["sent", "delivered", "read", "failed", "played"].map(|name| status(c, name));
    let failures = json!([{"code": 2_593_109, "title": c.text(), "message": c.text(),
        "error_data": {"details": c.text()}}]);
    // The direction of an old message is told by whose thread it stands in.
    let old = live(c);
    let threads = json!([{"id": old["from"].clone(), "context": {"user_id": c.user(),
        "username": c.word()}, "messages": [old]}]);
    vec![
        webhook("messages", &value(&json!({"statuses": states}))),
        webhook("messages", &value(&json!({"errors": failures}))),
        webhook("smb_message_echoes", &value(&json!({"message_echoes": [live(c), user(c)]}))),
        webhook(
            "history",
            &value(&json!({"history": [{"metadata": {"phase": 0,
            "chunk_order": 1, "progress": 50}, "threads": threads}]})),
        ),
        webhook("history", &value(&json!({"history": [{"errors": failures}]}))),
        webhook(
            "standby",
            &value(&json!({"standby": {"messages": [live(c)],
            "message_echoes": [{"message": live(c)}], "statuses": [status(c, "sent")]}})),
        ),
        webhook(
            "messaging_handovers",
            &value(&json!({"messaging_handovers": [{"type":
            "control_passed", "recipient": {"id": c.phone()}, "timestamp": "1794000000",
            "previous_owner": {"role": c.word()}, "new_owner": {"role": "ai_agent"}}],
            "control_passed": {"recipient": {"id": c.phone()}, "metadata": c.text()}})),
        ),
        webhook(
            "user_id_update",
            &value(&json!({"user_id_update": [{"wa_id": c.phone(),
            "user_id": {"previous": c.user(), "current": c.user()}}]})),
        ),
        webhook(
            "account_update",
            &json!({"event": "ACCOUNT_VIOLATION", "phone_number": c.word(),
            "violation_info": {"violation_type": c.word(), "remediation": c.text()}}),
        ),
        webhook(
            "account_update",
            &json!({"event": c.word(), "ban_info": {"waba_ban_state": c.word()}}),
        ),
        webhook(
            "smb_app_state_sync",
            &value(&json!({"state_sync": [{"type": "contact",
            "contact": {"full_name": c.text(), "phone_number": c.phone()}}]})),
        ),
        webhook("calls", &value(&json!({"calls": [{"id": c.wamid(), "from": c.phone()}]}))),
    ]
}

/// What the business and Meta's own agent wrote, in all lists where it may stand, and items of
/// several lists beside one contact.
fn of_others(c: &mut Canaries) -> Vec<Value> {
    let message = |c: &mut Canaries, from: &str| {
        json!({"from": from, "id": c.wamid(), "timestamp": "1794000000",
            "message_creation_type": "created_by_1p_bot", "type": "text",
            "text": {"body": c.text()}})
    };
    let contact = |c: &mut Canaries| json!([{"wa_id": c.phone(), "user_id": c.user()}]);
    let mut to_somebody = message(c, "15550001");
    to_somebody["to"] = c.phone().into();
    let phone = c.phone();
    let status = json!({"id": c.wamid(), "status": "read", "timestamp": "1794000100",
        "recipient_user_id": c.user()});
    let old = json!({"id": c.wamid(), "timestamp": "1794000000", "type": "text",
        "text": {"body": c.text()}, "history_context": {"from_me": true}});
    let roles = json!({"previous_owner_app_role": "META_AI",
        "new_owner": {"app_role": c.word(), "app_id": c.word()}});
    vec![
        webhook("smb_message_echoes", &value(&json!({"messages": [to_somebody]}))),
        webhook(
            "message_echoes",
            &value(&json!({"contacts": contact(c), "messages": [message(c, "15550001")]})),
        ),
        webhook(
            "messages",
            &value(&json!({"contacts": contact(c), "messages": [message(c, "+1 555 0001")]})),
        ),
        webhook(
            "smb_message_echoes",
            &value(&json!({"contacts": contact(c), "message_echoes": [message(c, "100")]})),
        ),
        webhook(
            "messages",
            &value(&json!({"contacts": [{"wa_id": phone.clone(), "user_id": c.user()}],
                "messages": [message(c, &phone)], "statuses": [status]})),
        ),
        webhook(
            "history",
            &value(&json!({"history": [{"threads": [{"id": c.phone(), "messages": [old]}]}]})),
        ),
        webhook(
            "messaging_handovers",
            &value(&json!({"contacts": contact(c), "type": "control_passed",
                "timestamp": "1794000000", "control_passed": roles})),
        ),
        webhook(
            "account_update",
            &json!({"event": "PARTNER_ADDED", "waba_info": {"waba_id": "901",
                "owner_business_id": c.word()}}),
        ),
    ]
}

fn sends(c: &mut Canaries) -> Vec<Value> {
    let kinds = [
        ("text", json!({"body": c.text(), "preview_url": true})),
        ("image", json!({"link": format!("https://{}", c.word()), "caption": c.text()})),
        (
            "template",
            json!({"name": "order_ok", "language": {"code": "pt_BR"}, "components":
            [{"type": "body", "parameters": [{"type": "text", "text": c.text()},
            {"type": "payload", "payload": c.word()}, {"type": c.word(), "text": c.text()}]}]}),
        ),
        (
            "interactive",
            json!({"type": "list", "header": {"type": "text", "text": c.text()},
            "body": {"text": c.text()}, "footer": {"text": c.text()}, "action": {"button": c.word(),
            "sections": [{"title": c.text(), "rows": [{"id": c.word(), "title": c.text()}]}]}}),
        ),
        ("reaction", json!({"message_id": c.wamid(), "emoji": c.word()})),
    ];
    let mut records = Vec::new();
    for (status, (kind, body)) in
        [200, 200, 200, 200, 200, 400].into_iter().zip(kinds.iter().cycle())
    {
        let mut request = json!({"messaging_product": "whatsapp", "to": c.phone(),
            "recipient": c.user(), "type": kind, "context": {"message_id": c.wamid()},
            "biz_opaque_callback_data": c.text()});
        request[kind] = body.clone();
        records.push(json!({"time": "2026-11-07T00:02:27.127Z", "waba_id": "900",
            "phone_number_id": "100", "status": status, "request": request,
            "access_token": c.word(), "response": {"contacts": [{"input": c.phone(),
            "wa_id": c.phone(), "user_id": c.user()}], "messages": [{"id": c.wamid(),
            "message_status": c.word()}], "error": {"message": c.text(), "fbtrace_id": c.word()}}}));
    }
    records.push(json!({"time": "2026-11-07T00:02:27Z", "phone_number_id": "100", "status": 200,
        "request": {"status": "read", "message_id": c.wamid(), "to": c.phone()}}));
    records.push(json!({"to": c.phone(), "type": "text", "text": {"body": c.text()}}));
    records
}

/// Canaries as names: of kinds, fields, keys, origins.
fn unknown_names(c: &mut Canaries) -> Vec<Value> {
    let message = |c: &mut Canaries, kind: &str| {
        json!({"from": c.phone(), "id": c.wamid(), "timestamp": "1794000000", "type": kind,
            kind: {"body": c.text(), (c.word()): c.word()}, (c.word()): c.word()})
    };
    let (kind, field) = (c.word(), c.word());
    let odd = message(c, &kind);
    let text = message(c, "text");
    let status = json!({"id": c.wamid(), "status": c.word(), "timestamp": "1794000000",
        "recipient_id": c.phone()});
    vec![
        webhook(
            "messages",
            &value(&json!({"messages": [odd], "statuses": [status],
            (c.word()): [c.phone()]})),
        ),
        webhook(&field, &value(&json!({(c.word()): [text.clone()]}))),
        json!({"object": c.word(), "entry": [{"id": "900", "changes": []}], (c.word()): c.word()}),
        json!({(c.word()): {(c.word()): c.phone()}}),
        json!([c.text(), c.phone()]),
        json!(c.text()),
        json!(c.phone().parse::<u64>().expect("digits")),
        webhook("messages", &value(&json!({"messages": [c.text(), [c.phone()], text]}))),
    ]
}

/// Damaged copies of a record, each one line: cut at every structural place, bytes that are no
/// UTF-8 there, values of wrong types, keys that are canaries.
pub fn damaged(record: &Value, c: &mut Canaries) -> Vec<Vec<u8>> {
    let text = record.to_string().into_bytes();
    let mut damaged = Vec::new();
    let structural = |byte: u8| b"{}[]:,\"".contains(&byte);
    for (turn, at) in (0..text.len()).filter(|at| structural(text[*at])).enumerate() {
        damaged.push(text[..=at].to_vec());
        let with: [&[u8]; 4] = [b"\xff", b"\\ud800", b"\0", b"{"];
        damaged.push([&text[..=at], with[turn % 4], &text[at + 1..]].concat());
    }
    let (phone, word) = (c.phone(), c.word());
    let wrong = [
        json!(phone.parse::<i64>().expect("digits")),
        json!({(word.clone()): phone.clone()}),
        json!([word.clone(), phone.clone()]),
        json!(null),
        json!(word),
        json!(phone),
        json!(-1.5e9),
    ];
    let places = count(record);
    for place in 0..places {
        for turn in 0..3 {
            let with = &wrong[(place + turn * 2) % wrong.len()];
            let mut copy = record.clone();
            change(&mut copy, &mut { place }, &mut |value, key| {
                // Ids of senders and accounts are no secrets, so none is put there.
                if !["phone_number_id", "waba_id", "id", "metadata"].contains(&key) {
                    *value = with.clone();
                }
            });
            damaged.push(copy.to_string().into_bytes());
        }
    }
    damaged
}

/// Values inside a value.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(|value| 1 + count(value)).sum(),
        Value::Array(items) => items.iter().map(|value| 1 + count(value)).sum(),
        _ => 0,
    }
}

/// Changes the `place`th value inside, told the key it stands under.
fn change(value: &mut Value, place: &mut usize, with: &mut dyn FnMut(&mut Value, &str)) -> bool {
    let inside: Vec<(String, &mut Value)> = match value {
        Value::Object(members) => members.iter_mut().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => items.iter_mut().map(|v| (String::new(), v)).collect(),
        _ => return false,
    };
    for (key, inner) in inside {
        if *place == 0 {
            with(inner, &key);
            return true;
        }
        *place -= 1;
        if change(inner, place, with) {
            return true;
        }
    }
    false
}

/// Bytes that are no JSON, with canaries in them.
pub fn no_json(c: &mut Canaries) -> Vec<Vec<u8>> {
    vec![
        c.text().into_bytes(),
        format!("From=whatsapp%3A%2B{}&Body={}", c.phone(), c.word()).into_bytes(),
        format!("<xml><a>{}</a></xml>", c.text()).into_bytes(),
        format!("{{\"entry\": {}e999999}}", c.phone()).into_bytes(),
        format!("{{\"{}\": \"\\ud800{}\"}}", c.word(), c.text()).into_bytes(),
        format!("{}{}", "[".repeat(300), c.phone()).into_bytes(),
        [b"\xff\xfe".as_slice(), c.text().as_bytes()].concat(),
        c.text().encode_utf16().flat_map(u16::to_le_bytes).filter(|byte| *byte != 10).collect(),
    ]
}
