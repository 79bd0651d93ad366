//! Whose values are: the account, unless a person stands there, and the number.

use super::json::{Json, Node};
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
    let numbers = found.known().map(people::digits_in).unwrap_or_default();
    let number = numbers.into_iter().find(|number| (7..=15).contains(&number.len()));
    let Some(number) = number else { return found };
    let display = id(value.at(&["metadata", "display_phone_number"]));
    let shown = display.known().and_then(|shown| people::digits_in(shown).into_iter().next());
    // Perhaps as it is dialled at home.
    let end = &number[number.len().saturating_sub(8)..];
    if shown.as_ref().is_some_and(|shown| shown.ends_with(end)) {
        return found;
    }
    let is_it = |named: Option<&Json<'_>>| {
        id(named).known().is_some_and(|own| people::is_one_person(own, &number))
    };
    let mut copies = vec![value];
    copies.extend(value.get("standby").map(Json::list).unwrap_or_default());
    let has_echoes = !list(value, "message_echoes").is_empty();
    let is_persons = copies.into_iter().any(|copy| {
        let contacts = list(copy, "contacts");
        let is_contact = |contact: &Json<'_>| is_it(contact.get("wa_id"));
        let to_nobody = |message: &Json<'_>| {
            let to = id(message.get("to"));
            let shown = shown.as_deref().unwrap_or_default();
            to.known().is_none_or(|to| people::is_one_person(to, shown))
        };
        let messages = [list(copy, "messages"), list(copy, "message")].concat();
        let is_alone = |one: &Json<'_>| is_it(one.get("from")) && to_nobody(one);
        !has_echoes && contacts.iter().any(is_contact)
            || contacts.iter().all(is_contact) && messages.iter().any(is_alone)
            || is_party(copy, "", &is_it)
    });
    if is_persons { Id::Absent } else { found }
}

fn list<'a>(value: &Json<'a>, key: &str) -> Vec<Json<'a>> {
    value.get(key).map(Json::list).unwrap_or_default().into_iter().cloned().collect()
}

/// Whether somebody stands where only people do; contacts are looked at elsewhere.
fn is_party(value: &Json<'_>, party: &str, is_it: &dyn Fn(Option<&Json<'_>>) -> bool) -> bool {
    const PEOPLE: [&str; 7] = [
        "customer",
        "new_wa_id",
        "participant_recipient_id",
        "previous_wa_id",
        "recipient_id",
        "recipient_participant_id",
        "wa_id",
    ];
    value.list().into_iter().any(|one| {
        let Node::Object(pairs) = &one.node else { return false };
        pairs.iter().any(|(key, inner)| match (&inner.node, key.as_str()) {
            (Node::Object(_) | Node::Array(_), "contacts") => false,
            (Node::Object(_) | Node::Array(_), key) => {
                let party = match key {
                    "message_echoes" => "to",
                    "threads" => "id",
                    "contact" | "sender" => "phone_number",
                    _ => party,
                };
                is_party(inner, party, is_it)
            }
            (_, key) => (key == party || PEOPLE.contains(&key)) && is_it(Some(inner)),
        })
    })
}
