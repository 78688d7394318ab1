//! What cargo compiles, as it does.
//!
//! evcxr writes "Compiling regex v1.13" to the kernel's own standard error. So
//! that is a pipe, and whoever waits for a `:dep` sees what is going on.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Reads the kernel's standard error from now on: each line is passed on to
/// where it went before, and lines about crates to `tell` as well.
pub(super) fn watch(tell: impl Fn(&str) + Send + 'static) -> io::Result<()> {
    let (reader, mut original) = redirect()?;
    std::thread::Builder::new()
        .name("compiler output".to_owned())
        .spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if line.trim_start().starts_with("Compiling ") {
                    tell(line.trim_start());
                }
                // Nobody may be reading it.
                let _ = writeln!(original, "{line}");
            }
        })?;
    Ok(())
}

/// Puts a pipe in place of standard error; its reading end, and what was there.
fn redirect() -> io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for two descriptors; all descriptors made here
    // are new, so the `OwnedFd`s own them alone.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) < 0 {
            return Err(io::Error::last_os_error());
        }
        let (reader, writer) = (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]));
        let original = libc::fcntl(2, libc::F_DUPFD_CLOEXEC, 3);
        if original < 0 || libc::dup2(writer.as_raw_fd(), 2) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((
            File::from(reader),
            File::from(OwnedFd::from_raw_fd(original)),
        ))
    }
}
