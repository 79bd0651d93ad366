//! Law 3: what is derived is a function of the rows of `events` alone, to the bit, whatever files
//! they lie in, in whatever order, with however many threads, and however often it is derived.

use std::collections::BTreeMap;

use turnwise_lake::{CompactOutcome, CompactPlan};
use turnwise_tests::lakes::{Layout, Outcome, Parts, Stored, message_kind, partition, traffic};

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

/// Rewrites the files of every kind and date as one, the rows backwards.
fn compact(stored: &Stored, parts: &Parts) -> usize {
    let mut backwards = |batches: Vec<arrow::array::RecordBatch>| {
        let all = arrow::compute::concat_batches(&batches[0].schema(), &batches)?;
        let order: arrow::array::UInt32Array = (0..u32::try_from(all.num_rows())?).rev().collect();
        Ok(vec![arrow::compute::take_record_batch(&all, &order)?])
    };
    let mut rewritten = 0;
    for (kind, day) in parts.keys() {
        let plan = CompactPlan {
            partition: partition(kind, *day),
            small_bytes: u64::MAX,
            files_min: 2,
            input_bytes_max: u64::MAX,
            file_rows_max: 1_000_000,
            data_change: false,
        };
        let done = stored.events.compact(&plan, &mut backwards, &BTreeMap::new(), 0);
        let done = done.expect("compacted");
        rewritten += usize::from(matches!(done, CompactOutcome::Done { .. }));
    }
    rewritten
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
    for (seed, files, partitions) in [(1, 1, 1), (2, 30, 4), (3, 7, 16)] {
        let why = format!("shuffled with {seed} into {files} files");
        let stored = Stored::new(&parts, Layout { shuffled: Some(seed), files });
        assert_same(&expected, &stored.derive(partitions).await, &why);
        let before = stored.files().1.len();
        let rewritten = compact(&stored, &parts);
        assert_eq!(rewritten > 5, files > 1, "{why}: {rewritten} rewritten");
        assert!(files == 1 || stored.files().1.len() < before / 3, "{why}: {before} files before");
        stored.forget();
        assert_same(&expected, &stored.derive(1).await, &format!("{why}, compacted and deleted"));
    }
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
