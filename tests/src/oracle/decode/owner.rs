//! Whose values are: the account, unless a person stands there, and the number.

use super::json::Json;
use super::meant::{Id, id};
use super::people;

/// The account that an id names, unless a person in the record has that number.
pub(super) fn account_of(named: Option<&Json<'_>>, root: &Json<'_>) -> Id {
    id(named).of_owner().unless_number(|number| people::are_named(root, number))
}

/// The id of the number that a value is of: the first that is nobody's whom the value names.
pub(super) fn sender(value: &Json<'_>) -> Id {
    let paths: [&[&str]; 3] =
        [&["metadata", "phone_number_id"], &["phone_number_id"], &["recipient", "phone_number_id"]];
    let mut ids = paths.iter().map(|path| id(value.at(path)).of_sender());
    ids.find(|id| *id != Id::Absent && !is_persons(value, id)).unwrap_or(Id::Absent)
}

/// Whether an id is that of a person whom the value names. In samples all have one number.
fn is_persons(value: &Json<'_>, named: &Id) -> bool {
    let numbers = named.known().map(people::digits_in).unwrap_or_default();
    let may_be = |number: &String| (7..=15).contains(&number.len());
    let number = numbers.into_iter().find(may_be);
    let Some(number) = number else { return false };
    let display = id(value.at(&["metadata", "display_phone_number"]));
    let shown = display.known().and_then(|shown| people::digits_in(shown).into_iter().find(may_be));
    // Perhaps as it is dialled at home.
    let end = &number[number.len().saturating_sub(8)..];
    if shown.as_ref().is_some_and(|shown| shown.ends_with(end)) {
        return false;
    }
    let is_it = |named: &str| people::is_one_person(named, &number);
    let at = |one: &Json<'_>, path: &str| {
        let path: Vec<&str> = path.split('.').collect();
        id(one.at(&path)).known().map(str::to_owned)
    };
    let mut copies = vec![value.clone()];
    copies.extend(list(value, "standby"));
    let mut where_people_stand: Vec<String> =
        at(value, "sender.phone_number").into_iter().collect();
    for thread in list(value, "history").iter().flat_map(|chunk| list(chunk, "threads")) {
        where_people_stand.extend(at(&thread, "id"));
        where_people_stand.extend(at(&thread, "context.wa_id"));
    }
    for (key, paths) in PEOPLE {
        for one in copies.iter().flat_map(|copy| list(copy, key)) {
            where_people_stand.extend(paths.iter().filter_map(|path| at(&one, path)));
        }
    }
    let mut contacts_are_it = true;
    for copy in &copies {
        let contacts = list(copy, "contacts");
        let of_contacts: Vec<_> =
            contacts.iter().filter_map(|contact| at(contact, "wa_id")).collect();
        contacts_are_it &= of_contacts.iter().all(|wa_id| is_it(wa_id));
        if shown.is_some() || list(copy, "message_echoes").is_empty() {
            where_people_stand.extend(of_contacts);
        }
    }
    let mut is_person = where_people_stand.iter().any(|one| is_it(one));
    let mut is_somebody_else = where_people_stand.iter().any(|one| !is_it(one));
    let copied = |key| copies.iter().flat_map(move |copy| list(copy, key));
    for message in copied("messages").chain(copied("message")) {
        let to = at(&message, "to");
        let is_shown =
            |to: &str| shown.as_deref().is_some_and(|shown| people::is_one_person(to, shown));
        let to_other = to.as_deref().is_some_and(|to| !is_it(to) && !is_shown(to))
            || ["group_id", "recipient", "to_user_id"].iter().any(|key| message.has(key));
        let from = at(&message, "from");
        let is_its = from.as_deref().is_some_and(is_it);
        is_person |= is_its && !to_other && contacts_are_it;
        is_person |= to.as_deref().is_some_and(is_it) && from.as_deref().is_some_and(is_shown);
        is_somebody_else |= to_other || from.is_some() && !is_its;
    }
    is_person && (shown.is_some() || !is_somebody_else)
}

/// Lists of which these paths lead to people alone.
const PEOPLE: [(&str, &[&str]); 8] = [
    ("message", &["system.customer", "system.new_wa_id", "system.previous_wa_id", "system.wa_id"]),
    ("messages", &["system.customer", "system.new_wa_id", "system.previous_wa_id", "system.wa_id"]),
    ("message_echoes", &["to"]),
    ("messaging_handovers", &["sender.phone_number"]),
    ("state_sync", &["contact.phone_number"]),
    ("statuses", &["participant_recipient_id", "recipient_id", "recipient_participant_id"]),
    ("user_id_update", &["wa_id"]),
    ("user_preferences", &["wa_id"]),
];

fn list<'a>(value: &Json<'a>, key: &str) -> Vec<Json<'a>> {
    value.get(key).map(Json::list).unwrap_or_default().into_iter().cloned().collect()
}
