//! `config.example.toml` is what an admin starts from: it must be right, whole, and honest about what does nothing yet.

use super::shapes::{keys_at, shapes};
use handoffd::config::keys;
use handoffd::config::{self, Severity};
use handoffd::policy::trial;
use std::collections::BTreeSet;
use std::path::Path;
use toml::{Table, Value};

#[expect(clippy::expect_used, reason = "a test's helper")]
fn example() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")).expect("the example")
}

/// The example with the lines of later keys switched on. TOML wants top-level keys first.
fn with_later_keys() -> String {
    let (first, rest): (Vec<String>, Vec<String>) = example()
        .lines()
        .map(|line| {
            line.strip_prefix("#~ ")
                .or_else(|| {
                    ["# hooks", "# says", "# include"].iter().any(|choice| line.starts_with(choice)).then(|| &line[2..])
                })
                .unwrap_or(line)
                .to_owned()
        })
        .partition(|line| line.starts_with("include"));
    [first, rest].concat().join("\n")
}

#[test]
fn the_example_is_right() {
    let config =
        config::read(&example(), "config.example.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.warnings.is_empty(), "{}", config.warnings);
    assert_eq!(config.desks.len(), 2);
    assert_eq!(config.policy.routes.len(), 2);
    assert_eq!(config.policy.escalations.len(), 4);
}

#[test]
fn the_tests_of_the_example_pass() {
    let config = config::read(&example(), "config.example.toml", Path::new("")).expect("a right example");
    assert_eq!(config.tests.len(), 5);
    let live = trial::as_if_live(&config.policy);
    for test in &config.tests {
        let report = trial::run(&test.trial, &live);
        assert_eq!(report.differences, [], "{}: {:?}", test.trial.name, report.why);
    }
}

#[test]
fn every_later_key_of_the_example_is_refused_as_such_and_as_nothing_else() {
    let text = with_later_keys();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("policy")).expect("a folder");
    std::fs::write(folder.path().join("policy/more.toml"), "").expect("a file to include");
    let read = config::read(&text, "config.example.toml", folder.path());
    let problems = read.map_or_else(|problems| problems, |config| config.warnings);
    let others: Vec<_> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| format!("{}:{}: {}", problem.line, problem.column, problem.message))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    for shape in shapes() {
        for later in shape.0.keys.iter().filter(|key| key.later.is_some()) {
            let named = problems.iter().any(|problem| problem.message.contains(&format!("`{}` of", later.name)));
            assert!(named, "{} of {} is not in the example", later.name, shape.0.title);
        }
    }
}

#[test]
fn every_key_that_the_code_knows_stands_in_the_example() {
    let document = Value::Table(with_later_keys().parse::<Table>().expect("the example with its later keys"));
    let mut missing = Vec::new();
    for (shape, path) in shapes() {
        let mut found = BTreeSet::new();
        keys_at(&document, &path, &mut found);
        // Time keys are shown once, where escalations have them.
        let times = ["idle_for", "held_for", "in_status_for", "silent_for", "open_for", "before_breach"];
        let wanted = shape.keys.iter().filter(|key| shape.title != "[[route]]" || !times.contains(&key.name));
        missing.extend(
            wanted.filter(|key| !found.contains(key.name)).map(|key| format!("{} of {}", key.name, shape.title)),
        );
    }
    // Forms of one value stand beside each other.
    for (form, shape) in
        [("{ id = ", keys::QUEUE), ("{ name = ", keys::QUEUE), ("{ env = ", keys::SECRET), ("{ file = ", keys::SECRET)]
    {
        if !example().contains(form) {
            missing.push(format!("{form} of {}", shape.title));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
