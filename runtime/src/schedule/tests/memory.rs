//! Checks that values moved to disk come back unchanged, whatever happens, and
//! that loading does not run ahead of reducing.

use super::*;
use crate::array::Array;
use crate::frame::DataFrame;
use crate::graph::in_use;
use crate::schedule::{memory, spill};
use polars::df;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

/// The spill file is shared by the whole process.
static DISK: Mutex<()> = Mutex::new(());

/// Counts the values that are moved to disk and back.
#[derive(Default)]
struct Moves {
    spilled: AtomicUsize,
    unspilled: AtomicUsize,
}

impl Listener for Moves {
    fn event(&self, event: &Event) {
        let count = match event {
            Event::Spilled { .. } => &self.spilled,
            Event::Unspilled { .. } => &self.unspilled,
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns options under which a run may hold nothing but the values its tasks
/// work on.
fn without_memory(synchronous: bool) -> (Options, Arc<Moves>) {
    let moves = Arc::new(Moves::default());
    let options = Options {
        memory_limit: Some(1),
        synchronous,
        listeners: vec![moves.clone()],
        ..Options::default()
    };
    (options, moves)
}

/// x ─→ x − mean ─→ sum of squares: each chunk is needed before and after the
/// mean is known.
#[test]
fn intermediate_values_go_to_disk_and_come_back() {
    let _disk = DISK.lock();
    let x = Array::<f64>::random((400, 400), (50, 50), 7);
    let centred = &x - &x.mean();
    let squares = (&centred * &centred).sum();
    let expected = squares.compute().unwrap();
    for synchronous in [true, false] {
        let (options, moves) = without_memory(synchronous);
        assert_eq!(squares.compute_with(&options).unwrap(), expected);
        assert!(moves.spilled.load(Ordering::Relaxed) > 0);
        assert!(moves.unspilled.load(Ordering::Relaxed) > 0);
    }
}

#[test]
fn outputs_come_back_from_disk() {
    let _disk = DISK.lock();
    let x = Array::<f64>::random((200, 300), (37, 50), 7);
    let frame = DataFrame::from_polars(
        df!("n" => (0..5000).collect::<Vec<i64>>(), "s" => vec!["text"; 5000]).unwrap(),
        5,
    );
    let squares = frame.with_column("m", polars::prelude::col("n") * polars::prelude::lit(2));
    let texts = delayed(|n: usize| vec!["value".repeat(n); 100]);
    let texts: Vec<Delayed<Vec<String>>> = (0..20).map(|n| texts.call(n)).collect();
    let all = delayed(|texts: Vec<Vec<String>>| texts.concat()).call(&texts);
    let (array, table, text) = (
        x.compute().unwrap(),
        squares.compute().unwrap(),
        all.compute().unwrap(),
    );
    for synchronous in [true, false] {
        let (options, _) = without_memory(synchronous);
        assert_eq!(x.compute_with(&options).unwrap(), array);
        assert!(
            squares
                .compute_with(&options)
                .unwrap()
                .equals_missing(&table)
        );
        assert_eq!(all.compute_with(&options).unwrap(), text);
    }
}

#[test]
fn kept_values_go_to_disk_and_come_back() {
    let _disk = DISK.lock();
    let x = Array::<f64>::random((300, 300), (30, 30), 3);
    let expected = x.compute().unwrap();
    let (options, _) = without_memory(false);
    let before = memory().spilled;
    let layer = Persisted::start(x.raw().layer(), options);
    let kept = x.with_layer(layer);
    assert_eq!(kept.compute().unwrap(), expected);
    assert!(memory().spilled > before);
    assert_eq!(kept.compute().unwrap(), expected);
    drop(kept);
    // A worker may still be looking for values to spill.
    in_time(move || {
        while memory().spilled > before {
            std::thread::yield_now();
        }
    });
}

/// Returns a graph of values of many sizes, each derived from its inputs' sum.
fn sized(shape: &Shape) -> Vec<Delayed<Vec<u64>>> {
    let grow = delayed(|seed: u64, inputs: Vec<Vec<u64>>| -> Vec<u64> {
        let count = 1 + (seed % 7) * 300;
        let sum = inputs
            .iter()
            .flatten()
            .fold(seed, |sum, n| sum.wrapping_add(*n));
        (0..count).map(|n| sum ^ n).collect()
    });
    let mut calls: Vec<Delayed<Vec<u64>>> = Vec::new();
    for inputs in shape.iter().flatten() {
        let taken: Vec<Delayed<Vec<u64>>> = match calls.len() {
            0 => Vec::new(),
            known => inputs
                .iter()
                .map(|(a, b)| calls[(a + b) % known].clone())
                .collect(),
        };
        calls.push(grow.call(calls.len() as u64, taken));
    }
    calls
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_run_without_memory_computes_what_one_with_memory_does(shape in shapes()) {
        let _disk = DISK.lock();
        let calls = sized(&shape);
        let layers: Vec<_> = calls.iter().map(|call| call.layer().unwrap()).collect();
        let numbers = |values: Vec<Vec<Value>>| -> Vec<Vec<u64>> {
            let values = values.into_iter().flatten();
            values.map(|value| value.opaque_ref::<Vec<u64>>().unwrap().clone()).collect()
        };
        let expected = numbers(run(&layers, &Options::default()).unwrap());
        for synchronous in [true, false] {
            let (options, _) = without_memory(synchronous);
            prop_assert_eq!(&numbers(run(&layers, &options).unwrap()), &expected);
        }
    }
}

#[test]
fn a_full_disk_is_an_error_that_loses_nothing() {
    let _disk = DISK.lock();
    let x = Array::<f64>::random((300, 300), (30, 30), 3);
    let kept = x.persist().unwrap();
    let expected = kept.compute().unwrap();
    let y = Array::<f64>::random((300, 300), (30, 30), 4);
    let centred = (&y - &y.mean()).sum();
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let _full = spill::spill_to(full, "/dev");
        for synchronous in [true, false] {
            let (options, _) = without_memory(synchronous);
            let error = centred.compute_with(&options).unwrap_err();
            assert_eq!(error.kind(), "SpillError", "{error}");
            let text = error.to_string();
            assert!(
                text.contains("No space left") && text.contains("/dev"),
                "{text}"
            );
        }
        assert_eq!(kept.compute().unwrap(), expected);
    }
    let (options, _) = without_memory(false);
    centred.compute_with(&options).unwrap();
    assert_eq!(kept.compute().unwrap(), expected);
}

/// Returns a file that cannot grow beyond `nbytes`.
fn file_of(nbytes: u64) -> File {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    let file = File::from(memfd_create("spilled", MemfdFlags::ALLOW_SEALING).unwrap());
    file.set_len(nbytes).unwrap();
    fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK).unwrap();
    file
}

/// The disk is full after the first value, the second, the third, and so on, or
/// in the middle of one.
#[test]
fn a_disk_that_is_full_at_any_point_loses_nothing() {
    let _disk = DISK.lock();
    let x = Array::<f64>::random((120, 120), (30, 30), 3);
    let kept = x.persist().unwrap();
    let expected = kept.compute().unwrap();
    let y = Array::<f64>::random((120, 120), (30, 30), 4);
    let centred = &y - &y.mean();
    let centred_there = centred.compute().unwrap();
    let (mut full, mut enough) = (0, 0);
    for room in (0..40).map(|kibibytes| kibibytes * 8 * 1024) {
        let _small = spill::spill_to(file_of(room), "/little");
        for synchronous in [true, false] {
            let (options, _) = without_memory(synchronous);
            match centred.compute_with(&options) {
                Ok(values) => {
                    assert_eq!(values, centred_there);
                    enough += 1;
                }
                Err(error) => {
                    assert_eq!(error.kind(), "SpillError", "{error}");
                    full += 1;
                }
            }
            assert_eq!(kept.compute().unwrap(), expected);
        }
    }
    assert!(full > 10 && enough > 10, "{full} times full, {enough} not");
}

/// Values without an encoding stay in memory, and the run continues.
#[test]
fn what_has_no_encoding_stays() {
    #[derive(Clone)]
    struct Own(Vec<u8>);
    let _disk = DISK.lock();
    let make = delayed(|n: u8| Own(vec![n; 100_000]));
    let own: Vec<_> = (0..20).map(|n| make.call(n)).collect();
    let sum = delayed(|own: Vec<Own>| own.iter().map(|own| u64::from(own.0[0])).sum::<u64>());
    let (options, _) = without_memory(false);
    assert_eq!(sum.call(&own).compute_with(&options).unwrap(), 190);
}

/// load × 300 ─→ a slow fold: 0 ─→ + load 0 ─→ + load 1 ─→ …
///
/// Loads are quick, and would all be held if they did not wait for the fold.
#[test]
fn loading_does_not_run_ahead_of_reducing() {
    const NUMBERS: usize = 1 << 17;
    let held = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    struct Load {
        numbers: Vec<u64>,
        held: Arc<AtomicUsize>,
    }
    impl Clone for Load {
        fn clone(&self) -> Self {
            self.held.fetch_add(1, Ordering::SeqCst);
            Self {
                numbers: self.numbers.clone(),
                held: self.held.clone(),
            }
        }
    }
    impl Drop for Load {
        fn drop(&mut self) {
            self.held.fetch_sub(1, Ordering::SeqCst);
        }
    }
    impl crate::graph::ChunkValue for Load {
        fn nbytes(&self) -> usize {
            8 * self.numbers.len()
        }
        fn summary(&self) -> crate::graph::Summary {
            crate::graph::Summary::of_type("Load")
        }
        fn codec(&self) -> Option<crate::graph::Codec> {
            None
        }
        fn encode(&self, _: &mut dyn std::io::Write) -> Result<()> {
            Err(Error::Encode("a load".to_owned()))
        }
    }
    struct Make(Arc<AtomicUsize>, Arc<AtomicUsize>);
    impl Operation for Make {
        fn name(&self) -> &str {
            "load"
        }
        fn arguments(&self) -> Arguments {
            Arguments::Unique
        }
        fn run(&self, _: &Block<'_>, _: Vec<Value>) -> Result<Value> {
            let held = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            self.1.fetch_max(held, Ordering::SeqCst);
            Ok(Value::new(Load {
                numbers: vec![1; NUMBERS],
                held: self.0.clone(),
            }))
        }
    }
    struct Fold;
    impl Operation for Fold {
        fn name(&self) -> &str {
            "fold"
        }
        fn arguments(&self) -> Arguments {
            Arguments::Unique
        }
        fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
            std::thread::sleep(Duration::from_millis(1));
            let loaded = inputs
                .iter()
                .filter_map(|input| input.downcast_ref::<Load>());
            let sum: u64 = loaded.map(|load| load.numbers.iter().sum::<u64>()).sum();
            let before: u64 = inputs
                .iter()
                .filter_map(|input| input.opaque_ref::<u64>())
                .sum();
            Ok(Value::opaque(sum + before))
        }
    }
    let (make, fold): (Arc<dyn Operation>, Arc<dyn Operation>) =
        (Arc::new(Make(held.clone(), most.clone())), Arc::new(Fold));
    let mut tasks = Listed::new();
    for _ in 0..300 {
        tasks.push(make.clone(), []);
    }
    let mut last = tasks.push(fold.clone(), [TaskRef::own(0)]);
    for load in 1..300 {
        last = tasks.push(fold.clone(), [TaskRef::own(last), TaskRef::own(load)]);
    }
    let layer = Layer::listed(LayerId::unique(), "fold", tasks, Vec::new());
    let sum = Layer::pick(&layer, last);
    let options = Options {
        memory_limit: Some(64 << 20),
        threads: Some(2),
        ..Options::default()
    };
    let values = run(&[sum], &options).unwrap();
    assert_eq!(
        values[0][0].opaque_ref::<u64>(),
        Some(&(300 * NUMBERS as u64))
    );
    assert_eq!(held.load(Ordering::SeqCst), 0);
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 60, "{most} of 300 loads were held at a time");
}

#[test]
fn values_count_as_long_as_somebody_holds_them() {
    let before = in_use() as i64;
    let value = Value::opaque(vec![0u8; 100 << 20]);
    let shared = value.clone();
    let more = in_use() as i64 - before;
    // Other tests hold values too, but fewer bytes.
    assert!((50 << 20..150 << 20).contains(&more), "{more}");
    drop(value);
    assert!(in_use() as i64 - before > 50 << 20);
    drop(shared);
    assert!(in_use() as i64 - before < 50 << 20);
}

#[test]
fn sizes_are_read() {
    use crate::schedule::ByteSize;
    let bytes = |text: &str| ByteSize::from(text).bytes();
    assert_eq!(bytes("512").unwrap(), 512);
    assert_eq!(bytes("1.5 GiB").unwrap(), 3 << 29);
    assert_eq!(bytes(" 2 gb ").unwrap(), 2_000_000_000);
    assert_eq!(bytes("1,000 kB").unwrap(), 1_000_000);
    for wrong in ["", "GiB", "4 apples", "-1 GB", "0", "1.2.3 MB"] {
        let error = bytes(wrong).unwrap_err();
        assert_eq!(error.kind(), "ArgumentError", "{wrong}");
    }
}
