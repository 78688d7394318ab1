//! The runtime process, which loads cells and runs them.
//!
//! The kernel starts it and sends it over the channel the library to load and
//! the function in it to call. Its standard streams are the channel's FIFOs, so
//! that a cell can use them freely.

use super::channel::{self, HostJob};
use super::{cell, public_paths, recovery};
use crate::{abort, diagnostics, panics};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};
use swath_channel::{DIRECTORY_VARIABLE, FromRuntime, STDERR, STDOUT};

/// The process's main function. Does not return.
pub fn main() -> ! {
    let directory = std::env::var_os(DIRECTORY_VARIABLE).map(PathBuf::from);
    let code = match serve(directory.as_deref()) {
        Ok(()) => 0,
        Err(error) => {
            // The kernel removes its folder when it ends. Then nobody reads the
            // message that it could not be reached.
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
            "this program cannot be started by hand: the kernel starts it and tells it where to connect",
        )
    })?;
    redirect(directory)?;
    abort::install();
    panics::install_hook();
    // SAFETY: nothing else sets the handler of this signal. Writing a file that
    // has become too large then returns an error, like a full disk.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let jobs = channel::connect(directory)?;
    diagnostics::install();
    channel::send(&FromRuntime::Hello {
        pid: std::process::id(),
        public_paths: public_paths::table(),
    });
    for job in jobs {
        match job {
            HostJob::Run { library, function } => {
                if let Err(error) = load_and_run(&library, &function) {
                    cell::end(Some(cell::Failure::of("LoadError", error.to_string())));
                }
            }
            HostJob::List => cell::end(None),
            HostJob::Recover { folder } => {
                let variables = recovery::set_folder(folder.as_deref().map(Path::new));
                channel::send(&FromRuntime::Recovered { variables });
            }
        }
        // A cell that closed the descriptor has ended without the kernel being
        // notified.
        if channel::is_closed() {
            return Err(io::Error::other("the channel to the kernel is closed"));
        }
    }
    Ok(())
}

/// Replaces the standard streams by the channel's FIFOs.
fn redirect(directory: &Path) -> io::Result<()> {
    // Until a cell begins that may read standard input.
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

/// Loads a cell's library and calls its function.
///
/// The library is never unloaded: values of its types, and their code, outlive
/// the cell. Its symbols are global, because later cells use its statics.
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

/// Adds what to do if the error is caused by too many memory mappings: each
/// library has some, and is never unloaded.
fn with_mappings(error: io::Error) -> io::Error {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let limit: usize = read("/proc/sys/vm/max_map_count")
        .trim()
        .parse()
        .unwrap_or(usize::MAX);
    let found = read("/proc/self/maps").lines().count();
    // A library needs a few at once.
    if found + 16 < limit {
        return error;
    }
    io::Error::other(format!(
        "{error}: each cell needs some memory mappings, and the process has reached the system's limit \
         ({found} of {limit}). `:restart` starts a new session; `sysctl vm.max_map_count=262144` raises the limit"
    ))
}

fn dl_error() -> io::Error {
    // SAFETY: called right after a failure on this thread, so that the message
    // exists; it is copied before anything else is called.
    unsafe {
        let message = libc::dlerror();
        if message.is_null() {
            return io::Error::other("the cell's library cannot be loaded");
        }
        io::Error::other(CStr::from_ptr(message).to_string_lossy().into_owned())
    }
}
