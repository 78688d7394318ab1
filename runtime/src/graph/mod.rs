//! Task graphs: the description of a computation before anything runs.
//!
//! A collection holds one [`Layer`]: the tasks that produce its chunks. A layer
//! holds the layers it depends on, so a graph is everything reachable from a
//! set of layers. Building an operation costs the same for ten chunks as for a
//! million, because a layer's tasks stay a rule until a plan is made
//! ([`crate::schedule::plan`]).
//!
//! This module depends on no collection and no scheduler. Start at [`Layer`].

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
pub use tasks::{
    AxisMap, BlockInput, Data, Listed, Progress, TaskFamily, TaskRef, Tasks, ValueSource,
};
pub use value::{ChunkValue, Opaque, Value};
