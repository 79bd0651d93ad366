//! Drives the ingest machine over files: a file is a partition whose end is known.
//!
//! Everything happens on one thread, so what the decoder says reaches the machine in order and a
//! commit is over when its wish was carried out.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use turnwise_codec::{Decoder, Format, RecordContext, RecordCounts};
use turnwise_ingest::{Epoch, Input, Machine, Settings, Wish};
use turnwise_lake::Table;
use turnwise_model::time::MINUTE_MS;
use turnwise_model::{Keys, Millis, Offset, PartitionId, SourceName, SourcePartition};

use crate::clock;
use crate::scan::input::{self, Next, Records};
use crate::writer::EventWriter;

/// The ingest name of scans in the offsets' keys.
const INGEST_NAME: &str = "scan";
/// Nobody waits for a scan's rows before its end, so few large commits are better.
const COMMIT_AGE_MS: i64 = MINUTE_MS;
/// Bytes of rows and their columns that are committed at once.
const COMMIT_BYTES: usize = 192 << 20;
/// Rows that are committed at once.
const COMMIT_ROWS: usize = 1_500_000;
/// Attempts at a commit: a person waits for the answer.
const COMMIT_ATTEMPTS_MAX: u32 = 6;
/// Records between two looks of the machine.
const RECORDS_AT_ONCE: i64 = 256;
/// Bytes of records between two looks of the machine.
const BYTES_AT_ONCE: usize = 1 << 20;
/// Dead letters shown; all are counted, and rows in the lake.
const LETTERS_SHOWN_MAX: usize = 100_000;
/// The first record's number.
const FIRST: Offset = Offset(1);

/// What came of one input.
#[derive(Clone, Debug)]
pub(crate) struct FileReport {
    /// The input as it was named.
    pub(crate) file: String,
    /// Rows by kind.
    pub(crate) counts: RecordCounts,
}

/// A record or item that could not be read.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// The input as it was named.
    pub(crate) file: String,
    /// The record's number in it, from 1.
    pub(crate) line: i64,
    /// Why.
    pub(crate) reason: &'static str,
    /// Path, expected and found type.
    pub(crate) detail: String,
}

/// Reads inputs into a lake.
pub(crate) struct Reader {
    machine: Machine,
    decoder: Decoder,
    format: Format,
    writer: EventWriter,
    began: Millis,
    /// Where the machine wants the running input to be read.
    seek: Option<(Epoch, Offset)>,
    is_drained: bool,
    progress: ProgressBar,
    /// What came of each input so far.
    pub(crate) files: Vec<FileReport>,
    /// Dead letters, the first of them.
    pub(crate) letters: Vec<Letter>,
    /// Dead letters that are not among `letters`.
    pub(crate) letters_not_shown: u64,
}

impl Reader {
    /// Of inputs in this format into the table `events`.
    pub(crate) fn new(
        table: Arc<Table>,
        keys: Keys,
        format: Format,
        progress: ProgressBar,
    ) -> Self {
        let settings = Settings {
            commit_age_ms: COMMIT_AGE_MS,
            commit_bytes: COMMIT_BYTES,
            commit_rows: COMMIT_ROWS,
            commit_attempts_max: COMMIT_ATTEMPTS_MAX,
            ..Settings::default()
        };
        Self {
            machine: Machine::new(settings),
            decoder: Decoder::new(keys),
            format,
            writer: EventWriter::new(table, INGEST_NAME),
            began: clock::now(),
            seek: None,
            is_drained: false,
            progress,
            files: Vec::new(),
            letters: Vec::new(),
            letters_not_shown: 0,
        }
    }

    /// Reads a file; one that the lake holds adds nothing.
    ///
    /// # Errors
    /// The inner one where this file cannot be read, the outer where the scan cannot go on.
    pub(crate) fn file(&mut self, name: &str) -> anyhow::Result<anyhow::Result<()>> {
        let path = Path::new(name);
        let opened = || -> anyhow::Result<_> {
            if path.is_dir() {
                bail!("it is a folder");
            }
            let hash = input::content_hash(path)?;
            let progress = self.progress.clone();
            Ok((hash, Records::open(path, self.format, move |bytes| progress.inc(bytes))?))
        };
        match opened() {
            Ok((hash, records)) => self.input(name, SourceName(format!("file/{hash}")), records),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Reads standard input, a new input each time.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub(crate) fn stdin(&mut self) -> anyhow::Result<anyhow::Result<()>> {
        let source = SourceName(format!("stdin/{}", uuid::Uuid::new_v4()));
        match Records::new(Box::new(std::io::stdin()), self.format) {
            Ok(records) => self.input("-", source, records),
            Err(error) => Ok(Err(error.into())),
        }
    }

    /// Rows whose time is that of the reading, since their format has none.
    pub(crate) fn untimed(&self) -> u64 {
        self.decoder.untimed()
    }

    /// Commits what was read.
    ///
    /// # Errors
    /// A lake that does not take it.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        self.tell(Input::Drain)?;
        if !self.is_drained {
            bail!("commit what was read: the ingest machine did not end");
        }
        Ok(())
    }

    fn input(
        &mut self,
        name: &str,
        source: SourceName,
        mut records: Records,
    ) -> anyhow::Result<anyhow::Result<()>> {
        self.files.push(FileReport { file: name.to_owned(), counts: RecordCounts::default() });
        let partition = SourcePartition { source, partition: PartitionId(0) };
        if self.machine.positions().any(|(known, _)| *known == partition) {
            // The same content under another name.
            return Ok(Ok(()));
        }
        let stored = self.writer.stored(&partition);
        self.tell(Input::Assigned { partition: partition.clone(), stored, first: FIRST })?;
        let (epoch, start) = self.seek.take().context("begin an input: no place to read from")?;
        let mut read = Stretch {
            partition,
            epoch,
            from: start,
            to: start,
            rows: self.decoder.rows(),
            bytes: self.decoder.bytes(),
        };
        let format = records.format(self.format);
        let mut record = Vec::new();
        let mut held = 0;
        let ended = loop {
            let next = match records.next(&mut record) {
                Ok(next) => next,
                Err(error) => break Err(error.into()),
            };
            let (Next::Record(number) | Next::Broken(number, _)) = next else { break Ok(()) };
            if number < start.0 {
                continue;
            }
            let context = RecordContext {
                source: &read.partition.source,
                partition: read.partition.partition,
                offset: Offset(number),
                record_time: None,
                read_time: self.began,
            };
            let counts = match next {
                Next::Broken(_, why) => {
                    let (reason, detail) = why.told();
                    self.decoder.unreadable(&context, reason, detail, 0)
                }
                _ => self.decoder.decode(format, &context, Some(&record)),
            };
            if let Some(report) = self.files.last_mut() {
                report.counts += counts;
            }
            read.to = Offset(number + 1);
            held += record.len();
            if read.to.0 - read.from.0 >= RECORDS_AT_ONCE || held >= BYTES_AT_ONCE {
                held = 0;
                self.note(name);
                self.took(&mut read)?;
            }
        };
        self.note(name);
        self.took(&mut read)?;
        Ok(ended)
    }

    /// Tells the machine what was read since the last time.
    fn took(&mut self, read: &mut Stretch) -> anyhow::Result<()> {
        let rows = self.decoder.rows().saturating_sub(read.rows);
        let bytes = self.decoder.bytes().saturating_sub(read.bytes);
        self.tell(Input::Read {
            partition: read.partition.clone(),
            epoch: read.epoch,
            from: read.from,
            to: read.to,
            rows,
            bytes,
            read_to: None,
        })?;
        if self.seek.is_some() {
            bail!("{}", self.why_not_committed());
        }
        read.from = read.to;
        (read.rows, read.bytes) = (self.decoder.rows(), self.decoder.bytes());
        Ok(())
    }

    fn why_not_committed(&mut self) -> String {
        let counters = self.machine.counters();
        match self.writer.take_failure() {
            Some(error) => format!("commit rows: {}", crate::writer::chain(&error)),
            None if counters.fenced > 0 => {
                "commit rows: another scan reads the same input into this lake".to_owned()
            }
            None => "commit rows: the lake did not take them in time".to_owned(),
        }
    }

    /// Gives the machine an input and carries its wishes out until it has none.
    fn tell(&mut self, input: Input) -> anyhow::Result<()> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for wish in self.machine.handle(input, clock::now().0)? {
                match wish {
                    Wish::Cut { cut } => {
                        inputs.push_back(Input::Cut { cut, batches: self.decoder.finish() });
                    }
                    Wish::Seek { epoch, offset, .. } => self.seek = Some((epoch, offset)),
                    wish @ (Wish::Commit { .. } | Wish::ReadOffsets { .. }) => {
                        inputs.extend(self.writer.carry_out(wish));
                    }
                    Wish::Drained => self.is_drained = true,
                    // One thread: nothing is fetched while a wish is carried out, and no group
                    // waits for partitions or offsets.
                    Wish::StoreOffsets(_) | Wish::Released { .. } | Wish::Pause | Wish::Resume => {}
                }
            }
            let counters = self.machine.counters();
            if counters.attempt_drops + counters.deadline_drops + counters.fenced > 0 {
                bail!("{}", self.why_not_committed());
            }
        }
        Ok(())
    }

    /// Keeps the dead letters since the last time for show.
    fn note(&mut self, name: &str) {
        for note in self.decoder.take_dead_letters() {
            if self.letters.len() == LETTERS_SHOWN_MAX {
                self.letters_not_shown += 1;
                continue;
            }
            self.letters.push(Letter {
                file: name.to_owned(),
                line: note.offset.0,
                reason: note.reason.name(),
                detail: note.detail,
            });
        }
    }
}

/// What was read of an input since the machine was told.
struct Stretch {
    partition: SourcePartition,
    epoch: Epoch,
    from: Offset,
    to: Offset,
    rows: usize,
    bytes: usize,
}
