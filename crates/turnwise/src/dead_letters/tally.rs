//! What became of the letters that a run tried, and why some were not.

use std::collections::BTreeMap;

use turnwise_model::SourceName;

use super::place::Place;

/// Reasons that are told; more are counted.
const TOLD_MAX: usize = 50;

/// What became of the letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Items whose rows are in the lake now.
    pub(crate) requeued: u64,
    /// Items whose rows were there before.
    pub(crate) before: u64,
    /// Items that are still not readable.
    pub(crate) dead: u64,
    /// Items whose record the broker no longer has.
    pub(crate) gone: u64,
    /// Items whose record could not be read now.
    unreached: u64,
    /// Items of records whose rows could not be told apart.
    refused: u64,
    /// Items behind the last known one of their record that were added.
    pub(crate) rest: u64,
    why_unreached: BTreeMap<(SourceName, String), u64>,
    why_refused: BTreeMap<&'static str, (u64, Place)>,
    /// Letters whose reason is not told.
    untold: u64,
    /// The record that the run stopped at, and how many transactions the lake may hold.
    stopped: Option<(Place, usize)>,
}

impl Tally {
    /// Letters of a source whose records cannot be read now.
    pub(crate) fn unreached(&mut self, source: &SourceName, reason: &str, letters: u64) {
        self.unreached += letters;
        let key = (source.clone(), reason.to_owned());
        if let Some(known) = self.why_unreached.get_mut(&key) {
            *known += letters;
        } else if letters > 0 && self.why_unreached.len() < TOLD_MAX {
            self.why_unreached.insert(key, letters);
        } else {
            self.untold += letters;
        }
    }

    /// Letters of a record that is left as it is.
    pub(crate) fn refused(&mut self, place: &Place, reason: &'static str, letters: u64) {
        self.refused += letters;
        let (told, _) = self.why_refused.entry(reason).or_insert_with(|| (0, place.clone()));
        *told += letters;
    }

    /// The run stops at this record: the lake would hold more transactions than it may.
    pub(crate) fn stop(&mut self, place: &Place, txns_max: usize) {
        self.stopped = Some((place.clone(), txns_max));
    }

    /// Whether the run is to try nothing more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Whether all letters were tried, as far as their records are still there.
    pub(crate) fn is_complete(&self) -> bool {
        self.unreached == 0 && self.refused == 0 && self.stopped.is_none()
    }

    /// The counts.
    pub(crate) fn line(&self) -> String {
        let mut line = format!(
            "{} requeued, {} requeued before, {} still dead, {} no longer at the broker, \
             {} not reached, {} refused",
            self.requeued, self.before, self.dead, self.gone, self.unreached, self.refused
        );
        if self.rest > 0 {
            line.push_str(&format!("; {} items behind them added", self.rest));
        }
        line
    }

    /// Why letters were not tried: a line a source and reason.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let unreached = self.why_unreached.iter().map(|((source, reason), letters)| {
            format!("{letters} of {} not reached: {reason}", source.0)
        });
        let refused = self.why_refused.iter().map(|(reason, (letters, place))| {
            format!("{letters} refused, the first at {place}: {reason}")
        });
        let mut reasons: Vec<String> = unreached.chain(refused).collect();
        if self.untold > 0 {
            reasons.push(format!("{} of more sources not reached", self.untold));
        }
        if let Some((place, txns_max)) = &self.stopped {
            reasons.push(format!(
                "stopped at {place}, what follows is left: a lake may hold {txns_max} transactions \
                 of requeued items, which stay in its log, and this one is full; to have the rows, \
                 read the topic's offsets again into a new lake"
            ));
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_once_a_source_and_letters_counted() {
        let mut tally = Tally { requeued: 1, dead: 2, ..Tally::default() };
        assert!(tally.is_complete());
        let source = |name: &str| SourceName(name.to_owned());
        tally.unreached(&source("file/a"), "it is a file", 2);
        tally.unreached(&source("file/a"), "it is a file", 3);
        tally.unreached(&source("c/t"), "no answer", 1);
        let place: Place = "c/t:0:7".parse().expect("a place");
        tally.refused(&place, "shifted", 4);
        assert!(!tally.is_complete());
        assert_eq!(
            tally.line(),
            "1 requeued, 0 requeued before, 2 still dead, 0 no longer at the broker, \
             6 not reached, 4 refused"
        );
        assert_eq!(
            tally.reasons(),
            [
                "1 of c/t not reached: no answer",
                "5 of file/a not reached: it is a file",
                "4 refused, the first at c/t:0:7: shifted",
            ]
        );
    }

    #[test]
    fn full_lake_is_told_once() {
        let mut tally = Tally { requeued: 7, ..Tally::default() };
        tally.stop(&"c/t:0:7".parse().expect("a place"), 7);
        assert!(tally.is_stopped() && !tally.is_complete());
        let reasons = tally.reasons();
        let [told] = &reasons[..] else { panic!("one reason") };
        assert!(told.starts_with("stopped at c/t:0:7, "), "{told}");
        assert!(told.contains("may hold 7 transactions"), "{told}");
    }

    #[test]
    fn many_sources_are_counted_and_some_named() {
        let mut tally = Tally::default();
        for source in 0..1_000 {
            tally.unreached(&SourceName(format!("file/{source}")), "it is a file", 1);
        }
        let reasons = tally.reasons();
        assert_eq!(reasons.len(), TOLD_MAX + 1);
        assert_eq!(reasons[TOLD_MAX], "950 of more sources not reached");
        assert!(tally.line().contains("1000 not reached"));
    }
}
