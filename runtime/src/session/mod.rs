//! The state of a notebook's session in the runtime process: variables, the
//! channel to the kernel, the running cell.
//!
//! A cell's generated code calls only [`cell`]. [`host`] is the process that
//! loads cells. Nothing here depends on ZeroMQ or Jupyter's messages.

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
