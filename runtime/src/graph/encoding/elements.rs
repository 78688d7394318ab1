//! Encodes elements of plain types, which make up the bulk of arrays.
//!
//! The encoding equals the memory layout, row-major and little-endian, so
//! nothing is converted or copied.

use super::unread;
use crate::error::{Error, Result};
use bytemuck::checked::try_cast_slice;
use ndarray::{ArrayViewD, Axis};
use std::io::{self, Read, Write};

/// The number of bytes that are gathered at a time if elements are not
/// contiguous.
const BLOCK: usize = 32 << 10;

/// A type whose values are encoded as their bytes in memory.
pub(crate) trait Plain: bytemuck::NoUninit + Default + Send + Sync {
    /// Converts the element's bytes to little-endian order, and back.
    fn little_endian(self) -> Self;

    /// Reads `count` elements. The caller has checked that enough bytes exist.
    fn read(from: &mut dyn Read, count: usize) -> io::Result<Vec<Self>>;
}

macro_rules! plain {
    ($($type:ty: |$element:ident| $swapped:expr;)*) => {$(
        impl Plain for $type {
            #[inline]
            fn little_endian(self) -> Self {
                let $element = self;
                $swapped
            }

            fn read(from: &mut dyn Read, count: usize) -> io::Result<Vec<Self>> {
                let mut elements = vec![Self::default(); count];
                from.read_exact(bytemuck::cast_slice_mut(&mut elements))?;
                if cfg!(target_endian = "big") {
                    for element in &mut elements {
                        *element = element.little_endian();
                    }
                }
                Ok(elements)
            }
        }
    )*};
}
plain! {
    f64: |x| Self::from_bits(x.to_bits().to_le());
    f32: |x| Self::from_bits(x.to_bits().to_le());
    i128: |x| x.to_le();
    i64: |x| x.to_le();
    i32: |x| x.to_le();
    i16: |x| x.to_le();
    i8: |x| x;
    isize: |x| x.to_le();
    u128: |x| x.to_le();
    u64: |x| x.to_le();
    u32: |x| x.to_le();
    u16: |x| x.to_le();
    u8: |x| x;
    usize: |x| x.to_le();
}

impl Plain for bool {
    #[inline]
    fn little_endian(self) -> Self {
        self
    }

    /// Reads in blocks and validates each block, because not every byte is a
    /// valid truth value.
    fn read(from: &mut dyn Read, count: usize) -> io::Result<Vec<Self>> {
        let mut elements = Vec::with_capacity(count);
        let mut block = [0u8; BLOCK];
        while elements.len() < count {
            let bytes = &mut block[..BLOCK.min(count - elements.len())];
            from.read_exact(bytes)?;
            let block: &[bool] = try_cast_slice(bytes).map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a truth value that is neither 0 nor 1",
                )
            })?;
            elements.extend_from_slice(block);
        }
        Ok(elements)
    }
}

/// Writes contiguous elements.
pub(crate) fn write<T: Plain>(elements: &[T], to: &mut dyn Write) -> io::Result<()> {
    if cfg!(target_endian = "little") {
        return to.write_all(bytemuck::cast_slice(elements));
    }
    for block in elements.chunks(BLOCK / size_of::<T>()) {
        let block: Vec<T> = block
            .iter()
            .map(|element| element.little_endian())
            .collect();
        to.write_all(bytemuck::cast_slice(&block))?;
    }
    Ok(())
}

/// Writes an array's elements in row-major order, whatever its memory layout.
pub(crate) fn write_array<T: Plain>(
    array: ArrayViewD<'_, T>,
    to: &mut dyn Write,
) -> io::Result<()> {
    if let Some(elements) = array.as_slice() {
        return write(elements, to);
    }
    let capacity = BLOCK / size_of::<T>();
    let mut block: Vec<T> = Vec::with_capacity(capacity);
    // An array that is not contiguous has at least one axis.
    for row in array.lanes(Axis(array.ndim() - 1)) {
        match row.to_slice() {
            Some(row) if row.len() >= capacity => {
                write(&block, to)?;
                block.clear();
                write(row, to)?;
            }
            Some(row) => {
                if block.len() + row.len() > capacity {
                    write(&block, to)?;
                    block.clear();
                }
                block.extend_from_slice(row);
            }
            None => {
                for &element in row {
                    if block.len() == capacity {
                        write(&block, to)?;
                        block.clear();
                    }
                    block.push(element);
                }
            }
        }
    }
    write(&block, to)
}

/// Writes the number of axes (a byte) and the elements along each (8 bytes).
pub(crate) fn write_shape(shape: &[usize], to: &mut dyn Write) -> Result<()> {
    let ndim = u8::try_from(shape.len())
        .map_err(|_| Error::Encode("an array of more than 255 axes".to_owned()))?;
    let mut header = Vec::with_capacity(1 + 8 * shape.len());
    header.push(ndim);
    for &length in shape {
        header.extend((length as u64).to_le_bytes());
    }
    to.write_all(&header).map_err(super::unwritten)
}

/// Reads a shape, for elements of `size` bytes that fill the rest of `nbytes`.
/// Returns the shape and the number of elements.
pub(crate) fn read_shape(
    from: &mut dyn Read,
    nbytes: u64,
    size: usize,
) -> Result<(Vec<usize>, usize)> {
    let wrong = |what: String| Error::Decode(format!("an array: {what}"));
    let mut ndim = [0];
    from.read_exact(&mut ndim)
        .map_err(|cause| unread("an array", cause))?;
    let mut shape = vec![0u64; ndim[0].into()];
    from.read_exact(bytemuck::cast_slice_mut(&mut shape))
        .map_err(|cause| unread("an array", cause))?;
    let shape: Vec<usize> = shape.iter().map(|&n| u64::from_le(n) as usize).collect();
    let expected = shape
        .iter()
        .try_fold(size, |size, &length| size.checked_mul(length))
        .ok_or_else(|| wrong(format!("the shape {shape:?} is too large")))?;
    let found = nbytes.checked_sub(1 + 8 * shape.len() as u64);
    if found != Some(expected as u64) {
        return Err(wrong(format!(
            "found {} bytes for the shape {shape:?}, expected {expected}",
            found.unwrap_or(0),
        )));
    }
    Ok((shape, expected / size))
}

/// Reads elements; `what` names the value in errors (`an array`).
pub(crate) fn read<T: Plain>(what: &str, from: &mut dyn Read, count: usize) -> Result<Vec<T>> {
    T::read(from, count).map_err(|cause| {
        if cause.kind() == io::ErrorKind::InvalidData {
            Error::Decode(format!("{what}: {cause}"))
        } else {
            unread(what, cause)
        }
    })
}
