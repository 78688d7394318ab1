//! Instances for delayed calls and graphs of tasks.
//!
//! A call is compiled for each function that is called. The code that handles
//! its arguments and its value is the same for all functions.

use super::used;
use std::io;
use swath::delayed::{Key, Keys};
use swath::prelude::*;
use swath::session::cell::Failure;

used! { handle:
    call: Delayed<f64>,
    call_of_integer: Delayed<i32>,
    call_of_long: Delayed<i64>,
    call_of_text: Delayed<String>,
    call_of_numbers: Delayed<Vec<f64>>,
    call_of_integers: Delayed<Vec<i64>>,
}

used! { take:
    graph: TaskGraph,
    calls: Vec<Delayed<f64>>,
    calls_of_integers: Vec<Delayed<i64>>,
    key_of_task: Key,
    keys_of_tasks: Keys,
    text_or_error: swath::Result<String>,
}

fn load(path: String) -> Result<Vec<f64>, io::Error> {
    std::fs::read_to_string(&path)?
        .lines()
        .map(|line| line.trim().parse().map_err(io::Error::other))
        .collect()
}

fn process(numbers: Vec<f64>) -> f64 {
    numbers.iter().sum()
}

fn clean(numbers: Vec<f64>) -> Vec<f64> {
    numbers
        .into_iter()
        .filter(|number| *number >= 0.0)
        .collect()
}

fn gather(parts: Vec<Vec<f64>>) -> String {
    format!("{:?}", parts.concat())
}

fn store(text: String) -> Result<String, io::Error> {
    Ok(text)
}

fn increment(x: i64) -> i64 {
    x + 1
}

fn add(x: i64, y: i64) -> i64 {
    x + y
}

fn add_floats(x: f64, y: f64) -> f64 {
    x + y
}

fn total(numbers: Vec<i64>) -> i64 {
    numbers.iter().sum()
}

/// Makes calls whose arguments are values, other calls, and lists of calls.
pub fn delayed_calls(files: &[String]) -> Result<f64, Failure> {
    let mut sums = Vec::new();
    for file in files {
        let numbers = try_delayed(load).call(file.clone());
        sums.push(delayed(process).call(numbers));
    }
    let all = delayed(process).call(sums);
    let both = delayed(add_floats).call(all.clone(), 1.0);
    let mut more = Vec::new();
    for i in 0..10i64 {
        let one = delayed(increment).call(i);
        more.push(delayed(add).call(one.clone(), delayed(increment).call(one)));
    }
    let count = delayed(total).call(more).compute()?;
    drop(all.visualize()?);
    Ok(both.compute()? + count as f64)
}

/// Builds and runs a graph with keys.
pub fn custom_graph() -> Result<String, Failure> {
    let mut graph = TaskGraph::new();
    graph.try_insert("load", load, ("path".to_string(),))?;
    graph.insert("clean", clean, (key("load"),))?;
    graph.insert("sum", process, (key("clean"),))?;
    graph.insert("gather", gather, (keys(["clean", "clean", "clean"]),))?;
    graph.try_insert("store", store, (key("gather"),))?;
    graph.insert("one", increment, (1i64,))?;
    graph.insert("two", add, (key("one"), key("one")))?;
    drop(graph.visualize("store")?);
    let number = graph.get::<f64>("sum")? + graph.get::<i64>("two")? as f64;
    Ok(graph.get::<String>("store")? + &number.to_string())
}
