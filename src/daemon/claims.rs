//! What becomes of a handoff that nobody claims, tried on a whole house: reminders, handing on, and a claim that ends them.

use super::testing::{Stage, member, sending};
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::{EffectState, HandoffState};
use crate::policy::due::Wait;
use crate::policy::proposal::HandoffKind;
use crate::policy::rules::{ClaimDecision, Mode, Policy, Unclaimed};
use crate::policy::testing;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::{DeskChange, QueueSpec, Update};
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Person, Role, Visibility, What};
use jiff::SignedDuration;

/// A refund goes to billing, which has two hours, and then this chain.
pub(super) fn waiting(chain: &[Unclaimed]) -> Policy {
    let mut policy = sending();
    let within = Wait::from(SignedDuration::from_hours(2));
    policy.escalations[0].owner.claim = Some(ClaimDecision { within, unclaimed: chain.to_vec() });
    policy.teams.get_mut(&"billing".into()).expect("team").lead = Some("billing-lead".into());
    policy
}

pub(super) async fn later(stage: &Stage, span: SignedDuration) {
    stage.clock.advance(span);
    stage.run().await;
}

pub(super) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Handed off and seen to be as decided.
pub(super) async fn settled(policy: Policy) -> Stage {
    let stage = Stage::new(policy);
    stage.look().await;
    later(&stage, MINUTE * 2).await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!(handoff.state, HandoffState::Settled);
    assert_eq!(handoff.claim_due, Some(testing::now() + HOUR * 2), "waited for");
    stage
}

pub(super) fn updates(stage: &Stage) -> Vec<Update> {
    let ticket = stage.desk.ticket();
    let update = |write: &handoffd_kit::desk::Write| match &write.change {
        DeskChange::Update(update) => Some(update.clone()),
        _ => None,
    };
    ticket.written.iter().filter_map(update).collect()
}

pub(super) fn note(update: &Update) -> &str {
    update.note.as_ref().map_or("", |note| &note.0)
}

/// An agent of the receiving team takes it.
fn claim(stage: &Stage) {
    let owner = Person { id: "22".into(), name: Some("Second Agent".into()), email: None, role: Role::Agent };
    let what = What::Owner { from: None, to: Some("22".into()) };
    stage.desk.agent(stage.clock.now(), what, |head| head.owner = Fact::Known(Some(owner)));
}

async fn effects_left(stage: &Stage) -> usize {
    let waits = |handoff: &HandoffRecord| {
        handoff.effects.iter().filter(|effect| matches!(effect.state, EffectState::Due { .. })).count()
    };
    stage.handoffs().await.iter().map(waits).sum()
}

#[tokio::test]
async fn the_lead_is_named_when_the_time_is_over_and_not_before() {
    let stage = settled(waiting(&[Unclaimed::Lead])).await;
    later(&stage, HOUR + MINUTE * 57).await;
    assert_eq!(updates(&stage).len(), 1, "not before");
    later(&stage, MINUTE).await;
    let written = updates(&stage);
    assert_eq!(written.len(), 2);
    assert_eq!(written[1], Update { note: written[1].note.clone(), ..Update::default() }, "nothing is set");
    let told = note(&written[1]);
    assert!(told.contains("Not taken on: nobody of billing") && told.contains("\nbilling-lead ("), "{told}");
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!((handoff.unclaimed_steps, handoff.state), (1, HandoffState::Settled));
    assert_eq!(handoff.claim_due, Some(stage.clock.now() + HOUR * 2), "the next step has its own time");
    later(&stage, HOUR * 3).await;
    assert_eq!(updates(&stage).len(), 2, "the chain is over");
    let now = stage.clock.now();
    let counts = stage.house.ledger.call(move |ledger| ledger.counts(now)).await.expect("counts");
    assert_eq!(counts.unclaimed.get(&"refund".into()).map(|(count, _)| *count), Some(1), "and health says so");
}

#[tokio::test]
async fn a_lead_who_is_no_member_is_named_all_the_same() {
    let stage = settled(waiting(&[Unclaimed::Lead, Unclaimed::Back])).await;
    stage.desk.ticket().members.insert("Billing".into(), vec![member("21")]);
    later(&stage, MINUTE * 20).await;
    later(&stage, HOUR * 2).await;
    let written = updates(&stage);
    assert_eq!(written.len(), 2);
    let told = note(&written[1]);
    assert!(told.contains("\nbilling-lead is asked") && told.contains("it goes back"), "{told}");
}

#[tokio::test]
async fn a_claim_in_time_ends_the_wait() {
    let stage = settled(waiting(&[Unclaimed::Lead, Unclaimed::Back])).await;
    later(&stage, HOUR).await;
    claim(&stage);
    stage.look().await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!((handoff.claimed.is_some(), handoff.claim_due), (true, None));
    later(&stage, HOUR * 5).await;
    assert_eq!((updates(&stage).len(), stage.handoffs().await.len()), (1, 1));
}

#[tokio::test]
async fn a_claim_drops_a_reminder_that_was_not_sent_yet() {
    let stage = settled(waiting(&[Unclaimed::Lead])).await;
    stage.desk.ticket().refuses = true;
    later(&stage, HOUR * 2).await;
    stage.desk.ticket().refuses = false;
    let handoff = stage.handoffs().await.remove(0);
    assert!(handoff.effects.iter().any(|effect| matches!(effect.state, EffectState::Parked { .. })));
    claim(&stage);
    stage.look().await;
    let handoff = stage.handoffs().await.remove(0);
    let over = handoff.effects.iter().skip(1).all(|effect| effect.state == EffectState::Dropped);
    assert!(over, "{:?}", handoff.effects);
    assert_eq!(updates(&stage).len(), 1);
}

#[tokio::test]
async fn a_reminder_that_cannot_be_written_holds_up_no_further_step() {
    let stage = settled(waiting(&[Unclaimed::Lead, Unclaimed::Lead, Unclaimed::Back])).await;
    stage.desk.ticket().refuses = true;
    later(&stage, HOUR * 2).await;
    let first = stage.handoffs().await.remove(0).effects.remove(1);
    assert!(matches!(first.state, EffectState::Parked { .. }), "{first:?}");
    assert!(first.write.deadline > stage.clock.now(), "handoffs go before it");
    stage.desk.ticket().refuses = false;
    later(&stage, HOUR * 2).await;
    let handoff = stage.handoffs().await.remove(0);
    let reminders: Vec<_> = handoff.effects.iter().skip(1).map(|effect| effect.state.name()).collect();
    assert_eq!(reminders, ["dropped", "done"], "{:?}", handoff.effects);
    later(&stage, HOUR * 2).await;
    let back = stage.handoffs().await.remove(0);
    assert_eq!(back.proposal.to.as_str(), "frontline", "{back:?}");
}

#[tokio::test]
async fn nobody_claims_it_and_it_goes_on_to_the_next_team_once_under_its_own_key() {
    let stage = settled(waiting(&[Unclaimed::Team("engineering".into()), Unclaimed::Back])).await;
    later(&stage, HOUR * 2).await;
    let handoffs = stage.handoffs().await;
    let [chained, first] = &handoffs[..] else { panic!("two handoffs") };
    assert_ne!(chained.id, first.id);
    assert_eq!((chained.proposal.kind, chained.state), (HandoffKind::Escalate, HandoffState::Verifying));
    assert_eq!(first.state, HandoffState::Settled);
    assert!(
        first.detail.as_ref().is_some_and(|detail| detail.contains("handed on to engineering")),
        "{:?}",
        first.detail
    );
    let written = updates(&stage);
    assert_eq!(written[1].queue, Some(QueueSpec::Name("Engineering".into())));
    assert!(note(&written[0]).contains("- first handoff of this case"), "{}", note(&written[0]));
    let (later_note, target) = (note(&written[1]), testing::now() + HOUR * 6 + MINUTE * 2);
    for piece in ["- teams so far: frontline → billing", "- 1 earlier handoff, none came back"] {
        assert!(later_note.contains(piece) && !later_note.contains("first handoff of this case"), "{later_note}");
    }
    let told = format!("Until: Mon 2 Nov {}", target.strftime("%H:%M"));
    assert!(later_note.contains(&told), "{told} in {later_note}");
    assert!(note(&written[1]).contains("billing → engineering") && note(&written[1]).contains("nobody of billing"));
    later(&stage, MINUTE * 5).await;
    assert_eq!(updates(&stage).len(), 2, "once");
    // The next team has the same time, and then it goes back to where it came from.
    later(&stage, HOUR * 2).await;
    let back = stage.handoffs().await.remove(0);
    assert_eq!((back.proposal.kind, back.proposal.to.as_str()), (HandoffKind::Unclaimed, "frontline"));
    assert!(note(&updates(&stage)[2]).starts_with("Returned unclaimed: engineering → frontline"));
    for _ in 0..3 {
        later(&stage, HOUR * 3).await;
    }
    assert_eq!(updates(&stage).len(), 3, "the path is closed: it does not begin anew");
}

#[tokio::test]
async fn a_claim_between_deciding_and_sending_keeps_it_where_it_is() {
    let stage = settled(waiting(&[Unclaimed::Back])).await;
    // The ticket changes just before our write: it is read and decided again, and by then somebody has taken it.
    stage.desk.ticket().claimed_at_conflict = true;
    later(&stage, HOUR * 2).await;
    let handoffs = stage.handoffs().await;
    assert_eq!(handoffs[0].state, HandoffState::Withdrawn, "{:?}", handoffs[0].detail);
    assert!(handoffs[1].claimed.is_some());
    assert_eq!((updates(&stage).len(), effects_left(&stage).await), (1, 0));
}

#[tokio::test]
async fn a_pause_holds_the_chain_and_shadow_ends_it() {
    let stage = settled(waiting(&[Unclaimed::Back])).await;
    let switch = crate::ledger::records::Switch::Rule("refund".into());
    let act = |at| crate::ledger::Act { by: "lead".into(), reason: None, at };
    let (off, at) = (switch.clone(), stage.clock.now());
    stage.house.ledger.call(move |ledger| ledger.set_switch(&off, true, &act(at))).await.expect("paused");
    later(&stage, HOUR * 3).await;
    assert_eq!(updates(&stage).len(), 1);
    let at = stage.clock.now();
    stage.house.ledger.call(move |ledger| ledger.set_switch(&switch, false, &act(at))).await.expect("resumed");
    stage.run().await;
    assert_eq!(updates(&stage).len(), 2, "it goes on");

    let stage = settled(waiting(&[Unclaimed::Back])).await;
    let mut shadow = waiting(&[Unclaimed::Back]);
    shadow.mode = Mode::Shadow;
    let stage = stage.with_policy(shadow);
    later(&stage, HOUR * 3).await;
    assert_eq!(updates(&stage).len(), 1);
}

fn said() -> What {
    What::Said { visibility: Visibility::Internal, message: "m1".into() }
}

/// The desk could not take the reminder, and somebody took the case on before it could.
async fn claimed_while_the_reminder_waits(retry: Retry) -> Stage {
    let stage = settled(waiting(&[Unclaimed::Lead])).await;
    stage.desk.ticket().write_fails = Some(DeskError::new(DeskErrorKind::Unavailable, retry, "apply update"));
    later(&stage, HOUR * 2).await;
    let tried = stage.desk.ticket().tried;
    assert!(tried > 1 && updates(&stage).len() == 1, "{tried}");
    claim(&stage);
    stage.desk.ticket().write_fails = None;
    stage
}

async fn reminder(stage: &Stage) -> EffectState {
    let handoff = stage.handoffs().await.remove(0);
    handoff.effects.last().expect("the reminder").state.clone()
}

#[tokio::test]
async fn a_reminder_that_was_held_up_is_not_written_over_a_claim_that_nobody_has_seen_yet() {
    let stage = claimed_while_the_reminder_waits(Retry::After(None)).await;
    later(&stage, HOUR).await;
    assert_eq!(updates(&stage).len(), 1, "{:?}", updates(&stage).last().map(note));
    assert_eq!(reminder(&stage).await, EffectState::Dropped);
    assert!(stage.handoffs().await[0].claimed.is_some());
}

#[tokio::test]
async fn a_reminder_that_turns_out_not_to_be_there_is_not_sent_after_a_claim() {
    let stage = claimed_while_the_reminder_waits(Retry::Unsure).await;
    assert!(matches!(reminder(&stage).await, EffectState::Unsure { .. }));
    stage.look().await;
    assert!(stage.handoffs().await[0].claimed.is_some());
    for _ in 0..5 {
        later(&stage, MINUTE).await;
    }
    assert_eq!((reminder(&stage).await, updates(&stage).len()), (EffectState::Dropped, 1));
}

#[tokio::test]
async fn a_claim_that_its_own_look_could_not_judge_is_seen_before_the_case_is_handed_on() {
    for step in [Unclaimed::Lead, Unclaimed::Back] {
        let stage = settled(waiting(&[step])).await;
        // A new colleague, whom the roster does not know yet.
        let at = stage.clock.now();
        stage.desk.ticket().agent_does(at, said());
        stage.look().await;
        assert_eq!(stage.handoffs().await[0].claimed, None);
        stage.desk.ticket().members.insert("Billing".into(), vec![member("8"), member("21")]);
        later(&stage, MINUTE * 20).await;
        later(&stage, HOUR * 2).await;
        let handoffs = stage.handoffs().await;
        assert_eq!(handoffs[0].claimed, Some((at, "Second Agent".into())));
        assert_eq!((handoffs.len(), updates(&stage).len()), (1, 1));
    }
}

#[tokio::test]
async fn what_the_team_does_before_the_customer_is_told_is_a_claim_too() {
    let stage = Stage::telling_the_customer().await;
    stage.desk.ticket().members.insert("Billing".into(), vec![member("8")]);
    stage.desk.ticket().meddles = Some(|ticket, at| ticket.agent_does(at, said()));
    stage.look().await;
    later(&stage, MINUTE * 2).await;
    assert_eq!(stage.desk.ticket().written.len(), 2, "the transfer and the message");
    let at = stage.clock.now();
    stage.desk.ticket().customer_says(at, said());
    stage.look().await;
    let claimed = stage.handoffs().await[0].claimed.clone();
    assert_eq!(claimed, Some((testing::now(), "Second Agent".into())));
}
