//! One connection: ZMTP over a stream, from the handshake to the end.
//!
//! This module and [`outbox`](super::outbox) make the sockets hard to stall: a
//! connection is a task of its own, reads no more than its limits allow, and
//! nobody ever waits for it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use swath_wire::zmtp::{Command, Decoder, Incoming, Limits, Ready, Violation, encode};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;

use super::outbox::{Outbox, WeakOutbox, outbox};
use super::stream::Stream;

/// How long a client may take for the handshake. libzmq has the same limit.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);

/// The behavior of a socket towards its connections.
pub(super) trait Socket: Send + Sync + 'static {
    /// The socket type announced to peers.
    const TYPE: &'static str;
    /// The socket types that may connect to it.
    const PEERS: &'static [&'static str];
    /// The maximum size of a message.
    const LIMITS: Limits;
    /// The socket's handle to a connection.
    type Peer: Send + Sync;

    /// Returns the channel's name in logs.
    fn name(&self) -> &'static str;
    /// Adds a connection; returns `None` if the socket is closed.
    fn join(&self, ready: Ready, outbox: Outbox) -> Option<Self::Peer>;
    /// Handles a message.
    fn receive(&self, peer: &Self::Peer, message: Vec<Bytes>) -> Result<(), Ended>;
    /// Starts or ends a subscription.
    fn subscribe(&self, _peer: &Self::Peer, _topic: Bytes, _on: bool) -> Result<(), Ended> {
        Ok(())
    }
    /// Removes a connection.
    fn leave(&self, peer: &Self::Peer);
    /// Drops all outboxes, and accepts no more connections.
    fn close(&self);
}

/// Why a connection ends.
#[derive(Debug, Error)]
pub(super) enum Ended {
    /// The client disconnected, or the kernel is shutting down.
    #[error("closed")]
    Closed,
    /// The stream is broken.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The data is not ZMTP, or exceeds the limits.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The client sent no READY in time.
    #[error("handshake not finished after {HANDSHAKE_LIMIT:?}")]
    Handshake,
    /// A socket of this type may not connect here.
    #[error("a socket of type `{found}` may not connect here")]
    Type {
        /// The type that it announced.
        found: String,
    },
    /// The client does not read.
    #[error("client does not read, and too much output is queued for it")]
    Stuck,
    /// The client has too many subscriptions.
    #[error("client has more than {limit} subscriptions")]
    Subscriptions {
        /// How many are allowed.
        limit: usize,
    },
}

/// Serves one connection until either side ends it.
pub(super) async fn serve<S: Socket>(socket: Arc<S>, stream: Stream, closing: watch::Receiver<()>) {
    match talk(&*socket, stream, closing).await {
        Ended::Closed | Ended::Io(_) => {}
        ended => tracing::warn!(socket = socket.name(), "connection closed: {ended}"),
    }
}

async fn talk<S: Socket>(
    socket: &S,
    (reader, mut writer): Stream,
    mut closing: watch::Receiver<()>,
) -> Ended {
    let mut incoming = Receiver {
        reader,
        decoder: Decoder::new(S::LIMITS),
    };
    let handshake = async {
        // Send this first: until it arrives, libzmq sends only a few bytes.
        writer.write_all(&encode::greeting()).await?;
        writer.write_all(&encode::ready(S::TYPE)).await?;
        incoming.ready(S::PEERS).await
    };
    let ready = tokio::select! {
        done = tokio::time::timeout(HANDSHAKE_LIMIT, handshake) => match done {
            Ok(Ok(ready)) => ready,
            Ok(Err(ended)) => return ended,
            Err(_) => return Ended::Handshake,
        },
        _ = closing.changed() => return Ended::Closed,
    };
    let (outbox, queued) = outbox();
    let answers = outbox.downgrade();
    let Some(peer) = socket.join(ready, outbox) else {
        return Ended::Closed;
    };
    let member = Member { socket, peer };
    tokio::select! {
        // Check for overflow first: an overflowing queue must not be written
        // any more.
        biased;
        () = queued.overflow() => Ended::Stuck,
        written = queued.write(writer) => written.map_or_else(Ended::Io, |()| Ended::Closed),
        ended = incoming.run(&member, &answers) => ended,
    }
}

/// Keeps a connection registered with its socket, for as long as this lives.
struct Member<'a, S: Socket> {
    socket: &'a S,
    peer: S::Peer,
}

impl<S: Socket> Drop for Member<'_, S> {
    fn drop(&mut self) {
        self.socket.leave(&self.peer);
    }
}

/// The direction from the client.
struct Receiver<R> {
    reader: R,
    decoder: Decoder,
}

impl<R: AsyncRead + Unpin> Receiver<R> {
    /// Completes the handshake.
    async fn ready(&mut self, peers: &[&str]) -> Result<Ready, Ended> {
        loop {
            match self.next().await? {
                Incoming::Command(Command::Ready(ready)) => {
                    let known = peers.iter().any(|peer| ready.socket_type == *peer);
                    return if known {
                        Ok(ready)
                    } else {
                        let found = String::from_utf8_lossy(&ready.socket_type).into_owned();
                        Err(Ended::Type { found })
                    };
                }
                Incoming::Command(Command::Error(_)) => return Err(Ended::Closed),
                _ => {}
            }
        }
    }

    /// Passes everything received to the socket.
    async fn run<S: Socket>(&mut self, member: &Member<'_, S>, answers: &WeakOutbox) -> Ended {
        let Member { socket, peer } = member;
        loop {
            let taken = match self.next().await {
                Ok(Incoming::Message(message)) => socket.receive(peer, message),
                Ok(Incoming::Command(command)) => match command {
                    Command::Subscribe(topic) => socket.subscribe(peer, topic, true),
                    Command::Cancel(topic) => socket.subscribe(peer, topic, false),
                    Command::Ping(context) => {
                        answers.push(encode::pong(&context));
                        Ok(())
                    }
                    Command::Error(_) => Err(Ended::Closed),
                    Command::Ready(_) | Command::Other => Ok(()),
                },
                Err(ended) => Err(ended),
            };
            if let Err(ended) = taken {
                return ended;
            }
        }
    }

    async fn next(&mut self) -> Result<Incoming, Ended> {
        loop {
            if let Some(incoming) = self.decoder.decode()? {
                return Ok(incoming);
            }
            if self.reader.read_buf(self.decoder.room()).await? == 0 {
                return Err(Ended::Closed);
            }
        }
    }
}
