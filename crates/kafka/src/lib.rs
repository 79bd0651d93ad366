//! the only crate that knows librdkafka
