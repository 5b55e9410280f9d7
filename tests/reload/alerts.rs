//! Alert channels of a daemon that runs: one that was down and is back, and channels that a reload adds, changes and takes out.

use crate::rooms::SECRET;
use crate::stage::{BOTH, Dialect, Stage, policy};
use crate::wrong;
use futures::executor::block_on;
use handoffd::daemon::control::{Command, Target};
use handoffd_sandbox::ids::TicketNo;

/// The policy with these rooms, of which billing is told.
fn told(dialect: Dialect, rooms: &[(&str, &str)]) -> String {
    let names: Vec<String> = rooms.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let channels: String = rooms
        .iter()
        .map(|(name, at)| {
            format!(
                "[alerts.{name}]\nchannel = \"webhook\"\nurl = \"https://{at}.rooms.example/in\"\n\
                 secret = {{ file = \"rooms\" }}\nallow_private = true\n\n"
            )
        })
        .collect();
    let billing = "queue = \"Billing\"\n";
    let text = policy(dialect);
    assert!(text.contains(billing));
    text.replacen(billing, &format!("{billing}alert = [{}]\n\n{channels}", names.join(", ")), 1)
}

fn house(dialect: Dialect, rooms: &[(&str, &str)]) -> Stage {
    let stage = Stage::new(dialect);
    stage.write("rooms", SECRET);
    takes_in(&stage, rooms);
    stage
}

/// The file names these rooms from now on; gives what the reload tells of them.
fn takes_in(stage: &Stage, rooms: &[(&str, &str)]) -> Vec<String> {
    stage.write("handoffd.toml", told(stage.dialect, rooms));
    let changes = stage.reload().expect("taken in").changes.expect("told");
    let of_policy = changes.policy.iter().map(|change| format!("{} {}", change.of, change.key));
    of_policy.chain(changes.settings.iter().cloned()).collect()
}

/// A case that goes to billing.
fn case(stage: &mut Stage) -> TicketNo {
    let no = stage.ticket("A refund");
    stage.seconds(120);
    assert_eq!(stage.queue(no), "Billing");
    no
}

fn parked(stage: &Stage) -> Vec<String> {
    let parked = block_on(stage.running.house().ledger.call(|ledger| ledger.parked_alerts())).expect("asked");
    parked.into_iter().map(|alert| alert.alert.ticket.to_string()).collect()
}

#[test]
fn a_channel_that_was_down_and_is_back_gets_everything_once_and_in_its_order() {
    for dialect in BOTH {
        let mut stage = house(dialect, &[("room", "billing"), ("other", "leads")]);
        let first = case(&mut stage).to_string();
        assert_eq!(stage.rooms.tickets("billing"), std::slice::from_ref(&first), "{dialect:?}");
        stage.rooms.goes_down("billing");
        let mut all = vec![first];
        for _ in 0..6 {
            all.push(case(&mut stage).to_string());
        }
        stage.seconds(1_800);
        assert_eq!(stage.rooms.tickets("leads"), all, "{dialect:?}: the other one waits for nothing");
        assert_eq!(stage.rooms.tickets("billing").len(), 1, "{dialect:?}");
        let reasons = stage.reasons();
        assert!(reasons.contains("the alert channel room takes nothing: 6 alerts wait"), "{dialect:?}: {reasons}");

        // What waits outlives the process.
        let mut stage = stage.restart(None);
        stage.seconds(600);
        let tries = stage.rooms.tries();
        stage.rooms.comes_back("billing");
        stage.seconds(600);
        assert_eq!(stage.rooms.tickets("billing"), all, "{dialect:?}: everything, in its order");
        assert_eq!(stage.rooms.tries(), tries + 6, "{dialect:?}: and each of them once");
        let billing = stage.rooms.taken("billing");
        assert!(billing.iter().all(|taken| taken.kind == "alert.handoff"), "{dialect:?}: {billing:?}");
        let apart = |two: &[crate::rooms::Taken]| two[1].at.duration_since(two[0].at).as_secs() >= 1;
        assert!(billing.windows(2).all(apart), "{dialect:?}: not more than one in a second: {billing:?}");
        assert_eq!(stage.reasons(), "[]", "{dialect:?}");

        all.push(case(&mut stage).to_string());
        assert_eq!((stage.rooms.tickets("billing"), stage.rooms.tickets("leads")), (all.clone(), all), "{dialect:?}");
    }
}

#[test]
fn channels_come_change_and_go_with_a_reload_and_what_waits_follows() {
    for dialect in BOTH {
        let mut stage = Stage::new(dialect);
        stage.write("rooms", SECRET);
        let before = case(&mut stage).to_string();
        let said = takes_in(&stage, &[("room", "billing")]).join("; ");
        assert!(said.contains("alert"), "{dialect:?}: {said}");
        stage.seconds(120);
        assert_eq!(stage.rooms.tries(), 0, "{dialect:?}: nobody is told of what was before: {before}");
        let here = case(&mut stage).to_string();
        assert_eq!(stage.rooms.tickets("billing"), std::slice::from_ref(&here), "{dialect:?}");

        // Another address: what waits for the channel goes there.
        stage.rooms.goes_down("billing");
        let waits = case(&mut stage).to_string();
        let said = takes_in(&stage, &[("room", "annex")]);
        assert_eq!(said, ["how [alerts.room] is reached"], "{dialect:?}");
        stage.seconds(600);
        assert_eq!(stage.rooms.tickets("annex"), [waits], "{dialect:?}");
        stage.rooms.comes_back("billing");

        // A file that is wrong in a channel changes nothing.
        stage.write("handoffd.toml", told(dialect, &[("room", "billing")]).replace("\"webhook\"", "\"webhok\""));
        assert!(wrong(&stage).contains("webhok"), "{dialect:?}");
        let there = case(&mut stage).to_string();
        assert_eq!(stage.rooms.tickets("annex").last(), Some(&there), "{dialect:?}");
        assert_eq!(stage.rooms.tickets("billing"), [here], "{dialect:?}");

        // Gone while something waits for it: that waits for a person, and is not lost.
        stage.rooms.goes_down("annex");
        let left = case(&mut stage).to_string();
        takes_in(&stage, &[("leads", "leads")]);
        assert_eq!(parked(&stage), std::slice::from_ref(&left), "{dialect:?}");
        let reasons = stage.reasons();
        assert!(reasons.contains("that wait for a person: 1"), "{dialect:?}: {reasons}");
        let new = case(&mut stage).to_string();
        assert_eq!(stage.rooms.tickets("leads"), std::slice::from_ref(&new), "{dialect:?}");
        stage.rooms.comes_back("annex");
        stage.seconds(600);
        assert_ne!(stage.rooms.tickets("annex").last(), Some(&left), "{dialect:?}");

        takes_in(&stage, &[("room", "annex"), ("leads", "leads")]);
        stage.order(Command::Retry { target: Target::All { desk: None, rule: None } }).expect("tried again");
        stage.seconds(120);
        assert_eq!(stage.rooms.tickets("annex").last(), Some(&left), "{dialect:?}");
        assert_eq!((parked(&stage), stage.reasons()), (Vec::new(), "[]".to_owned()), "{dialect:?}");
        assert_eq!(stage.rooms.tickets("leads"), [new], "{dialect:?}");
    }
}
