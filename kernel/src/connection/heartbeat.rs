//! The heartbeat: whatever comes goes back.

use zeromq::{Listener, RouterSocket, Socket as _, SocketRecv as _, SocketSend as _};

use crate::error::{Error, Result};

/// Opens the socket and starts its task.
///
/// A ROUTER echoes to REQ as well as REP does, and has no state in which a
/// client that vanished between request and reply could leave it.
pub(super) async fn open(listener: Listener) -> Result<()> {
    let mut socket = RouterSocket::new();
    socket
        .bind_listener(listener)
        .await
        .map_err(|source| Error::Open {
            channel: "heartbeat",
            source,
        })?;
    tokio::spawn(async move {
        loop {
            let echoed = match socket.recv().await {
                Ok(message) => socket.send(message).await,
                Err(error) => {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    Err(error)
                }
            };
            if let Err(error) = echoed {
                tracing::debug!(%error, "heartbeat not echoed");
            }
        }
    });
    Ok(())
}
