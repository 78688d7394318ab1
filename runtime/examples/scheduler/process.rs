//! The system's figures about this process, and the output of measurements.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::LazyLock;
use swath::serde_json::Value;

/// The peak resident memory before the measurements.
static START: LazyLock<u64> = LazyLock::new(peak);

/// Prints a measurement with the process's memory at its start and at its peak.
pub(crate) fn measured(mut figures: Value) -> Result<(), Box<dyn Error>> {
    figures["start"] = (*START).into();
    figures["peak"] = peak().into();
    let mut output = std::io::stdout().lock();
    writeln!(output, "{figures}")?;
    output.flush()?;
    Ok(())
}

/// Records the process's memory at its start.
pub(crate) fn begin() {
    LazyLock::force(&START);
}

fn peak() -> u64 {
    1024 * number("/proc/self/status", "VmHWM:")
}

/// Returns the bytes that were written to files.
pub(crate) fn written() -> u64 {
    // The second one also counts writes through mapped memory.
    number(IO, "wchar:").max(number(IO, "write_bytes:"))
}

/// Returns the bytes that were read from files, including those from the
/// system's cache.
pub(crate) fn read() -> u64 {
    number(IO, "rchar:").max(number(IO, "read_bytes:"))
}

/// Returns the bytes that were read from the disk itself.
pub(crate) fn read_from_disk() -> u64 {
    number(IO, "read_bytes:")
}

const IO: &str = "/proc/self/io";

/// Returns the number after a label, or 0 if the label is missing.
fn number(file: &str, label: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix(label))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// Waits until the file system of a folder has written everything to its disk.
pub(crate) fn sync(folder: &str) -> std::io::Result<()> {
    let folder = File::open(folder)?;
    // SAFETY: the descriptor is open for as long as `folder` is.
    match unsafe { libc::syncfs(folder.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}
