//! Checks that every encoded value can be decoded, and that any other bytes
//! give an error.

mod frames;
mod types;

use crate::array::Chunk;
use crate::error::{Error, Result};
use crate::frame::{FrameChunk, FrameParts};
use crate::graph::{ChunkValue, Value};
use ndarray::{ArcArray, Array2, ArrayD, Axis, IxDyn, Slice, arr2};
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::{self, Read, Write};

fn round_trip(value: &Value) -> Value {
    let encoded = value.encode().unwrap();
    let decoded = encoded.decode().unwrap();
    assert_eq!(decoded.summary(), value.summary());
    assert_eq!(decoded.codec(), value.codec());
    decoded
}

/// An array's memory layout.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Standard,
    Reversed,
    EverySecond,
    Window,
    Transposed,
    Broadcast,
}

fn laid_out<T: Copy>(array: ArrayD<T>, layout: Layout) -> ArcArray<T, IxDyn> {
    let mut array = array.into_shared();
    let axes = array.ndim();
    match layout {
        Layout::Standard => {}
        Layout::Reversed => (0..axes).for_each(|axis| array.invert_axis(Axis(axis))),
        Layout::EverySecond => {
            let every_second = Slice::new(0, None, 2);
            (0..axes).for_each(|axis| array.slice_axis_inplace(Axis(axis), every_second));
        }
        Layout::Window => (0..axes).for_each(|axis| {
            let length = array.len_of(Axis(axis)) as isize;
            array.slice_axis_inplace(Axis(axis), Slice::from(length / 3..length));
        }),
        Layout::Transposed => array = array.reversed_axes(),
        Layout::Broadcast => {
            let shape: Vec<usize> = [3].into_iter().chain(array.shape().to_vec()).collect();
            array = array.broadcast(IxDyn(&shape)).unwrap().to_shared();
        }
    }
    array
}

fn layouts() -> impl Strategy<Value = Layout> {
    prop::sample::select(vec![
        Layout::Standard,
        Layout::Reversed,
        Layout::EverySecond,
        Layout::Window,
        Layout::Transposed,
        Layout::Broadcast,
    ])
}

/// The chunk's dtype, shape and elements, whatever its layout.
fn content(chunk: &Chunk) -> (String, Vec<usize>, String) {
    macro_rules! elements {
        ($($variant:ident)*) => {
            match chunk {
                $(Chunk::$variant(array) => format!("{:?}", array.iter().collect::<Vec<_>>()),)*
            }
        };
    }
    let elements = elements!(F64 F32 I64 I32 U64 U32 U8 Bool);
    (chunk.dtype().to_string(), chunk.shape().to_vec(), elements)
}

fn chunks(seed: &ArrayD<i64>, layout: Layout) -> Vec<Chunk> {
    // NaN, too.
    let float = |x: &i64| {
        if x % 7 == 0 {
            f64::NAN
        } else {
            *x as f64 / 3.0
        }
    };
    vec![
        Chunk::F64(laid_out(seed.map(float), layout)),
        Chunk::F32(laid_out(seed.map(|x| float(x) as f32), layout)),
        Chunk::I64(laid_out(seed.clone(), layout)),
        Chunk::I32(laid_out(seed.map(|x| *x as i32), layout)),
        Chunk::U64(laid_out(seed.map(|x| *x as u64), layout)),
        Chunk::U32(laid_out(seed.map(|x| *x as u32), layout)),
        Chunk::U8(laid_out(seed.map(|x| *x as u8), layout)),
        Chunk::Bool(laid_out(seed.map(|x| x % 2 == 0), layout)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arrays_come_back(
        seed in prop::collection::vec(0usize..6, 0..5).prop_flat_map(|shape| {
            let count: usize = shape.iter().product();
            prop::collection::vec(any::<i64>(), count)
                .prop_map(move |elements| ArrayD::from_shape_vec(IxDyn(&shape), elements).unwrap())
        }),
        layout in layouts(),
    ) {
        for chunk in chunks(&seed, layout) {
            let decoded = round_trip(&Value::new(chunk.clone())).into_inner::<Chunk>().unwrap();
            prop_assert_eq!(content(&decoded), content(&chunk));
        }
    }

    #[test]
    fn long_rows_come_back(rows in 1usize..4, columns in 3_000usize..10_000, layout in layouts()) {
        let seed = Array2::from_shape_fn((rows, columns), |(row, column)| {
            (row * 31 + column * 7) as i64
        });
        for chunk in chunks(&seed.into_dyn(), layout) {
            let decoded = round_trip(&Value::new(chunk.clone())).into_inner::<Chunk>().unwrap();
            prop_assert_eq!(content(&decoded), content(&chunk));
        }
    }

    #[test]
    fn other_bytes_are_an_error(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        for value in values() {
            let mut encoded = value.encode().unwrap();
            let at = at.index(encoded.bytes.len());
            encoded.bytes[at] = to;
            // The bytes may also decode to other valid values: this cannot be
            // detected.
            if let Err(error) = encoded.decode() {
                prop_assert!(matches!(error, Error::Decode(_)), "{}", error);
            }
        }
    }
}

/// Some values of each kind.
fn values() -> Vec<Value> {
    let frame = frames::frame(&[Some(1), None, Some(-3), Some(5)]);
    let mut values = vec![
        Value::new(FrameParts::new(vec![frame.clone(), frame.head(Some(0))])),
        Value::opaque(frame.clone()),
        Value::opaque(frame.columns()[3].as_materialized_series().clone()),
        Value::new(FrameChunk(frame)),
        Value::opaque(vec![1.5, 2.5]),
        Value::opaque(vec![true, false]),
        Value::opaque(vec![vec![1i64], vec![], vec![2, 3]]),
        Value::opaque("text".to_owned()),
        Value::opaque(vec!["a".to_owned(), "b".to_owned()]),
        Value::opaque(arr2(&[[1i64, 2], [3, 4]])),
        Value::opaque(HashMap::from([("a".to_owned(), 1.5)])),
        Value::opaque(Some(3u64)),
    ];
    values.extend(
        chunks(&ArrayD::zeros(IxDyn(&[2, 3])), Layout::Standard)
            .into_iter()
            .map(Value::new),
    );
    values
}

#[test]
fn truncated_bytes_are_an_error() {
    for value in values() {
        let encoded = value.encode().unwrap();
        let bytes = &encoded.bytes[..];
        let read = |mut bytes: &[u8], nbytes: usize| {
            let result = (encoded.codec.decode)(&mut bytes, nbytes as u64);
            match result {
                Err(Error::Decode(_)) => {}
                Err(error) => panic!("{value:?}: {error}"),
                Ok(other) => panic!("{value:?} of {nbytes} bytes of it: {other:?}"),
            }
        };
        for end in 0..bytes.len() {
            read(&bytes[..end], bytes.len());
            // A prefix of a vector of numbers is also a valid vector.
            let element = match &*value.summary().to_string() {
                "Vec<f64>" => Some(8),
                "Vec<bool>" => Some(1),
                _ => None,
            };
            if element.is_none_or(|size| end % size != 0) {
                read(&bytes[..end], end);
            }
        }
    }
}

#[test]
fn what_follows_a_value_is_left() {
    for value in values() {
        let encoded = value.encode().unwrap();
        let more = [&encoded.bytes[..], b"more"].concat();
        let mut from = &more[..];
        let decoded = (encoded.codec.decode)(&mut from, encoded.bytes.len() as u64).unwrap();
        assert_eq!(decoded.summary(), value.summary());
        assert_eq!(from, b"more", "{value:?}");
    }
}

/// Accepts a number of bytes, and then fails like a full disk.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::from_raw_os_error(libc::ENOSPC));
        }
        let count = bytes.len().min(self.0);
        self.0 -= count;
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_it_is() {
    for value in values() {
        let nbytes = value.encode().unwrap().bytes.len();
        for place in 0..nbytes {
            match value.encode_to(&mut Disk(place)) {
                Err(Error::Transfer { action, cause }) => {
                    assert_eq!(action, "write");
                    assert_eq!(cause.kind(), io::ErrorKind::StorageFull, "{value:?}");
                }
                other => panic!("{value:?} after {place} bytes: {other:?}"),
            }
        }
        value.encode_to(&mut Disk(nbytes)).unwrap();
    }
}

/// Returns one byte at a time, and then fails.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.0.split_first() {
            None => Err(io::ErrorKind::ConnectionReset.into()),
            Some((byte, rest)) => {
                bytes[0] = *byte;
                self.0 = rest;
                Ok(1)
            }
        }
    }
}

#[test]
fn a_reader_that_fails_is_told_as_it_is() {
    for value in values() {
        let encoded = value.encode().unwrap();
        let decode = |end: usize| {
            (encoded.codec.decode)(&mut Slow(&encoded.bytes[..end]), encoded.bytes.len() as u64)
        };
        for end in (0..encoded.bytes.len()).step_by(7) {
            match decode(end) {
                Err(Error::Transfer { action, cause }) => {
                    assert_eq!(action, "read");
                    assert_eq!(cause.kind(), io::ErrorKind::ConnectionReset, "{value:?}");
                }
                other => panic!("{value:?} after {end} bytes: {other:?}"),
            }
        }
        assert_eq!(
            decode(encoded.bytes.len()).unwrap().summary(),
            value.summary()
        );
    }
}

#[test]
fn errors_of_bytes_say_what_they_are_no() {
    let chunk = Chunk::F64(ArcArray::zeros(IxDyn(&[2, 3])));
    let mut bytes = Vec::new();
    chunk.encode(&mut bytes).unwrap();
    let message = |result: Result<Chunk>| result.unwrap_err().to_string();
    assert_eq!(
        message(Chunk::decode(&mut &bytes[..], 20)),
        "cannot decode an array: found 2 bytes for the shape [2, 3], expected 48"
    );
    bytes[0] = 200;
    assert_eq!(
        message(Chunk::decode(&mut &bytes[..], bytes.len() as u64)),
        "cannot decode an array: unknown element type 200"
    );
}
