//! Matrix products.
//!
//! A product of one block of rows and one block of columns is a task for each
//! pair of chunks along the contracted axis, and a tree of sums: at any time
//! only two chunks and a few partial products are held, however long the axis is.

use super::chunk::{Chunk, with_numbers};
use super::dtype::Number;
use super::elementwise::inputs_of;
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, EncodedOperation, Operation, Value};
use ndarray::linalg::Dot as _;
use ndarray::{ArcArray, Array2, ArrayD, Axis, Ix2, IxDyn, LinalgScalar};
use serde::{Deserialize, Serialize};

/// The product of two chunks of one or two axes each.
#[derive(Serialize, Deserialize)]
pub(super) struct Dot;

impl Operation for Dot {
    fn name(&self) -> &str {
        "dot"
    }

    fn arguments(&self) -> Arguments {
        Arguments::none()
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
                .expect("invariant: operands of other dimensions were refused")
        }
        let [left, right] = inputs_of(inputs)?;
        Ok(Value::new(with_numbers!(left,
        left => dot(left, super::dtype::Element::unwrap(right)?),
        else _mask => {
            return Err(Error::Argument("dot: masks have no product".to_owned()));
        })))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/dot")
    }
}
