//! Conversations of many sorted files: the same as of few, however many are merged, whose rows are
//! held, and in how many shares of the senders.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::displayable;
use datafusion::prelude::DataFrame;
use turnwise_lake::FileInfo;
use turnwise_model::schema::column as c;
use turnwise_model::time::DAY_MS;
use turnwise_model::{Day, EventKind, Millis};
use turnwise_query::{Conversations, Engine, EngineSettings, Senders};

const FIRST: Day = Day(20_000);
const DAYS: i32 = 4;
const SENDERS: u64 = 40;
const SQL: &str = "SELECT sender, peer, run_kind, start_time, end_time, messages, turns, \
                   u_messages, b_messages, sends_with_status, user_initiated, latencies \
                   FROM conversations";

/// A message or its status.
#[derive(Clone, Debug)]
struct Row {
    kind: EventKind,
    sender: String,
    peer: i64,
    time_ms: i64,
    message: i64,
    is_outbound: bool,
}

fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Messages of senders with few or many rows, around whose gaps and midnights conversations end,
/// and statuses of those that were sent.
fn rows() -> Vec<Row> {
    let mut next = numbers(9);
    let mut rows = Vec::new();
    for sender in 0..SENDERS {
        for _ in 0..next(30) + 5 {
            let peer = next(4).cast_signed();
            let length = i64::from(DAYS) * DAY_MS;
            let mut time_ms = FIRST.start().0 + next(length.cast_unsigned()).cast_signed();
            for _ in 0..next(12) + 1 {
                let row = Row {
                    kind: EventKind::Message,
                    sender: format!("{}", 1_000 + sender),
                    peer,
                    time_ms,
                    message: next(u64::MAX).cast_signed(),
                    is_outbound: next(2) == 1,
                };
                if row.is_outbound && next(3) > 0 {
                    let time_ms = time_ms + 900;
                    rows.push(Row { kind: EventKind::Status, time_ms, ..row.clone() });
                }
                rows.push(row);
                let gaps = [1_000, 300_000, 1_200_000, 1_800_000, 1_800_001];
                time_ms += gaps[usize::try_from(next(5)).expect("small")];
            }
        }
    }
    rows
}

fn batch(rows: &[Row]) -> RecordBatch {
    let texts = |pick: &dyn Fn(&Row) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(pick)))
    };
    let longs = |pick: &dyn Fn(&Row) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(pick)))
    };
    let ints = |pick: &dyn Fn(&Row) -> i32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(pick)))
    };
    let times = TimestampMicrosecondArray::from_iter_values(
        rows.iter().map(|row| Millis(row.time_ms).micros()),
    );
    let of_kind = match rows[0].kind {
        EventKind::Status => vec![(c::STATUS, ints(&|_| 1))],
        _ => vec![
            (c::DIRECTION, ints(&|row| i32::from(row.is_outbound))),
            (c::MESSAGE_KIND, ints(&|_| 0)),
        ],
    };
    let columns = vec![
        (c::SENDER, texts(&|row| row.sender.clone())),
        (c::PEER_PHONE, longs(&|row| row.peer)),
        (c::TIME, Arc::new(times.with_timezone("UTC")) as ArrayRef),
        (c::MESSAGE, longs(&|row| row.message)),
        (c::SOURCE, texts(&|_| "test".to_owned())),
        (c::PARTITION, ints(&|_| 0)),
        (c::OFFSET, longs(&|row| row.time_ms)),
        (c::ITEM, ints(&|_| 0)),
        (c::ORIGIN, ints(&|_| 0)),
    ];
    RecordBatch::try_from_iter(columns.into_iter().chain(of_kind)).expect("columns of one length")
}

/// Writes rows of one kind and day as a file of small row groups and pages.
fn write(folder: &Path, nth: usize, rows: &[Row], is_sorted: bool) -> FileInfo {
    let (kind, day) = (rows[0].kind.name(), Millis(rows[0].time_ms).day().iso());
    let order = if is_sorted { ".sorted-by-sender" } else { "" };
    let path = format!("{kind}-{day}-{nth:03}{order}.parquet");
    let batch = batch(rows);
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(16))
        .set_data_page_row_count_limit(4)
        .set_write_batch_size(4);
    let at = folder.join(&path);
    let file = File::create(&at).expect("file");
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).expect("writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("end of file");
    let values = [(c::KIND, kind.to_owned()), (c::DATE, day)];
    FileInfo {
        path,
        url: url::Url::from_file_path(&at).expect("path"),
        size: at.metadata().expect("file").len(),
        partition_values: values.map(|(name, value)| (name.to_owned(), Some(value))).into(),
        num_records: Some(rows.len() as u64),
        stats_json: None,
        modification_time: 0,
    }
}

/// Deals the rows of each kind and day into so many files.
fn files(folder: &Path, rows: &[Row], count: usize, is_sorted: bool) -> Vec<FileInfo> {
    let mut parts: BTreeMap<(i32, Day, usize), Vec<Row>> = BTreeMap::new();
    for (nth, row) in rows.iter().enumerate() {
        // Some files have more than others.
        let file = nth % (count * 3 / 2 + 1) % count;
        let part = (row.kind.code(), Millis(row.time_ms).day(), file);
        parts.entry(part).or_default().push(row.clone());
    }
    let write = |((_, _, file), mut rows): ((i32, Day, usize), Vec<Row>)| {
        if is_sorted {
            rows.sort_by(|a, b| {
                (&a.sender, a.peer, a.time_ms).cmp(&(&b.sender, b.peer, b.time_ms))
            });
        }
        write(folder, count * 1_000 + file, &rows, is_sorted)
    };
    parts.into_iter().map(write).collect()
}

struct Fixture {
    folder: tempfile::TempDir,
    engine: Engine,
    rows: Vec<Row>,
}

impl Fixture {
    fn new() -> Self {
        let settings = EngineSettings { partitions: Some(3), ..EngineSettings::default() };
        let engine = Engine::local(&settings).expect("engine");
        Self { folder: tempfile::tempdir().expect("folder"), engine, rows: rows() }
    }

    fn files(&self, count: usize, is_sorted: bool) -> Vec<FileInfo> {
        files(self.folder.path(), &self.rows, count, is_sorted)
    }

    async fn plan(&self, conversations: Conversations, condition: &str) -> (String, DataFrame) {
        let context = self.engine.session();
        let table = Arc::new(conversations);
        context.register_table("conversations", table).expect("registered");
        let frame = context.sql(&format!("{SQL} {condition}")).await.expect("planned");
        let plan = frame.clone().create_physical_plan().await.expect("planned");
        (displayable(plan.as_ref()).indent(false).to_string(), frame)
    }

    /// The plan and the answer, a line a conversation, in order.
    async fn ask_where(
        &self,
        conversations: Conversations,
        condition: &str,
    ) -> (String, Vec<String>) {
        let (plan, frame) = self.plan(conversations, condition).await;
        let batches = frame.collect().await.expect("folded");
        let told = pretty_format_batches(&batches).expect("told").to_string();
        let values = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines: Vec<String> = told.lines().skip(3).map(values).collect();
        lines.pop();
        lines.sort_unstable();
        (plan, lines)
    }

    async fn ask(&self, conversations: Conversations) -> (String, Vec<String>) {
        self.ask_where(conversations, "").await
    }
}

/// Shares of the first go.
fn shares(plan: &str) -> u32 {
    let Some((_, rest)) = plan.split_once(" share 1/") else { return 1 };
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().expect("a part");
    digits.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sorted_files_tell_what_few_do() {
    let fixture = Fixture::new();
    let (_, expected) = fixture.ask(Conversations::new(&fixture.files(2, false))).await;
    assert!(expected.len() > 1_000, "{} conversations", expected.len());
    let (plan, found) = fixture.ask(Conversations::new(&fixture.files(1, true))).await;
    assert!(plan.contains("files=1") && !plan.contains("files=2"), "{plan}");
    assert!(found == expected, "{} conversations of few files", found.len());
    let many = fixture.files(12, true);
    assert!(many.len() > 90, "{} files", many.len());
    let (plan, found) = fixture.ask(Conversations::new(&many)).await;
    assert!(found == expected, "{} conversations of many files", found.len());
    let merges = plan.matches("MergeExec").count();
    assert!((30..=70).contains(&merges) && !plan.contains("SortExec"), "{merges} in {plan}");
    assert!(plan.contains(&format!("({merges} inputs by sender)")), "{plan}");
    // Day by day, each with the last half hour of the day two before: held, or merged.
    for fold_rows in [u64::MAX, 1] {
        let mut found = Vec::new();
        for day in Conversations::new(&many).days() {
            let conversations = Conversations::new(&many).fold_rows(fold_rows);
            let condition = format!("WHERE start_day = DATE '{}'", day.iso());
            let (plan, of_day) = fixture.ask_where(conversations, &condition).await;
            let has_first = day.0 >= FIRST.0 + 2;
            let is_held = plan.contains("FilterExec: time@");
            assert_eq!(is_held, has_first && fold_rows > 1, "{}: {plan}", day.iso());
            found.extend(of_day);
        }
        found.sort_unstable();
        assert!(found == expected, "{} conversations day by day", found.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_beyond_the_bound_are_held_in_shares_that_read_their_own_part() {
    let fixture = Fixture::new();
    let many = fixture.files(12, true);
    let (_, expected) = fixture.ask(Conversations::new(&many)).await;
    for (files, fold_rows) in [(8, u64::MAX), (8, 1_500), (0, u64::MAX), (0, 1_500), (12, 700)] {
        let conversations = Conversations::new(&many).sorted_files(files).fold_rows(fold_rows);
        let (plan, found) = fixture.ask(conversations).await;
        let why = format!("{files} files merged, {fold_rows} rows held");
        assert!(found == expected, "{why}: {} conversations", found.len());
        assert_eq!(plan.contains("MergeExec"), files > 0, "{why}: {plan}");
        assert_eq!(shares(&plan) > 1, fold_rows < u64::MAX, "{why}: {plan}");
        assert_eq!(plan.contains("by name"), fold_rows < u64::MAX, "{why}: {plan}");
        assert_eq!(plan.contains("predicate=sender"), fold_rows < u64::MAX, "{why}: {plan}");
        assert!(!plan.contains("SortExec"), "{why}: {plan}");
    }
    // Files in no order do not tell names: a hash deals the senders.
    let unsorted = Conversations::new(&fixture.files(2, false)).fold_rows(1_500);
    let (plan, found) = fixture.ask(unsorted).await;
    assert!(shares(&plan) > 1 && !plan.contains("by name"), "{plan}");
    assert!(found == expected, "{} conversations by hash", found.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_senders_are_folded_in_as_many_shares_as_their_rows_need() {
    let fixture = Fixture::new();
    let of_day = format!("WHERE start_day = DATE '{}'", Day(FIRST.0 + 1).iso());
    for (files, is_sorted) in [(8, true), (2, false)] {
        let files = fixture.files(files, is_sorted);
        let all = || Conversations::new(&files).sorted_files(4).fold_rows(400);
        let (plan, of_all) = fixture.ask_where(all(), &of_day).await;
        let shares_of_all = shares(&plan);
        let mut before = 0;
        for count in [1, 10, SENDERS] {
            let names: Senders = (0..count).map(|nth| format!("{}", 1_000 + nth)).collect();
            let expected = of_all.iter().filter(|line| {
                let sender = line.split('|').nth(1).expect("a column").trim();
                names.contains(sender)
            });
            let expected: Vec<&String> = expected.collect();
            let named = all().only(Arc::new(names));
            let (plan, found) = fixture.ask_where(named, &of_day).await;
            assert!(!expected.is_empty() && found.iter().eq(expected), "{count}: {}", found.len());
            let shares = shares(&plan);
            assert!(shares >= before, "{count} senders: {shares}");
            assert_eq!(shares == 1, count == 1, "{count} senders: {shares}");
            assert!(count > 10 || shares < shares_of_all / 2, "{count}: {shares} {shares_of_all}");
            before = shares;
        }
        assert!(before >= shares_of_all, "{before} of named ones, {shares_of_all} of all");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_files_are_merged_than_the_pool_has_room_for() {
    let mut fixture = Fixture::new();
    let mut many = fixture.files(30, true);
    // Each would hold 100 MiB.
    many.iter_mut().for_each(|file| file.size = 50 << 20);
    for (memory_bytes, expected) in [(64 << 30, 30), (8 << 30, 30), (1 << 30, 3), (64 << 20, 0)] {
        let settings = EngineSettings { memory_bytes, ..EngineSettings::default() };
        fixture.engine = Engine::local(&settings).expect("engine");
        let (plan, _) = fixture.plan(Conversations::new(&many), "").await;
        let goes = plan.matches("..=").count();
        assert_eq!(plan.matches("MergeExec").count(), goes * expected, "{goes} goes: {plan}");
    }
}
