//! One worked example for each feature: a handful of messages as rows, and the value and support
//! that the documentation's definition gives for them, worked out by hand in the comment beside.

use turnwise_model::codes::text_bits as bit;
use turnwise_model::schema::column as c;
use turnwise_model::{
    Category, Day, Direction, EventKind, InteractiveType as I, MessageKind as K, Millis, Origin,
    PricingRegime, PricingType, Script, Status,
};

use crate::oracle::Row;

/// The day on which the examples' first messages lie: before 1 October 2026.
pub const DAY: Day = Day(20_700);

/// A worked example of one feature.
#[derive(Clone, Debug)]
pub struct Example {
    /// The feature's name.
    pub feature: &'static str,
    /// The rows; [`crate::oracle::batches`] gives them as record batches.
    pub rows: Vec<Row>,
    /// The sender.
    pub sender: String,
    /// The midnight that begins this day ends the window.
    pub window_end: Day,
    /// The value, whatever the support's minimum.
    pub value: f64,
    /// The support.
    pub n: i64,
}

/// Builds rows of one sender, messages and offsets numbered from 1.
#[derive(Clone, Debug)]
pub struct Story {
    /// The sender.
    pub sender: String,
    /// The rows so far.
    pub rows: Vec<Row>,
}

impl Row {
    /// The row with an integer column set.
    pub fn with(&mut self, name: &'static str, value: i32) -> &mut Self {
        self.ints.insert(name, value);
        self
    }

    /// The row with tokens.
    pub fn tokens(&mut self, tokens: &[u32]) -> &mut Self {
        self.tokens = Some(tokens.to_vec());
        self
    }
}

impl Story {
    /// An empty story of a sender.
    #[must_use]
    pub fn new(sender: &str) -> Self {
        Self { sender: sender.to_owned(), rows: Vec::new() }
    }

    fn add(&mut self, kind: EventKind, at_s: i64, peer: i64) -> &mut Row {
        let mut row = Row::new(kind, &self.sender, DAY.start().0 + at_s * 1_000);
        let number = i64::try_from(self.rows.len()).unwrap_or(0) + 1;
        row.position.2 = number;
        row.peer_phone = Some(peer);
        if kind != EventKind::Account {
            row.message = Some(number);
            row.with(c::ORIGIN, Origin::Live.code());
            row.with(c::IN_GROUP, 0);
            row.with(c::PRICING_REGIME, PricingRegime::at(Millis(row.time)).code());
        }
        self.rows.push(row);
        let at = self.rows.len() - 1;
        &mut self.rows[at]
    }

    /// A message of the peer, seconds after the day's first instant.
    pub fn inbound(&mut self, at_s: i64, peer: i64, kind: K) -> &mut Row {
        let row = self.add(EventKind::Message, at_s, peer);
        row.with(c::DIRECTION, Direction::Inbound.code()).with(c::MESSAGE_KIND, kind.code())
    }

    /// A recorded send through the API.
    pub fn send(&mut self, at_s: i64, peer: i64, kind: K) -> &mut Row {
        let row = self.add(EventKind::Message, at_s, peer);
        row.with(c::DIRECTION, Direction::Outbound.code()).with(c::MESSAGE_KIND, kind.code())
    }

    /// A text of the peer.
    pub fn ask(&mut self, at_s: i64, peer: i64, chars: i32) -> &mut Row {
        text(self.inbound(at_s, peer, K::Text), chars)
    }

    /// A text through the API.
    pub fn answer(&mut self, at_s: i64, peer: i64, chars: i32) -> &mut Row {
        text(self.send(at_s, peer, K::Text), chars)
    }

    /// An interactive message through the API, with a body of 40 characters.
    pub fn offer(&mut self, at_s: i64, peer: i64, kind: I) -> &mut Row {
        text(self.send(at_s, peer, K::Interactive), 40).with(c::INTERACTIVE_TYPE, kind.code())
    }

    /// A tapped or flow reply of the peer.
    pub fn tap(&mut self, at_s: i64, peer: i64, kind: I) -> &mut Row {
        self.inbound(at_s, peer, K::Interactive).with(c::INTERACTIVE_TYPE, kind.code())
    }

    /// A text that a person sent from the phone app.
    pub fn echo(&mut self, at_s: i64, peer: i64) -> &mut Row {
        self.answer(at_s, peer, 20).with(c::ORIGIN, Origin::App.code())
    }

    /// A status of the last message added.
    pub fn status(&mut self, status: Status) -> &mut Row {
        let (time, peer, message) = self
            .rows
            .iter()
            .rev()
            .find(|row| row.message.is_some())
            .map_or((0, 0, None), |row| (row.time, row.peer_phone.unwrap_or(0), row.message));
        let at_s = (time - DAY.start().0) / 1_000 + 1;
        let row = self.add(EventKind::Status, at_s, peer);
        row.message = message;
        row.with(c::STATUS, status.code())
    }

    /// A handover of the peer's thread.
    pub fn handover(&mut self, at_s: i64, peer: i64, from: &str, to: &str) -> &mut Row {
        let row = self.add(EventKind::Account, at_s, peer);
        row.words.insert(c::FIELD, "messaging_handovers".to_owned());
        row.words.insert(c::EVENT, "control_passed".to_owned());
        row.words.insert(c::ROLE_PREVIOUS, from.to_owned());
        row.words.insert(c::ROLE_NEW, to.to_owned());
        row
    }
}

/// A Latin text of that many characters, a word for each five, without tokens.
fn text(row: &mut Row, chars: i32) -> &mut Row {
    row.with(c::CHARS, chars).with(c::BYTES, chars).with(c::WORDS, chars.div_euclid(5) + 1);
    row.with(c::LINES, 1).with(c::SCRIPT, Script::Latin.code()).with(c::TEXT_BITS, 0);
    row.skeleton = row.message;
    row.tokens(&[])
}

const HOUR: i64 = 3_600;

fn story(tell: impl Fn(&mut Story)) -> Vec<Row> {
    let mut story = Story::new("100");
    tell(&mut story);
    story.rows
}

/// Every example; at least one a feature.
#[must_use]
pub fn examples() -> Vec<Example> {
    let mut all = Vec::new();
    for part in [peers(), prices(), forms(), answers(), latencies(), texts(), samples(), owners()] {
        all.extend(part);
    }
    all
}

fn example(feature: &'static str, rows: &[Row], value: f64, n: i64) -> Example {
    Example {
        feature,
        rows: rows.to_vec(),
        sender: "100".to_owned(),
        window_end: Day(DAY.0 + 2),
        value,
        n,
    }
}

fn peers() -> Vec<Example> {
    // Peer 1: a question and its answer, 40 minutes later two questions and an answer, a question
    // on the next day after a template. Peer 2: comes by an advertisement. Peer 3: template only.
    let rows = story(|s| {
        s.ask(0, 1, 10);
        s.answer(10, 1, 50);
        s.ask(40 * 60, 1, 10);
        s.answer(40 * 60 + 5, 1, 50);
        s.ask(40 * 60 + 60, 1, 10);
        s.send(20 * HOUR, 1, K::Template);
        s.ask(26 * HOUR, 1, 10);
        s.ask(60, 2, 10).with(c::HAS_REFERRAL, 1);
        s.send(60, 3, K::Template);
    });
    vec![
        // Peers 1 and 2 wrote.
        example("F01_active_peers", &rows, 2.0, 2),
        // Conversations with U: 2, 3, 1 and 1 turns; sorted 1 1 2 3: the 2nd is 1, the 4th is 3.
        example("F02_turns_p50", &rows, 1.0, 4),
        example("F02_turns_p90", &rows, 3.0, 4),
        // 5 messages of U over (1, day 0), (1, day 1), (2, day 0).
        example("F03_user_messages_peer_day", &rows, 5.0 / 3.0, 3),
        // Peer 1 of the two came on two days.
        example("F04_returning_peers", &rows, 0.5, 2),
        // 4 conversations with U, 2 peers.
        example("F05_conversations_per_peer", &rows, 2.0, 2),
        // 6 conversations: the first two of peer 1 count; not the one 6 h after a template, not the
        // referral, not those that begin with a template.
        example("F06_user_initiated", &rows, 2.0 / 6.0, 6),
        // One of 4 conversations with U.
        example("F07_referral", &rows, 0.25, 4),
    ]
}

fn prices() -> Vec<Example> {
    let priced = |s: &mut Story, kind: PricingType, category: Category| {
        s.status(Status::Sent)
            .with(c::CATEGORY, category.code())
            .with(c::PRICING_TYPE, kind.code());
    };
    // Seven sends with one category each, a send without a status, and one that failed.
    let rows = story(|s| {
        let categories = [
            Category::Marketing,
            Category::Utility,
            Category::Authentication,
            Category::Service,
            Category::Service,
            Category::GeneralPurposeAi,
            Category::ReferralConversion,
        ];
        for (at, category) in (0..).zip(categories) {
            s.send(at * 60, 1, if at < 3 { K::Template } else { K::Text });
            let free = if at == 3 || at == 4 {
                PricingType::FreeCustomerService
            } else {
                PricingType::Regular
            };
            priced(s, free, category);
        }
        s.answer(600, 1, 10);
        s.answer(700, 1, 10);
        s.status(Status::Failed);
    });
    vec![
        // 3 templates of 8 messages of B: the failed one is out.
        example("F08_template_share", &rows, 3.0 / 8.0, 8),
        // One of 7 messages with a category each; service two.
        example("F09_marketing", &rows, 1.0 / 7.0, 7),
        example("F09_utility", &rows, 1.0 / 7.0, 7),
        example("F09_authentication", &rows, 1.0 / 7.0, 7),
        example("F09_service", &rows, 2.0 / 7.0, 7),
        example("F09_ai", &rows, 1.0 / 7.0, 7),
        example("F09_other", &rows, 1.0 / 7.0, 7),
        // Two of the 7 priced ones were free.
        example("F10_free_service", &rows, 2.0 / 7.0, 7),
        example("F11_platform_ai_label", &rows, 1.0 / 7.0, 7),
    ]
}

fn forms() -> Vec<Example> {
    let rows = story(|s| {
        s.offer(0, 1, I::Button);
        s.tap(30, 1, I::ButtonReply);
        s.offer(60, 1, I::ProductList);
        s.inbound(90, 1, K::Order);
        s.answer(100, 1, 30);
        s.inbound(120, 1, K::Image);
        s.inbound(130, 1, K::Audio).with(c::VOICE, 1);
        s.inbound(140, 1, K::Audio).with(c::VOICE, 0);
        s.ask(150, 1, 30);
        s.answer(160, 1, 30);
    });
    vec![
        // 2 of 4 messages of F.
        example("F12_interactive_out", &rows, 0.5, 4),
        // The tap and the order of 6 messages of U.
        example("F13_structured_in", &rows, 2.0 / 6.0, 6),
        // The buttons are tapped after 30 s; what follows the product list is an order.
        example("F14_tap_rate", &rows, 0.5, 2),
        // The order and the product list of 6 + 4 messages.
        example("F15_commerce", &rows, 0.2, 10),
        // An image and two audios of 6.
        example("F16_media_in", &rows, 0.5, 6),
        // One of the audios is a voice note.
        example("F17_voice_in", &rows, 1.0 / 6.0, 6),
    ]
}

fn answers() -> Vec<Example> {
    let rows = |kind: K, within_s: i64, chars: i32| {
        story(|s| {
            // In time and long enough.
            s.inbound(0, 1, kind).with(c::VOICE, 1);
            s.answer(within_s, 1, chars);
            // Too short.
            s.inbound(400, 1, kind).with(c::VOICE, 1);
            s.answer(410, 1, 7.min(chars));
            // A second late.
            s.inbound(800, 1, kind).with(c::VOICE, 1);
            s.answer(801 + within_s, 1, chars);
            // Never answered.
            s.inbound(1_200, 1, kind).with(c::VOICE, 1);
            // The length is not known: counts nowhere.
            s.inbound(0, 2, kind).with(c::VOICE, 1);
            s.send(5, 2, K::Text);
        })
    };
    vec![
        // Each: one of the four that can be told.
        example("F18_voice_answered", &rows(K::Audio, 120, 20), 0.25, 4),
        example("F19_image_answered", &rows(K::Image, 120, 150), 0.25, 4),
        example("F20_document_answered", &rows(K::Document, 180, 400), 0.25, 4),
    ]
}

fn latencies() -> Vec<Example> {
    let rows = story(|s| {
        s.ask(0, 1, 10);
        s.answer(2, 1, 100);
        s.ask(60, 1, 10);
        s.ask(62, 1, 10);
        s.answer(72, 1, 100);
        s.ask(100, 2, 10);
        s.answer(103, 2, 100);
        // A person's reply is no API reply.
        s.ask(6 * HOUR, 2, 10);
        s.echo(6 * HOUR + 1, 2);
    });
    vec![
        // API replies after 2, 10 and 3 s: the 2nd smallest, 3,000 ms, lies in the bucket
        // [2,997, 3,056), whose middle is 3,026; the 3rd, 10,000 ms, in [9,972, 10,171).
        example("F21_reply_latency_p50", &rows, 3.026, 3),
        example("F21_reply_latency_p95", &rows, 10.071, 3),
        // 2 s and 3 s.
        example("F22_fast_replies", &rows, 2.0 / 3.0, 3),
        // 4 messages of U at hour 0, one at hour 6: 0.721928 bits of log2 24 = 4.584963.
        example("F26_hour_entropy", &rows, 0.721_928_094_887_362_3 / 24_f64.log2(), 5),
    ]
}

fn texts() -> Vec<Example> {
    let rows = story(|s| {
        s.ask(0, 1, 280).with(c::TEXT_BITS, bit::OPENER | bit::QUESTION | bit::OPEN_ENDED);
        s.ask(10, 1, 12).with(c::TEXT_BITS, bit::GREETING);
        s.ask(20, 1, 20).with(c::TEXT_BITS, bit::OPENER).with(c::SCRIPT, Script::Cyrillic.code());
        s.ask(30, 1, 88);
        s.answer(40, 1, 100).with(c::TEXT_BITS, bit::MARKDOWN);
        s.answer(50, 1, 200).with(c::TEXT_BITS, bit::LIST | bit::CODE);
        s.answer(60, 1, 600).with(c::TEXT_BITS, bit::QUESTION);
        s.offer(70, 1, I::Button);
    });
    vec![
        // 40, 100, 200, 600 characters: the 2nd is 100, the 4th lies in the bucket [600, 612).
        example("F27_reply_chars_p50", &rows, 100.0, 4),
        example("F27_reply_chars_p90", &rows, 605.5, 4),
        example("F27_reply_chars_ge500", &rows, 0.25, 4),
        // (940 ÷ 4) ÷ (400 ÷ 4).
        example("F29_reply_user_ratio", &rows, 2.35, 4),
        example("F30_user_long", &rows, 0.25, 4),
        // 57, 3, 5 and 18 words.
        example("F31_user_short", &rows, 0.25, 4),
        // Markdown and list.
        example("F32_markdown", &rows, 0.5, 4),
        example("F33_code", &rows, 0.25, 4),
        example("F34_bot_question", &rows, 0.25, 4),
        example("F35_request_opener", &rows, 0.5, 4),
        // One Cyrillic of four: 0.811278 bits.
        example("F42_script_entropy", &rows, 0.811_278_124_459_132_8, 4),
        example("F43_greeting_only", &rows, 0.25, 4),
        example("F51_open_ended_ratio", &rows, 0.25, 4),
    ]
}

fn samples() -> Vec<Example> {
    let rows = story(|s| {
        s.ask(0, 1, 50).tokens(&[1, 2]);
        s.answer(10, 1, 50).tokens(&[10, 11]).skeleton = Some(7);
        s.ask(20, 1, 50).tokens(&[3, 4]);
        s.ask(0, 2, 50).tokens(&[1, 5]);
        s.answer(10, 2, 50).tokens(&[10, 12]).skeleton = Some(7);
        s.ask(0, 3, 50).tokens(&[6, 7]);
        s.answer(10, 3, 50).tokens(&[13, 14]).skeleton = Some(8);
        // One token is too few for a sample, but belongs to what the peer wrote.
        s.ask(20, 3, 50).tokens(&[5]);
    });
    vec![
        // Two of three replies share a skeleton.
        example("F36_skeleton_reuse", &rows, 2.0 / 3.0, 3),
        // New of each reply: 1 of 2, 1 of 2, 2 of 2.
        example("F37_reply_novelty", &rows, 2.0 / 3.0, 3),
        // New of each user text: {1,2}: 1 of 2; {3,4}: 2 of 2; {1,5}: 1 of 2 (the {5} of peer 3 is
        // not in the sample); {6,7}: 2 of 2. Mean 3 ÷ 4.
        example("F38_user_novelty", &rows, 0.75, 4),
        // A = {1,2,3,4}, {1,5}, {5,6,7}: df of 1 and 5 is 2, of five others 1: F1 = 9, F2 = 13,
        // I = 4 ÷ 6, TCI = (2/3) ÷ (6 − 2/3) = 1/8.
        example("F39_topic_coincidence", &rows, 0.125, 3),
        // A′ = {10,11}, {10,12}, {13,14}: F1 = 6, F2 = 8, I = 2 ÷ 6, TCI = (1/3) ÷ (4 − 1/3).
        example("F40_reply_topic_coincidence", &rows, 1.0 / 11.0, 3),
        // First texts {1,2}, {1,5}, {6,7}: new 1 of 2, 1 of 2, 2 of 2.
        example("F41_first_novelty", &rows, 2.0 / 3.0, 3),
    ]
}

fn owners() -> Vec<Example> {
    let rows = story(|s| {
        s.ask(0, 1, 10);
        s.answer(5, 1, 10);
        s.handover(1_000, 1, "customer_service", "ai_agent");
        s.ask(0, 2, 10);
        s.echo(60, 2);
        s.answer(70, 2, 10);
        s.ask(0, 3, 10).with(c::ORIGIN, Origin::Standby.code());
        s.ask(60, 3, 10).with(c::ORIGIN, Origin::Standby.code());
    });
    vec![
        // One echo beside two messages of B.
        example("F44_human_share", &rows, 1.0 / 3.0, 3),
        // One standby run and one conversation with a handover of 1 + 2.
        example("F46_platform_agent", &rows, 2.0 / 3.0, 3),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::oracle::features;

    #[test]
    fn oracle_gives_the_value_worked_out_by_hand() {
        for example in examples() {
            let found = features(&example.rows, &example.sender, example.window_end);
            let (value, n) = found[example.feature];
            let value = value.unwrap_or(f64::NAN);
            assert_eq!(n, example.n, "{}", example.feature);
            assert!(
                (value - example.value).abs() < 1e-9,
                "{}: {value} is not {}",
                example.feature,
                example.value
            );
        }
    }

    #[test]
    fn every_feature_has_an_example() {
        let having: BTreeSet<&str> = examples().iter().map(|example| example.feature).collect();
        let all: BTreeSet<&str> =
            turnwise_model::features::FEATURES.iter().map(|feature| feature.name).collect();
        assert_eq!(having, all);
    }
}
