//! history_request.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#history>

use super::{Origin, Session};
use swath_wire::{HistoryReply, HistoryRequest};

impl Session {
    pub(super) fn on_history(&mut self, origin: &Origin, request: &HistoryRequest) {
        let history = self
            .history
            .find(&request.access)
            .into_iter()
            .map(|entry| entry.to_json(request.output))
            .collect();
        self.reply(
            origin,
            &HistoryReply {
                status: "ok",
                history,
            },
        );
    }
}
