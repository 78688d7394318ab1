//! The heartbeat: whatever comes goes back.

use bytes::Bytes;
use swath_wire::zmtp::{Limits, Ready, encode};

use super::outbox::Outbox;
use super::peer::{Ended, Socket};
use super::router;

/// The socket that echoes.
///
/// A ROUTER does to REQ what REP does, and has no state in which a client that
/// vanished between request and reply could leave it.
pub(super) struct Heartbeat;

impl Socket for Heartbeat {
    const TYPE: &'static str = "ROUTER";
    const PEERS: &'static [&'static str] = router::PEERS;
    /// Clients send a word.
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
