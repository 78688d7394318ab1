//! The files of a running kernel, and the compiler flags for them.

use super::folder::OwnFolder;
use super::instances;
use super::metadata::link_crates;
use parking_lot::Mutex;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use swath_channel::SOCKET;

/// The environment variable with the folder for temporary files.
const TEMPORARY: &str = "TMPDIR";

/// The folder of the channel to the runtime process, inside the kernel's folder.
const CHANNEL: &str = "channel";
/// The maximum length in bytes of a socket's path: 107 on Linux, 103 on macOS.
const LONGEST_SOCKET: usize = 103;

/// The folder of a kernel, and that of the runtime's library.
#[derive(Debug)]
pub(crate) struct Workplace {
    folder: Mutex<Option<OwnFolder>>,
    path: PathBuf,
    /// The persisted collections for the next process: see [`Self::recovery`].
    recovery: Mutex<Option<Kept>>,
    /// The folder of `libswath.so` and `swath-runtime`.
    program: PathBuf,
    /// The user's folder for temporary files.
    temporary: PathBuf,
}

impl Workplace {
    /// Creates the folder, and redirects the temporary files of compilers into it.
    ///
    /// # Errors
    /// The folder cannot be created, or the program is not found.
    ///
    /// # Safety
    /// Sets an environment variable: no other thread may be running yet.
    pub(crate) unsafe fn prepare() -> io::Result<Self> {
        let program = std::env::current_exe()?.canonicalize()?;
        let program = program.parent().unwrap_or(Path::new("/")).to_owned();
        let temporary = std::env::temp_dir();
        let folder = OwnFolder::new("", &with_short_path(&temporary))?;
        let path = folder.path().to_owned();
        fs::create_dir(path.join("cells"))?;
        fs::create_dir(path.join(CHANNEL))?;
        let own_temporary = path.join("tmp");
        fs::create_dir(&own_temporary)?;
        // SAFETY: the caller's promise.
        unsafe {
            // Compilers that are killed leave files behind.
            std::env::set_var(TEMPORARY, own_temporary);
        }
        Ok(Self {
            folder: Mutex::new(Some(folder)),
            path,
            recovery: Mutex::default(),
            program,
            temporary,
        })
    }

    /// Returns the kernel's folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the environment variable that puts temporary files where the user
    /// wants them, for the user's own code.
    pub(super) fn temporary(&self) -> (&'static str, &Path) {
        (TEMPORARY, &self.temporary)
    }

    /// Creates a new folder for persisted collections: files in an earlier one may
    /// still be in use. It is in the folder to which the runtime spills values,
    /// which is not in memory.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub(super) fn recovery(&self) -> io::Result<PathBuf> {
        let mut recovery = self.recovery.lock();
        let mut kept = match recovery.take() {
            Some(kept) => kept,
            // Create it on first use.
            None => Kept::new(&large_temporary_files())?,
        };
        let path = kept.new_folder();
        *recovery = Some(kept);
        path
    }

    /// Returns the folder of the channel to the runtime process.
    pub(super) fn channel(&self) -> PathBuf {
        self.path.join(CHANNEL)
    }

    /// Returns the program of the runtime process.
    pub(super) fn runtime_program(&self) -> PathBuf {
        self.program.join("swath-runtime")
    }

    /// Returns the folder in which cells are compiled.
    pub(super) fn cells(&self) -> PathBuf {
        self.path.join("cells")
    }

    /// Returns the folder of the package that depends on the session's own crates.
    pub(super) fn project(&self) -> PathBuf {
        self.path.join("project")
    }

    /// Returns the runtime's library.
    pub(super) fn library(&self) -> PathBuf {
        self.library_of("swath")
    }

    /// Returns the library of one of the runtime's crates.
    pub(super) fn library_of(&self, name: &str) -> PathBuf {
        self.program.join(format!("lib{name}.so"))
    }

    /// Returns the folder in which cargo built the runtime.
    pub(super) fn built(&self) -> PathBuf {
        self.program.clone()
    }

    /// Returns the flags that make the runtime's libraries known to rustc.
    pub(super) fn runtime_flags(&self) -> Vec<String> {
        ["swath", instances::ALL, instances::JOINS]
            .iter()
            .map(|name| format!("--extern={name}={}", self.library_of(name).display()))
            .collect()
    }

    /// Returns the folder of the runtime's crates: one with links to them, or, if
    /// that fails, cargo's own folder with everything that was ever built there.
    pub(super) fn crates(&self) -> PathBuf {
        let all = self.all_crates();
        let links = self.path.join("crates");
        // The library itself has no suffix.
        let (library, shared) = (self.program.join("libswath.rlib"), "libswath.so");
        let linked = link_crates(&library, &all, &links)
            .and_then(|()| symlink(self.program.join(shared), links.join(shared)));
        match linked {
            Ok(()) => links,
            // A kernel that ends at once has removed its folder meanwhile.
            Err(_) if !self.path.exists() => all,
            Err(error) => {
                tracing::warn!("cells search for crates in {}: {error}", all.display());
                all
            }
        }
    }

    /// Returns cargo's folder of crates.
    pub(super) fn all_crates(&self) -> PathBuf {
        self.program.join("deps")
    }

    /// Kills the compiler or the shell, if it runs.
    pub(super) fn stop_compiler(&self) {
        let kernel = std::process::id();
        for pid in children_named(kernel, &["cargo", "rustc", "rust-lld", "sh"]) {
            end_with_children(kernel, pid);
        }
    }

    /// Removes the folder.
    pub(super) fn remove(&self) {
        if let Some(kept) = self.recovery.lock().take()
            && let Err(error) = kept.folder.close()
        {
            tracing::warn!("cannot remove the recovery files: {error}");
        }
        let Some(folder) = self.folder.lock().take() else {
            return;
        };
        match folder.close() {
            // A process that was being started may still add files. The next kernel
            // removes them, so this needs no warning.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                tracing::debug!("cannot remove {}: {error}", self.path.display());
            }
            Err(error) => tracing::warn!("cannot remove {}: {error}", self.path.display()),
            Ok(()) => {}
        }
    }
}

/// Returns the folder for temporary files, or `/tmp` if the path of a socket in it would be
/// too long.
fn with_short_path(temporary: &Path) -> PathBuf {
    let socket = temporary.join("swath-XXXXXX").join(CHANNEL).join(SOCKET);
    match socket.as_os_str().len() <= LONGEST_SOCKET {
        true => temporary.to_owned(),
        false => PathBuf::from("/tmp"),
    }
}

/// The persisted collections for the next process.
#[derive(Debug)]
struct Kept {
    folder: OwnFolder,
    /// How many folders were created in it.
    folders: u32,
}

impl Kept {
    fn new(inside: &Path) -> io::Result<Self> {
        Ok(Self {
            folder: OwnFolder::new("recovery-", inside)?,
            folders: 0,
        })
    }

    fn new_folder(&mut self) -> io::Result<PathBuf> {
        self.folders += 1;
        let path = self.folder.path().join(self.folders.to_string());
        fs::create_dir(&path)?;
        Ok(path)
    }
}

/// Returns the runtime's default: `SWATH_SPILL_FOLDER`, else the folder for large
/// temporary files, else the one for temporary files.
fn large_temporary_files() -> PathBuf {
    if let Some(folder) = std::env::var_os("SWATH_SPILL_FOLDER") {
        return folder.into();
    }
    let large = Path::new("/var/tmp");
    if tempfile::tempfile_in(large).is_ok() {
        large.to_owned()
    } else {
        std::env::temp_dir()
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

/// Kills a process and everything that it has started.
fn end_with_children(parent: u32, pid: u32) {
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    // Other threads wait for our children, so a process id may be reused at any
    // time. A descriptor always refers to the same process: if it is the parent's
    // child now, it is the right one.
    let descriptor = pidfd_open(process, PidfdFlags::empty());
    if !children(parent).contains(&pid) {
        return;
    }
    let send = |signal| match &descriptor {
        // Fails if it has ended already.
        Ok(descriptor) => drop(pidfd_send_signal(descriptor, signal)),
        // Linux before 5.3 has none.
        Err(_) => drop(kill_process(process, signal)),
    };
    // Stop it first, so that it starts no more processes.
    send(Signal::STOP);
    for child in children(pid) {
        end_with_children(pid, child);
    }
    send(Signal::KILL);
}
