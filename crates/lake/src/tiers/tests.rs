use std::collections::BTreeMap;

use super::*;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TURN_MS: i64 = 30_000;

fn file(nth: usize, size: u64, is_sorted: bool, written_ms: i64) -> FileInfo {
    let order = if is_sorted { ".sorted-by-sender" } else { "" };
    let path = format!("kind=message/date=2026-11-24/{nth:06}{order}.parquet");
    FileInfo {
        url: format!("file:///lake/events/{path}").parse().expect("url"),
        path,
        size,
        partition_values: BTreeMap::new(),
        num_records: Some(size / 40),
        stats_json: None,
        modification_time: written_ms,
    }
}

/// A kind and date whose files are rewritten as the tiers say.
struct Simulated {
    files: Vec<FileInfo>,
    made: usize,
    now_ms: i64,
    bytes_in: u64,
    bytes_rewritten: u64,
    files_max: usize,
}

impl Simulated {
    fn new() -> Self {
        let (files, now_ms) = (Vec::new(), 0);
        Self { files, made: 0, now_ms, bytes_in: 0, bytes_rewritten: 0, files_max: 0 }
    }

    fn add(&mut self, size: u64, is_sorted: bool) {
        self.files.push(file(self.made, size, is_sorted, self.now_ms));
        self.made += 1;
        self.files_max = self.files_max.max(self.files.len());
    }

    /// Rewrites until nothing is worth it; returns how often.
    fn work(&mut self) -> usize {
        for rewrites in 0.. {
            let chosen = TIERS.to_rewrite(&self.files, self.now_ms);
            if chosen.is_empty() {
                return rewrites;
            }
            let is_in_order = |file: &&FileInfo| file.sorted_by().is_some();
            let held: u64 = chosen.iter().filter(|file| !is_in_order(file)).map(|f| f.size).sum();
            let all: u64 = chosen.iter().map(|file| file.size).sum();
            assert!(held <= TIERS.unsorted_bytes_max || chosen.len() == 1, "{held} in memory");
            assert!(all <= TIERS.large_bytes_max, "{all} in one file");
            let open = chosen.iter().filter(|file| !is_in_order(file)).count();
            assert!(open <= REWRITE_UNSORTED_FILES_MAX, "{open} open");
            assert!(held > 0 || chosen.len() > 1, "a sorted file alone is rewritten");
            let before = self.files.len();
            self.files.retain(|file| !chosen.contains(file));
            assert_eq!(self.files.len() + chosen.len(), before);
            self.bytes_rewritten += all;
            // Compression and order make a third less of a commit's file.
            self.add(all - held / 3, true);
        }
        unreachable!("numbers end")
    }

    /// A day of so many commits, with sizes from a range, some a turn.
    fn day(commits: u64, sizes: std::ops::Range<u64>, a_turn: u64) -> Self {
        let mut day = Self::new();
        let mut state = 20_261_u64;
        for nth in 0..commits {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            let size = sizes.start + (state >> 20) % (sizes.end - sizes.start);
            day.bytes_in += size;
            day.add(size, false);
            if nth % a_turn == a_turn - 1 {
                day.now_ms += TURN_MS;
                day.work();
            }
        }
        day
    }

    /// Nothing comes for an hour.
    fn rest(&mut self) {
        for _ in 0..120 {
            self.now_ms += TURN_MS;
            self.work();
        }
        assert_eq!(self.work(), 0);
    }

    fn rewritten(&self) -> f64 {
        self.bytes_rewritten as f64 / self.bytes_in as f64
    }
}

#[test]
fn files_at_the_cap_of_a_commit_are_rewritten_though_few_of_them_fit() {
    let files: Vec<_> = (0..24).map(|nth| file(nth, 12 * MIB, false, 0)).collect();
    assert!(TIERS.to_rewrite(&files[..23], 0).is_empty());
    let chosen = TIERS.to_rewrite(&files, 0);
    assert_eq!(chosen.len(), 3, "by rows: {} each", files[0].num_records.expect("known"));
    // One alone is put in order, whatever its size.
    let files: Vec<_> = (0..24).map(|nth| file(nth, 120 * MIB, false, 0)).collect();
    assert_eq!(TIERS.to_rewrite(&files, 0).len(), 1);
}

#[test]
fn day_of_files_at_the_cap_of_a_commit_ends_with_few() {
    // A day's four gigabytes within ten minutes, as when a topic is read from its beginning.
    let mut day = Simulated::day(230, 10 * MIB..25 * MIB, 15);
    println!("{} files at most, each row written {:.1} times", day.files_max, day.rewritten());
    assert!(day.files_max < 64, "{}", day.files_max);
    day.rest();
    assert!(day.files.len() < 24, "{} files", day.files.len());
    assert!(day.files.iter().all(|file| file.sorted_by().is_some()));
    assert!(day.rewritten() < 2.5);
}

#[test]
fn days_of_any_size_stay_below_the_limit_of_files() {
    for gib in [1, 12, 35, 120] {
        let mut day = Simulated::day(gib * 58, 10 * MIB..25 * MIB, 15);
        let most = day.files_max;
        println!("{gib} GiB: {most} files at most, each row written {:.1} times", day.rewritten());
        assert!(most <= LIVE_FILES_MAX, "{gib} GiB: {most} files");
        assert!(day.rewritten() < 3.0, "{gib} GiB");
        day.rest();
        let bytes: u64 = day.files.iter().map(|file| file.size).sum();
        let large = bytes.div_ceil(128 * MIB).min(LIVE_FILES_MAX as u64 / 2);
        assert!(day.files.len() as u64 <= large + 4, "{gib} GiB: {} files", day.files.len());
    }
}

#[test]
fn day_of_few_messages_is_not_rewritten_again_and_again() {
    let mut day = Simulated::day(43_200, 8 * KIB..14 * KIB, 15);
    println!("{} files at most, each row written {:.1} times", day.files_max, day.rewritten());
    assert!(day.files_max < 64, "{}", day.files_max);
    assert!(day.rewritten() < 5.0);
    day.rest();
    assert!(day.files.len() <= 4, "{} files", day.files.len());
}

#[test]
fn files_of_a_day_that_was_not_compacted_are_taken_so_many_at_a_time() {
    let mut day = Simulated::new();
    (0..3 * REWRITE_UNSORTED_FILES_MAX + 1).for_each(|_| day.add(KIB, false));
    assert_eq!(TIERS.to_rewrite(&day.files, 0).len(), REWRITE_UNSORTED_FILES_MAX);
    assert_eq!(TIERS.to_clear(&["tokens"], &day.files).len(), REWRITE_UNSORTED_FILES_MAX);
    assert_eq!(day.work(), 3);
    assert_eq!(day.files.len(), 3 + 1);
    day.rest();
    // The one that was alone is too small for the others.
    assert_eq!(day.files.len(), 2);
}

#[test]
fn late_file_takes_no_large_one_with_it() {
    let mut day = Simulated::new();
    day.add(2 * GIB, true);
    day.add(100 * MIB, true);
    day.now_ms = TIERS.quiet_ms;
    assert_eq!(day.work(), 0);
    day.add(20 * KIB, false);
    assert_eq!(day.work(), 0, "more may come");
    day.now_ms += TIERS.quiet_ms;
    assert_eq!(day.work(), 1);
    day.rest();
    assert_eq!(day.files.len(), 3);
    assert_eq!(day.bytes_rewritten, 20 * KIB);
}

#[test]
fn files_that_hold_values_are_chosen_until_none_does() {
    let with_nulls = |file: FileInfo, nulls: u64| {
        let rows = file.num_records.expect("known");
        let nulls = nulls * rows;
        let stats = format!(r#"{{"numRecords":{rows},"nullCount":{{"a":{nulls},"b":{rows}}}}}"#);
        FileInfo { stats_json: Some(stats), ..file }
    };
    let mut files = vec![
        with_nulls(file(0, 40 * MIB, false, 0), 1),
        with_nulls(file(1, 70 * MIB, false, 0), 0),
        with_nulls(file(2, 70 * MIB, false, 0), 0),
        // In the log of another program: nothing is told of its values.
        file(3, 100 * MIB, false, 0),
        with_nulls(file(4, 130 * MIB, true, 0), 0),
        with_nulls(file(5, 100 * MIB, true, 0), 0),
        with_nulls(file(6, 2 * GIB, true, 0), 0),
        with_nulls(file(7, MIB, true, 0), 1),
    ];
    let mut chosen = Vec::new();
    loop {
        let next = TIERS.to_clear(&["a", "b"], &files);
        if next.is_empty() {
            break;
        }
        files.retain(|file| !next.contains(file));
        let names = next.iter().map(|file| file.path[29..35].parse::<usize>().expect("number"));
        chosen.push(names.collect::<Vec<_>>());
    }
    assert_eq!(chosen, [vec![1], vec![2], vec![3], vec![5, 4], vec![6]]);
}
