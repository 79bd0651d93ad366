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

    fn take_of(&mut self, name: &str, value: &Json<'_>) {
        let key = name.to_ascii_lowercase();
        let of_business = ["waba", "business", "account", "phone_number_id", "phonenumberid"]
            .iter()
            .any(|part| key.contains(part));
        let of_nobody = [
            "body",
            "text",
            "caption",
            "title",
            "payload",
            "biz_opaque_callback_data",
            "entity_id",
        ];
        match &value.node {
            Node::Object(pairs) if of_business => {
                let pairs = pairs.iter().filter(|(key, _)| key != "id");
                pairs.for_each(|(key, inner)| self.take_of(key, inner));
            }
            Node::Object(_) => self.take(value),
            Node::Array(items) if items.iter().any(Json::is_object) => self.take(value),
            _ if name == "display_phone_number" => {
                let mut inside = Self::default();
                inside.take(value);
                self.shown.extend(inside.named);
            }
            _ if of_business || of_nobody.contains(&name) => {}
            _ => self.take(value),
        }
    }

    fn take_changes(&mut self, entry: &Json<'_>) {
        if let Some(changes) = entry.get("changes") {
            self.take(changes);
        }
    }
}

/// The numbers of a text or number; an address has some of its parts.
fn spelled_in(value: &Json<'_>) -> Vec<String> {
    match &value.node {
        _ if value.bytes() > 160 => Vec::new(),
        Node::Text(text) => numbers_in(text),
        Node::Number => {
            let number: f64 = value.raw.parse().unwrap_or(0.5);
            let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
            let digits =
                if is_whole { format!("{:.0}", number.abs()) } else { value.raw.to_owned() };
            vec![digits].into_iter().filter(|digits| may_be_persons(digits)).collect()
        }
        _ => Vec::new(),
    }
}

/// The numbers of people that a text may be.
fn numbers_in(text: &str) -> Vec<String> {
    digits_in(text).into_iter().filter(|digits| may_be_persons(digits)).collect()
}

/// The numbers that a text may be: without what separates their digits, the zeros of whoever dials
/// abroad, a fraction, a word before it and what an address has behind it.
pub(super) fn digits_in(text: &str) -> Vec<String> {
    let is_worded = |part: &str| {
        part.chars().any(|ch| ch.is_alphabetic() || ch.is_ascii() && ch as u32 >= 0x40)
    };
    let mut parts: Vec<&str> = match text.find('@') {
        Some(at) => text[..at].split([':', '-', '_', '.']).collect(),
        None => {
            let parts: Vec<&str> = text.split(':').collect();
            let words = parts.iter().rposition(|part| is_worded(part)).map_or(0, |word| word + 1);
            parts[words..].to_vec()
        }
    };
    parts.retain(|part| !is_worded(part));
    let number = |part: &str| {
        let part = part.trim();
        let part = part.strip_suffix(".0").unwrap_or(part);
        let digits: String = part.chars().filter(char::is_ascii_digit).collect();
        digits.strip_prefix("00").unwrap_or(&digits).to_owned()
    };
    parts.into_iter().map(number).filter(|digits| !digits.is_empty()).collect()
}

/// Whether digits are as many as numbers of people have.
fn may_be_persons(digits: &str) -> bool {
    is_number(digits) && (7..=15).contains(&digits.len())
}

/// Whether two texts are the number of one person.
pub(super) fn is_one_person(one: &str, other: &str) -> bool {
    let others = numbers_in(other);
    let is_any = |one: &String| others.iter().any(|other| is_same_number(one, other));
    numbers_in(one).iter().any(is_any)
}

/// Whether a record has this number, or one that means the same, anywhere but as an account's or
/// as what a business shows.
#[must_use]
pub fn are_named(root: &Json<'_>, number: &str) -> bool {
    let mut numbers = Numbers::default();
    match (&root.node, root.get("entry")) {
        (_, Some(entries)) => {
            entries.list().into_iter().for_each(|entry| numbers.take_changes(entry));
        }
        _ if root.has("changes") => numbers.take_changes(root),
        (Node::Object(pairs), _) => {
            let pairs = pairs.iter().filter(|(key, _)| key != "id");
            pairs.for_each(|(key, value)| numbers.take_of(key, value));
        }
        _ => {}
    }
    let is_among = |all: &[String]| all.iter().any(|one| is_same_number(one, number));
    may_be_persons(number)
        && !is_too_long_there(number)
        && is_among(&numbers.named)
        && !is_among(&numbers.shown)
}

/// Whether no country with this calling code gives people numbers as long.
fn is_too_long_there(number: &str) -> bool {
    let short = ["1", "2", "5", "7", "90", "93", "94", "95", "96", "98"];
    let is_latin = number.starts_with('5');
    let may_have_more = is_latin && (number.starts_with("54") || number[2..].starts_with('0'));
    number.len() >= 15 && short.iter().any(|code| number.starts_with(code)) && !may_have_more
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
