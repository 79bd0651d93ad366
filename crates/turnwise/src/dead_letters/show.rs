//! `dead-letters show`: a record's content, on the terminal of who asks and nowhere else (law 1).

use std::io::IsTerminal as _;

use anyhow::anyhow;

use super::letters::Filter;
use super::source::{Answer, Records as _, Source};
use crate::args::ShowLetterArgs;
use crate::config;
use crate::exit::{self, Failure, Outcome};

/// Letters of one record that are named.
const NAMED_MAX: usize = 1_000;

/// Runs the command.
pub(crate) fn run(args: &ShowLetterArgs) -> Outcome {
    if !std::io::stdout().is_terminal() {
        let text = "content is shown on a terminal only: it must not land in a file or a pipe";
        return Err(Failure::usage(text));
    }
    let config = config::read(&args.config)?;
    let kafka = config.kafka.as_ref();
    let kafka = kafka.ok_or_else(|| Failure::usage("the configuration has no [kafka]"))?;
    let lake = super::open(&config)?;
    let filter = Filter { reason: None, place: Some(args.position.clone()), limit: NAMED_MAX };
    for letter in super::read(&lake, &filter)? {
        let detail = letter.detail.unwrap_or_default();
        exit::complain(&format!("item {}: {}: {detail}", letter.item, letter.reason));
    }
    let mut source = Source::new(kafka)?;
    let failed = |reason: &str| anyhow!("read {}: {reason}", args.position);
    let found = match source.record(&args.position) {
        Answer::Record(found) => found,
        Answer::Gone => return Err(failed("the broker no longer has this record").into()),
        Answer::Unreadable(reason) | Answer::Unreached(reason) => {
            return Err(failed(&reason).into());
        }
    };
    match found.value {
        Some(value) => exit::print(&(printable(&value) + "\n")),
        None => exit::print("(no value)\n"),
    }
}

/// The bytes as text that moves no cursor: control characters and what is no UTF-8 are escaped.
fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() && letter != '\n' && letter != '\t' {
                text.extend(letter.escape_default());
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_a_cursor_is_escaped() {
        assert_eq!(printable(b"a\x1b[2J\xffb\n\xc3\xa9"), "a\\u{1b}[2J\\xffb\n\u{e9}");
    }
}
