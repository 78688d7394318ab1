//! The runtime process: loads cells and runs them.
//!
//! The kernel starts it and tells it over the channel which library to load
//! and which function in it to call. Its standard streams are the channel's
//! FIFOs, so that a cell can do with them what it likes.

use super::channel::{self, Job};
use super::{cell, public_paths, recovery};
use crate::{abort, diagnostics, panics};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};
use swath_channel::{DIRECTORY_VARIABLE, FromRuntime, STDERR, STDOUT};

/// The process's main function; ends with the process.
pub fn main() -> ! {
    let directory = std::env::var_os(DIRECTORY_VARIABLE).map(PathBuf::from);
    let code = match serve(directory.as_deref()) {
        Ok(()) => 0,
        Err(error) => {
            // The kernel removes its folder when it ends. Nobody is left to read
            // that it could not be reached.
            if directory.as_deref().is_none_or(Path::exists) {
                eprintln!("swath-runtime: {error}");
            }
            swath_channel::EXIT_WITHOUT_CHANNEL
        }
    };
    std::process::exit(code)
}

fn serve(directory: Option<&Path>) -> io::Result<()> {
    let directory = directory.ok_or_else(|| {
        io::Error::other(
            "started by hand: the kernel starts this program, and tells it where to connect",
        )
    })?;
    redirect(directory)?;
    abort::install();
    panics::install_hook();
    // SAFETY: nothing else sets what is done on this signal. A file that has
    // become too large is an error of whoever writes it, as a full disk is.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let jobs = channel::connect(directory)?;
    diagnostics::install();
    channel::send(&FromRuntime::Hello {
        pid: std::process::id(),
        public_paths: public_paths::table(),
    });
    for job in jobs {
        match job {
            Job::Run { library, function } => {
                if let Err(error) = load_and_run(&library, &function) {
                    cell::end(Some(cell::Failure::of("LoadError", error.to_string())));
                }
            }
            Job::List => cell::end(None),
            Job::Recover { folder } => {
                let variables = recovery::set_folder(folder.as_deref().map(Path::new));
                channel::send(&FromRuntime::Recovered { variables });
            }
        }
        // A cell that has closed the descriptor has ended, and nobody was told.
        if channel::is_closed() {
            return Err(io::Error::other("the channel to the kernel is closed"));
        }
    }
    Ok(())
}

/// Puts the channel's FIFOs in the place of the standard streams.
fn redirect(directory: &Path) -> io::Result<()> {
    // Until a cell begins that may read it.
    replace(0, &File::open("/dev/null")?)?;
    replace(
        1,
        &File::options().write(true).open(directory.join(STDOUT))?,
    )?;
    replace(
        2,
        &File::options().write(true).open(directory.join(STDERR))?,
    )
}

fn replace(descriptor: RawFd, by: &File) -> io::Result<()> {
    // SAFETY: dup2 on descriptor numbers has no memory effects.
    if unsafe { libc::dup2(by.as_raw_fd(), descriptor) } < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Loads a cell's library and calls its function. The library is never
/// unloaded: values of its types, and their code, outlive the cell. Later
/// cells find its statics, so its symbols are everybody's.
fn load_and_run(library: &str, function: &str) -> io::Result<()> {
    let path = CString::new(library)?;
    let name = CString::new(function)?;
    // SAFETY: the library was compiled for this process by the same rustc
    // against the same libraries; its function has this signature (the kernel
    // generates it).
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
        if handle.is_null() {
            return Err(with_mappings(dl_error()));
        }
        let symbol = libc::dlsym(handle, name.as_ptr());
        if symbol.is_null() {
            return Err(dl_error());
        }
        let function: extern "C" fn() = std::mem::transmute(symbol);
        function();
    }
    Ok(())
}

/// The error, and what to do where it is about too many mappings: each library
/// has some, and is never unloaded.
fn with_mappings(error: io::Error) -> io::Error {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let limit: usize = read("/proc/sys/vm/max_map_count")
        .trim()
        .parse()
        .unwrap_or(usize::MAX);
    let found = read("/proc/self/maps").lines().count();
    // A library takes a few at once.
    if found + 16 < limit {
        return error;
    }
    io::Error::other(format!(
        "{error}: the session has run as many cells as the system lets a process have mappings for \
         ({found} of {limit}). `:restart` begins anew; `sysctl vm.max_map_count=262144` allows more"
    ))
}

fn dl_error() -> io::Error {
    // SAFETY: called right after a failure on this thread, so that the message
    // is there; it is copied before anything else is called.
    unsafe {
        let message = libc::dlerror();
        if message.is_null() {
            return io::Error::other("the cell's library cannot be loaded");
        }
        io::Error::other(CStr::from_ptr(message).to_string_lossy().into_owned())
    }
}
