//! inspect_request: passed to the analyzer, answered when its result arrives.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#introspection>

use super::complete::{Answer, AnswerContent};
use super::{Origin, Session};
use swath_wire::InspectRequest;

impl Session {
    pub(super) fn on_inspect(&mut self, origin: Origin, request: InspectRequest) {
        self.busy(&origin);
        let analyzer = self.analyzer.clone();
        let evaluator = self.evaluator.clone();
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let reply = analyzer
                .inspect(|| evaluator.view(), &request.code, request.cursor_pos)
                .await;
            let content = AnswerContent::Inspect(reply);
            // Fails only when the session has ended.
            let _ = answers.send(Answer { origin, content });
        });
    }
}
