//! `start = "now"`: a live policy meets a desk full of old tickets that match, and leaves them alone until something changes.

use crate::desk::{AGENTS, BILLING, Edits, SUPPORT};
use crate::inside::World;
use crate::{cast, desk::BOT};
use jiff::SignedDuration;

const OLD: usize = 2_000;

/// 2,000 tickets that match the policy's only escalation, untouched for a day or more.
fn full_desk() -> World {
    let mut world = World::new(7);
    world.cast(|tenant, random, now| {
        for _ in 0..OLD {
            let opened = now - SignedDuration::from_hours(random.i64(48..2_000));
            let id = cast::open(tenant, random, SUPPORT, opened);
            let ticket = tenant.tickets.get_mut(&id).expect("just opened");
            ticket.tags.insert("refund".into());
            ticket.refund_eur = Some("900".into());
        }
    });
    world.begin();
    world
}

fn writes(world: &World) -> usize {
    world.with(|tenant| tenant.journal.requests.iter().filter(|asked| asked.writes).count())
}

#[test]
fn two_thousand_old_tickets_are_left_alone_until_one_of_them_changes() {
    let mut world = full_desk();
    world.pass(SignedDuration::from_hours(1));
    assert_eq!((writes(&world), world.handoffs().len()), (0, 0));
    let calls = world.with(|tenant| tenant.journal.requests.len());
    assert!(calls < 200, "{calls} calls in an hour in which nothing happened");

    // A customer writes on one of them, and no webhook says so: the poll finds it.
    let changed = 1_000 + 1_234;
    world.cast(|tenant, _, now| {
        let customer = tenant.tickets[&changed].requester;
        let words = Edits { comment: Some(("<p>Hello?</p>".into(), true)), ..Edits::default() };
        tenant.edit(changed, customer, &words, now);
        tenant.events.clear();
    });
    world.pass(SignedDuration::from_mins(10));
    let touched: Vec<i64> = world.with(|tenant| {
        tenant.tickets.values().filter(|one| one.audits_by_bot().count() > 0).map(|one| one.id).collect()
    });
    assert_eq!(touched, [changed]);
    assert_eq!((writes(&world), world.with(|tenant| tenant.tickets[&changed].group)), (1, Some(BILLING)));
}

#[test]
fn what_only_the_system_touches_has_not_changed() {
    let mut world = full_desk();
    world.pass(SignedDuration::from_mins(5));
    world.cast(|tenant, _, now| (1_000..3_000).for_each(|id| tenant.touch(id, now)));
    world.pass(SignedDuration::from_hours(1));
    assert_eq!((writes(&world), world.handoffs().len()), (0, 0), "the export shows them all, and nobody did anything");
}

#[test]
fn a_change_in_the_second_in_which_the_desk_was_met_counts() {
    let mut world = full_desk();
    world.clock.advance(SignedDuration::from_millis(700));
    world.end();
    world.begin();
    world.pass(SignedDuration::from_millis(100));
    // The vendor's stamps are whole seconds: this one reads as earlier than the first poll.
    world.cast(|tenant, _, now| {
        tenant.edit(1_500, AGENTS[0], &Edits { add_tags: vec!["urgent".into()], ..Edits::default() }, now)
    });
    world.pass(SignedDuration::from_mins(10));
    let author = world.with(|tenant| tenant.tickets[&1_500].audits.last().map(|audit| audit.author));
    assert_eq!(author, Some(BOT));
}
