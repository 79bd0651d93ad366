//! gRPC: flagged senders, health, reflection
