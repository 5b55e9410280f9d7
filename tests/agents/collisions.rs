//! A person's change that a write of ours covered, because it came later than our last read of the ticket: theirs stands, the
//! ticket is told, and the handoff does not count as done.

use crate::stage::{DIALECTS, Stage};

#[test]
fn a_move_that_ours_covered_stands_and_the_handoff_ends_with_a_word() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.meddler.will(move |sandbox| {
            sandbox.person("frontline-2").moves(ticket, "Tier 2");
        });
        stage.notes("frontline-1", ticket, "/handoff billing above my limit");
        assert!(!stage.meddler.waits(), "{dialect:?}: they acted");
        for _ in 0..4 {
            stage.pass(1_800);
            stage.look(ticket);
        }
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}");
        assert_eq!(stage.teams(ticket).last().map(String::as_str), Some("second-line"), "{dialect:?}");
        assert_eq!((stage.states(), stage.parked().len()), (vec!["withdrawn"], 0), "{dialect:?}");
        let told = stage.ours(ticket);
        let last = told.last().expect("a word");
        let ends = ["This handoff was stopped:", "Not handed off to billing"].iter().any(|word| last.starts_with(word));
        assert!(ends && told.len() <= 2, "{dialect:?}: {told:?}");
    }
}
