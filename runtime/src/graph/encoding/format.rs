//! How values of Rust types are encoded, and how their bytes are counted.

use super::elements::{self, Plain, read_shape, write_array, write_shape};
use super::{Noting, ipc, unread, unwritten};
use crate::error::{Error, Result};
use crate::graph::short_type_name;
use ndarray::{Array, ArrayD, Dimension, IxDyn};
use polars::prelude::{DataFrame, Series};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, BufWriter, Read, Write};

/// A way to write and read values of a type.
pub(super) trait Format<T>: 'static {
    fn write(value: &T, to: &mut dyn Write) -> Result<()>;
    fn read(from: &mut dyn Read, nbytes: u64) -> Result<T>;
}

/// A way to count a value's bytes in memory.
pub(super) trait Size<T>: 'static {
    fn nbytes(value: &T) -> usize;
}

/// Encodes with postcard, through serde.
pub(super) struct Postcard;

/// Encodes numbers as their bytes in memory.
pub(super) struct Bulk;

/// Encodes as Arrow IPC.
pub(super) struct Ipc;

/// Counts the memory that the value reports to own.
pub(super) struct Owned;

/// Estimates the owned memory by the length of the encoding, for types that do
/// not report it.
pub(super) struct Serialized;

impl<T: Serialize + DeserializeOwned> Format<T> for Postcard {
    fn write(value: &T, to: &mut dyn Write) -> Result<()> {
        const BUFFER: usize = 64 << 10;
        let mut to = Noting::new(to);
        let written = postcard::to_io(value, BufWriter::with_capacity(BUFFER, &mut to)).map(drop);
        written.map_err(|error| {
            to.failure(|| {
                let name = short_type_name(type_name::<T>());
                Error::Encode(format!("a value of type {name}: {error}"))
            })
        })
    }

    fn read(from: &mut dyn Read, nbytes: u64) -> Result<T> {
        let name = || short_type_name(type_name::<T>());
        let mut bytes = Vec::new();
        from.take(nbytes)
            .read_to_end(&mut bytes)
            .map_err(|cause| unread(&name(), cause))?;
        let wrong = |what: &str| Error::Decode(format!("a value of type {}: {what}", name()));
        match postcard::take_from_bytes(&bytes) {
            Ok((value, [])) if bytes.len() as u64 == nbytes => Ok(value),
            Ok((_, rest)) => Err(wrong(&format!("{} bytes too many", rest.len()))),
            Err(error) => Err(wrong(&error.to_string())),
        }
    }
}

impl<T: Plain> Format<Vec<T>> for Bulk {
    fn write(value: &Vec<T>, to: &mut dyn Write) -> Result<()> {
        elements::write(value, to).map_err(unwritten)
    }

    fn read(from: &mut dyn Read, nbytes: u64) -> Result<Vec<T>> {
        let what = "a vector of numbers";
        let size = size_of::<T>() as u64;
        if !nbytes.is_multiple_of(size) {
            return Err(Error::Decode(format!(
                "{what}: found {nbytes} bytes, expected a multiple of {size}"
            )));
        }
        elements::read(what, from, (nbytes / size) as usize)
    }
}

/// Writes the number of vectors, the length of each, and then all elements.
impl<T: Plain> Format<Vec<Vec<T>>> for Bulk {
    fn write(value: &Vec<Vec<T>>, to: &mut dyn Write) -> Result<()> {
        let lengths: Vec<u64> = std::iter::once(value.len())
            .chain(value.iter().map(Vec::len))
            .map(|length| length as u64)
            .collect();
        elements::write(&lengths, to).map_err(unwritten)?;
        let mut to = BufWriter::with_capacity(32 << 10, to);
        for part in value {
            elements::write(part, &mut to).map_err(unwritten)?;
        }
        to.flush().map_err(unwritten)
    }

    fn read(from: &mut dyn Read, nbytes: u64) -> Result<Vec<Vec<T>>> {
        let what = "a vector of vectors";
        let wrong = || Error::Decode(format!("{what}: the lengths do not fit {nbytes} bytes"));
        let count = elements::read::<u64>(what, from, 1)?[0];
        let rest = count
            .checked_add(1)
            .and_then(|count| count.checked_mul(8))
            .and_then(|lengths| nbytes.checked_sub(lengths))
            .ok_or_else(wrong)?;
        let lengths = elements::read::<u64>(what, from, count as usize)?;
        let total = lengths
            .iter()
            .try_fold(0u64, |total, &length| total.checked_add(length))
            .and_then(|total| total.checked_mul(size_of::<T>() as u64));
        if total != Some(rest) {
            return Err(wrong());
        }
        let mut from = BufReader::with_capacity(32 << 10, from.take(rest));
        lengths
            .iter()
            .map(|&length| elements::read(what, &mut from, length as usize))
            .collect()
    }
}

impl<T: Plain, D: Dimension> Format<Array<T, D>> for Bulk {
    fn write(value: &Array<T, D>, to: &mut dyn Write) -> Result<()> {
        write_shape(value.shape(), to)?;
        write_array(value.view().into_dyn(), to).map_err(unwritten)
    }

    fn read(from: &mut dyn Read, nbytes: u64) -> Result<Array<T, D>> {
        let (shape, count) = read_shape(from, nbytes, size_of::<T>())?;
        let elements = elements::read("an array", from, count)?;
        ArrayD::from_shape_vec(IxDyn(&shape), elements)
            .and_then(ArrayD::into_dimensionality)
            .map_err(|error| Error::Decode(format!("an array of shape {shape:?}: {error}")))
    }
}

impl Format<DataFrame> for Ipc {
    fn write(value: &DataFrame, to: &mut dyn Write) -> Result<()> {
        ipc::write(value, to)
    }

    fn read(from: &mut dyn Read, nbytes: u64) -> Result<DataFrame> {
        ipc::read(from, nbytes)
    }
}

impl Format<Series> for Ipc {
    fn write(value: &Series, to: &mut dyn Write) -> Result<()> {
        ipc::write(&value.clone().into_frame(), to)
    }

    fn read(from: &mut dyn Read, nbytes: u64) -> Result<Series> {
        match ipc::read(from, nbytes)?.columns() {
            [column] => Ok(column.as_materialized_series().clone()),
            columns => Err(Error::Decode(format!(
                "a series: found {} columns, expected one",
                columns.len()
            ))),
        }
    }
}

impl<T: Heap> Size<T> for Owned {
    fn nbytes(value: &T) -> usize {
        size_of::<T>() + value.heap()
    }
}

impl<T: Serialize> Size<T> for Serialized {
    fn nbytes(value: &T) -> usize {
        let serialized = postcard::experimental::serialized_size(value);
        size_of::<T>() + serialized.unwrap_or(0)
    }
}

/// A value that can report how many bytes of the heap it owns.
pub(super) trait Heap {
    fn heap(&self) -> usize;
}

macro_rules! no_heap {
    ($($type:ty)*) => {$(
        impl Heap for $type {
            fn heap(&self) -> usize {
                0
            }
        }
    )*};
}
no_heap!(() f64 f32 i128 i64 i32 i16 i8 isize u128 u64 u32 u16 u8 usize bool char);

impl Heap for String {
    fn heap(&self) -> usize {
        self.capacity()
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap(&self) -> usize {
        let items = if std::mem::needs_drop::<T>() {
            self.iter().map(T::heap).sum()
        } else {
            0
        };
        self.capacity() * size_of::<T>() + items
    }
}

impl<T: Heap> Heap for Option<T> {
    fn heap(&self) -> usize {
        self.as_ref().map_or(0, T::heap)
    }
}

impl<A: Heap, B: Heap> Heap for (A, B) {
    fn heap(&self) -> usize {
        self.0.heap() + self.1.heap()
    }
}

impl<A: Heap, B: Heap, C: Heap> Heap for (A, B, C) {
    fn heap(&self) -> usize {
        self.0.heap() + self.1.heap() + self.2.heap()
    }
}

impl<K: Heap, V: Heap> Heap for HashMap<K, V> {
    fn heap(&self) -> usize {
        let entries: usize = self
            .iter()
            .map(|(key, value)| key.heap() + value.heap())
            .sum();
        // One control byte per entry.
        self.capacity() * (size_of::<(K, V)>() + 1) + entries
    }
}

impl<K: Heap, V: Heap> Heap for BTreeMap<K, V> {
    fn heap(&self) -> usize {
        let entries: usize = self
            .iter()
            .map(|(key, value)| key.heap() + value.heap())
            .sum();
        // Nodes are between half full and full.
        self.len() * size_of::<(K, V)>() * 4 / 3 + entries
    }
}

impl<T, D: Dimension> Heap for Array<T, D> {
    fn heap(&self) -> usize {
        self.len() * size_of::<T>()
    }
}

impl Heap for DataFrame {
    fn heap(&self) -> usize {
        self.estimated_size()
    }
}

impl Heap for Series {
    fn heap(&self) -> usize {
        self.estimated_size()
    }
}
