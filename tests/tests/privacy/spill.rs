//! What queries write to disk while they run: spill files are kept by a second name before they go.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use turnwise_lake::{FileFilter, Lake};
use turnwise_model::schema::{column, events};
use turnwise_query::{Catalog, CatalogFiles, Engine, EngineSettings};
use turnwise_tests::canary::{Search, files};
use turnwise_tests::wait::look_until;

use super::{LAKE, assert_clean, binary, input, joined, run};

/// A sort holds ten back for merging; what it sorts is more than the rest.
const MEMORY_BYTES: usize = 18 << 20;
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
    let (spill, kept) = (path.join("spill"), path.join("kept"));
    std::fs::create_dir_all(&spill).expect("folder");
    std::fs::create_dir_all(&kept).expect("folder");
    let done = AtomicBool::new(false);
    let answered = std::thread::scope(|scope| {
        scope.spawn(|| keep(&spill, &kept, &done));
        let answered = ask(&path.join("lake"), &spill);
        done.store(true, Ordering::Release);
        answered
    });
    println!("{answered} rows, {} spill files", files(&kept).len());
    assert!(!files(&kept).is_empty(), "nothing was spilled");
    search.folder(&kept);
    search.folder(&spill);
    assert_clean(&search);
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
