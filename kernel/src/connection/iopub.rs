//! iopub: an XPUB socket, so that a new subscriber can be welcomed (JEP 65).
//! <https://jupyter.org/enhancement-proposals/65-jupyter-xpub/jupyter-xpub.html>
//!
//! This is our own implementation: zmq.rs has no socket that reports subscriptions
//! and whose subscribers do not wait for one another.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use swath_wire::zmtp::{Limits, Ready, encode};
use swath_wire::{Encoder, Frames, IopubWelcome};

use super::outbox::Outbox;
use super::peer::{Ended, Socket};

/// Subscriptions that a client may have.
const MAX_TOPICS: usize = 256;

/// The socket that broadcasts.
pub(super) struct Publisher {
    encoder: Encoder,
    subscribers: Mutex<Subscribers>,
}

#[derive(Default)]
struct Subscribers {
    closed: bool,
    /// The number of the last connection.
    last: u64,
    by_number: BTreeMap<u64, Subscriber>,
}

struct Subscriber {
    /// It receives messages whose topics begin with one of these.
    topics: Vec<Bytes>,
    outbox: Outbox,
}

impl Publisher {
    /// Returns a socket; `encoder` encodes its welcome messages.
    pub(super) fn new(encoder: Encoder) -> Arc<Self> {
        Arc::new(Self {
            encoder,
            subscribers: Mutex::default(),
        })
    }

    /// Queues a message for all subscribers of its topic, which is its first
    /// frame.
    pub(super) fn publish(&self, frames: Frames) {
        let parts = frames.join();
        let Some(topic) = parts.first() else {
            return;
        };
        let subscribers = self.subscribers.lock();
        let mut encoded = None;
        for Subscriber { topics, outbox } in subscribers.by_number.values() {
            if topics.iter().any(|wanted| topic.starts_with(wanted)) {
                let message = encoded.get_or_insert_with(|| encode::message(&parts));
                outbox.push(message.clone());
            }
        }
    }

    fn welcome(&self, topic: Bytes) -> Option<Bytes> {
        let welcome = IopubWelcome {
            subscription: String::from_utf8_lossy(&topic).into_owned(),
        };
        match self.encoder.encode(vec![topic], &Value::Null, &welcome) {
            Ok(frames) => Some(encode::message(&frames.join())),
            Err(error) => {
                tracing::error!(%error, "iopub_welcome is not JSON");
                None
            }
        }
    }
}

impl Socket for Publisher {
    const TYPE: &'static str = "XPUB";
    const PEERS: &'static [&'static str] = &["SUB", "XSUB"];
    /// Only subscriptions arrive here.
    const LIMITS: Limits = Limits {
        nbytes: 4096,
        frames: 16,
    };
    type Peer = u64;

    fn name(&self) -> &'static str {
        "iopub"
    }

    fn join(&self, _ready: Ready, outbox: Outbox) -> Option<u64> {
        let mut subscribers = self.subscribers.lock();
        if subscribers.closed {
            return None;
        }
        subscribers.last += 1;
        let number = subscribers.last;
        let topics = Vec::new();
        let subscriber = Subscriber { topics, outbox };
        subscribers.by_number.insert(number, subscriber);
        Some(number)
    }

    /// Handles a subscription of ZMTP 3.0, which is a message: 1 or 0, then the
    /// topic.
    fn receive(&self, &number: &u64, message: Vec<Bytes>) -> Result<(), Ended> {
        match &message[..] {
            [frame] if frame.first() == Some(&1) => self.subscribe(&number, frame.slice(1..), true),
            [frame] if frame.first() == Some(&0) => {
                self.subscribe(&number, frame.slice(1..), false)
            }
            _ => Ok(()),
        }
    }

    fn subscribe(&self, number: &u64, topic: Bytes, on: bool) -> Result<(), Ended> {
        let mut subscribers = self.subscribers.lock();
        let Some(Subscriber { topics, outbox }) = subscribers.by_number.get_mut(number) else {
            return Ok(());
        };
        topics.retain(|known| *known != topic);
        if !on {
            return Ok(());
        }
        if topics.len() >= MAX_TOPICS {
            return Err(Ended::Subscriptions { limit: MAX_TOPICS });
        }
        topics.push(topic.clone());
        // Send it while holding the lock, so that every later message follows it.
        // Send it to this subscriber only; the others would have to ignore it.
        if let Some(welcome) = self.welcome(topic) {
            outbox.push(welcome);
        }
        Ok(())
    }

    fn leave(&self, number: &u64) {
        self.subscribers.lock().by_number.remove(number);
    }

    fn close(&self) {
        let mut subscribers = self.subscribers.lock();
        subscribers.closed = true;
        subscribers.by_number.clear();
    }
}
