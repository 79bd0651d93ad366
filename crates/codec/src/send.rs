//! Turnwise's own record of a send: the request, the platform's answer, and when.
//!
//! The message's id is the answer's, because statuses refer to it; without an answer the message
//! has the pseudonym of the record's own bytes and joins no status.

pub(crate) mod straight;

use turnwise_model::{Direction, MessageKind, Origin};

use crate::body::{Body, Text, body, has_body};
use crate::json::Value;
use crate::meant::{self, Id};
use crate::numbers;
use crate::peer::{Peer, says_group};
use crate::reason::{Reason, ignored, ignored_name};
use crate::record::{Fail, Record, Scope};
use crate::rows::MessageRow;
use crate::webhook::contacts::Contact;

/// Whether a value is a send.
pub(crate) fn is_send(value: Value<'_>) -> bool {
    value.get("request").is_some_and(|request| !is_no_send(request)) || is_bare_request(value)
}

/// Whether a request is a webhook, or one of HTTP that somebody wrote down: it says nothing of what
/// is sent.
fn is_no_send(request: Value<'_>) -> bool {
    let said = [
        "messaging_product",
        "type",
        "to",
        "recipient",
        "status",
        "message_id",
        "typing_indicator",
        "action",
    ];
    let has = |key: &str| request.get(key).is_some();
    let of_value = has("metadata") && !["type", "to", "recipient"].into_iter().any(has);
    let of_http = ["body", "headers", "method", "url"].into_iter().any(has);
    let of_webhook = ["entry", "changes"].into_iter().any(|key| holds_object(request, key));
    of_webhook || of_value || of_http && !said.into_iter().any(has)
}

/// Whether there is an object at a key, or in the list there.
fn holds_object(request: Value<'_>, key: &str) -> bool {
    request.get(key).is_some_and(|list| list.items().any(Value::is_object))
}

/// Whether a request is for a message: it says to whom, or what. Blocking people, setting a number
/// up, pinning a message, uploading a file and checking numbers are requests, too.
fn is_of_message(request: Value<'_>) -> bool {
    let has = |key: &str| request.get(key).is_some();
    if meant::word(request.get("type")).as_deref() == Some("pin") {
        return false;
    }
    if has("to") || has("recipient") {
        return true;
    }
    if has_body(request) {
        // Contacts that are written are objects; numbers are what a server on premises checks.
        return has("type") || !has("contacts") || holds_object(request, "contacts");
    }
    // A file's type is that of its content, and no message's.
    let is_of_file = || {
        let name = request.get("type").and_then(Value::string);
        has("file") || name.is_some_and(|name| name.contains('/'))
    };
    has("type") && !is_of_file()
}

/// Whether a request is for several things, each of which may be a message. None of them has its
/// answer, not even where there is one: nobody knows how such an answer is written.
fn is_of_several(request: Value<'_>) -> bool {
    let has = |key: &str| request.get(key).is_some();
    !["type", "to", "recipient"].into_iter().any(has)
        && (has("batch") || holds_object(request, "messages"))
}

/// A request body without the record around it.
fn is_bare_request(value: Value<'_>) -> bool {
    let known = |keys: &[&str]| keys.iter().any(|key| value.get(key).is_some());
    // A handover's recipient is an object: the business.
    let names = |key: &&str| value.get(key).is_some_and(|party| !party.is_object());
    let received =
        ["entry", "changes", "metadata", "messages", "statuses", "from", "timestamp", "value"];
    value.get("messaging_product").is_some()
        && !known(&received)
        && (["to", "recipient"].iter().any(names) || is_mark(value))
}

fn is_mark(request: Value<'_>) -> bool {
    request.get("message_id").is_some() && request.get("status").is_some()
        || request.get("typing_indicator").is_some()
}

/// Whether a request marks the message in its path, as on premises.
fn is_mark_of_path(request: Value<'_>) -> bool {
    meant::word(request.get("status")).is_some()
        && ["type", "to", "recipient"].into_iter().all(|key| request.get(key).is_none())
}

/// Whether a request is about a call: to connect, accept, reject or end it.
fn is_of_call(request: Value<'_>) -> bool {
    meant::word(request.get("action")).is_some() && request.get("type").is_none()
}

/// Decodes one send.
pub(crate) fn decode(record: &mut Record<'_>, send: Value<'_>) {
    let bytes = send.raw().len();
    let scope = scope(send);
    let bare = is_bare_request(send);
    let request = if bare { Some(send) } else { send.get("request") };
    let Some(request) = request.filter(|request| request.is_object()) else {
        let (reason, found) = if send.is_object() {
            (Reason::WrongType, send.get_or_null("request").map(Value::kind))
        } else {
            (Reason::UnknownShape, None)
        };
        let inner = if send.is_object() { "request" } else { "" };
        let fail =
            record.fail(reason, inner, "object", found.or((inner.is_empty()).then(|| send.kind())));
        return record.dead(Some(&scope), fail, bytes);
    };
    if is_mark(request) || is_mark_of_path(request) {
        let typing = request.get("typing_indicator").is_some();
        let name = if typing { ignored::TYPING } else { ignored::MARK_AS_READ };
        return record.ignored(Some(&scope), name, bytes);
    }
    if is_of_call(request) {
        return record.ignored(Some(&scope), ignored_name("calls"), bytes);
    }
    let is_of_several = is_of_several(request);
    if !is_of_several && !is_of_message(request) {
        return record.ignored(Some(&scope), ignored::OTHER, bytes);
    }
    if !bare {
        match is_accepted(record, send) {
            Ok(true) => {}
            Ok(false) => return record.ignored(Some(&scope), ignored::SEND_FAILED, bytes),
            Err(fail) => return record.dead(Some(&scope), fail, bytes),
        }
    }
    if is_of_several {
        let found = Some(request.kind());
        let fail = record.fail(Reason::UnknownShape, "request", "one send", found);
        return record.dead(Some(&scope), fail, bytes);
    }
    let Some(item) = record.begin() else { return };
    match message(record, &scope, item, send, request) {
        Ok(row) => record.message(row),
        Err(fail) => record.dead_at(item, &scope, fail, send),
    }
}

/// Whose send it is: an account is none of the people whom it names, and nor is a number. Nobody
/// sends to themselves.
fn scope(send: Value<'_>) -> Scope<'_> {
    let request = send.get("request").unwrap_or(send);
    let input = first(send, "contacts").and_then(|contact| contact.get("input"));
    let people = [requested(request), answered(send), Peer::default().phone_or_user(input)];
    let blocked = request.get("block_users").into_iter().flat_map(Value::items);
    let blocked: Vec<_> = blocked.filter_map(|one| meant::id(one.get("user")).some()).collect();
    // Digit by digit: the business's own may be like somebody's.
    let is_persons = |id: &str| {
        let mut phones =
            people.iter().filter_map(Peer::phone_text).chain(blocked.iter().map(|one| &**one));
        phones.any(|phone| numbers::spelled(phone).any(|number| number == id))
    };
    let waba_id = meant::id(send.get("waba_id"));
    let sender = meant::id(send.get("phone_number_id")).unless_number(is_persons);
    Scope { waba_id, sender }.without_account_in(send)
}

/// Whom a request names.
fn requested(request: Value<'_>) -> Peer<'_> {
    Peer::default().phone_or_user(request.get("to")).recipient(request.get("recipient"))
}

/// Whom the answer to a send names.
fn answered(send: Value<'_>) -> Peer<'_> {
    Peer::default().contact(first(send, "contacts").map(Contact::read).as_ref())
}

/// The first element of a list in the answer to a send.
fn first<'a>(send: Value<'a>, key: &str) -> Option<Value<'a>> {
    send.at(&["response", key])?.items().next()
}

/// Whether the answer's HTTP status is 2xx. Without one the answer itself tells, if there is one.
fn is_accepted(record: &Record<'_>, send: Value<'_>) -> Result<bool, Fail> {
    let response = send.get("response");
    if let Some(status) = meant::integer(send.get("status")) {
        return Ok((200..300).contains(&status));
    }
    let errors = response.and_then(|response| response.get("errors"));
    if response.is_some_and(|response| response.get("error").is_some())
        || errors.is_some_and(|errors| errors.items().next().is_some())
    {
        return Ok(false);
    }
    if response.is_some_and(|response| response.get("messages").is_some()) {
        return Ok(true);
    }
    let found = send.get_or_null("status").map(Value::kind);
    Err(record.fail(Reason::WrongType, "status", "HTTP status", found))
}

/// What was asked for. Of a text with a category the platform makes a template.
fn requested_body(request: Value<'_>) -> Body<'_> {
    let body = body(request);
    let category = meant::word(request.get("category"));
    let categories = ["authentication", "marketing", "utility"];
    if body.kind == MessageKind::Text
        && category.is_some_and(|category| categories.contains(&category.as_str()))
    {
        return Body { kind: MessageKind::Template, text: Text::None, ..body };
    }
    body
}

fn message(
    record: &mut Record<'_>,
    scope: &Scope<'_>,
    item: i32,
    send: Value<'_>,
    request: Value<'_>,
) -> Result<MessageRow, Fail> {
    let owner = record.known_owner(scope)?;
    let time = record.time_at("time", send.get("time"))?;
    let id = first(send, "messages").map_or(Id::None, |message| meant::id(message.get("id")));
    let in_group = says_group(request, &["to"]);
    let peer = if in_group { Peer::default() } else { answered(send).or(requested(request)) };
    record.check_peer(&peer)?;
    let message = record.pseudonym(&owner, id, send)?;
    let columns = peer.columns(record.keys, &owner.name);
    let body = requested_body(request);
    let mut common = record.common(&owner, item, time).with_peer(columns);
    common.message = Some(message);
    Ok(MessageRow {
        common,
        origin: Origin::Live,
        in_group,
        direction: Direction::Outbound,
        kind: body.kind,
        interactive: body.interactive,
        voice: body.voice,
        country: columns.country,
        is_reply: body.is_reply,
        has_referral: false,
        text: record.text(body.text),
    })
}

#[cfg(test)]
mod tests;
