//! Operations: what a task does.

use super::key::Key;
use super::layer::Layer;
use super::value::Value;
use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What a task does: a name, arguments that are data, and the code that the name
/// stands for. Only a user's closure is code without data.
pub trait Operation: Send + Sync + 'static {
    /// Returns the operation's name, as graph views and keys show it: `mean`,
    /// `read_csv`.
    fn name(&self) -> &str;

    /// Returns the arguments, for the content hash that names the layer.
    fn arguments(&self) -> Arguments;

    /// Computes one chunk. `inputs` holds one value for each input of the task,
    /// in order. A value that nothing else needs can be moved out and reused.
    ///
    /// # Errors
    /// Any error; the scheduler adds the task's key.
    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value>;

    /// Returns how often a failed task is retried before the failure is reported.
    fn retries(&self) -> u32 {
        0
    }

    /// Returns the value if the task only provides a literal value.
    fn literal(&self) -> Option<&Value> {
        None
    }

    /// Returns whether the task only passes on its one input.
    fn is_alias(&self) -> bool {
        false
    }

    /// Encodes the operation, so that another process can run it.
    ///
    /// # Errors
    /// [`Error::Encode`] if the operation is code: a user's function.
    fn encode(&self) -> Result<EncodedOperation> {
        Err(Error::Encode(format!(
            "the operation {}: it runs a function of this process, which cannot be sent elsewhere",
            self.name()
        )))
    }
}

/// An encoded operation.
#[derive(Clone)]
pub struct EncodedOperation {
    /// Identifies the operation: a stable tag, one for each type of operation.
    pub tag: &'static str,
    /// The encoded arguments.
    pub bytes: Vec<u8>,
    /// Decodes the operation.
    ///
    /// # Errors
    /// [`Error::Decode`] for bytes that are not a valid encoding.
    pub decode: fn(&[u8]) -> Result<Arc<dyn Operation>>,
}

impl EncodedOperation {
    /// Encodes an operation that consists of data only.
    ///
    /// # Errors
    /// [`Error::Encode`] if some of the data is code after all: an expression
    /// that holds a Rust closure.
    pub fn of<T>(operation: &T, tag: &'static str) -> Result<Self>
    where
        T: Operation + Serialize + DeserializeOwned,
    {
        let bytes = postcard::to_stdvec(operation).map_err(|error| {
            Error::Encode(format!(
                "the operation {}: its arguments are not plain data ({error}). An expression with a Rust closure (map, apply) cannot be sent to another process; use one of Polars' own functions instead",
                operation.name()
            ))
        })?;
        Ok(Self {
            tag,
            bytes,
            decode: |bytes| match postcard::take_from_bytes::<T>(bytes) {
                Ok((operation, [])) => Ok(Arc::new(operation)),
                Ok((_, rest)) => Err(wrong::<T>(&format!("{} bytes too many", rest.len()))),
                Err(error) => Err(wrong::<T>(&error.to_string())),
            },
        })
    }

    /// Decodes the operation.
    ///
    /// # Errors
    /// [`Error::Decode`] for bytes that are not a valid encoding.
    pub fn decode(&self) -> Result<Arc<dyn Operation>> {
        (self.decode)(&self.bytes)
    }
}

fn wrong<T>(what: &str) -> Error {
    let name = super::short_type_name(std::any::type_name::<T>());
    Error::Decode(format!("an operation ({name}): {what}"))
}

impl fmt::Debug for EncodedOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EncodedOperation({}, {} bytes)",
            self.tag,
            self.bytes.len()
        )
    }
}

/// Passes its input on: another key for the same value.
#[derive(Serialize, Deserialize)]
pub struct Alias;

impl Operation for Alias {
    fn name(&self) -> &str {
        "alias"
    }

    fn arguments(&self) -> Arguments {
        Arguments::none()
    }

    fn run(&self, _: &Block<'_>, mut inputs: Vec<Value>) -> Result<Value> {
        Ok(inputs.pop().expect("invariant: an alias has one input"))
    }

    fn is_alias(&self) -> bool {
        true
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "alias")
    }
}

/// An operation's arguments, as far as they can be identified.
pub enum Arguments {
    /// Serialised arguments.
    Data(Vec<u8>),
    /// The hash of arguments that are too large to serialise (an array's data).
    Digest(u128),
    /// The arguments cannot be identified: every such operation is distinct.
    Unique,
}

impl Arguments {
    /// Serialises arguments.
    pub fn of(arguments: &impl Serialize) -> Self {
        match postcard::to_stdvec(arguments) {
            Ok(bytes) => Self::Data(bytes),
            // An expression that holds a Rust closure: no two of them are equal.
            Err(_) => Self::Unique,
        }
    }

    /// No arguments.
    pub fn none() -> Self {
        Self::Data(Vec::new())
    }
}

/// Which chunk of a layer a task computes.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// The row-major position in the layer's grid.
    pub linear: u32,
    /// The index in the layer's grid.
    pub index: &'a [u32],
}

impl Block<'_> {
    /// Returns the task's key.
    pub fn key(&self) -> Key {
        self.layer.key(self.linear)
    }
}

#[cfg(test)]
mod tests;
