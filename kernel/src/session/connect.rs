//! connect_request.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#connect>

use super::{Origin, Session};
use swath_wire::ConnectReply;

impl Session {
    pub(super) fn on_connect(&self, origin: &Origin) {
        let ports = self.ports.ports;
        self.reply(
            origin,
            &ConnectReply {
                status: "ok",
                shell_port: ports.shell,
                iopub_port: ports.iopub,
                stdin_port: ports.stdin,
                hb_port: ports.heartbeat,
                control_port: ports.control,
            },
        );
    }
}
