//! Partitioned data frames on Polars.
