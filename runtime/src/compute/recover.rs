//! What a collection needs so that another process can make it anew.

use super::Collection;
use crate::error::{Error, Result};
use crate::graph::{Codec, Layer};
use std::sync::Arc;

/// A collection that can be made anew.
pub(crate) trait Recover: Collection + 'static {
    /// How its values are read.
    fn codec() -> Option<Codec>;

    /// What it is, beside its layer.
    ///
    /// # Errors
    /// Where that cannot be written.
    fn describe(&self) -> Result<Vec<u8>>;

    /// The collection that was described so, on its layer.
    ///
    /// # Errors
    /// [`Error::Decode`] for another description, or a layer that does
    /// not fit it.
    fn restore(description: &[u8], layer: Arc<Layer>) -> Result<Self>;
}

/// The error of a description that does not fit.
pub(crate) fn misfit(expected: &str) -> Error {
    Error::Decode(format!("a collection: expected {expected}"))
}
