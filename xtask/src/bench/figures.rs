//! Figures of queries: medians, ratios, and how they are shown.

use serde::Serialize;

use super::Options;
use super::compare::Verdict;
use super::document::table;
use super::engines::Engine;
use super::layouts::{LAYOUTS, Layout, Place, TEXTS};
use super::machine::Machine;
use super::process::Usage;

/// What an engine took for a query over a layout.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    query: &'static str,
    layout: &'static str,
    engine: &'static str,
    /// Median of the runs.
    seconds: Option<f64>,
    runs: Vec<f64>,
    /// Largest of the runs.
    peak_memory_bytes: Option<u64>,
    /// How many times longer the fastest peer takes; where no peer can read the layout, the
    /// fastest over texts in Parquet.
    ratio_to_fastest_peer: Option<f64>,
    /// How many times longer it takes than decoding the same columns alone.
    ratio_to_decode_alone: Option<f64>,
    answers_equal: Option<bool>,
    /// What differs, or why it failed.
    note: Option<String>,
    #[serde(skip)]
    is_peer: bool,
    #[serde(skip)]
    title: String,
}

impl Figure {
    pub(super) fn new(layout: Layout, engine: Engine) -> Self {
        Self {
            query: layout.query.name(),
            layout: layout.name,
            engine: engine.name(),
            seconds: None,
            runs: Vec::new(),
            peak_memory_bytes: None,
            ratio_to_fastest_peer: None,
            ratio_to_decode_alone: None,
            answers_equal: None,
            note: None,
            is_peer: matches!(engine, Engine::Peer(_)),
            title: engine.title(),
        }
    }

    /// Takes a run in.
    pub(super) fn add(&mut self, usage: &Usage, seconds: f64) {
        self.runs.push(seconds);
        self.seconds = median(&self.runs);
        self.peak_memory_bytes = self.peak_memory_bytes.max(Some(usage.peak_memory_bytes));
    }

    /// Takes in what comparing its answer found; one wrong answer is enough.
    pub(super) fn judge(&mut self, verdict: anyhow::Result<Verdict>) {
        let difference = match verdict {
            Ok(verdict) if verdict.is_equal() => None,
            Ok(verdict) => Some(verdict.to_string()),
            Err(error) => Some(format!("{error:#}")),
        };
        self.answers_equal = Some(self.answers_equal.unwrap_or(true) && difference.is_none());
        self.note = self.note.take().or(difference);
    }

    /// It did not get to an answer.
    pub(super) fn fail(&mut self, error: &anyhow::Error) {
        self.answers_equal = Some(false);
        self.note = Some(format!("failed: {error:#}"));
    }

    /// Whether it failed before, and so would again.
    pub(super) fn has_failed(&self) -> bool {
        self.runs.is_empty() && self.note.is_some()
    }

    /// One line about the last run.
    pub(super) fn progress(&self) -> String {
        let Self { query, layout, engine, .. } = self;
        let seconds = self.runs.last().map_or("-".to_owned(), |seconds| format!("{seconds:.3} s"));
        let note = self.note.as_deref().unwrap_or("");
        format!("{query} {layout:18} {engine:12} {seconds:>10} {note}")
    }
}

/// Fills the ratios in.
pub(super) fn add_ratios(figures: &mut [Figure]) {
    let known = figures.to_vec();
    for figure in figures {
        let fastest = |layout: &str| fastest_peer(&known, figure.query, layout);
        let is_lake = LAYOUTS.iter().any(|of| of.place == Place::Lake && of.name == figure.layout);
        let peer = if is_lake { fastest(TEXTS) } else { fastest(figure.layout) };
        let decode = known.iter().find(|other| {
            other.engine == Engine::Decode.name()
                && (other.query, other.layout) == (figure.query, figure.layout)
        });
        figure.ratio_to_fastest_peer = peer.zip(figure.seconds).map(|(peer, own)| peer / own);
        figure.ratio_to_decode_alone = decode
            .and_then(|decode| decode.seconds)
            .zip(figure.seconds)
            .map(|(alone, own)| own / alone);
    }
}

fn fastest_peer(figures: &[Figure], query: &str, layout: &str) -> Option<f64> {
    let here = figures.iter().filter(|figure| (figure.query, figure.layout) == (query, layout));
    here.filter(|figure| figure.is_peer).filter_map(|figure| figure.seconds).min_by(f64::total_cmp)
}

/// Whether all answers that were compared are right; decoding alone has none.
pub(super) fn are_equal(figures: &[Figure]) -> bool {
    figures.iter().all(|figure| figure.is_peer || figure.answers_equal != Some(false))
}

pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        Some(*upper)
    } else {
        Some(f64::midpoint(sorted[middle - 1], *upper))
    }
}

/// The part of the document.
pub(super) fn text(options: &Options, machine: &Machine, figures: &[Figure]) -> String {
    let headings = [
        "query",
        "rows",
        "engine",
        "seconds",
        "fastest peer ÷ this",
        "÷ decoding alone",
        "peak memory",
        "answers",
    ];
    let rows: Vec<Vec<String>> = figures.iter().map(row).collect();
    let mut text = format!(
        "{}\n\n{} messages of {} numbers, {} threads, median of {} runs, each in a process of its \
         own, files in the page cache.\n\n",
        machine.line(),
        thousands(options.messages),
        thousands(options.numbers),
        options.threads,
        options.runs
    );
    text.push_str(&table(&headings, &rows));
    let notes: Vec<String> = figures.iter().filter_map(note).collect();
    if !notes.is_empty() {
        text.push_str(&format!("\n{}\n", notes.join("\n")));
    }
    let goals: Vec<Vec<String>> = figures.iter().filter_map(goal).collect();
    if !goals.is_empty() {
        text.push('\n');
        text.push_str(&table(&["goal", "wanted", "measured"], &goals));
    }
    text
}

fn row(figure: &Figure) -> Vec<String> {
    let shown = |value: Option<f64>, digits: usize| {
        value.map_or(String::new(), |value| format!("{value:.digits$}"))
    };
    let memory = figure.peak_memory_bytes.map(|bytes| bytes >> 20);
    let decode = figure.ratio_to_decode_alone.filter(|_| figure.engine == Engine::Turnwise.name());
    vec![
        figure.query.to_owned(),
        figure.layout.to_owned(),
        figure.title.clone(),
        shown(figure.seconds, 2),
        shown(figure.ratio_to_fastest_peer.filter(|_| figure.engine != Engine::Decode.name()), 2),
        shown(decode, 2),
        memory.map_or(String::new(), |mib| format!("{mib} MiB")),
        match figure.answers_equal {
            Some(true) => "equal".to_owned(),
            Some(false) => "**not equal**".to_owned(),
            None => String::new(),
        },
    ]
}

fn note(figure: &Figure) -> Option<String> {
    let Figure { query, layout, engine, .. } = figure;
    let first = figure.note.as_ref()?.lines().next_back()?;
    Some(format!("* {query}, {layout}, {engine}: {first}"))
}

/// What Turnwise's figure says of the goal of its layout.
fn goal(figure: &Figure) -> Option<Vec<String>> {
    if figure.engine != Engine::Turnwise.name() {
        return None;
    }
    let layout = LAYOUTS
        .iter()
        .find(|layout| (layout.query.name(), layout.name) == (figure.query, figure.layout))?;
    let what = format!("{}, {}", figure.query, figure.layout);
    let (wanted, measured) = match layout.goal {
        Some(goal) => (format!("≥ {goal} × the fastest peer"), figure.ratio_to_fastest_peer?),
        None => ("≤ 1.25 × decoding alone".to_owned(), figure.ratio_to_decode_alone?),
    };
    Some(vec![what, wanted, format!("{measured:.2} ×")])
}

/// 20000000 as 20,000,000.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(layout: Layout, engine: Engine, seconds: f64) -> Figure {
        let mut figure = Figure::new(layout, engine);
        let usage = r#"{"processor_seconds":9,"peak_memory_bytes":1,"threads":{}}"#;
        figure.add(&serde_json::from_str(usage).expect("usage"), seconds);
        figure
    }

    #[test]
    fn median_of_runs_counts() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
        assert_eq!(thousands(20_000_000), "20,000,000");
        assert_eq!((thousands(7), thousands(1_234)), ("7".to_owned(), "1,234".to_owned()));
    }

    #[test]
    fn ratios_are_to_the_fastest_peer_that_can_read_the_rows() {
        let of = |name: &str| {
            *LAYOUTS.iter().find(|l| l.query.name() == "B" && l.name == name).expect("a layout")
        };
        let peers = super::super::peers::PEERS.map(Engine::Peer);
        let mut figures = vec![
            figure(of(TEXTS), Engine::Turnwise, 4.0),
            figure(of(TEXTS), Engine::Decode, 2.0),
            figure(of(TEXTS), peers[0], 12.0),
            figure(of(TEXTS), peers[1], 8.0),
            figure(of("shape columns"), Engine::Turnwise, 0.5),
        ];
        add_ratios(&mut figures);
        let ratios: Vec<Option<f64>> = figures.iter().map(|f| f.ratio_to_fastest_peer).collect();
        assert_eq!(ratios, [Some(2.0), Some(4.0), Some(8.0 / 12.0), Some(1.0), Some(16.0)]);
        assert_eq!(figures[0].ratio_to_decode_alone, Some(2.0));
        assert_eq!(goal(&figures[4]).expect("a goal")[2], "16.00 ×");
        assert_eq!(goal(&figures[0]).expect("a goal")[2], "2.00 ×");
    }

    #[test]
    fn one_wrong_answer_is_told_and_only_ours_fails_the_run() {
        let layout = LAYOUTS[0];
        let mut figures = vec![figure(layout, Engine::Turnwise, 1.0)];
        figures[0].judge(Ok(Verdict { numbers: 2, wrong: Default::default() }));
        assert!(are_equal(&figures));
        figures[0].judge(Err(anyhow::anyhow!("no answer")));
        assert!(!are_equal(&figures));
        assert!(row(&figures[0]).contains(&"**not equal**".to_owned()));
        assert!(note(&figures[0]).expect("a note").ends_with("no answer"));
        figures[0].is_peer = true;
        assert!(are_equal(&figures));
    }
}
