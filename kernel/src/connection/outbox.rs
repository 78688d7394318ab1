//! What waits to be written to one client.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufWriter};
use tokio::sync::{Notify, mpsc};

/// Bytes that may wait for one client. Who lags behind by more is taken for
/// stuck: it is more than a front end can show of one cell, and a client that
/// reads at all is never that late. What is broadcast waits once, however many
/// are to have it.
const LIMIT: usize = 128 << 20;
/// Small messages are written together.
const BATCH: usize = 64 << 10;

/// Takes what one client is to get, and never waits.
#[derive(Clone)]
pub(super) struct Outbox {
    messages: mpsc::UnboundedSender<Bytes>,
    level: Arc<Level>,
}

/// An [`Outbox`] that doesn't keep the connection open.
pub(super) struct WeakOutbox {
    messages: mpsc::WeakUnboundedSender<Bytes>,
    level: Arc<Level>,
}

/// The other end.
pub(super) struct Queued {
    messages: mpsc::UnboundedReceiver<Bytes>,
    level: Arc<Level>,
}

/// How full an outbox is.
#[derive(Default)]
struct Level {
    nbytes: AtomicUsize,
    overflow: Notify,
}

/// An outbox, and what empties it.
pub(super) fn outbox() -> (Outbox, Queued) {
    let (sender, messages) = mpsc::unbounded_channel();
    let level = Arc::new(Level::default());
    let queued = Queued {
        messages,
        level: Arc::clone(&level),
    };
    let messages = sender;
    (Outbox { messages, level }, queued)
}

impl Outbox {
    /// Queues a message. Where the client lags behind too far, its connection
    /// is closed instead.
    ///
    /// Closed, and not merely left without this message: a client cannot tell
    /// that it missed one, and might wait for an `idle` for ever. ZeroMQ
    /// connects again by itself and subscribes again, for which there is an
    /// iopub_welcome, and the memory is free at once.
    pub(super) fn push(&self, message: Bytes) {
        let nbytes = self.level.nbytes.load(Ordering::Relaxed);
        // One message alone may have any size.
        if nbytes > 0 && nbytes + message.len() > LIMIT {
            return self.level.overflow.notify_one();
        }
        self.level
            .nbytes
            .fetch_add(message.len(), Ordering::Relaxed);
        // Fails only when the connection has just ended.
        let _ = self.messages.send(message);
    }

    pub(super) fn downgrade(&self) -> WeakOutbox {
        WeakOutbox {
            messages: self.messages.downgrade(),
            level: Arc::clone(&self.level),
        }
    }
}

impl WeakOutbox {
    /// Queues a message, unless the connection is being closed.
    pub(super) fn push(&self, message: Bytes) {
        if let Some(messages) = self.messages.upgrade() {
            let level = Arc::clone(&self.level);
            Outbox { messages, level }.push(message);
        }
    }
}

impl Queued {
    /// Resolves when too much waits.
    pub(super) fn overflow(&self) -> impl Future<Output = ()> + use<> {
        let level = Arc::clone(&self.level);
        async move { level.overflow.notified().await }
    }

    /// Writes until every outbox is dropped, and all of it has been written.
    pub(super) async fn write(mut self, stream: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut stream = BufWriter::with_capacity(BATCH, stream);
        while let Some(message) = self.messages.recv().await {
            stream.write_all(&message).await?;
            self.level
                .nbytes
                .fetch_sub(message.len(), Ordering::Relaxed);
            if self.messages.is_empty() {
                stream.flush().await?;
            }
        }
        stream.shutdown().await
    }
}
