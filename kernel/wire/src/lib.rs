//! The messages of Jupyter's protocol: converts between frames and typed
//! requests and contents. Start reading at [`Envelope`].
//!
//! Owns the wire format, the signatures and the structure of every message.
//! Knows neither sockets nor sessions, so it compiles and is tested alone.
//! Section "The wire protocol" of
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html>.

mod encode;
mod envelope;
mod frames;
mod header;
mod iopub;
mod request;
mod sign;
pub mod zmtp;

pub use encode::{Content, Encoder};
pub use envelope::{Envelope, Reader, Rejected};
pub use frames::{FrameError, Frames};
pub use header::{Header, PROTOCOL_VERSION};
pub use iopub::{
    ClearOutput, DisplayData, ErrorOutput, ExecuteInput, ExecuteResult, IopubWelcome, Status,
    Stream, Transient, UpdateDisplayData,
};
pub use request::*;
pub use sign::Signer;
