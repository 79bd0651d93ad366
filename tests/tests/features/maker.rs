//! Random traffic of one sender, seeded: several peers, user ids without phone numbers, copies by
//! several ways, statuses without sends, failures, standby, long runs over midnights, disorder.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnwise_model::schema::column as c;
use turnwise_model::time::{HOUR_MS, MINUTE_MS};
use turnwise_model::{
    Category, Direction, EventKind, InteractiveType, MessageKind, Origin, PricingType, Script,
    Status,
};
use turnwise_tests::examples::DAY;
use turnwise_tests::oracle::Row;

/// Random traffic of one sender.
pub struct Maker {
    rng: ChaCha8Rng,
    sender: String,
    rows: Vec<Row>,
}

impl Maker {
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn one<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.rng.random_range(0..list.len())]
    }

    fn gap(&mut self) -> i64 {
        match self.rng.random_range(0..12) {
            0 => 0,
            1 => 30 * MINUTE_MS,
            2 => 30 * MINUTE_MS + self.one(&[-1, 1]),
            3 => self.rng.random_range(HOUR_MS..30 * HOUR_MS),
            4 => self.one(&[5_000, 4_999, 120_000, 120_001, 180_000, 600_000, 600_001]),
            5 | 6 => self.rng.random_range(5 * MINUTE_MS..40 * MINUTE_MS),
            _ => self.rng.random_range(0..200_000),
        }
    }

    /// The traffic of a seed: few peers with much of it, or 70 in every fourth.
    pub fn case(seed: u64, sender: &str) -> Vec<Row> {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let mut maker = Self { rng, sender: sender.to_owned(), rows: Vec::new() };
        let peers = if seed.is_multiple_of(4) { 70 } else { maker.rng.random_range(1..6) };
        let metadata_percent = maker.one(&[0, 0, 10, 80]);
        let recorded_percent = maker.one(&[0, 80, 90, 100]);
        for _ in 0..peers {
            maker.peer(metadata_percent, recorded_percent);
        }
        maker.copy_some();
        let mut offsets: Vec<i64> = (0..).take(maker.rows.len()).collect();
        offsets.shuffle(&mut maker.rng);
        for (row, offset) in maker.rows.iter_mut().zip(offsets) {
            row.position = (format!("s{}", offset % 2), (offset % 3) as i32, offset / 5, 0);
            row.position.3 = (offset % 5) as i32;
        }
        maker.rows.shuffle(&mut maker.rng);
        maker.rows
    }

    fn peer(&mut self, metadata_percent: u32, recorded_percent: u32) {
        let (phone, user) = (self.rng.random::<i64>(), self.rng.random::<i64>());
        let links = self.one(&[0, 0, 20, 60]);
        let start = DAY.start().0 + self.rng.random_range(0..3 * 24 * HOUR_MS);
        let mut time = start / 1_000 * 1_000;
        let long = self.chance(6);
        let count = if long { 150 } else { self.rng.random_range(1..12) };
        let topic = self.rng.random_range(0..40);
        for _ in 0..count {
            time += if long { self.rng.random_range(15..31) * MINUTE_MS } else { self.gap() };
            let from = self.rows.len();
            self.event(time, topic, metadata_percent, recorded_percent);
            for at in from..self.rows.len() {
                let only = self.chance(links);
                let both = self.chance(links);
                let none = self.chance(1);
                let row = &mut self.rows[at];
                row.peer_phone = (!only && !none).then_some(phone);
                row.peer_user = ((only || both) && !none).then_some(user);
            }
        }
    }

    fn event(&mut self, time: i64, topic: u32, metadata_percent: u32, recorded_percent: u32) {
        let what = self.rng.random_range(0..100);
        match what {
            0..45 => self.message(time, Direction::Inbound, Origin::Live, topic, metadata_percent),
            45..80 => {
                let message = if self.chance(recorded_percent) {
                    self.message(time, Direction::Outbound, Origin::Live, topic, metadata_percent);
                    self.rows.last().and_then(|row| row.message)
                } else {
                    Some(self.rng.random())
                };
                self.statuses(time, message);
            }
            80..88 => self.message(time, Direction::Outbound, Origin::App, topic, metadata_percent),
            88..94 => {
                let way = self.one(Direction::ALL);
                self.message(time, way, Origin::Standby, topic, metadata_percent);
            }
            94..97 => {
                let mut row = Row::new(EventKind::Account, &self.sender, time);
                let roles = ["customer_service", "ai_agent", "escalation"];
                row.words.insert(c::FIELD, "messaging_handovers".to_owned());
                row.words.insert(c::EVENT, "control_passed".to_owned());
                row.words.insert(c::ROLE_PREVIOUS, self.one(&roles).to_owned());
                row.words.insert(c::ROLE_NEW, self.one(&roles).to_owned());
                self.rows.push(row);
            }
            _ => {
                let message = Some(self.rng.random());
                self.statuses(time, message);
            }
        }
    }

    fn message(&mut self, time: i64, way: Direction, origin: Origin, topic: u32, bare: u32) {
        use MessageKind as K;
        let mut row = Row::new(EventKind::Message, &self.sender, time);
        row.message = Some(self.rng.random());
        let common = [K::Text, K::Text, K::Text, K::Image, K::Audio, K::Document, K::Interactive];
        let kind = match self.rng.random_range(0..4) {
            0 => self.one(K::ALL),
            1 if way == Direction::Outbound => self.one(&[K::Template, K::Interactive]),
            _ => self.one(&common),
        };
        row.with(c::ORIGIN, origin.code()).with(c::DIRECTION, way.code());
        row.with(c::MESSAGE_KIND, kind.code()).with(c::IN_GROUP, i32::from(self.chance(3)));
        row.with(c::IS_REPLY, 0).with(c::HAS_REFERRAL, i32::from(self.chance(8)));
        if kind == K::Audio {
            row.with(c::VOICE, i32::from(self.chance(70)));
        }
        if kind == K::Interactive {
            let list = InteractiveType::ALL;
            let list = if way == Direction::Inbound { &list[..4] } else { &list[4..] };
            row.with(c::INTERACTIVE_TYPE, self.one(list).code());
        }
        if matches!(kind, K::Text | K::Interactive) || self.chance(10) {
            self.text(&mut row, topic, bare);
        }
        self.rows.push(row);
    }

    fn text(&mut self, row: &mut Row, topic: u32, bare: u32) {
        if self.chance(bare) {
            if self.chance(60) {
                row.with(c::CHARS, self.rng.random_range(1..700));
            }
            return;
        }
        let chars = self.one(&[3, 7, 8, 15, 19, 20, 30, 149, 150, 279, 280, 400, 500, 900, 4_000]);
        row.with(c::CHARS, chars).with(c::BYTES, chars).with(c::LINES, 1);
        row.with(c::WORDS, self.rng.random_range(0..8));
        row.with(c::SCRIPT, self.one(&[Script::Latin, Script::Han, Script::Greek]).code());
        row.with(c::TEXT_BITS, self.rng.random_range(0..512));
        row.skeleton = Some(self.rng.random_range(0..30));
        let count = self.rng.random_range(0..7);
        let mut tokens: BTreeSet<u32> = BTreeSet::new();
        for _ in 0..count {
            let near = self.rng.random_range(0..12_u32) + topic * 10;
            // Some are large, for the order of unsigned numbers.
            tokens.insert(if near.is_multiple_of(2) { near } else { u32::MAX - near });
        }
        row.tokens = Some(tokens.into_iter().collect());
    }

    fn statuses(&mut self, time: i64, message: Option<i64>) {
        let mut at = time;
        let group = i32::from(self.chance(3));
        let origin = if self.chance(5) { Origin::Standby } else { Origin::Live };
        for status in [Status::Sent, Status::Delivered, Status::Read, Status::Failed] {
            if !self.chance(if status == Status::Failed { 8 } else { 65 }) {
                continue;
            }
            at += if self.chance(3) { 26 * HOUR_MS } else { self.rng.random_range(0..3_000) };
            let mut row = Row::new(EventKind::Status, &self.sender, at);
            row.message = message;
            row.with(c::STATUS, status.code()).with(c::ORIGIN, origin.code());
            row.with(c::IN_GROUP, group);
            if self.chance(70) {
                row.with(c::CATEGORY, self.one(Category::ALL).code());
                row.with(c::PRICING_TYPE, self.one(PricingType::ALL).code());
            }
            if self.chance(30) {
                row.with(c::CONVERSATION_ORIGIN, self.one(Category::ALL).code());
            }
            self.rows.push(row);
        }
    }

    /// Copies of some rows: again, later, or by another way.
    fn copy_some(&mut self) {
        for at in 0..self.rows.len() {
            if !self.chance(12) {
                continue;
            }
            let mut row = self.rows[at].clone();
            row.time += self.one(&[0, 0, 1_000, -1_000, 40 * MINUTE_MS]);
            if row.kind == EventKind::Message && self.chance(30) {
                row.with(c::ORIGIN, self.one(&[Origin::App, Origin::Standby]).code());
            }
            self.rows.push(row);
        }
    }
}
