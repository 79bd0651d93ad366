//! The command line: names and forms that people and scripts rely on.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use turnwise_codec::{Format, Reason};
use turnwise_model::{Day, Millis};

use crate::dead_letters::Place;

/// The folder of the demo's lake, and so the lake that `sql` reads unless told otherwise.
pub(crate) const DEMO_DIR: &str = "turnwise-data/demo";

/// Our own doings; the table format's kernel tells of every step that it takes, and Kafka's client
/// closes a queue once more than there is one to close, which it calls an error.
const LOG_LEVEL: &str = "info,delta_kernel=warn,delta_kernel_default_engine=warn,\
                         rdkafka::consumer::base_consumer=off";

/// What the command says of itself.
const ABOUT: &str =
    "Says which business numbers behave like general-purpose AI assistants, and why";

/// Says which business numbers behave like general-purpose AI assistants, and why.
#[derive(Debug, Parser)]
#[command(name = "turnwise", version, about = ABOUT, propagate_version = true)]
pub(crate) struct Arguments {
    /// The form of what is logged to standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogForm::Text)]
    pub(crate) log: LogForm,
    /// What is logged: a level, or levels by module as in `info,turnwise=debug`.
    #[arg(long, global = true, env = "TURNWISE_LOG", default_value = LOG_LEVEL)]
    pub(crate) log_level: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show it all on generated traffic: nothing to configure, no broker to install.
    Demo(DemoArgs),
    /// Judge the senders of files of webhooks and send records.
    Scan(ScanArgs),
    /// Write generated traffic and the truth about it to files.
    Traffic(TrafficArgs),
    /// Run all roles in one process.
    Up(RoleArgs),
    /// Read topics into the lake.
    Ingest(RoleArgs),
    /// Keep the derived tables.
    Derive(RoleArgs),
    /// Answer questions about flagged senders.
    Serve(RoleArgs),
    /// About the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Ask the lake.
    Sql(SqlArgs),
    /// What could not be read: list it, look at it, read it again.
    DeadLetters {
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
    /// Name the formats of input, and what each can carry.
    Formats(FormatsArgs),
}

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End when the verdicts are there.
    #[arg(long)]
    pub(crate) once: bool,
    /// The folder of its lake.
    #[arg(long, default_value = DEMO_DIR)]
    pub(crate) dir: PathBuf,
    /// The seed of the traffic.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Messages to generate.
    #[arg(long, default_value_t = 120_000)]
    pub(crate) messages: u64,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = DemoForm::Table)]
    pub(crate) format: DemoForm,
}

/// Forms that `demo` answers in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoForm {
    /// Columns.
    Table,
    /// An array of senders.
    Json,
}

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Columns for people.
    Table,
    /// JSON.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// `scan`.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Files of webhooks and send records: JSON lines, JSON documents, forms a line each, or
    /// protobuf records with their lengths before them; plain, gz or zst; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// The format of all records, as `turnwise formats` names it; told record by record by their
    /// content unless given.
    #[arg(long, value_name = "FORMAT", default_value_t = Format::Auto)]
    pub(crate) input: Format,
    /// The lake to add to; a temporary one unless given.
    #[arg(long, value_name = "DIR", requires = "secret_file")]
    pub(crate) lake: Option<PathBuf>,
    /// Judge as of this time (RFC 3339, or a date for its first instant): later rows are left out.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) as_of: Option<Millis>,
    /// The secret of the pseudonyms, outside the lake; made where it is missing.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_file: Option<PathBuf>,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    pub(crate) format: Form,
}

/// `traffic`.
#[derive(Debug, Args)]
pub(crate) struct TrafficArgs {
    /// The folder to write `webhooks.jsonl`, `send-log.jsonl` and `truth.tsv` to.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Messages to generate.
    #[arg(long)]
    pub(crate) messages: u64,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Senders; by size unless given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) senders: Option<u32>,
    /// The end of the traffic (RFC 3339 or a date); a fixed date in the past unless given.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) end: Option<Millis>,
}

/// `up`, `ingest`, `derive`, `serve`.
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    /// The configuration; `TURNWISE_SECTION__KEY` in the environment overrides it.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// `config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Name every mistake of a configuration.
    Check(RoleArgs),
}

/// `sql`.
#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// The statement: one that only reads.
    pub(crate) statement: String,
    /// The lake.
    #[arg(long, value_name = "DIR", default_value = DEMO_DIR)]
    pub(crate) lake: PathBuf,
    /// In place of a lake a Parquet file of bare messages, or a folder of such files: who wrote to
    /// whom, when, which way and of what kind. `messages` are then its rows, repeats among them,
    /// and `conversations` is made of these.
    #[arg(long, value_name = "PATH", conflicts_with = "lake")]
    pub(crate) messages: Option<PathBuf>,
    /// The names of its columns: sender, peer, milliseconds since 1970 or a timestamp, direction
    /// (0 from the peer, 1 to it), kind (0 text, 1 button, 2 voice, 3 image, 4 template,
    /// 5 interactive, 6 other).
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "number_id,peer_id,ts_ms,direction,kind",
        requires = "messages"
    )]
    pub(crate) columns: Vec<String>,
    /// The name of a column of texts: in its place `messages` has the shape of each text (`chars`,
    /// `bytes`, `words`, `lines`, `script`, `question`, `opener`, `greeting`, `digits`,
    /// `open_ended`, `markdown`, `list`, `code`, `url`). Statements see no text.
    #[arg(long, value_name = "NAME", requires = "messages")]
    pub(crate) text: Option<String>,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    pub(crate) format: Form,
}

/// `dead-letters …`.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Positions and reasons, from the lake.
    List(LettersArgs),
    /// The content of one record, read again from Kafka, on this terminal only.
    Show(ShowLetterArgs),
    /// Decode dead items again, and commit those that can be read by now. Doing it twice adds
    /// nothing twice.
    Requeue(RequeueArgs),
}

/// `dead-letters list`.
#[derive(Debug, Args)]
pub(crate) struct LettersArgs {
    /// The configuration that names the lake.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The lake, instead.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    pub(crate) lake: Option<PathBuf>,
    /// Only those with this reason.
    #[arg(long, value_parser = parse_reason)]
    pub(crate) reason: Option<Reason>,
    /// At most so many.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) limit: usize,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    pub(crate) format: Form,
}

/// `formats`.
#[derive(Debug, Args)]
pub(crate) struct FormatsArgs {
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    pub(crate) format: Form,
}

/// `dead-letters show`.
#[derive(Debug, Args)]
pub(crate) struct ShowLetterArgs {
    /// SOURCE:PARTITION:OFFSET, as `list` prints it.
    pub(crate) position: Place,
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// `dead-letters requeue`.
#[derive(Debug, Args)]
pub(crate) struct RequeueArgs {
    /// Records, as `list` prints their positions.
    pub(crate) positions: Vec<Place>,
    /// All with this reason.
    #[arg(long, value_parser = parse_reason)]
    pub(crate) reason: Option<Reason>,
    /// All there are.
    #[arg(long)]
    pub(crate) all: bool,
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// A dead letter's reason by its name.
fn parse_reason(text: &str) -> Result<Reason, String> {
    let found = Reason::ALL.iter().find(|reason| reason.name() == text);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// An RFC 3339 time, or a date for its first instant.
pub(crate) fn parse_time(text: &str) -> Result<Millis, String> {
    if let Some(day) = Day::parse_iso(text) {
        return Ok(day.start());
    }
    let wrong = || format!("`{text}` is no time such as 2026-11-15T00:00:00Z or 2026-11-15");
    let (date, rest) = text.split_once(['T', 't', ' ']).ok_or_else(wrong)?;
    let day = Day::parse_iso(date).ok_or_else(wrong)?;
    let zone_at = rest.find(['Z', 'z', '+', '-']).ok_or_else(wrong)?;
    let (clock, zone) = rest.split_at(zone_at);
    let of_day_ms = parse_clock(clock).ok_or_else(wrong)?;
    let offset_min = parse_zone(zone).ok_or_else(wrong)?;
    Ok(Millis(day.start().0 + of_day_ms - offset_min * 60_000))
}

/// `HH:MM:SS`, maybe with a fraction, in milliseconds.
fn parse_clock(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = whole.split(':').map(two_digits);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 || !digits {
        return None;
    }
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis.parse::<i64>().ok()?)
}

/// `Z` or `±HH:MM`, in minutes east of UTC.
fn parse_zone(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

fn two_digits(text: &str) -> Option<i64> {
    let fine = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    fine.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_rfc3339_or_dates() {
        let check = |text: &str, expected: Option<&str>| {
            let found = parse_time(text).ok().map(Millis::rfc3339);
            assert_eq!(found.as_deref(), expected, "{text}");
        };
        check("2026-11-15", Some("2026-11-15T00:00:00.000Z"));
        check("2026-11-15T10:20:30Z", Some("2026-11-15T10:20:30.000Z"));
        check("2026-11-15T10:20:30.1239z", Some("2026-11-15T10:20:30.123Z"));
        check("2026-11-15 00:20:30.5+02:30", Some("2026-11-14T21:50:30.500Z"));
        check("2026-11-15T10:20:30-01:00", Some("2026-11-15T11:20:30.000Z"));
        for wrong in ["", "today", "2026-13-01", "2026-11-15T10:20:30", "2026-11-15T24:00:00Z"] {
            check(wrong, None);
        }
        check("2026-11-15T1:2:3Z", None);
        check("2026-11-15T10:20:30+2", None);
    }

    #[test]
    fn lake_needs_a_secret_file() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        assert!(parse("turnwise scan a.jsonl --lake l").is_err());
        assert!(parse("turnwise scan a.jsonl - --lake l --secret-file s --log json").is_ok());
        assert!(parse("turnwise scan").is_err());
        assert!(parse("turnwise scan a --input twilio").is_ok());
        assert!(parse("turnwise scan a --input telex").is_err());
        assert!(parse("turnwise formats --format json").is_ok());
        assert!(parse("turnwise traffic --out o").is_err());
        assert!(parse("turnwise traffic --out o --messages 9 --senders 0").is_err());
        assert!(parse("turnwise config check --config f").is_ok());
        assert!(parse("turnwise demo --once --format csv").is_err());
        assert!(parse("turnwise dead-letters list --lake l --reason no_time").is_ok());
        assert!(parse("turnwise dead-letters list --lake l --reason other").is_err());
        assert!(parse("turnwise dead-letters show a/b:0 --config f").is_err());
        assert!(parse("turnwise dead-letters requeue a/b:0:1 a/b:1:7 --config f").is_ok());
    }
}
