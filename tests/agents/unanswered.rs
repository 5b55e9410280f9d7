//! A review that nobody answers in the helpdesk: who is reminded there, and what no answer comes to. And a package that a
//! reviewer edits before the yes.

use crate::stage::{DIALECTS, Dialect, Stage, on_request, policy};
use handoffd::daemon::control::{Command, CommandError, PartEdit, Reply};
use handoffd::policy::rules::PackagePart;
use handoffd_sandbox::ids::TicketNo;

const HOUR: i64 = 3600;

/// A case for which frontline-1 asked the second line. Its reviewer, tier2-lead (tier2-1 on the desk), has four hours, and is
/// reminded each hour.
fn asked(dialect: Dialect, unanswered: &str) -> (Stage, TicketNo) {
    let rule = on_request("second-line-on-request", "second-line", "true", "always");
    let terms =
        format!("reviews = {{ answer_within = \"4h\", remind_every = \"1h\", unanswered = \"{unanswered}\" }}\n\n");
    let mut stage = Stage::with(dialect, &policy(dialect, &(rule + &terms)));
    let ticket = stage.opens("Support", &["refund"]);
    stage.notes("frontline-1", ticket, "/handoff second-line needs a developer");
    assert_eq!(stage.states(), ["in_review"], "{dialect:?}: {:?}", stage.ours(ticket));
    assert_eq!(stage.ours(ticket).len(), 1, "{dialect:?}: the answer to whoever asked");
    (stage, ticket)
}

fn reminders(stage: &Stage, ticket: TicketNo) -> Vec<String> {
    stage.ours(ticket).into_iter().filter(|note| note.contains("Still waiting for a yes or no")).collect()
}

/// Notes that say what travels.
fn handed_off(stage: &Stage, ticket: TicketNo) -> Vec<String> {
    stage.ours(ticket).into_iter().filter(|note| note.contains("Approved by: ")).collect()
}

fn id(stage: &Stage) -> String {
    stage.handoffs()[0].id.clone()
}

fn edits(stage: &mut Stage, by: &str, of: u32, part: PackagePart, text: &str) -> Result<Reply, CommandError> {
    let parts = vec![PartEdit { part, text: text.to_owned() }];
    let handoff = id(stage);
    stage.orders(by, Command::Edit { handoff, of, parts })
}

fn refusal(answer: Result<Reply, CommandError>) -> String {
    match answer {
        Err(CommandError::Refused(words)) => words,
        other => panic!("refused, not {other:?}"),
    }
}

#[test]
fn the_reviewer_is_reminded_on_the_ticket_and_one_that_waits_on_can_be_answered_late() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(dialect, "wait");
        stage.pass(HOUR - 600);
        assert_eq!(reminders(&stage, ticket).len(), 0, "{dialect:?}");
        stage.pass(1200);
        let first = reminders(&stage, ticket);
        assert_eq!(first.len(), 1, "{dialect:?}: {:?}", stage.ours(ticket));
        for words in
            ["tier2-lead is asked to answer", "/approve or /reject REASON", "If nobody answers by", "it waits on"]
        {
            assert!(first[0].contains(words), "{dialect:?}: {words}: {}", first[0]);
        }
        stage.pass(5 * HOUR);
        let later = reminders(&stage, ticket);
        assert_eq!(later.len(), 6, "{dialect:?}: one for each hour");
        assert!(later[5].contains("It should have been answered by"), "{dialect:?}: {}", later[5]);
        assert_eq!((stage.states(), stage.queue(ticket)), (vec!["in_review"], "Support".to_owned()), "{dialect:?}");
        stage.notes("tier2-1", ticket, "/approve ours after all");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let written = stage.ours(ticket).len();
        stage.pass(3 * HOUR);
        assert_eq!(stage.ours(ticket).len(), written, "{dialect:?}: nobody is reminded of what was answered");
    }
}

#[test]
fn no_answer_that_is_a_no_ends_it_with_a_note_and_nothing_is_changed() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(dialect, "reject");
        stage.pass(4 * HOUR + 600);
        assert_eq!((stage.states(), stage.queue(ticket)), (vec!["rejected"], "Support".to_owned()), "{dialect:?}");
        assert_eq!(reminders(&stage, ticket).len(), 3, "{dialect:?}: none at the end itself");
        let last = stage.ours(ticket).pop().expect("a note");
        assert!(last.contains("nobody answered") && last.contains("takes for a no"), "{dialect:?}: {last}");
        let written = stage.ours(ticket).len();
        stage.look(ticket);
        stage.pass(5 * HOUR);
        assert_eq!((stage.states(), stage.ours(ticket).len()), (vec!["rejected"], written), "{dialect:?}: it stays so");
    }
}

#[test]
fn no_answer_that_is_a_yes_sends_it_once_in_the_name_of_the_policy() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(dialect, "approve");
        stage.pass(4 * HOUR - 600);
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: not a minute earlier");
        stage.pass(1200);
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        stage.pass(2 * HOUR);
        let notes = handed_off(&stage, ticket);
        assert_eq!(notes.len(), 1, "{dialect:?}: {notes:?}");
        assert!(notes[0].contains("Approved by: the policy, nobody having answered by"), "{dialect:?}: {}", notes[0]);
        let approved = stage.handoffs()[0].approved_by.clone().expect("recorded");
        assert!(approved.starts_with("the policy"), "{dialect:?}: {approved}");
    }
}

#[test]
fn a_case_that_somebody_took_meanwhile_is_not_handed_off_by_silence() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(dialect, "approve");
        stage.pass(HOUR / 2);
        stage.sandbox.person("frontline-2").takes(ticket);
        stage.pass(5 * HOUR);
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.states(), ["withdrawn"], "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.owner(ticket).as_deref(), Some("frontline-2"), "{dialect:?}");
        assert!(handed_off(&stage, ticket).is_empty(), "{dialect:?}");
    }
}

#[test]
fn a_reviewer_s_edit_travels_on_the_yes_and_says_whose_it_is() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(dialect, "wait");
        edits(&mut stage, "tier2-lead", 1, PackagePart::Summary, "Charged twice, see invoice 7").expect("edited");
        let written = stage.ours(ticket).len();
        edits(&mut stage, "tier2-lead", 2, PackagePart::Question, "Which of the two is void?").expect("edited again");
        assert_eq!(stage.ours(ticket).len(), written, "{dialect:?}: an edit writes nothing");
        // A look in between, and one that finds another word of the customer, leave it as it is.
        stage.look(ticket);
        stage.notes("frontline-2", ticket, "I have told them that we are on it");
        stage.notes("tier2-1", ticket, "/approve");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let notes = handed_off(&stage, ticket);
        assert_eq!(notes.len(), 1, "{dialect:?}");
        for words in ["Charged twice, see invoice 7", "Which of the two is void?", "an edit by tier2-lead"] {
            assert!(notes[0].contains(words), "{dialect:?}: {words}: {}", notes[0]);
        }
    }
}

#[test]
fn who_is_no_reviewer_edits_nothing_and_nobody_edits_a_version_that_they_have_not_seen() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(dialect, "wait");
        for stranger in ["billing-1", "frontline-1", "somebody@elsewhere.example"] {
            let words = refusal(edits(&mut stage, stranger, 1, PackagePart::Summary, "Give them the money"));
            assert!(words.contains("may not decide") && words.contains("tier2-lead"), "{dialect:?}: {words}");
        }
        edits(&mut stage, "tier2-lead", 1, PackagePart::Summary, "Charged twice, see invoice 7").expect("edited");
        let words = refusal(edits(&mut stage, "tier2-1@acme.example", 1, PackagePart::Summary, "Something else"));
        assert!(words.contains("version 2"), "{dialect:?}: {words}");
        stage.notes("tier2-1", ticket, "/approve");
        let notes = handed_off(&stage, ticket);
        assert!(notes[0].contains("see invoice 7"), "{dialect:?}: {}", notes[0]);
        assert!(!notes[0].contains("Give them the money") && !notes[0].contains("Something else"), "{}", notes[0]);
    }
}

#[test]
fn a_stale_review_is_not_edited_and_its_edit_ends_with_it() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(dialect, "wait");
        edits(&mut stage, "tier2-lead", 1, PackagePart::Summary, "Charged twice, see invoice 7").expect("edited");
        stage.later(60);
        stage.sandbox.person("frontline-2").takes(ticket);
        stage.notes("tier2-1", ticket, "/approve");
        assert_eq!((stage.states(), stage.queue(ticket)), (vec!["withdrawn"], "Support".to_owned()), "{dialect:?}");
        let words = refusal(edits(&mut stage, "tier2-lead", 2, PackagePart::Summary, "Once more"));
        assert!(words.contains("not in review but withdrawn"), "{dialect:?}: {words}");
        assert!(!stage.ours(ticket).iter().any(|note| note.contains("see invoice 7")), "{dialect:?}");
    }
}
