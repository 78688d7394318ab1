//! Cleans up after a kernel that was killed: the compiler processes it ran, and
//! its folder. A kernel that ends by itself leaves neither.

use std::fs;
use std::path::Path;

/// Ends the processes that work in the kernel's folder, and removes it. The
/// user's own child processes work elsewhere.
pub(super) fn clean_up(folder: &Path) {
    // A killed program may have started another one in the meantime.
    for _ in 0..2 {
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid: Option<libc::pid_t> = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            let works_there =
                || fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
            if let Some(pid) = pid
                && works_there()
            {
                // SAFETY: kill has no memory effects. Another process could
                // only get this number in the meantime if the first one has
                // ended and all numbers have been used up.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        }
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn who_works_there_is_ended_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let kernels = folder.path().join("kernel");
        fs::create_dir_all(kernels.join("cells")).unwrap();
        let sleep = |at: &Path| {
            Command::new("sleep")
                .arg("600")
                .current_dir(at)
                .spawn()
                .unwrap()
        };
        let (mut inside, mut beside) = (sleep(&kernels.join("cells")), sleep(folder.path()));
        clean_up(&kernels);
        assert!(!inside.wait().unwrap().success());
        assert!(beside.try_wait().unwrap().is_none());
        assert!(!kernels.exists());
        beside.kill().unwrap();
        beside.wait().unwrap();
    }
}
