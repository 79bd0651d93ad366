//! What queries write to disk while they run: spill files are kept by a second name before they go.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use turnwise_lake::{FileFilter, Lake};
use turnwise_model::schema::{column, events};
use turnwise_model::{Keys, Secret};
use turnwise_query::{BareNames, BareTexts, Catalog, CatalogFiles, Engine, EngineSettings};
use turnwise_tests::canary::{Search, files};
use turnwise_tests::wait::look_until;

use super::{LAKE, assert_clean, binary, input, joined, run};

/// A sort holds ten back for merging; what it sorts is more than the rest.
const MEMORY_BYTES: usize = 24 << 20;
/// Less than what plans over bare messages deal out at a time.
const BARE_MEMORY_BYTES: usize = 512 << 10;
/// Many batches.
const BARE_ROWS: i64 = 100_000;
/// The statements end long before.
const ASKED_WITHIN: Duration = Duration::from_secs(600);
/// Times that the rows of a table are sorted at once.
const TIMES: usize = 8;

#[test]
fn no_canary_comes_out_of_spill_files() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let (path, input) = (folder.path(), input());
    std::fs::write(path.join("a.jsonl"), joined(&input.lines)).expect("written");
    let mut search = Search::new(input.canaries.all());
    run(&mut search, (&binary, path), &[&["scan", "a.jsonl"][..], &LAKE].concat(), b"", 0);
    search_spilled(&mut search, path, |spill| ask(&path.join("lake"), spill));
    assert_clean(&search);
}

/// Texts of bare messages are dealt out to nobody before they are read: what follows from them is.
#[test]
fn no_text_of_bare_messages_comes_out_of_spill_files() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    let canaries: Vec<String> =
        (0..50).map(|nth| format!("Where does the zebrafinch {nth} hide its quince?")).collect();
    write_bare(&path.join("bare.parquet"), &canaries);
    let mut search = Search::new(&canaries);
    search_spilled(&mut search, path, |spill| ask_bare(&path.join("bare.parquet"), spill));
    assert_clean(&search);
    // The search would find them.
    search.raw("the messages", &std::fs::read(path.join("bare.parquet")).expect("read"));
    assert!(!search.hits().is_empty());
}

/// Searches what is written while statements are answered, which has to be something.
fn search_spilled(search: &mut Search, folder: &Path, ask: impl FnOnce(&Path) -> usize) {
    let (spill, kept) = (folder.join("spill"), folder.join("kept"));
    std::fs::create_dir_all(&spill).expect("folder");
    std::fs::create_dir_all(&kept).expect("folder");
    let done = AtomicBool::new(false);
    let answered = std::thread::scope(|scope| {
        scope.spawn(|| keep(&spill, &kept, &done));
        let _done = Done(&done);
        ask(&spill)
    });
    println!("{answered} rows, {} spill files", files(&kept).len());
    assert!(!files(&kept).is_empty(), "nothing was spilled");
    search.folder(&kept);
    search.folder(&spill);
}

/// Says at its end, also after a panic, that nothing more comes.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Gives every file that appears a second name, so that its content outlives its first.
fn keep(spill: &Path, kept: &Path, done: &AtomicBool) {
    let mut known = 0;
    let ended = look_until(Duration::from_micros(200), ASKED_WITHIN, || {
        let mut folders = vec![spill.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    known += usize::from(std::fs::hard_link(&path, kept.join(name)).is_ok());
                }
            }
        }
        Ok(done.load(Ordering::Acquire).then_some(()))
    });
    assert!(ended.expect("looks").is_some(), "the statements did not end");
    println!("{known} files kept");
}

/// Sorts all that analysts may see by columns that are in no order; returns the rows.
fn ask(lake: &Path, spill: &Path) -> usize {
    let lake = Lake::open(lake.to_str().expect("path"), &BTreeMap::new()).expect("lake");
    let table = lake.table("events", events(), &[column::KIND, column::DATE]).expect("table");
    let events = table.snapshot(None).expect("snapshot").files(&FileFilter::all()).expect("files");
    let settings = EngineSettings {
        memory_bytes: MEMORY_BYTES,
        spill_folder: Some(spill.to_owned()),
        partitions: Some(1),
        ..EngineSettings::default()
    };
    let engine = Engine::new(&settings, &lake).expect("engine");
    let files = CatalogFiles { events, ..CatalogFiles::default() };
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    runtime.block_on(async {
        let catalog = Catalog::new(&engine, &files).await.expect("catalog");
        let mut rows = 0;
        for (table, order) in [("messages_raw", "message"), ("dead_letters", "detail")] {
            let times: Vec<String> = (0..TIMES).map(|time| format!("({time})")).collect();
            let times = format!("(VALUES {}) AS times (time)", times.join(", "));
            let statement = format!(
                "SELECT rows.* FROM {table} AS rows CROSS JOIN {times} \
                 ORDER BY rows.{order}, rows.\"offset\", rows.item, times.time"
            );
            let answer = catalog.answer(&statement).await.expect("answered");
            rows += answer.iter().map(|batch| batch.num_rows()).sum::<usize>();
        }
        rows
    })
}

/// Bare messages in one row group, whose texts are the canaries.
fn write_bare(path: &Path, canaries: &[String]) {
    let longs = |of: fn(i64) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..BARE_ROWS).map(of)))
    };
    let texts = StringArray::from_iter_values(canaries.iter().cycle().take(BARE_ROWS as usize));
    let batch = RecordBatch::try_from_iter([
        ("number_id", longs(|row| row % 300)),
        ("peer_id", longs(|row| row % 1_001)),
        ("ts_ms", longs(|row| 1_790_000_000_000 + row)),
        ("direction", longs(|row| row % 2)),
        ("kind", longs(|row| row % 5)),
        ("text", Arc::new(texts) as ArrayRef),
    ]);
    let batch = batch.expect("columns");
    let file = File::create(path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
}

/// Asks for what the texts tell, of all rows and of some; returns the rows.
fn ask_bare(messages: &Path, spill: &Path) -> usize {
    let settings = EngineSettings {
        memory_bytes: BARE_MEMORY_BYTES,
        spill_folder: Some(spill.to_owned()),
        partitions: Some(4),
        ..EngineSettings::default()
    };
    let engine = Engine::local(&settings).expect("engine");
    let keys = Arc::new(Keys::expand(&Secret::new(&[7; 64]).expect("long enough")));
    let texts = BareTexts { column: "text".to_owned(), keys, buckets: false };
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    runtime.block_on(async {
        let catalog = Catalog::of_bare(&engine, messages, BareNames::default(), Some(texts));
        let catalog = catalog.await.expect("catalog");
        let mut rows = 0;
        for rest in ["", "WHERE peer_id < 900 AND ts_ms > 0", "WHERE words > 3 AND kind < 4"] {
            let statement = format!(
                "SELECT direction, sum(words + chars + lines), sum(bytes), sum(ts_ms % 7) \
                 FROM messages {rest} GROUP BY direction"
            );
            let answer = catalog.answer(&statement).await.expect("answered");
            rows += answer.iter().map(|batch| batch.num_rows()).sum::<usize>();
        }
        rows
    })
}
