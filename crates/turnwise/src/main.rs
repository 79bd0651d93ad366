//! the binary: arguments, configuration, roles, telemetry, shutdown
fn main() {}
