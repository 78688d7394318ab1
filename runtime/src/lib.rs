//! Swath.
