//! seeded simulation of ingest under faults, with an oracle and checkers
