//! Orders carried out on a desk in memory: who may, what it takes, what is written, what is recorded.

use super::*;
use crate::daemon::testing::{Stage, asking, sending};
use crate::ledger::states::{EffectState, HandoffState};
use crate::policy::case::SignedRule;
use crate::policy::rules::Mode;
use crate::policy::testing::tagged;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::DeskChange;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Status, What};
use jiff::SignedDuration;

async fn give(stage: &Stage, by: &str, command: Command) -> Result<Reply, CommandError> {
    execute(&stage.house, Order { command, by: by.to_owned() }, "tester, uid 7").await
}

fn approve(id: &str) -> Command {
    Command::Approve { handoff: id.to_owned(), reason: None, to: None }
}

fn undo(id: &str) -> Command {
    Command::Undo { handoff: id.to_owned(), reason: "wrong team".into() }
}

fn refused(answer: Result<Reply, CommandError>) -> String {
    match answer {
        Err(CommandError::Refused(words) | CommandError::NotFound(words)) => words,
        other => panic!("refused, not {other:?}"),
    }
}

/// A stage whose ticket waits for a review; gives the handoff's id.
async fn in_review(policy: crate::policy::rules::Policy) -> (Stage, String) {
    let stage = Stage::new(policy);
    stage.look().await;
    let handoffs = stage.handoffs().await;
    assert_eq!(handoffs.iter().map(|handoff| handoff.state).collect::<Vec<_>>(), [HandoffState::InReview]);
    let id = handoffs[0].id.clone();
    (stage, id)
}

/// A stage whose ticket was handed off; gives the handoff's id.
async fn sent() -> (Stage, String) {
    let stage = Stage::new(sending());
    stage.look().await;
    let handoffs = stage.handoffs().await;
    assert_eq!(handoffs[0].state, HandoffState::Verifying);
    assert_eq!(stage.desk.ticket().written.len(), 1);
    let id = handoffs[0].id.clone();
    (stage, id)
}

#[tokio::test]
async fn a_yes_to_an_unchanged_ticket_sends_the_handoff_once_and_names_the_person() {
    let (stage, id) = in_review(asking()).await;
    assert!(stage.desk.ticket().written.is_empty(), "nothing before the yes");
    give(&stage, "billing-lead", approve(&id)).await.expect("approved");
    stage.run().await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!(handoff.state, HandoffState::Verifying);
    assert_eq!(handoff.approved_by.as_deref(), Some("billing-lead (tester, uid 7)"));
    assert_eq!(stage.desk.ticket().written.len(), 1);
    let again = refused(give(&stage, "billing-lead", approve(&id)).await);
    assert!(again.contains("not in review"), "{again}");
}

#[tokio::test]
async fn a_yes_after_a_person_changed_owner_or_status_ends_as_stale_with_one_note_and_no_transfer() {
    let status = What::Status { from: Some(Status::Open), to: Some(Status::Pending) };
    let owner = What::Owner { from: Some("7".into()), to: Some("8".into()) };
    for what in [status, owner] {
        let (stage, id) = in_review(asking()).await;
        stage.clock.advance(SignedDuration::from_secs(60));
        stage.desk.agent(stage.clock.now(), what, |head| head.status = Fact::Known(Status::Pending));
        let why = refused(give(&stage, "billing-lead", approve(&id)).await);
        assert!(why.contains("stale") && why.contains("Second Agent"), "{why}");
        let stale = stage.handoffs().await.into_iter().find(|handoff| handoff.id == id).expect("kept");
        assert_eq!(stale.state, HandoffState::Withdrawn);
        stage.desk.agent(stage.clock.now(), tagged(), |_| {});
        stage.run().await;
        let ticket = stage.desk.ticket();
        assert_eq!(ticket.written.len(), 1, "one note, though the ticket changed again before it was sent");
        let DeskChange::Update(update) = &ticket.written[0].change else { panic!("a note") };
        assert!(update.note.is_some() && update.queue.is_none() && update.owner.is_none());
    }
}

#[tokio::test]
async fn a_yes_while_a_look_reads_the_ticket_stands() {
    let (stage, id) = in_review(asking()).await;
    let (house, desk) = (&stage.house, "acme".into());
    let station = house.desks.get(&desk).expect("open");
    stage.desk.agent(stage.clock.now(), tagged(), |head| head.tags = Fact::Known(Vec::new()));
    let mut read = house.cases.begin(station, &desk, &"42".into(), None, stage.clock.now()).await.ok().expect("read");
    stage.desk.agent(stage.clock.now(), tagged(), |head| head.tags = Fact::Known(vec!["refund".into()]));
    give(&stage, "billing-lead", approve(&id)).await.expect("approved meanwhile");
    let update = house.cases.conclude(station, &desk, &mut read, Some(1), stage.clock.now()).await.expect("concluded");
    assert!(!update.handoff_events.is_empty(), "it saw a ticket to which the review did not fit");
    house.ledger.call(move |ledger| ledger.record_case(&update)).await.expect("recorded");
    stage.clock.advance(SignedDuration::from_secs(2));
    stage.run().await;
    assert_eq!((stage.handoffs().await[0].state, stage.desk.ticket().written.len()), (HandoffState::Verifying, 1));
}

#[tokio::test]
async fn a_yes_after_a_matched_fact_changed_is_stale_whoever_changed_it() {
    let (stage, id) = in_review(asking()).await;
    stage.clock.advance(SignedDuration::from_secs(60));
    stage.desk.agent(stage.clock.now(), tagged(), |head| head.tags = Fact::Known(Vec::new()));
    let why = refused(give(&stage, "anybody", approve(&id)).await);
    assert!(why.contains("stale"), "{why}");
}

#[tokio::test]
async fn a_yes_after_a_customer_wrote_again_still_sends() {
    let (stage, id) = in_review(asking()).await;
    stage.clock.advance(SignedDuration::from_secs(60));
    let said = What::Said { visibility: handoffd_kit::model::Visibility::Public, message: "m9".into() };
    stage.desk.agent(stage.clock.now(), said, |_| {});
    give(&stage, "anybody", approve(&id)).await.expect("approved");
    stage.run().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Verifying);
}

#[tokio::test]
async fn where_reviewers_are_named_only_they_and_the_giving_lead_decide() {
    let mut policy = asking();
    let billing = policy.teams.get_mut(&"billing".into()).expect("team");
    billing.reviewers = vec!["billing-lead".into()];
    policy.teams.get_mut(&"frontline".into()).expect("team").lead = Some("front-lead".into());
    let (stage, id) = in_review(policy).await;
    let words = refused(give(&stage, "somebody", approve(&id)).await);
    assert!(words.contains("billing-lead") && words.contains("front-lead"), "{words}");
    let reject = Command::Reject { handoff: id.clone(), reason: "no".into() };
    refused(give(&stage, "somebody", reject).await);
    give(&stage, "Billing-Lead@acme.example", approve(&id)).await.expect("by mail address, in any case");
}

#[tokio::test]
async fn a_no_ends_the_review_closes_the_path_and_writes_nothing() {
    let (stage, id) = in_review(asking()).await;
    let no = Command::Reject { handoff: id.clone(), reason: "frontline may refund this".into() };
    give(&stage, "billing-lead", no).await.expect("rejected");
    stage.look().await;
    let handoffs = stage.handoffs().await;
    assert_eq!(handoffs.iter().map(|handoff| handoff.state).collect::<Vec<_>>(), [HandoffState::Rejected]);
    assert!(handoffs[0].detail.as_ref().expect("why").contains("frontline may refund this"));
    assert!(stage.desk.ticket().written.is_empty());
}

#[tokio::test]
async fn an_approval_is_held_while_the_rule_is_paused_and_while_the_desk_is_silent() {
    let (stage, id) = in_review(asking()).await;
    let pause = |on| Command::Switch { switch: Switch::Rule("refund".into()), on };
    give(&stage, "lead", pause(true)).await.expect("paused");
    refused(give(&stage, "lead", approve(&id)).await);
    give(&stage, "lead", pause(false)).await.expect("resumed");
    stage.desk.ticket().silent = true;
    assert!(matches!(give(&stage, "lead", approve(&id)).await, Err(CommandError::Desk(_))));
    assert_eq!(stage.handoffs().await[0].state, HandoffState::InReview, "still there for later");
}

#[tokio::test]
async fn an_undo_puts_the_case_back_with_a_note_even_while_its_rule_is_paused() {
    let (stage, id) = sent().await;
    let pause = Command::Switch { switch: Switch::Rule("refund".into()), on: true };
    give(&stage, "lead", pause).await.expect("paused");
    give(&stage, "lead", undo(&id)).await.expect("undone");
    stage.run().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Undone);
    let ticket = stage.desk.ticket();
    let queue = ticket.head.queue.known().cloned().flatten().expect("a queue");
    assert_eq!(queue.name.as_deref(), Some("Support"));
    let owner = ticket.head.owner.known().cloned().flatten().expect("an owner");
    assert_eq!(owner.id.as_str(), "7", "the previous one");
}

#[tokio::test]
async fn an_undone_handoff_is_not_sent_again() {
    let (stage, id) = sent().await;
    give(&stage, "lead", undo(&id)).await.expect("undone");
    stage.run().await;
    stage.clock.advance(SignedDuration::from_mins(5));
    stage.look().await;
    assert_eq!(stage.handoffs().await.len(), 1, "its path is closed");
    assert_eq!(stage.desk.ticket().written.len(), 2, "the handoff and its undo");
}

#[tokio::test]
async fn what_a_person_did_since_is_not_undone() {
    let (stage, id) = sent().await;
    stage.clock.advance(SignedDuration::from_secs(5));
    let what = What::Owner { from: None, to: Some("8".into()) };
    stage.desk.agent(stage.clock.now(), what, |_| {});
    let words = refused(give(&stage, "lead", undo(&id)).await);
    assert!(words.contains("Second Agent"), "{words}");
    assert_eq!(stage.desk.ticket().written.len(), 1);
}

#[tokio::test]
async fn what_was_not_sent_yet_or_is_over_cannot_be_undone() {
    let (stage, id) = in_review(asking()).await;
    assert!(refused(give(&stage, "lead", undo(&id)).await).contains("reject"));
    assert!(refused(give(&stage, "lead", undo("no-such")).await).contains("no-such"));
}

#[tokio::test]
async fn pausing_knows_its_desks_and_rules_and_resuming_forgives_old_ones() {
    let stage = Stage::new(asking());
    let switch = |switch, on| Command::Switch { switch, on };
    give(&stage, "lead", switch(Switch::Desk("acme".into()), true)).await.expect("known");
    for unknown in [Switch::Desk("other".into()), Switch::Rule("other".into())] {
        let answer = give(&stage, "lead", switch(unknown.clone(), true)).await;
        assert!(matches!(answer, Err(CommandError::Wrong(_))), "{answer:?}");
        give(&stage, "lead", switch(unknown, false)).await.expect("resumed");
    }
}

#[tokio::test]
async fn nothing_is_sent_while_everything_is_paused() {
    let stage = Stage::new(sending());
    let pause = |on| Command::Switch { switch: Switch::All, on };
    give(&stage, "lead", pause(true)).await.expect("paused");
    stage.look().await;
    assert!(stage.desk.ticket().written.is_empty());
    give(&stage, "lead", pause(false)).await.expect("resumed");
    stage.look().await;
    assert_eq!(stage.desk.ticket().written.len(), 1);
}

#[tokio::test]
async fn a_release_lets_a_rule_act_on_what_it_matched_before_it_was_live() {
    let mut shadow = sending();
    shadow.escalations[0].rule.mode = Mode::Shadow;
    let release = || Command::Release { rule: "refund".into(), limit: 5 };
    let stage = Stage::new(shadow);
    stage.look().await;
    assert!(refused(give(&stage, "lead", release()).await).contains("shadow"));
    let unknown = Command::Release { rule: "other".into(), limit: 5 };
    assert!(matches!(give(&stage, "lead", unknown).await, Err(CommandError::Wrong(_))));

    let live = stage.with_policy(sending());
    live.look().await;
    assert!(live.desk.ticket().written.is_empty(), "it matched already when it went live");
    assert_eq!(give(&live, "lead", release()).await.expect("released").touched, 1);
    live.run().await;
    assert_eq!(live.desk.ticket().written.len(), 1);
    assert_eq!(give(&live, "lead", release()).await.expect("nothing left").touched, 0);
}

#[tokio::test]
async fn only_a_signer_signs_and_only_the_wording_that_runs() {
    let stage = Stage::new(asking());
    let message = stage.house.policy.messages[&"escalated".into()].clone();
    let sign = |wording: &str| Command::Sign { message: "escalated".into(), wording: wording.to_owned() };
    refused(give(&stage, "somebody", sign(&message.wording_hash)).await);
    refused(give(&stage, &message.signers[0], sign("0000")).await);
    give(&stage, &message.signers[0], sign(&message.wording_hash)).await.expect("signed");
    let signed = stage.house.ledger.call(|ledger| ledger.signatures()).await.expect("signatures");
    assert_eq!(signed.len(), 1);
    assert_eq!(signed[0].system_user, "tester, uid 7");
}

/// The rule refund, sensitive, signed by security.
fn sensitive() -> crate::policy::rules::Policy {
    let mut policy = sending();
    policy.escalations[0].rule.sensitive = true;
    policy.header.second_reviewer = Some("security@acme.example".into());
    policy
}

fn sign_rule(version: &str) -> Command {
    Command::SignRule { rule: "refund".into(), version: version.to_owned() }
}

#[tokio::test]
async fn a_sensitive_rule_writes_nothing_until_the_second_reviewer_signed_its_version() {
    let stage = Stage::new(sensitive());
    let version = stage.house.policy.escalations[0].rule.version.clone();
    stage.look().await;
    assert!(stage.desk.ticket().written.is_empty());
    let release = || Command::Release { rule: "refund".into(), limit: 5 };
    assert!(refused(give(&stage, "lead", release()).await).contains("second reviewer"));
    assert!(refused(give(&stage, "support-ops@acme.example", sign_rule(&version)).await).contains("security@"));
    assert!(refused(give(&stage, "security@acme.example", sign_rule("0000")).await).contains(&version));
    let unknown = Command::SignRule { rule: "other".into(), version: version.clone() };
    assert!(matches!(give(&stage, "security@acme.example", unknown).await, Err(CommandError::Wrong(_))));
    give(&stage, "security@acme.example", sign_rule(&version)).await.expect("signed");
    // What matched while it was in shadow goes on purpose.
    give(&stage, "lead", release()).await.expect("released");
    stage.run().await;
    assert_eq!(stage.desk.ticket().written.len(), 1);

    let mut changed = sensitive();
    changed.escalations[0].rule.version = "another".into();
    let stage = Stage::new(changed);
    let signed = SignedRule { rule: "refund".into(), version, signer: "security@acme.example".into() };
    let now = stage.house.seams.clock.now();
    stage.house.ledger.call(move |ledger| ledger.sign_rule(&signed, "tester", now)).await.expect("signed");
    stage.look().await;
    assert!(stage.desk.ticket().written.is_empty(), "the signature was for another version");
}

/// Signed by the second reviewer, as it runs.
async fn signed(stage: &Stage) {
    let version = stage.house.policy.escalations[0].rule.version.clone();
    give(stage, "security@acme.example", sign_rule(&version)).await.expect("signed");
}

#[tokio::test]
async fn a_signature_takes_stock_as_going_live_in_a_new_file_does() {
    let stage = Stage::new(sensitive());
    stage.house.recover().await.expect("recovered");
    stage.look().await;
    signed(&stage).await;
    stage.clock.advance(SignedDuration::from_mins(1));
    stage.run().await;
    assert!(stage.desk.ticket().written.is_empty(), "it matched before the rule went live");
    let would = stage.house.ledger.call(|ledger| ledger.would(None, None, 9)).await.expect("listed");
    assert_eq!(would.len(), 1);
    // A restart with the same policy and signature is nothing new.
    let heads = stage.desk.ticket().heads;
    stage.house.recover().await.expect("recovered");
    stage.run().await;
    assert_eq!(stage.desk.ticket().heads, heads);
}

#[tokio::test]
async fn a_review_ends_unsent_when_its_rule_becomes_a_version_that_nobody_signed() {
    let asking = || {
        let mut policy = sensitive();
        policy.escalations[0].review = crate::policy::rules::ReviewDecision::Always;
        policy
    };
    let stage = Stage::new(asking());
    stage.house.recover().await.expect("recovered");
    signed(&stage).await;
    stage.look().await;
    let handoffs = stage.handoffs().await;
    assert_eq!(handoffs[0].state, HandoffState::InReview);
    let id = handoffs[0].id.clone();
    let mut changed = asking();
    changed.version = "p2".into();
    changed.escalations[0].rule.version = "refund-v2".into();
    let stage = stage.with_policy(changed);
    stage.house.recover().await.expect("recovered");
    let why = refused(give(&stage, "billing-lead", approve(&id)).await);
    assert!(why.contains("rule refund is in shadow"), "{why}");
    stage.run().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Withdrawn);
    let written = stage.desk.ticket().written.clone();
    assert!(
        written.iter().all(|write| write.mark.number == 90),
        "the second reviewer has not seen this version: {written:?}"
    );
    let would = stage.house.ledger.call(|ledger| ledger.would(None, None, 9)).await.expect("listed");
    assert_eq!(would.len(), 1, "it is listed as what it would do, to be released once it is signed");
}

#[tokio::test]
async fn a_smaller_share_leaves_an_open_review_to_be_answered() {
    let (stage, id) = in_review(asking()).await;
    let mut smaller = asking();
    smaller.escalations[0].rule.share = 0.0;
    let stage = stage.with_policy(smaller);
    stage.look().await;
    give(&stage, "billing-lead", approve(&id)).await.expect("approved");
    stage.run().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Verifying);
}

#[tokio::test]
async fn a_signature_of_nobody_or_of_nonsense_is_refused() {
    let stage = Stage::new(sensitive());
    let version = stage.house.policy.escalations[0].rule.version.clone();
    let long = "x".repeat(10_000);
    for (by, rule, version) in [
        ("", "refund", version.as_str()),
        ("security@acme.example\u{1b}[2K", "refund", &version),
        (&long, "refund", &version),
        ("security@acme.example", "", &version),
        ("security@acme.example", "re\nfund", &version),
        ("security@acme.example", "refund", ""),
        ("security@acme.example", "refund", &long),
    ] {
        let command = Command::SignRule { rule: rule.into(), version: version.to_owned() };
        assert!(
            matches!(give(&stage, by, command).await, Err(CommandError::Wrong(_))),
            "{by:.30} {rule} {version:.30}"
        );
    }
    refused(give(&stage, "somebody@acme.example", sign_rule(&version)).await);
    let signed = || stage.house.ledger.call(|ledger| ledger.signed_rules());
    assert_eq!(signed().await.expect("read"), []);
    // One person, however they write themselves; what is kept is the policy's name of them.
    give(&stage, "Security@acme.example", sign_rule(&version)).await.expect("signed");
    assert_eq!(signed().await.expect("read")[0].signer, "security@acme.example");
}

#[tokio::test]
async fn a_rule_that_is_not_sensitive_needs_no_signature() {
    let stage = Stage::new(sending());
    let version = stage.house.policy.escalations[0].rule.version.clone();
    assert!(refused(give(&stage, "security@acme.example", sign_rule(&version)).await).contains("needs no signature"));
}

#[tokio::test]
async fn parked_effects_are_retried_and_dropped_one_by_one_or_all() {
    let stage = Stage::new(sending());
    stage.park().await;
    let id = stage.handoffs().await[0].id.clone();
    let one = |number| Target::Handoff { id: id.clone(), number };
    refused(give(&stage, "lead", Command::Retry { target: one(Some(7)) }).await);
    let elsewhere = Target::All { desk: Some("other".into()), rule: None };
    refused(give(&stage, "lead", Command::Retry { target: elsewhere }).await);
    give(&stage, "lead", Command::Retry { target: one(None) }).await.expect("retried");
    stage.run().await;
    assert_eq!(stage.desk.ticket().written.len(), 1);

    let stage = Stage::new(sending());
    stage.park().await;
    let all = Target::All { desk: Some("acme".into()), rule: Some("refund".into()) };
    let drop = Command::Drop { target: all, reason: "done by hand".into() };
    assert_eq!(give(&stage, "lead", drop).await.expect("dropped").touched, 1);
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!(handoff.effects[0].state, EffectState::Dropped);
    assert_eq!(handoff.state, HandoffState::Withdrawn);
}

#[test]
fn empty_endless_and_hostile_names_and_reasons_are_refused() {
    let order = |by: &str, command| Order { command, by: by.to_owned() }.check();
    let reject = |handoff: &str, reason: &str| Command::Reject { handoff: handoff.into(), reason: reason.into() };
    assert_eq!(order("lead", reject("h1", "no")), Ok(()));
    for (by, command) in [
        ("", reject("h1", "no")),
        ("  ", reject("h1", "no")),
        ("a\nb", reject("h1", "no")),
        ("lead", reject("", "no")),
        ("lead", reject("h1", " ")),
        ("lead", reject(&"h".repeat(201), "no")),
        ("lead", reject("h1", &"n".repeat(2_001))),
        ("lead", Command::Release { rule: "r".into(), limit: 0 }),
        ("lead", Command::Approve { handoff: "h1".into(), reason: Some(String::new()), to: None }),
        ("lead", Command::Switch { switch: Switch::Rule("\u{1b}[2K".into()), on: true }),
    ] {
        assert!(matches!(order(by, command.clone()), Err(CommandError::Wrong(_))), "{by:?} {command:?}");
    }
}

#[tokio::test]
async fn a_matched_fact_that_changes_during_a_review_asks_anew() {
    // A label that the rule does not ask for is none of its facts.
    for (when, withdrawn) in [("has_tag('refund')", 0), ("has_tag('refund') || has_tag('vip')", 1)] {
        let mut policy = asking();
        policy.escalations[0].rule.when = vec![crate::policy::testing::condition(when)];
        let (stage, id) = in_review(policy).await;
        stage.clock.advance(SignedDuration::from_secs(60));
        let tags = vec!["refund".to_owned(), "vip".to_owned()];
        stage.desk.agent(stage.clock.now(), tagged(), |head| head.tags = Fact::Known(tags));
        stage.look().await;
        let handoffs = stage.handoffs().await;
        let states = |state| handoffs.iter().filter(|handoff| handoff.state == state).count();
        assert_eq!((states(HandoffState::Withdrawn), states(HandoffState::InReview)), (withdrawn, 1), "{handoffs:?}");
        assert_eq!(handoffs.iter().any(|handoff| handoff.id != id), withdrawn > 0);
    }
}
