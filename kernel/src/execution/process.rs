//! The runtime process, as the kernel's child.

use super::workplace::Workplace;
use std::collections::BTreeMap;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};

/// The process that holds the session's values. Ends with this.
#[derive(Debug)]
pub(super) struct RuntimeProcess(Child);

/// Large blocks of memory in huge pages (glibc's manual, "Memory Allocation
/// Tunables"): new chunks are filled several times as fast. What the user has
/// set comes after it, and counts.
const ALLOCATOR: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

fn allocator() -> String {
    let (variable, ours) = ALLOCATOR;
    match std::env::var(variable) {
        Ok(theirs) => format!("{ours}:{theirs}"),
        Err(_) => ours.to_owned(),
    }
}

impl RuntimeProcess {
    /// Starts the process; it connects to the channel by itself. `environment`
    /// is what `:env` has set.
    ///
    /// # Errors
    /// The program's that cannot be started.
    pub(super) fn start(
        workplace: &Workplace,
        environment: &BTreeMap<String, String>,
    ) -> io::Result<Self> {
        Command::new(workplace.runtime_program())
            .env(swath_channel::DIRECTORY_VARIABLE, workplace.channel())
            .env(ALLOCATOR.0, allocator())
            .env(workplace.temporary().0, workplace.temporary().1)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // What it says before it connects is about its own start.
            .stderr(Stdio::inherit())
            .spawn()
            .map(Self)
    }

    /// Whether it still runs.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Ends the process if it still runs; how it ended.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        if self.is_running() {
            self.0.kill()?;
        }
        self.0.wait()
    }

    /// Waits for the end of a process that has closed its channel.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }
}

impl Drop for RuntimeProcess {
    fn drop(&mut self) {
        // Nobody can be told.
        let _ = self.end();
    }
}
