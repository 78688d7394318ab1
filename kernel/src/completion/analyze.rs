//! The analyzer process: answers questions on stdin until stdin ends.
//!
//! Loading takes seconds of CPU time; a question takes a few hundredths. So the
//! thread that loads has the lowest priority, and hands over to a thread of
//! higher priority when somebody waits. The thread that answers has normal
//! priority: otherwise it would starve where a cell keeps every core busy.
//! (These are separate threads because a lowered priority cannot be raised
//! again.)

use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::os::fd::FromRawFd as _;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::answer::answer;
use super::context::runtime_sources;
use super::crates::Libraries;
use super::memory;
use super::paths::PublicPaths;
use super::protocol::{Answer, Ask, PATIENCE, Question, Told};
use super::world::{Toolchain, World};
use crate::view::SessionView;

/// The environment variable that names the directory the process may write to.
pub(super) const DIRECTORY_VARIABLE: &str = "SWATH_ANALYZER_DIRECTORY";

/// How long the current question may still take after stdin has ended.
const LAST_MOMENT: Duration = Duration::from_millis(300);
/// How long after a question the process frees memory.
const PAUSE: Duration = Duration::from_secs(1);

/// The niceness of loading while nobody waits: it uses only idle time.
const UNNOTICED: i32 = 19;
/// The niceness of loading while somebody waits: it gets a quarter of a core
/// that a cell keeps busy.
const AWAITED: i32 = 5;
/// Stack size in bytes. rust-analyzer recurses deeply.
const STACK: usize = 16 << 20;

/// Code to complete after loading, to warm up what the first questions are
/// likely to need.
const REHEARSAL: [&str; 6] = [
    "polars::prelude::",
    "let numbers = vec![1.5]; numbers.",
    "",
    "col(\"a\").",
    "polars::frame::DataFrame::empty().",
    "read_csv(\"a\").",
];

/// Runs the analyzer process; returns its exit code.
pub(crate) fn analyze() -> i32 {
    let mut told = match take_stdout() {
        Ok(file) => file,
        Err(error) => {
            tracing::error!(%error, "no stdout");
            return 1;
        }
    };
    let (asks, is_awaited) = listen();
    let mut analyzer = match load(&is_awaited) {
        Ok(analyzer) => analyzer,
        Err(error) => {
            tell(&mut told, &Told::Failed(error.to_string()));
            return 1;
        }
    };
    tell(&mut told, &Told::Ready);
    let mut is_tidy = false;
    loop {
        let next = if is_tidy {
            asks.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            asks.recv_timeout(PAUSE)
        };
        match next {
            Ok((asked, ask)) => {
                let answer = if asked.elapsed() < PATIENCE {
                    analyzer.try_answer(&ask)
                } else {
                    // Nobody waits for this answer any more.
                    Answer::nothing(&ask)
                };
                tell(&mut told, &Told::Answer { id: ask.id, answer });
                is_tidy = false;
                if memory::is_nearly_full() {
                    memory::give_back();
                    if memory::is_nearly_full() {
                        // The kernel starts another process.
                        return 0;
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                memory::give_back();
                is_tidy = true;
            }
            Err(RecvTimeoutError::Disconnected) => return 0,
        }
    }
}

/// Loads std and the runtime.
fn load(is_awaited: &AtomicBool) -> io::Result<Analyzer> {
    let is_awaited = || is_awaited.load(Ordering::Relaxed);
    // This takes half a second, most of it in cargo and rustc, which cannot be
    // sped up once they run. At the lowest priority it took twenty seconds
    // beside a busy cell.
    let mut analyzer = with_niceness(AWAITED, Analyzer::new)??;
    let is_done = with_niceness(UNNOTICED, || {
        while !is_awaited() {
            if !analyzer.load_some() {
                return true;
            }
        }
        false
    })?;
    if !is_done {
        with_niceness(AWAITED, || while analyzer.load_some() {})?;
    }
    Ok(analyzer)
}

/// Runs `work` in a thread of lower priority, which the processes it starts
/// inherit.
fn with_niceness<T: Send>(niceness: i32, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || {
                // Applies to this thread only. A failure is not an error.
                #[cfg(target_os = "linux")]
                // SAFETY: setpriority takes any numbers.
                unsafe {
                    libc::setpriority(libc::PRIO_PROCESS, 0, niceness);
                }
                work()
            })?;
        thread
            .join()
            .map_err(|_| io::Error::other("rust-analyzer failed while loading"))
    })
}

/// The world, and the inputs it was made from.
struct Analyzer {
    world: World,
    runtime: Libraries,
    /// The dependencies that cells had added when the world was made.
    dependencies: Vec<String>,
    paths: PublicPaths,
    /// Holds the manifest of the dependencies that cells add.
    directory: PathBuf,
    /// How many snippets of the [`REHEARSAL`] are done.
    rehearsed: usize,
}

impl Analyzer {
    fn new() -> io::Result<Self> {
        let runtime = runtime_sources().map_or_else(Libraries::default, |sources| {
            Libraries::of_runtime(&sources).unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot read the runtime's sources: completion does not know its methods");
                Libraries::default()
            })
        });
        let directory = std::env::var_os(DIRECTORY_VARIABLE);
        Ok(Self {
            world: World::new(Toolchain::find()?, &runtime),
            runtime,
            dependencies: Vec::new(),
            paths: PublicPaths::default(),
            directory: directory.map_or_else(std::env::temp_dir, PathBuf::from),
            rehearsed: 0,
        })
    }

    /// Does some of the loading, a few tenths of a second at most; returns
    /// false when there is nothing left to load.
    fn load_some(&mut self) -> bool {
        // A crate that makes rust-analyzer panic must not keep the others from
        // loading.
        let loading = std::panic::catch_unwind(AssertUnwindSafe(|| self.world.load_some()));
        if loading.unwrap_or(true) {
            return true;
        }
        let Some(code) = REHEARSAL.get(self.rehearsed) else {
            return false;
        };
        self.rehearsed += 1;
        self.try_answer(&Ask {
            id: 0,
            question: Question::Complete,
            view: SessionView::default(),
            code: (*code).to_owned(),
            position: code.len(),
        });
        true
    }

    /// Answers a question. The answer is empty where rust-analyzer panics; a
    /// panic leaves its database intact.
    fn try_answer(&mut self, ask: &Ask) -> Answer {
        std::panic::catch_unwind(AssertUnwindSafe(|| self.answer(ask)))
            .unwrap_or_else(|_| Answer::nothing(ask))
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        if ask.view.deps != self.dependencies {
            self.dependencies.clone_from(&ask.view.deps);
            let mut libraries = self.runtime.clone();
            match Libraries::of_dependencies(&self.directory, &self.dependencies) {
                Ok(added) => libraries.extend(added),
                Err(error) => tracing::debug!(%error, "cannot read the crates of cells"),
            }
            self.world.set_libraries(&libraries);
            self.paths.forget();
        }
        let view = self.paths.mend(&self.world, &ask.view);
        answer(&mut self.world, &view, ask)
    }
}

/// Reserves stdout for answers and redirects everything else that is printed
/// there to stderr.
fn take_stdout() -> io::Result<File> {
    // SAFETY: dup takes any descriptor and reports a bad one.
    let kept = unsafe { libc::dup(libc::STDOUT_FILENO) };
    // SAFETY: dup2 takes any descriptors and reports bad ones.
    let redirected = unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) };
    if kept < 0 || redirected < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `kept` is a new descriptor that nobody else owns.
    Ok(unsafe { File::from_raw_fd(kept) })
}

/// Starts a thread that reads questions. Returns them with their time of
/// arrival, and a flag that says whether any question has arrived. When stdin
/// ends, the kernel has ended: the process then exits, even in the middle of a
/// question.
fn listen() -> (mpsc::Receiver<(Instant, Ask)>, Arc<AtomicBool>) {
    let (sender, receiver) = mpsc::channel();
    let is_awaited = Arc::new(AtomicBool::new(false));
    let flag = is_awaited.clone();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(ask) => {
                    flag.store(true, Ordering::Relaxed);
                    if sender.send((Instant::now(), ask)).is_err() {
                        break;
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot parse a line from the kernel"),
            }
        }
        drop(sender);
        std::thread::sleep(LAST_MOMENT);
        std::process::exit(0);
    });
    (receiver, is_awaited)
}

fn tell(told: &mut File, message: &Told) {
    let written = serde_json::to_vec(message)
        .map_err(io::Error::from)
        .and_then(|mut line| {
            line.push(b'\n');
            told.write_all(&line)
        });
    if let Err(error) = written {
        tracing::warn!(%error, "cannot write to the kernel");
    }
}
