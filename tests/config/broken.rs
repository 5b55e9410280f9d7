//! Ten broken configurations, as people write them: each fault is named with its place and remedy, all in one run, and
//! nothing else is. A fault stands in its line's comment: `#! where | a piece of the message | a piece of the help`.

use handoffd::config;
use std::path::{Path, PathBuf};

/// A fault that a file announces: line, column, pieces of message and help.
struct Fault {
    line: usize,
    column: usize,
    message: String,
    help: String,
}

#[expect(clippy::expect_used, reason = "a test's helper: fixtures are well-formed")]
fn faults(text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut parts = line.split("#! ");
        let code = parts.next().unwrap_or_default();
        for fault in parts {
            let mut pieces = fault.split(" | ").map(|piece| piece.trim().to_owned());
            let mut piece = || pieces.next().expect("where | message | help");
            let (place, message, help) = (piece(), piece(), piece());
            // A text without its closing quote runs to the end of the line, the comment included.
            let column = if place == "EOL" { line.chars().count() } else { code.find(&place).expect("the place") };
            faults.push(Fault { line: number + 1, column: column + 1, message, help });
        }
    }
    faults
}

#[expect(clippy::expect_used, reason = "a test's helper")]
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config/broken");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("fixtures").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    files
}

#[test]
fn each_fault_of_ten_broken_files_is_named_with_place_and_remedy_in_one_run() {
    let files = fixtures();
    assert_eq!(files.len(), 10);
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("text");
        let problems = config::load(&file).expect_err("broken");
        let expected = faults(&text);
        let mut left: Vec<_> = problems.iter().collect();
        for fault in &expected {
            let fits = |problem: &&config::Problem| {
                (problem.line, problem.column) == (fault.line, fault.column)
                    && problem.message.contains(&fault.message)
                    && problem.help.contains(&fault.help)
            };
            match left.iter().position(fits) {
                Some(at) => drop(left.remove(at)),
                None => wrong.push(format!(
                    "{}:{}:{} {} | {}",
                    file.display(),
                    fault.line,
                    fault.column,
                    fault.message,
                    fault.help
                )),
            }
        }
        let more = left.iter().map(|problem| {
            format!(
                "not announced: {}:{}:{} {} | {}",
                problem.file, problem.line, problem.column, problem.message, problem.help
            )
        });
        wrong.extend(more);
        assert!(!problems.to_string().contains("hunter2"), "{problems}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
