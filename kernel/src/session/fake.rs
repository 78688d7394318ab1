//! An evaluator for tests: a cell is a script with one command per line.
//!
//! `print TEXT`, `eprint TEXT`, `bytes HEX`, `flood BYTES`, `sleep MS`, `display ID
//! TEXT`, `update ID TEXT`, `clear`, `input PROMPT`, `password PROMPT`, `error
//! MESSAGE`, `compile`, `run` (the stages), `stubborn MS` (a sleep that no interrupt
//! ends), `target NAME`, `open ID TARGET`, `say ID TEXT`, `close ID` (comms), `die`
//! (the comms' other end closes); anything else is the cell's result. A client's
//! message on a comm is echoed at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::display::{Display, MimeBundle};
use crate::execution::{
    Cell, CellError, Comm, CommAction, Evaluate, Event, EventKind, Outcome, Stage,
};
use crate::view::{SessionView, Variable};

/// Nothing to configure.
#[derive(Default)]
pub(crate) struct Config {}

/// The evaluator.
pub(crate) struct Fake {
    cells: mpsc::Sender<Cell>,
    lines: mpsc::Sender<String>,
    events: UnboundedSender<Event>,
    interrupted: Arc<AtomicBool>,
    /// Whether `shutdown` was called.
    pub(crate) ended: Arc<Mutex<bool>>,
}

impl Fake {
    /// Starts the evaluator's thread.
    pub(crate) fn start(_config: Config) -> (Self, UnboundedReceiver<Event>) {
        let (cells, to_run) = mpsc::channel::<Cell>();
        let (lines, typed) = mpsc::channel();
        let (events, received) = unbounded_channel();
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        let said = events.clone();
        std::thread::spawn(move || {
            for cell in to_run {
                let script = Script {
                    cell: &cell,
                    events: &events,
                    typed: &typed,
                    interrupted: &flag,
                };
                let outcome = match script.run() {
                    Ok(()) => Outcome::Ok,
                    Err((ename, evalue)) => Outcome::Error(CellError {
                        ename: ename.to_owned(),
                        traceback: vec![format!("{ename}: {evalue} in [{}]", cell.number)],
                        evalue,
                    }),
                };
                script.send(EventKind::Finished(outcome));
            }
        });
        let fake = Self {
            cells,
            lines,
            events: said,
            interrupted,
            ended: Arc::default(),
        };
        (fake, received)
    }
}

impl Evaluate for Fake {
    fn execute(&self, cell: Cell) {
        // Reset it here, not when the cell begins: an interrupt may arrive before
        // that.
        self.interrupted.store(false, Ordering::SeqCst);
        let _ = self.cells.send(cell);
    }

    fn reply_input(&self, line: String) {
        let _ = self.lines.send(line);
    }

    fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
    }

    fn comm(&self, comm: Comm) {
        if comm.action == CommAction::Message {
            let kind = EventKind::Comm(comm);
            let _ = self.events.send(Event { cell: 0, kind });
        }
    }

    fn shutdown(&self) {
        if let Ok(mut ended) = self.ended.lock() {
            *ended = true;
        }
    }

    fn view(&self) -> SessionView {
        SessionView {
            variables: vec![Variable {
                name: "numbers".to_owned(),
                type_name: "Vec<i32>".to_owned(),
                ..Variable::default()
            }],
            ..SessionView::default()
        }
    }
}

struct Script<'a> {
    cell: &'a Cell,
    events: &'a UnboundedSender<Event>,
    typed: &'a mpsc::Receiver<String>,
    interrupted: &'a AtomicBool,
}

impl Script<'_> {
    fn run(&self) -> Result<(), (&'static str, String)> {
        for line in self.cell.code.lines() {
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            self.command(command, rest, line)?;
        }
        Ok(())
    }

    fn command(&self, command: &str, rest: &str, line: &str) -> Result<(), (&'static str, String)> {
        match command {
            "print" => self.send(EventKind::Stdout(format!("{rest}\n").into_bytes())),
            "eprint" => self.send(EventKind::Stderr(format!("{rest}\n").into_bytes())),
            "bytes" => self.send(EventKind::Stdout(
                rest.split_whitespace()
                    .filter_map(|byte| u8::from_str_radix(byte, 16).ok())
                    .collect(),
            )),
            "flood" => {
                for _ in 0..rest.parse().unwrap_or(0) / 1_000 {
                    self.check_interrupt()?;
                    self.send(EventKind::Stdout(
                        [b"x".repeat(999), b"\n".to_vec()].concat(),
                    ));
                }
            }
            "sleep" => {
                let end = Instant::now() + Duration::from_millis(rest.parse().unwrap_or(0));
                while Instant::now() < end {
                    self.check_interrupt()?;
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
            "display" | "update" => {
                let (id, text) = rest.split_once(' ').unwrap_or(("", rest));
                self.send(EventKind::Display(Display {
                    bundle: plain(text),
                    id: Some(id.to_owned()),
                    update: command == "update",
                }));
            }
            "stubborn" => {
                std::thread::sleep(Duration::from_millis(rest.parse().unwrap_or(0)));
            }
            "compile" => self.send(EventKind::Stage(Stage::Compiling)),
            "run" => self.send(EventKind::Stage(Stage::Running)),
            "target" => self.send(EventKind::CommTarget {
                name: rest.to_owned(),
                exists: true,
            }),
            "open" | "say" | "close" => {
                let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let action = match command {
                    "open" => CommAction::Open {
                        target: rest.to_owned(),
                    },
                    "say" => CommAction::Message,
                    _ => CommAction::Close,
                };
                self.send(EventKind::Comm(Comm {
                    id: id.to_owned(),
                    action,
                    data: json!(rest),
                    metadata: serde_json::Map::new(),
                    buffers: vec![rest.as_bytes().to_vec().into()],
                }));
            }
            "die" => self.send(EventKind::CommsGone),
            "clear" => self.send(EventKind::Clear { wait: true }),
            "input" | "password" => {
                self.send(EventKind::Input {
                    prompt: rest.to_owned(),
                    password: command == "password",
                });
                let answer = loop {
                    self.check_interrupt()?;
                    if let Ok(line) = self.typed.recv_timeout(Duration::from_millis(5)) {
                        break line;
                    }
                };
                self.send(EventKind::Stdout(format!("got {answer}\n").into_bytes()));
            }
            "error" => return Err(("Fake", rest.to_owned())),
            _ => self.send(EventKind::Result(plain(line))),
        }
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), (&'static str, String)> {
        if self.interrupted.load(Ordering::SeqCst) {
            return Err(("Interrupted", "the cell was interrupted".to_owned()));
        }
        Ok(())
    }

    fn send(&self, kind: EventKind) {
        let _ = self.events.send(Event {
            cell: self.cell.id,
            kind,
        });
    }
}

fn plain(text: &str) -> MimeBundle {
    let mut bundle = MimeBundle::default();
    bundle.data.insert("text/plain".to_owned(), json!(text));
    bundle
}
