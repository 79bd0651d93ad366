//! Encoders: events that somebody made up, as the bytes of each wire format.
//!
//! ```text
//!              ┌ webhook    JSON of the Cloud API
//! [Event] ─────┼ send       Turnwise's own record of a send
//!              └ protobuf   Turnwise's own record of anything
//! ```
//!
//! For tests and generators: the same events in each format must become the same rows. An
//! [`Event`] says what a row says, before ids become pseudonyms and texts shapes. An encoder takes
//! a slice, so that a record can hold many, writes them in their order, and answers `None` where
//! its format cannot carry one of them; what that is stands in its documentation.
//!
//! To add a format: a module with `pub fn name(events: &[Event]) -> Option<Vec<u8>>` that matches
//! on [`What`] and uses [`json`] to write; `tests/formats.rs` then compares its rows.

pub mod json;
mod protobuf;
mod send;
mod webhook;

use turnwise_model::{Category, Direction, InteractiveType, MessageKind, Millis, Origin};
use turnwise_model::{PricingModel, PricingType, Status as StatusCode};

pub use protobuf::{protobuf, record};
pub use send::send;
pub use webhook::webhook;

/// Something that happened to one business phone number. Absent strings are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// WhatsApp Business Account.
    pub waba_id: String,
    /// Business phone number, by its id.
    pub phone_number_id: String,
    /// When; only account events may leave it to their record.
    pub time: Option<Millis>,
    /// The person at the other end.
    pub peer: Person,
    /// What happened.
    pub what: What,
}

/// A person, by what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Phone number in digits.
    pub phone: String,
    /// Business-scoped user id, `CC.…`.
    pub user_id: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A message came or went.
    Message(Message),
    /// A sent message got a status.
    Status(Status),
    /// Something about number, account or thread.
    Account(Account),
    /// No evidence, by its name in [`crate::IGNORED_NAMES`].
    Ignored(&'static str),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The platform's id.
    pub id: String,
    /// The way it reached us; an outbound live one is a send.
    pub origin: Origin,
    /// Which way it went.
    pub direction: Direction,
    /// What it is.
    pub kind: MessageKind,
    /// Of an interactive one.
    pub interactive: Option<InteractiveType>,
    /// What was written; only of kinds that have a text.
    pub text: Text,
    /// Of audio: a voice note.
    pub voice: bool,
    /// In a group.
    pub in_group: bool,
    /// It answers another.
    pub is_reply: bool,
    /// It came of an advertisement.
    pub has_referral: bool,
    /// Of an inbound system message.
    pub change: Option<IdentityChange>,
}

/// What is known of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Text {
    /// There is none.
    #[default]
    None,
    /// How many characters it has.
    Chars(u32),
    /// The text.
    Body(String),
}

/// The peer changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityChange {
    /// As the platform names it.
    pub event: &'static str,
    /// Who the peer is now.
    pub now: Person,
}

/// A status of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The message's id.
    pub message_id: String,
    /// Live or standby.
    pub origin: Origin,
    /// Which.
    pub status: StatusCode,
    /// In a group; the peer is the participant.
    pub in_group: bool,
    /// Category of the price.
    pub category: Option<Category>,
    /// Category of the conversation's origin.
    pub conversation_origin: Option<Category>,
    /// Why it costs what it costs.
    pub pricing_type: Option<PricingType>,
    /// How it is priced.
    pub pricing_model: Option<PricingModel>,
    /// Code of the first error.
    pub error_code: Option<i64>,
}

/// An account event, by names as the platform writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The webhook's field.
    pub field: &'static str,
    /// What happened.
    pub event: &'static str,
    /// Of an error.
    pub error_code: Option<i64>,
    /// Who held the thread before a handover; empty if absent.
    pub role_previous: &'static str,
    /// Who holds it now; empty if absent.
    pub role_new: &'static str,
    /// Who the peer was before.
    pub previous: Person,
}

impl Event {
    /// The message, if it is one.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match &self.what {
            What::Message(message) => Some(message),
            _ => None,
        }
    }
}
