//! iopub: an XPUB socket, so that a new subscriber can be welcomed (JEP 65).
//! <https://jupyter.org/enhancement-proposals/65-jupyter-xpub/jupyter-xpub.html>

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zeromq::{
    Listener, Socket as _, SocketRecv as _, SocketSend as _, XPubSocket, ZmqMessage, ZmqResult,
};

use crate::error::{Error, Result};
use swath_wire::{Encoder, Frames, IopubWelcome};

/// A subscriber that has read nothing for so long loses the message: all the
/// others wait for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the socket and starts the task that owns it. The task ends when the
/// sender is dropped and everything has been sent.
pub(super) async fn open(
    listener: Listener,
    encoder: Encoder,
) -> Result<(mpsc::UnboundedSender<Frames>, JoinHandle<()>)> {
    let mut socket = XPubSocket::new();
    socket
        .bind_listener(listener)
        .await
        .map_err(|source| Error::Open {
            channel: "iopub",
            source,
        })?;
    let (sender, outgoing) = mpsc::unbounded_channel();
    Ok((sender, tokio::spawn(run(socket, encoder, outgoing))))
}

async fn run(
    mut socket: XPubSocket,
    encoder: Encoder,
    mut outgoing: mpsc::UnboundedReceiver<Frames>,
) {
    loop {
        tokio::select! {
            // Subscriptions first: what is published after them must reach them.
            biased;
            received = socket.recv() => subscription(&mut socket, &encoder, received).await,
            frames = outgoing.recv() => match frames {
                Some(frames) => publish(&mut socket, frames).await,
                None => return,
            },
        }
    }
}

/// Welcomes a new subscriber.
async fn subscription(socket: &mut XPubSocket, encoder: &Encoder, received: ZmqResult<ZmqMessage>) {
    let message = match received {
        Ok(message) => message,
        Err(error) => {
            tracing::debug!(%error, "iopub subscriber is gone");
            return;
        }
    };
    // One frame: 1 (subscribe) or 0 (unsubscribe), then the topic.
    let Some([1, topic @ ..]) = message.get(0).map(|frame| &frame[..]) else {
        return;
    };
    let welcome = IopubWelcome {
        subscription: String::from_utf8_lossy(topic).into_owned(),
    };
    let identities = vec![Bytes::copy_from_slice(topic)];
    match encoder.encode(identities, &Value::Null, &welcome) {
        Ok(frames) => publish(socket, frames).await,
        Err(error) => tracing::error!(%error, "iopub_welcome is not JSON"),
    }
}

async fn publish(socket: &mut XPubSocket, frames: Frames) {
    let Ok(message) = ZmqMessage::try_from(frames.join()) else {
        return;
    };
    match tokio::time::timeout(PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "iopub message not sent"),
        Err(_) => tracing::warn!("an iopub subscriber reads nothing, message dropped"),
    }
}
