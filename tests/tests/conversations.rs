//! `conversations` of a lake: whatever columns and times a statement asks for, it is told what the
//! whole table has.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use turnwise_model::conversation;
use turnwise_model::time::{DAY_MS, HOUR_MS};
use turnwise_model::{Day, Millis};
use turnwise_query::{Conversations, Engine, EngineSettings};
use turnwise_tests::lakes::{Layout, Order, Stored, bits, traffic};

const SEED: u64 = 20_262;
const MESSAGES: u64 = 2_500;

async fn ask(context: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    context.sql(sql).await.expect("planned").collect().await.expect("run")
}

/// A session with the conversations of a lake half of whose files are sorted, and with all of them
/// in memory as `whole`.
async fn session(stored: &Stored) -> SessionContext {
    let settings = EngineSettings { partitions: Some(3), ..EngineSettings::default() };
    let context = Engine::new(&settings, &stored.lake).expect("engine").session();
    let conversations = Conversations::new(&stored.files().1);
    context.register_table("conversations", Arc::new(conversations)).expect("registered");
    let whole = ask(&context, "SELECT * FROM conversations").await;
    let table = MemTable::try_new(whole[0].schema(), vec![whole]).expect("a table");
    context.register_table("whole", Arc::new(table)).expect("registered");
    context
}

fn stored() -> Stored {
    println!("seed {SEED}");
    let parts = traffic(SEED, MESSAGES);
    let stored = Stored::new(&parts, Layout { shuffled: Some(5), files: 3 });
    assert!(stored.compact(&parts, Order::BySender, 2) > 5);
    stored
}

/// Asks both tables the same; returns how many rows they told.
async fn assert_same(context: &SessionContext, columns: &str, rest: &str) -> usize {
    let of = |table: &str| format!("SELECT {columns} FROM {table} {rest}");
    let expected = bits(&ask(context, &of("whole")).await);
    let found = bits(&ask(context, &of("conversations")).await);
    assert_eq!(found.len(), expected.len(), "{columns} {rest}");
    assert!(found == expected, "{columns} {rest}");
    found.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_columns_are_those_of_the_whole() {
    let stored = stored();
    let context = session(&stored).await;
    let schema = conversation::schema();
    let mut names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert!(assert_same(&context, &names.join(", "), "").await > 100);
    assert!(assert_same(&context, "count(*)", "").await == 1);
    for name in &names {
        assert_same(&context, name, "").await;
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for _ in 0..40 {
        names.shuffle(&mut random);
        let count = random.random_range(1..12);
        assert_same(&context, &names[..count].join(", "), "WHERE run_kind = 'conversation'").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_on_times_keep_what_they_keep_of_the_whole() {
    let stored = stored();
    let context = session(&stored).await;
    let days: Vec<Day> = Conversations::new(&stored.files().1).days().collect();
    let (first, last) = (days[0].start().0, days[days.len() - 1].end().0);
    let mut told = 0;
    for at in (first - DAY_MS..=last + DAY_MS).step_by(usize::try_from(DAY_MS).expect("small")) {
        for off in [-1, 0, 1, 7 * HOUR_MS] {
            let at = format!("TIMESTAMP '{}'", Millis(at + off).rfc3339());
            for column in ["start_time", "end_time"] {
                for operator in ["<", "<=", ">", ">="] {
                    let condition = format!("WHERE {column} {operator} {at}");
                    told += assert_same(&context, "sender, turns, start_time", &condition).await;
                }
            }
        }
        let (from, to) = (Millis(at).rfc3339(), Millis(at + DAY_MS).rfc3339());
        let within = format!("start_time >= '{from}' AND end_time < '{to}'");
        let day = Millis(at).day().iso();
        for condition in [within, format!("start_day = DATE '{day}'")] {
            let condition = format!("WHERE {condition} AND messages > 1");
            told += assert_same(&context, "peer, messages", &condition).await;
        }
    }
    assert!(told > 10_000, "{told} rows");
}
