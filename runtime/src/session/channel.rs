//! The runtime's end of the channel to the kernel.

use super::stdin::Stdin;
use super::{comm, orphan};
use crate::display::Bundle;
use crate::schedule;
use crate::shown::{self, Sink};
use crate::{abort, cancel};
use parking_lot::{Condvar, Mutex};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;
use swath_channel::{FromRuntime, ToRuntime, read_frame, write_frame};

struct Channel {
    stream: Mutex<UnixStream>,
    inbox: Mutex<Inbox>,
    arrived: Condvar,
    /// The running cell.
    cell: AtomicU64,
    /// How many fences were requested.
    fences: AtomicUsize,
    stdin: Stdin,
}

#[derive(Default)]
struct Inbox {
    /// How many answers to fences have come.
    fences: usize,
    /// Whether [`input`] waits for the user's input. Otherwise standard input
    /// receives it.
    asked: bool,
    allow_input: bool,
    input: Option<Option<String>>,
    closed: bool,
}

/// How often to check whether a cell reads standard input.
const STDIN_POLL: Duration = Duration::from_millis(50);

static CHANNEL: OnceLock<Arc<Channel>> = OnceLock::new();

/// A job for the main thread ([`super::host`]).
pub(super) enum HostJob {
    /// Load a cell's library and call its function.
    Run { library: String, function: String },
    /// See [`ToRuntime::Recover`].
    Recover { folder: Option<String> },
    /// Report the variables.
    List,
}

/// Connects to the kernel that waits in `directory`. Returns the receiver of the
/// main thread's jobs.
///
/// # Errors
/// The socket's error.
pub(super) fn connect(directory: &Path) -> io::Result<mpsc::Receiver<HostJob>> {
    let stdin = Stdin::new()?;
    let stream = UnixStream::connect(directory.join(swath_channel::SOCKET))?;
    let mut incoming = stream.try_clone()?;
    let folder = directory.to_owned();
    let channel = Arc::new(Channel {
        stream: Mutex::new(stream),
        inbox: Mutex::default(),
        arrived: Condvar::new(),
        cell: AtomicU64::new(0),
        fences: AtomicUsize::new(0),
        stdin,
    });
    let receiver = channel.clone();
    let (sender, jobs) = mpsc::channel();
    std::thread::Builder::new()
        .name("swath-channel".to_owned())
        .spawn(move || {
            while let Ok(Some(message)) = read_frame::<ToRuntime>(&mut incoming) {
                receiver.receive(message, &sender);
            }
            // The kernel has ended: nothing computed here will ever be used.
            if let Some(kernels) = folder.parent() {
                orphan::clean_up(kernels);
            }
            std::process::exit(0);
        })?;
    let asker = channel.clone();
    // The main thread's id is the process's.
    let thread = std::process::id();
    std::thread::Builder::new()
        .name("swath-stdin".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(STDIN_POLL);
                ask_for_stdin(&asker, thread);
            }
        })?;
    if CHANNEL.set(channel).is_ok() {
        shown::set_sink(Arc::new(ToKernel));
    }
    Ok(jobs)
}

impl Channel {
    fn receive(&self, message: ToRuntime, jobs: &mpsc::Sender<HostJob>) {
        match message {
            ToRuntime::Run { library, function } => {
                // The main thread receives jobs until the process ends.
                let _ = jobs.send(HostJob::Run { library, function });
            }
            ToRuntime::List => {
                let _ = jobs.send(HostJob::List);
            }
            ToRuntime::Recover { folder } => {
                let _ = jobs.send(HostJob::Recover { folder });
            }
            ToRuntime::Begin { cell, allow_input } => {
                cancel::begin();
                self.cell.store(cell, Ordering::Release);
                self.inbox.lock().allow_input = allow_input;
                self.stdin.connect(allow_input);
            }
            ToRuntime::CancelBackground => {
                cancel::cancel_all();
                abort::abort();
            }
            ToRuntime::Interrupt => {
                schedule::interrupt();
                abort::abort();
                // A thread may be waiting for input that will not come.
                self.arrived.notify_all();
            }
            ToRuntime::Input { text } => {
                let mut inbox = self.inbox.lock();
                if inbox.asked {
                    inbox.input = Some(text);
                } else {
                    self.stdin.write(&text.unwrap_or_default());
                }
                self.arrived.notify_all();
            }
            ToRuntime::Comm(message) => comm::receive(message),
            ToRuntime::FenceReached => {
                self.inbox.lock().fences += 1;
                self.arrived.notify_all();
            }
        }
    }

    fn send(&self, message: &FromRuntime) {
        if write_frame(&mut *self.stream.lock(), message).is_err() {
            self.inbox.lock().closed = true;
        }
    }
}

/// Sends a message, if there is a kernel.
pub(super) fn send(message: &FromRuntime) {
    if let Some(channel) = CHANNEL.get() {
        channel.send(message);
    }
}

/// Returns whether there is a kernel.
pub(super) fn is_connected() -> bool {
    CHANNEL.get().is_some()
}

/// Returns whether messages no longer reach the kernel.
pub(super) fn is_closed() -> bool {
    CHANNEL
        .get()
        .is_some_and(|channel| channel.inbox.lock().closed)
}

/// Returns the number of the running cell.
pub fn current_cell() -> Option<u64> {
    CHANNEL
        .get()
        .map(|channel| channel.cell.load(Ordering::Acquire))
}

/// Waits until the kernel has read all output so far.
pub(super) fn fence() {
    let Some(channel) = CHANNEL.get() else { return };
    // If fences overlap, the later one is answered last and covers the output
    // before both.
    let number = channel.fences.fetch_add(1, Ordering::AcqRel) + 1;
    channel.send(&FromRuntime::Fence);
    let mut inbox = channel.inbox.lock();
    while inbox.fences < number && !inbox.closed {
        channel.arrived.wait(&mut inbox);
    }
}

/// Asks the user for a line of text.
///
/// # Errors
/// [`crate::Error::Argument`] if no user can be asked (a notebook that runs
/// headless); [`crate::Error::Interrupted`].
pub(super) fn input(prompt: &str, password: bool) -> crate::Result<String> {
    let nobody = || {
        crate::Error::Argument(format!(
            "cannot read input for \"{prompt}\": there is no user who could answer"
        ))
    };
    let channel = CHANNEL.get().ok_or_else(nobody)?;
    {
        let mut inbox = channel.inbox.lock();
        if !inbox.allow_input {
            return Err(nobody());
        }
        inbox.asked = true;
        inbox.input = None;
    }
    let answer = channel.wait_for_input(prompt, password);
    channel.inbox.lock().asked = false;
    answer?.ok_or_else(nobody)
}

impl Channel {
    fn wait_for_input(&self, prompt: &str, password: bool) -> crate::Result<Option<String>> {
        self.send(&FromRuntime::Input {
            prompt: prompt.to_owned(),
            password,
        });
        let mut inbox = self.inbox.lock();
        loop {
            schedule::checkpoint()?;
            if let Some(text) = inbox.input.take() {
                return Ok(text);
            }
            self.arrived.wait(&mut inbox);
        }
    }
}

/// Asks the user for input if the thread that runs cells waits for standard
/// input. Called regularly.
fn ask_for_stdin(channel: &Channel, thread: u32) {
    if !Stdin::is_read_by(thread) || !channel.inbox.lock().allow_input {
        return;
    }
    channel.send(&FromRuntime::Input {
        prompt: String::new(),
        password: false,
    });
    while Stdin::is_read_by(thread) {
        std::thread::sleep(STDIN_POLL);
    }
}

struct ToKernel;

impl Sink for ToKernel {
    fn cell(&self) -> Option<u64> {
        current_cell()
    }

    fn display(&self, cell: Option<u64>, bundle: &Bundle, id: Option<&str>, update: bool) {
        // Earlier output comes before the display.
        let _ = io::Write::flush(&mut io::stdout());
        send(&FromRuntime::Display {
            data: bundle.data.clone(),
            id: id.map(str::to_owned),
            update,
            cell,
        });
        // Later output comes after it.
        fence();
    }

    fn clear(&self, wait: bool) {
        let _ = io::Write::flush(&mut io::stdout());
        send(&FromRuntime::Clear { wait });
        fence();
    }
}
