//! column loops: text to shape, ordering, conversation fold, topic coincidence, histograms

pub mod coincidence;
pub mod counts;
pub mod entropy;
pub mod histogram;
pub mod intervals;
pub mod novelty;
pub mod samples;
