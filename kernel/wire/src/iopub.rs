//! The kernel's broadcasts.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-iopub-pub-sub-channel>

use serde::Serialize;
use serde_json::{Map, Value};

use super::Content;

/// Gives each content its message type.
macro_rules! message_types {
    ($($content:ty => $name:literal,)*) => {$(
        impl Content for $content {
            fn msg_type(&self) -> &str {
                $name
            }
        }
    )*};
}

message_types! {
    Status => "status",
    ExecuteInput => "execute_input",
    Stream => "stream",
    DisplayData => "display_data",
    UpdateDisplayData => "update_display_data",
    ExecuteResult => "execute_result",
    ErrorOutput => "error",
    ClearOutput => "clear_output",
    IopubWelcome => "iopub_welcome",
}

/// The state of the kernel's work on the parent.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "execution_state", rename_all = "lowercase")]
pub enum Status {
    /// The kernel has just started. This message has no parent.
    Starting,
    /// It is working on the parent request.
    Busy,
    /// It has finished the parent request.
    Idle,
}

/// The code that is about to run.
#[derive(Clone, Debug, Serialize)]
pub struct ExecuteInput {
    /// Its source text.
    pub code: String,
    /// Its number.
    pub execution_count: u32,
}

/// Text that a cell wrote.
#[derive(Clone, Debug, Serialize)]
pub struct Stream {
    /// "stdout" or "stderr".
    pub name: &'static str,
    /// The text.
    pub text: String,
}

/// Data that front ends keep only while they are open.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Transient {
    /// Names the display for later updates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_id: Option<String>,
}

/// Displays content.
#[derive(Clone, Debug, Serialize)]
pub struct DisplayData {
    /// By MIME type.
    pub data: Map<String, Value>,
    /// By MIME type.
    pub metadata: Map<String, Value>,
    /// The display's id.
    pub transient: Transient,
}

/// Replaces the content of earlier displays with the same id.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct UpdateDisplayData(pub DisplayData);

/// The value of the cell.
#[derive(Clone, Debug, Serialize)]
pub struct ExecuteResult {
    /// The cell's number.
    pub execution_count: u32,
    /// By MIME type.
    pub data: Map<String, Value>,
    /// By MIME type.
    pub metadata: Map<String, Value>,
}

/// The error of a failed cell.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorOutput {
    /// The error's kind.
    pub ename: String,
    /// One line.
    pub evalue: String,
    /// The whole text.
    pub traceback: Vec<String>,
}

/// Removes the output of the cell.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClearOutput {
    /// Whether to wait for the next output.
    pub wait: bool,
}

/// Notifies a subscriber that it receives every message from now on (JEP 65).
#[derive(Clone, Debug, Serialize)]
pub struct IopubWelcome {
    /// The topic subscribed to.
    pub subscription: String,
}
