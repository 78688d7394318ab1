//! Tests values of Rust types, which delayed functions return.

use super::round_trip;
use crate::error::Error;
use crate::graph::{Value, encodable};
use ndarray::{Array2, arr1, arr2};
use polars::prelude::{NamedFrom, Series, df};
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

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
    // The bytes of a value are counted when it is made.
    assert!(Value::opaque(model()).nbytes() > 800);
    assert!(value.codec().unwrap().tag.ends_with("Model"));
}
