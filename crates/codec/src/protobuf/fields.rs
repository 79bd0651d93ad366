//! The messages of the protocol as they stand on the wire, borrowed from the record.
//!
//! As the protocol has it, the last of a field that occurs twice counts, messages that occur twice
//! are merged, and of a choice the last one written stands. Whether strings are UTF-8 is asked
//! later, of those who do not find out anyway.
//!
//! Writers write fields in the order of their numbers. So each field is first asked for once, in
//! that order: a branch that nearly always goes the way it went before, where a jump by tag would
//! go another way each time. Fields that stand elsewhere, occur twice or are unknown are read after
//! that, as they come.

use super::wire::{Fault, Tag, Wire, WireError, length, varint};
use turnwise_kernels::scan::is_utf8;

/// The fields of an `Item`.
pub(super) const MESSAGE: Tag = length(1);
pub(super) const STATUS: Tag = length(2);
pub(super) const ACCOUNT: Tag = length(3);
pub(super) const IGNORED: Tag = length(4);
pub(super) const WABA_ID: Tag = length(5);
pub(super) const SENDER: Tag = length(6);

/// One `Item`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Item<'a> {
    pub(super) event: Event<'a>,
    pub(super) waba_id: &'a [u8],
    pub(super) sender: &'a [u8],
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
    Ignored(&'a [u8]),
}

/// A `Message`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) id: &'a [u8],
    pub(super) time: i64,
    pub(super) direction: i32,
    pub(super) origin: i32,
    pub(super) kind: i32,
    pub(super) interactive: i32,
    pub(super) phone: &'a [u8],
    pub(super) user: &'a [u8],
    pub(super) text: Option<&'a [u8]>,
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
    pub(super) event: &'a [u8],
    pub(super) phone: &'a [u8],
    pub(super) user: &'a [u8],
    pub(super) previous_phone: &'a [u8],
    pub(super) previous_user: &'a [u8],
}

/// A `Status`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Status<'a> {
    pub(super) id: &'a [u8],
    pub(super) time: i64,
    pub(super) origin: i32,
    pub(super) status: i32,
    pub(super) phone: &'a [u8],
    pub(super) user: &'a [u8],
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
    pub(super) field: &'a [u8],
    pub(super) event: &'a [u8],
    pub(super) error_code: Option<i64>,
    pub(super) role_previous: &'a [u8],
    pub(super) role_new: &'a [u8],
    pub(super) phone: &'a [u8],
    pub(super) user: &'a [u8],
    pub(super) previous_phone: &'a [u8],
    pub(super) previous_user: &'a [u8],
}

/// Reads a message's fields to its end, the usual order first: see the module.
macro_rules! read_fields {
    ($wire:ident, $known:literal, $unknown:expr, {
        $($kind:ident $tag:ident => |$value:ident| $take:expr,)*
    }) => {
        $(if let Some($value) = read_fields!(@next $kind, $wire, $tag) { $take })*
        while let Some(tag) = $wire.tag()? {
            match tag {
                $($tag => {
                    let $value = $wire.$kind()?;
                    $take
                })*
                tag => skip(&mut $wire, tag, $known, $unknown)?,
            }
        }
    };
    (@next varint, $wire:ident, $tag:ident) => { $wire.varint_of($tag)? };
    (@next bytes, $wire:ident, $tag:ident) => { $wire.bytes_of($tag)? };
}

/// What becomes of a field that is not read: counted if unknown.
fn skip<'a>(
    wire: &mut Wire<'a>,
    tag: Tag,
    known: u64,
    unknown: &mut u64,
) -> Result<(), WireError<'a>> {
    wire.skip(tag, known)?;
    *unknown += 1;
    Ok(())
}

fn long(number: u64) -> i64 {
    number.cast_signed()
}

/// Numbers of 32 bits are cut to them, as the protocol has it.
#[expect(clippy::cast_possible_truncation, reason = "what the protocol says")]
fn int(number: u64) -> i32 {
    number as i32
}

fn boolean(number: u64) -> bool {
    number != 0
}

/// A string that is UTF-8.
pub(super) fn checked(string: &[u8]) -> Result<&str, WireError<'_>> {
    std::str::from_utf8(string).map_err(|error| {
        let rest = string.get(error.valid_up_to()..).unwrap_or_default();
        WireError { fault: Fault::Utf8, rest }
    })
}

/// A string that [`Item::check`] has seen.
pub(super) fn text(string: &[u8]) -> &str {
    std::str::from_utf8(string).unwrap_or_default()
}

impl<'a> Item<'a> {
    /// Refuses strings that are not UTF-8.
    pub(super) fn check(&self) -> Result<(), WireError<'a>> {
        let mut strings = vec![self.waba_id, self.sender];
        match &self.event {
            Event::None => {}
            Event::Ignored(name) => strings.push(name),
            Event::Message(message) => {
                strings.extend([message.id, message.phone, message.user]);
                strings.extend(message.text);
                if let Some(change) = message.change {
                    let Change { event, phone, user, previous_phone, previous_user } = change;
                    strings.extend([event, phone, user, previous_phone, previous_user]);
                }
            }
            Event::Status(status) => strings.extend([status.id, status.phone, status.user]),
            Event::Account(account) => {
                strings.extend([account.field, account.event]);
                strings.extend([account.role_previous, account.role_new]);
                strings.extend([account.phone, account.user]);
                strings.extend([account.previous_phone, account.previous_user]);
            }
        }
        strings
            .into_iter()
            .filter(|string| !is_utf8(string))
            .try_for_each(|string| checked(string).map(drop))
    }

    /// Reads an item to its end.
    pub(super) fn read(mut wire: Wire<'a>) -> Result<Self, WireError<'a>> {
        let mut item = Self::default();
        while let Some(tag) = wire.tag()? {
            match tag {
                MESSAGE => {
                    let inner = Wire::new(wire.bytes()?);
                    if !matches!(item.event, Event::Message(_)) {
                        item.event = Event::Message(Message::default());
                    }
                    if let Event::Message(message) = &mut item.event {
                        message.read(inner, &mut item.unknown_fields)?;
                    }
                }
                STATUS => {
                    let inner = Wire::new(wire.bytes()?);
                    if !matches!(item.event, Event::Status(_)) {
                        item.event = Event::Status(Status::default());
                    }
                    if let Event::Status(status) = &mut item.event {
                        status.read(inner, &mut item.unknown_fields)?;
                    }
                }
                ACCOUNT => {
                    let inner = Wire::new(wire.bytes()?);
                    if !matches!(item.event, Event::Account(_)) {
                        item.event = Event::Account(Account::default());
                    }
                    if let Event::Account(account) = &mut item.event {
                        account.read(inner, &mut item.unknown_fields)?;
                    }
                }
                IGNORED => {
                    let inner = Wire::new(wire.bytes()?);
                    let before = if let Event::Ignored(name) = item.event { name } else { b"" };
                    let name = ignored(inner, before, &mut item.unknown_fields)?;
                    item.event = Event::Ignored(name);
                }
                WABA_ID => item.waba_id = wire.bytes()?,
                SENDER => item.sender = wire.bytes()?,
                tag => skip(&mut wire, tag, 6, &mut item.unknown_fields)?,
            }
        }
        Ok(item)
    }
}

fn ignored<'a>(
    mut wire: Wire<'a>,
    mut name: &'a [u8],
    unknown: &mut u64,
) -> Result<&'a [u8], WireError<'a>> {
    const NAME: Tag = length(1);
    while let Some(tag) = wire.tag()? {
        match tag {
            NAME => name = wire.bytes()?,
            tag => skip(&mut wire, tag, 1, unknown)?,
        }
    }
    Ok(name)
}

impl<'a> Message<'a> {
    /// Reads what nearly all messages begin with, and nothing else: without a question that may
    /// be answered otherwise by the next message. What is left is for [`Message::read`].
    #[inline(always)]
    pub(super) fn usual(wire: &mut Wire<'a>) -> Self {
        let mut message = Self { id: wire.usual_bytes(0x0A), ..Self::default() };
        message.time = wire.usual_time(0x10);
        if let Some(numbers) = wire.usual_numbers(0x18) {
            [message.direction, message.origin, message.kind] = numbers.map(i32::from);
        }
        if let Some([number]) = wire.usual_numbers(0x30) {
            message.interactive = i32::from(number);
        }
        message.phone = wire.usual_bytes(0x3A);
        message.user = wire.usual_bytes(0x42);
        let before = *wire;
        match wire.bytes_of(length(9)) {
            Ok(text) => message.text = text,
            // For `read` to meet again and to refuse: the wire stands within it.
            Err(_) => *wire = before,
        }
        message
    }

    pub(super) fn read(
        &mut self,
        mut wire: Wire<'a>,
        unknown: &mut u64,
    ) -> Result<(), WireError<'a>> {
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
        read_fields!(wire, 15, unknown, {
            bytes ID => |bytes| self.id = bytes,
            varint TIME => |number| self.time = long(number),
            varint DIRECTION => |number| self.direction = int(number),
            varint ORIGIN => |number| self.origin = int(number),
            varint TYPE => |number| self.kind = int(number),
            varint INTERACTIVE => |number| self.interactive = int(number),
            bytes PHONE => |bytes| self.phone = bytes,
            bytes USER => |bytes| self.user = bytes,
            bytes TEXT => |text| {
                self.text = Some(text);
                self.chars = None;
            },
            varint CHARS => |number| {
                self.chars = Some(int(number).cast_unsigned());
                self.text = None;
            },
            varint VOICE => |number| self.voice = boolean(number),
            varint IN_GROUP => |number| self.in_group = boolean(number),
            varint IS_REPLY => |number| self.is_reply = boolean(number),
            varint HAS_REFERRAL => |number| self.has_referral = boolean(number),
            bytes CHANGE => |inner| {
                self.change.get_or_insert_default().read(Wire::new(inner), unknown)?;
            },
        });
        Ok(())
    }
}

impl<'a> Change<'a> {
    pub(super) fn read(
        &mut self,
        mut wire: Wire<'a>,
        unknown: &mut u64,
    ) -> Result<(), WireError<'a>> {
        const EVENT: Tag = length(1);
        const PHONE: Tag = length(2);
        const USER: Tag = length(3);
        const PREVIOUS_PHONE: Tag = length(4);
        const PREVIOUS_USER: Tag = length(5);
        read_fields!(wire, 5, unknown, {
            bytes EVENT => |bytes| self.event = bytes,
            bytes PHONE => |bytes| self.phone = bytes,
            bytes USER => |bytes| self.user = bytes,
            bytes PREVIOUS_PHONE => |bytes| self.previous_phone = bytes,
            bytes PREVIOUS_USER => |bytes| self.previous_user = bytes,
        });
        Ok(())
    }
}

impl<'a> Status<'a> {
    /// Reads what nearly all statuses are, and nothing else; see [`Message::usual`].
    #[inline(always)]
    pub(super) fn usual(wire: &mut Wire<'a>) -> Self {
        let mut status = Self { id: wire.usual_bytes(0x0A), ..Self::default() };
        status.time = wire.usual_time(0x10);
        if let Some(numbers) = wire.usual_numbers(0x18) {
            [status.origin, status.status] = numbers.map(i32::from);
        }
        status.phone = wire.usual_bytes(0x2A);
        status.user = wire.usual_bytes(0x32);
        if let Some(numbers) = wire.usual_numbers(0x40) {
            let [category, origin, kind, model] = numbers.map(i32::from);
            (status.category, status.conversation_origin) = (category, origin);
            (status.pricing_type, status.pricing_model) = (kind, model);
        }
        status
    }

    pub(super) fn read(
        &mut self,
        mut wire: Wire<'a>,
        unknown: &mut u64,
    ) -> Result<(), WireError<'a>> {
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
        read_fields!(wire, 12, unknown, {
            bytes ID => |bytes| self.id = bytes,
            varint TIME => |number| self.time = long(number),
            varint ORIGIN => |number| self.origin = int(number),
            varint STATUS => |number| self.status = int(number),
            bytes PHONE => |bytes| self.phone = bytes,
            bytes USER => |bytes| self.user = bytes,
            varint IN_GROUP => |number| self.in_group = boolean(number),
            varint CATEGORY => |number| self.category = int(number),
            varint CONVERSATION_ORIGIN => |number| self.conversation_origin = int(number),
            varint PRICING_TYPE => |number| self.pricing_type = int(number),
            varint PRICING_MODEL => |number| self.pricing_model = int(number),
            varint ERROR_CODE => |number| self.error_code = Some(long(number)),
        });
        Ok(())
    }
}

impl<'a> Account<'a> {
    pub(super) fn read(
        &mut self,
        mut wire: Wire<'a>,
        unknown: &mut u64,
    ) -> Result<(), WireError<'a>> {
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
        read_fields!(wire, 10, unknown, {
            varint TIME => |number| self.time = long(number),
            bytes FIELD => |bytes| self.field = bytes,
            bytes EVENT => |bytes| self.event = bytes,
            varint ERROR_CODE => |number| self.error_code = Some(long(number)),
            bytes ROLE_PREVIOUS => |bytes| self.role_previous = bytes,
            bytes ROLE_NEW => |bytes| self.role_new = bytes,
            bytes PHONE => |bytes| self.phone = bytes,
            bytes USER => |bytes| self.user = bytes,
            bytes PREVIOUS_PHONE => |bytes| self.previous_phone = bytes,
            bytes PREVIOUS_USER => |bytes| self.previous_user = bytes,
        });
        Ok(())
    }
}
