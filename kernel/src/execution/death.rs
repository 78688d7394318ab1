//! Describes how the runtime process ended.

use super::process::End;
use crate::text;
use std::os::unix::process::ExitStatusExt;

/// A description of the end of the process.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Death {
    /// The error's name.
    pub(super) ename: &'static str,
    /// What happened.
    pub(super) what: String,
    /// How to fix it, if known.
    pub(super) mend: Option<String>,
}

/// Signals by number, with their meaning for the process that receives one.
const SIGNALS: [(i32, &str, &str); 13] = [
    (libc::SIGABRT, "SIGABRT", "it aborted"),
    (
        libc::SIGSEGV,
        "SIGSEGV",
        "a segmentation fault: `unsafe` code, or a library written in another language, accessed memory that does not belong to it",
    ),
    (
        libc::SIGBUS,
        "SIGBUS",
        "a bus error: access to a mapped file that was truncated, or to memory that does not exist",
    ),
    (
        libc::SIGILL,
        "SIGILL",
        "an instruction that the processor does not support",
    ),
    (libc::SIGTRAP, "SIGTRAP", "it executed a trap instruction"),
    (
        libc::SIGFPE,
        "SIGFPE",
        "an arithmetic exception of the processor",
    ),
    (libc::SIGKILL, "SIGKILL", "it was killed"),
    (libc::SIGTERM, "SIGTERM", "it was asked to terminate"),
    (libc::SIGINT, "SIGINT", "it was interrupted"),
    (libc::SIGHUP, "SIGHUP", "its terminal was closed"),
    (
        libc::SIGPIPE,
        "SIGPIPE",
        "it wrote to a pipe that nobody reads",
    ),
    (
        libc::SIGXCPU,
        "SIGXCPU",
        "it exceeded its limit of CPU time",
    ),
    (
        libc::SIGXFSZ,
        "SIGXFSZ",
        "it exceeded its limit of file size",
    ),
];

const STACK: &str = "replace deep recursion by a loop, or run it in a thread with a larger stack: \
                     `std::thread::Builder::new().stack_size(…)`";

impl Death {
    /// Describes the end of a process. `stderr` is the end of its stderr
    /// output; `killed` is whether a second interrupt ended it.
    pub(super) fn of(end: &End, stderr: &str, killed: bool) -> Self {
        if killed {
            let what = "interrupted: the cell reached no point where it could stop, so its process was ended";
            return Self::new("Interrupted", what);
        }
        if end.lived_on {
            let what = "the process closed its channel to the kernel, so it was ended";
            return Self::new("RuntimeDied", what);
        }
        if stderr.contains("has overflowed its stack") {
            let what = "stack overflow: the cell used up its stack, which ended its process";
            return Self::new("StackOverflow", what).mend(STACK);
        }
        if let Some(bytes) = failed_allocation(stderr) {
            let what = format!(
                "memory ran out: an allocation of {} failed, which ended the process",
                text::bytes(bytes)
            );
            return Self::new("OutOfMemory", what).mend(memory(end));
        }
        let Some(status) = end.status else {
            return Self::new(
                "RuntimeDied",
                "the process ended, and the system does not say how",
            );
        };
        let signal = status.signal();
        if signal == Some(libc::SIGKILL) {
            return if end.is_out_of_memory {
                let what = "memory ran out: the system ended the process (signal 9, SIGKILL)";
                Self::new("OutOfMemory", what).mend(memory(end))
            } else {
                let what =
                    "the process was killed (signal 9, SIGKILL), perhaps because memory ran out";
                Self::new("RuntimeDied", what).mend(memory(end))
            };
        }
        if signal == Some(libc::SIGABRT) && stderr.contains("panic in a destructor") {
            let what = "a destructor (`Drop`) panicked while another panic was unwinding, which ends \
                        the process (signal 6, SIGABRT)";
            let mend =
                "do not panic in a destructor during a panic: `if !std::thread::panicking() { … }`";
            return Self::new("RuntimeDied", what).mend(mend);
        }
        if signal == Some(libc::SIGABRT)
            && stderr.contains("panic in a function that cannot unwind")
        {
            let what = "a panic reached a function that cannot unwind (`extern \"C\"`), which ends the \
                        process (signal 6, SIGABRT)";
            let mend = "catch it there with `std::panic::catch_unwind`, or declare the function `extern \"C-unwind\"`";
            return Self::new("RuntimeDied", what).mend(mend);
        }
        let how = match (status.code(), signal) {
            (Some(swath_channel::EXIT_WITHOUT_CHANNEL), _) => {
                let what = "the process lost its channel to the kernel, which it needs to continue: \
                            the cell closed it, or wrote to it";
                return Self::new("RuntimeDied", what);
            }
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => match SIGNALS.iter().find(|known| known.0 == signal) {
                Some((_, name, meaning)) => format!("signal {signal}, {name}: {meaning}"),
                None => format!("signal {signal}"),
            },
            (None, None) => status.to_string(),
        };
        Self::new("RuntimeDied", format!("the cell ended its process ({how})"))
    }

    fn new(ename: &'static str, what: impl Into<String>) -> Self {
        Self {
            ename,
            what: what.into(),
            mend: None,
        }
    }

    fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }
}

/// Returns the advice for when memory ran out, or may have.
fn memory(end: &End) -> String {
    let took = match end.peak {
        0 => String::new(),
        peak => format!("the process used up to {} of memory; ", text::bytes(peak)),
    };
    format!(
        "{took}`set_memory_limit(\"…\")` limits the memory of Swath's values, and the rest goes to disk; \
         `memory_limit()` returns the limit, and `:vars` lists the sizes of variables"
    )
}

/// Returns the size of the failed allocation, from std's last message.
fn failed_allocation(stderr: &str) -> Option<u64> {
    let (_, rest) = stderr.rsplit_once("memory allocation of ")?;
    let (bytes, _) = rest.split_once(" bytes failed")?;
    bytes.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::ExitStatus;

    fn end(raw: i32) -> End {
        End {
            status: Some(ExitStatus::from_raw(raw)),
            lived_on: false,
            is_out_of_memory: false,
            peak: 3 << 30,
        }
    }

    /// Checks each way to end: status, last output, error name, part of the
    /// description.
    #[test]
    fn every_end_has_its_words() {
        let table = [
            (3 << 8, "", "RuntimeDied", "exit code 3"),
            (0, "", "RuntimeDied", "exit code 0"),
            (99 << 8, "", "RuntimeDied", "channel"),
            (libc::SIGSEGV, "", "RuntimeDied", "SIGSEGV"),
            (libc::SIGABRT | 0x80, "", "RuntimeDied", "SIGABRT"),
            (40, "", "RuntimeDied", "signal 40"),
            (libc::SIGKILL, "", "RuntimeDied", "perhaps because memory"),
            (
                libc::SIGABRT,
                "thread 'main' has overflowed its stack\nfatal runtime error: stack overflow",
                "StackOverflow",
                "stack overflow",
            ),
            (
                libc::SIGABRT,
                "memory allocation of 1610612736 bytes failed\n",
                "OutOfMemory",
                "1.50 GiB",
            ),
            (
                libc::SIGABRT,
                "thread 'main' panicked: panic in a destructor during cleanup",
                "RuntimeDied",
                "destructor",
            ),
        ];
        for (raw, stderr, ename, part) in table {
            let death = Death::of(&end(raw), stderr, false);
            assert_eq!(death.ename, ename, "{death:?}");
            assert!(death.what.contains(part), "{death:?}");
        }
    }

    #[test]
    fn who_ran_out_of_memory_is_told_what_it_took() {
        let out_of_memory = End {
            is_out_of_memory: true,
            ..end(libc::SIGKILL)
        };
        let death = Death::of(&out_of_memory, "", false);
        assert_eq!(death.ename, "OutOfMemory");
        let mend = death.mend.expect("there is something to do");
        assert!(
            mend.contains("3.00 GiB") && mend.contains("set_memory_limit"),
            "{mend}"
        );
    }

    #[test]
    fn an_interrupt_is_no_accident() {
        assert_eq!(
            Death::of(&end(libc::SIGKILL), "", true).ename,
            "Interrupted"
        );
    }
}
