//! The output of cells: turns an evaluator's events into broadcasts, in order.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::comm::CommEvent;
use super::notice::{self, Notice};
use super::{Running, Session};
use crate::display::{Display, MimeBundle};
use crate::execution::{Event, EventKind, Outcome, Stage};
use crate::output::{CellOutput, Chunk, Item, Pace, Piece, StdoutParser, StreamName};
use swath_wire::{ClearOutput, DisplayData, ExecuteResult, Stream, Transient, UpdateDisplayData};

/// The number of ended cells that may still produce output.
const REMEMBERED_CELLS: usize = 64;
/// How long text that looks like the beginning of a marker is held back.
const MARKER_PATIENCE: Duration = Duration::from_millis(60);

/// The output of cells: the running one, and earlier ones whose background work
/// continues.
#[derive(Default)]
pub(super) struct Outputs(BTreeMap<u64, CellDisplay>);

/// The output of one cell.
struct CellDisplay {
    /// The parent of all its messages.
    parent: Value,
    /// Whether nothing is shown.
    silent: bool,
    /// The cell's number.
    number: u32,
    /// Whether a note says that text is left out.
    noted: bool,
    stdout: StdoutParser,
    /// When `stdout` began to hold back text.
    waiting: Option<Instant>,
    notice: Notice,
    /// Whether anything other than a notice has been shown.
    has_shown: bool,
    output: CellOutput<OutputStep>,
}

/// An item that keeps its place in a cell's text.
pub(super) enum OutputStep {
    Display(Display),
    Clear {
        wait: bool,
    },
    Result(MimeBundle),
    Input {
        prompt: String,
        password: bool,
        /// Whether the cell needs an answer even if nobody can be asked.
        must_answer: bool,
    },
    /// A comm event.
    Comm(CommEvent),
    /// A notice that the cell is being compiled.
    Notice(Display),
    NoticeEnded,
    /// Text is left out from here on.
    LimitReached,
    Finished(Outcome),
}

impl OutputStep {
    /// Returns whether front ends keep it among the cell's outputs.
    fn is_output(&self) -> bool {
        matches!(
            self,
            Self::Display(_) | Self::Result(_) | Self::LimitReached
        )
    }
}

impl Outputs {
    /// Returns the parent of a cell's output.
    pub(super) fn parent(&self, cell: u64) -> Option<&Value> {
        self.0.get(&cell).map(|display| &display.parent)
    }

    /// Adds a new cell.
    pub(super) fn open(
        &mut self,
        cell: u64,
        parent: Value,
        silent: bool,
        number: u32,
        limit: usize,
    ) {
        self.0.insert(
            cell,
            CellDisplay {
                parent,
                silent,
                number,
                noted: false,
                stdout: StdoutParser::default(),
                waiting: None,
                notice: Notice::default(),
                has_shown: false,
                output: CellOutput::new(limit),
            },
        );
        while self.0.len() > REMEMBERED_CELLS {
            self.0.pop_first();
        }
    }

    /// Drops a cell's pending text if there is a lot of it: a user who
    /// interrupts a cell wants it to end, not the rest of its output.
    pub(super) fn discard_backlog(&mut self, cell: u64) {
        if let Some(display) = self.0.get_mut(&cell) {
            display.output.discard_backlog();
        }
    }

    /// Returns when pending output must be checked again.
    pub(super) fn due(&self, pace: &mut Pace, now: Instant) -> Option<Instant> {
        self.0
            .values()
            .filter_map(|display| display.due(pace, now))
            .min()
    }

    /// Returns the output that must be sent now, cell by cell.
    fn take(&mut self, pace: &mut Pace, now: Instant) -> Vec<(u64, Vec<Item<OutputStep>>)> {
        let mut taken = Vec::new();
        for (&cell, display) in &mut self.0 {
            if display
                .waiting
                .is_some_and(|since| since + MARKER_PATIENCE <= now)
            {
                let pieces = display.stdout.release();
                display.push_pieces(pieces, now);
            }
            if let Some(notice) = display.notice.take(cell, now) {
                display.output.push_other(OutputStep::Notice(notice));
            }
            if display.output.due(pace, now).is_some_and(|due| due <= now) {
                let items = display.output.take(pace, now);
                if !items.is_empty() {
                    taken.push((cell, items));
                }
            }
        }
        taken
    }
}

impl CellDisplay {
    fn due(&self, pace: &mut Pace, now: Instant) -> Option<Instant> {
        let released = self.waiting.map(|since| since + MARKER_PATIENCE);
        [released, self.notice.due(), self.output.due(pace, now)]
            .into_iter()
            .flatten()
            .min()
    }

    fn push(&mut self, kind: EventKind, now: Instant) {
        let step = match kind {
            EventKind::Stdout(bytes) => {
                let pieces = self.stdout.push(&bytes);
                return self.push_pieces(pieces, now);
            }
            EventKind::Stderr(bytes) => return self.push_text(StreamName::Stderr, &bytes, now),
            EventKind::Display(display) => OutputStep::Display(display),
            EventKind::Clear { wait } => OutputStep::Clear { wait },
            EventKind::Result(bundle) => OutputStep::Result(bundle),
            EventKind::Input { prompt, password } => OutputStep::Input {
                prompt,
                password,
                must_answer: true,
            },
            EventKind::Stage(stage) => {
                if !self.notice.enter(stage, now) {
                    return;
                }
                OutputStep::NoticeEnded
            }
            EventKind::Comm(comm) => OutputStep::Comm(CommEvent::Comm(comm)),
            EventKind::CommTarget { name, exists } => {
                OutputStep::Comm(CommEvent::Target { name, exists })
            }
            EventKind::CommsGone => OutputStep::Comm(CommEvent::Gone),
            EventKind::Finished(outcome) => {
                if self.notice.enter(Stage::Running, now) {
                    self.output.push_other(OutputStep::NoticeEnded);
                }
                let pieces = self.stdout.finish();
                self.push_pieces(pieces, now);
                self.output.finish(now);
                return self.output.push_other(OutputStep::Finished(outcome));
            }
        };
        let pieces = self.stdout.release();
        self.push_pieces(pieces, now);
        self.output.push_other(step);
    }

    fn push_pieces(&mut self, pieces: Vec<Piece>, now: Instant) {
        for piece in pieces {
            match piece {
                Piece::Text(bytes) => self.push_text(StreamName::Stdout, &bytes, now),
                Piece::Display(display) => self.output.push_other(OutputStep::Display(display)),
                Piece::Input { prompt, password } => {
                    // evcxr_input then reads standard input, which asks again.
                    self.output.push_other(OutputStep::Input {
                        prompt,
                        password,
                        must_answer: false,
                    });
                }
            }
        }
        self.waiting = if self.stdout.is_waiting() {
            Some(self.waiting.unwrap_or(now))
        } else {
            None
        };
    }

    fn push_text(&mut self, stream: StreamName, bytes: &[u8], now: Instant) {
        if !self.silent && self.output.push(stream, bytes, now) {
            self.output.push_other(OutputStep::LimitReached);
        }
    }
}

impl Session {
    /// Handles an event of a cell.
    pub(super) fn on_cell(&mut self, event: Event) {
        match (self.outputs.0.get_mut(&event.cell), event.kind) {
            (Some(display), kind) => display.push(kind, Instant::now()),
            // These are not the output of a cell, and must not be lost.
            (None, EventKind::Comm(comm)) => {
                self.on_comm_event(event.cell, CommEvent::Comm(comm));
            }
            (None, EventKind::CommsGone) => self.on_comm_event(event.cell, CommEvent::Gone),
            (None, _) => tracing::warn!(cell = event.cell, "output of a forgotten cell dropped"),
        }
    }

    /// Broadcasts the output that is due.
    pub(super) fn show(&mut self) {
        let taken = self.outputs.take(&mut self.pace, Instant::now());
        for (cell, items) in taken {
            for item in items {
                if !matches!(&item, Item::Other(step) if !step.is_output())
                    && let Some(display) = self.outputs.0.get_mut(&cell)
                {
                    display.has_shown = true;
                }
                match item {
                    Item::Text(chunk) => self.show_text(cell, chunk),
                    Item::Other(step) => self.show_step(cell, step),
                }
            }
        }
    }

    fn show_text(&self, cell: u64, chunk: Chunk) {
        let Some(display) = self.outputs.0.get(&cell) else {
            return;
        };
        self.publish(
            &display.parent,
            &Stream {
                name: chunk.stream.as_str(),
                text: chunk.text,
            },
        );
    }

    fn show_step(&mut self, cell: u64, step: OutputStep) {
        match step {
            OutputStep::Finished(outcome) => {
                self.show_limit(cell, true);
                self.on_finished(cell, outcome);
            }
            OutputStep::Input {
                prompt,
                password,
                must_answer,
            } => self.ask(prompt, password, must_answer),
            OutputStep::LimitReached => self.show_limit(cell, false),
            OutputStep::Result(bundle) => self.show_result(cell, bundle),
            OutputStep::Clear { wait } => {
                if let Some(display) = self.visible(cell) {
                    self.publish(&display.parent, &ClearOutput { wait });
                }
            }
            OutputStep::Display(display) => self.show_display(cell, display),
            OutputStep::Comm(event) => self.on_comm_event(cell, event),
            OutputStep::Notice(notice) => self.show_display(cell, notice),
            OutputStep::NoticeEnded => match self.visible(cell) {
                Some(display) if display.has_shown => self.show_display(cell, notice::ended(cell)),
                Some(display) => {
                    self.publish(&display.parent, &ClearOutput { wait: false });
                }
                None => {}
            },
        }
    }

    fn show_result(&mut self, cell: u64, bundle: MimeBundle) {
        let Some(bundle) = self.keep_result(cell, bundle) else {
            return;
        };
        self.pace.spend(nbytes(&bundle));
        let Some(display) = self.visible(cell) else {
            return;
        };
        self.publish(
            &display.parent,
            &ExecuteResult {
                execution_count: display.number,
                data: bundle.data,
                metadata: bundle.metadata,
            },
        );
    }

    fn show_display(&mut self, cell: u64, shown: Display) {
        self.pace.spend(nbytes(&shown.bundle));
        let Some(display) = self.visible(cell) else {
            return;
        };
        let content = DisplayData {
            data: shown.bundle.data,
            metadata: shown.bundle.metadata,
            transient: Transient {
                display_id: shown.id,
            },
        };
        if shown.update {
            // Work may continue after its cell. Front ends find the display by
            // its id; programs that execute notebooks accept only messages of
            // the running cell.
            let running = self.running.as_ref().map(Running::cell);
            let asking = running
                .and_then(|cell| self.visible(cell))
                .unwrap_or(display);
            self.publish(&asking.parent, &UpdateDisplayData(content));
        } else {
            self.publish(&display.parent, &content);
        }
    }

    /// Shows a note that text is left out, and at the cell's end how much.
    fn show_limit(&mut self, cell: u64, ended: bool) {
        let limit = self.max_output;
        let Some(display) = self.outputs.0.get_mut(&cell) else {
            return;
        };
        let omitted = display.output.omitted();
        if omitted == 0 || display.silent {
            return;
        }
        let text = if ended {
            format!(
                "[output limit] {omitted} bytes of this cell's output are left out. A cell shows \
                 at most {limit} bytes; SWATH_MAX_OUTPUT sets the limit."
            )
        } else {
            format!(
                "[output limit] This cell has written {limit} bytes; the rest of its output is \
                 left out. SWATH_MAX_OUTPUT sets the limit."
            )
        };
        let mut data = Map::new();
        data.insert("text/plain".to_owned(), json!(text));
        let note = DisplayData {
            data,
            metadata: Map::new(),
            transient: Transient {
                display_id: Some(format!("swath-output-limit-{cell}")),
            },
        };
        let update = std::mem::replace(&mut display.noted, true);
        let parent = display.parent.clone();
        if update {
            self.publish(&parent, &UpdateDisplayData(note));
        } else {
            self.publish(&parent, &note);
        }
    }

    fn visible(&self, cell: u64) -> Option<&CellDisplay> {
        self.outputs.0.get(&cell).filter(|display| !display.silent)
    }
}

/// Returns the approximate size of a bundle in a message.
fn nbytes(bundle: &MimeBundle) -> usize {
    bundle
        .data
        .values()
        .map(|content| match content {
            Value::String(text) => text.len(),
            other => other.to_string().len(),
        })
        .sum()
}
