//! Signals of the operating system to the kernel.

use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// A request of the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: stop the running cell.
    Interrupt,
    /// SIGTERM, or the process that started the kernel has ended: shut down.
    Terminate,
}

/// How often to check whether the parent is alive.
const PARENT_INTERVAL: Duration = Duration::from_secs(1);

/// Listens for signals, and for the end of the parent process.
pub(crate) fn listen() -> mpsc::UnboundedReceiver<Signal> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for (kind, meaning) in [
        (SignalKind::interrupt(), Signal::Interrupt),
        (SignalKind::terminate(), Signal::Terminate),
        (SignalKind::hangup(), Signal::Terminate),
    ] {
        match signal(kind) {
            Ok(mut stream) => {
                let sender = sender.clone();
                tokio::spawn(async move {
                    while stream.recv().await.is_some() && sender.send(meaning).is_ok() {}
                });
            }
            Err(error) => tracing::warn!(%error, "cannot listen to {kind:?}"),
        }
    }
    let parent = std::env::var("JPY_PARENT_PID")
        .ok()
        .and_then(|pid| pid.parse::<i32>().ok())
        .filter(|&pid| pid > 1);
    if let Some(parent) = parent {
        tokio::spawn(async move {
            let is_child = parent_pid() == parent;
            while is_alive(parent) && (!is_child || parent_pid() == parent) {
                tokio::time::sleep(PARENT_INTERVAL).await;
            }
            tracing::info!("the process {parent} that started the kernel has ended");
            let _ = sender.send(Signal::Terminate);
        });
    }
    receiver
}

fn parent_pid() -> i32 {
    rustix::process::getppid().map_or(0, Pid::as_raw_pid)
}

fn is_alive(pid: i32) -> bool {
    // A process of another user counts as alive, too.
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}
