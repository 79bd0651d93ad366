//! The wire formats by name, and what each of them can and cannot carry.
//!
//! A name never changes its meaning: configurations and scripts hold it.

use std::fmt;
use std::str::FromStr;

pub use crate::registry::FORMATS;

/// The wire format of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Told by each record's headers, else by its content.
    Auto,
    /// Webhooks of the Cloud API.
    CloudApi,
    /// Turnwise's own record of a send.
    Send,
    /// Turnwise's own protobuf record, `turnwise.events.v1.Record`.
    Protobuf,
    /// 360dialog: the Cloud API's webhooks, and its partner events around them.
    Dialog360,
    /// Twilio's webhooks.
    Twilio,
    /// Twilio's event streams.
    TwilioEvents,
    /// Gupshup, version 2.
    GupshupV2,
    /// Gupshup, version 3.
    GupshupV3,
    /// Infobip.
    Infobip,
    /// Vonage's Messages API, version 1.
    Vonage,
    /// Bird's channels.
    Bird,
    /// MessageBird's conversations.
    MessageBird,
    /// YCloud.
    YCloud,
    /// 8x8.
    EightXEight,
    /// Kapso.
    Kapso,
    /// Turn.
    Turn,
    /// Salesforce's event notification service.
    Salesforce,
    /// CloudEvents around any of the others.
    CloudEvents,
}

/// How a format's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wire {
    /// One JSON text.
    Json,
    /// An urlencoded form; the same fields as a JSON object are taken too.
    Form,
    /// A protobuf message, in a schema registry's frame or without.
    Protobuf,
}

/// Something that rows hold and that a format may be unable to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// What people write to a business.
    Inbound,
    /// What a business writes, with its text.
    Outbound,
    /// Delivery statuses.
    Statuses,
    /// The business account (WABA).
    Account,
    /// Category, type and model of the price.
    Prices,
    /// A time of its own; else the record's stands for it.
    Times,
    /// User ids of people without a phone number.
    UserIds,
    /// Whether audio is a voice note.
    Voice,
    /// Whether a message answers another.
    Replies,
    /// That an advertisement led to a message.
    Referrals,
    /// What is sent from the phone app.
    PhoneApp,
    /// Imports of old messages.
    History,
    /// Violations, restrictions, handovers and changes of identity.
    AccountEvents,
}

/// What is to be said of a format.
#[derive(Clone, Copy, Debug)]
pub struct FormatInfo {
    /// Which.
    pub format: Format,
    /// Its name in configurations.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// How it is written.
    pub wire: Wire,
    /// What stands for the sender.
    pub sender: &'static str,
    /// What it carries; it cannot carry the rest.
    pub carries: &'static [Aspect],
    /// What else is to be known.
    pub note: &'static str,
}

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl Format {
    /// What is to be said of it.
    #[must_use]
    pub fn info(self) -> &'static FormatInfo {
        FORMATS.iter().find(|info| info.format == self).unwrap_or(&FORMATS[0])
    }

    /// Its name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// Whether it can carry this; of formats around others: whether one of those can.
    #[must_use]
    pub fn carries(self, aspect: Aspect) -> bool {
        let carries = self.info().carries;
        carries.is_empty() || carries.contains(&aspect)
    }
}

impl Aspect {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Inbound,
        Self::Outbound,
        Self::Statuses,
        Self::Account,
        Self::Prices,
        Self::Times,
        Self::UserIds,
        Self::Voice,
        Self::Replies,
        Self::Referrals,
        Self::PhoneApp,
        Self::History,
        Self::AccountEvents,
    ];

    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Statuses => "statuses",
            Self::Account => "account",
            Self::Prices => "prices",
            Self::Times => "times",
            Self::UserIds => "user_ids",
            Self::Voice => "voice",
            Self::Replies => "replies",
            Self::Referrals => "referrals",
            Self::PhoneApp => "phone_app",
            Self::History => "history",
            Self::AccountEvents => "account_events",
        }
    }
}

impl Wire {
    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
            Self::Protobuf => "protobuf",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        FORMATS.iter().find(|info| info.name == name).map(|info| info.format).ok_or(UnknownFormat)
    }
}

impl fmt::Display for UnknownFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no such format; there are ")?;
        for (at, info) in FORMATS.iter().enumerate() {
            write!(formatter, "{}{}", if at == 0 { "" } else { ", " }, info.name)?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownFormat {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_differ() {
        for info in FORMATS {
            assert_eq!(info.name.parse(), Ok(info.format));
            assert_eq!(info.format.to_string(), info.name);
            assert_eq!(info.format.info().name, info.name);
        }
        let names: std::collections::BTreeSet<&str> =
            FORMATS.iter().map(|info| info.name).collect();
        assert_eq!(names.len(), FORMATS.len());
        let wrong = "webhook".parse::<Format>().expect_err("no such name").to_string();
        assert!(wrong.contains("auto, cloud_api, send"), "{wrong}");
    }

    #[test]
    fn what_is_around_others_carries_what_they_do() {
        assert!(Format::CloudEvents.carries(Aspect::History));
        assert!(!Format::Twilio.carries(Aspect::Times));
    }
}
