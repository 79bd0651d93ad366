//! The checks that the fuzz targets run, shared with the tests of the codec and the kernels.

#[path = "../../crates/codec/tests/codec/common/check.rs"]
pub mod check;
pub mod shape;
