//! The messages of the protocol as they stand on the wire, borrowed from the record.
//!
//! As the protocol has it, the last of a field that occurs twice counts, messages that occur twice
//! are merged, and of a choice the last one written stands.

use super::wire::{Fault, Tag, Wire, WireError, length, varint};

/// One `Item`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Item<'a> {
    pub(super) event: Event<'a>,
    pub(super) waba_id: &'a str,
    pub(super) sender: &'a str,
    /// Fields that nobody knows, in it and in its event.
    pub(super) unknown_fields: u64,
}

/// What happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Event<'a> {
    /// Nothing, or something nobody knows.
    #[default]
    None,
    Message(Message<'a>),
    Status(Status<'a>),
    Account(Account<'a>),
    Ignored(&'a str),
}

/// A `Message`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    pub(super) time: i64,
    pub(super) direction: i32,
    pub(super) origin: i32,
    pub(super) kind: i32,
    pub(super) interactive: i32,
    pub(super) phone: &'a str,
    pub(super) user: &'a str,
    pub(super) text: Option<&'a str>,
    pub(super) chars: Option<u32>,
    pub(super) voice: bool,
    pub(super) in_group: bool,
    pub(super) is_reply: bool,
    pub(super) has_referral: bool,
    pub(super) change: Option<Change<'a>>,
}

/// An `IdentityChange`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Change<'a> {
    pub(super) event: &'a str,
    pub(super) phone: &'a str,
    pub(super) user: &'a str,
    pub(super) previous_phone: &'a str,
    pub(super) previous_user: &'a str,
}

/// A `Status`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Status<'a> {
    pub(super) id: &'a str,
    pub(super) time: i64,
    pub(super) origin: i32,
    pub(super) status: i32,
    pub(super) phone: &'a str,
    pub(super) user: &'a str,
    pub(super) in_group: bool,
    pub(super) category: i32,
    pub(super) conversation_origin: i32,
    pub(super) pricing_type: i32,
    pub(super) pricing_model: i32,
    pub(super) error_code: Option<i64>,
}

/// An `AccountEvent`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account<'a> {
    pub(super) time: i64,
    pub(super) field: &'a str,
    pub(super) event: &'a str,
    pub(super) error_code: Option<i64>,
    pub(super) role_previous: &'a str,
    pub(super) role_new: &'a str,
    pub(super) phone: &'a str,
    pub(super) user: &'a str,
    pub(super) previous_phone: &'a str,
    pub(super) previous_user: &'a str,
}

/// What becomes of a field that is not read: counted if unknown.
fn skip(wire: &mut Wire<'_>, tag: Tag, known: u64, unknown: &mut u64) -> Result<(), WireError> {
    wire.skip(tag, known)?;
    *unknown += 1;
    Ok(())
}

/// A string; the cursor stands behind its tag.
#[inline]
pub(super) fn string<'a>(wire: &mut Wire<'a>) -> Result<&'a str, WireError> {
    let bytes = wire.bytes()?;
    std::str::from_utf8(bytes).map_err(|error| {
        let at = wire.at() - bytes.len() + error.valid_up_to();
        WireError { fault: Fault::Utf8, at }
    })
}

#[inline]
fn long(wire: &mut Wire<'_>) -> Result<i64, WireError> {
    Ok(wire.varint()?.cast_signed())
}

/// Numbers of 32 bits are cut to them, as the protocol has it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "what the protocol says")]
fn int(wire: &mut Wire<'_>) -> Result<i32, WireError> {
    Ok(wire.varint()? as i32)
}

#[inline]
fn boolean(wire: &mut Wire<'_>) -> Result<bool, WireError> {
    Ok(wire.varint()? != 0)
}

impl<'a> Item<'a> {
    /// Reads an item to its end.
    pub(super) fn read(mut wire: Wire<'a>) -> Result<Self, WireError> {
        const MESSAGE: Tag = length(1);
        const STATUS: Tag = length(2);
        const ACCOUNT: Tag = length(3);
        const IGNORED: Tag = length(4);
        const WABA_ID: Tag = length(5);
        const SENDER: Tag = length(6);
        let mut item = Self::default();
        while let Some(tag) = wire.tag()? {
            match tag {
                MESSAGE => {
                    let inner = wire.message()?;
                    if !matches!(item.event, Event::Message(_)) {
                        item.event = Event::Message(Message::default());
                    }
                    if let Event::Message(message) = &mut item.event {
                        message.read(inner, &mut item.unknown_fields)?;
                    }
                }
                STATUS => {
                    let inner = wire.message()?;
                    if !matches!(item.event, Event::Status(_)) {
                        item.event = Event::Status(Status::default());
                    }
                    if let Event::Status(status) = &mut item.event {
                        status.read(inner, &mut item.unknown_fields)?;
                    }
                }
                ACCOUNT => {
                    let inner = wire.message()?;
                    if !matches!(item.event, Event::Account(_)) {
                        item.event = Event::Account(Account::default());
                    }
                    if let Event::Account(account) = &mut item.event {
                        account.read(inner, &mut item.unknown_fields)?;
                    }
                }
                IGNORED => {
                    let inner = wire.message()?;
                    let before = if let Event::Ignored(name) = item.event { name } else { "" };
                    let name = ignored(inner, before, &mut item.unknown_fields)?;
                    item.event = Event::Ignored(name);
                }
                WABA_ID => item.waba_id = string(&mut wire)?,
                SENDER => item.sender = string(&mut wire)?,
                tag => skip(&mut wire, tag, 6, &mut item.unknown_fields)?,
            }
        }
        Ok(item)
    }
}

fn ignored<'a>(
    mut wire: Wire<'a>,
    mut name: &'a str,
    unknown: &mut u64,
) -> Result<&'a str, WireError> {
    const NAME: Tag = length(1);
    while let Some(tag) = wire.tag()? {
        match tag {
            NAME => name = string(&mut wire)?,
            tag => skip(&mut wire, tag, 1, unknown)?,
        }
    }
    Ok(name)
}

impl<'a> Message<'a> {
    fn read(&mut self, mut wire: Wire<'a>, unknown: &mut u64) -> Result<(), WireError> {
        const ID: Tag = length(1);
        const TIME: Tag = varint(2);
        const DIRECTION: Tag = varint(3);
        const ORIGIN: Tag = varint(4);
        const TYPE: Tag = varint(5);
        const INTERACTIVE: Tag = varint(6);
        const PHONE: Tag = length(7);
        const USER: Tag = length(8);
        const TEXT: Tag = length(9);
        const CHARS: Tag = varint(10);
        const VOICE: Tag = varint(11);
        const IN_GROUP: Tag = varint(12);
        const IS_REPLY: Tag = varint(13);
        const HAS_REFERRAL: Tag = varint(14);
        const CHANGE: Tag = length(15);
        while let Some(tag) = wire.tag()? {
            match tag {
                ID => self.id = string(&mut wire)?,
                TIME => self.time = long(&mut wire)?,
                DIRECTION => self.direction = int(&mut wire)?,
                ORIGIN => self.origin = int(&mut wire)?,
                TYPE => self.kind = int(&mut wire)?,
                INTERACTIVE => self.interactive = int(&mut wire)?,
                PHONE => self.phone = string(&mut wire)?,
                USER => self.user = string(&mut wire)?,
                TEXT => {
                    self.text = Some(string(&mut wire)?);
                    self.chars = None;
                }
                CHARS => {
                    self.chars = Some(int(&mut wire)?.cast_unsigned());
                    self.text = None;
                }
                VOICE => self.voice = boolean(&mut wire)?,
                IN_GROUP => self.in_group = boolean(&mut wire)?,
                IS_REPLY => self.is_reply = boolean(&mut wire)?,
                HAS_REFERRAL => self.has_referral = boolean(&mut wire)?,
                CHANGE => {
                    let inner = wire.message()?;
                    self.change.get_or_insert_default().read(inner, unknown)?;
                }
                tag => skip(&mut wire, tag, 15, unknown)?,
            }
        }
        Ok(())
    }
}

impl<'a> Change<'a> {
    fn read(&mut self, mut wire: Wire<'a>, unknown: &mut u64) -> Result<(), WireError> {
        const EVENT: Tag = length(1);
        const PHONE: Tag = length(2);
        const USER: Tag = length(3);
        const PREVIOUS_PHONE: Tag = length(4);
        const PREVIOUS_USER: Tag = length(5);
        while let Some(tag) = wire.tag()? {
            match tag {
                EVENT => self.event = string(&mut wire)?,
                PHONE => self.phone = string(&mut wire)?,
                USER => self.user = string(&mut wire)?,
                PREVIOUS_PHONE => self.previous_phone = string(&mut wire)?,
                PREVIOUS_USER => self.previous_user = string(&mut wire)?,
                tag => skip(&mut wire, tag, 5, unknown)?,
            }
        }
        Ok(())
    }
}

impl<'a> Status<'a> {
    fn read(&mut self, mut wire: Wire<'a>, unknown: &mut u64) -> Result<(), WireError> {
        const ID: Tag = length(1);
        const TIME: Tag = varint(2);
        const ORIGIN: Tag = varint(3);
        const STATUS: Tag = varint(4);
        const PHONE: Tag = length(5);
        const USER: Tag = length(6);
        const IN_GROUP: Tag = varint(7);
        const CATEGORY: Tag = varint(8);
        const CONVERSATION_ORIGIN: Tag = varint(9);
        const PRICING_TYPE: Tag = varint(10);
        const PRICING_MODEL: Tag = varint(11);
        const ERROR_CODE: Tag = varint(12);
        while let Some(tag) = wire.tag()? {
            match tag {
                ID => self.id = string(&mut wire)?,
                TIME => self.time = long(&mut wire)?,
                ORIGIN => self.origin = int(&mut wire)?,
                STATUS => self.status = int(&mut wire)?,
                PHONE => self.phone = string(&mut wire)?,
                USER => self.user = string(&mut wire)?,
                IN_GROUP => self.in_group = boolean(&mut wire)?,
                CATEGORY => self.category = int(&mut wire)?,
                CONVERSATION_ORIGIN => self.conversation_origin = int(&mut wire)?,
                PRICING_TYPE => self.pricing_type = int(&mut wire)?,
                PRICING_MODEL => self.pricing_model = int(&mut wire)?,
                ERROR_CODE => self.error_code = Some(long(&mut wire)?),
                tag => skip(&mut wire, tag, 12, unknown)?,
            }
        }
        Ok(())
    }
}

impl<'a> Account<'a> {
    fn read(&mut self, mut wire: Wire<'a>, unknown: &mut u64) -> Result<(), WireError> {
        const TIME: Tag = varint(1);
        const FIELD: Tag = length(2);
        const EVENT: Tag = length(3);
        const ERROR_CODE: Tag = varint(4);
        const ROLE_PREVIOUS: Tag = length(5);
        const ROLE_NEW: Tag = length(6);
        const PHONE: Tag = length(7);
        const USER: Tag = length(8);
        const PREVIOUS_PHONE: Tag = length(9);
        const PREVIOUS_USER: Tag = length(10);
        while let Some(tag) = wire.tag()? {
            match tag {
                TIME => self.time = long(&mut wire)?,
                FIELD => self.field = string(&mut wire)?,
                EVENT => self.event = string(&mut wire)?,
                ERROR_CODE => self.error_code = Some(long(&mut wire)?),
                ROLE_PREVIOUS => self.role_previous = string(&mut wire)?,
                ROLE_NEW => self.role_new = string(&mut wire)?,
                PHONE => self.phone = string(&mut wire)?,
                USER => self.user = string(&mut wire)?,
                PREVIOUS_PHONE => self.previous_phone = string(&mut wire)?,
                PREVIOUS_USER => self.previous_user = string(&mut wire)?,
                tag => skip(&mut wire, tag, 10, unknown)?,
            }
        }
        Ok(())
    }
}
