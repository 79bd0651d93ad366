//! untrusted record bytes to columns and dead letters, one module a wire format
