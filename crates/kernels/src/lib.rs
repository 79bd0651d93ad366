//! Column loops: text to shape, the conversation fold, and the statistics of samples.
//!
//! Pure functions over slices and Arrow arrays: no clock, no file, no randomness. Every state is
//! made of integers in a canonical order, so that any grouping and order gives the same bits.

#![deny(unsafe_code)]

pub mod coincidence;
pub mod counts;
pub mod dispatch;
pub mod entropy;
pub mod fetch;
pub mod fold;
pub mod histogram;
pub mod intervals;
pub mod logarithm;
pub mod novelty;
pub mod ordering;
pub mod quantile;
pub mod regression;
pub mod samples;
pub mod scan;
pub mod shape;
pub mod strings;

#[cfg(test)]
mod testing;
