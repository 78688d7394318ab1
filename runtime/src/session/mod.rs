//! What a notebook's session holds in the runtime process: variables, the
//! channel to the kernel, the cell that runs.
//!
//! A cell's generated code calls [`cell`] and nothing else; [`host`] is the
//! process that loads cells. Nothing here knows ZeroMQ or Jupyter's messages.

pub mod cell;
pub mod channel;
pub mod closures;
mod collections;
pub mod comm;
mod describe;
pub mod early;
pub mod host;
mod origin;
mod orphan;
pub mod print;
mod public_paths;
mod recoverable;
mod recovery;
mod stdin;
mod variables;
