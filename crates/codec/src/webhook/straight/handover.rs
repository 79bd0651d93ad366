//! Handovers of a thread as they usually look: fields of a value, beside no items.

use turnwise_model::Millis;

use crate::json::{Cursor, Field, Nth, UNUSUAL, Values};
use crate::straight::values::{is_digits_or_empty, is_plain_or_empty, timestamp};
use crate::webhook::account::{self, ROLES};

/// A handover; see [`crate::webhook::account`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Handover {
    time: Nth,
    pub(super) phone: Nth,
    pub(super) user: Nth,
    pub(super) event: &'static str,
    pub(super) role_previous: Option<&'static str>,
    pub(super) role_new: Option<&'static str>,
}

/// What was read of one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    /// Whether there is anything of one.
    pub(super) are_any: bool,
    /// The business's number.
    pub(super) recipient: Nth,
    time: Nth,
    phone: Nth,
    user: Nth,
    event: Option<u8>,
    /// Of each event.
    roles: [Option<Roles>; EVENTS.len()],
}

/// Who held a thread, and who does now.
#[derive(Clone, Copy, Debug, Default)]
struct Roles {
    previous: Option<&'static str>,
    new: Option<&'static str>,
}

/// What may happen to a thread.
const EVENTS: [&str; 2] = ["control_passed", "control_taken"];

/// The first of a handover's fields in a value.
pub(super) const FIRST: Field = 10;
const SENDER: Field = FIRST;
const RECIPIENT: Field = FIRST + 1;
const TYPE: Field = FIRST + 2;
const TIMESTAMP: Field = FIRST + 3;
/// The first of [`EVENTS`].
const EVENT: Field = FIRST + 4;

/// Fields of a value that are of a handover.
pub(super) fn field(name: &[u8]) -> Field {
    match name {
        b"sender" => SENDER,
        b"recipient" => RECIPIENT,
        b"type" => TYPE,
        b"timestamp" => TIMESTAMP,
        b"messaging_handovers" => UNUSUAL,
        name => event(name).map_or(0, |event| EVENT + event),
    }
}

fn place(names: &[&str], name: &[u8]) -> Option<u8> {
    let place = names.iter().position(|known| known.as_bytes() == name);
    place.and_then(|place| u8::try_from(place).ok())
}

/// The place of a role that is known.
fn role(name: &[u8]) -> Option<u8> {
    place(ROLES, account::role(std::str::from_utf8(name).ok()?).as_bytes())
}

fn event(name: &[u8]) -> Option<u8> {
    place(&EVENTS, name)
}

impl Parts {
    /// Reads one of the fields.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_, '_>, field: Field) -> Option<()> {
        self.are_any = true;
        match field {
            SENDER => self.sender(cursor),
            RECIPIENT => {
                let name = |name: &[u8]| u8::from(name == b"phone_number_id");
                cursor.object(name, |cursor, _| {
                    self.recipient = cursor.string()?;
                    Some(())
                })
            }
            TYPE => {
                self.event = Some(cursor.named(event)?);
                Some(())
            }
            TIMESTAMP => {
                self.time = cursor.number_or_string()?;
                Some(())
            }
            event => {
                let place = event.checked_sub(EVENT)?;
                *self.roles.get_mut(usize::from(place))? = Some(Roles::read(cursor)?);
                Some(())
            }
        }
    }

    fn sender(&mut self, cursor: &mut Cursor<'_, '_>) -> Option<()> {
        const PHONE: Field = 1;
        const USER_ID: Field = 2;
        let name = |name: &[u8]| match name {
            b"phone_number" => PHONE,
            b"user_id" => USER_ID,
            b"wa_id" | b"id" => UNUSUAL,
            _ => 0,
        };
        cursor.object(name, |cursor, field| {
            match field {
                PHONE => self.phone = cursor.string()?,
                _ => self.user = cursor.string()?,
            }
            Some(())
        })
    }

    /// The handover, if nothing of it is missing.
    pub(super) fn whole(self) -> Option<Handover> {
        let place = usize::from(self.event?);
        let (event, roles) = (EVENTS.get(place)?, self.roles.get(place).copied().flatten()?);
        Some(Handover {
            time: self.time,
            phone: self.phone,
            user: self.user,
            event,
            role_previous: roles.previous,
            role_new: roles.new,
        })
    }
}

impl Roles {
    fn read(cursor: &mut Cursor<'_, '_>) -> Option<Self> {
        const PREVIOUS: Field = 1;
        const PREVIOUS_OF_APP: Field = 2;
        const NEW: Field = 3;
        const NEW_OF_APP: Field = 4;
        let name = |name: &[u8]| match name {
            b"previous_owner_role" => PREVIOUS,
            b"previous_owner_app_role" => PREVIOUS_OF_APP,
            b"new_owner_role" => NEW,
            b"new_owner_app_role" => NEW_OF_APP,
            b"previous_owner" | b"new_owner" | b"recipient" => UNUSUAL,
            _ => 0,
        };
        let (mut roles, mut of_apps) = (Self::default(), Self::default());
        cursor.object(name, |cursor, field| {
            let place = cursor.named(role)?;
            let role = ROLES.get(usize::from(place)).copied();
            match field {
                PREVIOUS => roles.previous = role,
                PREVIOUS_OF_APP => of_apps.previous = role,
                NEW => roles.new = role,
                _ => of_apps.new = role,
            }
            Some(())
        })?;
        let (previous, new) = (roles.previous.or(of_apps.previous), roles.new.or(of_apps.new));
        Some(Self { previous, new })
    }
}

impl Handover {
    /// Its time, if all its values are usual.
    #[inline]
    pub(super) fn check(&self, values: Values<'_>) -> Option<Millis> {
        let are_usual =
            is_digits_or_empty(values, self.phone) && is_plain_or_empty(values, self.user);
        timestamp(values, self.time).filter(|_| are_usual)
    }

    /// See [`Nth::moved`].
    pub(super) fn moved(&self, by: isize) -> Self {
        Self {
            time: self.time.moved(by),
            phone: self.phone.moved(by),
            user: self.user.moved(by),
            ..*self
        }
    }
}
