//! The binary: arguments, configuration, roles, telemetry, shutdown.
//!
//! Results go to standard output, everything else to standard error. Exit status: 0 done,
//! 1 failed or an input could not be read, 2 wrong usage or configuration.

#![forbid(unsafe_code)]

mod args;
mod clock;
mod config;
mod dead_letters;
mod demo;
mod exit;
mod formats;
mod roles;
mod runtime;
mod scan;
mod secret;
mod sql;
mod table;
mod telemetry;
mod traffic;
mod writer;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command, ConfigCommand};
use exit::Outcome;
use roles::Role;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = telemetry::start(arguments.log, &arguments.log_level);
    match started.and_then(|()| run(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Scan(args) => scan::run(&args),
        Command::Traffic(args) => traffic::run(&args),
        Command::Sql(args) => sql::run(&args),
        Command::DeadLetters { command } => dead_letters::run(&command),
        Command::Formats(args) => formats::run(&args),
        Command::Config { command: ConfigCommand::Check(args) } => {
            config::read(&args.config)?;
            exit::print("ok\n")
        }
        Command::Demo(args) => demo::run(&args),
        Command::Up(args) => roles::run(Role::Up, config::read(&args.config)?),
        Command::Ingest(args) => roles::run(Role::Ingest, config::read(&args.config)?),
        Command::Derive(args) => roles::run(Role::Derive, config::read(&args.config)?),
        Command::Serve(args) => roles::run(Role::Serve, config::read(&args.config)?),
    }
}
