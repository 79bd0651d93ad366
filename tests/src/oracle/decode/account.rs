//! Account events: handovers, other identities, facts about number and account, error codes.

use turnwise_model::schema::column as c;
use turnwise_model::{Direction, EventKind, MessageKind};

use super::json::Json;
use super::meant::{self, Id, Time, id, name};
use super::people::Person;
use super::row::RawRow;
use super::webhook::{Around, each};
use super::{Letter, Record, Scope, message};

/// Fields that are account events.
pub(super) const FIELDS: [&str; 5] = [
    "account_update",
    "account_alerts",
    "phone_number_quality_update",
    "messaging_handovers",
    "user_id_update",
];

/// Names that are shown; any other is `other`.
const EVENTS: [&str; 36] = [
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

/// Beginnings of events that only an account update has.
const OF_UPDATES: [&str; 9] = [
    "account_",
    "partner_",
    "ad_account_linked",
    "auth_intl_price_eligibility_update",
    "business_primary_location_country_update",
    "disabled_update",
    "mm_lite_terms_signed",
    "verified_account",
    "volume_based_pricing_tier_update",
];

const ROLES: [&str; 6] =
    ["customer_service", "marketing", "utility", "ctwa", "ai_agent", "escalation"];

fn shown(names: &[&'static str], found: &str) -> &'static str {
    names.iter().copied().find(|known| known.eq_ignore_ascii_case(found)).unwrap_or("other")
}

/// The name of an event, of which one has two.
fn shown_event(found: &str) -> &'static str {
    match found {
        "user_identity_changed" => "customer_identity_changed",
        found => shown(&EVENTS, found),
    }
}

/// What an account row tells beside its person.
#[derive(Default)]
struct Facts {
    event: &'static str,
    error_code: Option<i64>,
    roles: [Option<&'static str>; 2],
    user_previous: Option<i64>,
    phone_previous: Option<i64>,
}

/// The field that a value without one belongs to, where it tells.
pub(super) fn guess(value: &Json<'_>) -> Option<&'static str> {
    let any = |keys: &[&str]| keys.iter().any(|key| value.has(key));
    let by_event = || {
        let event = name(value.get("event"))?;
        let is_of_number = value.has("display_phone_number") && shown(&EVENTS, &event) != "other";
        if OF_UPDATES.iter().any(|beginning| event.starts_with(beginning)) {
            Some("account_update")
        } else {
            is_of_number.then_some("phone_number_quality_update")
        }
    };
    if any(&["control_passed", "control_taken"]) {
        Some("messaging_handovers")
    } else if any(&["user_id_update"]) {
        Some("user_id_update")
    } else if any(&["violation_info", "restriction_info", "ban_info"]) {
        Some("account_update")
    } else if any(&["alert_info", "alert_type"]) {
        Some("account_alerts")
    } else if any(&["current_limit"]) {
        Some("phone_number_quality_update")
    } else {
        by_event()
    }
}

/// The event of an account field.
pub(super) fn event<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    field: &str,
    value: &'a Json<'a>,
    path: &str,
) {
    match field {
        "messaging_handovers" if value.has(field) => {
            each(record, value, field, path, &mut |record, one, path| {
                handover(record, around, one, path);
            });
        }
        "messaging_handovers" => handover(record, around, value, path),
        "user_id_update" if value.has(field) => {
            each(record, value, field, path, &mut |record, one, path| {
                user_id(record, around, one, path);
            });
        }
        "user_id_update" => user_id(record, around, value, path),
        _ => fact(record, around, field, value, path),
    }
}

/// An error of a value or of a history.
pub(super) fn error(
    record: &mut Record<'_>,
    around: &Around<'_>,
    field: &str,
    value: &Json<'_>,
    path: &str,
) {
    let facts = Facts { event: "error", error_code: meant::error_code(value), ..Facts::default() };
    write(record, around, &around.scope, field, value, path, Person::default(), Ok(facts));
}

fn fact(record: &mut Record<'_>, around: &Around<'_>, field: &str, value: &Json<'_>, path: &str) {
    let named = name(value.get("event"))
        .or_else(|| name(value.get("alert_type")))
        .or_else(|| name(value.at(&["alert_info", "alert_type"])));
    let mut scope = around.scope.clone();
    let is_number = name(value.get("entity_type")).as_deref() == Some("phone_number");
    if is_number && scope.sender == Id::Absent {
        scope.sender = id(value.get("entity_id")).of_sender();
    }
    let of_account = id(value.at(&["waba_info", "waba_id"])).of_owner();
    if field == "account_update" && of_account != Id::Absent {
        scope.waba_id = of_account;
    }
    let event = named.map_or("other", |named| shown_event(&named));
    let facts = Facts { event, ..Facts::default() };
    write(record, around, &scope, field, value, path, Person::default(), Ok(facts));
}

fn handover(record: &mut Record<'_>, around: &Around<'_>, value: &Json<'_>, path: &str) {
    let kinds = ["control_passed", "control_taken"];
    let found = || kinds.into_iter().find(|kind| value.has(kind)).map(str::to_owned);
    let named = name(value.get("type")).or_else(found);
    let inside = named.as_deref().and_then(|named| value.get(named));
    let body = inside.unwrap_or(value);
    // Apps may have roles of their own, and Meta's agent is one of them.
    let role = |side: &str| {
        let flat = ["role", "app_role"].map(|key| name(body.get(&format!("{side}_{key}"))));
        let nested = ["app_role", "role"].map(|key| name(body.at(&[side, key])));
        let told: Vec<&str> = flat
            .iter()
            .chain(&nested)
            .flatten()
            .map(|named| match named.as_str() {
                "meta_ai" | "meta_business_agent" => "ai_agent",
                named => shown(&ROLES, named),
            })
            .collect();
        let known = told.iter().copied().find(|role| *role != "other");
        known.or(told.first().copied()).map(|role| shown(&ROLES, role))
    };
    let facts = Facts {
        event: named.as_deref().map_or("other", shown_event),
        roles: [role("previous_owner"), role("new_owner")],
        ..Facts::default()
    };
    let of = |key| value.at(&["sender", key]);
    let mut person = Person::of(&[of("phone_number"), of("wa_id"), of("id")], &[of("user_id")]);
    if person.is_nobody() {
        let of = |key| inside.and_then(|inside| inside.at(&["recipient", key]));
        let mut recipient = Person::of(&[of("wa_id")], &[of("user_id")]);
        let is_other = |number: &String| !message::is_number_of(around, number);
        recipient.phone = recipient.phone.filter(is_other);
        person = person.or(recipient);
    }
    let person = match around.contacts[..] {
        [one] if person.is_nobody() && !message::is_business(around, one) => {
            person.or(Person::of(&[one.get("wa_id")], &[one.get("user_id")]))
        }
        _ => person,
    };
    let scope = &around.scope;
    write(record, around, scope, "messaging_handovers", value, path, person, Ok(facts));
}

fn user_id(record: &mut Record<'_>, around: &Around<'_>, value: &Json<'_>, path: &str) {
    let before = Person::of(&[], &[value.at(&["user_id", "previous"])]);
    let person = Person::of(&[value.get("wa_id")], &[value.at(&["user_id", "current"])]);
    let contact = message::contact(around, &person, message::Company::OtherLists)
        .filter(|one| !message::is_business(around, one));
    let person = match contact {
        Some(one) => person.or(Person::of(&[one.get("wa_id")], &[one.get("user_id")])),
        None => person,
    };
    let sender = around.scope.sender.known();
    let facts = record.check_person(path, &before).map(|()| Facts {
        event: "user_changed_user_id",
        user_previous: sender.and_then(|sender| before.pseudonyms(record.keys, sender).user),
        ..Facts::default()
    });
    write(record, around, &around.scope, "user_id_update", value, path, person, facts);
}

/// The account row of a system message that tells of another number, user id or identity. The
/// message is the old number's; the row is the new one's and names the old as previous.
pub(super) fn identity_change(
    record: &Record<'_>,
    around: &Around<'_>,
    message: &RawRow,
    value: &Json<'_>,
    path: &str,
) -> Result<Option<RawRow>, Letter> {
    let is = |column, code: i32| message.int(column) == Some(code.into());
    let system = value.get("system").filter(|_| {
        is(c::MESSAGE_KIND, MessageKind::System.code())
            && is(c::DIRECTION, Direction::Inbound.code())
    });
    let Some(system) = system else { return Ok(None) };
    let event = match name(system.get("type")) {
        Some(named) => shown_event(&named),
        None if system.has("wa_id") || system.has("new_wa_id") => "user_changed_number",
        None => "other",
    };
    if event == "other" {
        return Ok(None);
    }
    let now = Person::of(
        &[system.get("new_wa_id"), system.get("wa_id")],
        &[system.get("new_user_id"), system.get("user_id")],
    );
    let before = Person::of(
        &[system.get("customer"), system.get("previous_wa_id")],
        &[system.get("previous_user_id")],
    );
    record.check_person(path, &now)?;
    record.check_person(path, &before)?;
    let sender = record.sender(&around.scope, path)?;
    let (now, before) =
        (now.pseudonyms(record.keys, sender), before.pseudonyms(record.keys, sender));
    let mut row = RawRow::new(EventKind::Account);
    for column in
        [c::WABA_ID, c::SENDER, c::TIME, c::MESSAGE, c::SOURCE, c::PARTITION, c::OFFSET, c::ITEM]
    {
        if let Some(cell) = message.cells.get(column) {
            row.cells.insert(column, cell.clone());
        }
    }
    let (phone, user) = (message.int(c::PEER_PHONE), message.int(c::PEER_USER));
    row.set(c::PEER_PHONE, now.phone.or(phone));
    row.set(c::PEER_USER, now.user.or(user));
    // What is as it was has no previous one.
    let other = |now: Option<i64>, before: Option<i64>| before.filter(|_| now != before);
    if now.phone.is_some() {
        row.set(c::PEER_PHONE_PREVIOUS, other(now.phone, before.phone.or(phone)));
    }
    if now.user.is_some() {
        row.set(c::PEER_USER_PREVIOUS, other(now.user, before.user.or(user)));
    }
    let field = if around.field == "other" { "messages" } else { &around.field };
    row.set_text(c::FIELD, Some(field));
    row.set_text(c::EVENT, Some(event));
    Ok(Some(row))
}

#[expect(clippy::too_many_arguments, reason = "one row is made of all this")]
fn write(
    record: &mut Record<'_>,
    around: &Around<'_>,
    scope: &Scope,
    field: &str,
    value: &Json<'_>,
    path: &str,
    person: Person,
    facts: Result<Facts, Letter>,
) {
    record.item(scope, value.bytes(), |record, item| {
        record.check_scope(scope, path)?;
        let time = time(record, around, value, path)?;
        let facts = facts?;
        record.check_person(path, &person)?;
        let mut row = record.row(EventKind::Account, item, scope, time);
        if let Some(sender) = scope.sender.known() {
            message::set_person(record, &mut row, sender, &person);
        }
        row.set_text(c::FIELD, Some(field));
        row.set_text(c::EVENT, Some(facts.event));
        row.set(c::ERROR_CODE, facts.error_code);
        row.set_text(c::ROLE_PREVIOUS, facts.roles[0]);
        row.set_text(c::ROLE_NEW, facts.roles[1]);
        row.set(c::PEER_USER_PREVIOUS, facts.user_previous);
        row.set(c::PEER_PHONE_PREVIOUS, facts.phone_previous);
        Ok(Some(row))
    });
}

/// The event's own time, else the entry's, else the record's.
fn time(
    record: &Record<'_>,
    around: &Around<'_>,
    value: &Json<'_>,
    path: &str,
) -> Result<i64, Letter> {
    for (key, field) in [("timestamp", value.get("timestamp")), ("entry.time", around.entry_time)] {
        if let Time::At(time) = meant::time(field) {
            return record.in_range(path, key, time);
        }
    }
    Ok(record.place.time)
}
