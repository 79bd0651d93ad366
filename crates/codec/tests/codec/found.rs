//! Seeds for the fuzz targets, made of the encoders' events, and what the targets found: all pass
//! the targets' checks.

use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use turnwise_codec::{FORMATS, Format, encode};

use crate::common::check::CHECKS;
use crate::common::wild::{Choices, write};

/// Events of which seeds are made.
const EVENTS: usize = 120;

/// Seeds with the names of their targets; the same in every run.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut runner = TestRunner::deterministic();
    let mut seeds = Vec::new();
    let strategy = (crate::common::event(), prop::collection::vec(any::<u8>(), 0..200));
    for _ in 0..EVENTS {
        let (event, choices) = strategy.new_tree(&mut runner).expect("a value").current();
        let events = std::slice::from_ref(&event);
        if let Some(bytes) = encode::webhook(events) {
            let tree = serde_json::from_slice(&bytes).expect("JSON");
            let mut wild = String::new();
            write(&tree, &mut Choices::new(&choices), &mut wild);
            let value = &tree["entry"][0]["changes"][0]["value"];
            let lists = ["messages", "message_echoes", "statuses"];
            let item = lists.iter().find_map(|list| value[list].get(0));
            seeds.extend(item.map(|item| ("webhook", item.to_string().into_bytes())));
            seeds.extend([("webhook", bytes), ("webhook", wild.into_bytes())]);
        }
        seeds.extend(encode::send(events).map(|bytes| ("send", bytes)));
        seeds.push(("protobuf", encode::protobuf(events)));
        for (format, encoder) in crate::encoders::ENCODERS {
            let event = crate::encoders::carried(*format, &event);
            let Some(bytes) = event.and_then(|event| encoder(&event)) else { continue };
            if *format == Format::Twilio {
                seeds.push(("form", bytes.clone()));
            }
            seeds.push(("cloudevents", [&[3][..], &bytes].concat()));
            if let Ok(data) = serde_json::from_slice::<serde_json::Value>(&bytes) {
                let around = serde_json::json!({
                    "specversion": "1.0", "id": "1", "source": "/x", "type": "y", "data": data,
                });
                seeds.push(("cloudevents", format!("\0{around}").into_bytes()));
            }
            let request =
                serde_json::json!({"headers": {}, "body": String::from_utf8_lossy(&bytes)});
            seeds.push(("envelope", format!("\0{request}").into_bytes()));
            let at = FORMATS.iter().position(|info| info.format == *format).expect("in the list");
            seeds.push(("envelope", [&[at as u8][..], &bytes].concat()));
        }
    }
    seeds
}

fn check(target: &str, bytes: &[u8]) {
    let (_, check) = CHECKS.iter().find(|(name, _)| *name == target).expect("a target");
    check(bytes);
}

#[test]
fn seeds_pass_the_checks() {
    let seeds = seeds();
    for (target, _) in CHECKS {
        assert!(seeds.iter().any(|(name, _)| name == target), "{target}");
    }
    for (target, bytes) in seeds {
        check(target, &bytes);
    }
}

/// Files of `tests/regressions/<target>/`.
#[test]
fn what_targets_found_passes_the_checks() {
    let folder = Path::new("tests/regressions");
    for (target, _) in CHECKS {
        let Ok(files) = std::fs::read_dir(folder.join(target)) else { continue };
        for file in files {
            let path = file.expect("a file").path();
            println!("{}", path.display());
            check(target, &std::fs::read(path).expect("its bytes"));
        }
    }
}

/// Where the fuzz targets look for seeds: in `TURNWISE_FUZZ_CORPUS`, else in a folder that goes.
#[test]
fn seeds_are_written_to_a_folder_for_each_target() {
    let passing = tempfile::tempdir().expect("a folder");
    let asked = std::env::var_os("TURNWISE_FUZZ_CORPUS").map(std::path::PathBuf::from);
    let corpus = asked.unwrap_or_else(|| passing.path().to_owned());
    for (nth, (target, bytes)) in seeds().into_iter().enumerate() {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("seed-{nth:04}")), bytes).expect("a file");
    }
    assert!(CHECKS.iter().all(|(target, _)| corpus.join(target).is_dir()));
}
