//! Automatic progress bars below the cell: for long computations, and for
//! iterators that request one.
//!
//! A cell has one display, however much it computes. It shows what is running,
//! the last few computations that ended, and how many ended before. Work that
//! continues after its cell has ended is still shown there. A thread updates
//! the display a few times a second. The computing thread draws the end itself
//! before it continues, so that a cell does not end before its bars do.

use super::bar::{self, Bar, BarKind};
use crate::context::{Context, PerContext};
use crate::display::Bundle;
use crate::graph::Progress;
use crate::schedule::jobs::{Job, JobWatcher, watch};
use crate::shown;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Computations that take no longer than this need no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time between two updates: a display changes at most ten times a second.
const LOOK: Duration = Duration::from_millis(100);
/// How many bars of ended computations remain visible in each cell.
const ENDED: usize = 5;

static SHOWS: PerContext<AtomicBool> = PerContext::new(|| AtomicBool::new(true));

/// Sets whether computations that take longer than a second show a bar
/// automatically.
///
/// In a notebook they do by default; the environment variable `SWATH_PROGRESS=0`
/// turns this off from the beginning. Bars that are requested
/// ([`progress`](super::progress()), [`ProgressIterator`](super::ProgressIterator))
/// are shown in any case.
///
/// ```
/// swath::diagnostics::show_progress(false);
/// ```
pub fn show_progress(shows: bool) {
    SHOWS.with(|it| it.store(shows, Ordering::Relaxed));
}

/// Starts showing bars. Called once, in a notebook's process.
pub(crate) fn install() {
    if std::env::var_os("SWATH_PROGRESS").is_some_and(|value| value == "0") {
        show_progress(false);
    }
    let monitor = Arc::new(Monitor::default());
    let looking = monitor.clone();
    let context = Context::current();
    let spawned = std::thread::Builder::new()
        .name("swath-progress".to_owned())
        .spawn(move || context.run(|| looking.look()));
    // Without a thread there are no bars; nothing else is missing.
    if spawned.is_ok() {
        watch(monitor);
    }
}

#[derive(Default)]
struct Monitor {
    cells: Mutex<Vec<CellBars>>,
    begun: Condvar,
}

/// The display of one cell.
struct CellBars {
    cell: Option<u64>,
    /// The display's id.
    id: String,
    running: Vec<Running>,
    /// The last computations that ended and were shown.
    ended: VecDeque<(String, Progress, BarKind)>,
    /// How many ended before those, and how long they took.
    earlier: (usize, Duration),
    /// The current content of the display.
    last: Option<Bundle>,
}

struct Running {
    job: Arc<dyn Job>,
    begin: Instant,
}

impl JobWatcher for Monitor {
    fn begun(&self, job: &Arc<dyn Job>) {
        let cell = shown::cell();
        let running = Running {
            job: job.clone(),
            begin: Instant::now(),
        };
        let mut cells = self.cells.lock();
        cells.retain(|bars| bars.cell == cell || !bars.running.is_empty());
        match cells.iter_mut().find(|bars| bars.cell == cell) {
            Some(bars) => bars.running.push(running),
            None => cells.push(CellBars::new(cell, running)),
        }
        self.begun.notify_one();
    }

    fn ended(&self, job: &Arc<dyn Job>) {
        let mut cells = self.cells.lock();
        let found = cells
            .iter_mut()
            .find_map(|bars| Some((bars.position(job)?, bars)));
        if let Some((at, bars)) = found {
            bars.end(at);
        }
    }
}

impl Monitor {
    fn look(&self) -> ! {
        loop {
            let mut cells = self.cells.lock();
            while cells.iter().all(|bars| bars.running.is_empty()) {
                self.begun.wait(&mut cells);
            }
            drop(cells);
            // Work that ends during this time is shown once, at its end.
            std::thread::sleep(LOOK);
            self.cells.lock().iter_mut().for_each(CellBars::show);
        }
    }
}

impl Running {
    fn is_visible(&self) -> bool {
        let wanted =
            SHOWS.with(|it| it.load(Ordering::Relaxed)) && self.begin.elapsed() >= PATIENCE;
        (wanted || self.job.is_asked_for()) && !self.job.is_shown()
    }

    fn kind(&self) -> BarKind {
        BarKind {
            unit: self.job.unit(),
            in_background: self.job.is_in_background(),
            has_ended: false,
        }
    }
}

impl CellBars {
    fn new(cell: Option<u64>, running: Running) -> Self {
        Self {
            cell,
            id: uuid::Uuid::new_v4().simple().to_string(),
            running: vec![running],
            ended: VecDeque::new(),
            earlier: (0, Duration::ZERO),
            last: None,
        }
    }

    fn position(&self, job: &Arc<dyn Job>) -> Option<usize> {
        self.running
            .iter()
            .position(|running| Arc::ptr_eq(&running.job, job))
    }

    fn end(&mut self, at: usize) {
        let running = self.running.remove(at);
        if !running.is_visible() {
            return;
        }
        let job = &running.job;
        let kind = BarKind {
            has_ended: true,
            ..running.kind()
        };
        let ended = (job.name().to_owned(), job.progress(), kind);
        self.ended.push_back(ended);
        if self.ended.len() > ENDED
            && let Some((_, progress, _)) = self.ended.pop_front()
        {
            self.earlier.0 += 1;
            self.earlier.1 += progress.elapsed;
        }
        self.show();
    }

    /// Updates the display if it has changed.
    fn show(&mut self) {
        let mut bars = Vec::new();
        if self.earlier.0 > 0 {
            bars.push(Bar::earlier(self.earlier.0, self.earlier.1));
        }
        for (name, progress, kind) in &self.ended {
            bars.push(Bar::of(name, progress, *kind));
        }
        for running in self.running.iter().filter(|running| running.is_visible()) {
            let progress = running.job.progress();
            bars.push(Bar::of(running.job.name(), &progress, running.kind()));
        }
        if bars.is_empty() {
            return;
        }
        let bundle = bar::draw(&bars);
        if self.last.as_ref() != Some(&bundle) {
            shown::display_for(self.cell, &bundle, Some(&self.id), self.last.is_some());
            self.last = Some(bundle);
        }
    }
}
