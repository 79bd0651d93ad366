//! Messages of webhooks, and what a message is, whichever way it goes.

use turnwise_model::limits::TEXT_BYTES_MAX;
use turnwise_model::schema::column as c;
use turnwise_model::{
    Direction, EventKind, InteractiveType, MessageKind, Millis, Origin, PricingRegime,
};

use super::json::{Json, Node};
use super::meant::{self, Id, id, name};
use super::people::{self, Person};
use super::row::RawRow;
use super::shape::shape;
use super::webhook::{self, Around};
use super::{Letter, Record, account, status};

/// Whether an object is a message or a status with nothing around it.
pub(super) fn stands_alone(value: &Json<'_>) -> bool {
    let any = |keys: &[&str]| keys.iter().any(|key| value.has(key));
    any(&["type", "status", "id"])
        && any(&["from", "from_user_id", "to", "to_user_id", "timestamp"])
        && !any(&["messages", "statuses", "sender"])
}

/// Such an object: it must name its sender and direction itself.
pub(super) fn alone<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    value: &'a Json<'a>,
    path: &str,
) {
    let any = |keys: &[&str]| keys.iter().any(|key| value.has(key));
    let is_addressed = says(value, "to") || says(value, "to_user_id");
    let is_status = status::is_of_payment(value) || !any(&["type", "from", "from_user_id"]);
    if value.has("status") && is_status {
        return status::status(record, around, Origin::Live, Company::Nobody, value, path);
    }
    write(record, around, value, path, &|_| {
        let direction = if is_addressed {
            direction(around, &Person::default(), value)
        } else if is_own(around, value) {
            Some(Direction::Outbound)
        } else if author(value).is_nobody() {
            None
        } else {
            Some(Direction::Inbound)
        };
        let direction = direction.ok_or_else(|| Letter::at("no_direction", path, "", None))?;
        let person = other_end(value, direction);
        Ok(Way {
            origin: Origin::Live,
            direction,
            person,
            company: Company::Nobody,
            is_group: false,
        })
    });
}

/// Whether the business itself wrote a message: `from` has the digits of its number, or is its id.
fn is_own(around: &Around<'_>, value: &Json<'_>) -> bool {
    author(value).phone.is_some_and(|from| is_number_of(around, &from))
}

pub(super) fn is_number_of(around: &Around<'_>, number: &str) -> bool {
    let number = people::spelled(number);
    let own = [around.display.as_deref(), around.scope.sender.known()];
    people::is_number(&number)
        && own.into_iter().flatten().any(|own| people::spelled(own) == number)
}

/// Whether a contact is the business itself.
pub(super) fn is_business(around: &Around<'_>, contact: &Json<'_>) -> bool {
    id(contact.get("wa_id")).known().is_some_and(|number| is_number_of(around, number))
}

/// Whether a contact is one as a member of a group.
pub(super) fn is_member(contact: &Json<'_>) -> bool {
    id(contact.get("group_id")) != Id::Absent
}

/// The origin of what the business wrote: Meta's own agent is as on standby.
fn own_origin(origin: Origin, value: &Json<'_>) -> Origin {
    let made = |value: &Json<'_>| name(value.get("message_creation_type"));
    let by_agent =
        made(value).or_else(|| made(inside(value))).as_deref() == Some("created_by_1p_bot");
    if by_agent && origin != Origin::History { Origin::Standby } else { origin }
}

/// Whether a message is written as echoes are: to somebody, or with how it was made.
fn is_like_an_echo(value: &Json<'_>) -> bool {
    let keys = ["to", "to_user_id", "recipient", "message_creation_type"];
    keys.iter().any(|key| says(value, key) || says(inside(value), key))
}

/// Whether something other than an empty string stands under a key of an id.
fn says(value: &Json<'_>, key: &str) -> bool {
    id(value.get(key)) != Id::Absent
}

/// One of `messages[]`, which may be the business's own, if it is written as echoes are or by a
/// gateway.
pub(super) fn received<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    origin: Origin,
    company: Company,
    value: &'a Json<'a>,
    path: &str,
) {
    write(record, around, value, path, &|_| {
        let is_sent = is_own(around, value)
            && (is_like_an_echo(value) || webhook::is_chat_of_gateway(around));
        let direction = if is_sent { Direction::Outbound } else { Direction::Inbound };
        let origin = if is_sent { own_origin(origin, value) } else { origin };
        let person = other_end(value, direction);
        Ok(Way { origin, direction, person, company, is_group: false })
    });
}

/// One of `message_echoes[]`.
pub(super) fn echoed<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    origin: Origin,
    company: Company,
    value: &'a Json<'a>,
    path: &str,
) {
    write(record, around, value, path, &|_| {
        let origin = own_origin(origin, value);
        let (direction, person) = (Direction::Outbound, addressee(value));
        Ok(Way { origin, direction, person, company, is_group: false })
    });
}

/// Whether a message has an author who is not the business, and nothing that histories alone have.
pub(super) fn is_persons(around: &Around<'_>, value: &Json<'_>) -> bool {
    let of_history = value.get("history_context").map(|context| &context.node);
    let is_old = matches!(of_history, Some(Node::Object(pairs)) if !pairs.is_empty());
    !(is_old || author(value).is_nobody() || is_own(around, value))
}

/// One of a history's messages, with the thread it lies in.
pub(super) fn past<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    thread: Option<&'a Json<'a>>,
    value: &'a Json<'a>,
    path: &str,
) {
    write(record, around, value, path, &|_| {
        let of_thread = |path: &[&str]| thread.and_then(|thread| thread.at(path));
        let named = Person::of(
            &[of_thread(&["id"]), of_thread(&["context", "wa_id"])],
            &[of_thread(&["context", "user_id"])],
        );
        let direction = direction(around, &named, value)
            .ok_or_else(|| Letter::at("no_direction", path, "from", value.get("from")))?;
        let person = named.or(other_end(value, direction));
        let is_group = id(of_thread(&["id"])).known().is_some_and(people::is_group)
            || name(of_thread(&["recipient_type"])).as_deref() == Some("group");
        let (origin, company) = (Origin::History, Company::SameList);
        Ok(Way { origin, direction, person, company, is_group })
    });
}

/// What else its value holds beside an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// Nothing in any list.
    Nobody,
    /// More of the same list.
    SameList,
    /// Something of another list.
    OtherLists,
}

/// What a message's surroundings tell of it.
struct Way {
    origin: Origin,
    direction: Direction,
    person: Person,
    company: Company,
    /// Whether its thread is a group's.
    is_group: bool,
}

/// Standby echoes hold the message in an object of its own.
fn inside<'a>(value: &'a Json<'a>) -> &'a Json<'a> {
    match value.get("message") {
        Some(inner) if inner.is_object() && !value.has("type") => inner,
        _ => value,
    }
}

fn author(value: &Json<'_>) -> Person {
    let inner = inside(value);
    let outer = Person::of(&[value.get("from")], &[value.get("from_user_id")]);
    outer.or(Person::of(&[inner.get("from")], &[inner.get("from_user_id")]))
}

fn addressee(value: &Json<'_>) -> Person {
    let inner = inside(value);
    let outer = Person::of(&[value.get("to")], &[value.get("to_user_id")]);
    let mut person = outer.or(Person::of(&[inner.get("to")], &[inner.get("to_user_id")]));
    person.add_recipient(inner.get("recipient"));
    person
}

fn other_end(value: &Json<'_>, direction: Direction) -> Person {
    match direction {
        Direction::Inbound => author(value),
        Direction::Outbound => addressee(value),
    }
}

/// Who wrote a message in which `from` may be either end: the one whose number it is; the
/// exact number before one that is alike.
fn direction(around: &Around<'_>, thread: &Person, value: &Json<'_>) -> Option<Direction> {
    let own: Vec<&str> =
        around.display.as_deref().into_iter().chain(around.scope.sender.known()).collect();
    let same = |one: &str, other: &str| people::spelled(one) == people::spelled(other);
    let (wrote, addressed) = (says(value, "from_user_id"), says(value, "to_user_id"));
    // Where a user id says whom it is for, a number like the thread's may be the business's.
    let is_peer = |text: &str| {
        let phone = thread.phone.as_deref();
        phone.is_some_and(|phone| same(phone, text))
            || !addressed && phone.is_some_and(|phone| people::is_same_number(phone, text))
            || thread.user.as_deref() == Some(text)
    };
    // A number like the business's is its own, unless the thread is of that very number, or the
    // business itself is whom it is for, or a user id stands beside it.
    let (from, to) = (id(value.get("from")), id(value.get("to")));
    let is_it = |text: &str| own.iter().any(|own| same(own, text));
    let is_for_it = to.known().is_some_and(is_it);
    let is_like = |text: &str| {
        let is_like_it = own.iter().any(|own| people::is_same_number(own, text));
        is_like_it && !is_peer(text) && !is_for_it
    };
    if let Some(from) = from.known() {
        if is_it(from) || !wrote && is_like(from) {
            return Some(Direction::Outbound);
        }
        if is_peer(from) || people::is_user_id(from) {
            return Some(Direction::Inbound);
        }
    }
    if wrote || is_for_it || !addressed && to.known().is_some_and(is_like) {
        return Some(Direction::Inbound);
    }
    if addressed || to.known().is_some_and(is_peer) {
        return Some(Direction::Outbound);
    }
    if let Some(by_business) = meant::boolean(value.at(&["history_context", "from_me"])) {
        return Some(if by_business { Direction::Outbound } else { Direction::Inbound });
    }
    // Two write in a thread: who is not the one that is known is the other.
    match (from.known(), around.display.is_some()) {
        (Some(_), false) if thread.phone.is_some() => Some(Direction::Outbound),
        (Some(_), true) if thread.phone.is_none() => Some(Direction::Inbound),
        _ => None,
    }
}

/// The contact that a person is: the one of its number or user id, else of a number that means the
/// same. Else the only one there is:
/// for an item that nothing else stands beside, unless one of the two says that it is somebody
/// else; and where all items are of one list, for those that say nothing.
pub(super) fn contact<'a>(
    around: &Around<'a>,
    person: &Person,
    company: Company,
) -> Option<&'a Json<'a>> {
    let has_number = |contact: &Json<'_>, is_it: fn(&str, &str) -> bool| {
        let phone = id(contact.get("wa_id"));
        let whole = person.phone.as_deref().filter(|phone| !people::is_masked(phone));
        phone.known().zip(whole).is_some_and(|(one, other)| is_it(one, other))
    };
    let is_it = |contact: &Json<'_>| {
        let user = id(contact.get("user_id"));
        has_number(contact, |one, other| people::spelled(one) == people::spelled(other))
            || user.known().is_some() && user.known() == person.user.as_deref()
    };
    let is_like = |contact: &Json<'_>| has_number(contact, people::is_same_number);
    let all = || around.contacts.iter().copied();
    let found = all().find(|contact| is_it(contact));
    if let Some(found) = found.or_else(|| all().find(|contact| is_like(contact))) {
        return Some(found);
    }
    let [one] = around.contacts[..] else { return None };
    let fits = match company {
        Company::Nobody => {
            !person.is_other(&Person::of(&[one.get("wa_id")], &[one.get("user_id")]))
        }
        Company::SameList => person.is_nobody(),
        Company::OtherLists => false,
    };
    fits.then_some(one)
}

/// Numbers the item and adds its row, and an account row where it tells of another identity.
fn write<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    value: &'a Json<'a>,
    path: &str,
    way: &dyn Fn(&Record<'_>) -> Result<Way, Letter>,
) {
    record.item(&around.scope, value.bytes(), |record, item| {
        record.sender(&around.scope, path)?;
        let way = way(record)?;
        let row = message(record, around, item, value, path, way)?;
        let change = account::identity_change(record, around, &row, value, path)?;
        Ok([Some(row), change].into_iter().flatten())
    });
}

fn message<'a>(
    record: &Record<'_>,
    around: &Around<'a>,
    item: i32,
    value: &'a Json<'a>,
    path: &str,
    way: Way,
) -> Result<RawRow, Letter> {
    let sender = record.sender(&around.scope, path)?;
    let time = record.time(path, "timestamp", value.get("timestamp"))?;
    let inner = inside(value);
    let says_group = |value: &Json<'_>| {
        id(value.get("group_id")) != Id::Absent
            || name(value.get("recipient_type")).as_deref() == Some("group")
    };
    let is_group = way.is_group
        || says_group(value)
        || says_group(inner)
        || ["from", "to"]
            .iter()
            .any(|key| id(value.get(key)).known().is_some_and(people::is_group));
    let outbound = way.direction == Direction::Outbound;
    let mut named = way.person;
    // The business is not whom it writes to, nor who writes to it.
    let is_of_business = outbound || is_own(around, value);
    if is_of_business && named.phone.as_deref().is_some_and(|number| is_number_of(around, number)) {
        named.phone = None;
    }
    let contact = contact(around, &named, way.company);
    let is_group = is_group || contact.is_some_and(is_member);
    let person = if is_group && outbound {
        Person::default()
    } else {
        named.with_contact(contact.filter(|one| !is_of_business || !is_business(around, one)))
    };
    record.check_person(path, &person)?;
    let pseudonym = record.message(sender, path, id(value.get("id")), value)?;
    let is_past = way.origin == Origin::History;
    let kind = if is_past { EventKind::History } else { EventKind::Message };
    let mut row = record.row(kind, item, &around.scope, time);
    set_person(record, &mut row, sender, &person);
    set_place(&mut row, pseudonym, way.origin, is_group, time);
    row.set(c::DIRECTION, Some(way.direction.code()));
    set_body(record, &mut row, inner);
    let answers = is_answer(value) || is_answer(inner);
    row.set(c::IS_REPLY, Some(i32::from(answers)));
    let referral = value.get("referral").map(|referral| &referral.node);
    let is_referred = matches!(referral, Some(Node::Object(pairs)) if !pairs.is_empty());
    row.set(c::HAS_REFERRAL, Some(i32::from(is_referred)));
    Ok(row)
}

/// Sets which message it is about and where that was.
pub(super) fn set_place(
    row: &mut RawRow,
    pseudonym: i64,
    origin: Origin,
    is_group: bool,
    time: i64,
) {
    row.set(c::MESSAGE, Some(pseudonym));
    row.set(c::ORIGIN, Some(origin.code()));
    row.set(c::IN_GROUP, Some(i32::from(is_group)));
    row.set(c::PRICING_REGIME, Some(PricingRegime::at(Millis(time)).code()));
}

/// Sets pseudonyms and, where the row has such a column, the country.
pub(super) fn set_person(record: &Record<'_>, row: &mut RawRow, sender: &str, person: &Person) {
    let known = person.pseudonyms(record.keys, sender);
    row.set(c::PEER_PHONE, known.phone);
    row.set(c::PEER_USER, known.user);
    if matches!(row.kind, EventKind::Message | EventKind::History) {
        row.set_text(c::PEER_COUNTRY, known.country);
    }
}

/// Whether a message answers another.
pub(super) fn is_answer(message: &Json<'_>) -> bool {
    ["id", "message_id"].iter().any(|key| id(message.at(&["context", key])) != Id::Absent)
}

/// Names of bodies.
const BODIES: &str = "text image audio voice video document sticker interactive button location \
                      contacts order template hsm reaction system edit revoke unsupported";

/// Whether there is a body of some name.
pub(super) fn has_body(message: &Json<'_>) -> bool {
    BODIES.split(' ').any(|body| message.has(body))
}

/// Kind, interactive type, voice mark and text of a message.
pub(super) fn set_body(record: &Record<'_>, row: &mut RawRow, message: &Json<'_>) {
    let found = || BODIES.split(' ').find(|body| message.has(body)).map(str::to_owned);
    let named = name(message.get("type")).or_else(found).unwrap_or_default();
    let kind = match named.as_str() {
        "voice" => MessageKind::Audio,
        "hsm" => MessageKind::Template,
        named => MessageKind::from_name(named).unwrap_or(MessageKind::Unknown),
    };
    let body = message.get(&named).filter(|_| !named.is_empty());
    row.set(c::MESSAGE_KIND, Some(kind.code()));
    if kind == MessageKind::Audio {
        let marked = body.and_then(|body| meant::boolean(body.get("voice")));
        row.set(c::VOICE, Some(i32::from(marked.unwrap_or(named == "voice"))));
    }
    if kind == MessageKind::Interactive {
        row.set(c::INTERACTIVE_TYPE, Some(interactive_type(body).code()));
    }
    let Some(body) = body else { return };
    let length = length(kind, body, message);
    // An emptied text leaves its length.
    if let Some(text) = text(kind, body).filter(|text| !text.is_empty() || length.is_none()) {
        let shape = shape(text, record.keys);
        row.set(c::CHARS, Some(shape.chars));
        row.set(c::BYTES, Some(shape.bytes));
        row.set(c::WORDS, Some(shape.words));
        row.set(c::LINES, Some(shape.lines));
        row.set(c::SCRIPT, Some(shape.script.code()));
        row.set(c::TEXT_BITS, Some(shape.bits));
        row.set_list(c::TOKENS, shape.tokens.iter().map(|token| token.cast_signed()).collect());
        row.set(c::SKELETON, Some(shape.skeleton));
        row.set(c::TEXT_BUCKET, Some(shape.bucket));
    } else {
        row.set(c::CHARS, length);
    }
}

fn interactive_type(body: Option<&Json<'_>>) -> InteractiveType {
    let Some(body) = body else { return InteractiveType::Other };
    let named = name(body.get("type")).map(|named| InteractiveType::from_name(&named));
    let found = || InteractiveType::ALL.iter().copied().find(|kind| body.has(kind.name()));
    named.unwrap_or_else(found).unwrap_or(InteractiveType::Other)
}

/// Body of a text or an interactive message, title of a tapped reply, or caption.
fn text<'a>(kind: MessageKind, body: &'a Json<'a>) -> Option<&'a str> {
    let at = |path: &[&str]| body.at(path).and_then(Json::text);
    match kind {
        MessageKind::Text => at(&["body"]).or_else(|| body.text()),
        MessageKind::Image
        | MessageKind::Audio
        | MessageKind::Video
        | MessageKind::Document
        | MessageKind::Sticker => at(&["caption"]),
        MessageKind::Interactive => at(&["button_reply", "title"])
            .or_else(|| at(&["list_reply", "title"]))
            .or_else(|| at(&["body", "text"]))
            .or_else(|| at(&["body"])),
        MessageKind::Button => at(&["text"]),
        _ => None,
    }
}

/// The length of a text that did not come along.
fn length(kind: MessageKind, body: &Json<'_>, message: &Json<'_>) -> Option<i32> {
    let has_text = matches!(
        kind,
        MessageKind::Text
            | MessageKind::Image
            | MessageKind::Audio
            | MessageKind::Video
            | MessageKind::Document
            | MessageKind::Sticker
            | MessageKind::Interactive
            | MessageKind::Button
    );
    let beside = message.get("chars").filter(|chars| !matches!(chars.node, Node::Object(_)));
    let all = [
        body.get("chars"),
        body.at(&["body", "chars"]),
        body.at(&["body", "text", "chars"]),
        body.at(&["text", "chars"]),
        body.at(&["caption", "chars"]),
        body.at(&["button_reply", "chars"]),
        body.at(&["list_reply", "chars"]),
        beside,
    ];
    let chars = all.into_iter().find_map(meant::whole)?;
    let most = i32::try_from(TEXT_BYTES_MAX).unwrap_or(i32::MAX);
    i32::try_from(chars).ok().filter(|chars| has_text && (0..=most).contains(chars))
}
