//! `cargo xtask`: the commands of the project.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::kafka::{Broker, BrokerOptions};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project tooling")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and run all tests beside a real Kafka broker.
    Test {
        /// Passed on to `cargo test --workspace`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// A Kafka broker for trying things out.
    Kafka {
        #[command(subcommand)]
        command: KafkaCommand,
    },
    /// Read the tables of a lake with other Delta readers and compare what they say.
    Readers {
        /// Folder of the lake; every table in it is read.
        #[arg(long)]
        lake: PathBuf,
    },
    /// Run the tests of the kernels watched by the address sanitizer.
    Sanitize,
    /// Measure the kernels, and queries A, B and C beside other engines.
    Bench(xtask::bench::Options),
}

#[derive(Subcommand)]
enum KafkaCommand {
    /// Run one broker in the foreground; its address is the first line of the output.
    Run {
        /// Port on the loopback address; a free one when absent.
        #[arg(long)]
        port: Option<u16>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<xtask::tools::Missing>() { 2 } else { 1 })
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Test { arguments } => xtask::suite::run(&arguments),
        Command::Kafka { command: KafkaCommand::Run { port } } => {
            let mut broker = Broker::start(BrokerOptions { port, ..BrokerOptions::default() })?;
            println!("{}", broker.bootstrap());
            broker.wait()?;
            Ok(ExitCode::FAILURE)
        }
        Command::Readers { lake } => xtask::readers::run(&lake),
        Command::Sanitize => xtask::sanitize::run(),
        Command::Bench(options) => xtask::bench::run(&options),
    }
}
