//! The contacts of a value, by which its messages and statuses find the person that they are of.
//!
//! A value may hold as many contacts as messages, each with as many keys as it likes. So they are
//! read once, and found by what they are looked for by: a lookup costs the same however many there
//! are.

use std::borrow::Cow;
use std::rc::Rc;

use hashbrown::HashMap;

use crate::json::Value;
use crate::meant::{self, Id};
use crate::peer::{self, Peer};

/// A contact as far as it tells who it is.
#[derive(Debug)]
pub(crate) struct Contact<'a> {
    pub(crate) wa_id: Id<'a>,
    pub(crate) user_id: Id<'a>,
}

/// See the module. Clones share what was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contacts<'a>(Option<Rc<Known<'a>>>);

#[derive(Debug, Default)]
struct Known<'a> {
    /// How many there are, with those that name nobody.
    count: usize,
    /// Those that name somebody.
    contacts: Vec<Contact<'a>>,
    /// The first contact of each name, by its place.
    first: HashMap<Name<'a>, u32>,
}

/// What a contact is found by.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Name<'a> {
    /// A number in its one spelling.
    Phone(Cow<'a, str>),
    /// The last digits of a long number: see [`peer::same_phone`].
    Last([u8; peer::SAME_DIGITS]),
    User(Cow<'a, str>),
}

impl<'a> Contact<'a> {
    pub(crate) fn read(value: Value<'a>) -> Self {
        Self { wa_id: meant::id(value.get("wa_id")), user_id: meant::id(value.get("user_id")) }
    }
}

impl<'a> Contacts<'a> {
    /// The contacts of a list, or the one that stands alone.
    pub(crate) fn read(value: Option<Value<'a>>) -> Self {
        let Some(value) = value else { return Self::default() };
        let mut known = Known::default();
        value.items().map(Contact::read).for_each(|contact| known.add(contact));
        Self(Some(Rc::new(known)))
    }

    /// The first contact that a peer is: by its number, or its user id. The only contact is taken
    /// for a peer that it does not contradict, and for the peer of the only item, `alone`.
    pub(crate) fn of(&self, peer: &Peer<'_>, alone: bool) -> Option<&Contact<'a>> {
        let known = self.0.as_deref()?;
        let by_phone = peer.phone_text().and_then(|phone| known.by_phone(phone));
        let by_user = peer.user_text().and_then(|user| known.place(&Name::User(user.into())));
        let found = by_phone.into_iter().chain(by_user).min();
        if let Some(place) = found {
            return known.contacts.get(place as usize);
        }
        let only = known.contacts.first().filter(|_| known.count == 1)?;
        let has_phone = matches!(only.wa_id, Id::Some(_));
        (alone || peer.has_none() || !has_phone).then_some(only)
    }
}

impl<'a> Known<'a> {
    fn add(&mut self, contact: Contact<'a>) {
        self.count += 1;
        if contact.wa_id == Id::None && contact.user_id == Id::None {
            return;
        }
        let place = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX);
        let mut put = |name| {
            self.first.entry(name).or_insert(place);
        };
        if let Id::Some(phone) = &contact.wa_id {
            let phone = peer::normal_phone_of(phone);
            if let Some(last) = peer::last_of_long(&phone) {
                put(Name::Last(last));
            }
            put(Name::Phone(phone));
        }
        if let Id::Some(user) = &contact.user_id {
            put(Name::User(user.clone()));
        }
        self.contacts.push(contact);
    }

    fn by_phone(&self, phone: &str) -> Option<u32> {
        let phone = peer::normal_phone(phone);
        let by_last = peer::last_of_long(&phone).and_then(|last| self.place(&Name::Last(last)));
        self.place(&Name::Phone(phone)).into_iter().chain(by_last).min()
    }

    fn place(&self, name: &Name<'_>) -> Option<u32> {
        self.first.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Tape;
    use crate::peer::same_phone;

    /// The plain version: every contact is looked at.
    fn looked_for(contacts: &[Contact<'_>], peer: &Peer<'_>, alone: bool) -> Option<usize> {
        let is_one = |contact: &Contact<'_>| {
            let by_phone = contact.wa_id.clone().some().zip(peer.phone_text());
            let by_user = contact.user_id.clone().some().zip(peer.user_text());
            by_phone.is_some_and(|(one, other)| same_phone(&one, other))
                || by_user.is_some_and(|(one, other)| one == other)
        };
        contacts.iter().position(is_one).or_else(|| {
            let [only] = contacts else { return None };
            let has_phone = only.wa_id.clone().some().is_some();
            (alone || peer.has_none() || !has_phone).then_some(0)
        })
    }

    fn as_ids<'a>(contact: &Contact<'a>) -> (Id<'a>, Id<'a>) {
        (contact.wa_id.clone(), contact.user_id.clone())
    }

    fn id() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            "null",
            r#""""#,
            r#""1""#,
            r#""+1""#,
            r#""4915112345678""#,
            r#""+49 151-12345678""#,
            r#""04915212345678""#,
            r#""x12345678""#,
            r#""US.1""#,
            r#""\u0055S.1""#,
            "4915112345678",
        ])
        .prop_map(str::to_owned)
    }

    proptest! {
        #[test]
        fn contacts_are_found_as_by_looking_at_each(
            ids in prop::collection::vec((id(), id()), 0..5),
            (phone, user) in (id(), id()),
            alone in any::<bool>(),
        ) {
            let object = |(wa_id, user_id): &(String, String)| {
                format!(r#"{{"wa_id":{wa_id},"user_id":{user_id}}}"#)
            };
            let list: Vec<String> = ids.iter().map(object).collect();
            let json = format!("[[{}],{{\"phone\":{phone},\"user\":{user}}}]", list.join(","));
            let mut tape = Tape::default();
            let root = tape.parse(&json).expect("JSON");
            let (list, peer) = (root.items().next(), root.items().nth(1));
            let peer = |key| peer.and_then(|peer| peer.get(key));
            let peer = Peer::default().phone_or_user(peer("phone")).user(peer("user"));
            let all: Vec<_> = list.expect("a list").items().map(Contact::read).collect();
            let expected = looked_for(&all, &peer, alone).map(|at| &all[at]);
            let known = Contacts::read(list);
            let is_anybody = |(wa_id, user_id): &(Id<'_>, Id<'_>)| {
                *wa_id != Id::None || *user_id != Id::None
            };
            prop_assert_eq!(
                known.of(&peer, alone).map(as_ids),
                expected.map(as_ids).filter(is_anybody)
            );
        }
    }
}
