//! Operations that move elements: transpose, slice, rechunk, concatenate.

use super::chunk::{Chunk, with_array, with_type};
use super::chunks::Chunks;
use super::create::part;
use super::dtype::{DType, Element};
use super::elementwise::inputs_of;
use crate::error::Result;
use crate::graph::{
    Arguments, Block, EncodedOperation, Grid, Operation, TaskFamily, TaskRef, Value,
};
use ndarray::{ArcArray, ArrayD, Axis, IxDyn, Slice};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// Reorders the axes.
#[derive(Serialize, Deserialize)]
pub(super) struct Transpose {
    pub(super) axes: Vec<usize>,
}

impl Operation for Transpose {
    fn name(&self) -> &str {
        "transpose"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        fn permuted<T: Element>(array: ArcArray<T, IxDyn>, axes: &[usize]) -> Chunk {
            T::wrap(array.permuted_axes(IxDyn(axes)))
        }
        let [chunk] = inputs_of(inputs)?;
        Ok(Value::new(
            with_array!(chunk, array => permuted(array, &self.axes)),
        ))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/transpose")
    }
}

/// Selects one position along an axis, and removes the axis.
#[derive(Serialize, Deserialize)]
pub(super) struct Pick {
    pub(super) axis: usize,
    /// The position within the chunk.
    pub(super) at: usize,
}

impl Operation for Pick {
    fn name(&self) -> &str {
        "index"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        // A copy, so that the chunk itself can be freed.
        fn pick<T: Element>(array: &ArcArray<T, IxDyn>, axis: usize, at: usize) -> Chunk {
            T::wrap(array.index_axis(Axis(axis), at).to_owned().into_shared())
        }
        let [chunk] = inputs_of(inputs)?;
        Ok(Value::new(
            with_array!(&chunk, array => pick(array, self.axis, self.at)),
        ))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/pick")
    }
}

/// Inserts an axis of length 1.
#[derive(Serialize, Deserialize)]
pub(super) struct InsertAxis {
    pub(super) axis: usize,
}

impl Operation for InsertAxis {
    fn name(&self) -> &str {
        "insert-axis"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        fn insert<T: Element>(array: ArcArray<T, IxDyn>, axis: usize) -> Chunk {
            T::wrap(array.insert_axis(Axis(axis)))
        }
        let [chunk] = inputs_of(inputs)?;
        Ok(Value::new(
            with_array!(chunk, array => insert(array, self.axis)),
        ))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/insert-axis")
    }
}

/// A part of an array. Along each axis it is a range, or `None` for everything in the chunks
/// at one position, if their size is not known.
type Region = Vec<Option<Range<usize>>>;

/// A part of an array, cut into other chunks. Each new chunk depends on the chunks that it
/// overlaps. Slices and rechunking are both of this kind.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SliceRechunk {
    pub(super) name: Cow<'static, str>,
    pub(super) dtype: DType,
    pub(super) from: Chunks,
    /// The chunks of the part.
    pub(super) to: Chunks,
    /// The position where the part begins, along each axis.
    pub(super) origin: Vec<usize>,
}

impl SliceRechunk {
    /// Returns the elements of the whole array that a chunk of the part contains.
    fn region(&self, index: &[u32]) -> Region {
        let origins = self.origin.iter().enumerate();
        origins
            .map(|(axis, origin)| {
                let range = self.to.range(axis, index[axis])?;
                Some(range.start + origin..range.end + origin)
            })
            .collect()
    }

    /// Returns the chunks that contain them, as ranges of positions along each axis.
    fn overlapping(&self, index: &[u32], region: &Region) -> Vec<Range<usize>> {
        region
            .iter()
            .enumerate()
            .map(|(axis, range)| match range {
                Some(range) => self.from.overlapping(axis, range),
                None => index[axis] as usize..index[axis] as usize + 1,
            })
            .collect()
    }
}

impl Operation for SliceRechunk {
    fn name(&self) -> &str {
        &self.name
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let region = self.region(block.index);
        let places = product(&self.overlapping(block.index, &region));
        let chunks = Chunk::all_of(inputs)?;
        Ok(Value::new(gather(
            self.dtype, &self.from, &region, &places, chunks,
        )?))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/regrid")
    }
}

impl TaskFamily for SliceRechunk {
    fn operation(&self, _: &[u32]) -> &dyn Operation {
        self
    }

    fn inputs(&self, index: &[u32], inputs: &mut Vec<TaskRef>) {
        let grid = self.from.grid();
        let places = product(&self.overlapping(index, &self.region(index)));
        inputs.extend(places.iter().map(|place| TaskRef {
            dependency: 0,
            linear: grid.linear(place),
        }));
    }
}

/// Returns all positions in a box, row-major.
pub(super) fn product(ranges: &[Range<usize>]) -> Vec<Vec<u32>> {
    let mut places = vec![Vec::with_capacity(ranges.len())];
    for range in ranges {
        places = places
            .into_iter()
            .flat_map(|place: Vec<u32>| {
                range.clone().map(move |at| {
                    let mut place = place.clone();
                    place.push(at as u32);
                    place
                })
            })
            .collect();
    }
    places
}

/// Assembles the elements of a region from the chunks that contain them.
pub(super) fn gather(
    dtype: DType,
    from: &Chunks,
    region: &[Option<Range<usize>>],
    places: &[Vec<u32>],
    mut chunks: Vec<Chunk>,
) -> Result<Chunk> {
    // Along an axis, the wanted range and the range of a chunk.
    let along = |axis: usize, place: &[u32], chunk: &[usize]| match &region[axis] {
        Some(wanted) => {
            let has = from.range(axis, place[axis]);
            (
                wanted.clone(),
                has.expect("invariant: a range is of known sizes"),
            )
        }
        None => (0..chunk[axis], 0..chunk[axis]),
    };
    if let ([place], [_]) = (places, &chunks[..]) {
        let chunk = chunks.remove(0);
        let within: Vec<_> = (0..region.len())
            .map(|axis| {
                let (wanted, has) = along(axis, place, chunk.shape());
                relative(&wanted, &has)
            })
            .collect();
        let lengths = chunk.shape().iter();
        if lengths
            .zip(&within)
            .all(|(&length, within)| *within == (0..length))
        {
            return Ok(chunk);
        }
        // A copy, so that the chunk itself can be freed.
        return Ok(with_array!(part(chunk, &within), array => owned(&array)));
    }
    let first = chunks.first().map(|chunk| chunk.shape().to_vec());
    let shape = region.iter().enumerate().map(|(axis, range)| match range {
        Some(range) => range.len(),
        None => first.as_ref().map_or(0, |shape| shape[axis]),
    });
    let shape: Vec<usize> = shape.collect();
    fn fill<T: Element>(
        along: impl Fn(usize, &[u32], &[usize]) -> (Range<usize>, Range<usize>),
        shape: &[usize],
        places: &[Vec<u32>],
        chunks: Vec<Chunk>,
    ) -> Result<Chunk> {
        let mut whole = ArrayD::from_elem(IxDyn(shape), T::default());
        for (place, chunk) in places.iter().zip(chunks) {
            let mut source = T::unwrap(chunk)?;
            let lengths = source.shape().to_vec();
            let mut target = whole.view_mut();
            for axis in 0..shape.len() {
                let (wanted, has) = along(axis, place, &lengths);
                let common = has.start.max(wanted.start)..has.end.min(wanted.end);
                let cut = |within| Slice::from(relative(&common, within));
                source.slice_axis_inplace(Axis(axis), cut(&has));
                target.slice_axis_inplace(Axis(axis), cut(&wanted));
            }
            target.assign(&source);
        }
        Ok(T::wrap(whole.into_shared()))
    }
    with_type!(dtype, T => fill::<T>(along, &shape, places, chunks))
}

fn owned<T: Element>(array: &ArcArray<T, IxDyn>) -> Chunk {
    T::wrap(array.to_owned().into_shared())
}

/// Returns a range relative to the start of another one.
fn relative(range: &Range<usize>, within: &Range<usize>) -> Range<usize> {
    range.start - within.start..range.end - within.start
}

/// Joins the chunks of several arrays along an axis.
#[derive(Serialize, Deserialize)]
pub(super) struct Concatenate {
    pub(super) axis: usize,
    /// For each array, the number of its chunks along each axis.
    pub(super) grids: Vec<Grid>,
}

impl Operation for Concatenate {
    fn name(&self) -> &str {
        "concatenate"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [chunk] = inputs_of(inputs)?;
        Ok(Value::new(chunk))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/concatenate")
    }
}

impl TaskFamily for Concatenate {
    fn operation(&self, _: &[u32]) -> &dyn Operation {
        self
    }

    fn inputs(&self, index: &[u32], inputs: &mut Vec<TaskRef>) {
        let mut place = index.to_vec();
        for (dependency, grid) in self.grids.iter().enumerate() {
            let count = grid.counts()[self.axis];
            if place[self.axis] < count {
                inputs.push(TaskRef {
                    dependency: dependency as u32,
                    linear: grid.linear(&place),
                });
                return;
            }
            place[self.axis] -= count;
        }
    }
}
