//! `dead-letters`: what could not be read, looked at again where it came from.
//!
//! ```text
//!  lake ─▶ letters (positions, reasons) ─▶ list
//!             │ position
//!             ▼
//!  Kafka ─▶ the record ─┬─▶ show: the terminal of who asks, nowhere else
//!                       └─▶ decoder ─▶ rows of the dead items ─▶ events     requeue
//! ```
//!
//! The lake holds no content, so a record is read again from its topic for as long as the broker
//! keeps it. What is requeued goes in under a transaction of each dead item's own position, so that
//! doing it twice, or two doing it at once, adds nothing twice. Nor are good siblings added again:
//! [`known`] says how items are told apart, and what is refused because they cannot be.

mod known;
mod letters;
mod lookup;
mod place;
mod requeue;
mod show;
mod source;
mod tally;
#[cfg(test)]
mod testing;

use anyhow::Context as _;
use turnwise_lake::Lake;

use crate::args::{DeadLettersCommand, LettersArgs};
use crate::config::{self, Config};
use crate::exit::{self, Failure, Outcome};
use crate::{secret, sql, writer};
use letters::{Filter, Letter};

pub(crate) use place::Place;

/// Runs one of the commands.
pub(crate) fn run(command: &DeadLettersCommand) -> Outcome {
    match command {
        DeadLettersCommand::List(args) => list(args),
        DeadLettersCommand::Show(args) => show::run(args),
        DeadLettersCommand::Requeue(args) => requeue::run(args),
    }
}

fn list(args: &LettersArgs) -> Outcome {
    let lake = match (&args.config, &args.lake) {
        (Some(file), None) => open(&config::read(file)?)?,
        (None, Some(folder)) => {
            if !folder.join(writer::EVENTS).is_dir() {
                return Err(Failure::usage(format!("there is no lake at {}", folder.display())));
            }
            let location = folder.to_str().context("open lake: its path is not UTF-8")?;
            Lake::open(location, &Default::default()).context("open lake")?
        }
        _ => return Err(Failure::usage("name the lake with --config FILE or --lake DIR")),
    };
    let filter = Filter { reason: args.reason, place: None, limit: args.limit };
    let found = read(&lake, &filter)?;
    exit::print(&sql::rendered(&[letters::batch(&found)?], args.format)?)?;
    if found.len() == args.limit {
        exit::complain(&format!("the first {} are shown; --limit shows more", args.limit));
    }
    Ok(())
}

/// The letters of a lake that pass, each with whether it was requeued.
fn read(lake: &Lake, filter: &Filter) -> anyhow::Result<Vec<Letter>> {
    letters::read(lake, filter).context("read dead letters")
}

/// The lake of a configuration, if it is under the configured secret.
fn open(config: &Config) -> Outcome<Lake> {
    let lake = Lake::open(&config.lake_location, &config.lake_options)
        .with_context(|| format!("open lake {}", config.lake_location))?;
    secret::check(&lake, &keys(config)?)?;
    Ok(lake)
}

fn keys(config: &Config) -> Outcome<turnwise_model::Keys> {
    let local = crate::roles::local_folder(&config.lake_location);
    secret::read(&config.secret_file, local.as_deref())
}
