//! The criterion benches of the kernels, beside what the machine's memory and memchr can do.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::table;
use super::machine::Machine;
use crate::suite::{cargo, root};

/// The benches that others are shares of, by group and function.
const MEMORY: &str = "reference/memory";
const MEMCHR: &str = "reference/memchr";

/// One bench.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    /// Group, function and value.
    name: String,
    /// Median of an iteration.
    nanoseconds: f64,
    bytes_per_second: Option<f64>,
    elements_per_second: Option<f64>,
    share_of_memory: Option<f64>,
    share_of_memchr: Option<f64>,
}

/// What criterion writes of a bench.
#[derive(Deserialize)]
struct Bench {
    full_id: String,
    throughput: Option<Value>,
}

/// Runs all benches of the package.
pub(super) fn measure() -> Result<Vec<Figure>> {
    let home = tempfile::tempdir().context("create folder for criterion")?;
    let mut command = cargo();
    command.args(["bench", "-p", "turnwise-benches"]);
    for name in names()? {
        command.args(["--bench", &name]);
    }
    let status = command.env("CRITERION_HOME", home.path()).status().context("run cargo bench")?;
    if !status.success() {
        bail!("cargo bench: {status}");
    }
    let mut figures = Vec::new();
    collect(home.path(), &mut figures)?;
    figures.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    add_shares(&mut figures);
    Ok(figures)
}

/// The benches' names: those of their files and folders.
fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("benches/benches")).context("list benches")? {
        let path = entry.context("list benches")?.path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Every folder `new` below holds one bench.
fn collect(folder: &Path, figures: &mut Vec<Figure>) -> Result<()> {
    for entry in fs::read_dir(folder).context("list benches")? {
        let path = entry.context("list benches")?.path();
        if !path.is_dir() {
            continue;
        }
        if path.file_name().is_some_and(|name| name == "new") {
            figures.push(read(&path)?);
        } else {
            collect(&path, figures)?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Figure> {
    let file = |name: &str| fs::read(folder.join(name)).with_context(|| format!("read {name}"));
    let bench: Bench =
        serde_json::from_slice(&file("benchmark.json")?).context("read benchmark.json")?;
    let estimates: Value =
        serde_json::from_slice(&file("estimates.json")?).context("read estimates.json")?;
    let nanoseconds = estimates["median"]["point_estimate"]
        .as_f64()
        .context("find the median in estimates.json")?;
    // Of one unit, or of both.
    let per_second = |unit: &str, beside: &str| {
        let throughput = bench.throughput.as_ref()?;
        let both = throughput.get("ElementsAndBytes").and_then(|both| both.get(beside));
        let each = throughput.get(unit).or(both)?.as_f64()?;
        Some(each / nanoseconds * 1e9)
    };
    Ok(Figure {
        bytes_per_second: per_second("Bytes", "bytes"),
        elements_per_second: per_second("Elements", "elements"),
        name: bench.full_id,
        nanoseconds,
        share_of_memory: None,
        share_of_memchr: None,
    })
}

fn add_shares(figures: &mut [Figure]) {
    let rate = |name: &str, figures: &[Figure]| {
        figures.iter().find(|figure| figure.name == name).and_then(|figure| figure.bytes_per_second)
    };
    let (memory, memchr) = (rate(MEMORY, figures), rate(MEMCHR, figures));
    for figure in figures {
        figure.share_of_memory = figure.bytes_per_second.zip(memory).map(|(own, all)| own / all);
        figure.share_of_memchr = figure.bytes_per_second.zip(memchr).map(|(own, all)| own / all);
    }
}

/// The part of the document.
pub(super) fn text(machine: &Machine, figures: &[Figure]) -> String {
    let headings = ["bench", "median", "GB/s", "M/s", "of memory", "of memchr"];
    let row = |figure: &Figure| {
        let shown = |value: Option<f64>, unit: f64, end: &str| {
            value.map_or(String::new(), |value| format!("{:.2}{end}", value / unit))
        };
        vec![
            figure.name.clone(),
            time(figure.nanoseconds),
            shown(figure.bytes_per_second, 1e9, ""),
            shown(figure.elements_per_second, 1e6, ""),
            shown(figure.share_of_memory, 0.01, " %"),
            shown(figure.share_of_memchr, 0.01, " %"),
        ]
    };
    let rows: Vec<Vec<String>> = figures.iter().map(row).collect();
    format!(
        "{}\n\nOne thread. Shares are of reading memory in a row ({MEMORY}) and of memchr over \
         texts ({MEMCHR}), measured in the same run.\n\n{}",
        machine.line(),
        table(&headings, &rows)
    )
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        _ if nanoseconds >= 1e6 => format!("{:.2} ms", nanoseconds / 1e6),
        _ if nanoseconds >= 1e3 => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{nanoseconds:.1} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shares_come_from_what_criterion_writes() {
        let home = tempfile::tempdir().expect("folder");
        for (name, throughput, nanoseconds) in [
            (MEMORY, "{\"Bytes\":2000}", 100.0),
            ("shape/lanes", "{\"Bytes\":1000}", 500.0),
            ("fold/rows", "{\"ElementsAndBytes\":{\"elements\":30,\"bytes\":600}}", 1_000.0),
        ] {
            let folder = home.path().join(name).join("new");
            fs::create_dir_all(&folder).expect("folder");
            let bench = format!("{{\"full_id\":\"{name}\",\"throughput\":{throughput}}}");
            fs::write(folder.join("benchmark.json"), bench).expect("written");
            let estimates = format!("{{\"median\":{{\"point_estimate\":{nanoseconds}}}}}");
            fs::write(folder.join("estimates.json"), estimates).expect("written");
        }
        let mut figures = Vec::new();
        collect(home.path(), &mut figures).expect("collected");
        figures.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        add_shares(&mut figures);
        assert_eq!(figures.len(), 3);
        assert_eq!(figures[0].elements_per_second, Some(3e7));
        assert_eq!(
            (figures[0].bytes_per_second, figures[0].share_of_memory),
            (Some(6e8), Some(0.03))
        );
        assert_eq!(figures[1].bytes_per_second, Some(2e10));
        assert_eq!((figures[2].share_of_memory, figures[2].share_of_memchr), (Some(0.1), None));
    }

    #[test]
    fn no_bench_tells_elements_alone() {
        let mut folders = vec![root().join("benches/benches")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("benches") {
                let path = entry.expect("bench").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = fs::read_to_string(&path).expect("bench");
                    assert!(!text.contains("Throughput::Elements("), "{}", path.display());
                }
            }
        }
    }

    #[test]
    fn every_bench_is_in_the_manifest() {
        let manifest = fs::read_to_string(root().join("benches/Cargo.toml")).expect("manifest");
        for name in names().expect("names") {
            assert!(manifest.contains(&format!("[[bench]]\nname = \"{name}\"")), "{name}");
        }
    }
}
