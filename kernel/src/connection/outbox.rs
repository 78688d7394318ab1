//! The queue of messages for one client.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufWriter};
use tokio::sync::{Notify, mpsc};

/// The maximum number of bytes queued for one client. A client further behind
/// than that counts as stuck: it is more than a front end can show of one cell,
/// and a client that reads at all is never that late. A broadcast message is
/// stored once, however many queues contain it.
const LIMIT: usize = 128 << 20;
/// The size of the write buffer, in bytes. Small messages are written together.
const BATCH: usize = 64 << 10;

/// Accepts messages for one client, and never blocks.
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

/// The receiving end of an [`Outbox`].
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

/// Returns an outbox and its receiving end.
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
    /// Queues a message. If the client is too far behind, its connection is
    /// closed instead.
    ///
    /// Dropping only this message would not do: a client cannot detect that it
    /// missed one, and might wait for an `idle` forever. After a close ZeroMQ
    /// reconnects and subscribes again by itself and gets an iopub_welcome, and
    /// the memory is free at once.
    pub(super) fn push(&self, message: Bytes) {
        let nbytes = self.level.nbytes.load(Ordering::Relaxed);
        // A single message may have any size.
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
    /// Resolves when too much is queued.
    pub(super) fn overflow(&self) -> impl Future<Output = ()> + use<> {
        let level = Arc::clone(&self.level);
        async move { level.overflow.notified().await }
    }

    /// Writes until every outbox is dropped and every queued message is
    /// written.
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
