//! The cuts of an array into chunks.

use super::dtype::DType;
use crate::error::{Error, Result};
use crate::graph::{Fingerprint, Grid, Sizes};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The maximum size of `auto` chunks.
const AUTO_NBYTES: usize = 128 << 20;

/// The positions where the chunks of an array begin and end, along each axis.
///
/// Chunks can differ in size, and can be empty. Sizes that depend on the data, such as
/// those of `x.get(&mask)`, are known only after
/// [`Array::compute_chunk_sizes`](super::Array::compute_chunk_sizes). The display lists
/// the sizes along each axis: `((5, 5, 5), (10, 5))`, or `((?, ?, ?), (10, 5))`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunks {
    cuts: Vec<Cut>,
}

/// The positions where the chunks begin and end along one axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cut {
    /// 0, then the end of each chunk, or its upper limit.
    bounds: Arc<[usize]>,
    /// If the sizes are not known, the identity of the data that they depend on. Cuts that
    /// depend on the same data are equal.
    follows: Option<u128>,
}

impl Cut {
    /// Returns a cut with unknown sizes. `bounds` are the upper limits of the chunks' ends,
    /// and `follows` is the identity of the data that the sizes depend on.
    pub(super) fn unknown(bounds: Arc<[usize]>, follows: u128) -> Self {
        Self {
            bounds,
            follows: Some(follows),
        }
    }

    /// Returns the cut into chunks of these sizes.
    pub(super) fn of(sizes: &[usize]) -> Self {
        bounds(sizes).into()
    }

    pub(super) fn is_known(&self) -> bool {
        self.follows.is_none()
    }

    /// Returns the number of chunks.
    pub(super) fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Returns the chunks' sizes, or their upper limits.
    pub(super) fn at_most(&self) -> Vec<usize> {
        let pairs = self.bounds.windows(2);
        pairs.map(|pair| pair[1] - pair[0]).collect()
    }

    /// Returns the length of all chunks together, if it is known.
    pub(super) fn length(&self) -> Option<usize> {
        let length = self.bounds[self.bounds.len() - 1];
        self.is_known().then_some(length)
    }

    pub(super) fn to_length(&self) -> Length {
        match self.follows {
            None => Length::Known(self.bounds[self.bounds.len() - 1]),
            Some(follows) => Length::Unknown(follows),
        }
    }

    /// Returns the same chunks in reverse order.
    pub(super) fn reversed(&self) -> Self {
        let mut sizes = self.at_most();
        sizes.reverse();
        Self {
            bounds: bounds(&sizes),
            follows: self.follows.map(|follows| {
                let mut fingerprint = Fingerprint::new();
                fingerprint.text("reversed").bytes(&follows.to_le_bytes());
                fingerprint.finish()
            }),
        }
    }

    /// Returns the chunks of several cuts, one after the other.
    pub(super) fn chained(cuts: &[&Self]) -> Self {
        let sizes: Vec<usize> = cuts.iter().flat_map(|cut| cut.at_most()).collect();
        if cuts.iter().all(|cut| cut.is_known()) {
            return Self::of(&sizes);
        }
        let mut fingerprint = Fingerprint::new();
        for cut in cuts {
            let text = format!("{:?} {:?}", cut.follows, cut.bounds);
            fingerprint.text(&text);
        }
        Self::unknown(bounds(&sizes), fingerprint.finish())
    }
}

/// The length of an axis, for comparisons with other axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// The number of elements.
    Known(usize),
    /// An unknown number, which depends on the data with this identity.
    Unknown(u128),
}

impl Length {
    pub(super) const ONE: Self = Self::Known(1);
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(length) => length.fmt(f),
            Self::Unknown(_) => f.write_str("?"),
        }
    }
}

impl From<Arc<[usize]>> for Cut {
    fn from(bounds: Arc<[usize]>) -> Self {
        Self {
            bounds,
            follows: None,
        }
    }
}

impl Chunks {
    /// Creates chunks of the given sizes along each axis.
    pub fn new(sizes: impl IntoIterator<Item = impl AsRef<[usize]>>) -> Self {
        Self::from_cuts(sizes.into_iter().map(|sizes| Cut::of(sizes.as_ref())))
    }

    /// Creates one chunk for an array of this shape.
    pub fn whole(shape: &[usize]) -> Self {
        Self::new(shape.iter().map(|&length| [length]))
    }

    pub(super) fn from_cuts(cuts: impl IntoIterator<Item = impl Into<Cut>>) -> Self {
        Self {
            cuts: cuts.into_iter().map(Into::into).collect(),
        }
    }

    pub(super) fn cut(&self, axis: usize) -> &Cut {
        &self.cuts[axis]
    }

    pub(super) fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// Returns, for an axis, 0 and then the end of each chunk.
    ///
    /// **Panics** if they are not known.
    #[track_caller]
    pub(super) fn bounds(&self, axis: usize) -> &Arc<[usize]> {
        if let Err(error) = self.known(axis) {
            error.raise();
        }
        &self.cuts[axis].bounds
    }

    /// Checks that the sizes along an axis are known.
    fn known(&self, axis: usize) -> Result<()> {
        match self.cuts[axis].is_known() {
            true => Ok(()),
            false => Err(Error::Shape(format!(
                "the sizes of the chunks along axis {axis} of an array of shape {} depend on the data and are not known yet: compute them first with `.compute_chunk_sizes()?`",
                self.shape_text()
            ))),
        }
    }

    /// Returns whether the size of every chunk is known.
    pub fn are_known(&self) -> bool {
        self.cuts.iter().all(Cut::is_known)
    }

    /// Checks that the size of every chunk is known.
    ///
    /// # Errors
    /// Returns [`Error::Shape`] if one is not known.
    pub(super) fn all_known(&self) -> Result<()> {
        self.known_along(&(0..self.ndim()).collect::<Vec<_>>())
    }

    /// Checks that the size of every chunk is known along some axes.
    ///
    /// # Errors
    /// Returns [`Error::Shape`] if one is not known.
    pub(super) fn known_along(&self, axes: &[usize]) -> Result<()> {
        axes.iter().try_for_each(|&axis| self.known(axis))
    }

    /// Returns these chunks with the given shapes, which were computed, row-major.
    pub(super) fn found<'a>(&self, shapes: impl Iterator<Item = &'a [usize]>) -> Self {
        let grid = self.grid();
        let mut sizes: Vec<Vec<usize>> = self.cuts.iter().map(Cut::at_most).collect();
        for (linear, shape) in (0..).zip(shapes) {
            for (axis, at) in grid.index(linear).into_iter().enumerate() {
                sizes[axis][at as usize] = shape[axis];
            }
        }
        Self::new(sizes)
    }

    /// Returns the number of axes.
    pub fn ndim(&self) -> usize {
        self.cuts.len()
    }

    /// Returns the array's shape.
    ///
    /// **Panics** if it is not known.
    #[track_caller]
    pub fn shape(&self) -> Vec<usize> {
        if let Err(error) = self.all_known() {
            error.raise();
        }
        self.lengths().into_iter().flatten().collect()
    }

    /// Returns the length of each axis, if it is known.
    pub fn lengths(&self) -> Vec<Option<usize>> {
        self.cuts.iter().map(Cut::length).collect()
    }

    /// Formats the shape, with `?` for an unknown length: `(?, 3)`.
    pub fn shape_text(&self) -> String {
        let lengths = self.lengths().into_iter();
        let texts =
            lengths.map(|length| length.map_or("?".to_owned(), |length| length.to_string()));
        parenthesised(&texts.collect::<Vec<_>>())
    }

    /// Returns the chunks' sizes along an axis.
    ///
    /// **Panics** if the axis is out of range, or the sizes are not known.
    #[track_caller]
    pub fn sizes(&self, axis: usize) -> Vec<usize> {
        self.bounds(axis);
        self.cuts[axis].at_most()
    }

    /// Returns the chunks' sizes along an axis, or their upper limits.
    pub(crate) fn at_most(&self, axis: usize) -> Vec<usize> {
        self.cuts[axis].at_most()
    }

    /// Returns the largest chunk's size along each axis, or its upper limit.
    pub fn largest(&self) -> Vec<usize> {
        let largest = |cut: &Cut| cut.at_most().into_iter().max().unwrap_or(0);
        self.cuts.iter().map(largest).collect()
    }

    /// Returns the number of chunks.
    pub fn count(&self) -> usize {
        self.cuts.iter().map(Cut::count).product()
    }

    /// Returns the number of chunks along each axis.
    pub fn grid(&self) -> Grid {
        Grid::new(self.cuts.iter().map(|cut| cut.count() as u32))
    }

    /// Returns the range of the array's elements in a chunk, along an axis, or `None` if it
    /// is not known.
    pub(super) fn range(&self, axis: usize, at: u32) -> Option<Range<usize>> {
        let cut = &self.cuts[axis];
        cut.is_known()
            .then(|| cut.bounds[at as usize]..cut.bounds[at as usize + 1])
    }

    /// Returns the range of the array's elements in a chunk, along each axis.
    ///
    /// **Panics** if it is not known.
    #[track_caller]
    pub fn ranges(&self, index: &[u32]) -> Vec<Range<usize>> {
        (0..self.ndim())
            .map(|axis| {
                let bounds = self.bounds(axis);
                bounds[index[axis] as usize]..bounds[index[axis] as usize + 1]
            })
            .collect()
    }

    /// Returns a chunk's shape.
    ///
    /// **Panics** if it is not known.
    #[track_caller]
    pub fn chunk_shape(&self, index: &[u32]) -> Vec<usize> {
        self.ranges(index)
            .iter()
            .map(ExactSizeIterator::len)
            .collect()
    }

    /// Returns the size of each chunk, in bytes.
    pub(super) fn nbytes(&self, dtype: DType) -> Sizes {
        if !self.are_known() {
            return Sizes::Unknown;
        }
        let even = |cut: &Cut| {
            let length = cut.bounds.get(1).copied().unwrap_or(0);
            cut.bounds
                .windows(2)
                .all(|pair| pair[1] - pair[0] == length)
                .then_some(length)
        };
        let lengths: Option<Vec<usize>> = self.cuts.iter().map(even).collect();
        let nbytes = move |lengths: &[usize]| {
            lengths.iter().product::<usize>() as u64 * dtype.nbytes() as u64
        };
        if let Some(lengths) = lengths {
            return Sizes::Each(nbytes(&lengths));
        }
        let (chunks, grid) = (self.clone(), self.grid());
        Sizes::By(Arc::new(move |linear| {
            nbytes(&chunks.chunk_shape(&grid.index(linear)))
        }))
    }

    /// Returns the chunks along an axis that contain elements of a range.
    pub(super) fn overlapping(&self, axis: usize, range: &Range<usize>) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        let bounds = self.bounds(axis);
        let first = bounds.partition_point(|&bound| bound <= range.start) - 1;
        first..bounds.partition_point(|&bound| bound < range.end)
    }

    pub(super) fn without(&self, axes: &[usize]) -> Self {
        let kept = self.cuts.iter().enumerate();
        let kept = kept.filter(|(axis, _)| !axes.contains(axis));
        Self::from_cuts(kept.map(|(_, cut)| cut.clone()))
    }
}

pub(super) fn bounds(sizes: &[usize]) -> Arc<[usize]> {
    let ends = sizes.iter().scan(0, |end, size| {
        *end += size;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Returns the coarsest cut that is at least as fine as each of the given cuts, which have
/// the same length. Cuts with unknown sizes must be equal.
pub(super) fn common_cut(cuts: &[&Cut]) -> Cut {
    let first = cuts[0];
    if cuts.iter().all(|cut| cut == &first) {
        return first.clone();
    }
    debug_assert!(cuts.iter().all(|cut| cut.is_known()));
    let bounds = cuts.iter().flat_map(|cut| cut.bounds.iter().copied());
    let mut all: Vec<usize> = bounds.collect();
    all.sort_unstable();
    all.dedup();
    if all.len() == 1 {
        all.push(0);
    }
    Arc::<[usize]>::from(all).into()
}

impl fmt::Display for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = |cut: &Cut| match cut.is_known() {
            true => tuple(&cut.at_most()),
            false => tuple(&vec!["?"; cut.count()]),
        };
        let axes: Vec<String> = self.cuts.iter().map(sizes).collect();
        f.write_str(&parenthesised(&axes))
    }
}

/// Formats a shape like Python and ndarray: `()`, `(5,)`, `(3, 4)`.
pub(super) fn tuple(lengths: &[impl ToString]) -> String {
    parenthesised(&lengths.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn parenthesised(parts: &[String]) -> String {
    match parts {
        [only] => format!("({only},)"),
        parts => format!("({})", parts.join(", ")),
    }
}

/// A specification of an array's chunks.
///
/// It can be converted from a size for every axis (`10`), one size for each axis
/// (`(10, 10_000)`, `[5, 5]`), the size of every chunk (`vec![vec![5, 5], vec![3, 7]]`),
/// `-1` for an axis in one chunk, `"auto"` or `()` for chunks of at most 128 MiB, and
/// another array's [`Chunks`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkSpec {
    /// The same specification for every axis.
    Every(AxisSpec),
    /// A specification for each axis.
    Axes(Vec<AxisSpec>),
}

/// A specification of the chunks along one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AxisSpec {
    /// Chunks of this size, where the last one may be smaller; -1 for one chunk.
    Size(i64),
    /// The size of every chunk.
    Sizes(Vec<usize>),
    /// As large as the maximum size in bytes allows.
    Auto,
    /// An invalid text.
    Unknown(String),
}

impl ChunkSpec {
    /// Specifies one chunk.
    pub fn whole() -> Self {
        Self::Every(AxisSpec::Size(-1))
    }

    /// Specifies chunks of at most 128 MiB.
    pub fn auto() -> Self {
        Self::Every(AxisSpec::Auto)
    }

    /// Returns the chunks of an array of this shape.
    ///
    /// # Errors
    /// Returns [`Error::Shape`] if the specification does not fit the shape.
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
                    "an array of shape {} is too large: expected at most isize::MAX bytes",
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
                            "the sizes along axis {number} add up to {sum}, expected {length}"
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
        let chunks = Chunks::from_cuts(auto(cut, shape, dtype));
        let count = (0..chunks.ndim()).try_fold(1u64, |count, axis| {
            count.checked_mul(chunks.bounds(axis).len() as u64 - 1)
        });
        if count.is_none_or(|count| count >= u64::from(u32::MAX)) {
            return Err(wrong(format!(
                "more than {} chunks for an array of shape {}: make the chunks larger",
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

/// Returns chunks of one size. The last one may be smaller.
fn even(length: usize, size: usize) -> Arc<[usize]> {
    if length == 0 {
        return bounds(&[0]);
    }
    (0..length).step_by(size).chain([length]).collect()
}

/// Cuts the axes without a specification so that the chunks are as cubic as possible.
/// It starts with the shortest axis. Size that an axis does not use is left for the others.
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
        // A side of 511.999… elements is meant to be 512.
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
