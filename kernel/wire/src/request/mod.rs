//! All requests of the protocol.

mod comm;
mod complete;
mod connect;
mod control;
mod execute;
mod history;
mod inspect;
mod is_complete;
mod kernel_info;
mod stdin;

pub use comm::{CommClose, CommInfoReply, CommInfoRequest, CommMsg, CommOpen};
pub use complete::{CompleteReply, CompleteRequest};
pub use connect::ConnectReply;
pub use control::{InterruptReply, ShutdownReply, ShutdownRequest};
pub use execute::{ExecuteReply, ExecuteRequest};
pub use history::{HistoryAccess, HistoryReply, HistoryRequest};
pub use inspect::{InspectReply, InspectRequest};
pub use is_complete::{IsCompleteReply, IsCompleteRequest};
pub use kernel_info::{HelpLink, KernelInfoReply, LanguageInfo};
pub use stdin::InputRequest;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::Content;
use history::RawHistoryRequest;
use stdin::InputReply;

/// Any request of a client.
#[derive(Debug)]
pub enum Request {
    /// Describe the kernel.
    KernelInfo,
    /// Run code.
    Execute(ExecuteRequest),
    /// Complete code.
    Complete(CompleteRequest),
    /// Explain the code at the cursor.
    Inspect(InspectRequest),
    /// Is this code complete?
    IsComplete(IsCompleteRequest),
    /// Return earlier executions.
    History(HistoryRequest),
    /// List the open comms.
    CommInfo(CommInfoRequest),
    /// Open a comm.
    CommOpen(CommOpen),
    /// A message on a comm.
    CommMsg(CommMsg),
    /// Close a comm.
    CommClose(CommClose),
    /// Return the kernel's ports.
    Connect,
    /// Interrupt the running cell.
    Interrupt,
    /// End the kernel.
    Shutdown(ShutdownRequest),
    /// The answer to the kernel's own input_request.
    InputReply(String),
}

/// The reason why a content is not a valid request of its type.
#[derive(Debug, Error)]
pub enum BadRequest {
    /// The message type is unknown.
    #[error("message type `{0}` is unknown")]
    UnknownType(String),
    /// The content lacks a field, or has another structure.
    #[error("cannot parse the content of `{msg_type}`: {cause}")]
    Content {
        /// The message's type.
        msg_type: String,
        /// The error from serde.
        cause: serde_json::Error,
    },
}

impl Request {
    /// Parses `content` as a request of type `msg_type`. Comm messages also use
    /// `metadata` and `buffers`.
    pub fn parse(
        msg_type: &str,
        content: &[u8],
        metadata: &[u8],
        buffers: Vec<Bytes>,
    ) -> Result<Self, BadRequest> {
        let bad = |cause| BadRequest::Content {
            msg_type: msg_type.to_owned(),
            cause,
        };
        Ok(match msg_type {
            "kernel_info_request" => any(content, Self::KernelInfo).map_err(bad)?,
            "execute_request" => Self::Execute(json(content).map_err(bad)?),
            "complete_request" => Self::Complete(json(content).map_err(bad)?),
            "inspect_request" => Self::Inspect(json(content).map_err(bad)?),
            "is_complete_request" => Self::IsComplete(json(content).map_err(bad)?),
            "history_request" => Self::History(
                json::<RawHistoryRequest>(content)
                    .and_then(HistoryRequest::try_from)
                    .map_err(bad)?,
            ),
            "comm_info_request" => Self::CommInfo(json(content).map_err(bad)?),
            "comm_open" => Self::CommOpen(CommOpen {
                metadata: json(metadata).map_err(bad)?,
                buffers,
                ..json(content).map_err(bad)?
            }),
            "comm_msg" => Self::CommMsg(CommMsg {
                metadata: json(metadata).map_err(bad)?,
                buffers,
                ..json(content).map_err(bad)?
            }),
            "comm_close" => Self::CommClose(CommClose {
                metadata: json(metadata).map_err(bad)?,
                buffers,
                ..json(content).map_err(bad)?
            }),
            "connect_request" => any(content, Self::Connect).map_err(bad)?,
            "interrupt_request" => any(content, Self::Interrupt).map_err(bad)?,
            "shutdown_request" => Self::Shutdown(json(content).map_err(bad)?),
            "input_reply" => Self::InputReply(json::<InputReply>(content).map_err(bad)?.value),
            unknown => return Err(BadRequest::UnknownType(unknown.to_owned())),
        })
    }
}

fn json<T: DeserializeOwned>(content: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(content)
}

/// Returns `request`, after checking that its unused content is JSON.
fn any(content: &[u8], request: Request) -> Result<Request, serde_json::Error> {
    json::<Value>(content).map(|_| request)
}

/// The reply to a request whose content does not parse.
#[derive(Debug, serde::Serialize)]
pub struct ErrorReply {
    #[serde(skip)]
    msg_type: String,
    status: &'static str,
    ename: &'static str,
    evalue: String,
    traceback: Vec<String>,
}

impl ErrorReply {
    /// Returns the reply to `bad`; `None` if the message's type has no reply.
    pub fn new(msg_type: &str, bad: &BadRequest) -> Option<Self> {
        let family = msg_type.strip_suffix("_request")?;
        Some(Self {
            msg_type: format!("{family}_reply"),
            status: "error",
            ename: "ProtocolError",
            evalue: bad.to_string(),
            traceback: vec![format!("ProtocolError: {bad}")],
        })
    }
}

impl Content for ErrorReply {
    fn msg_type(&self) -> &str {
        &self.msg_type
    }
}
