//! The protocol `turnwise.v1`, generated from `proto/turnwise/v1`: messages, client and server.

#![allow(missing_docs, unused_qualifications, clippy::all, clippy::semicolon_if_nothing_returned)]
#![allow(clippy::cast_lossless, clippy::disallowed_methods, clippy::large_futures)]

tonic::include_proto!("turnwise.v1");

/// The descriptors of the protocol, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("turnwise_descriptor");
