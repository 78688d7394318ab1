//! A cell's questions to the user, on the stdin channel.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-stdin-router-dealer-channel>

use super::running::Question;
use super::{Running, Session};
use crate::connection::Channel;
use swath_wire::InputRequest;

impl Session {
    /// Asks the client that sent the running cell. If nobody can be asked, a cell that `must` have
    /// an answer gets an empty line.
    pub(super) fn ask(&mut self, prompt: String, password: bool, must: bool) {
        let asked = match &mut self.running {
            Some(running) => running.ask(),
            // Background work asks.
            None => Question::Nobody,
        };
        match (asked, &self.running) {
            (Question::New, Some(running)) => {
                let origin = running.origin().clone();
                self.send(Channel::Stdin, &origin, &InputRequest { prompt, password });
            }
            (Question::Asked, _) => tracing::debug!("the user has been asked already"),
            _ if must => self.evaluator.reply_input(String::new()),
            _ => {}
        }
    }

    pub(super) fn on_input_reply(&mut self, line: String) {
        if self.running.as_mut().is_some_and(Running::take_question) {
            self.evaluator.reply_input(line);
        } else {
            tracing::warn!("input_reply without a question, message dropped");
        }
    }
}
