//! `handoffd report` from outside: a real log with known answers, to the digit; the document's examples; bad logs.
//!
//! The real log is BPI Challenge 2013, incidents (Steeman, W., 2013, doi:10.4121/uuid:500573e6-accc-4b0c-9576-aa5468b10cee).

#![expect(clippy::expect_used, reason = "a test fails by panicking and says what it leaves out")]

use assert_cmd::Command;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const MAP: &str = r#"
case       = "SR Number"
order      = "event_no"
at         = "Change Date+Time"
team       = "Involved ST"
status     = "Status"
sub_status = "Sub Status"
agent      = "Owner First Name"
waiting    = ["Queued"]
done       = ["Completed"]
by         = ["Involved Org line 3"]
like       = ["SR Latest Impact"]
tier       = [
    { ends_with = " 2nd 3rd", tier = "2/3" },
    { ends_with = " 3rd", tier = 3 },
    { ends_with = " 2nd", tier = 2 },
    { tier = 1 },
]
"#;

/// A file of the real log, or why it is left out.
fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("HANDOFFD_TEST_REAL").as_deref() != Ok("1"), "{name} is missing");
    let _ = writeln!(std::io::stderr(), "left out: {name} is not here; HANDOFFD_TEST_REAL=1 makes that a failure");
    None
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn handoffd(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("handoffd").expect("the binary");
    command.current_dir(folder.path()).env("NO_COLOR", "1").args(arguments);
    command
}

fn stdout(folder: &TempDir, arguments: &[&str]) -> String {
    let output = handoffd(folder, arguments).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

#[test]
fn who_stops_listening_changes_no_exit_code() {
    let folder = folder(&[("log.csv", "case\n")]);
    for arguments in [
        ["--json", "report", "--events", "log.csv", "--map=none.toml"],
        ["--config", "none.toml", "handoffs", "list", "--would"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_handoffd"));
        let status = command.current_dir(folder.path()).args(arguments).stderr(writer).status().expect("ran");
        assert_eq!(status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn all_paths_of_a_real_log_are_reproduced_to_the_digit() {
    let (Some(log), Some(paths)) = (real("bpic2013-incidents.csv.gz"), real("bpic2013-paths.csv")) else { return };
    let folder = folder(&[("map.toml", MAP)]);
    let log = log.to_string_lossy().into_owned();
    let ours = stdout(&folder, &["report", "--events", &log, "--map", "map.toml", "--csv"]);
    let known = std::fs::read_to_string(paths).expect("the known paths");
    for (line, (ours, known)) in ours.lines().zip(known.lines()).enumerate() {
        assert_eq!(ours, known, "line {}", line + 1);
    }
    assert_eq!((ours.lines().count(), ours.len()), (2_464, known.len()));
}

#[test]
fn all_figures_of_a_real_log_are_reproduced_to_the_digit() {
    let (Some(log), Some(known)) = (real("bpic2013-incidents.csv.gz"), real("bpic2013-figures.json")) else { return };
    let folder = folder(&[("map.toml", MAP)]);
    let log = log.to_string_lossy().into_owned();
    let ours: Value =
        serde_json::from_str(&stdout(&folder, &["--json", "report", "--events", &log, "--map", "map.toml"]))
            .expect("json");
    let known: Value = serde_json::from_str(&std::fs::read_to_string(known).expect("known")).expect("json");
    volumes(&ours, &known);
    back(&ours, &known);
    waits(&ours, &known);
    tiers(&ours, &known);
    groups(&ours, &known);
    times(&ours, &known);
}

/// Equal, whether a number is written 7 or 7.0.
#[track_caller]
fn same(ours: &Value, known: &Value) {
    match (ours.as_f64(), known.as_f64()) {
        (Some(ours), Some(known)) => assert!((ours - known).abs() < 1e-9, "{ours} is not {known}"),
        _ => assert_eq!(ours, known),
    }
}

fn volumes(ours: &Value, known: &Value) {
    let (volumes, counts, transfers) = (&ours["volumes"], &known["counts"], &known["transfers"]);
    for name in ["cases", "events", "teams", "opening_teams"] {
        same(&volumes[name], &counts[name]);
    }
    same(&volumes["teams_by_tier"], &counts["teams_per_line"]);
    same(&volumes["events_by_tier"], &known["events_per_line"]);
    same(&volumes["agents"], &json!(1_440));
    for (ours, known) in [
        ("transfers", "total"),
        ("paths", "distinct_paths"),
        ("transfers_per_case_mean", "mean_per_case"),
        ("transfers_per_case_median", "median_per_case"),
        ("transfers_per_case_max", "max_per_case"),
        ("cases_by_transfers", "histogram_0_to_9_and_more"),
    ] {
        same(&volumes[ours], &transfers[known]);
    }
    let handed = ["cases_ge_1", "cases_ge_2", "cases_ge_3"].map(|name| transfers[name].clone());
    same(&volumes["cases_handed_over"], &json!(handed));
    same(&volumes["teams_per_case_mean"], &known["distinct_teams_per_case"]["mean"]);
    same(&volumes["teams_per_case_max"], &known["distinct_teams_per_case"]["max"]);
    let paths = &known["path_concentration"];
    for (at, name) in ["paths_for_25pct", "paths_for_50pct", "paths_for_80pct"].into_iter().enumerate() {
        same(&volumes["busiest_paths"][at]["paths"], &paths[name]);
    }
    same(&volumes["paths_with_20"], &paths["paths_with_ge_20"]);
    same(&volumes["paths_with_1"], &paths["paths_with_1"]);
    let first: serde_json::Map<String, Value> = volumes["first_statuses"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry[0].as_str().expect("a status").to_owned(), entry[1].clone()))
        .collect();
    same(&Value::Object(first), &known["first_event_of_new_stay"]);
}

fn back(ours: &Value, known: &Value) {
    for (name, known) in [("bounces", &known["bounce_immediate"]), ("returns", &known["return_any_route"])] {
        let ours = &ours[name];
        for (window, known_window) in
            [("within_1d", "within_1d"), ("within_3d", "within_3d"), ("within_7d", "within_7d"), ("ever", "any")]
        {
            same(&ours[window]["count"], &known[known_window]);
            same(&ours[window]["of"], &json!(9_454));
        }
        same(&ours["cases"]["count"], &known["cases_any"]);
        spread(&ours["delay"], &known["delay"]);
    }
    let pairs = known["ping_pong_pairs_top"].as_array().expect("pairs");
    for (at, pair) in pairs.iter().enumerate() {
        let found = &ours["pairs"][at];
        same(&json!([found["teams"][0], found["teams"][1], found["bounces"]]), pair);
    }
    for (at, path) in known["worst_paths_ge20_by_7d_return_share"].as_array().expect("paths").iter().enumerate() {
        let found = &ours["worst_paths"][at];
        same(&json!([found["from"], found["to"], found["returned_7d"]["of"], found["returned_7d"]["count"]]), path);
    }
}

fn spread(ours: &Value, known: &Value) {
    for name in ["n", "mean_s", "p50_s", "p90_s", "p95_s", "max_s"] {
        same(&ours[name], &known[name]);
    }
}

fn waits(ours: &Value, known: &Value) {
    let (waits, known) = (&ours["waits"], &known["wait_after_transfer"]);
    for (ours, name) in [("direct", "direct"), ("picked", "queued_picked"), ("never", "queued_never")] {
        same(&waits[ours], &known[name]);
    }
    for name in ["over_1h", "over_8h", "over_1d", "over_3d"] {
        same(&waits[name], &known[name]);
    }
    spread(&waits["wait"], &known["wait"]);
    let tiers = ours["waits_by_tier"].as_array().expect("tiers");
    assert_eq!(tiers.len(), 4);
    for tier in tiers {
        spread(&tier["wait"], &known["by_receiving_line"][tier["tier"].as_str().expect("a tier")]);
    }
}

fn tiers(ours: &Value, known: &Value) {
    let tiers = &ours["tiers"];
    let matrix = tiers["matrix"].as_array().expect("a matrix");
    assert_eq!(matrix.len(), 16);
    for cell in matrix {
        let (from, to) = (cell["from"].as_str().expect("from"), cell["to"].as_str().expect("to"));
        for (name, table) in [
            ("transfers", "tier_matrix"),
            ("bounced", "tier_matrix_bounce_immediate_any"),
            ("returned_7d", "tier_matrix_return_7d"),
            ("wait_p50_s", "tier_matrix_wait_p50_s"),
        ] {
            same(&cell[name], &known[table][from][to]);
        }
    }
    same(&tiers["first"], &known["first_line_of_case"]);
    let touched: serde_json::Map<String, Value> = tiers["touched"]
        .as_array()
        .expect("sets")
        .iter()
        .map(|set| {
            let names = set["tiers"].as_array().expect("tiers").iter().map(|tier| tier.as_str().expect("a tier"));
            (names.collect::<Vec<_>>().join("+"), set["cases"].clone())
        })
        .collect();
    same(&Value::Object(touched), &known["lines_touched"]);
    let (contained, steps) = (&tiers["containment"], &known["push_to_front_violations"]);
    same(&contained["contained"]["count"], &known["contained_in_line_1"]);
    same(&contained["left"]["count"], &known["started_in_line_1_and_left_it"]);
    same(&contained["started_elsewhere"]["count"], &steps["start_not_line1"]);
    same(&contained["started_elsewhere_or_stepped_down"]["count"], &steps["start_not_line1_or_step_down"]);
    same(&contained["or_skipped_a_tier"]["count"], &steps["start_not_line1_or_step_down_or_skip_1_3"]);
}

fn groups(ours: &Value, known: &Value) {
    let group = &ours["groups"][0];
    same(&group["column"], &json!("Involved Org line 3"));
    let six = known["by_opening_org_line"].as_object().expect("lines");
    for value in group["values"].as_array().expect("values").iter().take(six.len()) {
        let known = &six[value["value"].as_str().expect("a value")];
        same(&value["cases"], &known["cases"]);
        same(&value["contained"]["count"], &known["contained_in_line_1"]);
        same(&value["bounced"]["count"], &known["with_immediate_bounce"]);
        same(&value["transfers"], &known["transfers"]);
    }
}

fn times(ours: &Value, known: &Value) {
    let (resolution, duration) = (&ours["resolution"], &known["duration"]);
    same(&resolution["span_total_s"], &duration["sum_s"]);
    same(&resolution["span"][0]["median_s"], &duration["median_s"]);
    same(&resolution["span"][0]["max_s"], &duration["max_s"]);
    let mean = resolution["span"][0]["mean_s"].as_f64().expect("a mean");
    same(&json!((mean * 100.0).round() / 100.0), &duration["mean_s"]);
    for (at, band) in known["median_duration_by_transfers_0_1_2_3plus"].as_array().expect("bands").iter().enumerate() {
        let ours = &resolution["span"][at + 1];
        same(&ours["n"], &band[0]);
        same(&ours["median_s"], &band[1]);
    }
}

#[test]
fn every_example_of_the_document_is_run_and_prints_what_it_shows() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REPORTS.md");
    let text = std::fs::read_to_string(document).expect("docs/REPORTS.md");
    let blocks = blocks(&text);
    let one = |language: &str| blocks.iter().find(|(named, _)| named == language).map(|(_, block)| block.as_str());
    let folder = folder(&[("log.csv", one("csv").expect("a log")), ("map.toml", one("toml").expect("a map"))]);
    let mut tried = 0;
    for (at, (language, block)) in blocks.iter().enumerate() {
        // What reads a ledger or a policy needs a configuration; that it parses, another test holds.
        let runs = |line: &&str| language == "sh" && line.contains("report --events log.csv");
        let Some(line) = block.lines().next().filter(runs) else {
            continue;
        };
        tried += 1;
        let words: Vec<&str> = line.split(" #").next().unwrap_or(line).split_whitespace().skip(1).collect();
        let printed = stdout(&folder, &words);
        if let Some((language, shown)) = blocks.get(at + 1)
            && language == "text"
        {
            assert_eq!(printed.trim_end(), shown.trim_end(), "{line}");
        }
    }
    assert!(tried >= 4, "only {tried} examples: has their form changed?");
    for (name, words) in handoffd::insight::figures::definitions::DEFINITIONS {
        assert!(
            text.contains(&format!("**{name}**")) && text.contains(words),
            "docs/REPORTS.md does not define {name}"
        );
    }
    for key in handoffd::config::events::keys::MAP.keys {
        assert!(text.contains(&format!("`{}`", key.name)), "docs/REPORTS.md does not explain the key {}", key.name);
    }
}

/// Fenced blocks with their language, in order.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (None, Some((_, block))) => *block += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

const SMALL: &str = "case = \"id\"\nat = \"at\"\nteam = \"team\"\n";

#[test]
fn what_cannot_be_read_ends_with_its_place_and_a_code() {
    let log = "id,at,team\n1,yesterday,a\n";
    let folder = folder(&[
        ("map.toml", SMALL),
        ("log.csv", log),
        ("wrong.toml", "case = \"id\"\nteem = \"t\"\n"),
        ("other.csv", "a,b\n1,2\n"),
    ]);
    for (arguments, code, words) in [
        (
            &["report", "--events", "log.csv", "--map", "map.toml"][..],
            1,
            "log.csv:2:3: column \"at\": \"yesterday\" is no ISO date",
        ),
        (&["report", "--events", "log.csv", "--map", "wrong.toml"], 2, "did you mean `team`?"),
        (&["report", "--events", "other.csv", "--map", "map.toml"], 2, "other.csv has no column \"id\""),
        (&["report", "--events", "none.csv", "--map", "map.toml"], 2, "none.csv cannot be read"),
        (&["report", "--events", ".", "--map", "map.toml"], 2, "it is a folder"),
        (&["report", "--events", "log.csv"], 2, "--map"),
        (&["report", "--map", "map.toml"], 2, "--events"),
        (&["report"], 2, "handoffd.toml cannot be read"),
    ] {
        let output = handoffd(&folder, arguments).assert().code(code).get_output().clone();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(words) && output.stdout.is_empty(), "{words} in {told}");
    }
}

#[test]
fn a_pipe_is_read_and_hostile_names_stay_text() {
    let log =
        "id,at,team\n1,2016-02-01T12:00:00Z,<script>alert(1)</script>\u{1b}[2J\n1,2016-02-01T13:00:00Z,\"b,\"\"c\"\n";
    let folder = folder(&[("map.toml", SMALL)]);
    let arguments = ["report", "--events", "-", "--map", "map.toml"];
    let with = |more: &[&str]| {
        let all: Vec<&str> = arguments.iter().chain(more).copied().collect();
        let output = handoffd(&folder, &all).write_stdin(log).assert().success().get_output().stdout.clone();
        String::from_utf8(output).expect("text")
    };
    assert!(!with(&[]).contains('\u{1b}'), "an escape sequence reached the terminal");
    assert!(with(&["--csv"]).lines().any(|line| line.contains(",\"b,\"\"c\",")), "a name is quoted");
    assert_eq!(with(&["--csv=stays"]).lines().count(), 3);
    with(&["--html", "page.html"]);
    let page = std::fs::read_to_string(folder.path().join("page.html")).expect("the page");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "a name became markup");
    for outside in ["http://", "https://", "src=", "url("] {
        let outside_of_svg = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside_of_svg.contains(outside), "the page asks for something outside: {outside}");
    }
}
