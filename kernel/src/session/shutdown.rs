//! shutdown_request, SIGTERM, and the end of the session.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-shutdown>

use std::time::Duration;

use super::{Origin, Session};
use crate::signals::Signal;
use swath_wire::{ShutdownReply, ShutdownRequest};

/// How long to wait for the children to end and their folder to be removed. Clients
/// kill a kernel after five seconds.
const CHILDREN_LIMIT: Duration = Duration::from_secs(4);

impl Session {
    pub(super) fn on_shutdown(&mut self, origin: &Origin, request: ShutdownRequest) {
        self.abandon_cells();
        let reply = ShutdownReply {
            status: "ok",
            restart: request.restart,
        };
        // Other clients of this kernel are notified on iopub.
        self.publish(&origin.header, &reply);
        self.reply(origin, &reply);
        self.ended = true;
    }

    pub(super) fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Interrupt => self.interrupt(),
            Signal::Terminate => {
                self.abandon_cells();
                self.ended = true;
            }
        }
    }

    /// Replies to all clients that still wait for a cell.
    fn abandon_cells(&mut self) {
        if let Some(running) = self.running.take() {
            self.abort(running.origin().clone());
        }
        for queued in self.queue.drain() {
            self.busy(&queued.origin);
            self.abort(queued.origin);
        }
    }

    /// Ends the children while the sent messages leave the process.
    pub(super) async fn end(self) {
        let Self {
            evaluator,
            analyzer,
            channels,
            ..
        } = self;
        let children = tokio::task::spawn_blocking(move || evaluator.shutdown());
        let ((), (), ended) = tokio::join!(
            channels.flush(),
            analyzer.stop(),
            tokio::time::timeout(CHILDREN_LIMIT, children)
        );
        if ended.is_err() {
            tracing::warn!("children did not end within {CHILDREN_LIMIT:?}");
        }
    }
}
