//! Comms: there is no target, so nothing is ever open.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages>

use serde_json::Map;

use super::{Origin, Session};
use swath_wire::{CommClose, CommId, CommInfoReply, CommOpen};

impl Session {
    pub(super) fn on_comm_info(&self, origin: &Origin) {
        self.reply(
            origin,
            &CommInfoReply {
                status: "ok",
                comms: Map::new(),
            },
        );
    }

    /// Unknown target: the protocol asks for a comm_close at once.
    pub(super) fn on_comm_open(&self, origin: &Origin, request: CommOpen) {
        tracing::warn!("no comm target `{}`, comm closed", request.target_name);
        self.publish(
            &origin.header,
            &CommClose {
                comm_id: request.comm_id,
                data: Map::new(),
            },
        );
    }

    pub(super) fn on_comm_msg(&self, request: &CommId) {
        tracing::warn!("no comm `{}`, message dropped", request.comm_id);
    }

    pub(super) fn on_comm_close(&self, request: &CommId) {
        tracing::debug!("comm `{}` closed by the client", request.comm_id);
    }
}
