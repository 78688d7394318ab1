//! Standard input for user code: `std::io::stdin().read_line(…)` asks the
//! notebook's user.
//!
//! It is a pipe whose other end belongs to this module. No event announces that
//! a pipe is being read, but the system reports in which call a thread waits.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Our side of standard input.
pub(super) struct Stdin {
    /// Becomes descriptor 0 if the user can be asked.
    reader: OwnedFd,
    writer: File,
    /// Becomes descriptor 0 if no user can be asked: reading returns the end of
    /// input.
    nothing: File,
}

impl Stdin {
    pub(super) fn new() -> io::Result<Self> {
        let mut ends = [0; 2];
        // SAFETY: `ends` has room for two descriptors, which are new, so that
        // the owners made here own them alone.
        let (reader, writer) = unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) < 0 {
                return Err(io::Error::last_os_error());
            }
            (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
        };
        Ok(Self {
            reader,
            writer: File::from(writer),
            nothing: File::open("/dev/null")?,
        })
    }

    /// Makes the pipe descriptor 0, or else an empty input.
    pub(super) fn connect(&self, allow_input: bool) {
        let from = if allow_input {
            self.reader.as_raw_fd()
        } else {
            self.nothing.as_raw_fd()
        };
        // SAFETY: dup2 on open descriptors has no memory effects.
        unsafe { libc::dup2(from, 0) };
    }

    /// Passes on a line that the user typed.
    pub(super) fn write(&self, line: &str) {
        // The reader may have ended.
        let _ = writeln!(&self.writer, "{line}");
    }

    /// Returns whether a thread of this process waits for standard input.
    pub(super) fn is_read_by(thread: u32) -> bool {
        const READ: &str = "0 0x0 ";
        std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall"))
            .is_ok_and(|call| call.starts_with(READ))
    }
}
