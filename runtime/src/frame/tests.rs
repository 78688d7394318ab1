//! Any partitioning gives the same result as plain Polars.

use super::*;
use crate::compute::Collection;
use crate::error::Result;
use crate::graph::Value;
use crate::optimize::{Rules, optimize};
use crate::schedule::Options;
use polars::df;
use polars::prelude::{
    AnyValue, Column, DataType, Expr, IntoLazy, NamedFrom, Series as Col, SortMultipleOptions,
    UniqueKeepStrategy, all, col, len, lit, when,
};
use proptest::prelude::*;

mod limits;

const SYNCHRONOUS: fn() -> Options = || Options {
    synchronous: true,
    ..Options::default()
};

/// Frames of integers, floats with NaN, and texts, each with nulls and few distinct
/// values, in partitions of any height, some of them empty.
fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let row = (
        prop::option::weighted(0.8, -2i64..4),
        prop::option::weighted(
            0.8,
            prop_oneof![4 => (-40i32..40).prop_map(|x| f64::from(x) / 4.0), 1 => Just(f64::NAN)],
        ),
        prop::option::weighted(0.8, prop::sample::select(vec!["a", "b", "c", ""])),
        any::<bool>(),
    );
    prop::collection::vec(prop::collection::vec(row, 0..9), 1..12).prop_map(|partitions| {
        let mut next = 0i64;
        partitions
            .into_iter()
            .map(|rows| {
                let ids: Vec<i64> = rows
                    .iter()
                    .map(|_| {
                        next += 1;
                        next
                    })
                    .collect();
                df!(
                    "id" => ids,
                    "i" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
                    "f" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
                    "s" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
                    "b" => rows.iter().map(|row| row.3).collect::<Vec<_>>(),
                )
                .unwrap()
            })
            .collect()
    })
}

fn both(partitions: &[Frame]) -> (DataFrame, Frame) {
    let frame = DataFrame::from_partitions(partitions.to_vec()).unwrap();
    let mut whole = partitions[0].clone();
    for partition in &partitions[1..] {
        whole.vstack_mut(partition).unwrap();
    }
    (frame, whole)
}

/// Compares cell by cell. Floats are compared approximately, because sums of parts
/// are rounded differently.
#[track_caller]
fn same(found: &Frame, expected: &Frame) {
    let text = || format!("found {found}\nexpected {expected}");
    assert_eq!(found.schema(), expected.schema(), "{}", text());
    assert_eq!(found.height(), expected.height(), "{}", text());
    for (a, b) in found.columns().iter().zip(expected.columns()) {
        for row in 0..found.height() {
            let (a, b) = (a.get(row).unwrap(), b.get(row).unwrap());
            let near = match (&a, &b) {
                (AnyValue::Float64(a), AnyValue::Float64(b)) => {
                    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= 1e-9 * (1.0 + b.abs())
                }
                (a, b) => a == b,
            };
            assert!(near, "row {row}: {a} and {b}\n{}", text());
        }
    }
}

#[track_caller]
fn check(frame: &DataFrame, expected: &Frame) {
    let found = frame.compute().unwrap();
    same(&found, expected);
    assert_eq!(
        found.schema(),
        &frame.schema().unwrap(),
        "the schema was known before"
    );
    same(&frame.compute_with(&SYNCHRONOUS()).unwrap(), expected);
}

fn aggregations() -> Vec<Expr> {
    vec![
        col("i").sum().alias("i_sum"),
        col("f").sum().alias("f_sum"),
        // Polars adds up booleans in 32 bits.
        col("b").sum().cast(DataType::Int64).alias("b_sum"),
        col("i").mean().alias("i_mean"),
        col("f").mean().alias("f_mean"),
        col("b").mean().alias("b_mean"),
        col("i").min().alias("i_min"),
        col("f").max().alias("f_max"),
        col("s").max().alias("s_max"),
        col("f").first().alias("f_first"),
        col("f").last().alias("f_last"),
        col("id").var(1).alias("id_var"),
        col("id").var(0).alias("id_var0"),
        col("i").std(1).alias("i_std"),
        col("s").count().alias("s_count"),
        col("s").len().alias("s_len"),
        len(),
        (col("i").sum() / col("id").sum()).alias("ratio"),
        (col("i") * lit(2) + col("id")).sum().alias("of_two"),
        col("i").filter(col("b")).sum().alias("chosen"),
        col("f").filter(col("b")).first().alias("chosen_first"),
        col("i")
            .sum()
            .cast(DataType::Float64)
            .round(1, polars::prelude::RoundMode::HalfToEven)
            .alias("rounded"),
        when(col("i").max().gt(lit(2)))
            .then(lit("much"))
            .otherwise(lit("little"))
            .alias("how"),
    ]
}

/// Aggregations that do not decompose.
fn whole_aggregations() -> Vec<Expr> {
    vec![
        col("i").median().alias("median"),
        col("s").n_unique().alias("kinds"),
        (col("i") - col("i").mean()).abs().sum().alias("spread"),
    ]
}

#[test]
fn nothing_and_nan_have_a_largest_value() {
    let column = |values: Vec<f64>| Frame::new_infer_height(vec![Column::new("f".into(), values)]);
    let frames = vec![column(vec![]).unwrap(), column(vec![f64::NAN]).unwrap()];
    let frame = DataFrame::from_partitions(frames).unwrap();
    let found = frame.agg([col("f").max()]).compute().unwrap();
    let largest = found.column("f").unwrap().f64().unwrap().get(0);
    assert!(largest.is_some_and(f64::is_nan), "{largest:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_and_columns(partitions in frames()) {
        let (frame, whole) = both(&partitions);
        let plain = || whole.clone().lazy();
        check(&frame, &whole);
        for predicate in [
            col("i").gt(lit(0)),
            col("f").is_not_null().and(col("b")),
            col("s").str_contains("a"),
            col("s").str_matches("^[ab]$"),
            col("i").is_in_values([1, 3]),
            col("s").is_in_values(["a", "c"]),
            col("i").is_in_values(Vec::<i64>::new()),
            col("i").gt(col("i").mean()),
            lit(false),
        ] {
            let expected = plain().filter(predicate.clone()).collect().unwrap();
            check(&frame.filter(predicate), &expected);
        }
        for columns in [
            vec![col("s"), col("i")],
            vec![col("i") + col("id"), lit(1).alias("one")],
            vec![col("i").sum(), col("f").mean()],
            vec![col("i").fill_null(lit(0)).cum_sum(false)],
            vec![lit(3).alias("three")],
            vec![all().as_expr()],
            vec![col("i").sort(Default::default())],
        ] {
            let expected = plain().select(&columns).collect().unwrap();
            check(&frame.select(columns.clone()), &expected);
        }
        for columns in [
            vec![(col("i") * lit(2)).alias("double"), col("s").alias("b")],
            vec![lit(1).alias("one")],
            vec![(col("i") - col("i").mean()).alias("distance")],
        ] {
            let expected = plain().with_columns(&columns).collect().unwrap();
            check(&frame.with_columns(columns.clone()), &expected);
        }
        check(&frame.drop(["f", "b"]), &whole.select(["id", "i", "s"]).unwrap());
        let renamed = plain().rename(["i"], ["j"], true).collect().unwrap();
        check(&frame.rename("i", "j"), &renamed);
        check(&DataFrame::concat([&frame, &frame]), &whole.vstack(&whole).unwrap());
    }

    #[test]
    fn groups(partitions in frames(), one in any::<bool>()) {
        let (frame, whole) = both(&partitions);
        let keys: Vec<&str> = if one { vec!["i"] } else { vec!["s", "b"] };
        let key_exprs: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
        let plain = |aggregations: &[Expr]| {
            whole
                .clone()
                .lazy()
                .group_by_stable(&key_exprs)
                .agg(aggregations)
                .sort(keys.clone(), SortMultipleOptions::default())
                .collect()
                .unwrap()
        };
        let aggregations: Vec<Expr> = aggregations();
        check(&frame.group_by(keys.clone()).agg(aggregations.clone()), &plain(&aggregations));
        let whole_ones = whole_aggregations();
        check(&frame.group_by(keys.clone()).agg(whole_ones.clone()), &plain(&whole_ones));
        let numbers: Vec<Expr> = ["id", "i", "f"]
            .iter()
            .filter(|name| !keys.contains(name))
            .map(|name| col(*name).mean())
            .collect();
        check(&frame.group_by(keys.clone()).mean(), &plain(&numbers));
        check(&frame.group_by(keys.clone()).agg(all().as_expr().count()), &plain(&[all().as_expr().count()]));
        check(&frame.group_by(keys.clone()).size(), &plain(&[len().alias("size")]));
        let parity = (col("id") % lit(3)).alias("k");
        let expected = whole.clone().lazy().group_by_stable([parity.clone()]).agg([col("i").sum()])
            .sort(["k"], SortMultipleOptions::default()).collect().unwrap();
        check(&frame.group_by(parity).agg(col("i").sum()), &expected);
    }

    #[test]
    fn scalars(partitions in frames()) {
        let (frame, whole) = both(&partitions);
        let expected = whole.clone().lazy().select(aggregations()).collect().unwrap();
        check(&frame.agg(aggregations()), &expected);
        let expected = whole.clone().lazy().select(whole_aggregations()).collect().unwrap();
        check(&frame.agg(whole_aggregations()), &expected);
        prop_assert_eq!(frame.len().compute().unwrap(), whole.height());
        let i = frame.column("i");
        let plain = whole.column("i").unwrap().as_materialized_series().clone();
        prop_assert_eq!(i.sum().cast::<i64>().compute().unwrap(), plain.sum::<i64>().unwrap());
        prop_assert_eq!(i.max().cast::<Option<i64>>().compute().unwrap(), plain.max::<i64>().unwrap());
        prop_assert_eq!(i.count().compute().unwrap(), plain.len() - plain.null_count());
        prop_assert_eq!(i.n_unique().compute().unwrap(), plain.n_unique().unwrap());
        prop_assert_eq!(i.mean().compute().unwrap().is_nan(), plain.mean().is_none());
        prop_assert_eq!(
            i.to_vec::<Option<i64>>().unwrap(),
            plain.i64().unwrap().iter().collect::<Vec<_>>()
        );
    }

    #[test]
    fn orders(partitions in frames(), descending in any::<bool>(), other in any::<bool>()) {
        let (frame, whole) = both(&partitions);
        let order = |descending| if descending { Order::Descending } else { Order::Ascending };
        let stable = SortMultipleOptions::default().with_maintain_order(true);
        for by in [vec!["i"], vec!["f"], vec!["s"], vec!["b"]] {
            let expected = whole.sort(by.clone(), stable.clone().with_order_descending(descending)).unwrap();
            check(&frame.sort(by, order(descending)), &expected);
        }
        let expected = whole
            .sort(["s", "f"], stable.with_order_descending_multi([descending, other]))
            .unwrap();
        check(&frame.sort(["s", "f"], [order(descending), order(other)]), &expected);
        let columns = vec!["s".to_owned(), "b".to_owned()];
        let expected = whole.unique_stable(Some(&columns), UniqueKeepStrategy::First, None).unwrap();
        check(&frame.unique_by(columns), &expected);
        check(&frame.unique(), &whole);
    }

    #[test]
    fn heads(partitions in frames(), n in 0usize..12, rows in 1usize..40) {
        let (frame, whole) = both(&partitions);
        let predicate = col("i").eq(lit(1));
        let filtered = whole.clone().lazy().filter(predicate.clone()).collect().unwrap();
        same(&frame.head(n).unwrap(), &whole.head(Some(n)));
        same(&frame.tail(n).unwrap(), &whole.tail(Some(n)));
        let frame = frame.filter(predicate);
        same(&frame.head(n).unwrap(), &filtered.head(Some(n)));
        same(&frame.tail(n).unwrap(), &filtered.tail(Some(n)));
        let cut = frame.repartition(rows);
        prop_assert_eq!(cut.npartitions().unwrap(), rows);
        check(&cut, &filtered);
    }

    #[test]
    fn joins(left in frames(), right in frames()) {
        let (left, left_whole) = both(&left);
        let (right, right_whole) = both(&right);
        // Two columns have the names of the left frame's: one is a key, the other
        // gets a suffix.
        let right = right.select(["i", "s", "f"]);
        let right_whole = right_whole.select(["i", "s", "f"]).unwrap();
        // The size of this frame is unknown, so it is shuffled.
        let large = right.with_column("f", col("f"));
        for how in [JoinType::Inner, JoinType::Left, JoinType::Right, JoinType::Full, JoinType::Semi, JoinType::Anti] {
            for keys in [vec!["i"], vec!["i", "s"]] {
                let on: Vec<Expr> = keys.iter().map(|key| col(*key)).collect();
                let expected = left_whole.clone().lazy()
                    .join(right_whole.clone().lazy(), &on, &on, how.args())
                    .collect().unwrap();
                let broadcast = left.join(&right, keys.clone(), how);
                let shuffled = left.join(&large, keys.clone(), how);
                let ordered = |frame: Frame| {
                    let names: Vec<_> = frame.get_column_names().into_iter().cloned().collect();
                    frame.sort(names, SortMultipleOptions::default()).unwrap()
                };
                if !matches!(how, JoinType::Right | JoinType::Full) {
                    check(&broadcast, &expected);
                }
                check(&broadcast.sort(broadcast.columns().unwrap(), Order::Ascending), &ordered(expected.clone()));
                check(&shuffled.sort(shuffled.columns().unwrap(), Order::Ascending), &ordered(expected));
            }
        }
    }

    #[test]
    fn partitions_are_encoded(partitions in frames()) {
        for partition in partitions {
            let encoded = Value::new(FrameChunk(partition.clone())).encode().unwrap();
            prop_assert_eq!(encoded.codec.tag, FrameChunk::TAG);
            let decoded = encoded.decode().unwrap().into_inner::<FrameChunk>().unwrap();
            same(&decoded.0, &partition);
            let parts = FrameParts::new(vec![partition.clone(), partition.head(Some(1))]);
            let decoded = Value::new(parts).encode().unwrap().decode().unwrap();
            let decoded = decoded.into_inner::<FrameParts>().unwrap();
            same(&decoded.pieces()[0], &partition);
            same(&decoded.pieces()[1], &partition.head(Some(1)));
        }
    }
}

fn users() -> DataFrame {
    let frame = df!(
        "age" => [24i64, 53, 23, 30],
        "sex" => ["M", "F", "M", "F"],
    );
    DataFrame::from_polars(frame.unwrap(), 2)
}

#[track_caller]
fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_are_told_at_the_end_and_name_the_columns() {
    let users = users();
    let wrong = users
        .filter(col("agee").gt(lit(1)))
        .select(["age"])
        .group_by("sex")
        .mean();
    assert_eq!(
        message(wrong.compute()),
        "no column \"agee\" in filter: the columns are \"age\", \"sex\""
    );
    let text = users.filter(col("sex").eq("M"));
    assert_eq!(
        message(text.compute()),
        "no column \"M\" in filter: the columns are \"age\", \"sex\"; for a text value, write `lit(\"M\")`"
    );
    let date = lit("2024-01-31").str().to_date(Default::default());
    let as_text = users
        .with_column("day", date)
        .filter(col("day").gt(lit("2024-01-01")));
    assert!(message(as_text.compute()).ends_with("to_date(Default::default())`"));
    let missing = "no column \"x\"";
    let columns = ": the columns are \"age\", \"sex\"";
    assert_eq!(
        message(users.select(["x"]).schema()),
        format!("{missing} in select{columns}")
    );
    assert_eq!(
        message(users.column("x").mean().compute()),
        format!("{missing}{columns}")
    );
    assert_eq!(
        message(users.sort("x", Order::Ascending).head(1)),
        format!("{missing} in sort{columns}")
    );
    assert_eq!(
        message(users.drop("x").persist()),
        format!("{missing} in drop{columns}")
    );
    assert_eq!(
        message(users.rename("x", "y").layer()),
        format!("{missing} in rename{columns}")
    );
    assert_eq!(
        message(users.with_column("y", col("x")).columns()),
        format!("{missing} in with_columns{columns}")
    );
    assert_eq!(
        message(users.group_by("x").mean().schema()),
        format!("{missing} in group_by{columns}")
    );
    assert_eq!(
        message(users.group_by("sex").agg(col("x").sum()).schema()),
        format!("{missing} in agg{columns}")
    );
    assert_eq!(
        message(users.unique_by("x").schema()),
        format!("{missing} in unique{columns}")
    );
    assert_eq!(
        message(users.join(&users, ["x"], JoinType::Inner).schema()),
        format!("{missing} in the left frame of join{columns}")
    );
    assert_eq!(
        message(users.filter(col("age") + lit(1)).schema()),
        "the filter `[(col(\"age\")) + (dyn int: 1)]` is of type i64, expected Boolean"
    );
}

#[test]
fn types_that_do_not_fit_are_found_before_anything_runs() {
    let users = users();
    assert_eq!(
        message(users.filter(col("sex").gt(lit(3))).schema()),
        "cannot compare string with numeric type (i32)"
    );
    assert_eq!(
        message(users.with_column("x", col("sex").sum()).schema()),
        "`sum` operation not supported for dtype `str`"
    );
    assert!(message(users.filter(col("sex").str_matches("(")).schema()).contains("unclosed group"));
}

#[test]
fn keys_follow_from_content() {
    let name = |frame: DataFrame| frame.layer().unwrap().name().clone();
    let filtered = |at: i64| name(users().filter(col("age").gt(lit(at))));
    assert_eq!(filtered(30), filtered(30));
    // Polars' own hash of an expression ignores literals.
    assert_ne!(filtered(30), filtered(31));
    let mean = || name(users().group_by("sex").mean());
    assert_eq!(mean(), mean());
    assert!(mean().starts_with("groupby-mean-"), "{}", mean());
    let listed = |n| name(users().filter(col("age").gt(lit(n))).repartition(5));
    assert_eq!(listed(1), listed(1));
    assert_ne!(listed(1), listed(2));
}

#[test]
fn steps_on_partitions_are_fused() {
    let frame = users()
        .filter(col("age").gt(lit(1)))
        .select(["age"])
        .with_column("b", col("age"));
    let mut layers = crate::graph::Layers::new(&[frame.layer().unwrap()]);
    optimize(&mut layers, Rules::All).unwrap();
    let last = layers.node(layers.outputs()[0].layer);
    assert_eq!(last.operation_name(0), "filter-select-with-columns");
}

#[test]
fn head_computes_one_partition_if_that_has_the_rows() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let ran = std::sync::Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let frame = users().repartition(4).map_partitions(move |frame| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(frame)
    });
    frame.head(1).unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 1);
    frame.tail(1).unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 2);
}

#[test]
fn map_partitions_checks_what_the_function_returns() {
    let ages = users().map_partitions(|frame| Ok(frame.select(["age"])?));
    let text = message(ages.compute());
    assert!(
        text.contains("a frame with the columns age i64, expected age i64, sex str"),
        "{text}"
    );
    assert!(text.contains("map_partitions_to"), "{text}");
    let schema = ages.select(["age"]).schema().unwrap();
    let ages = users().map_partitions_to((*schema).clone(), |frame| Ok(frame.select(["age"])?));
    assert_eq!(ages.compute().unwrap().width(), 1);
}

#[test]
fn counting_and_describing() {
    let counts = users().column("sex").value_counts().compute().unwrap();
    assert_eq!(
        counts,
        df!("sex" => ["F", "M"], "count" => [2u32, 2]).unwrap()
    );
    let described = users().describe().compute().unwrap();
    let ages = described.column("age").unwrap().f64().unwrap().clone();
    assert_eq!(described.shape(), (9, 2));
    assert_eq!(ages.get(0), Some(4.0));
    assert_eq!(ages.get(2), Some(32.5));
    assert_eq!(ages.get(6), Some(27.0));
}

#[test]
fn scalars_are_what_they_are_asked_for_as() {
    let sex = users().column("sex");
    assert_eq!(sex.min().cast::<String>().compute().unwrap(), "F");
    assert_eq!(sex.min().compute().unwrap(), "F");
    assert_eq!(
        message(sex.min().cast::<f64>().compute()),
        "the min of sex is \"F\" of type str, expected f64"
    );
    assert_eq!(
        users().column("age").mean().to_string(),
        "Scalar(mean of age, dtype f64), not computed yet"
    );
    let none = users().filter(lit(false)).column("age");
    assert!(none.mean().compute().unwrap().is_nan());
    assert_eq!(none.sum().compute().unwrap(), 0);
    assert_eq!(
        message(none.max().cast::<i64>().compute()),
        "the max of age is null: there is no value, expected i64"
    );
}

#[test]
fn several_results_at_once_and_persisted_ones() {
    let users = users();
    let (mean, count) = crate::compute((&users.column("age").mean(), &users.len())).unwrap();
    assert_eq!((mean, count), (32.5, 4));
    let persisted = users.filter(col("age").gt(lit(23))).persist().unwrap();
    assert_eq!(persisted.head(10).unwrap().height(), 3);
    assert_eq!(
        persisted.group_by("sex").len().compute().unwrap().height(),
        2
    );
}

/// A task of the pool runs Polars in the pool. The nested query has enough groups and
/// rows for Polars to choose its streaming engine.
#[test]
fn a_computation_inside_a_task_ends() {
    let rows = 20_000i64;
    let frame = df!(
        "k" => (0..rows).map(|row| row % 7).collect::<Vec<_>>(),
        "v" => (0..rows).collect::<Vec<_>>(),
    );
    let frame = DataFrame::from_polars(frame.unwrap(), 16);
    let inner = frame.clone();
    let nested = frame.map_partitions(move |partition| {
        let sums = inner
            .group_by("k")
            .sum()
            .sort("v", Order::Descending)
            .compute()?;
        let plain = partition
            .clone()
            .lazy()
            .group_by([col("k")])
            .agg([col("v").sum()])
            .collect()?;
        assert_eq!(sums.height(), plain.height());
        Ok(partition)
    });
    assert_eq!(nested.len().compute().unwrap(), rows as usize);
    let one = Options {
        threads: Some(1),
        ..Options::default()
    };
    let sums = nested
        .group_by("k")
        .agg(col("v").sum())
        .compute_with(&one)
        .unwrap();
    assert_eq!(sums.height(), 7);
}

/// The number of the pool's threads is fixed at the start of the process, so this
/// starts another one.
#[test]
fn a_computation_inside_a_task_ends_with_one_thread() {
    let mut tests = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["frame::tests::a_computation_inside_a_task_ends", "--exact"])
        .env("POLARS_MAX_THREADS", "1")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begin = std::time::Instant::now();
    let ended = loop {
        match tests.try_wait().unwrap() {
            Some(status) => break status,
            None if begin.elapsed().as_secs() > 120 => {
                tests.kill().unwrap();
                panic!("it hangs");
            }
            None => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    assert!(ended.success());
}

#[test]
fn values_of_another_kind_are_refused() {
    let value = Value::opaque(1);
    assert!(users().assemble(vec![value]).is_err());
    let column = Column::from(Col::new("x".into(), [1i64]));
    let frame = Frame::new_infer_height(vec![column]).unwrap();
    assert!(DataFrame::from_partitions(vec![frame, df!("y" => [1i64]).unwrap()]).is_err());
}
