//! The straight way of webhooks: messages, echoes and statuses in their usual shape, whatever the
//! order of their keys.
//!
//! ```text
//! text ─┬ of a known layout: its strings ─────┬▶ what matters ─▶ checked ─▶ rows
//!       └ else in one pass: grammar and keys ─┘          (only when all of the text was read)
//!            │     └ changes of known layouts: their strings
//!            │ anything unusual
//!            ▼
//!          the tape, which says what everything means
//! ```
//!
//! What this way takes it must take as [`super::decode`] does; whatever it is not sure of it leaves
//! alone, having written nothing. `tests/ways.rs` compares the two.

mod items;
mod lists;

use turnwise_model::limits::STRAIGHT_CONTACTS_MAX;
use turnwise_model::{Direction, Millis, Origin};

use crate::json::{Cursor, Field, Layouts, Mark, Nth, Trace, UNUSUAL, Values};
use crate::peer::same_digits;
use crate::record::Record;
use crate::rows::{MessageRow, PlainOwner, StatusRow, Strings};
use crate::straight::contact::Contact;
use crate::straight::{Hashing, PlainIds, UNESCAPED_KEPT_MAX};
use crate::unknown::UnknownFields;
use crate::work;
use items::{Message, StatusItem};
use lists::{Change, ITEMS_MAX, Lists, Whole};

/// What is kept from text to text: layouts, and memory.
#[derive(Debug)]
pub(crate) struct Scratch {
    layouts: Layouts<Lists>,
    trace: Trace,
    read: Read,
    checked: Checked,
    unescaped: String,
}

/// What is read of a text, and how.
#[derive(Debug)]
struct Read {
    lists: Lists,
    /// Layouts of changes. Of records that hold several there are too many to know.
    layouts: Layouts<Lists>,
    /// Changes that are of none of them: where they stand, and which of all they are.
    new: Vec<([Mark; 2], usize)>,
}

/// What was made of values while they were checked, in the order of rows.
#[derive(Debug, Default)]
struct Checked {
    /// Of changes that have items.
    owners: Vec<PlainOwner>,
    times: Vec<Millis>,
}

impl Default for Scratch {
    fn default() -> Self {
        let read = Read { lists: Lists::default(), layouts: Layouts::of_parts(), new: Vec::new() };
        Self {
            layouts: Layouts::of_texts(),
            trace: Trace::default(),
            read,
            checked: Checked::default(),
            unescaped: String::new(),
        }
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
    let Scratch { layouts, checked, unescaped, .. } = scratch;
    let is_taken = match layouts.find(bytes) {
        Some(known) => {
            let values = Values { bytes, texts: known.values };
            let is_taken = write(record, hashing, values, known.read, checked, unescaped);
            if is_taken {
                unknown.add_all(known.unknown);
            }
            is_taken
        }
        None => scratch.decode_new(record, hashing, unknown, bytes),
    };
    if !scratch.unescaped.is_empty() {
        scratch.unescaped.clear();
        scratch.unescaped.shrink_to(UNESCAPED_KEPT_MAX);
    }
    is_taken
}

impl Scratch {
    /// The same of a text of no known layout, which is learned.
    #[inline(never)]
    fn decode_new(
        &mut self,
        record: &mut Record<'_>,
        hashing: Hashing<'_>,
        unknown: &UnknownFields,
        bytes: &[u8],
    ) -> bool {
        let Self { layouts, trace, read, checked, unescaped } = self;
        let mut cursor = Cursor::new(bytes, trace);
        let is_read = read.all(&mut cursor).and_then(|()| cursor.end()).is_some();
        let values = Values { bytes, texts: &trace.values };
        let is_taken = is_read && write(record, hashing, values, &read.lists, checked, unescaped);
        if is_taken {
            unknown.add_all(&trace.unknown);
            if read.lists.changes.len() == 1 {
                layouts.learn(bytes, trace, read.lists.clone(), read.lists.entries());
            } else {
                read.learn(bytes, trace);
            }
        }
        // Now, not with the next text that has to be read: that may be long in coming.
        trace.clear();
        read.clear();
        is_taken
    }
}

/// Writes the rows of what was read, if all of it is usual.
#[inline(always)]
fn write(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    values: Values<'_>,
    lists: &Lists,
    checked: &mut Checked,
    unescaped: &mut String,
) -> bool {
    let is_usual = (1..=ITEMS_MAX).contains(&lists.items())
        && lists.changes.len() <= ITEMS_MAX
        && record.has_room(lists.items())
        && checked.all(record, values, lists).is_some();
    if is_usual {
        rows(record, hashing, values, lists, checked, unescaped);
    }
    is_usual
}

impl Checked {
    /// Checks all values that matter. Owners are kept only when everything else was found to be
    /// usual.
    #[inline(always)]
    fn all(&mut self, record: &mut Record<'_>, values: Values<'_>, lists: &Lists) -> Option<()> {
        let Self { owners, times } = self;
        owners.clear();
        times.clear();
        for Whole { contacts, messages, echoes, statuses, .. } in lists.each() {
            if !contacts.iter().all(|contact| contact.is_usual(values)) {
                return None;
            }
            let mut put = |time: Option<Millis>| {
                times.push(time.filter(|time| record.is_in_range(*time))?);
                Some(())
            };
            messages.iter().chain(echoes).try_for_each(|message| put(message.check(values)))?;
            statuses.iter().try_for_each(|status| put(status.check(values)))?;
        }
        let ids = |change: &Change| {
            let ids = [change.waba_id, change.sender];
            let is_escaped = ids.iter().any(|id| values.text(*id).is_escaped());
            (!is_escaped).then(|| ids.map(|id| values.of(id)))
        };
        let changes = lists.each().filter(Whole::has_items).map(|whole| whole.change);
        // One owner is kept or refused at once; of several the last may be refused.
        let is_plain = |change: &Change| ids(change).is_some_and(Strings::may_own);
        if lists.changes.len() > 1 && !changes.clone().all(is_plain) {
            return None;
        }
        for change in changes {
            let [waba_id, sender] = ids(change)?;
            owners.push(record.rows.strings.plain_owner(waba_id, sender)?);
        }
        Some(())
    }
}

impl Read {
    fn clear(&mut self) {
        self.lists.clear();
        self.new.clear();
        self.new.shrink_to(ITEMS_MAX);
    }

    /// Reads a text; nothing may be left of one before.
    fn all(&mut self, cursor: &mut Cursor<'_, '_>) -> Option<()> {
        let name = |name: &[u8]| match name {
            b"entry" => 1,
            // Another writer's envelope around the same; a send.
            b"gs_app_id" | b"request" | b"phone_number_id" => UNUSUAL,
            _ => 0,
        };
        cursor.object(name, |cursor, _| cursor.array(|cursor| self.entry(cursor)))
    }

    fn entry(&mut self, cursor: &mut Cursor<'_, '_>) -> Option<()> {
        const ID: Field = 1;
        const CHANGES: Field = 2;
        let name = |name: &[u8]| match name {
            b"id" => ID,
            b"changes" => CHANGES,
            _ => 0,
        };
        let mut waba_id = Nth::NONE;
        let before = self.lists.changes.len();
        cursor.object(name, |cursor, field| {
            match field {
                ID => waba_id = cursor.string()?,
                CHANGES => cursor.array(|cursor| self.known_or_new(cursor))?,
                _ => return None,
            }
            Some(())
        })?;
        for change in self.lists.changes.iter_mut().skip(before) {
            change.waba_id = waba_id;
        }
        Some(())
    }

    /// A change.
    fn known_or_new(&mut self, cursor: &mut Cursor<'_, '_>) -> Option<()> {
        let from = cursor.mark_next();
        if let Some(known) = self.layouts.find_part(cursor.bytes(), from) {
            for whole in known.read.each() {
                self.lists.add(&whole, from.values() as isize);
            }
            return cursor.pass(&known);
        }
        let nth = self.lists.changes.len();
        change(cursor, &mut self.lists)?;
        self.new.push(([from, cursor.mark()], nth));
        Some(())
    }

    /// Learns changes whose layouts are not known.
    fn learn(&mut self, bytes: &[u8], trace: &Trace) {
        let Self { lists, layouts, new } = self;
        let mut new = new.iter().peekable();
        for (nth, whole) in lists.each().enumerate() {
            if let Some((marks, _)) = new.next_if(|(_, place)| *place == nth) {
                let mut alone = Lists::default();
                let change = Change { waba_id: Nth::NONE, ..*whole.change };
                let whole = Whole { change: &change, ..whole };
                alone.add(&whole, -(marks[0].values() as isize));
                let weight = alone.entries();
                layouts.learn_part(bytes, *marks, trace, alone, weight);
            }
        }
    }
}

fn change(cursor: &mut Cursor<'_, '_>, lists: &mut Lists) -> Option<()> {
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

fn value(cursor: &mut Cursor<'_, '_>, lists: &mut Lists) -> Option<Change> {
    let mut sender = Nth::NONE;
    let before = lists.counts();
    cursor.object(value_field, |cursor, field| match field {
        METADATA => {
            let name = |name: &[u8]| u8::from(name == b"phone_number_id");
            cursor.object(name, |cursor, _| {
                sender = cursor.string()?;
                Some(())
            })
        }
        CONTACTS => cursor.array(|cursor| {
            lists.contacts.push(Contact::read(cursor)?);
            // Each item looks through all of them.
            let count = lists.contacts.len() - before.contacts;
            (count <= STRAIGHT_CONTACTS_MAX).then_some(())
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
    let counts = lists.counts().since(before);
    (!sender.is_none()).then_some(Change { waba_id: Nth::NONE, sender, counts })
}

/// What an item's rows need of the change around it.
struct Around<'a> {
    values: Values<'a>,
    owner: PlainOwner,
    sender: &'a [u8],
    contacts: &'a [Contact],
}

impl<'a> Around<'a> {
    /// The ids of an item, completed from the contact that its peer is.
    #[inline(always)]
    fn ids(&self, message: Nth, [phone, user]: [Nth; 2], alone: bool) -> PlainIds<'a> {
        let (phone, user) = (self.values.of(phone), self.values.of(user));
        let contact = self.contact(phone, user, alone);
        let or = |own: &'a [u8], of: fn(&Contact) -> Nth| match contact {
            Some(contact) if own.is_empty() => self.values.of(of(contact)),
            _ => own,
        };
        PlainIds {
            owner: self.owner,
            sender: self.sender,
            phone: or(phone, |contact| contact.phone),
            user: or(user, |contact| contact.user),
            message: self.values.of(message),
        }
    }

    /// The same choice as [`super::contacts::Contacts::of`].
    #[inline]
    fn contact(&self, phone: &[u8], user: &[u8], alone: bool) -> Option<&'a Contact> {
        let same = |contact: &&Contact| {
            work::step(1);
            let (of_phone, of_user) = (self.values.of(contact.phone), self.values.of(contact.user));
            !phone.is_empty() && !of_phone.is_empty() && same_digits(phone, of_phone)
                || !user.is_empty() && user == of_user
        };
        self.contacts.iter().find(same).or_else(|| match self.contacts {
            [only] => {
                let has_none = phone.is_empty() && user.is_empty();
                let has_no_phone = self.values.of(only.phone).is_empty();
                (alone || has_none || has_no_phone).then_some(only)
            }
            _ => None,
        })
    }
}

/// Writes the rows of all changes.
fn rows(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    values: Values<'_>,
    lists: &Lists,
    checked: &Checked,
    unescaped: &mut String,
) {
    let mut times = checked.times.iter().copied();
    // There is one for each item.
    let mut time = || times.next().unwrap_or(Millis(0));
    for (whole, owner) in lists.each().filter(Whole::has_items).zip(&checked.owners) {
        let Whole { change, contacts, messages, echoes, statuses } = whole;
        let sender = values.of(change.sender);
        let around = Around { values, owner: *owner, sender, contacts };
        for message in messages {
            let ids = around.ids(message.id, message.peer(false), messages.len() == 1);
            let way = (Origin::Live, Direction::Inbound);
            a_message(record, hashing, &ids, way, (values, message, time()), unescaped);
        }
        for message in echoes {
            let ids = around.ids(message.id, message.peer(true), echoes.len() == 1);
            let way = (Origin::App, Direction::Outbound);
            a_message(record, hashing, &ids, way, (values, message, time()), unescaped);
        }
        for status in statuses {
            let ids = around.ids(status.id, [status.phone, status.user], statuses.len() == 1);
            a_status(record, hashing, &ids, values, status, time());
        }
    }
}

#[inline(always)]
fn a_message(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    ids: &PlainIds<'_>,
    (origin, direction): (Origin, Direction),
    (values, message, time): (Values<'_>, &Message, Millis),
    unescaped: &mut String,
) {
    let Some(item) = record.begin_known() else { return };
    let text = record.plain_text(values, message.body.text, unescaped);
    let row = MessageRow {
        common: record.plain_common(hashing, ids, time, item),
        origin,
        in_group: false,
        direction,
        kind: message.body.kind,
        interactive: message.body.interactive,
        voice: message.body.voice,
        country: ids.country(),
        is_reply: message.is_reply(),
        has_referral: message.has_referral,
        text,
    };
    record.plain_message(ids.owner, row);
}

#[inline(always)]
fn a_status(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    ids: &PlainIds<'_>,
    values: Values<'_>,
    status: &StatusItem,
    time: Millis,
) {
    let Some(item) = record.begin_known() else { return };
    let row = StatusRow {
        common: record.plain_common(hashing, ids, time, item),
        origin: Origin::Live,
        in_group: false,
        status: status.status,
        category: status.category,
        conversation_origin: status.conversation_origin,
        pricing_type: status.pricing_type,
        pricing_model: status.pricing_model,
        error_code: status.error_code(values),
    };
    record.plain_status(ids.owner, row);
}

#[cfg(test)]
mod tests;
