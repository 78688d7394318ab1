//! history_request and its reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#history>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Content;

/// Requests earlier executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRequest {
    /// Whether to add each cell's result.
    pub output: bool,
    /// The cells to return.
    pub access: HistoryAccess,
}

/// Selects cells of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryAccess {
    /// The last `n` cells.
    Tail {
        /// The number of cells.
        n: usize,
    },
    /// Lines of one session.
    Range {
        /// The session's number; 0 is the current one, -1 the previous one.
        session: i64,
        /// The first line.
        start: i64,
        /// The line after the last; by default, all remaining lines.
        stop: Option<i64>,
    },
    /// Cells that match a pattern.
    Search {
        /// The pattern, with `*` for any text and `?` for any character.
        pattern: String,
        /// The maximum number of cells; the latest are returned.
        n: Option<usize>,
        /// Whether to drop repetitions.
        unique: bool,
    },
}

/// The request as sent: one flat object for the three kinds of access.
#[derive(Debug, Deserialize)]
pub(super) struct RawHistoryRequest {
    #[serde(default)]
    output: bool,
    #[serde(default = "tail")]
    hist_access_type: String,
    #[serde(default)]
    session: Option<i64>,
    #[serde(default)]
    start: Option<i64>,
    #[serde(default)]
    stop: Option<i64>,
    #[serde(default)]
    n: Option<i64>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    unique: Option<bool>,
}

fn tail() -> String {
    "tail".to_owned()
}

/// How many cells a `tail` without `n` gets.
const DEFAULT_TAIL: usize = 10;

impl TryFrom<RawHistoryRequest> for HistoryRequest {
    type Error = serde_json::Error;

    fn try_from(raw: RawHistoryRequest) -> Result<Self, Self::Error> {
        use serde::de::Error as _;
        let n = raw.n.map(|n| usize::try_from(n).unwrap_or(0));
        let access = match raw.hist_access_type.as_str() {
            "tail" => HistoryAccess::Tail {
                n: n.unwrap_or(DEFAULT_TAIL),
            },
            "range" => HistoryAccess::Range {
                session: raw.session.unwrap_or(0),
                start: raw.start.unwrap_or(1),
                stop: raw.stop,
            },
            "search" => HistoryAccess::Search {
                pattern: raw.pattern.unwrap_or_else(|| "*".to_owned()),
                n,
                unique: raw.unique.unwrap_or(false),
            },
            other => {
                return Err(serde_json::Error::custom(format_args!(
                    "hist_access_type is `{other}`, expected tail, range or search"
                )));
            }
        };
        Ok(Self {
            output: raw.output,
            access,
        })
    }
}

/// The cells: `[session, line, input]`, or `[session, line, [input, output]]`.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryReply {
    /// Always "ok".
    pub status: &'static str,
    /// Oldest first.
    pub history: Vec<Value>,
}

impl Content for HistoryReply {
    fn msg_type(&self) -> &str {
        "history_reply"
    }
}
