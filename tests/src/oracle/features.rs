//! Every feature of a window, from its conversations. Values are as defined, whatever the
//! support; the caller applies the minimum. Texts that did not come along make features null.

use std::collections::{BTreeMap, BTreeSet};

use turnwise_model::codes::text_bits;
use turnwise_model::conversation::RunKind;
use turnwise_model::limits::{
    PEER_SAMPLE_MAX, PEER_TOKENS_MAX, SAMPLE_TOKENS_MIN, TEXT_SAMPLE_MAX,
    TEXT_SAMPLE_PER_CONVERSATION_MAX,
};
use turnwise_model::schema::column as c;
use turnwise_model::time::{HOUR_MS, WINDOW_DAYS};
use turnwise_model::{
    Category, Day, InteractiveType, MessageKind, Millis, PricingRegime, PricingType, Pseudonym,
    Script,
};

use super::conversations::{Conversation, Entry, Part, conversations, is_tap};
use super::figures::{entropy, novelty, quantile, topic_coincidence};
use super::rows::Row;

/// A feature's value, where it has one, and its support.
pub type Value = (Option<f64>, i64);

/// Values and supports by name.
type Values = BTreeMap<&'static str, Value>;

/// The features of a sender's window that ends with the midnight that begins `end`. Empty where
/// the window holds nothing.
#[must_use]
pub fn features(rows: &[Row], sender: &str, end: Day) -> Values {
    let days = (end.0 - WINDOW_DAYS..end.0).map(Day);
    let all: Vec<Conversation> = days.flat_map(|day| conversations(rows, sender, day)).collect();
    let mut values = Values::new();
    if all.is_empty() {
        return values;
    }
    let window = Window::of(&all);
    peers_and_turns(&window, &mut values);
    prices(&window, &mut values);
    forms(&window, &mut values);
    answers(&window, &mut values);
    latencies(&window, &mut values);
    lengths(&window, &mut values);
    texts(&window, &mut values);
    samples(&window, &mut values);
    others(&all, &window, &mut values);
    values
}

/// The conversations of a window and their messages by set.
struct Window<'a> {
    conversations: Vec<&'a Conversation>,
    with_user: Vec<&'a Conversation>,
    u: Vec<&'a Entry>,
    b: Vec<&'a Entry>,
    f: Vec<&'a Entry>,
    u_text: Vec<&'a Entry>,
    f_text: Vec<&'a Entry>,
    human: i64,
}

fn len<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}

fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The share of a list that holds, with the list's length.
fn share<T>(list: &[T], holds: impl Fn(&T) -> bool) -> Value {
    let part = i64::try_from(list.iter().filter(|item| holds(item)).count()).unwrap_or(i64::MAX);
    (ratio(part, len(list)), len(list))
}

fn is_kind(entry: &Entry, kinds: &[MessageKind]) -> bool {
    kinds.iter().any(|kind| entry.kind() == Some(kind.code()))
}

fn is_type(entry: &Entry, kinds: &[InteractiveType]) -> bool {
    is_kind(entry, &[MessageKind::Interactive])
        && kinds.iter().any(|kind| entry.row.is(c::INTERACTIVE_TYPE, kind.code()))
}

fn has_bits(entry: &Entry, bits: i32) -> bool {
    entry.row.int(c::TEXT_BITS).unwrap_or(0) & bits != 0
}

fn is_f_text(entry: &Entry) -> bool {
    entry.part == Part::F && is_kind(entry, &[MessageKind::Text, MessageKind::Interactive])
}

fn is_u_text(entry: &Entry) -> bool {
    entry.part == Part::U && is_kind(entry, &[MessageKind::Text])
}

impl<'a> Window<'a> {
    fn of(all: &'a [Conversation]) -> Self {
        let conversations: Vec<_> =
            all.iter().filter(|one| one.run_kind == RunKind::Conversation).collect();
        let entries: Vec<&Entry> = conversations.iter().flat_map(|one| &one.entries).collect();
        let pick = |keep: &dyn Fn(&Entry) -> bool| -> Vec<&'a Entry> {
            entries.iter().copied().filter(|entry| keep(entry)).collect()
        };
        Self {
            with_user: conversations
                .iter()
                .copied()
                .filter(|one| one.entries.iter().any(Entry::inbound))
                .collect(),
            u: pick(&Entry::inbound),
            b: pick(&Entry::api),
            f: pick(&|entry| entry.part == Part::F),
            u_text: pick(&is_u_text),
            f_text: pick(&is_f_text),
            human: len(&pick(&|entry| entry.part == Part::E)),
            conversations,
        }
    }

    fn peers_with_user(&self) -> BTreeSet<i64> {
        self.with_user.iter().map(|one| one.peer).collect()
    }

    /// P: the peers with U of the smallest hashes.
    fn sample(&self) -> Vec<i64> {
        let mut peers: Vec<i64> = self.peers_with_user().into_iter().collect();
        peers.sort_by_key(|peer| (Pseudonym(*peer).sample_hash(), *peer));
        peers.truncate(PEER_SAMPLE_MAX);
        peers
    }

    /// Whether more than half of the texts of either side did not come along.
    fn metadata_only(&self) -> bool {
        [&self.u_text, &self.f_text].iter().any(|list| {
            let absent = list.iter().filter(|entry| entry.row.int(c::WORDS).is_none()).count();
            2 * absent > list.len()
        })
    }
}

fn peers_and_turns(window: &Window, values: &mut Values) {
    let peers = i64::try_from(window.peers_with_user().len()).unwrap_or(i64::MAX);
    let turns: Vec<i64> = window
        .with_user
        .iter()
        .map(|one| {
            let changes = one.entries.windows(2).filter(|two| two[0].inbound() != two[1].inbound());
            i64::try_from(changes.count()).unwrap_or(i64::MAX) + 1
        })
        .collect();
    let mut days: BTreeMap<i64, BTreeSet<Day>> = BTreeMap::new();
    for one in &window.with_user {
        days.entry(one.peer).or_default().insert(Millis(one.start).day());
    }
    let pairs: i64 = days.values().map(|days| days.len() as i64).sum();
    let opened = len(&window.with_user);
    values.insert("F01_active_peers", (Some(peers as f64), peers));
    values.insert("F02_turns_p50", (quantile(&turns, 50), opened));
    values.insert("F02_turns_p90", (quantile(&turns, 90), opened));
    values.insert("F03_user_messages_peer_day", (ratio(len(&window.u), pairs), pairs));
    values.insert("F04_returning_peers", share(&window.sample(), |peer| days[peer].len() >= 2));
    values.insert("F05_conversations_per_peer", (ratio(opened, peers), peers));
    values.insert("F06_user_initiated", share(&window.conversations, |one| one.user_initiated));
    let referred = |one: &&Conversation| {
        let first = one.entries.iter().find(|entry| entry.inbound());
        first.is_some_and(|entry| entry.row.is(c::HAS_REFERRAL, 1))
    };
    values.insert("F07_referral", share(&window.with_user, referred));
}

fn prices(window: &Window, values: &mut Values) {
    use Category as K;
    let ai = Some(K::GeneralPurposeAi.code());
    let of = |entry: &Entry, list: &[Category]| {
        let category = entry.category.or(ai);
        list.iter().any(|known| category == Some(known.code()))
    };
    // The platform's label is a category too, where the price names none.
    let labelled: Vec<&Entry> = window
        .b
        .iter()
        .copied()
        .filter(|entry| entry.category.is_some() || entry.ai_origin)
        .collect();
    let templates = [
        K::Marketing,
        K::MarketingLite,
        K::Utility,
        K::Authentication,
        K::AuthenticationInternational,
    ];
    let recorded = window.b.iter().any(|entry| !entry.stand_in);
    values.insert(
        "F08_template_share",
        if recorded {
            share(&window.b, |entry| entry.part == Part::T)
        } else {
            share(&labelled, |entry| of(entry, &templates))
        },
    );
    let groups: [(&str, &[Category]); 5] = [
        ("F09_marketing", &[K::Marketing, K::MarketingLite]),
        ("F09_utility", &[K::Utility]),
        ("F09_authentication", &[K::Authentication, K::AuthenticationInternational]),
        ("F09_service", &[K::Service]),
        ("F09_ai", &[K::GeneralPurposeAi]),
    ];
    for (name, list) in groups {
        values.insert(name, share(&labelled, |entry| of(entry, list)));
    }
    let named = |entry: &Entry| groups.iter().any(|(_, list)| of(entry, list));
    values.insert("F09_other", share(&labelled, |entry| !named(entry)));
    let billed: Vec<&Entry> = window
        .b
        .iter()
        .copied()
        .filter(|entry| entry.pricing.is_some())
        .filter(|entry| {
            PricingRegime::at(Millis(entry.time)) != PricingRegime::MessageBilledService
        })
        .collect();
    let free = PricingType::FreeCustomerService.code();
    values.insert("F10_free_service", share(&billed, |entry| entry.pricing == Some(free)));
    values.insert(
        "F11_platform_ai_label",
        share(&labelled, |entry| entry.category == ai || entry.ai_origin),
    );
}

fn forms(window: &Window, values: &mut Values) {
    use InteractiveType as I;
    use MessageKind as K;
    let typed: Vec<&Entry> =
        window.f.iter().copied().filter(|entry| entry.kind().is_some()).collect();
    values.insert("F12_interactive_out", share(&typed, |entry| is_kind(entry, &[K::Interactive])));
    let things = [K::Order, K::Location, K::Contacts];
    let structured = |entry: &&Entry| is_tap(entry) || is_kind(entry, &things);
    values.insert("F13_structured_in", share(&window.u, structured));
    let mut both = window.u.clone();
    both.extend(&typed);
    let shop = [I::Product, I::ProductList, I::CatalogMessage, I::Flow];
    values.insert(
        "F15_commerce",
        share(&both, |entry| {
            if entry.inbound() {
                is_kind(entry, &[K::Order]) || is_type(entry, &[I::NfmReply])
            } else {
                is_type(entry, &shop)
            }
        }),
    );
    let media = [K::Image, K::Video, K::Document, K::Audio];
    values.insert("F16_media_in", share(&window.u, |entry| is_kind(entry, &media)));
    values.insert("F17_voice_in", share(&window.u, |entry| is_voice(entry)));
}

fn is_voice(entry: &Entry) -> bool {
    entry.inbound() && is_kind(entry, &[MessageKind::Audio]) && entry.row.is(c::VOICE, 1)
}

/// Whether the next F answers in time with a text long enough; `None` where it cannot be told.
fn answered(next: Option<&Entry>, at: i64, within_ms: i64, chars_min: i32) -> Option<bool> {
    let Some(next) = next.filter(|next| next.time - at <= within_ms) else { return Some(false) };
    next.kind()?;
    if !is_f_text(next) {
        return Some(false);
    }
    let chars = next.row.int(c::CHARS)?;
    if chars_min != 20 || !(8..20).contains(&chars) {
        return Some(chars >= chars_min);
    }
    Some(Script::from_code(next.row.int(c::SCRIPT)?)?.is_bigram())
}

fn answers(window: &Window, values: &mut Values) {
    let (mut voice, mut image, mut document, mut taps) = (vec![], vec![], vec![], vec![]);
    for one in &window.conversations {
        for (at, entry) in one.entries.iter().enumerate() {
            let after = &one.entries[at + 1..];
            let next = after.iter().find(|next| next.part == Part::F);
            let look = |found: &mut Vec<bool>, within_ms, chars_min| {
                found.extend(answered(next, entry.time, within_ms, chars_min));
            };
            if is_voice(entry) {
                look(&mut voice, 120_000, 20);
            } else if entry.inbound() && is_kind(entry, &[MessageKind::Image]) {
                look(&mut image, 120_000, 150);
            } else if entry.inbound() && is_kind(entry, &[MessageKind::Document]) {
                look(&mut document, 180_000, 400);
            } else if entry.part == Part::F && is_kind(entry, &[MessageKind::Interactive]) {
                let next = after.iter().find(|next| next.inbound());
                taps.push(
                    next.is_some_and(|next| next.time - entry.time <= 600_000 && is_tap(next)),
                );
            }
        }
    }
    values.insert("F14_tap_rate", share(&taps, |found| *found));
    values.insert("F18_voice_answered", share(&voice, |found| *found));
    values.insert("F19_image_answered", share(&image, |found| *found));
    values.insert("F20_document_answered", share(&document, |found| *found));
}

fn latencies(window: &Window, values: &mut Values) {
    let mut found = Vec::new();
    for one in &window.conversations {
        for two in one.entries.windows(2) {
            if two[0].inbound() && two[1].part == Part::F {
                found.push((two[1].time - two[0].time).max(0));
            }
        }
    }
    let seconds = |percent| quantile(&found, percent).map(|value| value / 1_000.0);
    values.insert("F21_reply_latency_p50", (seconds(50), len(&found)));
    values.insert("F21_reply_latency_p95", (seconds(95), len(&found)));
    values.insert("F22_fast_replies", share(&found, |latency| *latency < 5_000));
    let mut hours = [0; 24];
    for entry in &window.u {
        hours[usize::try_from(entry.time.div_euclid(HOUR_MS).rem_euclid(24)).unwrap_or(0)] += 1;
    }
    let even = entropy(&hours).map(|bits| bits / 24_f64.log2());
    values.insert("F26_hour_entropy", (even, len(&window.u)));
}

fn known(list: &[&Entry], name: &str) -> Vec<i64> {
    list.iter().filter_map(|entry| entry.row.int(name)).map(i64::from).collect()
}

fn lengths(window: &Window, values: &mut Values) {
    let (user, reply) = (known(&window.u_text, c::CHARS), known(&window.f_text, c::CHARS));
    values.insert("F27_reply_chars_p50", (quantile(&reply, 50), len(&reply)));
    values.insert("F27_reply_chars_p90", (quantile(&reply, 90), len(&reply)));
    values.insert("F27_reply_chars_ge500", share(&reply, |chars| *chars >= 500));
    let mean = |list: &[i64]| ratio(list.iter().sum(), len(list));
    let quotient = mean(&reply).zip(mean(&user)).filter(|(_, user)| *user > 0.0);
    values.insert(
        "F29_reply_user_ratio",
        (quotient.map(|(reply, user)| reply / user), len(&reply).min(len(&user))),
    );
    values.insert("F30_user_long", share(&user, |chars| *chars >= 280));
}

/// Enters a feature that needs texts.
fn put_text(window: &Window, values: &mut Values, name: &'static str, value: Value) {
    let value = if window.metadata_only() { (None, value.1) } else { value };
    values.insert(name, value);
}

fn texts(window: &Window, values: &mut Values) {
    let read = |list: &[&Entry]| {
        list.iter()
            .filter(|entry| entry.row.int(c::WORDS).is_some())
            .map(|entry| (*entry).clone())
            .collect::<Vec<_>>()
    };
    let (user, reply) = (read(&window.u_text), read(&window.f_text));
    let mut put = |name, value| put_text(window, values, name, value);
    let bit = |list: &[Entry], bits| share(list, |entry| has_bits(entry, bits));
    put("F31_user_short", share(&user, |e| e.row.int(c::WORDS).is_some_and(|words| words <= 3)));
    put("F32_markdown", bit(&reply, text_bits::MARKDOWN | text_bits::LIST));
    put("F33_code", bit(&reply, text_bits::CODE));
    put("F34_bot_question", bit(&reply, text_bits::QUESTION));
    put("F35_request_opener", bit(&user, text_bits::OPENER));
    put("F43_greeting_only", bit(&user, text_bits::GREETING));
    put("F51_open_ended_ratio", bit(&user, text_bits::OPEN_ENDED));
    let mut scripts = [0; 64];
    let found = known(&window.u_text, c::SCRIPT);
    for script in &found {
        scripts[usize::try_from(*script).unwrap_or(0)] += 1;
    }
    put("F42_script_entropy", (entropy(&scripts), len(&found)));
}

/// A text of a sample.
#[derive(Clone)]
struct Text {
    hash: u64,
    message: i64,
    peer: i64,
    skeleton: Option<i64>,
    tokens: Vec<u32>,
}

fn smallest(mut texts: Vec<Text>, most: usize) -> Vec<Text> {
    // Samples merge by union: a message that two days' ranges show in two conversations, because
    // its first copy lies in one of them only, is one text.
    texts.sort_by_key(|text| (text.hash, text.message));
    texts.dedup_by_key(|text| text.message);
    texts.truncate(most);
    texts
}

fn text_sample(window: &Window, keep: impl Fn(&Entry) -> bool, first_only: bool) -> Vec<Text> {
    let mut all = Vec::new();
    for one in &window.conversations {
        let list = one.entries.iter().filter(|entry| keep(entry));
        let list = list.take(if first_only { 1 } else { usize::MAX });
        let texts = list.filter_map(|entry| {
            let tokens = entry.row.tokens.clone()?;
            (tokens.len() >= SAMPLE_TOKENS_MIN).then(|| Text {
                hash: Pseudonym(entry.message).sample_hash(),
                message: entry.message,
                peer: one.peer,
                skeleton: entry.row.skeleton,
                tokens,
            })
        });
        all.extend(smallest(texts.collect(), TEXT_SAMPLE_PER_CONVERSATION_MAX));
    }
    smallest(all, TEXT_SAMPLE_MAX)
}

fn novelty_of(texts: &[Text]) -> Value {
    let pairs: Vec<_> = texts.iter().map(|text| (text.peer, text.tokens.clone())).collect();
    (novelty(&pairs), len(texts))
}

/// For each peer of P the smallest of the union of the tokens of its texts.
fn peer_tokens(window: &Window, keep: impl Fn(&Entry) -> bool) -> Vec<BTreeSet<u32>> {
    let tokens = |peer: &i64| -> BTreeSet<u32> {
        let own = window.conversations.iter().filter(|one| one.peer == *peer);
        let texts = own.flat_map(|one| &one.entries).filter(|entry| keep(entry));
        let all: BTreeSet<u32> =
            texts.filter_map(|entry| entry.row.tokens.clone()).flatten().collect();
        all.into_iter().take(PEER_TOKENS_MAX).collect()
    };
    window.sample().iter().map(tokens).collect()
}

fn samples(window: &Window, values: &mut Values) {
    let (users, replies) =
        (text_sample(window, is_u_text, false), text_sample(window, is_f_text, false));
    let first = text_sample(window, is_u_text, true);
    let mut put = |name, value| put_text(window, values, name, value);
    let reused = |text: &Text| {
        text.skeleton.is_some()
            && replies.iter().filter(|other| other.skeleton == text.skeleton).count() >= 2
    };
    put("F36_skeleton_reuse", share(&replies, reused));
    put("F37_reply_novelty", novelty_of(&replies));
    put("F38_user_novelty", novelty_of(&users));
    put("F41_first_novelty", novelty_of(&first));
    put("F39_topic_coincidence", topic_coincidence(&peer_tokens(window, is_u_text)));
    put("F40_reply_topic_coincidence", topic_coincidence(&peer_tokens(window, is_f_text)));
}

fn others(all: &[Conversation], window: &Window, values: &mut Values) {
    let both = len(&window.b) + window.human;
    values.insert("F44_human_share", (ratio(window.human, both), both));
    let runs: Vec<&Conversation> =
        all.iter().filter(|one| one.run_kind != RunKind::FailedSend).collect();
    values.insert(
        "F46_platform_agent",
        share(&runs, |one| one.run_kind == RunKind::StandbyRun || one.handover_ai),
    );
}
