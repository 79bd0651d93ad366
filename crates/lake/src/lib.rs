//! the Delta tables: append with offsets, read at a version, compact, vacuum
