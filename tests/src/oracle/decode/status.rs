//! Delivery statuses of webhooks.

use turnwise_model::schema::column as c;
use turnwise_model::{Category, EventKind, Origin, PricingModel, PricingType, Status};

use super::json::Json;
use super::meant::{self, Id, id, name};
use super::message::{self, Company};
use super::people::{self, Person};
use super::row::RawRow;
use super::webhook::Around;
use super::{Letter, Record, Scope};

/// Whether a status tells of a payment and not of a delivery.
pub(super) fn is_of_payment(value: &Json<'_>) -> bool {
    name(value.get("type")).as_deref() == Some("payment")
}

/// One of `statuses[]`.
pub(super) fn status<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    origin: Origin,
    company: Company,
    value: &'a Json<'a>,
    path: &str,
) {
    if name(value.get("type")).as_deref() == Some("call") {
        return record.ignored(&around.scope, "calls", value.bytes());
    }
    record.item(&around.scope, value.bytes(), |record, item| {
        status_row(record, around, (item, origin, company), value, path).map(Some)
    });
}

fn status_row<'a>(
    record: &Record<'_>,
    around: &Around<'a>,
    (item, origin, company): (i32, Origin, Company),
    value: &'a Json<'a>,
    path: &str,
) -> Result<RawRow, Letter> {
    let scope: &Scope = &around.scope;
    let sender = record.sender(scope, path)?;
    let time = record.time(path, "timestamp", value.get("timestamp"))?;
    let Some(named) = name(value.get("status")) else {
        return Err(Letter::at("wrong_type", path, "status", value.get_or_null("status")));
    };
    let is_group = name(value.get("recipient_type")).as_deref() == Some("group")
        || id(value.get("group_id")) != Id::Absent
        || id(value.get("recipient_id")).known().is_some_and(people::is_group);
    let (person, is_group) = if is_group {
        let person = Person::of(
            &[value.get("recipient_participant_id"), value.get("participant_recipient_id")],
            &[value.get("recipient_participant_user_id")],
        );
        (person, true)
    } else {
        let payer = |key| value.get(key).filter(|_| is_of_payment(value));
        let named = Person::of(
            &[value.get("recipient_id"), payer("from")],
            &[value.get("recipient_user_id"), payer("from_user_id")],
        );
        let named = named.or(Person::of(&[value.at(&["message", "recipient_id"])], &[]));
        let contact = message::contact(around, &named, company);
        (named.with_contact(contact), contact.is_some_and(message::is_member))
    };
    record.check_person(path, &person)?;
    let pseudonym = record.message(sender, path, id(value.get("id")), value)?;
    let mut row = record.row(EventKind::Status, item, scope, time);
    message::set_person(record, &mut row, sender, &person);
    message::set_place(&mut row, pseudonym, origin, is_group, time);
    let known = Status::from_name(&named).filter(|_| !is_of_payment(value));
    row.set(c::STATUS, Some(known.unwrap_or(Status::Other).code()));
    let category = |named: String| {
        Category::from_name(&named.replace('-', "_")).unwrap_or(Category::Other).code()
    };
    let price = |key| {
        let inside = || name(value.at(&["conversation", "pricing", key]));
        name(value.at(&["pricing", key])).or_else(inside)
    };
    row.set(c::CATEGORY, price("category").map(category));
    let opened_by = name(value.at(&["conversation", "origin", "type"]));
    row.set(c::CONVERSATION_ORIGIN, opened_by.map(category));
    row.set(
        c::PRICING_TYPE,
        price("type")
            .map(|named| PricingType::from_name(&named).unwrap_or(PricingType::Other).code()),
    );
    row.set(
        c::PRICING_MODEL,
        price("pricing_model").map(|named| {
            let named = named.to_ascii_uppercase();
            PricingModel::from_name(&named).unwrap_or(PricingModel::Other).code()
        }),
    );
    let errors = value.get("errors").map(Json::list).unwrap_or_default();
    row.set(c::ERROR_CODE, errors.into_iter().find_map(meant::error_code));
    Ok(row)
}
