//! The decoder: records in, batches of columns and dead letters out.

use turnwise_model::limits::RECORD_BYTES_MAX;
use turnwise_model::{EventBatch, Keys, Millis, Offset, PartitionId, SourceName};

use crate::frame;
use crate::json::{JsonFault, Tape, Value};
use crate::reason::{GapReason, Reason, ignored};
use crate::record::{Fail, Notes, Record};
use crate::rows::Rows;
use crate::straight::Hashing;
use crate::webhook::straight::Scratch;
use crate::{protobuf, send, webhook};

/// The wire format of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A webhook of the Cloud API.
    Webhook,
    /// Turnwise's own record of a send.
    Send,
    /// Turnwise's own protobuf record, `turnwise.events.v1.Record`.
    Protobuf,
    /// Told by each record's content.
    Auto,
}

/// Where a record came from, and when.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext<'a> {
    /// The input.
    pub source: &'a SourceName,
    /// Its partition.
    pub partition: PartitionId,
    /// The record in it.
    pub offset: Offset,
    /// The record's own time (a broker's); a file's records have none.
    pub record_time: Option<Millis>,
    /// When reading began.
    pub read_time: Millis,
}

/// Rows that came of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Messages: live, from the phone app, on standby.
    pub messages: u64,
    /// Statuses.
    pub statuses: u64,
    /// Messages of a history import.
    pub history: u64,
    /// Account events.
    pub account_events: u64,
    /// Ignored items.
    pub ignored: u64,
    /// Dead letters.
    pub dead_letters: u64,
}

/// A dead letter for people: where and why, never content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterNote {
    /// The input.
    pub source: SourceName,
    /// Its partition.
    pub partition: PartitionId,
    /// The record in it.
    pub offset: Offset,
    /// The item in the record.
    pub item: i32,
    /// Why.
    pub reason: Reason,
    /// Path, expected and found type.
    pub detail: String,
}

/// Decodes records into the rows of a batch until [`Decoder::finish`] takes them; then it is as
/// new, and what it allocated is used again.
#[derive(Debug)]
pub struct Decoder {
    keys: Keys,
    way: Way,
    tape: Tape,
    scratch: Scratch,
    rows: Rows,
    notes: Notes,
    unknown_fields: u64,
}

/// Which way records take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The short one where it leads to the same rows.
    Straight,
    /// Always the one that says what is meant.
    Meant,
    /// The short one, without hashing.
    Measured,
}

impl RecordCounts {
    /// All rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.messages
            + self.statuses
            + self.history
            + self.account_events
            + self.ignored
            + self.dead_letters
    }
}

impl std::ops::AddAssign for RecordCounts {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.statuses += other.statuses;
        self.history += other.history;
        self.account_events += other.account_events;
        self.ignored += other.ignored;
        self.dead_letters += other.dead_letters;
    }
}

impl Decoder {
    /// A decoder whose pseudonyms and text hashes are under these keys.
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self::of(keys, Way::Straight)
    }

    /// A decoder that takes no short way: slower, and what all others must agree with.
    #[must_use]
    pub fn by_meaning(keys: Keys) -> Self {
        Self::of(keys, Way::Meant)
    }

    /// A decoder that does not hash, for measuring what all the rest costs: on the short way
    /// pseudonyms are a fold of the ids' bytes, and texts are dropped unread. For nothing else.
    #[must_use]
    pub fn without_hashing(keys: Keys) -> Self {
        Self::of(keys, Way::Measured)
    }

    fn of(keys: Keys, way: Way) -> Self {
        let rows = Rows::new((way != Way::Measured).then(|| keys.clone()));
        Self {
            keys,
            way,
            tape: Tape::default(),
            scratch: Scratch::default(),
            rows,
            notes: Notes::default(),
            unknown_fields: 0,
        }
    }

    /// Decodes one record; `None` and white space alone are a dead letter `empty`.
    pub fn decode(
        &mut self,
        format: Format,
        context: &RecordContext<'_>,
        record: Option<&[u8]>,
    ) -> RecordCounts {
        let bytes = record.unwrap_or_default();
        let mut output = Record::new(&self.keys, &mut self.rows, &mut self.notes, context);
        output.straight = match self.way {
            Way::Straight => Some(Hashing::Keyed(&self.keys)),
            Way::Measured => Some(Hashing::StandIn),
            Way::Meant => None,
        };
        if format == Format::Protobuf || format == Format::Auto && is_protobuf(bytes) {
            if let Err(fail) = check_size(bytes) {
                output.dead(None, fail, bytes.len());
            } else {
                self.unknown_fields += protobuf::decode(&mut output, bytes);
                if output.is_untouched() {
                    output.ignored(None, ignored::EMPTY, bytes.len());
                }
            }
            return output.counts;
        }
        let bytes = bytes.get(frame::of_json(bytes)..).unwrap_or_default();
        if format != Format::Send
            && let Some(hashing) = output.straight
            && bytes.len() <= RECORD_BYTES_MAX
            && webhook::straight::decode(&mut output, hashing, &mut self.scratch, bytes)
        {
            return output.counts;
        }
        match parse(&mut self.tape, bytes) {
            Ok(root) => {
                match format {
                    Format::Webhook => webhook::decode(&mut output, root),
                    Format::Send => send::decode(&mut output, root),
                    _ if send::is_send(root) => send::decode(&mut output, root),
                    _ => webhook::decode(&mut output, root),
                }
                if output.is_untouched() {
                    output.ignored(None, ignored::EMPTY, bytes.len());
                }
            }
            Err(fail) => output.dead(None, fail, bytes.len()),
        }
        output.counts
    }

    /// A record that an edge could not even hand over, e.g. bytes that do not decompress.
    /// `detail` must hold no content.
    pub fn unreadable(
        &mut self,
        context: &RecordContext<'_>,
        reason: Reason,
        detail: &str,
        bytes: u64,
    ) -> RecordCounts {
        let mut output = Record::new(&self.keys, &mut self.rows, &mut self.notes, context);
        let fail = Fail { reason, detail: detail.to_owned() };
        output.dead(None, fail, usize::try_from(bytes).unwrap_or(usize::MAX));
        output.counts
    }

    /// The offsets from the context's up to `to` were skipped.
    pub fn gap(&mut self, context: &RecordContext<'_>, to: Offset, reason: GapReason) {
        let mut output = Record::new(&self.keys, &mut self.rows, &mut self.notes, context);
        output.gap(to, reason.name());
    }

    /// Rows since the last [`Decoder::finish`].
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Bytes held, and that the columns will take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.bytes()
    }

    /// The batches so far, sorted by kind and date, rows in order of arrival.
    pub fn finish(&mut self) -> Vec<EventBatch> {
        self.rows.finish()
    }

    /// The dead letters since the last call, the first 1,000 of them.
    pub fn take_dead_letters(&mut self) -> Vec<DeadLetterNote> {
        std::mem::take(&mut self.notes.kept)
    }

    /// How many fields of protobuf records nobody knew so far; they were skipped.
    #[must_use]
    pub fn unknown_fields(&self) -> u64 {
        self.unknown_fields
    }

    /// How many dead letters [`Decoder::take_dead_letters`] left out so far; all are rows.
    #[must_use]
    pub fn dead_letters_not_shown(&self) -> u64 {
        self.notes.dropped
    }
}

/// Whether a record whose format nobody told is protobuf: JSON begins with a brace or bracket.
fn is_protobuf(bytes: &[u8]) -> bool {
    let json = bytes.get(frame::of_json(bytes)..).unwrap_or_default().trim_ascii_start();
    !matches!(json.first(), Some(b'{' | b'[')) && protobuf::looks_like_one(bytes)
}

fn fail(reason: Reason, detail: &str) -> Fail {
    Fail { reason, detail: format!("record: {detail}") }
}

/// Neither too large nor empty.
fn check_size(bytes: &[u8]) -> Result<(), Fail> {
    if bytes.len() > RECORD_BYTES_MAX {
        let detail = format!("expected at most {RECORD_BYTES_MAX} bytes, found {}", bytes.len());
        return Err(fail(Reason::RecordTooLarge, &detail));
    }
    if bytes.is_empty() {
        return Err(fail(Reason::Empty, "expected a record, found nothing"));
    }
    Ok(())
}

/// Bytes to a JSON value.
fn parse<'a>(tape: &'a mut Tape, bytes: &'a [u8]) -> Result<Value<'a>, Fail> {
    check_size(bytes)?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(fail(Reason::Empty, "expected JSON, found nothing"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        fail(Reason::InvalidUtf8, &format!("expected UTF-8, found other bytes at byte {at}"))
    })?;
    tape.parse(text).map_err(|error| match error.fault {
        JsonFault::Invalid => {
            let detail = format!("expected JSON, found an error at byte {}", error.at);
            fail(Reason::InvalidJson, &detail)
        }
        JsonFault::TooDeep => {
            let detail = format!("expected less nesting, found more at byte {}", error.at);
            fail(Reason::NestedTooDeep, &detail)
        }
    })
}
