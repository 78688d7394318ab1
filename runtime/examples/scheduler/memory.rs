//! Measures computations on more data than memory: sums of generated chunks, and
//! kept chunks.

use crate::process::{self, measured};
use std::error::Error;
use std::io::BufRead;
use std::time::Instant;
use swath::Collection;
use swath::array::Array;
use swath::graph::Tasks;
use swath::serde_json::json;

/// Sums 0, 1, …, a number of bytes generated chunk by chunk.
pub(crate) fn sum(bytes: usize, chunk: usize, limit: usize) -> Result<(), Box<dyn Error>> {
    swath::set_memory_limit(limit)?;
    let begin = Instant::now();
    let exact = is_exact(&numbers(bytes, chunk), bytes)?;
    measured(json!({
        "bytes": bytes, "exact": exact,
        "run": begin.elapsed().as_secs_f64(),
    }))
}

/// Keeps a number of bytes, waits for a line of input, and sums them. During the
/// wait, the caller may empty the system's cache.
pub(crate) fn persist(
    bytes: usize,
    chunk: usize,
    limit: usize,
    folder: &str,
) -> Result<(), Box<dyn Error>> {
    swath::set_memory_limit(limit)?;
    let written = process::written();
    let begin = Instant::now();
    let kept = numbers(bytes, chunk).persist()?;
    let layer = kept.layer()?;
    let Tasks::Values(source) = layer.tasks() else {
        return Err("what is persisted is a layer of values".into());
    };
    source.wait()?;
    let write = begin.elapsed().as_secs_f64();
    process::sync(folder)?;
    let synced = begin.elapsed().as_secs_f64();
    measured(json!({
        "bytes": bytes, "written": process::written() - written,
        "write": write, "synced": synced,
    }))?;
    std::io::stdin().lock().read_line(&mut String::new())?;

    let (read, read_disk) = (process::read(), process::read_from_disk());
    let begin = Instant::now();
    let exact = is_exact(&kept, bytes)?;
    measured(json!({
        "bytes": bytes, "exact": exact,
        "read": process::read() - read, "read from disk": process::read_from_disk() - read_disk,
        "run": begin.elapsed().as_secs_f64(),
    }))
}

fn numbers(bytes: usize, chunk: usize) -> Array<i64> {
    Array::arange(bytes / size_of::<i64>(), chunk / size_of::<i64>())
}

fn is_exact(numbers: &Array<i64>, bytes: usize) -> swath::Result<bool> {
    let count = (bytes / size_of::<i64>()) as i64;
    Ok(numbers.sum().compute()? == count * (count - 1) / 2)
}
