//! Contributions to a reduction: states of some of the elements of each lane.

use crate::array::chunk::Chunk;
use crate::error::{Error, Result};
use crate::graph::encoding::{unread, unwritten};
use crate::graph::{ChunkValue, Codec, Summary, Value};
use std::io::{Read, Write};

/// A contribution to a reduction: a few arrays, with an element for each lane.
#[derive(Clone, Debug)]
pub(in crate::array) struct Partials {
    /// The number of elements in each lane. It is the same for all lanes.
    pub(super) count: u64,
    /// The reduction's state.
    pub(super) states: Vec<Chunk>,
}

impl Partials {
    /// Returns a partial product.
    pub(in crate::array) fn of_product(product: Chunk) -> Self {
        Self {
            count: 1,
            states: vec![product],
        }
    }

    /// Returns the array of a reduction with only one.
    pub(super) fn into_only(mut self) -> Chunk {
        self.states.swap_remove(0)
    }

    /// Returns the contribution that is a task's input.
    pub(super) fn of(value: Value) -> Result<Self> {
        value.into_inner().map_err(|value: Value| Error::Type {
            subject: "the input".to_owned(),
            found: value.summary().to_string(),
            expected: "a contribution to a reduction".to_owned(),
        })
    }

    const CODEC: Codec = Codec {
        tag: "array/partials",
        decode: |from, _| Self::decode(from).map(Value::new),
    };

    fn decode(from: &mut dyn Read) -> Result<Self> {
        const WHAT: &str = "a contribution to a reduction";
        fn number(from: &mut dyn Read) -> Result<u64> {
            let mut bytes = [0; 8];
            from.read_exact(&mut bytes)
                .map_err(|cause| unread(WHAT, cause))?;
            Ok(u64::from_le_bytes(bytes))
        }
        let count = number(from)?;
        // The number is not trusted: memory grows only as arrays are read.
        let states = (0..number(from)?).map(|_| {
            let nbytes = number(from)?;
            Chunk::decode(from, nbytes)
        });
        let states = states.collect::<Result<Vec<_>>>()?;
        match states.is_empty() {
            true => Err(Error::Decode(format!("{WHAT}: it contains no arrays"))),
            false => Ok(Self { count, states }),
        }
    }
}

impl ChunkValue for Partials {
    fn nbytes(&self) -> usize {
        self.states.iter().map(ChunkValue::nbytes).sum()
    }

    fn summary(&self) -> Summary {
        self.states[0].summary()
    }

    fn codec(&self) -> Option<Codec> {
        Some(Self::CODEC)
    }

    /// Encodes the count and the number of arrays, and then for each array its length in
    /// bytes and its encoding. Numbers have 8 bytes, little-endian.
    fn encode(&self, to: &mut dyn Write) -> Result<()> {
        let mut write = |number: u64| to.write_all(&number.to_le_bytes()).map_err(unwritten);
        write(self.count)?;
        write(self.states.len() as u64)?;
        for state in &self.states {
            let mut bytes = Vec::with_capacity(state.nbytes() + 64);
            state.encode(&mut bytes)?;
            to.write_all(&(bytes.len() as u64).to_le_bytes())
                .and_then(|()| to.write_all(&bytes))
                .map_err(unwritten)?;
        }
        Ok(())
    }
}
