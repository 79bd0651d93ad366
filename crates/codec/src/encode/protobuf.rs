//! Turnwise's own protobuf record.

use prost::Message as _;
use turnwise_model::Millis;

use super::{Account, Event, Message, Status, Text, What};
use crate::events::{self, item, message};

/// The record of any events. An owner that all have is the record's; else each names its own.
#[must_use]
pub fn protobuf(events: &[Event]) -> Vec<u8> {
    record(events).encode_to_vec()
}

/// The same as generated types.
#[must_use]
pub fn record(events: &[Event]) -> events::Record {
    let waba_id = shared(events, |event| &event.waba_id);
    let phone_number_id = shared(events, |event| &event.phone_number_id);
    let other = |own: &str, all: &str| if own == all { String::new() } else { own.to_owned() };
    let items = events
        .iter()
        .map(|event| events::Item {
            waba_id: other(&event.waba_id, &waba_id),
            phone_number_id: other(&event.phone_number_id, &phone_number_id),
            event: Some(what(event)),
        })
        .collect();
    events::Record { waba_id, phone_number_id, items }
}

/// What all events have, else nothing.
fn shared(events: &[Event], of: impl Fn(&Event) -> &String) -> String {
    match events {
        [first, rest @ ..] if rest.iter().all(|event| of(event) == of(first)) => of(first).clone(),
        _ => String::new(),
    }
}

fn what(event: &Event) -> item::Event {
    match &event.what {
        What::Message(message) => item::Event::Message(a_message(event, message)),
        What::Status(status) => item::Event::Status(a_status(event, status)),
        What::Account(account) => item::Event::AccountEvent(an_account_event(event, account)),
        What::Ignored(name) => item::Event::Ignored(events::Ignored { name: (*name).to_owned() }),
    }
}

fn time_ms(event: &Event) -> i64 {
    event.time.unwrap_or(Millis(0)).0
}

/// The protocol's number of a stored code: 0 is "unspecified", so all are one more.
fn number(code: Option<i32>) -> i32 {
    code.map_or(0, |code| code + 1)
}

fn a_message(event: &Event, message: &Message) -> events::Message {
    events::Message {
        id: message.id.clone(),
        time_ms: time_ms(event),
        direction: number(Some(message.direction.code())),
        origin: number(Some(message.origin.code())),
        r#type: number(Some(message.kind.code())),
        interactive_type: number(message.interactive.map(|kind| kind.code())),
        peer_phone: event.peer.phone.clone(),
        peer_user_id: event.peer.user_id.clone(),
        voice: message.voice,
        in_group: message.in_group,
        is_reply: message.is_reply,
        has_referral: message.has_referral,
        identity_change: message.change.as_ref().map(|change| events::IdentityChange {
            event: change.event.to_owned(),
            new_phone: change.now.phone.clone(),
            new_user_id: change.now.user_id.clone(),
            previous_phone: String::new(),
            previous_user_id: String::new(),
        }),
        content: match &message.text {
            Text::None => None,
            Text::Chars(chars) => Some(message::Content::Chars(*chars)),
            Text::Body(text) => Some(message::Content::Text(text.clone())),
        },
    }
}

fn a_status(event: &Event, status: &Status) -> events::Status {
    events::Status {
        message_id: status.message_id.clone(),
        time_ms: time_ms(event),
        origin: number(Some(status.origin.code())),
        status: number(Some(status.status.code())),
        peer_phone: event.peer.phone.clone(),
        peer_user_id: event.peer.user_id.clone(),
        in_group: status.in_group,
        category: number(status.category.map(|category| category.code())),
        conversation_origin: number(status.conversation_origin.map(|category| category.code())),
        pricing_type: number(status.pricing_type.map(|kind| kind.code())),
        pricing_model: number(status.pricing_model.map(|model| model.code())),
        error_code: status.error_code,
    }
}

fn an_account_event(event: &Event, account: &Account) -> events::AccountEvent {
    events::AccountEvent {
        time_ms: time_ms(event),
        field: account.field.to_owned(),
        event: account.event.to_owned(),
        error_code: account.error_code,
        role_previous: account.role_previous.to_owned(),
        role_new: account.role_new.to_owned(),
        peer_phone: event.peer.phone.clone(),
        peer_user_id: event.peer.user_id.clone(),
        previous_phone: account.previous.phone.clone(),
        previous_user_id: account.previous.user_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Origin};
    use turnwise_model::{PricingModel, PricingType, Status as StatusCode};

    use super::*;

    fn check(prefix: &str, name: &str, shown: Option<&str>) {
        assert_eq!(shown, Some(&*format!("{prefix}_{}", name.to_ascii_uppercase())));
    }

    #[test]
    fn numbers_of_the_protocol_are_the_stored_codes_and_one() {
        macro_rules! all {
            ($stored:ident, $protocol:ident, $prefix:literal) => {
                for value in $stored::ALL {
                    let number = number(Some(value.code()));
                    let known = events::$protocol::try_from(number).ok();
                    check($prefix, value.name(), known.map(|known| known.as_str_name()));
                }
                assert!(events::$protocol::try_from($stored::ALL.len() as i32 + 1).is_err());
            };
        }
        all!(Direction, Direction, "DIRECTION");
        all!(Origin, Origin, "ORIGIN");
        all!(MessageKind, MessageType, "MESSAGE_TYPE");
        all!(InteractiveType, InteractiveType, "INTERACTIVE_TYPE");
        all!(StatusCode, StatusType, "STATUS_TYPE");
        all!(Category, Category, "CATEGORY");
        all!(PricingType, PricingType, "PRICING_TYPE");
        all!(PricingModel, PricingModel, "PRICING_MODEL");
    }
}
