//! Input that nobody meant as a configuration: never a panic, never a hang, always a place.

use handoffd::config::{self, Look, Problems, render};
use proptest::prelude::*;
use std::io::Write;
use std::path::Path;

const EXAMPLE: &str = include_str!("../../config.example.toml");

fn problems(text: &str) -> Problems {
    match config::read(text, "handoffd.toml", Path::new("")) {
        Ok(config) => config.warnings,
        Err(problems) => {
            assert!(problems.has_errors());
            problems
        }
    }
}

#[expect(clippy::expect_used, reason = "a test's helper")]
fn load(bytes: &[u8]) -> Result<config::Config, Problems> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    config::load(file.path())
}

#[test]
fn a_file_that_is_missing_not_text_or_a_folder_is_refused_with_its_name() {
    for (problems, piece) in [
        (config::load(Path::new("no/such/file.toml")).expect_err("missing"), "no/such/file.toml cannot be read"),
        (config::load(Path::new(".")).expect_err("a folder"), "cannot be read"),
        (load(b"a = 1\nb = \"\xff\"").expect_err("not UTF-8"), "is not UTF-8 in line 2"),
        (load(&vec![b'#'; 1024 * 1024 + 1]).expect_err("huge"), "is larger than 1 MiB"),
        (load(b"").expect_err("empty"), "no desk is configured"),
    ] {
        assert!(problems.to_string().contains(piece), "{problems}");
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    let deep = 100_000;
    for text in [
        format!("x = {}", "[".repeat(deep)),
        format!("x = {}", "{ a = ".repeat(deep)),
        format!("{}a = 1", "a.".repeat(deep)),
        format!("[{}a]", "a.".repeat(deep)),
        format!("[policy]\nnever = '{}true'", "true && ".repeat(deep)),
        format!("[policy]\nnever = '{}'", "(".repeat(deep)),
        "x = 1\n".repeat(deep),
        (0..deep).map(|n| format!("k{n} = 1\n")).collect(),
        format!("{} = 1", "k".repeat(deep)),
        format!("[[escalate]]\nreason = \"{}\"", "{{ a ".repeat(deep)),
        format!("[messages.a]\nen = \"{}\"", "{% if a %}".repeat(deep)),
        "\"".repeat(deep),
    ] {
        let problems = problems(&text);
        let shown = render(&problems, Look::Plain);
        assert!(!shown.is_empty() && shown.len() < 1_000_000, "{}", shown.len());
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_move_places() {
    let text = EXAMPLE.replacen("tier  = 1", "tier  = 0", 1);
    let plain = problems(&text);
    let windows = problems(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
    let places = |problems: &Problems| problems.iter().map(|it| (it.line, it.column)).collect::<Vec<_>>();
    assert_eq!(places(&plain).len(), 1);
    assert_eq!(places(&plain), places(&windows));
    assert!(render(&windows, Look::Plain).contains("tier  = 0"), "{windows}");
    assert!(config::read(&format!("\u{feff}{EXAMPLE}"), "x", Path::new("")).is_ok());
}

#[test]
fn what_is_shown_of_a_file_cannot_steer_a_terminal() {
    let shown = problems("\"\\u001b[31mred\" = 1\nmode = \"\\u202e\"\n\u{1b}]0;x\u{7}").to_string();
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}') && !shown.contains('\u{7}'), "{shown:?}");
}

#[test]
fn nul_and_duplicates_are_named() {
    for (old, new, piece) in [
        ("owner           = \"support-ops@acme.example\"", "owner = \"a\\u0000\"", "NUL"),
        ("queue = \"Support\"", "queue = \"Support\"\nqueue = \"Support\"", "duplicate key"),
        ("[teams.frontline]", "[teams.frontline]\n[teams.frontline]", "duplicate key"),
    ] {
        assert!(EXAMPLE.contains(old));
        let shown = problems(&EXAMPLE.replacen(old, new, 1)).to_string();
        assert!(shown.contains(piece), "{shown}");
    }
}

/// One way of spoiling a text.
#[derive(Clone, Debug)]
enum Spoil {
    Drop { at: usize, length: usize },
    Insert { at: usize, what: String },
    Swap { one: usize, other: usize },
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let pieces = prop_oneof![
        Just("\"".to_owned()),
        Just("[".to_owned()),
        Just("]]".to_owned()),
        Just("=".to_owned()),
        Just("\n".to_owned()),
        Just("{".to_owned()),
        Just("'''".to_owned()),
        Just("\u{0}".to_owned()),
        Just("é\u{202e}".to_owned()),
        Just(" = [{ env = 1 }, 2026-01-01]\n".to_owned()),
        "[ -~]{1,8}",
    ];
    let at = 0..EXAMPLE.len();
    prop_oneof![
        (at.clone(), 1..200usize).prop_map(|(at, length)| Spoil::Drop { at, length }),
        (at.clone(), pieces).prop_map(|(at, what)| Spoil::Insert { at, what }),
        (0..300usize, 0..300usize).prop_map(|(one, other)| Spoil::Swap { one, other }),
    ]
}

fn apply(text: &str, spoil: &Spoil) -> String {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    match spoil {
        Spoil::Drop { at, length } => {
            let (from, to) = (floor(*at), floor(at + length));
            format!("{}{}", &text[..from], &text[to..])
        }
        Spoil::Insert { at, what } => {
            let at = floor(*at);
            format!("{}{what}{}", &text[..at], &text[at..])
        }
        Spoil::Swap { one, other } => {
            let mut lines: Vec<&str> = text.lines().collect();
            let last = lines.len().saturating_sub(1);
            if !lines.is_empty() {
                lines.swap((*one).min(last), (*other).min(last));
            }
            lines.join("\n")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        if let Err(problems) = load(&bytes) {
            prop_assert!(!render(&problems, Look::Colored).is_empty());
        }
    }

    #[test]
    fn a_spoiled_example_never_panics_and_every_problem_has_a_place_and_a_remedy(
        spoils in proptest::collection::vec(spoil(), 1..6),
    ) {
        let text = spoils.iter().fold(EXAMPLE.to_owned(), |text, spoil| apply(&text, spoil));
        let problems = problems(&text);
        let lines = text.lines().count().max(1) + 1;
        for problem in problems.iter() {
            prop_assert!((1..=lines).contains(&problem.line), "{problem:?}");
            prop_assert!(!problem.message.is_empty() && !problem.help.is_empty(), "{problem:?}");
        }
        prop_assert_eq!(render(&problems, Look::Plain).is_empty(), problems.is_empty());
    }
}
