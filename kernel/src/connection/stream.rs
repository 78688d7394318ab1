//! Bound listeners, and the streams that they accept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::peer::{self, Socket};

/// Connections that a socket has at most. Clients need one each; the process
/// has file descriptors for about a thousand, and cells need some.
const MAX_CONNECTIONS: usize = 128;
/// How long accepting rests after an error, such as no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound socket, of either transport.
pub(super) enum Listener {
    Tcp(std::net::TcpListener),
    Ipc(std::os::unix::net::UnixListener),
}

/// The two directions of a connection.
pub(super) type Stream = (
    Box<dyn AsyncRead + Send + Unpin>,
    Box<dyn AsyncWrite + Send + Unpin>,
);

/// The same, known to the asynchronous runtime.
enum Accepting {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

impl Accepting {
    fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener {
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Self::Tcp(TcpListener::from_std(listener)?)
            }
            Listener::Ipc(listener) => {
                listener.set_nonblocking(true)?;
                Self::Ipc(UnixListener::from_std(listener)?)
            }
        })
    }

    async fn accept(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Small messages are not to wait for one another.
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                (Box::new(reader), Box::new(writer))
            }
            Self::Ipc(listener) => {
                let (stream, _) = listener.accept().await?;
                let (reader, writer) = stream.into_split();
                (Box::new(reader), Box::new(writer))
            }
        })
    }
}

/// Serves whoever connects, each by a task of its own, until `closing` has no
/// sender any more. The task that is returned ends when all that was queued
/// for them has been written.
pub(super) fn listen<S: Socket>(
    listener: Listener,
    socket: Arc<S>,
    closing: watch::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let listener = Accepting::new(listener)?;
    Ok(tokio::spawn(accept(listener, socket, closing)))
}

async fn accept<S: Socket>(listener: Accepting, socket: Arc<S>, mut closing: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(_) if connections.len() >= MAX_CONNECTIONS => {
                    tracing::warn!(socket = socket.name(), "too many connections, one refused");
                }
                Ok(stream) => {
                    connections.spawn(peer::serve(Arc::clone(&socket), stream, closing.clone()));
                }
                Err(error) => {
                    tracing::warn!(socket = socket.name(), %error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = closing.changed() => break,
        }
    }
    socket.close();
    while connections.join_next().await.is_some() {}
}
