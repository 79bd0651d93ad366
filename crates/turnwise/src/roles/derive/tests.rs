use arrow::row::{RowConverter, SortField};
use turnwise_codec::{Decoder, Format, RecordContext};
use turnwise_ingest::{CommitId, Input, ReadTo, Wish};
use turnwise_lake::Lake;
use turnwise_model::time::{HOUR_MS, MINUTE_MS};
use turnwise_model::{Keys, Offset, OffsetRange, PartitionId, Secret, SourceName, SourcePartition};
use turnwise_query::derived::{FLAGS, SENDER_DAYS};

use super::*;
use crate::config::Config;
use crate::stop::Stop;
use crate::writer::EventWriter;

const DAY: Day = Day(20_780);

#[test]
fn looks_begin_an_interval_apart_and_leave_time_to_others() {
    let seconds = Duration::from_secs;
    let every = seconds(30);
    assert_eq!(pause(every, seconds(0)), every);
    assert_eq!(pause(every, seconds(20)), seconds(10));
    assert_eq!(pause(every, seconds(28)), seconds(7));
    assert_eq!(pause(every, seconds(40)), seconds(10));
    assert_eq!(pause(every, seconds(800)), every);
}

/// Copies a folder.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder") {
        let entry = entry.expect("entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("type").is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// A lake, and what writes into it.
struct Fixture {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
    writer: EventWriter,
    commits: i64,
    /// Up to when all was read.
    read_to: Millis,
}

fn config(location: &str) -> Config {
    Config::embedded(location, location.into())
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let location = folder.path().to_str().expect("utf-8");
        let lake = Lake::open(location, &BTreeMap::new()).expect("opens");
        let events = Arc::new(writer::events_table(&lake).expect("made"));
        let shared = Shared::new(config(location), lake, Stop::default()).expect("shared");
        let writer = EventWriter::new(events, "ingest");
        Self { folder, shared: Arc::new(shared), writer, commits: 0, read_to: Millis(0) }
    }

    /// Commits a question of three people to each of these senders.
    fn commit(&mut self, senders: &[u64], at: Millis) {
        self.read_to = self.read_to.max(at);
        let partition =
            SourcePartition { source: SourceName("t".into()), partition: PartitionId(0) };
        let mut decoder = Decoder::new(Keys::expand(&Secret::new(&[7; 64]).expect("long enough")));
        let context = RecordContext {
            source: &partition.source,
            partition: partition.partition,
            offset: Offset(self.commits),
            record_time: Some(at),
            read_time: at,
        };
        let value = |sender: &u64| {
            let message = |peer: u64| {
                format!(
                    r#"{{"from":"4915112{peer:05}","id":"{sender} {peer} {}","timestamp":"{}","type":"text","text":{{"body":"How far is the moon of planet {peer}?"}}}}"#,
                    self.commits,
                    at.0 / 1_000
                )
            };
            let messages = [1, 2, 3].map(message).join(",");
            format!(
                r#"{{"field":"messages","value":{{"metadata":{{"phone_number_id":"{sender}"}},"messages":[{messages}]}}}}"#
            )
        };
        let changes = senders.iter().map(value).collect::<Vec<_>>().join(",");
        let record = format!(r#"{{"entry":[{{"id":"9","changes":[{changes}]}}]}}"#);
        decoder.decode(Format::CloudApi, &context, Some(record.as_bytes()));
        let committed = self.writer.carry_out(Wish::Commit {
            id: CommitId(self.commits.cast_unsigned()),
            attempt: 1,
            ranges: vec![OffsetRange {
                partition: partition.clone(),
                from: (self.commits > 0).then_some(Offset(self.commits)),
                to: Offset(self.commits + 1),
            }],
            batches: decoder.finish(),
            read_to: vec![ReadTo { partition, time: self.read_to }],
            deadline_ms: i64::MAX,
        });
        assert!(matches!(committed, Some(Input::Committed { .. })), "{committed:?}");
        self.commits += 1;
    }

    /// All rows of each derived table, as bytes that differ where any bit does.
    fn rows(lake: &Lake) -> BTreeMap<&'static str, Vec<Vec<u8>>> {
        let rows = |name: &str| {
            let table = lake.existing_table(name).expect("read")?;
            let batches = table.snapshot(None).expect("snapshot").read(None, &FileFilter::all());
            let batches = batches.expect("rows");
            let fields = batches.first()?.schema();
            let fields = fields.fields().iter().map(|f| SortField::new(f.data_type().clone()));
            let converter = RowConverter::new(fields.collect()).expect("types with an order");
            let mut rows = Vec::new();
            for batch in &batches {
                let converted = converter.convert_columns(batch.columns()).expect("rows");
                rows.extend(converted.iter().map(|row| row.as_ref().to_vec()));
            }
            rows.sort();
            Some(rows)
        };
        let names = [SENDER_DAYS, SENDER_FEATURES, VERDICTS, FLAGS].map(|table| table.name);
        names.map(|name| (name, rows(name).unwrap_or_default())).into()
    }

    async fn deriver(&self) -> Deriver {
        Deriver::open(Arc::clone(&self.shared)).await.expect("opened")
    }

    /// Ticks, and sees that one that begins anew, in a lake of the same events, derives the same.
    async fn tick(&self, deriver: &mut Deriver, today: Day, why: &str) {
        deriver.tick(today, None).await.expect(why);
        let found = Self::rows(&self.shared.lake);
        let other = tempfile::tempdir().expect("folder");
        copy(&self.folder.path().join("events"), &other.path().join("events"));
        let location = other.path().to_str().expect("utf-8");
        let lake = Lake::open(location, &BTreeMap::new()).expect("opens");
        let shared = Shared::new(config(location), lake, Stop::default()).expect("shared");
        let shared = Arc::new(shared);
        let mut anew = Deriver::open(Arc::clone(&shared)).await.expect("opened");
        anew.tick(today, None).await.expect(why);
        for (table, rows) in Self::rows(&shared.lake) {
            assert!(rows == found[table], "{why}: {} rows of {table}", rows.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ticks_over_few_rows_come_to_what_one_over_all_does() {
    let mut fixture = Fixture::new();
    let mut deriver = fixture.deriver().await;
    let at = |day: i32, hour: i64| {
        Millis(DAY.start().0 + i64::from(day) * 24 * HOUR_MS + hour * HOUR_MS)
    };
    let next = |day: i32| Day(DAY.0 + day);

    fixture.commit(&[1, 2, 3, 4, 5, 6], at(0, 10));
    fixture.tick(&mut deriver, DAY, "the first").await;
    assert_eq!(Fixture::rows(&fixture.shared.lake)[SENDER_FEATURES.name].len(), 6);
    fixture.commit(&[2], at(0, 12));
    fixture.tick(&mut deriver, DAY, "one sender").await;
    assert!(!deriver.is_unsure && deriver.stood.contains_key(&next(1)));
    // Two senders more, one of them dated a little ahead of the clock.
    fixture.commit(&[3], at(0, 23));
    fixture.commit(&[4], Millis(at(1, 0).0 + 20 * MINUTE_MS));
    fixture.tick(&mut deriver, DAY, "dated ahead").await;
    fixture.tick(&mut deriver, next(1), "after midnight, nothing new").await;
    fixture.commit(&[5], at(1, 8));
    fixture.tick(&mut deriver, next(1), "another day").await;
    fixture.commit(&[1, 7], at(1, 9));
    fixture.tick(&mut deriver, next(1), "a new sender").await;
    fixture.commit(&[6], at(0, 9));
    fixture.tick(&mut deriver, next(1), "a late row").await;
    fixture.commit(&[2], at(1, 10));
    fixture.commit(&[2], at(2, 1));
    fixture.tick(&mut deriver, next(2), "a window that is complete").await;
    let rows = Fixture::rows(&fixture.shared.lake);
    assert_eq!(rows[SENDER_DAYS.name].len(), 6 + 5 + 1);
    assert!(rows[FLAGS.name].len() >= 6, "{} flags", rows[FLAGS.name].len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_that_fails_stops_no_tick() {
    let mut fixture = Fixture::new();
    let mut shared = config(&fixture.shared.config.lake_location);
    shared.senders = Some("/nowhere/senders.tsv".into());
    let lake = fixture.shared.lake.clone();
    let shared = Arc::new(Shared::new(shared, lake, Stop::default()).expect("shared"));
    fixture.commit(&[1], Millis(DAY.start().0 + HOUR_MS));
    let mut deriver = Deriver::open(Arc::clone(&shared)).await.expect("opened");
    let mut publisher = Publisher::open(Arc::clone(&shared)).await.expect("opened");
    deriver.tick(DAY, Some(&mut publisher)).await.expect("derived");
    assert!(deriver.done.is_some() && shared.board.current().is_none());
    let failed = publisher.publish(deriver.read_to()).await.expect_err("no such file");
    assert!(format!("{failed:#}").contains("senders.tsv"), "{failed:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_window_is_published_by_the_tick_and_answers_that_did_not_change_are_shared() {
    let mut fixture = Fixture::new();
    let mut deriver = fixture.deriver().await;
    let mut publisher = Publisher::open(Arc::clone(&fixture.shared)).await.expect("opened");
    let at = |hour: i64| Millis(DAY.start().0 + hour * HOUR_MS);
    fixture.commit(&[1, 2], at(1));
    deriver.tick(DAY, Some(&mut publisher)).await.expect("derived");
    let first = fixture.shared.board.current().expect("published");
    assert_eq!((first.window_end, first.senders.len()), (Day(DAY.0 + 1), 2));
    assert!(first.provisional);
    publisher.publish(deriver.read_to()).await.expect("looked");
    let again = fixture.shared.board.current().expect("published");
    assert!(Arc::ptr_eq(&first, &again), "nothing changed");
    fixture.commit(&[2], at(2));
    deriver.tick(DAY, Some(&mut publisher)).await.expect("derived");
    let then = fixture.shared.board.current().expect("published");
    let shared: Vec<bool> =
        [0, 1].map(|at| Arc::ptr_eq(&first.senders[at].answer, &then.senders[at].answer)).into();
    assert_eq!(shared, [true, false]);
    assert_eq!(then.senders[1].answer.features.u_messages, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_only_serves_sees_what_another_derives() {
    let mut fixture = Fixture::new();
    let mut deriver = fixture.deriver().await;
    let location = fixture.shared.config.lake_location.clone();
    let lake = Lake::open(&location, &BTreeMap::new()).expect("opens");
    let other = Shared::new(config(&location), lake, Stop::default()).expect("shared");
    let other = Arc::new(other);
    let mut publisher = Publisher::open(Arc::clone(&other)).await.expect("opened");
    assert!(!publisher.has_news().await.expect("looked"), "nothing is derived");
    for hour in [1, 2] {
        fixture.commit(&[1, 2], Millis(DAY.start().0 + hour * HOUR_MS));
        assert!(!publisher.has_news().await.expect("looked"), "rows alone are no news");
        deriver.tick(DAY, None).await.expect("derived");
        let rest = Duration::from_secs(3_600);
        wait_for_others(&mut publisher, rest).await;
        publisher.publish(deriver.read_to()).await.expect("published");
        let board = other.board.current().expect("published");
        assert_eq!(Some(board.events_version), deriver.done);
        assert!(!publisher.has_news().await.expect("looked"), "it was told");
    }
}
