//! The whole query path over a lake: events in, conversations, days, features, views and refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use datafusion::common::stats::Precision;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionContext;
use turnwise_lake::{CommitOutcome, Encoding, FileFilter, Lake, Partition, Txn};
use turnwise_model::schema::{column as c, events, file_schema};
use turnwise_model::time::MINUTE_MS;
use turnwise_model::{Day, EventKind, Millis};
use turnwise_query::accounts::Accounts;
use turnwise_query::derive::Window;
use turnwise_query::derived::{Basis, Derived};
use turnwise_query::seen::Seen;
use turnwise_query::windows::senders_of;
use turnwise_query::{
    Catalog, CatalogFiles, Conversations, Engine, EngineSettings, LakeTable, QueryError, Senders,
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

/// Messages of one peer at these times, a day's.
fn messages_at(times: &[Millis]) -> RecordBatch {
    let rows = || 0..i64::try_from(times.len()).expect("few");
    let same = |value: i32| -> ArrayRef { Arc::new(Int32Array::from(vec![value; times.len()])) };
    let longs = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
    let texts = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; times.len()])) };
    let micros: Vec<i64> = times.iter().map(|time| time.micros()).collect();
    RecordBatch::try_from_iter(vec![
        (c::SENDER, texts("100")),
        (c::PEER_PHONE, longs(rows().map(|_| 7).collect())),
        (c::MESSAGE, longs(times.iter().map(|time| time.0).collect())),
        (c::TIME, Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC")) as _),
        (c::SOURCE, texts("test")),
        (c::PARTITION, same(0)),
        (c::OFFSET, longs(rows().collect())),
        (c::ITEM, same(0)),
        (c::ORIGIN, same(0)),
        (c::DIRECTION, same(0)),
        (c::MESSAGE_KIND, same(0)),
    ])
    .expect("columns of one length")
}

/// The number that a statement answers, and its plan.
async fn number(context: &SessionContext, sql: &str) -> (i64, String) {
    let frame = context.sql(sql).await.expect("planned");
    let plan = frame.clone().create_physical_plan().await.expect("planned");
    let batches = frame.collect().await.expect("run");
    let value = batches[0].column(0).as_primitive::<Int64Type>().value(0);
    (value, displayable(plan.as_ref()).indent(false).to_string())
}

/// The fold in a plan.
fn fold(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    if plan.name() == "FoldExec" {
        return Some(Arc::clone(plan));
    }
    plan.children().into_iter().find_map(fold)
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
        self.commit_rows(&format!("{}/{peers}", day.iso()), messages(peers, day), day);
    }

    fn commit_rows(&self, app: &str, rows: RecordBatch, day: Day) {
        let table = self.lake.table("events", events(), &[c::KIND, c::DATE]).expect("table");
        let partition: Partition = [
            (c::KIND.to_owned(), EventKind::Message.name().into()),
            (c::DATE.to_owned(), day.into()),
        ]
        .into();
        let staged = table.stage(vec![(partition, rows)], Encoding::Light, 0).expect("staged");
        let txn = Txn { app: format!("t/{app}"), expected: None, to: 1 };
        let done = table.commit(&staged, &[txn], &BTreeMap::new(), 0).expect("commit");
        assert!(matches!(done, CommitOutcome::Committed { .. }));
    }

    fn files(&self) -> (u64, Vec<turnwise_lake::FileInfo>) {
        let table = self.lake.existing_table("events").expect("read").expect("there");
        let snapshot = table.snapshot(None).expect("snapshot");
        (snapshot.version(), snapshot.files(&FileFilter::all()).expect("files"))
    }

    /// A session with these conversations.
    fn conversations(&self, conversations: Conversations) -> SessionContext {
        let context = self.engine.session();
        let table = Arc::new(conversations);
        context.register_table("conversations", table).expect("registered");
        context
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
async fn samples_that_were_dropped_do_not_come_back() {
    let fixture = Fixture::new(&[DAY]);
    let days = BTreeSet::from([DAY]);
    let derived = Derived::new(fixture.lake.clone(), fixture.engine.clone());
    let derive = async || {
        let (version, files) = fixture.files();
        let basis = Basis { version, force_equal: true, now_ms: 0 };
        let mut seen = Seen::default();
        let days = derived.replace_days(&files, &days, basis, &mut seen, None);
        assert!(days.await.expect("days").1);
    };
    let stored = || {
        let table = fixture.lake.existing_table("sender_days").expect("read").expect("there");
        let snapshot = table.snapshot(None).expect("snapshot");
        snapshot.read(Some(&["user_texts", "peers"]), &FileFilter::all()).expect("rows")
    };
    let samples = || {
        let columns = stored().iter().flat_map(|rows| rows.columns().to_vec()).collect::<Vec<_>>();
        columns.iter().map(|states| states.as_list::<i32>().values().len()).sum::<usize>()
    };
    derive().await;
    assert!(samples() > 0);
    let dropped = async || derived.drop_tokens(Day(DAY.0 + 1), 0).await.expect("dropped");
    assert_eq!((dropped().await, samples()), (1, 0));
    fixture.commit(50, DAY);
    derive().await;
    let rows: usize = stored().iter().map(RecordBatch::num_rows).sum();
    assert_eq!((dropped().await, samples(), rows), (0, 0, 1));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_read_for_the_columns_and_days_that_are_asked_for() {
    let fixture = Fixture::new(&[DAY, Day(DAY.0 + 3)]);
    let context = fixture.conversations(Conversations::new(&fixture.files().1));
    let (n, plan) = number(&context, "SELECT sum(turns) FROM conversations").await;
    assert_eq!(n, 160);
    assert!(plan.contains("projection=[turns]") && plan.contains("message_kind"), "{plan}");
    for name in ["tokens", "skeleton", "chars", "words", "text_bits"] {
        assert!(!plan.contains(name), "{name} in {plan}");
    }
    let (n, plan) = number(&context, "SELECT count(*) FROM conversations").await;
    assert!(n == 80 && plan.contains("projection=[]"), "{n} of {plan}");
    let (n, plan) = number(&context, "SELECT sum(u_chars) FROM conversations").await;
    assert!(n == 80 * 40 && plan.contains("chars") && !plan.contains("tokens"), "{n} of {plan}");
    // By the time of the day's second conversation.
    let later = Millis(DAY.start().0 + 5 * MINUTE_MS).rfc3339();
    for (filter, expected, is_first_day_read) in [
        (format!("start_time >= '{later}'"), 79, true),
        (format!("start_time < '{later}'"), 1, true),
        (format!("start_time >= '{}'", Day(DAY.0 + 1).start().rfc3339()), 40, false),
        (format!("end_time > '{}'", Day(DAY.0 + 2).start().rfc3339()), 40, false),
    ] {
        let sql = format!("SELECT count(*) FROM conversations WHERE {filter}");
        let (n, plan) = number(&context, &sql).await;
        assert_eq!(n, expected, "{filter}");
        let goes = plan.split_once("goes=[").expect("a fold").1;
        let goes = goes.split_once(']').expect("a fold").0;
        assert_eq!(goes.contains(&DAY.iso()), is_first_day_read, "{filter}: {goes}");
        let is_last_day_read = goes.contains(&Day(DAY.0 + 3).iso());
        assert_eq!(is_last_day_read, !filter.contains('<'), "{filter}: {goes}");
    }
}

/// A run from the last half hour two days before through the day before is one that was cut at this
/// day's start; without its first message it is one that began the day before and is not cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_day_two_before_the_last_half_hour_decides() {
    let before = |days: i32| Day(DAY.0 - days).start().0;
    let steps = |from: i64, to: i64| (from..to).step_by(20 * 60_000).map(Millis);
    let rest: Vec<Millis> = steps(before(1), before(0)).collect();
    let last: Vec<Millis> = steps(before(0), before(0) + 60 * MINUTE_MS).collect();
    for (early_ms, expected, is_read) in [(1, 0, false), (0, 1, true)] {
        let fixture = Fixture::new(&[]);
        let first = Millis(before(1) - 30 * MINUTE_MS - early_ms);
        let noon = Millis(first.0 - 12 * 60 * MINUTE_MS);
        fixture.commit_rows("noon", messages_at(&[noon]), Day(DAY.0 - 2));
        fixture.commit_rows("first", messages_at(&[first]), Day(DAY.0 - 2));
        fixture.commit_rows("rest", messages_at(&rest), Day(DAY.0 - 1));
        fixture.commit_rows("last", messages_at(&last), DAY);
        let context = fixture.conversations(Conversations::new(&fixture.files().1));
        let sql = "SELECT count(*) FROM conversations";
        let filter = format!("WHERE start_day = DATE '{}'", DAY.iso());
        let (n, plan) = number(&context, &format!("{sql} {filter}")).await;
        assert_eq!(n, expected, "{early_ms} ms before the last half hour");
        assert_eq!(plan.contains("predicate=time"), is_read, "{plan}");
        let dates = plan.matches(&format!("date={}", Day(DAY.0 - 2).iso())).count();
        assert_eq!(dates, usize::from(is_read), "files of the day two before in {plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_know_how_many_rows_files_have_and_count_no_others() {
    let fixture = Fixture::new(&[DAY, Day(DAY.0 + 1)]);
    let (_, mut files) = fixture.files();
    let context = fixture.conversations(Conversations::new(&files));
    for (sql, expected) in [
        ("SELECT sender, turns FROM conversations", 160),
        ("SELECT sender, turns FROM conversations WHERE sender = '100'", 160),
    ] {
        let plan = context.sql(sql).await.expect("planned").create_physical_plan().await;
        let fold = fold(&plan.expect("planned")).expect("a fold");
        let statistics = StatisticsContext::new().compute(fold.as_ref(), &StatisticsArgs::new());
        let rows = statistics.expect("statistics").num_rows;
        assert_eq!(rows, Precision::Inexact(expected), "{sql}");
    }
    let date = arrow::datatypes::Field::new(c::DATE, arrow::datatypes::DataType::Date32, false);
    for is_known in [true, false] {
        let schema = file_schema(EventKind::Message);
        let table = LakeTable::new(schema, vec![date.clone()], files.clone());
        let context = fixture.engine.session();
        context.register_table("rows", Arc::new(table)).expect("registered");
        for (sql, expected, is_told) in [
            ("SELECT count(*) FROM rows", 160, is_known),
            ("SELECT count(*) FROM rows WHERE direction = 0", 80, false),
            ("SELECT count(*) FROM rows WHERE chars > 50 AND sender = '100'", 80, false),
            // The log says that no file has it.
            ("SELECT count(*) FROM rows WHERE sender = 'none'", 0, true),
            ("SELECT count(*) FROM rows WHERE message % 3 = 0", 54, false),
            ("SELECT count(voice) FROM rows", 0, false),
            ("SELECT count(chars) FROM rows", 160, false),
            ("SELECT count(DISTINCT peer_phone) FROM rows", 40, false),
            ("SELECT count(*) FROM (SELECT sender FROM rows LIMIT 7)", 7, is_known),
            ("SELECT count(*) FROM (SELECT DISTINCT sender FROM rows)", 1, false),
            ("SELECT count(*) FILTER (WHERE direction = 1) FROM rows", 80, false),
        ] {
            let (n, plan) = number(&context, sql).await;
            assert_eq!(n, expected, "{sql}");
            assert!(is_told || plan.contains("DataSourceExec"), "{sql}: {plan}");
            let is_only_told = !plan.contains("DataSourceExec");
            assert!(sql != "SELECT count(*) FROM rows" || is_only_told == is_known, "{plan}");
        }
        let day = format!("SELECT count(*) FROM rows WHERE date = DATE '{}'", DAY.iso());
        assert_eq!(number(&context, &day).await.0, 80);
        files[0].num_records = None;
    }
}
