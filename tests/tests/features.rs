//! The real pipeline against the oracle: worked examples and random traffic go through a lake,
//! the fold, the aggregates and the views, and every conversation and feature must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::datasource::MemTable;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnwise_lake::{CommitOutcome, Encoding, FileFilter, Lake, Partition, Txn};
use turnwise_model::conversation::RunKind;
use turnwise_model::features::FEATURES;
use turnwise_model::schema::{column as c, events};
use turnwise_model::time::{HOUR_MS, MINUTE_MS};
use turnwise_model::{
    Category, Day, Direction, EventKind, InteractiveType, MessageKind, Origin, PricingType, Script,
    Status,
};
use turnwise_query::derive::{Window, sender_days, sender_features};
use turnwise_query::{Conversations, Engine, EngineSettings};
use turnwise_tests::examples::{DAY, Example, examples};
use turnwise_tests::oracle::{self, Row, batches};

/// What identifies a conversation, and figures of it.
type Outline = (String, i64, &'static str, i64, i64, Vec<i64>);

/// Columns of `conversations` that are compared.
const COLUMNS: [&str; 14] = [
    "messages",
    "turns",
    "user_initiated",
    "with_user",
    "u_messages",
    "b_messages",
    "stand_ins",
    "t_messages",
    "f_messages",
    "e_messages",
    "u_text",
    "f_text",
    "handover_ai",
    "has_referral",
];

struct Real {
    outlines: Vec<Outline>,
    features: BTreeMap<(String, Day), BTreeMap<&'static str, (Option<f64>, i64)>>,
}

/// Runs rows through a lake in a folder of its own.
async fn real(rows: &[Row], windows: &[Window]) -> Real {
    let folder = tempfile::tempdir().expect("folder");
    let location = folder.path().to_str().expect("path").to_owned();
    let lake = Lake::open(&location, &BTreeMap::new()).expect("lake");
    let table = lake.table("events", events(), &[c::KIND, c::DATE]).expect("table");
    let part = |(kind, day, batch): (EventKind, Day, RecordBatch)| {
        let partition: Partition =
            [(c::KIND.to_owned(), kind.name().into()), (c::DATE.to_owned(), day.into())].into();
        (partition, batch)
    };
    let parts = batches(rows).into_iter().map(part).collect();
    let staged = table.stage(parts, Encoding::Light, 0).expect("staged");
    let txn = Txn { app: "t/0".to_owned(), expected: None, to: 1 };
    let done = table.commit(&staged, &[txn], &BTreeMap::new(), 0).expect("commit");
    assert!(matches!(done, CommitOutcome::Committed { .. }));
    let files = table.snapshot(None).expect("snapshot").files(&FileFilter::all()).expect("files");
    let engine = Engine::new(&EngineSettings::default(), &lake).expect("engine");
    let conversations = Arc::new(Conversations::new(&files));
    let days: BTreeSet<Day> = conversations.days().collect();
    let context = engine.session();
    context.register_table("conversations", Arc::clone(&conversations) as _).expect("registered");
    let sql = format!(
        "SELECT sender, peer, run_kind, start_time, end_time, {} FROM conversations",
        COLUMNS.join(", ")
    );
    let found = context.sql(&sql).await.expect("plan").collect().await.expect("rows");
    let outlines = found.iter().flat_map(outlines).collect();
    let of_days = sender_days(&engine, conversations, &days).await.expect("days");
    let schema = of_days[0].schema();
    let table = Arc::new(MemTable::try_new(schema, vec![of_days]).expect("table"));
    let found = sender_features(&engine, table, windows).await.expect("features");
    Real { outlines, features: found.iter().flat_map(features_of).collect() }
}

fn outlines(batch: &RecordBatch) -> Vec<Outline> {
    let time = |name: &str, at| batch[name].as_primitive::<TimestampMicrosecondType>().value(at);
    let long = |name: &str, at| batch[name].as_primitive::<Int64Type>().value(at);
    let kinds = [RunKind::Conversation, RunKind::FailedSend, RunKind::StandbyRun];
    let row = |at: usize| {
        let kind = arrow::compute::cast(&batch["run_kind"], &arrow::datatypes::DataType::Utf8);
        let kind = kind.expect("text").as_string::<i32>().value(at).to_owned();
        let kind = kinds.iter().find(|known| known.name() == kind).expect("known");
        let sender = arrow::compute::cast(&batch["sender"], &arrow::datatypes::DataType::Utf8);
        let figures = match kind {
            RunKind::Conversation => COLUMNS.iter().map(|name| long(name, at)).collect(),
            _ => Vec::new(),
        };
        (
            sender.expect("text").as_string::<i32>().value(at).to_owned(),
            long("peer", at),
            kind.name(),
            time("start_time", at) / 1_000,
            time("end_time", at) / 1_000,
            figures,
        )
    };
    (0..batch.num_rows()).map(row).collect()
}

type Found = ((String, Day), BTreeMap<&'static str, (Option<f64>, i64)>);

fn features_of(batch: &RecordBatch) -> Vec<Found> {
    let row = |at: usize| {
        let sender = arrow::compute::cast(&batch["sender"], &arrow::datatypes::DataType::Utf8);
        let end = batch["window_end"].as_primitive::<arrow::datatypes::Date32Type>().value(at);
        let values = FEATURES.iter().map(|feature| {
            let value = batch[feature.column].as_primitive::<Float64Type>();
            let n = &batch[feature.support_column().as_str()];
            let n = n.as_primitive::<Int64Type>().value(at);
            (feature.name, (value.is_valid(at).then(|| value.value(at)), n))
        });
        let sender = sender.expect("text").as_string::<i32>().value(at).to_owned();
        ((sender, Day(end)), values.collect())
    };
    (0..batch.num_rows()).map(row).collect()
}

fn outline(one: &oracle::Conversation) -> Outline {
    use oracle::{Entry, Part};
    let mut figures = Vec::new();
    if one.run_kind == RunKind::Conversation {
        let count = |keep: &dyn Fn(&Entry) -> bool| {
            i64::try_from(one.entries.iter().filter(|entry| keep(entry)).count()).expect("small")
        };
        let is = |entry: &Entry, kinds: &[MessageKind]| {
            kinds.iter().any(|kind| entry.kind() == Some(kind.code()))
        };
        let turns = one.entries.windows(2).filter(|two| two[0].inbound() != two[1].inbound());
        let first = one.entries.iter().find(|entry| entry.inbound());
        figures = vec![
            count(&|_| true),
            i64::try_from(turns.count()).expect("small") + 1,
            i64::from(one.user_initiated),
            i64::from(first.is_some()),
            count(&Entry::inbound),
            count(&Entry::api),
            count(&|entry| entry.stand_in),
            count(&|entry| entry.part == Part::T),
            count(&|entry| entry.part == Part::F),
            count(&|entry| entry.part == Part::E),
            count(&|entry| entry.part == Part::U && is(entry, &[MessageKind::Text])),
            count(&|entry| {
                entry.part == Part::F && is(entry, &[MessageKind::Text, MessageKind::Interactive])
            }),
            i64::from(one.handover_ai),
            i64::from(first.is_some_and(|entry| entry.row.is(c::HAS_REFERRAL, 1))),
        ];
    }
    (one.sender.clone(), one.peer, one.run_kind.name(), one.start, one.end, figures)
}

fn same(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
        _ => false,
    }
}

/// The features on which the program and the oracle differ, below no minimum of support.
fn differences(real: &Real, rows: &[Row], window: &Window) -> Vec<String> {
    let meant = oracle::features(rows, &window.sender, window.end);
    let Some(found) = real.features.get(&(window.sender.clone(), window.end)) else {
        return if meant.is_empty() { Vec::new() } else { vec!["no window".to_owned()] };
    };
    let mut wrong = Vec::new();
    for feature in FEATURES {
        let (value, n) = found[feature.name];
        let Some((meant, meant_n)) = meant.get(feature.name).copied() else {
            wrong.push("window of nothing".to_owned());
            break;
        };
        let meant = meant.filter(|_| meant_n >= feature.support_min);
        // A likeness is one of pairs: one peer alone is no support to the program.
        let alone = feature.name.ends_with("topic_coincidence") && meant_n == 1 && n == 0;
        if (n != meant_n && !alone) || !same(value, meant) {
            wrong.push(format!("{}: {value:?} of {n}, not {meant:?} of {meant_n}", feature.name));
        }
    }
    wrong
}

/// Copies of an example over that many peers of their own, tokens of their own.
fn copies(example: &Example, sender: &str, count: i64) -> Vec<Row> {
    let mut rows = Vec::new();
    for copy in 0..count {
        for row in &example.rows {
            let mut row = row.clone();
            row.sender = sender.to_owned();
            row.peer_phone = row.peer_phone.map(|peer| peer + copy * 1_000);
            row.message = row.message.map(|message| message + copy * 1_000);
            row.skeleton = row.skeleton.map(|skeleton| skeleton + copy * 1_000);
            row.position.2 += copy * 1_000;
            let shift = u32::try_from(copy).expect("small") * 1_000;
            row.tokens = row.tokens.map(|list| list.iter().map(|token| token + shift).collect());
            rows.push(row);
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn worked_examples_come_out_of_the_pipeline() {
    const COPIES: i64 = 60;
    let all = examples();
    let (mut rows, mut windows) = (Vec::new(), Vec::new());
    for example in &all {
        for count in [1, COPIES] {
            let sender = format!("{}x{count}", example.feature);
            rows.extend(copies(example, &sender, count));
            windows.push(Window { sender, end: example.window_end });
        }
    }
    let real = real(&rows, &windows).await;
    let wrong: Vec<String> = windows
        .iter()
        .flat_map(|window| {
            let own: Vec<Row> =
                rows.iter().filter(|row| row.sender == window.sender).cloned().collect();
            differences(&real, &own, window)
                .into_iter()
                .map(|found| format!("{} {found}", window.sender))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for example in &all {
        let found = |count: i64| {
            let key = (format!("{}x{count}", example.feature), example.window_end);
            real.features[&key][example.feature]
        };
        assert_eq!(found(1).1, example.n, "{}", example.feature);
        // Samples are bounded and compare peers with peers, and the first counts them: their
        // copies mean something else, which the oracle has told above.
        let number: u32 = example.feature[1..3].parse().expect("number");
        if number != 1 && !(36..=41).contains(&number) {
            assert!(same(found(COPIES).0, Some(example.value)), "{}", example.feature);
        }
    }
}

/// Random traffic of one sender.
struct Maker {
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

    fn case(seed: u64, sender: &str) -> Vec<Row> {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let mut maker = Self { rng, sender: sender.to_owned(), rows: Vec::new() };
        let peers = if seed % 4 == 0 { 70 } else { maker.rng.random_range(1..6) };
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
            tokens.insert(if near % 2 == 0 { near } else { u32::MAX - near });
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

/// The rows without any copy of the first message of U.
fn lose_one(rows: &[Row]) -> Option<Vec<Row>> {
    let sender = &rows.first()?.sender;
    let days = (DAY.0..DAY.0 + 7).map(Day);
    let all = days.flat_map(|day| oracle::conversations(rows, sender, day));
    let entry = all.flat_map(|one| one.entries).find(oracle::Entry::inbound)?;
    Some(rows.iter().filter(|row| row.message != Some(entry.message)).cloned().collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_traffic_means_the_same_to_the_oracle() {
    const SENDERS: u64 = 60;
    let first: u64 = match std::env::var("TURNWISE_TEST_SEED") {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => 1,
    };
    let mut wrong = Vec::new();
    for chunk in 0..6 {
        let seeds = first + chunk * SENDERS..first + (chunk + 1) * SENDERS;
        println!("seeds {seeds:?}");
        let cases: BTreeMap<String, Vec<Row>> = seeds
            .map(|seed| (format!("seed {seed}"), Maker::case(seed, &format!("seed {seed}"))))
            .collect();
        let windows: Vec<Window> = cases
            .keys()
            .flat_map(|sender| {
                [3, 7].map(|days| Window { sender: sender.clone(), end: Day(DAY.0 + days) })
            })
            .collect();
        let rows: Vec<Row> = cases.values().flatten().cloned().collect();
        let mut real = real(&rows, &windows).await;
        real.outlines.sort_unstable();
        for (sender, rows) in &cases {
            let days = (DAY.0 - 3..DAY.0 + 20).map(Day);
            let mut meant: Vec<Outline> = days
                .flat_map(|day| oracle::conversations(rows, sender, day))
                .map(|one| outline(&one))
                .collect();
            meant.sort_unstable();
            let found: Vec<&Outline> =
                real.outlines.iter().filter(|outline| outline.0 == *sender).collect();
            for one in meant.iter().filter(|one| !found.contains(one)).take(3) {
                wrong.push(format!("not found: {one:?}"));
            }
            for one in found.iter().filter(|one| !meant.contains(one)).take(3) {
                wrong.push(format!("not meant: {one:?}"));
            }
            if meant.len() != found.len() {
                wrong.push(format!("{sender}: {} rows, not {}", found.len(), meant.len()));
            }
        }
        for window in &windows {
            let rows = &cases[&window.sender];
            let found = differences(&real, rows, window);
            // The canary: with one answer fewer the comparison must tell.
            if window.end.0 == DAY.0 + 7 && found.is_empty() {
                let lost = lose_one(rows);
                assert!(
                    lost.is_none_or(|lost| !differences(&real, &lost, window).is_empty()),
                    "the comparison misses a lost message of {}",
                    window.sender
                );
            }
            wrong.extend(
                found
                    .into_iter()
                    .take(4)
                    .map(|one| format!("{} to day {}: {one}", window.sender, window.end.0 - DAY.0)),
            );
        }
    }
    assert!(wrong.is_empty(), "{} differences: {:#?}", wrong.len(), &wrong[..wrong.len().min(60)]);
}
