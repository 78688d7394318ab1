//! The runtime process: loads cells and runs them.
//!
//! evcxr starts it and tells it on its standard input which library to load
//! and which function in it to call, and waits on its standard output for the
//! end. Both are put aside before any user code runs, so that a cell can do
//! with its standard streams what it likes.

use super::{channel, panics, public_paths};
use std::ffi::{CStr, CString, c_void};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use swath_channel::{DIRECTORY_VARIABLE, FromRuntime, STDERR, STDOUT};

/// The words that evcxr's end of the conversation consists of.
const LOAD_AND_RUN: &str = "LOAD_AND_RUN ";
const COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";

/// The process's main function; ends with the process.
pub fn main() -> ! {
    let code = match serve() {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("swath-runtime: {error}");
            99
        }
    };
    std::process::exit(code)
}

fn serve() -> io::Result<()> {
    let directory = std::env::var_os(DIRECTORY_VARIABLE)
        .map(PathBuf::from)
        .ok_or_else(|| {
            io::Error::other(
                "started by hand: the kernel starts this program, and tells it where to connect",
            )
        })?;
    let (commands, mut answers) = redirect(&directory)?;
    panics::install_hook();
    channel::connect(&directory)?;
    channel::send(&FromRuntime::Hello {
        pid: std::process::id(),
        public_paths: public_paths::table(),
    });
    let mut store = std::ptr::null_mut();
    for line in BufReader::new(commands).lines() {
        let line = line?;
        let (library, function) = line
            .strip_prefix(LOAD_AND_RUN)
            .and_then(|rest| rest.rsplit_once(' '))
            .ok_or_else(|| io::Error::other(format!("unknown instruction {line:?}")))?;
        store = load_and_run(library, function, store)?;
        writeln!(answers, "{COMPLETE}")?;
    }
    Ok(())
}

/// Puts the streams that evcxr holds aside, and the channel's FIFOs in their
/// place. Returns evcxr's.
fn redirect(directory: &Path) -> io::Result<(File, File)> {
    let commands = keep(0)?;
    let answers = keep(1)?;
    // Until a cell begins that may read it.
    replace(0, &File::open("/dev/null")?)?;
    replace(
        1,
        &File::options().write(true).open(directory.join(STDOUT))?,
    )?;
    replace(
        2,
        &File::options().write(true).open(directory.join(STDERR))?,
    )?;
    Ok((commands, answers))
}

/// A copy of a descriptor that programs started by user code do not inherit.
fn keep(descriptor: RawFd) -> io::Result<File> {
    // SAFETY: fcntl on a descriptor number has no memory effects; the copy is
    // new, so it is owned by nobody else.
    unsafe {
        let copy = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3);
        if copy < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(File::from(OwnedFd::from_raw_fd(copy)))
        }
    }
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
/// unloaded: values of its types, and their code, outlive the cell.
fn load_and_run(library: &str, function: &str, store: *mut c_void) -> io::Result<*mut c_void> {
    let path = CString::new(library)?;
    let name = CString::new(function)?;
    // SAFETY: the library was compiled for this process by the same rustc
    // against the same libraries; its function has this signature (evcxr
    // generates it), and gets the pointer that the last one returned.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if handle.is_null() {
            return Err(dl_error());
        }
        let symbol = libc::dlsym(handle, name.as_ptr());
        if symbol.is_null() {
            return Err(dl_error());
        }
        let function: extern "C" fn(*mut c_void) -> *mut c_void = std::mem::transmute(symbol);
        Ok(function(store))
    }
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
