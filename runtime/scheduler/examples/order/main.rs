//! Reads graphs and orders them, so that tests can compare its orders with others.
//!
//! Each graph is a few lines of words:
//!
//! ```text
//! order 3          the number of tasks (`simulate 3` with a sequence at the end)
//! 10               one line per task: the bytes of its value, then its inputs' numbers
//! 20
//! 1 0 1
//! 2                the numbers of the outputs
//! 0 1 2            only for `simulate`: the tasks in their order
//! ```
//!
//! The reply is one line per graph: the peak and the order for `order`, the bytes
//! held while each task runs for `simulate`.
//!
//! `order --bench` prints how long ordering takes.

mod bench;

use std::error::Error;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};
use std::process::ExitCode;
use std::str::FromStr;

use swath_scheduler::{Adjacency, TaskId, Topology, order, simulate};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => reply(),
        ["--bench"] => {
            bench::run();
            Ok(())
        }
        _ => Err("usage: order [--bench]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Answers each graph on standard input.
fn reply() -> Result<(), Box<dyn Error>> {
    let mut lines = stdin().lock().lines();
    let mut replies = BufWriter::new(stdout().lock());
    let mut line = move || -> Result<Option<String>, std::io::Error> { lines.next().transpose() };
    while let Some(header) = line()? {
        let (asked, tasks) = header
            .split_once(' ')
            .ok_or_else(|| format!("expected `order N` or `simulate N`, found `{header}`"))?;
        let tasks: usize = tasks.parse()?;
        let mut next = || line()?.ok_or_else(|| Box::<dyn Error>::from("the graph ends too soon"));
        let mut inputs = Adjacency::with_capacity(tasks, tasks);
        let mut nbytes = Vec::with_capacity(tasks);
        for _ in 0..tasks {
            let task: Vec<u64> = numbers(&next()?)?;
            let [bytes, taken @ ..] = &task[..] else {
                return Err("a task without its bytes".into());
            };
            nbytes.push(*bytes);
            inputs.push(taken.iter().map(|&input| TaskId(input as u32)));
        }
        let outputs = ids(&next()?)?;
        let graph = Topology::new(inputs, outputs, nbytes);
        let numbers: Vec<u64> = match asked {
            "simulate" => simulate(&graph, &ids(&next()?)?),
            _ => {
                let sequence = order(&graph);
                let peak = simulate(&graph, &sequence).into_iter().max();
                let order = sequence.iter().map(|task| u64::from(task.0));
                [peak.unwrap_or(0)].into_iter().chain(order).collect()
            }
        };
        let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
        writeln!(replies, "{}", words.join(" "))?;
    }
    Ok(())
}

fn ids(line: &str) -> Result<Vec<TaskId>, Box<dyn Error>> {
    Ok(numbers(line)?.into_iter().map(TaskId).collect())
}

fn numbers<N: FromStr>(line: &str) -> Result<Vec<N>, Box<dyn Error>>
where
    N::Err: Error + 'static,
{
    line.split_ascii_whitespace()
        .map(|word| word.parse().map_err(Into::into))
        .collect()
}
