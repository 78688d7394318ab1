//! The machine's memory: how much this process may use, and how much it uses.
//!
//! Linux reports both in files (proc(5), the kernel's cgroup-v2.rst). If a file is
//! missing, the value is 0.

use std::fs::read_to_string;
use std::path::Path;

/// Returns the memory that this process may use, in bytes: the machine's
/// memory, or less if a control group sets a lower limit.
pub(crate) fn memory() -> u64 {
    let machine = read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| meminfo_total(&text))
        .unwrap_or(0);
    let group = read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| group_path(&text).map(str::to_owned));
    let limits = group.iter().flat_map(|group| {
        // A group's limit also applies to the groups inside it.
        Path::new(group).ancestors().filter_map(|group| {
            let group = group.strip_prefix("/").ok()?;
            let file = Path::new("/sys/fs/cgroup").join(group).join("memory.max");
            read_to_string(file).ok()?.trim().parse::<u64>().ok()
        })
    });
    limits.fold(machine, u64::min)
}

/// Returns the memory that this process uses, in bytes.
pub(crate) fn used() -> u64 {
    read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| kilobytes(&text, "VmRSS:"))
        .unwrap_or(0)
}

/// Makes the allocator return free memory to the system.
pub(crate) fn give_back_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim(3) may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives the calling thread the lowest CPU and I/O priority.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    // SAFETY: both calls take plain numbers: the calling thread, and its priority.
    // libc has no names for the arguments of ioprio_set(2): 1 selects a thread, 0
    // the calling one, and class 3 is idle.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 19);
        libc::syscall(libc::SYS_ioprio_set, 1, 0, 3 << 13);
    }
}

fn meminfo_total(text: &str) -> Option<u64> {
    kilobytes(text, "MemTotal:")
}

/// Returns the value of a line such as `MemTotal:  8129072 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Returns the path of the process's control group in the version 2 tree:
/// `0::/a/b`.
fn group_path(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_the_kernels_files() {
        let meminfo = "MemTotal:        8129072 kB\nMemFree:          409600 kB\n";
        assert_eq!(meminfo_total(meminfo), Some(8_129_072 * 1024));
        assert_eq!(kilobytes(meminfo, "MemFree:"), Some(409_600 * 1024));
        assert_eq!(kilobytes(meminfo, "VmRSS:"), None);
        assert_eq!(
            group_path("1:name=x:/y\n0::/user.slice/a\n"),
            Some("/user.slice/a")
        );
    }

    #[test]
    fn this_process_uses_part_of_the_machine() {
        assert!(used() > 0);
        assert!(used() < memory());
    }
}
