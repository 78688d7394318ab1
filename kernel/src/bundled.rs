//! The crates that come with Swath.

/// Crates that the runtime re-exports (`swath::polars`). A cell can name them
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
