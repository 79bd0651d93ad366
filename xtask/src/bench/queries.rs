//! Queries A, B and C on every engine and layout.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::compare::{Query, compare_files};
use super::dataset::{self, Size};
use super::engines::{Engine, Engines};
use super::figures::{Figure, add_ratios};
use super::layouts::{LAYOUTS, Layout};
use super::process::{Measured, Usage};
use super::programs::Programs;
use super::{Options, Part};

/// The line that most programs print.
#[derive(Deserialize)]
struct Printed {
    /// From the open file, or from the loaded table, to the answer.
    seconds: f64,
}

/// Runs what the options ask for; engines take turns within each round of runs.
pub(super) fn measure(options: &Options, programs: &Programs) -> Result<Vec<Figure>> {
    let layouts: Vec<Layout> =
        LAYOUTS.into_iter().filter(|layout| options.wants(part(layout.query))).collect();
    let engines = Engines::new(options, programs)?;
    let folder = data(options, programs, &layouts)?;
    let mut figures = Vec::new();
    for layout in layouts {
        dataset::warm(&folder.join(layout.file))?;
        figures.extend(rounds(options.runs, &engines, layout, &folder)?);
    }
    add_ratios(&mut figures);
    Ok(figures)
}

const fn part(query: Query) -> Part {
    match query {
        Query::A => Part::A,
        Query::B => Part::B,
        Query::C => Part::C,
    }
}

fn data(options: &Options, programs: &Programs, layouts: &[Layout]) -> Result<PathBuf> {
    // The oracle reads rows in order of time.
    let mut names = vec!["time.parquet"];
    names.extend(layouts.iter().map(|layout| layout.file));
    names.extend(layouts.iter().map(Layout::oracle));
    let Options { messages, numbers, .. } = *options;
    dataset::files(programs, Size { messages, numbers, texts: true }, &names)
}

fn rounds(runs: u32, engines: &Engines<'_>, layout: Layout, folder: &Path) -> Result<Vec<Figure>> {
    let answers = tempfile::tempdir().context("create folder for answers")?;
    let out = answers.path().join("answer.tsv");
    let own = engines.of(layout);
    let mut figures: Vec<Figure> = own.iter().map(|engine| Figure::new(layout, *engine)).collect();
    for _ in 0..runs {
        for (engine, figure) in own.iter().zip(&mut figures) {
            if figure.has_failed() {
                continue;
            }
            let measured = engines.command(*engine, layout, folder, &out);
            match measured.and_then(once) {
                Ok((usage, seconds)) => {
                    figure.add(&usage, seconds);
                    if *engine != Engine::Decode {
                        let oracle = folder.join(layout.oracle());
                        figure.judge(compare_files(layout.query, &oracle, &out));
                    }
                }
                Err(error) => figure.fail(&error),
            }
            eprintln!("{}", figure.progress());
        }
    }
    Ok(figures)
}

/// Runs a program once; what it took, and the seconds that it says the query took.
pub(super) fn once(measured: Measured) -> Result<(Usage, f64)> {
    let (usage, output) = measured.run()?;
    let line = output.lines().last().context("read what the program printed")?;
    Ok((usage, seconds(line)?))
}

/// The seconds in `{"seconds": 1.5}` or `seconds 1.5 …`.
fn seconds(line: &str) -> Result<f64> {
    if let Some(rest) = line.strip_prefix("seconds ") {
        let number = rest.split(' ').next().unwrap_or(rest);
        return number.parse().with_context(|| format!("read seconds of {line}"));
    }
    let printed: Printed = serde_json::from_str(line).context("read seconds")?;
    Ok(printed.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_in_both_forms() {
        assert_eq!(seconds("{\"load_seconds\": 2, \"seconds\": 1.5}").expect("seconds"), 1.5);
        assert_eq!(seconds("seconds 0.250 peak_bytes 7").expect("seconds"), 0.25);
        assert!(seconds("done").is_err());
    }
}
