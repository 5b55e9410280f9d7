//! Rules want different teams: a reviewer says which one, in whatever words that team goes by, and no case goes to a team that
//! nobody meant.

use crate::stage::{DIALECTS, Dialect, Stage, on_request, policy};
use handoffd::daemon::control::{Command, CommandError, Reply};
use handoffd::ledger::records::Switch;
use handoffd_sandbox::ids::TicketNo;

/// A rule that acts by itself on what is labelled `both`, after a yes.
fn wants(name: &str, to: &str, more: &str) -> String {
    format!(
        "[[escalate]]\nname = \"{name}\"\nmode = \"live\"\ntrigger = \"exception\"\nfrom = [\"frontline\"]\nto = \"{to}\"\n\
         when = 'has_tag(\"both\")'\nreason = \"It is both\"\nreview = \"always\"\n{more}\n\n"
    )
}

/// Two that disagree; billing-1 decides for both teams.
fn disagreeing(dialect: Dialect, more: &str) -> String {
    let rules = wants("one", "billing", more) + &wants("other", "second-line", more);
    let rules = rules + &on_request("ask", "billing", "has_tag(\"plain\")", "never");
    policy(dialect, &rules).replace("[\"tier2-lead\"]", "[\"tier2-lead\", \"billing-1\"]")
}

fn asked(policy: &str, dialect: Dialect) -> (Stage, TicketNo) {
    let mut stage = Stage::with(dialect, policy);
    let ticket = stage.opens("Support", &["both"]);
    assert_eq!(stage.states(), ["in_review"], "{dialect:?}");
    (stage, ticket)
}

fn last(stage: &Stage, ticket: TicketNo) -> String {
    stage.ours(ticket).pop().expect("an answer")
}

fn choose(stage: &mut Stage, by: &str, team: &str) -> Result<Reply, CommandError> {
    let handoff = stage.handoffs()[0].id.clone();
    stage.orders(by, Command::Approve { handoff, reason: None, to: Some(team.into()) })
}

#[test]
fn a_choice_waits_for_nobody_s_quiet() {
    for dialect in DIALECTS {
        let quiet = disagreeing(dialect, "quiet_after_person = \"10m\"");
        // The yes is itself the act of an agent.
        let (mut stage, ticket) = asked(&quiet, dialect);
        stage.notes("tier2-1", ticket, "/approve second-line");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));

        let (mut stage, ticket) = asked(&quiet, dialect);
        stage.notes("frontline-1", ticket, "I look into it");
        choose(&mut stage, "tier2-lead", "second-line").expect("chosen");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn a_choice_needs_no_place_in_the_hour() {
    for dialect in DIALECTS {
        let full = disagreeing(dialect, "") + "\n[policy.limits]\nper_desk_per_hour = 1\n";
        for by_note in [true, false] {
            let (mut stage, ticket) = asked(&full, dialect);
            let takes_it = stage.opens("Support", &["plain"]);
            stage.notes("frontline-1", takes_it, "/handoff billing please");
            assert_eq!(stage.queue(takes_it), "Billing", "{dialect:?}: {:?}", stage.ours(takes_it));
            match by_note {
                true => stage.notes("tier2-1", ticket, "/approve second-line"),
                false => drop(choose(&mut stage, "tier2-lead", "second-line").expect("chosen")),
            }
            assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        }
    }
}

/// Two that disagree and would each act without a yes; only the first one waits for an agent's quiet, if so.
fn unasked(dialect: Dialect, more: &str) -> String {
    let rules = wants("one", "billing", more) + &wants("other", "second-line", "");
    policy(dialect, &rules.replace("review = \"always\"", "review = \"never\""))
}

#[test]
fn what_holds_one_rule_back_opens_no_way_for_the_other() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(&unasked(dialect, ""), dialect);
        let switch = Switch::Rule("one".into());
        stage.orders("lead", Command::Switch { switch: switch.clone(), on: true }).expect("paused");
        stage.notes("frontline-1", ticket, "just a remark");
        stage.notes("billing-1", ticket, "/approve billing");
        stage.pass(900);
        stage.look(ticket);
        let state = (stage.queue(ticket), stage.states().pop());
        assert_eq!(state, ("Support".to_owned(), Some("in_review")), "{dialect:?}: {:?}", stage.ours(ticket));
        assert!(last(&stage, ticket).contains("paused"), "{dialect:?}: {}", last(&stage, ticket));
        // The other one may be chosen all the same.
        stage.notes("tier2-1", ticket, "/approve second-line");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));

        let mut stage = Stage::with(dialect, &unasked(dialect, "quiet_after_person = \"10m\""));
        let ticket = stage.opens("Support", &[]);
        stage.notes("frontline-1", ticket, "I look into it");
        stage.tags("frontline-1", ticket, "both");
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["in_review"]), "{dialect:?}");
    }
}

#[test]
fn a_yes_that_names_another_team_anywhere_is_asked_back_and_an_order_names_one() {
    for (dialect, words) in DIALECTS.into_iter().zip([
        "for second-line please",
        "send it to Tier 2",
        "billing cannot, second-line please",
        "other",
        "the team Tier 2",
    ]) {
        let (mut stage, ticket) = asked(&disagreeing(dialect, ""), dialect);
        stage.notes("billing-1", ticket, &format!("/approve {words}"));
        let state = (stage.queue(ticket), stage.states());
        assert_eq!(state, ("Support".to_owned(), vec!["in_review"]), "{dialect:?} {words}");
        assert!(last(&stage, ticket).contains("/approve second-line"), "{dialect:?} {words}");
        let handoff = stage.handoffs()[0].id.clone();
        let bare = Command::Approve { handoff, reason: Some("second-line please".into()), to: None };
        let wrong = stage.orders("billing-1", bare).expect_err("which one?").to_string();
        assert!(wrong.contains("nothing is done. Accepted: --to billing, --to second-line"), "{wrong}");
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
    }
}

#[test]
fn a_team_goes_by_its_key_its_queue_and_its_public_name_however_they_are_written() {
    let names = ["second-line", "Tier 2: it is a bug", "TIER2 it is a bug", "\"tier-2\"", "Our Bug Hunters, they know"];
    for (dialect, name) in DIALECTS.into_iter().zip(names).chain(names.map(|name| (Dialect::Zendesk, name))) {
        let named = disagreeing(dialect, "")
            .replace("queue = \"Tier 2\"\n", "queue = \"Tier 2\"\npublic_name = \"our bug hunters\"\n");
        let (mut stage, ticket) = asked(&named, dialect);
        stage.notes("billing-1", ticket, &format!("/approve {name}"));
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?} {name}: {:?}", stage.ours(ticket));
    }
    let (mut stage, ticket) = asked(&disagreeing(Dialect::Rt, ""), Dialect::Rt);
    choose(&mut stage, "billing-1", "tier 2").expect("chosen");
    assert_eq!(stage.queue(ticket), "Tier 2");
}

#[test]
fn what_looks_like_a_team_and_is_none_on_offer_is_asked_back_and_nothing_is_done() {
    for dialect in DIALECTS {
        for words in ["Teir 2", "secondline2", "frontline they know him", "Support"] {
            let (mut stage, ticket) = asked(&disagreeing(dialect, ""), dialect);
            stage.notes("billing-1", ticket, &format!("/approve {words}"));
            let state = (stage.queue(ticket), stage.states());
            assert_eq!(state, ("Support".to_owned(), vec!["in_review"]), "{dialect:?} {words}");
            let answer = last(&stage, ticket);
            let accepted = "Say /approve billing (or only /approve), /approve second-line, or /reject REASON";
            assert!(answer.contains("nothing is done") && answer.contains(accepted), "{dialect:?} {words}: {answer}");
        }
        let (mut stage, ticket) = asked(&disagreeing(dialect, ""), dialect);
        let wrong = choose(&mut stage, "billing-1", "frontline").expect_err("no rule wants it").to_string();
        assert!(wrong.contains("nothing is done. Accepted: --to billing, --to second-line"), "{wrong}");
        // Named like any other, the first one is the first one; and words that are no team are why.
        stage.notes("billing-1", ticket, "/approve billing: we know him");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
        assert!(last(&stage, ticket).contains(" UTC: we know him"), "{dialect:?}: {}", last(&stage, ticket));
        let (mut stage, ticket) = asked(&disagreeing(dialect, ""), dialect);
        stage.notes("billing-1", ticket, "/approve we know him");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn where_one_team_is_asked_about_another_one_s_name_is_no_reason_for_a_yes() {
    for dialect in DIALECTS {
        let (mut stage, ticket) = asked(&policy(dialect, &wants("one", "billing", "")), dialect);
        for words in ["tier2", "Teir 2", "second-line: it is a bug"] {
            stage.notes("billing-1", ticket, &format!("/approve {words}"));
            let answer = last(&stage, ticket);
            assert!(answer.contains("only billing is asked about here"), "{dialect:?} {words}: {answer}");
            assert_eq!(stage.queue(ticket), "Support", "{dialect:?} {words}");
        }
        stage.notes("billing-1", ticket, "/approve Support has called them");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
        assert!(last(&stage, ticket).contains(" UTC: Support has called them"), "{}", last(&stage, ticket));
    }
}

#[test]
fn what_an_agent_asks_for_beside_an_open_review_is_a_choice_of_it() {
    for dialect in DIALECTS {
        let rules = wants("one", "billing", "") + &on_request("ask", "second-line", "true", "never");
        let (mut stage, ticket) = asked(&policy(dialect, &rules), dialect);
        stage.notes("frontline-1", ticket, "/handoff tier2 it is a bug");
        let answer = last(&stage, ticket);
        for words in ["one wants billing, ask wants second-line", "second-line: tier2-lead", "/approve second-line"] {
            assert!(answer.contains(words), "{dialect:?} {words}: {answer}");
        }
        stage.look(ticket);
        assert_eq!((stage.states(), stage.ours(ticket).len()), (vec!["in_review"], 1), "{dialect:?}");
        stage.notes("tier2-1", ticket, "/approve second-line");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let note = last(&stage, ticket);
        assert!(note.contains("Asked for by: Frontline Agent 1"), "{dialect:?}: {note}");
        stage.pass(900);
        stage.look(ticket);
        assert_eq!((stage.states(), stage.ours(ticket).len()), (vec!["withdrawn", "settled"], 2), "{dialect:?}");
    }
}

#[test]
fn whoever_asked_for_a_team_does_not_choose_it_and_hears_when_the_other_one_is_chosen() {
    for dialect in DIALECTS {
        let rules = wants("one", "billing", "") + &on_request("ask", "second-line", "true", "never");
        let (mut stage, ticket) = asked(&policy(dialect, &rules), dialect);
        stage.notes("tier2-1", ticket, "/handoff second-line give it to us");
        stage.notes("tier2-1", ticket, "/approve second-line");
        assert!(last(&stage, ticket).contains("they asked for it themselves"), "{dialect:?}: {}", last(&stage, ticket));
        let theirs = choose(&mut stage, "tier2-lead", "second-line").expect_err("their own").to_string();
        assert!(theirs.contains("they asked for it themselves"), "{dialect:?}: {theirs}");
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["in_review"]), "{dialect:?}");
        stage.notes("billing-1", ticket, "/approve");
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
        stage.look(ticket);
        let told = stage.ours(ticket).into_iter().filter(|note| note.contains("Command /handoff second-line"));
        let told: Vec<String> = told.collect();
        assert!(told.len() == 2 && told[1].contains("not done"), "{dialect:?}: {told:?}");
    }
}

#[test]
fn no_answer_is_no_yes_to_one_of_several_teams() {
    let terms = "reviews = { answer_within = \"1h\", unanswered = \"approve\" }";
    for dialect in DIALECTS {
        let rules = wants("one", "billing", terms) + &on_request("ask", "second-line", "true", "never");
        let (mut stage, ticket) = asked(&policy(dialect, &rules), dialect);
        stage.notes("frontline-1", ticket, "/handoff second-line it is a bug");
        stage.pass(7_200);
        assert_eq!((stage.queue(ticket).as_str(), stage.states()), ("Support", vec!["in_review"]), "{dialect:?}");
        // Without the request it is what nobody's answer means.
        let (mut stage, ticket) = asked(&policy(dialect, &rules), dialect);
        stage.pass(7_200);
        assert_eq!(stage.queue(ticket), "Billing", "{dialect:?}: {:?}", stage.ours(ticket));
    }
}

#[test]
fn who_may_decide_for_another_team_only_is_told_how() {
    for dialect in DIALECTS {
        let rules = wants("one", "billing", "") + &wants("other", "second-line", "");
        let (mut stage, ticket) = asked(&policy(dialect, &rules), dialect);
        stage.notes("tier2-1", ticket, "/approve");
        let answer = last(&stage, ticket);
        for words in ["these may: billing-1, billing-2", "/approve second-line"] {
            assert!(answer.contains(words), "{dialect:?} {words}: {answer}");
        }
        let review = stage.handoffs()[0].id.clone();
        let bare = Command::Approve { handoff: review, reason: None, to: None };
        let refused = stage.orders("tier2-lead", bare).expect_err("not theirs").to_string();
        assert!(refused.contains("--to second-line"), "{dialect:?}: {refused}");
        // What travels is changed before, and travels.
        stage.notes("tier2-1", ticket, "/approve second-line\n\nquestion: Is it the cache?");
        assert!(last(&stage, ticket).contains("/edit first"), "{dialect:?}: {}", last(&stage, ticket));
        assert_eq!(stage.queue(ticket), "Support", "{dialect:?}");
        stage.notes("billing-1", ticket, "/edit question: Is it the cache?");
        assert!(last(&stage, ticket).contains("/approve second-line"), "{dialect:?}: {}", last(&stage, ticket));
        stage.notes("tier2-1", ticket, "/approve second-line");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        assert!(last(&stage, ticket).contains("Is it the cache?"), "{dialect:?}: {}", last(&stage, ticket));
    }
}
