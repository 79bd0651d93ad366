//! seeded generator of realistic BSP traffic, for demo, benches and tests
