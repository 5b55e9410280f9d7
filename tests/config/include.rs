//! `include`: a policy in several files means what it means in one, and every fault is named in the file it stands in.

use handoffd::config::{self, Config, Problems};
use handoffd::policy::document::{Around, document};
use handoffd::policy::rules::Policy;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const DESK: &str = r#"
[desks.acme]
connector = "zendesk"
url = "https://acme.zendesk.com"
login = { client_id = "a", client_secret = { env = "S" } }
"#;
const TEAMS: &str = r#"
[teams.frontline]
tier = 1
desk = "acme"
queue = "Support"

[teams.billing]
tier = 2
desk = "acme"
queue = "Billing"
"#;
const INVOICES: &str = r#"
[[route]]
name = "invoices"
desk = "acme"
when = 'mentions(ticket.subject, "invoice")'
to = "billing"
"#;
const REST: &str = r#"
[[route]]
name = "everything-else"
desk = "acme"
to = "frontline"
"#;

/// Writes files into a folder and reads its handoffd.toml.
#[expect(clippy::expect_used, reason = "a test's helper")]
fn load(files: &[(&str, &str)]) -> (TempDir, Result<Config, Problems>) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    let config = config::load(&folder.path().join("handoffd.toml"));
    (folder, config)
}

/// Each problem as `file:line message | help`, with the file's own name.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let (_folder, config) = load(files);
    let problems = config.err().unwrap_or_else(|| panic!("this is not right: {files:?}"));
    let name = |file: &str| Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned());
    problems
        .iter()
        .map(|it| format!("{}:{} {} | {}", name(&it.file).unwrap_or_default(), it.line, it.message, it.help))
        .collect()
}

fn main(include: &str) -> String {
    format!("include = {include}\n{DESK}")
}

#[test]
fn a_policy_in_several_files_is_the_policy_in_one() {
    let whole = [DESK, TEAMS, INVOICES, REST].concat();
    let (_folder, one) = load(&[("handoffd.toml", &whole)]);
    let one = one.unwrap_or_else(|problems| panic!("{problems}"));
    let bom = format!("\u{feff}{INVOICES}");
    let (folder, several) = load(&[
        ("handoffd.toml", &main(r#"["teams.toml", "policy/*.toml"]"#)),
        ("teams.toml", TEAMS),
        ("policy/20-rest.toml", REST),
        ("policy/10-invoices.toml", &bom),
        ("policy/.hidden.toml", "broken ="),
        ("policy/notes.md", "broken ="),
    ]);
    let several = several.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(several.policy.version, one.policy.version);
    let routes: Vec<&str> = several.policy.routes.iter().map(|route| route.rule.name.as_str()).collect();
    assert_eq!(routes, ["invoices", "everything-else"]);
    let files: Vec<&Path> =
        several.files().map(|file| Path::new(file).strip_prefix(folder.path()).unwrap_or(Path::new(file))).collect();
    let expected = ["handoffd.toml", "teams.toml", "policy/10-invoices.toml", "policy/20-rest.toml"];
    assert_eq!(files, expected.map(Path::new));
    let kept = config::read_kept(several.text(), "kept", Path::new("/nowhere"));
    let kept = kept.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(kept.policy.version, one.policy.version, "the text is whole, wherever the files are by now");
    let told = |policy: &Policy| {
        document(policy, &Around { systems: &[], signed_rules: &[], is_signed: &|_, _| false, instead: None })
    };
    let text = told(&several.policy);
    assert_eq!(text, told(&one.policy), "one document, however many files");
    assert!(text.contains("`invoices` → **billing**") && text.contains("`everything-else` → **frontline**"), "{text}");
}

#[test]
fn a_table_may_go_on_in_another_file_and_a_file_is_read_once() {
    let fields = "[desks.acme.fields]\nsteps = \"1\"\n";
    let (_folder, config) = load(&[
        ("handoffd.toml", &main(r#"["*.toml", "teams.toml", "fields.toml"]"#)),
        ("teams.toml", &[TEAMS, REST].concat()),
        ("fields.toml", fields),
    ]);
    let config = config.unwrap_or_else(|problems| panic!("{problems}"));
    assert!(config.policy.desks.values().all(|desk| desk.fields.contains_key("steps")));
    assert_eq!(config.files().count(), 3);
}

#[test]
fn every_fault_is_named_in_its_file() {
    let wrong_rule = REST.replace("frontline", "frontlime");
    let told = told(&[
        ("handoffd.toml", &main(r#"["teams.toml", "rules.toml"]"#)),
        ("teams.toml", &TEAMS.replacen("tier = 1", "teir = 1", 1)),
        ("rules.toml", &wrong_rule),
    ]);
    assert!(told.iter().any(|it| it.starts_with("teams.toml:3 ") && it.contains("did you mean `tier`")), "{told:#?}");
    assert!(told.iter().any(|it| it.starts_with("rules.toml:5 ") && it.contains("frontlime")), "{told:#?}");
}

#[test]
fn a_problem_is_shown_with_the_line_of_its_file() {
    let (_folder, config) = load(&[
        ("handoffd.toml", &main(r#"["rules.toml"]"#)),
        ("rules.toml", &format!("# é\n{TEAMS}{}", REST.replace("desk =", "dekk ="))),
    ]);
    let shown = config.err().map(|problems| problems.to_string()).unwrap_or_default();
    assert!(shown.contains("rules.toml:15:1") && shown.contains("dekk = \"acme\""), "{shown}");
}

#[test]
fn what_cannot_be_included_is_said_alone_and_all_at_once() {
    let huge = "#".repeat(1024 * 1024 + 1);
    let told = told(&[
        (
            "handoffd.toml",
            &main(
                r#"["gone.toml", "none/*.toml", "a[.toml", "folder", "huge.toml", "nested.toml", "stray.toml", "broken.toml"]"#,
            ),
        ),
        ("folder/x", ""),
        ("huge.toml", &huge),
        ("nested.toml", "include = [\"teams.toml\"]\n"),
        ("stray.toml", "\n tier = 1\n[teams.a]\n"),
        ("broken.toml", "[teams.b]\nqueue = \"\"\"\n"),
        // What needs the teams that were not read is not blamed.
        ("teams.toml", TEAMS),
    ]);
    let expected = [
        ("handoffd.toml:1 ", "gone.toml cannot be read"),
        ("handoffd.toml:1 ", "no file fits this pattern"),
        ("handoffd.toml:1 ", "this pattern of files cannot be read"),
        ("handoffd.toml:1 ", "folder cannot be read"),
        ("handoffd.toml:1 ", "huge.toml is larger than 1 MiB"),
        ("nested.toml:1 ", "name every file in the main file's `include`"),
        ("stray.toml:2 ", "this key of an included file is in no table"),
        ("broken.toml:", "broken TOML"),
    ];
    for (place, piece) in expected {
        assert!(told.iter().any(|it| it.starts_with(place) && it.contains(piece)), "{place} {piece}\n{told:#?}");
    }
    let others =
        told.iter().filter(|it| !expected.iter().any(|(place, piece)| it.starts_with(place) && it.contains(piece)));
    let others: Vec<&String> = others.filter(|it| !it.starts_with("stray.toml:3")).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn a_key_that_two_files_give_is_a_fault_of_the_second() {
    let told = told(&[
        ("handoffd.toml", &main(r#"["a.toml", "b.toml"]"#)),
        ("a.toml", &[TEAMS, REST, "\n[policy]\ngoal = \"g\"\n"].concat()),
        ("b.toml", "\n[policy]\ngoal = \"h\"\n"),
    ]);
    assert!(told.iter().any(|it| it.starts_with("b.toml:2 ") && it.contains("duplicate key")), "{told:#?}");
}

#[test]
fn of_a_table_that_two_files_hold_the_first_one_is_named_too() {
    let fields = |field: &str| format!("\n[desks.acme.fields]\n{field} = \"1\"\n");
    let (_folder, config) = load(&[
        ("handoffd.toml", &main(r#"["a.toml", "b.toml"]"#)),
        ("a.toml", &[TEAMS, REST, &fields("steps"), "[policy]\ngoal = \"g\"\n"].concat()),
        ("b.toml", &["[policy]\ndata = \"d\"\n", &fields("plan")].concat()),
    ]);
    let problems = config.expect_err("two tables of one name");
    let twice: Vec<_> = problems.iter().filter(|problem| problem.message.contains("duplicate key")).collect();
    assert_eq!(twice.len(), 2, "{problems}");
    for (problem, line) in twice.iter().zip([1, 4]) {
        let also = problem.also.as_ref().unwrap_or_else(|| panic!("{problems}"));
        assert!(problem.file.ends_with("b.toml") && also.file.ends_with("a.toml"), "{problems}");
        assert_eq!((problem.line, also.label.as_str()), (line, "the first one stands here"), "{problems}");
        assert!(problem.help.contains("all of its keys"), "{problems}");
    }
    let lines: Vec<usize> = twice.iter().filter_map(|problem| problem.also.as_ref()).map(|also| also.line).collect();
    let a = [TEAMS, REST].concat().lines().count();
    assert_eq!(lines, [a + 4, a + 2], "{problems}");
}

#[test]
fn a_list_that_is_none_is_refused() {
    for (include, piece) in [
        ("\"policy/*.toml\"", "`include` is a list"),
        ("[1]", "`include` is a list of texts"),
        ("[\"\"]", "this text of `include` is empty"),
        ("[\"a.toml\", \"a.toml\"]", "stands twice"),
    ] {
        let told = told(&[("handoffd.toml", &main(include)), ("a.toml", &[TEAMS, REST].concat())]);
        assert!(told.iter().any(|it| it.starts_with("handoffd.toml:1 ") && it.contains(piece)), "{include} {told:#?}");
    }
}

#[test]
fn paths_count_from_the_main_file_also_in_an_included_one() {
    let hours = "[hours.office]\nzone = \"UTC\"\nmon-fri = [\"09:00-17:00\"]\nholidays = \"days.ics\"\n";
    let days = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20260105\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let (_folder, config) = load(&[
        ("handoffd.toml", &main(r#"["policy/all.toml"]"#)),
        ("policy/all.toml", &[TEAMS, REST, hours].concat()),
        ("days.ics", days),
    ]);
    config.unwrap_or_else(|problems| panic!("{problems}"));
}
