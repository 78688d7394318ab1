//! A ROUTER socket: requests in, replies out to who asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use swath_wire::zmtp::{Limits, Ready, encode};
use swath_wire::{Frames, Reader};
use tokio::sync::mpsc;

use super::outbox::Outbox;
use super::peer::{Ended, Socket};
use super::{Channel, Received};

/// A request's bytes and frames at most: a cell with a large literal, or a
/// comm's buffers, have room.
pub(super) const LIMITS: Limits = Limits {
    nbytes: 128 << 20,
    frames: 4096,
};

/// The sockets that may connect.
pub(super) const PEERS: &[&str] = &["DEALER", "REQ", "ROUTER"];

/// A socket that requests come from.
pub(super) struct Router {
    channel: Channel,
    reader: Reader,
    requests: mpsc::UnboundedSender<Received>,
    peers: Mutex<Peers>,
}

#[derive(Default)]
struct Peers {
    closed: bool,
    /// The number of the last connection.
    last: u32,
    /// By identity. Several may have the same: a client that has connected
    /// again while its old connection is not yet known to be dead, or two that
    /// share a session. Replies go to the last one: who spoke last, or who came
    /// last where nobody has spoken. Closing the others would have ZeroMQ connect
    /// them again, and take over.
    by_identity: BTreeMap<Bytes, Vec<Known>>,
}

/// A connection that replies can go to.
struct Known {
    number: u32,
    outbox: Outbox,
    /// Whether anything has come from it.
    has_spoken: bool,
}

/// One connection.
pub(super) struct Peer {
    /// Where its replies go.
    identity: Bytes,
    /// Tells it from others of the same identity.
    number: u32,
}

impl Router {
    /// A socket whose requests go to `requests`, when `reader` accepts them.
    pub(super) fn new(
        channel: Channel,
        reader: Reader,
        requests: mpsc::UnboundedSender<Received>,
    ) -> Arc<Self> {
        Arc::new(Self {
            channel,
            reader,
            requests,
            peers: Mutex::default(),
        })
    }

    /// Sends to the client that the first identity names.
    pub(super) fn send(&self, frames: Frames) {
        let parts = frames.join();
        let Some((identity, message)) = parts.split_first() else {
            return;
        };
        let peers = self.peers.lock();
        match peers.by_identity.get(identity).and_then(|all| all.last()) {
            Some(known) => known.outbox.push(encode::message(message)),
            None => tracing::warn!(socket = self.name(), "client is gone, reply dropped"),
        }
    }
}

impl Peers {
    /// Has the replies to this identity go to `peer`.
    fn prefer(&mut self, peer: &Peer) {
        if let Some(same) = self.by_identity.get_mut(&peer.identity)
            && let Some(at) = same.iter().position(|known| known.number == peer.number)
        {
            same[at].has_spoken = true;
            same[at..].rotate_left(1);
        }
    }
}

impl Socket for Router {
    const TYPE: &'static str = "ROUTER";
    const PEERS: &'static [&'static str] = PEERS;
    const LIMITS: Limits = LIMITS;
    type Peer = Peer;

    fn name(&self) -> &'static str {
        self.channel.name()
    }

    fn join(&self, ready: Ready, outbox: Outbox) -> Option<Peer> {
        let mut peers = self.peers.lock();
        if peers.closed {
            return None;
        }
        peers.last = peers.last.wrapping_add(1);
        let number = peers.last;
        let identity = if ready.identity.is_empty() {
            // As libzmq names those who have no name. The zero keeps these
            // apart from names that clients choose.
            [&[0], &number.to_be_bytes()[..]].concat().into()
        } else {
            ready.identity
        };
        let same = peers.by_identity.entry(identity.clone()).or_default();
        // Before those who wait for replies.
        let at = same.iter().position(|known| known.has_spoken);
        let known = Known {
            number,
            outbox,
            has_spoken: false,
        };
        same.insert(at.unwrap_or(same.len()), known);
        Some(Peer { identity, number })
    }

    fn receive(&self, peer: &Peer, mut message: Vec<Bytes>) -> Result<(), Ended> {
        self.peers.lock().prefer(peer);
        message.insert(0, peer.identity.clone());
        match self.reader.read(message) {
            // Fails only when the session has ended.
            Ok(envelope) => drop(self.requests.send((self.channel, envelope))),
            Err(error) => tracing::warn!(socket = self.name(), %error, "message dropped"),
        }
        Ok(())
    }

    fn leave(&self, peer: &Peer) {
        let mut peers = self.peers.lock();
        if let Some(same) = peers.by_identity.get_mut(&peer.identity) {
            same.retain(|known| known.number != peer.number);
            if same.is_empty() {
                peers.by_identity.remove(&peer.identity);
            }
        }
    }

    fn close(&self) {
        let mut peers = self.peers.lock();
        peers.closed = true;
        peers.by_identity.clear();
    }
}
