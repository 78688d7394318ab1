use super::*;
use crate::array::Array;
use crate::compute::Collection;
use crate::delayed::{TaskGraph, delayed};
use crate::display::brief::LINE;
use crate::frame::DataFrame;
use polars::prelude::{Column, col, df, lit};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

fn described(value: &dyn Any) -> Description {
    describe(value).0
}

/// Checks shape, summary and bytes.
fn check(value: &dyn Any, shape: &str, summary: &str, nbytes: Option<u64>) {
    let description = described(value);
    assert_eq!(
        (
            &*description.shape,
            &*description.summary,
            description.nbytes
        ),
        (shape, summary, nbytes)
    );
}

#[test]
fn lists_of_collections() {
    let arrays = vec![Array::<u64>::arange(10, 5); 2];
    let text = described(&arrays).summary;
    assert!(text.starts_with("[Array<u64> \"arange-"), "{text}");
    let calls = vec![delayed(|a: f32| vec![a]).call(1.0)];
    assert!(described(&calls).summary.starts_with("[Delayed(\"closure-"));
    let sums = vec![arrays[0].sum()];
    assert!(described(&sums).summary.starts_with("[Scalar<u64> \"sum"));
    check(&Vec::<DataFrame>::new(), "0 elements", "[]", None);
}

#[test]
fn plain_values() {
    check(&3.5f64, "", "3.5", Some(8));
    check(&'x', "", "'x'", Some(4));
    check(&(1usize, "a"), "", "(1, \"a\")", Some(24));
    check(&(1i32, String::from("a")), "", "(1, \"a\")", None);
    check(&Some(2u8), "", "Some(2)", Some(2));
    check(&Err::<i32, _>(String::from("no")), "", "Err(\"no\")", None);
    check(&String::from("two\nlines"), "", r#""two\nlines""#, Some(9));
    check(&vec![1.5f64, 2.0], "2 elements", "[1.5, 2.0]", Some(16));
    check(&vec![0u8; 0], "0 elements", "[]", Some(0));
    check(&vec![String::from("a")], "1 element", "[\"a\"]", None);
    check(&Arc::new(vec![true]), "1 element", "[true]", Some(1));
    check(&HashSet::from([7u64]), "1 element", "{7}", Some(24));
    check(
        &BTreeMap::from([("a", 1), ("b", 2)]),
        "2 entries",
        "{\"a\": 1, \"b\": 2}",
        Some(48),
    );
    check(
        &Arc::new(Mutex::new(1i32)),
        "",
        "Mutex(1)",
        Some(size_of::<Mutex<i32>>() as u64),
    );
}

#[test]
fn a_type_of_which_nothing_is_known_has_a_size() {
    struct Unknown(#[expect(dead_code, reason = "its size counts")] [u64; 5]);
    check(&Unknown([0; 5]), "", "", Some(40));
}

#[test]
fn of_what_is_long_only_the_beginning_is_told() {
    let many: Vec<u64> = (0..1_000_000).collect();
    let of_many = described(&many);
    assert!(of_many.summary.starts_with("[0, 1, 2,"));
    assert!(of_many.summary.ends_with("… ]") || of_many.summary.ends_with("…]"));
    for value in [
        &many as &dyn Any,
        &"é\n".repeat(1 << 20),
        &vec!["long ".repeat(1000); 1000],
    ] {
        let description = described(value);
        assert!(
            description.summary.chars().count() <= LINE + 2,
            "{}",
            description.summary
        );
        assert!(!description.summary.contains('\n'));
        assert!(
            description.preview.len() <= PREVIEW + 3,
            "{}",
            description.preview.len()
        );
        assert!(!description.preview.is_empty());
    }
}

#[test]
fn arrays_tell_their_structure_and_whether_they_are_there() {
    let array = Array::<f64>::ones([20_000, 1000], (1000, 1000));
    let lazy = described(&array);
    assert_eq!(lazy.shape, "(20000, 1000)");
    assert_eq!(lazy.chunks, "(1000, 1000), 20 chunks");
    assert_eq!((&*lazy.state, lazy.nbytes), ("not computed", None));
    let small = Array::<i32>::zeros([10], 5).persist().unwrap();
    small.compute().unwrap();
    // The end is recorded shortly after the values are available.
    while describe(&small).1 {
        std::thread::yield_now();
    }
    let there = described(&small);
    assert_eq!((&*there.state, there.nbytes), ("persisted", Some(40)));
    let sum = described(&array.sum());
    assert!(sum.summary.starts_with("sum"), "{}", sum.summary);
    assert_eq!(sum.state, "not computed");
    let eager = described(&ndarray::arr2(&[[1u8, 2], [3, 4]]));
    assert_eq!((&*eager.shape, eager.nbytes), ("(2, 2)", Some(4)));
    assert_eq!(eager.preview, "[[1, 2],\n [3, 4]]");
}

#[test]
fn frames_tell_their_columns() {
    let columns = |description: &Description| -> Vec<String> {
        let columns = description.columns.iter();
        columns
            .map(|(name, dtype)| format!("{name}: {dtype}"))
            .collect()
    };
    let eager = df!("age" => [24, 53, 23], "sex" => ["M", "F", "M"]).unwrap();
    let of_eager = described(&eager);
    assert_eq!(of_eager.shape, "(3, 2)");
    assert_eq!(columns(&of_eager), ["age: i32", "sex: str"]);
    assert!(of_eager.preview.contains("53"));
    let users = DataFrame::from_polars(eager, 2);
    let there = described(&users);
    assert_eq!(
        (&*there.chunks, &*there.state),
        ("2 partitions", "in memory")
    );
    assert!(there.nbytes > Some(0));
    let adults = users.filter(col("age").gt(lit(30)));
    let lazy = described(&adults);
    assert_eq!((&*lazy.state, lazy.nbytes), ("not computed", None));
    assert_eq!(columns(&lazy), ["age: i32", "sex: str"]);
    assert_eq!(
        columns(&described(&users.group_by("sex"))),
        ["age: i32", "sex: str"]
    );
    assert_eq!(described(&users.column("age")).dtype, "i32");
    assert_eq!(described(&users.column("age").mean()).state, "not computed");
    let wrong = described(&users.filter(col("agee").gt(lit(30))));
    assert_eq!(wrong.state, "cannot be computed");
    assert!(wrong.summary.contains("agee"));
    let wide: Vec<Column> = (0..5000)
        .map(|at| Column::new(format!("c{at}").into(), [at]))
        .collect();
    let wide = described(&crate::frame::Frame::new_infer_height(wide).unwrap());
    assert_eq!(
        (wide.shape.as_str(), wide.columns.len()),
        ("(1, 5000)", COLUMNS)
    );
}

#[test]
fn functions_and_graphs() {
    let double = delayed(|x: f64| 2.0 * x);
    assert_eq!(described(&double.call(1.0)).state, "not computed");
    let mut graph = TaskGraph::new();
    graph.insert_value("one", 1).unwrap();
    let graph = described(&graph);
    assert_eq!((&*graph.shape, &*graph.summary), ("1 task", "one"));
}
