use turnwise_lake::FileFilter;
use turnwise_model::SourceName;

use super::super::letters::{self, Filter};
use super::super::testing::{
    TIME, change, decoded, good, keys, of_wrong_time, place, status, webhook, without_time,
};
use super::*;
use crate::config::Start;

const ALL: Wish = Wish { reason: None, places: Vec::new() };

/// Records as told; others are gone.
#[derive(Default)]
struct Told {
    answers: BTreeMap<Place, Answer>,
    asked: Vec<Place>,
}

impl Records for Told {
    fn serves(&self, source: &SourceName) -> Result<(), String> {
        let is_topic = source.0.starts_with("c/");
        if is_topic { Ok(()) } else { Err("it is no topic".to_owned()) }
    }

    fn record(&mut self, place: &Place) -> Answer {
        self.asked.push(place.clone());
        self.answers.get(place).cloned().unwrap_or(Answer::Gone)
    }
}

fn record(changes: &[String]) -> Answer {
    let value = Some(webhook(changes));
    Answer::Record(Found { topic: "t".to_owned(), time: Some(TIME), headers: Vec::new(), value })
}

struct Scene {
    _folder: tempfile::TempDir,
    lake: Lake,
    kafka: KafkaConfig,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let location = folder.path().to_str().expect("utf-8");
        let lake = Lake::open(location, &BTreeMap::new()).expect("opens");
        let kafka = KafkaConfig {
            brokers: Vec::new(),
            group: "turnwise".to_owned(),
            member: None,
            webhook_topics: vec!["t".to_owned()],
            send_topics: Vec::new(),
            formats: BTreeMap::new(),
            start: Start::Earliest,
            topic_ids: false,
            properties: BTreeMap::new(),
        };
        Self { _folder: folder, lake, kafka }
    }

    /// Has read these records.
    fn ingest(&self, records: &[(Place, Vec<String>)]) {
        let rows = records.iter().flat_map(|(place, changes)| decoded(place, &webhook(changes)));
        let parts = writer::parts(rows.collect()).expect("parts");
        let table = writer::events_table(&self.lake).expect("opens");
        let now = clock::now().0;
        let staged = table.stage(parts, Encoding::Light, now).expect("staged");
        table.commit(&staged, &[], &BTreeMap::new(), now).expect("committed");
    }

    fn run(&self, told: Told) -> Requeue<'_, Told> {
        let decoder = Decoder::new(keys());
        Requeue::new(self.lake.clone(), told, &self.kafka, decoder).expect("opens")
    }

    /// How many rows are not letters.
    fn rows(&self) -> u64 {
        let table = writer::events_table(&self.lake).expect("opens");
        let files = table.snapshot(None).expect("read").files(&FileFilter::all()).expect("read");
        let is_letter = |kind: &Option<String>| kind.as_deref() == Some("dead_letter");
        let others = files.iter().filter(|file| !is_letter(&file.partition_values["kind"]));
        others.map(|file| file.num_records.expect("counted")).sum()
    }

    /// How many commits there were.
    fn version(&self) -> u64 {
        writer::events_table(&self.lake).expect("opens").refresh().expect("read")
    }

    /// Items and whether they are requeued.
    fn letters(&self) -> Vec<(Place, i32, bool)> {
        let filter = Filter { reason: None, place: None, limit: 1_000 };
        let letters = letters::read(&self.lake, &filter).expect("read");
        letters.into_iter().map(|at| (at.place, at.item, at.is_requeued)).collect()
    }
}

fn check(run: &Requeue<'_, Told>, expected: &str) {
    assert_eq!(run.tally.line(), expected, "{:#?}", run.tally.reasons());
}

#[test]
fn letters_behind_the_first_page_are_reached_and_no_record_is_cut() {
    let scene = Scene::new();
    let at = |offset: i64| place(&format!("c/t:{}:{offset}", offset % 2));
    let told = || Told {
        answers: (0..20)
            .map(|offset| match offset % 5 {
                // These stay dead for ever, at the front of every page.
                0 => (at(offset), record(&[without_time("a"), without_time("b")])),
                _ => (at(offset), record(&[good("a"), good("b"), good("c")])),
            })
            .collect(),
        asked: Vec::new(),
    };
    let before: Vec<(Place, Vec<String>)> = (0..20)
        .map(|offset| match offset % 5 {
            0 => (at(offset), vec![without_time("a"), without_time("b")]),
            _ => (at(offset), vec![without_time("a"), of_wrong_time("b"), good("c")]),
        })
        .collect();
    scene.ingest(&before);
    let mut run = scene.run(told());
    run.bounds.records = 3;
    run.all(&ALL).expect("done");
    let rest = "0 no longer at the broker, 0 not reached, 0 refused";
    check(&run, &format!("32 requeued, 0 requeued before, 8 still dead, {rest}"));
    assert_eq!(scene.rows(), 16 * 3);
    // What is requeued is not even asked for again.
    let mut again = scene.run(told());
    again.bounds.records = 3;
    again.all(&ALL).expect("done");
    check(&again, &format!("0 requeued, 32 requeued before, 8 still dead, {rest}"));
    assert_eq!(again.records.asked.len(), 4);
    assert_eq!(scene.rows(), 16 * 3);
}

#[test]
fn sources_that_cannot_be_read_stop_nothing_and_are_told() {
    let scene = Scene::new();
    let places =
        ["c/t:0:1", "c/t:0:2", "c/t:1:1", "c/t:1:2", "c/t:2:1", "file/x:0:1", "file/x:0:2"];
    let before = places.map(|text| (place(text), vec![without_time("a")]));
    scene.ingest(&before);
    let mut told = Told::default();
    told.answers.insert(place("c/t:0:2"), Answer::Unreadable("bad CRC".to_owned()));
    told.answers.insert(place("c/t:1:1"), Answer::Unreached("no answer".to_owned()));
    told.answers.insert(place("c/t:1:2"), Answer::Unreached("no answer".to_owned()));
    told.answers.insert(place("c/t:2:1"), record(&[good("a")]));
    let mut run = scene.run(told);
    run.all(&ALL).expect("done");
    let line = "1 requeued, 0 requeued before, 0 still dead, 1 no longer at the broker, \
                5 not reached, 0 refused";
    check(&run, line);
    assert!(!run.tally.is_complete());
    assert_eq!(
        run.tally.reasons(),
        [
            "1 of c/t not reached: bad CRC",
            "2 of c/t not reached: no answer",
            "2 of file/x not reached: it is no topic",
        ]
    );
    // Nobody waits twice for a partition that does not answer.
    assert!(!run.records.asked.contains(&place("c/t:1:2")));
    // Named records are told the same way.
    let mut run = scene.run(Told::default());
    let named = Wish { reason: None, places: vec![place("file/x:0:1"), place("c/t:0:1")] };
    run.all(&named).expect("done");
    let line = "0 requeued, 0 requeued before, 0 still dead, 1 no longer at the broker, \
                1 not reached, 0 refused";
    check(&run, line);
}

#[test]
fn runs_with_different_reasons_add_each_item_once_under_its_own_letter() {
    let scene = Scene::new();
    let at = place("c/t:0:7");
    scene.ingest(&[(at.clone(), vec![without_time("a"), good("b"), of_wrong_time("c")])]);
    let told = || Told {
        answers: BTreeMap::from([(
            at.clone(),
            record(&[good("a"), good("b"), good("c"), good("d")]),
        )]),
        asked: Vec::new(),
    };
    let with = |reason| Wish { reason: Some(reason), places: Vec::new() };
    let mut run = scene.run(told());
    run.all(&with(Reason::NoTime)).expect("done");
    let rest = "0 still dead, 0 no longer at the broker, 0 not reached, 0 refused";
    check(&run, &format!("1 requeued, 0 requeued before, {rest}"));
    assert_eq!(scene.rows(), 2);
    assert_eq!(scene.letters(), [(at.clone(), 0, true), (at.clone(), 2, false)]);
    let mut run = scene.run(told());
    run.all(&with(Reason::WrongType)).expect("done");
    check(&run, &format!("1 requeued, 0 requeued before, {rest}; 1 items behind them added"));
    assert_eq!(scene.rows(), 4);
    let mut run = scene.run(told());
    run.all(&ALL).expect("done");
    check(&run, &format!("0 requeued, 2 requeued before, {rest}"));
    assert_eq!(scene.rows(), 4);
}

#[test]
fn siblings_of_every_kind_are_recognised_and_a_shifted_record_is_refused() {
    let scene = Scene::new();
    let siblings = || {
        let account = change("account_update", r#""event":"ACCOUNT_DELETED""#);
        let error = change("messages", r#""errors":[{"code":131000,"title":"so"}]"#);
        let ignored = change("flows", r#""event":"so""#);
        [good("b"), status("s"), account, error, ignored]
    };
    let with = |first: Vec<String>| [first, siblings().to_vec()].concat();
    let (fits, shifted) = (place("c/t:0:1"), place("c/t:0:2"));
    let before = with(vec![without_time("a")]);
    scene.ingest(&[(fits.clone(), before.clone()), (shifted.clone(), before)]);
    assert_eq!(scene.rows(), 10);
    let told = || Told {
        answers: BTreeMap::from([
            (fits.clone(), record(&with(vec![good("a")]))),
            (shifted.clone(), record(&with(vec![good("x"), good("a")]))),
        ]),
        asked: Vec::new(),
    };
    let mut run = scene.run(told());
    run.all(&ALL).expect("done");
    let line = "1 requeued, 0 requeued before, 0 still dead, 0 no longer at the broker, \
                0 not reached, 1 refused";
    check(&run, line);
    let told_why = format!("1 refused, the first at {shifted}: {}", known::OTHERWISE);
    assert_eq!(run.tally.reasons(), [told_why]);
    assert_eq!(scene.rows(), 11);
}

#[test]
fn two_runs_at_once_add_an_item_once() {
    let scene = Scene::new();
    let at = place("c/t:0:7");
    scene.ingest(&[(at.clone(), vec![without_time("a"), good("b")])]);
    let told = || Told {
        answers: BTreeMap::from([(at.clone(), record(&[good("a"), good("b")]))]),
        asked: Vec::new(),
    };
    let (mut one, mut other) = (scene.run(told()), scene.run(told()));
    // Both look before either commits.
    one.look().expect("read");
    other.look().expect("read");
    one.all(&ALL).expect("done");
    other.all(&ALL).expect("done");
    let rest = "0 still dead, 0 no longer at the broker, 0 not reached, 0 refused";
    check(&one, &format!("1 requeued, 0 requeued before, {rest}"));
    check(&other, &format!("0 requeued, 1 requeued before, {rest}"));
    assert_eq!(scene.rows(), 2);
}

#[test]
fn items_behind_a_requeued_last_letter_are_added_once() {
    let scene = Scene::new();
    let at = place("c/t:0:7");
    scene.ingest(&[(at.clone(), vec![without_time("a"), of_wrong_time("b")])]);
    let told = |changes: &[String]| Told {
        answers: BTreeMap::from([(at.clone(), record(changes))]),
        asked: Vec::new(),
    };
    let mut run = scene.run(told(&[without_time("a"), good("b")]));
    run.all(&ALL).expect("done");
    let rest = "0 no longer at the broker, 0 not reached, 0 refused";
    check(&run, &format!("1 requeued, 0 requeued before, 1 still dead, {rest}"));
    assert_eq!(scene.rows(), 1);
    // A newer decoder reads the first, and a third behind the requeued one.
    let newer = [good("a"), good("b"), good("c")];
    let (mut one, mut other) = (scene.run(told(&newer)), scene.run(told(&newer)));
    one.look().expect("read");
    other.look().expect("read");
    one.all(&ALL).expect("done");
    let added = format!("1 requeued, 1 requeued before, 0 still dead, {rest}");
    check(&one, &format!("{added}; 1 items behind them added"));
    assert_eq!(scene.rows(), 3);
    other.all(&ALL).expect("done");
    check(&other, &format!("0 requeued, 2 requeued before, 0 still dead, {rest}"));
    let mut again = scene.run(told(&newer));
    again.all(&ALL).expect("done");
    check(&again, &format!("0 requeued, 2 requeued before, 0 still dead, {rest}"));
    assert_eq!(scene.rows(), 3);
}

#[test]
fn rows_that_wait_are_few_in_bytes_too() {
    let changes = [without_time("a")];
    let commits = |bytes: usize| {
        let scene = Scene::new();
        let at = |offset: i64| place(&format!("c/t:0:{offset}"));
        let before: Vec<(Place, Vec<String>)> =
            (0..4).map(|offset| (at(offset), changes.to_vec())).collect();
        scene.ingest(&before);
        let version = scene.version();
        let answers = (0..4).map(|offset| (at(offset), record(&[good("a")]))).collect();
        let mut run = scene.run(Told { answers, asked: Vec::new() });
        run.bounds.bytes = bytes;
        run.all(&ALL).expect("done");
        assert_eq!((run.tally.requeued, scene.rows()), (4, 4));
        scene.version() - version
    };
    assert_eq!(commits(COMMIT_BYTES), 1);
    assert_eq!(commits(1), 4);
}

#[test]
fn run_stops_before_the_lake_holds_too_many_transactions() {
    let scene = Scene::new();
    let at = |offset: i64| place(&format!("c/t:{}:{offset}", offset / 3));
    let before = (0..6).map(|offset| (at(offset), vec![without_time("a"), of_wrong_time("b")]));
    scene.ingest(&before.collect::<Vec<_>>());
    let told = || Told {
        // The first has something behind its letters, which takes a transaction too.
        answers: (0..6)
            .map(|offset| match offset {
                0 => (at(offset), record(&[good("a"), good("b"), good("c")])),
                _ => (at(offset), record(&[good("a"), good("b")])),
            })
            .collect(),
        asked: Vec::new(),
    };
    let rest = "0 still dead, 0 no longer at the broker, 0 not reached, 0 refused";
    let mut run = scene.run(told());
    run.bounds.txns = 6;
    run.all(&ALL).expect("done");
    check(&run, &format!("4 requeued, 0 requeued before, {rest}; 1 items behind them added"));
    assert!(!run.tally.is_complete());
    let reasons = run.tally.reasons();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].starts_with("stopped at c/t:0:2, "), "{reasons:?}");
    // Nobody is asked for what comes behind, of other partitions neither.
    assert_eq!(run.records.asked, [at(0), at(1), at(2)]);
    assert_eq!(scene.rows(), 5);
    // What the lake holds already counts, and so do named records.
    let mut run = scene.run(told());
    run.bounds.txns = 7;
    run.bounds.rows = 1;
    run.all(&Wish { reason: None, places: vec![at(3), at(5)] }).expect("done");
    check(&run, &format!("2 requeued, 0 requeued before, {rest}"));
    assert!(run.tally.reasons()[0].starts_with("stopped at c/t:1:5, "));
    assert_eq!(scene.rows(), 7);
    // A lake that is not full takes what was left.
    let mut run = scene.run(told());
    run.all(&ALL).expect("done");
    check(&run, &format!("6 requeued, 6 requeued before, {rest}"));
    assert!(run.tally.is_complete());
    assert_eq!(scene.rows(), 13);
}
