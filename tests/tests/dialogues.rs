//! Senders made of public dialogues through `turnwise scan`: a source is a sender, a dialogue a
//! person. Assistants are found, task bots are left alone, in every language there is.
//!
//! The dialogues lie where `TURNWISE_DATA` says; none of their text is in the tree.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};

/// The first second of the traffic: a Sunday's midnight.
const START_S: u64 = 1_793_491_200;
/// Seconds of six days, so that all conversations lie in one window.
const SPREAD_S: u64 = 6 * 86_400;
/// The secret of the lake.
const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Seconds between a message and the next of a dialogue.
const PACE_S: u64 = 3;
/// The fewest dialogues of a sender that is judged.
const DIALOGUES_MIN: usize = 60;
/// Dialogues of one of the parts that a source is also cut into.
const PART: usize = 100;

#[derive(Deserialize)]
struct Dialogue {
    label: String,
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    role: String,
    text: String,
    kind: String,
}

/// A sender made of dialogues, and what it is.
struct Sender {
    name: String,
    label: String,
    dialogues: Vec<Dialogue>,
}

/// The dialogues of a file, in the file's order.
fn read(path: &Path) -> Vec<Dialogue> {
    let file = std::fs::File::open(path).expect("open dialogues");
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    lines.map(|line| serde_json::from_str(&line.expect("line")).expect("a dialogue")).collect()
}

/// Every source whole, and cut into parts of a hundred people.
fn senders(folder: &Path) -> Vec<Sender> {
    let manifest = std::fs::read(folder.join("MANIFEST.json")).expect("read manifest");
    let sources: BTreeMap<String, Value> = serde_json::from_slice(&manifest).expect("manifest");
    let mut senders = Vec::new();
    for source in sources.keys() {
        let path = folder.join(format!("{source}.jsonl.gz"));
        let whole = read(&path);
        let label = whole.first().expect("a dialogue").label.clone();
        let mut parts = read(&path);
        let mut number = 0;
        while parts.len() >= 2 * PART {
            let dialogues = parts.split_off(parts.len() - PART);
            number += 1;
            let name = format!("{source}#{number}");
            senders.push(Sender { name, label: label.clone(), dialogues });
        }
        senders.push(Sender { name: source.clone(), label, dialogues: whole });
    }
    senders
}

/// The records of a sender: webhooks and sends, a JSON object a line.
fn records(number: usize, sender: &Sender, webhooks: &mut String, sends: &mut String) {
    let id = format!("{}", 100_000_000_000_000 + number);
    let each = SPREAD_S / u64::try_from(sender.dialogues.len()).expect("fits");
    for (at, dialogue) in (0_u64..).zip(&sender.dialogues) {
        let peer = format!("1555{number:03}{at:05}");
        let mut time = START_S + at * each;
        for (turn, said) in dialogue.turns.iter().enumerate() {
            time += PACE_S;
            let wamid = format!("wamid.{number}.{at}.{turn}");
            let body = match said.kind.as_str() {
                "text" => json!({"type": "text", "text": {"body": said.text}}),
                "audio" => json!({"type": "audio", "audio": {"id": "1", "voice": true}}),
                other => panic!("a turn of kind {other}"),
            };
            if said.role == "user" {
                let mut message = body;
                message["from"] = json!(peer);
                message["id"] = json!(wamid);
                message["timestamp"] = json!(time.to_string());
                let value = json!({"metadata": {"phone_number_id": id}, "messages": [message]});
                let change = json!({"field": "messages", "value": value});
                let entry = json!([{"id": "900000000000001", "changes": [change]}]);
                let record = json!({"object": "whatsapp_business_account", "entry": entry});
                writeln!(webhooks, "{record}").expect("a string takes all");
            } else {
                let mut request = body;
                request["to"] = json!(peer);
                let record = json!({
                    "time": time * 1_000, "phone_number_id": id, "status": 200,
                    "request": request, "response": {"messages": [{"id": wamid}]},
                });
                writeln!(sends, "{record}").expect("a string takes all");
            }
        }
    }
}

/// What `scan` says of each sender, by its name.
fn judged(program: &Path, senders: &[Sender]) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().expect("folder");
    let (mut webhooks, mut sends) = (String::new(), String::new());
    for (number, sender) in senders.iter().enumerate() {
        records(number, sender, &mut webhooks, &mut sends);
    }
    let files = [folder.path().join("webhooks.jsonl"), folder.path().join("sends.jsonl")];
    std::fs::write(&files[0], webhooks).expect("write webhooks");
    std::fs::write(&files[1], sends).expect("write sends");
    // Which words of a person are kept is up to the secret: a fixed one gives the same verdicts.
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).expect("write secret");
    let output = Command::new(program)
        .args(["scan", "--format", "json", "--secret-file"])
        .arg(&secret)
        .arg("--lake")
        .arg(folder.path().join("lake"))
        .args(&files)
        .output()
        .expect("run scan");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["dead_letters"], json!([]));
    let found = answer["senders"].as_array().expect("senders").iter().map(|found| {
        let id: usize = found["sender"].as_str().expect("id").parse().expect("a number");
        (senders[id - 100_000_000_000_000].name.clone(), found.clone())
    });
    found.collect()
}

#[test]
fn assistants_among_public_dialogues_are_found_and_task_bots_are_left_alone() {
    let Some(data) = std::env::var_os("TURNWISE_DATA").map(PathBuf::from) else { return };
    let Some(program) = std::env::var_os("TURNWISE_BIN").map(PathBuf::from) else { return };
    let senders = senders(&data.join("dialogues"));
    let verdicts = judged(&program, &senders);
    let mut wrong = Vec::new();
    for sender in &senders {
        let found = &verdicts[&sender.name];
        let verdict = found["verdict"].as_str().expect("verdict");
        let line = format!(
            "{:10} {:30} {:5} people: {verdict} {}",
            sender.label,
            sender.name,
            sender.dialogues.len(),
            found["score"]
        );
        println!("{line}");
        let is_right = match sender.label.as_str() {
            "assistant" => matches!(verdict, "likely_general_purpose" | "review"),
            "task" => verdict != "likely_general_purpose",
            // Small talk is neither: people decide.
            _ => true,
        };
        if !is_right && sender.dialogues.len() >= DIALOGUES_MIN {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
