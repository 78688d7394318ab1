//! The connection to clients: the file that describes it, and the sockets.
//!
//! Owns every socket. Knows frames, signatures and requests, but no session:
//! what is received goes out through a channel, what is to be sent comes in
//! through [`Channels`].
//!
//! A socket is bound before anything else is initialised, so that a client's
//! first message waits in it, and is owned by one task: zmq.rs registers
//! iopub subscriptions only while `recv` is polled.

mod file;
mod heartbeat;
mod iopub;
mod listeners;
mod router;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(crate) use file::ConnectionFile;
pub(crate) use listeners::Listeners;

use crate::error::Result;
use swath_wire::{Encoder, Envelope, Frames, Signer};

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
    shell: router::Sender,
    control: router::Sender,
    stdin: router::Sender,
    iopub: mpsc::UnboundedSender<Frames>,
    /// Ends when all of iopub has been handed to the operating system.
    publishing: JoinHandle<()>,
}

impl Channels {
    /// Opens the sockets; requests arrive at the receiver.
    pub(crate) async fn open(
        listeners: Listeners,
        signer: &Signer,
        encoder: &Encoder,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Received>)> {
        let (requests, received) = mpsc::unbounded_channel();
        heartbeat::open(listeners.heartbeat).await?;
        let (iopub, publishing) = iopub::open(listeners.iopub, encoder.clone()).await?;
        let open = |listener, channel| router::open(listener, channel, signer, requests.clone());
        let channels = Self {
            stdin: open(listeners.stdin, Channel::Stdin).await?,
            control: open(listeners.control, Channel::Control).await?,
            shell: open(listeners.shell, Channel::Shell).await?,
            iopub,
            publishing,
        };
        Ok((channels, received))
    }

    /// Sends a reply, or a question on stdin.
    pub(crate) fn send(&self, channel: Channel, frames: Frames) {
        let socket = match channel {
            Channel::Shell => &self.shell,
            Channel::Control => &self.control,
            Channel::Stdin => &self.stdin,
        };
        // Fails only when the socket's task has ended, at exit.
        let _ = socket.send(frames);
    }

    /// Broadcasts.
    pub(crate) fn publish(&self, frames: Frames) {
        let _ = self.iopub.send(frames);
    }

    /// Gives what was sent time to leave the process.
    pub(crate) async fn flush(self) {
        let Self {
            shell,
            control,
            stdin,
            iopub,
            publishing,
        } = self;
        drop(iopub);
        drop((shell, control, stdin));
        let _ = tokio::time::timeout(FLUSH_LIMIT, publishing).await;
        // zmq.rs has no linger: a ROUTER's replies are written by tasks of its
        // own, which nothing outside can wait for.
        tokio::time::sleep(FLUSH_PAUSE).await;
    }
}

/// How long iopub may take to empty at exit.
const FLUSH_LIMIT: std::time::Duration = std::time::Duration::from_millis(400);
/// How long the replies get at exit.
const FLUSH_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
