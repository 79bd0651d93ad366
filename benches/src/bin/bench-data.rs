//! Writes the data set's files and the oracle's answers into a folder; what is there stays.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use turnwise_benches::data::{Order, Plan, Row, VERSION, rows};
use turnwise_benches::files::{Texts, write_arrow, write_parquet, write_webhooks};
use turnwise_benches::oracle::{self, Query};

/// Writes files of the data set.
#[derive(Parser)]
struct Arguments {
    /// Messages of the data set.
    #[arg(long, default_value_t = Plan::MESSAGES)]
    messages: u64,
    /// Business numbers of the data set.
    #[arg(long, default_value_t = Plan::NUMBERS)]
    numbers: u64,
    /// Leave texts out of time.parquet; the other orders never have them.
    #[arg(long)]
    no_texts: bool,
    /// The folder of all data sets; the files go into one of its folders, which is printed.
    #[arg(long)]
    base: PathBuf,
    /// What to write: time.parquet, near.parquet, random.parquet, compacted.parquet, memory.arrow,
    /// webhooks.jsonl, sorted-lake, oracle-A.tsv, oracle-B.tsv, oracle-C.tsv.
    #[arg(required = true)]
    files: Vec<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let plan = Plan::new(arguments.messages, arguments.numbers);
    let texts = if arguments.no_texts { Texts::LeftOut } else { Texts::Written };
    let folder = arguments.base.join(folder_name(&plan, texts));
    std::fs::create_dir_all(&folder).context("create folder")?;
    let mut set = DataSet { plan, rows: None };
    for name in &arguments.files {
        let path = folder.join(name);
        if !path.exists() {
            eprintln!("writing {}", path.display());
            set.write(name, texts, &path).with_context(|| format!("write {name}"))?;
        }
    }
    println!("{}", folder.display());
    Ok(())
}

/// Data sets of other generators, sizes or columns have folders of their own.
fn folder_name(plan: &Plan, texts: Texts) -> String {
    let Plan { messages, numbers, .. } = plan;
    let columns = if texts == Texts::Written { "" } else { "-no-texts" };
    format!("v{VERSION}-{messages}-{numbers}{columns}")
}

/// The rows, made when the first file asks for them, in the order of the last.
struct DataSet {
    plan: Plan,
    rows: Option<(Order, Vec<Row>)>,
}

impl DataSet {
    fn write(&mut self, name: &str, texts: Texts, path: &Path) -> Result<()> {
        if let Some(query) = name.strip_prefix("oracle-").and_then(|rest| rest.strip_suffix(".tsv"))
        {
            let query = Query::from_name(query).context("find query")?;
            let answer = oracle::answer(query, &path.with_file_name("time.parquet"))?;
            return oracle::write(&answer, path);
        }
        match name {
            "memory.arrow" => write_arrow(self.rows(Order::Time), path),
            "webhooks.jsonl" => write_webhooks(self.rows(Order::Time), path),
            #[cfg(feature = "queries")]
            "sorted-lake" => turnwise_benches::files::write_lake(self.rows(Order::Time), path),
            _ => match name.strip_suffix(".parquet").and_then(Order::from_name) {
                Some(Order::Time) => write_parquet(self.rows(Order::Time), texts, path),
                // Other orders are for query A, which reads no texts.
                Some(order) => write_parquet(self.rows(order), Texts::LeftOut, path),
                None => bail!("no file of the data set has this name"),
            },
        }
    }

    fn rows(&mut self, order: Order) -> &[Row] {
        let plan = self.plan;
        let (held, rows) = self.rows.get_or_insert_with(|| {
            let mut made = rows(&plan);
            Order::Time.sort(&mut made);
            (Order::Time, made)
        });
        if *held != order {
            order.sort(rows);
            *held = order;
        }
        rows
    }
}
