//! A cell's output on its way to the clients: bytes become text, and text is
//! coalesced, capped and paced.
//!
//! This module knows neither messages nor sockets. Start reading at
//! [`CellOutput`].

mod evcxr;
mod limits;
mod stream;
mod utf8;

pub(crate) use evcxr::{Piece, StdoutParser};
pub(crate) use limits::{Pace, max_output};
pub(crate) use stream::{CellOutput, Chunk, Item, StreamName};
