//! A session: requests in, replies and broadcasts out, one loop.
//!
//! The loop owns all state and never waits for a cell: cells, completion and
//! the clock report back as events. One file a request; start reading at
//! [`Session::run`].
//!
//! Rules that clients depend on, each kept in one place: busy before and idle
//! after every request ([`Session::dispatch`]); outputs, then the reply, then
//! idle ([`running`]); an error aborts what is already queued ([`queue`]).

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
    /// The cell that runs.
    running: Option<Running>,
    /// What cells show: the running one, and earlier ones whose work goes on.
    outputs: Outputs,
    /// Shared by all cells: the server limits the connection.
    pace: Pace,
    /// Text that a cell may show, in bytes.
    max_output: usize,
    /// The number of the last cell that counted.
    execution_count: u32,
    /// The id of the last cell handed to the evaluator.
    last_cell: u64,
    history: Record,
    /// The comms between clients and the runtime process.
    comms: Comms,
    /// Where completion and inspection report back.
    answers: mpsc::UnboundedSender<Answer>,
    /// Set by shutdown_request.
    ended: bool,
}

/// Where a session's events come from.
pub(crate) struct Sources {
    /// Requests of clients.
    pub(crate) requests: mpsc::UnboundedReceiver<Received>,
    /// What cells do.
    pub(crate) cells: mpsc::UnboundedReceiver<execution::Event>,
    /// What the operating system asks.
    pub(crate) signals: mpsc::UnboundedReceiver<Signal>,
}

/// What the loop reacts to.
enum Event {
    /// A client asks.
    Request(Received),
    /// A cell did something.
    Cell(execution::Event),
    /// Completion or inspection has an answer.
    Answer(Answer),
    /// The operating system asks.
    Signal(Signal),
    /// Text waits no longer.
    Tick,
}

impl Session {
    /// A session that talks through `channels` and hands its cells to `evaluator`.
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

    /// Runs until a client, or the operating system, ends the session.
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

    /// When text that waits must be looked at again.
    fn due(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let held = self.running.as_ref().and_then(Running::due);
        [self.outputs.due(&mut self.pace, now), held]
            .into_iter()
            .flatten()
            .min()
    }
}

/// The receiving end of completion's answers, apart from the session so that
/// the loop can wait on it while it owns the session.
pub(crate) struct Answers(mpsc::UnboundedReceiver<Answer>);

/// `None`: the sources have gone, nobody can ask any more.
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
        // In this order: a signal is not to wait behind a flood of output,
        // nor an interrupt_request.
        biased;
        Some(signal) = sources.signals.recv() => Some(Event::Signal(signal)),
        request = sources.requests.recv() => request.map(Event::Request),
        Some(answer) = answers.0.recv() => Some(Event::Answer(answer)),
        () = tick => Some(Event::Tick),
        Some(event) = sources.cells.recv() => Some(Event::Cell(event)),
    }
}
