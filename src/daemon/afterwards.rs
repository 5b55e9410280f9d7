//! What becomes of a handoff after it was sent, tried on a whole house: as decided, claimed, bounced, contested, moved on.

use super::testing::{Stage, member, sending};
use crate::intake::HookRequest;
use crate::ledger::HandoffFilter;
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::HandoffState;
use crate::policy::testing;
use crate::policy::testing::noted_by_agent;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::DeskChange;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Author, Message, Person, Role, Status, Visibility, What};
use jiff::SignedDuration;

async fn latest(stage: &Stage) -> HandoffRecord {
    let listed = stage.house.ledger.call(|ledger| ledger.handoffs(&HandoffFilter::default())).await.expect("listed");
    listed.into_iter().next().expect("a handoff")
}

/// A refund handed to billing, whose people the desk does not tell, not verified yet.
async fn sent() -> Stage {
    let stage = Stage::new(sending());
    stage.desk.ticket().members.insert("Billing".into(), Vec::new());
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Verifying);
    stage
}

/// Later, after another look.
async fn later(stage: &Stage, seconds: i64) -> HandoffRecord {
    stage.clock.advance(SignedDuration::from_secs(seconds));
    stage.look().await;
    latest(stage).await
}

fn moved(to: &str) -> What {
    let queue = |name: &str| testing::queue(name).known().cloned().flatten();
    What::Queue { from: queue("Billing"), to: queue(to) }
}

#[tokio::test]
async fn what_stays_as_decided_is_settled_after_verify_after_and_not_before() {
    let stage = sent().await;
    assert_eq!(later(&stage, 10).await.state, HandoffState::Verifying);
    let handoff = later(&stage, 60).await;
    assert_eq!((handoff.state, handoff.claimed), (HandoffState::Settled, None));
    assert_eq!(stage.desk.ticket().written.len(), 1, "one write, and no more for looking");
}

#[tokio::test]
async fn the_first_act_of_an_agent_is_the_claim_and_a_customers_is_none() {
    let stage = sent().await;
    later(&stage, 61).await;
    let at = testing::now() + SignedDuration::from_secs(70);
    let said = What::Said { visibility: Visibility::Public, message: "9".into() };
    stage.desk.ticket().customer_says(at, said.clone());
    assert_eq!(later(&stage, 20).await.claimed, None, "the customer wrote");
    let owner = Person { id: "8".into(), name: None, email: None, role: Role::Agent };
    stage
        .desk
        .agent(at, What::Owner { from: None, to: Some("8".into()) }, |head| head.owner = Fact::Known(Some(owner)));
    let (when, who) = later(&stage, 20).await.claimed.expect("claimed");
    assert_eq!((when, who.as_str()), (at, "Second Agent"));
    stage.desk.agent(at, What::Status { from: None, to: Some(Status::Pending) }, |_| {});
    assert_eq!(
        later(&stage, 20).await.claimed.map(|(_, who)| who).as_deref(),
        Some("Second Agent"),
        "the first one stays"
    );
}

/// A refund that agent 7 of frontline had, handed to billing, and a note of agent 8's after it. No rule needs an owner.
async fn noted_after(billing: &[&str], frontline: &[&str]) -> Stage {
    let stage = Stage::new(sending());
    for (queue, members) in [("Billing", billing), ("Support", frontline)] {
        stage.desk.ticket().members.insert(queue.into(), members.iter().copied().map(member).collect());
    }
    stage.look().await;
    later(&stage, 61).await;
    let at = testing::now() + SignedDuration::from_secs(70);
    stage.desk.agent(at, What::Said { visibility: Visibility::Internal, message: "9".into() }, |_| {});
    later(&stage, 20).await;
    stage
}

async fn claimed(stage: &Stage) -> bool {
    latest(stage).await.claimed.is_some()
}

#[tokio::test]
async fn only_a_member_of_the_receiving_team_claims_where_its_members_are_known() {
    let stage = noted_after(&["8", "21"], &[]).await;
    assert_eq!(latest(&stage).await.claimed.map(|(_, who)| who).as_deref(), Some("Second Agent"));
    let stage = noted_after(&["21", "22"], &[]).await;
    assert_eq!(latest(&stage).await.claimed, None, "a colleague of another team wrote a note");
    let at = testing::now() + SignedDuration::from_secs(100);
    let owner = Person { id: "22".into(), name: Some("Agent 22".into()), email: None, role: Role::Agent };
    stage
        .desk
        .agent(at, What::Owner { from: None, to: Some("22".into()) }, |head| head.owner = Fact::Known(Some(owner)));
    let claimed = later(&stage, 20).await.claimed.expect("a member has it");
    assert_eq!(claimed, (at, "Agent 22".to_owned()), "whoever made them the owner");
}

#[tokio::test]
async fn who_belongs_to_both_teams_claims_and_who_gives_only_does_not() {
    assert!(claimed(&noted_after(&["8", "21"], &["7", "8"]).await).await);
    assert!(!claimed(&noted_after(&["21"], &["7", "8"]).await).await);
    assert!(!claimed(&noted_after(&[], &["7", "8"]).await).await, "known as the giving team");
    assert!(claimed(&noted_after(&[], &["7"]).await).await, "of neither, as far as anybody tells");
}

#[tokio::test]
async fn whoever_had_the_case_before_claims_it_only_as_one_of_the_receiving_team() {
    for (billing, claims) in [(&["7", "21"][..], true), (&["21"], false), (&[], false)] {
        let stage = Stage::new(sending());
        stage.desk.ticket().members.insert("Billing".into(), billing.iter().copied().map(member).collect());
        stage.look().await;
        later(&stage, 61).await;
        let at = testing::now() + SignedDuration::from_secs(70);
        let said = What::Said { visibility: Visibility::Internal, message: "9".into() };
        stage.desk.first_agent(at, said);
        later(&stage, 20).await;
        assert_eq!(claimed(&stage).await, claims, "{billing:?}");
    }
}

#[tokio::test]
async fn given_back_is_a_bounce_that_closes_the_path() {
    let stage = sent().await;
    later(&stage, 61).await;
    let at = testing::now() + SignedDuration::from_secs(90);
    stage.desk.agent(at, moved("Support"), |head| head.queue = testing::queue("Support"));
    let handoff = later(&stage, 60).await;
    assert_eq!(handoff.state, HandoffState::Bounced);
    assert!(handoff.detail.expect("who").contains("Second Agent"));
    later(&stage, 60).await;
    assert_eq!(stage.desk.ticket().written.len(), 1, "the path is closed: nothing is handed off again");
}

#[tokio::test]
async fn a_case_that_came_back_between_two_looks_is_a_bounce_all_the_same() {
    let stage = sent().await;
    let at = testing::now() + SignedDuration::from_secs(5);
    stage.desk.agent(at, moved("Support"), |head| head.queue = testing::queue("Support"));
    assert_eq!(later(&stage, 90).await.state, HandoffState::Bounced);
    assert_eq!(stage.desk.ticket().written.len(), 1);
}

#[tokio::test]
async fn what_another_automation_undid_is_contested_and_not_fought_over() {
    let stage = sent().await;
    let at = testing::now() + SignedDuration::from_secs(5);
    stage.desk.ticket().automation_moves(at, moved("Support"), "Support");
    let handoff = later(&stage, 90).await;
    assert_eq!(handoff.state, HandoffState::Contested);
    for _ in 0..3 {
        later(&stage, 60).await;
    }
    assert_eq!(stage.desk.ticket().written.len(), 1, "written once");
}

#[tokio::test]
async fn moved_on_by_a_person_is_their_move() {
    let stage = sent().await;
    let at = testing::now() + SignedDuration::from_secs(5);
    stage.desk.agent(at, moved("Elsewhere"), |head| head.queue = testing::queue("Elsewhere"));
    let handoff = later(&stage, 90).await;
    assert_eq!(handoff.state, HandoffState::Settled);
    assert!(handoff.detail.expect("why").contains("moved on"));
}

#[tokio::test]
async fn a_ticket_that_changed_between_reading_and_writing_is_read_and_decided_again_under_the_same_key() {
    let stage = Stage::new(sending());
    stage.desk.ticket().conflicts = 2;
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!(handoff.state, HandoffState::Verifying, "{:?}", handoff.effects);
    assert_eq!(handoff.redecided, 2);
    assert_eq!(stage.desk.ticket().written.len(), 1);
}

#[tokio::test]
async fn a_ticket_that_always_changes_is_parked_after_five_times() {
    let stage = Stage::new(sending());
    stage.desk.ticket().conflicts = 100;
    stage.look().await;
    let parked = stage.house.ledger.call(|ledger| ledger.parked()).await.expect("parked");
    assert_eq!(parked.len(), 1);
    assert!(parked[0].reason.is_some() && parked[0].next_step.is_some());
    assert_eq!(stage.desk.ticket().tried, 5);
}

#[tokio::test]
async fn a_message_that_the_desk_refuses_gets_a_correcting_note_and_holds_nothing_up() {
    let stage = Stage::telling_the_customer().await;
    stage.desk.ticket().refuses_replies = true;
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!(handoff.state, HandoffState::Verifying, "{:?}", handoff.effects);
    let notes =
        stage.desk.ticket().written.iter().filter(|write| matches!(write.change, DeskChange::Update(_))).count();
    assert_eq!(notes, 2, "the handoff, and the note that takes the announcement back");
    assert_eq!(stage.house.ledger.call(|ledger| ledger.parked()).await.expect("parked").len(), 1);
    assert_eq!(later(&stage, 90).await.state, HandoffState::Settled);
}

#[tokio::test]
async fn who_acts_in_the_very_second_of_our_transfer_is_seen_before_the_customer_is_told() {
    let stage = Stage::telling_the_customer().await;
    stage.desk.ticket().meddles = Some(|ticket, at| {
        let version = ticket.head.version.clone();
        ticket.agent_does(at, What::Owner { from: None, to: Some("8".into()) });
        ticket.head.version = version;
    });
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!(handoff.state, HandoffState::Withdrawn, "{:?}", handoff.effects);
    let told = |write: &handoffd_kit::desk::Write| matches!(write.change, DeskChange::Reply(_));
    assert!(!stage.desk.ticket().written.iter().any(told), "the customer is told nothing");

    let undisturbed = Stage::telling_the_customer().await;
    undisturbed.look().await;
    assert!(undisturbed.desk.ticket().written.iter().any(told), "where nobody acts, the customer is told");
}

#[tokio::test]
async fn a_ticket_is_read_once_for_a_handoff_unless_nobody_compares_versions() {
    use handoffd_kit::capability::Guard;
    for (guard, heads) in [(Guard::Leaky, 1), (Guard::None, 2)] {
        let stage = Stage::guarded(sending(), guard);
        stage.look().await;
        let ticket = stage.desk.ticket();
        assert_eq!((ticket.written.len(), ticket.heads), (1, heads), "{guard:?}");
    }
}

#[tokio::test]
async fn a_command_in_the_very_second_of_our_own_write_is_heard() {
    let stage = Stage::polled(sending());
    stage.desk.ticket().members.insert("Billing".into(), vec![member("8")]);
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Verifying);
    let author = Author { id: Some("8".into()), name: Some("Second Agent".into()), role: Role::Agent };
    let owner = Person { id: "8".into(), name: None, email: None, role: Role::Agent };
    let note = Message { id: "n".into(), at: stage.clock.now(), author, ..noted_by_agent("/reject not ours") };
    stage.desk.ticket().said.push(note);
    let version = stage.desk.ticket().head.version.clone();
    stage.desk.agent(stage.clock.now(), What::Said { visibility: Visibility::Internal, message: "n".into() }, |_| {});
    {
        let mut ticket = stage.desk.ticket();
        (ticket.head.version, ticket.head.owner) = (version, Fact::Known(Some(owner)));
    }
    stage.clock.advance(SignedDuration::from_secs(1));
    let body = br#"{"id":"d1","ticket":"42","actor":"8"}"#;
    let desk = "acme".into();
    let path = Some(super::testing::TOKEN);
    let request = HookRequest { desk: &desk, path, headers: &http::HeaderMap::new(), body };
    stage.house.intake.webhook(request).await.expect("taken");
    stage.clock.advance(SignedDuration::from_secs(1));
    stage.run().await;
    let handoffs = stage.house.ledger.call(|ledger| ledger.handoffs(&HandoffFilter::default())).await.expect("listed");
    assert_eq!(handoffs[0].state, HandoffState::Rejected);
}

#[tokio::test]
async fn what_was_stopped_halfway_and_comes_back_stays_back_until_a_fact_changes() {
    for at_once in [true, false] {
        let stage = Stage::telling_the_customer().await;
        stage.desk.ticket().meddles = Some(match at_once {
            true => |ticket, at| {
                ticket.head.queue = testing::queue("Support");
                ticket.agent_does(at, moved("Support"));
            },
            false => |ticket, at| ticket.agent_does(at, What::Owner { from: None, to: Some("8".into()) }),
        });
        stage.look().await;
        assert_eq!(latest(&stage).await.state, HandoffState::Withdrawn, "the customer is not told");
        if !at_once {
            stage.desk.agent(stage.clock.now(), moved("Support"), |head| head.queue = testing::queue("Support"));
        }
        for _ in 0..3 {
            later(&stage, 300).await;
        }
        assert_eq!(stage.handoffs().await.len(), 1, "given back {at_once}");
        // The label that the rule asks for is taken off, and later set again.
        for (labels, handoffs) in [(Vec::new(), 1), (vec!["refund".to_owned()], 2)] {
            stage.desk.agent(stage.clock.now(), testing::tagged(), |head| head.tags = Fact::Known(labels.clone()));
            later(&stage, 300).await;
            assert_eq!(stage.handoffs().await.len(), handoffs, "given back {at_once}");
        }
    }
}
