//! Message headers.

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of the protocol that the kernel implements.
///
/// 5.5 requires `supported_features` in kernel_info_reply. The handshake that
/// was introduced with it is announced by the kernelspec's
/// `kernel_protocol_version`, which ours omits.
pub const PROTOCOL_VERSION: &str = "5.5";

/// A message's header.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Header {
    /// Unique to the message.
    pub msg_id: String,
    /// The sender's session. In messages of the kernel, it is the kernel's own.
    #[serde(default)]
    pub session: String,
    /// The sender's user name.
    #[serde(default)]
    pub username: String,
    /// The date of the message, in ISO 8601.
    #[serde(default)]
    pub date: String,
    /// The message's type, which determines the structure of its content.
    pub msg_type: String,
    /// The protocol's version.
    #[serde(default)]
    pub version: String,
}

impl Header {
    /// Returns a new header of `session`, dated now.
    pub fn new(session: &str, username: &str, msg_type: &str) -> Self {
        Self {
            msg_id: Uuid::new_v4().to_string(),
            session: session.to_owned(),
            username: username.to_owned(),
            date: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
            msg_type: msg_type.to_owned(),
            version: PROTOCOL_VERSION.to_owned(),
        }
    }
}
