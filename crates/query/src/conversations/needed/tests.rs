use std::collections::BTreeMap;

use turnwise_model::Day;

use super::*;

const FIRST: Day = Day(20_000);
const MOST: Most = Most { rows: 1_000, files: 8, bytes: 1 << 30 };

/// The last half hour of the first day.
fn since() -> Millis {
    Millis(FIRST.end().0 - 30 * 60_000)
}

fn file(name: &str, rows: u64) -> FileInfo {
    let path = format!("kind=message/date={}/{name}.parquet", FIRST.iso());
    FileInfo {
        url: format!("file:///lake/events/{path}").parse().expect("url"),
        path,
        size: rows * 40,
        partition_values: BTreeMap::new(),
        num_records: Some(rows),
        stats_json: None,
        modification_time: 0,
    }
}

fn sorted(nth: u64, rows: u64) -> FileInfo {
    file(&format!("{nth:02}.sorted-by-sender"), rows)
}

/// A file of the first day with these times of its first and last row.
fn between(from: &str, to: &str) -> FileInfo {
    let day = FIRST.iso();
    let stats = format!(
        r#"{{"minValues":{{"time":"{day}T{from}Z"}},"maxValues":{{"time":"{day}T{to}Z"}}}}"#
    );
    FileInfo { stats_json: Some(stats), ..file("between", 4_800) }
}

fn of<'a>(files: &'a [FileInfo], since: Option<Millis>) -> Vec<NeededFile<'a>> {
    files.iter().map(|file| NeededFile::new(EventKind::Message, file, since)).collect()
}

fn rows(files: &[NeededFile]) -> Vec<u64> {
    files.iter().map(|needed| needed.rows).collect()
}

#[test]
fn of_the_first_day_the_rows_of_its_end_count() {
    let found = |file: &FileInfo| NeededFile::new(EventKind::Message, file, Some(since())).rows;
    assert_eq!(found(&file("unknown", 4_800)), 100);
    assert_eq!(found(&between("23:00:00.000", "23:59:59.999")), 2_400);
    assert_eq!(found(&between("23:30:00.000", "23:40:00.000")), 4_800);
    assert_eq!(found(&between("00:00:00.000", "23:00:00.000")), 0);
    assert_eq!(found(&between("23:29:59.999", "23:30:00.000")), 5);
    assert_eq!(NeededFile::new(EventKind::Message, &file("whole", 4_800), None).rows, 4_800);
}

#[test]
fn files_of_the_first_day_are_held_if_their_rows_fit() {
    let first: Vec<FileInfo> = (0..20).map(|nth| sorted(nth, 1_440)).collect();
    let others = [sorted(50, 700), file("not-sorted", 400)];
    let all = || of(&first, Some(since())).into_iter().chain(of(&others, None));
    let needed = Needed::new(all(), MOST);
    assert_eq!((needed.merged.len(), needed.held.len(), needed.rows_held()), (1, 21, 1_000));
    assert!(needed.fit(1_000, 700) && !needed.fit(999, 700) && !needed.fit(1_000, 699));
    // They do not fit: as many as may be merged are.
    let needed = Needed::new(all(), Most { rows: 999, ..MOST });
    assert_eq!(rows(&needed.merged), [700, 30, 30, 30, 30, 30, 30, 30]);
    assert_eq!((needed.held.len(), needed.rows_held()), (14, 400 + 13 * 30));
    assert!(!needed.fit(u64::MAX, u64::MAX));
}

#[test]
fn largest_files_are_merged_and_the_smallest_held() {
    let files: Vec<FileInfo> = (1..=12).map(|nth| sorted(nth, nth * 100)).collect();
    let needed = Needed::new(of(&files, None).into_iter(), MOST);
    assert_eq!(rows(&needed.merged), [1_200, 1_100, 1_000, 900, 800, 700, 600, 500]);
    assert_eq!(rows(&needed.held), [400, 300, 200, 100]);
    // Open files of these sizes hold twice their bytes.
    let bytes = 2 * 40 * (1_200 + 1_100 + 300);
    let needed = Needed::new(of(&files, None).into_iter(), Most { bytes, ..MOST });
    assert_eq!(rows(&needed.merged), [1_200, 1_100, 300]);
    let needed = Needed::new(of(&files, None).into_iter(), Most { files: 0, ..MOST });
    assert_eq!((needed.merged.len(), needed.held.len()), (0, 12));
}

#[test]
fn many_files_are_few_inputs_and_each_file_is_in_one() {
    let files: Vec<FileInfo> = (0..300).map(|nth| sorted(nth, 1_000 + nth)).collect();
    let rest = [file("one", 10), file("other", 20)];
    let all = of(&files, None).into_iter().chain(of(&rest, None));
    let inputs = Needed::new(all, Most { files: 1_000, ..MOST }).inputs();
    let (by_sender, held): (Vec<_>, Vec<_>) = inputs.iter().partition(|input| input.rows.by_sender);
    assert_eq!(by_sender.len(), 60);
    assert!(by_sender.iter().all(|input| input.files.len() == 5));
    let mut paths: Vec<&str> =
        by_sender.iter().flat_map(|input| &input.files).map(|file| file.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 300);
    let held: usize = held.iter().map(|input| input.files.len()).sum();
    assert_eq!(held, 2);
    // As few as an input each can be are not merged.
    let inputs =
        Needed::new(of(&files[..64], None).into_iter(), Most { files: 64, ..MOST }).inputs();
    assert_eq!(inputs.iter().filter(|input| input.files.len() == 1).count(), 64);
}
