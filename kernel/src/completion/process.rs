//! The analyzer process, as the kernel sees it.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use super::analyze::DIRECTORY_VARIABLE;
use super::memory;
use super::protocol::{Answer, Ask, Told};
use crate::error::{Error, Result};

/// A ready process that does not answer for this long counts as hung.
const HANG_LIMIT: Duration = Duration::from_secs(60);

/// How long to wait for the process to end.
const STOP_LIMIT: Duration = Duration::from_millis(300);

/// A running analyzer.
pub(super) struct Process {
    /// Killed when this is dropped.
    child: Child,
    /// Lines for its stdin. A task writes them, because writing may block.
    asks: mpsc::UnboundedSender<Vec<u8>>,
    shared: Arc<Mutex<ProcessShared>>,
    next_id: u64,
    /// The directory that it writes to; removed with this value.
    _directory: TempDir,
}

/// State shared with the reading task.
struct ProcessShared {
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
    /// Whether everything is loaded.
    ready: bool,
    /// Whether its stdout has ended.
    ended: bool,
    /// When its last message arrived.
    heard: Instant,
    /// The oldest question that has no answer yet.
    asked: Option<Instant>,
}

impl Process {
    /// Starts the process. The receiver fails when it ends.
    pub(super) fn start() -> Result<(Self, oneshot::Receiver<()>)> {
        let failed = |error: std::io::Error| Error::Analyzer(error.to_string());
        let directory = tempfile::Builder::new()
            .prefix("swath-analyzer-")
            .tempdir()
            .map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .arg("analyze")
            .env(DIRECTORY_VARIABLE, directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // When memory runs out, the allocator prints a message that does
            // not help the user.
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let limit = memory::limit();
        // SAFETY: `restrict` is async-signal-safe, and nothing else runs
        // between fork and exec.
        unsafe {
            command.pre_exec(move || memory::restrict(limit));
        }
        let mut child = command.spawn().map_err(failed)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Analyzer("the process has no pipes".to_owned()));
        };
        let (asks, lines) = mpsc::unbounded_channel();
        let shared = Arc::new(Mutex::new(ProcessShared {
            waiting: HashMap::new(),
            ready: false,
            ended: false,
            heard: Instant::now(),
            asked: None,
        }));
        tokio::spawn(write(stdin, lines));
        let (lives, ended) = oneshot::channel();
        let reading = read(stdout, shared.clone());
        tokio::spawn(async move {
            reading.await;
            drop::<oneshot::Sender<()>>(lives);
        });
        let process = Self {
            child,
            asks,
            shared,
            next_id: 0,
            _directory: directory,
        };
        Ok((process, ended))
    }

    /// Sends a question; sets `ask.id`. The receiver fails when the process
    /// ends.
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

    /// Returns whether it has loaded everything.
    pub(super) fn is_ready(&self) -> bool {
        lock(&self.shared).ready
    }

    /// Returns whether it can still answer.
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

    /// Ends the process and waits for its end: while it still writes into its
    /// directory, that cannot be removed.
    pub(super) async fn stop(mut self) {
        let _ = tokio::time::timeout(STOP_LIMIT, self.child.kill()).await;
    }
}

/// Locks the state. After a panic it is still valid: the tasks only insert and
/// remove.
fn lock(shared: &Mutex<ProcessShared>) -> MutexGuard<'_, ProcessShared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() {
            return;
        }
    }
}

async fn read(stdout: ChildStdout, shared: Arc<Mutex<ProcessShared>>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let told: Told = match serde_json::from_str(&line) {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(%error, "cannot parse a line from the analyzer");
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
    // Dropping the senders makes the waiting receivers fail.
    shared.waiting.clear();
}
