//! Folders that are removed with their kernel, even if it is killed.
//!
//! A kernel holds a lock in each of its folders. Creating a new folder removes
//! those next to it whose lock is free.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The prefix of all folder names.
const PREFIX: &str = "swath-";
/// The file in it that its kernel has locked.
const LOCK: &str = "lock";
/// How long other processes may keep adding files to a folder that is being
/// removed.
const PATIENCE: Duration = Duration::from_millis(500);

/// A folder that is removed with this value, or by another kernel.
#[derive(Debug)]
pub(super) struct OwnFolder {
    folder: TempDir,
    /// Closing the file releases the lock.
    _lock: File,
}

impl OwnFolder {
    /// Creates a folder for a purpose inside another one, and removes those
    /// that killed kernels have left there.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub(super) fn new(purpose: &str, inside: &Path) -> io::Result<Self> {
        sweep(inside);
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{purpose}"))
            .tempdir_in(inside)?;
        // Rename it only after locking it: another kernel may be checking at
        // the same time.
        let new = folder.path().join("lock.new");
        let lock = File::create(&new)?;
        lock.lock()?;
        fs::rename(&new, folder.path().join(LOCK))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Returns the path of the folder.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes the folder. Processes that are just starting may still add files
    /// for a moment.
    ///
    /// # Errors
    /// Something in it cannot be removed.
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
        // Some may belong to other users.
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
        // A folder that is just being created, and one of another program.
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
