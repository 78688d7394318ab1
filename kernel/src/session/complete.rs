//! complete_request: passed to the analyzer, answered when its result arrives.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#completion>

use super::{Origin, Session};
use swath_wire::{CompleteReply, CompleteRequest, InspectReply};

/// A result from the analyzer.
pub(super) struct Answer {
    pub(super) origin: Origin,
    pub(super) content: AnswerContent,
}

/// The reply.
pub(super) enum AnswerContent {
    Complete(CompleteReply),
    Inspect(InspectReply),
    /// For the running cell.
    Pager(InspectReply),
}

impl Session {
    pub(super) fn on_complete(&mut self, origin: Origin, request: CompleteRequest) {
        self.busy(&origin);
        let analyzer = self.analyzer.clone();
        let evaluator = self.evaluator.clone();
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let reply = analyzer
                .complete(|| evaluator.view(), &request.code, request.cursor_pos)
                .await;
            let content = AnswerContent::Complete(reply);
            // Fails only when the session has ended.
            let _ = answers.send(Answer { origin, content });
        });
    }

    pub(super) fn on_answer(&mut self, answer: Answer) {
        match answer.content {
            AnswerContent::Complete(reply) => self.reply(&answer.origin, &reply),
            AnswerContent::Inspect(reply) => self.reply(&answer.origin, &reply),
            AnswerContent::Pager(reply) => return self.on_explained(reply),
        }
        self.idle(&answer.origin);
    }
}
