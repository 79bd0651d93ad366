//! Whose values are: the account, unless a person stands there, and the number.

use super::json::Json;
use super::meant::{Id, id};
use super::people;

/// The account that an id names, unless a person in the record has that number.
pub(super) fn account_of(named: Option<&Json<'_>>, root: &Json<'_>) -> Id {
    id(named).of_owner().unless_number(|number| people::are_named(root, number))
}

/// The id of the number that a value is of; it is nobody's whom the value names, but for samples in
/// which all have one number.
pub(super) fn sender(value: &Json<'_>) -> Id {
    let paths: [&[&str]; 3] =
        [&["metadata", "phone_number_id"], &["phone_number_id"], &["recipient", "phone_number_id"]];
    let mut ids = paths.iter().map(|path| id(value.at(path)).of_sender());
    let found = ids.find(|id| *id != Id::Absent).unwrap_or(Id::Absent);
    let number = found.known().map(people::spelled).filter(|number| people::is_number(number));
    let Some(number) = number else { return found };
    let display = id(value.at(&["metadata", "display_phone_number"]));
    let shown = display.known().map(people::spelled).filter(|shown| people::is_number(shown));
    if shown.as_ref().is_some_and(|shown| people::is_same_number(shown, &number)) {
        return found;
    }
    let is_it = |named: Option<&Json<'_>>| {
        id(named).known().is_some_and(|own| people::is_same_number(own, &number))
    };
    let list = |key: &str| value.get(key).map(Json::list).unwrap_or_default();
    let any = |key: &str, place: &str| list(key).into_iter().any(|item| is_it(item.get(place)));
    let is_alone = list("contacts").into_iter().all(|contact| is_it(contact.get("wa_id")));
    let wrote_to_nobody = (7..=15).contains(&number.len())
        && is_alone
        && list("messages").into_iter().any(|one| is_it(one.get("from")) && !one.has("to"));
    let is_contact = list("message_echoes").is_empty() && any("contacts", "wa_id");
    let threads = |chunk: &Json<'_>| {
        let threads = chunk.get("threads").map(Json::list).unwrap_or_default();
        threads.into_iter().any(|thread| is_it(thread.get("id")))
    };
    let is_persons = any("statuses", "recipient_id")
        || any("user_preferences", "wa_id")
        || list("history").into_iter().any(threads)
        || shown.is_some() && (is_contact || wrote_to_nobody);
    if is_persons { Id::Absent } else { found }
}
