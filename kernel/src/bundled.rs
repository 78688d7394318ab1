//! The crates that come with Swath.

/// Crates that the runtime gives out (`swath::polars`): a cell names them
/// without `:dep`.
pub(crate) const BUNDLED_CRATES: &[&str] = &[
    "ndarray",
    "plotters",
    "polars",
    "rand",
    "rayon",
    "serde_json",
    "tokio",
];
