//! Items to rows.

use turnwise_model::time::MILLISECONDS_FROM;
use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Origin};
use turnwise_model::{PricingModel, PricingType, Status as StatusCode};

use super::fields::{Account, Change, Event, Item, Message, Status, text};
use super::name_of_none;
use crate::body::{self, Text};
use crate::meant::{self, Id, id_of};
use crate::numbers::mean_one;
use crate::peer::Peer;
use crate::reason::{Reason, ignored_name};
use crate::record::{Fail, Owner, Record, Scope};
use crate::rows::{AccountFacts, Common, MessageRow, StatusRow, TextColumns};
use crate::webhook::account;

/// Writes the rows of an item, or its dead letter. `bytes` are its own. An account or a number that
/// somebody has whom it names is none.
pub(super) fn item(record: &mut Record<'_>, scope: Scope<'_>, item: &Item<'_>, bytes: &[u8]) {
    let scope = &scope.without_persons(|number| names(item, number));
    match &item.event {
        Event::None => record.ignored(Some(scope), name_of_none(item.unknown_fields), bytes.len()),
        Event::Ignored(name) => record.ignored(Some(scope), ignored_name(text(name)), bytes.len()),
        Event::Message(fields) => {
            record.path.key("message");
            let Some(item) = record.begin() else { return };
            match message(record, scope, item, fields, bytes) {
                Ok((row, change)) => {
                    record.message(row);
                    if let Some((common, facts)) = change {
                        record.account(common, facts);
                    }
                }
                Err(fail) => record.dead_of(item, scope, fail, bytes.len()),
            }
        }
        Event::Status(fields) => {
            record.path.key("status");
            let Some(item) = record.begin() else { return };
            match status(record, scope, item, fields, bytes) {
                Ok(row) => record.status(row),
                Err(fail) => record.dead_of(item, scope, fail, bytes.len()),
            }
        }
        Event::Account(fields) => {
            record.path.key("account_event");
            let Some(item) = record.begin() else { return };
            match account_event(record, scope, item, fields) {
                Ok((common, facts)) => record.account(common, facts),
                Err(fail) => record.dead_of(item, scope, fail, bytes.len()),
            }
        }
    }
}

/// Whether an item names somebody by a number that people may have.
pub(super) fn names(item: &Item<'_>, number: &str) -> bool {
    named(&item.event).into_iter().any(|phone| mean_one(text(phone), number))
}

/// The numbers of people that an event names, empty where it does not.
fn named<'a>(event: &Event<'a>) -> [&'a [u8]; 3] {
    match event {
        Event::Message(Message { phone, change, .. }) => {
            let change = change.unwrap_or_default();
            [*phone, change.phone, change.previous_phone]
        }
        Event::Status(Status { phone, .. }) => [*phone, b"", b""],
        Event::Account(Account { phone, previous_phone, .. }) => [*phone, *previous_phone, b""],
        Event::None | Event::Ignored(_) => [b""; 3],
    }
}

/// The value of an enum's number: none if unspecified, `unknown` if nobody knows it.
pub(super) fn code<T>(number: i32, known: impl Fn(i32) -> Option<T>, unknown: T) -> Option<T> {
    // Numbers of the protocol are the stored codes and one.
    (number != 0).then(|| number.checked_sub(1).and_then(known).unwrap_or(unknown))
}

/// What kind of message it is.
#[inline(always)]
pub(super) fn kind(fields: &Message<'_>) -> MessageKind {
    let unknown = MessageKind::Unknown;
    code(fields.kind, MessageKind::from_code, unknown).unwrap_or(unknown)
}

/// The row of a message of a kind, of what had to be checked and of what else its fields say.
#[inline(always)]
pub(super) fn message_row(
    fields: &Message<'_>,
    common: Common,
    (origin, direction): (Origin, Direction),
    kind: MessageKind,
    country: Option<[u8; 2]>,
    text: TextColumns,
) -> MessageRow {
    let interactive = (kind == MessageKind::Interactive).then(|| {
        let other = InteractiveType::Other;
        code(fields.interactive, InteractiveType::from_code, other).unwrap_or(other)
    });
    MessageRow {
        common,
        origin,
        in_group: fields.in_group,
        direction,
        kind,
        interactive,
        voice: (kind == MessageKind::Audio).then_some(fields.voice),
        country,
        is_reply: fields.is_reply,
        has_referral: fields.has_referral,
        text,
    }
}

/// The row of a status, likewise.
#[inline(always)]
pub(super) fn status_row(
    fields: &Status<'_>,
    common: Common,
    origin: Origin,
    status: StatusCode,
) -> StatusRow {
    let category = |number| code(number, Category::from_code, Category::Other);
    StatusRow {
        common,
        origin,
        in_group: fields.in_group,
        status,
        category: category(fields.category),
        conversation_origin: category(fields.conversation_origin),
        pricing_type: code(fields.pricing_type, PricingType::from_code, PricingType::Other),
        pricing_model: code(fields.pricing_model, PricingModel::from_code, PricingModel::Other),
        error_code: fields.error_code.filter(|code| meant::is_error_code(*code)),
    }
}

fn text_id(string: &[u8]) -> Id<'_> {
    if string.is_empty() { Id::None } else { id_of(text(string).into()) }
}

fn peer<'a>(phone: &'a [u8], user: &'a [u8]) -> Peer<'a> {
    Peer::default().with_phone_or_user(text_id(phone)).with_user(text_id(user))
}

/// A number of 10¹¹ or more is milliseconds, a smaller one seconds; 0 is none.
pub(super) fn millis(time: i64) -> Option<Millis> {
    (time != 0).then(|| {
        if time >= MILLISECONDS_FROM { Millis(time) } else { Millis(time.saturating_mul(1_000)) }
    })
}

fn time(record: &Record<'_>, time: i64) -> Result<Millis, Fail> {
    match millis(time) {
        Some(time) => record.in_range("time_ms", time),
        None => Err(record.fail(Reason::NoTime, "time_ms", "time", None)),
    }
}

fn origin(record: &Record<'_>, number: i32) -> Result<Origin, Fail> {
    match code(number, |code| Origin::from_code(code).map(Some), None) {
        None => Ok(Origin::Live),
        Some(Some(origin)) => Ok(origin),
        Some(None) => {
            let detail = record.path.detail("origin", "a known origin", "another number");
            Err(Fail { reason: Reason::WrongType, detail })
        }
    }
}

fn message(
    record: &mut Record<'_>,
    scope: &Scope<'_>,
    item: i32,
    fields: &Message<'_>,
    bytes: &[u8],
) -> Result<(MessageRow, Option<(Common, AccountFacts)>), Fail> {
    let owner = record.known_owner(scope)?;
    let time = time(record, fields.time)?;
    let origin = origin(record, fields.origin)?;
    let direction = fields.direction.checked_sub(1).and_then(Direction::from_code);
    let direction = direction.ok_or_else(|| {
        record.fail(Reason::NoDirection, "direction", "inbound or outbound", None)
    })?;
    let peer = match direction {
        // A group is no peer.
        Direction::Outbound if fields.in_group => Peer::default(),
        _ => peer(fields.phone, fields.user),
    };
    record.check_peer(&peer)?;
    let message = record.pseudonym_of(&owner, text_id(fields.id), bytes)?;
    let columns = peer.columns(record.keys, &owner.name);
    let mut common = record.common(&owner, item, time).with_peer(columns);
    common.message = Some(message);
    let kind = kind(fields);
    let body = match (fields.text, fields.chars) {
        _ if !body::has_text(kind) => Text::None,
        (Some(body), _) => Text::Body(text(body).into()),
        (None, Some(chars)) => body::text_length(i64::from(chars)),
        (None, None) => Text::None,
    };
    let text = record.text(body);
    let row = message_row(fields, common, (origin, direction), kind, columns.country, text);
    let change = match fields.change {
        Some(change) => identity_change(record, &owner, &change, &row)?,
        None => None,
    };
    Ok((row, change))
}

fn identity_change(
    record: &Record<'_>,
    owner: &Owner<'_>,
    change: &Change<'_>,
    row: &MessageRow,
) -> Result<Option<(Common, AccountFacts)>, Fail> {
    let event = (!change.event.is_empty()).then_some(text(change.event));
    let now = peer(change.phone, change.user);
    let before = peer(change.previous_phone, change.previous_user);
    let field = match row.origin {
        Origin::Live | Origin::App => "messages",
        Origin::Standby => "standby",
        Origin::History => "history",
    };
    let renamed = !change.phone.is_empty();
    account::changed(record, owner, row, field, event, renamed, [now, before])
}

fn status(
    record: &mut Record<'_>,
    scope: &Scope<'_>,
    item: i32,
    fields: &Status<'_>,
    bytes: &[u8],
) -> Result<StatusRow, Fail> {
    let owner = record.known_owner(scope)?;
    let time = time(record, fields.time)?;
    let origin = origin(record, fields.origin)?;
    let status = code(fields.status, StatusCode::from_code, StatusCode::Other)
        .ok_or_else(|| record.fail(Reason::WrongType, "status", "status", None))?;
    let peer = peer(fields.phone, fields.user);
    record.check_peer(&peer)?;
    let message = record.pseudonym_of(&owner, text_id(fields.id), bytes)?;
    let columns = peer.columns(record.keys, &owner.name);
    let mut common = record.common(&owner, item, time).with_peer(columns);
    common.message = Some(message);
    Ok(status_row(fields, common, origin, status))
}

fn account_event(
    record: &mut Record<'_>,
    scope: &Scope<'_>,
    item: i32,
    fields: &Account<'_>,
) -> Result<(Common, AccountFacts), Fail> {
    let owner = record.owner(scope)?;
    let time = match millis(fields.time) {
        Some(time) => record.in_range("time_ms", time)?,
        None => record.place.time,
    };
    let peer = peer(fields.phone, fields.user);
    let previous = peer_before(fields);
    record.check_peer(&peer)?;
    record.check_peer(&previous)?;
    let columns = account::pseudonyms(record, &owner, &peer);
    let previous = account::pseudonyms(record, &owner, &previous);
    let role = |name: &[u8]| (!name.is_empty()).then(|| account::role(text(name)));
    let facts = AccountFacts {
        field: account::row_field(text(fields.field)),
        event: account::event_name(text(fields.event)),
        error_code: fields.error_code.filter(|code| meant::is_error_code(*code)),
        role_previous: role(fields.role_previous),
        role_new: role(fields.role_new),
        user_previous: previous.user,
        phone_previous: previous.phone,
    };
    Ok((record.common(&owner, item, time).with_peer(columns), facts))
}

fn peer_before<'a>(fields: &Account<'a>) -> Peer<'a> {
    peer(fields.previous_phone, fields.previous_user)
}
