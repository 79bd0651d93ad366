//! DataFusion: table providers, fold operator, scalar and aggregate functions, .sql views, limited sessions
