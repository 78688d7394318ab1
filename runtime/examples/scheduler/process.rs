//! What the system knows of this process, and what it prints.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::LazyLock;
use swath::serde_json::Value;

/// The most resident memory before anything was measured.
static START: LazyLock<u64> = LazyLock::new(peak);

/// Prints a measurement, with the process's memory at its start and at most.
pub(crate) fn measured(mut figures: Value) -> Result<(), Box<dyn Error>> {
    figures["start"] = (*START).into();
    figures["peak"] = peak().into();
    let mut output = std::io::stdout().lock();
    writeln!(output, "{figures}")?;
    output.flush()?;
    Ok(())
}

/// Notes the memory that the process has at its start.
pub(crate) fn begin() {
    LazyLock::force(&START);
}

fn peak() -> u64 {
    1024 * number("/proc/self/status", "VmHWM:")
}

/// Bytes that were written to files.
pub(crate) fn written() -> u64 {
    // The second counts what is written through mapped memory, too.
    number(IO, "wchar:").max(number(IO, "write_bytes:"))
}

/// Bytes that were read from files, be it from the system's cache.
pub(crate) fn read() -> u64 {
    number(IO, "rchar:").max(number(IO, "read_bytes:"))
}

/// Bytes that the disk had to give.
pub(crate) fn read_from_disk() -> u64 {
    number(IO, "read_bytes:")
}

const IO: &str = "/proc/self/io";

/// The number after a label; 0 where there is none.
fn number(file: &str, label: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(label))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// Waits until the file system of a folder has everything on its disk.
pub(crate) fn sync(folder: &str) -> std::io::Result<()> {
    let folder = File::open(folder)?;
    // SAFETY: the descriptor is open for as long as `folder` is.
    match unsafe { libc::syncfs(folder.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
