//! ZMTP 3: what ZeroMQ's sockets say to each other on a stream.
//!
//! Bytes in, events out ([`Decoder`]), and back ([`encode`]); no sockets, no
//! clock. Everything here comes before any signature is checked, from whoever
//! can connect: nothing is stored on the word of a length alone, and every
//! number has a limit. <https://rfc.zeromq.org/spec/23/>, and for the commands
//! of 3.1 <https://rfc.zeromq.org/spec/37/>.

mod command;
mod decode;
pub mod encode;

pub use command::{Command, Ready};
pub use decode::{Decoder, Incoming, Limits, Violation};

/// Bytes of a greeting.
const GREETING: usize = 64;
/// A greeting's first bytes: this, eight that may be anything, [`SIGNATURE_END`].
const SIGNATURE_START: u8 = 0xff;
/// The tenth byte.
const SIGNATURE_END: u8 = 0x7f;
/// The version that we speak. A peer of 3.0 is told nothing that it doesn't know.
const VERSION: (u8, u8) = (3, 1);
/// Neither names nor passwords: messages carry signatures.
const MECHANISM: &[u8] = b"NULL";

/// Another frame of the same message follows.
const MORE: u8 = 1;
/// The length has eight bytes, not one.
const LONG: u8 = 2;
/// No message, but a command.
const COMMAND: u8 = 4;
