//! the batching and offset machine: inputs in, wishes out
