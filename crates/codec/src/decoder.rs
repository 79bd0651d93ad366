//! The decoder: records in, batches of columns and dead letters out.

use turnwise_model::limits::RECORD_BYTES_MAX;
use turnwise_model::{EventBatch, Keys, Millis, Offset, PartitionId, SourceName};

use crate::payload::{self, SCRATCHES, Scratch, Tally};
use crate::protobuf::{self, Straight};
use crate::reason::{GapReason, Reason, ignored};
use crate::record::{Fail, Notes, Place, Record};
use crate::rows::Rows;
use crate::straight::Hashing;
use crate::{Format, Headers};

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
    scratch: [Scratch; SCRATCHES],
    rows: Rows,
    notes: Notes,
    tally: Tally,
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

impl Way {
    /// What makes pseudonyms on the straight way, if that is open.
    #[inline(always)]
    fn hashing(self, keys: &Keys) -> Option<Hashing<'_>> {
        match self {
            Self::Straight => Some(Hashing::Keyed(keys)),
            Self::Measured => Some(Hashing::StandIn),
            Self::Meant => None,
        }
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
    /// pseudonyms are made of the ids' ends and lengths, and texts are gathered, checked to be UTF-8 and
    /// dropped. For nothing else.
    #[must_use]
    pub fn without_hashing(keys: Keys) -> Self {
        Self::of(keys, Way::Measured)
    }

    fn of(keys: Keys, way: Way) -> Self {
        let rows = Rows::new((way != Way::Measured).then(|| keys.clone()));
        Self {
            keys,
            way,
            scratch: Default::default(),
            rows,
            notes: Notes::default(),
            tally: Tally::default(),
        }
    }

    /// Decodes one record; `None` and white space alone are a dead letter `empty`.
    #[inline]
    pub fn decode(
        &mut self,
        format: Format,
        context: &RecordContext<'_>,
        record: Option<&[u8]>,
    ) -> RecordCounts {
        self.decode_with_headers(format, context, &[], record)
    }

    /// Decodes one record that came with headers: they tell its format where `format` leaves that
    /// open, and hold the attributes of an event in CloudEvents' binary mode.
    #[inline]
    pub fn decode_with_headers(
        &mut self,
        format: Format,
        context: &RecordContext<'_>,
        headers: Headers<'_>,
        record: Option<&[u8]>,
    ) -> RecordCounts {
        let bytes = record.unwrap_or_default();
        if format == Format::Protobuf && (1..=RECORD_BYTES_MAX).contains(&bytes.len()) {
            return self.decode_protobuf(context, bytes);
        }
        self.decode_other(format, context, headers, bytes)
    }

    /// The same of all else.
    fn decode_other(
        &mut self,
        format: Format,
        context: &RecordContext<'_>,
        headers: Headers<'_>,
        bytes: &[u8],
    ) -> RecordCounts {
        let mut output = Record::new(&self.keys, &mut self.rows, &mut self.notes, context);
        output.straight = self.way.hashing(&self.keys);
        let done =
            payload::decode(&mut output, &self.tally, &mut self.scratch, format, headers, bytes);
        match done {
            Ok(()) if output.is_untouched() => output.ignored(None, ignored::EMPTY, bytes.len()),
            Ok(()) => {}
            Err(fail) => output.dead(None, fail, bytes.len()),
        }
        output.counts
    }

    /// The same of protobuf that a setting tells: of this format little is asked, and soon read. A
    /// function of its own, for the registers.
    #[inline(never)]
    fn decode_protobuf(&mut self, context: &RecordContext<'_>, bytes: &[u8]) -> RecordCounts {
        let place = Place::new(&mut self.rows.strings, context);
        let counts = RecordCounts::default();
        let Some(hashing) = self.way.hashing(&self.keys) else {
            return self.decode_rest_of_protobuf(context, bytes, (place, counts), None);
        };
        let mut straight = Straight { rows: &mut self.rows, hashing, place, counts };
        let done = protobuf::decode_usual(&mut straight, bytes);
        let Straight { place, counts, .. } = straight;
        match done {
            Ok(unknown_fields) => {
                self.tally.unknown.add_other(unknown_fields);
                counts
            }
            Err(rest) => self.decode_rest_of_protobuf(context, bytes, (place, counts), rest),
        }
    }

    /// The same of what the straight way has left, see [`protobuf::decode_rest`].
    #[inline(never)]
    fn decode_rest_of_protobuf(
        &mut self,
        context: &RecordContext<'_>,
        bytes: &[u8],
        (place, counts): (Place, RecordCounts),
        rest: Option<protobuf::Rest<'_>>,
    ) -> RecordCounts {
        let mut output = Record::new(&self.keys, &mut self.rows, &mut self.notes, context);
        output.straight = self.way.hashing(&self.keys);
        (output.place, output.counts) = (place, counts);
        self.tally.unknown.add_other(protobuf::decode_rest(&mut output, bytes, rest));
        if output.is_untouched() {
            output.ignored(None, ignored::EMPTY, bytes.len());
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

    /// How many messages and statuses so far had no time of their own: the record's stands for it.
    #[must_use]
    pub fn untimed(&self) -> u64 {
        self.tally.untimed.get()
    }

    /// How many payloads of JSON so far were none that a straight way takes, by their format, by what
    /// is unusual about them, or by a limit such as `limits::STRAIGHT_CONTACTS_MAX`: they cost some
    /// ten times as much.
    #[must_use]
    pub fn read_the_long_way(&self) -> u64 {
        self.tally.long_way.get()
    }

    /// How many fields nobody knew so far, by names of [`crate::IGNORED_NAMES`]; they were skipped.
    /// Names that are not among those, and fields of protobuf, are `other`.
    pub fn unknown_fields(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.tally.unknown.counts()
    }

    /// How many dead letters [`Decoder::take_dead_letters`] left out so far; all are rows.
    #[must_use]
    pub fn dead_letters_not_shown(&self) -> u64 {
        self.notes.dropped
    }
}
