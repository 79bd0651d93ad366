//! The straight way of webhooks: messages, echoes and statuses in their usual shape, whatever the
//! order of their keys.
//!
//! ```text
//! text ─▶ one pass: grammar, keys that matter ─▶ spans ─▶ rows
//!            │ anything unusual                    (only now, when all of the text was read)
//!            ▼
//!          the tape, which says what everything means
//! ```
//!
//! What this way takes it must take as [`super::decode`] does; whatever it is not sure of it leaves
//! alone, having written nothing. `tests/ways.rs` compares the two.

mod items;

use turnwise_model::limits::RECORD_ITEMS_MAX;
use turnwise_model::{Direction, Millis, Origin};

use crate::json::scan::{Cursor, Span, word};
use crate::json::unescape_into;
use crate::peer::same_digits;
use crate::record::Record;
use crate::rows::{MessageCells, StatusCells, TextColumns};
use crate::straight::{Hashing, PlainIds};
use items::{Contact, Message, Met, StatusItem};

/// What is read of a text before rows are written; kept for its memory.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    changes: Vec<Change>,
    contacts: Vec<Contact>,
    messages: Vec<Message>,
    echoes: Vec<Message>,
    statuses: Vec<StatusItem>,
    unescaped: String,
}

/// A change: its owner, and how many of each list are its.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    waba_id: Span,
    sender: Span,
    contacts: usize,
    messages: usize,
    echoes: usize,
    statuses: usize,
}

/// Items of one record that this way takes.
const ITEMS_MAX: usize = 1_000;
const _: () = assert!(ITEMS_MAX < RECORD_ITEMS_MAX);

/// Memory for unescaped texts that is kept between records.
const UNESCAPED_KEPT_MAX: usize = 64 << 10;

impl Scratch {
    fn clear(&mut self) {
        self.changes.clear();
        self.contacts.clear();
        self.messages.clear();
        self.echoes.clear();
        self.statuses.clear();
    }

    fn items(&self) -> usize {
        self.messages.len() + self.echoes.len() + self.statuses.len()
    }

    /// The lengths of the lists.
    fn lengths(&self) -> [usize; 4] {
        let Self { contacts, messages, echoes, statuses, .. } = self;
        [contacts.len(), messages.len(), echoes.len(), statuses.len()]
    }
}

/// Writes the rows of a text and answers `true`, or does nothing.
pub(crate) fn decode(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    scratch: &mut Scratch,
    bytes: &[u8],
) -> bool {
    scratch.clear();
    let mut cursor = Cursor::new(bytes);
    if root(&mut cursor, scratch).and_then(|()| cursor.end()).is_none() {
        return false;
    }
    let in_range = |time: &Millis| record.is_in_range(*time);
    let times = scratch.messages.iter().chain(&scratch.echoes).map(|message| &message.time);
    if !times.chain(scratch.statuses.iter().map(|status| &status.time)).all(in_range)
        || !(1..=ITEMS_MAX).contains(&scratch.items())
    {
        return false;
    }
    rows(record, hashing, scratch, bytes);
    true
}

fn root(cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Option<()> {
    const ENTRY: u64 = word(b"entry");
    const REQUEST: u64 = word(b"request");
    let mut met = Met::default();
    cursor.object(|cursor, key| match key.word {
        ENTRY if key.is(b"entry") => {
            met.once(0)?;
            cursor.array(|cursor| entry(cursor, scratch))
        }
        // It may be a record of a send.
        REQUEST if key.is(b"request") => None,
        _ => cursor.skip(),
    })
}

#[inline]
fn entry(cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Option<()> {
    const ID: u64 = word(b"id");
    const CHANGES: u64 = word(b"changes");
    let (mut waba_id, mut met) = (Span::default(), Met::default());
    let before = scratch.changes.len();
    cursor.object(|cursor, key| match key.word {
        ID if key.is(b"id") => {
            met.once(0)?;
            waba_id = items::plain_or_empty(cursor)?;
            Some(())
        }
        CHANGES if key.is(b"changes") => {
            met.once(1)?;
            cursor.array(|cursor| change(cursor, scratch))
        }
        _ => cursor.skip(),
    })?;
    for change in scratch.changes.iter_mut().skip(before) {
        change.waba_id = waba_id;
    }
    Some(())
}

#[inline]
fn change(cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Option<()> {
    const FIELD: u64 = word(b"field");
    const VALUE: u64 = word(b"value");
    let mut met = Met::default();
    let mut field = Span::default();
    cursor.object(|cursor, key| match key.word {
        FIELD if key.is(b"field") => {
            met.once(0)?;
            field = cursor.plain()?;
            Some(())
        }
        VALUE if key.is(b"value") => {
            met.once(1)?;
            let change = value(cursor, scratch)?;
            scratch.changes.push(change);
            Some(())
        }
        _ => cursor.skip(),
    })?;
    // Both fields hold the same lists, and say the same of them.
    let usual = matches!(field.of(cursor.bytes()), b"messages" | b"smb_message_echoes");
    // Both keys must be there, since a change without a value is something else.
    met.once(1).is_none().then_some(()).filter(|()| usual)
}

#[inline]
fn value(cursor: &mut Cursor<'_>, scratch: &mut Scratch) -> Option<Change> {
    const METADATA: u64 = word(b"metadata");
    const CONTACTS: u64 = word(b"contacts");
    const MESSAGES: u64 = word(b"messages");
    const ECHOES: u64 = word(b"message_echoes");
    const STATUSES: u64 = word(b"statuses");
    let mut met = Met::default();
    let mut sender = Span::default();
    let before = scratch.lengths();
    cursor.object(|cursor, key| match key.word {
        METADATA if key.is(b"metadata") => {
            met.once(0)?;
            sender = phone_number_id(cursor)?;
            Some(())
        }
        CONTACTS if key.is(b"contacts") => {
            met.once(1)?;
            cursor.array(|cursor| {
                scratch.contacts.push(items::contact(cursor)?);
                Some(())
            })
        }
        MESSAGES if key.is(b"messages") => {
            met.once(2)?;
            cursor.array(|cursor| {
                scratch.messages.push(items::message(cursor, false)?);
                Some(())
            })
        }
        ECHOES if key.is(b"message_echoes") => {
            met.once(3)?;
            cursor.array(|cursor| {
                scratch.echoes.push(items::message(cursor, true)?);
                Some(())
            })
        }
        STATUSES if key.is(b"statuses") => {
            met.once(4)?;
            cursor.array(|cursor| {
                scratch.statuses.push(items::status(cursor)?);
                Some(())
            })
        }
        _ if key.is(b"phone_number_id")
            || key.is(b"recipient")
            || key.is(b"standby")
            || key.is(b"history")
            || key.is(b"errors")
            || key.is(b"calls") =>
        {
            None
        }
        _ => cursor.skip(),
    })?;
    let after = scratch.lengths();
    let [contacts, messages, echoes, statuses] = std::array::from_fn(|at| after[at] - before[at]);
    let change = Change { waba_id: Span::default(), sender, contacts, messages, echoes, statuses };
    (!sender.is_empty()).then_some(change)
}

/// `metadata.phone_number_id`.
#[inline]
fn phone_number_id(cursor: &mut Cursor<'_>) -> Option<Span> {
    const PHONE_NUMBER_ID: u64 = word(b"phone_number_id");
    let (mut sender, mut met) = (Span::default(), Met::default());
    cursor.object(|cursor, key| {
        if key.word == PHONE_NUMBER_ID && key.is(b"phone_number_id") {
            met.once(0)?;
            sender = items::plain(cursor)?;
            Some(())
        } else {
            cursor.skip()
        }
    })?;
    Some(sender)
}

/// What an item's rows need of the change around it.
struct Around<'a> {
    bytes: &'a [u8],
    waba_id: &'a [u8],
    sender: &'a [u8],
    contacts: &'a [Contact],
}

impl<'a> Around<'a> {
    /// The ids of an item, completed from the contact that its peer is.
    #[inline]
    fn ids(&self, message: Span, phone: Span, user: Span, alone: bool) -> PlainIds<'a> {
        let (phone, user) = (phone.of(self.bytes), user.of(self.bytes));
        let contact = self.contact(phone, user, alone);
        let or = |own: &'a [u8], of: fn(&Contact) -> Span| match contact {
            Some(contact) if own.is_empty() => of(contact).of(self.bytes),
            _ => own,
        };
        PlainIds {
            waba_id: self.waba_id,
            sender: self.sender,
            phone: or(phone, |contact| contact.phone),
            user: or(user, |contact| contact.user),
            message: message.of(self.bytes),
        }
    }

    /// The same choice as [`super::message::contact`].
    #[inline]
    fn contact(&self, phone: &[u8], user: &[u8], alone: bool) -> Option<&'a Contact> {
        let same = |contact: &&Contact| {
            let (of_phone, of_user) = (contact.phone.of(self.bytes), contact.user.of(self.bytes));
            !phone.is_empty() && !of_phone.is_empty() && same_digits(phone, of_phone)
                || !user.is_empty() && user == of_user
        };
        self.contacts.iter().find(same).or_else(|| match self.contacts {
            [only] => {
                let has_none = phone.is_empty() && user.is_empty();
                (alone || has_none || only.phone.is_empty()).then_some(only)
            }
            _ => None,
        })
    }
}

/// Writes the rows of all changes.
fn rows(record: &mut Record<'_>, hashing: Hashing<'_>, scratch: &mut Scratch, bytes: &[u8]) {
    let Scratch { changes, contacts, messages, echoes, statuses, unescaped } = scratch;
    let (mut contacts, mut messages) = (&contacts[..], &messages[..]);
    let (mut echoes, mut statuses) = (&echoes[..], &statuses[..]);
    for change in changes.iter() {
        let around = Around {
            bytes,
            waba_id: change.waba_id.of(bytes),
            sender: change.sender.of(bytes),
            contacts: first(&mut contacts, change.contacts),
        };
        for message in first(&mut messages, change.messages) {
            let ids = around.ids(message.id, message.phone, message.user, change.messages == 1);
            let way = (Origin::Live, Direction::Inbound);
            a_message(record, hashing, &ids, way, message, bytes, unescaped);
        }
        for message in first(&mut echoes, change.echoes) {
            let ids = around.ids(message.id, message.phone, message.user, change.echoes == 1);
            let way = (Origin::App, Direction::Outbound);
            a_message(record, hashing, &ids, way, message, bytes, unescaped);
        }
        for status in first(&mut statuses, change.statuses) {
            let ids = around.ids(status.id, status.phone, status.user, change.statuses == 1);
            a_status(record, hashing, &ids, status);
        }
    }
    unescaped.clear();
    unescaped.shrink_to(UNESCAPED_KEPT_MAX);
}

/// Takes the first `count` of a list.
fn first<'a, T>(list: &mut &'a [T], count: usize) -> &'a [T] {
    let (first, rest) = list.split_at(count.min(list.len()));
    *list = rest;
    first
}

#[inline]
fn a_message(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    ids: &PlainIds<'_>,
    (origin, direction): (Origin, Direction),
    message: &Message,
    bytes: &[u8],
    unescaped: &mut String,
) {
    let Some(item) = record.begin_known() else { return };
    let text = message.text.map_or(TextColumns::None, |text| {
        let raw = text.span.of(bytes);
        TextColumns::Text(if text.escaped {
            unescaped.clear();
            // The whole record is UTF-8 by now.
            unescape_into(std::str::from_utf8(raw).unwrap_or_default(), unescaped);
            record.rows.shapes.push(unescaped)
        } else {
            record.rows.shapes.push_bytes(raw)
        })
    });
    let cells = MessageCells {
        origin,
        in_group: false,
        direction,
        kind: message.kind,
        interactive: message.interactive,
        voice: message.voice,
        country: None,
        is_reply: message.is_reply,
        has_referral: message.has_referral,
        text,
    };
    record.plain_message(hashing, ids, message.time, item, cells);
}

#[inline]
fn a_status(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    ids: &PlainIds<'_>,
    status: &StatusItem,
) {
    let Some(item) = record.begin_known() else { return };
    let cells = StatusCells {
        origin: Origin::Live,
        in_group: false,
        status: status.status,
        category: status.category,
        conversation_origin: status.conversation_origin,
        pricing_type: status.pricing_type,
        pricing_model: status.pricing_model,
        error_code: status.error_code,
    };
    record.plain_status(hashing, ids, status.time, item, &cells);
}
