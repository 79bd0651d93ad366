//! The conversations of one sender that start on one UTC day, as a function of the rows of the
//! day's range: repeats dropped, statuses joined, runs split and cut.

use std::collections::{BTreeMap, BTreeSet};

use turnwise_model::conversation::RunKind;
use turnwise_model::schema::column as c;
use turnwise_model::time::{CONVERSATION_GAP_MS, DAY_MS, range_of_day};
use turnwise_model::{
    Category, Day, Direction, EventKind, InteractiveType, MessageKind, Origin, Status,
};

use super::rows::Row;

/// The set of FEATURES that a message is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From the peer.
    U,
    /// A template of B.
    T,
    /// A free-form message of B.
    F,
    /// Of a person, from the phone app.
    E,
}

/// A message of a conversation.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its set.
    pub part: Part,
    /// Milliseconds.
    pub time: i64,
    /// Pseudonym of the message.
    pub message: i64,
    /// The message's row; of a stand-in its `sent` status, which has no type and no text.
    pub row: Row,
    /// Whether only a `sent` status tells of it.
    pub stand_in: bool,
    /// Category of the price, of the lowest status that has one.
    pub category: Option<i32>,
    /// Whether any status names a conversation of the origin `general_purpose_ai`.
    pub ai_origin: bool,
    /// Pricing type, of the lowest status that has one.
    pub pricing: Option<i32>,
}

impl Entry {
    /// The message's kind; null for a stand-in.
    #[must_use]
    pub fn kind(&self) -> Option<i32> {
        if self.stand_in { None } else { self.row.int(c::MESSAGE_KIND) }
    }

    /// Whether the peer sent it.
    #[must_use]
    pub fn inbound(&self) -> bool {
        self.part == Part::U
    }

    /// Whether it belongs to B.
    #[must_use]
    pub fn api(&self) -> bool {
        matches!(self.part, Part::T | Part::F)
    }
}

/// A conversation, or a marked row: a failed send, a standby run.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The business phone number's id.
    pub sender: String,
    /// The resolved peer.
    pub peer: i64,
    /// What it is.
    pub run_kind: RunKind,
    /// Time of its first message.
    pub start: i64,
    /// Time of its last message.
    pub end: i64,
    /// Its messages in order; none of marked rows.
    pub entries: Vec<Entry>,
    /// Whether the user began it, by F06.
    pub user_initiated: bool,
    /// Whether a handover from or to an agent of the platform lies in it or soon after.
    pub handover_ai: bool,
}

const TEMPLATES: [Category; 5] = [
    Category::Marketing,
    Category::MarketingLite,
    Category::Utility,
    Category::Authentication,
    Category::AuthenticationInternational,
];

/// The conversations and marked rows of one sender that start on a day.
#[must_use]
pub fn conversations(all: &[Row], sender: &str, day: Day) -> Vec<Conversation> {
    let (from, to) = range_of_day(day);
    let rows: Vec<&Row> = all
        .iter()
        .filter(|row| row.sender == sender && row.time >= from.0 && row.time < to.0)
        .filter(|row| {
            matches!(row.kind, EventKind::Message | EventKind::Status | EventKind::Account)
        })
        .collect();
    let peers = Peers::of(&rows);
    let statuses = Statuses::of(&rows);
    let messages = first_copies(&rows);
    let mut entries: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
    let mut standby: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut found = Vec::new();
    for row in &messages {
        let Some(peer) = peers.peer(row) else { continue };
        // A group is no peer: what is said in one is in no set and no run.
        if row.is(c::ORIGIN, Origin::Standby.code()) && !row.is(c::IN_GROUP, 1) {
            standby.entry(peer).or_default().push(row.time);
        }
        let Some(part) = part_of(row) else { continue };
        if matches!(part, Part::T | Part::F) && statuses.failed(row.message) {
            if row.time >= day.start().0 && row.time < day.end().0 {
                found.push(marked(sender, peer, RunKind::FailedSend, row.time, row.time));
            }
            continue;
        }
        entries.entry(peer).or_default().push(statuses.entry(part, row, false));
    }
    for row in stand_ins(&rows, &messages) {
        let Some(peer) = peers.peer(row) else { continue };
        if statuses.failed(row.message) {
            continue;
        }
        let mut entry = statuses.entry(Part::F, row, true);
        if TEMPLATES.iter().any(|category| entry.category == Some(category.code())) {
            entry.part = Part::T;
        }
        entries.entry(peer).or_default().push(entry);
    }
    for (peer, mut times) in standby {
        times.sort_unstable();
        for (first, last) in cut_runs(&times, day) {
            found.push(marked(sender, peer, RunKind::StandbyRun, times[first], times[last]));
        }
    }
    for (peer, mut list) in entries {
        list.sort_by(|a, b| order(a).cmp(&order(b)));
        let times: Vec<i64> = list.iter().map(|entry| entry.time).collect();
        for (first, last) in cut_runs(&times, day) {
            found.push(conversation(sender, peer, &list, first..=last, &rows, &peers));
        }
    }
    found
}

fn marked(sender: &str, peer: i64, run_kind: RunKind, start: i64, end: i64) -> Conversation {
    Conversation {
        sender: sender.to_owned(),
        peer,
        run_kind,
        start,
        end,
        entries: Vec::new(),
        user_initiated: false,
        handover_ai: false,
    }
}

fn conversation(
    sender: &str,
    peer: i64,
    list: &[Entry],
    range: std::ops::RangeInclusive<usize>,
    rows: &[&Row],
    peers: &Peers,
) -> Conversation {
    let entries = list[range].to_vec();
    let (start, end) = (entries[0].time, entries[entries.len() - 1].time);
    let first = &entries[0];
    let user_initiated = first.part == Part::U
        && !first.row.is(c::HAS_REFERRAL, 1)
        && !is_tap(first)
        && !list.iter().any(|entry| {
            entry.part == Part::T && entry.time >= start - DAY_MS && entry.time < start
        });
    let handover_ai = rows.iter().any(|row| {
        row.kind == EventKind::Account
            && peers.peer(row) == Some(peer)
            && row.time >= start
            && row.time <= end + CONVERSATION_GAP_MS
            && [c::ROLE_PREVIOUS, c::ROLE_NEW]
                .iter()
                .any(|role| row.words.get(role).is_some_and(|role| role == "ai_agent"))
    });
    let mut made = marked(sender, peer, RunKind::Conversation, start, end);
    (made.entries, made.user_initiated, made.handover_ai) = (entries, user_initiated, handover_ai);
    made
}

/// Whether a message of U is a tapped reply.
pub(super) fn is_tap(entry: &Entry) -> bool {
    entry.part == Part::U
        && [MessageKind::Interactive, MessageKind::Button]
            .iter()
            .any(|kind| entry.kind() == Some(kind.code()))
}

/// First and last index of each run of sorted times that starts on the day, after the cuts.
fn cut_runs(times: &[i64], day: Day) -> Vec<(usize, usize)> {
    let (midnight, end) = (day.start().0, day.end().0);
    let mut found = Vec::new();
    let mut first = 0;
    while first < times.len() {
        let mut last = first;
        while last + 1 < times.len() && times[last + 1] - times[last] <= CONVERSATION_GAP_MS {
            last += 1;
        }
        let within = |from: i64, to: i64| {
            let kept: Vec<usize> =
                (first..=last).filter(|at| times[*at] >= from && times[*at] < to).collect();
            kept.first().copied().zip(kept.last().copied())
        };
        if times[first] >= midnight && times[first] < end {
            found.extend(within(midnight, end + DAY_MS));
        } else if times[first] < midnight - DAY_MS {
            found.extend(within(midnight, end));
        }
        first = last + 1;
    }
    found
}

type Order<'a> = (i64, bool, i64, &'a (String, i32, i64, i32));

fn order(entry: &Entry) -> Order<'_> {
    (entry.time, !entry.inbound(), entry.message, &entry.row.position)
}

/// Of the message rows with one pseudonym the first by origin, time and position.
fn first_copies<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    let mut sorted: Vec<&Row> =
        rows.iter().copied().filter(|row| row.kind == EventKind::Message).collect();
    sorted.sort_by_key(|row| (row.int(c::ORIGIN), row.time, row.position.clone()));
    let mut seen = BTreeSet::new();
    sorted.retain(|row| row.message.is_none_or(|message| seen.insert(message)));
    sorted
}

/// The first live `sent` status one to one of each message that has no outbound row.
fn stand_ins<'a>(rows: &[&'a Row], messages: &[&Row]) -> Vec<&'a Row> {
    let sent: BTreeSet<i64> = messages
        .iter()
        .filter(|row| row.is(c::DIRECTION, Direction::Outbound.code()))
        .filter_map(|row| row.message)
        .collect();
    let mut found: Vec<&Row> = rows
        .iter()
        .copied()
        .filter(|row| {
            row.kind == EventKind::Status
                && row.is(c::STATUS, Status::Sent.code())
                && row.is(c::ORIGIN, Origin::Live.code())
                && !row.is(c::IN_GROUP, 1)
                && row.message.is_some_and(|message| !sent.contains(&message))
        })
        .collect();
    found.sort_by_key(|row| (row.time, row.position.clone()));
    let mut seen = BTreeSet::new();
    found.retain(|row| row.message.is_some_and(|message| seen.insert(message)));
    found
}

/// The set of a message row, failures aside; `None` where it is in none.
fn part_of(row: &Row) -> Option<Part> {
    if row.is(c::IN_GROUP, 1) {
        return None;
    }
    let kind = row.int(c::MESSAGE_KIND).and_then(MessageKind::from_code);
    let origin = row.int(c::ORIGIN).and_then(Origin::from_code)?;
    let direction = row.int(c::DIRECTION).and_then(Direction::from_code)?;
    use MessageKind as K;
    match (direction, origin) {
        (Direction::Inbound, Origin::Live) => match kind? {
            K::Text | K::Image | K::Audio | K::Video | K::Document | K::Sticker => Some(Part::U),
            K::Button | K::Order | K::Location | K::Contacts => Some(Part::U),
            K::Interactive => match InteractiveType::from_code(row.int(c::INTERACTIVE_TYPE)?)? {
                InteractiveType::ButtonReply
                | InteractiveType::ListReply
                | InteractiveType::NfmReply => Some(Part::U),
                _ => None,
            },
            _ => None,
        },
        (Direction::Outbound, Origin::Live) => match kind {
            Some(K::Reaction) => None,
            Some(K::Template) => Some(Part::T),
            _ => Some(Part::F),
        },
        (Direction::Outbound, Origin::App) => match kind {
            Some(K::Reaction | K::Edit | K::Revoke) => None,
            _ => Some(Part::E),
        },
        _ => None,
    }
}

/// Which user id belongs to which phone number.
struct Peers(BTreeMap<i64, i64>);

impl Peers {
    fn of(rows: &[&Row]) -> Self {
        let mut links: BTreeMap<i64, i64> = BTreeMap::new();
        for row in rows {
            if let (Some(phone), Some(user)) = (row.peer_phone, row.peer_user) {
                let known = links.entry(user).or_insert(phone);
                *known = phone.min(*known);
            }
        }
        Self(links)
    }

    fn peer(&self, row: &Row) -> Option<i64> {
        row.peer_phone
            .or_else(|| row.peer_user.map(|user| self.0.get(&user).copied().unwrap_or(user)))
    }
}

/// The statuses of each message, from the lowest of the ladder up.
struct Statuses<'a>(BTreeMap<i64, Vec<&'a Row>>);

impl<'a> Statuses<'a> {
    fn of(rows: &[&'a Row]) -> Self {
        let mut all: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.kind == EventKind::Status) {
            if let Some(message) = row.message {
                all.entry(message).or_default().push(row);
            }
        }
        for list in all.values_mut() {
            list.sort_by_key(|row| (row.int(c::STATUS), row.time, row.position.clone()));
        }
        Self(all)
    }

    fn failed(&self, message: Option<i64>) -> bool {
        message
            .and_then(|message| self.0.get(&message))
            .is_some_and(|list| list.iter().any(|row| row.is(c::STATUS, Status::Failed.code())))
    }

    fn entry(&self, part: Part, row: &Row, stand_in: bool) -> Entry {
        let list = row.message.and_then(|message| self.0.get(&message));
        // Only what goes out through the API has a price.
        let list = list.filter(|_| matches!(part, Part::T | Part::F));
        let ai = Category::GeneralPurposeAi.code();
        let first = |name| list.and_then(|list| list.iter().find_map(|row| row.int(name)));
        Entry {
            part,
            time: row.time,
            message: row.message.unwrap_or(0),
            row: row.clone(),
            stand_in,
            category: first(c::CATEGORY),
            ai_origin: list
                .is_some_and(|list| list.iter().any(|row| row.is(c::CONVERSATION_ORIGIN, ai))),
            pricing: first(c::PRICING_TYPE),
        }
    }
}
