//! The checks that the fuzz targets run, shared with the tests of the codec.

#[path = "../../crates/codec/tests/codec/common/check.rs"]
pub mod check;
