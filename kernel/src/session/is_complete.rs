//! is_complete_request.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#code-completeness>

use super::{Origin, Session};
use crate::completion::completeness;
use swath_wire::IsCompleteRequest;

impl Session {
    pub(super) fn on_is_complete(&self, origin: &Origin, request: &IsCompleteRequest) {
        self.reply(origin, &completeness(&request.code));
    }
}
