//! A cell's questions to the user, on the stdin channel.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-stdin-router-dealer-channel>

use super::{Running, Session};
use crate::connection::Channel;
use crate::wire::InputRequest;

impl Session {
    /// Asks the client that sent the running cell.
    pub(super) fn ask(&mut self, prompt: String, password: bool) {
        let Some(running) = &mut self.running else {
            // Work in the background has nobody to ask.
            self.evaluator.reply_input(String::new());
            return;
        };
        if !running.ask() {
            tracing::warn!("the client takes no questions: the cell gets an empty line");
            self.evaluator.reply_input(String::new());
            return;
        }
        let origin = running.origin().clone();
        self.send(Channel::Stdin, &origin, &InputRequest { prompt, password });
    }

    pub(super) fn on_input_reply(&mut self, line: String) {
        if self.running.as_mut().is_some_and(Running::take_question) {
            self.evaluator.reply_input(line);
        } else {
            tracing::warn!("input_reply to no question, message dropped");
        }
    }
}
