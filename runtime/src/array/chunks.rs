//! How an array is cut into chunks.

use super::dtype::DType;
use crate::error::{Error, Result};
use crate::graph::Grid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What `auto` chunks hold at most.
const AUTO_NBYTES: usize = 128 << 20;

/// Where the chunks of an array begin and end along each axis.
///
/// Chunks can differ in size, and can be empty. Displayed as the sizes along
/// each axis: `((5, 5, 5), (10, 5))`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunks {
    /// For each axis: 0, then the end of each chunk.
    bounds: Vec<Arc<[usize]>>,
}

impl Chunks {
    /// Chunks of the given sizes along each axis.
    pub fn new(sizes: impl IntoIterator<Item = impl AsRef<[usize]>>) -> Self {
        Self {
            bounds: sizes
                .into_iter()
                .map(|sizes| bounds(sizes.as_ref()))
                .collect(),
        }
    }

    /// An array of this shape in one chunk.
    pub fn whole(shape: &[usize]) -> Self {
        Self::new(shape.iter().map(|&length| [length]))
    }

    pub(super) fn from_bounds(bounds: Vec<Arc<[usize]>>) -> Self {
        Self { bounds }
    }

    /// For an axis: 0, then the end of each chunk.
    pub(super) fn bounds(&self, axis: usize) -> &Arc<[usize]> {
        &self.bounds[axis]
    }

    pub(super) fn all_bounds(&self) -> &[Arc<[usize]>] {
        &self.bounds
    }

    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.bounds.len()
    }

    /// The array's shape.
    pub fn shape(&self) -> Vec<usize> {
        self.bounds
            .iter()
            .map(|bounds| bounds[bounds.len() - 1])
            .collect()
    }

    /// The chunks' sizes along an axis.
    ///
    /// **Panics** if the axis is out of range.
    pub fn sizes(&self, axis: usize) -> Vec<usize> {
        self.bounds[axis]
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect()
    }

    /// The largest chunk's size along each axis.
    pub fn largest(&self) -> Vec<usize> {
        (0..self.ndim())
            .map(|axis| self.sizes(axis).into_iter().max().unwrap_or(0))
            .collect()
    }

    /// The number of chunks.
    pub fn count(&self) -> usize {
        self.bounds.iter().map(|bounds| bounds.len() - 1).product()
    }

    /// The number of chunks along each axis.
    pub fn grid(&self) -> Grid {
        Grid::new(self.bounds.iter().map(|bounds| (bounds.len() - 1) as u32))
    }

    /// Which elements of the array a chunk has, along each axis.
    pub fn ranges(&self, index: &[u32]) -> Vec<Range<usize>> {
        index
            .iter()
            .zip(&self.bounds)
            .map(|(&at, bounds)| bounds[at as usize]..bounds[at as usize + 1])
            .collect()
    }

    /// A chunk's shape.
    pub fn chunk_shape(&self, index: &[u32]) -> Vec<usize> {
        self.ranges(index)
            .iter()
            .map(ExactSizeIterator::len)
            .collect()
    }

    /// The chunks along an axis that have elements of a range.
    pub(super) fn overlapping(&self, axis: usize, range: &Range<usize>) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        let bounds = &self.bounds[axis];
        let first = bounds.partition_point(|&bound| bound <= range.start) - 1;
        first..bounds.partition_point(|&bound| bound < range.end)
    }

    pub(super) fn without(&self, axes: &[usize]) -> Self {
        let kept = self.bounds.iter().enumerate();
        Self {
            bounds: kept
                .filter(|(axis, _)| !axes.contains(axis))
                .map(|(_, bounds)| bounds.clone())
                .collect(),
        }
    }
}

pub(super) fn bounds(sizes: &[usize]) -> Arc<[usize]> {
    let ends = sizes.iter().scan(0, |end, size| {
        *end += size;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// The coarsest cut that is as fine as each of the given ones, of one length.
pub(super) fn common_bounds(cuts: &[&Arc<[usize]>]) -> Arc<[usize]> {
    let first = cuts[0];
    if cuts.iter().all(|cut| cut == &first) {
        return first.clone();
    }
    let mut all: Vec<usize> = cuts.iter().flat_map(|cut| cut.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    if all.len() == 1 {
        all.push(0);
    }
    all.into()
}

impl fmt::Display for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = (0..self.ndim())
            .map(|axis| tuple(&self.sizes(axis)))
            .collect();
        f.write_str(&parenthesised(&axes))
    }
}

/// A shape as Python and ndarray write it: `()`, `(5,)`, `(3, 4)`.
pub(super) fn tuple(lengths: &[impl ToString]) -> String {
    parenthesised(&lengths.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn parenthesised(parts: &[String]) -> String {
    match parts {
        [only] => format!("({only},)"),
        parts => format!("({})", parts.join(", ")),
    }
}

/// How an array is to be cut into chunks.
///
/// What can be turned into it: a size for every axis (`10`), a size an axis
/// (`(10, 10_000)`, `[5, 5]`), every chunk's size (`vec![vec![5, 5], vec![3, 7]]`),
/// `-1` for an axis that is not cut, `"auto"` or `()` for chunks of at most
/// 128 MiB, another array's [`Chunks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkSpec {
    /// The same for every axis.
    Every(AxisSpec),
    /// One for each axis.
    Axes(Vec<AxisSpec>),
}

/// How one axis is to be cut into chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AxisSpec {
    /// Chunks of this size, the last one smaller where it has to be; -1: one chunk.
    Size(i64),
    /// Every chunk's size.
    Sizes(Vec<usize>),
    /// As large as the bytes allow.
    Auto,
    /// A text that says nothing.
    Unknown(String),
}

impl ChunkSpec {
    /// One chunk.
    pub fn whole() -> Self {
        Self::Every(AxisSpec::Size(-1))
    }

    /// Chunks of at most 128 MiB.
    pub fn auto() -> Self {
        Self::Every(AxisSpec::Auto)
    }

    /// The chunks of an array of this shape.
    ///
    /// # Errors
    /// [`Error::Shape`] where they don't fit it.
    pub fn resolve(&self, shape: &[usize], dtype: DType) -> Result<Chunks> {
        let wrong = |what: String| Error::Shape(format!("chunks {self}: {what}"));
        let axes: Vec<&AxisSpec> = match self {
            Self::Every(axis) => vec![axis; shape.len()],
            Self::Axes(axes) if axes.len() == shape.len() => axes.iter().collect(),
            Self::Axes(axes) => {
                return Err(wrong(format!(
                    "{} for an array of shape {}, expected {}",
                    counted(axes.len(), "axis", "axes"),
                    tuple(shape),
                    shape.len(),
                )));
            }
        };
        shape
            .iter()
            .try_fold(dtype.nbytes(), |size, &length| {
                size.checked_mul(length.max(1))
            })
            .filter(|&size| size <= isize::MAX as usize)
            .ok_or_else(|| {
                Error::Shape(format!(
                    "an array of shape {} has more bytes than can be counted",
                    tuple(shape)
                ))
            })?;
        let mut cut: Vec<Option<Arc<[usize]>>> = Vec::with_capacity(shape.len());
        for (number, (axis, &length)) in axes.iter().zip(shape).enumerate() {
            cut.push(match axis {
                AxisSpec::Size(-1) => Some(bounds(&[length])),
                AxisSpec::Size(size) if *size > 0 => Some(even(length, *size as usize)),
                AxisSpec::Size(size) => {
                    return Err(wrong(format!(
                        "the size along axis {number} is {size}, expected at least 1, or -1 for the whole axis"
                    )));
                }
                AxisSpec::Sizes(sizes) => {
                    let sum: usize = sizes.iter().sum();
                    if sum != length || sizes.is_empty() {
                        return Err(wrong(format!(
                            "along axis {number} they make {sum}, expected {length}"
                        )));
                    }
                    Some(bounds(sizes))
                }
                AxisSpec::Auto => None,
                AxisSpec::Unknown(_) => {
                    return Err(wrong("expected sizes, -1 or \"auto\"".to_owned()));
                }
            });
        }
        let chunks = Chunks::from_bounds(auto(cut, shape, dtype));
        let count = (0..chunks.ndim()).try_fold(1u64, |count, axis| {
            count.checked_mul(chunks.bounds(axis).len() as u64 - 1)
        });
        if count.is_none_or(|count| count >= u64::from(u32::MAX)) {
            return Err(wrong(format!(
                "more than {} for an array of shape {}, expected larger ones",
                u32::MAX,
                tuple(shape)
            )));
        }
        Ok(chunks)
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Chunks of one size; the last one may be smaller.
fn even(length: usize, size: usize) -> Arc<[usize]> {
    if length == 0 {
        return bounds(&[0]);
    }
    (0..length).step_by(size).chain([length]).collect()
}

/// Cuts the axes that are left open so that chunks are as near to cubes as
/// they can be: the shortest axis first, what it does not need is for the others.
fn auto(cut: Vec<Option<Arc<[usize]>>>, shape: &[usize], dtype: DType) -> Vec<Arc<[usize]>> {
    let fixed: usize = cut
        .iter()
        .flatten()
        .map(|bounds| {
            bounds
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .max()
                .unwrap_or(1)
                .max(1)
        })
        .product();
    let mut room = (AUTO_NBYTES / dtype.nbytes() / fixed).max(1) as f64;
    let mut open: Vec<usize> = (0..cut.len()).filter(|&axis| cut[axis].is_none()).collect();
    open.sort_by_key(|&axis| shape[axis]);
    let mut sizes = vec![0; cut.len()];
    for (done, &axis) in open.iter().enumerate() {
        let side = room.powf(1.0 / (open.len() - done) as f64);
        // A side of 511.999… elements is one of 512.
        sizes[axis] = ((side + 1e-6) as usize).clamp(1, shape[axis].max(1));
        room = (room / sizes[axis] as f64).max(1.0);
    }
    cut.into_iter()
        .enumerate()
        .map(|(axis, cut)| cut.unwrap_or_else(|| even(shape[axis], sizes[axis])))
        .collect()
}

impl fmt::Display for AxisSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => write!(f, "{size}"),
            Self::Sizes(sizes) => f.write_str(&tuple(sizes)),
            Self::Auto => f.write_str("\"auto\""),
            Self::Unknown(text) => write!(f, "{text:?}"),
        }
    }
}

impl fmt::Display for ChunkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(axis) => axis.fmt(f),
            Self::Axes(axes) => f.write_str(&tuple(axes)),
        }
    }
}

macro_rules! sizes {
    ($($integer:ty)*) => {$(
        impl From<$integer> for AxisSpec {
            fn from(size: $integer) -> Self {
                Self::Size(i64::try_from(size).unwrap_or(i64::MAX))
            }
        }

        impl From<$integer> for ChunkSpec {
            fn from(size: $integer) -> Self {
                Self::Every(size.into())
            }
        }
    )*};
}
sizes!(usize i32 i64);

impl From<&str> for AxisSpec {
    fn from(text: &str) -> Self {
        match text {
            "auto" => Self::Auto,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl From<Vec<usize>> for AxisSpec {
    fn from(sizes: Vec<usize>) -> Self {
        Self::Sizes(sizes)
    }
}

impl From<&[usize]> for AxisSpec {
    fn from(sizes: &[usize]) -> Self {
        Self::Sizes(sizes.to_vec())
    }
}

impl<const N: usize> From<[usize; N]> for AxisSpec {
    fn from(sizes: [usize; N]) -> Self {
        Self::Sizes(sizes.to_vec())
    }
}

impl From<&str> for ChunkSpec {
    fn from(text: &str) -> Self {
        Self::Every(text.into())
    }
}

impl From<()> for ChunkSpec {
    fn from((): ()) -> Self {
        Self::auto()
    }
}

impl<A: Into<AxisSpec>> From<Vec<A>> for ChunkSpec {
    fn from(axes: Vec<A>) -> Self {
        Self::Axes(axes.into_iter().map(Into::into).collect())
    }
}

impl<A: Into<AxisSpec> + Clone> From<&[A]> for ChunkSpec {
    fn from(axes: &[A]) -> Self {
        axes.to_vec().into()
    }
}

impl<A: Into<AxisSpec>, const N: usize> From<[A; N]> for ChunkSpec {
    fn from(axes: [A; N]) -> Self {
        Self::Axes(axes.into_iter().map(Into::into).collect())
    }
}

impl<A: Into<AxisSpec> + Clone, const N: usize> From<&[A; N]> for ChunkSpec {
    fn from(axes: &[A; N]) -> Self {
        axes.to_vec().into()
    }
}

impl From<&Chunks> for ChunkSpec {
    fn from(chunks: &Chunks) -> Self {
        Self::Axes(
            (0..chunks.ndim())
                .map(|axis| AxisSpec::Sizes(chunks.sizes(axis)))
                .collect(),
        )
    }
}

impl From<Chunks> for ChunkSpec {
    fn from(chunks: Chunks) -> Self {
        (&chunks).into()
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Into<AxisSpec>),*> From<($($name,)*)> for ChunkSpec {
            #[allow(non_snake_case, reason = "the type's name serves for the value")]
            fn from(($($name,)*): ($($name,)*)) -> Self {
                Self::Axes(vec![$($name.into()),*])
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
