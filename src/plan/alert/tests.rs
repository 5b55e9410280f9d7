//! What people are told outside the helpdesk, in which words.

use super::samples::{at, proposal};
use super::*;
use crate::policy::review_terms::ReviewPlan;

fn told(about: &About) -> Vec<PlannedAlert> {
    let told = Occasion::ALL.map(|occasion| (occasion, vec!["room".into()])).into();
    let (link, reason) = (Some("https://desk.example/t/1".into()), Some("A refund".into()));
    let alert =
        AlertPlan { told, link, reason, dashboard: Some("https://handoffs.example".into()), ..AlertPlan::default() };
    alerts(&Proposal { alert, ..proposal("1", "refund", "e1", "f") }, "h1", about, 0, at(0))
}

fn one(about: &About) -> Alert {
    told(about).remove(0).alert
}

fn review() -> About {
    About::Review {
        because: vec!["rules disagree: refund wants billing, bug wants engineering".into()],
        offers: Vec::new(),
    }
}

fn every() -> [About; 5] {
    [
        About::Handoff { kind: HandoffKind::Escalate },
        review(),
        About::Unclaimed { step: 1 },
        About::Parked { number: 1, label: "transfer".into(), attempt: 1 },
        About::LostOwner { number: 130 },
    ]
}

#[test]
fn every_occasion_has_words_of_its_own_and_a_key_of_its_own() {
    let cards: Vec<Card> = every().iter().map(|about| card(&one(about), false)).collect();
    let text: Vec<String> = cards
        .iter()
        .map(|card| {
            let facts: Vec<String> = card.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            format!("{}\n{}\n{}\n{}", card.title, facts.join("\n"), card.link.clone().unwrap_or_default(), card.mark)
        })
        .collect();
    insta::assert_snapshot!(text.join("\n\n"));
    let keys: std::collections::BTreeSet<String> = every().iter().map(|about| one(about).key).collect();
    assert_eq!(keys.len(), every().len());
}

#[test]
fn until_when_is_a_review_s_own_time_and_of_one_without_any_there_is_none() {
    let due = |second, shown: &str| Due { at: at(second), shown: shown.into(), working: String::new() };
    let mut proposal = proposal("1", "refund", "e1", "f");
    proposal.clock.internal_until = Some(due(60, "Mon 10:00"));
    assert_eq!(until(&proposal, &review()), None);
    proposal.review =
        Some(ReviewPlan { until: due(900, "Tue 12:00"), remind_every: None, unanswered: Unanswered::Reject });
    let own = until(&proposal, &review()).expect("a time");
    assert_eq!(own.at, at(900));
    assert_eq!(until_shown(&own), "Tue 12:00; if nobody answers by then, it is rejected");
    let other = until(&proposal, &About::Unclaimed { step: 1 }).expect("a time");
    assert_eq!(
        (other.shown.as_str(), other.then),
        ("Mon 10:00", None),
        "whoever has to take it on has the team's time"
    );
}

#[test]
fn a_review_is_opened_where_people_open_the_dashboard_and_nothing_else_is() {
    let links = |about: &About| {
        let card = card(&one(about), false);
        card.links().map(|(text, link)| format!("{text}: {link}")).collect::<Vec<_>>()
    };
    let ticket = "Open the ticket: https://desk.example/t/1";
    assert_eq!(links(&review()), [ticket, "Open the review: https://handoffs.example/reviews/h1"]);
    assert_eq!(links(&About::Unclaimed { step: 1 }), [ticket]);
}

#[test]
fn why_a_person_is_asked_says_nothing_of_what_a_customer_wrote() {
    let words = || Risk::Words { risk: "security".into(), found: Vec::new(), more: 2 };
    assert_eq!(because(&words()), "the ticket's words are of the risk security");
    let agreeing = Risk::Agreeing("other".into(), Box::new(words()));
    assert_eq!(because(&agreeing), "other agrees, and would ask first: the ticket's words are of the risk security");
    assert_eq!(because(&Risk::Always), Risk::Always.shown());
}

#[test]
fn what_was_told_is_closed_under_its_own_thread_and_another_key() {
    let tell = one(&About::Unclaimed { step: 2 });
    let close = tell.closing();
    assert_eq!((tell.thread.as_str(), close.thread.as_str()), ("h1/handoff", "h1/handoff"));
    assert_ne!(tell.key, close.key);
    assert_eq!(close.act, AlertAct::Close);
}

#[test]
fn hostile_values_become_one_line_of_bounded_length_and_a_link_is_an_address_or_none() {
    let mut alert = one(&review());
    alert.ticket = "1\r\nBcc: x@y.example\u{202e}".into();
    alert.reason = Some("a\nb ".repeat(1_000));
    let card = card(&alert, true);
    assert!(!card.title.contains(['\n', '\r', '\u{202e}']));
    assert!(card.facts.iter().all(|(_, value)| value.len() <= VALUE_BYTES && !value.contains('\n')));
    assert!(card.facts.iter().any(|(name, value)| *name == "Note" && value.contains("lost")));
    for (link, shown) in [
        ("javascript:alert(1)", None),
        ("nothing", None),
        ("https://desk.example/a|<b>)?q=[x]", Some("https://desk.example/a%7C%3Cb%3E%29?q=%5Bx%5D")),
        ("https://[2001:db8::1]/t", Some("https://[2001:db8::1]/t")),
    ] {
        alert.link = Some(link.into());
        assert_eq!(super::card(&alert, false).link.as_deref(), shown, "{link}");
    }
}

#[test]
fn a_reason_that_may_not_leave_is_named_and_not_said() {
    let mut alert = one(&About::Handoff { kind: HandoffKind::Escalate });
    alert.reason = None;
    let card = card(&alert, false);
    assert_eq!(card.facts[1], ("Why", "rule refund; the reason stands in the ticket".to_owned()));
}

#[test]
fn where_several_teams_are_on_offer_the_alert_names_them_and_how_each_is_chosen() {
    let proposal = proposal("1", "refund", "e1", "f");
    let wants = |rule: &str, to: &str| (rule.into(), to.into());
    let about =
        About::of_review(&proposal, &[Risk::Disagreement(vec![wants("refund", "billing"), wants("bug", "bugs")])]);
    let card = card(&one(&about), false);
    assert!(card.title.contains("to billing or bugs waits"), "{}", card.title);
    let next =
        card.facts.iter().find(|(name, _)| *name == "Next").map(|(_, words)| words.clone()).expect("a next step");
    for words in ["/approve billing", "/approve bugs", "--to TEAM"] {
        assert!(next.contains(words), "{words}: {next}");
    }
}
