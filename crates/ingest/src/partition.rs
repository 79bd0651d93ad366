//! What the machine knows of one partition.

use turnwise_model::{Millis, Offset, SourcePartition};

use crate::flight::Flight;
use crate::port::Epoch;

/// One partition that is read.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) epoch: Epoch,
    /// The lake's offset as this worker knows it.
    pub(crate) stored: Option<Offset>,
    /// Where reading begins while the lake knows no offset.
    pub(crate) first: Offset,
    /// Read up to here.
    pub(crate) position: Offset,
    /// The open batch holds a range of it (which may have no rows).
    pub(crate) open: bool,
    pub(crate) open_rows: usize,
    pub(crate) open_bytes: usize,
    pub(crate) read_to: Option<Millis>,
    /// To be given back once nothing of it is left to commit.
    pub(crate) revoked: bool,
}

impl Partition {
    /// Whether the flight carries rows of this epoch.
    pub(crate) fn flies(&self, flight: Option<&Flight>, name: &SourcePartition) -> bool {
        flight
            .and_then(|flight| flight.parts.get(name))
            .is_some_and(|part| part.epoch == self.epoch)
    }

    /// The offset to read again from after a bad read: behind the flight, which stands on its own.
    pub(crate) fn stored_or_flown(
        &self,
        flight: Option<&Flight>,
        name: &SourcePartition,
    ) -> Option<Offset> {
        match flight.and_then(|flight| flight.parts.get(name)) {
            Some(part) if part.epoch == self.epoch => Some(part.to),
            _ => self.stored,
        }
    }
}
