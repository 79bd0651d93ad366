//! From the rows that decide a day of one sender to messages: who the peer is, which copy counts,
//! what became of it, and to which set it belongs.

use hashbrown::HashMap;
use turnwise_model::{Category, EventKind, InteractiveType, MessageKind, Origin, Status};

use super::rows::{ABSENT, Row, Rows, mark};

/// The set a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// U: from the peer.
    User,
    /// T: a template through the API.
    Template,
    /// F: anything else through the API.
    Free,
    /// E: a person's, from the phone app.
    Person,
    /// On standby: another owner held the thread. In no set.
    Standby,
}

/// One message that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub peer: i64,
    pub time_ms: i64,
    /// Index into the rows of the range; the `sent` status where it stands for the message.
    pub row: u32,
    pub class: Class,
    /// Only a `sent` status tells of it: no text, no type.
    pub stand_in: bool,
    message: i64,
}

/// What the statuses of one message say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub failed: bool,
    pub category: i8,
    pub pricing_type: i8,
    pub ai_origin: bool,
    category_status: i8,
    pricing_status: i8,
    /// The first live `sent` status of a one-to-one message.
    sent: Option<u32>,
}

/// Working memory of one resolution, reused.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    /// U, B and E by (peer, time, inbound first, pseudonym, position).
    pub entries: Vec<Entry>,
    /// Sends of the API that failed, in order of time.
    pub failed: Vec<Entry>,
    /// Messages on standby, ordered as `entries`.
    pub standby: Vec<Entry>,
    /// Handovers from or to the platform's agent: (peer, time).
    pub handovers: Vec<(i64, i64)>,
    links: HashMap<i64, i64>,
    facts: HashMap<i64, Facts>,
    winners: HashMap<i64, u32>,
    outbound: hashbrown::HashSet<i64>,
}

impl Resolver {
    /// Resolves the rows that decide a day; `in_range` is ordered by [`Row::order`].
    pub fn resolve(&mut self, rows: &Rows, in_range: &[Row]) {
        self.clear();
        debug_assert!(in_range.iter().all(|row| (row.sender as usize) < rows.senders.len()));
        for (index, row) in (0_u32..).zip(in_range) {
            self.link(row);
            if row.is(EventKind::Status) {
                self.add_status(index, row);
            } else if row.is(EventKind::Message) {
                self.add_message(index, row, in_range);
            }
        }
        self.collect(in_range);
        self.add_stand_ins(in_range);
        let order = |entry: &Entry| {
            let row = &in_range[entry.row as usize];
            let outbound = entry.stand_in || row.is_outbound();
            let position = (row.source, row.partition, row.offset, row.item);
            (entry.peer, entry.time_ms, outbound, entry.message, position)
        };
        self.entries.sort_unstable_by_key(order);
        self.standby.sort_unstable_by_key(order);
        self.failed.sort_unstable_by_key(|entry| {
            let (peer, time, _, message, position) = order(entry);
            (time, peer, message, position)
        });
        self.handovers.sort_unstable();
    }

    /// What the statuses say of a message.
    pub fn facts(&self, entry: &Entry) -> Option<&Facts> {
        self.facts.get(&entry.message)
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.failed.clear();
        self.standby.clear();
        self.handovers.clear();
        self.links.clear();
        self.facts.clear();
        self.winners.clear();
        self.outbound.clear();
    }

    /// Where a row shows both, its user id stands for its phone number, the smallest if several.
    fn link(&mut self, row: &Row) {
        if row.has(mark::HAS_PHONE) && row.has(mark::HAS_USER) {
            self.links
                .entry(row.peer_user)
                .and_modify(|phone| *phone = row.peer_phone.min(*phone))
                .or_insert(row.peer_phone);
        }
    }

    fn peer(&self, row: &Row) -> Option<i64> {
        if row.has(mark::HAS_PHONE) {
            Some(row.peer_phone)
        } else if row.has(mark::HAS_USER) {
            Some(self.links.get(&row.peer_user).copied().unwrap_or(row.peer_user))
        } else {
            None
        }
    }

    fn add_status(&mut self, index: u32, row: &Row) {
        let facts = self.facts.entry(row.message).or_insert(Facts {
            failed: false,
            category: ABSENT,
            pricing_type: ABSENT,
            ai_origin: false,
            category_status: i8::MAX,
            pricing_status: i8::MAX,
            sent: None,
        });
        facts.failed |= row.is_status(Status::Failed);
        facts.ai_origin |= row.has(mark::AI_ORIGIN);
        // The lowest rung of the ladder that says it; among equals the first in order.
        if row.category != ABSENT && row.status < facts.category_status {
            facts.category = row.category;
            facts.category_status = row.status;
        }
        if row.pricing_type != ABSENT && row.status < facts.pricing_status {
            facts.pricing_type = row.pricing_type;
            facts.pricing_status = row.status;
        }
        let stands = row.is_status(Status::Sent)
            && i32::from(row.origin) == Origin::Live.code()
            && !row.has(mark::IN_GROUP);
        if stands && facts.sent.is_none() {
            facts.sent = Some(index);
        }
    }

    /// Of several copies the first by (origin, time, position) counts.
    fn add_message(&mut self, index: u32, row: &Row, in_range: &[Row]) {
        if row.is_outbound() {
            self.outbound.insert(row.message);
        }
        let key =
            |row: &Row| (row.origin, row.time_ms, row.source, row.partition, row.offset, row.item);
        self.winners
            .entry(row.message)
            .and_modify(|winner| {
                if key(row) < key(&in_range[*winner as usize]) {
                    *winner = index;
                }
            })
            .or_insert(index);
    }

    fn collect(&mut self, in_range: &[Row]) {
        for (index, row) in (0_u32..).zip(in_range) {
            let Some(peer) = self.peer(row) else { continue };
            if row.is(EventKind::Account) && row.has(mark::FROM_OR_TO_AI) {
                self.handovers.push((peer, row.time_ms));
            }
            if !row.is(EventKind::Message) || self.winners.get(&row.message) != Some(&index) {
                continue;
            }
            let Some(class) = class(row) else { continue };
            let entry = Entry {
                peer,
                time_ms: row.time_ms,
                row: index,
                class,
                stand_in: false,
                message: row.message,
            };
            let failed = self.facts.get(&row.message).is_some_and(|facts| facts.failed);
            match class {
                Class::Standby => self.standby.push(entry),
                Class::Template | Class::Free if failed => self.failed.push(entry),
                _ => self.entries.push(entry),
            }
        }
    }

    /// A `sent` status whose message has neither a send record nor an echo stands for it.
    fn add_stand_ins(&mut self, in_range: &[Row]) {
        for (message, facts) in &self.facts {
            let Some(index) = facts.sent.filter(|_| !facts.failed) else { continue };
            let row = &in_range[index as usize];
            let Some(peer) = self.peer(row).filter(|_| !self.outbound.contains(message)) else {
                continue;
            };
            let class = if is_template(facts.category) { Class::Template } else { Class::Free };
            self.entries.push(Entry {
                peer,
                time_ms: row.time_ms,
                row: index,
                class,
                stand_in: true,
                message: *message,
            });
        }
    }
}

fn is_template(category: i8) -> bool {
    matches!(
        Category::from_code(category.into()),
        Some(
            Category::Marketing
                | Category::MarketingLite
                | Category::Utility
                | Category::Authentication
                | Category::AuthenticationInternational
        )
    )
}

/// The set of a message by its own row; failed ones are sorted out by their status.
fn class(row: &Row) -> Option<Class> {
    if row.has(mark::IN_GROUP) {
        return None;
    }
    let kind = row.message_kind();
    match Origin::from_code(row.origin.into())? {
        Origin::Live if row.is_outbound() => match kind {
            MessageKind::Reaction => None,
            MessageKind::Template => Some(Class::Template),
            _ => Some(Class::Free),
        },
        Origin::Live => is_user_kind(row, kind).then_some(Class::User),
        Origin::App => {
            let counts =
                !matches!(kind, MessageKind::Reaction | MessageKind::Edit | MessageKind::Revoke);
            (row.is_outbound() && counts).then_some(Class::Person)
        }
        Origin::Standby => Some(Class::Standby),
        Origin::History => None,
    }
}

fn is_user_kind(row: &Row, kind: MessageKind) -> bool {
    match kind {
        MessageKind::Interactive => is_tapped(row),
        MessageKind::Text
        | MessageKind::Image
        | MessageKind::Audio
        | MessageKind::Video
        | MessageKind::Document
        | MessageKind::Sticker
        | MessageKind::Button
        | MessageKind::Location
        | MessageKind::Contacts
        | MessageKind::Order => true,
        _ => false,
    }
}

/// Whether an inbound message is a tapped reply: a button, list or flow reply, a template button.
pub(super) fn is_tapped(row: &Row) -> bool {
    match row.message_kind() {
        MessageKind::Button => true,
        MessageKind::Interactive => matches!(
            InteractiveType::from_code(row.interactive.into()),
            Some(
                InteractiveType::ButtonReply
                    | InteractiveType::ListReply
                    | InteractiveType::NfmReply
            )
        ),
        _ => false,
    }
}
