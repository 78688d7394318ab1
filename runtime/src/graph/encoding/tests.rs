//! Whatever is encoded comes back; whatever else is read is an error.

use super::encodable;
use crate::array::Chunk;
use crate::error::{Error, Result};
use crate::frame::{Frame, FrameChunk, FrameParts};
use crate::graph::{ChunkValue, Value};
use ndarray::{ArcArray, Array2, ArrayD, Axis, IxDyn, Slice, arr1, arr2};
use polars::prelude::{
    AnyValue, BinaryChunked, Column, DataType, IntoColumn, NamedFrom, NewChunkedArray, PlSmallStr,
    Series, SortMultipleOptions, TimeUnit, df,
};
use polars::series::IsSorted;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
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
    fn frames_come_back(
        rows in prop::collection::vec(prop::option::weighted(0.8, any::<i32>()), 0..40),
        more in prop::collection::vec(prop::option::weighted(0.8, any::<i32>()), 0..40),
        (start, length) in (0usize..50, 0usize..50),
    ) {
        let one = frame(&rows);
        let mut two = one.clone();
        two.vstack_mut(&frame(&more)).unwrap();
        // A column of other chunks than the others.
        let mut uneven = two.clone();
        let first = uneven.columns()[0].rechunk().with_name("even".into());
        uneven.with_column(first).unwrap();
        for frame in [
            one.slice(start as i64, length),
            two.slice(start as i64, length),
            one.head(Some(0)),
            one,
            two,
            uneven,
        ] {
            same(&frame, &round_trip_frame(&frame));
        }
    }

    #[test]
    fn other_bytes_are_an_error(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        for value in values() {
            let mut encoded = value.encode().unwrap();
            let at = at.index(encoded.bytes.len());
            encoded.bytes[at] = to;
            // Other values are as good as the ones before: nothing tells.
            if let Err(error) = encoded.decode() {
                prop_assert!(matches!(error, Error::Decode(_)), "{}", error);
            }
        }
    }
}

/// Columns of all types, with nulls.
fn frame(seed: &[Option<i32>]) -> Frame {
    let ints = |name: &str| Column::new(name.into(), seed);
    let text = |x: &i32| "long enough not to be inlined ".repeat((x % 3) as usize) + &x.to_string();
    let texts: Vec<Option<String>> = seed
        .iter()
        .map(|x| x.as_ref().map(|x| text(&x.abs())))
        .collect();
    let binary: Vec<Option<Vec<u8>>> = texts
        .iter()
        .map(|x| x.clone().map(String::into_bytes))
        .collect();
    let floats: Vec<Option<f64>> = seed
        .iter()
        .map(|x| x.map(|x| if x % 5 == 0 { f64::NAN } else { f64::from(x) }))
        .collect();
    // Of nothing but nulls Polars does not know what the lists are of.
    let list = |name: &str, lists: Vec<Option<Series>>, inner: DataType| {
        let lists = Column::new(name.into(), lists);
        lists.cast(&DataType::List(Box::new(inner))).unwrap()
    };
    let some_texts = |text: &Option<String>| {
        let text = text.as_deref()?;
        Some(Series::new(PlSmallStr::EMPTY, [text, "", "b"]))
    };
    let lists = list(
        "texts",
        texts.iter().map(some_texts).collect(),
        DataType::String,
    );
    let some_numbers = |n: i64| (n % 5 != 4).then(|| Series::from_iter(0..n % 5));
    let numbers = (0..seed.len() as i64).map(some_numbers).collect();
    let numbers = list("numbers", numbers, DataType::Int64);
    let cast = |name: &str, dtype: DataType| ints(name).cast(&dtype).unwrap();
    let mut columns = vec![
        Column::new(
            "bool".into(),
            seed.iter()
                .map(|x| x.map(|x| x % 2 == 0))
                .collect::<Vec<_>>(),
        ),
        Column::new("f64".into(), &floats),
        Column::new("f32".into(), floats)
            .cast(&DataType::Float32)
            .unwrap(),
        Column::new("text".into(), texts),
        BinaryChunked::from_iter_options("binary".into(), binary.into_iter()).into_column(),
        lists,
        numbers,
        Column::new_scalar("same".into(), 7i64.into(), seed.len()),
        Column::full_null("null".into(), seed.len(), &DataType::Null),
        cast("date", DataType::Date),
        cast("time", DataType::Int64).cast(&DataType::Time).unwrap(),
    ];
    for dtype in [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
    ] {
        columns.push(cast(&dtype.to_string(), dtype));
    }
    for unit in [
        TimeUnit::Nanoseconds,
        TimeUnit::Microseconds,
        TimeUnit::Milliseconds,
    ] {
        columns.push(cast(
            &format!("datetime {unit}"),
            DataType::Datetime(unit, None),
        ));
        columns.push(cast(&format!("duration {unit}"), DataType::Duration(unit)));
    }
    Frame::new(seed.len(), columns).unwrap()
}

fn round_trip_frame(frame: &Frame) -> Frame {
    let value = Value::new(FrameChunk(frame.clone()));
    round_trip(&value).into_inner::<FrameChunk>().unwrap().0
}

#[track_caller]
fn same(a: &Frame, b: &Frame) {
    assert_eq!(a.schema(), b.schema());
    assert_eq!(a.height(), b.height());
    assert!(a.equals_missing(b), "{a}\n{b}");
    for (a, b) in a.columns().iter().zip(b.columns()) {
        // Nothing but nulls is always in order, and Polars does not note it.
        if *a.dtype() != DataType::Null {
            assert_eq!(a.is_sorted_flag(), b.is_sorted_flag(), "{}", a.name());
        }
    }
}

/// Some values of each kind.
fn values() -> Vec<Value> {
    let frame = frame(&[Some(1), None, Some(-3), Some(5)]);
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
            // Some values are a shorter one and more.
            if !matches!(&*value.summary().to_string(), "Vec<f64>" | "Vec<bool>")
                || end % 8 != 0 && !encoded.codec.tag.contains("bool")
            {
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

/// Takes so many bytes, and then the disk is full.
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

/// Gives a byte at a time, and then fails.
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
fn frames_without_columns_or_rows_come_back() {
    for frame in [
        Frame::empty(),
        Frame::empty_with_height(5),
        df!("a" => Vec::<i64>::new(), "b" => Vec::<String>::new()).unwrap(),
    ] {
        same(&frame, &round_trip_frame(&frame));
    }
    let parts = FrameParts::new(vec![Frame::empty_with_height(5), Frame::empty()]);
    let decoded = round_trip(&Value::new(parts))
        .into_inner::<FrameParts>()
        .unwrap();
    assert_eq!(decoded.pieces()[0].height(), 5);
    assert_eq!(decoded.pieces()[1].height(), 0);
}

#[test]
fn sorted_columns_stay_sorted() {
    let frame = df!("a" => [3i64, 1, 2], "b" => [1i64, 2, 3]).unwrap();
    let frame = frame.sort(["a"], SortMultipleOptions::default()).unwrap();
    let back = round_trip_frame(&frame);
    assert_eq!(
        back.column("a").unwrap().is_sorted_flag(),
        IsSorted::Ascending
    );
    same(&back, &frame);
}

#[test]
fn large_frames_come_back() {
    let rows = 3_000_000;
    let frame = df!(
        "i" => (0..rows).collect::<Vec<i64>>(),
        "f" => (0..rows).map(|i| i as f64 / 7.0).collect::<Vec<_>>(),
        "s" => (0..rows).map(|i| (i % 1000).to_string()).collect::<Vec<_>>(),
    )
    .unwrap();
    same(&frame, &round_trip_frame(&frame));
}

#[test]
fn a_slice_does_not_take_its_frame_along() {
    let rows = 100_000;
    let text = |i: i64| format!("a text that is too long to be inlined: {i}");
    let lists: Vec<Series> = (0..rows)
        .map(|i| Series::new("".into(), [text(i)]))
        .collect();
    let frame = df!(
        "i" => (0..rows).collect::<Vec<_>>(),
        "s" => (0..rows).map(text).collect::<Vec<_>>(),
        "l" => lists,
        "b" => (0..rows).map(|i| i % 2 == 0).collect::<Vec<_>>(),
    )
    .unwrap();
    let slice = frame.slice(50_000, 10);
    let encoded = Value::new(FrameChunk(slice.clone())).encode().unwrap();
    assert!(encoded.bytes.len() < 8_000, "{}", encoded.bytes.len());
    same(&slice, &round_trip_frame(&slice));
}

#[test]
fn values_of_common_types_come_back() {
    fn check<T: Any + Send + Sync + Debug + PartialEq>(value: T) {
        let value = Value::opaque(value);
        let decoded = round_trip(&value);
        assert_eq!(
            decoded.opaque_ref::<T>().unwrap(),
            value.opaque_ref::<T>().unwrap()
        );
    }
    let text = || "text".to_owned();
    check(());
    check(1.5f64);
    check(-1i8);
    check(u128::MAX);
    check(i128::MIN);
    check(true);
    check('ß');
    check(text());
    check(Some(2.5f64));
    check(None::<String>);
    check(vec![1.5f64, f64::INFINITY]);
    check(vec![1u8, 2, 3]);
    check(Vec::<i64>::new());
    check(vec![true, false]);
    check(vec![i16::MIN, 5]);
    check(vec!['a', 'b']);
    check(vec![usize::MAX, 0]);
    check(vec![vec![1.5f64], vec![], vec![2.0, 3.0]]);
    check(vec![text(), String::new()]);
    check(vec![Some(1i64), None]);
    check((1i64, text()));
    check((text(), 2.5f64, 3usize));
    check(vec![(text(), 2usize)]);
    check(HashMap::from([(text(), 1usize)]));
    check(BTreeMap::from([(text(), vec![1.5f64])]));
    check(arr1(&[1.5f64, 2.5]));
    check(arr2(&[[1i64, 2], [3, 4]]).reversed_axes());
    check(arr2(&[[1f32, 2.0]]).into_dyn());
    check(df!("a" => [1i64, 2]).unwrap());
    check(Series::new("a".into(), ["x", "y"]));
}

#[test]
fn an_array_has_as_many_axes_as_its_type() {
    let encoded = Value::opaque(arr2(&[[1i64, 2]])).encode().unwrap();
    let codec = Value::opaque(arr1(&[1i64])).codec().unwrap();
    let result = (codec.decode)(&mut &encoded.bytes[..], encoded.bytes.len() as u64);
    assert!(matches!(result, Err(Error::Decode(_))));
}

#[test]
fn bytes_in_memory_are_counted() {
    fn check<T: Any + Send + Sync>(value: T, expected: usize) {
        let found = Value::opaque(value).nbytes();
        assert_eq!(found, expected, "{}", std::any::type_name::<T>());
    }
    struct Unknown(#[allow(dead_code, reason = "it owns memory")] Vec<u8>);
    check(1.5f64, 8);
    check((), 0);
    check(vec![0f64; 1000], 24 + 8000);
    check(vec![vec![0u8; 10]; 3], 24 + 3 * (24 + 10));
    check("x".repeat(100), 24 + 100);
    check(vec!["x".repeat(100); 2], 24 + 2 * (24 + 100));
    check(Some("x".repeat(100)), 24 + 100);
    check((1i64, vec![0i64; 4]), size_of::<(i64, Vec<i64>)>());
    check((1i64, vec![0f64; 4]), size_of::<(i64, Vec<f64>)>() + 32);
    check(Array2::<f64>::zeros((3, 4)), size_of::<Array2<f64>>() + 96);
    check(Unknown(vec![0; 1000]), 24);
    assert!(Value::opaque(HashMap::from([("a".repeat(50), 1.5)])).nbytes() > 80);
    assert!(Value::opaque(df!("a" => vec![0i64; 1000]).unwrap()).nbytes() > 8000);
}

#[test]
fn types_of_ones_own_are_told() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Model {
        name: String,
        weights: Vec<f64>,
        rest: BTreeMap<u8, Option<char>>,
    }
    let model = || Model {
        name: "linear".to_owned(),
        weights: vec![0.5; 100],
        rest: BTreeMap::from([(1, Some('a')), (2, None)]),
    };
    let value = Value::opaque(model());
    assert_eq!(value.codec(), None);
    assert_eq!(value.nbytes(), size_of::<Model>());
    assert_eq!(
        value.encode().unwrap_err().to_string(),
        "cannot encode a value of type Model: if it implements serde's Serialize and Deserialize, call `encodable::<Model>()` once"
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(encodable::<Model>);
        }
    });
    encodable::<Model>();
    assert_eq!(round_trip(&value).opaque_ref(), Some(&model()));
    assert!(value.nbytes() > 800);
    assert!(value.codec().unwrap().tag.ends_with("Model"));
}

#[test]
fn an_empty_name_is_a_name() {
    let frame = Frame::new(
        1,
        vec![Column::new(PlSmallStr::EMPTY, [AnyValue::Int64(1)])],
    )
    .unwrap();
    same(&frame, &round_trip_frame(&frame));
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
        "cannot decode an array: there is no element type 200"
    );
}
