//! Delivery statuses.

use turnwise_model::{Category, Origin, PricingModel, PricingType, Status};

use super::Place;
use super::contacts::Company;
use crate::json::Value;
use crate::meant::{self, Id};
use crate::peer::{Peer, says_group};
use crate::reason::{Reason, ignored};
use crate::record::{Fail, Record};
use crate::rows::StatusRow;

/// Whether an object that stands alone is a status.
pub(super) fn looks_like_one(value: Value<'_>) -> bool {
    let has = |key| value.get(key).is_some();
    let is_message = has("type") || has("from") || has("from_user_id");
    has("status") && (is_of_payment(value) || !is_message)
}

/// Whether it tells how a payment goes. That is no step of a delivery: the message that asked for
/// the payment arrived, be it paid or not.
fn is_of_payment(value: Value<'_>) -> bool {
    meant::word(value.get("type")).as_deref() == Some("payment")
}

/// One of `statuses[]`. Statuses of calls are ignored, and what a provider writes there when the
/// webhook's address was set.
pub(super) fn status<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    origin: Origin,
    company: Company,
    value: Value<'a>,
) {
    let kind = meant::word(value.get("type"));
    let ignored = match kind.as_deref() {
        Some("call") => Some("calls"),
        Some("set-callback") => Some(ignored::OTHER),
        _ => None,
    };
    if let Some(name) = ignored {
        return record.ignored(Some(&place.scope), name, value.raw().len());
    }
    let Some(item) = record.begin() else { return };
    match row(record, place, item, origin, company, value) {
        Ok(row) => record.status(row),
        Err(fail) => record.dead_at(item, &place.scope, fail, value),
    }
}

fn row<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    item: i32,
    origin: Origin,
    company: Company,
    value: Value<'a>,
) -> Result<StatusRow, Fail> {
    let owner = record.known_owner(&place.scope)?;
    let time = record.time_at("timestamp", value.get("timestamp"))?;
    let Some(name) = meant::word(value.get("status")) else {
        let found = value.get_or_null("status").map(Value::kind);
        return Err(record.fail(Reason::WrongType, "status", "string", found));
    };
    let of_payment = is_of_payment(value);
    let (peer, in_group) = if says_group(value, &["recipient_id"])
        || meant::id(value.get("group_id")) != Id::None
        || place.is_of_group
    {
        // The platform's own pages write both names of the number.
        let person = Peer::default()
            .phone_or_user(value.get("recipient_participant_id"))
            .phone_or_user(value.get("participant_recipient_id"))
            .user(value.get("recipient_participant_user_id"));
        (person, true)
    } else {
        let mut named = Peer::default()
            .phone_or_user(value.get("recipient_id"))
            .user(value.get("recipient_user_id"));
        if of_payment {
            named = named.phone_or_user(value.get("from")).user(value.get("from_user_id"));
        }
        // Some name the person of what was sent, not of what became of it.
        let named = named.phone_or_user(value.at(&["message", "recipient_id"]));
        let contact = place.contacts.of(&named, company);
        (named.unmasked_by(contact), contact.is_some_and(|contact| contact.is_of_group))
    };
    record.check_peer(&peer)?;
    let pseudonym = record.pseudonym(&owner, meant::id(value.get("id")), value)?;
    let columns = peer.columns(record.keys, &owner.name);
    let mut common = record.common(&owner, item, time).with_peer(columns);
    common.message = Some(pseudonym);
    // Those of groups may have the price in the conversation.
    let pricing = |key| {
        meant::word(value.at(&["pricing", key]))
            .or_else(|| meant::word(value.at(&["conversation", "pricing", key])))
    };
    // Some write hyphens where the platform has underscores.
    let category =
        |name: String| Category::from_name(&name.replace('-', "_")).unwrap_or(Category::Other);
    let known = if of_payment { None } else { Status::from_name(&name) };
    Ok(StatusRow {
        common,
        origin,
        in_group,
        status: known.unwrap_or(Status::Other),
        category: pricing("category").map(category),
        conversation_origin: meant::word(value.at(&["conversation", "origin", "type"]))
            .map(category),
        pricing_type: pricing("type")
            .map(|name| PricingType::from_name(&name).unwrap_or(PricingType::Other)),
        pricing_model: pricing("pricing_model").map(|name| {
            PricingModel::from_name(&name.to_ascii_uppercase()).unwrap_or(PricingModel::Other)
        }),
        error_code: value
            .get("errors")
            .and_then(|errors| errors.items().find_map(meant::error_code))
            .or_else(|| meant::error_code(value)),
    })
}

#[cfg(test)]
mod tests;
