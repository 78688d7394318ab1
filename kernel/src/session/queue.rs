//! The executions that wait for the running one.

use std::collections::VecDeque;

use super::{Origin, Session};
use serde_json::Map;
use swath_wire::{ExecuteReply, ExecuteRequest};

/// A waiting execution.
pub(super) struct Queued {
    pub(super) origin: Origin,
    pub(super) request: ExecuteRequest,
}

/// The waiting executions, in the order of their requests.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Queued>);

impl Queue {
    pub(super) fn push(&mut self, queued: Queued) {
        self.0.push_back(queued);
    }

    pub(super) fn pop(&mut self) -> Option<Queued> {
        self.0.pop_front()
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Queued> + use<> {
        std::mem::take(&mut self.0).into_iter()
    }
}

impl Session {
    /// Notifies the clients whose executions will not happen.
    pub(super) fn abort_all(&self, queued: impl Iterator<Item = Queued>) {
        for Queued { origin, .. } in queued {
            self.busy(&origin);
            self.abort(origin);
        }
    }

    pub(super) fn abort(&self, origin: Origin) {
        self.reply(
            &origin,
            &ExecuteReply::Aborted {
                execution_count: self.execution_count,
                user_expressions: Map::new(),
                payload: Vec::new(),
            },
        );
        self.idle(&origin);
    }
}
