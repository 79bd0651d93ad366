//! The types of `proto/turnwise/events/v1/events.proto`, as generated: for writers of records and
//! as the reference in tests. The decoder itself reads the wire without them.

#![allow(missing_docs, reason = "generated; the protocol's comments are its documentation")]

include!(concat!(env!("OUT_DIR"), "/turnwise.events.v1.rs"));
