//! Rows as webhooks of the platform, one record a message and one line a record: inbound messages
//! as such, outbound ones as echoes.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::whole;
use crate::data::{Row, kind, write_text};
use crate::rng::mix2;

/// Phones that peers may have: so many that hardly two of a number share one.
const PHONES: u64 = 10_000_000_000_000;

/// Writes the rows, in the order they are in, as JSON lines.
///
/// # Errors
/// A disk that is full or cannot be written.
pub fn write_webhooks(rows: &[Row], path: &Path) -> Result<()> {
    whole(path, |file| {
        let mut writer = WebhookWriter::default();
        for row in rows {
            file.write_all(writer.record(row)).context("write webhooks")?;
            file.write_all(b"\n").context("write webhooks")?;
        }
        Ok(())
    })
}

/// Writes records; keeps its buffers.
#[derive(Default)]
pub struct WebhookWriter {
    record: Vec<u8>,
    text: String,
}

impl WebhookWriter {
    /// The webhook of a row, without a line feed.
    #[must_use]
    pub fn record(&mut self, row: &Row) -> &[u8] {
        self.record.clear();
        self.envelope(row);
        if row.direction == 0 {
            self.inbound(row);
        } else {
            self.echo(row);
        }
        self.body(row);
        self.raw("}]}}]}]}");
        &self.record
    }

    fn envelope(&mut self, row: &Row) {
        let waba = waba_id(row);
        let field = if row.direction == 0 { "messages" } else { "smb_message_echoes" };
        self.raw(&format!(
            "{{\"object\":\"whatsapp_business_account\",\"entry\":[{{\"id\":\"{waba}\",\
             \"changes\":[{{\"field\":\"{field}\",\"value\":{{\"messaging_product\":\"whatsapp\",\
             \"metadata\":{{\"display_phone_number\":\"{}\",\"phone_number_id\":\"{}\"}},",
            business_phone(row),
            row.number
        ));
    }

    fn inbound(&mut self, row: &Row) {
        let (phone, user) = (phone(row), mix2(row.number, row.peer));
        self.raw(&format!(
            "\"contacts\":[{{\"profile\":{{\"name\":\"Customer {}\"}},\"wa_id\":\"{phone}\",\
             \"user_id\":\"DE.{user:020}\"}}],\
             \"messages\":[{{\"from\":\"{phone}\",\"from_user_id\":\"DE.{user:020}\",",
            row.peer % 9_973
        ));
        self.head(row);
    }

    fn echo(&mut self, row: &Row) {
        let (from, to) = (business_phone(row), phone(row));
        self.raw(&format!("\"message_echoes\":[{{\"from\":\"{from}\",\"to\":\"{to}\","));
        self.head(row);
    }

    fn head(&mut self, row: &Row) {
        let seconds = row.ts_ms / 1_000;
        self.raw(&format!("\"id\":\"{}\",\"timestamp\":\"{seconds}\"", wamid(row)));
    }

    fn body(&mut self, row: &Row) {
        match row.kind {
            kind::TEXT => {
                let mut text = std::mem::take(&mut self.text);
                text.clear();
                write_text(row, &mut text);
                self.raw(",\"type\":\"text\",\"text\":{\"body\":\"");
                self.escaped(&text);
                self.raw("\"}");
                self.text = text;
            }
            kind::BUTTON => self
                .raw(",\"type\":\"button\",\"button\":{\"text\":\"Yes\",\"payload\":\"confirm\"}"),
            kind::VOICE => self.media("audio", "audio/ogg; codecs=opus", ",\"voice\":true", row),
            kind::IMAGE => self.media("image", "image/jpeg", "", row),
            kind::TEMPLATE => self.raw(
                ",\"type\":\"template\",\"template\":{\"name\":\"order_update\",\
                 \"language\":{\"code\":\"en\"}}",
            ),
            kind::INTERACTIVE => self.raw(
                ",\"type\":\"interactive\",\"interactive\":{\"type\":\"button\",\
                 \"body\":{\"text\":\"Menu\"},\"action\":{\"buttons\":[]}}",
            ),
            _ => self.media("sticker", "image/webp", ",\"animated\":false", row),
        }
    }

    fn media(&mut self, name: &str, mime: &str, more: &str, row: &Row) {
        let id = row.identity();
        self.raw(&format!(
            ",\"type\":\"{name}\",\"{name}\":{{\"id\":\"{}\",\"mime_type\":\"{mime}\",\
             \"sha256\":\"{id:016x}{:016x}\"{more}}}",
            id >> 14,
            id.rotate_left(32)
        ));
    }

    fn raw(&mut self, text: &str) {
        self.record.extend_from_slice(text.as_bytes());
    }

    /// The texts have line feeds and no other character that JSON escapes.
    fn escaped(&mut self, text: &str) {
        for (nth, line) in text.split('\n').enumerate() {
            if nth > 0 {
                self.raw("\\n");
            }
            self.raw(line);
        }
    }
}

/// The account of a row's number.
pub(super) fn waba_id(row: &Row) -> String {
    format!("9{:014}", row.number % 1_000_003)
}

/// The platform's id of the message.
pub(super) fn wamid(row: &Row) -> String {
    format!("wamid.HBgM{:016X}FQIAEhgU{:016X}AA==", mix2(row.peer, row.number), row.identity())
}

/// The peer's number.
pub(super) fn phone(row: &Row) -> String {
    format!("49{:013}", row.peer % PHONES)
}

fn business_phone(row: &Row) -> String {
    format!("1555{:07}", row.number % 9_999_991)
}
