//! Versions of `print!` and similar macros that keep the order of standard
//! output and standard error.
//!
//! The two streams are separate pipes, and a reader of both cannot tell what
//! was written first. So when output changes from one stream to the other, the
//! kernel is asked to read what has been written before more is written.

use parking_lot::Mutex;
use std::fmt;
use std::io::{self, Write};

/// One of the two standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

static LAST: Mutex<Stream> = Mutex::new(Stream::Stdout);

/// Writes to a stream, after everything that was written to the other one.
///
/// # Panics
/// With [`crate::Error::Interrupted`] after the notebook's stop button was
/// pressed, so that a loop that prints can be stopped.
pub fn write(stream: Stream, arguments: fmt::Arguments<'_>) {
    if let Err(interrupted) = crate::schedule::checkpoint()
        && !std::thread::panicking()
    {
        interrupted.raise();
    }
    let mut last = LAST.lock();
    if *last != stream {
        // There is nowhere to report lost output.
        let _ = io::stdout().flush();
        super::channel::fence();
        *last = stream;
    }
    let _ = match stream {
        // Flushed at once, so that a growing line (`print!(".")`) is visible.
        Stream::Stdout => {
            let mut stdout = io::stdout().lock();
            stdout.write_fmt(arguments).and_then(|()| stdout.flush())
        }
        Stream::Stderr => io::stderr().lock().write_fmt(arguments),
    };
}

/// Like `std::print!`, in order with standard error.
#[doc(hidden)]
#[macro_export]
macro_rules! cell_print {
    ($($arguments:tt)*) => {
        $crate::session::print::write($crate::session::print::Stream::Stdout, ::std::format_args!($($arguments)*))
    };
}

/// Like `std::println!`, in order with standard error.
#[doc(hidden)]
#[macro_export]
macro_rules! cell_println {
    () => { $crate::cell_print!("\n") };
    ($($arguments:tt)*) => {
        $crate::cell_print!("{}\n", ::std::format_args!($($arguments)*))
    };
}

/// Like `std::eprint!`, in order with standard output.
#[doc(hidden)]
#[macro_export]
macro_rules! cell_eprint {
    ($($arguments:tt)*) => {
        $crate::session::print::write($crate::session::print::Stream::Stderr, ::std::format_args!($($arguments)*))
    };
}

/// Like `std::eprintln!`, in order with standard output.
#[doc(hidden)]
#[macro_export]
macro_rules! cell_eprintln {
    () => { $crate::cell_eprint!("\n") };
    ($($arguments:tt)*) => {
        $crate::cell_eprint!("{}\n", ::std::format_args!($($arguments)*))
    };
}

/// The macros that a cell has in scope instead of std's.
pub mod macros {
    pub use crate::{
        cell_eprint as eprint, cell_eprintln as eprintln, cell_print as print,
        cell_println as println,
    };
}
