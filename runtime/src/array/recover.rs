//! Rebuilds arrays and scalars in another process.

use super::chunk::Chunk;
use super::chunks::Chunks;
use super::dtype::{DType, Element};
use super::raw::RawArray;
use super::typed::{Array, Scalar};
use crate::compute::recover::{Recover, mismatch};
use crate::error::{Error, Result};
use crate::graph::{Codec, Layer};
use std::sync::Arc;

impl RawArray {
    fn describe(&self) -> Result<Vec<u8>> {
        postcard::to_stdvec(&(self.dtype(), self.chunks()))
            .map_err(|error| Error::Encode(error.to_string()))
    }

    fn restore(description: &[u8], layer: Arc<Layer>, expected: DType) -> Result<Self> {
        let (dtype, chunks): (DType, Chunks) =
            postcard::from_bytes(description).map_err(|error| Error::Decode(error.to_string()))?;
        if dtype != expected || chunks.grid() != *layer.grid() {
            return Err(mismatch("an array of the same type and chunks"));
        }
        Ok(Self::new(layer, chunks, dtype))
    }
}

macro_rules! recover {
    ($($name:ident),*) => {$(
        impl<T: Element> Recover for $name<T> {
            fn codec() -> Option<Codec> {
                Some(Chunk::CODEC)
            }

            fn describe(&self) -> Result<Vec<u8>> {
                self.raw().describe()
            }

            fn restore(description: &[u8], layer: Arc<Layer>) -> Result<Self> {
                RawArray::restore(description, layer, T::DTYPE).map(Self::from_raw)
            }
        }
    )*};
}
recover!(Array, Scalar);
