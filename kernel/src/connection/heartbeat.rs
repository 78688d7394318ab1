//! The heartbeat: echoes every message.

use bytes::Bytes;
use swath_wire::zmtp::{Limits, Ready, encode};

use super::outbox::Outbox;
use super::peer::{Ended, Socket};
use super::router;

/// The socket that echoes.
///
/// To a REQ peer, a ROUTER behaves like a REP socket. But it has no state that
/// a client that vanishes between request and reply could leave inconsistent.
pub(super) struct Heartbeat;

impl Socket for Heartbeat {
    const TYPE: &'static str = "ROUTER";
    const PEERS: &'static [&'static str] = router::PEERS;
    /// Clients send a single word.
    const LIMITS: Limits = Limits {
        nbytes: 1 << 20,
        frames: 16,
    };
    type Peer = Outbox;

    fn name(&self) -> &'static str {
        "heartbeat"
    }

    fn join(&self, _ready: Ready, outbox: Outbox) -> Option<Outbox> {
        Some(outbox)
    }

    fn receive(&self, outbox: &Outbox, message: Vec<Bytes>) -> Result<(), Ended> {
        outbox.push(encode::message(&message));
        Ok(())
    }

    fn leave(&self, _outbox: &Outbox) {}

    fn close(&self) {}
}
