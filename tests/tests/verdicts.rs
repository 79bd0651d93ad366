//! Generated traffic of many seeds through codec, lake, fold, features and scorecard: assistants
//! are found, businesses are left alone, half and half is at least looked at.
//!
//! In four seeds running every profile speaks every language.

use std::collections::{BTreeMap, BTreeSet};

use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_lake::{CommitOutcome, Encoding, FileFilter, FileInfo, Lake, Partition, Txn};
use turnwise_model::schema::{column as c, events};
use turnwise_model::{Day, EventBatch, Keys, Offset, PartitionId, Secret, SourceName, Verdict};
use turnwise_policy::Scorecard;
use turnwise_query::accounts::Accounts;
use turnwise_query::answer::{SenderAnswer, answers};
use turnwise_query::derive::Window;
use turnwise_query::derived::{Basis, Derived};
use turnwise_query::seen::Seen;
use turnwise_query::{Conversations, Engine, EngineSettings};
use turnwise_traffic::{Class, Plan, Topic, Traffic, truth};

/// The seeds that are judged: every profile in every language twice.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=8;
/// Enough that every sender has more than forty people in the window of a week.
const MESSAGES: u64 = 15_000;
/// One sender of each profile.
const SENDERS: u32 = 12;

/// The batches that the codec makes of a plan's records.
fn decoded(plan: &Plan) -> Vec<EventBatch> {
    let secret = Secret::new(&[b's'; 32]).expect("long enough");
    let mut decoder = Decoder::new(Keys::expand(&secret));
    let source = SourceName("generated".to_owned());
    for (offset, record) in (0..).zip(Traffic::new(plan.clone())) {
        let context = RecordContext {
            source: &source,
            partition: PartitionId(0),
            offset: Offset(offset),
            record_time: Some(record.time),
            read_time: record.time,
        };
        let format = match record.topic {
            Topic::Webhooks => Format::CloudApi,
            Topic::Sends => Format::Send,
        };
        decoder.decode(format, &context, Some(&record.value));
    }
    decoder.finish()
}

/// Commits batches to a new lake, a file a kind and day.
fn committed(lake: &Lake, batches: Vec<EventBatch>) -> (u64, Vec<FileInfo>) {
    let table = lake.table("events", events(), &[c::KIND, c::DATE]).expect("table");
    let parts = batches.into_iter().map(|batch| {
        let partition: Partition = [
            (c::KIND.to_owned(), batch.kind.name().into()),
            (c::DATE.to_owned(), batch.date.into()),
        ]
        .into();
        (partition, batch.rows)
    });
    let staged = table.stage(parts.collect(), Encoding::Light, 0).expect("staged");
    let txn = Txn { app: "generated/0".to_owned(), expected: None, to: 1 };
    let done = table.commit(&staged, &[txn], &BTreeMap::new(), 0).expect("commit");
    assert!(matches!(done, CommitOutcome::Committed { .. }));
    let snapshot = table.snapshot(None).expect("snapshot");
    (snapshot.version(), snapshot.files(&FileFilter::all()).expect("files"))
}

/// Judges every sender of a plan at the plan's end, by the plans of the derive role.
async fn judged(plan: &Plan, scorecard: &Scorecard) -> Vec<SenderAnswer> {
    let folder = tempfile::tempdir().expect("folder");
    let location = folder.path().to_str().expect("path").to_owned();
    let lake = Lake::open(&location, &BTreeMap::new()).expect("lake");
    let (version, files) = committed(&lake, decoded(plan));
    let engine = Engine::new(&EngineSettings::default(), &lake).expect("engine");
    let derived = Derived::new(lake, engine.clone());
    let basis = Basis { version, force_equal: false, now_ms: 0 };
    let days: BTreeSet<Day> = Conversations::new(&files).days().collect();
    derived.replace_days(&files, &days, basis, &mut Seen::default(), None).await.expect("days");
    let windows: Vec<Window> = truth(plan)
        .into_iter()
        .map(|truth| Window { sender: truth.phone_number_id, end: plan.end.day() })
        .collect();
    let features = derived.features(&windows).await.expect("features");
    let accounts = Accounts::of_windows(&engine, &files, &windows).await.expect("accounts");
    answers(&features, &accounts, scorecard).expect("answers")
}

/// Whether a class may have a verdict.
fn is_right(class: Class, verdict: Verdict) -> bool {
    let asks = matches!(verdict, Verdict::LikelyGeneralPurpose | Verdict::Review);
    match class {
        Class::Banned | Class::Mixed => asks,
        Class::Allowed => !matches!(verdict, Verdict::LikelyGeneralPurpose | Verdict::Insufficient),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_seed_finds_assistants_and_leaves_businesses_alone() {
    let scorecard = Scorecard::built_in().expect("scorecard");
    let mut wrong = Vec::new();
    for seed in SEEDS {
        let plan = Plan { senders: Some(SENDERS), ..Plan::new(seed, MESSAGES) };
        let answers = judged(&plan, &scorecard).await;
        assert_eq!(answers.len(), SENDERS as usize, "seed {seed}");
        for truth in truth(&plan) {
            let answer = answers.iter().find(|a| a.window.sender == truth.phone_number_id);
            let answer = answer.unwrap_or_else(|| panic!("seed {seed}: a sender is missing"));
            let verdict = answer.judgement.verdict;
            let line = format!(
                "seed {seed:2} {:11} {} {:3} people, scope {:.2}: {}",
                truth.profile.name(),
                truth.language.code(),
                answer.features.value("F01_active_peers").unwrap_or_default(),
                answer.judgement.score.scope.unwrap_or(f64::NAN),
                verdict.name()
            );
            println!("{line}");
            if !is_right(truth.class, verdict) {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
