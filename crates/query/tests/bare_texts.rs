//! The shapes of bare messages' texts: the values of the scalar version, whatever columns a
//! statement names, and never a text.

mod common;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray, StringViewArray,
    UInt64Array,
};
use arrow::datatypes::{Int32Type, Int64Type, UInt64Type};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use turnwise_kernels::shape::ShapeScratch;
use turnwise_model::Script;
use turnwise_model::codes::text_bits;
use turnwise_query::{BareMessages, BareNames, BareTexts, Engine, EngineSettings, EvenScan};

use common::{ask, forms, keys};

const TEXTS: [Option<&str>; 9] = [
    Some("How do I reset my password?"),
    Some("hi"),
    None,
    Some(""),
    Some("¿Qué horario tienen?\n- uno\n- dos"),
    Some("**bold** https://example.org/a?b"),
    Some("42 kg"),
    Some("漢字かな 한국어"),
    Some("1️⃣.5 e\u{301}\u{fe0f}1\u{20e3}2 İI ßẞ"),
];
const NUMBERS: [&str; 5] = ["chars", "bytes", "words", "lines", "text_bucket"];
const BITS: [(&str, i32); 9] = [
    ("question", text_bits::QUESTION),
    ("opener", text_bits::OPENER),
    ("greeting", text_bits::GREETING),
    ("digits", text_bits::DIGITS),
    ("open_ended", text_bits::OPEN_ENDED),
    ("markdown", text_bits::MARKDOWN),
    ("list", text_bits::LIST),
    ("code", text_bits::CODE),
    ("url", text_bits::URL),
];

fn write(path: &Path, texts: ArrayRef) {
    let rows = i64::try_from(texts.len()).expect("few");
    let longs = |add: i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row + add)))
    };
    let columns = [
        ("number_id", longs(7)),
        ("body", texts),
        ("peer_id", longs(90)),
        ("ts_ms", longs(1_790_000_000_000)),
        ("direction", longs(0)),
        ("kind", longs(0)),
        ("size", longs(1)),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns");
    let file = File::create(path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

async fn table(path: &Path, column: Option<&str>) -> Result<SessionContext, String> {
    let context = Engine::local(&EngineSettings::default()).expect("engine").session();
    let path = path.to_str().expect("UTF-8");
    context.register_parquet("file", path, ParquetReadOptions::default()).await.expect("opened");
    let file = context.table_provider("file").await.expect("registered");
    let texts =
        column.map(|column| BareTexts { column: column.to_owned(), keys: keys(), buckets: true });
    let messages = BareMessages::new(file, &BareNames::default(), texts);
    let messages = messages.map_err(|error| error.to_string())?;
    context.register_table("messages", Arc::new(messages)).expect("registered");
    Ok(context)
}

async fn rows_behind(context: &SessionContext, sql: &str) -> usize {
    let batches = context.sql(sql).await.expect("planned").collect().await.expect("run");
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn even_scans_read_each_row_once_whatever_the_row_groups() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("many.parquet");
    let rows: Vec<u64> = (0..1_000).collect();
    let column: ArrayRef = Arc::new(UInt64Array::from(rows.clone()));
    let batch = RecordBatch::try_from_iter([("n", column)]).expect("columns");
    for in_a_group in [1, 7, 400, 5_000] {
        let settings =
            WriterProperties::builder().set_max_row_group_row_count(Some(in_a_group)).build();
        let file = File::create(&path).expect("created");
        let mut writer =
            ArrowWriter::try_new(file, batch.schema(), Some(settings)).expect("writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        for partitions in [1, 2, 16] {
            let settings =
                EngineSettings { partitions: Some(partitions), ..EngineSettings::default() };
            let context = Engine::local(&settings).expect("engine").session();
            let name = path.to_str().expect("UTF-8");
            context.register_parquet("f", name, ParquetReadOptions::default()).await.expect("open");
            let even = EvenScan(context.table_provider("f").await.expect("registered"));
            context.register_table("even", Arc::new(even)).expect("registered");
            let found = ask(&context, "SELECT n FROM even ORDER BY n").await;
            assert_eq!(found.column(0).as_primitive::<UInt64Type>().values(), &rows[..]);
            let plan = ask(&context, "EXPLAIN SELECT sum(n) FROM even").await;
            let plan = plan.column(1).as_string::<i32>().value(1);
            let groups = partitions.min(1_000_usize.div_ceil(in_a_group).min(64));
            let plural = if groups == 1 { "" } else { "s" };
            assert!(plan.contains(&format!("{{{groups} group{plural}:")), "{groups} in {plan}");
            let some = ask(&context, "SELECT count(*) FROM even WHERE n % 3 = 0").await;
            assert_eq!(some.column(0).as_primitive::<Int64Type>().value(0), 334);
            let few = ask(&context, "SELECT n FROM even LIMIT 5").await;
            assert_eq!(few.num_rows(), 5);
        }
    }
}

#[tokio::test]
async fn even_scans_of_folders_and_of_no_rows_are_as_others() {
    let folder = tempfile::tempdir().expect("folder");
    let column = |rows: &[u64]| -> ArrayRef { Arc::new(UInt64Array::from(rows.to_vec())) };
    let context = Engine::local(&EngineSettings::default()).expect("engine").session();
    for (name, files) in [("none", &[0][..]), ("some", &[3, 0, 9_000]), ("many", &[1; 300])] {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).expect("created");
        for (nth, rows) in files.iter().enumerate() {
            let rows: Vec<u64> = (0..*rows).collect();
            let batch = RecordBatch::try_from_iter([("n", column(&rows))]).expect("columns");
            let file = File::create(folder.join(format!("{nth}.parquet"))).expect("created");
            let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("writer");
            writer.write(&batch).expect("written");
            writer.close().expect("closed");
        }
        let path = folder.to_str().expect("UTF-8");
        context.register_parquet(name, path, ParquetReadOptions::default()).await.expect("open");
        let even = EvenScan(context.table_provider(name).await.expect("registered"));
        context.deregister_table(name).expect("known");
        context.register_table(name, Arc::new(even)).expect("registered");
    }
    for (name, rows, groups) in [("none", 0, 0), ("some", 9_003, 9_000), ("many", 300, 1)] {
        let all = rows_behind(&context, &format!("SELECT n FROM {name} ORDER BY n")).await;
        assert_eq!(all, rows, "{name}");
        let of_groups = format!("SELECT n, count(*) FROM {name} GROUP BY n");
        assert_eq!(rows_behind(&context, &of_groups).await, groups, "{name}");
        let sum = format!("SELECT sum(n % 7), exact_summary(n, [0.5]) FROM {name}");
        assert_eq!(rows_behind(&context, &sum).await, 1, "{name}");
    }
}

#[tokio::test]
async fn every_column_is_what_the_scalar_version_says_however_it_is_asked() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("m.parquet");
    let mut scratch = ShapeScratch::new(&keys());
    let shapes = TEXTS.map(|text| text.map(|text| scratch.shape(text.as_bytes())));
    let bytes = TEXTS.map(|text| text.map(str::as_bytes));
    for texts in forms(&TEXTS, &bytes) {
        write(&path, texts);
        let context = table(&path, Some("body")).await.expect("a table");
        let all = ask(&context, "SELECT * FROM messages ORDER BY number_id").await;
        assert_eq!(all.num_columns(), 5 + NUMBERS.len() + 1 + BITS.len());
        for name in NUMBERS {
            let sql = format!("SELECT {name}, peer_id FROM messages ORDER BY peer_id");
            let alone = ask(&context, &sql).await;
            let number = |shape: &turnwise_kernels::shape::Shape| match name {
                "chars" => shape.chars,
                "bytes" => shape.bytes,
                "words" => shape.words,
                "lines" => shape.lines,
                _ => shape.text_bucket,
            };
            let expected: Int32Array =
                shapes.iter().map(|shape| shape.as_ref().map(number)).collect();
            assert_eq!(alone.column(0).as_primitive::<Int32Type>(), &expected, "{name}");
            assert_eq!(all.column_by_name(name), Some(alone.column(0)), "{name}");
        }
        for (name, bit) in BITS {
            let sql = format!("SELECT {name} FROM messages ORDER BY number_id");
            let alone = ask(&context, &sql).await;
            let found: Vec<_> = alone.column(0).as_boolean().iter().collect();
            let expected = shapes.map(|shape| shape.map(|shape| shape.text_bits & bit != 0));
            assert_eq!(found, expected, "{name}");
            assert_eq!(all.column_by_name(name), Some(alone.column(0)), "{name}");
        }
        let scripts = all.column_by_name("script").expect("there").as_string::<i32>();
        let expected = shapes.map(|s| s.and_then(|s| Script::from_code(s.script)));
        assert!(scripts.iter().eq(expected.map(|script| script.map(Script::name))));
    }
}

#[tokio::test]
async fn plans_read_the_texts_only_where_their_shape_is_asked_for() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("m.parquet");
    write(&path, Arc::new(StringArray::from(TEXTS.to_vec())));
    let context = table(&path, Some("body")).await.expect("a table");
    let plan = async |sql: &str| {
        let batch = ask(&context, &format!("EXPLAIN {sql}")).await;
        let plans = batch.column(1).as_string::<i32>();
        plans.value(plans.len() - 1).to_owned()
    };
    let without = plan("SELECT count(*), max(ts_ms) FROM messages").await;
    assert!(!without.contains("body") && !without.contains("ShapeExec"), "{without}");
    let with = plan("SELECT opener, kind FROM messages WHERE number_id > 9 AND chars > 2").await;
    assert!(with.contains("ShapeExec: columns=[") && with.contains("body"), "{with}");
    assert!(with.contains("predicate=number_id"), "{with}");
    let sql = "SELECT kind, url FROM messages WHERE number_id > 9 AND chars > 2";
    let found = ask(&context, sql).await;
    let expected: Vec<i64> = vec![4, 5, 6, 7, 8];
    let kinds = found.column(0).as_primitive::<Int64Type>();
    assert_eq!(kinds.values(), &expected[..]);
    assert!(context.sql("SELECT body FROM messages").await.is_err());
    let plain = table(&path, None).await.expect("a table");
    let all = ask(&plain, "SELECT * FROM messages LIMIT 3").await;
    assert_eq!((all.num_rows(), all.num_columns()), (3, 5));
}

#[tokio::test]
async fn what_is_no_column_of_texts_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("m.parquet");
    write(&path, Arc::new(StringArray::from(TEXTS.to_vec())));
    let error = async |column: &str| table(&path, Some(column)).await.err().expect("refused");
    assert!(error("size").await.contains("column size must hold texts"));
    assert!(error("peer_id").await.contains("peer_id holds texts and is named as another"));
    assert!(error("missing").await.contains("missing"));
    let context = table(&path, None).await.expect("a table");
    let file = context.table_provider("file").await.expect("registered");
    let refused = |names: BareNames| {
        let texts = BareTexts { column: "body".to_owned(), keys: keys(), buckets: false };
        let made = BareMessages::new(Arc::clone(&file), &names, Some(texts));
        made.expect_err("refused").to_string()
    };
    let names = BareNames::default;
    let twice = refused(BareNames { kind: "direction".to_owned(), ..names() });
    assert!(twice.contains("direction is named twice"), "{twice}");
    let sender = refused(BareNames { sender: "body".to_owned(), ..names() });
    assert!(sender.contains("body holds texts"), "{sender}");
    assert!(refused(BareNames { kind: "body".to_owned(), ..names() }).contains("body must hold"));
}

#[tokio::test]
async fn long_texts_are_read_some_at_a_time() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("m.parquet");
    // 2.4 GB once every row has a text of its own: more than one column of texts can hold.
    let text = "long ".repeat(60_000);
    write(&path, Arc::new(StringViewArray::from_iter_values((0..8_000).map(|_| &text))));
    let context = table(&path, Some("body")).await.expect("a table");
    let sums = ask(&context, "SELECT sum(bytes) AS bytes, count(chars) AS n FROM messages").await;
    let number = |at: usize| sums.column(at).as_primitive::<Int64Type>().value(0);
    assert_eq!([number(0), number(1)], [8_000 * 300_000, 8_000]);
}
