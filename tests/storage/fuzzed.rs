//! The fuzzers' corpora, and what a seeded chance makes of them, through the functions that the fuzzers call.

#[path = "../../fuzz/entries.rs"]
mod entries;

use entries::TARGETS;
use fastrand::Rng;
use std::path::PathBuf;

/// So many changed inputs of each target; `HANDOFFD_FUZZED=20000` reads as many as that.
const CHANGED: usize = 60;

fn changed_inputs() -> usize {
    let asked = std::env::var("HANDOFFD_FUZZED").ok();
    asked.map_or(CHANGED, |asked| asked.parse().expect("HANDOFFD_FUZZED is a number"))
}

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("bytes"))).collect()
}

/// What a fuzzer would do: bytes flipped, cut, doubled, numbers and quotes put in, pieces of another input.
fn changed(random: &mut Rng, seeds: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = random.choice(seeds).expect("a corpus").1.clone();
    for _ in 0..random.usize(1..5) {
        let at = random.usize(0..=bytes.len());
        let to = random.usize(at..=bytes.len().min(at + 200));
        match random.u8(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let odd: [&[u8]; 9] = [
                    b"null",
                    b"-1",
                    b"1e400",
                    b"\"",
                    b"\\ud800",
                    b"[[[[",
                    b"{\"a\":",
                    "\u{202e}ÿ\u{0}".as_bytes(),
                    b"99999999999999999999",
                ];
                bytes.splice(at..at, random.choice(odd).expect("some").iter().copied());
            }
            4 => bytes.truncate(at),
            5 => {
                let other = &random.choice(seeds).expect("a corpus").1;
                let from = random.usize(0..=other.len());
                let piece = &other[from..other.len().min(from + 100)];
                bytes.splice(at..to, piece.iter().copied());
            }
            _ => drop(bytes.splice(at..to, std::iter::repeat_n(random.u8(..), random.usize(0..300)))),
        }
    }
    bytes
}

#[test]
fn every_target_reads_its_corpus_and_what_chance_makes_of_it() {
    let mut random = Rng::with_seed(17);
    for (target, read) in TARGETS {
        let seeds = corpus(target);
        assert!(!seeds.is_empty(), "{target} has no corpus");
        seeds.iter().for_each(|(_, bytes)| read(bytes));
        for round in 0..changed_inputs() {
            let bytes = changed(&mut random, &seeds);
            let done = std::panic::catch_unwind(|| read(&bytes));
            assert!(done.is_ok(), "{target}, round {round}: {}", String::from_utf8_lossy(&bytes));
        }
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets").join(format!("{target}.rs"));
        assert!(file.exists(), "{target} has no fuzz target");
    }
}
