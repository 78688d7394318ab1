//! What is in scope in every cell.

pub use crate::cluster::{Client, ClusterInfo, LocalCluster};
pub use crate::compute::{Collection, compute};
pub use crate::delayed::{
    Delayed, Function, TaskGraph, TaskOutput, delayed, key, keys, try_delayed,
};
pub use crate::error::{Error, Result as SwathResult};

pub use crate::array::{Array, ChunkSpec, DType, Scalar, concatenate, random_array, stack};
pub use ndarray;
pub use ndarray::Axis;
