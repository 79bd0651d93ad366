//! Reads a text of webhooks of no known layout: which of its values matter, and for what.

use turnwise_model::limits::STRAIGHT_CONTACTS_MAX;

use super::handover::{self, Parts};
use super::items;
use super::lists::{Change, ITEMS_MAX, Lists, Whole};
use crate::json::{Cursor, Field, Layouts, Mark, Nth, Trace, UNUSUAL};
use crate::straight::contact::Contact;

/// What is read of a text, and how.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) lists: Lists,
    /// Layouts of changes. Of records that hold several there are too many to know.
    pub(super) layouts: Layouts<Lists>,
    /// Changes that are of none of them: where they stand, and which of all they are.
    new: Vec<([Mark; 2], usize)>,
}

impl Default for Read {
    fn default() -> Self {
        Self { lists: Lists::default(), layouts: Layouts::of_parts(), new: Vec::new() }
    }
}

impl Read {
    pub(super) fn clear(&mut self) {
        self.lists.clear();
        self.new.clear();
        self.new.shrink_to(ITEMS_MAX);
    }

    /// Reads a text; nothing may be left of one before. Of one that is not read to its end nothing
    /// is left either.
    #[inline(never)]
    pub(super) fn all(&mut self, bytes: &[u8], trace: &mut Trace) -> &Lists {
        let mut cursor = Cursor::new(bytes, trace);
        if self.webhook(&mut cursor).and_then(|()| cursor.end()).is_none() {
            self.clear();
        }
        &self.lists
    }

    fn webhook(&mut self, cursor: &mut Cursor<'_, '_>) -> Option<()> {
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
        let (_, new) = self.lists.changes.split_at_mut(before);
        if new.is_empty() {
            // An entry without changes is a row too.
            return None;
        }
        for change in new {
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
    pub(super) fn learn(&mut self, bytes: &[u8], trace: &Trace) {
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
    let (mut kind, mut change) = (None, None);
    cursor.object(name, |cursor, field| {
        match field {
            FIELD => {
                let known = |name: &[u8]| match name {
                    b"messages" => Some(ITEMS),
                    b"smb_message_echoes" => Some(ECHOED),
                    b"messaging_handovers" => Some(HANDOVER),
                    _ => None,
                };
                kind = Some(cursor.named(known)?);
            }
            VALUE => change = Some(value(cursor, lists)?),
            _ => return None,
        }
        Some(())
    })?;
    let (mut change, parts) = change?;
    match kind? {
        HANDOVER if change.counts.are_none() => change.handover = Some(parts.whole()?),
        HANDOVER => return None,
        // What is of a handover may mean something else here. A change without items is a row too.
        _ if parts.are_any || change.counts.are_none() => return None,
        // They are echoes as well.
        ECHOED if change.counts.messages > 0 => return None,
        _ => {}
    }
    if change.sender.is_none() {
        change.sender = parts.recipient;
    }
    if change.sender.is_none() {
        return None;
    }
    lists.end_change(change);
    Some(())
}

/// What a change's field says of it.
const ITEMS: u8 = 0;
const HANDOVER: u8 = 1;
const ECHOED: u8 = 2;

fn value_field(name: &[u8]) -> Field {
    match name {
        b"metadata" => METADATA,
        b"contacts" => CONTACTS,
        b"messages" => MESSAGES,
        b"message_echoes" => ECHOES,
        b"statuses" => STATUSES,
        b"phone_number_id" | b"standby" | b"history" | b"errors" | b"calls" | b"user_actions"
        | b"user_id_update" | b"message" | b"user_preferences" | b"state_sync" | b"groups" => {
            UNUSUAL
        }
        name => handover::field(name),
    }
}

const METADATA: Field = 1;
const CONTACTS: Field = 2;
const MESSAGES: Field = 3;
const ECHOES: Field = 4;
const STATUSES: Field = 5;
const _: () = assert!(STATUSES < handover::FIRST);

fn value(cursor: &mut Cursor<'_, '_>, lists: &mut Lists) -> Option<(Change, Parts)> {
    let ([mut sender, mut display], mut parts) = ([Nth::NONE; 2], Parts::default());
    let before = lists.counts();
    cursor.object(value_field, |cursor, field| match field {
        METADATA => {
            const ID: Field = 1;
            let name = |name: &[u8]| match name {
                b"phone_number_id" => ID,
                b"display_phone_number" => ID + 1,
                _ => 0,
            };
            cursor.object(name, |cursor, field| {
                match field {
                    ID => sender = cursor.string()?,
                    _ => display = cursor.number_or_string()?,
                }
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
        field => parts.read(cursor, field),
    })?;
    let counts = lists.counts().since(before);
    Some((Change { waba_id: Nth::NONE, sender, display, counts, handover: None }, parts))
}
