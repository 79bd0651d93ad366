//! `formats`: the formats of input by name, and what each can carry.

use anyhow::Context as _;
use serde_json::{Value, json};
use turnwise_codec::{Aspect, FORMATS, FormatInfo};

use crate::args::{Form, FormatsArgs};
use crate::exit::{self, Outcome};
use crate::table;

/// The columns before those of what is carried, and the one behind them.
const HEADER: [&str; 4] = ["format", "wire", "title", "sender"];
const NOTE: &str = "note";

/// Runs the command.
pub(crate) fn run(args: &FormatsArgs) -> Outcome {
    exit::print(&text(args.format)?)
}

fn text(form: Form) -> anyhow::Result<String> {
    Ok(match form {
        Form::Table => tables(),
        Form::Csv => std::iter::once(header())
            .chain(FORMATS.iter().map(cells))
            .map(|row| table::csv_line(&row))
            .collect(),
        Form::Json => {
            let formats: Vec<Value> = FORMATS.iter().map(object).collect();
            serde_json::to_string_pretty(&formats).context("write JSON")? + "\n"
        }
    })
}

/// What each is, then what each carries: one table of both would be too wide to read.
fn tables() -> String {
    let header: Vec<String> =
        [&HEADER[..], &[NOTE]].concat().iter().map(ToString::to_string).collect();
    let what: Vec<Vec<String>> = FORMATS.iter().map(about).collect();
    let names = std::iter::once(HEADER[0]).chain(Aspect::ALL.iter().map(|aspect| aspect.name()));
    let names: Vec<String> = names.map(|name| name.replace('_', " ")).collect();
    let carried: Vec<Vec<String>> = FORMATS
        .iter()
        .map(|info| std::iter::once(info.name.to_owned()).chain(marks(info)).collect())
        .collect();
    table::columns(&header, &what) + "\n" + &table::columns(&names, &carried)
}

fn header() -> Vec<String> {
    let aspects = Aspect::ALL.iter().map(|aspect| aspect.name());
    HEADER.into_iter().chain(aspects).chain([NOTE]).map(|name| name.replace(' ', "_")).collect()
}

fn cells(info: &FormatInfo) -> Vec<String> {
    let mut cells = about(info);
    let note = cells.pop();
    cells.into_iter().chain(marks(info)).chain(note).collect()
}

fn about(info: &FormatInfo) -> Vec<String> {
    [info.name, info.wire.name(), info.title, info.sender, info.note].map(str::to_owned).to_vec()
}

fn marks(info: &FormatInfo) -> impl Iterator<Item = String> {
    Aspect::ALL
        .iter()
        .map(|aspect| if info.format.carries(*aspect) { "yes" } else { "-" }.to_owned())
}

fn object(info: &FormatInfo) -> Value {
    let named = |carried: bool| -> Vec<&str> {
        let all = Aspect::ALL.iter().filter(|aspect| info.format.carries(**aspect) == carried);
        all.map(|aspect| aspect.name()).collect()
    };
    json!({
        "format": info.name,
        "title": info.title,
        "wire": info.wire.name(),
        "sender": info.sender,
        "carries": named(true),
        "cannot_carry": named(false),
        "note": info.note,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_every_format_and_what_it_carries() {
        let table = text(Form::Table).expect("a text");
        let csv = text(Form::Csv).expect("a text");
        let json: Value = serde_json::from_str(&text(Form::Json).expect("a text")).expect("JSON");
        assert_eq!(csv.lines().count(), FORMATS.len() + 1);
        for info in FORMATS {
            let lines = table.lines().filter(|line| line.starts_with(&format!("{} ", info.name)));
            assert_eq!(lines.count(), 2, "{}", info.name);
        }
        let twilio = json.as_array().expect("a list").iter().find(|one| one["format"] == "twilio");
        let twilio = twilio.expect("there");
        assert_eq!(twilio["wire"], "form");
        assert_eq!(twilio["carries"][0], "inbound");
        let lacks = twilio["cannot_carry"].as_array().expect("a list");
        assert!(lacks.iter().any(|aspect| aspect == "prices"));
    }
}
