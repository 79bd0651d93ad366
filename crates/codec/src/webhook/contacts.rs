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
    /// Whether it is one as a member of a group.
    pub(crate) is_of_group: bool,
}

/// What else stands in the value that an item stands in, all its lists together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// Nothing.
    Alone,
    /// Items of its own list, and no others.
    Alike,
    /// Items of other lists.
    Mixed,
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
    /// The ends of a long number: see [`peer::same_phone`].
    Ends(peer::Ends),
    User(Cow<'a, str>),
}

impl<'a> Contact<'a> {
    pub(crate) fn read(value: Value<'a>) -> Self {
        Self {
            wa_id: meant::id(value.get("wa_id")),
            user_id: meant::id(value.get("user_id")),
            is_of_group: meant::id(value.get("group_id")) != Id::None,
        }
    }

    /// Whether it is known to be somebody else: by its number or its user id. Masked numbers tell
    /// nothing.
    fn contradicts(&self, peer: &Peer<'_>) -> bool {
        let own = Peer::default().contact(Some(self));
        let phones = own.phone_text().zip(peer.phone_text());
        let users = own.user_text().zip(peer.user_text());
        let is_whole = |phone: &str| !peer::is_masked(phone);
        let is_other = |(one, other): (&str, &str)| {
            is_whole(one) && is_whole(other) && !peer::same_phone(one, other)
        };
        phones.is_some_and(is_other) || users.is_some_and(|(one, other)| one != other)
    }
}

impl Company {
    /// Of the items of a list that has `own` of the `all` items of its value.
    pub(crate) fn of(own: usize, all: usize) -> Self {
        match all {
            0 | 1 => Self::Alone,
            all if own == all => Self::Alike,
            _ => Self::Mixed,
        }
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

    /// The only contact, if it names somebody.
    pub(crate) fn only(&self) -> Option<&Contact<'a>> {
        self.0.as_deref()?.only()
    }

    /// The first contact that a peer is: by its number, or its user id; where there is none by a
    /// number that means the same. The only contact is taken for the peer of the only item, unless
    /// it contradicts it, and for items of one list that name nobody.
    pub(crate) fn of(&self, peer: &Peer<'_>, company: Company) -> Option<&Contact<'a>> {
        let known = self.0.as_deref()?;
        // A masked number is the same for many people.
        let whole = peer.phone_text().filter(|phone| !peer::is_masked(phone));
        let phone = whole.map(peer::normal_phone);
        let ends = phone.as_deref().and_then(peer::ends_of_long);
        let by_phone = phone.and_then(|phone| known.place(&Name::Phone(phone)));
        let by_user = peer.user_text().and_then(|user| known.place(&Name::User(user.into())));
        let by_id = by_phone.into_iter().chain(by_user).min();
        if let Some(place) = by_id.or_else(|| known.place(&Name::Ends(ends?))) {
            return known.contacts.get(place as usize);
        }
        let only = known.only()?;
        let is_it = match company {
            Company::Alone => !only.contradicts(peer),
            Company::Alike => peer.has_none(),
            Company::Mixed => false,
        };
        is_it.then_some(only)
    }
}

impl<'a> Known<'a> {
    /// The only contact, if it names somebody.
    fn only(&self) -> Option<&Contact<'a>> {
        self.contacts.first().filter(|_| self.count == 1)
    }

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
            if let Some(ends) = peer::ends_of_long(&phone) {
                put(Name::Ends(ends));
            }
            put(Name::Phone(phone));
        }
        if let Id::Some(user) = &contact.user_id {
            put(Name::User(user.clone()));
        }
        self.contacts.push(contact);
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
    use crate::peer::{normal_phone, same_phone};
    use crate::testing::Row;
    use crate::webhook::tests::{phone, rows, user};

    /// The plain version: every contact is looked at.
    fn looked_for(contacts: &[Contact<'_>], peer: &Peer<'_>, company: Company) -> Option<usize> {
        let has_phone = |contact: &Contact<'_>, is_it: fn(&str, &str) -> bool| {
            let by_phone = contact.wa_id.clone().some().zip(peer.phone_text());
            by_phone.is_some_and(|(one, other)| !other.contains('*') && is_it(&one, other))
        };
        let is_one = |contact: &Contact<'_>| {
            let by_user = contact.user_id.clone().some().zip(peer.user_text());
            has_phone(contact, |one, other| normal_phone(one) == normal_phone(other))
                || by_user.is_some_and(|(one, other)| one == other)
        };
        let is_like = |contact: &Contact<'_>| has_phone(contact, same_phone);
        let found = contacts.iter().position(is_one);
        found.or_else(|| contacts.iter().position(is_like)).or_else(|| {
            let [only] = contacts else { return None };
            let has_none = peer.phone_text().is_none() && peer.user_text().is_none();
            // In the list below all numbers but one are whole, and one user id stands as a number.
            let wa_id = only.wa_id.clone().some().filter(|id| !id.starts_with("US."));
            let user = only.wa_id.clone().some().filter(|id| id.starts_with("US."));
            let user = user.or_else(|| only.user_id.clone().some());
            let is_masked = |phone: &str| phone.contains('*');
            let other_phone = wa_id.zip(peer.phone_text()).is_some_and(|(one, other)| {
                !same_phone(&one, other) && !is_masked(&one) && !is_masked(other)
            });
            let other_user = user.zip(peer.user_text()).is_some_and(|(one, other)| one != other);
            let is_it = match company {
                Company::Alone => !other_phone && !other_user,
                Company::Alike => has_none,
                Company::Mixed => false,
            };
            is_it.then_some(0)
        })
    }

    #[test]
    fn contact_of_the_very_number_goes_before_one_that_is_like_it() {
        let contact =
            |phone: &str, user: &str| format!(r#"{{"wa_id":"{phone}","user_id":"{user}"}}"#);
        let told = |contacts: &[String], who: &str| {
            let message = format!(
                r#"{{{who},"id":"a","timestamp":1794096147,"type":"text","text":{{"body":"x"}}}}"#
            );
            let value = format!(r#""contacts":[{}],"messages":[{message}]"#, contacts.join(","));
            rows("messages", &value).remove(0).get("peer_user").to_owned()
        };
        // Two countries: neither is like the other.
        let (german, brazilian) =
            (contact("4915112345678", "DE.A"), contact("5511912345678", "BR.B"));
        let from = r#""from":"5511912345678""#;
        assert_eq!(told(&[german.clone(), brazilian.clone()], from), user("BR.B"));
        assert_eq!(told(&[german.clone(), contact("777", "US.7")], from), "");
        assert_eq!(told(&[german, brazilian], r#""from":"4915112345678""#), user("DE.A"));
        // Two towns of one, and a number with and without its ninth digit.
        let paulista = contact("5511912345678", "BR.A");
        let carioca = contact("5521912345678", "BR.B");
        let short = contact("552112345678", "BR.C");
        let from = r#""from":"5521912345678""#;
        assert_eq!(told(&[paulista, carioca], from), user("BR.B"));
        assert_eq!(told(&[short, contact("777", "US.7")], from), user("BR.C"));
    }

    #[test]
    fn only_contact_is_of_the_only_item_of_all_lists() {
        let rows = |contact: &str, lists: &str| {
            rows("messages", &format!(r#""contacts":[{{{contact}}}],{lists}"#))
        };
        let ids = |row: &Row| [row.get("peer_phone"), row.get("peer_user")].map(str::to_owned);
        let both = r#""wa_id":"16505551111","user_id":"US.1""#;
        let message = r#"{"from":"16505551111","id":"a","timestamp":1794096147,"type":"text","text":{"body":"x"}}"#;
        let status =
            |who: &str| format!(r#"{{"id":"b","status":"read","timestamp":1794096147{who}}}"#);
        let other = status(r#","recipient_user_id":"US.2""#);
        let mixed = format!(r#""messages":[{message}],"statuses":[{other}]"#);
        let told = rows(both, &mixed);
        assert_eq!(ids(&told[0]), [phone("16505551111"), user("US.1")]);
        assert_eq!(ids(&told[1]), [String::new(), user("US.2")]);
        // Who names nobody may be anybody where lists are mixed.
        let nobody = format!(r#""messages":[{message}],"statuses":[{}]"#, status(""));
        assert_eq!(ids(&rows(both, &nobody)[1]), ["", ""]);
        let two = format!(r#""statuses":[{0},{0}]"#, status(""));
        assert!(
            rows(both, &two).iter().all(|row| ids(row) == [phone("16505551111"), user("US.1")])
        );
        // Alone, it is taken unless it contradicts.
        let alone = |who: &str| format!(r#""statuses":[{}]"#, status(who));
        for (contact, who, expected) in [
            (both, r#","recipient_user_id":"US.2""#, [String::new(), user("US.2")]),
            (both, r#","recipient_id":"16505552222""#, [phone("16505552222"), String::new()]),
            (
                r#""wa_id":"16505551111""#,
                r#","recipient_user_id":"US.2""#,
                [phone("16505551111"), user("US.2")],
            ),
            (
                r#""user_id":"US.1""#,
                r#","recipient_id":"16505552222""#,
                [phone("16505552222"), user("US.1")],
            ),
            (both, r#","recipient_id":"1650****111""#, [phone("16505551111"), user("US.1")]),
        ] {
            assert_eq!(ids(&rows(contact, &alone(who))[0]), expected, "{contact} {who}");
        }
        // Nor is a masked number that of the contact that has the same.
        let masked = r#""wa_id":"1650****111","user_id":"US.1""#;
        let who = status(r#","recipient_id":"1650****111""#);
        let two = format!(r#""statuses":[{who},{who}]"#);
        assert!(rows(masked, &two).iter().all(|row| ids(row) == ["", ""]));
        // Not of two numbers, either.
        let two = format!(
            r#""statuses":[{},{}]"#,
            status(r#","recipient_id":"16505552222""#),
            status(r#","recipient_id":"16505553333""#)
        );
        assert!(
            rows(r#""user_id":"US.1""#, &two).iter().all(|row| row.get("peer_user").is_empty())
        );
        let standby = format!(r#""messages":[{message}],"standby":{{"statuses":[{other}]}}"#);
        assert_eq!(ids(&rows(both, &standby)[1]), [String::new(), user("US.2")]);
    }

    #[test]
    fn contact_of_a_standby_copy_is_of_its_only_item() {
        let status = r#"{"id":"b","status":"read","timestamp":1794096147}"#;
        let copy = |lists: &str| {
            format!(r#"{{"contacts":[{{"wa_id":"16505551111","user_id":"US.1"}}],{lists}}}"#)
        };
        let message = r#"{"from":"16505552222","id":"a","timestamp":1794096147,"type":"text"}"#;
        let one = copy(&format!(r#""statuses":[{status}]"#));
        let mixed = copy(&format!(r#""messages":[{message}],"statuses":[{status}]"#));
        let known = user("US.1");
        for (standby, expected) in [
            (format!("[{one},{one}]"), vec!["", &*known, &*known]),
            (mixed, vec!["", "", ""]),
            (format!(r#"{{"statuses":[{status}]}}"#), vec!["", ""]),
        ] {
            let value = format!(r#""messages":[{message}],"standby":{standby}"#);
            let rows = rows("messages", &value);
            let users: Vec<_> = rows.iter().map(|row| row.get("peer_user")).collect();
            assert_eq!(users, expected, "{standby}");
        }
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
            r#""4912345678""#,
            r#""5511912345678""#,
            r#""04915212345678""#,
            r#""x12345678""#,
            r#""4915****678""#,
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
            company in prop::sample::select(vec![Company::Alone, Company::Alike, Company::Mixed]),
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
            let expected = looked_for(&all, &peer, company).map(|at| &all[at]);
            let known = Contacts::read(list);
            let is_anybody = |(wa_id, user_id): &(Id<'_>, Id<'_>)| {
                *wa_id != Id::None || *user_id != Id::None
            };
            prop_assert_eq!(
                known.of(&peer, company).map(as_ids),
                expected.map(as_ids).filter(is_anybody)
            );
        }
    }
}
