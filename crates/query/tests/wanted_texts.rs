//! Texts are read only where an aggregate counts them, and what it counts is the same.

mod common;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StringViewArray,
};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use turnwise_query::{BareMessages, BareNames, BareTexts, Engine, EngineSettings};

use common::{ask, forms, keys};

const ROWS: i64 = 3_000;

fn texts() -> Vec<Option<String>> {
    let text = |row: i64| match row % 11 {
        0 => None,
        1 => Some(String::new()),
        _ => Some(format!("how many {} für {row}?", "é words ".repeat(row as usize % 9))),
    };
    (0..ROWS).map(text).collect()
}

fn messages(texts: ArrayRef, partitions: usize) -> SessionContext {
    let longs = |of: fn(i64) -> Option<i64>| -> ArrayRef {
        Arc::new((0..ROWS).map(of).collect::<Int64Array>())
    };
    let columns = [
        ("number_id", longs(|row| Some(row % 13))),
        ("peer_id", longs(|row| Some(row % 101))),
        ("ts_ms", longs(|row| Some(1_790_000_000_000 + row))),
        ("direction", longs(|row| (row % 7 != 3).then_some(row % 2))),
        ("kind", longs(|row| Some(row % 3 / 2))),
        ("body", texts),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns");
    let rows = batch.num_rows();
    let piece = |from: usize| batch.slice(from, (rows - from).min(700));
    let mut pieces: Vec<_> = (0..rows).step_by(700).map(piece).collect();
    let rest = pieces.split_off(2);
    let table = MemTable::try_new(batch.schema(), vec![pieces, rest]).expect("a table");
    let settings = EngineSettings { partitions: Some(partitions), ..EngineSettings::default() };
    let context = Engine::local(&settings).expect("engine").session();
    let texts = BareTexts { column: "body".to_owned(), keys: keys(), buckets: true };
    let messages = BareMessages::new(Arc::new(table), &BareNames::default(), Some(texts));
    context.register_table("messages", Arc::new(messages.expect("messages"))).expect("registered");
    context
}

async fn plan(context: &SessionContext, sql: &str) -> String {
    let batch = ask(context, &format!("EXPLAIN {sql}")).await;
    let plans = batch.column(1).as_string::<i32>();
    plans.value(plans.len() - 1).to_owned()
}

/// What an aggregate is asked of, and the filter that its rows pass.
const ASKED: [(&str, &str); 11] = [
    ("sum(words)", "direction = 0"),
    ("count(chars)", "direction = 0 AND kind = 0"),
    ("sum(bytes)", "kind = 1"),
    ("histogram(CAST(text_bucket AS BIGINT))", "direction = 1"),
    ("exact_quantiles(CAST(chars AS BIGINT), [0.5, 0.9])", "direction = 0"),
    ("count(DISTINCT lines)", "kind = 1 OR direction IS NULL"),
    ("sum(CASE WHEN question THEN 3 ELSE chars END)", "kind = 0"),
    ("sum(direction)", "kind = 0"),
    ("sum(words)", "bytes > 40"),
    ("max(lines)", "bytes > 9 AND direction = 1"),
    ("sum(CASE WHEN bytes > 0 THEN bytes / coalesce(chars, 0) END)", "direction = 0"),
];

#[tokio::test]
async fn filtered_aggregates_are_those_of_the_rows_alone() {
    let all = texts();
    let bytes = all.iter().map(|text| text.as_ref().map(|text| text.as_bytes()));
    // Every other text is cut, some within a letter.
    let broken: Vec<Option<&[u8]>> = bytes
        .enumerate()
        .map(|(row, text)| text.map(|text| &text[..text.len().saturating_sub(row % 2 * 9)]))
        .collect();
    let all: Vec<_> = all.iter().map(Option::as_deref).collect();
    for (nth, texts) in forms(&all, &broken).into_iter().enumerate() {
        let context = messages(texts, 1 + nth % 3);
        for pair in ASKED.iter().zip(ASKED.iter().cycle().skip(1)) {
            let ((one, where_one), (other, where_other)) = pair;
            let sql = format!(
                "SELECT number_id, {one} FILTER (WHERE {where_one}) AS one, \
                 {other} FILTER (WHERE {where_other}) AS other, sum(bytes) AS bytes \
                 FROM messages GROUP BY number_id ORDER BY number_id"
            );
            let together = ask(&context, &sql).await;
            for (name, asked, condition) in [
                ("one", one, where_one),
                ("other", other, where_other),
                ("bytes", &"sum(bytes)", &"true"),
            ] {
                let sql = format!(
                    "SELECT number_id, {asked} FROM messages WHERE {condition} \
                     GROUP BY number_id ORDER BY number_id"
                );
                let alone = ask(&context, &sql).await;
                assert_eq!(together.column_by_name(name), Some(alone.column(1)), "{asked}");
            }
        }
    }
}

#[tokio::test]
async fn plans_say_where_texts_are_read() {
    let context = messages(Arc::new(StringArray::from(texts())), 2);
    let sql = "SELECT number_id, sum(bytes), sum(words) FILTER (WHERE direction = 0), \
               max(chars) FILTER (WHERE kind = 1), max(lines) FILTER (WHERE kind = 1) \
               FROM messages GROUP BY number_id";
    let found = plan(&context, sql).await;
    assert!(found.contains("read where direction@1 = 0 OR kind@2 = 1"), "{found}");
    for (counted, of) in [
        ("sum(words)", "number_id"),
        ("sum(words) FILTER (WHERE direction = 0), max(lines)", "number_id"),
        ("sum(words) FILTER (WHERE direction = 0)", "chars"),
        ("sum(words) FILTER (WHERE chars > 3)", "number_id"),
        ("sum(words) FILTER (WHERE bytes > 3)", "number_id"),
        ("sum(words + 1) FILTER (WHERE direction = 0)", "number_id"),
        ("sum(bytes / coalesce(chars, 0)) FILTER (WHERE direction = 0)", "number_id"),
        ("sum(words) FILTER (WHERE direction = 0), count(*) FILTER (WHERE opener)", "number_id"),
        ("sum(words) FILTER (WHERE random() < 0.5)", "number_id"),
        ("sum(bytes) FILTER (WHERE direction = 0)", "number_id"),
    ] {
        let found = plan(&context, &format!("SELECT {counted} FROM messages GROUP BY {of}")).await;
        assert!(found.contains("ShapeExec") && !found.contains("read where"), "{found}");
    }
}

#[tokio::test]
async fn statements_of_any_form_say_the_same_as_of_rows_alone() {
    let context = messages(Arc::new(StringViewArray::from(texts())), 3);
    for (filtered, alone) in [
        (
            "SELECT sum(words) FILTER (WHERE direction = 0) FROM messages",
            "SELECT sum(words) FROM messages WHERE direction = 0",
        ),
        (
            "SELECT n, max(c) FILTER (WHERE d = 1), sum(b) FROM \
             (SELECT chars AS c, bytes AS b, direction AS d, number_id AS n FROM messages) \
             GROUP BY n ORDER BY n",
            "SELECT number_id, max(CASE WHEN direction = 1 THEN chars END), sum(bytes) \
             FROM messages GROUP BY number_id ORDER BY number_id",
        ),
        (
            "SELECT number_id, kind, sum(chars) FILTER (WHERE direction = 0) FROM messages \
             WHERE peer_id < 90 GROUP BY ROLLUP (number_id, kind) ORDER BY number_id, kind",
            "SELECT number_id, kind, sum(CASE WHEN direction = 0 THEN chars END) FROM messages \
             WHERE peer_id < 90 GROUP BY ROLLUP (number_id, kind) ORDER BY number_id, kind",
        ),
        (
            "SELECT array_agg(chars ORDER BY ts_ms) FILTER (WHERE direction = 0) FROM messages",
            "SELECT array_agg(chars ORDER BY ts_ms) FROM messages WHERE direction = 0",
        ),
    ] {
        let (filtered, alone) = (ask(&context, filtered).await, ask(&context, alone).await);
        assert_eq!(filtered.columns(), alone.columns());
    }
}
