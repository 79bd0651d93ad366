//! Known mistakes, planted on purpose: a harness that does not find them finds nothing.

/// A mistake in the driver, the decoder or the lake (never in the machine).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canary {
    /// The driver says `Committed` where it heard no reply.
    AmbiguousIsCommitted,
    /// A put that met another's entry is put again behind it, offsets unchecked.
    BlindRebase,
    /// The driver commits files past their deadline.
    DeadlineIgnored,
    /// A put replaces an entry that is there.
    PutOverwrites,
    /// The decoder obeys a `Cut` only after the `Seek` behind it and the first read under it.
    CutAfterSeek,
    /// The answer to a `Cut` overtakes the reads whose rows it holds.
    CutOvertakesReads,
    /// The driver obeys the `Seek` of a partition that it has stopped for a revocation.
    SeekAfterStop,
}

impl Canary {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AmbiguousIsCommitted,
        Self::BlindRebase,
        Self::DeadlineIgnored,
        Self::PutOverwrites,
        Self::CutAfterSeek,
        Self::CutOvertakesReads,
        Self::SeekAfterStop,
    ];
}
