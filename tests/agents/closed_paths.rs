//! What was given back stays back: a bounce, a rejection and an undo close the path with the facts as they are then, whoever
//! changed them meanwhile; what changes later opens it.

use crate::stage::{DIALECTS, Dialect, Stage, new_ledger, policy};
use handoffd::daemon::control::{Command, Target};
use handoffd_sandbox::change::{TagChange, Update};
use handoffd_sandbox::faults::{Fault, FaultPlan, On};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed::REFUND_EUR;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Refunds above a limit go to billing by themselves.
fn with_rule(dialect: Dialect, more: &str) -> Stage {
    let field = match dialect {
        Dialect::Zendesk => "360003",
        Dialect::Rt | Dialect::Zammad | Dialect::Intercom => "refund_eur",
        Dialect::Freshdesk => "cf_refund_eur",
        Dialect::Jira => "customfield_360003",
    };
    let rules = format!(
        r#"
[desks.acme.fields]
refund_eur = {{ id = "{field}", type = "number" }}

[[escalate]]
name = "refund-over-limit"
mode = "live"
trigger = "exception"
from = ["frontline"]
to = "billing"
when = ['has_tag("refund")', 'ticket.status != "solved"', 'ticket.fields.refund_eur > 500.0']
reason = "A refund of {{{{ ticket.fields.refund_eur }}}} EUR"
{more}
"#
    );
    Stage::with(dialect, &policy(dialect, &rules))
}

fn amount(euros: u32) -> Update {
    Update { fields: BTreeMap::from([(REFUND_EUR, vec![euros.to_string()])]), ..Update::default() }
}

/// A refund of 900 EUR that billing has.
fn at_billing(stage: &mut Stage) -> TicketNo {
    let ticket = stage.opens("Support", &["refund"]);
    stage.does("frontline-1", ticket, amount(900));
    assert_eq!(stage.queue(ticket), "Billing", "{:?}", stage.ours(ticket));
    stage.later(90);
    stage.look(ticket);
    ticket
}

/// It is with frontline and stays there, until the amount changes again.
fn stays_until_the_amount_changes(stage: &mut Stage, ticket: TicketNo, how: &str) {
    for _ in 0..3 {
        stage.later(120);
        stage.look(ticket);
    }
    let (dialect, ended) = (stage.dialect, stage.states());
    assert_eq!((stage.queue(ticket).as_str(), ended.len()), ("Support", 1), "{dialect:?}: after {how}: {ended:?}");
    stage.does("frontline-1", ticket, amount(7100));
    assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: after {how} and a change: {:?}", stage.states());
    assert_eq!(stage.states().len(), 2, "{dialect:?}: after {how}");
}

#[test]
fn a_fact_that_the_receiving_team_changed_before_it_gave_the_case_back_opens_nothing() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        stage.does("billing-1", ticket, amount(7000));
        stage.later(5);
        stage.sandbox.person("billing-1").moves(ticket, "Support");
        stage.look(ticket);
        assert_eq!(stage.states(), ["bounced"], "{dialect:?}");
        stays_until_the_amount_changes(&mut stage, ticket, "a bounce");
    }
}

#[test]
fn nor_does_one_that_changes_together_with_the_way_back_or_before_anybody_looked() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        let support = stage.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
        stage.does("billing-1", ticket, Update { queue: Some(support), ..amount(7000) });
        stays_until_the_amount_changes(&mut stage, ticket, "one change of both");

        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        stage.sandbox.person("billing-1").updates(ticket, amount(7000));
        stage.later(5);
        stage.sandbox.person("billing-1").moves(ticket, "Support");
        stage.later(5);
        stage.look(ticket);
        stays_until_the_amount_changes(&mut stage, ticket, "two changes that one look saw");
    }
}

#[test]
fn a_case_that_came_back_before_anybody_looked_was_away_also_where_no_history_tells() {
    for dialect in [Dialect::Zendesk, Dialect::Rt, Dialect::Freshdesk] {
        let mut stage = with_rule(dialect, "");
        let ticket = stage.opens("Support", &["refund"]);
        stage.does("frontline-1", ticket, amount(900));
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}");
        stage.later(5);
        stage.sandbox.person("billing-1").moves(ticket, "Support");
        stage.later(90);
        stage.look(ticket);
        assert_eq!(stage.states(), ["bounced"], "{dialect:?}");
        assert_eq!(stage.figures(ticket), (2, 1, 1), "{dialect:?}: hops, bounces, returns");
        stays_until_the_amount_changes(&mut stage, ticket, "a bounce that nobody saw");
    }
}

#[test]
fn nor_after_a_rejection_by_note_or_by_label() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        stage.does("billing-1", ticket, amount(7000));
        stage.notes("billing-1", ticket, "/reject frontline may do this");
        assert_eq!(stage.states(), ["rejected"], "{dialect:?}: {:?}", stage.ours(ticket));
        stays_until_the_amount_changes(&mut stage, ticket, "/reject");

        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        let label = Some(TagChange::Add(["handoff-reject".to_owned()].into()));
        stage.does("billing-1", ticket, Update { tags: label, ..amount(7000) });
        assert_eq!(stage.states(), ["rejected"], "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.labels(ticket), ["refund"], "{dialect:?}");
        stays_until_the_amount_changes(&mut stage, ticket, "a label");
    }
}

#[test]
fn what_is_handed_back_as_done_is_sent_again_only_when_something_has_changed() {
    for dialect in [Dialect::Zendesk, Dialect::Rt, Dialect::Freshdesk] {
        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        stage.notes("billing-1", ticket, "/back paid out");
        for _ in 0..4 {
            stage.later(120);
            stage.look(ticket);
        }
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}: {:?}", stage.ours(ticket));
        assert_eq!(stage.handoffs().len(), 2, "{dialect:?}: there, and back");
        assert_eq!(stage.figures(ticket), (2, 0, 1), "{dialect:?}: what is done is no bounce");
        stage.does("frontline-1", ticket, amount(7100));
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.states());
        let note = stage.ours(ticket).pop().unwrap_or_default();
        assert!(note.contains("1 earlier handoff, none came back"), "{note}");
    }
}

#[test]
fn nor_after_an_undo() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        stage.does("billing-1", ticket, amount(7000));
        let handoff = stage.handoffs()[0].id.clone();
        stage.orders("lead", Command::Undo { handoff, reason: "wrong team".into() }).expect("undone");
        assert_eq!(stage.states(), ["undone"], "{dialect:?}");
        // The look that follows the way back has noted the facts: what changes from now on is news.
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
        stays_until_the_amount_changes(&mut stage, ticket, "an undo");
    }
}

#[test]
fn what_changes_right_after_an_undo_is_news() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        let handoff = stage.handoffs()[0].id.clone();
        stage.orders("lead", Command::Undo { handoff, reason: "wrong team".into() }).expect("undone");
        stage.does("frontline-1", ticket, amount(7100));
        assert_eq!((stage.queue(ticket).as_str(), stage.states().len()), ("Billing", 2), "{dialect:?}");
    }
}

#[test]
fn a_no_to_a_review_holds_until_a_fact_changes() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "review = \"always\"");
        let ticket = stage.opens("Support", &["refund"]);
        stage.does("frontline-1", ticket, amount(900));
        let handoff = stage.handoffs()[0].id.clone();
        stage.orders("billing-1", Command::Reject { handoff, reason: "no".into() }).expect("rejected");
        stage.later(120);
        stage.look(ticket);
        assert_eq!(stage.states(), ["rejected"], "{dialect:?}");
        stage.does("frontline-1", ticket, amount(950));
        assert_eq!(stage.states(), ["rejected", "in_review"], "{dialect:?}");
    }
}

#[test]
fn the_status_that_we_set_ourselves_when_a_case_comes_back_is_no_news() {
    for dialect in DIALECTS {
        let word = match dialect {
            Dialect::Zendesk => "hold",
            Dialect::Rt => "stalled",
            Dialect::Freshdesk => "pending",
            Dialect::Zammad => "pending reminder",
            Dialect::Intercom => "snoozed",
            Dialect::Jira => "Waiting for customer",
        };
        let pause = format!("clock.customer = {{ pause = \"{word}\", at_most = \"1d\" }}");
        let targets = "\n[targets.all]\nresolution = \"40h\"\npaused_in = [\"on_hold\", \"pending\"]\n";
        for undone in [false, true] {
            let mut stage = with_rule(dialect, &format!("{pause}\n{targets}"));
            let ticket = at_billing(&mut stage);
            let status = stage.sandbox.ticket(ticket).expect("the ticket").status;
            if undone {
                let handoff = stage.handoffs()[0].id.clone();
                stage.orders("lead", Command::Undo { handoff, reason: "wrong team".into() }).expect("undone");
            } else {
                stage.later(5);
                stage.sandbox.person("billing-1").moves(ticket, "Support");
                stage.look(ticket);
                assert_eq!(stage.sandbox.ticket(ticket).expect("the ticket").status, status, "{dialect:?}: it pauses");
                stage.later(86_400);
            }
            for _ in 0..4 {
                stage.later(120);
                stage.look(ticket);
            }
            assert_ne!(stage.sandbox.ticket(ticket).expect("the ticket").status, status, "{dialect:?}: it runs again");
            let how = if undone { "an undo" } else { "a bounce" };
            stays_until_the_amount_changes(&mut stage, ticket, how);
        }
    }
}

#[test]
fn a_case_that_came_and_went_between_two_looks_is_in_another_stay_and_its_rule_may_act_again() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "");
        let ticket = stage.opens("Support", &["refund"]);
        stage.does("frontline-1", ticket, amount(900));
        let handoff = stage.handoffs()[0].id.clone();
        // Nobody has looked at it in billing's queue.
        stage.orders("lead", Command::Undo { handoff, reason: "wrong team".into() }).expect("undone");
        stays_until_the_amount_changes(&mut stage, ticket, "an undo that no look saw");
    }
}

#[test]
fn a_review_that_was_answered_too_late_is_asked_again() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "review = \"always\"");
        let ticket = stage.opens("Support", &["refund"]);
        stage.does("frontline-1", ticket, amount(900));
        assert_eq!(stage.states(), ["in_review"], "{dialect:?}");
        stage.later(5);
        stage.sandbox.person("frontline-1").takes(ticket);
        stage.notes("billing-1", ticket, "/approve");
        let last = stage.ours(ticket).pop().expect("a note");
        assert!(last.contains("changed the owner meanwhile"), "{dialect:?}: {last}");
        stage.later(30);
        stage.look(ticket);
        assert_eq!(stage.states(), ["withdrawn", "in_review"], "{dialect:?}: nothing was handed off yet");
        stage.notes("billing-1", ticket, "/approve");
        assert_eq!((stage.queue(ticket).as_str(), stage.states().len()), ("Billing", 2), "{dialect:?}");
    }
}

/// A second rule, which takes cases of billing further after somebody was asked.
fn with_two_rules(dialect: Dialect, asks: &str) -> Stage {
    let second = format!(
        r#"
[[escalate]]
name = "on-from-billing"
mode = "live"
trigger = "exception"
from = ["billing"]
to = "second-line"
when = 'has_tag("refund")'
reason = "Billing does not decide this"
{asks}
"#
    );
    with_rule(dialect, &second)
}

#[test]
fn what_is_given_back_while_the_next_handoff_waits_is_a_bounce_too() {
    let steps = "package = { require = [\"steps\"], missing = \"ask\", ask_for = \"4h\", then = \"review\" }";
    for dialect in DIALECTS {
        for (asks, waits) in [("review = \"always\"", "in_review"), (steps, "asking")] {
            let mut stage = with_two_rules(dialect, asks);
            let ticket = at_billing(&mut stage);
            assert_eq!(stage.states(), ["settled", waits], "{dialect:?}");
            stage.later(5);
            stage.sandbox.person("billing-1").moves(ticket, "Support");
            stage.look(ticket);
            assert_eq!(stage.states(), ["bounced", "withdrawn"], "{dialect:?}: {waits}: {:?}", stage.ours(ticket));
            for _ in 0..3 {
                stage.later(120);
                stage.look(ticket);
            }
            assert_eq!((stage.queue(ticket).as_str(), stage.states().len()), ("Support", 2), "{dialect:?}: {waits}");
            stage.does("frontline-1", ticket, amount(7100));
            assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {waits}: {:?}", stage.states());
        }
    }
}

#[test]
fn what_goes_on_by_the_next_handoff_bounced_off_nobody() {
    for dialect in DIALECTS {
        let mut stage = with_two_rules(dialect, "review = \"always\"");
        let ticket = at_billing(&mut stage);
        let handoff = stage.handoffs()[1].id.clone();
        stage.orders("tier2-lead", Command::Approve { handoff, reason: None, to: None }).expect("approved");
        stage.later(90);
        stage.look(ticket);
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Tier 2", vec!["settled"; 2]), "{dialect:?}");
        let details: Vec<_> = stage.handoffs().into_iter().map(|handoff| handoff.detail).collect();
        assert_eq!(details, [None, None], "{dialect:?}");
    }
}

#[test]
fn a_fact_that_changes_and_changes_back_is_news_and_a_label_that_no_rule_asks_for_is_none() {
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, "");
        let ticket = at_billing(&mut stage);
        stage.does("billing-1", ticket, moves_to_support(&stage));
        stage.tags("frontline-1", ticket, "trigger-7");
        stage.does("frontline-1", ticket, amount(100));
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["bounced"]), "{dialect:?}");
        stage.does("frontline-1", ticket, amount(900));
        assert_eq!((stage.queue(ticket).as_str(), stage.states().len()), ("Billing", 2), "{dialect:?}");
    }
}

fn moves_to_support(stage: &Stage) -> Update {
    let support = stage.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
    Update { queue: Some(support), ..Update::default() }
}

#[test]
fn a_no_to_rules_that_disagree_is_a_no_to_each_of_them() {
    let other = r#"
[[escalate]]
name = "large-refunds"
mode = "live"
trigger = "exception"
from = ["frontline"]
to = "second-line"
when = 'ticket.fields.refund_eur > 600.0'
reason = "A large refund"
"#;
    for dialect in DIALECTS {
        let mut stage = with_rule(dialect, other);
        let ticket = stage.opens("Support", &["refund"]);
        stage.does("frontline-1", ticket, amount(900));
        assert_eq!(stage.states(), ["in_review"], "{dialect:?}");
        let handoff = stage.handoffs()[0].id.clone();
        stage.orders("billing-1", Command::Reject { handoff, reason: "frontline may do this".into() }).expect("no");
        for _ in 0..3 {
            stage.later(120);
            stage.look(ticket);
        }
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["rejected"]), "{dialect:?}");
        stage.does("frontline-1", ticket, amount(950));
        assert_eq!(stage.states(), ["rejected", "in_review"], "{dialect:?}: both may act again");
    }
}

#[test]
fn what_was_given_back_stays_back_when_the_ledger_is_lost_or_restored_from_before_the_handoff() {
    for dialect in DIALECTS {
        for knew_the_case in [false, true] {
            let mut stage = with_rule(dialect, "");
            let ticket = stage.opens("Support", &["refund"]);
            let mut other = new_ledger(stage.now());
            if knew_the_case {
                other = stage.goes_on_with(other);
            }
            stage.does("frontline-1", ticket, amount(900));
            assert_eq!(stage.queue(ticket), "Billing");
            stage.later(90);
            stage.look(ticket);
            let support = stage.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
            stage.does("billing-1", ticket, Update { queue: Some(support), ..Update::default() });
            assert_eq!(stage.states(), ["bounced"]);

            stage.goes_on_with(other);
            for _ in 0..3 {
                stage.later(120);
                stage.notes("frontline-1", ticket, "The customer called again.");
            }
            assert_eq!(stage.queue(ticket), "Support", "{dialect:?}, knew it: {knew_the_case}");
            assert_eq!(
                (stage.states().len(), stage.ours(ticket).len()),
                (0, 1),
                "{dialect:?}, knew it: {knew_the_case}"
            );
            stage.does("frontline-1", ticket, amount(7100));
            assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: a fact has changed");
        }
    }
}

#[test]
fn what_came_back_while_an_answer_was_lost_stays_back_and_is_a_bounce() {
    for dialect in DIALECTS {
        for looked in [false, true] {
            let mut stage = with_rule(dialect, "");
            let ticket = stage.opens("Support", &["refund"]);
            // The last write of a handoff moves: on Request Tracker its note is a call of its own.
            let before = if dialect == Dialect::Rt { 1 } else { 0 };
            stage.sandbox.set_faults(FaultPlan::default().fine(before, On::Writes).next(
                1,
                On::Writes,
                Fault::LostAfter,
            ));
            stage.does("frontline-1", ticket, amount(900));
            let words = format!("{dialect:?}, looked: {looked}");
            assert_eq!(stage.queue(ticket), "Billing", "{words}");
            if looked {
                stage.look(ticket);
            }
            stage.later(5);
            stage.sandbox.person("billing-1").moves(ticket, "Support");
            stage.look(ticket);
            stage.pass(1_800);
            for _ in 0..3 {
                stage.later(120);
                stage.notes("frontline-1", ticket, "The customer called again.");
            }
            assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["bounced"]), "{words}");
        }
    }
}

/// The desk puts a call off by a minute.
const LATER: Fault = Fault::RateLimited { retry_after: Some(SignedDuration::from_mins(1)) };

/// A refund of 900 EUR of which the note stands, and whose move to billing meets this fault first.
fn halfway_to_billing(dialect: Dialect, fault: Fault) -> (Stage, TicketNo) {
    let mut stage = with_rule(dialect, "");
    let ticket = stage.opens("Support", &["refund"]);
    stage.sandbox.set_faults(FaultPlan::default().fine(1, On::Writes).next(1, On::Writes, fault));
    stage.does("frontline-1", ticket, amount(900));
    assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["sending"]), "{dialect:?}");
    assert_eq!(stage.ours(ticket).len(), 1, "{dialect:?}: the note of the handoff");
    stage.later(5);
    (stage, ticket)
}

/// Where a handoff is several calls.
const HALFWAY: [Dialect; 4] = [Dialect::Rt, Dialect::Freshdesk, Dialect::Intercom, Dialect::Jira];

#[test]
fn what_a_person_stopped_before_the_case_moved_stays_until_the_amount_changes_and_says_so() {
    for dialect in HALFWAY {
        // What Freshdesk does not tell of a lost transfer a person must.
        let lost = (dialect != Dialect::Freshdesk).then_some(Fault::LostBefore);
        for fault in [LATER].into_iter().chain(lost) {
            let (mut stage, ticket) = halfway_to_billing(dialect, fault);
            stage.sandbox.person("frontline-1").takes(ticket);
            stage.pass(1_800);
            assert_eq!(stage.states(), ["withdrawn"], "{dialect:?}, {fault:?}: {:?}", stage.ours(ticket));
            let note = stage.ours(ticket).pop().expect("a closing note");
            assert!(note.contains("The rule acts here again when something that it matched has changed"), "{note}");
            stays_until_the_amount_changes(&mut stage, ticket, "a stop");
        }
    }
}

#[test]
fn what_was_stopped_because_the_amount_changed_is_decided_by_the_new_amount() {
    // Freshdesk does not tell of a field that the write does not set.
    for dialect in [Dialect::Rt, Dialect::Intercom, Dialect::Jira] {
        for (euros, handoffs, queue) in [(7100, 2, "Billing"), (100, 1, "Support")] {
            let (mut stage, ticket) = halfway_to_billing(dialect, LATER);
            stage.sandbox.person("frontline-1").updates(ticket, amount(euros));
            stage.pass(300);
            let (states, ours) = (stage.states(), stage.ours(ticket));
            assert_eq!((stage.queue(ticket).as_str(), states.len()), (queue, handoffs), "{dialect:?}: {ours:?}");
            assert_eq!(states[0], "withdrawn", "{dialect:?}");
            let closing = ours.iter().find(|note| note.contains("was stopped")).expect("a closing note");
            assert!(closing.contains("The rule decides again, by what the ticket says now"), "{closing}");
        }
    }
}

#[test]
fn what_was_given_up_before_the_case_moved_opens_with_its_path() {
    let mut stage = with_rule(Dialect::Rt, "");
    let ticket = stage.opens("Support", &["refund"]);
    stage.sandbox.set_faults(FaultPlan::default().fine(1, On::Writes).next(60, On::Writes, Fault::Forbidden));
    stage.does("frontline-1", ticket, amount(900));
    stage.pass(14_400);
    assert_eq!(stage.parked().len(), 1, "{:?}", stage.states());
    stage.sandbox.set_faults(FaultPlan::default());
    let target = Target::Handoff { id: stage.handoffs()[0].id.clone(), number: None };
    stage.orders("lead", Command::Drop { target, reason: "we do it here".into() }).expect("dropped");
    assert_eq!(stage.states(), ["withdrawn"], "{:?}", stage.ours(ticket));
    stays_until_the_amount_changes(&mut stage, ticket, "it was given up");
}
