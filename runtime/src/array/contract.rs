//! Matrix products.
//!
//! The product of a block of rows and a block of columns consists of one task for each
//! pair of chunks along the contracted axis, and a tree of sums. So however long the
//! axis is, only two chunks and a few partial products are in memory at a time.

use super::chunk::{Chunk, with_numbers};
use super::dtype::{Element, Integer, Number, beyond};
use super::elementwise::inputs_of;
use super::reduce::Partials;
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, EncodedOperation, Operation, Value};
use ndarray::linalg::Dot as _;
use ndarray::{ArcArray, Array2, ArrayD, Axis, Ix2, IxDyn, LinalgScalar};
use serde::{Deserialize, Serialize};

/// Multiplies chunks of integers: with ndarray's product if it cannot overflow,
/// otherwise in 128 bits.
fn integers<T: Integer>(
    left: ArcArray<T, IxDyn>,
    right: Chunk,
    product: &dyn Fn(Chunk, Chunk) -> Result<Chunk>,
) -> Result<Chunk> {
    fn largest<T: Integer>(array: &ArcArray<T, IxDyn>) -> u128 {
        let sizes = array.iter().map(|v| v.to_wide().unsigned_abs());
        sizes.max().unwrap_or(0)
    }
    let right: ArcArray<T, IxDyn> = Element::unwrap(right)?;
    let length = right.shape()[0];
    let bound = largest(&left)
        .saturating_mul(largest(&right))
        .saturating_mul(length as u128);
    if bound <= T::LARGEST.to_wide().unsigned_abs() {
        return product(T::wrap(left), T::wrap(right));
    }
    let mut shape = left.shape()[..left.ndim() - 1].to_vec();
    shape.extend(&right.shape()[1..]);
    let mut elements = Vec::with_capacity(shape.iter().product());
    for row in left.lanes(Axis(left.ndim() - 1)) {
        for column in right.lanes(Axis(0)) {
            let products = row.iter().zip(column).map(|(a, b)| {
                // Two factors of 64 bits have a product of at most 128 bits.
                a.to_wide().saturating_mul(b.to_wide())
            });
            let sum = products.fold(0i128, i128::saturating_add);
            elements
                .push(T::from_wide(sum).ok_or_else(|| beyond("dot: a sum of products", T::DTYPE))?);
        }
    }
    let product = ArcArray::from_shape_vec(IxDyn(&shape), elements);
    Ok(T::wrap(
        product.expect("invariant: an element for each row and column"),
    ))
}

/// Multiplies two chunks of one or two axes each.
#[derive(Serialize, Deserialize)]
pub(super) struct Dot {
    /// Whether the product is one of several that are added up.
    pub(super) is_partial: bool,
}

impl Operation for Dot {
    fn name(&self) -> &str {
        "dot"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        fn dot<T: Number + LinalgScalar>(
            left: ArcArray<T, IxDyn>,
            right: ArcArray<T, IxDyn>,
        ) -> Chunk {
            let (rows, columns) = (left.ndim() == 2, right.ndim() == 2);
            let left = if rows {
                left
            } else {
                left.insert_axis(Axis(0))
            };
            let right = if columns {
                right
            } else {
                right.insert_axis(Axis(1))
            };
            let product: Array2<T> = matrix(left).dot(&matrix(right));
            let mut product: ArrayD<T> = product.into_dyn();
            if !columns {
                product = product.remove_axis(Axis(1));
            }
            if !rows {
                product = product.remove_axis(Axis(0));
            }
            T::wrap(product.into_shared())
        }
        fn matrix<T>(array: ArcArray<T, IxDyn>) -> ArcArray<T, Ix2> {
            array
                .into_dimensionality()
                .expect("invariant: operands of other dimensions were rejected")
        }
        let [left, right] = inputs_of(inputs)?;
        let product = |left: Chunk, right| {
            Ok(with_numbers!(left,
                left => dot(left, Element::unwrap(right)?),
                else _mask => {
                    return Err(Error::Argument(
                        "dot is not defined for masks: expected numbers".to_owned(),
                    ));
                }
            ))
        };
        let product = match left {
            Chunk::I64(left) => integers(left, right, &product)?,
            Chunk::I32(left) => integers(left, right, &product)?,
            Chunk::U64(left) => integers(left, right, &product)?,
            Chunk::U32(left) => integers(left, right, &product)?,
            Chunk::U8(left) => integers(left, right, &product)?,
            left => product(left, right)?,
        };
        Ok(match self.is_partial {
            true => Value::new(Partials::of_product(product)),
            false => Value::new(product),
        })
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/dot")
    }
}
