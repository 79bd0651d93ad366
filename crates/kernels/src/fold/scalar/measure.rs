//! One conversation to its counts, histograms and samples.

use turnwise_model::codes::text_bits as bits;
use turnwise_model::conversation::Counters;
use turnwise_model::limits::{
    PEER_TOKENS_MAX, SAMPLE_TOKENS_MIN, TEXT_SAMPLE_PER_CONVERSATION_MAX,
};
use turnwise_model::time::{CONVERSATION_GAP_MS, DAY_MS, HOUR_MS};
use turnwise_model::{
    Category, InteractiveType, MessageKind, Millis, PricingRegime, PricingType, Pseudonym,
};

use super::is_free;
use super::resolve::{Class, Entry, Facts, Resolver, is_tapped};
use super::rows::{Row, Rows, is_markdown, mark};
use crate::histogram;

/// Characters from which a user's text is long (F30).
const LONG_USER_CHARS: i32 = 280;
/// Words up to which a user's text is short (F31).
const SHORT_USER_WORDS: i32 = 3;
/// Characters from which a reply is long (F27).
const LONG_REPLY_CHARS: i32 = 500;
/// Latency below which a reply is fast (F22).
const FAST_REPLY_MS: i64 = 5_000;
/// How soon a tap answers interactive buttons (F14).
const TAP_WITHIN_MS: i64 = 600_000;
/// Voice notes (F18): how soon, characters, characters in bigram scripts.
const VOICE: (i64, i32, i32) = (120_000, 20, 8);
/// Images (F19): how soon, characters.
const IMAGE: (i64, i32) = (120_000, 150);
/// Documents (F20): how soon, characters.
const DOCUMENT: (i64, i32) = (180_000, 400);

/// Tokens, and texts that a sample may take, which wait at most until all but the smallest go.
const WAITING_MAX: usize = 1 << 12;

/// The measures of one conversation; reused, so that no conversation allocates. A message takes 24
/// bytes of lists at most, twice that in lists that have grown.
#[derive(Debug, Default)]
pub(super) struct Measurer {
    pub counters: Counters,
    pub peer: i64,
    pub start_ms: i64,
    pub end_ms: i64,
    /// One histogram bucket a value.
    pub latencies: Vec<i64>,
    /// One histogram bucket a value.
    pub reply_chars: Vec<i64>,
    pub hours: Vec<i64>,
    pub scripts: Vec<i64>,
    /// Of every reply, in milliseconds, in order of time.
    pub reply_latencies: Vec<i64>,
    pub user_tokens: Vec<i64>,
    pub reply_tokens: Vec<i64>,
    pub user_texts: Vec<i64>,
    pub reply_texts: Vec<i64>,
    pub first_text: Vec<i64>,
    user_candidates: Vec<(u64, u32)>,
    reply_candidates: Vec<(u64, u32)>,
}

/// What the next free-form message says of a medium that awaits an answer.
enum Answer {
    Yes,
    No,
    /// It cannot be told: in neither part of the share.
    Unknown,
}

impl Measurer {
    /// Measures `piece`, a part of `of_peer`, all entries of that peer in range.
    pub fn conversation(
        &mut self,
        rows: &Rows,
        in_range: &[Row],
        resolver: &Resolver,
        of_peer: &[Entry],
        piece: &[Entry],
    ) {
        self.clear();
        let (first, last) = (&piece[0], &piece[piece.len() - 1]);
        (self.peer, self.start_ms, self.end_ms) = (first.peer, first.time_ms, last.time_ms);
        for entry in piece {
            let row = &in_range[entry.row as usize];
            self.counters.messages += 1;
            if !entry.stand_in {
                self.kinds(row);
            }
            match entry.class {
                Class::User => self.user(rows, row, entry),
                Class::Template | Class::Free => self.sent(rows, row, entry, resolver),
                Class::Person => self.counters.e_messages += 1,
                Class::Standby => {}
            }
        }
        self.turns(piece);
        self.answers(in_range, piece);
        self.opening(in_range, of_peer, piece);
        let times = first.time_ms..=last.time_ms + CONVERSATION_GAP_MS;
        let handed_over = resolver.handed_over(first.peer, times);
        self.counters.handover_ai = i64::from(handed_over);
        keep_smallest_tokens(&mut self.user_tokens);
        keep_smallest_tokens(&mut self.reply_tokens);
        write_sample(rows, in_range, &mut self.user_candidates, first.peer, &mut self.user_texts);
        write_sample(rows, in_range, &mut self.reply_candidates, first.peer, &mut self.reply_texts);
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let lists = [
            &self.latencies,
            &self.reply_chars,
            &self.hours,
            &self.scripts,
            &self.reply_latencies,
            &self.user_tokens,
            &self.reply_tokens,
            &self.user_texts,
            &self.reply_texts,
            &self.first_text,
        ];
        let candidates = self.user_candidates.capacity() + self.reply_candidates.capacity();
        lists.map(Vec::capacity).iter().sum::<usize>() * size_of::<i64>()
            + candidates * size_of::<(u64, u32)>()
    }

    fn clear(&mut self) {
        self.counters = Counters::default();
        for list in [
            &mut self.latencies,
            &mut self.reply_chars,
            &mut self.hours,
            &mut self.scripts,
            &mut self.reply_latencies,
            &mut self.user_tokens,
            &mut self.reply_tokens,
            &mut self.user_texts,
            &mut self.reply_texts,
            &mut self.first_text,
        ] {
            list.clear();
        }
        self.user_candidates.clear();
        self.reply_candidates.clear();
    }

    /// Kinds that are counted whoever sent them.
    fn kinds(&mut self, row: &Row) {
        let c = &mut self.counters;
        c.templates += i64::from(row.message_kind() == MessageKind::Template);
        c.buttons += i64::from(row.message_kind() == MessageKind::Button);
        c.voices += i64::from(is_voice(row));
    }

    fn user(&mut self, rows: &Rows, row: &Row, entry: &Entry) {
        let c = &mut self.counters;
        let kind = row.message_kind();
        let nfm = InteractiveType::NfmReply.code() == i32::from(row.interactive);
        c.with_user = 1;
        c.u_messages += 1;
        c.u_voice += i64::from(is_voice(row));
        c.u_image += i64::from(kind == MessageKind::Image);
        c.u_document += i64::from(kind == MessageKind::Document);
        c.u_media += i64::from(matches!(
            kind,
            MessageKind::Image | MessageKind::Video | MessageKind::Document | MessageKind::Audio
        ));
        let is_order = kind == MessageKind::Order;
        let is_card = matches!(kind, MessageKind::Location | MessageKind::Contacts);
        c.u_structured += i64::from(is_tapped(row) || is_order || is_card);
        c.u_commerce += i64::from(is_order || (kind == MessageKind::Interactive && nfm));
        self.hours.push(row.time_ms.rem_euclid(DAY_MS) / HOUR_MS);
        if kind == MessageKind::Text {
            self.user_text(rows, row, entry);
        }
    }

    fn user_text(&mut self, rows: &Rows, row: &Row, entry: &Entry) {
        let c = &mut self.counters;
        let first = c.u_text == 0;
        c.u_text += 1;
        if row.chars >= 0 {
            c.u_chars_n += 1;
            c.u_chars += i64::from(row.chars);
            c.u_long += i64::from(row.chars >= LONG_USER_CHARS);
        }
        if !row.has(mark::HAS_TEXT) {
            c.u_text_absent += 1;
            return;
        }
        c.u_words_n += 1;
        c.u_short += i64::from(row.words <= SHORT_USER_WORDS);
        c.u_opener += i64::from(row.bit(bits::OPENER));
        c.u_open_ended += i64::from(row.bit(bits::OPEN_ENDED));
        c.u_greeting += i64::from(row.bit(bits::GREETING));
        self.scripts.push(row.script.into());
        let tokens = rows.tokens_of(row);
        add_tokens(&mut self.user_tokens, tokens);
        if tokens.len() >= SAMPLE_TOKENS_MIN {
            add_candidate(&mut self.user_candidates, row, entry);
            if first {
                push_text(&mut self.first_text, row, entry.peer, tokens);
            }
        }
    }

    fn sent(&mut self, rows: &Rows, row: &Row, entry: &Entry, resolver: &Resolver) {
        let facts = resolver.facts(entry);
        let c = &mut self.counters;
        c.b_messages += 1;
        if entry.stand_in {
            c.stand_ins += 1;
        } else {
            c.b_recorded += 1;
            c.sends_recorded += 1;
            c.sends_with_status += i64::from(facts.is_some());
        }
        if let Some(facts) = facts {
            count_facts(c, facts, entry.time_ms);
        }
        if !is_free(entry.class) {
            c.t_messages += 1;
            return;
        }
        c.f_messages += 1;
        if entry.stand_in {
            return;
        }
        c.f_typed += 1;
        let kind = row.message_kind();
        c.f_interactive += i64::from(kind == MessageKind::Interactive);
        c.f_commerce += i64::from(kind == MessageKind::Interactive && is_commerce(row));
        if is_reply_text(kind) {
            self.reply_text(rows, row, entry);
        }
    }

    fn reply_text(&mut self, rows: &Rows, row: &Row, entry: &Entry) {
        let c = &mut self.counters;
        c.f_text += 1;
        if row.chars >= 0 {
            c.f_chars_n += 1;
            c.f_chars += i64::from(row.chars);
            c.f_chars_ge500 += i64::from(row.chars >= LONG_REPLY_CHARS);
            self.reply_chars.push(histogram::bucket(row.chars.into()));
        }
        if !row.has(mark::HAS_TEXT) {
            c.f_text_absent += 1;
            return;
        }
        c.f_words_n += 1;
        c.f_markdown += i64::from(is_markdown(row));
        c.f_code += i64::from(row.bit(bits::CODE));
        c.f_question += i64::from(row.bit(bits::QUESTION));
        let tokens = rows.tokens_of(row);
        add_tokens(&mut self.reply_tokens, tokens);
        if tokens.len() >= SAMPLE_TOKENS_MIN {
            add_candidate(&mut self.reply_candidates, row, entry);
        }
    }

    /// Turns, and the latency of each outbound turn that follows an inbound one: a reply.
    fn turns(&mut self, piece: &[Entry]) {
        let mut last_inbound = None;
        let mut turns = piece.chunk_by(|a, b| is_inbound(a) == is_inbound(b));
        while let Some([first, rest @ ..]) = turns.next() {
            let c = &mut self.counters;
            c.turns += 1;
            if is_inbound(first) {
                c.inbound_turns += 1;
                last_inbound = Some(rest.last().unwrap_or(first).time_ms);
            } else if let Some(asked) = last_inbound {
                let latency = (first.time_ms - asked).max(0);
                self.reply_latencies.push(latency);
                if is_free(first.class) {
                    c.api_replies += 1;
                    c.fast_replies += i64::from(latency < FAST_REPLY_MS);
                    self.latencies.push(histogram::bucket(latency));
                }
            }
        }
    }

    /// What came next: taps on buttons (F14), replies to voice, images and documents (F18–F20).
    fn answers(&mut self, in_range: &[Row], piece: &[Entry]) {
        let (mut next_free, mut next_user) = (None, None);
        for entry in piece.iter().rev() {
            let row = &in_range[entry.row as usize];
            match entry.class {
                Class::User => {
                    self.media_answer(in_range, entry, row, next_free);
                    next_user = Some(entry);
                }
                Class::Free => {
                    if !entry.stand_in && row.message_kind() == MessageKind::Interactive {
                        let tapped = next_user.is_some_and(|user: &Entry| {
                            user.time_ms - entry.time_ms <= TAP_WITHIN_MS
                                && is_tapped(&in_range[user.row as usize])
                        });
                        self.counters.f_interactive_tapped += i64::from(tapped);
                    }
                    next_free = Some(entry);
                }
                _ => {}
            }
        }
    }

    fn media_answer(
        &mut self,
        in_range: &[Row],
        entry: &Entry,
        row: &Row,
        next_free: Option<&Entry>,
    ) {
        let kind = row.message_kind();
        let (n, answered, (within_ms, chars, chars_bigram)) = match kind {
            MessageKind::Audio if row.has(mark::VOICE) => {
                (&mut self.counters.voice_n, &mut self.counters.voice_answered, VOICE)
            }
            MessageKind::Image => (
                &mut self.counters.image_n,
                &mut self.counters.image_answered,
                (IMAGE.0, IMAGE.1, IMAGE.1),
            ),
            MessageKind::Document => (
                &mut self.counters.document_n,
                &mut self.counters.document_answered,
                (DOCUMENT.0, DOCUMENT.1, DOCUMENT.1),
            ),
            _ => return,
        };
        let next = next_free.map(|next| (next, &in_range[next.row as usize]));
        match answer(entry, next, within_ms, chars, chars_bigram) {
            Answer::Yes => {
                *n += 1;
                *answered += 1;
            }
            Answer::No => *n += 1,
            Answer::Unknown => {}
        }
    }

    fn opening(&mut self, in_range: &[Row], of_peer: &[Entry], piece: &[Entry]) {
        let first = &piece[0];
        let row = &in_range[first.row as usize];
        let first_user = piece.iter().find(|entry| entry.class == Class::User);
        self.counters.has_referral = i64::from(
            first_user.is_some_and(|entry| in_range[entry.row as usize].has(mark::REFERRAL)),
        );
        let by_user = first.class == Class::User && !row.has(mark::REFERRAL) && !is_tapped(row);
        let start = of_peer.partition_point(|entry| entry.time_ms < first.time_ms - DAY_MS);
        let end = of_peer.partition_point(|entry| entry.time_ms < first.time_ms);
        let prompted = of_peer[start..end].iter().any(|entry| entry.class == Class::Template);
        self.counters.user_initiated = i64::from(by_user && !prompted);
    }
}

fn answer(
    asked: &Entry,
    next: Option<(&Entry, &Row)>,
    within_ms: i64,
    chars: i32,
    chars_bigram: i32,
) -> Answer {
    let Some((next, row)) = next.filter(|(next, _)| next.time_ms - asked.time_ms <= within_ms)
    else {
        return Answer::No;
    };
    if next.stand_in {
        return Answer::Unknown;
    }
    if !is_reply_text(row.message_kind()) {
        return Answer::No;
    }
    match row.chars {
        ..0 => Answer::Unknown,
        long if long >= chars => Answer::Yes,
        short if short < chars_bigram => Answer::No,
        _ => match row.is_bigram() {
            Some(true) => Answer::Yes,
            Some(false) => Answer::No,
            None => Answer::Unknown,
        },
    }
}

fn is_inbound(entry: &Entry) -> bool {
    entry.class == Class::User
}

fn is_voice(row: &Row) -> bool {
    row.message_kind() == MessageKind::Audio && row.has(mark::VOICE)
}

fn is_reply_text(kind: MessageKind) -> bool {
    matches!(kind, MessageKind::Text | MessageKind::Interactive)
}

fn is_commerce(row: &Row) -> bool {
    matches!(
        InteractiveType::from_code(row.interactive.into()),
        Some(
            InteractiveType::Product
                | InteractiveType::ProductList
                | InteractiveType::CatalogMessage
                | InteractiveType::Flow
        )
    )
}

fn count_facts(c: &mut Counters, facts: &Facts, time_ms: i64) {
    let category = Category::from_code(facts.category.into());
    if category.is_some() || facts.ai_origin {
        c.category_n += 1;
        let is_ai = category == Some(Category::GeneralPurposeAi);
        c.ai_label += i64::from(is_ai || facts.ai_origin);
        *match category {
            Some(Category::Marketing | Category::MarketingLite) => &mut c.category_marketing,
            Some(Category::Utility) => &mut c.category_utility,
            Some(Category::Authentication | Category::AuthenticationInternational) => {
                &mut c.category_authentication
            }
            Some(Category::Service) => &mut c.category_service,
            Some(Category::GeneralPurposeAi) | None => &mut c.category_ai,
            Some(_) => &mut c.category_other,
        } += 1;
    }
    if let Some(priced) = PricingType::from_code(facts.pricing_type.into())
        && PricingRegime::at(Millis(time_ms)) != PricingRegime::MessageBilledService
    {
        c.priced_n += 1;
        c.priced_free_service += i64::from(priced == PricingType::FreeCustomerService);
    }
}

/// Adds tokens. The smallest of all are the smallest of those kept so far and those that follow.
fn add_tokens(to: &mut Vec<i64>, tokens: &[i32]) {
    if to.len() >= WAITING_MAX {
        keep_smallest_tokens(to);
    }
    to.extend(tokens.iter().map(|token| i64::from(token.cast_unsigned())));
}

/// Keeps the smallest distinct tokens, ascending.
fn keep_smallest_tokens(tokens: &mut Vec<i64>) {
    tokens.sort_unstable();
    tokens.dedup();
    tokens.truncate(PEER_TOKENS_MAX);
}

/// Adds a text that the sample may take, as [`add_tokens`] does tokens.
fn add_candidate(to: &mut Vec<(u64, u32)>, row: &Row, entry: &Entry) {
    if to.len() >= WAITING_MAX {
        keep_smallest_candidates(to);
    }
    to.push((Pseudonym(row.message).sample_hash(), entry.row));
}

/// Keeps the candidates of smallest hash, ascending.
fn keep_smallest_candidates(candidates: &mut Vec<(u64, u32)>) {
    candidates.sort_unstable();
    candidates.truncate(TEXT_SAMPLE_PER_CONVERSATION_MAX);
}

/// Writes the candidates of smallest hash as entries of a text sample.
fn write_sample(
    rows: &Rows,
    in_range: &[Row],
    candidates: &mut Vec<(u64, u32)>,
    peer: i64,
    sample: &mut Vec<i64>,
) {
    keep_smallest_candidates(candidates);
    for (_, index) in candidates {
        let row = &in_range[*index as usize];
        push_text(sample, row, peer, rows.tokens_of(row));
    }
}

/// Appends an entry: hash, peer, skeleton, number of tokens, tokens.
fn push_text(sample: &mut Vec<i64>, row: &Row, peer: i64, tokens: &[i32]) {
    let hash = Pseudonym(row.message).sample_hash().cast_signed();
    sample.extend([hash, peer, row.skeleton, i64::try_from(tokens.len()).unwrap_or_default()]);
    sample.extend(tokens.iter().map(|token| i64::from(token.cast_unsigned())));
}

#[cfg(test)]
#[test]
fn smallest_tokens_stay_however_many_come() {
    let all: Vec<i32> = (0..20_000).map(|nth| nth * 7_919 % 10_007).collect();
    let mut kept = Vec::new();
    all.chunks(16).for_each(|tokens| add_tokens(&mut kept, tokens));
    assert!(kept.len() < WAITING_MAX + 16);
    keep_smallest_tokens(&mut kept);
    assert_eq!(kept, (0..16).collect::<Vec<i64>>());
}
