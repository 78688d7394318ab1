//! Runs the fuzz targets on the stable toolchain: on the corpus, and on a fixed
//! number of mutations of it, the same in every run.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod properties;

use std::path::Path;

/// The number of mutations of each corpus entry.
const MUTATIONS: usize = 100;

#[test]
fn messages() {
    replay("message", properties::message::check);
}

#[test]
fn streams() {
    replay("stream", properties::stream::check);
}

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(corpus.len() >= 20, "{} is nearly empty", folder.display());
    for (path, seed) in paths.iter().zip(&corpus) {
        run(check, seed, &path.display().to_string());
        let mut random = Random(fnv(seed));
        for number in 0..MUTATIONS {
            let input = mutate(seed, &corpus, &mut random);
            run(
                check,
                &input,
                &format!("mutation {number} of {}", path.display()),
            );
        }
    }
}

/// Prints the input before the test fails.
fn run(check: fn(&[u8]), input: &[u8], name: &str) {
    if let Err(panic) = std::panic::catch_unwind(|| check(input)) {
        eprintln!("{name}: {}", input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

/// Makes one to four changes: flips bits, changes bytes, removes, duplicates or
/// inserts pieces of another entry.
fn mutate(seed: &[u8], corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..=random.below(4) {
        let from = random.below(input.len() + 1);
        let to = (from + random.below(16)).min(input.len());
        match random.below(6) {
            0 if from < input.len() => input[from] ^= 1 << random.below(8),
            1 if from < input.len() => input[from] = random.below(256) as u8,
            2 => drop(input.drain(from..to)),
            3 => {
                let piece = input[from..to].to_vec();
                input.splice(from..from, piece);
            }
            4 => {
                let other = &corpus[random.below(corpus.len())];
                let start = random.below(other.len() + 1);
                let end = (start + random.below(64)).min(other.len());
                input.splice(from..to, other[start..end].iter().copied());
            }
            _ => input.truncate(from),
        }
    }
    input
}

/// SplitMix64, which generates the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
