//! Chunked n-dimensional arrays.
//!
//! [`Array`] and [`Scalar`] are thin typed shells over [`RawArray`], which consists of a
//! layer, the chunks' sizes, and the element type as a value. Each method is an operation
//! that is plain data (elementwise, reduce, contract, rearrange, create). Its body
//! dispatches on the element type of the input [`Chunk`]s. This module depends on the
//! graph, but not on a scheduler: `compute` belongs to [`crate::Collection`].
//!
//! Start at `raw`. It checks shapes, makes chunks fit each other, and builds layers.

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
