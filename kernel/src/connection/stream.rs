//! Bound listeners, and the streams they accept.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::peer::{self, Socket};

/// The maximum number of connections per socket. A client needs one per socket;
/// the process has file descriptors for about a thousand, and cells need some.
const MAX_CONNECTIONS: usize = 128;
/// How long to pause after an accept error, such as running out of file
/// descriptors.
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

/// A listener registered with the asynchronous runtime.
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
                // Send small messages without delay.
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

/// Serves every connection in a task of its own, until the sender of `closing`
/// is dropped. The returned task ends when all queued messages have been
/// written.
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
                    tracing::warn!(socket = socket.name(), "too many connections, new one refused");
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
