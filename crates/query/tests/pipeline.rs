//! The whole query path over a lake: events in, conversations, days, features, views and refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use turnwise_lake::{CommitOutcome, Encoding, FileFilter, Lake, Partition, Txn};
use turnwise_model::schema::{column as c, events};
use turnwise_model::time::MINUTE_MS;
use turnwise_model::{Day, EventKind};
use turnwise_query::accounts::Accounts;
use turnwise_query::derive::Window;
use turnwise_query::derived::{Basis, Derived};
use turnwise_query::seen::Seen;
use turnwise_query::windows::senders_of;
use turnwise_query::{
    Catalog, CatalogFiles, Conversations, Engine, EngineSettings, QueryError, Senders,
};

const DAY: Day = Day(20_000);

/// A question and an answer for each of `peers` peers, five minutes apart, on one day.
fn messages(peers: i64, day: Day) -> RecordBatch {
    let rows = usize::try_from(peers * 2).expect("small");
    let time = |row: i64| (day.start().0 + (row / 2) * 5 * MINUTE_MS + (row % 2) * 1_000) * 1_000;
    let ids = 0..peers * 2;
    let ints = |pick: fn(i64) -> i32| -> ArrayRef {
        Arc::new(ids.clone().map(|row| Some(pick(row))).collect::<Int32Array>())
    };
    let longs = |pick: &dyn Fn(i64) -> i64| -> ArrayRef {
        Arc::new(ids.clone().map(|row| Some(pick(row))).collect::<Int64Array>())
    };
    let texts = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let tokens = ListArray::from_iter_primitive::<Int32Type, _, _>(ids.clone().map(|row| {
        let topic = i32::try_from(row / 2).expect("small");
        Some(vec![Some(1_000 + topic), Some(50_000 + topic), Some(90_000)])
    }));
    let (_, offsets, values, nulls) = tokens.into_parts();
    let element =
        Arc::new(arrow::datatypes::Field::new("element", values.data_type().clone(), true));
    let tokens = ListArray::new(element, offsets, values, nulls);
    let times = ids.clone().map(time).collect::<Vec<_>>();
    RecordBatch::try_from_iter(vec![
        (c::WABA_ID, texts("waba")),
        (c::SENDER, texts("100")),
        (c::PEER_PHONE, longs(&|row| row / 2 * 7_919 - 500)),
        (
            c::TIME,
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")) as ArrayRef,
        ),
        (c::MESSAGE, longs(&|row| row * 1_000_003 + i64::from(day.0))),
        (c::SOURCE, texts("test")),
        (c::PARTITION, ints(|_| 0)),
        (c::OFFSET, longs(&|row| row)),
        (c::ITEM, ints(|_| 0)),
        (c::ORIGIN, ints(|_| 0)),
        (c::DIRECTION, ints(|row| i32::from(row % 2 == 1))),
        (c::MESSAGE_KIND, ints(|_| 0)),
        (c::CHARS, ints(|row| if row % 2 == 0 { 40 } else { 600 })),
        (c::WORDS, ints(|_| 8)),
        (c::SCRIPT, ints(|_| 1)),
        (c::TEXT_BITS, ints(|row| if row % 2 == 0 { 1 | 2 | 16 } else { 0 })),
        (c::TOKENS, Arc::new(tokens) as ArrayRef),
        (c::SKELETON, longs(&|row| row)),
    ])
    .expect("columns of one length")
}

struct Fixture {
    _folder: tempfile::TempDir,
    lake: Lake,
    engine: Engine,
}

impl Fixture {
    fn new(days: &[Day]) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let location = folder.path().to_str().expect("path").to_owned();
        let lake = Lake::open(&location, &BTreeMap::new()).expect("lake");
        let engine = Engine::new(&EngineSettings::default(), &lake).expect("engine");
        let fixture = Self { _folder: folder, lake, engine };
        days.iter().for_each(|day| fixture.commit(40, *day));
        fixture
    }

    /// Commits messages of so many peers.
    fn commit(&self, peers: i64, day: Day) {
        let table = self.lake.table("events", events(), &[c::KIND, c::DATE]).expect("table");
        let partition: Partition = [
            (c::KIND.to_owned(), EventKind::Message.name().into()),
            (c::DATE.to_owned(), day.into()),
        ]
        .into();
        let rows = vec![(partition, messages(peers, day))];
        let staged = table.stage(rows, Encoding::Light, 0).expect("staged");
        let app = format!("t/{}/{peers}", day.iso());
        let txn = Txn { app, expected: None, to: 2 * peers };
        let done = table.commit(&staged, &[txn], &BTreeMap::new(), 0).expect("commit");
        assert!(matches!(done, CommitOutcome::Committed { .. }));
    }

    fn files(&self) -> (u64, Vec<turnwise_lake::FileInfo>) {
        let table = self.lake.existing_table("events").expect("read").expect("there");
        let snapshot = table.snapshot(None).expect("snapshot");
        (snapshot.version(), snapshot.files(&FileFilter::all()).expect("files"))
    }

    async fn catalog(&self) -> Catalog {
        let files = CatalogFiles { events: self.files().1, ..CatalogFiles::default() };
        Catalog::new(&self.engine, &files).await.expect("catalog")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_become_features() {
    let fixture = Fixture::new(&[DAY, Day(DAY.0 + 1)]);
    let (version, files) = fixture.files();
    let days: BTreeSet<Day> = Conversations::new(&files).days().collect();
    assert_eq!(days.len(), 2);
    let derived = Derived::new(fixture.lake.clone(), fixture.engine.clone());
    let basis = Basis { version, force_equal: false, now_ms: 0 };
    let mut seen = Seen::default();
    let (changed, stands) =
        derived.replace_days(&files, &days, basis, &mut seen, None).await.expect("days");
    assert_eq!((changed.days(), stands), (days.clone(), true));
    seen.keep(changed);
    let window = Window { sender: "100".to_owned(), end: Day(DAY.0 + 2) };
    let found = derived.features(std::slice::from_ref(&window)).await.expect("features");
    let rows: usize = found.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 1);
    let batch = found.iter().find(|batch| batch.num_rows() == 1).expect("one");
    let value = |name: &str| batch[name].as_primitive::<Float64Type>().value(0);
    assert_eq!(value("f01_active_peers"), 40.0);
    assert_eq!(value("f02_turns_p50"), 2.0);
    assert_eq!(value("f04_returning_peers"), 1.0);
    assert_eq!(value("f51_open_ended_ratio"), 1.0);
    assert_eq!(value("f27_reply_chars_ge500"), 1.0);
    // Two peers share one token of three each: I = 1, mean Jaccard 1 ÷ 5.
    assert!((value("f39_topic_coincidence") - 0.2).abs() < 1e-12);
    assert_eq!(batch["n_f02_turns_p50"].as_primitive::<Int64Type>().value(0), 80);
    let windows = std::slice::from_ref(&window);
    let accounts = Accounts::of_windows(&fixture.engine, &files, windows).await.expect("accounts");
    assert_eq!(accounts.of(&window), Some("waba"));
    let other = Window { sender: "101".to_owned(), ..window.clone() };
    assert_eq!(accounts.of(&other), None);
    let mut grown = Accounts::default();
    for file in files.iter().map(std::slice::from_ref) {
        grown.add(&fixture.engine, file).await.expect("a file");
    }
    assert_eq!(grown.of(&window), Some("waba"));
    assert!(!grown.add(&fixture.engine, &files).await.expect("all files again"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_were_seen_are_not_written_again_unless_something_else_stands() {
    let fixture = Fixture::new(&[DAY]);
    let fewer = fixture.files().1;
    fixture.commit(50, DAY);
    let (version, files) = fixture.files();
    let days = BTreeSet::from([DAY]);
    let derived = Derived::new(fixture.lake.clone(), fixture.engine.clone());
    let basis = Basis { version, force_equal: true, now_ms: 0 };
    let mut seen = Seen::default();
    let first = derived.replace_days(&files, &days, basis, &mut seen, None).await.expect("days");
    assert_eq!(first.0.days(), days);
    seen.keep(first.0);
    let again =
        derived.replace_days(&files, &days, basis, &mut seen, None).await.expect("days again");
    assert!(again.0.days().is_empty() && again.1);
    // Something else is written and not kept, as if what follows from it had failed.
    let other =
        derived.replace_days(&fewer, &days, basis, &mut seen, None).await.expect("other days");
    assert!(other.0.days() == days && other.1);
    let back =
        derived.replace_days(&files, &days, basis, &mut seen, None).await.expect("days back");
    assert!(back.0.days() == days && back.1);
    seen.keep(back.0);
    // Of what stands only the rows of touched senders are derived again.
    let [nobody, all] = [Senders::new(), senders_of(&fixture.engine, &files).await.expect("all")];
    for (touched, changes) in [(nobody, BTreeSet::new()), (all, days.clone())] {
        let touched = Arc::new(touched);
        let some = derived.replace_days(&fewer, &days, basis, &mut seen, Some(&touched));
        let some = some.await.expect("days of some senders");
        assert!(some.0.days() == changes && some.1, "{} senders", touched.len());
    }
    // What was written and not kept does not stand: all are derived.
    let nobody = Arc::new(Senders::new());
    let back = derived.replace_days(&files, &days, basis, &mut seen, Some(&nobody));
    let back = back.await.expect("days back again");
    assert!(back.0.days() == days && back.1);
    seen.keep(back.0);
    let same = derived.replace_days(&files, &days, basis, &mut seen, Some(&nobody));
    assert!(same.await.expect("days of nobody").0.days().is_empty());
    // Results that stand on an older version do not stand, and say so.
    let older = Basis { version: version - 1, ..basis };
    let older =
        derived.replace_days(&fewer, &days, older, &mut seen, None).await.expect("older days");
    assert!(older.0.days() == days && !older.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_of_a_day_are_read_by_sql() {
    let fixture = Fixture::new(&[DAY, Day(DAY.0 + 3)]);
    let catalog = fixture.catalog().await;
    let sql = format!(
        "SELECT count(*) AS n, sum(turns) AS turns FROM conversations WHERE start_day = DATE '{}'",
        DAY.iso()
    );
    let answer = catalog.answer(&sql).await.expect("answer");
    let batch = answer.iter().find(|batch| batch.num_rows() > 0).expect("a row");
    let value = |name: &str| batch[name].as_primitive::<Int64Type>().value(0);
    assert_eq!((value("n"), value("turns")), (40, 80));
    let once = "SELECT count(*) AS n FROM messages WHERE direction = 'inbound' AND open_ended";
    let answer = catalog.answer(once).await.expect("answer");
    let batch = answer.iter().find(|batch| batch.num_rows() > 0).expect("a row");
    assert_eq!(batch["n"].as_primitive::<Int64Type>().value(0), 80);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_are_arguments_of_our_functions_and_nothing_else() {
    let fixture = Fixture::new(&[DAY]);
    let catalog = fixture.catalog().await;
    let allowed = [
        "SELECT sender, topic_coincidence(peer_sample(peer, start_day, user_tokens, reply_tokens), \
         'user')['value'] AS tci FROM conversations GROUP BY sender",
        "SELECT novelty(text_sample(user_texts))['n'] AS n FROM conversations",
        "SELECT * EXCEPT (user_tokens, reply_tokens, user_texts, reply_texts, first_text) \
         FROM conversations",
        "SELECT count(*) AS n FROM conversations",
        "EXPLAIN SELECT turns FROM conversations",
    ];
    for sql in allowed {
        catalog.answer(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    let refused = [
        "SELECT * FROM conversations",
        "SELECT user_tokens FROM conversations",
        "SELECT x FROM (SELECT user_tokens AS x FROM conversations)",
        "SELECT user_tokens[1] FROM conversations",
        "SELECT count(DISTINCT user_tokens) FROM conversations",
        "SELECT count(*) FROM conversations GROUP BY user_tokens",
        "SELECT sender FROM conversations ORDER BY first_text",
        "SELECT sender FROM conversations WHERE user_tokens = reply_tokens",
        "SELECT peer_sample(peer, start_day, user_tokens, reply_tokens) FROM conversations",
        "SELECT unnest(user_tokens) FROM conversations",
        "SELECT array_agg(user_tokens) FROM conversations",
        "SELECT a.sender FROM conversations a JOIN conversations b ON a.user_texts = b.user_texts",
        "SELECT DISTINCT user_tokens FROM conversations",
        "SELECT sender FROM conversations UNION ALL SELECT array_to_string(user_tokens, ',') \
         FROM conversations",
        "SELECT first_value(first_text) OVER (PARTITION BY sender) FROM conversations",
        "SELECT sender FROM conversations WHERE EXISTS \
         (SELECT user_tokens[1] FROM conversations c WHERE c.user_tokens[1] = 3)",
        "SELECT histogram_merge(user_tokens) FROM conversations",
        "SELECT c.sender FROM conversations c WHERE EXISTS \
         (SELECT 1 FROM messages m WHERE m.chars = c.user_tokens[1])",
        "SELECT c.sender FROM conversations c WHERE c.turns IN \
         (SELECT m.chars FROM messages m WHERE m.chars = c.user_tokens[1])",
        "SELECT (SELECT max(m.chars) FROM messages m WHERE m.chars = cardinality(c.user_tokens)) \
         FROM conversations c",
        "SELECT x.sender FROM (SELECT sender, user_tokens AS t FROM conversations) x \
         WHERE EXISTS (SELECT 1 FROM messages m WHERE m.chars = x.t[1])",
        "SELECT novelty(CASE WHEN p[2] < 5 THEN p ELSE NULL END)['n'] + 0 * novelty(p)['n'] FROM \
         (SELECT text_sample(user_texts) AS p FROM conversations GROUP BY sender)",
        "SELECT * FROM conversations c, LATERAL (SELECT c.user_tokens[1] AS y) z",
    ];
    for sql in refused {
        match catalog.plan(sql).await {
            Err(QueryError::Refused { .. }) => {}
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn analysts_can_only_read() {
    let fixture = Fixture::new(&[DAY]);
    let catalog = fixture.catalog().await;
    for sql in [
        "CREATE TABLE t AS SELECT 1",
        "DROP TABLE conversations",
        "INSERT INTO messages SELECT * FROM messages",
        "COPY messages TO 'out.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'in.csv'",
        "SET datafusion.execution.batch_size = 1",
        "SELECT * FROM events",
        "SELECT * FROM sender_days",
        "SELECT * FROM event_message",
        "SELECT tokens FROM messages",
        "SELECT skeleton FROM messages_raw",
        "SELECT * FROM 'in.csv'",
    ] {
        assert!(catalog.plan(sql).await.is_err(), "{sql}");
    }
}
