//! Rounds: which pieces of the input are folded together, and what may still come after them.
//!
//! A piece is a partition of the input. Where its least time or sender is known, as of a row group
//! of a Parquet file, so is how far back the rows of all later pieces reach. So input that comes
//! in order, or nearly, is folded round by round in little memory; any other is one round.

use std::ops::Range;

use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use turnwise_kernels::fold::bare::{Frontier, SenderBound};

use crate::bare::Words;

/// Batches of rows from which a round may end; of full size they have 2 million rows.
const ROUND_BATCHES: usize = 256;

/// Pieces that are folded together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub pieces: Range<usize>,
    /// Of the rows of all later rounds.
    pub frontier: Frontier,
    pub rows: usize,
}

/// What is known of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub rows: usize,
    times_ms: Option<(i64, i64)>,
    sender_min: SenderBound,
}

impl Piece {
    /// A piece of which nothing is known.
    pub const UNKNOWN: Self = Self { rows: 0, times_ms: None, sender_min: SenderBound::None };

    /// From the statistics of a partition whose first column is the sender and whose third is the
    /// time in milliseconds.
    pub fn new(statistics: &Statistics, sender: &Words) -> Self {
        let columns = &statistics.column_statistics;
        let (of_sender, of_time) = (columns.first(), columns.get(2));
        let times_ms = of_time.and_then(|time| Some((least(time)?, most(time)?)));
        Self {
            rows: statistics.num_rows.get_value().copied().unwrap_or(0),
            times_ms: times_ms.and_then(|(first, last)| Some((whole(&first)?, whole(&last)?))),
            sender_min: of_sender
                .and_then(least)
                .map_or(SenderBound::None, |min| bound(&min, sender)),
        }
    }
}

/// Cuts pieces into rounds. Without knowledge of all pieces there is one.
pub(super) fn rounds(pieces: &[Piece], batch_rows: usize) -> Vec<Round> {
    let round_rows = batch_rows.saturating_mul(ROUND_BATCHES);
    let frontiers = frontiers(pieces);
    let mut rounds: Vec<Round> = Vec::new();
    let (mut first, mut rows) = (0, 0);
    for (at, piece) in pieces.iter().enumerate() {
        rows += piece.rows;
        let is_last = at + 1 == pieces.len();
        let is_worth_it = || {
            let before = rounds.last().map(|round| round.frontier);
            rows >= round_rows && moves(before, &frontiers[at], &pieces[first..=at])
        };
        if is_last || is_worth_it() {
            rounds.push(Round { pieces: first..at + 1, frontier: frontiers[at], rows });
            (first, rows) = (at + 1, 0);
        }
    }
    rounds
}

/// For each piece the frontier of all later ones.
fn frontiers(pieces: &[Piece]) -> Vec<Frontier> {
    let mut frontiers = vec![Frontier::END; pieces.len()];
    let mut later: Option<Frontier> = None;
    for (at, piece) in pieces.iter().enumerate().rev() {
        if let Some(later) = later {
            frontiers[at] = later;
        }
        let time_ms = piece.times_ms.map_or(i64::MIN, |times| times.0);
        let sender = piece.sender_min;
        later = Some(match later {
            None => Frontier { time_ms, sender },
            Some(later) => Frontier {
                time_ms: time_ms.min(later.time_ms),
                sender: lower(sender, later.sender),
            },
        });
    }
    frontiers
}

fn lower(one: SenderBound, other: SenderBound) -> SenderBound {
    match (one, other) {
        (SenderBound::Unsigned(one), SenderBound::Unsigned(other)) => {
            SenderBound::Unsigned(one.min(other))
        }
        (SenderBound::Signed(one), SenderBound::Signed(other)) => {
            SenderBound::Signed(one.min(other))
        }
        _ => SenderBound::None,
    }
}

/// Whether a fold after these pieces completes much: the frontier of senders has moved, or that of
/// time has left half of the time that the pieces span behind.
fn moves(before: Option<Frontier>, after: &Frontier, pieces: &[Piece]) -> bool {
    let senders = match (before.map(|frontier| frontier.sender), after.sender) {
        (_, SenderBound::None) => false,
        (Some(before), after) => before != after,
        (None, after) => pieces.iter().any(|piece| piece.sender_min != after),
    };
    let mut times = pieces.iter().map(|piece| piece.times_ms);
    let span = times.try_fold((i64::MAX, i64::MIN), |span, times| {
        let times = times?;
        Some((span.0.min(times.0), span.1.max(times.1)))
    });
    let half = span.map(|(first, last)| first / 2 + last / 2);
    senders || half.is_some_and(|half| after.time_ms >= half)
}

fn least(column: &ColumnStatistics) -> Option<ScalarValue> {
    known(&column.min_value)
}

fn most(column: &ColumnStatistics) -> Option<ScalarValue> {
    known(&column.max_value)
}

/// An estimate is no bound.
fn known(value: &Precision<ScalarValue>) -> Option<ScalarValue> {
    match value {
        Precision::Exact(value) if !value.is_null() => Some(value.clone()),
        _ => None,
    }
}

/// A whole number of milliseconds, as integers are read.
fn whole(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(value) => *value,
        ScalarValue::TimestampMillisecond(value, _) => *value,
        ScalarValue::TimestampMicrosecond(value, _) => value.map(|micros| micros.div_euclid(1_000)),
        _ => None,
    }
}

fn bound(value: &ScalarValue, sender: &Words) -> SenderBound {
    match (sender, value) {
        (Words::Unsigned, ScalarValue::UInt64(Some(value))) => SenderBound::Unsigned(*value),
        (Words::Signed, ScalarValue::Int64(Some(value))) => SenderBound::Signed(*value),
        _ => SenderBound::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M: usize = 1 << 20;
    const BATCH_ROWS: usize = 8_192;

    fn piece(times_ms: (i64, i64), sender_min: u64) -> Piece {
        Piece { rows: M, times_ms: Some(times_ms), sender_min: SenderBound::Unsigned(sender_min) }
    }

    fn cuts(pieces: &[Piece]) -> Vec<Range<usize>> {
        rounds(pieces, BATCH_ROWS).into_iter().map(|round| round.pieces).collect()
    }

    #[test]
    fn pieces_in_order_of_time_are_rounds() {
        let pieces: Vec<Piece> = (0..6).map(|at| piece((at * 100, at * 100 + 110), 0)).collect();
        assert_eq!(cuts(&pieces), [0..2, 2..4, 4..6]);
        let frontier = rounds(&pieces, BATCH_ROWS)[0].frontier;
        assert_eq!((frontier.time_ms, frontier.sender), (200, SenderBound::Unsigned(0)));
        assert_eq!(rounds(&pieces, BATCH_ROWS)[2].frontier, Frontier::END);
    }

    #[test]
    fn pieces_in_order_of_senders_are_rounds() {
        let pieces: Vec<Piece> = (0..6).map(|at| piece((0, 900), at)).collect();
        assert_eq!(cuts(&pieces), [0..2, 2..4, 4..6]);
        // One sender fills pieces: nothing is complete before it ends.
        let senders = [1, 1, 1, 1, 2, 3];
        let pieces: Vec<Piece> = senders.into_iter().map(|at| piece((0, 900), at)).collect();
        assert_eq!(cuts(&pieces), [0..4, 4..6]);
    }

    #[test]
    fn pieces_in_no_order_are_one_round() {
        let pieces: Vec<Piece> = (0..6).map(|_| piece((0, 900), 3)).collect();
        assert_eq!(cuts(&pieces), vec![0..6]);
    }

    #[test]
    fn a_piece_of_which_nothing_is_known_holds_all_before_it_open() {
        let mut pieces: Vec<Piece> = (0..6).map(|at| piece((at * 100, at * 100 + 99), 0)).collect();
        pieces[5] = Piece::UNKNOWN;
        assert_eq!(cuts(&pieces), vec![0..6]);
    }
}
