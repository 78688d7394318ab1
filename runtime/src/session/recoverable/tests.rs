//! Checks that saved values are restored unchanged, in any chunks, and that
//! damaged values are not restored at all.

use super::*;
use crate::collections::*;
use crate::compute::Collection;
use crate::delayed::delayed;
use crate::graph::{LayerId, Tasks};
use crate::schedule::CheckpointWriter;
use ndarray::Axis;
use polars::df;
use polars::prelude::{DataFrame as Frame, col};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A collection's files, as a killed process leaves them.
struct Left {
    folder: TempDir,
    layers: Vec<LayerId>,
    descriptions: Vec<Vec<u8>>,
    kind: &'static Kind,
}

/// Persists the collections of a variable, and waits until they are written.
fn keep<C: Recover>(collections: &[C], variable: &dyn Fn(Vec<C>) -> Box<dyn Any>) -> Left {
    let persisted: Vec<C> = collections
        .iter()
        .map(|collection| collection.persist().unwrap())
        .collect();
    let layers: Vec<Arc<Layer>> = persisted
        .iter()
        .map(|one| Collection::layer(one).unwrap())
        .collect();
    for layer in &layers {
        if let Tasks::Values(source) = layer.tasks() {
            source.wait().unwrap();
        }
    }
    let value = variable(persisted);
    let kind = kind_of(&*value).expect("a kind that comes back");
    let (folder, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let writer = CheckpointWriter::start(folder.path()).unwrap();
    let ids = kind.layers(&*value).unwrap();
    let ids: Vec<LayerId> = ids.iter().map(|layer| layer.id()).collect();
    writer.keep(ids.iter().map(|&id| (id, "x".to_owned())).collect());
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ids.iter().all(|&id| writer.has_written(id)) {
        assert!(Instant::now() < deadline, "nothing was written");
        std::thread::sleep(Duration::from_millis(1));
    }
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    Left {
        folder: left,
        layers: ids,
        descriptions: kind.describe(&*value).unwrap(),
        kind,
    }
}

impl Left {
    /// Restores the variable, as another process would.
    fn take(&self) -> (CheckpointWriter, Option<Box<dyn Any>>) {
        let writer = CheckpointWriter::start(self.folder.path()).unwrap();
        let codec = (self.kind.codec)().unwrap();
        let layers: Option<Vec<_>> = self
            .layers
            .iter()
            .map(|&id| writer.take_over(id, codec))
            .collect();
        let value = layers.map(|layers| self.kind.restore(&self.descriptions, layers).unwrap());
        (writer, value)
    }
}

fn check<C: Recover>(collection: &C)
where
    C::Output: PartialEq + Debug,
{
    let expected = collection.compute().unwrap();
    let left = keep(std::slice::from_ref(collection), &|mut one| {
        Box::new(one.remove(0))
    });
    let (_writer, value) = left.take();
    let value = value.expect("all files are there");
    let back = value.downcast_ref::<C>().expect("the type that it was");
    let layer = Collection::layer(back).unwrap();
    assert_eq!(layer.id(), Collection::layer(collection).unwrap().id());
    assert_eq!(layer.name(), Collection::layer(collection).unwrap().name());
    assert_eq!(back.compute().unwrap(), expected);
    // A second time, from the values that were read and kept.
    assert_eq!(back.compute().unwrap(), expected);
}

fn frame(rows: usize) -> Frame {
    let numbers = (0..rows).map(|row| (row % 7 != 3).then_some(row as i64));
    df!(
        "number" => numbers.collect::<Vec<_>>(),
        "half" => (0..rows).map(|row| row as f64 / 2.0).collect::<Vec<_>>(),
        "name" => (0..rows).map(|row| format!("row {row}")).collect::<Vec<_>>(),
        "even" => (0..rows).map(|row| row % 2 == 0).collect::<Vec<_>>(),
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn arrays_come_back(rows in 0usize..9, columns in 0usize..9, height in 1usize..5, width in 1usize..5, seed: u64) {
        let random = Array::random((rows, columns), (height, width), seed) * 200.0;
        check(&random);
        check(&random.astype::<f32>());
        check(&random.astype::<i64>());
        check(&random.astype::<i32>());
        check(&random.astype::<u64>());
        check(&random.astype::<u32>());
        check(&random.astype::<u8>());
        check(&random.astype::<bool>());
        check(&random.sum_axis(Axis(0)));
        check(&random.sum());
        check(&random.astype::<i64>().sum());
    }

    #[test]
    fn frames_come_back(rows in 0usize..40, partitions in 1usize..5) {
        let frame = DataFrame::from_polars(frame(rows), partitions);
        check(&frame.filter(col("number").is_not_null()));
        check(&frame.group_by("even").agg([col("half").sum()]).sort("even", crate::frame::Order::Ascending));
        check(&frame.column("name"));
        check(&frame.column("half").sum());
        check(&frame.column("number").max().cast::<Option<i64>>());
    }
}

#[test]
fn delayed_values_come_back() {
    check(&delayed(|n: f64| n / 3.0).call(1.0));
    check(&delayed(|n: usize| vec![n as f64; n]).call(1000usize));
    check(&delayed(|n: usize| "ä".repeat(n)).call(70_000usize));
    check(&delayed(|n: usize| (n, format!("{n}"))).call(3usize));
    check(&delayed(frame).call(20usize));
    check(&delayed(|n: usize| ndarray::Array2::<f64>::ones((n, 2))).call(5usize));
}

#[test]
fn vectors_come_back_whole_or_not_at_all() {
    let parts: Vec<_> = (0..5)
        .map(|n| delayed(|n: u64| n * n).call(n as u64))
        .collect();
    let left = keep(&parts, &|parts| Box::new(parts));
    let (writer, value) = left.take();
    let value = value.unwrap();
    let back = value.downcast_ref::<Vec<Delayed<u64>>>().unwrap();
    let computed: Vec<u64> = back.iter().map(|one| one.compute().unwrap()).collect();
    assert_eq!(computed, [0, 1, 4, 9, 16]);
    drop((writer, value));

    let left = keep(&parts, &|parts| Box::new(parts));
    let first = fs::read_dir(left.folder.path()).unwrap().next().unwrap();
    fs::remove_file(first.unwrap().path()).unwrap();
    assert!(left.take().1.is_none());
}

#[test]
fn what_is_made_of_it_is_found_again() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    fn costly(n: u64) -> Vec<f64> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        vec![n as f64; 10]
    }
    let call = || delayed(costly).pure().unwrap().call(4);
    let left = keep(&[call()], &|mut one| Box::new(one.remove(0)));
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
    let (_writer, value) = left.take();
    let sum = call().map(|list| list.iter().sum::<f64>());
    assert_eq!(sum.compute().unwrap(), 40.0);
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
    drop(value);
}

/// A damaged value gives an error that says so, and no value.
#[test]
fn damaged_values_are_errors() {
    let array = Array::<f64>::arange(100, 10);
    let left = keep(&[array], &|mut one| Box::new(one.remove(0)));
    let path = only_file(left.folder.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[50] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (_writer, value) = left.take();
    let value = value.unwrap();
    let back = value.downcast_ref::<Array<f64>>().unwrap();
    let error = back.compute().unwrap_err().to_string();
    assert!(error.contains("the stored value is damaged"), "{error}");
    // The other chunks are intact.
    assert_eq!(
        back.slice_axis(Axis(0), 50..60).sum().compute().unwrap(),
        545.0
    );
}

#[test]
fn files_go_with_who_wants_them() {
    let array = Array::<f64>::arange(100, 10).persist().unwrap();
    let id = Collection::layer(&array).unwrap().id();
    array.compute().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let writer = CheckpointWriter::start(folder.path()).unwrap();
    let wanted = || [(id, "x".to_owned())].into();
    let count = || fs::read_dir(folder.path()).unwrap().count();
    let wait = |what: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !what() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    writer.keep(wanted());
    wait(&|| writer.has_written(id));
    // No variable needs the file, but its values still stand in for those in
    // memory.
    writer.keep([].into());
    assert_eq!(count(), 1);
    writer.keep(wanted());
    wait(&|| writer.has_written(id));
    assert_eq!(count(), 1);
    drop(writer);
    assert_eq!(count(), 1);
    assert_eq!(array.sum().compute().unwrap(), 4950.0);
    drop(array);
    wait(&|| count() == 0);
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let mut entries = fs::read_dir(folder).unwrap();
    let path = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    path
}
