//! Webhooks of the Cloud API.

use turnwise_model::{Direction, Millis, Origin};

use super::json::Json;
use super::send::body;
use super::{Account, Event, Message, Status, What};

/// The business's own number in the metadata of all.
const DISPLAY: &str = "15550783881";

/// One webhook with an entry for each event.
///
/// Carries inbound messages (live, standby, history), outbound ones from the phone app, on standby
/// and of history, statuses (live, standby), handovers, changes of a user id, errors, facts of the
/// account, and ignored fields of a webhook. Cannot carry live sends, templates' categories, a
/// peer in an outbound message of a group, or a status without a name.
#[must_use]
pub fn webhook(events: &[Event]) -> Option<Vec<u8>> {
    if events.iter().any(|event| field(event).is_none()) {
        return None;
    }
    let mut json = Json::default();
    json.object(|json| {
        json.field("object", "whatsapp_business_account");
        json.key("entry").array(|json| events.iter().for_each(|event| entry(json, event)));
    });
    Some(json.into_bytes())
}

/// The field that carries an event, if one does.
fn field(event: &Event) -> Option<&'static str> {
    match &event.what {
        What::Message(message) => {
            event.time?;
            let outbound = message.direction == Direction::Outbound;
            if message.in_group && outbound && event.peer != super::Person::default() {
                return None;
            }
            match message.origin {
                Origin::Live if outbound => None,
                Origin::Live => Some("messages"),
                Origin::App if outbound => Some("smb_message_echoes"),
                Origin::App => None,
                Origin::Standby => Some("standby"),
                // The thread's peer tells the direction.
                Origin::History if event.peer == super::Person::default() => None,
                Origin::History => Some("history"),
            }
        }
        What::Status(status) => {
            event.time?;
            match status.origin {
                Origin::Live => Some("messages"),
                Origin::Standby => Some("standby"),
                Origin::App | Origin::History => None,
            }
        }
        What::Account(account) => Some(account.field),
        What::Ignored("send_failed" | "mark_as_read" | "typing" | "empty" | "other") => None,
        What::Ignored(name) => Some(name),
    }
}

fn entry(json: &mut Json, event: &Event) {
    json.object(|json| {
        json.field_if_any("id", &event.waba_id);
        if let (What::Account(_), Some(time)) = (&event.what, event.time) {
            json.key("time").number(time.0);
        }
        json.list_of_one("changes", |json| {
            json.field("field", field(event).unwrap_or_default());
            json.object_field("value", |json| value(json, event));
        });
    });
}

fn value(json: &mut Json, event: &Event) {
    json.field("messaging_product", "whatsapp");
    json.object_field("metadata", |json| {
        json.field("display_phone_number", DISPLAY);
        json.field_if_any("phone_number_id", &event.phone_number_id);
    });
    match &event.what {
        What::Message(message) => messages(json, event, message),
        What::Status(status) if status.origin == Origin::Standby => {
            json.object_field("standby", |json| {
                json.list_of_one("statuses", |json| a_status(json, event, status));
            });
        }
        What::Status(status) => {
            json.list_of_one("statuses", |json| a_status(json, event, status));
        }
        What::Account(account) => account_event(json, event, account),
        What::Ignored(_) => {}
    }
}

fn messages(json: &mut Json, event: &Event, message: &Message) {
    let list = match message.direction {
        Direction::Inbound => "messages",
        Direction::Outbound => "message_echoes",
    };
    let one = |json: &mut Json| a_message(json, event, message);
    match message.origin {
        Origin::Standby => json.object_field("standby", |json| json.list_of_one(list, one)),
        Origin::History => json.list_of_one("history", |json| {
            json.list_of_one("threads", |json| {
                json.field_if_any("id", &event.peer.phone);
                json.object_field("context", |json| {
                    json.field_if_any("user_id", &event.peer.user_id);
                });
                json.list_of_one("messages", one);
            });
        }),
        Origin::Live | Origin::App => json.list_of_one(list, one),
    }
}

/// Seconds as a string, as the platform writes them; milliseconds where there are some.
fn timestamp(json: &mut Json, time: Option<Millis>) {
    if let Some(time) = time {
        let number = if time.0 % 1_000 == 0 { time.0 / 1_000 } else { time.0 };
        json.field("timestamp", &number.to_string());
    }
}

fn a_message(json: &mut Json, event: &Event, message: &Message) {
    match message.direction {
        Direction::Inbound => {
            json.field_if_any("from", &event.peer.phone);
            json.field_if_any("from_user_id", &event.peer.user_id);
        }
        Direction::Outbound => {
            json.field("from", DISPLAY);
            json.field_if_any("to", &event.peer.phone);
            json.field_if_any("to_user_id", &event.peer.user_id);
        }
    }
    json.field_if_any("id", &message.id);
    timestamp(json, event.time);
    if message.in_group {
        json.field("group_id", "Y2FwaV9ncm91cA==");
    }
    if message.is_reply {
        json.object_field("context", |json| json.field("id", "wamid.before"));
    }
    if message.has_referral {
        json.object_field("referral", |json| json.field("source_type", "ad"));
    }
    body(json, message);
}

fn a_status(json: &mut Json, event: &Event, status: &Status) {
    json.field_if_any("id", &status.message_id);
    json.field("status", status.status.name());
    timestamp(json, event.time);
    if status.in_group {
        json.field("recipient_id", "Y2FwaV9ncm91cA==");
        json.field("recipient_type", "group");
        json.field_if_any("recipient_participant_id", &event.peer.phone);
        json.field_if_any("recipient_participant_user_id", &event.peer.user_id);
    } else {
        json.field_if_any("recipient_id", &event.peer.phone);
        json.field_if_any("recipient_user_id", &event.peer.user_id);
    }
    if let Some(category) = status.conversation_origin {
        json.object_field("conversation", |json| {
            json.field("id", "c");
            json.object_field("origin", |json| json.field("type", category.name()));
        });
    }
    json.object_field("pricing", |json| {
        json.key("billable").boolean(true);
        json.field_if_any("pricing_model", status.pricing_model.map_or("", |model| model.name()));
        json.field_if_any("type", status.pricing_type.map_or("", |kind| kind.name()));
        json.field_if_any("category", status.category.map_or("", |category| category.name()));
    });
    if let Some(code) = status.error_code {
        json.list_of_one("errors", |json| json.key("code").number(code));
    }
}

fn account_event(json: &mut Json, event: &Event, account: &Account) {
    if account.event == "error" {
        let code = account.error_code;
        let error = |json: &mut Json| {
            if let Some(code) = code {
                json.key("code").number(code);
            }
        };
        return match account.field {
            "history" => {
                json.list_of_one("history", |json| json.list_of_one("errors", error));
            }
            _ => json.list_of_one("errors", error),
        };
    }
    match account.field {
        "messaging_handovers" => json.list_of_one("messaging_handovers", |json| {
            json.field("type", account.event);
            json.object_field(account.event, |json| {
                json.field_if_any("previous_owner_role", account.role_previous);
                json.field_if_any("new_owner_role", account.role_new);
            });
            json.object_field("sender", |json| {
                json.field_if_any("phone_number", &event.peer.phone);
                json.field_if_any("user_id", &event.peer.user_id);
            });
        }),
        "user_id_update" => json.list_of_one("user_id_update", |json| {
            json.field_if_any("wa_id", &event.peer.phone);
            json.object_field("user_id", |json| {
                json.field_if_any("previous", &account.previous.user_id);
                json.field_if_any("current", &event.peer.user_id);
            });
        }),
        _ => json.field("event", account.event),
    }
}
