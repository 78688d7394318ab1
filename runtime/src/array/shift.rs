//! Operations that reverse elements or shift them along an axis.

use super::axes::Axes;
use super::chunk::{Chunk, with_array};
use super::chunks::Chunks;
use super::dtype::Element;
use super::elementwise::inputs_of;
use super::raw::RawArray;
use super::typed::{Array, raise};
use crate::error::Result;
use crate::graph::{
    Arguments, AxisMap, Block, BlockInput, EncodedOperation, Layer, Operation, Value,
};
use ndarray::{ArcArray, Axis, IxDyn};
use serde::{Deserialize, Serialize};

/// Reverses a chunk's elements along some axes.
#[derive(Serialize, Deserialize)]
struct Flip {
    axes: Vec<usize>,
}

impl Operation for Flip {
    fn name(&self) -> &str {
        "flip"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        fn flipped<T: Element>(mut array: ArcArray<T, IxDyn>, axes: &[usize]) -> Chunk {
            for &axis in axes {
                array.invert_axis(Axis(axis));
            }
            T::wrap(array)
        }
        let [chunk] = inputs_of(inputs)?;
        Ok(Value::new(
            with_array!(chunk, array => flipped(array, &self.axes)),
        ))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/flip")
    }
}

impl RawArray {
    fn flip(&self, axes: &Axes) -> Result<Self> {
        let axes = self.axes(axes)?;
        let mut cuts = self.chunks().cuts().to_vec();
        for &axis in &axes {
            cuts[axis] = cuts[axis].reversed();
        }
        let chunks = Chunks::from_cuts(cuts);
        let grid = chunks.grid();
        let places = grid.counts().iter().enumerate().map(|(axis, count)| {
            let number = axis as u8;
            match axes.contains(&axis) {
                true => AxisMap::Mirrored {
                    axis: number,
                    last: count.saturating_sub(1),
                },
                false => AxisMap::Output(number),
            }
        });
        let input = BlockInput {
            dependency: 0,
            axes: places.collect(),
        };
        let layer = Layer::blockwise(Flip { axes }, grid, vec![input], vec![self.layer().clone()]);
        Ok(Self::new(layer, chunks, self.dtype()))
    }

    fn roll(&self, shift: i64, axes: &Axes) -> Result<Self> {
        self.axes(axes)?
            .into_iter()
            .try_fold(self.clone(), |array, axis| {
                let length = array.length(axis)?;
                // The number of elements from the beginning that move to the end.
                let first = match length {
                    0 => 0,
                    _ => (-i128::from(shift)).rem_euclid(length as i128) as usize,
                };
                if first == 0 {
                    return Ok(array);
                }
                let after = array.slice_axis(axis, &(0..first))?;
                let before = array.slice_axis(axis, &(first..length))?;
                Self::concatenate(axis, &[&before, &after])
            })
    }
}

impl<T: Element> Array<T> {
    /// Reverses the elements along axes: along the first one, `x.flip(0)`; along all,
    /// `x.flip(Axes::all())`.
    ///
    /// **Panics** if an axis is out of range.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<i64>::arange(5, 2);
    /// assert_eq!(x.flip(0).compute()?.as_slice(), Some(&[4, 3, 2, 1, 0][..]));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias("flipud", "fliplr", "reverse"))]
    #[track_caller]
    pub fn flip(&self, axes: impl Into<Axes>) -> Self {
        Self::from_raw(raise(self.raw().flip(&axes.into())))
    }

    /// Shifts the elements along each of the axes by `shift` positions, or backwards if it is
    /// negative. Elements that leave one end enter at the other.
    ///
    /// **Panics** if an axis is out of range.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<i64>::arange(5, 2);
    /// assert_eq!(x.roll(2, 0).compute()?.as_slice(), Some(&[3, 4, 0, 1, 2][..]));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias("rotate", "shift"))]
    #[track_caller]
    pub fn roll(&self, shift: i64, axes: impl Into<Axes>) -> Self {
        Self::from_raw(raise(self.raw().roll(shift, &axes.into())))
    }
}
