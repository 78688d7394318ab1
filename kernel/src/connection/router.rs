//! A ROUTER socket: receives requests, and sends replies to the client that
//! asked.

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

/// The maximum bytes and frames of a request: enough for a cell with a large
/// literal, or for the buffers of a comm.
pub(super) const LIMITS: Limits = Limits {
    nbytes: 128 << 20,
    frames: 4096,
};

/// The sockets that may connect.
pub(super) const PEERS: &[&str] = &["DEALER", "REQ", "ROUTER"];

/// A socket that receives requests.
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
    /// Connections by identity. Several may have the same identity: a client
    /// that has reconnected while its old connection is not yet known to be
    /// dead, or two clients that share a session. Replies go to the last one in
    /// the list: the one that spoke last, or the newest if none has spoken. If
    /// the others were closed instead, ZeroMQ would reconnect them, and they
    /// would take over.
    by_identity: BTreeMap<Bytes, Vec<Known>>,
}

/// A connection that replies can go to.
struct Known {
    number: u32,
    outbox: Outbox,
    /// Whether it has sent anything.
    has_spoken: bool,
}

/// One connection.
pub(super) struct Peer {
    /// The identity to which its replies go.
    identity: Bytes,
    /// Distinguishes it from others of the same identity.
    number: u32,
}

impl Router {
    /// Returns a socket that sends the requests that `reader` accepts to
    /// `requests`.
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

    /// Sends to the client of the first identity.
    pub(super) fn send(&self, frames: Frames) {
        let parts = frames.join();
        let Some((identity, message)) = parts.split_first() else {
            return;
        };
        let peers = self.peers.lock();
        match peers.by_identity.get(identity).and_then(|all| all.last()) {
            Some(known) => known.outbox.push(encode::message(message)),
            None => tracing::warn!(
                socket = self.name(),
                "client has disconnected, reply dropped"
            ),
        }
    }
}

impl Peers {
    /// Directs the replies for this identity to `peer`.
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
            // Like libzmq, generate an identity if the client gives none. The
            // leading zero distinguishes it from identities that clients
            // choose.
            [&[0], &number.to_be_bytes()[..]].concat().into()
        } else {
            ready.identity
        };
        let same = peers.by_identity.entry(identity.clone()).or_default();
        // Insert it before connections that have spoken: they may be waiting
        // for replies.
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
