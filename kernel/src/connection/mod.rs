//! The connection to clients: the file that describes it, and the sockets.
//!
//! Owns every socket. Knows frames, signatures and requests, but no session:
//! received requests leave through a channel, and everything to send arrives
//! through [`Channels`].
//!
//! A socket is bound before anything else is initialised, so that a client's
//! first message waits in it. Each connection is a task ([`peer`]) with its own
//! queue of outgoing messages ([`outbox`]): neither the session nor another
//! client ever waits for a client. We have our own ZMTP because zmq.rs
//! allocates whatever length a peer announces, signed or not, and one client
//! that does not read blocks all others.

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
    /// Returns the channel's name in logs and errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Control => "control",
            Self::Stdin => "stdin",
        }
    }
}

/// A request, and the channel on which it came.
pub(crate) type Received = (Channel, Envelope);

/// The sending side of the open sockets.
pub(crate) struct Channels {
    shell: Arc<Router>,
    control: Arc<Router>,
    stdin: Arc<Router>,
    iopub: Arc<Publisher>,
    /// The tasks of those four sockets: each ends when everything has been
    /// written.
    serving: Vec<JoinHandle<()>>,
    /// Dropped to close all sockets.
    closing: watch::Sender<()>,
}

impl Channels {
    /// Opens the sockets; requests arrive at the receiver. This is asynchronous
    /// because the sockets belong to the calling runtime.
    pub(crate) async fn open(
        listeners: Listeners,
        signer: &Signer,
        encoder: &Encoder,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Received>)> {
        let (requests, received) = mpsc::unbounded_channel();
        let (closing, closed) = watch::channel(());
        // All channels share one reader, so that a message seen on one is a
        // duplicate on another.
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

    /// Broadcasts a message.
    pub(crate) fn publish(&self, frames: Frames) {
        self.iopub.publish(frames);
    }

    /// Closes the sockets after everything that was sent has left the process.
    /// Waits at most [`FLUSH_LIMIT`] for clients that do not read.
    pub(crate) async fn flush(self) {
        drop(self.closing);
        let written = async {
            for serving in self.serving {
                let _ = serving.await;
            }
        };
        if tokio::time::timeout(FLUSH_LIMIT, written).await.is_err() {
            tracing::warn!("a client did not read everything that was sent to it");
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
