//! The messages between the kernel and its runtime process.
//!
//! The channel is a Unix socket. A frame consists of a length (4 bytes,
//! little-endian) and a message in JSON. What user code writes to standard output
//! and standard error goes as bytes through two FIFOs beside the socket. The
//! kernel empties the FIFOs before it handles a frame, so that output keeps its
//! order.

mod comm;
mod handles;

pub use comm::{Buffer, Comm, CommAction};
pub use handles::{is_handle, is_handle_in_short};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// The environment variable with the channel's folder, which contains a socket
/// and two FIFOs ([`SOCKET`], [`STDOUT`], [`STDERR`]).
pub const DIRECTORY_VARIABLE: &str = "SWATH_CHANNEL";
/// The socket's name.
pub const SOCKET: &str = "channel";
/// The name of the FIFO that is the runtime's standard output.
pub const STDOUT: &str = "stdout";
/// The name of the FIFO that is the runtime's standard error.
pub const STDERR: &str = "stderr";

/// The exit code of a runtime process that cannot go on: it was started without
/// a kernel, or its channel to the kernel is closed.
pub const EXIT_WITHOUT_CHANNEL: i32 = 99;

/// The largest valid length of a frame.
const FRAME_LIMIT: u32 = 1 << 30;

/// A message from the runtime process to the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromRuntime {
    /// The process has started.
    Hello {
        /// Its process id.
        pid: u32,
        /// Types whose defining path is not public: that path, and a public one.
        public_paths: Vec<(String, String)>,
    },
    /// Show something.
    Display {
        /// MIME types and contents.
        data: Vec<(String, String)>,
        /// The display's id, if it can be updated.
        id: Option<String>,
        /// Whether it replaces the display with this id.
        update: bool,
        /// The cell it belongs to, if that is not the running one.
        cell: Option<u64>,
    },
    /// Clear the cell's output.
    Clear {
        /// Whether to clear only when the next output comes.
        wait: bool,
    },
    /// The value of the cell's last expression.
    Result {
        /// MIME types and contents.
        data: Vec<(String, String)>,
    },
    /// Ask the user for a line: answered by [`ToRuntime::Input`].
    Input {
        /// The text before the input field.
        prompt: String,
        /// Whether to hide what the user types.
        password: bool,
    },
    /// An action of this end of a comm.
    Comm(Comm),
    /// The runtime starts or stops accepting comms to a target.
    CommTarget {
        /// The target's name.
        name: String,
        /// Whether it accepts them from now on.
        exists: bool,
    },
    /// Read everything that has been written so far, then answer
    /// [`ToRuntime::FenceReached`]. Sent when output changes from one stream to
    /// the other.
    Fence,
    /// The answer to [`ToRuntime::Recover`].
    Recovered {
        /// The restored variables.
        variables: Vec<Variable>,
    },
    /// The cell has ended.
    Ended {
        /// The error, if the cell failed.
        failure: Option<Failure>,
        /// The variables that exist now.
        variables: Vec<Variable>,
    },
}

/// A message from the kernel to the runtime process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToRuntime {
    /// The next cell to run.
    Begin {
        /// The cell.
        cell: u64,
        /// Whether the user can be asked for input.
        allow_input: bool,
    },
    /// Load the cell's library and call its function.
    Run {
        /// The library's path.
        library: String,
        /// The function's name: `extern "C" fn()`.
        function: String,
    },
    /// Report the variables when no cell runs. Answered by
    /// [`FromRuntime::Ended`].
    List,
    /// Also save persisted values in a folder, so that another process can
    /// continue with them, and restore variables from what the folder contains.
    /// Without a folder, stop saving. Answered by [`FromRuntime::Recovered`].
    Recover {
        /// The folder.
        folder: Option<String>,
    },
    /// Stop the running cell and all computations.
    Interrupt,
    /// Stop all computations when no cell runs.
    CancelBackground,
    /// The user's input; `None` if no user can be asked.
    Input {
        /// The line.
        text: Option<String>,
    },
    /// An action of a client's end of a comm.
    Comm(Comm),
    /// The answer to [`FromRuntime::Fence`].
    FenceReached,
}

/// The error of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error's kind: `Panic`, `Interrupted`, an error's type.
    pub kind: String,
    /// The error's text.
    pub message: String,
    /// The location of the error, `file:line:column`, if known.
    pub location: Option<String>,
    /// The variable that does not have the type the cell was compiled for.
    /// Nothing of the cell was run then.
    pub variable: Option<String>,
}

/// A variable of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, by the path where the type is defined.
    pub type_name: String,
    /// The description of its value; `None` if it has not changed since the last
    /// report.
    pub description: Option<Description>,
}

/// The description of a value. A text is empty if there is nothing to report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// `(20000, 1000)`, `3 elements`.
    pub shape: String,
    /// `(1000, 1000), 20 chunks`.
    pub chunks: String,
    /// The type of the elements, if the value's type does not say it.
    pub dtype: String,
    /// Names and types of a frame's columns.
    pub columns: Vec<(String, String)>,
    /// Whether the values are available: `not computed`, `in memory`.
    pub state: String,
    /// One line: the value if it is short, or what it consists of.
    pub summary: String,
    /// A few lines, if they add information: the first rows, the first elements.
    pub preview: String,
    /// Bytes in memory, if known.
    pub nbytes: Option<u64>,
}

/// Writes one frame.
///
/// # Errors
/// The stream's error, or an error for a message of more than 1 GiB.
pub fn write_frame(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len())
        .ok()
        .filter(|length| *length <= FRAME_LIMIT)
        .ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a display of more than 1 GiB")
        })?;
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&body);
    stream.write_all(&frame)
}

/// Reads one frame; `None` at the end of the stream.
///
/// # Errors
/// The stream's error, or an error for an invalid frame.
pub fn read_frame<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    if length > FRAME_LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a frame of {length} bytes exceeds the limit of 1 GiB"),
        ));
    }
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_the_stream() {
        let sent = [
            FromRuntime::Fence,
            FromRuntime::Result {
                data: vec![("text/plain".into(), "ä\n".into())],
            },
            FromRuntime::Ended {
                failure: None,
                variables: vec![],
            },
        ];
        let mut stream = Vec::new();
        for message in &sent {
            write_frame(&mut stream, message).expect("a Vec takes everything");
        }
        let mut stream = &stream[..];
        for message in sent {
            assert_eq!(
                read_frame(&mut stream).expect("the frame is whole"),
                Some(message)
            );
        }
        assert_eq!(
            read_frame::<FromRuntime>(&mut stream).expect("the end is no error"),
            None
        );
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(read_frame::<FromRuntime>(&mut &b"\xff\xff\xff\xffgarbage"[..]).is_err());
        assert!(read_frame::<FromRuntime>(&mut &b"\x02\x00\x00\x00{]"[..]).is_err());
    }
}
