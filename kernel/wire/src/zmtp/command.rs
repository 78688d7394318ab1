//! ZMTP commands.

use bytes::{Buf as _, Bytes};

/// A command, which is sent between messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The end of the handshake.
    Ready(Ready),
    /// Subscribes to messages that begin with this topic.
    Subscribe(Bytes),
    /// Cancels a subscription.
    Cancel(Bytes),
    /// Checks that the peer is alive. The answer contains the same bytes, at
    /// most 16.
    Ping(Bytes),
    /// The peer closes the connection for this reason.
    Error(Bytes),
    /// Any command that needs no answer.
    Other,
}

/// A peer's description of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The type of its socket: `DEALER`, `SUB` …
    pub socket_type: Bytes,
    /// The name to which replies are addressed; may be empty.
    pub identity: Bytes,
}

/// The maximum number of bytes of a PING that are sent back.
const MAX_PING_CONTEXT: usize = 16;

impl Command {
    /// Parses a command's body; returns `None` if it is malformed.
    pub(super) fn parse(mut body: Bytes) -> Option<Self> {
        let name = take_name(&mut body)?;
        Some(match &name[..] {
            b"READY" => Self::Ready(Ready::parse(body)?),
            b"SUBSCRIBE" => Self::Subscribe(body),
            b"CANCEL" => Self::Cancel(body),
            b"PING" => {
                // The first two bytes say how long the peer will wait.
                body.try_get_u16().ok()?;
                body.truncate(MAX_PING_CONTEXT);
                Self::Ping(body)
            }
            b"ERROR" => Self::Error(take_name(&mut body)?),
            _ => Self::Other,
        })
    }
}

impl Ready {
    fn parse(mut properties: Bytes) -> Option<Self> {
        let mut ready = Self::default();
        while !properties.is_empty() {
            let name = take_name(&mut properties)?;
            let length = usize::try_from(properties.try_get_u32().ok()?).ok()?;
            let value = take(&mut properties, length)?;
            if name.eq_ignore_ascii_case(b"Socket-Type") {
                ready.socket_type = value;
            } else if name.eq_ignore_ascii_case(b"Identity") {
                ready.identity = value;
            }
        }
        // Names that begin with 0 are reserved for generated names.
        let named = ready.identity.len() <= 255 && ready.identity.first() != Some(&0);
        named.then_some(ready)
    }
}

/// Takes a name that follows its length in one byte.
fn take_name(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::from(bytes.try_get_u8().ok()?);
    take(bytes, length)
}

fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}
