//! Operations that combine one element of each input at a time.
//!
//! [`functions`] is the table of them, [`kernels`] contains the loops. The bodies work on
//! whole chunks and write into an input's memory if nothing else holds it.

mod cast;
mod functions;
mod kernels;

pub(super) use cast::Cast;
pub(super) use functions::{BinaryOp, UnaryOp, binary};
pub(super) use kernels::{maximum, minimum};

use super::chunk::{Chunk, with_array, with_type};
use super::chunks::tuple;
use super::dtype::{Element, Literal};
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, EncodedOperation, Operation, Value};
use functions::unary;
use kernels::{Elements, broadcast, broadcast_shape};
use ndarray::{ArcArray, ArrayD, IxDyn, Zip};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Combines two arrays of one type, element by element.
#[derive(Serialize, Deserialize)]
pub(super) struct Binary(pub(super) BinaryOp);

impl Operation for Binary {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [left, right] = inputs_of(inputs)?;
        binary(self.0, left, right).map(Value::new)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/binary")
    }
}

/// Combines an array and one element.
#[derive(Serialize, Deserialize)]
pub(super) struct BinaryScalar {
    pub(super) op: BinaryOp,
    pub(super) literal: Literal,
    /// Whether the element is on the left.
    pub(super) literal_first: bool,
}

impl Operation for BinaryScalar {
    fn name(&self) -> &str {
        self.op.name()
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [array] = inputs_of(inputs)?;
        let scalar = single(self.literal);
        if self.literal_first {
            binary(self.op, scalar, array)
        } else {
            binary(self.op, array, scalar)
        }
        .map(Value::new)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/with-literal")
    }
}

/// Returns the chunks that are the `N` inputs of a task.
pub(super) fn inputs_of<const N: usize>(inputs: Vec<Value>) -> Result<[Chunk; N]> {
    Ok(Chunk::all_of(inputs)?
        .try_into()
        .unwrap_or_else(|_| unreachable!("invariant: the layer has {N} inputs")))
}

/// Returns an array of one element without axes.
pub(super) fn single(literal: Literal) -> Chunk {
    fn wrap<T: Element>(element: T) -> Chunk {
        T::wrap(ArcArray::from_elem(IxDyn(&[]), element))
    }
    match literal {
        Literal::F64(value) => wrap(value),
        Literal::F32(value) => wrap(value),
        Literal::I64(value) => wrap(value),
        Literal::I32(value) => wrap(value),
        Literal::U64(value) => wrap(value),
        Literal::U32(value) => wrap(value),
        Literal::U8(value) => wrap(value),
        Literal::Bool(value) => wrap(value),
    }
}

/// Applies a function to one array, element by element.
#[derive(Serialize, Deserialize)]
pub(super) struct Unary(pub(super) UnaryOp);

impl Operation for Unary {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [array] = inputs_of(inputs)?;
        unary(self.0, array).map(Value::new)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/unary")
    }
}

/// `condition ? then : other`, element by element.
#[derive(Serialize, Deserialize)]
pub(super) struct Select;

impl Operation for Select {
    fn name(&self) -> &str {
        "select"
    }

    fn arguments(&self) -> Arguments {
        Arguments::none()
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [condition, then, other] = inputs_of(inputs)?;
        let condition: Elements<bool> = Element::unwrap(condition)?;
        fn select<T: Element>(
            condition: &Elements<bool>,
            then: Elements<T>,
            other: Elements<T>,
        ) -> Chunk {
            let shape = broadcast_shape(then.shape(), other.shape());
            let shape = broadcast_shape(condition.shape(), &shape);
            let zip = Zip::from(broadcast(condition, &shape))
                .and(broadcast(&then, &shape))
                .and(broadcast(&other, &shape));
            T::wrap(
                zip.map_collect(|c, a, b| if *c { *a } else { *b })
                    .into_shared(),
            )
        }
        Ok(Value::new(with_array!(then, then => {
            select(&condition, then, Element::unwrap(other)?)
        })))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/select")
    }
}

/// A user's function on a chunk.
pub(super) type ChunkFunction = Arc<dyn Fn(Chunk) -> Result<Chunk> + Send + Sync>;

/// Applies a user's function to every chunk. The function must keep the chunk's shape.
pub(super) struct MapChunks {
    pub(super) name: &'static str,
    pub(super) function: ChunkFunction,
}

impl Operation for MapChunks {
    fn name(&self) -> &str {
        self.name
    }

    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [chunk] = inputs_of(inputs)?;
        let expected = chunk.shape().to_vec();
        let result = (self.function)(chunk)?;
        if result.shape() != expected {
            return Err(Error::Shape(format!(
                "{}: the function returned shape {} for a chunk of shape {}, expected the same shape",
                self.name,
                tuple(result.shape()),
                tuple(&expected),
            )));
        }
        Ok(Value::new(result))
    }
}

/// Converts a closure on elements into a function on chunks.
pub(super) fn on_elements<T: Element, U: Element>(
    f: impl Fn(T) -> U + Send + Sync + 'static,
) -> ChunkFunction {
    Arc::new(move |chunk| Ok(U::wrap(T::unwrap(chunk)?.mapv(&f).into_shared())))
}

/// Converts a closure on arrays into a function on chunks.
pub(super) fn on_arrays<T: Element, U: Element>(
    f: impl Fn(ArrayD<T>) -> ArrayD<U> + Send + Sync + 'static,
) -> ChunkFunction {
    Arc::new(move |chunk| Ok(U::wrap(f(T::owned(chunk)?).into_shared())))
}

/// Returns a chunk of this shape in which every element is the same.
pub(super) fn filled(literal: Literal, shape: &[usize]) -> Result<Chunk> {
    with_type!(literal.dtype(), T => {
        Ok(T::wrap(ArcArray::from_elem(IxDyn(shape), T::from_literal(literal)?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(chunk: &Chunk) -> Option<*const f64> {
        match chunk {
            Chunk::F64(array) => Some(array.as_ptr()),
            _ => None,
        }
    }

    #[test]
    fn memory_is_reused_where_nobody_else_holds_it() {
        let ones = |shape: &[usize]| f64::wrap(ArcArray::from_elem(IxDyn(shape), 1.0));
        for (left, right) in [(&[3, 4][..], &[4][..]), (&[3, 4], &[3, 4]), (&[3, 4], &[])] {
            let (a, b) = (ones(left), ones(right));
            let at = address(&a);
            let sum = binary(BinaryOp::Add, a, b).expect("shapes fit");
            assert_eq!(address(&sum), at);
            let (a, b) = (ones(right), ones(left));
            let at = address(&b);
            let sum = binary(BinaryOp::Add, a, b).expect("shapes fit");
            // For two arrays of one shape, the left one's memory is used.
            assert!(address(&sum) == at || left == right);
        }
        let (a, b) = (ones(&[2]), ones(&[2]));
        let held = (a.clone(), b.clone());
        let sum = binary(BinaryOp::Add, a, b).expect("shapes fit");
        assert!(![address(&held.0), address(&held.1)].contains(&address(&sum)));
        let Chunk::F64(held) = held.0 else {
            panic!("an array of f64")
        };
        assert!(held.iter().all(|&v| v == 1.0));
    }
}
