//! Creates arrays by a rule, at random, and from arrays in memory.

use super::chunk::{Chunk, with_array, with_type};
use super::chunks::Chunks;
use super::dtype::{Arithmetic, DType, Element, Kernel, Literal};
use super::elementwise::filled;
use super::raw::RawArray;
use crate::error::{Error, Result};
use crate::graph::{
    Arguments, Block, ChunkValue, EncodedOperation, Fingerprint, Layer, Operation, Value,
};
use ndarray::{ArcArray, Array1, ArrayD, Axis, IxDyn, Slice};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Returns an array whose chunks an operation computes from their position alone.
pub(super) fn generated(operation: impl Operation, chunks: Chunks, dtype: DType) -> RawArray {
    let layer = Layer::blockwise(operation, chunks.grid(), Vec::new(), Vec::new());
    RawArray::new(layer, chunks, dtype)
}

/// An array in which every element is the same.
#[derive(Serialize, Deserialize)]
pub(super) struct Full {
    pub(super) name: Cow<'static, str>,
    pub(super) literal: Literal,
    pub(super) chunks: Chunks,
}

impl Operation for Full {
    fn name(&self) -> &str {
        &self.name
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, _: Vec<Value>) -> Result<Value> {
        filled(self.literal, &self.chunks.chunk_shape(block.index)).map(Value::new)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/full")
    }
}

/// The rule for the elements of a sequence or of a square.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Rule {
    /// 0, 1, 2, …
    Arange,
    /// `start`, `start + step`, …
    Linspace { start: f64, step: f64 },
    /// One on the diagonal, zero elsewhere.
    Eye,
}

/// Elements that depend only on their position.
#[derive(Serialize, Deserialize)]
pub(super) struct Generate {
    pub(super) rule: Rule,
    pub(super) dtype: DType,
    pub(super) chunks: Chunks,
}

impl Operation for Generate {
    fn name(&self) -> &str {
        match self.rule {
            Rule::Arange => "arange",
            Rule::Linspace { .. } => "linspace",
            Rule::Eye => "eye",
        }
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, _: Vec<Value>) -> Result<Value> {
        let ranges = self.chunks.ranges(block.index);
        fn chunk<T: Kernel>(elements: Vec<T>) -> Chunk {
            T::wrap(Array1::from_vec(elements).into_dyn().into_shared())
        }
        Ok(Value::new(match self.rule {
            Rule::Arange => {
                with_type!(self.dtype, T => chunk(ranges[0].clone().map(T::from_index).collect()))
            }
            Rule::Linspace { start, step } => chunk(
                ranges[0]
                    .clone()
                    .map(|at| start + at as f64 * step)
                    .collect(),
            ),
            Rule::Eye => {
                let (rows, columns) = (&ranges[0], &ranges[1]);
                fn eye<T: Arithmetic>(rows: &Range<usize>, columns: &Range<usize>) -> Chunk {
                    let mut square =
                        ArrayD::from_elem(IxDyn(&[rows.len(), columns.len()]), T::default());
                    for at in rows.start.max(columns.start)..rows.end.min(columns.end) {
                        square[[at - rows.start, at - columns.start]] = T::ONE;
                    }
                    T::wrap(square.into_shared())
                }
                match self.dtype {
                    DType::F64 => eye::<f64>(rows, columns),
                    DType::F32 => eye::<f32>(rows, columns),
                    DType::I64 => eye::<i64>(rows, columns),
                    DType::I32 => eye::<i32>(rows, columns),
                    DType::U64 => eye::<u64>(rows, columns),
                    DType::U32 => eye::<u32>(rows, columns),
                    DType::U8 => eye::<u8>(rows, columns),
                    DType::Bool => {
                        return Err(Error::Argument(
                            "eye is not defined for masks: expected a type of numbers".to_owned(),
                        ));
                    }
                }
            }
        }))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/by-rule")
    }
}

/// The distribution of random elements.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Distribution {
    /// f64 from 0 to 1, excluding 1.
    Uniform,
    /// f64 with mean 0 and standard deviation 1.
    Normal,
    /// i64 from a range.
    Integers(Range<i64>),
}

impl Distribution {
    pub(super) fn dtype(&self) -> DType {
        match self {
            Self::Uniform | Self::Normal => DType::F64,
            Self::Integers(_) => DType::I64,
        }
    }
}

/// Random elements. Each is a function of the seed and of its position in the whole array,
/// so that neither chunks nor threads make a difference.
#[derive(Serialize, Deserialize)]
pub(super) struct Random {
    pub(super) distribution: Distribution,
    pub(super) seed: u64,
    pub(super) chunks: Chunks,
}

impl Operation for Random {
    fn name(&self) -> &str {
        match self.distribution {
            Distribution::Uniform => "random",
            Distribution::Normal => "random-normal",
            Distribution::Integers(_) => "random-integers",
        }
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, _: Vec<Value>) -> Result<Value> {
        let shape = self.chunks.shape();
        let ranges = self.chunks.ranges(block.index);
        Ok(Value::new(random(
            &self.distribution,
            self.seed,
            &shape,
            &ranges,
        )))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/random")
    }
}

/// Returns the random elements of a block of an array of this shape.
pub(super) fn random(
    distribution: &Distribution,
    seed: u64,
    shape: &[usize],
    ranges: &[Range<usize>],
) -> Chunk {
    let region = Region { shape, ranges };
    // Each distribution has its own stream of the generator, so that the same seed does not
    // yield the same numbers in another form.
    match *distribution {
        Distribution::Uniform => f64::wrap(region.draw(generator(seed, 0), 2, uniform)),
        Distribution::Normal => f64::wrap(region.draw(generator(seed, 1), 4, |rng| {
            // Box and Muller (1958). Each element uses exactly two uniform numbers, so that
            // its position determines the position of its numbers.
            let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
            radius * (std::f64::consts::TAU * uniform(rng)).cos()
        })),
        Distribution::Integers(Range { start, end }) => {
            let width = end.wrapping_sub(start) as u64;
            i64::wrap(region.draw(generator(seed, 2), 2, |rng| {
                // Lemire (2019) without rejection: the bias is below width / 2⁶⁴.
                let offset = (u128::from(rng.next_u64()) * u128::from(width)) >> 64;
                start.wrapping_add(offset as i64)
            }))
        }
    }
}

/// Returns a counter-based generator, which can jump to any position of its output.
fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// Returns 53 random bits as a number from 0 to 1, excluding 1.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A block of an array.
struct Region<'a> {
    shape: &'a [usize],
    ranges: &'a [Range<usize>],
}

impl Region<'_> {
    /// Draws each element from its own `words` of the generator's output.
    fn draw<T>(
        &self,
        mut rng: ChaCha8Rng,
        words: u128,
        mut element: impl FnMut(&mut ChaCha8Rng) -> T,
    ) -> ArcArray<T, IxDyn> {
        let block: Vec<usize> = self.ranges.iter().map(ExactSizeIterator::len).collect();
        let count: usize = block.iter().product();
        let mut elements = Vec::with_capacity(count);
        // The last axes that the block covers completely form one run with the axis before.
        let whole = (0..block.len())
            .rev()
            .take_while(|&axis| block[axis] == self.shape[axis])
            .count();
        let outer = (block.len() - whole).saturating_sub(1);
        let run: usize = block[outer..].iter().product();
        while elements.len() < count {
            // The next run's position: its number determines the position along the outer axes.
            let mut rest = elements.len() / run;
            let mut stride: u128 = self.shape[outer..].iter().map(|&n| n as u128).product();
            let mut position = match self.ranges.get(outer) {
                Some(range) => {
                    let inner: u128 = self.shape[outer + 1..].iter().map(|&n| n as u128).product();
                    range.start as u128 * inner
                }
                None => 0,
            };
            for axis in (0..outer).rev() {
                position += (self.ranges[axis].start + rest % block[axis]) as u128 * stride;
                rest /= block[axis];
                stride *= self.shape[axis] as u128;
            }
            rng.set_word_pos(position * words);
            elements.extend((0..run).map(|_| element(&mut rng)));
        }
        ArcArray::from_shape_vec(IxDyn(&block), elements)
            .expect("invariant: as many elements as the block has were drawn")
    }
}

/// The blocks of an array in memory. They share its elements.
pub(super) struct FromArray {
    data: Chunk,
    digest: u128,
    chunks: Chunks,
}

impl FromArray {
    pub(super) fn new(data: Chunk, chunks: Chunks) -> Self {
        let mut fingerprint = Fingerprint::new();
        fingerprint.bytes(&data.digest().to_le_bytes());
        fingerprint.text(&chunks.to_string());
        Self {
            digest: fingerprint.finish(),
            data,
            chunks,
        }
    }
}

impl Operation for FromArray {
    fn name(&self) -> &str {
        "array"
    }

    fn arguments(&self) -> Arguments {
        Arguments::Digest(self.digest)
    }

    fn run(&self, block: &Block<'_>, _: Vec<Value>) -> Result<Value> {
        Ok(Value::new(part(
            self.data.clone(),
            &self.chunks.ranges(block.index),
        )))
    }

    /// Encodes the hash, the chunks, and the elements as in an encoded chunk.
    fn encode(&self) -> Result<EncodedOperation> {
        let wrong = |error| Error::Encode(format!("the operation array: {error}"));
        let mut bytes = postcard::to_stdvec(&(self.digest, &self.chunks)).map_err(wrong)?;
        self.data.encode(&mut bytes)?;
        Ok(EncodedOperation {
            tag: "array/source",
            bytes,
            decode: |bytes| {
                let wrong = |error| Error::Decode(format!("an operation (array): {error}"));
                let ((digest, chunks), mut data): ((u128, Chunks), &[u8]) =
                    postcard::take_from_bytes(bytes).map_err(wrong)?;
                let nbytes = data.len() as u64;
                Ok(Arc::new(Self {
                    data: Chunk::decode(&mut data, nbytes)?,
                    digest,
                    chunks,
                }))
            },
        })
    }
}

/// Returns a part of a chunk, which shares its elements.
pub(super) fn part(chunk: Chunk, ranges: &[Range<usize>]) -> Chunk {
    fn slice<T: Element>(mut array: ArcArray<T, IxDyn>, ranges: &[Range<usize>]) -> Chunk {
        for (axis, range) in ranges.iter().enumerate() {
            array.slice_axis_inplace(Axis(axis), Slice::from(range.clone()));
        }
        T::wrap(array)
    }
    with_array!(chunk, array => slice(array, ranges))
}
