//! Where a kernel keeps its files while it lives, and what the compiler is told.

use super::metadata::link_crates;
use parking_lot::Mutex;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The crate of ready-made instances, which every cell takes into account.
pub(super) const INSTANCES: &str = "swath_instances";
/// What kernels' folders are called.
const PREFIX: &str = "swath-";
/// The file in it that a kernel holds.
const LOCK: &str = "lock";
/// Where programs put temporary files.
const TEMPORARY: &str = "TMPDIR";

/// The folder of a kernel, and the place of the runtime's library.
#[derive(Debug)]
pub(crate) struct Workplace {
    folder: Mutex<Option<TempDir>>,
    path: PathBuf,
    /// Where `libswath.so` and `swath-runtime` are.
    program: PathBuf,
    /// The user's folder for temporary files.
    temporary: PathBuf,
    /// Held as long as the kernel lives: see [`sweep`].
    _lock: File,
}

impl Workplace {
    /// Makes the folder and tells evcxr of it by environment variables.
    ///
    /// rust-analyzer, which evcxr asks for types, is never asked by a cell; it
    /// would load std's sources all the same. It is given a std of empty
    /// crates, which starts in a second and holds 20 MB instead of 400.
    ///
    /// # Errors
    /// A folder that cannot be made; a program that is not where it should be.
    ///
    /// # Safety
    /// Sets environment variables: no other thread may be running yet.
    pub(crate) unsafe fn prepare() -> io::Result<Self> {
        let program = std::env::current_exe()?.canonicalize()?;
        let program = program.parent().unwrap_or(Path::new("/")).to_owned();
        let temporary = std::env::temp_dir();
        sweep(&temporary);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let path = folder.path().to_owned();
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        for name in ["core", "alloc", "std", "proc_macro", "test"] {
            let source = path.join("sysroot").join(name).join("src");
            fs::create_dir_all(&source)?;
            fs::write(source.join("lib.rs"), "")?;
        }
        fs::create_dir(path.join("cells"))?;
        fs::create_dir(path.join("channel"))?;
        let own_temporary = path.join("tmp");
        fs::create_dir(&own_temporary)?;
        // SAFETY: the caller's promise.
        unsafe {
            // rust-analyzer leaves files behind when it is ended.
            std::env::set_var(TEMPORARY, own_temporary);
            std::env::set_var("RUST_SRC_PATH", path.join("sysroot"));
            std::env::set_var("EVCXR_TMPDIR", path.join("cells"));
        }
        Ok(Self {
            folder: Mutex::new(Some(folder)),
            path,
            program,
            temporary,
            _lock: lock,
        })
    }

    /// The kernel's folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The environment in which temporary files are where the user wants them,
    /// for the user's own code.
    pub(super) fn temporary(&self) -> (&'static str, &Path) {
        (TEMPORARY, &self.temporary)
    }

    /// The folder of the channel to the runtime process.
    pub(super) fn channel(&self) -> PathBuf {
        self.path.join("channel")
    }

    /// The runtime process's program.
    pub(super) fn runtime_program(&self) -> PathBuf {
        self.program.join("swath-runtime")
    }

    /// Where cells are compiled.
    pub(super) fn cells(&self) -> PathBuf {
        self.path.join("cells")
    }

    /// Flags that make the runtime's library known to rustc.
    pub(super) fn runtime_flags(&self) -> Vec<String> {
        ["swath", INSTANCES]
            .iter()
            .map(|name| {
                let library = self.program.join(format!("lib{name}.so"));
                format!("--extern={name}={}", library.display())
            })
            .collect()
    }

    /// The folder of the crates that the runtime is made of: of links to them,
    /// or cargo's own, with everything that was ever built there.
    pub(super) fn crates(&self) -> PathBuf {
        let all = self.all_crates();
        let links = self.path.join("crates");
        // The library itself has no suffix.
        let (library, shared) = (self.program.join("libswath.rlib"), "libswath.so");
        let linked = link_crates(&library, &all, &links)
            .and_then(|()| symlink(self.program.join(shared), links.join(shared)));
        match linked {
            Ok(()) => links,
            Err(error) => {
                tracing::warn!("cells look for crates in {}: {error}", all.display());
                all
            }
        }
    }

    /// Cargo's folder of crates.
    pub(super) fn all_crates(&self) -> PathBuf {
        self.program.join("deps")
    }

    /// Ends the compiler, if it runs.
    pub(super) fn stop_compiler(&self) {
        for pid in children_named(std::process::id(), &["cargo", "mold", "rustc"]) {
            end_with_children(pid);
        }
    }

    /// Removes the folder.
    pub(super) fn remove(&self) {
        if let Some(folder) = self.folder.lock().take()
            && let Err(error) = folder.close()
        {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Removes what kernels have left that were killed: folders whose lock nobody
/// holds.
fn sweep(temporary: &Path) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        let is_kernels = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // One that is just being made has no lock yet.
        let lock = is_kernels.then(|| File::open(entry.path().join(LOCK)).ok());
        if let Some(Some(lock)) = lock
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|child| child.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn children_named(pid: u32, names: &[&str]) -> Vec<u32> {
    children(pid)
        .into_iter()
        .filter(|child| {
            fs::read_to_string(format!("/proc/{child}/comm"))
                .is_ok_and(|name| names.contains(&name.trim()))
        })
        .collect()
}

fn end_with_children(pid: u32) {
    let below = children(pid);
    // SAFETY: kill has no memory effects; the process is our child, so its
    // number is its own until we have waited for it.
    unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) };
    below.into_iter().for_each(end_with_children);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = temporary.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let (held, left, new, other) = (
            folder("swath-held"),
            folder("swath-left"),
            folder("swath-new"),
            folder("other"),
        );
        let lock = File::create(held.join(LOCK)).unwrap();
        lock.lock().unwrap();
        for left in [&left, &other] {
            File::create(left.join(LOCK)).unwrap();
        }
        sweep(temporary.path());
        assert!(held.exists() && new.exists() && other.exists());
        assert!(!left.exists());
    }
}
