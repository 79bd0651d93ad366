//! The oracle's own decoder: webhooks and send records to rows with every column of `events`,
//! written from the documents as loops over a tree. It shares ids, codes, limits and keys with
//! the program, and the phrase and unit tables that are data; no other code.
//!
//! ```text
//! record bytes ─▶ json ─▶ webhook ─┬▶ message, status ─▶ shape ─┬▶ raw rows
//!                    └──▶ send ────┴▶ account ──────────────────┘
//! ```

mod account;
mod country;
mod json;
mod meant;
mod message;
mod owner;
mod people;
mod row;
mod send;
mod shape;
mod status;
mod webhook;

use turnwise_model::limits::{RECORD_BYTES_MAX, RECORD_ITEMS_MAX};
use turnwise_model::schema::column as c;
use turnwise_model::time::{EARLIEST, FUTURE_SLACK_MS};
use turnwise_model::{EventKind, Keys};

use json::{Fault, Json, Node};
use meant::{Id, Time};

pub use row::{Cell, RawRow, raw_rows};
pub use shape::{Shape, shape};

/// Where a record stands, and when.
#[derive(Clone, Debug)]
pub struct Place {
    /// The input.
    pub source: String,
    /// Its partition.
    pub partition: i32,
    /// The record in it.
    pub offset: i64,
    /// The record's own time, else when reading began, in milliseconds.
    pub time: i64,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A webhook.
    Webhook,
    /// The gateway's record of a send.
    Send,
}

/// The rows of a record, in order.
#[must_use]
pub fn decode(keys: &Keys, form: Form, place: &Place, bytes: &[u8]) -> Vec<RawRow> {
    let mut record = Record { keys, place, rows: Vec::new(), items: 0, is_full: false };
    match read(bytes) {
        Err(letter) => record.letter(&Scope::default(), letter, bytes.len()),
        Ok(text) => match json::parse(text) {
            Err(fault) => {
                let letter = match fault {
                    Fault::Invalid(at) => Letter::new("invalid_json", "record", at_byte(at)),
                    Fault::TooDeep(at) => Letter::new("nested_too_deep", "record", more(at)),
                };
                record.letter(&Scope::default(), letter, bytes.len());
            }
            Ok(root) => {
                match form {
                    Form::Webhook => webhook::record(&mut record, &root),
                    Form::Send => send::record(&mut record, &root),
                }
                if record.items == 0 {
                    record.ignored(&Scope::default(), "empty", bytes.len());
                }
            }
        },
    }
    record.rows
}

/// The elements of a list, or the one value, with their paths. Of elements without content (no
/// objects, or objects without a pair) the first of either kind stands for all of it.
fn elements<'a, 'b>(root: &'b Json<'a>) -> Vec<(String, &'b Json<'a>)> {
    let Node::Array(items) = &root.node else { return vec![(String::new(), root)] };
    let is_other = |item: &Json<'_>| !item.is_object();
    let is_hollow = |item: &Json<'_>| matches!(&item.node, Node::Object(all) if all.is_empty());
    let (other, hollow) = (items.iter().position(is_other), items.iter().position(is_hollow));
    let stands = |at: usize, item: &Json<'_>| {
        let is_nothing = is_other(item) || is_hollow(item);
        !is_nothing || other == Some(at) || hollow == Some(at)
    };
    let paths = items.iter().enumerate().filter(|(at, item)| stands(*at, item));
    paths.map(|(at, item)| (format!("[{at}]"), item)).collect()
}

fn at_byte(at: usize) -> String {
    format!("an error at byte {at}")
}

fn more(at: usize) -> String {
    format!("more at byte {at}")
}

/// Bytes to text.
fn read(bytes: &[u8]) -> Result<&str, Letter> {
    let found = |reason, found: String| Err(Letter::new(reason, "record", found));
    if bytes.len() > RECORD_BYTES_MAX {
        return found("record_too_large", bytes.len().to_string());
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return found("empty", "nothing".to_owned());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => found("invalid_utf8", format!("other bytes at byte {}", error.valid_up_to())),
    }
}

/// Why something is a dead letter: reason, where, and what was found there.
#[derive(Clone, Debug)]
struct Letter {
    reason: &'static str,
    path: String,
    found: String,
}

impl Letter {
    fn new(reason: &'static str, path: &str, found: impl Into<String>) -> Self {
        Self { reason, path: path.to_owned(), found: found.into() }
    }

    /// At a key below a path, with the type of what stands there.
    fn at(reason: &'static str, path: &str, key: &str, value: Option<&Json<'_>>) -> Self {
        let path = match (path.is_empty(), key.is_empty()) {
            (true, true) => "record".to_owned(),
            (true, false) => key.to_owned(),
            (false, true) => path.to_owned(),
            (false, false) => format!("{path}.{key}"),
        };
        Self { reason, path, found: value.map_or("nothing", Json::type_name).to_owned() }
    }
}

/// The account and number that an item belongs to, as far as they are told.
#[derive(Clone, Debug)]
struct Scope {
    waba_id: Id,
    sender: Id,
}

impl Default for Scope {
    fn default() -> Self {
        Self { waba_id: Id::Absent, sender: Id::Absent }
    }
}

/// A record that is being decoded.
struct Record<'a> {
    keys: &'a Keys,
    place: &'a Place,
    rows: Vec<RawRow>,
    items: usize,
    is_full: bool,
}

impl Record<'_> {
    /// The number of the next item; none where the record has more than it may.
    fn next_item(&mut self) -> Option<i32> {
        if self.items < RECORD_ITEMS_MAX {
            self.items += 1;
            return i32::try_from(self.items - 1).ok();
        }
        if !self.is_full {
            self.is_full = true;
            let item = i32::try_from(self.items).unwrap_or(i32::MAX);
            let letter = Letter::new("too_many_items", "record", "more");
            self.letter_at(item, &Scope::default(), letter, None);
        }
        None
    }

    /// An item: its rows, or the letter that it is.
    fn item<R: IntoIterator<Item = RawRow>>(
        &mut self,
        scope: &Scope,
        bytes: usize,
        made: impl FnOnce(&Self, i32) -> Result<R, Letter>,
    ) {
        let Some(item) = self.next_item() else { return };
        match made(self, item) {
            Ok(rows) => self.rows.extend(rows),
            Err(letter) => self.letter_at(item, scope, letter, Some(bytes)),
        }
    }

    /// A row with what every row has.
    fn row(&self, kind: EventKind, item: i32, scope: &Scope, time: i64) -> RawRow {
        let mut row = RawRow::new(kind);
        row.set_text(c::WABA_ID, scope.waba_id.known());
        row.set_text(c::SENDER, scope.sender.known());
        row.set(c::TIME, Some(time * 1_000));
        row.set_text(c::SOURCE, Some(&self.place.source));
        row.set(c::PARTITION, Some(self.place.partition));
        row.set(c::OFFSET, Some(self.place.offset));
        row.set(c::ITEM, Some(item));
        row
    }

    fn ignored(&mut self, scope: &Scope, name: &str, bytes: usize) {
        let Some(item) = self.next_item() else { return };
        let mut row = self.row(EventKind::Ignored, item, scope, self.place.time);
        row.set_text(c::REASON, Some(name));
        row.set(c::RECORD_BYTES, i64::try_from(bytes).ok());
        self.rows.push(row);
    }

    /// A dead letter that is an item of its own.
    fn letter(&mut self, scope: &Scope, letter: Letter, bytes: usize) {
        if let Some(item) = self.next_item() {
            self.letter_at(item, scope, letter, Some(bytes));
        }
    }

    fn letter_at(&mut self, item: i32, scope: &Scope, letter: Letter, bytes: Option<usize>) {
        let mut row = self.row(EventKind::DeadLetter, item, scope, self.place.time);
        row.set_text(c::REASON, Some(letter.reason));
        // How it is worded is the program's own affair: where and what was found is compared.
        row.set_text(c::DETAIL, Some(&format!("{}: found {}", letter.path, letter.found)));
        row.set(c::RECORD_BYTES, bytes.and_then(|bytes| i64::try_from(bytes).ok()));
        self.rows.push(row);
    }

    /// Ids that are no longer than ids may be.
    fn check_scope(&self, scope: &Scope, path: &str) -> Result<(), Letter> {
        let too_long = |key| Letter {
            reason: "id_too_long",
            path: Letter::at("", path, key, None).path,
            found: "string".to_owned(),
        };
        match (&scope.sender, &scope.waba_id) {
            (Id::TooLong, _) => Err(too_long("phone_number_id")),
            (_, Id::TooLong) => Err(too_long("waba_id")),
            _ => Ok(()),
        }
    }

    /// The number, which a message, status or send must have.
    fn sender<'s>(&self, scope: &'s Scope, path: &str) -> Result<&'s str, Letter> {
        self.check_scope(scope, path)?;
        scope.sender.known().ok_or_else(|| Letter::at("no_sender", path, "", None))
    }

    /// A time that is there, from 2016 to an hour after the record's.
    fn time(&self, path: &str, key: &str, value: Option<&Json<'_>>) -> Result<i64, Letter> {
        match meant::time(value) {
            Time::Absent => Err(Letter::at("no_time", path, key, value)),
            Time::Unreadable => Err(Letter::at("wrong_type", path, key, value)),
            Time::At(time) => self.in_range(path, key, time),
        }
    }

    fn in_range(&self, path: &str, key: &str, time: i64) -> Result<i64, Letter> {
        let found = if time < EARLIEST.0 {
            "an earlier one"
        } else if time > self.place.time + FUTURE_SLACK_MS {
            "a later one"
        } else {
            return Ok(time);
        };
        let mut letter = Letter::at("time_out_of_range", path, key, None);
        letter.found = found.to_owned();
        Err(letter)
    }

    /// The pseudonym of a message: of its id, else of the item's own bytes.
    fn message(&self, sender: &str, path: &str, own: Id, item: &Json<'_>) -> Result<i64, Letter> {
        match own {
            Id::Known(id) => Ok(self.keys.message(sender, &id).0),
            Id::Absent => Ok(self.keys.item(sender, item.raw.as_bytes()).0),
            Id::TooLong => {
                let mut letter = Letter::at("id_too_long", path, "id", None);
                letter.found = "string".to_owned();
                Err(letter)
            }
        }
    }

    fn check_person(&self, path: &str, person: &people::Person) -> Result<(), Letter> {
        if person.too_long {
            let mut letter = Letter::at("id_too_long", path, "", None);
            letter.found = "string".to_owned();
            return Err(letter);
        }
        Ok(())
    }
}
