//! The straight way of webhooks: messages, echoes and statuses in their usual shape, whatever the
//! order of their keys.
//!
//! ```text
//! text ─┬ of a known layout: its strings ─────┬▶ what matters ─▶ rows
//!       └ else in one pass: grammar and keys ─┘     (only when all of the text was read)
//!            │ anything unusual
//!            ▼
//!          the tape, which says what everything means
//! ```
//!
//! What this way takes it must take as [`super::decode`] does; whatever it is not sure of it leaves
//! alone, having written nothing. `tests/ways.rs` compares the two.

mod items;

use turnwise_model::{Direction, Millis, Origin};

use crate::json::{Cursor, Field, Layouts, Reader, Span, Trace, UNUSUAL};
use crate::peer::same_digits;
use crate::record::Record;
use crate::rows::{MessageRow, PlainOwner, StatusRow};
use crate::straight::contact::{self, Contact};
use crate::straight::values::{plain, plain_or_empty};
use crate::straight::{Hashing, PlainIds, UNESCAPED_KEPT_MAX};
use crate::unknown::UnknownFields;
use items::{Message, StatusItem};

/// What is kept from text to text: layouts, and memory.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    layouts: Layouts,
    trace: Trace,
    lists: Lists,
    unescaped: String,
}

/// What is read of a text before rows are written.
#[derive(Debug, Default)]
struct Lists {
    changes: Vec<Change>,
    contacts: Vec<Contact>,
    messages: Vec<Message>,
    echoes: Vec<Message>,
    statuses: Vec<StatusItem>,
}

/// A change: its owner, and how many of each list are its.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    waba_id: Span,
    sender: Span,
    owner: Option<PlainOwner>,
    contacts: usize,
    messages: usize,
    echoes: usize,
    statuses: usize,
}

/// Items of one text that this way takes, and changes.
const ITEMS_MAX: usize = 1_000;

/// Entries of each list that memory is kept for between records: more are of a record that is not
/// taken here anyway.
const ENTRIES_KEPT_MAX: usize = 2 * ITEMS_MAX;

impl Lists {
    fn clear(&mut self) {
        let Self { changes, contacts, messages, echoes, statuses } = self;
        changes.clear();
        changes.shrink_to(ENTRIES_KEPT_MAX);
        contacts.clear();
        contacts.shrink_to(ENTRIES_KEPT_MAX);
        for messages in [messages, echoes] {
            messages.clear();
            messages.shrink_to(ENTRIES_KEPT_MAX);
        }
        statuses.clear();
        statuses.shrink_to(ENTRIES_KEPT_MAX);
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
    unknown: &UnknownFields,
    bytes: &[u8],
) -> bool {
    let Scratch { layouts, trace, lists, .. } = scratch;
    lists.clear();
    let mut known = layouts.find(bytes);
    let read = match &mut known {
        Some(replay) => root(replay, lists),
        None => {
            let mut cursor = Cursor::new(bytes, trace);
            root(&mut cursor, lists).and_then(|()| cursor.end())
        }
    };
    if read.is_none() {
        return false;
    }
    let in_range = |time: &Millis| record.is_in_range(*time);
    let times = lists.messages.iter().chain(&lists.echoes).map(|message| &message.time);
    if !times.chain(lists.statuses.iter().map(|status| &status.time)).all(in_range)
        || !(1..=ITEMS_MAX).contains(&lists.items())
        || lists.changes.len() > ITEMS_MAX
        || !record.has_room(lists.items())
    {
        return false;
    }
    for change in &mut lists.changes {
        let (waba_id, sender) = (change.waba_id.of(bytes), change.sender.of(bytes));
        change.owner = record.rows.strings.plain_owner(waba_id, sender);
        if change.owner.is_none() {
            return false;
        }
    }
    match known {
        Some(replay) => unknown.add_all(replay.unknown),
        None => {
            unknown.add_all(&trace.unknown);
            // Of records that hold several changes there are too many to know.
            if lists.changes.len() == 1 {
                layouts.learn(bytes, trace);
            }
        }
    }
    rows(record, hashing, scratch, bytes);
    true
}

fn root<'a, R: Reader<'a>>(cursor: &mut R, lists: &mut Lists) -> Option<()> {
    let name = |name: &[u8]| match name {
        b"entry" => 1,
        // Another writer's envelope around the same; a send.
        b"gs_app_id" | b"request" | b"phone_number_id" => UNUSUAL,
        _ => 0,
    };
    cursor.object(name, |cursor, _| cursor.array(|cursor| entry(cursor, lists)))
}

#[inline]
fn entry<'a, R: Reader<'a>>(cursor: &mut R, lists: &mut Lists) -> Option<()> {
    const ID: Field = 1;
    const CHANGES: Field = 2;
    let name = |name: &[u8]| match name {
        b"id" => ID,
        b"changes" => CHANGES,
        _ => 0,
    };
    let mut waba_id = Span::default();
    let before = lists.changes.len();
    cursor.object(name, |cursor, field| {
        match field {
            ID => waba_id = plain_or_empty(cursor)?,
            CHANGES => cursor.array(|cursor| change(cursor, lists))?,
            _ => return None,
        }
        Some(())
    })?;
    for change in lists.changes.iter_mut().skip(before) {
        change.waba_id = waba_id;
    }
    Some(())
}

#[inline]
fn change<'a, R: Reader<'a>>(cursor: &mut R, lists: &mut Lists) -> Option<()> {
    const FIELD: Field = 1;
    const VALUE: Field = 2;
    let name = |name: &[u8]| match name {
        b"field" => FIELD,
        b"value" => VALUE,
        _ => 0,
    };
    let (mut is_known, mut change) = (false, None);
    cursor.object(name, |cursor, field| {
        match field {
            // Both hold the same lists, and say the same of them.
            FIELD => {
                let known =
                    |name: &[u8]| matches!(name, b"messages" | b"smb_message_echoes").then_some(0);
                is_known = cursor.named(known).is_some();
                return is_known.then_some(());
            }
            VALUE => change = Some(value(cursor, lists)?),
            _ => return None,
        }
        Some(())
    })?;
    lists.changes.push(change?);
    is_known.then_some(())
}

fn value_field(name: &[u8]) -> Field {
    match name {
        b"metadata" => METADATA,
        b"contacts" => CONTACTS,
        b"messages" => MESSAGES,
        b"message_echoes" => ECHOES,
        b"statuses" => STATUSES,
        b"phone_number_id" | b"recipient" | b"standby" | b"history" | b"errors" | b"calls" => {
            UNUSUAL
        }
        _ => 0,
    }
}

const METADATA: Field = 1;
const CONTACTS: Field = 2;
const MESSAGES: Field = 3;
const ECHOES: Field = 4;
const STATUSES: Field = 5;

#[inline]
fn value<'a, R: Reader<'a>>(cursor: &mut R, lists: &mut Lists) -> Option<Change> {
    let mut sender = Span::default();
    let before = lists.lengths();
    cursor.object(value_field, |cursor, field| match field {
        METADATA => {
            let name = |name: &[u8]| u8::from(name == b"phone_number_id");
            cursor.object(name, |cursor, _| {
                sender = plain(cursor)?;
                Some(())
            })
        }
        CONTACTS => cursor.array(|cursor| {
            lists.contacts.push(contact::contact(cursor)?);
            Some(())
        }),
        MESSAGES => cursor.array(|cursor| {
            lists.messages.push(items::message(cursor, false)?);
            Some(())
        }),
        ECHOES => cursor.array(|cursor| {
            lists.echoes.push(items::message(cursor, true)?);
            Some(())
        }),
        STATUSES => cursor.array(|cursor| {
            lists.statuses.push(items::status(cursor)?);
            Some(())
        }),
        _ => None,
    })?;
    let after = lists.lengths();
    let [contacts, messages, echoes, statuses] = std::array::from_fn(|at| after[at] - before[at]);
    let change = Change { sender, contacts, messages, echoes, statuses, ..Change::default() };
    (!sender.is_empty()).then_some(change)
}

/// What an item's rows need of the change around it.
struct Around<'a> {
    bytes: &'a [u8],
    owner: PlainOwner,
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
            owner: self.owner,
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
    let Scratch { lists, unescaped, .. } = scratch;
    let Lists { changes, contacts, messages, echoes, statuses } = lists;
    let (mut contacts, mut messages) = (&contacts[..], &messages[..]);
    let (mut echoes, mut statuses) = (&echoes[..], &statuses[..]);
    for change in changes.iter() {
        let Some(owner) = change.owner else { continue };
        let around = Around {
            bytes,
            owner,
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
    let text = record.plain_text(message.text, bytes, unescaped);
    let row = MessageRow {
        common: record.plain_common(hashing, ids, message.time, item),
        origin,
        in_group: false,
        direction,
        kind: message.kind,
        interactive: message.interactive,
        voice: message.voice,
        country: ids.country(),
        is_reply: message.is_reply,
        has_referral: message.has_referral,
        text,
    };
    record.plain_message(ids.owner, row);
}

#[inline]
fn a_status(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    ids: &PlainIds<'_>,
    status: &StatusItem,
) {
    let Some(item) = record.begin_known() else { return };
    let row = StatusRow {
        common: record.plain_common(hashing, ids, status.time, item),
        origin: Origin::Live,
        in_group: false,
        status: status.status,
        category: status.category,
        conversation_origin: status.conversation_origin,
        pricing_type: status.pricing_type,
        pricing_model: status.pricing_model,
        error_code: status.error_code,
    };
    record.plain_status(ids.owner, row);
}

#[cfg(test)]
mod tests;
