//! `scan`: files of webhooks and send records in, judged senders out.
//!
//! ```text
//!  FILE… ─▶ records ─▶ codec ─▶ ingest machine ─▶ events (lake) ─▶ derived tables ─▶ answer
//!           input        read                                          judge         report
//! ```

mod input;
mod judge;
mod read;
pub(crate) mod report;
mod split;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use turnwise_lake::Lake;
use turnwise_policy::Scorecard;

use crate::args::{Form, ScanArgs};
use crate::exit::{self, Failure, Outcome};
use crate::{runtime, secret, writer};
use read::Reader;

/// Dead letters that are named beside a table.
const LETTERS_NAMED: usize = 20;

/// Runs the command.
pub(crate) fn run(args: &ScanArgs) -> Outcome {
    let scorecard = Scorecard::built_in().context("read the built-in scorecard")?;
    let keys = match &args.secret_file {
        Some(file) => secret::read_or_make(file, args.lake.as_deref())?,
        None => secret::random()?,
    };
    let temporary = match args.lake {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("make a folder for the temporary lake")?),
    };
    let folder = args.lake.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
    let lake = open(folder.unwrap_or(Path::new(".")))?;
    secret::check(&lake, &keys)?;
    let table = Arc::new(writer::events_table(&lake).context("open events")?);
    let progress = progress(&args.files);
    let mut reader = Reader::new(Arc::clone(&table), keys, args.input, progress.clone());
    let mut is_partial = false;
    for file in &args.files {
        let read = if file == "-" { reader.stdin()? } else { reader.file(file)? };
        if let Err(error) = read {
            is_partial = true;
            progress.suspend(|| exit::complain(&format!("error: read {file}: {error:#}")));
        }
    }
    reader.finish()?;
    progress.finish_and_clear();
    let judged = judge::senders(&lake, &table, args.as_of, &scorecard);
    let senders = runtime::new()?.block_on(judged)?;
    let text = match args.format {
        Form::Json => {
            let answer = report::json(&reader.files, &reader.letters, &senders);
            serde_json::to_string_pretty(&answer).context("write JSON")? + "\n"
        }
        Form::Csv => report::csv(&senders),
        Form::Table => report::table(&senders),
    };
    if args.format != Form::Json {
        summary(&reader);
    }
    if reader.untimed() > 0 {
        exit::complain(&format!(
            "{} messages and statuses have no time in their format: the moment of reading stands \
             for it, so replies' latencies and the days of conversations say nothing",
            reader.untimed()
        ));
    }
    if senders.is_empty() {
        let why = match args.as_of {
            Some(_) => "in the seven days before the time given",
            None => "in these files",
        };
        exit::complain(&format!("no verdicts: no sender has messages {why}"));
    }
    if reader.letters_not_shown > 0 {
        exit::complain(&format!("{} dead letters are not shown", reader.letters_not_shown));
    }
    exit::print(&text)?;
    if is_partial { Err(Failure::Partly) } else { Ok(()) }
}

fn open(folder: &Path) -> anyhow::Result<Lake> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("make lake folder {}", folder.display()))?;
    let location = folder.to_str().context("open lake: its path is not UTF-8")?;
    Lake::open(location, &BTreeMap::new())
        .with_context(|| format!("open lake {}", folder.display()))
}

/// A bar over the bytes of all files; hidden where standard error is no terminal.
fn progress(files: &[String]) -> ProgressBar {
    let bytes = files.iter().filter_map(|file| std::fs::metadata(file).ok());
    let bar = ProgressBar::new(bytes.map(|metadata| metadata.len()).sum());
    let form = "{bar:40} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";
    match ProgressStyle::with_template(form) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What came of the files, for people.
fn summary(reader: &Reader) {
    for report in &reader.files {
        let counts = report.counts;
        exit::complain(&format!(
            "{}: {} messages, {} statuses, {} of history, {} account events, {} ignored, {} dead letters",
            report.file,
            counts.messages,
            counts.statuses,
            counts.history,
            counts.account_events,
            counts.ignored,
            counts.dead_letters
        ));
    }
    for letter in reader.letters.iter().take(LETTERS_NAMED) {
        let read::Letter { file, line, reason, detail } = letter;
        exit::complain(&format!("dead letter {file}:{line}: {reason}: {detail}"));
    }
    let more = reader.letters.len().saturating_sub(LETTERS_NAMED);
    if more > 0 {
        exit::complain(&format!("and {more} dead letters more; --format json lists them"));
    }
}
