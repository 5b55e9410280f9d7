//! Steps of a chain that cannot be taken, that come to nothing, or that a restored ledger has forgotten: whoever has the case is
//! told, nobody is asked twice, and no wait ends without a word.

use super::claims::{HOUR, MINUTE, later, note, settled, updates, waiting};
use super::control::{Command, Order, execute};
use super::testing::{Stage, sending};
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::{EffectState, HandoffState};
use crate::policy::rules::{Accountable, CustomerClock, Mode, Policy, Unclaimed};
use crate::policy::testing;
use handoffd_kit::clock::Clock;
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Status, Visibility, What};
use jiff::Timestamp;

fn engineering_then_back() -> Vec<Unclaimed> {
    vec![Unclaimed::Team("engineering".into()), Unclaimed::Back]
}

/// The handoff that nobody claims.
async fn first(stage: &Stage) -> HandoffRecord {
    stage.handoffs().await.pop().expect("a handoff")
}

async fn unclaimed(stage: &Stage) -> u32 {
    let now = stage.clock.now();
    let counts = stage.house.ledger.call(move |ledger| ledger.counts(now)).await.expect("counts");
    counts.unclaimed.values().map(|(count, _)| count).sum()
}

async fn give(stage: &Stage, command: Command) {
    execute(&stage.house, Order { command, by: "lead".to_owned() }, "tester, uid 7").await.expect("done");
}

fn without_engineering(chain: &[Unclaimed]) -> Policy {
    let mut policy = waiting(chain);
    policy.teams.remove(&"engineering".into());
    policy
}

/// The time is over, the next team is to have the case, and the desk takes nothing.
async fn planned(chain: &[Unclaimed]) -> Stage {
    let stage = settled(waiting(chain)).await;
    let silent = DeskError::new(DeskErrorKind::Unavailable, Retry::After(None), "apply update");
    stage.desk.ticket().write_fails = Some(silent);
    later(&stage, HOUR * 2).await;
    stage.desk.ticket().write_fails = None;
    let handoffs = stage.handoffs().await;
    assert_eq!((handoffs.len(), handoffs[0].state), (2, HandoffState::Sending));
    assert_eq!((handoffs[1].unclaimed_steps, handoffs[1].claim_due), (1, None));
    stage
}

#[tokio::test]
async fn a_rule_that_is_not_signed_in_its_present_version_or_is_gone_takes_no_step() {
    let mut unsigned = waiting(&[Unclaimed::Back]);
    unsigned.escalations[0].rule.sensitive = true;
    let mut gone = waiting(&[Unclaimed::Back]);
    gone.escalations.clear();
    for policy in [unsigned, gone] {
        let stage = settled(waiting(&[Unclaimed::Back])).await.with_policy(policy);
        later(&stage, HOUR * 3).await;
        assert_eq!((updates(&stage).len(), stage.handoffs().await.len(), unclaimed(&stage).await), (1, 1, 1));
        let stage = stage.with_policy(waiting(&[Unclaimed::Back]));
        stage.look().await;
        assert_eq!(updates(&stage).len(), 2, "it goes on when it may write again");
    }
}

#[tokio::test]
async fn what_was_planned_is_withdrawn_when_its_rule_may_not_write_any_more_and_its_step_is_taken_later() {
    let stage = planned(&engineering_then_back()).await;
    let mut unsigned = waiting(&engineering_then_back());
    unsigned.escalations[0].rule.sensitive = true;
    let stage = stage.with_policy(unsigned);
    stage.look().await;
    let handoffs = stage.handoffs().await;
    assert_eq!((handoffs[0].state, updates(&stage).len()), (HandoffState::Withdrawn, 1));
    assert!(handoffs[0].detail.as_ref().is_some_and(|why| why.contains("may not write")), "{:?}", handoffs[0].detail);
    assert_eq!((handoffs[1].unclaimed_steps, unclaimed(&stage).await), (0, 1), "somebody is waited for");
    let stage = stage.with_policy(waiting(&engineering_then_back()));
    stage.look().await;
    assert_eq!(stage.handoffs().await[0].proposal.to.as_str(), "engineering");
    assert_eq!(updates(&stage).len(), 2);
}

#[tokio::test]
async fn a_step_to_a_team_that_is_gone_is_said_and_the_next_one_follows() {
    let chain = engineering_then_back();
    let stage = settled(waiting(&chain)).await.with_policy(without_engineering(&chain));
    later(&stage, HOUR * 2).await;
    let written = updates(&stage);
    assert_eq!((written.len(), stage.handoffs().await.len()), (2, 1));
    let told = note(&written[1]);
    assert!(
        told.contains("It does not go on to engineering: the policy knows no team engineering any more."),
        "{told}"
    );
    assert!(told.contains("billing-lead (") && told.contains("it goes back"), "{told}");
    later(&stage, HOUR * 2).await;
    assert_eq!(stage.handoffs().await[0].proposal.to.as_str(), "frontline");
    assert_eq!(updates(&stage).len(), 3);
}

#[tokio::test]
async fn a_queue_that_the_desk_shows_no_more_is_no_target_of_a_step() {
    let stage = settled(waiting(&[Unclaimed::Team("engineering".into())])).await;
    let (gone, at) = (vec![testing::policy().teams[&"engineering".into()].queue.clone()], stage.clock.now());
    stage.house.ledger.call(move |ledger| ledger.note_queues(&"acme".into(), &gone, at)).await.expect("noted");
    later(&stage, HOUR * 2).await;
    let written = updates(&stage);
    assert!(note(&written[1]).contains("the desk shows no queue \"Engineering\" any more"), "{}", note(&written[1]));
    later(&stage, HOUR * 3).await;
    assert_eq!((updates(&stage).len(), unclaimed(&stage).await), (2, 1), "nobody is left to ask, and health says so");
}

#[tokio::test]
async fn what_was_planned_for_a_team_that_is_gone_by_now_is_withdrawn_and_said() {
    let chain = engineering_then_back();
    let stage = planned(&chain).await.with_policy(without_engineering(&chain));
    stage.look().await;
    let handoffs = stage.handoffs().await;
    assert_eq!(handoffs[0].state, HandoffState::Withdrawn);
    let told = updates(&stage).last().map(|update| note(update).to_owned()).expect("a note");
    assert!(told.contains("It does not go on to engineering"), "{told}");
    later(&stage, HOUR * 2).await;
    assert_eq!(stage.handoffs().await[0].proposal.to.as_str(), "frontline");
}

#[tokio::test]
async fn a_reviewers_no_to_a_step_gives_the_next_one_its_own_time() {
    let mut policy = waiting(&engineering_then_back());
    policy.limits.hops_per_day = 1;
    let stage = settled(policy).await;
    later(&stage, HOUR * 2).await;
    let asked = stage.handoffs().await.remove(0);
    assert_eq!((asked.state, asked.proposal.to.as_str()), (HandoffState::InReview, "engineering"));
    later(&stage, HOUR * 5).await;
    give(&stage, Command::Reject { handoff: asked.id, reason: "they have no time".into() }).await;
    stage.run().await;
    let waits = first(&stage).await;
    assert_eq!((waits.unclaimed_steps, waits.claim_due), (1, Some(stage.clock.now() + HOUR * 2)));
    assert_eq!(stage.handoffs().await.len(), 2, "the same is not asked again");
    later(&stage, HOUR * 2).await;
    let back = stage.handoffs().await.remove(0);
    assert_eq!((back.state, back.proposal.to.as_str()), (HandoffState::InReview, "frontline"));
}

#[tokio::test]
async fn a_step_that_a_person_gave_up_is_not_taken_again_and_the_next_one_has_its_own_time() {
    let stage = settled(waiting(&engineering_then_back())).await;
    stage.desk.ticket().refuses = true;
    later(&stage, HOUR * 2).await;
    stage.desk.ticket().refuses = false;
    let parked = stage.handoffs().await.remove(0).effects.remove(0);
    assert!(matches!(parked.state, EffectState::Parked { .. }), "{parked:?}");
    later(&stage, HOUR).await;
    let act = crate::ledger::Act { by: "lead".into(), reason: None, at: stage.clock.now() };
    stage.house.ledger.call(move |ledger| ledger.drop_effect(parked.id, &act)).await.expect("given up");
    stage.run().await;
    let waits = first(&stage).await;
    assert_eq!((waits.unclaimed_steps, waits.claim_due), (1, Some(stage.clock.now() + HOUR * 2)));
    later(&stage, HOUR * 2).await;
    assert_eq!(stage.handoffs().await[0].proposal.to.as_str(), "frontline");
}

/// The customer closes the case, or opens it again.
async fn customer_sets(stage: &Stage, status: Status) {
    stage.desk.ticket().head.status = Fact::Known(status);
    stage.desk.ticket().customer_says(stage.clock.now(), What::Status { from: None, to: Some(status) });
    stage.look().await;
}

#[tokio::test]
async fn a_case_that_is_opened_again_has_its_whole_time_again() {
    let stage = settled(waiting(&[Unclaimed::Back])).await;
    later(&stage, HOUR).await;
    customer_sets(&stage, Status::Solved).await;
    assert_eq!(first(&stage).await.claim_due, None);
    later(&stage, HOUR * 72).await;
    customer_sets(&stage, Status::Open).await;
    assert_eq!((updates(&stage).len(), unclaimed(&stage).await), (1, 0), "nobody could have taken it on meanwhile");
    assert_eq!(first(&stage).await.claim_due, Some(stage.clock.now() + HOUR * 2));
    later(&stage, HOUR + MINUTE).await;
    assert_eq!(updates(&stage).len(), 1);
    later(&stage, HOUR).await;
    assert_eq!(stage.handoffs().await[0].proposal.to.as_str(), "frontline");
}

#[tokio::test]
async fn the_agent_before_is_known_by_their_id_and_not_by_a_name_that_others_may_have_too() {
    let said = || What::Said { visibility: Visibility::Internal, message: "m1".into() };
    for (id, name, claims) in [("21", "First Agent", true), ("7", "First Agent (left)", false)] {
        let stage = settled(waiting(&[Unclaimed::Back])).await;
        // The desk does not tell who works there any more.
        stage.desk.ticket().members.insert("Billing".into(), Vec::new());
        later(&stage, MINUTE * 20).await;
        let at = stage.clock.now();
        stage.desk.ticket().named_agent_does(id, name, at, said());
        stage.look().await;
        assert_eq!(first(&stage).await.claimed.is_some(), claims, "{name} ({id})");
    }
}

#[tokio::test]
async fn a_restored_ledger_finds_its_reminder_on_the_ticket_and_goes_on_behind_it() {
    let stage = settled(waiting(&[Unclaimed::Lead, Unclaimed::Back])).await;
    later(&stage, HOUR * 2).await;
    let reminded = stage.clock.now();
    assert_eq!(updates(&stage).len(), 2);
    // As it was in the backup of an hour ago.
    for sql in [
        "DELETE FROM effects WHERE number >= 100",
        "UPDATE handoffs SET unclaimed_steps = 0, unclaimed_at = NULL, claim_due = sent_at",
        "UPDATE cases SET last_version = 'v1', own_version = NULL, own_written_at = NULL",
    ] {
        stage.house.ledger.call(move |ledger| ledger.garble(sql)).await.expect("restored");
    }
    later(&stage, HOUR).await;
    stage.look().await;
    assert_eq!(updates(&stage).len(), 2, "nobody is asked twice");
    let waits = first(&stage).await;
    assert_eq!((waits.unclaimed_steps, waits.claim_due), (1, Some(reminded + HOUR * 2)));
    later(&stage, HOUR).await;
    assert_eq!(stage.handoffs().await[0].proposal.to.as_str(), "frontline");
}

#[tokio::test]
async fn the_giving_team_goes_on_answering_for_the_clocks_whoever_has_the_case_next() {
    let mut policy = waiting(&engineering_then_back());
    policy.escalations[0].clock.accountable = Accountable::From;
    let stage = settled(policy).await;
    later(&stage, HOUR * 2).await;
    let written = updates(&stage);
    assert!(note(&written[0]).contains("frontline answers for them"), "{}", note(&written[0]));
    assert!(note(&written[1]).contains("frontline answers for them"), "{}", note(&written[1]));
}

fn pausing(chain: &[Unclaimed]) -> Policy {
    let mut policy = waiting(chain);
    let at_most = HOUR * 24;
    policy.escalations[0].clock.customer = CustomerClock::Pause { status: "hold".into(), at_most };
    policy
}

#[tokio::test]
async fn the_next_team_reads_that_the_customers_clock_stands_still_and_it_runs_again_when_the_case_is_back() {
    let stage = settled(pausing(&engineering_then_back())).await;
    later(&stage, HOUR * 2).await;
    let told = note(&updates(&stage)[1]).to_owned();
    assert!(told.contains("the customer's stands still since an earlier handoff"), "{told}");
    assert_eq!(stage.desk.ticket().head.status, Fact::Known(Status::OnHold));
    later(&stage, HOUR * 2).await;
    assert_eq!(stage.handoffs().await[0].proposal.to.as_str(), "frontline");
    later(&stage, MINUTE * 2).await;
    stage.look().await;
    assert_eq!(stage.desk.ticket().head.status, Fact::Known(Status::Open), "nobody works on it: it waits for us");
}

async fn waits_for_anything(stage: &Stage) -> (u32, usize, usize) {
    let tasks = stage.house.ledger.call(|ledger| ledger.tasks()).await.expect("tasks");
    let lost = stage.house.ledger.call(|ledger| ledger.lost_owners()).await.expect("lost owners");
    (unclaimed(stage).await, tasks.len(), lost.len())
}

#[tokio::test]
async fn nobody_is_waited_for_on_a_ticket_that_is_deleted_or_hidden() {
    for kind in [DeskErrorKind::NotFound, DeskErrorKind::Gone, DeskErrorKind::Hidden] {
        let stage = settled(waiting(&[Unclaimed::Lead])).await;
        assert_eq!(waits_for_anything(&stage).await, (0, 1, 0), "a task is left with the agent before");
        stage.desk.ticket().out_of_sight = Some(kind);
        later(&stage, HOUR * 3).await;
        assert_eq!(waits_for_anything(&stage).await, (0, 0, 0), "{kind:?}");
        assert_eq!((updates(&stage).len(), first(&stage).await.claim_due), (1, None));
        // It comes back: billing has its time.
        stage.desk.ticket().out_of_sight = None;
        stage.look().await;
        let expected = if kind == DeskErrorKind::Hidden { 2 } else { 1 };
        assert_eq!(updates(&stage).len(), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_planned_step_on_a_ticket_that_is_deleted_leaves_no_wait() {
    let stage = planned(&engineering_then_back()).await;
    stage.desk.ticket().out_of_sight = Some(DeskErrorKind::NotFound);
    stage.look().await;
    stage.run().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Withdrawn);
    later(&stage, HOUR * 3).await;
    assert_eq!((waits_for_anything(&stage).await, updates(&stage).len()), ((0, 0, 0), 1));
}

/// The transfer to billing has happened, and an agent does something before the word to the customer.
async fn stopped_by(act: fn(&mut super::testing::Ticket, Timestamp)) -> Stage {
    let stage = Stage::telling_the_customer().await;
    stage.desk.ticket().meddles = Some(act);
    stage.look().await;
    later(&stage, MINUTE).await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Withdrawn);
    stage
}

async fn closed(stage: &Stage) -> usize {
    let now = stage.clock.now();
    let record = stage.house.ledger.call(move |ledger| ledger.case(&"acme".into(), &"42".into(), now)).await;
    record.expect("case").memory.closed_paths.len()
}

fn moves(stage: &Stage, from: &str, to: &str) {
    let queue = |name: &str| testing::queue(name).known().cloned().flatten();
    let what = What::Queue { from: queue(from), to: queue(to) };
    stage.desk.agent(stage.clock.now(), what, |head| head.queue = testing::queue(to));
}

fn takes_it(ticket: &mut super::testing::Ticket, at: Timestamp) {
    let owner = super::testing::member("8").person;
    ticket.head.owner = Fact::Known(Some(owner));
    ticket.agent_does(at, What::Owner { from: None, to: Some("8".into()) });
}

#[tokio::test]
async fn who_takes_the_case_between_transfer_and_message_has_not_given_it_back() {
    let stage = stopped_by(takes_it).await;
    assert_eq!(closed(&stage).await, 0, "nobody said no");
    // Straight back from there is a bounce all the same.
    later(&stage, HOUR).await;
    moves(&stage, "Billing", "Support");
    stage.look().await;
    assert_eq!(closed(&stage).await, 1);
    later(&stage, HOUR).await;
    assert_eq!(stage.handoffs().await.len(), 1);
}

#[tokio::test]
async fn a_case_that_comes_back_by_way_of_another_team_closes_no_path() {
    let stage = stopped_by(takes_it).await;
    for (from, to) in [("Billing", "Engineering"), ("Engineering", "Support")] {
        later(&stage, HOUR).await;
        moves(&stage, from, to);
        stage.look().await;
    }
    assert_eq!(closed(&stage).await, 0);
}

#[tokio::test]
async fn what_is_given_back_before_the_message_closes_the_path() {
    let stage = stopped_by(|ticket, at| {
        ticket.head.queue = testing::queue("Support");
        let queue = |name: &str| testing::queue(name).known().cloned().flatten();
        ticket.agent_does(at, What::Queue { from: queue("Billing"), to: queue("Support") });
    })
    .await;
    later(&stage, MINUTE).await;
    assert_eq!((closed(&stage).await, stage.handoffs().await.len()), (1, 1));
}

#[tokio::test]
async fn a_case_that_is_given_back_while_its_transfer_is_unsure_closes_the_path() {
    let stage = Stage::new(sending());
    stage.desk.ticket().answers_lost = true;
    stage.desk.ticket().lookup_fails =
        Some(DeskError::new(DeskErrorKind::Unavailable, Retry::After(None), "look up").words("no answer"));
    stage.look().await;
    assert!(matches!(stage.handoffs().await[0].effects[0].state, EffectState::Unsure { .. }));
    later(&stage, MINUTE).await;
    moves(&stage, "Billing", "Support");
    stage.look().await;
    assert!(matches!(stage.handoffs().await[0].effects[0].state, EffectState::Unsure { .. }));
    assert_eq!(closed(&stage).await, 1);
}

#[tokio::test]
async fn in_shadow_nothing_is_said_of_a_lost_owner_and_later_it_is() {
    let stage = settled(waiting(&[])).await;
    let mut shadow = waiting(&[]);
    shadow.mode = Mode::Shadow;
    let stage = stage.with_policy(shadow);
    takes_it(&mut stage.desk.ticket(), stage.clock.now());
    stage.desk.ticket().members.insert("Billing".into(), ["8", "21"].map(super::testing::member).into());
    later(&stage, MINUTE * 20).await;
    stage.look().await;
    stage.desk.ticket().members.insert("Billing".into(), vec![super::testing::member("21")]);
    later(&stage, MINUTE * 20).await;
    assert_eq!((waits_for_anything(&stage).await.2, updates(&stage).len()), (1, 1));
    let stage = stage.with_policy(waiting(&[]));
    stage.look().await;
    let written = updates(&stage);
    assert_eq!(written.len(), 2);
    assert!(note(&written[1]).starts_with("This case has lost its owner"), "{}", note(&written[1]));
    later(&stage, MINUTE).await;
    stage.look().await;
    assert_eq!(updates(&stage).len(), 2, "once");
    // A ledger from before that finds it on the ticket.
    for sql in ["DELETE FROM lost_owners", "DELETE FROM effects WHERE number >= 130"] {
        stage.house.ledger.call(move |ledger| ledger.garble(sql)).await.expect("restored");
    }
    stage.look().await;
    assert_eq!((waits_for_anything(&stage).await.2, updates(&stage).len()), (1, 2));
}

#[tokio::test]
async fn who_has_left_the_team_and_is_given_the_case_later_is_not_missed() {
    let stage = settled(waiting(&[])).await;
    takes_it(&mut stage.desk.ticket(), stage.clock.now());
    stage.desk.ticket().members.insert("Billing".into(), ["8", "21"].map(super::testing::member).into());
    later(&stage, MINUTE * 20).await;
    stage.look().await;
    stage.desk.ticket().members.insert("Billing".into(), vec![super::testing::member("21")]);
    later(&stage, MINUTE * 20).await;
    assert_eq!(waits_for_anything(&stage).await.2, 1);
    for id in ["21", "8"] {
        later(&stage, HOUR).await;
        let (at, given) = (stage.clock.now(), What::Owner { from: None, to: Some(id.into()) });
        stage.desk.ticket().head.owner = Fact::Known(Some(super::testing::member(id).person));
        stage.desk.ticket().named_agent_does("4711", "Billing Lead", at, given);
        stage.look().await;
        assert_eq!(waits_for_anything(&stage).await.2, 0, "{id}");
    }
    later(&stage, MINUTE * 20).await;
    stage.look().await;
    assert_eq!(waits_for_anything(&stage).await.2, 0, "they help out, on purpose");
}
