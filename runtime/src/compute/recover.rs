//! Restores collections in another process.

use super::Collection;
use crate::error::{Error, Result};
use crate::graph::{Codec, Layer};
use std::sync::Arc;

/// A collection that another process can restore.
pub(crate) trait Recover: Collection + 'static {
    /// Returns the codec of its values.
    fn codec() -> Option<Codec>;

    /// Returns the collection's description, without its layer.
    ///
    /// # Errors
    /// The error of encoding the description.
    fn describe(&self) -> Result<Vec<u8>>;

    /// Restores a collection from its description and its layer.
    ///
    /// # Errors
    /// [`Error::Decode`] for a different description, or a layer that does not
    /// fit it.
    fn restore(description: &[u8], layer: Arc<Layer>) -> Result<Self>;
}

/// Returns the error of a description that does not fit.
pub(crate) fn mismatch(expected: &str) -> Error {
    Error::Decode(format!("a collection: expected {expected}"))
}
