//! The real pipeline against the oracle: worked examples and random traffic go through a lake,
//! the fold, the aggregates and the views, and every conversation and feature must agree.

mod maker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use datafusion::datasource::MemTable;
use turnwise_lake::{CommitOutcome, Encoding, FileFilter, Lake, Partition, Txn};
use turnwise_model::conversation::RunKind;
use turnwise_model::features::FEATURES;
use turnwise_model::schema::{column as c, events};
use turnwise_model::{Day, EventKind, MessageKind};
use turnwise_query::derive::{Window, sender_days, sender_features};
use turnwise_query::{Conversations, Engine, EngineSettings};
use turnwise_tests::examples::{DAY, Example, examples};
use turnwise_tests::oracle::{self, Row, batches};

use maker::Maker;

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

/// Values, null below their minimum, and supports by feature.
type Values = BTreeMap<&'static str, (Option<f64>, i64)>;

struct Real {
    outlines: Vec<Outline>,
    features: BTreeMap<(String, Day), Values>,
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

type Found = ((String, Day), Values);

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
            if chunk == 0 && window.end.0 == DAY.0 + 7 && found.is_empty() {
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
