//! `/edit`, and `/approve` with parts below it: a reviewer's words in the place of what was collected, without leaving the helpdesk.

use crate::stage::{CUSTOMER, DIALECTS, Dialect, Stage, on_request, policy, two_rules};
use handoffd::daemon::control::{Command, CommandError, PartEdit};
use handoffd::ledger::{Ledger, PackageVersion};
use handoffd::policy::rules::PackagePart;
use handoffd_sandbox::ids::TicketNo;

fn every() -> impl Iterator<Item = Dialect> {
    DIALECTS.into_iter().chain([Dialect::Freshdesk])
}

/// A case for which frontline-1 asked the second line, which waits for a yes of tier2-lead (tier2-1 on the desk).
fn asked(stage: &mut Stage) -> TicketNo {
    let ticket = stage.opens("Support", &["refund"]);
    stage.notes("frontline-1", ticket, "/handoff second-line needs a developer");
    assert_eq!(stage.states(), ["in_review"], "{:?}", stage.ours(ticket));
    ticket
}

fn versions(stage: &Stage) -> Vec<PackageVersion> {
    let id = stage.handoffs()[0].id.clone();
    stage.asks_ledger(move |ledger: &mut Ledger| ledger.package_versions(&id))
}

fn last(stage: &Stage, ticket: TicketNo) -> String {
    stage.ours(ticket).pop().expect("a note")
}

#[test]
fn a_reviewer_edits_and_then_says_yes_and_every_version_is_kept() {
    for dialect in every() {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.notes(
            "tier2-1",
            ticket,
            "/edit question: May we refund it?\n\nSteps tried:\n- Called them\n- Read the log",
        );
        let answer = last(&stage, ticket);
        for said in ["Command /edit", "changed: steps, question; every version is kept", "still waits for a yes or no"]
        {
            assert!(answer.contains(said), "{dialect:?}: {answer}");
        }
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["in_review"]), "{dialect:?}");
        let kept = versions(&stage);
        let by: Vec<_> = kept.iter().map(|one| (one.number, one.by.is_some())).collect();
        assert_eq!(by, [(1, false), (2, true)], "{dialect:?}");
        assert!(
            kept[1].by.as_deref().is_some_and(|by| by.starts_with("Tier 2 Agent 1 (acme ")),
            "{dialect:?}: {:?}",
            kept[1].by
        );
        assert_eq!(kept[1].package.lines(PackagePart::Steps), ["Called them", "Read the log"], "{dialect:?}");
        assert_eq!(
            kept[0].package.lines(PackagePart::Summary),
            kept[1].package.lines(PackagePart::Summary),
            "{dialect:?}"
        );
        // A look in between, and again a part, which is taken out.
        stage.look(ticket);
        stage.notes("tier2-1", ticket, "/edit\nsteps:");
        assert!(last(&stage, ticket).contains("changed: steps;"), "{dialect:?}: {}", last(&stage, ticket));
        stage.notes("tier2-1", ticket, "/approve");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let note = last(&stage, ticket);
        assert!(note.contains("Open question: May we refund it?"), "{dialect:?}: {note}");
        assert!(!note.contains("Called them"), "{dialect:?}: {note}");
        assert_eq!(versions(&stage).len(), 3, "{dialect:?}");
        assert_eq!(
            stage.commands(ticket)[1..].iter().map(|(verb, outcome)| format!("{verb} {outcome}")).collect::<Vec<_>>(),
            ["edit done", "edit done", "approve done"]
        );
    }
}

#[test]
fn a_yes_with_parts_below_it_edits_and_sends_in_one_go() {
    for dialect in every() {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        stage.notes("tier2-1", ticket, "/approve ours\nI called them before.\n\nquestion: Which of the two is void?");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let notes = stage.ours(ticket);
        let note = notes.iter().find(|note| note.contains("Approved by: Tier 2 Agent 1")).expect("the handoff's");
        assert!(
            note.contains("Open question: Which of the two is void?") && !note.contains("I called"),
            "{dialect:?}: {note}"
        );
        let said = "approved, the case goes to second-line; changed: question; every version is kept";
        assert!(notes.iter().any(|note| note.contains(said)), "{dialect:?}: {notes:?}");
        assert_eq!(versions(&stage).len(), 2, "{dialect:?}");
    }
}

#[test]
fn an_edit_and_a_yes_of_the_same_person_in_one_look_go_together_and_of_two_people_the_first_counts() {
    for dialect in DIALECTS {
        let both = |first: &str, second: &str| {
            let policy = policy(dialect, &two_rules())
                .replace("reviewers = [\"tier2-lead\"]", "reviewers = [\"tier2-lead\", \"billing-1\"]");
            let mut stage = Stage::with(dialect, &policy);
            let ticket = asked(&mut stage);
            stage.later(5);
            stage.sandbox.person(first).notes(ticket, "/edit question: Which one?");
            stage.later(3);
            stage.sandbox.person(second).notes(ticket, "/approve");
            stage.look(ticket);
            (stage.queue(ticket), stage.ours(ticket))
        };
        let (queue, notes) = both("tier2-1", "tier2-1");
        assert_eq!(queue, "Tier 2", "{dialect:?}: {notes:?}");
        assert!(notes.iter().any(|note| note.contains("Open question: Which one?")), "{dialect:?}: {notes:?}");
        let (queue, notes) = both("tier2-1", "billing-1");
        assert_eq!(queue, "Support", "{dialect:?}: nobody says yes to what they have not seen: {notes:?}");
        assert!(notes.iter().any(|note| note.contains("/edit by Tier 2 Agent 1 came first")), "{dialect:?}: {notes:?}");
    }
}

#[test]
fn nobody_else_edits_and_nowhere_else() {
    for dialect in every() {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        let before = stage.ours(ticket).len();
        stage.later(20);
        stage.sandbox.person(CUSTOMER).replies(ticket, "/edit question: Pay me");
        stage.look(ticket);
        stage.later(20);
        stage.sandbox.person("tier2-1").replies(ticket, "/edit question: Pay them");
        stage.look(ticket);
        for quoted in ["> /edit question: x", "Look:\n/edit question: x", "- /edit question: x"] {
            stage.notes("tier2-1", ticket, quoted);
        }
        assert_eq!(
            (stage.ours(ticket).len(), versions(&stage).len()),
            (before, 0),
            "{dialect:?}: {:?}",
            stage.ours(ticket)
        );
        // What is only quoted below the order is none of its parts.
        stage.notes("tier2-1", ticket, "/edit\n\n> question: quoted");
        assert!(
            last(&stage, ticket).contains("nothing is edited: say what it is to say"),
            "{dialect:?}: {}",
            last(&stage, ticket)
        );
        for who in ["billing-1", "frontline-1"] {
            stage.notes(who, ticket, "/edit question: Mine?");
            assert!(
                last(&stage, ticket).contains("may not decide this; "),
                "{dialect:?}, {who}: {}",
                last(&stage, ticket)
            );
            stage.notes(who, ticket, "/approve\nquestion: Mine?");
            assert!(
                last(&stage, ticket).contains("may not decide this; "),
                "{dialect:?}, {who}: {}",
                last(&stage, ticket)
            );
        }
        assert_eq!((versions(&stage).len(), stage.states()), (0, vec!["in_review"]), "{dialect:?}");
        stage.notes("tier2-1", ticket, "/approve");
        assert!(
            !last(&stage, ticket).contains("Mine?"),
            "{dialect:?}: what was refused tells the package nothing: {}",
            last(&stage, ticket)
        );
    }
}

#[test]
fn whoever_asked_may_not_edit_what_another_one_approves_by_note_or_command_line() {
    for dialect in DIALECTS {
        let anybody = policy(dialect, &on_request("up", "billing", "true", "always"));
        let mut stage = Stage::with(dialect, &anybody.replace("reviewers = [\"billing-1\", \"billing-2\"]\n", ""));
        let ticket = stage.opens("Support", &[]);
        stage.notes("frontline-1", ticket, "/handoff billing please");
        stage.notes("frontline-1", ticket, "/edit question: Mine?");
        assert!(last(&stage, ticket).contains("they asked for it themselves"), "{dialect:?}: {}", last(&stage, ticket));
        let parts = vec![PartEdit { part: PackagePart::Question, text: "Mine?".into() }];
        let handoff = stage.handoffs()[0].id.clone();
        let by_mail = stage.orders("frontline-1@acme.example", Command::Edit { handoff, of: 1, parts });
        assert!(matches!(&by_mail, Err(CommandError::Refused(why)) if why.contains("themselves")), "{by_mail:?}");
        assert_eq!(versions(&stage).len(), 0);
        stage.notes("billing-1", ticket, "/edit question: Ours?");
        assert!(last(&stage, ticket).contains("changed: question"), "{dialect:?}: {}", last(&stage, ticket));
    }
}

#[test]
fn what_cannot_stand_in_a_package_is_told_with_what_can_and_changes_nothing() {
    for dialect in every() {
        let mut stage = Stage::new(dialect);
        let ticket = asked(&mut stage);
        let huge = format!("/edit question: x\n{}", "word ".repeat(4_000));
        for (note, said) in [
            ("/edit", "say what it is to say: one of summary, reported, steps"),
            (
                "/edit surprise: x",
                "\"surprise\" is no part; these are: summary, reported, steps, artifacts, urgency, question, history",
            ),
            ("/edit\nquestion: a\n\nsurprise: x", "\"surprise\" is no part"),
            ("/edit question: a\nquestion: b", "question stands there twice"),
            ("/edit summary: 1\n2\n3\n4\n5\n6", "summary has 6 lines"),
            (huge.as_str(), "longer than"),
            ("/approve\nsummary: 1\n2\n3\n4\n5\n6", "nothing is approved: summary has 6 lines"),
        ] {
            stage.notes("tier2-1", ticket, note);
            let answer = last(&stage, ticket);
            assert!(answer.contains(said), "{dialect:?}: {note:.40}: {answer}");
        }
        assert_eq!((versions(&stage).len(), stage.states()), (0, vec!["in_review"]), "{dialect:?}");
        stage.notes(
            "tier2-1",
            ticket,
            "/edit question: [handoffd h1/1 up@v1] pay to 4111 1111 1111 1111, password: hunter2",
        );
        let kept = versions(&stage);
        let question = kept[1].package.lines(PackagePart::Question).join(" ");
        assert!(
            question.contains("(handoffd") && !question.contains("hunter2") && !question.contains("4111 1111"),
            "{dialect:?}: {question}"
        );
        assert!(!last(&stage, ticket).contains("hunter2"), "{dialect:?}");
        stage.notes("tier2-1", ticket, &format!("/edit question: {question}"));
        assert!(
            last(&stage, ticket).contains("says what the package says already"),
            "{dialect:?}: {}",
            last(&stage, ticket)
        );
        assert_eq!(versions(&stage).len(), 2, "{dialect:?}");
    }
}

#[test]
fn an_edit_of_what_no_longer_fits_ends_it_as_stale_and_without_a_review_there_is_nothing_to_edit() {
    for dialect in DIALECTS {
        let mut stage = Stage::new(dialect);
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("tier2-1", ticket, "/edit question: x");
        assert!(last(&stage, ticket).contains("nothing waits here"), "{dialect:?}: {}", last(&stage, ticket));
        stage.notes("frontline-1", ticket, "/handoff second-line needs a developer");
        stage.look(ticket);
        assert_eq!(versions(&stage).len(), 0, "{dialect:?}: an order is no answer to a later question");
        stage.later(60);
        stage.sandbox.person("frontline-2").takes(ticket);
        stage.notes("tier2-1", ticket, "/edit question: x");
        let answer = last(&stage, ticket);
        assert!(answer.contains("no longer fitted") && answer.contains("owner"), "{dialect:?}: {answer}");
        assert_eq!((stage.states()[0], versions(&stage).len()), ("withdrawn", 0), "{dialect:?}");
    }
}
