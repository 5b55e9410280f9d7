//! Good and bad logs, whole.

use super::*;
use crate::config::events::read_map;
use flate2::Compression;
use flate2::read::GzEncoder;
use std::io::Cursor;

const MAP: &str = r#"
case    = "id"
at      = { column = "at", format = "%d/%m/%Y %H:%M", zone = "Europe/Lisbon" }
team    = { column = "team", none = ["?"] }
status  = "status"
waiting = ["queued"]
done    = ["done"]
tier    = [ { ends_with = " 2nd", tier = 2 }, { tier = 1 } ]
"#;

fn map(text: &str) -> EventMap {
    read_map(text, "map.toml").unwrap_or_else(|problems| panic!("{problems}"))
}

fn tried(map_text: &str, log: impl AsRef<[u8]>, reading: Reading) -> Result<EventLog, String> {
    let input = Cursor::new(log.as_ref().to_vec());
    read(input, "log.csv", &map(map_text), reading).map_err(|error| error.to_string())
}

fn fine(log: &str) -> EventLog {
    tried(MAP, log, Reading::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn wrong(log: impl AsRef<[u8]>) -> String {
    match tried(MAP, log, Reading::default()) {
        Ok(_) => panic!("no problem"),
        Err(words) => words,
    }
}

/// Each case's teams in order.
fn teams(log: &EventLog) -> Vec<String> {
    let team = |event: &Event| event.team().map_or("-", |team| log.teams.name(team)).to_owned();
    log.by_case().map(|events| events.iter().map(team).collect::<Vec<_>>().join(" ")).collect()
}

const HEAD: &str = "id,at,team,status\n";

#[test]
fn who_made_no_change_is_no_agent() {
    let log =
        "id,at,team,status,who\n1,1/2/2016 10:00,A,open,?\n1,1/2/2016 11:00,A,open,Jo\n1,1/2/2016 12:00,A,done,\n";
    let agents = |agent: &str| {
        let read = tried(&format!("{MAP}{agent}"), log, Reading::default()).unwrap_or_else(|error| panic!("{error}"));
        read.agents
    };
    assert_eq!(agents("agent = \"who\"\n"), Some(2));
    assert_eq!(agents("agent = { column = \"who\", none = [\"?\"] }\n"), Some(1));
}

#[test]
fn events_are_sorted_by_case_and_instant() {
    let log = fine(&format!(
        "{HEAD}1,1/2/2016 10:00,B,open\n2,1/2/2016 09:00,?,open\n1,1/2/2016 09:00,A,queued\n1,1/2/2016 11:00,A 2nd,done\n"
    ));
    assert_eq!(teams(&log), ["A B A 2nd", "-"]);
    let found = &log.repairs;
    assert_eq!((found.rows, found.out_of_order, found.without_team, found.cases_without_team), (4, 1, 1, 1));
    assert_eq!(log.tiers, [Some(Tier::new("1")), Some(Tier::new("1")), Some(Tier::new("2"))]);
    let flags: Vec<(bool, bool)> = log.events.iter().map(|event| (event.waits(), event.done())).collect();
    assert_eq!(flags, [(true, false), (false, false), (false, true), (false, false)]);
}

#[test]
fn equal_rows_count_once_and_equal_instants_keep_their_order() {
    let row = "1,1/2/2016 10:00,A,open\n";
    let log =
        fine(&format!("{HEAD}{row}1,1/2/2016 10:00,B,open\n{row}1,1/2/2016 10:01,C,open\n2,1/2/2016 10:00,A,open\n"));
    assert_eq!(teams(&log), ["A B C", "A"]);
    assert_eq!((log.repairs.duplicate_rows, log.repairs.undecided_order), (1, 1));
}

#[test]
fn a_column_of_order_decides_equal_instants() {
    let map = format!("order = \"n\"\n{MAP}");
    let log = "id,at,team,status,n\n1,1/2/2016 10:00,A,open,2\n1,1/2/2016 10:00,B,open,1\n";
    let log = tried(&map, log, Reading::default()).expect("a log");
    assert_eq!((teams(&log), log.repairs.undecided_order), (vec!["B A".to_owned()], 0));
    let wrong = tried(&map, "id,at,team,status,n\n1,1/2/2016 10:00,A,open,x\n", Reading::default());
    assert!(wrong.is_err_and(|words| words.contains("2:25: column \"n\": \"x\" is no whole number")), "order");
}

#[test]
fn a_file_that_is_newest_first_is_turned_round() {
    let rows =
        ["1,1/2/2016 11:00,D,open", "1,1/2/2016 10:00,C,open", "1,1/2/2016 10:00,B,open", "1,1/2/2016 09:00,A,open"];
    let log = fine(&format!("{HEAD}{}\n", rows.join("\n")));
    assert_eq!(teams(&log), ["A B C D"]);
    assert_eq!((log.repairs.newest_first, log.repairs.out_of_order), (true, 0));
}

#[test]
fn packed_semicolons_and_byte_order_marks_are_read() {
    let text = "\u{feff}id;at;team;status;note\n1;1/2/2016 10:00;A;open;\"a;b,c\"\n";
    let mut packed = Vec::new();
    GzEncoder::new(text.as_bytes(), Compression::fast()).read_to_end(&mut packed).expect("packed");
    for bytes in [text.as_bytes(), &packed] {
        assert_eq!(tried(MAP, bytes, Reading::default()).map(|log| teams(&log)), Ok(vec!["A".to_owned()]));
    }
    for text in [
        "sep=;\r\nid;at;team;status\r\n1;1/2/2016 10:00;A;x\r\n1;x;A;x\n",
        "sep=\t\nid\tat\tteam\tstatus\n1\tx\tA\tx\n",
    ] {
        let line = text.lines().count();
        assert!(wrong(text).contains(&format!("log.csv:{line}:3: column \"at\"")), "{}", wrong(text));
    }
    let cut = wrong(&packed[..packed.len() - 12]);
    assert!(cut.contains("the packed file is broken"), "{cut}");
}

#[test]
fn json_lines_have_the_same_columns() {
    let log = "{\"id\": 1, \"at\": \"1/2/2016 10:00\", \"team\": \"A\", \"status\": \"queued\"}\n{\"id\": 1, \"at\": \"1/2/2016 10:05\", \"team\": \"A\"}\n";
    let read = fine(log);
    assert_eq!((teams(&read), read.events[0].waits(), read.events[1].waits()), (vec!["A A".to_owned()], true, false));
    let missing = wrong("{\"id\": 1, \"when\": \"1/2/2016 10:00\", \"team\": \"A\"}\n");
    for words in ["log.csv has no column \"at\"", "log.csv has no column \"status\"", "map.toml:3:"] {
        assert!(missing.contains(words), "{words} in {missing}");
    }
    assert!(wrong("[{\"id\": 1}]").contains("one JSON list"));
    let twice = wrong("{\"id\": 1, \"id\": 2, \"at\": \"1/2/2016 10:00\", \"team\": \"A\"}\n");
    assert!(twice.starts_with("log.csv:1:") && twice.contains("a key stands twice"), "{twice}");
}

#[test]
fn a_word_of_the_map_that_no_row_has_is_told_where_it_makes_figures_wrong() {
    let map = MAP.replace("[\"done\"]", "[\"Done\", \"closed\"]").replace("[\"queued\"]", "[\"queued\", \"new\"]");
    let rows = format!("{HEAD}1,1/2/2016 10:00,A,queued\n1,1/2/2016 11:00,B,done\n");
    let log = tried(&map, &rows, Reading::default()).expect("a log");
    let told = log.repairs.lines().join("\n");
    assert!(told.contains("`done` of the map names \"Done\", and no row has it: did you mean \"done\"?"), "{told}");
    assert!(told.contains("names \"closed\""), "nothing of the list was met: {told}");
    assert!(!told.contains("`waiting`"), "`new` may just not have happened: {told}");
    let table = MAP
        .replace("[ { ends_with = \" 2nd\", tier = 2 }, { tier = 1 } ]", "{ \"a\" = 1, \"B\" = 2, \"Elsewhere\" = 3 }");
    let log = tried(&table, &rows, Reading::default()).expect("a log");
    let unmet: Vec<&str> = log.repairs.unmet.iter().map(|unmet| unmet.word.as_str()).collect();
    assert_eq!((unmet, log.repairs.teams_without_tier), (vec!["a"], 1));
    assert_eq!(fine(&rows).repairs.unmet, []);
}

#[test]
fn what_lies_in_the_future_is_counted() {
    let now = "2016-02-01T10:30:00Z".parse().ok();
    let rows = format!("{HEAD}1,1/2/2016 10:00,A,queued\n1,1/2/2016 11:00,B,done\n");
    let log = tried(MAP, &rows, Reading { skip_broken: false, now }).expect("a log");
    assert!(log.repairs.lines().iter().any(|line| line.contains("in the future") && line.ends_with(": 1")));
}

#[test]
fn facts_of_tickets_are_read_where_the_map_says_so_and_unknown_else() {
    let facts = "tags = \"tags\"\npriority = { column = \"prio\", none = [\"-\"] }\nfields = { refund = \"extra.refund\" }\nby = \"team\"\n";
    let map = format!("{facts}case = \"id\"\nat = \"at\"\nteam = \"team\"\n");
    let row = |more: &str| format!("{{\"id\": 1, \"at\": \"2016-02-01T12:00:00Z\", \"team\": \"A\", {more}}}\n");
    let rows = row("\"tags\": [\"b\", \"a\"], \"prio\": \"High\", \"extra\": {\"refund\": 600.5}")
        + &row("\"tags\": [], \"prio\": \"-\", \"extra\": {\"refund\": []}")
        + &row("\"tags\": null, \"prio\": \"of a kind\"");
    let log = tried(&map, rows, Reading::default()).expect("a log");
    let facts: Vec<Facts> = log.events.iter().filter_map(|event| log.facts(event)).collect();
    assert_eq!(facts[0].tags, Some(vec!["b".to_owned(), "a".to_owned()]));
    assert_eq!(facts[0].priority(), Some(Some(handoffd_kit::model::Priority::High)));
    assert_eq!(facts[0].fields["refund"].as_deref(), Some("600.5"));
    assert_eq!(
        (&facts[1].tags, facts[1].priority(), &facts[1].fields["refund"]),
        (&Some(Vec::new()), Some(None), &None)
    );
    assert_eq!(facts[2], Facts::default(), "nothing of it is known");
    let values: Vec<&str> = split_mark(log.marks.name(log.events[0].mark)).collect();
    assert_eq!(values, ["A"], "facts are no value of a group");
    assert!(fine(&format!("{HEAD}1,1/2/2016 10:00,A,queued\n")).facts(&log.events[0]).is_none());
}

#[test]
fn every_missing_column_is_named_at_its_place_in_the_map() {
    let words = wrong("ID,at,team\n1,2,3\n");
    for piece in [
        "no column \"id\"",
        "did you mean \"ID\"?",
        "map.toml:2:11",
        "no column \"status\"",
        "its columns: ID, at, team",
    ] {
        assert!(words.contains(piece), "{piece} in {words}");
    }
}

#[test]
fn unreadable_rows_are_told_with_line_and_column_all_at_once() {
    let words = wrong(format!(
        "{HEAD}1,2016-02-01,A,open\n,1/2/2016 10:00,A,open\n1,1/2/2016 10:00,A\n1,1/2/2016 10:00,\"A\nB\",open\n1,,A,open\n"
    ));
    for piece in [
        "log.csv:2:3: column \"at\": \"2016-02-01\" is no date like %d/%m/%Y %H:%M",
        "log.csv:3:1: column \"id\": the cell is empty",
        "log.csv:4:18: this row has 3 cells and the header 4",
        "log.csv:7:3: column \"at\": the cell is empty",
    ] {
        assert!(words.contains(piece), "{piece} in {words}");
    }
    let flood = wrong(format!("{HEAD}{}", "1,x,A,open\n".repeat(5_000)));
    assert!(flood.contains("at least 980 more are not shown") && flood.lines().count() < 50, "{flood}");
}

#[test]
fn broken_rows_take_their_whole_case_with_them_on_request() {
    let log = format!("{HEAD}1,1/2/2016 10:00,A,open\n1,x,B,open\n2,1/2/2016 10:00,A,open\n3,1/2/2016 10:00\n");
    let log = tried(MAP, log, Reading { skip_broken: true, now: None }).expect("a log");
    assert_eq!(teams(&log), ["A"]);
    let found = &log.repairs;
    assert_eq!((found.broken_rows, found.broken_cases, found.lost_rows), (2, 1, 1));
    let nothing = tried(MAP, format!("{HEAD}1,x,B,open\n"), Reading { skip_broken: true, now: None });
    assert!(nothing.is_err_and(|words| words.contains("no row could be used")));
}

#[test]
fn what_is_no_log_is_refused_with_a_remedy() {
    for (bytes, words) in [
        (&b""[..], "the log is empty"),
        (b"\n\n", "the log is empty"),
        (HEAD.as_bytes(), "2:1: the log has a header and no events"),
        (b"\xff\xfei\0d\0", "UTF-16"),
        (b"PK\x03\x04rest", "Excel"),
        (b"id,at\n\0\0", "2:1: this is no text"),
        (b"\x1f\x8b\x08garbage", "the packed file is broken"),
        (b"\x89PNG\r\n\x1a\nIHDR", "the name of this column is not UTF-8"),
        (b"id,at,team,status\n1,1/2/2016 10:00,\"A", "2:18: this quote is never closed"),
        (b"id,at,team,status,id\n1,1/2/2016 10:00,A,open,2\n", "1:19: the header names the column \"id\" twice"),
        (b"id,t\xe9am,at,status\n1,2,3,4\n", "1:4: the name of this column is not UTF-8"),
        (b"id,at,team,status\n1,1/2/2016 10:00,\xe9,open\n", "2:18: column \"team\": the cell is not UTF-8"),
    ] {
        let told = wrong(bytes);
        assert!(told.contains(words), "{words} in {told}");
    }
}

#[test]
fn offsets_of_many_zones_are_instants() {
    let map = "case = \"id\"\nat = \"at\"\nteam = \"team\"\n";
    let log = "id,at,team\n1,2016-02-01T12:00:00+02:00,B\n1,2016-02-01T09:30:00Z,A\n1,2016-02-01T07:00:00-05:00,C\n";
    assert_eq!(tried(map, log, Reading::default()).map(|log| teams(&log)), Ok(vec!["A B C".to_owned()]));
    let local = tried(map, "id,at,team\n1,2016-02-01T12:00:00,B\n", Reading::default());
    assert!(local.is_err_and(
        |words| words.contains("2:3") && words.contains("say the zone") || words.contains("or say its form")
    ));
}

#[test]
fn a_claim_can_be_seen_in_a_column() {
    let map = "case = \"id\"\nat = \"at\"\nteam = { column = \"team\", none = [\"?\"] }\nclaimed_when = { column = \"who\", known = true }\n";
    let log = "id,at,team,who\n1,2016-02-01T12:00:00Z,A,?\n1,2016-02-01T13:00:00Z,A,ann\n1,2016-02-01T14:00:00Z,A,\n";
    let log = tried(map, log, Reading::default()).expect("a log");
    assert_eq!(log.events.iter().map(Event::waits).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn a_tier_can_stand_in_a_column_and_its_first_row_counts() {
    let map = "case = \"id\"\nat = \"at\"\nteam = \"team\"\ntier = \"line\"\nby = \"line\"\n";
    let log = "id,at,team,line\n1,2016-02-01T12:00:00Z,A,\n1,2016-02-01T13:00:00Z,A,1\n1,2016-02-01T14:00:00Z,A,2\n2,2016-02-01T14:00:00Z,B,2\n";
    let log = tried(map, log, Reading::default()).expect("a log");
    assert_eq!((log.tiers, log.repairs.tier_conflicts), (vec![Some(Tier::new("1")), Some(Tier::new("2"))], 1));
    assert_eq!(log.marks.iter().collect::<Vec<_>>(), ["", "1", "2"]);
}

#[test]
fn a_large_log_keeps_forty_bytes_an_event() {
    assert_eq!(size_of::<Event>(), 40);
    // Thirty megabytes, made row by row as they are read: nothing of them is held as text.
    struct Endless {
        row: u64,
        line: Vec<u8>,
    }
    const ROWS: u64 = 300_000;
    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if self.line.is_empty() && self.row < ROWS {
                let (case, minute) = (self.row / 8, self.row % 8);
                self.line =
                    format!("case-{case:09},1/2/2016 10:0{minute},Team {},open,{}\n", self.row % 7, "x".repeat(60))
                        .into_bytes();
                self.row += 1;
            }
            let count = out.len().min(self.line.len());
            out[..count].copy_from_slice(&self.line[..count]);
            self.line.drain(..count);
            Ok(count)
        }
    }
    let input = Endless { row: 0, line: b"id,at,team,status,note\n".to_vec() };
    let log = read(input, "log.csv", &map(MAP), Reading::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((log.events.len() as u64, log.cases.len() as u64, log.teams.len()), (ROWS, ROWS / 8, 7));
}
