//! Instances for values of std's types.

use super::used;
use std::collections::{BTreeMap, HashMap, HashSet};

used! { handle:
    boolean: bool,
    character: char,
    signed: i32,
    long: i64,
    unsigned: u32,
    byte: u8,
    unsigned_long: u64,
    size: usize,
    float: f64,
    single: f32,
    literal: &'static str,
    pair: (i32, i32),
    floats_pair: (f64, f64),
    maybe: Option<i32>,
    maybe_float: Option<f64>,
}

used! { take:
    unit: (),
    text: String,
    integers: Vec<i32>,
    longs: Vec<i64>,
    sizes: Vec<usize>,
    floats: Vec<f64>,
    texts: Vec<String>,
    literals: Vec<&'static str>,
    matrix: Vec<Vec<f64>>,
    maybe_text: Option<String>,
    counts: HashMap<String, usize>,
    numbers_by_text: HashMap<String, i32>,
    literal_counts: HashMap<&'static str, usize>,
    sorted_counts: BTreeMap<String, usize>,
    set: HashSet<String>,
    counted: Vec<(String, usize)>,
    boxed_function: Box<dyn Fn(f64) -> f64>,
    boxed_integer_function: Box<dyn Fn(i32) -> i32>,
    duration: std::time::Duration,
    instant: std::time::Instant,
    path: std::path::PathBuf,
}

/// Handles text and numbers as cells do.
///
/// There are no maps, sorting or sums here: code that a cell repeats is better
/// compiled in the cell, where it is optimised more.
pub fn handled(text: &str) -> Result<String, swath::session::cell::Failure> {
    let number: i32 = text.parse()?;
    let float: f64 = text.parse()?;
    let mut words: Vec<String> = text.split_whitespace().map(str::to_string).collect();
    words.push(format!("{number} {float:?} {text}"));
    let integers: Vec<i32> = vec![1, 2, 3];
    let sizes: Vec<usize> = (0..words.len()).collect();
    println!("{sizes:?} {integers:?}");
    for line in text.lines() {
        println!("{line}");
    }
    Ok(words.join(", "))
}

/// Reads and writes files as cells do.
pub fn files(path: &str, text: String) -> Result<String, swath::session::cell::Failure> {
    std::fs::create_dir_all(path)?;
    std::fs::write(path, &text)?;
    std::fs::write(path, text)?;
    Ok(std::fs::read_to_string(path)?)
}
