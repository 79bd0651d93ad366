//! The checks that the fuzz targets run, shared with the tests of the codec.

#[path = "../../crates/codec/tests/common/check.rs"]
pub mod check;
