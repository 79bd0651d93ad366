//! Webhooks: how much of the envelope is there, whose values they are, and what lies in a value.

use turnwise_model::Origin;

use super::json::{Json, Node};
use super::meant::{Id, id, name};
use super::message::Company;
use super::owner::{account_of, sender};
use super::{Letter, Record, Scope, account, elements, message, people, status};

/// What stands around an item.
pub(super) struct Around<'a> {
    pub(super) scope: Scope,
    /// `entry.time`.
    pub(super) entry_time: Option<&'a Json<'a>>,
    /// The field's name, `other` where nobody knows it.
    pub(super) field: String,
    pub(super) contacts: Vec<&'a Json<'a>>,
    /// The business's own number as it is shown, and its id.
    pub(super) display: Option<String>,
}

impl<'a> Around<'a> {
    /// The same with another field and other contacts.
    fn with(&self, field: &str, contacts: Vec<&'a Json<'a>>) -> Self {
        let (scope, display) = (self.scope.clone(), self.display.clone());
        Self { scope, entry_time: self.entry_time, field: field.to_owned(), contacts, display }
    }
}

/// Fields that tell nothing about a number's conversations.
const IGNORED: [&str; 28] = [
    "account_offboarded",
    "account_reconnected",
    "account_review_update",
    "account_settings_update",
    "automatic_events",
    "business_capability_update",
    "business_status_update",
    "business_username_updates",
    "calls",
    "flows",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "partner_solutions",
    "payment_configuration_update",
    "phone_number_name_update",
    "security",
    "smb_app_state_sync",
    "template_category_update",
    "template_correct_category_detection",
    "template_performance_metrics",
    "tracking_events",
    "user_actions",
    "user_preferences",
];

/// Fields that hold messages and the like.
const CONTENT: [&str; 5] =
    ["messages", "smb_message_echoes", "message_echoes", "history", "standby"];

/// Keys that only a value has.
const OF_VALUES: [&str; 8] = [
    "metadata",
    "messages",
    "statuses",
    "message_echoes",
    "standby",
    "history",
    "errors",
    "user_id_update",
];

/// Where the messages of a value stand.
const LIST: &str = "messages";

/// The key of them, which is another where there is one message and no list.
fn messages_of(value: &Json<'_>) -> &'static str {
    let alone = value.get("message").filter(|one| one.is_object() && message::stands_alone(one));
    if alone.is_some() && !value.has(LIST) { "message" } else { LIST }
}

/// A record: one webhook, or a list of them.
pub(super) fn record(record: &mut Record<'_>, root: &Json<'_>) {
    for (path, item) in elements(root) {
        let before = record.items;
        envelope(record, item, &path);
        if record.items == before && !path.is_empty() {
            record.ignored(&Scope::default(), "empty", item.bytes());
        }
    }
}

fn envelope<'a>(record: &mut Record<'_>, root: &'a Json<'a>, path: &str) {
    if !root.is_object() {
        let letter = Letter::at("unknown_shape", path, "", Some(root));
        return record.letter(&Scope::default(), letter, root.bytes());
    }
    if root.get_or_null("entry").is_some() {
        each(record, root, "entry", path, &mut |record, one, path| {
            entry(record, root, one, path);
        });
    } else if root.has("changes") {
        entry(record, root, root, path);
    } else if root.has("value") {
        change(record, &Id::Absent, [None, None], root, path);
    } else {
        bare(record, root, path);
    }
}

/// A message, a status or a value; the field's name may stand in it.
fn bare<'a>(record: &mut Record<'_>, root: &'a Json<'a>, path: &str) {
    let field = field_name(&[root.get("field")]);
    let is_content = field.as_deref().is_some_and(|field| CONTENT.contains(&field));
    let is_known = is_content
        || field.as_deref().is_some_and(|field| account::FIELDS.contains(&field))
        || field.as_deref().is_some_and(is_ignored);
    // With a time of its own the message inside is the event; what is beside it is an envelope's.
    let is_inside = messages_of(root) != LIST && root.at(&["message", "timestamp"]).is_some();
    let is_item = ["from", "recipient_id", "status"].iter().any(|key| root.has(key));
    let is_account = root.has("messaging_product") && account::guess(root).is_some() && !is_item;
    let is_value = is_known || is_account || messages_of(root) != LIST;
    let may_be_alone = !is_inside && !is_account && (is_content || !is_known);
    if message::stands_alone(root) && may_be_alone {
        let account = account_of(root.get("waba_id"), root);
        let around = around(account, None, "messages", root);
        message::alone(record, &around, root, path);
    } else if is_value || OF_VALUES.iter().any(|key| root.has(key)) {
        let account = account_of(root.get("waba_id"), root);
        value(record, account, None, field.as_deref(), root, path);
    } else if !(is_hollow(root) || root.has("object") && is_empty(root)) {
        let letter = Letter::at("unknown_shape", path, "", Some(root));
        record.letter(&Scope::default(), letter, root.bytes());
    }
}

/// An object without a pair.
fn is_hollow(value: &Json<'_>) -> bool {
    matches!(&value.node, Node::Object(pairs) if pairs.is_empty())
}

/// Whether nothing but `object` has anything in it.
fn is_empty(root: &Json<'_>) -> bool {
    let Node::Object(pairs) = &root.node else { return false };
    pairs.iter().all(|(key, value)| match &value.node {
        _ if key == "object" => true,
        Node::Null => true,
        Node::Text(text) => text.trim().is_empty(),
        Node::Array(items) => items.is_empty(),
        Node::Object(pairs) => pairs.is_empty(),
        Node::Bool(_) | Node::Number => false,
    })
}

/// The elements of a list under a key, with their paths; one that is no object is a dead letter.
pub(super) fn each<'a>(
    record: &mut Record<'_>,
    parent: &'a Json<'a>,
    key: &str,
    path: &str,
    then: &mut dyn FnMut(&mut Record<'_>, &'a Json<'a>, &str),
) {
    let Some(list) = parent.get(key) else { return };
    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (at, one) in elements(list) {
        let path = format!("{path}{at}");
        if one.is_object() {
            then(record, one, &path);
        } else {
            let letter = Letter::at("wrong_type", &path, "", Some(one));
            record.letter(&Scope::default(), letter, one.bytes());
        }
    }
}

fn entry<'a>(record: &mut Record<'_>, root: &Json<'_>, entry: &'a Json<'a>, path: &str) {
    let account = account_of(entry.get("id"), root);
    let around = [entry.get("time"), entry.get("field")];
    each(record, entry, "changes", path, &mut |record, one, path| {
        change(record, &account, around, one, path);
    });
    if entry.get_or_null("changes").is_none() && !is_hollow(entry) {
        let is_other = entry.has("messaging") || entry.has("standby");
        let scope = Scope { waba_id: account, sender: Id::Absent };
        record.ignored(&scope, if is_other { "other" } else { "empty" }, entry.bytes());
    }
}

/// The first name of a field, in one spelling.
fn field_name(places: &[Option<&Json<'_>>]) -> Option<String> {
    let named = places.iter().find_map(|place| name(*place))?.replace('-', "_");
    Some(match named.as_str() {
        "business_username_update" => "business_username_updates".to_owned(),
        "group_participant_update" => "group_participants_update".to_owned(),
        _ => named,
    })
}

fn change<'a>(
    record: &mut Record<'_>,
    account: &Id,
    [entry_time, entry_field]: [Option<&'a Json<'a>>; 2],
    change: &'a Json<'a>,
    path: &str,
) {
    let inside = change.at(&["value", "field"]);
    let mut field = field_name(&[change.get("field"), inside, entry_field]);
    let borrowed = name(change.get("field")).is_none() && field.as_deref().is_some_and(is_ignored);
    let lists = ["messages", "statuses", "message_echoes", "standby", "history"];
    if borrowed && lists.iter().any(|list| change.at(&["value", list]).is_some()) {
        field = None;
    }
    let path = if path.is_empty() { "value".to_owned() } else { format!("{path}.value") };
    let scope = Scope { waba_id: account.clone(), sender: Id::Absent };
    let inner = change.get("value");
    if let Some(inner) = inner.filter(|inner| inner.is_object()) {
        return value(record, account.clone(), entry_time, field.as_deref(), inner, &path);
    }
    match (inner, field.as_deref()) {
        (inner, Some(field)) if is_ignored(field) => {
            record.ignored(&scope, shown(field), inner.map_or(0, |inner| inner.bytes()));
        }
        (Some(inner), _) => {
            record.letter(&scope, Letter::at("wrong_type", &path, "", Some(inner)), inner.bytes());
        }
        (None, Some(field)) if !CONTENT.contains(&field) && !account::FIELDS.contains(&field) => {
            record.ignored(&scope, "other", 0);
        }
        (None, _) if is_hollow(change) => {}
        (None, _) => record.ignored(&scope, "empty", 0),
    }
}

/// Whether a field is no evidence, also where it is a new one of a known family.
fn is_ignored(field: &str) -> bool {
    let families = ["group_", "template_", "message_template_"];
    IGNORED.contains(&field) || families.iter().any(|family| field.starts_with(family))
}

/// The name that an ignored field is shown by.
fn shown(field: &str) -> &'static str {
    IGNORED.into_iter().find(|known| *known == field).unwrap_or("other")
}

/// The field of a value that is no evidence, where its keys tell.
fn guess_ignored(value: &Json<'_>) -> Option<&'static str> {
    let has = |keys: &[&str]| keys.iter().all(|key| value.has(key));
    if has(&["message_template_id", "new_quality_score"]) {
        Some("message_template_quality_update")
    } else if has(&["message_template_id", "new_category"]) {
        Some("template_category_update")
    } else if has(&["message_template_id", "event"]) {
        Some("message_template_status_update")
    } else if has(&["flow_id", "event"]) {
        Some("flows")
    } else if has(&["decision", "display_phone_number"]) {
        Some("phone_number_name_update")
    } else if has(&["decision"]) {
        Some("account_review_update")
    } else if has(&["max_daily_conversation_per_phone"]) {
        Some("business_capability_update")
    } else if has(&["requester", "event"]) {
        Some("security")
    } else if has(&["solution_id"]) {
        Some("partner_solutions")
    } else {
        has(&["provider_name", "configuration_name"]).then_some("payment_configuration_update")
    }
}

fn around<'a>(
    account: Id,
    entry_time: Option<&'a Json<'a>>,
    field: &str,
    value: &'a Json<'a>,
) -> Around<'a> {
    Around {
        scope: Scope { waba_id: account, sender: sender(value) },
        entry_time,
        field: field.to_owned(),
        contacts: value.get("contacts").map(Json::list).unwrap_or_default(),
        display: id(value.at(&["metadata", "display_phone_number"])).known().map(str::to_owned),
    }
}

/// Whether the only contact is whom a gateway's session wrote to: such a gateway has the number for
/// the number's id.
pub(super) fn is_chat_of_gateway(around: &Around<'_>) -> bool {
    let number = around.display.as_deref().map(people::spelled);
    let sender = around.scope.sender.known().map(people::spelled);
    let [one] = around.contacts[..] else { return false };
    number.as_deref().is_some_and(people::is_number)
        && number == sender
        && ["wa_id", "user_id"].iter().any(|key| id(one.get(key)) != Id::Absent)
        && !message::is_business(around, one)
}

fn value<'a>(
    record: &mut Record<'_>,
    account: Id,
    entry_time: Option<&'a Json<'a>>,
    field: Option<&str>,
    value: &'a Json<'a>,
    path: &str,
) {
    let is_content = field.is_some_and(|field| CONTENT.contains(&field));
    let is_account = field.is_some_and(|field| account::FIELDS.contains(&field));
    let is_no_evidence = !is_content && !is_account && field.is_some_and(is_ignored);
    let chunks = value.get("history").map(|history| history.list()).unwrap_or_default();
    let is_filled =
        |chunk: &&Json<'_>| matches!(&chunk.node, Node::Object(pairs) if !pairs.is_empty());
    let has_history = chunks.iter().any(is_filled);
    let unnamed = if field.is_none() && has_history { "history" } else { "other" };
    let known = field.filter(|_| is_content || is_account).unwrap_or(unnamed);
    let is_of_flow = field.or_else(|| guess_ignored(value)) == Some("flows");
    let around = around(account, entry_time, known, value);
    let rows_before = record.rows.len();
    if !is_no_evidence {
        content(record, &around, is_content, value, path);
    }
    let has_messages = value.get(messages_of(value)).is_some_and(|list| !list.list().is_empty());
    // A flow's are figures.
    if !has_messages && !is_of_flow {
        let named = if known == "other" { "messages" } else { known };
        each(record, value, "errors", path, &mut |record, one, path| {
            account::error(record, &around, named, one, path);
        });
    }
    if let Some(field) = field.filter(|_| is_no_evidence) {
        return record.ignored(&around.scope, shown(field), value.bytes());
    }
    if is_account {
        account::event(record, &around, known, value, path);
    } else {
        if !is_content && let Some(guessed) = account::guess(value) {
            account::event(record, &around, guessed, value, path);
        }
        for name in ["calls", "user_actions"] {
            if let Some(list) = value.get(name) {
                record.ignored(&around.scope, name, list.bytes());
            }
        }
    }
    if record.rows.len() > rows_before {
        return;
    }
    // Nothing disappears: what gave no row is one.
    if let Some(guessed) = guess_ignored(value).filter(|_| field.is_none()) {
        return record.ignored(&around.scope, guessed, value.bytes());
    }
    let has_any = |keys: &[&str]| keys.iter().any(|key| value.get_or_null(key).is_some());
    let is_empty = is_hollow(value) || has_any(&OF_VALUES[1..]);
    let is_void = is_empty || has_any(&["metadata", "contacts"]);
    let is_new = field.is_some() && !is_content && !is_account;
    if field.is_none() && !is_void {
        let letter = Letter::at("unknown_shape", path, "", Some(value));
        record.letter(&around.scope, letter, value.bytes());
    } else if is_account || is_empty && !is_new {
        record.ignored(&around.scope, "empty", value.bytes());
    } else {
        record.ignored(&around.scope, "other", value.bytes());
    }
}

/// Messages, echoes and statuses, then their copies on standby, then history.
fn content<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    is_named: bool,
    value: &'a Json<'a>,
    path: &str,
) {
    let (live, app) = match around.field.as_str() {
        "standby" => (Origin::Standby, Origin::Standby),
        "history" => (Origin::Live, Origin::History),
        _ => (Origin::Live, Origin::App),
    };
    // Only the field's name says of all the lists that they are past.
    let beside = match around.field.as_str() {
        "history" if !is_named => around.with("other", around.contacts.clone()),
        field => around.with(field, around.contacts.clone()),
    };
    let counts = counts(value);
    lists(record, &beside, (value, messages_of(value)), path, [live, app], &counts);
    if let Some(standby) = value.get("standby") {
        let path = format!("{path}.standby");
        match &standby.node {
            Node::Object(_) | Node::Array(_) => {
                for copies in standby.list() {
                    // A copy may have contacts of its own, of its own items.
                    let length = |list: &Json<'_>| list.list().len();
                    let own = copies.get("contacts");
                    let own = own.map(|own| beside.with(&beside.field, own.list()));
                    let keys = ["messages", "message_echoes", "statuses"];
                    let counts = match own {
                        Some(_) => keys.map(|key| copies.get(key).map_or(0, length)).to_vec(),
                        None => counts.clone(),
                    };
                    let around = own.as_ref().unwrap_or(&beside);
                    lists(record, around, (copies, LIST), &path, [Origin::Standby; 2], &counts);
                }
            }
            _ => {
                let letter = Letter::at("wrong_type", &path, "", Some(standby));
                record.letter(&around.scope, letter, standby.bytes());
            }
        }
    }
    each(record, value, "history", path, &mut |record, chunk, path| {
        each(record, chunk, "threads", path, &mut |record, thread, path| {
            each(record, thread, "messages", path, &mut |record, one, path| {
                message::past(record, around, Some(thread), one, path);
            });
        });
        each(record, chunk, "messages", path, &mut |record, one, path| {
            message::past(record, around, None, one, path);
        });
        each(record, chunk, "errors", path, &mut |record, one, path| {
            account::error(record, around, "history", one, path);
        });
    });
}

/// How many items stand in each list of a value and of its copies on standby, and how many chunks
/// of history.
fn counts(value: &Json<'_>) -> Vec<usize> {
    let copies = value.get("standby").map(Json::list).unwrap_or_default();
    let copies = copies.into_iter().map(|copy| (copy, LIST));
    let holders = std::iter::once((value, messages_of(value))).chain(copies);
    let lists = holders.flat_map(|(holder, messages)| {
        [messages, "message_echoes", "statuses"].map(|key| holder.get(key))
    });
    lists.chain([value.get("history")]).flatten().map(|list| list.list().len()).collect()
}

fn lists<'a>(
    record: &mut Record<'_>,
    around: &Around<'a>,
    (value, messages): (&'a Json<'a>, &str),
    path: &str,
    [live, app]: [Origin; 2],
    counts: &[usize],
) {
    let company = |key| {
        let own = value.get(key).map_or(0, |list| list.list().len());
        match counts.iter().sum::<usize>() {
            all if all <= 1 => Company::Nobody,
            all if all == own => Company::SameList,
            _ => Company::OtherLists,
        }
    };
    let beside = company(messages);
    each(record, value, messages, path, &mut |record, one, path| {
        // Beside a history without a field's name, what people wrote is not past.
        let is_past = match app {
            Origin::History => !message::is_persons(around, one),
            _ => false,
        };
        if is_past || around.field == "history" {
            message::past(record, around, None, one, path);
        } else if ["smb_message_echoes", "message_echoes"].contains(&around.field.as_str()) {
            message::echoed(record, around, app, beside, one, path);
        } else {
            message::received(record, around, live, beside, one, path);
        }
    });
    let beside = company("message_echoes");
    each(record, value, "message_echoes", path, &mut |record, one, path| {
        message::echoed(record, around, app, beside, one, path);
    });
    let beside = company("statuses");
    each(record, value, "statuses", path, &mut |record, one, path| {
        status::status(record, around, live, beside, one, path);
    });
}
