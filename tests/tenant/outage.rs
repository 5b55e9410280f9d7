//! What the vendor does wrong for a while: a clear word in health or among what is parked, with its next step; nothing
//! lost, nothing doubled, no storm of requests; and afterwards everything goes on by itself, or after one command.

use crate::cast::{self, Kind, Part};
use crate::census::census;
use crate::desk::faults::{Does, Fault};
use crate::desk::{Edits, Question};
use crate::inside::World;
use handoffd::ledger::Act;
use handoffd::ledger::records::HandoffRecord;
use handoffd::ledger::states::HandoffState;
use jiff::SignedDuration;
use serde_json::Value;

/// Tickets of a scenario, and how many of them are to be escalated.
pub const TICKETS: usize = 100;
pub const REFUNDS: usize = 12;
pub const TEN_MINUTES: SignedDuration = SignedDuration::from_mins(10);

/// A house at rest, and tickets to which nothing has happened yet.
pub fn at_rest() -> (World, Vec<Part>) {
    let mut world = World::new(11);
    let parts = world.cast(|tenant, random, now| cast::round(tenant, random, TICKETS, REFUNDS, now));
    world.begin();
    world.pass(SignedDuration::from_secs(5));
    assert_eq!(world.health()["status"], "ok");
    (world, parts)
}

pub fn change(world: &mut World, parts: &[Part]) {
    world.cast(|tenant, _, now| parts.iter().for_each(|part| cast::happen(tenant, part, now)));
}

pub fn fault(world: &World, does: Does, on: impl Fn(&Question) -> bool + Send + 'static) {
    world.with(|tenant| tenant.faults.push(Fault::always(does, on)));
}

/// How many requests were sent so far.
pub fn asked(world: &World) -> usize {
    world.with(|tenant| tenant.journal.requests.len())
}

pub fn tried_writes(world: &World) -> usize {
    world.with(|tenant| tenant.journal.requests.iter().filter(|asked| asked.writes).count())
}

/// The reason of health that says this; its level and that it names the desk and a next step.
pub fn reason(world: &World, words: &str) -> String {
    let health = world.health();
    let reasons = health["reasons"].as_array().expect("reasons");
    let said = |reason: &&Value| reason["what"].as_str().is_some_and(|what| what.contains(words));
    let reason = reasons.iter().find(said).unwrap_or_else(|| panic!("no reason says {words:?}: {health:#}"));
    assert_eq!(reason["desk"], "acme", "{reason:#}");
    assert!(reason["next_step"].as_str().is_some_and(|step| step.len() > 10), "{reason:#}");
    reason["level"].as_str().expect("a level").to_owned()
}

/// The trouble is over: everything was done, once, and health has nothing to say.
pub fn recovered(world: &mut World, parts: &[Part]) {
    world.with(|tenant| tenant.faults.clear());
    world.pass(SignedDuration::from_mins(30));
    let wrong = world.with(|tenant| census(tenant, parts, &[]));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(world.handoffs().iter().all(|handoff| handoff.state == HandoffState::Settled));
    assert!(world.parked().is_empty());
    assert_eq!(world.health()["status"], "ok", "{:#}", world.health());
}

pub fn refunds(parts: &[Part]) -> Vec<i64> {
    parts.iter().filter(|part| part.kind == Kind::LargeRefund).map(|part| part.ticket).collect()
}

fn handoff_of(world: &World, ticket: i64) -> HandoffRecord {
    let mut found = world.handoffs().into_iter().filter(|one| one.proposal.ticket.as_str() == ticket.to_string());
    found.next().expect("a handoff of this ticket")
}

#[test]
fn a_vendor_that_is_down_for_ten_minutes_is_asked_now_and_then() {
    for does in [Does::Unreachable, Does::Cut, Does::broken()] {
        let (mut world, parts) = at_rest();
        fault(&world, does.clone(), |_| true);
        let before = asked(&world);
        change(&mut world, &parts);
        world.pass(TEN_MINUTES);
        let calls = asked(&world) - before;
        assert!((5..=60).contains(&calls), "{does:?}: {calls} calls in ten minutes");
        assert_eq!(reason(&world, "does not answer"), "degraded");
        assert!(world.parked().is_empty());
        recovered(&mut world, &parts);
    }
}

#[test]
fn a_token_that_the_vendor_forgets_is_renewed_at_once_and_nobody_is_told() {
    let (mut world, parts) = at_rest();
    world.with(|tenant| tenant.login.revoke_all());
    change(&mut world, &parts);
    world.pass(SignedDuration::from_secs(30));
    let refused = world.with(|tenant| tenant.journal.requests.iter().filter(|one| one.status == Some(401)).count());
    assert!((1..=48).contains(&refused), "{refused} refusals: as many as were in work at once");
    assert_eq!(world.health()["status"], "ok");
    recovered(&mut world, &parts);
}

#[test]
fn a_missing_right_to_write_stops_the_writes_says_so_and_heals() {
    let (mut world, parts) = at_rest();
    fault(&world, Does::forbidden(), |question| question.way.writes());
    change(&mut world, &parts);
    world.pass(TEN_MINUTES);
    // Two tries of the right each minute, and the writes that were under way when the first was refused, each with one.
    let calls = tried_writes(&world);
    assert!((1..=20 + 2 * REFUNDS).contains(&calls), "{calls} writes were tried in ten minutes");
    assert_eq!(reason(&world, "You do not have access"), "failing");
    recovered(&mut world, &parts);
}

#[test]
fn nonsense_instead_of_json_is_tried_again_with_patience() {
    let (mut world, parts) = at_rest();
    fault(&world, Does::Garble, |_| true);
    let before = asked(&world);
    change(&mut world, &parts);
    world.pass(TEN_MINUTES);
    let calls = asked(&world) - before;
    assert!(calls <= 60, "{calls} calls in ten minutes");
    assert_eq!(reason(&world, "answers cannot be read"), "degraded");
    recovered(&mut world, &parts);
}

#[test]
fn a_write_whose_answer_is_nonsense_is_looked_up_and_not_repeated() {
    let (mut world, parts) = at_rest();
    for id in refunds(&parts) {
        let on = move |question: &Question| question.way.writes() && question.way.ticket() == Some(id);
        world.with(|tenant| tenant.faults.push(Fault::once(Does::Garble, on)));
    }
    change(&mut world, &parts);
    world.pass(SignedDuration::from_mins(1));
    assert_eq!(tried_writes(&world), REFUNDS);
    recovered(&mut world, &parts);
}

#[test]
fn a_refused_value_is_parked_with_the_vendors_words_and_goes_out_once_after_the_repair() {
    let (mut world, parts) = at_rest();
    let id = refunds(&parts)[3];
    let words = "Root cause: is required when solving a ticket";
    fault(&world, Does::invalid("base", words), move |question| {
        question.way.writes() && question.way.ticket() == Some(id)
    });
    change(&mut world, &parts);
    world.pass(TEN_MINUTES);
    let parked = world.parked();
    assert_eq!(parked.len(), 1, "{parked:#?}");
    assert_eq!(parked[0].write.ticket.as_str(), id.to_string());
    assert!(parked[0].reason.as_ref().is_some_and(|reason| reason.contains(words)), "{:?}", parked[0].reason);
    assert!(parked[0].next_step.as_ref().is_some_and(|step| step.contains("Fill the fields")));
    assert_eq!(reason(&world, "writes that wait for a person: 1"), "degraded");
    assert_eq!(world.with(|tenant| tenant.journal.asked(id, "update")), 1, "not tried again by itself");

    retry_all(&mut world);
    recovered(&mut world, &parts);
}

#[test]
fn a_ticket_that_is_closed_or_deleted_after_it_was_read_ends_its_handoff_with_the_reason() {
    let (mut world, parts) = at_rest();
    let (closed, gone) = (refunds(&parts)[0], refunds(&parts)[1]);
    // The writes are cut once, and meanwhile the tickets end.
    for id in [closed, gone] {
        let on = move |question: &Question| question.way.writes() && question.way.ticket() == Some(id);
        world.with(|tenant| tenant.faults.push(Fault::once(Does::Unreachable, on)));
    }
    change(&mut world, &parts);
    let tried = |world: &World, id| world.with(|tenant| tenant.journal.asked(id, "update"));
    while tried(&world, closed) + tried(&world, gone) < 2 {
        world.pass(SignedDuration::from_millis(100));
    }
    world.with(|tenant| {
        tenant.tickets.get_mut(&closed).expect("there").status = "closed";
        tenant.tickets.remove(&gone);
    });
    world.pass(TEN_MINUTES);
    for (id, words) in [(closed, "closed"), (gone, "RecordNotFound")] {
        let handoff = handoff_of(&world, id);
        assert_eq!(handoff.state, HandoffState::Withdrawn, "{handoff:#?}");
        assert!(handoff.detail.as_ref().is_some_and(|detail| detail.contains(words)), "{:?}", handoff.detail);
        assert_eq!(tried(&world, id), 2, "once cut, once refused");
    }
    assert!(world.parked().is_empty());
    others_are_fine(&world, &parts, &[closed, gone]);
}

#[test]
fn a_desk_that_contradicts_itself_about_a_ticket_parks_the_handoff() {
    for (does, words) in [(Does::closed(), "closed prevents ticket update"), (Does::not_found(), "RecordNotFound")] {
        let (mut world, parts) = at_rest();
        let id = refunds(&parts)[4];
        fault(&world, does, move |question| question.way.writes() && question.way.ticket() == Some(id));
        change(&mut world, &parts);
        world.pass(TEN_MINUTES);
        let parked = world.parked();
        assert_eq!(parked.len(), 1, "{parked:#?}");
        assert!(parked[0].reason.as_ref().is_some_and(|reason| reason.contains(words)), "{:?}", parked[0].reason);
        assert!(parked[0].next_step.as_ref().is_some_and(|step| step.len() > 10));
        assert_eq!(reason(&world, "writes that wait for a person: 1"), "degraded");
        let calls = world.with(|tenant| tenant.journal.requests.iter().filter(|one| one.ticket == Some(id)).count());
        assert!(calls <= 16, "{calls} calls about one ticket");
        others_are_fine(&world, &parts, &[id]);
        retry_all(&mut world);
        recovered(&mut world, &parts);
    }
}

/// The desk is repaired, and a person says: again.
pub fn retry_all(world: &mut World) {
    world.with(|tenant| tenant.faults.clear());
    for effect in world.parked() {
        let act = Act { by: "lead (test)".into(), reason: None, at: world.now() };
        world.order(move |ledger| ledger.retry_effect(effect.id, &act));
    }
}

pub fn others_are_fine(world: &World, parts: &[Part], but: &[i64]) {
    let rest: Vec<Part> = parts.iter().filter(|part| !but.contains(&part.ticket)).copied().collect();
    let wrong = world.with(|tenant| census(tenant, &rest, but));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_person_changes_between_reading_and_writing_is_not_overwritten() {
    let (mut world, parts) = at_rest();
    let id = refunds(&parts)[2];
    // The write meets a ticket that an agent has just moved to sales.
    let meets = move |question: &Question| question.way.writes() && question.way.ticket() == Some(id);
    world.with(|tenant| tenant.faults.push(Fault::once(Does::Cut, meets)));
    change(&mut world, &parts);
    world.pass(SignedDuration::from_secs(10));
    world.cast(|tenant, _, now| {
        let moved = Edits { group: Some(Some(crate::desk::SALES)), ..Edits::default() };
        tenant.edit(id, crate::desk::AGENTS[0], &moved, now)
    });
    world.pass(SignedDuration::from_mins(30));
    let (group, ours) = world.with(|tenant| {
        let ticket = &tenant.tickets[&id];
        (ticket.group, ticket.audits_by_bot().count())
    });
    assert_eq!((group, ours), (Some(crate::desk::SALES), 0));
    assert_eq!(handoff_of(&world, id).state, HandoffState::Withdrawn);
}
