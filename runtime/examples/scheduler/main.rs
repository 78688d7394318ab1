//! Measures the costs of the scheduler: our side of `tests/bench/scheduler.py`.
//!
//!     scheduler graph SHAPE FORM TASKS REPEATS      a graph of tasks that do nothing
//!     scheduler array ones|random SIDE REPEATS      (x + x.t()).mean() on SIDE × SIDE chunks of 2 × 2
//!     scheduler delayed CALLS REPEATS               delayed calls, and one of them all
//!     scheduler speedup TASKS REPEATS               tasks of 1 ms on one thread and on two
//!     scheduler sum BYTES CHUNK LIMIT               a sum of generated chunks
//!     scheduler persist BYTES CHUNK LIMIT FOLDER    values kept under a memory limit, and their sum
//!     scheduler cancel SHAPE TASKS                  a run that is cancelled, and the next one
//!
//! Each measurement is a line of JSON: times in seconds, memory in bytes. The modules `graphs` and
//! `memory` contain the uses of the runtime's internals.

mod graphs;
mod memory;
mod process;
mod rayon_alone;
mod shape;
mod speedup;

use graphs::{Form, Graph};
use process::measured;
use shape::{Kind, Shape};
use std::error::Error;
use std::str::FromStr;
use std::time::{Duration, Instant};
use swath::Collection;
use swath::array::Array;
use swath::cancel;
use swath::delayed::delayed;
use swath::serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    process::begin();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["graph", kind, form, tasks, repeats] => {
            let shape = Shape::new(kind.parse()?, number(tasks)?);
            repeat(repeats, || graph(shape, form))
        }
        ["array", elements, side, repeats] => {
            let side = number(side)?;
            repeat(repeats, || array(elements, side))
        }
        ["delayed", calls, repeats] => {
            let calls = number(calls)?;
            repeat(repeats, || delayed_calls(calls))
        }
        ["speedup", tasks, repeats] => {
            let work = speedup::Work::calibrate(Duration::from_millis(1));
            let tasks = number(tasks)?;
            repeat(repeats, || speedup::measure(work, tasks))
        }
        ["sum", bytes, chunk, limit] => memory::sum(number(bytes)?, number(chunk)?, number(limit)?),
        ["persist", bytes, chunk, limit, folder] => {
            memory::persist(number(bytes)?, number(chunk)?, number(limit)?, folder)
        }
        ["cancel", kind, tasks] => cancelled(Shape::new(kind.parse()?, number(tasks)?)),
        _ => Err("which measurement? See the top of runtime/examples/scheduler/main.rs".into()),
    }
}

/// Builds, runs and drops a graph, and times each step.
fn graph(shape: Shape, form: &str) -> Result<(), Box<dyn Error>> {
    if let Some(spawned) = form.strip_prefix("rayon") {
        let begin = Instant::now();
        let values = rayon_alone::run(shape, spawned == "-spawn")?;
        let run = begin.elapsed();
        let dropping = Instant::now();
        drop(values);
        return measured(json!({
            "tasks": shape.tasks(), "build": 0.0,
            "run": run.as_secs_f64(), "drop": dropping.elapsed().as_secs_f64(),
        }));
    }
    let (form, synchronous) = match form.strip_suffix("-synchronous") {
        Some(form) => (form, true),
        None => (form, false),
    };
    let begin = Instant::now();
    let graph = Graph::build(shape, Form::from_str(form)?)?;
    let build = begin.elapsed();
    let begin = Instant::now();
    let values = graph.run(synchronous)?;
    let run = begin.elapsed();
    if values != shape.outputs().len() {
        return Err(format!("{values} values, expected {}", shape.outputs().len()).into());
    }
    let begin = Instant::now();
    drop(graph);
    measured(json!({
        "tasks": shape.tasks(), "build": build.as_secs_f64(),
        "run": run.as_secs_f64(), "drop": begin.elapsed().as_secs_f64(),
    }))
}

/// Times `(x + x.t()).mean()`, from building the array to its value.
fn array(elements: &str, side: usize) -> Result<(), Box<dyn Error>> {
    let shape = (2 * side, 2 * side);
    let begin = Instant::now();
    let x = match elements {
        "ones" => Array::<f64>::ones(shape, (2, 2)),
        "random" => Array::random(shape, (2, 2), 1),
        other => return Err(format!("no elements \"{other}\": ones, random").into()),
    };
    let mean = (&x + x.t()).mean();
    let build = begin.elapsed();
    let value = mean.compute()?;
    let total = begin.elapsed();
    // The mean is 2 for ones, and 1 on average for uniform elements.
    let expected = if elements == "ones" { 2.0 } else { 1.0 };
    let within = if elements == "ones" { 0.0 } else { 0.1 };
    if (value - expected).abs() > within {
        return Err(format!("the mean is {value}").into());
    }
    measured(json!({
        "chunks": side * side, "build": build.as_secs_f64(),
        "run": (total - build).as_secs_f64(), "total": total.as_secs_f64(),
    }))
}

/// Times a number of calls, and one call with the values of all.
fn delayed_calls(calls: usize) -> Result<(), Box<dyn Error>> {
    let number = delayed(|number: u64| number);
    let total = delayed(|numbers: Vec<u64>| numbers.iter().sum::<u64>());
    let begin = Instant::now();
    let numbers: Vec<_> = (0..calls as u64).map(|at| number.call(at)).collect();
    let total = total.call(numbers);
    let build = begin.elapsed();
    let value = total.compute()?;
    let run = begin.elapsed() - build;
    let expected = (0..calls as u64).sum::<u64>();
    if value != expected {
        return Err(format!("the sum is {value}, expected {expected}").into());
    }
    measured(json!({
        "tasks": calls + 1, "build": build.as_secs_f64(), "run": run.as_secs_f64(),
    }))
}

/// Presses stop at several moments of a run, as a notebook does. The run returns, and the next cell
/// begins and computes something trivial.
fn cancelled(shape: Shape) -> Result<(), Box<dyn Error>> {
    let graph = Graph::build(shape, Form::Listed)?;
    // The first run in a process is slower than the cancelled ones.
    graph.run(false)?;
    let begin = Instant::now();
    graph.run(false)?;
    let whole = begin.elapsed();
    for tenths in [1, 3, 5, 7, 9] {
        let (finished, pressed) = std::thread::scope(|scope| {
            let run = scope.spawn(|| graph.run(false).is_ok());
            std::thread::sleep(whole * tenths / 10);
            let pressed = Instant::now();
            cancel::interrupt();
            (run.join(), pressed)
        });
        let returned = pressed.elapsed();
        cancel::begin();
        let one = delayed(|| 1).call().compute()?;
        let done = pressed.elapsed();
        let finished = finished.map_err(|_| "the run panicked")?;
        if one != 1 {
            return Err(format!("the next compute returned {one}").into());
        }
        measured(json!({
            "tasks": shape.tasks(), "whole": whole.as_secs_f64(), "at": f64::from(tenths) / 10.0,
            "cancelled": !finished,
            "returned": returned.as_secs_f64(), "done": done.as_secs_f64(),
        }))?;
    }
    Ok(())
}

fn repeat(
    repeats: &str,
    mut measure: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    (0..number(repeats)?).try_for_each(|_| measure())
}

fn number(word: &str) -> Result<usize, Box<dyn Error>> {
    word.parse()
        .map_err(|error| format!("\"{word}\" is no number: {error}").into())
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "independent" => Self::Independent,
            "chain" => Self::Chain,
            "tree" => Self::Tree,
            "layered" => Self::Layered,
            "fan-in" => Self::FanIn,
            other => return Err(format!("no shape \"{other}\"")),
        })
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "listed" => Self::Listed,
            "blockwise" => Self::Blockwise,
            "delayed" => Self::Delayed,
            "keys" => Self::Keys,
            other => return Err(format!("no form \"{other}\"")),
        })
    }
}
