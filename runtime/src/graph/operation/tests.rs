//! Checks that every built-in operation survives encoding: the same name, the
//! same arguments, the same results.

use super::{Arguments, Block, EncodedOperation, Operation};
use crate::array::{Array, Axes, concatenate, stack};
use crate::compute::Collection;
use crate::error::Error;
use crate::frame::{DataFrame, ExprExt, Frame, FrameChunk, FrameParts, JoinType, Order};
use crate::graph::topological;
use crate::graph::{Layer, TaskRef, Tasks, Value};
use crate::io::{read_csv, read_parquet};
use ndarray::{ArrayD, Axis, IxDyn};
use polars::df;
use polars::prelude::{
    DataType, Expr, IntoLazy, ParquetWriter, SortMultipleOptions, TimeUnit, all, col, cols, len,
    lit, when,
};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Runs each task of a collection twice: with its operation and with the
/// decoded copy. Returns the operations' names and tags.
#[track_caller]
fn check(collection: &impl Collection) -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    let mut values: HashMap<Arc<str>, Vec<Value>> = HashMap::new();
    for layer in topological(&[collection.layer().unwrap()]) {
        let mut here: Vec<Value> = Vec::new();
        let mut inputs = Vec::new();
        for linear in 0..layer.grid().len() as u32 {
            let Some(operation) = layer.operation(linear) else {
                let Tasks::Values(source) = layer.tasks() else {
                    unreachable!("only values have no operation")
                };
                here.push(source.value(linear).unwrap());
                continue;
            };
            inputs.clear();
            layer.inputs(linear, &mut inputs);
            let taken = || -> Vec<Value> {
                let value = |input: &TaskRef| match input.dependency {
                    TaskRef::SELF => here[input.linear as usize].clone(),
                    dependency => {
                        let from = layer.dependencies()[dependency as usize].name();
                        values[from][input.linear as usize].clone()
                    }
                };
                inputs.iter().map(value).collect()
            };
            let index = layer.grid().index(linear);
            let block = Block {
                layer: &layer,
                linear,
                index: &index,
            };
            let encoded = operation.encode().unwrap();
            let decoded = encoded.decode().unwrap();
            let name = operation.name();
            assert_eq!(decoded.name(), name);
            assert!(arguments(operation) == arguments(&*decoded), "{name}");
            assert_eq!(decoded.encode().unwrap().bytes, encoded.bytes, "{name}");
            let one = operation.run(&block, taken()).unwrap();
            let other = decoded.run(&block, taken()).unwrap();
            assert_eq!(content(&one), content(&other), "{name}");
            found.insert((name.to_owned(), encoded.tag));
            here.push(one);
        }
        values.insert(layer.name().clone(), here);
    }
    found
}

fn arguments(operation: &dyn Operation) -> Vec<u8> {
    match operation.arguments() {
        Arguments::Data(bytes) => bytes,
        Arguments::Digest(digest) => digest.to_le_bytes().to_vec(),
        Arguments::Unique => panic!("{} is no data", operation.name()),
    }
}

/// Returns a value's content. Rows are sorted, because groups have no defined
/// order.
fn content(value: &Value) -> Vec<u8> {
    let sorted = |frame: &Frame| {
        let names: Vec<_> = frame.get_column_names().into_iter().cloned().collect();
        let rows = frame.sort(names, SortMultipleOptions::default()).unwrap();
        format!("{:?} {:?}", rows.schema(), rows.columns()).into_bytes()
    };
    if let Some(FrameChunk(frame)) = value.downcast_ref() {
        return sorted(frame);
    }
    if let Some(parts) = value.downcast_ref::<FrameParts>() {
        return parts.pieces().iter().flat_map(sorted).collect();
    }
    value.encode().unwrap().bytes
}

fn checked(collections: &[&dyn Fn() -> BTreeSet<(String, &'static str)>]) -> BTreeSet<String> {
    let found: BTreeSet<_> = collections.iter().flat_map(|check| check()).collect();
    found.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn operations_on_arrays_come_back() {
    let data = ArrayD::from_shape_fn(IxDyn(&[4, 6]), |at| (at[0] * 6 + at[1]) as f64 - 9.5);
    let x = Array::from_ndarray(&data, (2, 3));
    let y = Array::<f64>::random((4, 6), (3, 2), 7);
    let n = Array::random_integers(0..9, (4, 6), (2, 3), 1);
    let mask = x.gt(0.0);
    let found = checked(&[
        &|| check(&Array::<f32>::zeros((3, 4), 2)),
        &|| check(&Array::<u8>::ones((3, 4), 2)),
        &|| check(&Array::full((3, 4), 2.5, 2)),
        &|| check(&Array::full((), true, ())),
        &|| check(&Array::<i32>::arange(10, 3)),
        &|| check(&Array::linspace(0.0, 1.0, 10, 3)),
        &|| check(&Array::<f64>::eye(5, 2)),
        &|| check(&Array::random_normal((4, 6), 3, 1)),
        &|| check(&(&x + &y)),
        &|| check(&(&x - &y)),
        &|| check(&(&x * &y)),
        &|| check(&(&x / &y)),
        &|| check(&(&x % 2.0)),
        &|| check(&(1.0 - &x)),
        &|| check(&(&x + &y.mean())),
        &|| check(&(&x - &x.mean_axis(Axis(0)))),
        &|| check(&x.minimum(&y)),
        &|| check(&x.maximum(0.5)),
        &|| check(&x.lt(&y)),
        &|| check(&x.le(&y)),
        &|| check(&x.ge(&y)),
        &|| check(&n.eq(3)),
        &|| check(&n.ne(3)),
        &|| check(&(&mask & &x.lt(1.0))),
        &|| check(&(&mask | &x.lt(-1.0))),
        &|| check(&(&mask ^ &x.is_nan())),
        &|| check(&!&mask),
        &|| check(&-&x),
        &|| check(&x.abs().sqrt().exp().ln().log10()),
        &|| check(&x.sin().cos().tan().tanh().floor()),
        &|| check(&y.ceil().round().log2().powi(2).powf(0.5)),
        &|| check(&n.astype::<u8>().astype::<bool>()),
        &|| check(&mask.select(&x, &y)),
        &|| check(&x.t()),
        &|| check(&x.transpose([1, 0]).insert_axis(Axis(1))),
        &|| check(&x.rechunk((3, 4)).slice_axis(Axis(0), 1..3)),
        &|| check(&x.index_axis(Axis(1), 2)),
        &|| check(&concatenate(Axis(0), &[x.clone(), y.clone()])),
        &|| check(&stack(Axis(0), &[x.clone(), y.clone()])),
        &|| check(&x.dot(y.t())),
        &|| check(&x.dot(Array::<f64>::ones(6, 3))),
        &|| check(&Array::<f64>::ones(20, 2).dot(Array::<f64>::ones(20, 2))),
        &|| check(&Array::<f64>::ones((40, 40), 4).std()),
        &|| check(&x.sum_axis(Axes::of([0, -1]).keepdims())),
        &|| check(&x.argmin()),
        &|| check(&x.nanstd_axis(1, 1.0)),
        &|| check(&n.count_nonzero_axis(0)),
        &|| check(&x.flip(Axes::all()).roll(2, 1)),
        &|| check(&x.get(&mask)),
        &|| check(&x.get(x.mean_axis(1).gt(0.0))),
        &|| check(&mask.argwhere()),
        &|| check(&n.unique()),
        &|| check(&Array::<f64>::ones((3, 3), 3).mean()),
        &|| check(&x.sum()),
        &|| check(&n.prod()),
        &|| check(&x.min_axis(Axis(0))),
        &|| check(&x.max()),
        &|| check(&x.mean()),
        &|| check(&x.var_ddof(1.0)),
        &|| check(&x.std_axis(Axis(1), 0.0)),
        &|| check(&mask.any_axis(Axis(0))),
        &|| check(&mask.all()),
    ]);
    insta::assert_snapshot!(list(&found));
}

fn table() -> DataFrame {
    let n = 40i64;
    let frame = df!(
        "id" => (0..n).collect::<Vec<_>>(),
        "x" => (0..n).map(|i| (i % 7 != 3).then_some(i as f64 / 4.0)).collect::<Vec<_>>(),
        "group" => (0..n).map(|i| ["a", "b", "c"][i as usize % 3]).collect::<Vec<_>>(),
        "name" => (0..n).map(|i| format!("Name {i} (19{})", 50 + i)).collect::<Vec<_>>(),
        "flag" => (0..n).map(|i| i % 2 == 0).collect::<Vec<_>>(),
    )
    .unwrap();
    let time =
        (col("id") * lit(86_400_000_000i64)).cast(DataType::Datetime(TimeUnit::Microseconds, None));
    let frame = frame
        .lazy()
        .with_columns([time.alias("time")])
        .collect()
        .unwrap();
    // Many partitions, so that trees have more than one level.
    DataFrame::from_polars(frame, 10)
}

#[test]
fn operations_on_frames_come_back() {
    let t = table();
    let other = t.select(["id", "x"]).rename(["x"], ["y"]);
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("t.csv");
    std::fs::write(&csv, "a,b,c\n1,x,2020-01-01\n2,\"y,z\",2020-01-02\n3,,\n").unwrap();
    let parquet = folder.path().join("t.parquet");
    ParquetWriter::new(std::fs::File::create(&parquet).unwrap())
        .finish(&mut t.compute().unwrap())
        .unwrap();
    let read = read_csv(&csv)
        .partitions(2)
        .null_values(["-"])
        .with_dtype("c", DataType::Date)
        .load()
        .unwrap();
    let found = checked(&[
        &|| check(&t.filter(col("x").gt(3).and(col("name").str_contains("1")))),
        &|| check(&t.filter(col("x").gt(col("x").mean()))),
        &|| check(&t.filter(col("group").is_in_values(["a", "b"]))),
        &|| check(&t.filter(col("name").str_matches(r"\(19[5-7]\d\)$"))),
        &|| {
            check(&t.filter(col("id").is_between(
                lit(3),
                lit(30),
                polars::prelude::ClosedInterval::Both,
            )))
        },
        &|| {
            check(&t.select([
                col("x").round(1, polars::prelude::RoundMode::HalfToEven),
                (col("id") % lit(4)).alias("r"),
            ]))
        },
        &|| check(&t.select([all().as_expr().count()])),
        &|| check(&t.select([cols(["id", "x"]).as_expr() * lit(2)])),
        &|| {
            check(
                &t.with_columns([
                    col("time").dt().year().alias("year"),
                    col("time").dt().strftime("%Y-%m-%d").alias("day"),
                    col("name").str().to_lowercase().alias("lower"),
                    col("name")
                        .str()
                        .extract(lit(r"(\d+)"), 1)
                        .cast(DataType::Int64)
                        .alias("number"),
                    col("x").fill_null(lit(0.5)).alias("filled"),
                    col("x").is_null().or(col("flag").not()).alias("either"),
                    when(col("x").gt(5))
                        .then(lit("large"))
                        .otherwise(lit("small"))
                        .alias("size"),
                    (col("group") + lit("-") + col("name")).alias("both"),
                    col("id").cast(DataType::Int8).alias("small"),
                ]),
            )
        },
        &|| {
            check(
                &t.with_columns([
                    col("x").cum_sum(false).alias("sums"),
                    col("x").rank(Default::default(), None).alias("ranks"),
                    col("x")
                        .sum()
                        .over([col("group")])
                        .unwrap()
                        .alias("of_group"),
                    col("id").shift(lit(1)).alias("before"),
                    col("id").diff(lit(1), Default::default()).alias("diff"),
                ]),
            )
        },
        &|| check(&t.with_column("z", col("x") * lit(2.0)).drop(["name"])),
        &|| check(&t.sort(["group", "x"], [Order::Ascending, Order::Descending])),
        &|| check(&t.unique_by(["group"])),
        &|| {
            check(&t.group_by([col("group")]).agg([
                col("x").mean().alias("mean"),
                col("x").sum().alias("sum"),
                (col("x").max() - col("x").min()).alias("range"),
                col("x").std(1).alias("std"),
                len(),
            ]))
        },
        &|| check(&t.group_by(["group"]).median()),
        &|| check(&t.group_by(["group", "flag"]).mean()),
        &|| {
            check(
                &t.group_by([col("id") % lit(3)])
                    .agg([col("x").n_unique(), col("name").first()]),
            )
        },
        &|| check(&t.group_by(["group"]).size()),
        &|| check(&t.join(&other, ["id"], JoinType::Left)),
        &|| check(&t.join(&other, ["id"], JoinType::Full)),
        &|| check(&t.repartition(3)),
        &|| check(&t.repartition(20)),
        &|| check(&t.repartition(1)),
        &|| check(&DataFrame::concat([&t, &t])),
        &|| check(&t.describe()),
        &|| check(&t.len()),
        &|| check(&t.column("x").mean()),
        &|| check(&t.column("x").std().cast::<i64>()),
        &|| check(&t.column("group").value_counts()),
        &|| check(&t.column("x").sort(Order::Descending)),
        &|| check(&t.column("group").unique()),
        &|| check(&t.column("group").n_unique()),
        &|| check(&read),
        &|| check(&read_parquet(&parquet).unwrap()),
    ]);
    insta::assert_snapshot!(list(&found));
}

fn list(names: &BTreeSet<String>) -> String {
    names
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

fn operation(layer: &Layer) -> EncodedOperation {
    layer.operation(0).unwrap().encode().unwrap()
}

#[test]
fn other_bytes_are_no_operation() {
    for layer in [
        table().filter(col("x").gt(3)).layer().unwrap(),
        Array::<f64>::ones((3, 4), 2).layer().unwrap(),
        Array::from_ndarray(&ArrayD::<f64>::zeros(IxDyn(&[3])), 2)
            .layer()
            .unwrap(),
    ] {
        let mut encoded = operation(&layer);
        encoded.bytes.push(0);
        assert!(matches!(encoded.decode(), Err(Error::Decode(_))));
        encoded.bytes.pop();
        while encoded.bytes.pop().is_some() {
            assert!(matches!(encoded.decode(), Err(Error::Decode(_))));
        }
    }
}

#[test]
fn functions_are_told_to_be_code() {
    let message = |layer: &Layer| {
        layer
            .operation(0)
            .unwrap()
            .encode()
            .unwrap_err()
            .to_string()
    };
    let x = Array::<f64>::ones(4, 2).map(|x: f64| x + 1.0);
    assert_eq!(
        message(&x.layer().unwrap()),
        "cannot encode the operation map: it runs a function of this process, which cannot be sent elsewhere"
    );
    let t = table();
    let mapped = t.map_partitions(Ok);
    assert!(
        message(&mapped.layer().unwrap())
            .starts_with("cannot encode the operation map-partitions: it runs a function")
    );
    let closure: Expr = col("x").map(|column| Ok(column * 2.0), |_, field| Ok(field.clone()));
    let error = message(&t.select([closure.clone()]).layer().unwrap());
    assert!(
        error.starts_with("cannot encode the operation select: its arguments are not plain data"),
        "{error}"
    );
    assert!(
        error.contains("An expression with a Rust closure"),
        "{error}"
    );
    let grouped = t.group_by([closure]).agg([len()]);
    assert!(
        topological(&[grouped.layer().unwrap()])
            .iter()
            .any(|layer| {
                layer
                    .operation(0)
                    .is_some_and(|operation| operation.encode().is_err())
            })
    );
}
