//! Conversion between element types.

use super::inputs_of;
use crate::array::chunk::{Chunk, with_numbers};
use crate::array::dtype::{DType, Element};
use crate::error::Result;
use crate::graph::{Arguments, Block, EncodedOperation, Operation, Value};
use serde::{Deserialize, Serialize};

/// Converts elements into another type, like Rust's `as`. For `bool`: whether they are not zero.
#[derive(Serialize, Deserialize)]
pub(in crate::array) struct Cast {
    pub(in crate::array) to: DType,
}

impl Operation for Cast {
    fn name(&self) -> &str {
        "astype"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [array] = inputs_of(inputs)?;
        Ok(Value::new(cast(array, self.to)))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/cast")
    }
}

fn cast(chunk: Chunk, to: DType) -> Chunk {
    if chunk.dtype() == to {
        return chunk;
    }
    macro_rules! targets {
        ($array:ident, |$v:ident| $number:expr) => {
            match to {
                DType::F64 => Chunk::F64($array.map(|&$v| $number as f64).into_shared()),
                DType::F32 => Chunk::F32($array.map(|&$v| $number as f32).into_shared()),
                DType::I64 => Chunk::I64($array.map(|&$v| $number as i64).into_shared()),
                DType::I32 => Chunk::I32($array.map(|&$v| $number as i32).into_shared()),
                DType::U64 => Chunk::U64($array.map(|&$v| $number as u64).into_shared()),
                DType::U32 => Chunk::U32($array.map(|&$v| $number as u32).into_shared()),
                DType::U8 => Chunk::U8($array.map(|&$v| $number as u8).into_shared()),
                DType::Bool => Chunk::Bool($array.map(|v| *v != zero(v)).into_shared()),
            }
        };
    }
    fn zero<T: Element>(_: &T) -> T {
        T::default()
    }
    with_numbers!(chunk, array => targets!(array, |v| v), else array => targets!(array, |v| u8::from(v)))
}
