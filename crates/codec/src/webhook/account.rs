//! Account events: violations, restrictions, handovers, identity changes, facts about the
//! number, and error codes. Names come from dictionaries only; all others are `other`.

use turnwise_model::{Direction, MessageKind, Millis};

use super::contacts::Company;
use super::{Place, each};
use crate::json::Value;
use crate::meant::{self, Time};
use crate::peer::{Peer, PeerColumns};
use crate::record::{Fail, Owner, Record, Scope};
use crate::rows::{AccountFacts, Common, MessageRow};

/// Fields that are account events.
const FIELDS: &[&str] = &[
    "account_update",
    "account_alerts",
    "phone_number_quality_update",
    "messaging_handovers",
    "user_id_update",
];

/// Fields of messages, whose errors and identity changes are account events.
const CONTENT_FIELDS: &[&str] =
    &["messages", "smb_message_echoes", "message_echoes", "history", "standby"];

/// Event of a row that is an error.
const ERROR: &str = "error";
const OTHER: &str = "other";

/// What the `event` of an account update may say.
const UPDATES: &[&str] = &[
    "ACCOUNT_DELETED",
    "ACCOUNT_OFFBOARDED",
    "ACCOUNT_RECONNECTED",
    "ACCOUNT_RESTRICTION",
    "ACCOUNT_VIOLATION",
    "AD_ACCOUNT_LINKED",
    "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
    "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
    "DISABLED_UPDATE",
    "MM_LITE_TERMS_SIGNED",
    "PARTNER_ADDED",
    "PARTNER_APP_INSTALLED",
    "PARTNER_APP_UNINSTALLED",
    "PARTNER_CLIENT_CERTIFICATION_NEEDED",
    "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
    "PARTNER_REMOVED",
    "VERIFIED_ACCOUNT",
    "VOLUME_BASED_PRICING_TIER_UPDATE",
];

/// What any other `event`, an `alert_type` and a system message's `type` may say.
const EVENTS: &[&str] = &[
    "DOWNGRADE",
    "FLAGGED",
    "ONBOARDING",
    "THROUGHPUT_UPGRADE",
    "UNFLAGGED",
    "UPGRADE",
    "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED",
    "INCREASED_CAPABILITIES_ELIGIBILITY_FAILED",
    "INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO",
    "OBA_APPROVED",
    "OBA_REJECTED",
    "PROFILE_PICTURE_LOST",
    "control_passed",
    "control_taken",
    "customer_changed_number",
    "customer_identity_changed",
    "user_changed_number",
    "user_changed_user_id",
];

/// Roles that may hold a thread.
pub(super) const ROLES: &[&str] =
    &["customer_service", "marketing", "utility", "ctwa", AI_AGENT, "escalation"];
const AI_AGENT: &str = "ai_agent";
/// What the platform calls its own agent as an app.
const AGENTS: &[&str] = &["meta_ai", "meta_business_agent"];

/// Where a handover may tell who held the thread, and who does now: the first that is known counts.
const PREVIOUS: [&[&str]; 4] = [
    &["previous_owner_role"],
    &["previous_owner_app_role"],
    &["previous_owner", "app_role"],
    &["previous_owner", "role"],
];
const NEW: [&[&str]; 4] = [
    &["new_owner_role"],
    &["new_owner_app_role"],
    &["new_owner", "app_role"],
    &["new_owner", "role"],
];

fn known(names: &'static [&'static str], name: &str) -> &'static str {
    names.iter().find(|known| known.eq_ignore_ascii_case(name)).copied().unwrap_or(OTHER)
}

/// The dictionary's own copy of the name of an event that is no error.
fn known_event(name: &str) -> &'static str {
    // Another name of the same.
    if name.eq_ignore_ascii_case("user_identity_changed") {
        return "customer_identity_changed";
    }
    match known(UPDATES, name) {
        OTHER => known(EVENTS, name),
        update => update,
    }
}

/// The name of an event as rows hold it.
pub(crate) fn event_name(name: &str) -> &'static str {
    if name.eq_ignore_ascii_case(ERROR) { ERROR } else { known_event(name) }
}

/// The name of a role as rows hold it.
pub(crate) fn role(name: &str) -> &'static str {
    match known(ROLES, name) {
        OTHER if known(AGENTS, name) != OTHER => AI_AGENT,
        role => role,
    }
}

/// The role that the first of these names that is known is of; `other` where none is.
fn role_at(body: Value<'_>, places: &[&[&str]]) -> Option<&'static str> {
    let mut told = places.iter().filter_map(|place| meant::word(body.at(place)));
    let first = role(&told.next()?);
    let mut roles = std::iter::once(first).chain(told.map(|name| role(&name)));
    Some(roles.find(|role| *role != OTHER).unwrap_or(OTHER))
}

/// The field that a row of kind account names, where the dictionary knows it.
pub(crate) fn row_field(name: &str) -> &'static str {
    field(name).unwrap_or_else(|| known(CONTENT_FIELDS, name))
}

/// The dictionary's own copy of an account field's name.
pub(super) fn field(name: &str) -> Option<&'static str> {
    FIELDS.iter().find(|field| **field == name).copied()
}

/// The field of a value that came without one, where the value tells.
pub(super) fn guess(value: Value<'_>) -> Option<&'static str> {
    let has = |key| value.get(key).is_some();
    if has("control_passed") || has("control_taken") {
        Some("messaging_handovers")
    } else if has("user_id_update") {
        Some("user_id_update")
    } else if has("violation_info") || has("restriction_info") || has("ban_info") {
        Some("account_update")
    } else if has("alert_info") || has("alert_type") {
        Some("account_alerts")
    } else if has("current_limit") {
        Some("phone_number_quality_update")
    } else {
        let event = meant::word(value.get("event"))?;
        let is_update = ["account_", "partner_"].iter().any(|prefix| event.starts_with(prefix))
            || known(UPDATES, &event) != OTHER;
        // Templates are flagged, too, but have no number.
        let is_of_number = has("display_phone_number") && known(EVENTS, &event) != OTHER;
        if is_update {
            Some("account_update")
        } else {
            is_of_number.then_some("phone_number_quality_update")
        }
    }
}

/// The event of an account field.
pub(super) fn event(
    record: &mut Record<'_>,
    place: &Place<'_>,
    field: &'static str,
    value: Value<'_>,
) {
    match field {
        "messaging_handovers" if value.get(field).is_some() => {
            each(record, value, field, |record, element| handover(record, place, element));
        }
        "messaging_handovers" => handover(record, place, value),
        "user_id_update" if value.get(field).is_some() => {
            each(record, value, field, |record, element| user_id(record, place, element));
        }
        "user_id_update" => user_id(record, place, value),
        _ => fact(record, place, field, value),
    }
}

/// One of `value.errors[]` or `history[].errors[]`.
pub(super) fn error(
    record: &mut Record<'_>,
    place: &Place<'_>,
    field: &'static str,
    value: Value<'_>,
) {
    let error_code = meant::error_code(value);
    let facts = AccountFacts { field, event: ERROR, error_code, ..AccountFacts::default() };
    one(record, place, &place.scope, value, |_, _| Ok((Peer::default(), facts)));
}

fn fact(record: &mut Record<'_>, place: &Place<'_>, field: &'static str, value: Value<'_>) {
    let named = ["event", "alert_type"]
        .into_iter()
        .find_map(|key| meant::word(value.get(key)))
        .or_else(|| meant::word(value.at(&["alert_info", "alert_type"])));
    let event = named.as_deref().map_or(OTHER, known_event);
    let of_number = meant::word(value.get("entity_type")).as_deref() == Some("phone_number");
    let mut scope = place.scope.clone();
    if of_number {
        scope.sender = scope.sender.or_else(|| meant::id(value.get("entity_id")));
    }
    // What partners are told stands in an entry of their own: it names the account inside.
    if field == "account_update" {
        let inside = meant::id(value.at(&["waba_info", "waba_id"])).of_owner();
        scope.waba_id = inside.or_else(|| scope.waba_id);
    }
    let facts = AccountFacts { field, event, ..AccountFacts::default() };
    one(record, place, &scope, value, |_, _| Ok((Peer::default(), facts)));
}

fn handover(record: &mut Record<'_>, place: &Place<'_>, value: Value<'_>) {
    let named = meant::word(value.get("type")).or_else(|| {
        let kinds = ["control_passed", "control_taken"];
        kinds.into_iter().find(|kind| value.get(kind).is_some()).map(str::to_owned)
    });
    let event = named.as_deref().map_or(OTHER, known_event);
    let inside = named.as_deref().and_then(|name| value.get(name));
    let body = inside.unwrap_or(value);
    let facts = AccountFacts {
        field: "messaging_handovers",
        event,
        role_previous: role_at(body, &PREVIOUS),
        role_new: role_at(body, &NEW),
        ..AccountFacts::default()
    };
    let peer = person(value.get("sender"), &["phone_number", "wa_id", "id"]);
    // Some name the person inside alone. The recipient beside it is the business.
    let peer = if peer.has_none() {
        let recipient = inside.and_then(|inside| inside.get("recipient"));
        peer.or(person(recipient, &["wa_id"]).without_phone(|number| place.is_own(number)))
    } else {
        peer
    };
    let contact = place.contacts.of(&peer, Company::Alike).filter(|contact| place.may_be(contact));
    let peer = if peer.has_none() { peer.contact(contact) } else { peer };
    one(record, place, &place.scope, value, |_, _| Ok((peer, facts)));
}

/// A person with a number under one of these keys.
fn person<'a>(named: Option<Value<'a>>, keys: &[&str]) -> Peer<'a> {
    let of = |key: &str| named.and_then(|named| named.get(key));
    keys.iter().fold(Peer::default(), |peer, key| peer.phone_or_user(of(key))).user(of("user_id"))
}

fn user_id(record: &mut Record<'_>, place: &Place<'_>, value: Value<'_>) {
    one(record, place, &place.scope, value, |record, owner| {
        let previous = Peer::default().user(value.at(&["user_id", "previous"]));
        record.check_peer(&previous)?;
        let peer = Peer::default()
            .phone_or_user(value.get("wa_id"))
            .user(value.at(&["user_id", "current"]));
        // Some tell the number beside it, of the contact that has the user id.
        let contact = place.contacts.of(&peer, Company::Mixed);
        let peer = peer.contact(contact.filter(|contact| place.may_be(contact)));
        let facts = AccountFacts {
            field: "user_id_update",
            event: "user_changed_user_id",
            user_previous: pseudonyms(record, owner, &previous).user,
            ..AccountFacts::default()
        };
        Ok((peer, facts))
    });
}

/// The account row beside a system message that tells of another number, user id or identity.
pub(super) fn identity_change(
    record: &Record<'_>,
    place: &Place<'_>,
    owner: &Owner<'_>,
    value: Value<'_>,
    row: &MessageRow,
) -> Result<Option<(Common, AccountFacts)>, Fail> {
    if row.kind != MessageKind::System || row.direction != Direction::Inbound {
        return Ok(None);
    }
    let Some(system) = value.get("system") else { return Ok(None) };
    let renamed = system.get("wa_id").is_some() || system.get("new_wa_id").is_some();
    let now = Peer::default()
        .phone_or_user(system.get("new_wa_id"))
        .phone_or_user(system.get("wa_id"))
        .user(system.get("new_user_id"))
        .user(system.get("user_id"));
    let before = Peer::default()
        .phone_or_user(system.get("customer"))
        .phone_or_user(system.get("previous_wa_id"))
        .user(system.get("previous_user_id"));
    let field =
        if place.field.is_empty() || place.field == OTHER { "messages" } else { place.field };
    let event = meant::word(system.get("type"));
    changed(record, owner, row, field, event.as_deref(), renamed, [now, before])
}

/// The account row of a changed identity: who the peer is now, and who it was before.
pub(crate) fn changed(
    record: &Record<'_>,
    owner: &Owner<'_>,
    row: &MessageRow,
    field: &'static str,
    event: Option<&str>,
    renamed: bool,
    [now, before]: [Peer<'_>; 2],
) -> Result<Option<(Common, AccountFacts)>, Fail> {
    if row.kind != MessageKind::System || row.direction != Direction::Inbound {
        return Ok(None);
    }
    let event = match event {
        Some(name) => known_event(name),
        None if renamed => "user_changed_number",
        None => OTHER,
    };
    if event == OTHER {
        return Ok(None);
    }
    record.check_peer(&now)?;
    record.check_peer(&before)?;
    let (now, before) = (pseudonyms(record, owner, &now), pseudonyms(record, owner, &before));
    let mut common = row.common;
    // The message is the old number's: what changed is new, the rest is as it was.
    let phone_previous = before.phone.or(row.common.peer_phone);
    let user_previous = before.user.or(row.common.peer_user);
    common.peer_phone = now.phone.or(row.common.peer_phone);
    common.peer_user = now.user.or(row.common.peer_user);
    let facts = AccountFacts {
        field,
        event,
        phone_previous: now.phone.and(phone_previous).filter(|id| Some(*id) != now.phone),
        user_previous: now.user.and(user_previous).filter(|id| Some(*id) != now.user),
        ..AccountFacts::default()
    };
    Ok(Some((common, facts)))
}

/// Pseudonyms are of a sender's peers; without a sender there are none.
pub(crate) fn pseudonyms(record: &Record<'_>, owner: &Owner<'_>, peer: &Peer<'_>) -> PeerColumns {
    if owner.name.is_empty() {
        PeerColumns::default()
    } else {
        peer.columns(record.keys, &owner.name)
    }
}

/// Its own time, else the entry's, else the record's, else when reading began.
fn time(record: &Record<'_>, place: &Place<'_>, value: Value<'_>) -> Result<Millis, Fail> {
    let own = meant::time(value.get("timestamp"));
    for (key, time) in [("timestamp", own), ("entry.time", place.entry_time)] {
        if let Time::Some(time) = time {
            return record.in_range(key, time);
        }
    }
    Ok(record.place.time)
}

/// Numbers the item and writes its row, or its dead letter.
fn one<'a>(
    record: &mut Record<'_>,
    place: &Place<'_>,
    scope: &Scope<'a>,
    value: Value<'_>,
    build: impl FnOnce(&Record<'_>, &Owner<'a>) -> Result<(Peer<'a>, AccountFacts), Fail>,
) {
    let Some(item) = record.begin() else { return };
    let built = record.owner(scope).and_then(|owner| {
        let time = time(record, place, value)?;
        let (peer, facts) = build(record, &owner)?;
        record.check_peer(&peer)?;
        let columns = pseudonyms(record, &owner, &peer);
        Ok((record.common(&owner, item, time).with_peer(columns), facts))
    });
    match built {
        Ok((common, facts)) => record.account(common, facts),
        Err(fail) => record.dead_at(item, scope, fail, value),
    }
}

#[cfg(test)]
mod tests;
