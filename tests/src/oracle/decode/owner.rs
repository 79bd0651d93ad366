//! Whose values are: the account, unless a person stands there, and the number.

use super::json::Json;
use super::meant::{Id, id};
use super::people;

/// The account that an id names, unless one of these names a person by that number.
pub(super) fn account_of(
    named: Option<&Json<'_>>,
    all: &[&Json<'_>],
    are_named: impl Fn(&Json<'_>, &str) -> bool,
) -> Id {
    let is_persons =
        |number: &str| all.iter().any(|one| !is_of_number(one, number) && are_named(one, number));
    id(named).of_owner().unless_number(is_persons)
}

pub(super) fn is_of_number(value: &Json<'_>, number: &str) -> bool {
    sender(value).known().is_some_and(|sender| people::spelled(sender) == number)
}

/// The id of the number that a value is of; it is no contact's, where another number is shown.
pub(super) fn sender(value: &Json<'_>) -> Id {
    let paths: [&[&str]; 3] =
        [&["metadata", "phone_number_id"], &["phone_number_id"], &["recipient", "phone_number_id"]];
    let mut ids = paths.iter().map(|path| id(value.at(path)).of_sender());
    let found = ids.find(|id| *id != Id::Absent).unwrap_or(Id::Absent);
    let number = found.known().map(people::spelled).filter(|number| people::is_number(number));
    let Some(number) = number else { return found };
    let display = id(value.at(&["metadata", "display_phone_number"]));
    let shows_another = display.known().is_some_and(|display| {
        people::is_number(&people::spelled(display)) && !people::is_same_number(display, &number)
    });
    let list = |key| value.get(key).map(Json::list).unwrap_or_default();
    let is_it = |contact: &Json<'_>| {
        id(contact.get("wa_id")).known().is_some_and(|own| people::spelled(own) == number)
    };
    let is_contact = list("contacts").into_iter().any(is_it);
    if shows_another && is_contact && list("message_echoes").is_empty() {
        Id::Absent
    } else {
        found
    }
}
