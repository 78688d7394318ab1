//! The messages of Jupyter's protocol: converts between frames and typed
//! requests and contents. Start reading at [`Envelope`].
//!
//! Owns the wire format, the signatures and the structure of every message.
//! Knows neither sockets nor sessions, so it compiles and is tested alone.
//! Section "The wire protocol" of
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html>.

mod comm;
mod complete;
mod connect;
mod control;
mod encode;
mod envelope;
mod execute;
mod frames;
mod header;
mod history;
mod inspect;
mod iopub;
mod is_complete;
mod kernel_info;
mod request;
mod sign;
mod stdin;
pub mod zmtp;

pub use comm::{CommClose, CommInfoReply, CommInfoRequest, CommMsg, CommOpen};
pub use complete::{CompleteReply, CompleteRequest};
pub use connect::ConnectReply;
pub use control::{InterruptReply, ShutdownReply, ShutdownRequest};
pub use encode::{Content, Encoder};
pub use envelope::{Envelope, Reader, Rejected};
pub use execute::{ExecuteReply, ExecuteRequest};
pub use frames::{FrameError, Frames};
pub use header::{Header, PROTOCOL_VERSION};
pub use history::{HistoryAccess, HistoryReply, HistoryRequest};
pub use inspect::{InspectReply, InspectRequest};
pub use iopub::{
    ClearOutput, DisplayData, ErrorOutput, ExecuteInput, ExecuteResult, IopubWelcome, Status,
    Stream, Transient, UpdateDisplayData,
};
pub use is_complete::{IsCompleteReply, IsCompleteRequest};
pub use kernel_info::{HelpLink, KernelInfoReply, LanguageInfo};
pub use request::{BadRequest, ErrorReply, Request};
pub use sign::Signer;
pub use stdin::InputRequest;
