//! Rebuilds delayed values in another process.

use super::Delayed;
use crate::compute::recover::{Recover, mismatch};
use crate::error::Result;
use crate::graph::encoding::codec_of;
use crate::graph::{Codec, Layer};
use std::any::TypeId;
use std::sync::Arc;

impl<T: Clone + Send + Sync + 'static> Recover for Delayed<T> {
    fn codec() -> Option<Codec> {
        codec_of(TypeId::of::<T>())
    }

    fn describe(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn restore(_: &[u8], layer: Arc<Layer>) -> Result<Self> {
        if layer.grid().len() != 1 {
            return Err(mismatch("a layer of one value"));
        }
        Ok(Self::of(layer))
    }
}
