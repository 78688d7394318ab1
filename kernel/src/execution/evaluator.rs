//! The evaluator: a thread that compiles cells and runs them.
//!
//! rustc compiles a cell into a library, and the runtime process loads it. The
//! compiled code is not the user's text but the output of
//! [`generate`](super::generate): items unchanged, and statements in one block
//! that takes variables from the runtime's own store.

use super::Evaluate;
use super::channel::Channel;
use super::process::Killer;
use super::run::CellRunner;
use super::workplace::Workplace;
use super::{Cell, Comm, Event, EventKind, Outcome};
use crate::view::SessionView;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use swath_channel::ToRuntime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The parser recurses: see [`super::run::DEEPEST`].
const STACK: usize = 64 << 20;
/// A second interrupt kills the process if at least this much time has passed
/// since the first.
const PATIENCE: Duration = Duration::from_secs(1);

/// A handle to the evaluator. Nothing here blocks.
pub(crate) struct Evaluator {
    cells: mpsc::Sender<Cell>,
    shared: Arc<EvaluatorShared>,
}

pub(super) struct EvaluatorShared {
    pub(super) channel: Channel,
    pub(super) workplace: Workplace,
    view: Mutex<SessionView>,
    running: AtomicBool,
    /// When the running cell was first interrupted.
    pub(super) interrupted: Mutex<Option<Instant>>,
    /// Whether a second interrupt has killed the process.
    pub(super) killed: AtomicBool,
    runtime: Mutex<Runtime>,
}

/// The runtime process, for code that must end it.
#[derive(Default)]
struct Runtime {
    killer: Option<Killer>,
    is_shut_down: bool,
}

impl EvaluatorShared {
    /// Registers the process that runs cells from now on, so that it can be
    /// killed. If the kernel is shutting down, kills it at once and returns
    /// false.
    pub(super) fn attach(&self, killer: Killer) -> bool {
        let mut runtime = self.runtime.lock();
        if runtime.is_shut_down {
            killer.kill();
        }
        runtime.killer = Some(killer);
        !runtime.is_shut_down
    }

    fn kill_runtime(&self) {
        if let Some(killer) = &self.runtime.lock().killer {
            killer.kill();
        }
    }

    /// Returns the working directory of the runtime process, which a cell may
    /// have changed.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let pid = self.channel.pid()?;
        std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
    }
}

impl Evaluate for Evaluator {
    fn execute(&self, cell: Cell) {
        // From here on the cell can be interrupted, even before it starts.
        *self.shared.interrupted.lock() = None;
        self.shared.running.store(true, Ordering::Release);
        // The thread lives as long as the handle.
        let _ = self.cells.send(cell);
    }

    fn reply_input(&self, line: String) {
        let text = Some(line);
        self.shared.channel.send_now(&ToRuntime::Input { text });
    }

    /// A computation stops at its next task, and all variables are kept. If the
    /// code reaches no such point, a second interrupt kills the process. If no
    /// cell runs, background work is cancelled.
    fn interrupt(&self) {
        if !self.shared.running.load(Ordering::Acquire) {
            let channel = &self.shared.channel;
            return channel.send_now(&ToRuntime::CancelBackground);
        }
        let first = *self
            .shared
            .interrupted
            .lock()
            .get_or_insert_with(Instant::now);
        self.shared.workplace.stop_compiler();
        self.shared.channel.send_now(&ToRuntime::Interrupt);
        if first.elapsed() > PATIENCE {
            self.shared.killed.store(true, Ordering::Release);
            self.shared.kill_runtime();
        }
    }

    fn comm(&self, comm: Comm) {
        self.shared.channel.send_now(&ToRuntime::Comm(comm));
    }

    fn shutdown(&self) {
        self.shared.workplace.stop_compiler();
        self.shared.runtime.lock().is_shut_down = true;
        self.shared.kill_runtime();
        self.shared.workplace.remove();
    }

    fn view(&self) -> SessionView {
        SessionView {
            folder: self.shared.folder(),
            ..self.shared.view.lock().clone()
        }
    }
}

impl Evaluator {
    /// Starts an evaluator. It accepts cells at once; the first waits until the
    /// compiler and the runtime process are ready.
    ///
    /// # Errors
    /// The channel cannot be opened.
    pub(crate) fn start(workplace: Workplace) -> std::io::Result<(Self, UnboundedReceiver<Event>)> {
        let (events, receiver) = unbounded_channel();
        let channel = Channel::open(&workplace.channel(), events.clone())?;
        let shared = Arc::new(EvaluatorShared {
            channel,
            workplace,
            view: Mutex::default(),
            running: AtomicBool::new(false),
            interrupted: Mutex::new(None),
            killed: AtomicBool::new(false),
            runtime: Mutex::default(),
        });
        let (cells, queue) = mpsc::channel();
        let worker = shared.clone();
        std::thread::Builder::new()
            .name("evaluator".to_owned())
            .stack_size(STACK)
            .spawn(move || serve(&worker, &queue, &events))?;
        Ok((Self { cells, shared }, receiver))
    }
}

/// The evaluator's thread.
fn serve(
    shared: &Arc<EvaluatorShared>,
    queue: &mpsc::Receiver<Cell>,
    events: &UnboundedSender<Event>,
) {
    let mut runner = CellRunner::start(shared.clone());
    while let Ok(cell) = queue.recv() {
        let outcome = match &mut runner {
            Ok(runner) => runner.run(&cell),
            Err(error) => Err(error.clone()),
        };
        shared.running.store(false, Ordering::Release);
        let outcome = outcome.map_or_else(Outcome::Error, |()| Outcome::Ok);
        if let Ok(runner) = &runner {
            *shared.view.lock() = runner.view();
        } else {
            // The missing parts may be available now.
            runner = CellRunner::start(shared.clone());
        }
        let _ = events.send(Event {
            cell: cell.id,
            kind: EventKind::Finished(outcome),
        });
    }
}
