//! The runtime process, as the kernel's child.

use super::evaluator::EvaluatorShared;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The process that holds the session's values. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct RuntimeProcess {
    id: u32,
    child: Arc<Mutex<Child>>,
    /// The system's count of out-of-memory kills when this process was started.
    oom_kills: Option<u64>,
}

/// Kills the runtime process, from any thread. If the process has ended already,
/// its id may belong to another process, which is left alone.
#[derive(Clone, Debug)]
pub(super) struct Killer(Arc<Mutex<Child>>);

impl Killer {
    pub(super) fn kill(&self) {
        // Fails if it has ended already.
        let _ = self.0.lock().kill();
    }
}

/// How the process ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Its exit code or signal; `None` if it could not be waited for.
    pub(super) status: Option<ExitStatus>,
    /// Whether it had closed its channel without ending, so that the kernel killed
    /// it.
    pub(super) lived_on: bool,
    /// Whether the system has meanwhile killed a process because it was out of
    /// memory.
    pub(super) is_out_of_memory: bool,
    /// Its peak memory in bytes; 0 if unknown.
    pub(super) peak: u64,
}

/// How long a process that has closed its channel may take to end by itself.
const ENDING: Duration = Duration::from_secs(1);
/// How long to wait for a process whose memory is being freed.
const FREEING: Duration = Duration::from_secs(20);
/// How long to wait for a killed process: it may be in a driver call that does not
/// return.
const KILLED: Duration = Duration::from_secs(5);

/// Puts large blocks of memory into huge pages (glibc's manual, "Memory Allocation
/// Tunables"): filling new chunks becomes several times as fast. The user's own
/// settings come after it and take precedence.
const ALLOCATOR: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

fn allocator() -> String {
    let (variable, ours) = ALLOCATOR;
    match std::env::var(variable) {
        Ok(theirs) => format!("{ours}:{theirs}"),
        Err(_) => ours.to_owned(),
    }
}

impl RuntimeProcess {
    /// Starts the process, which connects to the channel by itself. `environment`
    /// contains the variables set by `:env`.
    ///
    /// # Errors
    /// The program cannot be started, or the kernel is shutting down.
    pub(super) fn start(
        shared: &EvaluatorShared,
        environment: &BTreeMap<String, String>,
    ) -> io::Result<Self> {
        let workplace = &shared.workplace;
        let child = Command::new(workplace.runtime_program())
            .env(swath_channel::DIRECTORY_VARIABLE, workplace.channel())
            .env(ALLOCATOR.0, allocator())
            .env(workplace.temporary().0, workplace.temporary().1)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // Output before it connects is about its own start.
            .stderr(Stdio::inherit())
            .spawn()?;
        let process = Self::of(child);
        match shared.attach(process.killer()) {
            true => Ok(process),
            false => Err(io::Error::other("the kernel is shutting down")),
        }
    }

    fn of(child: Child) -> Self {
        Self {
            id: child.id(),
            child: Arc::new(Mutex::new(child)),
            oom_kills: oom_kills(),
        }
    }

    fn killer(&self) -> Killer {
        Killer(self.child.clone())
    }

    /// Returns whether it still runs, and can run cells.
    pub(super) fn is_running(&self) -> bool {
        self.ended().is_none() && !self.is_ending()
    }

    /// Returns whether the main thread, which runs the cells, has ended. Usually
    /// the other threads follow; but freeing the memory of a large process takes a
    /// while, and nothing else shows its end before.
    fn is_ending(&self) -> bool {
        let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", self.id)) else {
            return false;
        };
        // `12 (a name) Z …`: the name may contain anything.
        let state = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.trim_start().chars().next());
        matches!(state, Some('Z' | 'X'))
    }

    /// Ends the process if it still runs.
    pub(super) fn end(&mut self) {
        if self.ended().is_none() {
            self.killer().kill();
        }
        self.wait_for(KILLED);
        self.reap();
    }

    /// Reaps the process if it has ended; otherwise it would stay in the system's
    /// process table.
    fn reap(&self) -> Option<ExitStatus> {
        self.child.lock().try_wait().ok().flatten()
    }

    /// Returns how a process that has closed its channel ended; kills it if it
    /// does not end.
    pub(super) fn wait(&mut self) -> End {
        let mut peak = self.wait_for(ENDING);
        if peak.is_none() && self.is_ending() {
            peak = self.wait_for(FREEING);
        }
        let lived_on = peak.is_none();
        if lived_on {
            self.killer().kill();
            peak = self.wait_for(KILLED);
        }
        let is_out_of_memory = self
            .oom_kills
            .zip(oom_kills())
            .is_some_and(|(before, now)| now > before);
        End {
            status: self.reap(),
            lived_on,
            is_out_of_memory,
            peak: peak.unwrap_or(0),
        }
    }

    /// Waits for the end, without reaping the process; returns its peak memory in
    /// bytes.
    fn wait_for(&self, limit: Duration) -> Option<u64> {
        let deadline = Instant::now() + limit;
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(peak) = self.ended() {
                return Some(peak);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(20));
        }
    }

    /// Returns the peak memory of the process in bytes, if it has ended. Does not
    /// reap it: only then does the system report its resource usage (std's `wait`
    /// does not request it).
    fn ended(&self) -> Option<u64> {
        // SAFETY: both are plain data, for which zeros are valid.
        let (mut info, mut usage): (libc::siginfo_t, libc::rusage) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        // SAFETY: this is waitid(2) with the kernel's fifth argument, which glibc
        // omits; both structures live for the duration of the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_waitid,
                libc::P_PID,
                self.id,
                &raw mut info,
                libc::WEXITED | libc::WNOWAIT | libc::WNOHANG,
                &raw mut usage,
            )
        };
        if result < 0 {
            // The child does not exist any more.
            return Some(0);
        }
        // SAFETY: waitid has filled the structure, or left zeros.
        let is_ended = unsafe { info.si_pid() } != 0;
        is_ended.then_some(usage.ru_maxrss.unsigned_abs() * 1024)
    }
}

/// Returns how often the system has killed a process since boot because its
/// control group or the machine was out of memory (proc_vmstat(5)).
fn oom_kills() -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    let count = text
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?;
    count.trim().parse().ok()
}

impl Drop for RuntimeProcess {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn process(script: &str) -> RuntimeProcess {
        RuntimeProcess::of(Command::new("sh").args(["-c", script]).spawn().unwrap())
    }

    #[test]
    fn an_end_is_told_with_what_the_process_took() {
        let end = process("exit 3").wait();
        assert_eq!(end.status.and_then(|status| status.code()), Some(3));
        assert!(
            !end.lived_on && !end.is_out_of_memory && end.peak > 0,
            "{end:?}"
        );
        let end = process("kill -6 $$").wait();
        assert_eq!(end.status.and_then(|status| status.signal()), Some(6));
    }

    #[test]
    fn a_process_that_lives_on_is_ended() {
        let mut process = process("exec sleep 1000");
        assert!(process.is_running());
        let end = process.wait();
        assert!(end.lived_on && !process.is_running());
        assert_eq!(end.status.and_then(|status| status.signal()), Some(9));
        // Ending it again does nothing.
        process.end();
        process.killer().kill();
    }

    #[test]
    fn a_process_that_was_ended_is_gone() {
        let mut process = process("exec sleep 1000");
        let entry = format!("/proc/{}/stat", process.id);
        assert!(fs::exists(&entry).unwrap());
        process.end();
        assert!(!fs::exists(&entry).unwrap(), "no zombie is left");
    }
}
