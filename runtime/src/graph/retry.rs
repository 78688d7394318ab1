//! Calls that are retried when they fail.

use super::Value;
use crate::cancel::checkpoint;
use crate::error::{Error, Result};
use crate::panics::catch;

/// Calls `call` until it succeeds, with at most `retries` further attempts.
///
/// A panic counts as a failure. An interrupt is never retried.
pub(crate) fn again(
    retries: u32,
    inputs: Vec<Value>,
    call: impl Fn(Vec<Value>) -> Result<Value>,
) -> Result<Value> {
    for _ in 0..retries {
        match catch(|| call(inputs.clone())).unwrap_or_else(Err) {
            Ok(value) => return Ok(value),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(_) => checkpoint()?,
        }
    }
    catch(|| call(inputs)).unwrap_or_else(Err)
}
