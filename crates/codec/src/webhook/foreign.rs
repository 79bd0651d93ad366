//! Messages and statuses of the Cloud API's shape that stand in the envelope of a provider.

use std::borrow::Cow;

use turnwise_model::{Direction, Origin};

use super::contacts::{Company, Contacts};
use super::{Place, message, status};
use crate::json::Value;
use crate::meant::Time;
use crate::peer::Peer;
use crate::record::{Record, Scope};

/// A message that another envelope holds.
pub(crate) struct Foreign<'a> {
    pub(crate) scope: Scope<'a>,
    pub(crate) contacts: Contacts<'a>,
    /// The person, where the message names none.
    pub(crate) peer: Peer<'a>,
    /// The business's own number as it is shown.
    pub(crate) display: Option<Cow<'a, str>>,
    /// What else stands beside the messages or statuses that this is for.
    pub(crate) company: Company,
    /// Whether it is all of a group.
    pub(crate) is_of_group: bool,
}

impl<'a> Foreign<'a> {
    fn place(&self) -> Place<'a> {
        Place {
            scope: self.scope.clone(),
            entry_time: Time::None,
            field: "messages",
            contacts: self.contacts.clone(),
            business: [self.display.clone(), self.scope.sender.clone().some()],
            is_of_group: self.is_of_group,
        }
    }

    /// Writes a message of the Cloud API's shape. One that the business's own number wrote is
    /// outbound, whatever is said of it.
    pub(crate) fn message(
        &self,
        record: &mut Record<'_>,
        direction: Direction,
        origin: Origin,
        value: Value<'a>,
    ) {
        message::foreign(record, &self.place(), self, (direction, origin), value);
    }

    /// Writes a status of the Cloud API's shape.
    pub(crate) fn status(&self, record: &mut Record<'_>, value: Value<'a>) {
        status::status(record, &self.place(), Origin::Live, self.company, value);
    }
}
