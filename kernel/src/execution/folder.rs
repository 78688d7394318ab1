//! Folders that go with the kernel, even one that is killed.
//!
//! A kernel holds a lock in each of its folders; whoever makes a new one
//! removes those beside it that nobody holds.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How the names of all kernels' folders begin.
const PREFIX: &str = "swath-";
/// The file in it that its kernel holds.
const LOCK: &str = "lock";
/// How long others may take to notice that a folder is being removed.
const PATIENCE: Duration = Duration::from_millis(500);

/// A folder that is removed with this, or by another kernel.
#[derive(Debug)]
pub(super) struct OwnFolder {
    folder: TempDir,
    /// The lock goes with the file.
    _lock: File,
}

impl OwnFolder {
    /// Makes a folder for a purpose inside another one, and removes those that
    /// kernels which were killed have left there.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub(super) fn new(purpose: &str, inside: &Path) -> io::Result<Self> {
        sweep(inside);
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{purpose}"))
            .tempdir_in(inside)?;
        // Under its name only when it is locked: another kernel may be looking.
        let new = folder.path().join("lock.new");
        let lock = File::create(&new)?;
        lock.lock()?;
        fs::rename(&new, folder.path().join(LOCK))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it. What is just being started may put files there for a moment.
    ///
    /// # Errors
    /// Where something in it cannot be removed.
    pub(super) fn close(self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let path = self.folder.keep();
        loop {
            match fs::remove_dir_all(&path) {
                Err(error)
                    if error.kind() == io::ErrorKind::DirectoryNotEmpty
                        && Instant::now() < deadline =>
                {
                    std::thread::sleep(Duration::from_millis(10));
                }
                result => return result,
            }
        }
    }
}

fn sweep(inside: &Path) {
    for entry in fs::read_dir(inside).into_iter().flatten().flatten() {
        let is_kernels = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // Not all need be this user's.
        if is_kernels
            && let Ok(lock) = File::open(entry.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_kernels_that_were_killed_are_removed() {
        let inside = tempfile::tempdir().unwrap();
        let living = OwnFolder::new("", inside.path()).unwrap();
        let killed = OwnFolder::new("", inside.path()).unwrap().folder.keep();
        fs::create_dir(killed.join("1")).unwrap();
        fs::write(killed.join("1").join("some"), "bytes").unwrap();
        // One that is just being made, and somebody else's.
        let (new, other) = (inside.path().join("swath-new"), inside.path().join("other"));
        for folder in [&new, &other] {
            fs::create_dir(folder).unwrap();
        }
        File::create(other.join(LOCK)).unwrap();
        let third = OwnFolder::new("", inside.path()).unwrap();
        assert!(!killed.exists());
        assert!(new.exists() && other.exists());
        assert!(living.path().exists() && third.path().exists());
    }
}
