//! A desk's history in a file: what stands in it, and that a break loses nothing and doubles nothing.

use super::stage::{Dialect, SAID, SUBJECT, Stage};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use handoffd::insight::history::rows::Rows;
use handoffd::insight::history::{Keep, Stopped, Taken, Taking, keep, map};
use handoffd_kit::clock::Clock;
use handoffd_kit::error::DeskErrorKind;
use handoffd_kit::id::DeskId;
use handoffd_sandbox::journal::Kind;
use handoffd_sandbox::{Fault, FaultPlan, On};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tempfile::TempDir;

const END: &str = "2026-05-04T18:00:00Z";
/// Those whose history says who changed what.
const DIALECTS: [Dialect; 2] = [Dialect::Zendesk, Dialect::Rt];

fn stage(dialect: Dialect) -> Stage {
    Stage::until(dialect, END.parse().expect("an instant"))
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("acme-history.jsonl")
}

/// Takes what is missing, while the clock goes on to whatever is waited for.
fn take(stage: &Stage, path: &Path, with_text: bool) -> Result<Taken, Stopped> {
    let since = stage.began - SignedDuration::from_hours(1);
    let mut keep = Keep::open(path, keep::Place::first("acme".into(), since, with_text)).expect("opened");
    let (desk, seams, config) = (stage.desk(), stage.seams(), stage.config());
    let ended: Rc<RefCell<Option<Result<Taken, Stopped>>>> = Rc::default();
    let end = ended.clone();
    let id = DeskId::from("acme");
    let work = async move {
        let teams = config.policy.teams.values().collect();
        let fields = &config.policy.desks[&id].fields;
        let rows = Rows { desk: &id, teams, queues: BTreeMap::new(), fields, with_text };
        let mut taking = Taking { desk: desk.as_ref(), seams: &seams, rows, progress: &|_| {} };
        let taken = taking.go(&mut keep).await;
        *end.borrow_mut() = Some(match taken {
            Ok(_) => Ok(keep.whole().expect("written")),
            Err(why) => Err(why),
        });
    };
    let mut pool = LocalPool::new();
    pool.spawner().spawn_local(work).expect("spawned");
    for _ in 0..10_000 {
        pool.run_until_stalled();
        if let Some(ended) = ended.borrow_mut().take() {
            return ended;
        }
        let next = stage.clock.next_wait().expect("it waits for something");
        stage.clock.set(next);
    }
    panic!("it never ends");
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn of_case(rows: &[Value], case: impl ToString) -> Vec<Value> {
    let case = case.to_string();
    rows.iter().filter(|row| row["case"] == case.as_str()).cloned().collect()
}

fn column<'r>(rows: &'r [Value], name: &str) -> Vec<&'r str> {
    let mut values: Vec<&str> = rows.iter().filter_map(|row| row[name].as_str()).collect();
    values.dedup();
    values
}

#[test]
fn every_ticket_is_there_from_its_beginning_with_its_team_status_and_owner_at_each_instant() {
    for dialect in DIALECTS {
        let (stage, folder) = (stage(dialect), tempfile::tempdir().expect("a folder"));
        let taken = take(&stage, &file(&folder), false).unwrap_or_else(|why| panic!("{dialect:?}: {why}"));
        let rows = rows(&file(&folder));
        assert_eq!(
            (taken.tickets, taken.rows, taken.unseen, taken.untold),
            (3, rows.len() as u64, 0, 0),
            "{dialect:?}"
        );
        let [moved, noted, elsewhere] = stage.tickets.map(|ticket| of_case(&rows, ticket.0));
        assert_eq!(column(&moved, "queue"), ["Support", "Billing"], "{dialect:?}");
        assert_eq!(column(&elsewhere, "queue"), ["Support", "Tier 2"], "{dialect:?}");
        assert_eq!(column(&noted, "queue"), ["Support"], "{dialect:?}");
        assert_eq!(moved.last().expect("rows")["status"], "solved", "{dialect:?}");
        let at = |hours| (stage.began + SignedDuration::from_hours(hours)).to_string();
        let arrived = moved.iter().find(|row| row["queue"] == "Billing").expect("moved");
        assert_eq!(arrived["at"], at(6).as_str(), "{dialect:?}");
        let owned = moved.iter().find(|row| row["owner"] != "").expect("owned");
        assert_eq!((&owned["at"], &owned["by"]), (&at(1).into(), &"agent".into()), "{dialect:?}");
        assert_eq!((&moved[0]["at"], &moved[0]["owner"], &moved[0]["nth"]), (&at(0).into(), &"".into(), &0.into()));
        let owners: Vec<&str> = column(&moved, "owner").into_iter().filter(|owner| !owner.is_empty()).collect();
        assert!(owners.len() >= 2, "{dialect:?}: two people had it: {owners:?}");
        assert!(!file(&folder).with_extension("jsonl.going").exists(), "it is whole");
    }
}

#[test]
fn labels_and_fields_are_what_they_were_at_each_instant_and_unknown_where_that_cannot_be_told() {
    for dialect in DIALECTS {
        let (stage, folder) = (stage(dialect), tempfile::tempdir().expect("a folder"));
        take(&stage, &file(&folder), false).unwrap_or_else(|why| panic!("{dialect:?}: {why}"));
        let rows = rows(&file(&folder));
        let [_, noted, elsewhere] = stage.tickets.map(|ticket| of_case(&rows, ticket.0));
        let hour = |row: &Value| {
            let at: Timestamp = row["at"].as_str().expect("an instant").parse().expect("an instant");
            at.duration_since(stage.began).as_hours()
        };
        for row in &noted {
            let hour = hour(row);
            let labels = if (3..7).contains(&hour) { serde_json::json!(["refund"]) } else { serde_json::json!([]) };
            assert_eq!(row["tags"], labels, "{dialect:?} in hour {hour}: {row}");
            // What the field was before it was set, the history does not say.
            let sum = &row["fields"]["refund_eur"];
            let known = *sum == serde_json::json!(600);
            assert!(if hour < 5 { sum.is_null() } else { known || hour == 5 }, "{dialect:?} in hour {hour}: {row}");
            assert!(row["fields"].get("steps").is_none(), "a field of text: {row}");
        }
        assert_eq!(noted.last().expect("rows")["fields"]["refund_eur"], 600, "{dialect:?}");
        assert!(elsewhere.iter().all(|row| row["fields"]["refund_eur"] == serde_json::json!([])), "{dialect:?}: empty");
    }
}

#[test]
fn no_text_and_no_name_stands_in_it_unless_asked_for() {
    for dialect in DIALECTS {
        let (stage, folder) = (stage(dialect), tempfile::tempdir().expect("a folder"));
        take(&stage, &file(&folder), false).unwrap_or_else(|why| panic!("{dialect:?}: {why}"));
        let text = std::fs::read_to_string(file(&folder)).expect("a file");
        for personal in [SUBJECT, SAID, "Asked the bank", "Anna Example", "@", "frontline-1", "billing-1", "customer"] {
            let allowed = personal == "customer" && !text.contains("customer@") && !text.contains("customer-");
            assert!(!text.contains(personal) || allowed, "{dialect:?}: {personal} stands in {text}");
        }
        let asked = folder.path().join("with-text.jsonl");
        take(&stage, &asked, true).unwrap_or_else(|why| panic!("{dialect:?}: {why}"));
        let text = std::fs::read_to_string(&asked).expect("a file");
        for asked in [SUBJECT, SAID, "Asked the bank", "Anna Example"] {
            assert!(text.contains(asked), "{dialect:?}: {asked} is missing in {text}");
        }
    }
}

#[test]
fn a_desk_that_goes_down_leaves_what_was_taken_and_the_next_run_goes_on() {
    for dialect in DIALECTS {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = folder.path().join("whole.jsonl");
        let calls = {
            let stage = stage(dialect);
            take(&stage, &whole, false).unwrap_or_else(|why| panic!("{dialect:?}: {why}"));
            stage.sandbox.journal().count(Kind::Read)
        };
        let wanted = rows(&whole);
        let mut broken_off = 0;
        for fine in 0..calls {
            let (stage, path) = (stage(dialect), folder.path().join(format!("{fine}.jsonl")));
            stage.sandbox.set_faults(FaultPlan::default().fine(fine, On::Reads).next(1_000, On::Reads, Fault::Down));
            let first = take(&stage, &path, false);
            stage.sandbox.set_faults(FaultPlan::default());
            match first {
                Ok(_) => {}
                Err(Stopped::Desk(error)) => {
                    assert_eq!(error.kind, DeskErrorKind::Unavailable, "{dialect:?}");
                    broken_off += usize::from(!rows(&path).is_empty());
                    // What a crash leaves behind the place that counts is taken again.
                    let mut text = std::fs::read(&path).expect("a file");
                    text.extend_from_slice(b"{\"case\":\"1\",\"half\":");
                    std::fs::write(&path, text).expect("written");
                    take(&stage, &path, false).unwrap_or_else(|why| panic!("{dialect:?} after {fine}: {why}"));
                }
                Err(why) => panic!("{dialect:?} after {fine}: {why}"),
            }
            assert_eq!(rows(&path), wanted, "{dialect:?} after {fine}");
        }
        assert!(broken_off > 0, "{dialect:?}: no try kept anything");
    }
}

#[test]
fn a_short_outage_is_waited_out() {
    for dialect in DIALECTS {
        let (stage, folder) = (stage(dialect), tempfile::tempdir().expect("a folder"));
        stage.sandbox.set_faults(FaultPlan::default().fine(4, On::Reads).next(3, On::Reads, Fault::Unavailable));
        let taken = take(&stage, &file(&folder), false).unwrap_or_else(|why| panic!("{dialect:?}: {why}"));
        assert_eq!(taken.tickets, 3, "{dialect:?}");
    }
}

#[test]
fn a_login_or_a_right_that_is_missing_ends_it_at_once() {
    for dialect in DIALECTS {
        for (on, fault, kind) in [
            (On::All, Fault::Unauthorized, DeskErrorKind::Unauthorized),
            (On::Reads, Fault::Forbidden, DeskErrorKind::Forbidden),
        ] {
            let (stage, folder) = (stage(dialect), tempfile::tempdir().expect("a folder"));
            stage.sandbox.set_faults(FaultPlan::default().next(1_000, on, fault));
            let before = stage.clock.now();
            match take(&stage, &file(&folder), false) {
                Err(Stopped::Desk(error)) => assert_eq!(error.kind, kind, "{dialect:?}: {error}"),
                other => panic!("{dialect:?} {fault:?}: {other:?}"),
            }
            assert!(
                stage.clock.now() < before + SignedDuration::from_mins(1),
                "{dialect:?}: it does not wait for a person"
            );
        }
    }
}

#[test]
fn a_file_of_another_kind_is_never_gone_on_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = file(&folder);
    std::fs::write(&path, "mine\n").expect("written");
    let first = || keep::Place::first("acme".into(), Timestamp::UNIX_EPOCH, false);
    assert!(Keep::open(&path, first()).is_err());
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "mine\n", "untouched");
    std::fs::write(path.with_extension("jsonl.going"), "{}").expect("written");
    assert!(keep::place(&path).is_err() && Keep::open(&path, first()).is_err(), "a place that cannot be read");
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "mine\n", "untouched");
}

#[test]
fn the_map_calls_teams_and_tiers_what_the_policy_does() {
    let stage = stage(Dialect::Rt);
    let config = stage.config();
    let fields = ["refund_eur"].into_iter();
    let text = map(&config.policy.teams.values().collect::<Vec<_>>(), fields, "The history of acme.");
    let map = handoffd::config::events::read_map(&text, "map.toml").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((map.case.name.as_str(), map.order.is_some()), ("case", true));
    assert!(text.contains("\"Support\" = 1") && text.contains("\"Billing\" = 2"), "{text}");
}
