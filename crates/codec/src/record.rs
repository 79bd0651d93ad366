//! The record being decoded: numbers its items, checks what every row needs, and writes rows.

use std::borrow::Cow;

use turnwise_model::limits::RECORD_ITEMS_MAX;
use turnwise_model::time::{EARLIEST, FUTURE_SLACK_MS};
use turnwise_model::{EventKind, Keys, Millis, Offset, Origin, PartitionId, SourceName};

use crate::body::Text;
use crate::json::{Kind, Value};
use crate::meant::{self, Id, Time};
use crate::numbers::{People, mean_one};
use crate::path::Path;
use crate::peer::Peer;
use crate::reason::Reason;
use crate::rows::{AccountFacts, AccountRow, Common, LetterRow, MessageRow, Rows, StatusRow};
use crate::rows::{StringId, Strings, TextColumns};
use crate::straight::Hashing;
use crate::{DeadLetterNote, RecordContext, RecordCounts};

/// Why an item is a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fail {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
}

/// Dead letters shown to people, bounded.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) kept: Vec<DeadLetterNote>,
    pub(crate) dropped: u64,
}

/// Dead letters kept for show between two calls of `take_dead_letters`; more are counted only.
pub(crate) const NOTES_MAX: usize = 1_000;

/// Whose record or value this is, as far as it says so.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) waba_id: Id<'a>,
    pub(crate) sender: Id<'a>,
}

impl<'a> Scope<'a> {
    /// The account, as it may be stored: of whatever format, a person or a chat is none.
    fn account(&self) -> Option<Cow<'a, str>> {
        self.waba_id.clone().of_owner().some()
    }

    /// The number, likewise.
    fn sender(&self) -> Option<Cow<'a, str>> {
        self.sender.clone().of_sender().some()
    }

    /// The same without an account that `is_persons` says is the number of a person. The sender's
    /// own is nobody else's.
    pub(crate) fn without_account_of(self, is_persons: impl Fn(&str) -> bool) -> Self {
        let own = self.sender.clone().some();
        let waba_id = self.waba_id.unless_dialled(|number| {
            let is_own = own.as_deref().is_some_and(|own| mean_one(own, number));
            !is_own && is_persons(number)
        });
        Self { waba_id, ..self }
    }

    /// The same without either that `is_persons` says is the number of a person.
    pub(crate) fn without_persons(self, is_persons: impl Fn(&str) -> bool) -> Self {
        let sender = self.sender.unless_number(&is_persons);
        Self { sender, ..self }.without_account_of(is_persons)
    }

    /// The same without an account that has a number which a value names: see [`People`].
    pub(crate) fn without_account_in(self, value: Value<'_>) -> Self {
        self.without_account_of(|number| People::of(value).have(number))
    }
}

/// The account and number of an item, checked.
pub(crate) struct Owner<'a> {
    waba_id: Option<StringId>,
    sender: Option<StringId>,
    /// The sender's id, part of the input of every pseudonym; empty where unknown.
    pub(crate) name: Cow<'a, str>,
}

/// Where the rows of a record come from, and how many of its items were begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) source: StringId,
    /// Bytes of the source's name.
    pub(crate) source_bytes: usize,
    pub(crate) partition: PartitionId,
    pub(crate) offset: Offset,
    /// The record's time, else when reading began.
    pub(crate) time: Millis,
    next_item: i32,
}

/// The record being decoded.
pub(crate) struct Record<'d> {
    pub(crate) keys: &'d Keys,
    /// How the straight way makes pseudonyms; `None` where it is closed.
    pub(crate) straight: Option<Hashing<'d>>,
    pub(crate) rows: &'d mut Rows,
    notes: &'d mut Notes,
    source: &'d SourceName,
    pub(crate) place: Place,
    read_time: Millis,
    pub(crate) path: Path,
    pub(crate) counts: RecordCounts,
    is_full: bool,
}

impl Place {
    #[inline(always)]
    pub(crate) fn new(strings: &mut Strings, context: &RecordContext<'_>) -> Self {
        // A record time before 2016 is no time: brokers write -1 where none is set.
        let time =
            context.record_time.filter(|time| *time >= EARLIEST).unwrap_or(context.read_time);
        Self {
            source: strings.intern_source(&context.source.0),
            source_bytes: context.source.0.len(),
            partition: context.partition,
            offset: context.offset,
            time,
            next_item: 0,
        }
    }

    /// Numbers the next item; `None` past `limits::RECORD_ITEMS_MAX`, without a word: for those who
    /// may still turn back.
    #[inline(always)]
    pub(crate) fn begin(&mut self) -> Option<i32> {
        let item = self.next_item;
        usize::try_from(item).is_ok_and(|item| item < RECORD_ITEMS_MAX).then(|| {
            self.next_item += 1;
            item
        })
    }

    /// Whether so many items more are within the maximum.
    pub(crate) fn has_room(&self, items: usize) -> bool {
        usize::try_from(self.next_item).is_ok_and(|begun| items <= RECORD_ITEMS_MAX - begun)
    }

    /// Whether a time of an event is in range.
    #[inline(always)]
    pub(crate) fn is_in_range(&self, time: Millis) -> bool {
        time >= EARLIEST && time <= self.latest()
    }

    /// The record's time + 1 h: no event is later.
    #[inline(always)]
    fn latest(&self) -> Millis {
        Millis(self.time.0.saturating_add(FUTURE_SLACK_MS))
    }
}

impl<'d> Record<'d> {
    #[inline]
    pub(crate) fn new(
        keys: &'d Keys,
        rows: &'d mut Rows,
        notes: &'d mut Notes,
        context: &RecordContext<'d>,
    ) -> Self {
        let place = Place::new(&mut rows.strings, context);
        Self {
            keys,
            straight: None,
            rows,
            notes,
            source: context.source,
            place,
            read_time: context.read_time,
            path: Path::default(),
            counts: RecordCounts::default(),
            is_full: false,
        }
    }

    /// Whether no item came of the record so far.
    pub(crate) fn is_untouched(&self) -> bool {
        self.place.next_item == 0
    }

    /// Numbers the next item; `None` past `limits::RECORD_ITEMS_MAX`, where the rest of the record
    /// becomes one dead letter.
    pub(crate) fn begin(&mut self) -> Option<i32> {
        let item = self.place.begin();
        if item.is_none() && !self.is_full {
            self.is_full = true;
            let detail = format!("record: expected at most {RECORD_ITEMS_MAX} items, found more");
            let fail = Fail { reason: Reason::TooManyItems, detail };
            self.letter(self.place.next_item, None, fail, None);
        }
        item
    }

    /// A failure at a place inside the item.
    pub(crate) fn fail(
        &self,
        reason: Reason,
        inner: &'static str,
        expected: &str,
        found: Option<Kind>,
    ) -> Fail {
        let found = found.map_or("nothing", Kind::name);
        Fail { reason, detail: self.path.detail(inner, expected, found) }
    }

    /// Checks the ids of account and number. The number may be missing.
    pub(crate) fn owner<'a>(&mut self, scope: &Scope<'a>) -> Result<Owner<'a>, Fail> {
        if scope.sender == Id::TooLong {
            return Err(self.fail(Reason::IdTooLong, "phone_number_id", "id", Some(Kind::String)));
        }
        if scope.waba_id == Id::TooLong {
            return Err(self.fail(Reason::IdTooLong, "waba_id", "id", Some(Kind::String)));
        }
        let name = scope.sender();
        Ok(Owner {
            waba_id: scope.account().map(|id| self.rows.strings.intern(&id)),
            sender: name.as_deref().map(|name| self.rows.strings.intern(name)),
            name: name.unwrap_or_default(),
        })
    }

    /// The same, where the number is needed.
    pub(crate) fn known_owner<'a>(&mut self, scope: &Scope<'a>) -> Result<Owner<'a>, Fail> {
        let owner = self.owner(scope)?;
        if owner.sender.is_none() {
            return Err(self.fail(Reason::NoSender, "", "a phone_number_id above", None));
        }
        Ok(owner)
    }

    /// A time that is there and in range.
    pub(crate) fn time_at(
        &self,
        key: &'static str,
        value: Option<Value<'_>>,
    ) -> Result<Millis, Fail> {
        match meant::time(value) {
            Time::Some(time) => self.in_range(key, time),
            Time::None => Err(self.fail(Reason::NoTime, key, "time", value.map(Value::kind))),
            Time::Unreadable(kind) => Err(self.fail(Reason::WrongType, key, "time", Some(kind))),
        }
    }

    /// [2016-01-01, the record's time + 1 h].
    pub(crate) fn in_range(&self, key: &'static str, time: Millis) -> Result<Millis, Fail> {
        if self.place.is_in_range(time) {
            return Ok(time);
        }
        let expected = "time from 2016 to an hour after the record's";
        let side = if time < EARLIEST { "an earlier one" } else { "a later one" };
        let detail = self.path.detail(key, expected, side);
        Err(Fail { reason: Reason::TimeOutOfRange, detail })
    }

    /// Refuses ids that are too long.
    pub(crate) fn check_peer(&self, peer: &Peer<'_>) -> Result<(), Fail> {
        if peer.is_too_long() {
            return Err(self.fail(Reason::IdTooLong, "", "ids of the peer", Some(Kind::String)));
        }
        Ok(())
    }

    /// The message's pseudonym: from its id, else from the item's own bytes.
    pub(crate) fn pseudonym(
        &self,
        owner: &Owner<'_>,
        id: Id<'_>,
        item: Value<'_>,
    ) -> Result<turnwise_model::Pseudonym, Fail> {
        self.pseudonym_of(owner, id, item.raw().as_bytes())
    }

    /// The same of an item with these bytes.
    pub(crate) fn pseudonym_of(
        &self,
        owner: &Owner<'_>,
        id: Id<'_>,
        item: &[u8],
    ) -> Result<turnwise_model::Pseudonym, Fail> {
        match id {
            Id::Some(id) => Ok(self.keys.message(&owner.name, &id)),
            Id::None => Ok(self.keys.item(&owner.name, item)),
            Id::TooLong => Err(self.fail(Reason::IdTooLong, "id", "id", Some(Kind::String))),
        }
    }

    /// The columns that every row has.
    pub(crate) fn common(&self, owner: &Owner<'_>, item: i32, time: Millis) -> Common {
        Common {
            waba_id: owner.waba_id,
            sender: owner.sender,
            peer_phone: None,
            peer_user: None,
            time,
            message: None,
            source: self.place.source,
            partition: self.place.partition,
            offset: self.place.offset,
            item,
        }
    }

    /// Hands a text over to the kernel.
    pub(crate) fn text(&mut self, text: Text<'_>) -> TextColumns {
        match text {
            Text::None => TextColumns::None,
            Text::Chars(chars) => TextColumns::Chars(chars),
            Text::Body(text) => TextColumns::Text(self.rows.shapes.push(&text)),
        }
    }

    pub(crate) fn message(&mut self, row: MessageRow) {
        let date = if row.origin == Origin::History {
            self.counts.history += 1;
            self.read_time.day()
        } else {
            self.counts.messages += 1;
            row.common.time.day()
        };
        self.rows.message(date, row);
    }

    pub(crate) fn status(&mut self, row: StatusRow) {
        self.counts.statuses += 1;
        self.rows.status(row);
    }

    pub(crate) fn account(&mut self, common: Common, facts: AccountFacts) {
        self.counts.account_events += 1;
        self.rows.account(AccountRow { common, facts });
    }

    /// An ignored item.
    pub(crate) fn ignored(&mut self, scope: Option<&Scope<'_>>, name: &'static str, bytes: usize) {
        let Some(item) = self.begin() else { return };
        self.counts.ignored += 1;
        let common = self.letter_common(item, scope);
        let record_bytes = i64::try_from(bytes).ok();
        let row = LetterRow { common, reason: name, detail: None, record_bytes, offset_end: None };
        self.put_letter(EventKind::Ignored, row);
    }

    /// A dead letter as an item of its own.
    pub(crate) fn dead(&mut self, scope: Option<&Scope<'_>>, fail: Fail, bytes: usize) {
        if let Some(item) = self.begin() {
            self.letter(item, scope, fail, i64::try_from(bytes).ok());
        }
    }

    /// A dead letter at an item that has its number.
    pub(crate) fn dead_at(&mut self, item: i32, scope: &Scope<'_>, fail: Fail, value: Value<'_>) {
        self.dead_of(item, scope, fail, value.raw().len());
    }

    /// The same of an item of so many bytes.
    pub(crate) fn dead_of(&mut self, item: i32, scope: &Scope<'_>, fail: Fail, bytes: usize) {
        self.letter(item, Some(scope), fail, i64::try_from(bytes).ok());
    }

    /// A gap from this record's offset on.
    pub(crate) fn gap(&mut self, to: Offset, reason: &'static str) {
        let common = self.letter_common(0, None);
        let offset_end = Some(to);
        let row = LetterRow { common, reason, detail: None, record_bytes: None, offset_end };
        self.put_letter(EventKind::Gap, row);
    }

    fn letter(&mut self, item: i32, scope: Option<&Scope<'_>>, fail: Fail, bytes: Option<i64>) {
        self.counts.dead_letters += 1;
        if self.notes.kept.len() < NOTES_MAX {
            self.notes.kept.push(DeadLetterNote {
                source: self.source.clone(),
                partition: self.place.partition,
                offset: self.place.offset,
                item,
                reason: fail.reason,
                detail: fail.detail.clone(),
            });
        } else {
            self.notes.dropped += 1;
        }
        let common = self.letter_common(item, scope);
        let detail = Some(fail.detail.into_boxed_str());
        let reason = fail.reason.name();
        let row = LetterRow { common, reason, detail, record_bytes: bytes, offset_end: None };
        self.put_letter(EventKind::DeadLetter, row);
    }

    /// Letters are under the date of ingest.
    fn put_letter(&mut self, kind: EventKind, row: LetterRow) {
        self.rows.letter((kind, self.read_time.day()), row);
    }

    /// Letters bear the record's time; ids too long are left out.
    fn letter_common(&mut self, item: i32, scope: Option<&Scope<'_>>) -> Common {
        let account = scope.and_then(Scope::account);
        let sender = scope.and_then(Scope::sender);
        let mut intern = |id: Option<Cow<'_, str>>| id.map(|id| self.rows.strings.intern(&id));
        let (waba_id, sender) = (intern(account), intern(sender));
        Common {
            waba_id,
            sender,
            peer_phone: None,
            peer_user: None,
            time: self.place.time,
            message: None,
            source: self.place.source,
            partition: self.place.partition,
            offset: self.place.offset,
            item,
        }
    }
}
