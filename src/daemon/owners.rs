//! Who becomes owner, tried on a whole house: by turn, by load, a person, and what stands in for them.

use super::testing::{Stage, member, sending};
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::HandoffState;
use crate::policy::rules::{Assign, CustomerFacing, Policy};
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::{DeskChange, Member, OwnerSpec, Update};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::What;
use jiff::SignedDuration;

fn assigning(assign: Assign) -> Policy {
    let mut policy = sending();
    policy.escalations[0].owner.assign = assign;
    policy
}

/// What was written to the ticket.
fn written(stage: &Stage, number: usize) -> Update {
    let DeskChange::Update(update) = &stage.desk.ticket().written[number].change else { panic!("an update") };
    update.clone()
}

fn note(stage: &Stage, number: usize) -> String {
    written(stage, number).note.expect("a note").0
}

async fn sent(stage: &Stage) -> HandoffRecord {
    stage.look().await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!(handoff.state, HandoffState::Verifying, "{:?}", handoff.effects);
    handoff
}

#[tokio::test]
async fn the_owner_goes_round_among_those_who_work_there() {
    let stage = Stage::new(assigning(Assign::Turn));
    let first = sent(&stage).await;
    assert_eq!(written(&stage, 0).owner, Some(OwnerSpec::User("21".into())));
    assert!(note(&stage, 0).contains("Owner: Agent 21 of billing (by turn)"), "{}", note(&stage, 0));
    assert!(first.proposal.owner.roster.is_some());
    // Given back, and its facts changed after that: the next handoff is the next one's turn.
    stage.clock.advance(SignedDuration::from_mins(10));
    let queue = crate::policy::testing::queue;
    let moved = What::Queue {
        from: queue("Billing").known().cloned().flatten(),
        to: queue("Support").known().cloned().flatten(),
    };
    stage.desk.agent(stage.clock.now(), moved, |head| head.queue = queue("Support"));
    stage.clock.advance(SignedDuration::from_mins(10));
    stage.look().await;
    assert_eq!(stage.desk.ticket().written.len(), 1, "its path is closed");
    for labels in [Vec::new(), vec!["refund".to_owned()]] {
        let tagged = crate::policy::testing::tagged();
        stage.desk.agent(stage.clock.now(), tagged, |head| head.tags = Fact::Known(labels.clone()));
        stage.clock.advance(SignedDuration::from_mins(10));
        stage.look().await;
    }
    assert_eq!(written(&stage, 1).owner, Some(OwnerSpec::User("22".into())));
}

#[tokio::test]
async fn who_is_not_active_there_is_replaced_by_the_declared_fallback_and_the_note_says_why() {
    for (fallback, owner) in [(Assign::Queue, OwnerSpec::Nobody), (Assign::Turn, OwnerSpec::User("21".into()))] {
        let mut policy = assigning(Assign::Person("billing-lead".into()));
        policy.escalations[0].owner.fallback = fallback;
        let stage = Stage::new(policy);
        let gone = vec![member("21"), Member { active: false, ..member("4711") }];
        stage.desk.ticket().members.insert("Billing".into(), gone);
        let handoff = sent(&stage).await;
        assert_eq!(written(&stage, 0).owner, Some(owner));
        let note = note(&stage, 0);
        assert!(note.contains("not as declared: billing-lead is not active on the desk"), "{note}");
        assert!(handoff.proposal.owner.fallback.is_some());
        let counts =
            stage.house.ledger.call(|ledger| ledger.counts(crate::policy::testing::now())).await.expect("counts");
        assert_eq!(counts.fell_back.get(&"refund".into()), Some(&1));
    }
}

#[tokio::test]
async fn an_active_member_who_is_named_becomes_owner() {
    let stage = Stage::new(assigning(Assign::Person("billing-lead".into())));
    let handoff = sent(&stage).await;
    assert_eq!(written(&stage, 0).owner, Some(OwnerSpec::User("4711".into())));
    assert_eq!(handoff.proposal.owner.fallback, None);
}

#[tokio::test]
async fn without_knowing_who_works_there_the_case_goes_to_the_queue_and_health_says_so() {
    let stage = Stage::new(assigning(Assign::Load));
    stage.desk.ticket().members.clear();
    sent(&stage).await;
    assert_eq!(written(&stage, 0).owner, Some(OwnerSpec::Nobody));
    assert!(note(&stage, 0).contains("who works in billing is not known yet"), "{}", note(&stage, 0));
    let troubles = stage.house.ledger.call(|ledger| ledger.roster_troubles()).await.expect("listed");
    assert_eq!(troubles.len(), 2, "of both sides");
    for queue in ["Billing", "Support"] {
        stage.desk.ticket().members.insert(queue.into(), vec![member("21")]);
    }
    stage.clock.advance(SignedDuration::from_mins(5));
    stage.run().await;
    let troubles = stage.house.ledger.call(|ledger| ledger.roster_troubles()).await.expect("listed");
    assert!(troubles.is_empty(), "asked again, and well");
}

#[tokio::test]
async fn who_goes_on_talking_to_the_customer_follows_the_ticket() {
    let mut policy = sending();
    policy.escalations[0].owner.customer_facing = CustomerFacing::Previous;
    let stage = Stage::new(policy);
    sent(&stage).await;
    assert_eq!(written(&stage, 0).followers, ["7".into()]);
    let mut policy = sending();
    policy.escalations[0].owner.customer_facing = CustomerFacing::New;
    let stage = Stage::new(policy);
    sent(&stage).await;
    assert!(written(&stage, 0).followers.is_empty());
}

/// A refund handed to an agent of billing, seen to be as decided.
async fn given() -> Stage {
    let stage = Stage::new(assigning(Assign::Turn));
    sent(&stage).await;
    stage.clock.advance(SignedDuration::from_mins(2));
    stage.run().await;
    stage
}

#[tokio::test]
async fn an_owner_who_is_not_active_any_more_is_listed_and_one_note_says_so() {
    let stage = given().await;
    let gone = vec![Member { active: false, ..member("21") }, member("22")];
    stage.desk.ticket().members.insert("Billing".into(), gone);
    for _ in 0..3 {
        stage.clock.advance(SignedDuration::from_mins(20));
        stage.run().await;
    }
    let lost = stage.house.ledger.call(|ledger| ledger.lost_owners()).await.expect("listed");
    assert_eq!((lost.len(), lost[0].owner.as_str()), (1, "21"));
    assert_eq!(stage.desk.ticket().written.len(), 2, "one note");
    assert!(note(&stage, 1).contains("lost its owner") && written(&stage, 1).owner.is_none());
    let owner = handoffd_kit::model::Person {
        id: "22".into(),
        name: None,
        email: None,
        role: handoffd_kit::model::Role::Agent,
    };
    let taken = What::Owner { from: Some("21".into()), to: Some("22".into()) };
    stage.desk.agent(stage.clock.now(), taken, |head| head.owner = Fact::Known(Some(owner)));
    stage.look().await;
    let lost = stage.house.ledger.call(|ledger| ledger.lost_owners()).await.expect("listed");
    assert!(lost.is_empty(), "somebody has it now");
    let spans = stage.house.ledger.call(|ledger| ledger.ownership(&"acme".into(), &"42".into())).await.expect("spans");
    let owners: Vec<&str> = spans
        .iter()
        .filter(|span| span.of == crate::ledger::records::SpanOf::Owner)
        .filter_map(|span| span.id.as_deref())
        .collect();
    assert_eq!(owners.last(), Some(&"22"));
}

#[tokio::test]
async fn the_task_of_the_agent_before_is_tracked_until_they_write_again() {
    let stage = given().await;
    let open = stage.house.ledger.call(|ledger| ledger.tasks()).await.expect("tasks");
    assert_eq!((open.len(), open[0].who.as_deref()), (1, Some("First Agent")));
    let until = open[0].until.expect("a time");
    stage.clock.advance(until.duration_since(stage.clock.now()) + SignedDuration::from_secs(1));
    stage.run().await;
    let now = stage.clock.now();
    let counts = stage.house.ledger.call(move |ledger| ledger.counts(now)).await.expect("counts");
    assert_eq!(counts.overdue_tasks, 1);
    let said = What::Said { visibility: handoffd_kit::model::Visibility::Internal, message: "m9".into() };
    stage.desk.first_agent(stage.clock.now(), said);
    stage.look().await;
    assert!(stage.house.ledger.call(|ledger| ledger.tasks()).await.expect("tasks").is_empty());
    let task = stage.house.ledger.call({
        let id = stage.handoffs().await[0].id.clone();
        move |ledger| ledger.task_of(&id)
    });
    assert_eq!(task.await.expect("asked").expect("kept").done.map(|(_, by)| by).as_deref(), Some("First Agent"));
}
