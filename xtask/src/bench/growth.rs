//! How query A grows with messages and with numbers, by Turnwise alone.

use anyhow::{Context, Result};
use serde::Serialize;

use super::Options;
use super::chart::{Chart, Curve};
use super::dataset::{self, Size};
use super::document::table;
use super::engines::{Engine, Engines};
use super::figures::{median, thousands};
use super::layouts::LAYOUTS;
use super::machine::Machine;
use super::programs::Programs;
use super::queries::once;
use crate::suite::root;

/// Messages, at the numbers of the comparison.
const MESSAGES: [u64; 3] = [1_000_000, 10_000_000, 100_000_000];
/// Numbers, at the middle number of messages.
const NUMBERS: [u64; 4] = [1, 100, 10_000, 1_000_000];
/// Where the chart goes.
const CHART: &str = "benches/growth.svg";

/// What one size took.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    messages: u64,
    numbers: u64,
    seconds: f64,
    peak_memory_bytes: u64,
}

/// Measures every size up to the largest that is wanted.
pub(super) fn measure(options: &Options, programs: &Programs) -> Result<Vec<Figure>> {
    let (fixed_numbers, fixed_messages) = (NUMBERS[2], MESSAGES[1]);
    let by_messages = MESSAGES.map(|messages| (messages, fixed_numbers));
    let by_numbers = NUMBERS.map(|numbers| (fixed_messages, numbers));
    let mut sizes: Vec<(u64, u64)> = by_messages.into_iter().chain(by_numbers).collect();
    sizes.retain(|(messages, _)| *messages <= options.growth_max);
    sizes.sort_unstable();
    sizes.dedup();
    let engines = Engines::without_peers(options, programs);
    sizes.into_iter().map(|size| figure(options, programs, &engines, size)).collect()
}

fn figure(
    options: &Options,
    programs: &Programs,
    engines: &Engines<'_>,
    (messages, numbers): (u64, u64),
) -> Result<Figure> {
    let size = Size { messages, numbers, texts: false };
    let folder = &dataset::files(programs, size, &[LAYOUTS[0].file])?;
    dataset::warm(&folder.join(LAYOUTS[0].file))?;
    let answers = tempfile::tempdir().context("create folder for answers")?;
    let out = answers.path().join("answer.tsv");
    let (mut runs, mut peak_memory_bytes) = (Vec::new(), 0);
    for _ in 0..options.runs {
        let command = engines.command(Engine::Turnwise, LAYOUTS[0], folder, &out)?;
        let (usage, seconds) = once(command)?;
        runs.push(seconds);
        peak_memory_bytes = peak_memory_bytes.max(usage.peak_memory_bytes);
    }
    let seconds = median(&runs).context("find a run")?;
    eprintln!(
        "growth: {} messages of {} numbers: {seconds:.3} s, {} MiB",
        thousands(messages),
        thousands(numbers),
        peak_memory_bytes >> 20
    );
    Ok(Figure { messages, numbers, seconds, peak_memory_bytes })
}

/// The part of the document; writes the chart too.
pub(super) fn text(options: &Options, machine: &Machine, figures: &[Figure]) -> Result<String> {
    let headings =
        ["messages", "numbers", "seconds", "ns a message", "peak memory", "bytes a message"];
    let row = |figure: &Figure| {
        let messages = figure.messages as f64;
        vec![
            thousands(figure.messages),
            thousands(figure.numbers),
            format!("{:.2}", figure.seconds),
            format!("{:.0}", figure.seconds * 1e9 / messages),
            format!("{} MiB", figure.peak_memory_bytes >> 20),
            format!("{:.0}", figure.peak_memory_bytes as f64 / messages),
        ]
    };
    let rows: Vec<Vec<String>> = figures.iter().map(row).collect();
    let mut text = format!(
        "{}\n\nQuery A by Turnwise, rows in order of time, {} threads, median of {} runs.\n\n{}",
        machine.line(),
        options.threads,
        options.runs,
        table(&headings, &rows)
    );
    if !options.keep {
        std::fs::write(root().join(CHART), chart(figures)).context("write the chart")?;
        text.push_str(&format!("\n![Time and memory of query A]({CHART})\n"));
    }
    Ok(text)
}

fn chart(figures: &[Figure]) -> String {
    let of = |keep: &dyn Fn(&&Figure) -> bool, x: fn(&Figure) -> u64, y: fn(&Figure) -> f64| {
        let mut points: Vec<(f64, f64)> =
            figures.iter().filter(keep).map(|figure| (x(figure) as f64, y(figure))).collect();
        points.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        points
    };
    let by_messages = |figure: &&Figure| figure.numbers == NUMBERS[2];
    let by_numbers = |figure: &&Figure| figure.messages == MESSAGES[1];
    let seconds = |figure: &Figure| figure.seconds;
    let mib = |figure: &Figure| (figure.peak_memory_bytes >> 20) as f64;
    let panel = |title: &str, keep: &dyn Fn(&&Figure) -> bool, x: fn(&Figure) -> u64| Chart {
        title: title.to_owned(),
        curves: vec![
            Curve { name: "seconds", points: of(keep, x, seconds) },
            Curve { name: "peak MiB", points: of(keep, x, mib) },
        ],
    };
    let panels = [
        panel("messages, of 10,000 numbers", &by_messages, |figure| figure.messages),
        panel("numbers, with 10,000,000 messages", &by_numbers, |figure| figure.numbers),
    ];
    super::chart::svg(&panels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chart_has_a_point_for_each_size_in_its_panels() {
        let figure = |messages, numbers, seconds| Figure {
            messages,
            numbers,
            seconds,
            peak_memory_bytes: 100 << 20,
        };
        let figures = [
            figure(1_000_000, 10_000, 0.1),
            figure(10_000_000, 1, 1.0),
            figure(10_000_000, 10_000, 1.1),
        ];
        let svg = chart(&figures);
        // The size in the middle is in both panels, and each has time and memory.
        assert_eq!(svg.matches("<circle").count(), 8);
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    }
}
