//! The straight way of webhooks: messages, echoes, statuses and handovers in their usual shape, whatever the
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

mod handover;
mod items;
mod lists;
mod read;

use turnwise_model::{Direction, Millis, Origin};

use crate::json::{Layouts, Nth, Trace, Values};
use crate::peer::are_alike;
use crate::record::Record;
use crate::rows::{AccountFacts, MessageRow, PlainOwner, StatusRow, Strings};
use crate::straight::accounts::{are_alone, is_alone};
use crate::straight::contact::Contact;
use crate::straight::{Hashing, PlainIds, UNESCAPED_KEPT_MAX};
use crate::unknown::UnknownFields;
use crate::webhook::contacts::Company;
use crate::work;
use handover::Handover;
use items::{Message, StatusItem};
use lists::{Change, ITEMS_MAX, Lists, Whole};
use read::Read;

/// What is kept from text to text: layouts, and memory.
#[derive(Debug)]
pub(crate) struct Scratch {
    layouts: Layouts<Lists>,
    trace: Trace,
    read: Read,
    checked: Checked,
    unescaped: String,
}

/// What was made of values while they were checked, in the order of rows.
#[derive(Debug, Default)]
struct Checked {
    /// Of changes.
    owners: Vec<PlainOwner>,
    times: Vec<Millis>,
    /// Of accounts.
    ends: Vec<u64>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            layouts: Layouts::of_texts(),
            trace: Trace::default(),
            read: Read::default(),
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
    let Scratch { layouts, trace, read, checked, unescaped } = scratch;
    let known = layouts.find(bytes);
    let (lists, texts, names) = match &known {
        Some(known) => (known.read, known.values, known.unknown),
        // What cannot be read to its end has no items.
        None => (read.all(bytes, trace), &trace.values[..], &trace.unknown[..]),
    };
    let values = Values { bytes, texts };
    // Every change has an item at least, so there are no more of them.
    let is_taken = (1..=ITEMS_MAX).contains(&lists.items())
        && record.place.has_room(lists.items())
        && checked.all(record, values, lists).is_some();
    if is_taken {
        unknown.add_all(names);
        rows(record, hashing, values, lists, checked, unescaped);
        if !unescaped.is_empty() {
            unescaped.clear();
            unescaped.shrink_to(UNESCAPED_KEPT_MAX);
        }
    }
    if known.is_none() {
        if is_taken && read.lists.changes.len() == 1 {
            layouts.learn(bytes, trace, read.lists.clone(), read.lists.entries());
        } else if is_taken {
            read.learn(bytes, trace);
        }
        // Now, not with the next text that has to be read: that may be long in coming.
        trace.clear();
        read.clear();
    }
    is_taken
}

impl Checked {
    /// Checks all values that matter. Owners are kept only when everything else was found to be
    /// usual.
    #[inline(always)]
    fn all(&mut self, record: &mut Record<'_>, values: Values<'_>, lists: &Lists) -> Option<()> {
        let Self { owners, times, ends } = self;
        owners.clear();
        times.clear();
        let are_alone = match &lists.changes[..] {
            [change] => is_alone(values, change.waba_id),
            changes => are_alone(values, changes.iter().map(|change| change.waba_id), ends),
        };
        if !are_alone {
            return None;
        }
        let mut put = |time: Millis| record.place.is_in_range(time).then(|| times.push(time));
        let mut known = None;
        for whole in lists.each() {
            let Whole { change, contacts, messages, echoes, statuses } = whole;
            let own = Own::of(&mut record.rows.strings, values, change)?;
            // What the business wrote itself or to itself, and who is its own contact, is left
            // alone.
            let by_business = !echoes.is_empty() || change.handover.is_some();
            for contact in contacts {
                let phone = values.of(contact.phone);
                if !contact.is_usual(values) || own.is_sender(phone) || by_business && own.is(phone)
                {
                    return None;
                }
            }
            for message in messages {
                put(message
                    .check(values)
                    .filter(|_| !own.is(values.of(message.peer(false)[0])))?)?;
            }
            for message in echoes {
                put(message
                    .check(values)
                    .filter(|_| !own.is(values.of(message.peer(true)[0])))?)?;
            }
            for status in statuses {
                put(status.check(values).filter(|_| !own.is_sender(values.of(status.phone)))?)?;
            }
            if let Some(handover) = &change.handover {
                let time = handover.check(values);
                put(time.filter(|_| !own.is_sender(values.of(handover.phone)))?)?;
            }
            known = own.owner;
        }
        if let ([_], Some(owner)) = (&lists.changes[..], known) {
            owners.push(owner);
            return Some(());
        }
        for change in &lists.changes {
            let [waba_id, sender] = [change.waba_id, change.sender].map(|id| values.of(id));
            owners.push(record.rows.strings.plain_owner(waba_id, sender)?);
        }
        Some(())
    }
}

/// The business's own numbers.
struct Own<'a> {
    display: &'a [u8],
    sender: &'a [u8],
    /// Who has been met lately.
    owner: Option<PlainOwner>,
}

impl<'a> Own<'a> {
    /// None where meaning has to tell which they are, some write people there; or where they may not
    /// own rows on this way.
    #[inline(always)]
    fn of(strings: &mut Strings, values: Values<'a>, change: &Change) -> Option<Self> {
        let Change { waba_id, sender, display, .. } = *change;
        if [waba_id, sender, display].into_iter().any(|id| values.text(id).is_escaped()) {
            return None;
        }
        let (waba_id, sender) = (values.of(waba_id), values.of(sender));
        let owner = strings.known_owner(waba_id, sender);
        let may_own = owner.is_some() || Strings::may_own([waba_id, sender]);
        may_own.then(|| Self { display: values.of(display), sender, owner })
    }

    /// Whether a phone number may be one of them.
    #[inline(always)]
    fn is(&self, phone: &[u8]) -> bool {
        may_be(self.display, phone) || self.is_sender(phone)
    }

    /// Whether it may be what stands for the id.
    #[inline(always)]
    fn is_sender(&self, phone: &[u8]) -> bool {
        may_be(self.sender, phone)
    }
}

/// Whether a phone number may be this one of the business: of nearly all the last byte tells.
#[inline(always)]
fn may_be(own: &[u8], phone: &[u8]) -> bool {
    match (own, phone) {
        ([.., of_own], [.., last]) if of_own == last || !of_own.is_ascii_digit() => {
            ends_alike(own, phone)
        }
        _ => false,
    }
}

/// Whether a number ends in the last eight digits of this one, or has all of fewer, with anything
/// between them: so it is taken for the same more often than [`crate::numbers::mean_one`] takes it,
/// and less only of few digits with zeros before them.
#[inline(never)]
fn ends_alike(own: &[u8], phone: &[u8]) -> bool {
    let own = own.iter().rev().filter(|byte| byte.is_ascii_digit());
    own.take(8).eq(phone.iter().rev().take(8))
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
    fn ids(&self, message: Nth, [phone, user]: [Nth; 2], company: Company) -> PlainIds<'a> {
        let (phone, user) = (self.values.of(phone), self.values.of(user));
        let contact = self.contact(phone, user, company);
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
    fn contact(&self, phone: &[u8], user: &[u8], company: Company) -> Option<&'a Contact> {
        let same = |contact: &&Contact| {
            work::step(1);
            let (of_phone, of_user) = (self.values.of(contact.phone), self.values.of(contact.user));
            !phone.is_empty() && phone == of_phone || !user.is_empty() && user == of_user
        };
        let alike = |contact: &&Contact| {
            work::step(1);
            are_alike(phone, self.values.of(contact.phone))
        };
        let found = self.contacts.iter().find(same);
        found.or_else(|| self.contacts.iter().find(alike)).or_else(|| {
            let [only] = self.contacts else { return None };
            // What both name is not the same.
            let differ = |own: &[u8], of| !own.is_empty() && !self.values.of(of).is_empty();
            let is_it = match company {
                Company::Alone => !differ(phone, only.phone) && !differ(user, only.user),
                Company::Alike => phone.is_empty() && user.is_empty(),
                Company::Mixed => false,
            };
            is_it.then_some(only)
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
    for (whole, owner) in lists.each().zip(&checked.owners) {
        let Whole { change, contacts, messages, echoes, statuses } = whole;
        let sender = values.of(change.sender);
        let around = Around { values, owner: *owner, sender, contacts };
        let all = messages.len() + echoes.len() + statuses.len();
        let company = |own: usize| Company::of(own, all);
        for message in messages {
            let ids = around.ids(message.id, message.peer(false), company(messages.len()));
            let way = (Origin::Live, Direction::Inbound);
            a_message(record, hashing, &ids, way, (values, message, time()), unescaped);
        }
        for message in echoes {
            let ids = around.ids(message.id, message.peer(true), company(echoes.len()));
            let origin = if message.by_agent { Origin::Standby } else { Origin::App };
            let way = (origin, Direction::Outbound);
            a_message(record, hashing, &ids, way, (values, message, time()), unescaped);
        }
        for status in statuses {
            let ids = around.ids(status.id, [status.phone, status.user], company(statuses.len()));
            a_status(record, hashing, &ids, values, status, time());
        }
        if let Some(handover) = &change.handover {
            a_handover(record, hashing, &around, handover, time());
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
    let Some(item) = record.place.begin() else { return };
    let text = record.plain_text(values, message.body.text, unescaped);
    let row = MessageRow {
        common: record.place.plain_common(hashing, ids, time, item),
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
    let Some(item) = record.place.begin() else { return };
    let row = StatusRow {
        common: record.place.plain_common(hashing, ids, time, item),
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

#[inline(never)]
fn a_handover(
    record: &mut Record<'_>,
    hashing: Hashing<'_>,
    around: &Around<'_>,
    handover: &Handover,
    time: Millis,
) {
    let Some(item) = record.place.begin() else { return };
    let Around { values, owner, sender, contacts } = *around;
    let mut named = [handover.phone, handover.user].map(|nth| values.of(nth));
    if let ([b"", b""], [only]) = (named, contacts) {
        named = [only.phone, only.user].map(|nth| values.of(nth));
    }
    let [phone, user] = named;
    let ids = PlainIds { owner, sender, phone, user, message: b"" };
    let facts = AccountFacts {
        field: "messaging_handovers",
        event: handover.event,
        role_previous: handover.role_previous,
        role_new: handover.role_new,
        ..AccountFacts::default()
    };
    record.account(record.place.plain_common(hashing, &ids, time, item), facts);
}

#[cfg(test)]
mod tests;
