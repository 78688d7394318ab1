//! Properties that hold for any bytes, shared by the tests and the fuzz
//! targets.

pub(crate) mod message;
pub(crate) mod stream;
