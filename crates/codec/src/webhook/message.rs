//! Messages of webhooks: received, echoed from the phone app, on standby, of a history import.

use turnwise_model::{Direction, Origin};

use super::contacts::Company;
use super::{Foreign, Place, account};
use crate::body::{Body, body};
use crate::json::Value;
use crate::meant::{self, Id};
use crate::peer::{self, Peer};
use crate::reason::Reason;
use crate::record::{Fail, Owner, Record};
use crate::rows::MessageRow;

/// Whether an object is a message or a status rather than something around one.
pub(crate) fn looks_like_one(value: Value<'_>) -> bool {
    let has = |key| value.get(key).is_some();
    (has("type") || has("status") || has("id"))
        && (has("from")
            || has("from_user_id")
            || has("to")
            || has("to_user_id")
            || has("timestamp"))
        && !has("messages")
        && !has("statuses")
        && !has("sender")
}

/// One of `messages[]`: received, unless the business's own number wrote it and it tells whom it is
/// for or how it was made, as echoes do, or a gateway tells it by the contact. With none of these a
/// sample has one number for all, or somebody writes the business where the person should be: then
/// nobody wrote it.
pub(super) fn of_list<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    origin: Origin,
    company: Company,
    value: Value<'a>,
) {
    one(record, place, value, |record, owner, item| {
        let is_sent =
            is_own(place, value) && (is_as_echoes_are(value) || place.is_chat_of_gateway());
        let (direction, origin, peer) = if is_sent {
            (Direction::Outbound, origin_of_own(origin, value), addressee(value))
        } else {
            (Direction::Inbound, origin, author(value))
        };
        row(record, place, owner, item, value, origin, direction, (peer, company))
    });
}

/// Where a message says how it was made.
const MADE: &str = "message_creation_type";
/// What it says there that Meta's own agent wrote.
pub(super) const BY_AGENT: &str = "created_by_1p_bot";

/// Whether a message tells whom it is for, or how it was made.
fn is_as_echoes_are(value: Value<'_>) -> bool {
    let keys = ["to", "to_user_id", "recipient", MADE];
    [value, nested(value)].into_iter().any(|value| keys.iter().any(|key| has_id(value, key)))
}

/// Whether an id, or another word, is there: some write empty ones.
fn has_id(value: Value<'_>, key: &str) -> bool {
    meant::id(value.get(key)) != Id::None
}

/// The origin of a message of the business: what Meta's own agent wrote is no person's.
fn origin_of_own(origin: Origin, value: Value<'_>) -> Origin {
    let made = meant::word(value.get(MADE)).or_else(|| meant::word(nested(value).get(MADE)));
    match origin {
        Origin::Live | Origin::App if made.as_deref() == Some(BY_AGENT) => Origin::Standby,
        origin => origin,
    }
}

/// Whether the business's own number wrote a message.
fn is_own(place: &Place<'_>, value: Value<'_>) -> bool {
    author(value).phone_text().is_some_and(|from| place.is_own(from))
}

/// Whether a message that stands beside a history is a person's, and of no history itself.
pub(super) fn is_from_person(place: &Place<'_>, value: Value<'_>) -> bool {
    let is_of_history = meant::has_keys(value.get("history_context"));
    !is_of_history && !author(value).has_none() && !is_own(place, value)
}

/// One of `message_echoes[]`: what the business sent by other ways than the API.
pub(super) fn echo<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    origin: Origin,
    company: Company,
    value: Value<'a>,
) {
    one(record, place, value, |record, owner, item| {
        let (origin, peer) = (origin_of_own(origin, value), addressee(value));
        row(record, place, owner, item, value, origin, Direction::Outbound, (peer, company))
    });
}

/// Whom the messages of a history's thread were exchanged with.
pub(super) fn of_thread(thread: Value<'_>) -> Peer<'_> {
    let context = |key| thread.at(&["context", key]);
    Peer::default()
        .phone_or_user(thread.get("id"))
        .phone_or_user(context("wa_id"))
        .user(context("user_id"))
}

/// One of a history's messages. The thread names the peer; who wrote it gives the direction.
pub(super) fn from_history<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    thread: &Peer<'a>,
    value: Value<'a>,
) {
    one(record, place, value, |record, owner, item| {
        let direction = direction(place, thread, value).ok_or_else(|| {
            record.fail(
                Reason::NoDirection,
                "from",
                "business or peer",
                value.get("from").map(Value::kind),
            )
        })?;
        let other = match direction {
            Direction::Inbound => author(value),
            Direction::Outbound => addressee(value),
        };
        let peer = thread.clone().or(other);
        row(record, place, owner, item, value, Origin::History, direction, (peer, Company::Alike))
    });
}

/// A message without anything around it.
pub(super) fn of_unknown_direction<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    value: Value<'a>,
) {
    one(record, place, value, |record, owner, item| {
        let addressed = has_id(value, "to") || has_id(value, "to_user_id");
        let direction = if addressed {
            direction(place, &Peer::default(), value)
        } else if is_own(place, value) {
            Some(Direction::Outbound)
        } else {
            (!author(value).has_none()).then_some(Direction::Inbound)
        };
        let direction = direction
            .ok_or_else(|| record.fail(Reason::NoDirection, "", "business as from or to", None))?;
        let peer = match direction {
            Direction::Inbound => author(value),
            Direction::Outbound => addressee(value),
        };
        row(record, place, owner, item, value, Origin::Live, direction, (peer, Company::Alone))
    });
}

/// A message of another envelope, which tells its direction and may name its peer. What the
/// business's own number wrote is outbound all the same: the business is nobody's peer.
pub(super) fn foreign<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    known: &Foreign<'a>,
    (direction, origin): (Direction, Origin),
    value: Value<'a>,
) {
    one(record, place, value, |record, owner, item| {
        let (direction, origin, named) = if direction == Direction::Outbound {
            (direction, origin, addressee(value))
        } else if is_own(place, value) {
            (Direction::Outbound, origin_of_own(origin, value), addressee(value))
        } else {
            (direction, origin, author(value))
        };
        let peer = named.or(known.peer.clone());
        row(record, place, owner, item, value, origin, direction, (peer, known.company))
    });
}

/// Numbers the item and writes its row, or its dead letter.
fn one<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    value: Value<'a>,
    build: impl FnOnce(&mut Record<'_>, &Owner<'a>, i32) -> Result<MessageRow, Fail>,
) {
    let Some(item) = record.begin() else { return };
    let built = record.known_owner(&place.scope).and_then(|owner| {
        let row = build(record, &owner, item)?;
        let change = account::identity_change(record, place, &owner, value, &row)?;
        Ok((row, change))
    });
    match built {
        Ok((row, change)) => {
            record.message(row);
            if let Some((common, facts)) = change {
                record.account(common, facts);
            }
        }
        Err(fail) => record.dead_at(item, &place.scope, fail, value),
    }
}

/// The object that holds the type: an echo on standby nests it.
fn nested(value: Value<'_>) -> Value<'_> {
    match value.get("message") {
        Some(inner) if inner.is_object() && value.get("type").is_none() => inner,
        _ => value,
    }
}

fn author(value: Value<'_>) -> Peer<'_> {
    let inner = nested(value);
    Peer::default()
        .phone_or_user(value.get("from"))
        .user(value.get("from_user_id"))
        .phone_or_user(inner.get("from"))
        .user(inner.get("from_user_id"))
}

fn addressee(value: Value<'_>) -> Peer<'_> {
    let inner = nested(value);
    Peer::default()
        .phone_or_user(value.get("to"))
        .user(value.get("to_user_id"))
        .phone_or_user(inner.get("to"))
        .user(inner.get("to_user_id"))
        .recipient(inner.get("recipient"))
}

/// Who wrote it: the business or the peer; `None` where neither can be told.
fn direction(place: &Place<'_>, thread: &Peer<'_>, value: Value<'_>) -> Option<Direction> {
    let is_business = |text: &str| {
        let text = peer::normal_phone(text);
        place.business.iter().flatten().any(|own| peer::normal_phone(own) == text)
    };
    let from = meant::id(value.get("from")).some();
    let to = meant::id(value.get("to")).some();
    // User ids are people's. A number that only is like another tells nothing beside one that tells
    // who the person is.
    let [is_by_person, is_for_person] =
        ["from_user_id", "to_user_id"].map(|key| has_id(value, key));
    let of_thread = |text: &str| {
        let is_it = |phone: &str| {
            peer::normal_phone(phone) == peer::normal_phone(text)
                || !is_for_person && peer::same_phone(phone, text)
        };
        thread.phone_text().is_some_and(is_it) || thread.user_text() == Some(text)
    };
    // A number that is like the business's is its own as well, unless it is a person's by a user id
    // or by the thread, or what it wrote was for the business.
    let is_for_business = to.as_deref().is_some_and(is_business);
    let is_like_business = |text: &str| {
        !is_for_business
            && !of_thread(text)
            && place.business.iter().flatten().any(|own| peer::same_phone(own, text))
    };
    let of_business =
        |text: &str, is_persons: bool| is_business(text) || !is_persons && is_like_business(text);
    if let Some(from) = from.as_deref() {
        if of_business(from, is_by_person) {
            return Some(Direction::Outbound);
        }
        if of_thread(from) || peer::is_user_id(from) {
            return Some(Direction::Inbound);
        }
    }
    if is_by_person {
        return Some(Direction::Inbound);
    }
    if to.as_deref().is_some_and(|to| of_business(to, is_for_person)) {
        return Some(Direction::Inbound);
    }
    if is_for_person || to.as_deref().is_some_and(of_thread) {
        return Some(Direction::Outbound);
    }
    // What an importer says of it itself.
    if let Some(from_me) = meant::boolean(value.at(&["history_context", "from_me"])) {
        return Some(if from_me { Direction::Outbound } else { Direction::Inbound });
    }
    // Two parties write in a thread. Where the business's number is not known, whoever is not
    // the peer is the business; where the peer's is not, whoever is not the business the peer. A
    // thread of a user id does not tell whose a number is.
    let [display, _] = &place.business;
    match (&from, display) {
        (Some(_), None) if thread.phone_text().is_some() => Some(Direction::Outbound),
        (Some(_), Some(_)) if thread.phone_text().is_none() => Some(Direction::Inbound),
        _ => None,
    }
}

#[expect(clippy::too_many_arguments, reason = "one call for each way a message arrives")]
fn row<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    owner: &Owner<'a>,
    item: i32,
    value: Value<'a>,
    origin: Origin,
    direction: Direction,
    (peer, company): (Peer<'a>, Company),
) -> Result<MessageRow, Fail> {
    let time = record.time_at("timestamp", value.get("timestamp"))?;
    let inner = nested(value);
    let received = direction == Direction::Inbound;
    // Samples name the business as whom echoes are for, or as who wrote. It is nobody's peer.
    let is_by_person = received && !is_own(place, value);
    let peer = if is_by_person { peer } else { peer.without_phone(|number| place.is_own(number)) };
    let contact = place.contacts.of(&peer, company);
    let in_group = meant::id(value.get("group_id")) != Id::None
        || meant::id(inner.get("group_id")) != Id::None
        || peer::says_group(value, &["from", "to"])
        || peer::says_group(inner, &[])
        || contact.is_some_and(|contact| contact.is_of_group)
        || place.is_of_group;
    let peer = if in_group && !received {
        Peer::default()
    } else {
        peer.unmasked_by(contact.filter(|contact| is_by_person || place.may_be(contact)))
    };
    record.check_peer(&peer)?;
    let message = record.pseudonym(owner, meant::id(value.get("id")), value)?;
    let columns = peer.columns(record.keys, &owner.name);
    let mut common = record.common(owner, item, time).with_peer(columns);
    common.message = Some(message);
    let Body { kind, interactive, voice, text, is_reply } = body(inner);
    Ok(MessageRow {
        common,
        origin,
        in_group,
        direction,
        kind,
        interactive,
        voice,
        country: columns.country,
        is_reply: is_reply || body(value).is_reply,
        has_referral: meant::has_keys(value.get("referral")),
        text: record.text(text),
    })
}

#[cfg(test)]
mod tests;
