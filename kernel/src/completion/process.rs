//! The analyzer process, as the kernel sees it.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use super::protocol::{Answer, Ask, Told};
use crate::error::{Error, Result};

/// Memory that the process may use, in bytes, unless
/// `SWATH_ANALYZER_MEMORY` says otherwise.
const DEFAULT_MEMORY: u64 = 6 << 30;
/// A process that is ready and answers nothing for so long hangs.
const HANG_LIMIT: Duration = Duration::from_secs(60);

/// How long the process gets to end.
const STOP_LIMIT: Duration = Duration::from_millis(300);

/// A running analyzer.
pub(super) struct Process {
    /// Killed when this is dropped.
    child: Child,
    /// To its stdin, through a task: writing waits for a reader.
    asks: mpsc::UnboundedSender<Vec<u8>>,
    shared: Arc<Mutex<Shared>>,
    next_id: u64,
    /// What it compiles into; removed with this.
    _directory: TempDir,
}

/// What the reading task knows.
struct Shared {
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    /// Whether everything is loaded.
    ready: bool,
    /// Whether its stdout has ended.
    ended: bool,
    /// When it said something last.
    heard: Instant,
    /// The oldest question that has no answer yet.
    asked: Option<Instant>,
}

impl Process {
    /// Starts the process.
    pub(super) fn start() -> Result<Self> {
        let failed = |error: std::io::Error| Error::Analyzer(error.to_string());
        let directory = tempfile::Builder::new()
            .prefix("swath-analyzer-")
            .tempdir()
            .map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .arg("analyze")
            .env("EVCXR_TMPDIR", directory.path())
            // The sources of all dependencies are there, or they are not:
            // completion is no reason to use the network.
            .env("CARGO_NET_OFFLINE", "true")
            // That cells get a std of empty crates is none of its concern.
            .env_remove("RUST_SRC_PATH")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let memory = memory_limit();
        // SAFETY: setrlimit and setpriority are async-signal-safe, and nothing
        // else happens between fork and exec.
        unsafe {
            command.pre_exec(move || {
                let limit = libc::rlimit {
                    rlim_cur: memory,
                    rlim_max: memory,
                };
                if libc::setrlimit(libc::RLIMIT_DATA, &limit) != 0 {
                    return Err(std::io::Error::last_os_error());
                }
                // Cells go first. It is no error if that cannot be said.
                let _ = libc::setpriority(libc::PRIO_PROCESS, 0, 10);
                Ok(())
            });
        }
        let mut child = command.spawn().map_err(failed)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Analyzer("it has no pipes".to_owned()));
        };
        let (asks, lines) = mpsc::unbounded_channel();
        let shared = Arc::new(Mutex::new(Shared {
            waiting: HashMap::new(),
            ready: false,
            ended: false,
            heard: Instant::now(),
            asked: None,
        }));
        tokio::spawn(write(stdin, lines));
        tokio::spawn(read(stdout, shared.clone()));
        Ok(Self {
            child,
            asks,
            shared,
            next_id: 0,
            _directory: directory,
        })
    }

    /// Asks; `ask.id` is set here. The receiver fails when the process ends.
    pub(super) fn ask(&mut self, mut ask: Ask) -> Result<oneshot::Receiver<Answer>> {
        self.next_id += 1;
        ask.id = self.next_id;
        let mut line = serde_json::to_vec(&ask)?;
        line.push(b'\n');
        let (sender, receiver) = oneshot::channel();
        let mut shared = lock(&self.shared);
        shared.waiting.insert(ask.id, sender);
        shared.asked.get_or_insert_with(Instant::now);
        drop(shared);
        let _ = self.asks.send(line);
        Ok(receiver)
    }

    /// Whether it can still answer.
    pub(super) fn is_alive(&mut self) -> bool {
        let shared = lock(&self.shared);
        let hangs = shared.ready
            && shared
                .asked
                .is_some_and(|asked| asked.max(shared.heard).elapsed() > HANG_LIMIT);
        let ended = shared.ended;
        drop(shared);
        !hangs && !ended && matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the process, and waits for its end: what writes into its folder
    /// keeps that from being removed.
    pub(super) async fn stop(mut self) {
        let _ = tokio::time::timeout(STOP_LIMIT, self.child.kill()).await;
    }
}

/// A poisoned lock holds what was there: the tasks only insert and remove.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() {
            return;
        }
    }
}

async fn read(stdout: ChildStdout, shared: Arc<Mutex<Shared>>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let told: Told = match serde_json::from_str(&line) {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%error, "the analyzer's line does not parse");
                continue;
            }
        };
        let mut shared = lock(&shared);
        shared.heard = Instant::now();
        match told {
            Told::Ready => shared.ready = true,
            Told::Failed(reason) => tracing::warn!("the analyzer cannot work: {reason}"),
            Told::Answer { id, answer } => {
                if let Some(asker) = shared.waiting.remove(&id) {
                    // Fails where the asker has given up.
                    let _ = asker.send(answer);
                }
                if shared.waiting.is_empty() {
                    shared.asked = None;
                }
            }
        }
    }
    let mut shared = lock(&shared);
    shared.ended = true;
    // Those who wait learn it from their dropped senders.
    shared.waiting.clear();
}

fn memory_limit() -> u64 {
    std::env::var("SWATH_ANALYZER_MEMORY")
        .ok()
        .and_then(|setting| crate::output::parse_nbytes(&setting))
        .map_or(DEFAULT_MEMORY, |nbytes| nbytes as u64)
}
