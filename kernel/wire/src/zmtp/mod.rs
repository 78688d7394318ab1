//! ZMTP 3, the protocol of ZeroMQ's sockets on a stream.
//!
//! Decodes bytes into items ([`Decoder`]) and encodes messages ([`encode`]),
//! without sockets or clocks. All of this happens before any signature is
//! checked, for anyone who can connect: so no memory is allocated because of an
//! announced length alone, and every number has a limit.
//! <https://rfc.zeromq.org/spec/23/>, and for the commands of 3.1
//! <https://rfc.zeromq.org/spec/37/>.

mod command;
mod decode;
pub mod encode;

pub use command::{Command, Ready};
pub use decode::{Decoder, Incoming, Limits, Violation};

/// The length of a greeting, in bytes.
const GREETING: usize = 64;
/// The first byte of a greeting. Eight arbitrary bytes and [`SIGNATURE_END`]
/// follow.
const SIGNATURE_START: u8 = 0xff;
/// The tenth byte of a greeting.
const SIGNATURE_END: u8 = 0x7f;
/// The version that we announce. A 3.0 peer receives nothing that it does not
/// know.
const VERSION: (u8, u8) = (3, 1);
/// The mechanism, without authentication: messages are signed instead.
const MECHANISM: &[u8] = b"NULL";

/// Another frame of the same message follows.
const MORE: u8 = 1;
/// The length has eight bytes instead of one.
const LONG: u8 = 2;
/// The frame is a command, not part of a message.
const COMMAND: u8 = 4;
