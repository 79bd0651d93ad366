//! The seeds of every run, and the canaries that they must find.
//!
//! `TURNWISE_SIM_SEED=n` runs that seed alone and prints its trace; `TURNWISE_SIM_SEEDS=n` runs
//! the first n instead of the usual number.

use turnwise_sim::{Canary, Outcome, Tally, run};

/// Seeds of the suite; every canary has to be found within them.
const SEEDS: u64 = 1_000;
/// Lines of a failing trace that are printed, from its end.
const TRACE_LINES: usize = 300;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The violation of a seed with the end of its trace.
fn explain(seed: u64, violation: &str) -> String {
    let Outcome { trace, .. } = run(seed, None, true);
    let shown = trace[trace.len().saturating_sub(TRACE_LINES)..].join("\n");
    format!("{shown}\nseed {seed}: {violation}\nrun it with TURNWISE_SIM_SEED={seed}")
}

fn add(total: &mut [u64], tally: Tally) {
    for (sum, (_, count)) in total.iter_mut().zip(tally.counts()) {
        *sum += count;
    }
}

#[test]
fn every_seed_commits_its_input_once_and_comes_to_rest() {
    if let Some(seed) = number("TURNWISE_SIM_SEED") {
        let Outcome { violation, trace, tally } = run(seed, None, true);
        println!("{}\n{tally:#?}", trace.join("\n"));
        assert_eq!(violation, None, "seed {seed}");
        return;
    }
    let seeds = number("TURNWISE_SIM_SEEDS").unwrap_or(SEEDS);
    let halves = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|half| {
                scope.spawn(move || {
                    let mut total = vec![0; Tally::default().counts().len()];
                    for seed in (half..seeds).step_by(2) {
                        let Outcome { violation, tally, .. } = run(seed, None, false);
                        if let Some(violation) = violation {
                            return Err(explain(seed, &violation));
                        }
                        add(&mut total, tally);
                    }
                    Ok(total)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a run ends")).collect::<Vec<_>>()
    });
    let mut total = vec![0; Tally::default().counts().len()];
    for half in halves {
        let half = half.unwrap_or_else(|why| panic!("{why}"));
        total.iter_mut().zip(half).for_each(|(sum, count)| *sum += count);
    }
    // A fault that never happens tests nothing.
    let named = Tally::default().counts().map(|(name, _)| name);
    for (name, count) in named.into_iter().zip(&total) {
        println!("{name} {count}");
        assert!(*count > 0 || seeds < SEEDS, "{name} never happened in {seeds} seeds");
    }
}

#[test]
fn same_seed_gives_the_same_run() {
    let (one, other) = (run(7, None, true), run(7, None, true));
    assert_eq!(one.trace, other.trace);
    assert_eq!(one.tally, other.tally);
}

#[test]
fn every_canary_is_found() {
    for canary in Canary::ALL {
        let found =
            (0..SEEDS).find_map(|seed| Some((seed, run(seed, Some(canary), false).violation?)));
        let (seed, violation) =
            found.unwrap_or_else(|| panic!("{canary:?} not found in {SEEDS} seeds"));
        println!("{canary:?} found by seed {seed}: {violation}");
    }
}
