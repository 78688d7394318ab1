//! What the kernel and its runtime process say to each other.
//!
//! The channel is a Unix socket: frames of a length (4 bytes, little-endian)
//! and a message in JSON. What user code writes to standard output and error
//! goes through two FIFOs beside it, as bytes. The kernel empties the FIFOs
//! before it takes up a frame, so that output keeps its order.

mod comm;
mod handles;

pub use comm::{Buffer, Comm, CommAction};
pub use handles::{is_handle, is_handle_in_short};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};

/// Where the runtime process finds the channel: a folder with a socket and two
/// FIFOs ([`SOCKET`], [`STDOUT`], [`STDERR`]).
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

/// A frame larger than this is not one.
const FRAME_LIMIT: u32 = 1 << 30;

/// From the runtime process to the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromRuntime {
    /// The process has started.
    Hello {
        /// Its process id.
        pid: u32,
        /// Types that have no public name where they are defined: the path
        /// there, and a public one.
        public_paths: Vec<(String, String)>,
    },
    /// Show something.
    Display {
        /// MIME types and contents.
        data: Vec<(String, String)>,
        /// The display's id, if it can be updated.
        id: Option<String>,
        /// Whether it replaces what the id shows.
        update: bool,
        /// The cell on whose behalf, where it is not the running one.
        cell: Option<u64>,
    },
    /// Clear the cell's output.
    Clear {
        /// Only when the next output comes.
        wait: bool,
    },
    /// The value of the cell's last expression.
    Result {
        /// MIME types and contents.
        data: Vec<(String, String)>,
    },
    /// Ask the user for a line: answered by [`ToRuntime::Input`].
    Input {
        /// Shown before the field.
        prompt: String,
        /// Hide what is typed.
        password: bool,
    },
    /// Something on a comm, from this end.
    Comm(Comm),
    /// Comms to a target are taken from now on, or not any more.
    CommTarget {
        /// The target's name.
        name: String,
        /// Whether they are.
        exists: bool,
    },
    /// Take up what has been written so far, then answer
    /// [`ToRuntime::FenceReached`]: sent where output changes from one stream
    /// to the other.
    Fence,
    /// The answer to [`ToRuntime::Recover`].
    Recovered {
        /// The variables that came back.
        variables: Vec<Variable>,
    },
    /// The cell has ended.
    Ended {
        /// What it failed with.
        failure: Option<Failure>,
        /// The variables that there are now.
        variables: Vec<Variable>,
    },
}

/// From the kernel to the runtime process.
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
    /// Tell the variables, once no cell runs: answered by
    /// [`FromRuntime::Ended`].
    List,
    /// Keep what is persisted in a folder as well, so that another process can go
    /// on with it, and make variables of what is there; with no folder, keep no
    /// more. Answered by [`FromRuntime::Recovered`].
    Recover {
        /// The folder.
        folder: Option<String>,
    },
    /// Stop the cell that runs, and what is being computed.
    Interrupt,
    /// Stop what is being computed: no cell runs.
    CancelBackground,
    /// What the user typed; `None` where nobody can be asked.
    Input {
        /// The line.
        text: Option<String>,
    },
    /// Something on a comm, from a client.
    Comm(Comm),
    /// The answer to [`FromRuntime::Fence`].
    FenceReached,
}

/// What a cell failed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error's kind: `Panic`, `Interrupted`, an error's type.
    pub kind: String,
    /// The error's text.
    pub message: String,
    /// Where it comes from, `file:line:column`, if known.
    pub location: Option<String>,
    /// The variable that was not what the cell was compiled for; nothing of
    /// the cell was run then.
    pub variable: Option<String>,
}

/// A variable of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, by the path of its definition.
    pub type_name: String,
    /// What is told of its value; none where that is what was told before.
    pub description: Option<Description>,
}

/// What is told of a value. A text is empty where there is nothing to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// `(20000, 1000)`, `3 elements`.
    pub shape: String,
    /// `(1000, 1000), 20 chunks`.
    pub chunks: String,
    /// The type of the elements, where the type of the value does not tell it.
    pub dtype: String,
    /// Names and types of a frame's columns.
    pub columns: Vec<(String, String)>,
    /// Whether the values are there: `not computed`, `in memory`.
    pub state: String,
    /// One line: a short value, or what it is of.
    pub summary: String,
    /// A few lines, where they tell more: the first rows, the first elements.
    pub preview: String,
    /// Bytes in memory, where known.
    pub nbytes: Option<u64>,
}

/// Writes one frame.
///
/// # Errors
/// The stream's.
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
/// The stream's; a frame that is none.
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
            format!("a frame of {length} bytes"),
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
