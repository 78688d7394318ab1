//! The connection to clients: the file that describes it, and the sockets.
//!
//! Owns every socket. Knows frames, signatures and requests, but no session:
//! what is received goes out through a channel, what is to be sent comes in
//! through [`Channels`].
//!
//! A socket is bound before anything else is initialised, so that a client's
//! first message waits in it. Then each connection is a task ([`peer`]), with
//! a queue of its own for what it is to get ([`outbox`]): nobody waits for a
//! client, neither the session nor another client. ZMTP is ours because zmq.rs
//! allocates whatever length a peer announces, signed or not, and has one
//! client that doesn't read hold up all others.

mod file;
mod heartbeat;
mod iopub;
mod listeners;
mod outbox;
mod peer;
mod router;
mod stream;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use swath_wire::{Encoder, Envelope, Frames, Reader, Signer};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub(crate) use file::ConnectionFile;
pub(crate) use listeners::Listeners;

use crate::error::{Error, Result};
use heartbeat::Heartbeat;
use iopub::Publisher;
use router::Router;

/// The sockets that carry requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Channel {
    /// Requests.
    Shell,
    /// Urgent requests.
    Control,
    /// Questions to the user.
    Stdin,
}

impl Channel {
    /// The channel's name in logs and errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Control => "control",
            Self::Stdin => "stdin",
        }
    }
}

/// A request, and where it came from.
pub(crate) type Received = (Channel, Envelope);

/// The open sockets, to send on.
pub(crate) struct Channels {
    shell: Arc<Router>,
    control: Arc<Router>,
    stdin: Arc<Router>,
    iopub: Arc<Publisher>,
    /// The tasks of those four: each ends when everything has been written.
    serving: Vec<JoinHandle<()>>,
    /// Dropped to close all sockets.
    closing: watch::Sender<()>,
}

impl Channels {
    /// Opens the sockets; requests arrive at the receiver. Asynchronous as
    /// the sockets belong to the runtime that calls.
    pub(crate) async fn open(
        listeners: Listeners,
        signer: &Signer,
        encoder: &Encoder,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Received>)> {
        let (requests, received) = mpsc::unbounded_channel();
        let (closing, closed) = watch::channel(());
        // One for all: what was seen on one channel is no news on another.
        let reader = Reader::new(signer.clone());
        let router = |channel| Router::new(channel, reader.clone(), requests.clone());
        let shell = router(Channel::Shell);
        let control = router(Channel::Control);
        let stdin = router(Channel::Stdin);
        let iopub = Publisher::new(encoder.clone());
        listen(listeners.heartbeat, Arc::new(Heartbeat), &closed)?;
        let serving = vec![
            listen(listeners.iopub, Arc::clone(&iopub), &closed)?,
            listen(listeners.stdin, Arc::clone(&stdin), &closed)?,
            listen(listeners.control, Arc::clone(&control), &closed)?,
            listen(listeners.shell, Arc::clone(&shell), &closed)?,
        ];
        let channels = Self {
            shell,
            control,
            stdin,
            iopub,
            serving,
            closing,
        };
        Ok((channels, received))
    }

    /// Sends a reply, or a question on stdin.
    pub(crate) fn send(&self, channel: Channel, frames: Frames) {
        match channel {
            Channel::Shell => self.shell.send(frames),
            Channel::Control => self.control.send(frames),
            Channel::Stdin => self.stdin.send(frames),
        }
    }

    /// Broadcasts.
    pub(crate) fn publish(&self, frames: Frames) {
        self.iopub.publish(frames);
    }

    /// Closes the sockets, when what was sent has left the process. A client
    /// that doesn't read is not waited for much longer than the others.
    pub(crate) async fn flush(self) {
        drop(self.closing);
        let written = async {
            for serving in self.serving {
                let _ = serving.await;
            }
        };
        if tokio::time::timeout(FLUSH_LIMIT, written).await.is_err() {
            tracing::warn!("a client has not read all that was sent to it");
        }
    }
}

/// How long writing may take at exit.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

fn listen<S: peer::Socket>(
    listener: stream::Listener,
    socket: Arc<S>,
    closed: &watch::Receiver<()>,
) -> Result<JoinHandle<()>> {
    let channel = socket.name();
    stream::listen(listener, socket, closed.clone())
        .map_err(|source| Error::Open { channel, source })
}
