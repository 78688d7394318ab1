//! execute_request and its reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#execute>

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::Content;

/// Requests the execution of code.
#[derive(Clone, Debug, Deserialize)]
pub struct ExecuteRequest {
    /// The source text.
    pub code: String,
    /// Whether to show nothing and not to count the cell.
    #[serde(default)]
    pub silent: bool,
    /// Whether to count the cell and store it in the history. A silent request
    /// is never stored.
    #[serde(default = "yes")]
    pub store_history: bool,
    /// Expressions to evaluate afterwards, by the name of their result.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub user_expressions: Map<String, Value>,
    /// Whether the client can answer an input_request.
    #[serde(default = "yes")]
    pub allow_stdin: bool,
    /// Whether an error aborts the requests that are already queued.
    #[serde(default = "yes")]
    pub stop_on_error: bool,
}

fn yes() -> bool {
    true
}

fn null_is_empty<'de, D: Deserializer<'de>>(input: D) -> Result<Map<String, Value>, D::Error> {
    Option::deserialize(input).map(Option::unwrap_or_default)
}

/// How the execution ended.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum ExecuteReply {
    /// It ran to its end.
    Ok {
        /// The cell's number.
        execution_count: u32,
        /// Results by name.
        user_expressions: Map<String, Value>,
        /// Deprecated; clients still look for it.
        payload: Vec<Value>,
    },
    /// It failed.
    Error {
        /// The cell's number.
        execution_count: u32,
        /// The error's kind.
        ename: String,
        /// One line.
        evalue: String,
        /// The whole text.
        traceback: Vec<String>,
        /// Empty.
        user_expressions: Map<String, Value>,
        /// Deprecated; clients still look for it.
        payload: Vec<Value>,
    },
    /// It was not run, because an earlier request failed or the kernel ends.
    Aborted {
        /// The last number given.
        execution_count: u32,
        /// Empty.
        user_expressions: Map<String, Value>,
        /// Deprecated; clients still look for it.
        payload: Vec<Value>,
    },
}

impl Content for ExecuteReply {
    fn msg_type(&self) -> &str {
        "execute_reply"
    }
}
