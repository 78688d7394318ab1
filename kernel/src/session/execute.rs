//! execute_request: queued, and started in its turn ([`super::running`]).
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#execute>

use super::queue::Queued;
use super::{Origin, Session};
use swath_wire::ExecuteRequest;

impl Session {
    pub(super) fn on_execute(&mut self, origin: Origin, request: ExecuteRequest) {
        self.queue.push(Queued { origin, request });
    }
}
