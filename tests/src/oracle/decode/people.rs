//! The person at the other end: phone number, user id, pseudonyms, country.

use turnwise_model::Keys;

use super::country;
use super::json::{Json, Node};
use super::meant::{Id, id};

/// A person as a record names it.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Phone number as it is written.
    pub phone: Option<String>,
    /// Business-scoped user id.
    pub user: Option<String>,
    /// Some id of the person is longer than ids may be.
    pub too_long: bool,
}

/// A person as rows name it.
#[derive(Clone, Debug, Default)]
pub struct Pseudonyms {
    /// Of the phone number.
    pub phone: Option<i64>,
    /// Of the user id.
    pub user: Option<i64>,
    /// Where the person is.
    pub country: Option<&'static str>,
}

impl Person {
    /// From fields of phone numbers (where a user id may stand too) and of user ids; the first
    /// that is there counts.
    #[must_use]
    pub fn of(phones: &[Option<&Json<'_>>], users: &[Option<&Json<'_>>]) -> Self {
        let mut person = Self::default();
        for field in phones {
            person.add_phone(*field);
        }
        for field in users {
            person.add_user(*field);
        }
        person
    }

    /// Takes a field of a phone number.
    pub fn add_phone(&mut self, field: Option<&Json<'_>>) {
        match id(field) {
            Id::TooLong => self.too_long = true,
            Id::Known(text) if is_group(&text) => {}
            Id::Known(text) if is_user_id(&text) => {
                self.user.get_or_insert(text);
            }
            Id::Known(text) => {
                self.phone.get_or_insert(text);
            }
            Id::Absent => {}
        }
    }

    /// Takes a field of a user id.
    pub fn add_user(&mut self, field: Option<&Json<'_>>) {
        match id(field) {
            Id::TooLong => self.too_long = true,
            Id::Known(text) => {
                self.user.get_or_insert(text);
            }
            Id::Absent => {}
        }
    }

    /// Takes a request's `recipient`: a user id, or a number.
    pub fn add_recipient(&mut self, field: Option<&Json<'_>>) {
        let is_number = |text: &str| spelled(text).bytes().all(|byte| byte.is_ascii_digit());
        if id(field).known().is_some_and(is_number) {
            self.add_phone(field);
        } else {
            self.add_user(field);
        }
    }

    /// Fills what is missing from another naming of the same person.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.phone = self.phone.or(other.phone);
        self.user = self.user.or(other.user);
        self.too_long |= other.too_long;
        self
    }

    /// Fills what is missing from a contact, whose number also takes the place of a masked one.
    #[must_use]
    pub fn with_contact(mut self, contact: Option<&Json<'_>>) -> Self {
        let Some(contact) = contact else { return self };
        let named = Self::of(&[contact.get("wa_id")], &[contact.get("user_id")]);
        let whole = id(contact.get("wa_id")).known().is_some_and(|number| !is_masked(number));
        if whole && self.phone.as_deref().is_some_and(is_masked) {
            self.phone = None;
        }
        self.or(named)
    }

    /// Whether the two are known to be different people.
    #[must_use]
    pub fn is_other(&self, other: &Self) -> bool {
        let phones = self.phone.as_deref().zip(other.phone.as_deref());
        let users = self.user.as_deref().zip(other.user.as_deref());
        phones.is_some_and(|(one, other)| {
            !is_masked(one) && !is_masked(other) && !is_same_number(one, other)
        }) || users.is_some_and(|(one, other)| one != other)
    }

    /// Whether nothing names it.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.phone.is_none() && self.user.is_none()
    }

    /// Whether it has this number, or one that means the same.
    #[must_use]
    pub fn has_number(&self, number: &str) -> bool {
        self.phone.as_deref().is_some_and(|phone| is_same_number(phone, number))
    }

    /// What rows of a sender hold of it.
    #[must_use]
    pub fn pseudonyms(&self, keys: &Keys, sender: &str) -> Pseudonyms {
        let digits = self.phone.as_deref().map(spelled);
        let of_phone = digits.as_deref().and_then(country::of_number);
        let of_user = || self.user.as_deref().filter(|id| is_user_id(id)).and_then(country::of_id);
        Pseudonyms {
            phone: digits
                .as_deref()
                .filter(|digits| !is_masked(digits))
                .map(|digits| keys.peer_phone(sender, digits).0),
            user: self.user.as_deref().map(|user| keys.peer_user(sender, user).0),
            country: of_phone.or_else(of_user),
        }
    }
}

/// The one spelling of a number: no `+` before it, no separators in it.
#[must_use]
pub fn spelled(text: &str) -> String {
    let text = text.trim().trim_start_matches('+');
    let separators = [' ', '-', '.', '(', ')', '\u{a0}'];
    let digits: String = text.chars().filter(|ch| !separators.contains(ch)).collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits } else { text.to_owned() }
}

/// Whether a number in its one spelling is one, and no placeholder.
#[must_use]
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether two numbers are one: some countries' are written with and without a digit behind the
/// country's, so of long ones the first two and the last eight digits tell.
#[must_use]
pub fn is_same_number(one: &str, other: &str) -> bool {
    let (one, other) = (spelled(one), spelled(other));
    let is_long = |text: &str| text.len() >= 10 && is_number(text);
    one == other
        || is_long(&one)
            && is_long(&other)
            && one[..2] == other[..2]
            && one[one.len() - 8..] == other[other.len() - 8..]
}

/// Numbers in a record: where people may be named, and those that businesses show as theirs.
#[derive(Default)]
struct Numbers {
    named: Vec<String>,
    shown: Vec<String>,
}

impl Numbers {
    fn take(&mut self, value: &Json<'_>) {
        match &value.node {
            Node::Object(pairs) => {
                for (key, inner) in pairs {
                    self.take_of(key, inner);
                }
            }
            Node::Array(items) => items.iter().for_each(|item| self.take(item)),
            _ => self.named.extend(spelled_in(value)),
        }
    }

    fn take_of(&mut self, key: &str, value: &Json<'_>) {
        let key = key.to_ascii_lowercase();
        let of_business = ["waba", "business", "account", "phone_number_id", "phonenumberid"];
        if key == "display_phone_number" {
            self.shown.extend(spelled_in(value));
        } else if !of_business.iter().any(|part| key.contains(part)) {
            self.take(value);
        }
    }

    fn take_entry(&mut self, entry: &Json<'_>) {
        let Node::Object(pairs) = &entry.node else { return };
        for (key, value) in pairs.iter().filter(|(key, _)| key != "id") {
            self.take_of(key, value);
        }
    }
}

/// The numbers of a text or number; an address has some of its parts.
fn spelled_in(value: &Json<'_>) -> Vec<String> {
    let parts: Vec<&str> = match &value.node {
        Node::Text(text) => text.split(['@', ':']).collect(),
        Node::Number => vec![value.raw],
        _ => Vec::new(),
    };
    let spelled = parts
        .into_iter()
        .map(spelled)
        .filter(|number| is_number(number) && (7..=15).contains(&number.len()));
    if value.bytes() > 160 { Vec::new() } else { spelled.collect() }
}

/// Whether a record has this number, or one that means the same, anywhere but as an account's or
/// as what a business shows.
#[must_use]
pub fn are_named(root: &Json<'_>, number: &str) -> bool {
    let mut numbers = Numbers::default();
    if let Node::Object(pairs) = &root.node {
        for (key, value) in pairs.iter().filter(|(key, _)| key != "id") {
            if key == "entry" {
                value.list().into_iter().for_each(|entry| numbers.take_entry(entry));
            } else {
                numbers.take_of(key, value);
            }
        }
    }
    let is_among = |all: &[String]| all.iter().any(|one| is_same_number(one, number));
    (7..=15).contains(&number.len()) && is_among(&numbers.named) && !is_among(&numbers.shown)
}

/// `CC.` and something.
#[must_use]
pub fn is_user_id(text: &str) -> bool {
    match text.as_bytes() {
        [a, b, b'.', _, ..] => a.is_ascii_uppercase() && b.is_ascii_uppercase(),
        _ => false,
    }
}

/// The address of a group.
#[must_use]
pub fn is_group(text: &str) -> bool {
    text.ends_with("@g.us")
}

/// A number some of whose digits are hidden: it stands for many people.
#[must_use]
pub fn is_masked(text: &str) -> bool {
    let stars = text.matches('*').count();
    let crosses = text.matches(['x', 'X']).count();
    text.chars().all(|ch| ch.is_ascii_digit() || "*xX+- ".contains(ch))
        && (stars > 0 || crosses >= 2)
}
