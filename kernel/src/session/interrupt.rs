//! interrupt_request, and SIGINT.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-interrupt>

use std::time::Instant;

use super::{Origin, Session};
use crate::execution::{Event, EventKind};
use swath_wire::InterruptReply;

impl Session {
    pub(super) fn on_interrupt(&mut self, origin: &Origin) {
        self.interrupt();
        self.reply(origin, &InterruptReply { status: "ok" });
    }

    /// Asks the running cell to stop. The cell ends with an error, which aborts the
    /// queue like any error.
    pub(super) fn interrupt(&mut self) {
        if let Some(running) = &mut self.running {
            running.interrupt(Instant::now());
            self.outputs.discard_backlog(running.cell());
        }
        self.evaluator.interrupt();
    }

    /// After an interrupt, if the cell still runs, tells the user why it does, and
    /// what another interrupt would cost.
    pub(super) fn hint_at_second_interrupt(&mut self) {
        let now = Instant::now();
        let Some(running) = &mut self.running else {
            return;
        };
        if !running.take_hint(now) {
            return;
        }
        let cell = running.cell();
        let variables = self.evaluator.view().variables;
        let lost = match &variables[..] {
            [] => "no variable would be lost".to_owned(),
            variables => {
                let names: Vec<&str> = variables.iter().map(|known| &known.name[..]).collect();
                format!("these variables would be lost: {}", names.join(", "))
            }
        };
        let text = format!(
            "[interrupt] The cell has not reached a point where it can stop. Interrupting again \
             ends its process; {lost}.\n[interrupt] Loops that call `checkpoint()?` now and \
             then, or run over `….progress()`, can be stopped.\n"
        );
        self.on_cell(Event {
            cell,
            kind: EventKind::Stderr(text.into_bytes()),
        });
    }
}
