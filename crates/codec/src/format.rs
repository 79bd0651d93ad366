//! The wire formats by name, and what each of them can and cannot carry.
//!
//! A name never changes its meaning: configurations and scripts hold it.

use std::fmt;
use std::str::FromStr;

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

use Aspect as A;

/// Of a format whose content tells.
const OF_CONTENT: &[Aspect] = &[];
const CLOUD_API: &[Aspect] = &[
    A::Inbound,
    A::Statuses,
    A::Account,
    A::Prices,
    A::Times,
    A::UserIds,
    A::Voice,
    A::Replies,
    A::Referrals,
    A::PhoneApp,
    A::History,
    A::AccountEvents,
];

/// Every format that may be named, in the order of the documentation.
pub const FORMATS: &[FormatInfo] = &[
    FormatInfo {
        format: Format::Auto,
        name: "auto",
        title: "told by each record's headers, else by its content",
        wire: Wire::Json,
        sender: "as the format that is told",
        carries: OF_CONTENT,
        note: "what nothing tells is read as cloud_api",
    },
    FormatInfo {
        format: Format::CloudApi,
        name: "cloud_api",
        title: "webhooks of the Cloud API",
        wire: Wire::Json,
        sender: "phone_number_id",
        carries: CLOUD_API,
        note: "texts of a business are in no webhook, but for those from its phone app",
    },
    FormatInfo {
        format: Format::Send,
        name: "send",
        title: "Turnwise's own record of a send",
        wire: Wire::Json,
        sender: "phone_number_id",
        carries: &[A::Outbound, A::Account, A::Times, A::UserIds, A::Voice, A::Replies],
        note: "statuses join by the answer's wamid",
    },
    FormatInfo {
        format: Format::Protobuf,
        name: "protobuf",
        title: "Turnwise's own record, turnwise.events.v1.Record",
        wire: Wire::Protobuf,
        sender: "phone_number_id",
        carries: Aspect::ALL,
        note: "in a file each record has its length before it, as a varint",
    },
    FormatInfo {
        format: Format::Dialog360,
        name: "dialog360",
        title: "360dialog: webhooks of the Cloud API, and partner events around them",
        wire: Wire::Json,
        sender: "phone_number_id",
        carries: CLOUD_API,
        note: "partner events that hold no webhook are ignored",
    },
    FormatInfo {
        format: Format::Twilio,
        name: "twilio",
        title: "Twilio: webhooks for messages and their statuses",
        wire: Wire::Form,
        sender: "digits of the business's number, To or From",
        carries: &[A::Inbound, A::Statuses, A::UserIds, A::Replies, A::Referrals],
        note: "no time: the record's stands for it, in a file the moment reading began",
    },
    FormatInfo {
        format: Format::TwilioEvents,
        name: "twilio_events",
        title: "Twilio: event streams, CloudEvents alone or in a list",
        wire: Wire::Json,
        sender: "digits of the business's number, to or from",
        carries: &[A::Inbound, A::Outbound, A::Statuses, A::Times, A::UserIds, A::Referrals],
        note: "kinds of media are unknown; texts of a business are there from version 4 on",
    },
    FormatInfo {
        format: Format::GupshupV2,
        name: "gupshup_v2",
        title: "Gupshup: events of version 2",
        wire: Wire::Json,
        sender: "name of the app",
        carries: &[
            A::Inbound,
            A::Statuses,
            A::Prices,
            A::Times,
            A::UserIds,
            A::Replies,
            A::Referrals,
            A::AccountEvents,
        ],
        note: "masked numbers are no peers; statuses go by Gupshup's own id of the message",
    },
    FormatInfo {
        format: Format::GupshupV3,
        name: "gupshup_v3",
        title: "Gupshup: events of version 3, webhooks of the Cloud API with its own ids",
        wire: Wire::Json,
        sender: "phone_number_id, else gs_app_id",
        carries: CLOUD_API,
        note: "events without metadata belong to the app, which is then a sender of its own",
    },
    FormatInfo {
        format: Format::Infobip,
        name: "infobip",
        title: "Infobip: received messages and reports",
        wire: Wire::Json,
        sender: "digits of the business's number, to or from",
        carries: &[
            A::Inbound,
            A::Statuses,
            A::Times,
            A::UserIds,
            A::Voice,
            A::Replies,
            A::Referrals,
            A::AccountEvents,
        ],
        note: "reports that name no sender are dead letters",
    },
    FormatInfo {
        format: Format::Vonage,
        name: "vonage",
        title: "Vonage: Messages API, version 1 and 0.1",
        wire: Wire::Json,
        sender: "digits of the business's number, to or from",
        carries: &[
            A::Inbound,
            A::Statuses,
            A::Prices,
            A::Times,
            A::UserIds,
            A::Replies,
            A::Referrals,
        ],
        note: "no wamid: ids are Vonage's own",
    },
    FormatInfo {
        format: Format::Bird,
        name: "bird",
        title: "Bird: events of channels",
        wire: Wire::Json,
        sender: "channelId",
        carries: &[
            A::Inbound,
            A::Outbound,
            A::Statuses,
            A::Times,
            A::UserIds,
            A::Replies,
            A::Referrals,
        ],
        note: "ids are Bird's own, since its interactions name no other",
    },
    FormatInfo {
        format: Format::MessageBird,
        name: "messagebird",
        title: "MessageBird: events of conversations",
        wire: Wire::Json,
        sender: "channelId",
        carries: &[A::Inbound, A::Outbound, A::Statuses, A::Times],
        note: "replaced by bird",
    },
    FormatInfo {
        format: Format::YCloud,
        name: "ycloud",
        title: "YCloud: events of WhatsApp",
        wire: Wire::Json,
        sender: "digits of the business's number, to or from",
        carries: &[
            A::Inbound,
            A::Outbound,
            A::Statuses,
            A::Account,
            A::Prices,
            A::Times,
            A::UserIds,
            A::Voice,
            A::Replies,
            A::Referrals,
            A::PhoneApp,
            A::History,
            A::AccountEvents,
        ],
        note: "no standby and no handovers",
    },
    FormatInfo {
        format: Format::EightXEight,
        name: "8x8",
        title: "8x8: messaging apps",
        wire: Wire::Json,
        sender: "subAccountId, else channelId",
        carries: &[A::Inbound, A::Statuses, A::Times, A::Replies, A::Referrals, A::AccountEvents],
        note: "statuses name no number, so all numbers of a subaccount are one sender",
    },
    FormatInfo {
        format: Format::Kapso,
        name: "kapso",
        title: "Kapso: messages of the Cloud API in its own wrapper",
        wire: Wire::Json,
        sender: "phone_number_id",
        carries: &[
            A::Inbound,
            A::Outbound,
            A::Statuses,
            A::Prices,
            A::Times,
            A::UserIds,
            A::Voice,
            A::Replies,
            A::Referrals,
            A::PhoneApp,
            A::History,
        ],
        note: "no business account; what Kapso forwards unchanged is cloud_api",
    },
    FormatInfo {
        format: Format::Turn,
        name: "turn",
        title: "Turn: messages of the Cloud API with its own marks",
        wire: Wire::Json,
        sender: "phone_number_id, where metadata names it",
        carries: &[
            A::Inbound,
            A::Outbound,
            A::Statuses,
            A::Prices,
            A::Times,
            A::UserIds,
            A::Voice,
            A::Replies,
            A::Referrals,
        ],
        note: "messages that name no business number are dead letters",
    },
    FormatInfo {
        format: Format::Salesforce,
        name: "salesforce",
        title: "Salesforce: event notification service",
        wire: Wire::Json,
        sender: "channelId",
        carries: &[A::Inbound, A::Statuses, A::Times, A::Voice, A::Replies],
        note: "statuses name no person and go by the key of the send",
    },
    FormatInfo {
        format: Format::CloudEvents,
        name: "cloudevents",
        title: "CloudEvents 1.0, structured or binary, around any of the others",
        wire: Wire::Json,
        sender: "as the format inside",
        carries: OF_CONTENT,
        note: "the attributes type, dataschema and datacontenttype tell the format inside, else its content",
    },
];

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
        A::Inbound,
        A::Outbound,
        A::Statuses,
        A::Account,
        A::Prices,
        A::Times,
        A::UserIds,
        A::Voice,
        A::Replies,
        A::Referrals,
        A::PhoneApp,
        A::History,
        A::AccountEvents,
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
