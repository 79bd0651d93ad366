//! The real pipeline against the oracle: worked examples and random traffic go through a lake,
//! the fold, the aggregates and the views, and every conversation and feature must agree.

mod maker;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use turnwise_lake::{CommitOutcome, Encoding, FileFilter, Lake, Partition, Txn};
use turnwise_model::schema::{column as c, events};
use turnwise_model::{Day, EventKind};
use turnwise_query::derive::Window;
use turnwise_tests::compare::{Real, same};
use turnwise_tests::examples::{DAY, Example, examples};
use turnwise_tests::oracle::{self, Row, batches};

use maker::Maker;

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
    // In several goes, by days and by senders.
    let fold_rows = rows.len() as u64 / 3;
    Real::derive(&lake, &files, fold_rows, |_| windows.to_vec()).await.expect("derived")
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
            real.other_features(&own, window)
                .into_iter()
                .map(|found| format!("{} {found}", window.sender))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for example in &all {
        let found = |count: i64| {
            let sender = format!("{}x{count}", example.feature);
            let window = Window { sender, end: example.window_end };
            real.feature(&window, example.feature).expect("a window")
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
        let real = real(&rows, &windows).await;
        let days: Vec<Day> = (DAY.0 - 3..DAY.0 + 20).map(Day).collect();
        for (sender, rows) in &cases {
            wrong.extend(real.other_conversations(sender, rows, &days));
        }
        for window in &windows {
            let rows = &cases[&window.sender];
            let found = real.other_features(rows, window);
            // The canary: with one answer fewer the comparison must tell.
            if chunk == 0 && window.end.0 == DAY.0 + 7 && found.is_empty() {
                let lost = lose_one(rows);
                assert!(
                    lost.is_none_or(|lost| !real.other_features(&lost, window).is_empty()),
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
