//! Law 3: what is derived is a function of the rows of `events` alone, to the bit, whatever files
//! they lie in, in whatever order, with however many threads, and however often it is derived.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use turnwise_lake::FileInfo;
use turnwise_model::Day;
use turnwise_model::schema::column;
use turnwise_query::derived::{Basis, Derived, SENDER_DAYS, SENDER_FEATURES};
use turnwise_query::seen::Seen;
use turnwise_query::windows::{Since, senders_of};
use turnwise_query::{Conversations, Engine, EngineSettings, Senders};
use turnwise_tests::lakes::{
    Layout, Order, Outcome, Parts, Stored, bits, message_kind, partition, traffic,
};

const SEED: u64 = 20_261;
const MESSAGES: u64 = 2_500;
const ARRIVED: Layout = Layout { shuffled: None, files: 1 };

fn parts() -> Parts {
    println!("seed {SEED}");
    traffic(SEED, MESSAGES)
}

fn assert_same(one: &Outcome, other: &Outcome, why: &str) {
    assert_eq!(one.len(), other.len(), "{why}");
    for (table, rows) in one {
        assert!(rows.len() > 20, "{why}: {table} has {} rows", rows.len());
        assert_eq!(rows.len(), other[table].len(), "{why}: rows of {table}");
        let differ = rows.iter().zip(&other[table]).filter(|(one, other)| one != other).count();
        assert_eq!(differ, 0, "{why}: rows of {table} that differ, of {}", rows.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn derived_again_after_deletion_gives_the_same_bits_with_any_partitions() {
    let stored = Stored::new(&parts(), ARRIVED);
    let first = stored.derive(1).await;
    assert_same(&first, &stored.derive(1).await, "derived twice");
    for partitions in [4, 16] {
        stored.forget();
        assert_same(&first, &stored.derive(partitions).await, &format!("{partitions} partitions"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shuffled_rows_in_other_files_give_the_same_bits_before_and_after_compaction() {
    let parts = parts();
    let expected = Stored::new(&parts, ARRIVED).derive(4).await;
    for (seed, files, partitions, order) in
        [(1, 1, 1, Order::Product), (2, 30, 4, Order::Product), (3, 7, 16, Order::Backwards)]
    {
        let why = format!("shuffled with {seed} into {files} files, {order:?}");
        let stored = Stored::new(&parts, Layout { shuffled: Some(seed), files });
        assert_same(&expected, &stored.derive(partitions).await, &why);
        let before = stored.files().1.len();
        let less = stored.compact(&parts, order, 1);
        assert!(files == 1 || less > before * 2 / 3, "{why}: {less} of {before} files less");
        stored.forget();
        assert_same(&expected, &stored.derive(1).await, &format!("{why}, compacted and deleted"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sorted_files_give_the_same_bits_alone_and_beside_others() {
    let parts = parts();
    let expected = Stored::new(&parts, ARRIVED).derive(4).await;
    let (product, by_sender) = (Order::Product, Order::BySender);
    for (order, share, partitions) in
        [(product, 1, 1), (by_sender, 1, 4), (product, 2, 4), (by_sender, 3, 16)]
    {
        let why = format!("one in {share} kinds and dates {order:?}, {partitions} partitions");
        let stored = Stored::new(&parts, Layout { shuffled: Some(7), files: 5 });
        assert!(stored.compact(&parts, order, share) > 5, "{why}");
        let (_, files) = stored.files();
        let sorted = files.iter().filter(|file| file.sorted_by() == Some(column::SENDER)).count();
        assert_eq!(sorted == files.len(), share == 1, "{why}: {sorted} of {}", files.len());
        assert_same(&expected, &stored.derive(partitions).await, &why);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_of_senders_pass_by_the_others_in_sorted_files_without_a_sort() {
    let parts = parts();
    let stored = Stored::new(&parts, Layout { shuffled: Some(11), files: 3 });
    assert!(stored.compact(&parts, Order::BySender, 2) > 5);
    let (_, files) = stored.files();
    let settings = EngineSettings { partitions: Some(4), ..EngineSettings::default() };
    let engine = Engine::new(&settings, &stored.lake).expect("engine");
    let fold = async |conversations: Conversations| {
        let session = engine.session();
        session.register_table("conversations", Arc::new(conversations)).expect("registered");
        let plan = session.sql("EXPLAIN FORMAT INDENT SELECT * FROM conversations").await;
        let plan = plan.expect("planned").to_string().await.expect("told");
        let rows = session.sql("SELECT * FROM conversations").await.expect("planned");
        (plan, bits(&rows.collect().await.expect("folded")))
    };
    let (at_once, expected) = fold(Conversations::new(&files)).await;
    let (in_shares, found) = fold(Conversations::new(&files).fold_rows(100)).await;
    assert!(!at_once.contains(" share ") && in_shares.contains(" share 2/"), "{in_shares}");
    assert!(!at_once.contains("SortExec") && !in_shares.contains("SortExec"), "{in_shares}");
    assert!(expected.len() > 100, "{} conversations", expected.len());
    assert!(expected == found, "{} conversations in shares", found.len());
    // Of some senders: what a filter keeps of all.
    let all: BTreeSet<&str> = parts.values().flat_map(senders).flatten().collect();
    let some: Senders = all.into_iter().step_by(3).map(str::to_owned).collect();
    let listed = some.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let session = engine.session();
    let conversations = Arc::new(Conversations::new(&files));
    session.register_table("conversations", conversations).expect("registered");
    let filtered = format!("SELECT * FROM conversations WHERE sender IN ({listed})");
    let filtered = session.sql(&filtered).await.expect("planned").collect().await;
    let expected = bits(&filtered.expect("folded"));
    let some = Arc::new(some);
    for fold_rows in [u64::MAX, 100] {
        let only = Conversations::new(&files).fold_rows(fold_rows).only(Arc::clone(&some));
        let (plan, found) = fold(only).await;
        assert!(plan.contains(&format!(" of {} senders", some.len())), "{plan}");
        assert!(found.len() > 30 && expected == found, "{} conversations of some", found.len());
    }
}

/// Rows of which the last third of every other sender's comes later: what comes first, and what
/// comes then.
fn in_two(parts: &Parts) -> [Parts; 2] {
    let all: BTreeSet<&str> = parts.values().flat_map(senders).flatten().collect();
    let later: BTreeSet<&str> = all.into_iter().step_by(2).collect();
    let half = |is_late: bool| {
        let of_part = |rows: &RecordBatch| {
            let late_from = rows.num_rows() * 2 / 3;
            let names = senders(rows).enumerate();
            let kept: BooleanArray = names
                .map(|(row, name)| {
                    let is_of_later = name.is_some_and(|name| later.contains(name));
                    Some((is_of_later && row >= late_from) == is_late)
                })
                .collect();
            filter_record_batch(rows, &kept).expect("rows")
        };
        parts.iter().map(|(key, rows)| (*key, of_part(rows))).collect()
    };
    [half(false), half(true)]
}

fn senders(rows: &RecordBatch) -> impl Iterator<Item = Option<&str>> {
    rows[column::SENDER].as_string::<i32>().iter()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_and_windows_of_touched_senders_and_what_stands_are_those_derived_as_a_whole() {
    let [first, then] = in_two(&parts());
    let stored = Stored::new(&first, ARRIVED);
    let engine = Engine::new(&EngineSettings::default(), &stored.lake).expect("engine");
    let derived = Derived::new(stored.lake.clone(), engine.clone());
    let (version, files) = stored.files();
    let days: BTreeSet<Day> = Conversations::new(&files).days().collect();
    let end = Day(days.last().expect("days").0 + 1);
    let derive_days = async |version, files: &[FileInfo], mut seen: Seen, touched| {
        let basis = Basis { version, force_equal: true, now_ms: 0 };
        let changed = derived.replace_days(files, &days, basis, &mut seen, touched).await;
        let (changed, stands) = changed.expect("days");
        assert!(stands);
        seen.keep(changed);
        seen
    };
    let of_end = async |since| bits(&derived.features_of_end(end, since).await.expect("features"));

    let seen = derive_days(version, &files, Seen::default(), None).await;
    let before = derived.features_of_end(end, None).await.expect("features");
    let basis = Basis { version, force_equal: false, now_ms: 0 };
    let ends = BTreeSet::from([end]);
    derived.replace_windows(SENDER_FEATURES, &ends, &before, basis).await.expect("windows");

    let then = then.into_iter().filter(|(_, rows)| rows.num_rows() > 0);
    let then = then.map(|((kind, day), rows)| (partition(kind, day), rows));
    stored.commit("later", then.collect());
    let known: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
    let (later, files) = stored.files();
    let new: Vec<FileInfo> =
        files.iter().filter(|file| !known.contains(&file.path)).cloned().collect();
    let touched = Arc::new(senders_of(&engine, &new).await.expect("senders"));
    let days_of = || stored.rows(SENDER_DAYS.name);
    let days_before = days_of();
    derive_days(later, &files, seen, Some(&touched)).await;
    let of_touched = days_of();
    assert!(of_touched != days_before);
    derive_days(later, &files, Seen::default(), None).await;
    assert!(of_touched == days_of());

    let whole = of_end(None).await;
    assert!(touched.len() > 5 && touched.len() + 5 < whole.len(), "{} touched", touched.len());
    assert!(whole != bits(&before));
    assert!(of_end(Some(Since { version, touched: &touched })).await == whole);
    // What stands is read, unless it stands on another version.
    let none = Senders::new();
    assert!(of_end(Some(Since { version, touched: &none })).await == bits(&before));
    assert!(of_end(Some(Since { version: later, touched: &none })).await == whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_row_less_changes_what_is_derived() {
    let mut parts = parts();
    let all = Stored::new(&parts, ARRIVED).derive(4).await;
    let of_day = parts.iter_mut().filter(|((kind, _), _)| *kind == message_kind());
    let (_, rows) = of_day.max_by_key(|(_, rows)| rows.num_rows()).expect("messages");
    *rows = rows.slice(0, rows.num_rows() - 1);
    let less = Stored::new(&parts, ARRIVED).derive(4).await;
    let differ = |table: &str| all[table] != less[table];
    assert!(differ("sender_days") && differ("sender_features"));
}
