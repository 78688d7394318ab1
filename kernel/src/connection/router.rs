//! A ROUTER socket: requests in, replies out.

use tokio::sync::mpsc;
use zeromq::{
    Listener, RouterRecvHalf, RouterSendHalf, RouterSocket, Socket as _, SocketRecv as _,
    SocketSend as _, ZmqMessage,
};

use super::{Channel, Received};
use crate::error::{Error, Result};
use swath_wire::{Frames, Reader, Signer};

/// Takes what is to be sent.
pub(super) type Sender = mpsc::UnboundedSender<Frames>;

/// Opens the socket and starts its tasks: one receives, one sends, so that a
/// client that doesn't read cannot keep the kernel from listening.
pub(super) async fn open(
    listener: Listener,
    channel: Channel,
    signer: &Signer,
    requests: mpsc::UnboundedSender<Received>,
) -> Result<Sender> {
    let mut socket = RouterSocket::new();
    socket
        .bind_listener(listener)
        .await
        .map_err(|source| Error::Open {
            channel: channel.name(),
            source,
        })?;
    let (outgoing, incoming) = socket.split();
    let (sender, replies) = mpsc::unbounded_channel();
    tokio::spawn(receive(
        incoming,
        channel,
        Reader::new(signer.clone()),
        requests,
    ));
    tokio::spawn(send(outgoing, channel, replies));
    Ok(sender)
}

async fn receive(
    mut socket: RouterRecvHalf,
    channel: Channel,
    mut reader: Reader,
    requests: mpsc::UnboundedSender<Received>,
) {
    loop {
        let message = match socket.recv().await {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(channel = channel.name(), %error, "cannot receive");
                // Not to spin where the error stays.
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            }
        };
        match reader.read(message.into_vec()) {
            Ok(envelope) => {
                if requests.send((channel, envelope)).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(channel = channel.name(), %error, "message dropped");
            }
        }
    }
}

async fn send(
    mut socket: RouterSendHalf,
    channel: Channel,
    mut replies: mpsc::UnboundedReceiver<Frames>,
) {
    while let Some(frames) = replies.recv().await {
        let Ok(message) = ZmqMessage::try_from(frames.join()) else {
            continue;
        };
        if let Err(error) = socket.send(message).await {
            tracing::warn!(channel = channel.name(), %error, "client is gone, reply dropped");
        }
    }
}
