//! The protocol's messages: frames on one side, typed requests and contents
//! on the other. Start reading at [`Envelope`].
//!
//! Owns the wire format, the signatures and the shape of every message. Knows
//! neither sockets nor sessions. Section "The wire protocol" of
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

pub(crate) use comm::{CommClose, CommId, CommInfoReply, CommOpen};
pub(crate) use complete::{CompleteReply, CompleteRequest};
pub(crate) use connect::ConnectReply;
pub(crate) use control::{InterruptReply, ShutdownReply, ShutdownRequest};
pub(crate) use encode::{Content, Encoder};
pub(crate) use envelope::{Envelope, Reader};
pub(crate) use execute::{ExecuteReply, ExecuteRequest};
pub(crate) use frames::Frames;
pub(crate) use header::{Header, PROTOCOL_VERSION};
pub(crate) use history::{HistoryAccess, HistoryReply, HistoryRequest};
pub(crate) use inspect::{InspectReply, InspectRequest};
pub(crate) use iopub::{
    ClearOutput, DisplayData, ErrorOutput, ExecuteInput, ExecuteResult, IopubWelcome, Status,
    Stream, Transient, UpdateDisplayData,
};
pub(crate) use is_complete::{IsCompleteReply, IsCompleteRequest};
pub(crate) use kernel_info::{HelpLink, KernelInfoReply, LanguageInfo};
pub(crate) use request::{BadRequest, ErrorReply, Request};
pub(crate) use sign::Signer;
pub(crate) use stdin::InputRequest;
