//! From the rows that decide a day of one sender to messages: who the peer is, which copy counts,
//! what became of it, and to which set it belongs.

use std::ops::RangeInclusive;

use hashbrown::{HashMap, HashSet};
use turnwise_model::{Category, EventKind, InteractiveType, MessageKind, Origin, Status};

use super::rows::{ABSENT, Row, mark};

/// Entries up to which the memory of a map is kept: to clear a map costs what it has room for.
const ENTRIES_KEPT: usize = 1 << 12;

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
    outbound: bool,
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
    /// There is a send record or an echo of the message.
    recorded: bool,
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
    /// Handovers from or to the platform's agent: (peer, time), in order.
    handovers: Vec<(i64, i64)>,
    links: HashMap<i64, i64>,
    facts: HashMap<i64, Facts>,
    /// Of messages that several rows of the sender tell of: the row of these that counts.
    winners: HashMap<i64, u32>,
    repeated: HashSet<i64>,
}

impl Resolver {
    /// What a row takes at most, once lists and maps have grown: its entry, the phone of its user,
    /// what is known of its message, and that several rows tell of that. What a list or map held
    /// before it grew is not counted.
    pub const ROW_BYTES: usize = list_bytes::<Entry>()
        + map_bytes::<(i64, i64)>()
        + map_bytes::<(i64, Facts)>()
        + map_bytes::<i64>();

    /// Bytes held.
    pub fn size(&self) -> usize {
        let lists = [&self.entries, &self.failed, &self.standby].map(Vec::capacity);
        lists.iter().sum::<usize>() * size_of::<Entry>()
            + self.handovers.capacity() * size_of::<(i64, i64)>()
            + self.links.allocation_size()
            + self.facts.allocation_size()
            + self.winners.allocation_size()
            + self.repeated.allocation_size()
    }

    /// Learns of the messages that several rows of a sender tell of: few, and only these have to
    /// be looked up again for each day.
    pub fn sender<'a>(&mut self, rows: impl ExactSizeIterator<Item = &'a Row>) {
        let mut met = HashSet::with_capacity(rows.len());
        let messages = rows.filter(|row| row.is(EventKind::Message));
        let repeated = messages.map(|row| row.message).filter(|key| !met.insert(*key));
        self.repeated = repeated.collect();
    }

    /// Resolves the rows that decide a day; `in_range` is ordered by [`Row::order`].
    pub fn resolve(&mut self, in_range: &[Row]) {
        self.clear();
        for (index, row) in (0_u32..).zip(in_range) {
            self.link(row);
            if row.is(EventKind::Status) {
                self.add_status(index, row);
            } else if row.is(EventKind::Message) && self.repeated.contains(&row.message) {
                self.add_repeated(index, row, in_range);
            }
        }
        self.collect(in_range);
        self.add_stand_ins(in_range);
        let order = |a: &Entry, b: &Entry| {
            let position = |entry: &Entry| {
                let row = &in_range[entry.row as usize];
                (row.source, row.partition, row.offset, row.item)
            };
            (a.time_ms, a.outbound, a.message)
                .cmp(&(b.time_ms, b.outbound, b.message))
                .then_with(|| position(a).cmp(&position(b)))
        };
        let by_peer = |a: &Entry, b: &Entry| a.peer.cmp(&b.peer).then_with(|| order(a, b));
        self.entries.sort_unstable_by(by_peer);
        self.standby.sort_unstable_by(by_peer);
        self.failed.sort_unstable_by(|a, b| {
            a.time_ms.cmp(&b.time_ms).then(a.peer.cmp(&b.peer)).then_with(|| order(a, b))
        });
        self.handovers.sort_unstable();
    }

    /// What the statuses say of a message.
    pub fn facts(&self, entry: &Entry) -> Option<&Facts> {
        self.facts.get(&entry.message)
    }

    /// Whether the peer was handed over from or to the platform's agent in this time.
    pub fn handed_over(&self, peer: i64, times: RangeInclusive<i64>) -> bool {
        let after = self.handovers.partition_point(|handover| *handover < (peer, *times.start()));
        self.handovers.get(after).is_some_and(|(of, at)| *of == peer && times.contains(at))
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.failed.clear();
        self.standby.clear();
        self.handovers.clear();
        cleared(&mut self.links);
        cleared(&mut self.facts);
        cleared(&mut self.winners);
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
            recorded: false,
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
    fn add_repeated(&mut self, index: u32, row: &Row, in_range: &[Row]) {
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
            let is_message = row.is(EventKind::Message);
            let mut failed = false;
            if is_message && let Some(facts) = self.facts.get_mut(&row.message) {
                facts.recorded |= row.is_outbound();
                failed = facts.failed;
            }
            let Some(peer) = self.peer(row) else { continue };
            if row.is(EventKind::Account) && row.has(mark::FROM_OR_TO_AI) {
                self.handovers.push((peer, row.time_ms));
            }
            let counts = || self.winners.get(&row.message).is_none_or(|winner| *winner == index);
            if !is_message || !counts() {
                continue;
            }
            let Some(class) = class(row) else { continue };
            let entry = Entry {
                peer,
                time_ms: row.time_ms,
                row: index,
                class,
                stand_in: false,
                outbound: row.is_outbound(),
                message: row.message,
            };
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
            let stands = !facts.failed && !facts.recorded;
            let Some(index) = facts.sent.filter(|_| stands) else { continue };
            let row = &in_range[index as usize];
            let Some(peer) = self.peer(row) else { continue };
            let class = if is_template(facts.category) { Class::Template } else { Class::Free };
            self.entries.push(Entry {
                peer,
                time_ms: row.time_ms,
                row: index,
                class,
                stand_in: true,
                outbound: true,
                message: *message,
            });
        }
    }
}

/// Bytes that a value of a list takes that has grown: it has room for twice as many at most.
const fn list_bytes<T>() -> usize {
    2 * size_of::<T>()
}

/// Bytes that an entry of a map takes that has grown: with a byte of control each, 7 of 16 places
/// at least are taken.
const fn map_bytes<T>() -> usize {
    ((size_of::<T>() + 1) * 16).div_ceil(7)
}

/// Empties a map, and gives back what it has room for where that is much.
fn cleared<V>(map: &mut HashMap<i64, V>) {
    if map.capacity() > ENTRIES_KEPT {
        *map = HashMap::new();
    } else {
        map.clear();
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
