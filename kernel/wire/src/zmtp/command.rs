//! Commands.

use bytes::{Buf as _, Bytes};

/// What is said between messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The end of the handshake.
    Ready(Ready),
    /// Send me what begins with this topic.
    Subscribe(Bytes),
    /// No longer.
    Cancel(Bytes),
    /// Are you there? To be answered with the same bytes, at most 16.
    Ping(Bytes),
    /// The peer gives up, for this reason.
    Error(Bytes),
    /// Nothing that needs an answer.
    Other,
}

/// Who a peer says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The type of its socket: `DEALER`, `SUB` …
    pub socket_type: Bytes,
    /// The name by which replies find it; empty where it has none.
    pub identity: Bytes,
}

/// Bytes of a PING that come back.
const MAX_PING_CONTEXT: usize = 16;

impl Command {
    /// Parses a command's body; `None` where it is none.
    pub(super) fn parse(mut body: Bytes) -> Option<Self> {
        let name = take_name(&mut body)?;
        Some(match &name[..] {
            b"READY" => Self::Ready(Ready::parse(body)?),
            b"SUBSCRIBE" => Self::Subscribe(body),
            b"CANCEL" => Self::Cancel(body),
            b"PING" => {
                // The first two bytes tell how long the peer will wait.
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
        // Names that begin with 0 are for those who have none to be given.
        let named = ready.identity.len() <= 255 && ready.identity.first() != Some(&0);
        named.then_some(ready)
    }
}

/// A name, after its length in one byte.
fn take_name(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::from(bytes.try_get_u8().ok()?);
    take(bytes, length)
}

fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}
