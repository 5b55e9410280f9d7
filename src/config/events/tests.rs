//! Maps, right and wrong.

use super::*;

const NEEDED: &str = "case = \"id\"\nat = \"at\"\nteam = \"team\"\n";

fn fine(more: &str) -> EventMap {
    read_map(&format!("{NEEDED}{more}"), "map.toml").unwrap_or_else(|problems| panic!("{problems}"))
}

/// Every problem as `line:column message (help)`.
fn wrong(text: &str) -> Vec<String> {
    let problems = read_map(text, "map.toml").err().unwrap_or_else(|| panic!("nothing is wrong with {text}"));
    problems.iter().map(|one| format!("{}:{} {} ({})", one.line, one.column, one.message, one.help)).collect()
}

#[track_caller]
fn complains(more: &str, words: &str) {
    let told = wrong(&format!("{NEEDED}{more}"));
    assert!(told.iter().any(|problem| problem.contains(words)), "{words} in {told:#?}");
}

#[test]
fn the_whole_contract_is_read() {
    let map = read_map(
        r#"
case  = "SR Number"
at    = { column = "Change Date+Time", format = "%d/%m/%Y %H:%M", zone = "Europe/Lisbon" }
team  = { column = "Involved ST", none = ["?"] }
status = "Status"
agent = { column = "Owner First Name" }
waiting = ["Queued"]
accepted = ["Accepted"]
done = ["Completed"]
tier  = [ { ends_with = " 2nd", tier = 2 }, { ends_with = " 3rd", tier = "3" }, { tier = 1 } ]
claimed_when = { column = "assigned_to", known = true }
order = "n"
by = "Country"
like = ["Priority", "Product"]
separator = ";"
tags = { column = "Labels", none = ["-"], empty_is_none = true }
priority = "Priority"
fields = { refund_eur = "Refund", plan = { column = "Plan" } }
"#,
        "map.toml",
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let columns: Vec<&str> = map.columns().iter().map(|column| column.name.as_str()).collect();
    let wanted = "SR Number,Change Date+Time,Involved ST,n,Status,Owner First Name,assigned_to,Country,Priority,Product,Labels,Plan,Refund";
    assert_eq!(columns.join(","), wanted);
    assert_eq!((map.tier.by_name("V5 3rd"), map.separator), (Some(Tier::new("3")), Some(b';')));
    assert_eq!(map.statuses.claimed_when.map(|claim| (claim.value.none, claim.known)), Some((vec!["?".into()], true)));
    assert_eq!((map.team.value(" ? "), map.team.value(""), map.team.value(" V5 ")), (None, None, Some("V5")));
}

#[test]
fn tiers_come_from_rules_a_table_or_a_column() {
    assert_eq!(fine("tier = \"Line\"").tier.column().map(|column| column.name.as_str()), Some("Line"));
    assert_eq!(fine("tier = { column = \"Line\", none = [\"-\"] }").columns().len(), 4);
    let table = fine("[tier]\nBilling = 2\n\"Front line\" = 1\ncolumn = 3\n").tier;
    assert_eq!((table.by_name("Front line"), table.by_name("column")), (Some(Tier::new("1")), Some(Tier::new("3"))));
    assert_eq!((table.by_name("other"), table.column()), (None, None));
    let rules = fine("tier = [ { starts_with = \"L2\", tier = 2 }, { teams = [\"Net\"], tier = \"2/3\" } ]").tier;
    assert_eq!((rules.by_name("Net"), rules.by_name("L1")), (Some(Tier::new("2/3")), None));
}

#[test]
fn zones_are_names_or_offsets() {
    for zone in ["Europe/Lisbon", "UTC", "+02:00", "-05:30"] {
        let text = format!("case = \"c\"\nteam = \"t\"\nat = {{ column = \"a\", zone = \"{zone}\" }}\n");
        assert!(read_map(&text, "map.toml").is_ok_and(|map| map.at.zone.is_some()), "{zone}");
    }
    let told = wrong("case = \"c\"\nteam = \"t\"\nat = { column = \"a\", zone = \"Europe/Lisboa\" }\n");
    assert!(told[0].starts_with("3:29 \"Europe/Lisboa\" is no zone"), "{told:?}");
}

#[test]
fn every_problem_is_told_at_once() {
    let told = wrong("cas = \"id\"\nteam = 5\nat = { format = \"%d/%m/%Y\" }\nwaiting = [\"a\", \"a\"]\n");
    for words in [
        "1:1 the map has no key `cas` (did you mean `case`?",
        "the map has no `case`",
        "2:8 `team` is text",
        "`at` has no `column`",
        "so the zone must be said",
        "\"a\" stands twice",
        "no column has them",
    ] {
        assert!(told.iter().any(|problem| problem.contains(words)), "{words} in {told:#?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    complains("tier = 5", "not a whole number");
    complains("tier = [ { tier = 1 }, { ends_with = \"x\", tier = 2 } ]", "never reached");
    complains("tier = [ { end_with = \"x\", tier = 2 } ]", "did you mean `ends_with`?");
    complains("tier = [ { ends_with = \"x\", contains = \"y\", tier = 2 } ]", "one condition");
    complains("tier = [ { ends_with = \"x\" } ]", "has no `tier`");
    complains("tier = { Billing = 100 }", "a number from 0 to 99");
    complains("claimed_when = { column = \"a\", known = \"yes\" }", "true or false, not text");
    complains("claimed_when = \"a\"", "`claimed_when` is a table");
    complains("separator = \"::\"", "cannot part cells");
    complains("status = \"s\"\nwaiting = [\"x\"]\ndone = [\"x\"]", "a status means one thing");
    complains("by = [\"\"]", "this text of `by` is empty");
    complains("tags = 5", "`tags` is the name of a column, not a whole number");
    complains("fields = { plan = [\"a\"] }", "`fields.plan` is the name of a column, not a list");
    complains("fields = { plan = { colum = \"a\" } }", "did you mean `column`?");
    complains("priority = \"\"", "is the name of a column");
    complains("broken", "broken TOML");
}

#[test]
fn formats_that_would_misread_a_date_are_refused() {
    let tried = |format: &str| {
        let zone = if format.contains("%z") { "" } else { ", zone = \"UTC\"" };
        format!("case = \"c\"\nteam = \"t\"\nat = {{ column = \"a\", format = \"{format}\"{zone} }}\n")
    };
    for format in ["%d/%m/%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z", "%b %d, %Y %I:%M:%S %p", "%Y%m%d", "unix-ms"] {
        let text = if format == "unix-ms" { tried(format).replace(", zone = \"UTC\"", "") } else { tried(format) };
        assert!(read_map(&text, "map.toml").is_ok(), "{format}");
    }
    for format in ["%Y-%m-%d %H:%M %Q", "%Y-%m-%dT%H:%M%:Q"] {
        assert!(wrong(&tried(format))[0].contains("names the zone in the text"), "{format}");
    }
    for format in ["%d/%m/%Y %I:%M", "%Y-%m-%d %I:%M:%S %z"] {
        assert!(wrong(&tried(format))[0].contains("which half of the day"), "{format}");
    }
    for format in ["%H:%M", "%d/%m %H:%M", "%Q!%", "ISO", "yyyy-mm-dd", "%m/%Y"] {
        assert!(read_map(&tried(format), "map.toml").is_err(), "{format}");
    }
    assert!(wrong(&tried("unix"))[0].contains("no zone"));
}

#[test]
fn missing_columns_are_told_in_the_order_of_the_map() {
    let map = fine("status = \"State\"\n");
    let header = ["id", "team", "state"].map(str::to_owned);
    let problems = map.missing_columns("log.csv", &header).expect("problems");
    let told: Vec<String> = problems.iter().map(|one| format!("{}:{} {}", one.line, one.column, one.help)).collect();
    assert_eq!(told, ["2:6 its columns: id, team, state", "4:10 did you mean \"state\"? its columns: id, team, state"]);
    assert!(map.missing_columns("log.csv", &["id", "at", "team", "State"].map(str::to_owned)).is_none());
}
