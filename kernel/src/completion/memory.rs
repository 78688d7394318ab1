//! How much memory the analyzer process has, and may have.

/// How much it may have unless `SWATH_ANALYZER_MEMORY` says otherwise: four
/// times what std and the runtime take. The rest is for what cells add.
const DEFAULT: u64 = 1_500_000_000;
/// Where what a process holds is more than this part of what it may have, it
/// had better begin anew than fail in the middle of a question.
const FULL: (u64, u64) = (3, 4);

/// What the setting says.
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
                // What somebody else has limited stays so.
                limit.rlim_cur = nbytes.min(limit.rlim_max);
                limit.rlim_max = limit.rlim_cur;
                libc::setrlimit(resource, &raw const limit) == 0
            }
        };
        is_set
            .then_some(())
            .ok_or_else(std::io::Error::last_os_error)
    };
    // Nobody wants the remains of a process that got no memory.
    set(libc::RLIMIT_CORE, 0)?;
    set(libc::RLIMIT_DATA, nbytes)
}

/// Whether this process holds nearly as much as it may.
pub(super) fn is_nearly_full() -> bool {
    let (part, whole) = FULL;
    resident().is_some_and(|nbytes| nbytes / part > limit() / whole)
}

/// What this process holds, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Gives back what is free: the allocator keeps it otherwise.
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
