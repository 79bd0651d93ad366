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
mod panics;
mod roles;
mod runtime;
mod scan;
mod secret;
mod sql;
mod stop;
mod table;
mod telemetry;
mod traffic;
mod writer;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command, ConfigCommand};
use exit::Outcome;
use roles::Role;
use stop::Stop;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    panics::keep_quiet();
    let arguments = Arguments::parse();
    let started = || {
        // First of all: a command that runs on may be told to end at any moment.
        let stop = if runs_on(&arguments.command) { Stop::on_signals()? } else { Stop::default() };
        telemetry::start(arguments.log, &arguments.log_level)?;
        Ok(stop)
    };
    match started().and_then(|stop| run(arguments.command, stop)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command, stop: Stop) -> Outcome {
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
        Command::Demo(args) => demo::run(&args, stop),
        Command::Up(args) => roles::run(Role::Up, config::read(&args.config)?, stop),
        Command::Ingest(args) => roles::run(Role::Ingest, config::read(&args.config)?, stop),
        Command::Derive(args) => roles::run(Role::Derive, config::read(&args.config)?, stop),
        Command::Serve(args) => roles::run(Role::Serve, config::read(&args.config)?, stop),
    }
}

/// Whether a command goes on until it is told to end; the others just end by a signal.
fn runs_on(command: &Command) -> bool {
    matches!(
        command,
        Command::Demo(_)
            | Command::Up(_)
            | Command::Ingest(_)
            | Command::Derive(_)
            | Command::Serve(_)
    )
}
