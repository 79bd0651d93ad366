//! Records of sends: a request, the platform's answer, and when it came.

use turnwise_model::schema::column as c;
use turnwise_model::{Direction, EventKind, MessageKind, Millis, Origin, PricingRegime};

use super::json::Json;
use super::meant::{self, Id, id, name};
use super::message::{self, is_answer, set_body, set_person};
use super::people::{self, Person};
use super::row::RawRow;
use super::{Letter, Record, Scope, elements};

/// A record: one send, or a list of them.
pub(super) fn record(record: &mut Record<'_>, root: &Json<'_>) {
    for (path, item) in elements(root) {
        one(record, item, &path);
    }
}

/// Marks a message as read, or shows that somebody types.
fn is_mark(request: &Json<'_>) -> bool {
    request.has("typing_indicator") || request.has("message_id") && request.has("status")
}

/// A request's body without the record around it.
fn is_bare(value: &Json<'_>) -> bool {
    // The recipient of a handover is an object.
    let names = |key| value.get(key).is_some_and(|party| !party.is_object());
    let of_webhooks =
        ["entry", "changes", "metadata", "messages", "statuses", "from", "timestamp", "value"];
    value.has("messaging_product")
        && !of_webhooks.iter().any(|key| value.has(key))
        && (names("to") || names("recipient") || is_mark(value))
}

/// Whom a request names.
fn asked(request: &Json<'_>) -> Person {
    let mut asked = Person::of(&[request.get("to")], &[]);
    asked.add_recipient(request.get("recipient"));
    asked
}

/// Whom the answer names.
fn answered(send: &Json<'_>) -> Person {
    let contact = first(send, "contacts");
    let of = |key| contact.and_then(|contact| contact.get(key));
    Person::of(&[of("wa_id")], &[of("user_id")])
}

/// The first of a list in the answer.
fn first<'b, 'a>(send: &'b Json<'a>, key: &str) -> Option<&'b Json<'a>> {
    send.at(&["response", key]).and_then(|list| list.list().into_iter().next())
}

/// Whose send it is: of no account and no number that is a person's.
fn scope(send: &Json<'_>) -> Scope {
    let repeated = first(send, "contacts").and_then(|contact| contact.get("input"));
    let request = send.get("request").unwrap_or(send);
    let blocked = request.get("block_users").map(Json::list).unwrap_or_default();
    let blocked =
        blocked.into_iter().filter_map(|one| id(one.get("user")).known().map(str::to_owned));
    let all = [asked(request), answered(send), Person::of(&[repeated], &[])];
    let phones = all.into_iter().filter_map(|person| person.phone).chain(blocked);
    let numbers: Vec<String> = phones.flat_map(|phone| people::digits_in(&phone)).collect();
    let is_persons = |number: &str| numbers.iter().any(|one| one == number);
    let sender = id(send.get("phone_number_id")).of_sender().unless_number(is_persons);
    let is_own =
        |number: &str| sender.known().is_some_and(|own| people::is_one_person(own, number));
    let is_named = |number: &str| !is_own(number) && people::are_named(send, number);
    let waba_id = id(send.get("waba_id")).of_owner().unless_number(is_named);
    Scope { waba_id, sender }
}

fn one(record: &mut Record<'_>, send: &Json<'_>, path: &str) {
    let bytes = send.bytes();
    let scope = scope(send);
    if !send.is_object() {
        return record.letter(&scope, Letter::at("unknown_shape", path, "", Some(send)), bytes);
    }
    let bare = is_bare(send);
    let request = if bare { Some(send) } else { send.get("request") };
    let Some(request) = request.filter(|request| request.is_object()) else {
        let letter = Letter::at("wrong_type", path, "request", send.get_or_null("request"));
        return record.letter(&scope, letter, bytes);
    };
    let is_of_path = name(request.get("status")).is_some()
        && !["type", "to", "recipient"].iter().any(|key| request.has(key));
    if is_mark(request) || is_of_path {
        let name = if request.has("typing_indicator") { "typing" } else { "mark_as_read" };
        return record.ignored(&scope, name, bytes);
    }
    if name(request.get("action")).is_some() && !request.has("type") {
        return record.ignored(&scope, "calls", bytes);
    }
    let asks = asks(request);
    if asks == Asks::Nothing {
        return record.ignored(&scope, "other", bytes);
    }
    if !bare {
        match accepted(send) {
            Some(true) => {}
            Some(false) => return record.ignored(&scope, "send_failed", bytes),
            None => {
                let letter = Letter::at("wrong_type", path, "status", send.get_or_null("status"));
                return record.letter(&scope, letter, bytes);
            }
        }
    }
    if asks == Asks::Several {
        let letter = Letter::at("unknown_shape", path, "request", Some(request));
        return record.letter(&scope, letter, bytes);
    }
    record.item(&scope, bytes, |record, item| {
        row(record, &scope, item, send, request, path).map(Some)
    });
}

/// What a request asks to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// A message.
    Message,
    /// Perhaps some messages, whose answers nobody can tell apart.
    Several,
    /// No message: a file is uploaded, numbers are checked, people are blocked.
    Nothing,
}

fn asks(request: &Json<'_>) -> Asks {
    let objects =
        |key| request.get(key).is_some_and(|all| all.list().into_iter().any(Json::is_object));
    let kind = request.get("type");
    if name(kind).as_deref() == Some("pin") {
        return Asks::Nothing;
    }
    if request.has("to") || request.has("recipient") {
        return Asks::Message;
    }
    if kind.is_none() && (request.has("batch") || objects("messages")) {
        return Asks::Several;
    }
    let is_mime = kind.and_then(Json::text).is_some_and(|kind| kind.contains('/'));
    let is_message = match (kind, message::has_body(request)) {
        (Some(_), true) => true,
        (Some(_), false) => !is_mime && !request.has("file"),
        // Numbers to check stand where cards of contacts do.
        (None, true) => !request.has("contacts") || objects("contacts"),
        (None, false) => false,
    };
    if is_message { Asks::Message } else { Asks::Nothing }
}

/// Whether the platform took the message: by the status, else by the answer.
fn accepted(send: &Json<'_>) -> Option<bool> {
    if let Some(status) = meant::whole(send.get("status")) {
        return Some(status / 100 == 2);
    }
    let errors = send.at(&["response", "errors"]).map(Json::list).unwrap_or_default();
    if send.at(&["response", "error"]).is_some() || !errors.is_empty() {
        return Some(false);
    }
    send.at(&["response", "messages"]).map(|_| true)
}

fn row(
    record: &Record<'_>,
    scope: &Scope,
    item: i32,
    send: &Json<'_>,
    request: &Json<'_>,
    path: &str,
) -> Result<RawRow, Letter> {
    let sender = record.sender(scope, path)?;
    let time = record.time(path, "time", send.get("time"))?;
    let own = first(send, "messages").map_or(Id::Absent, |message| id(message.get("id")));
    let is_group = name(request.get("recipient_type")).as_deref() == Some("group")
        || id(request.get("to")).known().is_some_and(people::is_group);
    let person = if is_group { Person::default() } else { answered(send).or(asked(request)) };
    record.check_person(path, &person)?;
    let pseudonym = record.message(sender, path, own, send)?;
    let mut row = record.row(EventKind::Message, item, scope, time);
    set_person(record, &mut row, sender, &person);
    row.set(c::MESSAGE, Some(pseudonym));
    row.set(c::ORIGIN, Some(Origin::Live.code()));
    row.set(c::IN_GROUP, Some(i32::from(is_group)));
    row.set(c::DIRECTION, Some(Direction::Outbound.code()));
    row.set(c::PRICING_REGIME, Some(PricingRegime::at(Millis(time)).code()));
    row.set(c::IS_REPLY, Some(i32::from(is_answer(request))));
    row.set(c::HAS_REFERRAL, Some(0));
    let mut of_body = RawRow::new(EventKind::Message);
    set_body(record, &mut of_body, request);
    let category = name(request.get("category")).unwrap_or_default();
    let has_category = ["utility", "authentication", "marketing"].contains(&category.as_str());
    if has_category && of_body.int(c::MESSAGE_KIND) == Some(MessageKind::Text.code().into()) {
        // The platform makes a template of it.
        row.set(c::MESSAGE_KIND, Some(MessageKind::Template.code()));
    } else {
        row.cells.extend(of_body.cells);
    }
    Ok(row)
}
