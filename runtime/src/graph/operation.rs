//! What a task does.

use super::key::{Index, Key};
use super::value::Value;
use crate::error::Result;
use serde::Serialize;

/// What a task does: a name and arguments that are data, and the code that the
/// name stands for. Only a user's closure is code without data.
pub trait Operation: Send + Sync + 'static {
    /// The operation's name, as graph views and keys show it: `mean`, `read_csv`.
    fn name(&self) -> &str;

    /// The arguments, for the content hash that names the layer.
    fn arguments(&self) -> Arguments;

    /// Computes one chunk. `inputs` has one value for each input of the task,
    /// in order; a value that nobody else needs can be moved out and reused.
    ///
    /// # Errors
    /// Anything; the scheduler adds the task's key.
    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value>;
}

/// An operation's arguments, as far as they can be told from outside.
pub enum Arguments {
    /// Serialised arguments.
    Data(Vec<u8>),
    /// The hash of arguments that are too large to serialise (an array's data).
    Digest(u128),
    /// Nothing can be told: every such operation is another one.
    Unique,
}

impl Arguments {
    /// Serialises arguments.
    pub fn of(arguments: &impl Serialize) -> Self {
        match postcard::to_stdvec(arguments) {
            Ok(bytes) => Self::Data(bytes),
            // An expression that holds a Rust closure: no two are the same.
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
    /// The layer's name.
    pub layer: &'a std::sync::Arc<str>,
    /// The place in the layer's grid.
    pub index: &'a [u32],
}

impl Block<'_> {
    /// The task's key.
    pub fn key(&self) -> Key {
        Key {
            name: self.layer.clone(),
            index: Index::from_slice(self.index),
        }
    }
}
