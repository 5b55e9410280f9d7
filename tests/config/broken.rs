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

/// What the command says to scripts, and what it says to people.
#[expect(clippy::expect_used, reason = "a test's helper")]
fn checked(file: &Path) -> (serde_json::Value, String) {
    let run = |json: &[&str]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_handoffd"));
        // The secret that the files name is there: a missing one would be one finding more.
        command.env_clear().env("S", "a-secret").args(json).arg("check").arg("--config").arg(file);
        let output = command.output().expect("ran");
        assert_eq!(output.status.code(), Some(2), "{}", file.display());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (text(output.stdout), text(output.stderr))
    };
    let (json, _) = run(&["--json"]);
    let (out, said) = run(&[]);
    assert_eq!(out, "", "problems are talk, not data");
    (serde_json::from_str(&json).expect("one JSON value"), said)
}

#[test]
fn the_command_names_every_fault_of_a_file_in_one_run() {
    let mut wrong = Vec::new();
    for file in fixtures() {
        let expected = faults(&std::fs::read_to_string(&file).expect("text"));
        let (json, said) = checked(&file);
        let listed = json["problems"].as_array().expect("problems");
        if listed.len() != expected.len() {
            wrong.push(format!("{}: {} of {} faults", file.display(), listed.len(), expected.len()));
        }
        // Long lines are broken to fit a terminal.
        let flat = |text: &str| text.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ");
        let said = flat(&said);
        for fault in expected {
            let text = |problem: &serde_json::Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
            let found = listed.iter().find(|problem| {
                problem["line"] == fault.line
                    && problem["column"] == fault.column
                    && text(problem, "message").contains(&fault.message)
                    && text(problem, "help").contains(&fault.help)
            });
            let place = format!("{}:{}:{}", file.display(), fault.line, fault.column);
            let Some(problem) = found else {
                wrong.push(format!("{place} {} is not in the JSON", fault.message));
                continue;
            };
            for words in [&place, &text(problem, "message"), &text(problem, "help")] {
                if !said.contains(&flat(words)) {
                    wrong.push(format!("{place}: people do not read {words:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
