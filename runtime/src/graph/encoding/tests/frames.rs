//! Tests frames of all types and memory layouts.

use super::round_trip;
use crate::frame::{Frame, FrameChunk, FrameParts};
use crate::graph::Value;
use polars::prelude::{
    AnyValue, BinaryChunked, Column, DataType, IntoColumn, NamedFrom, NewChunkedArray, PlSmallStr,
    Series, SortMultipleOptions, TimeUnit, df,
};
use polars::series::IsSorted;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_come_back(
        rows in prop::collection::vec(prop::option::weighted(0.8, any::<i32>()), 0..40),
        more in prop::collection::vec(prop::option::weighted(0.8, any::<i32>()), 0..40),
        (start, length) in (0usize..50, 0usize..50),
    ) {
        let one = frame(&rows);
        let mut two = one.clone();
        two.vstack_mut(&frame(&more)).unwrap();
        // One column has other chunk boundaries than the others.
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
}

/// Columns of all types, with nulls.
pub(super) fn frame(seed: &[Option<i32>]) -> Frame {
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
    // If all values are null, Polars cannot infer the element type of the
    // lists.
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
        // A column of nulls only is always sorted, and Polars does not flag it.
        if *a.dtype() != DataType::Null {
            assert_eq!(a.is_sorted_flag(), b.is_sorted_flag(), "{}", a.name());
        }
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
fn an_empty_name_is_a_name() {
    let frame = Frame::new(
        1,
        vec![Column::new(PlSmallStr::EMPTY, [AnyValue::Int64(1)])],
    )
    .unwrap();
    same(&frame, &round_trip_frame(&frame));
}
