//! Chunked n-dimensional arrays.
//!
//! [`Array`] and [`Scalar`] are thin typed shells over [`RawArray`]: a layer,
//! how its chunks are cut, and the element type as a value. What a method does
//! is an operation that is data (elementwise, reduce, contract, rearrange,
//! create), whose body dispatches on the element type of the [`Chunk`]s that it
//! is given. This module knows the graph and no scheduler: a collection's
//! `compute` is [`crate::Collection`]'s.
//!
//! Start at `raw`: there shapes are checked, chunks are made to fit, and layers
//! are built.

mod axes;
mod chunk;
mod chunks;
mod contract;
mod create;
mod dtype;
mod elementwise;
mod operators;
mod raw;
mod rearrange;
mod recover;
mod reduce;
mod select;
mod shift;
#[cfg(test)]
mod tests;
mod typed;
mod view;

pub use axes::Axes;
pub use chunk::Chunk;
pub use chunks::{AxisSpec, ChunkSpec, Chunks};
pub use dtype::{DType, Element, Float, Literal, Number, Signed};
pub use raw::RawArray;
pub use reduce::Sums;
pub use typed::{Array, IntoNdarray, Other, Scalar, concatenate, random_array, stack};
