//! The memory of the analyzer process, and its limit.

/// The limit in bytes unless `SWATH_ANALYZER_MEMORY` sets another: four times what
/// std and the runtime need. The rest is for the crates that cells add.
const DEFAULT: u64 = 1_500_000_000;
/// The fraction of the limit above which a process counts as full. It is better to
/// start a new process then than to fail in the middle of a question.
const FULL: (u64, u64) = (3, 4);

/// Returns the limit in bytes.
pub(super) fn limit() -> u64 {
    std::env::var("SWATH_ANALYZER_MEMORY")
        .ok()
        .and_then(|setting| crate::text::parse_nbytes(&setting))
        .map_or(DEFAULT, |nbytes| nbytes as u64)
}

/// Limits the memory of this process. Async-signal-safe.
///
/// # Errors
/// The system's.
pub(super) fn restrict(nbytes: u64) -> std::io::Result<()> {
    let set = |resource, nbytes: u64| {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: getrlimit writes a limit where there is one, setrlimit reads it.
        let is_set = unsafe {
            libc::getrlimit(resource, &raw mut limit) == 0 && {
                // Never exceed a limit that was set from outside.
                limit.rlim_cur = nbytes.min(limit.rlim_max);
                limit.rlim_max = limit.rlim_cur;
                libc::setrlimit(resource, &raw const limit) == 0
            }
        };
        is_set
            .then_some(())
            .ok_or_else(std::io::Error::last_os_error)
    };
    // A core dump of a process that ran out of memory is useless.
    set(libc::RLIMIT_CORE, 0)?;
    set(libc::RLIMIT_DATA, nbytes)
}

/// Returns whether this process is close to its memory limit.
pub(super) fn is_nearly_full() -> bool {
    let (part, whole) = FULL;
    resident().is_some_and(|nbytes| nbytes / part > limit() / whole)
}

/// Returns the resident memory of this process, where the system reports it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Returns free memory to the system; the allocator would keep it otherwise.
pub(super) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim has no preconditions.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_what_it_holds() {
        let before = resident().unwrap();
        let held = std::hint::black_box(vec![1_u8; 50_000_000]);
        assert!(resident().unwrap() > before + 40_000_000);
        drop(held);
    }
}
