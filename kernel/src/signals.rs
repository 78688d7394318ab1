//! What the operating system asks of the kernel.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// What the operating system asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: stop the running cell.
    Interrupt,
    /// SIGTERM, or the process that started the kernel is gone: end.
    Terminate,
}

/// How often to look whether the parent lives.
const PARENT_INTERVAL: Duration = Duration::from_secs(1);

/// Listens to signals, and for the parent's death.
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
            tracing::info!("the process {parent} that started the kernel is gone");
            let _ = sender.send(Signal::Terminate);
        });
    }
    receiver
}

fn parent_pid() -> i32 {
    // SAFETY: getppid has no preconditions and cannot fail.
    unsafe { libc::getppid() }
}

fn is_alive(pid: i32) -> bool {
    // SAFETY: signal 0 is never delivered; kill only looks the process up.
    let found = unsafe { libc::kill(pid, 0) } == 0;
    found || std::io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}
