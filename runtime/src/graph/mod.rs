//! Task graphs: what is to be computed, before anything runs.
//!
//! A collection holds one [`Layer`]: the tasks that produce its chunks. A layer
//! knows the layers it depends on, so a graph is what can be reached from a
//! set of layers; building an operation costs the same for ten chunks as for a
//! million, because the tasks of a layer stay a rule until a plan is made
//! ([`crate::schedule::plan`]).
//!
//! This module knows no collection and no scheduler. Start at [`Layer`].

pub(crate) mod encoding;
mod key;
mod layer;
mod layers;
mod memory;
pub(crate) mod needed;
mod operation;
mod retry;
mod summary;
mod tasks;
mod value;

pub use encoding::{Codec, Encoded, encodable};
pub use key::{Fingerprint, Grid, Index, Key, LayerId};
pub use layer::{Layer, Sizes};
pub(crate) use layers::QuickHash;
pub use layers::{Layers, Node, Output, topological};
pub use memory::in_use;
pub use operation::{Alias, Arguments, Block, EncodedOperation, Operation};
pub(crate) use retry::again;
pub use summary::{Summary, short_type_name};
pub use tasks::{AxisMap, BlockInput, Data, Listed, Progress, Source, TaskFamily, TaskRef, Tasks};
pub use value::{ChunkValue, Opaque, Value};
