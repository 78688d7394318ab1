//! interrupt_request, and SIGINT.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-interrupt>

use super::{Origin, Session};
use swath_wire::InterruptReply;

impl Session {
    pub(super) fn on_interrupt(&mut self, origin: &Origin) {
        self.interrupt();
        self.reply(origin, &InterruptReply { status: "ok" });
    }

    /// Asks the running cell to stop. It ends with an error, which aborts the
    /// queue as any error does.
    pub(super) fn interrupt(&mut self) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.interrupt();
        self.outputs.discard_backlog(running.cell());
        self.evaluator.interrupt();
    }
}
