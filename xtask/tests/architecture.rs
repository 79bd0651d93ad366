//! The tree keeps its promises: edges between crates, the documents' tables, size, `unsafe`.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use xtask::suite::root;

/// What may use what. `None`: everything.
const EDGES: &[(&str, Option<&[&str]>)] = &[
    ("model", Some(&[])),
    ("kernels", Some(&["model"])),
    ("codec", Some(&["model", "kernels"])),
    ("ingest", Some(&["model"])),
    ("policy", Some(&["model"])),
    ("traffic", Some(&["model", "codec"])),
    ("lake", Some(&["model"])),
    ("kafka", Some(&["model"])),
    ("query", Some(&["model", "kernels", "policy", "lake"])),
    ("serve", Some(&["model", "policy", "query", "lake"])),
    ("turnwise", None),
    ("sim", None),
];
/// Packages outside `crates/`, which nothing in `crates/` uses.
const TOOLS: &[&str] = &["turnwise-tests", "turnwise-benches", "xtask"];
/// What tests of any crate may use besides.
const FOR_TESTS: &[&str] = &["traffic"];
/// Crates whose one unsafe module is allowed by name.
const UNSAFE: &[(&str, &[&str])] =
    &[("kernels", &["dispatch.rs", "x86.rs"]), ("kafka", &["batch.rs"])];
const LINES_MAX: usize = 500;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("read {path}: {error}"))
}

/// Files of the tree that git does not ignore, relative to the root.
fn files(pattern: &str) -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", pattern])
        .current_dir(root())
        .output()
        .expect("run git");
    assert!(output.status.success(), "git ls-files: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let found: Vec<String> =
        text.lines().filter(|path| root().join(path).exists()).map(str::to_owned).collect();
    assert!(!found.is_empty(), "no file matches {pattern}");
    found
}

/// Names of the folders under `crates/`.
fn crates() -> Vec<String> {
    let manifests = files("crates/*/Cargo.toml");
    manifests.iter().map(|path| path.split('/').nth(1).expect("a folder").to_owned()).collect()
}

fn folder_of(package: &str) -> &str {
    package.strip_prefix("turnwise-").unwrap_or(package)
}

struct Edge {
    from: String,
    to: String,
    dev: bool,
}

/// Edges between packages of this tree, from all their manifests.
fn edges() -> Vec<Edge> {
    let output = Command::new(std::env::var_os("CARGO").expect("run by cargo"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .expect("run cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut edges = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            if dependency["path"].is_string() {
                edges.push(Edge {
                    from: package["name"].as_str().expect("name").to_owned(),
                    to: dependency["name"].as_str().expect("name").to_owned(),
                    dev: dependency["kind"] == "dev",
                });
            }
        }
    }
    edges
}

/// Why this edge is wrong, if it is.
fn objection(edge: &Edge) -> Option<String> {
    if TOOLS.contains(&edge.from.as_str()) {
        return None;
    }
    let (from, to) = (folder_of(&edge.from), folder_of(&edge.to));
    let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == from) else {
        return Some(format!("{from} is not in the table of crates"));
    };
    if TOOLS.contains(&edge.to.as_str()) {
        return Some(format!("{from} uses the tool {}", edge.to));
    }
    let known = EDGES.iter().any(|(name, _)| *name == to);
    let free = allowed.is_none_or(|list| list.contains(&to));
    if known && (free || edge.dev && FOR_TESTS.contains(&to)) {
        return None;
    }
    Some(format!("{from} may not use {to}"))
}

/// The cells of the rows of the table whose first column has this heading.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let rows: Vec<Vec<String>> = document
        .lines()
        .skip_while(|line| !line.starts_with(&format!("| {heading} |")))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(cells)
        .collect();
    assert!(!rows.is_empty(), "no table of {heading}");
    rows
}

/// Constants of a source file: name and value as written.
fn constants(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in source.lines() {
        let Some(rest) = line.strip_prefix("pub const ") else { continue };
        let (name, rest) = rest.split_once(':').expect("a type");
        let (_, value) = rest.split_once('=').expect("a value on the line of its name");
        let value = value.trim().strip_suffix(';').expect("ends on its line");
        found.push((name.to_owned(), value.to_owned()));
    }
    found
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let tracked = crates();
    let wrong: Vec<String> = edges()
        .iter()
        // A folder that git ignores is nobody's crate.
        .filter(|edge| {
            TOOLS.contains(&edge.from.as_str())
                || tracked.iter().any(|name| name == folder_of(&edge.from))
        })
        .filter_map(objection)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_edge_outside_the_table_is_objected_to() {
    let edge = |from: &str, to: &str, dev| Edge { from: from.into(), to: to.into(), dev };
    assert!(objection(&edge("turnwise-model", "turnwise-lake", false)).is_some());
    assert!(objection(&edge("turnwise-ingest", "turnwise-traffic", false)).is_some());
    assert!(objection(&edge("turnwise-ingest", "turnwise-traffic", true)).is_none());
    assert!(objection(&edge("turnwise-lake", "xtask", true)).is_some());
    assert!(objection(&edge("turnwise-common", "turnwise-model", false)).is_some());
    assert!(objection(&edge("turnwise-query", "turnwise-lake", false)).is_none());
}

#[test]
fn crate_map_shows_the_crates_of_the_tree_and_their_edges() {
    let rows = table(&read("ARCHITECTURE.md"), "crate");
    let mut shown: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    let mut present = crates();
    shown.sort();
    present.sort();
    assert_eq!(shown, present, "the map and the tree");
    for row in rows {
        let (_, allowed) = EDGES.iter().find(|(name, _)| *name == row[0]).expect("an edge row");
        let expected = match allowed {
            None => "all".to_owned(),
            Some([]) => "–".to_owned(),
            Some(list) => list.join(", "),
        };
        assert_eq!(row[3], expected, "what {} may use", row[0]);
    }
}

#[test]
fn limits_table_shows_every_limit_with_its_value() {
    let shown: BTreeMap<String, String> = table(&read("ARCHITECTURE.md"), "limit")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1].trim_matches('`').to_owned()))
        .collect();
    let real: BTreeMap<String, String> =
        constants(&read("crates/model/src/limits.rs")).into_iter().collect();
    assert_eq!(shown, real);
}

#[test]
fn no_source_file_is_longer_than_its_limit() {
    let long: Vec<String> = files("*.rs")
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "longer than {LINES_MAX}: {long:#?}");
}

#[test]
fn unsafe_code_is_forbidden_but_in_its_named_homes() {
    let mut wrong = Vec::new();
    for name in crates() {
        let library = format!("crates/{name}/src/lib.rs");
        let top = if root().join(&library).exists() {
            library
        } else {
            format!("crates/{name}/src/main.rs")
        };
        let homes = UNSAFE.iter().find(|(home, _)| *home == name).map(|(_, files)| *files);
        let level = if homes.is_some() { "deny" } else { "forbid" };
        if !read(&top).contains(&format!("#![{level}(unsafe_code)]")) {
            wrong.push(format!("{top} does not {level} unsafe code"));
        }
        for path in files(&format!("crates/{name}/*.rs")) {
            let source = read(&path);
            let opens = ["allow", "expect", "warn"]
                .iter()
                .any(|word| source.contains(&format!("{word}(unsafe_code")));
            // A crate may open the lint in one of its homes or where it declares that home.
            let declares = path == top || path.ends_with("/mod.rs");
            let home = homes.unwrap_or(&[]).iter().any(|file| path.ends_with(&format!("/{file}")));
            if opens && !(home || homes.is_some() && declares) {
                wrong.push(format!("{path} allows unsafe code"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
