//! The kernel's end of the channel to the runtime process.
//!
//! One thread reads everything the runtime writes: the two FIFOs that are its
//! standard output and error, and the socket. The FIFOs are emptied before a
//! frame is handled, so that output printed first is reported first.

use super::{Event, EventKind};
use crate::display::{Display, MimeBundle};
use parking_lot::{Condvar, Mutex};
use serde_json::Value;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use swath_channel::{
    Failure, FromRuntime, SOCKET, STDERR, STDOUT, ToRuntime, Variable, read_frame, write_frame,
};
use tokio::sync::mpsc::UnboundedSender;

/// How many bytes of standard error are kept to determine why the process died.
/// The message about a failed allocation precedes a long backtrace.
const STDERR_TAIL: usize = 64 << 10;

/// The channel.
pub(super) struct Channel {
    shared: Arc<ChannelShared>,
}

struct ChannelShared {
    state: Mutex<ChannelState>,
    changed: Condvar,
    events: UnboundedSender<Event>,
}

#[derive(Default)]
struct ChannelState {
    /// Writes to the runtime process while it lives.
    writer: Option<UnixStream>,
    /// Whether the last connected process has closed the channel.
    has_closed: bool,
    pid: Option<u32>,
    public_paths: Vec<(String, String)>,
    /// The cell that output belongs to.
    cell: u64,
    ended: Option<Ended>,
    /// The variables that a new process restored from disk.
    recovered: Option<Vec<Variable>>,
    stderr: Vec<u8>,
    /// Whether output is discarded, because no cell has begun.
    muted: bool,
}

/// How the user's code ended.
pub(super) struct Ended {
    pub(super) failure: Option<Failure>,
    pub(super) variables: Vec<Variable>,
}

impl Channel {
    /// Opens the channel in a folder.
    pub(super) fn open(directory: &Path, events: UnboundedSender<Event>) -> io::Result<Self> {
        let listener = UnixListener::bind(directory.join(SOCKET))?;
        listener.set_nonblocking(true)?;
        let stdout = fifo(&directory.join(STDOUT))?;
        let stderr = fifo(&directory.join(STDERR))?;
        // Discard output until the first cell begins.
        let state = Mutex::new(ChannelState {
            muted: true,
            ..ChannelState::default()
        });
        let shared = Arc::new(ChannelShared {
            state,
            changed: Condvar::new(),
            events,
        });
        let reader = Reader {
            shared: shared.clone(),
            listener,
            stdout,
            stderr,
            runtime: None,
        };
        std::thread::Builder::new()
            .name("runtime output".to_owned())
            .spawn(move || reader.run())?;
        Ok(Self { shared })
    }

    /// Sends a message to the runtime; waits if it is just starting.
    pub(super) fn send(&self, message: &ToRuntime) -> io::Result<()> {
        let mut state = self.shared.state.lock();
        let deadline = Instant::now() + Duration::from_secs(10);
        while state.writer.is_none() {
            if self
                .shared
                .changed
                .wait_until(&mut state, deadline)
                .timed_out()
            {
                return Err(io::Error::new(
                    ErrorKind::NotConnected,
                    "the runtime process did not connect",
                ));
            }
        }
        match &mut state.writer {
            Some(writer) => write_frame(writer, message),
            None => Ok(()),
        }
    }

    /// Like [`send`](Self::send), but does nothing if no runtime is connected;
    /// for interrupts.
    pub(super) fn send_now(&self, message: &ToRuntime) {
        if let Some(writer) = &mut self.shared.state.lock().writer {
            // A process that has ended needs no message.
            let _ = write_frame(writer, message);
        }
    }

    /// Attributes events to this cell from now on.
    pub(super) fn attribute(&self, cell: u64) {
        self.shared.state.lock().cell = cell;
    }

    /// Sends the recovery folder to the runtime; returns the variables that it
    /// restored, or `None` if it does not answer.
    pub(super) fn recover(
        &self,
        message: &ToRuntime,
        is_running: impl Fn() -> bool,
        limit: Duration,
    ) -> Option<Vec<Variable>> {
        self.shared.state.lock().recovered = None;
        self.send(message).ok()?;
        let deadline = Some(Instant::now() + limit);
        self.wait_until(is_running, deadline, |state| state.recovered.take())
    }

    /// Begins a cell: from now on, output belongs to it.
    pub(super) fn begin(&self, cell: u64, allow_input: bool) -> io::Result<()> {
        {
            let mut state = self.shared.state.lock();
            state.cell = cell;
            state.ended = None;
            state.stderr.clear();
            state.muted = false;
        }
        self.send(&ToRuntime::Begin { cell, allow_input })
    }

    /// Returns the last part of standard error.
    pub(super) fn stderr_tail(&self) -> String {
        String::from_utf8_lossy(&self.shared.state.lock().stderr).into_owned()
    }

    /// Returns the runtime's process id.
    pub(super) fn pid(&self) -> Option<u32> {
        self.shared.state.lock().pid
    }

    /// Returns the public names of types that the runtime reported when it
    /// started.
    pub(super) fn take_public_paths(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.shared.state.lock().public_paths)
    }

    /// Emits an event on behalf of the running cell.
    pub(super) fn emit(&self, kind: EventKind) {
        self.shared.emit(kind);
    }
}

impl ChannelShared {
    fn emit(&self, kind: EventKind) {
        let cell = self.state.lock().cell;
        self.emit_for(cell, kind);
    }

    fn emit_for(&self, cell: u64, kind: EventKind) {
        // Fails only when the kernel stops and the session has ended.
        let _ = self.events.send(Event { cell, kind });
    }
}

struct Reader {
    shared: Arc<ChannelShared>,
    listener: UnixListener,
    stdout: File,
    stderr: File,
    runtime: Option<UnixStream>,
}

impl Reader {
    fn run(mut self) {
        loop {
            let runtime = self.runtime.as_ref().map_or(-1, AsRawFd::as_raw_fd);
            let ready = poll([
                self.stdout.as_raw_fd(),
                self.stderr.as_raw_fd(),
                runtime,
                self.listener.as_raw_fd(),
            ]);
            let Ok([stdout, stderr, frame, connection]) = ready else {
                return;
            };
            if stdout || stderr || frame {
                self.drain();
            }
            if frame {
                self.frame();
            }
            if connection && let Ok((stream, _)) = self.listener.accept() {
                // The old process has ended; nothing more comes from it.
                let writer = stream.try_clone().ok();
                self.runtime = Some(stream);
                let mut state = self.shared.state.lock();
                state.writer = writer;
                state.has_closed = false;
                drop(state);
                self.shared.changed.notify_all();
            }
        }
    }

    /// Reads everything in the FIFOs.
    fn drain(&mut self) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let mut any = false;
            for is_stderr in [false, true] {
                let stream = if is_stderr {
                    &mut self.stderr
                } else {
                    &mut self.stdout
                };
                let Ok(length) = stream.read(&mut buffer) else {
                    continue;
                };
                any |= length > 0;
                let bytes = buffer[..length].to_vec();
                let mut state = self.shared.state.lock();
                if is_stderr {
                    state.stderr.extend_from_slice(&bytes);
                    let excess = state.stderr.len().saturating_sub(STDERR_TAIL);
                    state.stderr.drain(..excess);
                }
                let (cell, muted) = (state.cell, state.muted);
                drop(state);
                if !bytes.is_empty() && !muted {
                    let kind = if is_stderr {
                        EventKind::Stderr(bytes)
                    } else {
                        EventKind::Stdout(bytes)
                    };
                    self.shared.emit_for(cell, kind);
                }
            }
            if !any {
                return;
            }
        }
    }

    fn frame(&mut self) {
        let Some(runtime) = &mut self.runtime else {
            return;
        };
        match read_frame::<FromRuntime>(runtime) {
            Ok(Some(message)) => self.message(message),
            Ok(None) | Err(_) => {
                self.runtime = None;
                let mut state = self.shared.state.lock();
                state.writer = None;
                state.has_closed = true;
                state.pid = None;
                drop(state);
                self.shared.emit(EventKind::CommsGone);
                self.shared.changed.notify_all();
            }
        }
    }

    fn message(&mut self, message: FromRuntime) {
        // Everything printed before the frame was sent is in the FIFOs now.
        self.drain();
        let shared = &self.shared;
        let muted = shared.state.lock().muted;
        match message {
            FromRuntime::Hello { pid, public_paths } => {
                let mut state = shared.state.lock();
                state.pid = Some(pid);
                state.public_paths = public_paths;
                drop(state);
                shared.changed.notify_all();
            }
            FromRuntime::Display {
                data,
                id,
                update,
                cell,
            } => {
                let kind = EventKind::Display(Display {
                    bundle: bundle(data),
                    id,
                    update,
                });
                match cell {
                    Some(cell) => shared.emit_for(cell, kind),
                    None => shared.emit(kind),
                }
            }
            FromRuntime::Clear { wait } => shared.emit(EventKind::Clear { wait }),
            FromRuntime::Result { data } => {
                if !muted {
                    shared.emit(EventKind::Result(bundle(data)));
                }
            }
            FromRuntime::Input { prompt, password } => {
                shared.emit(EventKind::Input { prompt, password });
            }
            FromRuntime::Comm(comm) => shared.emit(EventKind::Comm(comm)),
            FromRuntime::CommTarget { name, exists } => {
                shared.emit(EventKind::CommTarget { name, exists });
            }
            FromRuntime::Fence => {
                if let Some(writer) = &mut shared.state.lock().writer {
                    let _ = write_frame(writer, &ToRuntime::FenceReached);
                }
            }
            FromRuntime::Recovered { variables } => {
                shared.state.lock().recovered = Some(variables);
                shared.changed.notify_all();
            }
            FromRuntime::Ended { failure, variables } => {
                shared.state.lock().ended = Some(Ended { failure, variables });
                shared.changed.notify_all();
            }
        }
    }
}

impl Channel {
    /// Waits until the started code has ended; returns `None` if the process
    /// has ended.
    pub(super) fn wait_ended(&self, is_running: impl Fn() -> bool) -> Option<Ended> {
        self.wait_until(is_running, None, |state| state.ended.take())
    }

    /// Waits for an answer of the runtime, until the process has ended or
    /// `deadline` has passed. Usually the end of the channel shows that the
    /// process has ended. But a process that the cell has forked holds the
    /// channel as well, and may outlive the runtime.
    fn wait_until<T>(
        &self,
        is_running: impl Fn() -> bool,
        deadline: Option<Instant>,
        mut told: impl FnMut(&mut ChannelState) -> Option<T>,
    ) -> Option<T> {
        const LOOK: Duration = Duration::from_millis(200);
        let mut state = self.shared.state.lock();
        let mut is_last = false;
        loop {
            if let Some(told) = told(&mut state) {
                return Some(told);
            }
            let is_over = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if state.writer.is_none() || is_last || is_over {
                return None;
            }
            if self.shared.changed.wait_for(&mut state, LOOK).timed_out() {
                // Check once more: its last messages have arrived by then.
                is_last = !is_running();
            }
        }
    }

    /// Forgets an ended process, so that nothing is sent to it.
    pub(super) fn disconnect(&self) {
        let mut state = self.shared.state.lock();
        state.writer = None;
        state.has_closed = false;
        state.pid = None;
    }

    /// Returns whether the last connected process has closed the channel.
    pub(super) fn has_closed(&self) -> bool {
        self.shared.state.lock().has_closed
    }
}

/// Converts MIME types and contents to the session's form: contents of JSON
/// types are parsed.
pub(super) fn bundle(data: Vec<(String, String)>) -> MimeBundle {
    let data = data
        .into_iter()
        .map(|(mime, content)| {
            let is_json = mime.ends_with("json");
            let value = if is_json {
                serde_json::from_str(&content).unwrap_or(Value::String(content))
            } else {
                Value::String(content)
            };
            (mime, value)
        })
        .collect();
    MimeBundle {
        data,
        metadata: serde_json::Map::new(),
    }
}

/// Creates a FIFO and opens it for reading. It is opened for writing as well,
/// so that it does not reach its end when the writing process ends.
fn fifo(path: &Path) -> io::Result<File> {
    let name = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a valid C string for the call's time; the descriptor
    // is new, so it is owned by nobody else.
    unsafe {
        if libc::mkfifo(name.as_ptr(), 0o600) < 0 {
            return Err(io::Error::last_os_error());
        }
        let descriptor = libc::open(
            name.as_ptr(),
            libc::O_RDWR | libc::O_NONBLOCK | libc::O_CLOEXEC,
        );
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // A larger buffer saves wake-ups; the default works as well.
        libc::fcntl(descriptor, libc::F_SETPIPE_SZ, 1 << 20);
        Ok(File::from(OwnedFd::from_raw_fd(descriptor)))
    }
}

/// Waits until at least one of the descriptors is ready; returns which ones
/// are. Negative descriptors are never ready.
fn poll<const N: usize>(descriptors: [RawFd; N]) -> io::Result<[bool; N]> {
    let mut polled = descriptors.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    loop {
        // SAFETY: `polled` is a valid array of N entries for the call's time.
        let count = unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, -1) };
        if count >= 0 {
            return Ok(polled.map(|entry| entry.revents != 0));
        }
        let error = io::Error::last_os_error();
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use tokio::sync::mpsc::UnboundedReceiver;

    /// The runtime process's end.
    struct Runtime {
        channel: UnixStream,
        stdout: File,
        stderr: File,
    }

    impl Runtime {
        fn connect(folder: &Path) -> Self {
            let write = |name| File::options().write(true).open(folder.join(name));
            Self {
                channel: UnixStream::connect(folder.join(SOCKET)).unwrap(),
                stdout: write(STDOUT).unwrap(),
                stderr: write(STDERR).unwrap(),
            }
        }

        fn tell(&mut self, message: &FromRuntime) {
            write_frame(&mut self.channel, message).unwrap();
        }

        /// Waits until all written output has been read.
        fn fence(&mut self) {
            self.tell(&FromRuntime::Fence);
            while !matches!(
                read_frame(&mut self.channel).unwrap(),
                Some(ToRuntime::FenceReached)
            ) {}
        }
    }

    /// Collects a cell's events: text by stream, and the displays in between.
    fn shown(events: &mut UnboundedReceiver<Event>, cell: u64) -> Vec<(char, Vec<u8>)> {
        let mut shown: Vec<(char, Vec<u8>)> = Vec::new();
        while let Ok(event) = events.try_recv() {
            assert_eq!(event.cell, cell, "another cell's output");
            let (of, bytes) = match event.kind {
                EventKind::Stdout(bytes) => ('o', bytes),
                EventKind::Stderr(bytes) => ('e', bytes),
                EventKind::Display(display) => ('d', display.id.unwrap_or_default().into_bytes()),
                other => panic!("{other:?}"),
            };
            match shown.last_mut() {
                Some((last, text)) if *last == of && of != 'd' => text.extend(bytes),
                _ => shown.push((of, bytes)),
            }
        }
        shown
    }

    #[test]
    fn in_ten_thousand_cells_nothing_is_lost_and_the_order_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (events, mut received) = tokio::sync::mpsc::unbounded_channel();
        let channel = Channel::open(folder.path(), events).unwrap();
        let mut runtime = Runtime::connect(folder.path());
        // A small random generator: it chooses a cell's steps, and how much it
        // writes.
        let mut seed = 42_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for cell in 1..=10_000_u64 {
            channel.begin(cell, false).unwrap();
            let mut expected: Vec<(char, Vec<u8>)> = Vec::new();
            for _ in 0..next(5) {
                let of = ['o', 'e', 'd'][next(3) as usize];
                if expected.last().is_some_and(|(last, _)| *last != of) {
                    runtime.fence();
                }
                let most = if next(50) == 0 { 200_000 } else { 300 };
                let length = next(most) + 1;
                let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
                match of {
                    'o' => runtime.stdout.write_all(&bytes).unwrap(),
                    'e' => runtime.stderr.write_all(&bytes).unwrap(),
                    _ => runtime.tell(&FromRuntime::Display {
                        data: vec![],
                        id: Some(length.to_string()),
                        update: false,
                        cell: None,
                    }),
                }
                let bytes = if of == 'd' {
                    length.to_string().into_bytes()
                } else {
                    bytes
                };
                match expected.last_mut() {
                    Some((last, text)) if *last == of && of != 'd' => text.extend(bytes),
                    _ => expected.push((of, bytes)),
                }
            }
            runtime.tell(&FromRuntime::Ended {
                failure: None,
                variables: vec![],
            });
            channel.wait_ended(|| true).unwrap();
            assert!(shown(&mut received, cell) == expected, "cell {cell}");
        }
    }
}
