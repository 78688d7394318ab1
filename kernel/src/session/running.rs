//! The running cell, from its start to its reply.
//!
//! ```text
//! Code ──ok──> Expressions ──> reply ok ──> idle
//!   └──error──> Failed (a moment's grace) ──> error, reply, idle, queue aborted
//! ```

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::complete::{Answer, AnswerContent};
use super::expressions::Expressions;
use super::queue::Queued;
use super::{Origin, Session};
use crate::connection::Received;
use crate::display::MimeBundle;
use crate::execution::{Cell, CellError, Outcome};
use swath_wire::{ErrorOutput, ExecuteInput, ExecuteReply, ExecuteRequest, InspectReply};

/// How long after an error to accept executions that were sent before it: they
/// belong to the failed run. No client has seen the error yet, so none of them
/// can be a reaction to it.
const GRACE: Duration = Duration::from_millis(15);
/// How long a cell may continue after an interrupt before the user is told why.
const HINT: Duration = Duration::from_secs(2);
/// How long after the first cell the analyzer starts.
const WARM_UP: Duration = Duration::from_secs(2);

/// The running cell.
pub(super) struct Running {
    origin: Origin,
    request: ExecuteRequest,
    /// The cell's number.
    number: u32,
    /// The id of what the evaluator currently runs for it.
    cell: u64,
    stage: RunStage,
    /// The result's plain text, for the history.
    result: Option<String>,
    /// The content of the client's pager.
    payload: Vec<Value>,
    /// Whether the user has been asked and has not answered.
    asked: bool,
    interrupted: Interrupted,
}

/// Whether an interrupt was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interrupted {
    No,
    /// Requested. If the cell continues, the user gets a hint at this time.
    Hint(Instant),
    Told,
}

/// The progress of the running cell.
enum RunStage {
    /// The cell itself runs.
    Code,
    /// It has succeeded; its user_expressions are being evaluated.
    Expressions(Expressions),
    /// It has failed; the error is reported at `at`.
    Failed { error: CellError, at: Instant },
}

/// How to handle a question to the user.
pub(super) enum Question {
    /// Send it.
    New,
    /// One has been sent and has no answer yet: this is the same question.
    Asked,
    /// The client cannot be asked.
    Nobody,
}

impl Running {
    /// Returns the origin of the cell.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the id of what the evaluator currently runs for it.
    pub(super) fn cell(&self) -> u64 {
        self.cell
    }

    /// Returns when the cell must be checked again.
    pub(super) fn due(&self) -> Option<Instant> {
        match (&self.stage, &self.interrupted) {
            (RunStage::Failed { at, .. }, _) | (_, Interrupted::Hint(at)) => Some(*at),
            _ => None,
        }
    }

    /// Records that an interrupt was requested.
    pub(super) fn interrupt(&mut self, now: Instant) {
        if self.interrupted == Interrupted::No {
            self.interrupted = Interrupted::Hint(now + HINT);
        }
        self.asked = false;
    }

    /// Returns, once, whether the user must be told now why the cell continues.
    pub(super) fn take_hint(&mut self, now: Instant) -> bool {
        let is_due = matches!(self.interrupted, Interrupted::Hint(at) if at <= now)
            && !matches!(self.stage, RunStage::Failed { .. });
        if is_due {
            self.interrupted = Interrupted::Told;
        }
        is_due
    }

    /// Returns whether the cell has failed and its error can be reported now.
    fn has_failed(&self, now: Instant) -> bool {
        matches!(self.stage, RunStage::Failed { at, .. } if at <= now)
    }

    /// Records that the user is asked.
    pub(super) fn ask(&mut self) -> Question {
        if !self.request.allow_stdin {
            Question::Nobody
        } else if std::mem::replace(&mut self.asked, true) {
            Question::Asked
        } else {
            Question::New
        }
    }

    /// Returns whether an answer is expected, and stops expecting it.
    pub(super) fn take_question(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }
}

impl Session {
    /// Does everything that can be done now: shows output, ends the running
    /// cell, starts the next one.
    pub(super) fn progress(&mut self, requests: &mut mpsc::UnboundedReceiver<Received>) {
        loop {
            self.hint_at_second_interrupt();
            self.show();
            if self.due_failure() {
                while let Ok((channel, envelope)) = requests.try_recv() {
                    self.dispatch(channel, envelope);
                }
                self.fail();
            }
            if self.ended || self.running.is_some() {
                return;
            }
            let Some(next) = self.queue.pop() else {
                return;
            };
            self.start(next);
        }
    }

    /// Starts an execution.
    fn start(&mut self, Queued { origin, request }: Queued) {
        self.busy(&origin);
        let is_blank = request.code.trim().is_empty();
        if request.store_history && !request.silent && !is_blank {
            self.execution_count += 1;
        }
        let number = self.execution_count;
        if !request.silent {
            self.publish(
                &origin.header,
                &ExecuteInput {
                    code: request.code.clone(),
                    execution_count: number,
                },
            );
        }
        let code = request.code.clone();
        self.running = Some(Running {
            origin,
            request,
            number,
            cell: 0,
            stage: RunStage::Code,
            result: None,
            payload: Vec::new(),
            asked: false,
            interrupted: Interrupted::No,
        });
        if is_blank {
            self.conclude_code();
        } else if let Some(subject) = code.trim().strip_prefix('?') {
            self.explain(subject.trim().to_owned());
        } else {
            self.evaluate(code);
        }
    }

    /// Runs a cell `?name`: shows the result of inspection in the client's
    /// pager.
    fn explain(&mut self, subject: String) {
        let analyzer = self.analyzer.clone();
        let evaluator = self.evaluator.clone();
        let answers = self.answers.clone();
        let Some(running) = &self.running else { return };
        let origin = running.origin.clone();
        tokio::spawn(async move {
            let mut reply = analyzer.inspect(|| evaluator.view(), &subject, None).await;
            if !reply.found {
                let text = format!("No information about `{subject}`.");
                reply.data.insert("text/plain".to_owned(), text.into());
            }
            let content = AnswerContent::Pager(reply);
            // Fails only when the session has ended.
            let _ = answers.send(Answer { origin, content });
        });
    }

    /// Handles the answer to [`explain`](Self::explain).
    pub(super) fn on_explained(&mut self, reply: InspectReply) {
        if let Some(running) = &mut self.running {
            running.payload = vec![json!({ "source": "page", "data": reply.data, "start": 0 })];
        }
        self.conclude_code();
    }

    /// Passes code to the evaluator on behalf of the running cell.
    fn evaluate(&mut self, code: String) {
        let Some(running) = &mut self.running else {
            return;
        };
        self.last_cell += 1;
        running.cell = self.last_cell;
        self.outputs.open(
            running.cell,
            running.origin.header.clone(),
            running.request.silent,
            running.number,
            self.max_output,
        );
        self.evaluator.execute(Cell {
            code,
            number: running.number,
            id: running.cell,
            allow_stdin: running.request.allow_stdin,
        });
    }

    /// Stores the parts of a result that the history and the user_expressions
    /// need. Returns the result if it must be shown.
    pub(super) fn keep_result(&mut self, cell: u64, bundle: MimeBundle) -> Option<MimeBundle> {
        let Some(running) = &mut self.running else {
            return Some(bundle);
        };
        if running.cell != cell {
            return Some(bundle);
        }
        match &mut running.stage {
            RunStage::Expressions(expressions) => {
                expressions.result(bundle);
                None
            }
            RunStage::Code | RunStage::Failed { .. } => {
                running.result = bundle
                    .data
                    .get("text/plain")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                Some(bundle)
            }
        }
    }

    /// Handles the end of what the evaluator ran.
    pub(super) fn on_finished(&mut self, cell: u64, outcome: Outcome) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.cell != cell {
            tracing::warn!(cell, "a cell that does not run has ended");
            return;
        }
        running.asked = false;
        match (&mut running.stage, outcome) {
            (RunStage::Code, Outcome::Ok) => self.conclude_code(),
            (RunStage::Code, Outcome::Error(error)) => {
                let grace = if running.request.stop_on_error {
                    GRACE
                } else {
                    Duration::ZERO
                };
                let at = Instant::now() + grace;
                running.stage = RunStage::Failed { error, at };
            }
            (RunStage::Expressions(expressions), outcome) => {
                expressions.finished(outcome);
                self.next_expression();
            }
            (RunStage::Failed { .. }, _) => tracing::warn!(cell, "a cell ended twice"),
        }
    }

    /// Handles the success of the cell itself.
    fn conclude_code(&mut self) {
        if let Some(running) = &mut self.running {
            running.stage =
                RunStage::Expressions(Expressions::new(&running.request.user_expressions));
            self.next_expression();
        }
    }

    /// Evaluates the next of the user_expressions, or replies.
    fn next_expression(&mut self) {
        let Some(Running {
            stage: RunStage::Expressions(expressions),
            interrupted,
            ..
        }) = &mut self.running
        else {
            return;
        };
        if *interrupted != Interrupted::No {
            expressions.interrupt();
        }
        if let Some(code) = expressions.next() {
            return self.evaluate(code);
        }
        let user_expressions = expressions.take_results();
        let Some(running) = self.running.take() else {
            return;
        };
        self.remember(&running);
        self.reply(
            &running.origin,
            &ExecuteReply::Ok {
                execution_count: running.number,
                user_expressions,
                payload: running.payload,
            },
        );
        self.idle(&running.origin);
    }

    fn due_failure(&self) -> bool {
        let now = Instant::now();
        let running = self.running.as_ref();
        running.is_some_and(|running| running.has_failed(now))
    }

    /// Reports the running cell's error, and aborts the executions that depend
    /// on it.
    fn fail(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        let Running {
            stage: RunStage::Failed { ref error, .. },
            ..
        } = running
        else {
            return;
        };
        if !running.request.silent {
            self.publish(
                &running.origin.header,
                &ErrorOutput {
                    ename: error.ename.clone(),
                    evalue: error.evalue.clone(),
                    traceback: error.traceback.clone(),
                },
            );
        }
        self.remember(&running);
        self.reply(
            &running.origin,
            &ExecuteReply::Error {
                execution_count: running.number,
                ename: error.ename.clone(),
                evalue: error.evalue.clone(),
                traceback: error.traceback.clone(),
                user_expressions: Map::new(),
                payload: Vec::new(),
            },
        );
        self.idle(&running.origin);
        if running.request.stop_on_error {
            let queued = self.queue.drain();
            self.abort_all(queued);
        }
    }

    /// Adds the cell to the history.
    fn remember(&mut self, running: &Running) {
        let request = &running.request;
        if request.silent || !request.store_history || request.code.trim().is_empty() {
            return;
        }
        self.history
            .append(running.number, request.code.clone(), running.result.clone());
        if running.number == 1 {
            let analyzer = self.analyzer.clone();
            tokio::spawn(async move {
                tokio::time::sleep(WARM_UP).await;
                analyzer.warm_up().await;
            });
        }
    }
}
