//! Webhooks of the Cloud API: entries, changes, values and what is in them.
//!
//! Items are numbered from 0: entries and changes in their order; in a value its messages,
//! message_echoes, statuses, standby (messages, message_echoes, statuses), history, errors, then
//! the event of the field itself. What is not wrapped in the envelope (an entry, a change, a
//! value, a message, or a list of such) is taken from there on. Some write one `message` for the
//! list of them.

pub(crate) mod account;
pub(crate) mod contacts;
mod foreign;
mod message;
mod place;
mod status;
pub(crate) mod straight;

use turnwise_model::Origin;

use crate::elements;
use crate::json::{Kind, Value};
use crate::meant::{self, Id, Time};
use crate::numbers::People;
use crate::payload::Around;
use crate::peer::{Peer, says_group};
use crate::reason::{Reason, ignored, ignored_name};
use crate::record::{Record, Scope};
use contacts::{Company, Contacts};
pub(super) use foreign::Foreign;
pub(super) use message::looks_like_one as is_item;
use place::Place;
pub(super) use place::is_persons;

/// What a field's name says of its value.
enum Field {
    /// Messages, statuses and the like.
    Content(&'static str),
    /// An account event.
    Account(&'static str),
    /// No evidence.
    Ignored(&'static str),
    /// Nobody knows it, or it is missing: the value tells.
    Unknown { named: bool },
}

/// What holds messages and statuses in a value.
const MESSAGES: &[&str] = &["messages", "statuses", "message_echoes", "standby", "history"];

/// What holds the items of a value. Nothing but a value has these keys.
const ITEMS: &[&str] =
    &["messages", "statuses", "message_echoes", "standby", "history", "errors", "user_id_update"];

/// Where some write the only message of a value.
const ONE_MESSAGE: &str = "message";

/// Lists that are no evidence and may stand in a value of any field.
const NO_EVIDENCE: &[&str] = &["calls", "user_actions"];

/// Decodes one value, be there much or little of the envelope around it. What is around that tells
/// the time of what has none.
pub(super) fn decode(record: &mut Record<'_>, around: &Around<'_>, root: Value<'_>) {
    let entry_time = around.time_or(None);
    decode_of(record, Outer { waba_id: Id::None, entry_time, sender: &Id::None }, root);
}

/// The same, with an account, a time and a sender for what names none.
pub(super) fn decode_of<'a>(record: &mut Record<'_>, outer: Outer<'_, 'a>, root: Value<'a>) {
    let has = |key: &&str| root.get(key).is_some();
    let people = People::of(root);
    if !root.is_object() {
        let fail = record.fail(Reason::UnknownShape, "", "object", Some(root.kind()));
        record.dead(None, fail, root.raw().len());
    } else if root.get_or_null("entry").is_some() {
        each(record, root, "entry", |record, element| {
            entry(record, &outer, &people, element);
        });
    } else if has(&"changes") {
        entry(record, &outer, &people, root);
    } else if has(&"value") {
        change(record, outer.without_account_of(&people), None, root);
    } else {
        unwrapped(record, outer, &people, root);
    }
}

/// A value, a message or a status without a change around it. Some write the field's name beside
/// what is in the value.
fn unwrapped<'a>(
    record: &mut Record<'_>,
    outer: Outer<'_, 'a>,
    people: &People<'_>,
    root: Value<'a>,
) {
    let has = |key: &&str| root.get(key).is_some();
    let field = field(meant::word(root.get("field")).as_deref());
    let is_known = !matches!(field, Field::Unknown { .. });
    let is_content = matches!(field, Field::Content(_));
    let waba_id = meant::id(root.get("waba_id")).of_owner().or_else(|| outer.waba_id);
    let outer = Outer { waba_id, ..outer }.without_account_of(people);
    let holds_one = list_of_messages(root) == ONE_MESSAGE;
    // A time inside says that the id and time beside it are the event's. An echo on standby has but
    // its body inside.
    let is_around = holds_one && root.at(&[ONE_MESSAGE, "timestamp"]).is_some();
    // Others than the platform have events of these names as well, and some write what became of a
    // message as an event beside it.
    let is_account = has(&"messaging_product")
        && account::guess(root).is_some()
        && !["from", "recipient_id", "status"].iter().any(has);
    let may_be_bare = (is_content || !is_known) && !is_account && !is_around;
    if may_be_bare && message::looks_like_one(root) {
        bare(record, outer, root);
    } else if is_known || is_account || has(&"metadata") || ITEMS.iter().any(has) || holds_one {
        value(record, outer, &field, root);
    } else if root.is_hollow() || has(&"object") && is_empty_envelope(root) {
        // An envelope around nothing.
    } else {
        let fail = record.fail(Reason::UnknownShape, "", "a webhook", Some(Kind::Object));
        record.dead(None, fail, root.raw().len());
    }
}

/// Whether an object has nothing in it but the name of what it is about.
fn is_empty_envelope(root: Value<'_>) -> bool {
    let is_nothing = |value: Value<'_>| match value.kind() {
        Kind::Null => true,
        Kind::String => value.string().is_some_and(|text| text.trim().is_empty()),
        Kind::Array => value.items().next().is_none(),
        Kind::Object => value.is_hollow(),
        Kind::True | Kind::False | Kind::Number => false,
    };
    let is_name = |name: Value<'_>| name.string().as_deref() == Some("object");
    root.members().all(|(name, value)| is_name(name) || is_nothing(value))
}

/// Every element of a list that should hold objects, by [`elements::each`]. A single object stands
/// for a list of one; null is an empty list; anything else is a dead letter.
fn each<'a>(
    record: &mut Record<'_>,
    parent: Value<'a>,
    key: &'static str,
    mut then: impl FnMut(&mut Record<'_>, Value<'a>),
) {
    let Some(list) = parent.get(key) else { return };
    record.path.key(key);
    elements::each(record, list, |record, element| {
        if element.is_object() {
            then(record, element);
        } else {
            let fail = record.fail(Reason::WrongType, "", "object", Some(element.kind()));
            record.dead(None, fail, element.raw().len());
        }
    });
    record.path.pop();
}

/// What stands around a change or value.
#[derive(Clone)]
pub(super) struct Outer<'o, 'a> {
    pub(super) waba_id: Id<'a>,
    /// `entry.time`, else what is around the webhook tells.
    pub(super) entry_time: Time,
    /// The sender of a value that names none.
    pub(super) sender: &'o Id<'a>,
}

/// A value of the webhook field with this name, without a change around it.
pub(super) fn named<'a>(
    record: &mut Record<'_>,
    outer: Outer<'_, 'a>,
    name: Option<&str>,
    inner: Value<'a>,
) {
    value(record, outer.without_account_of(&People::of(inner)), &field(name), inner);
}

fn entry<'a>(
    record: &mut Record<'_>,
    outer: &Outer<'_, 'a>,
    people: &People<'_>,
    entry: Value<'a>,
) {
    // Once for all changes: an entry may have as many keys as it has changes.
    let waba_id = meant::id(entry.get("id")).of_owner().or_else(|| outer.waba_id.clone());
    let entry_time = match meant::time(entry.get("time")) {
        Time::None => outer.entry_time,
        time => time,
    };
    let field = meant::word(entry.get("field"));
    let outer = Outer { waba_id, entry_time, sender: outer.sender }.without_account_of(people);
    each(record, entry, "changes", |record, element| {
        change(record, outer.clone(), field.as_deref(), element);
    });
    if entry.get_or_null("changes").is_none() && !entry.is_hollow() {
        // Other products have other lists in their entries.
        let is_other = entry.get("messaging").is_some() || entry.get("standby").is_some();
        let scope = Scope { waba_id: outer.waba_id, sender: Id::None };
        let name = if is_other { ignored::OTHER } else { ignored::EMPTY };
        record.ignored(Some(&scope), name, entry.raw().len());
    }
}

/// A change. Some write the field's name into the value, or into the entry.
fn change<'a>(
    record: &mut Record<'_>,
    outer: Outer<'_, 'a>,
    field_of_entry: Option<&str>,
    change: Value<'a>,
) {
    let waba_id = outer.waba_id.clone();
    let inner = change.get("value");
    let own = meant::word(change.get("field"));
    let inside = meant::word(inner.and_then(|inner| inner.get("field")));
    let mut field = field(own.as_deref().or(inside.as_deref()).or(field_of_entry));
    // A name from elsewhere hides no messages.
    let holds = |inner: Value<'_>| MESSAGES.iter().any(|key| inner.get(key).is_some());
    if own.is_none() && matches!(field, Field::Ignored(_)) && inner.is_some_and(holds) {
        field = Field::Unknown { named: false };
    }
    record.path.key("value");
    match (inner, &field) {
        (Some(inner), _) if inner.is_object() => value(record, outer, &field, inner),
        (inner, Field::Ignored(name)) => {
            let scope = Scope { waba_id, sender: Id::None };
            record.ignored(Some(&scope), name, inner.map_or(0, |inner| inner.raw().len()));
        }
        (Some(inner), _) => {
            let scope = Scope { waba_id, sender: Id::None };
            let fail = record.fail(Reason::WrongType, "", "object", Some(inner.kind()));
            record.dead(Some(&scope), fail, inner.raw().len());
        }
        // In what has no keys nothing can disappear; a record may hold very many of them.
        (None, _) if change.is_hollow() => {}
        (None, field) => {
            let scope = Scope { waba_id, sender: Id::None };
            let is_new = matches!(field, Field::Unknown { named: true });
            record.ignored(Some(&scope), if is_new { ignored::OTHER } else { ignored::EMPTY }, 0);
        }
    }
    record.path.pop();
}

/// Whether the dictionary knows a webhook field, or a family of them.
pub(super) fn is_field(name: &str) -> bool {
    !matches!(field(Some(name)), Field::Unknown { .. })
}

fn field(name: Option<&str>) -> Field {
    // Some write hyphens where the platform has underscores.
    let Some(name) = name.map(|name| name.replace('-', "_")) else {
        return Field::Unknown { named: false };
    };
    match name.as_str() {
        "messages" => Field::Content("messages"),
        "smb_message_echoes" => Field::Content("smb_message_echoes"),
        "message_echoes" => Field::Content("message_echoes"),
        "history" => Field::Content("history"),
        "standby" => Field::Content("standby"),
        // Of these the platform's own pages write both.
        "business_username_update" => Field::Ignored("business_username_updates"),
        "group_participant_update" => Field::Ignored("group_participants_update"),
        name => match (account::field(name), ignored_name(name)) {
            (Some(field), _) => Field::Account(field),
            (None, ignored::OTHER)
                if ["group_", "template_", "message_template_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix)) =>
            {
                Field::Ignored(ignored::OTHER)
            }
            (None, ignored::OTHER) => Field::Unknown { named: true },
            (None, known) => Field::Ignored(known),
        },
    }
}

/// Keys that values of these fields, which are no evidence, have: the first that has all of them.
const NO_EVIDENCE_KEYS: &[(&str, &[&str])] = &[
    ("message_template_quality_update", &["message_template_id", "new_quality_score"]),
    ("template_category_update", &["message_template_id", "new_category"]),
    ("message_template_status_update", &["message_template_id", "event"]),
    ("flows", &["flow_id", "event"]),
    ("phone_number_name_update", &["decision", "display_phone_number"]),
    ("account_review_update", &["decision"]),
    ("business_capability_update", &["max_daily_conversation_per_phone"]),
    ("security", &["requester", "event"]),
    ("partner_solutions", &["solution_id"]),
    ("payment_configuration_update", &["provider_name", "configuration_name"]),
];

/// The field of a value that is no evidence and came without one, where the value tells.
fn guess_ignored(value: Value<'_>) -> Option<&'static str> {
    let has = |key: &&str| value.get(key).is_some();
    let mut fields = NO_EVIDENCE_KEYS.iter();
    fields.find(|(_, keys)| keys.iter().all(has)).map(|(name, _)| *name)
}

/// Whether a value has a part of a history: some write an empty list for none.
fn has_history(value: Value<'_>) -> bool {
    let history = value.get("history");
    history.is_some_and(|chunks| chunks.items().any(|chunk| meant::has_keys(Some(chunk))))
}

fn value<'a>(record: &mut Record<'_>, outer: Outer<'_, 'a>, field: &Field, value: Value<'a>) {
    let name = match field {
        Field::Content(name) | Field::Account(name) => *name,
        Field::Unknown { named: false } if has_history(value) => "history",
        Field::Ignored(_) | Field::Unknown { .. } => ignored::OTHER,
    };
    let place = Place::of(outer, name, value);
    let before = record.counts.total();
    if !matches!(field, Field::Ignored(_)) {
        content(record, &place, field, value);
    }
    // What the alerts of a flow call errors are figures.
    let is_of_flow = match field {
        Field::Ignored(name) => *name == "flows",
        Field::Unknown { named: false } => guess_ignored(value) == Some("flows"),
        _ => false,
    };
    if !is_of_flow && few(value, list_of_messages(value)) == 0 {
        let errors_of = if name == ignored::OTHER { "messages" } else { name };
        each(record, value, "errors", |record, error| {
            account::error(record, &place, errors_of, error);
        });
    }
    match field {
        Field::Ignored(name) => record.ignored(Some(&place.scope), name, value.raw().len()),
        Field::Account(name) => account::event(record, &place, name, value),
        Field::Content(_) => no_evidence(record, &place, value),
        Field::Unknown { .. } => {
            if let Some(name) = account::guess(value) {
                account::event(record, &place, name, value);
            }
            no_evidence(record, &place, value);
        }
    }
    if record.counts.total() == before {
        without_row(record, &place.scope, field, value);
    }
}

/// Lists of [`NO_EVIDENCE`] that ride along in a value.
fn no_evidence(record: &mut Record<'_>, place: &Place<'_>, value: Value<'_>) {
    for name in NO_EVIDENCE {
        if let Some(list) = value.get(name) {
            record.ignored(Some(&place.scope), name, list.raw().len());
        }
    }
}

/// A value of which no row came gets one, so that it does not disappear: it is empty, or what is in
/// it is new.
fn without_row(record: &mut Record<'_>, scope: &Scope<'_>, field: &Field, value: Value<'_>) {
    let is_unnamed = matches!(field, Field::Unknown { named: false });
    if let Some(name) = is_unnamed.then(|| guess_ignored(value)).flatten() {
        return record.ignored(Some(scope), name, value.raw().len());
    }
    let listed = |key: &&str| value.get_or_null(key).is_some();
    let is_empty = value.is_hollow() || ITEMS.iter().any(listed);
    let is_one = is_empty || listed(&"metadata") || listed(&"contacts");
    let name = match field {
        Field::Unknown { named: false } if !is_one => {
            let fail = record.fail(Reason::UnknownShape, "", "a known value", Some(Kind::Object));
            return record.dead(Some(scope), fail, value.raw().len());
        }
        Field::Unknown { named: true } => ignored::OTHER,
        // Its own list is empty.
        Field::Account(_) => ignored::EMPTY,
        _ if is_empty => ignored::EMPTY,
        _ => ignored::OTHER,
    };
    record.ignored(Some(scope), name, value.raw().len());
}

/// Messages, echoes, statuses, standby copies and history of a value.
fn content<'a>(record: &mut Record<'_>, place: &Place<'a>, field: &Field, value: Value<'a>) {
    let (messages, echoes) = match place.field {
        "standby" => (Origin::Standby, Origin::Standby),
        // What was written on the phone long ago is no less past than the threads beside it.
        "history" => (Origin::Live, Origin::History),
        _ => (Origin::Live, Origin::App),
    };
    // Beside a history that no field names, what people wrote is as in any other value.
    let is_named = matches!(field, Field::Content(_));
    let is_beside = place.field == "history" && !is_named;
    let plain = is_beside.then(|| Place { field: ignored::OTHER, ..place.clone() });
    let plain = plain.as_ref().unwrap_or(place);
    let all = items_of(value);
    let named = list_of_messages(value);
    lists(record, plain, (value, named), [messages, echoes], all);
    if let Some(standby) = value.get("standby") {
        record.path.key("standby");
        if matches!(standby.kind(), Kind::Object | Kind::Array) {
            for copies in standby.items() {
                let own = copies.get("contacts").map(|own| Contacts::read(Some(own)));
                let own = own.map(|contacts| Place { contacts, ..plain.clone() });
                // Whose they are, only the items of this copy could say.
                let all = if own.is_some() { of_lists(copies, "messages") } else { all };
                let place = own.as_ref().unwrap_or(plain);
                lists(record, place, (copies, "messages"), [Origin::Standby; 2], all);
            }
        } else {
            let fail = record.fail(Reason::WrongType, "", "object", Some(standby.kind()));
            record.dead(Some(&place.scope), fail, standby.raw().len());
        }
        record.path.pop();
    }
    each(record, value, "history", |record, chunk| history(record, place, chunk));
}

/// How many items a value holds in all its lists, of each as [`few`] says.
fn items_of(value: Value<'_>) -> usize {
    let of_copy = |copy| of_lists(copy, "messages");
    let standby = value.get("standby").map_or(0, |copies| copies.items().map(of_copy).sum());
    of_lists(value, list_of_messages(value)) + standby + few(value, "history")
}

/// The same of the three lists of a value or a standby copy.
fn of_lists(value: Value<'_>, messages: &str) -> usize {
    [messages, "message_echoes", "statuses"].iter().map(|key| few(value, key)).sum()
}

/// The key of a value's messages. Some write one, under another.
fn list_of_messages(value: Value<'_>) -> &'static str {
    let one = value.get(ONE_MESSAGE).filter(|one| one.is_object());
    let is_one = one.is_some_and(message::looks_like_one) && value.get("messages").is_none();
    if is_one { ONE_MESSAGE } else { "messages" }
}

/// Items of a list, two where there are more: one is alone, and all the others are not.
pub(super) fn few(value: Value<'_>, key: &str) -> usize {
    value.get(key).map_or(0, |list| list.items().take(2).count())
}

/// The three lists that a value and a standby copy have.
fn lists<'a>(
    record: &mut Record<'_>,
    place: &Place<'a>,
    (value, named): (Value<'a>, &'static str),
    [messages, echoes]: [Origin; 2],
    all: usize,
) {
    let company = |key| Company::of(few(value, key), all);
    let is_past = |element| {
        place.field == "history"
            || echoes == Origin::History && !message::is_from_person(place, element)
    };
    let beside = company(named);
    each(record, value, named, |record, element| {
        if is_past(element) {
            message::from_history(record, place, &Peer::default(), element);
        } else if place.has_echoes_alone() {
            message::echo(record, place, echoes, beside, element);
        } else {
            message::of_list(record, place, messages, beside, element);
        }
    });
    let beside = company("message_echoes");
    each(record, value, "message_echoes", |record, element| {
        message::echo(record, place, echoes, beside, element);
    });
    let beside = company("statuses");
    each(record, value, "statuses", |record, element| {
        status::status(record, place, messages, beside, element);
    });
}

fn history<'a>(record: &mut Record<'_>, place: &Place<'a>, chunk: Value<'a>) {
    each(record, chunk, "threads", |record, thread| {
        let peer = message::of_thread(thread);
        let of_group = says_group(thread, &["id"]);
        let of_group = of_group.then(|| Place { is_of_group: true, ..place.clone() });
        let place = of_group.as_ref().unwrap_or(place);
        each(record, thread, "messages", |record, element| {
            message::from_history(record, place, &peer, element);
        });
    });
    each(record, chunk, "messages", |record, element| {
        message::from_history(record, place, &Peer::default(), element);
    });
    each(record, chunk, "errors", |record, error| {
        account::error(record, place, "history", error);
    });
}

/// A message or status that nothing surrounds: it must name its sender itself.
fn bare<'a>(record: &mut Record<'_>, outer: Outer<'_, 'a>, root: Value<'a>) {
    let place = Place::of(outer, "messages", root);
    if status::looks_like_one(root) {
        status::status(record, &place, Origin::Live, Company::Alone, root);
    } else {
        message::of_unknown_direction(record, &place, root);
    }
}

#[cfg(test)]
mod tests;
