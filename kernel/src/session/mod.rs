//! A session: one loop that receives requests and sends replies and broadcasts.
//!
//! The loop owns all state and never waits for a cell: cells, completion and
//! timers report back as events. Each request has its own file. Start reading at
//! [`Session::run`].
//!
//! Clients depend on these rules, each of which is implemented in one place: busy
//! before and idle after every request ([`Session::dispatch`]); outputs, then the
//! reply, then idle ([`running`]); an error aborts everything already queued
//! ([`queue`]).

mod comm;
mod complete;
mod connect;
mod dispatch;
mod execute;
mod expressions;
mod history;
mod input;
mod inspect;
mod interrupt;
mod is_complete;
mod kernel_info;
mod notice;
mod origin;
mod output;
mod queue;
mod record;
mod running;
mod shutdown;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::execution::Evaluate;
pub(crate) use record::Record;

use crate::completion::Analyzer;
use crate::connection::{Channels, ConnectionFile, Received};
use crate::execution;
use crate::output::{Pace, max_output};
use crate::signals::Signal;
use swath_wire::{Encoder, Status};

use comm::Comms;
use complete::Answer;
use origin::Origin;
use output::Outputs;
use queue::Queue;
use running::Running;

/// A session, from the first request to the last.
pub(crate) struct Session {
    evaluator: Arc<dyn Evaluate>,
    analyzer: Analyzer,
    channels: Channels,
    encoder: Encoder,
    /// For connect_reply.
    ports: ConnectionFile,
    /// Executions that wait for the running one.
    queue: Queue,
    /// The running cell.
    running: Option<Running>,
    /// The output of cells: the running one, and earlier ones whose background
    /// work continues.
    outputs: Outputs,
    /// The pace is shared by all cells, because the server limits the whole
    /// connection.
    pace: Pace,
    /// The maximum text that a cell may show, in bytes.
    max_output: usize,
    /// The number of the last cell that got a number.
    execution_count: u32,
    /// The id of the last cell passed to the evaluator.
    last_cell: u64,
    history: Record,
    /// The comms between clients and the runtime process.
    comms: Comms,
    /// Receives the results of completion and inspection.
    answers: mpsc::UnboundedSender<Answer>,
    /// Set by shutdown_request.
    ended: bool,
}

/// The sources of a session's events.
pub(crate) struct Sources {
    /// Requests of clients.
    pub(crate) requests: mpsc::UnboundedReceiver<Received>,
    /// Events of cells.
    pub(crate) cells: mpsc::UnboundedReceiver<execution::Event>,
    /// Signals of the operating system.
    pub(crate) signals: mpsc::UnboundedReceiver<Signal>,
}

/// An event of the loop.
enum Event {
    /// A client sent a request.
    Request(Received),
    /// A cell caused an event.
    Cell(execution::Event),
    /// Completion or inspection has an answer.
    Answer(Answer),
    /// The operating system sent a signal.
    Signal(Signal),
    /// Held-back text is due.
    Tick,
}

impl Session {
    /// Returns a session that communicates through `channels` and passes its cells
    /// to `evaluator`.
    pub(crate) fn new(
        evaluator: Arc<dyn Evaluate>,
        analyzer: Analyzer,
        channels: Channels,
        encoder: Encoder,
        ports: ConnectionFile,
        history: Record,
    ) -> (Self, Answers) {
        let (answers, answered) = mpsc::unbounded_channel();
        let session = Self {
            evaluator,
            analyzer,
            channels,
            encoder,
            ports,
            queue: Queue::default(),
            running: None,
            outputs: Outputs::default(),
            pace: Pace::new(Instant::now()),
            max_output: max_output(),
            execution_count: 0,
            last_cell: 0,
            history,
            comms: Comms::default(),
            answers,
            ended: false,
        };
        (session, Answers(answered))
    }

    /// Runs until a client or the operating system ends the session.
    pub(crate) async fn run(mut self, mut sources: Sources, mut answers: Answers) {
        self.publish(&Value::Null, &Status::Starting);
        while !self.ended {
            let event = next_event(&mut sources, &mut answers, self.due()).await;
            match event {
                Some(Event::Request((channel, envelope))) => self.dispatch(channel, envelope),
                Some(Event::Cell(event)) => self.on_cell(event),
                Some(Event::Answer(answer)) => self.on_answer(answer),
                Some(Event::Signal(signal)) => self.on_signal(signal),
                Some(Event::Tick) => {}
                None => break,
            }
            self.progress(&mut sources.requests);
        }
        self.end().await;
    }

    /// Returns when held-back text must be checked again.
    fn due(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let held = self.running.as_ref().and_then(Running::due);
        [self.outputs.due(&mut self.pace, now), held]
            .into_iter()
            .flatten()
            .min()
    }
}

/// The receiving end of completion's answers. It is separate from the session so
/// that the loop can wait on it while it owns the session.
pub(crate) struct Answers(mpsc::UnboundedReceiver<Answer>);

/// Returns the next event; `None` if the sources are closed, so that no more
/// requests can arrive.
async fn next_event(
    sources: &mut Sources,
    answers: &mut Answers,
    due: Option<Instant>,
) -> Option<Event> {
    let tick = async {
        match due {
            Some(due) => tokio::time::sleep_until(due.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        // The order matters: neither a signal nor an interrupt_request may wait
        // behind a flood of output.
        biased;
        Some(signal) = sources.signals.recv() => Some(Event::Signal(signal)),
        request = sources.requests.recv() => request.map(Event::Request),
        Some(answer) = answers.0.recv() => Some(Event::Answer(answer)),
        () = tick => Some(Event::Tick),
        Some(event) = sources.cells.recv() => Some(Event::Cell(event)),
    }
}
